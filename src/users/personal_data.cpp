// A person's rights over their data: to have all of it, and to have all of it deleted.
// The statements are made from the catalog, so that no table is forgotten.
#include "users/personal_data.hpp"

#include "identity/acting.hpp"
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"

namespace companion {

static Statement describe_export{R"sql(
    SELECT 'SELECT jsonb_build_object(' || string_agg(
        CASE WHEN is_readable THEN format(
            '%L, (SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY %s), ''[]'')
                  FROM (SELECT %s FROM %s WHERE %s) AS r)', name, key, columns, relation, condition)
        ELSE format('%L, ''[]''::jsonb', name) END, ', ' ORDER BY name) || ')'
    FROM companion.personal_tables
)sql"};

// Each table's rows are deleted before those that they refer to, and so by us: what a foreign
// key deletes or changes, and the triggers on it, would have the table owner's rights.
static Statement describe_erasure{R"sql(
    WITH described AS (
        SELECT *, format('SELECT %L WHERE EXISTS (SELECT FROM %s WHERE %s)',
                         name, relation, condition) AS search
        FROM companion.personal_tables)
    SELECT name,
           format('WITH gone AS (DELETE FROM %1$s WHERE %2$s RETURNING 1)
                   SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM %1$s WHERE %2$s)',
                  relation, condition),
           search,
           string_agg(search, ' UNION ALL ') FILTER (WHERE condition = 'user_id = $1') OVER ()
    FROM described
    ORDER BY name = 'users', erasure_order, name <> 'dispatch_queue', name
)sql"};

// New rows of the user wait for this, or are seen by what follows; so do new messages for that
// of their conversation.
static Statement lock_user_for_erasure{R"sql(
    SELECT FROM companion.users WHERE id = $1 FOR UPDATE
)sql",
                                       UUIDOID};
static Statement lock_conversations{R"sql(
    SELECT FROM companion.conversations WHERE user_id = $1 ORDER BY id FOR UPDATE
)sql",
                                    UUIDOID};

static Statement counts_of_tables{R"sql(
    SELECT jsonb_object_agg(name, deleted) FROM unnest($1, $2) AS erased (name, deleted)
)sql",
                                  TEXTARRAYOID, INT8ARRAYOID};

// Execute a statement about a user; returns the number of rows.
static uint64 execute_described(const char *sql, Datum user_id)
{
    Oid types[] = {UUIDOID};
    Datum values[] = {user_id};
    const int result = SPI_execute_with_args(sql, 1, types, values, nullptr, false, 0);
    if (result < 0)
        // Unreached: what the catalog describes can be run
        elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
    return SPI_processed;
}

static Datum export_user(Datum user_id)
{
    describe_export.execute({});
    execute_described(TextDatumGetCString(result_field(0, 1)), user_id);
    return SPI_datumTransfer(result_field(0, 1), false, -1);
}

// Refuse to go on where a search, as described, finds a table that still has rows of the user.
// Error 09000.
static void require_none_left(const char *search, Datum user_id)
{
    if (execute_described(search, user_id) > 0)
        ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
                errmsg("a trigger keeps rows of the user in table \"%s\"",
                       TextDatumGetCString(result_field(0, 1))),
                errhint("Nothing was erased."));
}

// Delete the user's rows of a table, as described; returns how many. What somebody else deletes
// meanwhile is seen, and not deleted by us.
static int64 erase_from(const char *deletion, const char *search, Datum user_id)
{
    execute_described(deletion, user_id);
    const int64 deleted = DatumGetInt64(result_field(0, 1)),
                seen = DatumGetInt64(result_field(0, 2));
    if (deleted < seen)
        require_none_left(search, user_id);
    return deleted;
}

// Delete all of the user's rows, as described; returns how many of which table. Before the last,
// which is that of users, no other may have any, since a trigger has put one back.
static Datum erase_tables(const SPITupleTable *described, uint64 tables, Datum user_id)
{
    ArrayBuilder names(TEXTOID), counts(INT8OID);
    for (uint64 row = 0; row < tables; row++) {
        const auto field = [&](int column) {
            return SPI_getvalue(described->vals[row], described->tupdesc, column);
        };
        if (row + 1 == tables)
            require_none_left(field(4), user_id);
        names.add(CStringGetTextDatum(field(1)));
        counts.add(Int64GetDatum(erase_from(field(2), field(3), user_id)));
    }
    counts_of_tables.execute({names.finish(), counts.finish()});
    return SPI_datumTransfer(result_field(0, 1), false, -1);
}

Datum erase_user(Datum user_id)
{
    lock_user_for_erasure.execute({user_id});
    lock_conversations.execute({user_id});
    const uint64 tables = describe_erasure.execute({});
    return erase_tables(SPI_tuptable, tables, user_id);
}

} // namespace companion

COMPANION_FUNCTION(export_user)
{
    const Datum user_id = companion::Arguments(fcinfo).required(0, "user_id");
    return companion::act_for(
        user_id, [&] { return companion::export_user(user_id); }, companion::Others::admins);
}

COMPANION_FUNCTION(erase_user)
{
    const Datum user_id = companion::Arguments(fcinfo).required(0, "user_id");
    return companion::act_for(
        user_id, [&] { return companion::erase_user(user_id); }, companion::Others::admins);
}
