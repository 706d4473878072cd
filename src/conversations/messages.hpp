// Filing messages: the one way by which they get into their conversations.
#pragma once

#include "conversations/chat.hpp"
#include "postgres/given.hpp"

#include <string_view>

namespace companion {

struct NewMessage {
    Datum user_id, conversation_id, role, content;
    MessengerId messenger_id;
    NullableDatum reply_to_id;
    MessengerId reply_to;
    Chat chat; // in which the messenger's ids are; where none is given it is not looked at
    NullableDatum metadata;
};

// What became of a message: its id, or that of the first where it was delivered before.
struct FiledMessage {
    pg_uuid_t id;
    bool is_new;
};

// A message that was delivered before.
struct Delivered {
    pg_uuid_t id, conversation_id;
};

// Refuse what a message cannot have: metadata that is no object or too large, and ids as
// check_messenger_id() does. Error 22023.
void check_message(const NewMessage &message);

// Whether a message with a messenger's id was delivered before: there is one with the same chat, id
// and role whose text is the same, or was before it was edited. Call these within with_spi(), and
// this with the row of the user locked.
bool find_delivered(const NewMessage &message, Delivered *first);

// Store a message that was not delivered before, under a new id; an edit that has come before it is
// applied. One by the user sets users.last_user_message_at. The reply is to the newest message with
// its id in the chat, or to none. Error 23503 for a conversation, or a message replied to, that is
// not the user's, 09000 for one that a trigger keeps from being stored.
pg_uuid_t store_message(const NewMessage &message);

// Both, and before them, where the message has a messenger's id, lock the row of its user. Error
// 23503 for an unknown one.
FiledMessage file_message(const NewMessage &message);

// A message that the companion has sent, and its messenger's id.
struct SentMessage {
    Datum user_id, id, conversation_id, content;
    MessengerId messenger_id;
    Chat chat; // as in NewMessage
    NullableDatum metadata;
};

// Store many that the companion has sent, whatever messages have their ids. A text that is too long
// is cut, and metadata says how long it was. Error 09000.
class SentMessages {
  public:
    SentMessages();

    void add(const SentMessage &message);
    void file() const;

  private:
    Given without_ids_, with_ids_; // of messengers
};

// Refuse a text that is empty or longer than companion.max_message_length. Error 22023.
void check_content(std::string_view content);

} // namespace companion
