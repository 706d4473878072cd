// The periods in which caps count, and when a cap has room again.
//
// A local day lasts from the instant at which the zone's clock first shows its 00:00 (or what comes
// instead where the clock jumps over that) up to that of the next day, so days follow upon each
// other without a gap, also where a clock is set back over midnight. A week begins with its Monday,
// a month with its first; where the zone has left out that date, with the next.
#pragma once

#include "scheduling/local_time.hpp"

namespace companion {

enum class LocalPeriod : char { day, week, month };

// How many days of a stretch of so many have passed at a date, if one began at another.
constexpr std::int64_t days_into(std::int64_t length, std::int64_t date, std::int64_t begin)
{
    return ((date - begin) % length + length) % length;
}

// The day of a date's month, from 1, in the Gregorian calendar. Years are counted from March on, so
// that a leap day is the last of its year: http://howardhinnant.github.io/date_algorithms.html
// (civil_from_days). 400 years have 146097 days, and one of these stretches begins at 2000-03-01.
constexpr std::int64_t day_of_month(std::int64_t date)
{
    const std::int64_t of_era = days_into(146097, date, 11017);
    const std::int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const std::int64_t month = (5 * of_year + 2) / 153;
    return of_year - (153 * month + 2) / 5 + 1;
}

// The first date of the period that a date lies in; dates are days since 1970-01-01, a Thursday.
constexpr std::int64_t first_date(LocalPeriod period, std::int64_t date)
{
    if (period == LocalPeriod::week)
        return date - days_into(7, date, 4);
    if (period == LocalPeriod::month)
        return date - (day_of_month(date) - 1);
    return date;
}

// The same of the next period. No month has more than 31 days, and two of them more than 32.
constexpr std::int64_t next_first_date(LocalPeriod period, std::int64_t date)
{
    const std::int64_t first = first_date(period, date);
    if (period == LocalPeriod::month)
        return first_date(period, first + 31);
    return first + (period == LocalPeriod::week ? 7 : 1);
}

// When the date begins, or the next that the zone has.
template <TimeZone Zone>
std::int64_t begin_of(const Zone &zone, std::int64_t date)
{
    for (;; date++)
        if (const std::optional<std::int64_t> instant = instant_of(zone, date, 0))
            return *instant;
}

// What a cap counts: the starts from one instant up to another, without it.
struct CapWindow {
    std::int64_t since, until;
    std::int64_t length; // of a rolling one; else zero

    // Until when there is no room, where that many of the starts, which are in ascending order, are
    // all that there may be; nothing where there is room. No start is made until then.
    std::optional<std::int64_t> full_until(int most, const std::int64_t *starts, int count) const
    {
        const std::int64_t *first = std::lower_bound(starts, starts + count, since);
        const std::int64_t *last = std::lower_bound(first, starts + count, until);
        if (last - first < most)
            return std::nullopt;
        return length == 0 ? until : last[-most] + length;
    }
};

// The local period that an instant lies in.
template <TimeZone Zone>
CapWindow local_window(const Zone &zone, LocalPeriod period, std::int64_t instant)
{
    const std::int64_t date = floor_date(furthest_reading(zone, instant));
    return {begin_of(zone, first_date(period, date)), begin_of(zone, next_first_date(period, date)),
            0};
}

// The length of time that ends with an instant: a start has left it when it is that long ago. What
// another's clock has started a little later is in it.
constexpr CapWindow rolling_window(std::int64_t length, std::int64_t instant)
{
    return {instant - length + 1, no_end, length};
}

} // namespace companion
