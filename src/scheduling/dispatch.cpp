// Dispatch: one tick walks the zones in use, not the users. For each zone it works
// out which stretches of wall time became due, and asks an index for the users in
// them.
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "scheduling/checkin_rules.hpp"
#include "scheduling/time_zone.hpp"

using namespace companion;

namespace {

// Wait for a tick that is running, and learn how far it came.
Statement lock_state{
    "SELECT previous_tick FROM companion.dispatch_state WHERE only_row FOR UPDATE"};

Statement start_state{"INSERT INTO companion.dispatch_state (previous_tick) VALUES ($1)"
                      " ON CONFLICT DO NOTHING",
                      TIMESTAMPTZOID};

Statement set_state{"INSERT INTO companion.dispatch_state (previous_tick) VALUES ($1)"
                    " ON CONFLICT (only_row) DO UPDATE SET previous_tick = EXCLUDED.previous_tick",
                    TIMESTAMPTZOID};

// Skip from one zone to the next in the index.
Statement find_zones{
    "WITH RECURSIVE zone AS ("
    " (SELECT timezone FROM companion.users"
    "  WHERE checkin_time IS NOT NULL AND onboarding_completed_at IS NOT NULL"
    "  ORDER BY timezone LIMIT 1)"
    " UNION ALL"
    " SELECT next.timezone FROM zone"
    " CROSS JOIN LATERAL (SELECT users.timezone FROM companion.users"
    "                     WHERE users.timezone > zone.timezone"
    "                       AND checkin_time IS NOT NULL AND onboarding_completed_at IS NOT NULL"
    "                     ORDER BY users.timezone LIMIT 1) AS next)"
    "SELECT timezone FROM zone"};

// $1 at, $2 catch_up, $3 min_gap, then the windows. A user who is being deleted is waited
// for and left out.
Statement enqueue_due{
    "WITH enqueued AS ("
    " INSERT INTO companion.scheduled_messages"
    "  (user_id, kind, idempotency_key, local_date, timezone, scheduled_for, send_before,"
    "   channel, status, failure_reason, finished_at)"
    " SELECT due.user_id, 'checkin',"
    "        CASE WHEN nearby.key_is_used THEN due.key || '@' || due.timezone ELSE due.key END,"
    "        due.local_date, due.timezone, due.scheduled_for, due.scheduled_for + $2, due.channel,"
    "        CASE WHEN skip.reason IS NULL THEN 'pending' ELSE 'skipped' END, skip.reason,"
    "        CASE WHEN skip.reason IS NOT NULL THEN companion.now() END"
    " FROM (SELECT u.id AS user_id, w.*, companion.usable_channel(u) AS channel,"
    "              companion.checkin_instant(u.timezone, w.local_date, u.checkin_time)"
    "                  AS scheduled_for,"
    "              greatest(u.onboarding_completed_at, u.checkin_paused_until) AS wanted_from"
    "       FROM unnest($4, $5, $6, $7, $8, $9, $10, $11)"
    "            AS w (timezone, local_date, weekday, first_time, last_time,"
    "                  key, key_from, key_until)"
    "       JOIN companion.users AS u ON u.timezone = w.timezone"
    "            AND u.checkin_time BETWEEN w.first_time AND w.last_time"
    "       WHERE u.checkin_time IS NOT NULL AND u.onboarding_completed_at IS NOT NULL"
    "         AND w.weekday = ANY (u.checkin_days)"
    "       OFFSET 0 FOR KEY SHARE OF u) AS due"
    " CROSS JOIN LATERAL " CHECKINS_NEARBY " AS nearby"
    " CROSS JOIN LATERAL (SELECT CASE"
    "      WHEN due.scheduled_for + $2 < $1"
    "      THEN 'found ' || ($1 - due.scheduled_for) || ' late, beyond companion.catch_up'"
    "      WHEN nearby.is_too_close"
    "      THEN 'within companion.min_gap of another check-in' END AS reason) AS skip"
    " WHERE due.scheduled_for >= due.wanted_from AND NOT nearby.day_is_taken"
    " ON CONFLICT (user_id, idempotency_key) DO NOTHING"
    " RETURNING user_id, id, scheduled_for, send_before, channel, status)"
    "INSERT INTO companion.dispatch_queue (visible_at, send_before, user_id, message_id, channel)"
    "SELECT scheduled_for, send_before, user_id, id, channel FROM enqueued"
    " WHERE status = 'pending'",
    TIMESTAMPTZOID, INTERVALOID, INTERVALOID, TEXTARRAYOID, DATEARRAYOID, INT2ARRAYOID,
    TIMEARRAYOID, TIMEARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID};

Statement find_newly_visible{"SELECT FROM companion.dispatch_queue"
                             " WHERE visible_at > $1 AND visible_at <= $2 LIMIT 1",
                             TIMESTAMPTZOID, TIMESTAMPTZOID};

// What became due: for each zone and local date, a stretch of wall time, both ends
// inclusive, with the date's weekday and the idempotency keys around it.
class Windows {
  public:
    // Add the stretches of one zone for the ticks' interval (from, to].
    void add_zone(Datum name, ServerZone zone, std::int64_t from, std::int64_t to)
    {
        const std::int64_t first = furthest_reading(zone, from) + 1;
        const std::int64_t last = furthest_reading(zone, to);
        for (std::int64_t date = floor_date(first); date <= floor_date(last); date++) {
            CHECK_FOR_INTERRUPTS();
            add(name, date, std::max(first - date * day, std::int64_t{0}),
                std::min(last - date * day, day - 1));
        }
    }

    int size() const { return zones_.size(); }

    uint64 enqueue(TimestampTz at) const
    {
        return enqueue_due.execute(
            {TimestampTzGetDatum(at), PointerGetDatum(seconds_interval(settings::catch_up)),
             PointerGetDatum(seconds_interval(settings::min_gap)), zones_.finish(), dates_.finish(),
             weekdays_.finish(), first_times_.finish(), last_times_.finish(), keys_.finish(),
             keys_from_.finish(), keys_until_.finish()});
    }

  private:
    static std::int64_t floor_date(std::int64_t reading)
    {
        return reading / day - (reading % day < 0);
    }

    static Datum key_of(std::int64_t date)
    {
        int year, month, day_of_month;
        j2date(static_cast<int>(date) + UNIX_EPOCH_JDATE, &year, &month, &day_of_month);
        return CStringGetTextDatum(psprintf("checkin:%04d-%02d-%02d", year, month, day_of_month));
    }

    void add(Datum zone, std::int64_t date, std::int64_t first_time, std::int64_t last_time)
    {
        const int weekday = j2day(static_cast<int>(date) + UNIX_EPOCH_JDATE);
        zones_.add(zone);
        dates_.add(DateADTGetDatum(static_cast<DateADT>(date - epoch_days)));
        weekdays_.add(Int16GetDatum(weekday == 0 ? 7 : weekday));
        first_times_.add(TimeADTGetDatum(first_time));
        last_times_.add(TimeADTGetDatum(last_time));
        keys_.add(key_of(date));
        keys_from_.add(key_of(date - 2));
        keys_until_.add(key_of(date + 3));
    }

    ArrayBuilder zones_{TEXTOID}, dates_{DATEOID}, weekdays_{INT2OID}, first_times_{TIMEOID},
        last_times_{TIMEOID}, keys_{TEXTOID}, keys_from_{TEXTOID}, keys_until_{TEXTOID};
};

// The time of the last tick, locked until the transaction ends.
TimestampTz lock_previous_tick(TimestampTz at)
{
    if (lock_state.execute({}) == 0) {
        start_state.execute({TimestampTzGetDatum(at - USECS_PER_MINUTE)});
        lock_state.execute({});
    }
    return DatumGetTimestampTz(result_field(0, 1));
}

Windows find_windows(TimestampTz from, TimestampTz to)
{
    Windows windows;
    uint64 zones = find_zones.execute({});
    for (uint64 row = 0; row < zones; row++) {
        Datum name = result_field(row, 1);
        if (pg_tz *zone = find_zone(text_view(name)))
            windows.add_zone(name, ServerZone(zone), to_instant(from), to_instant(to));
        else
            ereport(WARNING, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("time zone \"%s\" is not known; its users get no check-ins",
                           TextDatumGetCString(name)));
    }
    return windows;
}

// Cover the interval (previous tick, at]; returns how many messages were enqueued.
int tick(TimestampTz at)
{
    const TimestampTz previous = lock_previous_tick(at);
    if (at <= previous)
        return 0;
    const Windows windows = find_windows(previous, at);
    const uint64 enqueued = windows.size() > 0 ? windows.enqueue(at) : 0;
    set_state.execute({TimestampTzGetDatum(at)});
    if (enqueued > 0 ||
        find_newly_visible.execute({TimestampTzGetDatum(previous), TimestampTzGetDatum(at)}) > 0)
        Async_Notify("companion", "");
    return static_cast<int>(enqueued);
}

} // namespace

COMPANION_FUNCTION(dispatch)
{
    TimestampTz at = Arguments(fcinfo).timestamp(0, "at");
    PG_RETURN_INT32(with_spi([at] { return tick(at); }));
}

COMPANION_FUNCTION(rewind_dispatch)
{
    TimestampTz to_at = Arguments(fcinfo).timestamp(0, "to_at");
    with_spi([to_at] { set_state.execute({TimestampTzGetDatum(to_at)}); });
    PG_RETURN_VOID();
}
