// Any zone, date and time: what is due is due when the clock first reads the time or a later one,
// or never, on a date that the clock jumps over.
#include "scheduling/local_time.hpp"

#include <fuzzer/FuzzedDataProvider.h>

#include <vector>

using namespace companion;

namespace {

constexpr std::int64_t furthest_east = 16 * hour;

// A zone of up to 16 changes of its offset, each up to three days after the last.
class AnyZone {
  public:
    AnyZone(FuzzedDataProvider &data, std::int64_t from)
    {
        std::int64_t end = from;
        for (int changes = data.ConsumeIntegralInRange(0, 16); changes > 0; changes--) {
            end += data.ConsumeIntegralInRange<std::int64_t>(1, 3 * day);
            periods_.push_back({end, any_offset(data)});
        }
        periods_.push_back({no_end, any_offset(data)});
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
    static std::int64_t any_offset(FuzzedDataProvider &data)
    {
        return data.ConsumeIntegralInRange(-furthest_east, furthest_east);
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
    const auto time_of_day = data.ConsumeIntegralInRange<std::int64_t>(0, day - 1);
    const AnyZone zone(data, (date - 8) * day);

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
