// Taking back, or putting off, what is scheduled: against a start_send at the same moment one wins,
// and the answer says which.
#include "policy/cancelling.hpp"

#include "identity/acting.hpp"
#include "policy/kind.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "scheduling/annotation.hpp"
#include "sending/notify.hpp"
#include "sending/pending.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

Statement find_by_key{R"sql(
    SELECT id FROM companion.scheduled_messages WHERE user_id = $1 AND idempotency_key = $2
)sql",
                      UUIDOID, TEXTOID};

Statement find_status{R"sql(
    SELECT status FROM companion.scheduled_messages WHERE user_id = $1 AND id = $2
)sql",
                      UUIDOID, UUIDOID};

// Of one kind, or of all. The lateral lookup keeps it a walk of the user's few rows on the queue.
Statement find_cancellable{R"sql(
    SELECT m.id, m.kind, m.cancel_on_reply FROM companion.dispatch_queue AS q
    CROSS JOIN LATERAL (
        SELECT m.id, m.kind, m.cancel_on_reply FROM companion.scheduled_messages AS m
        WHERE m.user_id = q.user_id AND m.id = q.message_id LIMIT 1) AS m
    WHERE q.user_id = $1 AND m.kind = coalesce($2, m.kind)
    ORDER BY m.id
)sql",
                           UUIDOID, TEXTOID};

// When a message is due, and whether another time is on another local day than a check-in is for.
Statement find_time{R"sql(
    SELECT CASE WHEN m.kind = 'checkin' THEN m.scheduled_for
            ELSE greatest(m.scheduled_for, m.created_at) END,
        m.kind = 'checkin' AND companion.local_timestamp(u.timezone, $3)::date
        <> companion.day_as_seen(u.timezone, m.timezone, m.local_date, m.scheduled_for)
    FROM companion.users AS u
    JOIN companion.scheduled_messages AS m ON m.user_id = u.id AND m.id = $2
    WHERE u.id = $1
)sql",
                    UUIDOID, UUIDOID, TIMESTAMPTZOID};

// A check-in keeps the local day that it is for. A claim is given back.
Statement set_time{R"sql(
    WITH queued AS (
        UPDATE companion.dispatch_queue AS q
        SET visible_at = $3, send_before = $4, leased_until = '-infinity', waits_for = NULL
        WHERE user_id = $1 AND message_id = $2
        RETURNING q.user_id = $1 AND q.message_id = $2 AND q.visible_at = $3
            AND q.leased_until = '-infinity' AS is_written),
    scheduled AS (
        UPDATE companion.scheduled_messages AS m
        SET scheduled_for = $3, send_before = $4,
            local_date = CASE WHEN m.kind = 'checkin' THEN m.local_date
                ELSE companion.local_timestamp(u.timezone, $3)::date END,
            timezone = CASE WHEN m.kind = 'checkin' THEN m.timezone ELSE u.timezone END
        FROM companion.users AS u
        WHERE m.user_id = $1 AND m.id = $2 AND u.id = m.user_id
        RETURNING m.user_id = $1 AND m.id = $2 AS is_written)
    SELECT (SELECT is_written FROM queued), (SELECT is_written FROM scheduled)
)sql",
                   UUIDOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID};

Statement annotate{R"sql(
    UPDATE companion.scheduled_messages AS m
    SET priority_level = coalesce($3, priority_level), topic_key = coalesce($4, topic_key),
        metadata = coalesce($5, metadata)
    WHERE user_id = $1 AND id = $2
    RETURNING m.user_id = $1 AND m.id = $2
)sql", UUIDOID, UUIDOID, INT2OID, TEXTOID, JSONBOID};

// What became of a message that is not on the queue; of one that was cancelled before it is asked.
const char *answer_of_unqueued(Datum user_id, Datum message_id, const char *of_cancelled)
{
    if (find_status.execute_newest({user_id, message_id}) == 0)
        return "not found";
    return text_view(result_field(0, 1)) == "cancelled" ? of_cancelled : "finished";
}

const char *cancel_one(Datum user_id, Datum message_id, Datum reason)
{
    const PendingMessages pending(*DatumGetUUIDP(user_id), {message_id, false});
    if (pending.size() == 0)
        return answer_of_unqueued(user_id, message_id, "cancelled");
    const QueueRow row = pending.at(0).row;
    if (row.sending)
        return "sending";
    finish_pending(row, "cancelled", reason);
    return "cancelled";
}

// Whether a row of find_cancellable is cancelled when the user writes: as the message says, else
// its kind.
bool is_cancelled_on_reply(const SPITupleTable *found, uint64 index)
{
    bool is_null;
    const Datum own = SPI_getbinval(found->vals[index], found->tupdesc, 3, &is_null);
    if (!is_null)
        return DatumGetBool(own);
    const Datum kind = SPI_getbinval(found->vals[index], found->tupdesc, 2, &is_null);
    return kind_of(text_view(kind)).cancel_on_reply;
}

int cancel_all(Datum user_id, NullableDatum kind, bool only_on_reply, Datum reason)
{
    const char nulls[] = {' ', null_flag(kind)};
    const uint64 count = find_cancellable.execute_newest({user_id, kind.value}, nulls);
    const SPITupleTable *found = SPI_tuptable;
    int cancelled = 0;
    for (uint64 index = 0; index < count; index++) {
        bool is_null;
        const Datum id = SPI_getbinval(found->vals[index], found->tupdesc, 1, &is_null);
        if (!only_on_reply || is_cancelled_on_reply(found, index))
            cancelled += strcmp(cancel_one(user_id, id, reason), "cancelled") == 0;
    }
    return cancelled;
}

// Why it is cancelled; the words of a caller who gives none. Error 22023 for one that is too long.
Datum read_reason(const Arguments &arguments, int position)
{
    if (arguments.is_null(position))
        return CStringGetTextDatum("cancelled");
    check_length("reason", arguments.text(position, "reason"), 1000);
    return arguments.optional(position);
}

// Which message is to be cancelled: by its id or its key. Error 22023 unless one is given.
void require_one_name(NullableDatum message_id, NullableDatum key)
{
    if (message_id.isnull == key.isnull)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("expected one of message_id and idempotency_key"));
}

const char *cancel(Datum user_id, NullableDatum message_id, NullableDatum key, Datum reason)
{
    if (!try_lock_user(user_id))
        return "not found";
    if (message_id.isnull) {
        if (find_by_key.execute_newest({user_id, key.value}) == 0)
            return "not found";
        message_id.value = result_field(0, 1);
    }
    return cancel_one(user_id, message_id.value, reason);
}

[[noreturn]] void refuse_other_day()
{
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("a check-in stays on its local day"),
            errhint("Cancel it, and schedule another for the other day."));
    pg_unreachable();
}

// As far after its time as before, for ever past the last time that there is.
TimestampTz shifted(TimestampTz send_before, TimestampTz from, TimestampTz to)
{
    int64 within, shifted;
    if (TIMESTAMP_NOT_FINITE(send_before) || pg_sub_s64_overflow(send_before, from, &within) ||
        pg_add_s64_overflow(to, within, &shifted) || shifted >= END_TIMESTAMP)
        return DT_NOEND;
    return shifted;
}

void put_off(const QueueRow &row, TimestampTz to)
{
    const Datum user_id = UUIDPGetDatum(&row.user_id), id = UUIDPGetDatum(&row.message_id),
                time = TimestampTzGetDatum(to);
    if (find_time.execute_newest({user_id, id, time}) == 0)
        return;
    const TimestampTz from = DatumGetTimestampTz(result_field(0, 1));
    if (DatumGetBool(result_field(0, 2)))
        refuse_other_day();
    set_time.execute_newest(
        {user_id, id, time, TimestampTzGetDatum(shifted(row.send_before, from, to))});
    require_written(1, "dispatch_queue", "user_id, message_id, visible_at or leased_until");
    require_written(2, "scheduled_messages", "user_id or id");
    if (to <= now())
        notify_workers();
}

const char *reschedule(Datum user_id, Datum message_id, TimestampTz to)
{
    if (!try_lock_user(user_id))
        return "not found";
    const PendingMessages pending(*DatumGetUUIDP(user_id), {message_id, false});
    if (pending.size() == 0)
        return answer_of_unqueued(user_id, message_id, "finished");
    const QueueRow row = pending.at(0).row;
    if (row.sending)
        return "sending";
    put_off(row, to);
    return "rescheduled";
}

bool annotate_message(Datum user_id, Datum message_id, const Annotation &annotation)
{
    if (!try_lock_user(user_id))
        return false;
    const char nulls[] = {' ', ' ', null_flag(annotation.priority_level),
                          null_flag(annotation.topic_key), null_flag(annotation.metadata)};
    if (annotate.execute_newest({user_id, message_id, annotation.priority_level.value,
                                 annotation.topic_key.value, annotation.metadata.value},
                                nulls) == 0) {
        if (find_status.execute_newest({user_id, message_id}) > 0)
            refuse_suppressed("scheduled_messages");
        return false;
    }
    if (!DatumGetBool(result_field(0, 1)))
        refuse_changed("scheduled_messages", "user_id or id");
    return true;
}

} // namespace

int companion::cancel_on_reply(Datum user_id)
{
    if (!has_pending(*DatumGetUUIDP(user_id)))
        return 0;
    lock_user(user_id);
    return cancel_all(user_id, {0, true}, true, CStringGetTextDatum("the user has written"));
}

COMPANION_FUNCTION(cancel_message)
{
    PreventCommandIfReadOnly("cancel_message()");
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const NullableDatum message_id = arguments.nullable(1), key = arguments.nullable(3);
    const Datum reason = read_reason(arguments, 2);
    require_one_name(message_id, key);
    PG_RETURN_TEXT_P(cstring_to_text(
        act_for(user_id, [&] { return cancel(user_id, message_id, key, reason); })));
}

COMPANION_FUNCTION(cancel_messages)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id"), reason = read_reason(arguments, 2);
    PG_RETURN_INT32(act_for(user_id, [&] {
        return try_lock_user(user_id) ? cancel_all(user_id, arguments.nullable(1), false, reason)
                                      : 0;
    }));
}

COMPANION_FUNCTION(reschedule_message)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id"),
                message_id = arguments.required(1, "message_id");
    const TimestampTz to = Max(arguments.timestamp(2, "scheduled_for"), now());
    PG_RETURN_TEXT_P(
        cstring_to_text(with_spi([&] { return reschedule(user_id, message_id, to); })));
}

COMPANION_FUNCTION(annotate_message)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id"),
                message_id = arguments.required(1, "message_id");
    const Annotation annotation = read_annotation(arguments, 2);
    PG_RETURN_BOOL(with_spi([&] { return annotate_message(user_id, message_id, annotation); }));
}
