// Retention: what is old enough goes.
#include "cron/retention.hpp"

#include "policy/caps.hpp"
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

// Whoever looks for what is delivered again, or links the address anew, has the user's row.
Statement delete_addresses{R"sql(
    WITH old AS MATERIALIZED (
        SELECT a.user_id, a.channel, a.bot, a.address
        FROM companion.addresses AS a
        CROSS JOIN LATERAL (
            SELECT ARRAY[coalesce(u.telegram_user_id::text, ''), coalesce(u.whatsapp_number, ''),
                         coalesce(lower(u.email COLLATE "C"), '')] AS own
            FROM companion.users AS u WHERE u.id = a.user_id
            FOR NO KEY UPDATE SKIP LOCKED) AS held
        WHERE a.unlinked_at < $1 AND a.address <> ALL (held.own)
        ORDER BY a.unlinked_at LIMIT $2
        FOR UPDATE OF a SKIP LOCKED)
    DELETE FROM companion.addresses AS a USING old
    WHERE a.user_id = old.user_id AND a.channel = old.channel AND a.bot = old.bot
        AND a.address = old.address
)sql",
                           TIMESTAMPTZOID, INT8OID};

Statement delete_early_edits{R"sql(
    WITH old AS MATERIALIZED (
        SELECT e.user_id, e.external_id, e.id
        FROM companion.early_edits AS e
        CROSS JOIN LATERAL (
            SELECT FROM companion.users AS u WHERE u.id = e.user_id
            FOR NO KEY UPDATE SKIP LOCKED) AS held
        WHERE e.received_at < $1
        ORDER BY e.received_at LIMIT $2
        FOR UPDATE OF e SKIP LOCKED)
    DELETE FROM companion.early_edits AS e USING old
    WHERE e.user_id = old.user_id AND e.external_id = old.external_id AND e.id = old.id
)sql",
                             TIMESTAMPTZOID, INT8OID};

Statement delete_cap_starts{R"sql(
    WITH old AS MATERIALIZED (
        SELECT s.user_id, s.cap_group
        FROM companion.cap_starts AS s
        WHERE coalesce(s.started_at[array_upper(s.started_at, 1)] < $1, true)
        LIMIT $2
        FOR UPDATE SKIP LOCKED)
    DELETE FROM companion.cap_starts AS s USING old
    WHERE s.user_id = old.user_id AND s.cap_group = old.cap_group
)sql",
                            TIMESTAMPTZOID, INT8OID};

// For how long an edit waits for its message: as long as messengers deliver again.
constexpr int64 edit_kept = 7 * USECS_PER_DAY;

// Delete the rows of a table that are older than a time, max_rows of them at most.
uint64 expire(Statement &deletion, TimestampTz before, int64 max_rows)
{
    return with_spi([&] {
        return deletion.execute({TimestampTzGetDatum(before), Int64GetDatum(max_rows)});
    });
}

uint64 expire_messages(int64 max_rows)
{
    return expire(delete_messages, kept_since(), max_rows);
}

} // namespace

COMPANION_FUNCTION(expire_messages)
{
    PG_RETURN_INT64(expire_messages(batch_size(Arguments(fcinfo), 0)));
}

COMPANION_FUNCTION(expire_addresses)
{
    PG_RETURN_INT64(expire(delete_addresses, kept_since(), batch_size(Arguments(fcinfo), 0)));
}

COMPANION_FUNCTION(expire_early_edits)
{
    PG_RETURN_INT64(
        expire(delete_early_edits, now() - edit_kept, batch_size(Arguments(fcinfo), 0)));
}

COMPANION_FUNCTION(expire_cap_starts)
{
    PG_RETURN_INT64(
        expire(delete_cap_starts, now() - longest_counted(), batch_size(Arguments(fcinfo), 0)));
}

// Named by the SQL of 0.1.0, which must be there to be updated, and is refused until it is.
COMPANION_FUNCTION(apply_retention)
{
    PG_RETURN_INT64(expire_messages(PG_INT32_MAX));
}
