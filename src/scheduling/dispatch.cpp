// Dispatch: one tick walks the zones in use, not the users (due_users.cpp), and enqueues who is due
// in batches, in the order of the instants at which they are.
//
// It waits for no user. Whoever is locked is noted in dispatch_recheck and looked at again by
// the next tick; so is whoever was changed in a transaction that no tick could see into, by a
// trigger (recheck.cpp).
#include "cron/retention.hpp"
#include "policy/kind.hpp"
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "scheduling/due_users.hpp"
#include "sending/notify.hpp"
#include "sending/queue.hpp"

#include <algorithm>

using namespace companion;

namespace {

// A tick's memory is bounded by how many are enqueued, or looked at again, by one statement.
constexpr int batch_size = 10'000;

// Wait for a tick that is running, and learn how far it came.
Statement lock_state{R"sql(
    SELECT previous_tick, reached_reading, reached_user, began_after
    FROM companion.dispatch_state WHERE only_row FOR UPDATE
)sql"};

Statement start_state{R"sql(
    INSERT INTO companion.dispatch_state (previous_tick) VALUES ($1) ON CONFLICT DO NOTHING
)sql",
                      TIMESTAMPTZOID};

Statement set_state{R"sql(
    INSERT INTO companion.dispatch_state AS s
        (previous_tick, reached_reading, reached_user, began_after)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (only_row) DO UPDATE SET previous_tick = excluded.previous_tick,
        reached_reading = excluded.reached_reading, reached_user = excluded.reached_user,
        began_after = excluded.began_after
    RETURNING s.previous_tick = $1 AND s.reached_reading IS NOT DISTINCT FROM $2
        AND s.reached_user IS NOT DISTINCT FROM $3 AND s.began_after IS NOT DISTINCT FROM $4
)sql",
                    TIMESTAMPTZOID, INT8OID, UUIDOID, TIMESTAMPTZOID};

Statement forget_rechecks{"DELETE FROM companion.dispatch_recheck"};

Statement find_recheck{"SELECT FROM companion.dispatch_recheck LIMIT 1"};

// $1 at, $2 the previous tick, $3 send_within, $4 min_gap, then who may be due, each with the date,
// its weekday and the idempotency keys around it, and of dispatch_recheck: until when to look at
// them again, from which user on, and how many. Whoever is looked at is locked, and judged as the
// newest version of the row says, which may be newer than what the rest of the statement sees; who
// cannot be locked now is passed over. Of what one user is due at once only the latest is sent.
//
// The lateral look-ups by key, and the array of users, keep each step an index walk, however
// small the tables were when this was planned.
Statement enqueue_due{R"sql(
    WITH looked_at AS (
        SELECT w.user_id, $2 AS since, false AS is_gone,
            w.local_date, w.weekday, w.key, w.key_from, w.key_until
        FROM unnest($5, $6, $7, $8, $9, $10)
            AS w (user_id, local_date, weekday, key, key_from, key_until)
        UNION ALL
        SELECT r.user_id, least(r.since, $2),
            NOT EXISTS (SELECT FROM companion.users AS u WHERE u.id = r.user_id),
            NULL, NULL, NULL, NULL, NULL
        FROM (
            SELECT user_id, min(since) AS since FROM companion.dispatch_recheck
            WHERE user_id >= $12
            GROUP BY user_id ORDER BY user_id LIMIT $13) AS r),
    held AS MATERIALIZED (
        SELECT l.*, l.local_date IS NULL AS is_recheck, u.*
        FROM looked_at AS l
        LEFT JOIN LATERAL (
            SELECT true AS is_held, u.timezone, u.checkin_time, u.checkin_days,
                u.onboarding_completed_at, u.checkin_paused_until, u.suspended_until,
                companion.choose_channel(u.usable_addresses, u.preferred_channel) AS channel,
                companion.unknown_start(u.quiet_from, u.quiet_until) AS start_before
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
                held.onboarding_completed_at, held.checkin_paused_until, held.suspended_until,
                held.channel, checkin.*
            FROM held
            CROSS JOIN LATERAL (
                SELECT held.local_date, held.weekday, held.key, held.key_from, held.key_until,
                    companion.checkin_instant(held.timezone, held.local_date, held.checkin_time)
                        AS scheduled_for
                WHERE NOT held.is_recheck
                UNION ALL
                SELECT d.local_date, NULL, companion.checkin_key(d.local_date),
                    companion.checkin_key(d.local_date - 2),
                    companion.checkin_key(d.local_date + 3), d.scheduled_for
                FROM companion.checkins_due(held.timezone, held.checkin_time, held.checkin_days,
                                            held.since, $11) AS d
                WHERE held.is_recheck) AS checkin
            OFFSET 0) AS due
        CROSS JOIN LATERAL companion.checkins_nearby(due.user_id, due.timezone, due.local_date,
            due.scheduled_for, due.key, due.key_from, due.key_until, $4, NULL) AS nearby
        CROSS JOIN LATERAL (
            SELECT companion.checkin_skipped(due.scheduled_for, $1, $3,
                nearby.is_too_close OR companion.is_overtaken(due.timezone, due.checkin_time,
                    due.checkin_days, due.scheduled_for, $1, $4),
                due.channel) AS reason) AS skip
        WHERE due.scheduled_for > due.since AND due.scheduled_for <= $1
            AND companion.checkin_refused(due.checkin_time, due.checkin_days,
                due.onboarding_completed_at, due.checkin_paused_until, due.suspended_until,
                due.weekday, due.scheduled_for) IS NULL
            AND NOT nearby.day_is_taken
        ON CONFLICT (user_id, idempotency_key) DO NOTHING
        RETURNING user_id, id, scheduled_for, send_before, channel, status),
    queued AS (
        INSERT INTO companion.dispatch_queue
            (visible_at, send_before, user_id, message_id, channel, kind, head_start, start_before)
        SELECT scheduled_for, send_before, user_id, id, channel, 'checkin', $14,
            CASE WHEN user_id IN (SELECT user_id FROM held WHERE start_before IS NOT NULL)
                THEN timestamptz '-infinity' END
        FROM enqueued
        WHERE status = 'pending'
        RETURNING user_id)
    SELECT (SELECT count(*) FROM enqueued WHERE status = 'pending'),
        (SELECT count(*) FROM queued),
        (SELECT count(*) FROM held WHERE is_held IS NULL AND NOT is_recheck),
        (SELECT count(*) FROM passed_over),
        (SELECT count(*) FROM held WHERE is_recheck),
        (SELECT user_id FROM held WHERE is_recheck ORDER BY user_id DESC LIMIT 1)
)sql",       TIMESTAMPTZOID, TIMESTAMPTZOID, INTERVALOID,  INTERVALOID,
                      UUIDARRAYOID, DATEARRAYOID,   INT2ARRAYOID,   TEXTARRAYOID, TEXTARRAYOID,
                      TEXTARRAYOID, TIMESTAMPTZOID, UUIDOID,        INT4OID,      INT4OID};

// Of one statement: how many messages it enqueued, how many users it passed over, and at how many
// of dispatch_recheck it looked, up to whom.
struct Found {
    int64 enqueued, passed_over, looked_at;
    pg_uuid_t last;
};

// At whom of dispatch_recheck to look again: from a user on, for what was due until then.
struct Again {
    TimestampTz until;
    pg_uuid_t from;
    int most;
};

// What the statement wants to know of a date.
struct DateKeys {
    std::int64_t date;
    Datum key, from, until;
};

// A batch: who may be due, on which date.
class Batch {
  public:
    void add(std::int64_t date, const pg_uuid_t &user)
    {
        if (members_ == nullptr)
            members_ = static_cast<Member *>(palloc(batch_size * sizeof(Member)));
        members_[size_++] = {user, keys_of(date)};
    }

    int size() const { return size_; }

    // Enqueue what is due of them, and whatever those of dispatch_recheck are due. By ascending id,
    // the order in which users are locked, and in which an index is fastest.
    Found enqueue(TimestampTz previous, TimestampTz at, const Again &again)
    {
        std::sort(members_, members_ + size_, [](const Member &a, const Member &b) {
            return memcmp(&a.user, &b.user, sizeof(pg_uuid_t)) < 0;
        });
        execute(previous, at, again);
        Found found{require_all("dispatch_queue", 1), require_all("dispatch_recheck", 3),
                    DatumGetInt64(result_field(0, 5)), again.from};
        if (found.looked_at > 0)
            found.last = *DatumGetUUIDP(result_field(0, 6));
        return found;
    }

  private:
    struct Member {
        pg_uuid_t user;
        const DateKeys *keys;
    };

    void execute(TimestampTz previous, TimestampTz at, const Again &again) const
    {
        ArrayBuilder users{UUIDOID}, dates{DATEOID}, weekdays{INT2OID}, keys{TEXTOID},
            keys_from{TEXTOID}, keys_until{TEXTOID};
        for (const Member *member = members_; member < members_ + size_; member++) {
            users.add(UUIDPGetDatum(&member->user));
            dates.add(DateADTGetDatum(static_cast<DateADT>(member->keys->date - epoch_days)));
            weekdays.add(Int16GetDatum(iso_weekday(member->keys->date)));
            keys.add(member->keys->key);
            keys_from.add(member->keys->from);
            keys_until.add(member->keys->until);
        }
        enqueue_due.execute({TimestampTzGetDatum(at), TimestampTzGetDatum(previous),
                             PointerGetDatum(checkin_within()),
                             PointerGetDatum(seconds_interval(settings::min_gap)), users.finish(),
                             dates.finish(), weekdays.finish(), keys.finish(), keys_from.finish(),
                             keys_until.finish(), TimestampTzGetDatum(again.until),
                             UUIDPGetDatum(&again.from), Int32GetDatum(again.most),
                             Int32GetDatum(kind_of("checkin").head_start)});
    }

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

    // There are as many dates as the interval has days, and two.
    const DateKeys *keys_of(std::int64_t date)
    {
        ListCell *cell;
        foreach (cell, dates_)
            if (static_cast<DateKeys *>(lfirst(cell))->date == date)
                return static_cast<DateKeys *>(lfirst(cell));
        auto *keys = static_cast<DateKeys *>(palloc(sizeof(DateKeys)));
        *keys = {date, key_of(date), key_of(date - 2), key_of(date + 3)};
        dates_ = lappend(dates_, keys);
        return keys;
    }

    Member *members_ = nullptr;
    int size_ = 0;
    List *dates_ = NIL;
};

Progress all_until(TimestampTz time)
{
    return {time, false, 0, {}};
}

// How far dispatch has come, and where the tick began of which that is part, null between ticks.
struct State {
    Progress progress;
    NullableDatum began_after;
};

// Lock it until the transaction ends. The first tick ever covers the minute before it, for
// everybody.
State lock_progress(TimestampTz at)
{
    if (lock_state.execute({}) == 0) {
        if (start_state.execute({TimestampTzGetDatum(at - USECS_PER_MINUTE)}) > 0)
            forget_rechecks.execute({});
        if (lock_state.execute({}) == 0)
            refuse_suppressed("dispatch_state");
    }
    State state{all_until(DatumGetTimestampTz(result_field(0, 1))), {}};
    state.began_after.value = result_field(0, 4, &state.began_after.isnull);
    bool is_whole;
    const Datum reading = result_field(0, 2, &is_whole);
    if (!is_whole) {
        state.progress.is_within = true;
        state.progress.reading = DatumGetInt64(reading);
        state.progress.user = *DatumGetUUIDP(result_field(0, 3));
    }
    return state;
}

// Error 09000 where a trigger suppresses or changes it.
void set_progress(const Progress &progress, NullableDatum began_after)
{
    const char within = progress.is_within ? ' ' : 'n';
    const char nulls[] = {' ', within, within, null_flag(began_after)};
    if (set_state.execute({TimestampTzGetDatum(progress.previous), Int64GetDatum(progress.reading),
                           UUIDPGetDatum(&progress.user), began_after.value},
                          nulls) == 0)
        refuse_suppressed("dispatch_state");
    if (!DatumGetBool(result_field(0, 1)))
        refuse_changed("dispatch_state",
                       "previous_tick, reached_reading, reached_user or began_after");
}

// Look at everybody in dispatch_recheck, and enqueue what has been due until then of whom no tick
// could see. The last of one statement, if still there, is the first of the next.
int64 look_again(TimestampTz until, TimestampTz at)
{
    int64 enqueued = 0;
    Again again{until, {}, batch_size};
    for (Found found{0, 0, again.most, {}}; found.looked_at == again.most;
         again.from = found.last) {
        found = Batch().enqueue(until, at, again);
        enqueued += found.enqueued;
    }
    return enqueued;
}

// Take who is due next, until a time; returns how far that is.
Progress take(DueUsers &due, int most, TimestampTz until, Batch *batch)
{
    Progress progress = all_until(until);
    for (; batch->size() < most && !due.is_empty(); due.pop()) {
        const Candidate &next = due.first();
        batch->add(due.date(), next.user);
        progress = {from_instant(next.instant) - 1, true, next.reading, next.user};
    }
    return due.is_empty() ? all_until(until) : progress;
}

bool has_rechecks()
{
    return find_recheck.execute({}) > 0;
}

bool is_newly_visible(TimestampTz previous, TimestampTz at)
{
    const WantedLanes all;
    const QueuePosition after_previous{previous + 1, {}, true};
    Queue queue;
    queue.begin_walk(at, all, &after_previous);
    const bool is_there = queue.next();
    queue.end_walk();
    queue.close();
    return is_there;
}

// What a call has done: of how many users, and how many messages it enqueued. It is complete when
// nothing is left to do until its time.
struct Done {
    int users;
    int64 enqueued;
    bool is_complete;
};

// The most recent time that one batch goes to: each zone's windows are as few as in any tick,
// however long nothing ran.
TimestampTz end_of_batch(const Progress &progress, TimestampTz at)
{
    return Min(at, progress.previous + USECS_PER_DAY);
}

// The first batch of a tick looks at dispatch_recheck, too. It does so as far as it goes itself:
// whoever was noted after it had read who is due is not among them. The last one does again, if
// somebody was passed over, since most locks are short, or if much has happened since the first.
Done enqueue(const State &state, TimestampTz at, int most)
{
    const Progress &progress = state.progress;
    const TimestampTz until = end_of_batch(progress, at);
    DueUsers due(progress, until, most);
    Batch batch;
    const Progress next = take(due, most, until, &batch);
    const bool is_first = !progress.is_within, is_last = !next.is_within && until == at;
    Found found{};
    if (batch.size() > 0 || (is_first && has_rechecks()))
        found =
            batch.enqueue(progress.previous, at, {next.reached(), {}, is_first ? batch_size : 0});
    if (is_last && (!is_first || found.passed_over > 0 || found.looked_at == batch_size))
        found.enqueued += look_again(at, at);
    set_progress(next, is_last ? NullableDatum{0, true}
                       : state.began_after.isnull
                           ? NullableDatum{TimestampTzGetDatum(progress.previous)}
                           : state.began_after);
    if (found.enqueued > 0 || is_newly_visible(progress.previous, next.previous))
        notify_workers();
    return {batch.size(), found.enqueued, is_last};
}

// Cover the next of the interval up to at, or where that has been covered look again only.
Done do_batch(TimestampTz at, int most)
{
    const State state = lock_progress(at);
    const Progress &progress = state.progress;
    if (at > progress.previous)
        return enqueue(state, at, most);
    const int64 enqueued = look_again(progress.reached(), progress.reached());
    if (enqueued > 0)
        notify_workers();
    return {0, enqueued, true};
}

// As many batches as it takes, in one transaction.
Done tick(TimestampTz at, int max_rows)
{
    Done tick{};
    do {
        const Done batch =
            with_spi([&] { return do_batch(at, Min(max_rows - tick.users, batch_size)); });
        tick = {tick.users + batch.users, tick.enqueued + batch.enqueued, batch.is_complete};
    } while (!tick.is_complete && tick.users < max_rows);
    return tick;
}

// Who is to be looked at again is due before to_at, which is left out, or after it, which the
// next tick covers.
void rewind(TimestampTz to_at)
{
    set_progress(all_until(to_at), {0, true});
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

Done tick(const Arguments &arguments)
{
    const TimestampTz at = arguments.timestamp(0, "at");
    const int max_rows =
        arguments.is_null(1) ? INT_MAX : arguments.integer(1, "max_rows", 1, INT_MAX);
    require_past("at", at);
    return tick(at, max_rows);
}

} // namespace

COMPANION_FUNCTION(dispatch)
{
    PG_RETURN_INT32(static_cast<int32>(tick(Arguments(fcinfo)).enqueued));
}

COMPANION_FUNCTION(dispatch_batch)
{
    PG_RETURN_BOOL(tick(Arguments(fcinfo)).is_complete);
}

COMPANION_FUNCTION(rewind_dispatch)
{
    TimestampTz to_at = Arguments(fcinfo).timestamp(0, "to_at");
    require_past("to_at", to_at);
    require_kept("to_at", to_at);
    with_spi([to_at] { rewind(to_at); });
    PG_RETURN_VOID();
}
