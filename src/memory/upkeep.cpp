// What happens to items besides being remembered: used, resolved, expired, forgotten.
#include "identity/acting.hpp"
#include "memory/history.hpp"
#include "postgres/arguments.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "postgres/triggered.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

Statement touch{"UPDATE companion.user_context"
                " SET last_referenced_at = greatest(last_referenced_at, companion.now()),"
                "     updated_at = companion.now()"
                " WHERE user_id = $1 AND id = ANY ($2)"
                "   AND (expires_at IS NULL OR expires_at > companion.now())",
                UUIDOID, UUIDARRAYOID};

Statement resolve{"UPDATE companion.user_context"
                  " SET resolved_at = companion.now(), updated_at = companion.now()"
                  " WHERE user_id = $1 AND category = $2 AND key = $3 AND resolved_at IS NULL"
                  "   AND (expires_at IS NULL OR expires_at > companion.now())",
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
    archived AS ()sql" ARCHIVE_DROPPED R"sql()
    SELECT count(*), )sql" IS_ARCHIVED R"sql( FROM dropped AS d)sql",
                 INT8OID};

#define OF_USER " WHERE user_id = $1 AND ($2 IS NULL OR category = $2) AND ($3 IS NULL OR key = $3)"
Statement forget_items{"DELETE FROM companion.user_context" OF_USER, UUIDOID, TEXTOID, TEXTOID};
Statement forget_history{"DELETE FROM companion.user_context_history" OF_USER, UUIDOID, TEXTOID,
                         TEXTOID};

struct Forgotten {
    uint64 items, history;
};

// The items first: whoever supersedes one of them meanwhile is waited for, and the
// second statement sees what went into the history.
Forgotten forget(Datum user_id, const Arguments &arguments)
{
    const Datum category = arguments.optional(1), key = arguments.optional(2);
    const char nulls[] = {' ', arguments.null_flag(1), arguments.null_flag(2)};
    try_lock_user(user_id);
    const uint64 items = forget_items.execute({user_id, category, key}, nulls);
    return {items, forget_history.execute({user_id, category, key}, nulls)};
}

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

COMPANION_FUNCTION(forget_user_context)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    if (arguments.is_null(1) && !arguments.is_null(2))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("a key to forget needs its category"));
    const Forgotten forgotten = act_for(user_id, [&] { return forget(user_id, arguments); });
    return as_only_row(fcinfo, {{Int64GetDatum(forgotten.items), false},
                                {Int64GetDatum(forgotten.history), false}});
}
