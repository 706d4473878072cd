// Made-up zones for the tests of what reckons with time.
#pragma once

#include "scheduling/local_time.hpp"

#include <initializer_list>
#include <random>
#include <vector>

// A zone that begins with one offset and changes it at some instants.
class MadeUpZone {
  public:
    explicit MadeUpZone(std::int64_t offset) : periods_{{companion::no_end, offset}} {}
    MadeUpZone(std::int64_t offset,
               std::initializer_list<std::pair<std::int64_t, std::int64_t>> changes)
        : MadeUpZone(offset)
    {
        for (auto [at, to] : changes)
            change(at, to);
    }

    void change(std::int64_t at, std::int64_t offset)
    {
        periods_.back().end = at;
        periods_.push_back({companion::no_end, offset});
    }

    companion::Period period_at(std::int64_t instant) const
    {
        for (const companion::Period &period : periods_)
            if (instant < period.end)
                return period;
        return periods_.back();
    }

    std::int64_t reading_at(std::int64_t instant) const
    {
        return instant + period_at(instant).offset;
    }

  private:
    std::vector<companion::Period> periods_;
};

inline constexpr std::int64_t grain = companion::hour / 4; // of the random zones

class RandomZones {
  public:
    explicit RandomZones(unsigned seed) : engine_(seed) {}

    // A multiple of the grain, both ends inclusive.
    std::int64_t between(std::int64_t least, std::int64_t most)
    {
        return std::uniform_int_distribution(least / grain, most / grain)(engine_) * grain;
    }

    // A zone that changes every now and then within some days, now by an hour, now by a day.
    MadeUpZone zone(std::int64_t from, std::int64_t until)
    {
        constexpr std::int64_t hour = companion::hour;
        MadeUpZone zone(between(-12 * hour, 14 * hour));
        const std::int64_t longest = between(hour, 72 * hour);
        for (std::int64_t when = from; when < until; when += between(grain, longest))
            zone.change(when, between(-12 * hour, 14 * hour));
        return zone;
    }

  private:
    std::mt19937 engine_;
};
