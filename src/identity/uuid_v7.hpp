// Time-ordered ids.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// A new UUID version 7 (RFC 9562, section 5.7) in the current memory context:
// 48 bits of milliseconds, 12 bits of their fraction, 62 random bits. Ids of one
// session always ascend.
pg_uuid_t *uuid_v7();

} // namespace companion
