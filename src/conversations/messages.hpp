// Filing messages: the one way by which they get into their conversations.
#pragma once

#include "postgres/array_builder.hpp"

#include <string_view>

namespace companion {

// What became of a message: its id, or that of the first where it was delivered before.
struct FiledMessage {
    pg_uuid_t id;
    bool is_new;
};

// Messages to be filed, all of one role.
class NewMessages {
  public:
    explicit NewMessages(Datum role) : role_(role) {}

    void add(Datum user_id, Datum id, Datum conversation_id, Datum content,
             NullableDatum telegram_message_id);

    int size() const { return user_ids_.size(); }

    // What every one of them replies to, one way or the other, and its metadata.
    NullableDatum reply_to_id{0, true}, reply_to_telegram_id{0, true}, metadata{0, true};

    // File them; one whose Telegram id the user has already is not stored again. One result
    // for each. Error 23503 for a conversation, or a message replied to, that is not the
    // user's. Call within with_spi().
    FiledMessage *file() const;

  private:
    uint64 insert() const;
    void find_first(FiledMessage *filed) const;

    Datum role_;
    ArrayBuilder user_ids_{UUIDOID}, ids_{UUIDOID}, conversation_ids_{UUIDOID}, contents_{TEXTOID},
        telegram_message_ids_{INT8OID};
};

// Record that a user has written just now. Call within with_spi().
void note_user_message(Datum user_id);

// Refuse a text that is empty or longer than companion.max_message_length. Error 22023.
void check_content(std::string_view content);

} // namespace companion
