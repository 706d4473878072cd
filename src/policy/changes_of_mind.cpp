// A user changes their mind: what is pending follows.
//
// In the transaction that changes it, and under the rows' locks: either a message is started before
// it, or its worker's start_send is false. A tick that runs meanwhile holds the user's row, or
// comes to the user afterwards.
#include "policy/kind.hpp"
#include "policy/quiet_times.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "scheduling/checkin_changed.hpp"
#include "sending/pending.hpp"

using namespace companion;

namespace {

// $1 the user, $2 a message, $3 until when it is not visible, $4 now, $5 companion.min_gap; then
// what the user's settings were, and $13 whether it respects pauses. Returns why it does not go any
// more, if so; whether it goes at another time or on another channel; and when, for which local
// day, and on which.
//
// A check-in is for the local day that it lies on as now seen. It moves to that day's instant where
// the time or the zone has changed and this instant has not passed; else it stays. A setting that
// has not changed, and would have refused it before, does not: an app has scheduled it in spite of
// it.
Statement judge{
    R"sql(
    SELECT
        CASE WHEN m.kind <> 'checkin' THEN
            CASE WHEN $3 <= $4 THEN coalesce(companion.suspended_reason(u.suspended_until, $4),
                CASE WHEN $13 THEN companion.paused_reason(u.checkin_paused_until, $4) END) END
        ELSE coalesce(
            refused.by,
            CASE WHEN u.timezone <> $6 AND nearby.day_is_taken
                THEN 'this local day has had its check-in' END,
            companion.checkin_skipped(next.scheduled_for, next.scheduled_for, '0',
                next.is_moved AND nearby.is_too_close, m.channel)) END
        AS reason,
        next.is_moved, next.scheduled_for, seen.local_date, u.timezone,
        CASE WHEN nearby.key_is_used THEN seen.key || '@' || u.timezone ELSE seen.key END,
        u.preferred_channel IS DISTINCT FROM $12 AS may_go_elsewhere,
        CASE WHEN u.preferred_channel IS DISTINCT FROM $12
            THEN companion.choose_channel(u.usable_addresses,
                                          coalesce(m.wanted_channel, u.preferred_channel)) END
    FROM companion.users AS u
    JOIN companion.scheduled_messages AS m ON m.user_id = u.id AND m.id = $2
    CROSS JOIN LATERAL (
        SELECT day.seen AS local_date, companion.checkin_key(day.seen) AS key,
            extract(isodow FROM day.seen)::smallint AS weekday
        FROM (SELECT CASE WHEN m.kind = 'checkin' THEN companion.day_as_seen(u.timezone,
                m.timezone, m.local_date, m.scheduled_for) END
            OFFSET 0) AS day (seen)) AS seen
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN m.kind = 'checkin'
                AND (u.timezone <> $6 OR u.checkin_time IS DISTINCT FROM $7)
            THEN companion.checkin_instant(u.timezone, seen.local_date, u.checkin_time)
            END AS instant
        OFFSET 0) AS wanted
    CROSS JOIN LATERAL (
        SELECT coalesce(wanted.instant > $4, false) AS is_moved,
            CASE WHEN wanted.instant > $4 THEN wanted.instant ELSE m.scheduled_for END
                AS scheduled_for) AS next
    CROSS JOIN LATERAL (
        SELECT companion.checkin_refused(
            coalesce(u.checkin_time, CASE WHEN $7 IS NULL THEN time '00:00' END),
            u.checkin_days,
            CASE WHEN u.onboarding_completed_at IS DISTINCT FROM $9 OR m.scheduled_for >= $9
                THEN u.onboarding_completed_at ELSE '-infinity' END,
            CASE WHEN u.checkin_paused_until IS DISTINCT FROM $10 OR m.scheduled_for >= $10
                THEN u.checkin_paused_until END,
            CASE WHEN u.suspended_until IS DISTINCT FROM $11 OR m.scheduled_for >= $11
                THEN u.suspended_until END,
            CASE WHEN u.timezone <> $6 OR u.checkin_days <> $8 THEN seen.weekday END,
            next.scheduled_for) AS by) AS refused
    CROSS JOIN LATERAL companion.checkins_nearby(u.id, u.timezone, seen.local_date,
        next.scheduled_for, seen.key, companion.checkin_key(seen.local_date - 2),
        companion.checkin_key(seen.local_date + 3), $5, m.id) AS nearby
    WHERE u.id = $1
)sql",  UUIDOID,      UUIDOID,        TIMESTAMPTZOID, TIMESTAMPTZOID, INTERVALOID, TEXTOID,
    TIMEOID, INT2ARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID,     BOOLOID};

// A claim that has not been started is given back.
Statement move_in_time{R"sql(
    WITH queued AS (
        UPDATE companion.dispatch_queue AS q
        SET visible_at = $3, send_before = $7, leased_until = '-infinity', waits_for = NULL
        WHERE user_id = $1 AND message_id = $2
        RETURNING q.user_id = $1 AND q.message_id = $2 AND q.visible_at = $3
            AND q.leased_until = '-infinity' AS is_written),
    scheduled AS (
        UPDATE companion.scheduled_messages AS m
        SET scheduled_for = $3, send_before = $7, local_date = $4, timezone = $5,
            idempotency_key = $6
        WHERE user_id = $1 AND id = $2
        RETURNING m.user_id = $1 AND m.id = $2 AND m.idempotency_key = $6 AS is_written)
    SELECT (SELECT is_written FROM queued), (SELECT is_written FROM scheduled)
)sql", UUIDOID, UUIDOID, TIMESTAMPTZOID, DATEOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};

// Whose mind has changed, and what the settings were.
struct Change {
    pg_uuid_t user_id;
    NullableDatum timezone, checkin_time, checkin_days, onboarded, paused, suspended, preferred;
    bool is_quiet_changed;
    QuietSettings quiet; // as they are now
};

bool is_quiet_changed(const UpdatedRow &row)
{
    return row.is_changed("quiet_from", TIMEOID) || row.is_changed("quiet_until", TIMEOID) ||
           row.is_changed("timezone", TEXTOID);
}

bool has_changed(const UpdatedRow &row)
{
    return is_checkin_changed(row) || is_quiet_changed(row) ||
           row.is_changed("preferred_channel", TEXTOID);
}

Change read_change(const UpdatedRow &row, const pg_uuid_t &user_id)
{
    return {user_id,
            row.before("timezone", TEXTOID),
            row.before("checkin_time", TIMEOID),
            row.before("checkin_days", INT2ARRAYOID),
            row.before("onboarding_completed_at", TIMESTAMPTZOID),
            row.before("checkin_paused_until", TIMESTAMPTZOID),
            row.before("suspended_until", TIMESTAMPTZOID),
            row.before("preferred_channel", TEXTOID),
            is_quiet_changed(row),
            {row.now("timezone", TEXTOID), row.now("quiet_from", TIMEOID),
             row.now("quiet_until", TIMEOID)}};
}

// What is to become of a message.
struct Verdict {
    NullableDatum reason; // not to go
    bool is_moved;
    Datum scheduled_for, local_date, timezone, key; // where it is
    bool may_go_elsewhere;
    NullableDatum channel; // where it may
};

NullableDatum field(int column)
{
    NullableDatum value;
    value.value = result_field(0, column, &value.isnull);
    return value;
}

// The queue is read as it is now, and a transaction of a higher isolation level may not see the
// message. Error 40001.
void require_whole_view()
{
    if (IsolationUsesXactSnapshot())
        ereport(ERROR, errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                errmsg("could not serialize access due to concurrent update"));
}

// False where the message is gone.
bool judge_message(const QueueRow &row, const Change &change, Verdict *verdict)
{
    const char nulls[] = {' ',
                          ' ',
                          ' ',
                          ' ',
                          ' ',
                          null_flag(change.timezone),
                          null_flag(change.checkin_time),
                          null_flag(change.checkin_days),
                          null_flag(change.onboarded),
                          null_flag(change.paused),
                          null_flag(change.suspended),
                          null_flag(change.preferred),
                          ' '};
    if (judge.execute_newest({UUIDPGetDatum(&row.user_id), UUIDPGetDatum(&row.message_id),
                              TimestampTzGetDatum(row.visible_at), TimestampTzGetDatum(now()),
                              PointerGetDatum(seconds_interval(settings::min_gap)),
                              change.timezone.value, change.checkin_time.value,
                              change.checkin_days.value, change.onboarded.value,
                              change.paused.value, change.suspended.value, change.preferred.value,
                              BoolGetDatum(respects_pause(text_view(row.kind)))},
                             nulls) == 0) {
        require_whole_view();
        return false;
    }
    *verdict = {field(1),
                DatumGetBool(field(2).value),
                field(3).value,
                field(4).value,
                field(5).value,
                field(6).value,
                DatumGetBool(field(7).value),
                field(8)};
    return true;
}

void move(const QueueRow &row, const Verdict &verdict)
{
    move_in_time.execute_newest(
        {UUIDPGetDatum(&row.user_id), UUIDPGetDatum(&row.message_id), verdict.scheduled_for,
         verdict.local_date, verdict.timezone, verdict.key,
         TimestampTzGetDatum(
             kind_of("checkin").send_before(DatumGetTimestampTz(verdict.scheduled_for)))});
    require_written(1, "dispatch_queue", "user_id, message_id, visible_at or leased_until");
    require_written(2, "scheduled_messages", "user_id, id or idempotency_key");
}

// To where the user would have it now; skipped where nothing reaches them.
void change_channel(const QueueRow &row, const NullableDatum &channel)
{
    if (channel.isnull)
        finish_pending(row, "skipped", CStringGetTextDatum("no channel reaches the user any more"));
    else if (text_view(channel.value) != text_view(row.channel))
        move_to_channel(row, channel.value);
}

// What is too late to be sent is left to be finished as that.
void apply(const QueueRow &row, const Change &change)
{
    Verdict verdict;
    if (row.sending || row.send_before <= now() || !judge_message(row, change, &verdict))
        return;
    if (!verdict.reason.isnull) {
        finish_pending(row, "skipped", verdict.reason.value);
        return;
    }
    if (verdict.is_moved)
        move(row, verdict);
    if (verdict.may_go_elsewhere)
        change_channel(row, verdict.channel);
}

void apply_to_all(const Change &change)
{
    const PendingMessages pending(change.user_id);
    for (int index = 0; index < pending.size(); index++) {
        QueueRow row = pending.at(index).row;
        if (change.is_quiet_changed)
            follow_quiet_hours(row, change.quiet);
        apply(row, change);
    }
}

} // namespace

// Most changes are of something else, and most users have nothing pending, which one look at an
// index says. A WHEN of the trigger's would be parsed anew for every statement, and cost more than
// both.
COMPANION_FUNCTION(apply_change_of_mind)
{
    const UpdatedRow row(fcinfo);
    if (!has_changed(row))
        return PointerGetDatum(nullptr);
    const pg_uuid_t user_id = *DatumGetUUIDP(row.now("id", UUIDOID).value);
    if (has_pending(user_id)) {
        const Change change = read_change(row, user_id);
        with_spi([&] { apply_to_all(change); });
    }
    return PointerGetDatum(nullptr);
}
