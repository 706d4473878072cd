// Messages that no worker will finish.
#include "scheduling/abandoned.hpp"

#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"

namespace companion {

static Statement drop{
    "WITH dropped AS ("
    " DELETE FROM companion.dispatch_queue AS q USING unnest($1, $2) AS lost (user_id, message_id)"
    " WHERE q.user_id = lost.user_id AND q.message_id = lost.message_id"
    " RETURNING q.*)"
    "UPDATE companion.scheduled_messages AS m"
    " SET status = outcome.status, failure_reason = outcome.reason,"
    "     finished_at = $3, attempts = d.attempt, worker = d.worker"
    " FROM dropped AS d"
    " CROSS JOIN LATERAL (SELECT 'unknown', 'no report after start_send' WHERE d.sending"
    "   UNION ALL SELECT 'skipped', 'not sent before ' || d.send_before"
    "             WHERE NOT d.sending AND d.send_before <= $3"
    "   UNION ALL SELECT 'failed', d.attempt || ' attempts ended without a report'"
    "             WHERE NOT d.sending AND d.send_before > $3) AS outcome (status, reason)"
    " WHERE m.user_id = d.user_id AND m.id = d.message_id",
    UUIDARRAYOID, UUIDARRAYOID, TIMESTAMPTZOID};

// Let go of what may be sent twice rather than not at all.
static Statement release_unknown{
    "UPDATE companion.dispatch_queue AS q SET sending = false, leased_until = '-infinity'"
    " FROM companion.scheduled_messages AS m"
    " WHERE q.sending AND q.leased_until <= $1 AND q.attempt < $2"
    "   AND m.user_id = q.user_id AND m.id = q.message_id"
    "   AND m.kind = ANY (string_to_array(replace($3, ' ', ''), ','))",
    TIMESTAMPTZOID, INT4OID, TEXTOID};

static Statement find_abandoned{
    "SELECT user_id, message_id FROM companion.dispatch_queue"
    " WHERE leased_until <= $1 AND (sending OR send_before <= $1 OR attempt >= $2)"
    " ORDER BY visible_at LIMIT $3 FOR UPDATE SKIP LOCKED",
    TIMESTAMPTZOID, INT4OID, INT8OID};

uint64 give_up(Datum user_ids, Datum message_ids, TimestampTz at)
{
    return drop.execute({user_ids, message_ids, TimestampTzGetDatum(at)});
}

static uint64 finish_abandoned(int64 max_rows)
{
    const Datum at = TimestampTzGetDatum(now());
    const Datum max_attempts = Int32GetDatum(settings::max_attempts);
    release_unknown.execute({at, max_attempts, CStringGetTextDatum(settings::retry_unknown)});
    ArrayBuilder user_ids(UUIDOID), message_ids(UUIDOID);
    uint64 rows = find_abandoned.execute({at, max_attempts, Int64GetDatum(max_rows)});
    for (uint64 row = 0; row < rows; row++) {
        user_ids.add(result_field(row, 1));
        message_ids.add(result_field(row, 2));
    }
    return give_up(user_ids.finish(), message_ids.finish(), now());
}

} // namespace companion

COMPANION_FUNCTION(finish_abandoned)
{
    using namespace companion;
    int64 max_rows = batch_size(Arguments(fcinfo), 0);
    PG_RETURN_INT64(with_spi([max_rows] { return finish_abandoned(max_rows); }));
}
