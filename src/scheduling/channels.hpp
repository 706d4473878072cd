// The channels that a message can go out on, as bits of a set.
#pragma once

#include "postgres/arguments.hpp"

namespace companion {

inline constexpr unsigned every_channel = 0b111;

// One channel's bit. Error 22023 for a name that is none.
inline unsigned channel_bit(std::string_view name)
{
    if (name == "telegram")
        return 0b001;
    if (name == "whatsapp")
        return 0b010;
    if (name == "web")
        return 0b100;
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("unknown channel \"%s\"", excerpt(name)),
            errhint("A channel is telegram, whatsapp or web."));
    pg_unreachable();
}

} // namespace companion
