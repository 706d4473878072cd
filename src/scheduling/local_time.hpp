// Wall clocks and instants, as pure functions of a zone's transitions.
//
// A wall reading is microseconds since 1970-01-01 00:00 on the zone's own clock,
// an instant is microseconds since 1970-01-01 00:00 UTC. The rules for readings
// that exist twice or never are those of companion.checkin_instant.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>

namespace companion {

inline constexpr std::int64_t second = 1'000'000;
inline constexpr std::int64_t hour = 3600 * second;
inline constexpr std::int64_t day = 24 * hour;

// A stretch of time in which a zone keeps one offset: until its end (exclusive).
struct Period {
    std::int64_t end;    // instant; no_end when the zone never changes again
    std::int64_t offset; // microseconds east of UTC
};

inline constexpr std::int64_t no_end = std::numeric_limits<std::int64_t>::max();

// A zone tells the period that an instant lies in.
template <class Zone>
concept TimeZone = requires(const Zone &zone, std::int64_t instant)
{
    {
        zone.period_at(instant)
        } -> std::same_as<Period>;
};

// The date that a wall reading lies on, in days since 1970-01-01.
constexpr std::int64_t floor_date(std::int64_t reading)
{
    return reading / day - (reading % day < 0);
}

// Further than any offset from UTC, and half as far as any jump of a clock.
inline constexpr std::int64_t furthest_offset = 26 * hour;

// When a clock in this zone first reads the time of day on the date (days since
// 1970-01-01). A reading that the clock jumps over is due at the jump; on a date
// that the zone has left out altogether it is never due.
template <TimeZone Zone>
std::optional<std::int64_t> instant_of(const Zone &zone, std::int64_t date,
                                       std::int64_t time_of_day)
{
    const std::int64_t midnight = date * day;
    const std::int64_t reading = midnight + time_of_day;
    std::int64_t begin = reading - furthest_offset;
    std::int64_t read_before = begin; // what the clock read when the period began
    for (;;) {
        const Period period = zone.period_at(begin);
        if (period.end == no_end || reading < period.end + period.offset) {
            const std::int64_t instant = reading - period.offset;
            if (instant >= begin)
                return instant;
            const std::int64_t read_after = begin + period.offset;
            const bool date_is_missing = read_before <= midnight && midnight + day <= read_after;
            return date_is_missing ? std::nullopt : std::optional(begin);
        }
        read_before = period.end + period.offset;
        begin = period.end;
    }
}

// The furthest that a clock in this zone has ever read by an instant, inclusive.
// A time of day is due within (a, b] just when its reading lies within
// (furthest_reading(a), furthest_reading(b)]: a jump forward takes in what it
// skips, and a clock that was set back adds nothing until it has caught up.
template <TimeZone Zone>
std::int64_t furthest_reading(const Zone &zone, std::int64_t instant)
{
    std::int64_t begin = instant - 2 * furthest_offset;
    std::int64_t furthest = std::numeric_limits<std::int64_t>::min();
    for (;;) {
        const Period period = zone.period_at(begin);
        const std::int64_t last = std::min(instant, period.end - 1);
        furthest = std::max(furthest, last + period.offset);
        if (last == instant)
            return furthest;
        begin = period.end;
    }
}

// What a clock in this zone comes to read for the first time within (from, to]: dates, and of
// each a stretch of times of day, both ends inclusive. There is none where the last date is
// before the first, or its last time before the first.
template <TimeZone Zone>
class NewReadings {
  public:
    NewReadings(const Zone &zone, std::int64_t from, std::int64_t to)
        : first_(furthest_reading(zone, from) + 1), last_(furthest_reading(zone, to)), zone_(zone),
          from_(from)
    {
    }

    // Leave out the first of those that it comes to read at its first instant, so many at most.
    // Returns whether one of them is left.
    bool skip(std::int64_t readings)
    {
        const std::int64_t next = furthest_reading(zone_, from_ + 1) + 1;
        first_ = std::min(first_ + readings, next);
        return first_ < next;
    }

    std::int64_t first_date() const { return floor_date(first_); }
    std::int64_t last_date() const { return floor_date(last_); }

    std::int64_t first_time(std::int64_t date) const
    {
        return std::max(first_ - date * day, std::int64_t{0});
    }
    std::int64_t last_time(std::int64_t date) const
    {
        return std::min(last_ - date * day, day - 1);
    }

  private:
    std::int64_t first_, last_;
    const Zone &zone_;
    std::int64_t from_;
};

} // namespace companion
