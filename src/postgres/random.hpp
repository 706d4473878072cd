// Random bytes that nobody can guess.
#pragma once

#include "postgres/server.hpp"

namespace companion {

inline void fill_with_random(unsigned char *bytes, std::size_t size)
{
    if (!pg_strong_random(bytes, size))
        // Unreached: the system has always random bytes to give
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random bytes"));
}

} // namespace companion
