// What happens to items besides being remembered: used, resolved, expired.
#include "identity/acting.hpp"
#include "memory/history.hpp"
#include "postgres/arguments.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "postgres/triggered.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

Statement touch{R"sql(
    UPDATE companion.user_context AS c
    SET last_used_at = greatest(c.last_used_at, companion.now()),
        last_referenced_at = greatest(c.last_referenced_at, companion.now()),
        updated_at = companion.now()
    WHERE c.user_id = $1 AND c.id = ANY ($2)
        AND (c.expires_at IS NULL OR c.expires_at > companion.now()))sql",
                UUIDOID, UUIDARRAYOID};

Statement resolve{R"sql(
    UPDATE companion.user_context AS c
    SET resolved_at = companion.now(), updated_at = companion.now()
    WHERE c.user_id = $1 AND c.category = companion.normalized($2)
        AND c.folded_key = companion.folded($3) AND c.resolved_at IS NULL
        AND (c.expires_at IS NULL OR c.expires_at > companion.now()))sql",
                  UUIDOID, TEXTOID, TEXTOID};

// The history's foreign key will ask for the user's row: who holds that is passed over, too.
// Returns how many were deleted, and whether all that held once is in the history.
Statement expire{R"sql(
    WITH expired AS (
        SELECT c.user_id, c.id
        FROM companion.user_context AS c JOIN companion.users AS u ON u.id = c.user_id
        WHERE c.expires_at <= companion.now()
        ORDER BY c.expires_at LIMIT $1
        FOR KEY SHARE OF u SKIP LOCKED FOR UPDATE OF c SKIP LOCKED),
    dropped AS (
        DELETE FROM companion.user_context AS c USING expired AS e
        WHERE c.user_id = e.user_id AND c.id = e.id
        RETURNING )sql" DROPPED R"sql(),
    unembedded AS ()sql" DROP_EMBEDDINGS R"sql(),
    archived AS ()sql" ARCHIVE_DROPPED R"sql()
    SELECT count(*), )sql" IS_ARCHIVED R"sql( FROM dropped AS d)sql",
                 INT8OID};

} // namespace

COMPANION_FUNCTION(touch_user_context)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const Datum ids = PointerGetDatum(arguments.array(1, "ids"));
    PG_RETURN_INT64(act_for(user_id, [&] {
        try_lock_user(user_id);
        return touch.execute({user_id, ids});
    }));
}

COMPANION_FUNCTION(resolve_user_context)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const Datum category = arguments.required(1, "category"), key = arguments.required(2, "key");
    PG_RETURN_BOOL(act_for(user_id, [&] { return resolve.execute({user_id, category, key}) > 0; }));
}

COMPANION_FUNCTION(expire_user_context)
{
    const int64 max_rows = batch_size(Arguments(fcinfo), 0);
    PG_RETURN_INT64(with_spi([max_rows] {
        expire.execute({Int64GetDatum(max_rows)});
        if (!DatumGetBool(result_field(0, 2)))
            refuse_suppressed("user_context_history");
        return DatumGetInt64(result_field(0, 1));
    }));
}
