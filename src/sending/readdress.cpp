// A user is reached elsewhere: what is pending follows.
//
// In the transaction that changes it, and under the row's lock: either the message is started
// before it, or after it by who was told of the new address.
#include "channels/usable.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"
#include "postgres/written_row.hpp"
#include "sending/finish.hpp"
#include "sending/notify.hpp"

using namespace companion;

namespace {

Statement lock_pending{R"sql(
    SELECT message_id, channel, attempt, worker, leased_until, sending, addresses IS NOT NULL
    FROM companion.dispatch_queue WHERE user_id = $1 ORDER BY message_id FOR NO KEY UPDATE
)sql",
                       UUIDOID};

Statement keep_told{R"sql(
    UPDATE companion.dispatch_queue AS q SET bot = $3, addresses = $4
    WHERE user_id = $1 AND message_id = $2
    RETURNING q.user_id = $1 AND q.message_id = $2 AND q.addresses = $4
)sql",
                    UUIDOID, UUIDOID, TEXTOID, TEXTARRAYOID};

// A claim that has not been started is given back.
Statement move{R"sql(
    WITH queued AS (
        UPDATE companion.dispatch_queue AS q SET channel = $3, leased_until = '-infinity'
        WHERE user_id = $1 AND message_id = $2
        RETURNING q.user_id = $1 AND q.message_id = $2 AND q.channel = $3
            AND q.leased_until = '-infinity' AS is_written),
    scheduled AS (
        UPDATE companion.scheduled_messages AS m SET channel = $3
        WHERE user_id = $1 AND id = $2 AND m.channel <> $3)
    SELECT is_written FROM queued
)sql",
               UUIDOID, UUIDOID, TEXTOID};

Statement remove_queued{R"sql(
    DELETE FROM companion.dispatch_queue WHERE user_id = $1 AND message_id = $2
)sql",
                        UUIDOID, UUIDOID};

// Where a user was reached, and is now.
struct Reach {
    pg_uuid_t user_id;
    UsableAddresses before, now;
    NullableDatum preferred;
};

bool is_same(const Destination &a, const Destination &b)
{
    return a.addresses.isnull == b.addresses.isnull &&
           (a.addresses.isnull ||
            (text_view(a.bot.value) == text_view(b.bot.value) &&
             datum_image_eq(a.addresses.value, b.addresses.value, false, -1)));
}

// Refuse what a trigger has made of the row that was changed. Error 09000.
void require_changed(uint64 rows)
{
    if (rows == 0)
        refuse_suppressed("dispatch_queue");
    if (!DatumGetBool(result_field(0, 1)))
        refuse_changed("dispatch_queue", "user_id, message_id, channel, leased_until or addresses");
}

void keep(const QueueRow &row, const Destination &told)
{
    require_changed(keep_told.execute({UUIDPGetDatum(&row.user_id), UUIDPGetDatum(&row.message_id),
                                       told.bot.value, told.addresses.value}));
}

void move_to(const QueueRow &row, Datum channel)
{
    require_changed(
        move.execute({UUIDPGetDatum(&row.user_id), UUIDPGetDatum(&row.message_id), channel}));
    notify_workers();
}

void skip(const QueueRow &row)
{
    if (remove_queued.execute({UUIDPGetDatum(&row.user_id), UUIDPGetDatum(&row.message_id)}) == 0)
        refuse_suppressed("dispatch_queue");
    Unsent unsent;
    unsent.add(row, "skipped", CStringGetTextDatum("no channel reaches the user any more"));
    unsent.record();
}

void follow(const QueueRow &row, bool has_told, const Reach &reach)
{
    const std::string_view channel = text_view(row.channel);
    const Destination before = reach.before.on(channel, reach.user_id),
                      now = reach.now.on(channel, reach.user_id);
    if (row.sending) {
        if (!has_told && !before.addresses.isnull && !is_same(before, now))
            keep(row, before);
        return;
    }
    if (!now.addresses.isnull) {
        if (row.is_claimed() && !is_same(before, now))
            move_to(row, row.channel);
        return;
    }
    const Channel *next = reach.now.choose(reach.preferred);
    if (next == nullptr)
        skip(row);
    else
        move_to(row, to_text(next->name_view()));
}

// A row of lock_pending's result.
QueueRow read_row(const SPITupleTable *rows, uint64 index, const pg_uuid_t &user_id, bool *has_told)
{
    bool is_null;
    const auto value = [&](int column) {
        return SPI_getbinval(rows->vals[index], rows->tupdesc, column, &is_null);
    };
    QueueRow row{};
    row.user_id = user_id;
    row.message_id = *DatumGetUUIDP(value(1));
    row.channel = value(2);
    row.attempt = DatumGetInt32(value(3));
    row.worker = value(4);
    if (is_null)
        row.worker = 0;
    row.leased_until = DatumGetTimestampTz(value(5));
    row.sending = DatumGetBool(value(6));
    *has_told = DatumGetBool(value(7));
    return row;
}

void follow_all(const Reach &reach)
{
    const uint64 count = lock_pending.execute({UUIDPGetDatum(&reach.user_id)});
    const SPITupleTable *rows = SPI_tuptable;
    for (uint64 index = 0; index < count; index++) {
        bool has_told;
        const QueueRow row = read_row(rows, index, reach.user_id, &has_told);
        follow(row, has_told, reach);
    }
}

} // namespace

COMPANION_FUNCTION(readdress_messages)
{
    const WrittenRow row(fcinfo);
    const Reach reach{*DatumGetUUIDP(row.nullable("id", UUIDOID).value),
                      UsableAddresses(row.before("usable_addresses", TEXTARRAYOID)),
                      UsableAddresses(row.nullable("usable_addresses", TEXTARRAYOID)),
                      row.nullable("preferred_channel", TEXTOID)};
    with_spi([&] { follow_all(reach); });
    return PointerGetDatum(nullptr);
}
