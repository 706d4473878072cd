// An interval as a plain length of time.
#pragma once

#include "postgres/server.hpp"

#include <algorithm>

namespace companion {

// Microseconds, with a day of 24 hours and a month of 30 days; a length beyond what
// 64 bits hold is cut to the furthest they do.
inline int64 interval_length(Datum value)
{
    const Interval *interval = DatumGetIntervalP(value);
    const auto length = static_cast<__int128>(interval->month) * 30 * USECS_PER_DAY +
                        static_cast<__int128>(interval->day) * USECS_PER_DAY + interval->time;
    return static_cast<int64>(std::clamp<__int128>(length, PG_INT64_MIN, PG_INT64_MAX));
}

// Refuse an interval that is not within [least, most] microseconds. Error 22023.
inline int64 interval_between(Datum value, const char *name, int64 least, int64 most,
                              const char *expected)
{
    const int64 length = interval_length(value);
    if (length < least || length > most)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s is %s, expected %s", name,
                       DatumGetCString(DirectFunctionCall1(interval_out, value)), expected));
    return length;
}

} // namespace companion
