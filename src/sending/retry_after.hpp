// How long a messenger asks to wait, as an interval or as the seconds of its Retry-After.
#pragma once

#include "postgres/arguments.hpp"
#include "postgres/interval_length.hpp"

#include <optional>

namespace companion {

constexpr int64 longest_wait = 30 * USECS_PER_DAY;

// Microseconds. Error 22023 unless they are zero to 30 days.
inline int64 wait_of_seconds(double seconds)
{
    if (!(seconds >= 0 && seconds <= longest_wait / USECS_PER_SEC))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("retry_after_seconds is %g, expected zero to 30 days", seconds));
    return static_cast<int64>(seconds * USECS_PER_SEC);
}

// Microseconds, or nothing where both arguments are null. Error 22023 for both, and unless they
// are zero to 30 days.
inline std::optional<int64> read_retry_after(const Arguments &arguments, int interval, int seconds)
{
    if (!arguments.is_null(interval) && !arguments.is_null(seconds))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("retry_after and retry_after_seconds are both given, expected one"));
    if (!arguments.is_null(seconds))
        return wait_of_seconds(DatumGetFloat8(arguments.optional(seconds)));
    if (!arguments.is_null(interval))
        return interval_between(arguments.optional(interval), "retry_after", 0, longest_wait,
                                "zero to 30 days");
    return {};
}

} // namespace companion
