// How long finished messages are kept.
#pragma once

#include "postgres/settings.hpp"

namespace companion {

// Messages that were finished since this time are kept: companion.retention, and whatever that
// is, two days more than the longest send_within of a check-in, since what is gone could be
// enqueued again.
inline TimestampTz kept_since()
{
    const int kept = Max(settings::retention, settings::longest_catch_up + 2 * SECS_PER_DAY);
    return now() - static_cast<int64>(kept) * USECS_PER_SEC;
}

} // namespace companion
