// A user's address on a channel.
#pragma once

#include "postgres/server.hpp"

#include <string_view>

namespace companion {

// What a user has of addresses: the id (uuid), Telegram's user id (bigint), the number (text).
struct UserAddresses {
    Datum id;
    NullableDatum telegram_user_id, whatsapp_number;
};

// The address on a channel as text; null when there is none, or no such channel.
NullableDatum channel_address(const UserAddresses &user, std::string_view channel);

} // namespace companion
