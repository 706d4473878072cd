// Quiet hours: a window of the wall clock, on every local day.
//
// The window is [from, until): the times of day from the one up to the other, without it. From a
// later to an earlier one it passes midnight; from one to the same there is no window. It is quiet
// at an instant just when a clock in the zone shows a time in the window then. So where clocks are
// changed:
//
// - What the clock shows twice is quiet both times. Of [22:00, 02:30) on the night in which 03:00
//   becomes 02:00: until 02:30, not for half an hour, and again for the half hour that comes again.
// - What the clock jumps over is never shown; it counts what the clock shows at the instant of the
//   jump. Where that is in the window, it is quiet from then on, or still; where it is not, what
//   was quiet before the jump ends with it, whether the jump leads to the window's end or beyond. A
//   window that is jumped over whole is left out.
// - A date that the zone leaves out is such a jump. From 23:59 to 00:00 two dates on, what is quiet
//   by [22:00, 07:00) goes on until 07:00.
//
// Quiet time is a stretch of instants that are quiet, as long as can be. Its end is the first
// instant after it, which is not quiet. A window is never all of a day, so there is one.
#pragma once

#include "scheduling/local_time.hpp"

namespace companion {

class QuietHours {
  public:
    // Times of day in microseconds, from 0 to a day, exclusive.
    constexpr QuietHours(std::int64_t from, std::int64_t until)
        : from_(from), length_(until < from ? until - from + day : until - from)
    {
    }

    // For how long a clock that shows this reading, and is not changed, goes on to show readings in
    // the window; zero if this one is not.
    constexpr std::int64_t left_at(std::int64_t reading) const
    {
        return std::max(length_ - since_from(reading), std::int64_t{0});
    }

    // Whether it is quiet. Looks the zone up once.
    template <TimeZone Zone>
    bool include(const Zone &zone, std::int64_t instant) const
    {
        return left_at(instant + zone.period_at(instant).offset) > 0;
    }

    // When the quiet time ends that an instant lies in; nothing where it is not quiet. Looks the
    // zone up once, and once more for each change of its clocks up to that end.
    template <TimeZone Zone>
    std::optional<std::int64_t> end(const Zone &zone, std::int64_t instant) const
    {
        std::int64_t begin = instant;
        for (;;) {
            const Period period = zone.period_at(begin);
            const std::int64_t left = left_at(begin + period.offset);
            if (begin + left < period.end)
                return begin + left == instant ? std::nullopt : std::optional(begin + left);
            begin = period.end;
        }
    }

    // When the next quiet time begins after an instant that is not quiet; nothing where none does.
    // Looks the zone up as often.
    template <TimeZone Zone>
    std::optional<std::int64_t> begin(const Zone &zone, std::int64_t instant) const
    {
        for (std::int64_t begin = instant; length_ > 0;) {
            const Period period = zone.period_at(begin);
            const std::int64_t reading = begin + period.offset;
            if (left_at(reading) > 0)
                return begin; // what it has jumped to
            const std::int64_t to_from = day - since_from(reading);
            if (to_from < period.end - begin)
                return begin + to_from;
            begin = period.end;
        }
        return std::nullopt;
    }

  private:
    // How long ago a clock that shows this reading, and was not changed, has shown from.
    constexpr std::int64_t since_from(std::int64_t reading) const
    {
        return reading - from_ - floor_date(reading - from_) * day;
    }

    std::int64_t from_, length_;
};

} // namespace companion
