// Scheduling one message by hand.
#include "channels/channel.hpp"
#include "conversations/messages.hpp"
#include "policy/kind.hpp"
#include "postgres/arguments.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "scheduling/annotation.hpp"
#include "sending/notify.hpp"
#include "sending/pending.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

// $1 user, $2 scheduled_for, $3 content, $4 kind, $5 channel, $6 idempotency_key,
// $7 generation_context, $8 send_before, $9 cancel_on_reply, $10 priority_level, $11 topic_key,
// $12 metadata, $13 head_start. A message given no key is its own occasion: its id is the key.
// Returns the new message, and of its two rows what a trigger has made of them: a column that is
// other than written, and whether there is one.
Statement enqueue{R"sql(
    WITH message AS MATERIALIZED (
        SELECT u.id AS user_id, m.id, u.timezone, m.local_time::date AS local_date,
            coalesce($6, CASE WHEN $4 = 'checkin' THEN companion.checkin_key(m.local_time::date)
                ELSE m.id::text END) AS idempotency_key,
            companion.choose_channel(u.usable_addresses, coalesce($5, u.preferred_channel))
                AS channel,
            companion.unknown_start(u.quiet_from, u.quiet_until) AS start_before
        FROM companion.users AS u
        CROSS JOIN LATERAL (
            SELECT companion.uuid_v7() AS id, companion.local_timestamp(u.timezone, $2) AS local_time
            OFFSET 0) AS m
        WHERE u.id = $1),
    enqueued AS (
        INSERT INTO companion.scheduled_messages
            (user_id, id, kind, idempotency_key, local_date, timezone, scheduled_for, send_before,
             channel, wanted_channel, content, generation_context, cancel_on_reply,
             priority_level, topic_key, metadata, status, failure_reason, finished_at)
        SELECT user_id, id, $4, idempotency_key, local_date, timezone, $2, $8, channel, $5, $3, $7,
            $9, $10, $11, $12,
            CASE WHEN channel IS NULL THEN 'skipped' ELSE 'pending' END,
            CASE WHEN channel IS NULL THEN 'no channel reaches the user' END,
            CASE WHEN channel IS NULL THEN companion.now() END
        FROM message
        ON CONFLICT (user_id, idempotency_key) DO NOTHING
        RETURNING user_id, id, idempotency_key, scheduled_for, send_before, channel, status),
    queued AS (
        INSERT INTO companion.dispatch_queue
            (visible_at, send_before, user_id, message_id, channel, kind, head_start, start_before)
        SELECT e.scheduled_for, e.send_before, e.user_id, e.id, e.channel, $4, $13, m.start_before
        FROM enqueued AS e CROSS JOIN message AS m
        WHERE e.status = 'pending'
        RETURNING user_id, message_id)
    SELECT e.id,
        CASE WHEN e.user_id <> m.user_id THEN 'user_id'
            WHEN e.id <> m.id THEN 'id'
            WHEN e.idempotency_key <> m.idempotency_key THEN 'idempotency_key' END,
        q.message_id IS NOT NULL OR e.status <> 'pending',
        CASE WHEN q.user_id <> m.user_id THEN 'user_id'
            WHEN q.message_id <> m.id THEN 'message_id' END
    FROM message AS m CROSS JOIN enqueued AS e LEFT JOIN queued AS q ON true
)sql",   UUIDOID,        TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID,  TEXTOID,
                  JSONBOID, TIMESTAMPTZOID, BOOLOID,        INT2OID, TEXTOID, JSONBOID, INT4OID};

// The same for $14, a message that stands under the key: it is as if it were scheduled now, but
// that attempts go on from where they were, so that who claimed it before is not taken for who does
// now.
Statement renew{R"sql(
    WITH message AS MATERIALIZED (
        SELECT u.id AS user_id, m.id, m.idempotency_key, m.attempts, u.timezone,
            companion.local_timestamp(u.timezone, $2)::date AS local_date,
            companion.choose_channel(u.usable_addresses, coalesce($5, u.preferred_channel))
                AS channel,
            companion.unknown_start(u.quiet_from, u.quiet_until) AS start_before
        FROM companion.users AS u
        JOIN companion.scheduled_messages AS m ON m.user_id = u.id AND m.id = $14
        WHERE u.id = $1 AND coalesce($6, m.idempotency_key) = m.idempotency_key),
    renewed AS (
        UPDATE companion.scheduled_messages AS m
        SET kind = $4, local_date = n.local_date, timezone = n.timezone, scheduled_for = $2,
            send_before = $8, channel = n.channel, wanted_channel = $5, content = $3,
            generation_context = $7, cancel_on_reply = $9, priority_level = $10,
            topic_key = $11, metadata = $12, attempts = 0, tries = 0, worker = NULL,
            status = CASE WHEN n.channel IS NULL THEN 'skipped' ELSE 'pending' END,
            failure_reason = CASE WHEN n.channel IS NULL THEN 'no channel reaches the user' END,
            finished_at = CASE WHEN n.channel IS NULL THEN companion.now() END
        FROM message AS n
        WHERE m.user_id = n.user_id AND m.id = n.id
        RETURNING m.user_id, m.id, m.idempotency_key, m.status),
    unqueued AS (
        DELETE FROM companion.dispatch_queue AS q USING message AS n
        WHERE q.user_id = n.user_id AND q.message_id = n.id AND n.channel IS NULL),
    queued AS (
        INSERT INTO companion.dispatch_queue AS q
            (visible_at, send_before, user_id, message_id, channel, attempt, kind, head_start,
             start_before)
        SELECT $2, $8, user_id, id, channel, attempts, $4, $13, start_before
        FROM message WHERE channel IS NOT NULL
        ON CONFLICT (user_id, message_id) DO UPDATE
        SET visible_at = excluded.visible_at, send_before = excluded.send_before,
            channel = excluded.channel, leased_until = '-infinity', kind = excluded.kind,
            head_start = excluded.head_start, tries = 0, claims = 0, last_error = NULL, waits_for = NULL,
            last_failed_at = NULL, start_before = excluded.start_before
        RETURNING q.user_id, q.message_id)
    SELECT e.id,
        CASE WHEN e.user_id <> m.user_id THEN 'user_id'
            WHEN e.id <> m.id THEN 'id'
            WHEN e.idempotency_key <> m.idempotency_key THEN 'idempotency_key' END,
        q.message_id IS NOT NULL OR e.status <> 'pending',
        CASE WHEN q.user_id <> m.user_id THEN 'user_id'
            WHEN q.message_id <> m.id THEN 'message_id' END
    FROM message AS m CROSS JOIN renewed AS e LEFT JOIN queued AS q ON true
)sql",         UUIDOID, TIMESTAMPTZOID, TEXTOID, TEXTOID,  TEXTOID, TEXTOID, JSONBOID,
                TIMESTAMPTZOID, BOOLOID, INT2OID,        TEXTOID, JSONBOID, INT4OID, UUIDOID};

Statement find_standing{R"sql(
    SELECT m.id, m.status, m.kind FROM companion.users AS u
    JOIN companion.scheduled_messages AS m ON m.user_id = u.id AND m.idempotency_key =
        coalesce($3, companion.checkin_key(companion.local_timestamp(u.timezone, $2)::date))
    WHERE u.id = $1
)sql",
                        UUIDOID, TIMESTAMPTZOID, TEXTOID};

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

// Until when it may be sent: as its kind says where no time is given. Error 22023 for one that is
// not after that at which it is due.
TimestampTz read_send_before(const Arguments &arguments, TimestampTz scheduled_for,
                             const Kind &kind)
{
    if (arguments.is_null(7))
        return kind.send_before(Max(scheduled_for, now()));
    const TimestampTz send_before = DatumGetTimestampTz(arguments.optional(7));
    if (send_before <= scheduled_for)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("send_before is not after scheduled_for"));
    return send_before;
}

// What schedule_message() is given.
struct Wanted {
    Arguments arguments;
    Datum user_id;
    TimestampTz scheduled_for, send_before;
    bool replace;
    NullableDatum cancel_on_reply;
    Annotation annotation;
    Kind kind;
};

Wanted read_wanted(const Arguments &arguments)
{
    check_arguments(arguments);
    const TimestampTz scheduled_for = arguments.timestamp(1, "scheduled_for");
    const Kind kind = kind_of(arguments.text(3, "kind"));
    return {arguments,
            arguments.required(0, "user_id"),
            scheduled_for,
            read_send_before(arguments, scheduled_for, kind),
            DatumGetBool(arguments.required(8, "replace")),
            arguments.nullable(9),
            read_annotation(arguments, 10),
            kind};
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

// The id of the message that has just been enqueued, of which workers are told if it is due.
pg_uuid_t enqueued_id(TimestampTz scheduled_for)
{
    require_unchanged("scheduled_messages", 2);
    if (!DatumGetBool(result_field(0, 3)))
        refuse_suppressed("dispatch_queue");
    require_unchanged("dispatch_queue", 4);
    if (scheduled_for <= now())
        notify_workers();
    return *DatumGetUUIDP(result_field(0, 1));
}

// The parameters of enqueue, which those of renew begin with.
constexpr int enqueue_parameters = 13;
struct Parameters {
    Datum values[enqueue_parameters + 1];
    char nulls[enqueue_parameters + 1];
};

Parameters parameters_of(const Wanted &wanted, Datum message_id)
{
    const NullableDatum fields[] = {{wanted.user_id},
                                    {TimestampTzGetDatum(wanted.scheduled_for)},
                                    wanted.arguments.nullable(2),
                                    wanted.arguments.nullable(3),
                                    wanted.arguments.nullable(4),
                                    wanted.arguments.nullable(5),
                                    wanted.arguments.nullable(6),
                                    {TimestampTzGetDatum(wanted.send_before)},
                                    wanted.cancel_on_reply,
                                    wanted.annotation.priority_level,
                                    wanted.annotation.topic_key,
                                    wanted.annotation.metadata,
                                    {Int32GetDatum(wanted.kind.head_start)},
                                    {message_id}};
    Parameters parameters;
    for (int index = 0; index <= enqueue_parameters; index++) {
        parameters.values[index] = fields[index].value;
        parameters.nulls[index] = null_flag(fields[index]);
    }
    return parameters;
}

// Enqueue the message; false where one stands already under its key.
bool enqueue_message(const Wanted &wanted)
{
    const Parameters parameters = parameters_of(wanted, Datum{0});
    return enqueue.execute(parameters.values, enqueue_parameters, parameters.nulls) > 0;
}

// Have the message that stands under the key be this one. Error 09000.
void renew_message(const Wanted &wanted, const pg_uuid_t &message_id)
{
    const Parameters parameters = parameters_of(wanted, UUIDPGetDatum(&message_id));
    if (renew.execute(parameters.values, enqueue_parameters + 1, parameters.nulls) == 0)
        refuse_suppressed("scheduled_messages");
    enqueued_id(wanted.scheduled_for);
}

// The message that stands under a key.
struct Standing {
    pg_uuid_t id;
    bool is_pending, is_revivable;
};

// False when there is none. A check-in that was cancelled stays so for its day.
bool find(const Wanted &wanted, Standing *standing)
{
    const char nulls[] = {' ', ' ', wanted.arguments.null_flag(5)};
    if (find_standing.execute({wanted.user_id, TimestampTzGetDatum(wanted.scheduled_for),
                               wanted.arguments.optional(5)},
                              nulls) == 0)
        return false;
    const std::string_view status = text_view(result_field(0, 2));
    *standing = {*DatumGetUUIDP(result_field(0, 1)), status == "pending",
                 status == "cancelled" && text_view(result_field(0, 3)) != "checkin"};
    return true;
}

// Whether it is on the queue and not being sent; its row is locked.
bool is_replaceable(const Wanted &wanted, const pg_uuid_t &message_id)
{
    const PendingMessages pending(*DatumGetUUIDP(wanted.user_id),
                                  {UUIDPGetDatum(&message_id), false});
    return pending.size() > 0 && !pending.at(0).row.sending;
}

// Revive the one that stands, if it was cancelled, or replace it where that is wanted and it is
// pending; returns whether it is scheduled anew, as one that was cancelled is.
bool take_over(const Wanted &wanted, const Standing &standing)
{
    const bool is_replaced =
        wanted.replace && standing.is_pending && is_replaceable(wanted, standing.id);
    if (standing.is_revivable || is_replaced)
        renew_message(wanted, standing.id);
    return standing.is_revivable;
}

// Enqueue the message; returns its id and whether it is new. Retention may delete the one that
// stands under the key, just before it is found.
pg_uuid_t schedule(const Wanted &wanted, bool *created)
{
    lock_user(wanted.user_id);
    for (int look = 0; look < 2; look++) {
        *created = enqueue_message(wanted);
        if (*created)
            return enqueued_id(wanted.scheduled_for);
        if (Standing standing; find(wanted, &standing)) {
            *created = take_over(wanted, standing);
            return standing.id;
        }
    }
    refuse_suppressed("scheduled_messages");
}

} // namespace

COMPANION_FUNCTION(schedule_message)
{
    PreventCommandIfReadOnly("schedule_message()");
    const Wanted wanted = read_wanted(Arguments(fcinfo));
    bool created;
    pg_uuid_t id = with_spi([&] { return schedule(wanted, &created); });
    return as_only_row(fcinfo, {{UUIDPGetDatum(&id), false}, {BoolGetDatum(created), false}});
}
