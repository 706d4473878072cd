// Bringing back what is finished and was not sent.
#include "policy/kind.hpp"
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "sending/notify.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

Statement find_one{R"sql(
    SELECT m.user_id, m.id, m.kind FROM companion.scheduled_messages AS m
    WHERE m.user_id = $1 AND m.id = $2
)sql",
                   UUIDOID, UUIDOID};

// What an import has brought, which has no time left from the beginning, is not ours to send.
Statement find_failed{R"sql(
    SELECT m.user_id, m.id, m.kind FROM companion.scheduled_messages AS m
    WHERE m.status = 'failed' AND m.finished_at >= $1 AND m.send_before > m.scheduled_for
        AND ($2 IS NULL OR m.failure_reason LIKE $2) AND ($3 IS NULL OR m.kind = ANY ($3))
    ORDER BY m.user_id, m.id
)sql",
                      TIMESTAMPTZOID, TEXTOID, TEXTARRAYOID};

// $1 companion.min_gap. Returns of each message whether its two rows came out as they are written
// here. What another transaction has brought back meanwhile is not finished any more. A check-in
// comes back where the user's settings still have one on its day, that day has had no other, and
// none that is near in time was or will be sent; of several the latest.
Statement bring_back{R"sql(
    WITH finished AS MATERIALIZED (
        SELECT m.user_id, m.id, m.kind, m.attempts, m.worker, g.send_before, g.head_start,
            CASE WHEN m.status = 'failed' THEN regexp_replace(m.failure_reason, '^.*; last: ', '')
                END AS last_error,
            CASE WHEN m.status = 'failed' THEN m.finished_at END AS last_failed_at,
            companion.choose_channel(u.usable_addresses, coalesce(m.channel, u.preferred_channel))
                AS channel,
            companion.unknown_start(u.quiet_from, u.quiet_until) AS start_before
        FROM given AS g
        CROSS JOIN LATERAL (
            SELECT * FROM companion.scheduled_messages
            WHERE user_id = g.user_id AND id = g.message_id LIMIT 1) AS m
        CROSS JOIN LATERAL (
            SELECT * FROM companion.users WHERE id = g.user_id LIMIT 1) AS u
        CROSS JOIN LATERAL (
            SELECT companion.day_as_seen(u.timezone, m.timezone, m.local_date, m.scheduled_for) AS date
            OFFSET 0) AS day
        WHERE m.status IN ('failed', 'skipped', 'unknown') AND (m.kind <> 'checkin' OR (
            companion.checkin_refused(u.checkin_time, u.checkin_days, u.onboarding_completed_at,
                u.checkin_paused_until, u.suspended_until,
                extract(isodow FROM day.date)::smallint, companion.now()) IS NULL
            AND NOT EXISTS (
                SELECT FROM given AS later
                JOIN companion.scheduled_messages AS l ON l.user_id = later.user_id
                    AND l.id = later.message_id AND l.kind = 'checkin'
                WHERE later.user_id = m.user_id AND (l.scheduled_for, l.id) > (m.scheduled_for, m.id))
            AND NOT EXISTS (
                SELECT FROM companion.scheduled_messages AS near
                WHERE near.user_id = m.user_id AND near.kind = 'checkin' AND near.id <> m.id
                    AND near.idempotency_key >= companion.checkin_key(day.date - 2)
                    AND near.status IN ('pending', 'sent', 'unknown')
                    AND (companion.day_as_seen(u.timezone, near.timezone, near.local_date,
                            near.scheduled_for) = day.date
                        OR companion.is_too_close(companion.now(), near.scheduled_for,
                            near.sent_at, $1)
                        OR near.status = 'pending' AND near.scheduled_for < companion.now() + $1))
            AND NOT EXISTS (
                SELECT FROM companion.checkins_due(u.timezone, u.checkin_time, u.checkin_days,
                    companion.now(), companion.now() + $1))))),
    pending AS (
        UPDATE companion.scheduled_messages AS m
        SET status = 'pending', channel = f.channel, send_before = f.send_before,
            finished_at = NULL, failure_reason = NULL, attempts = 0, tries = 0, worker = NULL,
            bot = NULL, addresses = NULL
        FROM finished AS f
        WHERE m.user_id = f.user_id AND m.id = f.id AND f.channel IS NOT NULL
        RETURNING m.user_id, m.id),
    queued AS (
        INSERT INTO companion.dispatch_queue
            (visible_at, send_before, user_id, message_id, attempt, channel, worker, kind,
             last_error, last_failed_at, head_start, start_before)
        SELECT companion.now(), f.send_before, p.user_id, p.id, f.attempts, f.channel, f.worker,
            f.kind, f.last_error, f.last_failed_at, f.head_start, f.start_before
        FROM pending AS p JOIN finished AS f ON f.user_id = p.user_id AND f.id = p.id
        RETURNING user_id, message_id)
    SELECT f.channel IS NULL OR (p.id IS NOT NULL AND q.message_id IS NOT NULL),
        f.channel IS NOT NULL
    FROM finished AS f
    LEFT JOIN pending AS p ON p.user_id = f.user_id AND p.id = f.id
    LEFT JOIN queued AS q ON q.user_id = f.user_id AND q.message_id = f.id
)sql",
                     INTERVALOID};

Given no_messages()
{
    return Given{{"user_id", UUIDOID},
                 {"message_id", UUIDOID},
                 {"send_before", TIMESTAMPTZOID},
                 {"head_start", INT4OID}};
}

// The messages of the last result, with the time before which each is to be sent.
Given read_found(uint64 rows, NullableDatum send_before)
{
    Given found = no_messages();
    for (uint64 row = 0; row < rows; row++) {
        const Kind kind = kind_of(text_view(result_field(row, 3)));
        const NullableDatum by_kind{TimestampTzGetDatum(kind.send_before(now())), false};
        found.add({{result_field(row, 1)},
                   {result_field(row, 2)},
                   send_before.isnull ? by_kind : send_before,
                   {Int32GetDatum(kind.head_start)}});
    }
    return found;
}

// Put messages of users who are locked back on the queue; returns how many were. Error 09000.
int64 put_back(const Given &messages)
{
    const uint64 rows = messages.size() == 0
                            ? 0
                            : bring_back.execute_newest(
                                  messages, {PointerGetDatum(seconds_interval(settings::min_gap))});
    int64 count = 0;
    for (uint64 row = 0; row < rows; row++) {
        if (!DatumGetBool(result_field(row, 1)))
            refuse_suppressed("scheduled_messages or dispatch_queue");
        count += DatumGetBool(result_field(row, 2)) ? 1 : 0;
    }
    if (count > 0)
        notify_workers();
    return count;
}

// Those messages whose users can be locked, which they are.
Given lock_free(const Given &messages)
{
    Given free = no_messages();
    ArrayBuilder users{UUIDOID};
    for (int index = 0; index < messages.size(); index++)
        users.add(messages.at(index, 0));
    auto *lockings = static_cast<Locking *>(palloc(Max(users.size(), 1) * sizeof(Locking)));
    if (users.size() > 0)
        lock_free_users(users.finish(), lockings);
    for (int index = 0; index < messages.size(); index++)
        if (lockings[index] == Locking::held)
            free.add({messages.at(index, 0), messages.at(index, 1), messages.at(index, 2),
                      messages.at(index, 3)});
    return free;
}

void require_future(NullableDatum send_before)
{
    if (!send_before.isnull && DatumGetTimestampTz(send_before.value) <= now())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("send_before is %s, expected a time in the future",
                       timestamptz_to_str(DatumGetTimestampTz(send_before.value))));
}

} // namespace

COMPANION_FUNCTION(retry_message)
{
    PreventCommandIfReadOnly("retry_message()");
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const Datum message_id = arguments.required(1, "message_id");
    const NullableDatum send_before = arguments.nullable(2);
    require_future(send_before);
    PG_RETURN_BOOL(with_spi([&] {
        if (!try_lock_user(user_id))
            return false;
        const uint64 rows = find_one.execute_newest({user_id, message_id});
        return put_back(read_found(rows, send_before)) > 0;
    }));
}

COMPANION_FUNCTION(retry_failed)
{
    PreventCommandIfReadOnly("retry_failed()");
    const Arguments arguments(fcinfo);
    const TimestampTz since = arguments.timestamp(0, "since");
    const char nulls[] = {' ', arguments.null_flag(1), arguments.null_flag(2)};
    PG_RETURN_INT64(with_spi([&] {
        const uint64 rows = find_failed.execute_newest(
            {TimestampTzGetDatum(since), arguments.optional(1), arguments.optional(2)}, nulls);
        return put_back(lock_free(read_found(rows, {0, true})));
    }));
}
