// The server's time zones, as local_time.hpp takes them.
#include "scheduling/time_zone.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"

#include <algorithm>

namespace companion {

// The second that an instant lies in, also before 1970.
static pg_time_t floor_second(std::int64_t instant)
{
    return instant / second - (instant % second < 0);
}

Period ServerZone::period_at(std::int64_t instant) const
{
    pg_time_t at = floor_second(instant);
    pg_time_t boundary;
    long before, after;
    int before_is_dst, after_is_dst;
    int found =
        pg_next_dst_boundary(&at, &before, &before_is_dst, &boundary, &after, &after_is_dst, zone_);
    if (found < 0)
        // Unreached: the server's own code calls this case impossible
        ereport(ERROR, errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                errmsg("time zone \"%s\" has no offset at this time", name()));
    return {found > 0 ? boundary * second : no_end, before * second};
}

// Whether a zone's name could be a POSIX specification, such as EST5: all of them have
// a number, and the server gives them back in upper case.
static bool looks_like_posix(std::string_view name)
{
    return name.find_first_of("0123456789") != name.npos &&
           std::none_of(name.begin(), name.end(),
                        [](unsigned char letter) { return islower(letter); });
}

// Whether the server's zone files hold the zone's name. That reads them all, so the
// zones found are remembered.
static bool is_listed(pg_tz *zone)
{
    static pg_tz *found[64];
    static int count;
    if (std::find(found, found + count, zone) != found + count)
        return true;
    bool listed = false;
    pg_tzenum *zones = pg_tzenumerate_start();
    while (pg_tz *next = pg_tzenumerate_next(zones))
        listed = listed || strcmp(pg_get_timezone_name(next), pg_get_timezone_name(zone)) == 0;
    pg_tzenumerate_end(zones);
    if (listed && count < static_cast<int>(std::size(found)))
        found[count++] = zone;
    return listed;
}

// Names that mean whatever this machine is set to, or that hide another's name.
static bool is_alias_of_machine(std::string_view name)
{
    return name == "localtime" || name == "posixrules" || name == "Factory" ||
           name.starts_with("posix/") || name.starts_with("right/");
}

pg_tz *find_zone(std::string_view name)
{
    if (name.empty() || name.size() > TZ_STRLEN_MAX)
        return nullptr;
    pg_tz *zone = pg_tzset(pnstrdup(name.data(), name.size()));
    if (zone == nullptr || !pg_tz_acceptable(zone))
        return nullptr;
    const char *canonical = pg_get_timezone_name(zone);
    if (is_alias_of_machine(canonical) || (looks_like_posix(canonical) && !is_listed(zone)))
        return nullptr;
    return zone;
}

ServerZone require_zone(std::string_view name)
{
    pg_tz *zone = find_zone(name);
    if (zone == nullptr)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("time zone \"%s\" is not known", excerpt(name)),
                errhint("Use an IANA name such as Europe/Berlin; pg_timezone_names lists them."));
    return ServerZone(zone);
}

} // namespace companion

using namespace companion;

COMPANION_FUNCTION(canonical_timezone)
{
    ServerZone zone = require_zone(Arguments(fcinfo).text(0, "timezone"));
    PG_RETURN_DATUM(to_text(zone.name()));
}

COMPANION_FUNCTION(checkin_instant)
{
    Arguments arguments(fcinfo);
    ServerZone zone = require_zone(arguments.text(0, "timezone"));
    DateADT date = DatumGetDateADT(arguments.required(1, "local_date"));
    // Two days away from a timestamp's limits, every zone's instant is within them.
    if (date < DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE + 2 ||
        date >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE - 2)
        ereport(ERROR, errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                errmsg("local date is out of range"));
    TimeADT time_of_day = DatumGetTimeADT(arguments.required(2, "local_time"));
    std::optional<std::int64_t> instant = instant_of(zone, date + epoch_days, time_of_day);
    if (!instant)
        PG_RETURN_NULL();
    PG_RETURN_TIMESTAMPTZ(from_instant(*instant));
}
