// Filing messages: the one way by which they get into their conversations.
#pragma once

#include "postgres/server.hpp"

#include <string_view>

namespace companion {

// Messages to be filed: arrays of the same length, and what all of them share.
// No message is filed where the conversation is null.
struct NewMessages {
    Datum user_ids, conversation_ids, contents, telegram_message_ids;
    Datum role;
    NullableDatum reply_to_id = absent, reply_to_telegram_id = absent, metadata = absent;

    static constexpr NullableDatum absent{0, true};
};

struct FiledMessage {
    pg_uuid_t id;
    bool is_new;
};

// A message to be filed by itself.
struct NewMessage {
    Datum user_id, conversation_id, content, role;
    NullableDatum telegram_message_id, reply_to_id, reply_to_telegram_id, metadata;
};

// File messages and return what became of each; one whose Telegram id the user has
// already is not stored again: it gets the id of the first. Error 23503 for a
// conversation, or a message replied to, that is not the user's. Call within with_spi().
FiledMessage *file_messages(const NewMessages &messages);

// The ids of filed messages, as an array to bind.
Datum ids_of(const FiledMessage *filed, int count);

// File one message; a new one by the user sets users.last_user_message_at.
FiledMessage file_message(const NewMessage &message);

// Refuse a text that is empty or longer than companion.max_message_length. Error 22023.
void check_content(std::string_view content);

} // namespace companion
