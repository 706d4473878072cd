// The channels that a message can go out on, as bits of a set.
#pragma once

#include "postgres/arguments.hpp"

namespace companion {

inline constexpr unsigned every_channel = 0b111;

// One channel's bit; none for a name that is no channel's.
constexpr unsigned find_channel_bit(std::string_view name)
{
    return name == "telegram" ? 0b001 : name == "whatsapp" ? 0b010 : name == "web" ? 0b100 : 0;
}

// One channel's bit. Error 22023 for a name that is none.
inline unsigned channel_bit(std::string_view name)
{
    if (const unsigned bit = find_channel_bit(name))
        return bit;
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("unknown channel \"%s\"", excerpt(name)),
            errhint("A channel is telegram, whatsapp or web."));
    pg_unreachable();
}

} // namespace companion
