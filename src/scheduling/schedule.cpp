// Scheduling one message by hand, and foretelling the next check-in.
#include "channels/channel.hpp"
#include "conversations/messages.hpp"
#include "identity/acting.hpp"
#include "postgres/arguments.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "sending/notify.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

// A message given no key is its own occasion: its id is the key. Returns the new message, and
// of its two rows what a trigger has made of them: a column that is other than written, and
// whether there is one.
Statement enqueue{R"sql(
    WITH message AS MATERIALIZED (
        SELECT u.id AS user_id, m.id, u.timezone, m.local_time::date AS local_date,
            coalesce($6, CASE WHEN $4 = 'checkin' THEN companion.checkin_key(m.local_time::date)
                ELSE m.id::text END) AS idempotency_key,
            companion.choose_channel(u.usable_addresses, coalesce($5, u.preferred_channel))
                AS channel
        FROM companion.users AS u
        CROSS JOIN LATERAL (
            SELECT companion.uuid_v7() AS id, companion.local_timestamp(u.timezone, $2) AS local_time
            OFFSET 0) AS m
        WHERE u.id = $1),
    enqueued AS (
        INSERT INTO companion.scheduled_messages
            (user_id, id, kind, idempotency_key, local_date, timezone, scheduled_for, channel,
             content, generation_context, status, failure_reason, finished_at)
        SELECT user_id, id, $4, idempotency_key, local_date, timezone, $2, channel, $3, $7,
            CASE WHEN channel IS NULL THEN 'skipped' ELSE 'pending' END,
            CASE WHEN channel IS NULL THEN 'no channel reaches the user' END,
            CASE WHEN channel IS NULL THEN companion.now() END
        FROM message
        ON CONFLICT (user_id, idempotency_key) DO NOTHING
        RETURNING user_id, id, idempotency_key, scheduled_for, send_before, channel, status),
    queued AS (
        INSERT INTO companion.dispatch_queue
            (visible_at, send_before, user_id, message_id, channel)
        SELECT scheduled_for, send_before, user_id, id, channel FROM enqueued
        WHERE status = 'pending'
        RETURNING user_id, message_id)
    SELECT e.id,
        CASE WHEN e.user_id <> m.user_id THEN 'user_id'
            WHEN e.id <> m.id THEN 'id'
            WHEN e.idempotency_key <> m.idempotency_key THEN 'idempotency_key' END,
        q.message_id IS NOT NULL OR e.status <> 'pending',
        CASE WHEN q.user_id <> m.user_id THEN 'user_id'
            WHEN q.message_id <> m.id THEN 'message_id' END
    FROM message AS m CROSS JOIN enqueued AS e LEFT JOIN queued AS q ON true
)sql", UUIDOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID};

Statement find_standing{R"sql(
    SELECT m.id FROM companion.users AS u
    JOIN companion.scheduled_messages AS m ON m.user_id = u.id AND m.idempotency_key =
        coalesce($3, companion.checkin_key(companion.local_timestamp(u.timezone, $2)::date))
    WHERE u.id = $1
)sql",
                        UUIDOID, TIMESTAMPTZOID, TEXTOID};

// $1 user, $2 after when, $3 min_gap. Sixteen days hold every weekday twice, so that a weekly
// check-in is found even where a zone leaves a date out.
Statement find_next_checkin{R"sql(
    SELECT due.scheduled_for
    FROM companion.users AS u
    CROSS JOIN LATERAL (
        SELECT nullif(greatest($2, u.onboarding_completed_at - interval '1 microsecond',
            u.checkin_paused_until - interval '1 microsecond',
            u.suspended_until - interval '1 microsecond'), 'infinity') AS after) AS wanted
    CROSS JOIN LATERAL companion.checkins_due(u.timezone, u.checkin_time, u.checkin_days,
        wanted.after, wanted.after + interval '16 days') AS due
    CROSS JOIN LATERAL companion.checkins_nearby(u.id, u.timezone, due.local_date,
        due.scheduled_for, companion.checkin_key(due.local_date),
        companion.checkin_key(due.local_date - 2), companion.checkin_key(due.local_date + 3),
        $3) AS nearby
    WHERE u.id = $1 AND u.onboarding_completed_at IS NOT NULL
        AND NOT nearby.day_is_taken AND NOT nearby.is_too_close
    ORDER BY due.scheduled_for LIMIT 1
)sql",
                            UUIDOID, TIMESTAMPTZOID, INTERVALOID};

// Refuse a kind that is not a short lower-case word. Error 22023.
void check_kind(std::string_view kind)
{
    if (!is_short_word(kind))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("invalid kind of message \"%s\"", excerpt(kind)),
                errhint("A kind is 1 to 63 lower-case letters, digits and _, a letter first."));
}

// Refuse a key that is too long, and any for a check-in: its key is its local day, and is
// no other message's. Error 22023.
void check_key(std::string_view key, std::string_view kind)
{
    check_length("idempotency key", key, 200);
    if (kind == "checkin" || key.starts_with("checkin:"))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("idempotency key does not fit the kind of message"),
                errhint("Kind checkin takes the key of its local day, which begins with"
                        " \"checkin:\"; other kinds take any other."));
}

// Refuse a text that no message may have, and a context that is too large. Error 22023.
void check_texts(const Arguments &arguments)
{
    if (!arguments.is_null(2))
        check_content(arguments.text(2, "content"));
    if (!arguments.is_null(6))
        check_json_size("generation_context", DatumGetJsonbP(arguments.optional(6)));
}

void check_arguments(const Arguments &arguments)
{
    check_texts(arguments);
    check_kind(arguments.text(3, "kind"));
    if (!arguments.is_null(4))
        require_channel(arguments.text(4, "channel"));
    if (!arguments.is_null(5))
        check_key(arguments.text(5, "idempotency_key"), arguments.text(3, "kind"));
}

// Refuse what a trigger has made of one of the new rows: column of the last result names what
// it has changed. Error 09000.
void require_unchanged(const char *table, int column)
{
    bool is_null;
    const Datum changed = result_field(0, column, &is_null);
    if (!is_null)
        refuse_changed(table, TextDatumGetCString(changed));
}

// The id of the message that has just been enqueued.
pg_uuid_t enqueued_id()
{
    require_unchanged("scheduled_messages", 2);
    if (!DatumGetBool(result_field(0, 3)))
        refuse_suppressed("dispatch_queue");
    require_unchanged("dispatch_queue", 4);
    return *DatumGetUUIDP(result_field(0, 1));
}

// Enqueue the message; false where one stands already under its key.
bool enqueue_message(Datum user_id, Datum scheduled_for, const Arguments &arguments)
{
    const char nulls[] = {' ',
                          ' ',
                          arguments.null_flag(2),
                          ' ',
                          arguments.null_flag(4),
                          arguments.null_flag(5),
                          arguments.null_flag(6)};
    return enqueue.execute({user_id, scheduled_for, arguments.optional(2),
                            arguments.required(3, "kind"), arguments.optional(4),
                            arguments.optional(5), arguments.optional(6)},
                           nulls) > 0;
}

// Find the message that stands under the key; false when there is none.
bool find(Datum user_id, Datum scheduled_for, const Arguments &arguments)
{
    const char nulls[] = {' ', ' ', arguments.null_flag(5)};
    return find_standing.execute({user_id, scheduled_for, arguments.optional(5)}, nulls) > 0;
}

// Enqueue the message; returns its id and whether it is new. Retention may delete the one that
// stands under the key, just before it is found.
pg_uuid_t schedule(const Arguments &arguments, bool *created)
{
    const Datum user_id = arguments.required(0, "user_id");
    const Datum scheduled_for = TimestampTzGetDatum(arguments.timestamp(1, "scheduled_for"));
    lock_user(user_id);
    for (int look = 0; look < 2; look++) {
        *created = enqueue_message(user_id, scheduled_for, arguments);
        if (*created) {
            if (DatumGetTimestampTz(scheduled_for) <= now())
                notify_workers();
            return enqueued_id();
        }
        if (find(user_id, scheduled_for, arguments))
            return *DatumGetUUIDP(result_field(0, 1));
    }
    refuse_suppressed("scheduled_messages");
}

} // namespace

COMPANION_FUNCTION(schedule_message)
{
    Arguments arguments(fcinfo);
    check_arguments(arguments);
    bool created;
    pg_uuid_t id = with_spi([&] { return schedule(arguments, &created); });
    return as_only_row(fcinfo, {{UUIDPGetDatum(&id), false}, {BoolGetDatum(created), false}});
}

COMPANION_FUNCTION(next_checkin)
{
    Arguments arguments(fcinfo);
    Datum user_id = arguments.required(0, "user_id");
    TimestampTz at = arguments.timestamp(1, "at");
    if (!may_act_for(user_id))
        PG_RETURN_NULL();
    TimestampTz next = with_spi([&] {
        Datum gap = PointerGetDatum(seconds_interval(settings::min_gap));
        bool found = find_next_checkin.execute({user_id, TimestampTzGetDatum(at), gap}) > 0;
        return found ? DatumGetTimestampTz(result_field(0, 1)) : DT_NOEND;
    });
    if (next == DT_NOEND)
        PG_RETURN_NULL();
    PG_RETURN_TIMESTAMPTZ(next);
}
