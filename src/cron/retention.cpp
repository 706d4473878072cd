// Retention: what is old enough goes.
#include "cron/retention.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"

using namespace companion;

namespace {

// Users who are being erased, and messages that somebody is changing, are passed over. The
// look-up of the user's row keeps to the lock order, and needs no more than to find it.
Statement delete_messages{R"sql(
    WITH old AS MATERIALIZED (
        SELECT m.user_id, m.id
        FROM companion.scheduled_messages AS m
        CROSS JOIN LATERAL (
            SELECT FROM companion.users AS u WHERE u.id = m.user_id
            FOR KEY SHARE SKIP LOCKED) AS held
        WHERE m.created_at < $1 AND m.finished_at < $1 AND m.status <> 'pending'
        ORDER BY m.created_at LIMIT $2
        FOR UPDATE OF m SKIP LOCKED)
    DELETE FROM companion.scheduled_messages AS m USING old
    WHERE m.user_id = old.user_id AND m.id = old.id
)sql",
                          TIMESTAMPTZOID, INT8OID};

uint64 expire_messages(int64 max_rows)
{
    return with_spi([max_rows] {
        return delete_messages.execute(
            {TimestampTzGetDatum(kept_since()), Int64GetDatum(max_rows)});
    });
}

} // namespace

COMPANION_FUNCTION(expire_messages)
{
    PG_RETURN_INT64(expire_messages(batch_size(Arguments(fcinfo), 0)));
}

// Named by the SQL of 0.1.0, which must be there to be updated, and is refused until it is.
COMPANION_FUNCTION(apply_retention)
{
    PG_RETURN_INT64(expire_messages(PG_INT32_MAX));
}
