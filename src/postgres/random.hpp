// Random bytes that nobody can guess.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// Take random bytes, at most 1024, of a supply: to ask the server's strong generator each
// time would cost more than what they are needed for. Those taken are erased from it.
inline void take_random(unsigned char *bytes, std::size_t size)
{
    static unsigned char supply[1024];
    static std::size_t left = 0;
    if (left < size) {
        left = 0;
        if (!pg_strong_random(supply, sizeof supply))
            // Unreached: the system has always random bytes to give
            ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR),
                    errmsg("could not generate random bytes"));
        left = sizeof supply;
    }
    left -= size;
    memcpy(bytes, supply + left, size);
    explicit_bzero(supply + left, size);
}

} // namespace companion
