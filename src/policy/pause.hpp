// Pauses of check-ins, and of what else respects them.
#pragma once

#include "policy/kind.hpp"

namespace companion {

// Why a message of a kind does not go at a time, by users.checkin_paused_until; null where it does.
inline const char *paused_reason(std::string_view kind, NullableDatum paused_until, TimestampTz at)
{
    if (paused_until.isnull || DatumGetTimestampTz(paused_until.value) <= at ||
        !respects_pause(kind))
        return nullptr;
    return psprintf("check-ins are paused until %s",
                    timestamptz_to_str(DatumGetTimestampTz(paused_until.value)));
}

} // namespace companion
