// What is pending for a user, locked.
#include "sending/pending.hpp"

#include "postgres/arguments.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "sending/finish.hpp"
#include "sending/notify.hpp"

namespace companion {

static Statement lock_pending{R"sql(
    SELECT message_id, channel, attempt, worker, leased_until, sending, addresses IS NOT NULL,
        visible_at, send_before, kind, start_before, tries, last_error, last_failed_at, waits_for,
        (SELECT m.wanted_channel FROM companion.scheduled_messages AS m
         WHERE m.user_id = q.user_id AND m.id = q.message_id)
    FROM companion.dispatch_queue AS q
    WHERE user_id = $1 AND message_id = coalesce($2, message_id)
    ORDER BY message_id FOR NO KEY UPDATE
)sql",
                              UUIDOID, UUIDOID};

// What it has waited for is not so there: it goes as soon as it is due.
static Statement move_queued{R"sql(
    WITH queued AS (
        UPDATE companion.dispatch_queue AS q
        SET channel = $3, leased_until = '-infinity', waits_for = NULL,
            visible_at = least(q.visible_at, greatest(companion.now(), (
                SELECT m.scheduled_for FROM companion.scheduled_messages AS m
                WHERE m.user_id = q.user_id AND m.id = q.message_id)))
        WHERE user_id = $1 AND message_id = $2
        RETURNING q.user_id = $1 AND q.message_id = $2 AND q.channel = $3
            AND q.leased_until = '-infinity' AS is_written),
    scheduled AS (
        UPDATE companion.scheduled_messages AS m SET channel = $3
        WHERE user_id = $1 AND id = $2 RETURNING m.channel = $3 AS is_written)
    SELECT q.is_written AND coalesce(m.is_written, NOT EXISTS (
            SELECT FROM companion.scheduled_messages WHERE user_id = $1 AND id = $2))
    FROM queued AS q LEFT JOIN scheduled AS m ON true
)sql",
                             UUIDOID, UUIDOID, TEXTOID};

static Statement remove_queued{R"sql(
    DELETE FROM companion.dispatch_queue WHERE user_id = $1 AND message_id = $2
)sql",
                               UUIDOID, UUIDOID};

bool has_pending(const pg_uuid_t &user_id)
{
    Lookup queue("dispatch_queue", "dispatch_queue_pkey", Lookup::Seen::newest);
    const bool is_there = queue.find(UUIDPGetDatum(&user_id));
    queue.close();
    return is_there;
}

PendingMessages::PendingMessages(const pg_uuid_t &user_id, NullableDatum message_id)
    : user_id_(user_id)
{
    const char nulls[] = {' ', null_flag(message_id)};
    size_ = static_cast<int>(
        lock_pending.execute_newest({UUIDPGetDatum(&user_id), message_id.value}, nulls));
    rows_ = SPI_tuptable;
}

Pending PendingMessages::at(int index) const
{
    bool is_null;
    const auto value = [&](int column) {
        return SPI_getbinval(rows_->vals[index], rows_->tupdesc, column, &is_null);
    };
    QueueRow row{};
    row.user_id = user_id_;
    row.message_id = *DatumGetUUIDP(value(1));
    row.channel = value(2);
    row.attempt = DatumGetInt32(value(3));
    row.worker = value(4);
    if (is_null)
        row.worker = 0;
    row.leased_until = DatumGetTimestampTz(value(5));
    row.sending = DatumGetBool(value(6));
    row.visible_at = DatumGetTimestampTz(value(8));
    row.send_before = DatumGetTimestampTz(value(9));
    row.kind = value(10);
    row.start_before = DatumGetTimestampTz(value(11));
    if (is_null)
        row.start_before = DT_NOEND;
    row.tries = DatumGetInt32(value(12));
    row.last_error = value(13);
    if (is_null)
        row.last_error = 0;
    row.last_failed_at = DatumGetTimestampTz(value(14));
    if (is_null)
        row.last_failed_at = DT_NOBEGIN;
    row.waits_for = value(15);
    if (is_null)
        row.waits_for = 0;
    NullableDatum wanted;
    wanted.value = value(16);
    wanted.isnull = is_null;
    return {row, DatumGetBool(value(7)), wanted};
}

void require_queue_row_written(uint64 rows, const char *columns)
{
    if (rows == 0)
        refuse_suppressed("dispatch_queue");
    if (!DatumGetBool(result_field(0, 1)))
        refuse_changed("dispatch_queue", columns);
}

void move_to_channel(const QueueRow &row, Datum channel)
{
    require_queue_row_written(
        move_queued.execute_newest(
            {UUIDPGetDatum(&row.user_id), UUIDPGetDatum(&row.message_id), channel}),
        "user_id, message_id, channel or leased_until, or its message's channel");
    notify_workers();
}

void finish_pending(const QueueRow &row, const char *status, Datum reason)
{
    if (remove_queued.execute_newest(
            {UUIDPGetDatum(&row.user_id), UUIDPGetDatum(&row.message_id)}) == 0)
        refuse_suppressed("dispatch_queue");
    Unsent unsent;
    unsent.add(row, status, reason);
    unsent.record();
}

} // namespace companion
