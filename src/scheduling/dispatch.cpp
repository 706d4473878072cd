// Dispatch: one tick walks the zones in use, not the users. For each zone it works
// out which stretches of wall time became due, and asks an index for the users in
// them.
//
// It waits for no user. Whoever is locked is noted in dispatch_recheck and looked at again by
// the next tick; so is whoever was changed in a transaction that no tick could see into, by a
// trigger (recheck.cpp).
#include "cron/retention.hpp"
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "scheduling/notify.hpp"
#include "scheduling/time_zone.hpp"

using namespace companion;

namespace {

// Wait for a tick that is running, and learn how far it came.
Statement lock_state{R"sql(
    SELECT previous_tick FROM companion.dispatch_state WHERE only_row FOR UPDATE
)sql"};

Statement start_state{R"sql(
    INSERT INTO companion.dispatch_state (previous_tick) VALUES ($1) ON CONFLICT DO NOTHING
)sql",
                      TIMESTAMPTZOID};

Statement set_state{R"sql(
    INSERT INTO companion.dispatch_state (previous_tick) VALUES ($1)
    ON CONFLICT (only_row) DO UPDATE SET previous_tick = EXCLUDED.previous_tick
)sql",
                    TIMESTAMPTZOID};

Statement forget_rechecks{"DELETE FROM companion.dispatch_recheck"};

// Skip from one zone to the next in the index.
Statement find_zones{R"sql(
    WITH RECURSIVE zone AS (
        (SELECT timezone FROM companion.users
         WHERE checkin_time IS NOT NULL AND onboarding_completed_at IS NOT NULL
         ORDER BY timezone LIMIT 1)
        UNION ALL
        SELECT next.timezone FROM zone
        CROSS JOIN LATERAL (
            SELECT users.timezone FROM companion.users
            WHERE users.timezone > zone.timezone
                AND checkin_time IS NOT NULL AND onboarding_completed_at IS NOT NULL
            ORDER BY users.timezone LIMIT 1) AS next)
    SELECT timezone FROM zone
)sql"};

// $1 at, $2 the previous tick, $3 catch_up, $4 min_gap, then the windows. Whom an index finds in
// a window, and whoever is to be looked at again, is locked, and judged as the newest version of
// the row says, which may be newer than what the rest of the statement sees; who cannot be
// locked now is passed over. Of what one user is due at once only the latest is sent.
//
// The lateral look-ups by key, and the array of users, keep each step an index walk, however
// small the tables were when this was planned.
Statement enqueue_due{R"sql(
    WITH looked_at AS (
        SELECT u.id AS user_id, $2 AS since, false AS is_gone,
            w.local_date, w.weekday, w.key, w.key_from, w.key_until
        FROM unnest($5, $6, $7, $8, $9, $10, $11, $12)
            AS w (timezone, local_date, weekday, first_time, last_time, key, key_from, key_until)
        JOIN companion.users AS u
            ON u.timezone = w.timezone AND u.checkin_time BETWEEN w.first_time AND w.last_time
        WHERE u.checkin_time IS NOT NULL AND u.onboarding_completed_at IS NOT NULL
            AND w.weekday = ANY (u.checkin_days)
        UNION ALL
        SELECT r.user_id, least(min(r.since), $2),
            NOT EXISTS (SELECT FROM companion.users AS u WHERE u.id = r.user_id),
            NULL, NULL, NULL, NULL, NULL
        FROM companion.dispatch_recheck AS r
        GROUP BY r.user_id),
    held AS MATERIALIZED (
        SELECT l.*, l.local_date IS NULL AS is_recheck, u.*
        FROM looked_at AS l
        LEFT JOIN LATERAL (
            SELECT true AS is_held, u.timezone, u.checkin_time, u.checkin_days,
                u.onboarding_completed_at,
                greatest(u.onboarding_completed_at, u.checkin_paused_until) AS wanted_from,
                companion.usable_channel(u) AS channel
            FROM companion.users AS u WHERE u.id = l.user_id
            FOR NO KEY UPDATE SKIP LOCKED) AS u ON true),
    passed_over AS (
        INSERT INTO companion.dispatch_recheck (user_id, since)
        SELECT user_id, since FROM held WHERE is_held IS NULL AND NOT is_recheck
        RETURNING user_id),
    settled AS (
        DELETE FROM companion.dispatch_recheck
        WHERE user_id = ANY (ARRAY(
            SELECT user_id FROM held WHERE is_recheck AND (is_held OR is_gone)))),
    enqueued AS (
        INSERT INTO companion.scheduled_messages
            (user_id, kind, idempotency_key, local_date, timezone, scheduled_for, send_before,
             channel, status, failure_reason, finished_at)
        SELECT due.user_id, 'checkin',
            CASE WHEN nearby.key_is_used THEN due.key || '@' || due.timezone ELSE due.key END,
            due.local_date, due.timezone, due.scheduled_for, due.scheduled_for + $3, due.channel,
            CASE WHEN skip.reason IS NULL THEN 'pending' ELSE 'skipped' END, skip.reason,
            CASE WHEN skip.reason IS NOT NULL THEN companion.now() END
        FROM (
            SELECT held.user_id, held.since, held.timezone, held.checkin_time, held.checkin_days,
                held.wanted_from, held.channel, checkin.*
            FROM held
            CROSS JOIN LATERAL (
                SELECT held.local_date, held.key, held.key_from, held.key_until,
                    companion.checkin_instant(held.timezone, held.local_date, held.checkin_time)
                        AS scheduled_for
                WHERE NOT held.is_recheck AND held.weekday = ANY (held.checkin_days)
                UNION ALL
                SELECT d.local_date, companion.checkin_key(d.local_date),
                    companion.checkin_key(d.local_date - 2),
                    companion.checkin_key(d.local_date + 3), d.scheduled_for
                FROM companion.checkins_due(held.timezone, held.checkin_time, held.checkin_days,
                                            held.since, $1) AS d
                WHERE held.is_recheck) AS checkin
            WHERE held.checkin_time IS NOT NULL AND held.onboarding_completed_at IS NOT NULL
            OFFSET 0) AS due
        CROSS JOIN LATERAL companion.checkins_nearby(due.user_id, due.timezone, due.local_date,
            due.scheduled_for, due.key, due.key_from, due.key_until, $4) AS nearby
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN due.scheduled_for + $3 < $1
                THEN 'found ' || ($1 - due.scheduled_for) || ' late, beyond companion.catch_up'
                WHEN nearby.is_too_close
                    OR ($4 > '0' AND $1 - due.scheduled_for > $4 AND EXISTS (
                        SELECT FROM companion.checkins_due(due.timezone, due.checkin_time,
                            due.checkin_days, due.scheduled_for, $1)))
                THEN 'within companion.min_gap of another check-in' END AS reason) AS skip
        WHERE due.scheduled_for > due.since AND due.scheduled_for <= $1
            AND due.scheduled_for >= due.wanted_from AND NOT nearby.day_is_taken
        ON CONFLICT (user_id, idempotency_key) DO NOTHING
        RETURNING user_id, id, scheduled_for, send_before, channel, status),
    queued AS (
        INSERT INTO companion.dispatch_queue
            (visible_at, send_before, user_id, message_id, channel)
        SELECT scheduled_for, send_before, user_id, id, channel FROM enqueued
        WHERE status = 'pending'
        RETURNING user_id)
    SELECT (SELECT count(*) FROM enqueued WHERE status = 'pending'),
        (SELECT count(*) FROM queued),
        (SELECT count(*) FROM held WHERE is_held IS NULL AND NOT is_recheck),
        (SELECT count(*) FROM passed_over)
)sql",       TIMESTAMPTZOID, TIMESTAMPTZOID, INTERVALOID,  INTERVALOID,
                      TEXTARRAYOID, DATEARRAYOID,   INT2ARRAYOID,   TIMEARRAYOID, TIMEARRAYOID,
                      TEXTARRAYOID, TEXTARRAYOID,   TEXTARRAYOID};

Statement find_newly_visible{R"sql(
    SELECT FROM companion.dispatch_queue WHERE visible_at > $1 AND visible_at <= $2 LIMIT 1
)sql",
                             TIMESTAMPTZOID, TIMESTAMPTZOID};

// Of one look: how many messages it enqueued, and how many users it passed over.
struct Found {
    int64 enqueued, passed_over;
};

// What became due: for each zone and local date, a stretch of wall time, both ends
// inclusive, with the date's weekday and the idempotency keys around it.
class Windows {
  public:
    // Add the stretches of one zone for the ticks' interval (from, to].
    void add_zone(Datum name, ServerZone zone, std::int64_t from, std::int64_t to)
    {
        const NewReadings readings(zone, from, to);
        for (std::int64_t date = readings.first_date(); date <= readings.last_date(); date++) {
            CHECK_FOR_INTERRUPTS();
            add(name, date, readings.first_time(date), readings.last_time(date));
        }
    }

    // Enqueue what is due in them, and whatever whom dispatch_recheck names is due.
    Found enqueue(TimestampTz previous, TimestampTz at) const
    {
        enqueue_due.execute({TimestampTzGetDatum(at), TimestampTzGetDatum(previous),
                             PointerGetDatum(seconds_interval(settings::catch_up)),
                             PointerGetDatum(seconds_interval(settings::min_gap)), zones_.finish(),
                             dates_.finish(), weekdays_.finish(), first_times_.finish(),
                             last_times_.finish(), keys_.finish(), keys_from_.finish(),
                             keys_until_.finish()});
        const int64 enqueued = require_all("dispatch_queue", 1);
        return {enqueued, require_all("dispatch_recheck", 3)};
    }

  private:
    // How many rows were to be written, by a column of the last result; the next one says how
    // many were. Error 09000.
    static int64 require_all(const char *table, int column)
    {
        const int64 wanted = DatumGetInt64(result_field(0, column));
        if (DatumGetInt64(result_field(0, column + 1)) != wanted)
            refuse_suppressed(table);
        return wanted;
    }

    static Datum key_of(std::int64_t date)
    {
        int year, month, day_of_month;
        j2date(static_cast<int>(date) + UNIX_EPOCH_JDATE, &year, &month, &day_of_month);
        return CStringGetTextDatum(psprintf("checkin:%04d-%02d-%02d", year, month, day_of_month));
    }

    void add(Datum zone, std::int64_t date, std::int64_t first_time, std::int64_t last_time)
    {
        zones_.add(zone);
        dates_.add(DateADTGetDatum(static_cast<DateADT>(date - epoch_days)));
        weekdays_.add(Int16GetDatum(iso_weekday(date)));
        first_times_.add(TimeADTGetDatum(first_time));
        last_times_.add(TimeADTGetDatum(last_time));
        keys_.add(key_of(date));
        keys_from_.add(key_of(date - 2));
        keys_until_.add(key_of(date + 3));
    }

    ArrayBuilder zones_{TEXTOID}, dates_{DATEOID}, weekdays_{INT2OID}, first_times_{TIMEOID},
        last_times_{TIMEOID}, keys_{TEXTOID}, keys_from_{TEXTOID}, keys_until_{TEXTOID};
};

// The time of the last tick, locked until the transaction ends. The first tick ever covers the
// minute before it, for everybody.
TimestampTz lock_previous_tick(TimestampTz at)
{
    if (lock_state.execute({}) == 0) {
        if (start_state.execute({TimestampTzGetDatum(at - USECS_PER_MINUTE)}) > 0)
            forget_rechecks.execute({});
        if (lock_state.execute({}) == 0)
            refuse_suppressed("dispatch_state");
    }
    return DatumGetTimestampTz(result_field(0, 1));
}

void set_previous_tick(TimestampTz at)
{
    if (set_state.execute({TimestampTzGetDatum(at)}) == 0)
        refuse_suppressed("dispatch_state");
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

// Enqueue what has been due until then of whom no tick could see.
int64 look_again(TimestampTz previous, TimestampTz until)
{
    return Windows().enqueue(previous, until).enqueued;
}

// Enqueue what is due in (previous, at], and what has been due before of whom no tick could see.
// Whoever is passed over is looked at once more: most locks are short.
int64 enqueue(TimestampTz previous, TimestampTz at)
{
    const Found found = find_windows(previous, at).enqueue(previous, at);
    return found.enqueued + (found.passed_over > 0 ? look_again(previous, at) : 0);
}

bool is_newly_visible(TimestampTz previous, TimestampTz at)
{
    return find_newly_visible.execute({TimestampTzGetDatum(previous), TimestampTzGetDatum(at)}) > 0;
}

// Cover the interval (previous tick, at], or where that has been covered look again only;
// returns how many messages were enqueued.
int64 tick(TimestampTz at)
{
    const TimestampTz previous = lock_previous_tick(at);
    const bool is_covered = at <= previous;
    const int64 enqueued = is_covered ? look_again(previous, previous) : enqueue(previous, at);
    if (!is_covered)
        set_previous_tick(at);
    if (enqueued > 0 || (!is_covered && is_newly_visible(previous, at)))
        notify_workers();
    return enqueued;
}

// Who is to be looked at again is due before to_at, which is left out, or after it, which the
// next tick covers.
void rewind(TimestampTz to_at)
{
    set_previous_tick(to_at);
    forget_rechecks.execute({});
}

// Refuse a time that has not come: nobody would be looked at again before it. Error 22023.
void require_past(const char *name, TimestampTz time)
{
    if (!clock_is_set() && time > GetCurrentTimestamp())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s is %s, which is in the future", name, timestamptz_to_str(time)),
                errhint("To try what will be, set companion.clock."));
}

// Refuse a time whose messages may have been deleted, and would be enqueued again. Error 22023.
void require_kept(const char *name, TimestampTz time)
{
    if (time < kept_since())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s is %s, before what companion.retention keeps", name,
                       timestamptz_to_str(time)),
                errhint("The earliest is %s.", pstrdup(timestamptz_to_str(kept_since()))));
}

} // namespace

COMPANION_FUNCTION(dispatch)
{
    TimestampTz at = Arguments(fcinfo).timestamp(0, "at");
    require_past("at", at);
    PG_RETURN_INT32(static_cast<int32>(with_spi([at] { return tick(at); })));
}

COMPANION_FUNCTION(rewind_dispatch)
{
    TimestampTz to_at = Arguments(fcinfo).timestamp(0, "to_at");
    require_past("to_at", to_at);
    require_kept("to_at", to_at);
    with_spi([to_at] { rewind(to_at); });
    PG_RETURN_VOID();
}
