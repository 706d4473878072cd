// What becomes of a message in its user's quiet hours, by its kind.
#pragma once

#include "policy/kind.hpp"

namespace companion {

// When it may go, DT_NOEND where it is skipped; and why not at once, null where it may.
struct QuietVerdict {
    TimestampTz goes_at;
    const char *reason;
};

// Of a message that would go at a time at which it is quiet until an end.
QuietVerdict judge_in_quiet_hours(Otherwise quiet, TimestampTz at, TimestampTz end,
                                  TimestampTz send_before);

} // namespace companion
