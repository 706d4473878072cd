// Filing messages: the one way by which they get into their conversations.
#pragma once

#include "postgres/given.hpp"

#include <string_view>

namespace companion {

struct NewMessage {
    Datum user_id, conversation_id, role, content;
    NullableDatum telegram_message_id, reply_to_id, reply_to_telegram_id, metadata;
};

// What became of a message: its id, or that of the first where it was delivered before.
struct FiledMessage {
    pg_uuid_t id;
    bool is_new;
};

// File a message; one whose Telegram id the user has already is not stored again. A new one
// by the user sets users.last_user_message_at. Error 22023 for a Telegram id below 1 or metadata
// that is no object or too large, 23503 for a conversation, or a message replied to, that is not
// the user's, 09000 for one that a trigger keeps from being stored. Call within with_spi().
FiledMessage file_message(const NewMessage &message);

// The same for many that the companion has sent. A text that is too long is cut, and metadata says
// how long it was.
class SentMessages {
  public:
    SentMessages();

    void add(Datum user_id, Datum id, Datum conversation_id, Datum content,
             NullableDatum telegram_message_id);

    int size() const { return messages_.size(); }

    // One result for each, in the order in which they were added. One that is not new has
    // another id than was given.
    FiledMessage *file() const;

  private:
    bool is_at(uint64 row, int index) const;
    pg_uuid_t id_of_first(int index) const;

    Given messages_;
    bool has_ids_ = false; // of Telegram's
};

// Refuse a text that is empty or longer than companion.max_message_length. Error 22023.
void check_content(std::string_view content);

} // namespace companion
