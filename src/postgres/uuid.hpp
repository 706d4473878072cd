// Comparing ids.
#pragma once

#include "postgres/server.hpp"

namespace companion {

inline bool is_same_uuid(const pg_uuid_t &a, const pg_uuid_t &b)
{
    return memcmp(&a, &b, sizeof(pg_uuid_t)) == 0;
}

inline bool is_same_uuid(Datum a, Datum b)
{
    return is_same_uuid(*DatumGetUUIDP(a), *DatumGetUUIDP(b));
}

} // namespace companion
