// Quiet hours in the server's zones.
#include "policy/quiet_hours.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "scheduling/time_zone.hpp"

using namespace companion;

namespace {

// A time of day that a clock shows. Error 22023 for 24:00, which none does.
std::int64_t time_of_day(const Arguments &arguments, int position, const char *name)
{
    const TimeADT time = DatumGetTimeADT(arguments.required(position, name));
    if (time >= USECS_PER_DAY)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s is 24:00, expected less", name), errhint("Midnight is 00:00."));
    return time;
}

// The instant that is asked about. Error 22008 where the end of its quiet time may be too late to
// be counted from 1970.
std::int64_t instant_asked(const Arguments &arguments)
{
    const TimestampTz time = arguments.timestamp(3, "at");
    if (time >= from_instant(no_end) - 7 * day)
        ereport(ERROR, errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                errmsg("argument \"at\" is out of range"));
    return to_instant(time);
}

} // namespace

COMPANION_FUNCTION(quiet_until)
{
    const Arguments arguments(fcinfo);
    const ServerZone zone = require_zone(arguments.text(0, "timezone"));
    const QuietHours hours(time_of_day(arguments, 1, "quiet_from"),
                           time_of_day(arguments, 2, "quiet_until"));
    const std::optional<std::int64_t> end = hours.end(zone, instant_asked(arguments));
    if (!end)
        PG_RETURN_NULL();
    PG_RETURN_TIMESTAMPTZ(from_instant(*end));
}
