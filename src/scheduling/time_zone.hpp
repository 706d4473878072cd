// The server's time zones, as local_time.hpp takes them.
#pragma once

#include "postgres/server.hpp"
#include "scheduling/local_time.hpp"

#include <string_view>

namespace companion {

// One of the server's zones. A handle: cheap to copy, valid for the session.
class ServerZone {
  public:
    explicit ServerZone(pg_tz *zone) : zone_(zone) {}

    Period period_at(std::int64_t instant) const;
    const char *name() const { return pg_get_timezone_name(zone_); }

  private:
    pg_tz *zone_;
};

// The server's zone of an IANA name, in any case, or null. A POSIX specification
// such as EST5 is not a name.
pg_tz *find_zone(std::string_view name);

// The same; error 22023 with a HINT when there is none.
ServerZone require_zone(std::string_view name);

// Refuse a local date of which no instant can be told. Error 22008.
void require_date(DateADT date);

// Between the server's timestamps (from 2000) and local_time.hpp's (from 1970).
inline constexpr std::int64_t epoch_days = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;
inline std::int64_t to_instant(TimestampTz time)
{
    return time + epoch_days * day;
}
inline TimestampTz from_instant(std::int64_t instant)
{
    return instant - epoch_days * day;
}

// The weekday of a date (days since 1970-01-01), 1 (Monday) to 7.
inline int iso_weekday(std::int64_t date)
{
    const int weekday = j2day(static_cast<int>(date) + UNIX_EPOCH_JDATE);
    return weekday == 0 ? 7 : weekday;
}

} // namespace companion
