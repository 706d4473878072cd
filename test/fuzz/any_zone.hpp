// Any zone, and what else the fuzz targets that reckon with time have in common.
#pragma once

#include "scheduling/local_time.hpp"

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <vector>

using namespace companion;

namespace {

constexpr std::int64_t furthest_east = 16 * hour;

// Times of the same grain: on a coarse one, they often coincide.
class Times {
  public:
    explicit Times(FuzzedDataProvider &data)
        : data_(data), grain_(data.PickValueInArray<std::int64_t>({1, second, hour / 4}))
    {
    }

    std::int64_t between(std::int64_t least, std::int64_t most)
    {
        return data_.ConsumeIntegralInRange(least / grain_, most / grain_) * grain_;
    }

  private:
    FuzzedDataProvider &data_;
    std::int64_t grain_;
};

// A zone of up to 16 changes of its offset, each up to three days after the last.
class AnyZone {
  public:
    AnyZone(Times times, int changes, std::int64_t from)
    {
        std::int64_t end = from;
        for (; changes > 0; changes--) {
            end += times.between(hour / 4, 3 * day);
            periods_.push_back({end, any_offset(times)});
        }
        periods_.push_back({no_end, any_offset(times)});
    }

    Period period_at(std::int64_t instant) const
    {
        return *std::ranges::find_if(periods_, [&](Period p) { return instant < p.end; });
    }

    // Whether the clock jumps from the date's midnight or before to the next one or after.
    bool leaves_out(std::int64_t date) const
    {
        for (std::size_t next = 1; next < periods_.size(); next++) {
            const std::int64_t jump = periods_[next - 1].end;
            if (jump + periods_[next - 1].offset <= date * day &&
                jump + periods_[next].offset >= (date + 1) * day)
                return true;
        }
        return false;
    }

  private:
    static std::int64_t any_offset(Times &times)
    {
        return times.between(-furthest_east, furthest_east);
    }

    std::vector<Period> periods_;
};

void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

} // namespace
