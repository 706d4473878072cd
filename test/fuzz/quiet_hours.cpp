// Any zone, quiet hours and instant: it is quiet from the instant up to the end, and not at the
// end.
#include "policy/quiet_hours.hpp"

#include "any_zone.hpp"

namespace {

// Whether a clock in the zone shows a time in the window.
bool is_quiet(const AnyZone &zone, std::int64_t from, std::int64_t until, std::int64_t instant)
{
    const std::int64_t reading = instant + zone.period_at(instant).offset;
    const std::int64_t time = (reading % day + day) % day;
    return from <= until ? from <= time && time < until : time >= from || time < until;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size)
{
    FuzzedDataProvider data(bytes, size);
    const auto date = data.ConsumeIntegralInRange<std::int64_t>(-2'000'000, 100'000'000);
    const auto changes = data.ConsumeIntegralInRange(0, 16);
    Times times(data);
    const std::int64_t from = times.between(0, day - 1), until = times.between(0, day - 1);
    const std::int64_t instant = date * day + times.between(0, day);
    const AnyZone zone(times, changes, (date - 2) * day);

    const QuietHours hours(from, until);
    const std::optional<std::int64_t> end = hours.end(zone, instant);
    require(hours.include(zone, instant) == end.has_value());
    require(is_quiet(zone, from, until, instant) == end.has_value());
    if (!end)
        return 0;
    require(instant < *end && !is_quiet(zone, from, until, *end));
    // In each period until then: its first instant, its last, and any between.
    for (std::int64_t at = instant; at < *end; at = zone.period_at(at).end) {
        const std::int64_t last = std::min(zone.period_at(at).end, *end) - 1;
        for (const std::int64_t some : {at, data.ConsumeIntegralInRange(at, last), last})
            require(is_quiet(zone, from, until, some));
    }
    return 0;
}
