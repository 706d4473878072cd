// How long a worker may hold a message.
#pragma once

#include "postgres/interval_length.hpp"

namespace companion {

// The end of a lease taken at a time. Error 22023 unless it is above zero and at most
// a day.
inline TimestampTz lease_end(TimestampTz at, Datum lease)
{
    return at +
           interval_between(lease, "lease", 1, USECS_PER_DAY, "more than zero and at most a day");
}

} // namespace companion
