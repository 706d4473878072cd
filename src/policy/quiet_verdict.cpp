// What becomes of a message in its user's quiet hours, by its kind.
#include "policy/quiet_verdict.hpp"

#include "policy/quiet_hours.hpp"
#include "postgres/arguments.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "scheduling/time_zone.hpp"

namespace companion {

QuietVerdict judge_in_quiet_hours(Otherwise quiet, TimestampTz at, TimestampTz end,
                                  TimestampTz send_before)
{
    if (quiet == Otherwise::ignore)
        return {at, nullptr};
    const char *until = psprintf("quiet hours until %s", timestamptz_to_str(end));
    if (quiet == Otherwise::skip)
        return {DT_NOEND, until};
    if (end >= send_before)
        return {DT_NOEND, psprintf("%s, past its send_before", until)};
    return {end, until};
}

} // namespace companion

using namespace companion;

namespace {

// When the quiet time ends that a time lies in; nothing where it is not quiet, or the zone is not
// known here.
std::optional<std::int64_t> quiet_end(const Arguments &arguments, TimestampTz at)
{
    const bool is_countable = at > DT_NOBEGIN && at < from_instant(no_end) - 7 * day;
    if (arguments.is_null(2) || arguments.is_null(3) || !is_countable)
        return std::nullopt;
    pg_tz *zone = find_zone(arguments.text(1, "timezone"));
    if (zone == nullptr)
        return std::nullopt;
    const QuietHours hours(DatumGetTimeADT(arguments.optional(2)),
                           DatumGetTimeADT(arguments.optional(3)));
    return hours.end(ServerZone(zone), to_instant(at));
}

} // namespace

COMPANION_FUNCTION(after_quiet_hours)
{
    const Arguments arguments(fcinfo);
    if (arguments.is_null(4) || arguments.is_null(5))
        return as_only_row(fcinfo, {{0, true}, {0, true}});
    const TimestampTz at = DatumGetTimestampTz(arguments.optional(4)),
                      send_before = DatumGetTimestampTz(arguments.optional(5));
    const std::optional<std::int64_t> end = quiet_end(arguments, at);
    const QuietVerdict verdict =
        end ? judge_in_quiet_hours(kind_of(arguments.text(0, "kind")).quiet, at, from_instant(*end),
                                   send_before)
            : QuietVerdict{at, nullptr};
    const bool is_at_once = verdict.reason == nullptr;
    return as_only_row(fcinfo,
                       {{TimestampTzGetDatum(verdict.goes_at),
                         static_cast<bool>(TIMESTAMP_NOT_FINITE(verdict.goes_at))},
                        {is_at_once ? Datum{0} : CStringGetTextDatum(verdict.reason), is_at_once}});
}
