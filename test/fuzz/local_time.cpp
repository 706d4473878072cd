// Any zone, date and time: what is due is due when the clock first reads the time or a later one,
// or never, on a date that the clock jumps over.
#include "any_zone.hpp"

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
