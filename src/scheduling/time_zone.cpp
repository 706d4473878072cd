// The server's time zones, as local_time.hpp takes them.
#include "scheduling/time_zone.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"

#include <algorithm>
#include <unistd.h>

// The server's own, which it declares in no header that it installs: opens the zone file of a name,
// in any case, or returns -1.
extern "C" int pg_open_tzfile(const char *name, char *canonname);

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

static bool has_digit(std::string_view name)
{
    return name.find_first_of("0123456789") != name.npos;
}

// Whether the server has taken a name as a POSIX specification, such as EST5: all of them have a
// number, and the server gives them back in upper case.
static bool looks_like_posix(std::string_view name)
{
    return has_digit(name) && std::none_of(name.begin(), name.end(),
                                           [](unsigned char letter) { return islower(letter); });
}

// The names with a number of the server's zone files that have been asked for. There are few, so
// each is looked for once a session; to list them all would be to read every file.
class NumberedZones {
  public:
    bool has(std::string_view name)
    {
        return std::any_of(names_, names_ + count_,
                           [name](const char *other) { return is_same(other, name); }) ||
               find(name);
    }

  private:
    static bool is_same(const char *other, std::string_view name)
    {
        return strlen(other) == name.size() && pg_strncasecmp(other, name.data(), name.size()) == 0;
    }

    // Whether there is such a file; then its name is kept.
    bool find(std::string_view name)
    {
        char canonical[TZ_STRLEN_MAX + 1];
        const int file = pg_open_tzfile(pnstrdup(name.data(), name.size()), canonical);
        if (file < 0)
            return false;
        close(file);
        add(canonical);
        return true;
    }

    void add(const char *name)
    {
        if (count_ < most)
            names_[count_++] = MemoryContextStrdup(TopMemoryContext, name);
    }

    static constexpr int most = 64;
    const char *names_[most];
    int count_;
};

static NumberedZones numbered_zones;

// Etc/GMT+5 and its like, which many use, and of which there are few.
static bool is_whole_hour(std::string_view name)
{
    constexpr std::string_view prefix = "Etc/GMT";
    const auto is_hour = [](std::string_view text) {
        return text.size() >= 2 && text.size() <= 3 && (text[0] == '+' || text[0] == '-') &&
               text.find_first_not_of("0123456789", 1) == text.npos;
    };
    return name.starts_with(prefix) && is_hour(name.substr(prefix.size()));
}

// Whether the server would take a name as a POSIX specification, and keep it in memory.
static bool is_posix(std::string_view name)
{
    return has_digit(name) && !is_whole_hour(name) && !numbered_zones.has(name);
}

// Names that mean whatever this machine is set to, or that hide another's name.
static bool is_alias_of_machine(std::string_view name)
{
    return name == "localtime" || name == "posixrules" || name == "Factory" ||
           name.starts_with("posix/") || name.starts_with("right/");
}

pg_tz *find_zone(std::string_view name)
{
    if (name.empty() || name.size() > TZ_STRLEN_MAX || is_posix(name))
        return nullptr;
    pg_tz *zone = pg_tzset(pnstrdup(name.data(), name.size()));
    if (zone == nullptr || !pg_tz_acceptable(zone))
        return nullptr;
    const char *canonical = pg_get_timezone_name(zone);
    if (is_alias_of_machine(canonical) ||
        (looks_like_posix(canonical) && !numbered_zones.has(canonical)))
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

// Two days away from a timestamp's limits, every zone's instant is within them.
void require_date(DateADT date)
{
    if (date < DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE + 2 ||
        date >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE - 2)
        ereport(ERROR, errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                errmsg("local date is out of range"));
}

} // namespace companion

using namespace companion;

COMPANION_FUNCTION(canonical_timezone)
{
    ServerZone zone = require_zone(Arguments(fcinfo).text(0, "timezone"));
    PG_RETURN_DATUM(to_text(zone.name()));
}

// The zone is asked for also where the time is infinite, which no clock reads.
COMPANION_FUNCTION(local_timestamp)
{
    Arguments arguments(fcinfo);
    const ServerZone zone = require_zone(arguments.text(0, "timezone"));
    TimestampTz at = DatumGetTimestampTz(arguments.required(1, "at"));
    if (TIMESTAMP_NOT_FINITE(at))
        PG_RETURN_NULL();
    at += zone.period_at(to_instant(at)).offset;
    if (!IS_VALID_TIMESTAMP(at))
        ereport(ERROR, errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                errmsg("timestamp out of range"));
    PG_RETURN_TIMESTAMP(at);
}

COMPANION_FUNCTION(checkin_instant)
{
    Arguments arguments(fcinfo);
    ServerZone zone = require_zone(arguments.text(0, "timezone"));
    DateADT date = DatumGetDateADT(arguments.required(1, "local_date"));
    require_date(date);
    TimeADT time_of_day = DatumGetTimeADT(arguments.required(2, "local_time"));
    std::optional<std::int64_t> instant = instant_of(zone, date + epoch_days, time_of_day);
    if (!instant)
        PG_RETURN_NULL();
    PG_RETURN_TIMESTAMPTZ(from_instant(*instant));
}
