// Time-ordered ids.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// A new UUID version 7 (RFC 9562, section 5.7) in the current memory context:
// 48 bits of milliseconds, 12 bits of their fraction, 62 random bits. Ids of one
// session always ascend.
pg_uuid_t *uuid_v7();

// One for a given time. Of one session's ids for equal times the later call's is the greater: the
// bits after the time's count calls, and the last 30 are random. Error 22008 for a time that such
// an id does not hold.
pg_uuid_t *uuid_v7(TimestampTz at);

bool is_version_7(const pg_uuid_t *id);

} // namespace companion
