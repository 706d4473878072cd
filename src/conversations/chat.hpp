// Chats, and the ids that messengers give to messages in them.
#pragma once

#include "channels/address.hpp"
#include "postgres/lookup.hpp"

namespace companion {

// What a messenger's ids are unique within: a channel, a bot and an address there.
using Chat = Address;

// A messenger's id of a message: Telegram's (bigint), or another's (text); null for none.
struct MessengerId {
    NullableDatum telegram{0, true}, external{0, true};

    bool is_given() const { return !telegram.isnull || !external.isnull; }

    // As text; one must be given.
    Datum to_text() const;
};

// The most characters of another's.
inline constexpr int longest_external_id = 512;

// The arguments that such an id is given by.
struct IdNames {
    const char *telegram, *external;
};
inline constexpr IdNames own_id_names{"telegram_message_id", "external_id"},
    reply_id_names{"reply_to_telegram_id", "reply_to_external_id"};

// Refuse two ids, one of Telegram's below 1, and another's that has not 1 to 512 characters or has
// control characters. Error 22023.
void check_messenger_id(const MessengerId &id, const IdNames &names = own_id_names);

// Refuse an id of Telegram's on another channel, and any other's on Telegram's. Error 22023.
void check_id_of_channel(std::string_view channel, const MessengerId &id,
                         const IdNames &names = own_id_names);

// A user's chat on a channel with a bot: the given address, or where it is null the one that they
// linked last, for the bot or else for none, and '' where they have none. Errors as of
// canonical_address(). Within with_spi(), as all that follows.
Chat chat_with(Datum user_id, std::string_view channel, Datum bot, NullableDatum address);

// Whether the row that a look-up has come to is of a chat, by its columns channel, bot and address.
bool is_in(const Lookup &row, const Chat &chat);

// A user's messages with an id in a chat (uuid[]); null for none.
NullableDatum messages_in_chat(Datum user_id, const Chat &chat, const MessengerId &id);

// The newest of them, to which the id belongs; false where there is none.
bool find_in_chat(Datum user_id, const Chat &chat, const MessengerId &id, pg_uuid_t *message_id);

} // namespace companion
