// Any zone, date and time: what is due is due when the clock first reads the time or a later one,
// or never, on a date that the clock jumps over.
#include "scheduling/local_time.hpp"

#include <fuzzer/FuzzedDataProvider.h>

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

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size)
{
    FuzzedDataProvider data(bytes, size);
    const auto date = data.ConsumeIntegralInRange<std::int64_t>(-2'000'000, 100'000'000);
    const auto changes = data.ConsumeIntegralInRange(0, 16);
    Times times(data);
    const std::int64_t time_of_day = times.between(0, day - 1);
    const AnyZone zone(times, changes, (date - 8) * day);

    const std::optional<std::int64_t> due = instant_of(zone, date, time_of_day);
    const std::int64_t reading = date * day + time_of_day;
    if (!due) {
        require(zone.leaves_out(date));
        return 0;
    }
    require(furthest_reading(zone, *due - 1) < reading);
    require(reading <= *due + zone.period_at(*due).offset);
    return 0;
}
