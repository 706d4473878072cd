// A person's rights over their data: to have all of it, and to have all of it deleted.
// The statements are made from the catalog, so that no table is forgotten.
#include "users/personal_data.hpp"

#include "identity/acting.hpp"
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"

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
static Statement lock_whole_user{R"sql(
    SELECT FROM companion.users WHERE id = $1 FOR UPDATE
)sql",
                                 UUIDOID};
static Statement lock_queued{R"sql(
    SELECT FROM companion.dispatch_queue WHERE user_id = $1 ORDER BY message_id FOR UPDATE
)sql",
                             UUIDOID};
static Statement lock_conversations{R"sql(
    SELECT FROM companion.conversations WHERE user_id = $1 ORDER BY id FOR UPDATE
)sql",
                                    UUIDOID};

// All tables by one statement, so that no foreign key finds one without the other, and none has
// anything to do: what it changes, and the triggers on it, would have the table owner's rights.
static Statement describe_move{R"sql(
    SELECT 'WITH ' || string_agg(format(
               '%1$I AS (UPDATE %2$s SET %3$I = $2 WHERE %3$I = $1 RETURNING %3$I = $2 AS is_moved)',
               name, relation, key_column), ', ')
           || string_agg(format(' SELECT %1$L FROM %1$I WHERE is_moved IS NOT TRUE', name),
                         ' UNION ALL'),
           string_agg(format('SELECT %L WHERE EXISTS (SELECT FROM %s WHERE %I = $1)',
                             name, relation, key_column), ' UNION ALL ')
    FROM companion.personal_tables
    CROSS JOIN LATERAL (
        SELECT CASE condition WHEN 'id = $1' THEN 'id' WHEN 'user_id = $1' THEN 'user_id' END
            AS key_column) AS k
    WHERE key_column IS NOT NULL
)sql"};

static Statement find_user{"SELECT FROM companion.users WHERE id = $1", UUIDOID};

// What is left of an erased user: that they were.
static Statement note_erasure{R"sql(
    INSERT INTO companion.erased_users (user_id) VALUES ($1)
    ON CONFLICT (user_id) DO UPDATE SET erased_at = excluded.erased_at
)sql",
                              UUIDOID};
static Statement delete_erasure{"DELETE FROM companion.erased_users WHERE user_id = $1", UUIDOID};
static Statement move_erasure{R"sql(
    WITH gone AS (DELETE FROM companion.erased_users WHERE user_id = $1 RETURNING erased_at)
    INSERT INTO companion.erased_users (user_id, erased_at) SELECT $2, erased_at FROM gone
    ON CONFLICT DO NOTHING
)sql",
                              UUIDOID, UUIDOID};

// Of what a shard has for the directory, what was unlinked stays the old id's.
static Statement move_wanted{R"sql(
    UPDATE companion.directory_changes SET user_id = $2 WHERE user_id = $1 AND is_wanted
)sql",
                             UUIDOID, UUIDOID};

static Statement counts_of_tables{R"sql(
    SELECT jsonb_object_agg(name, deleted) FROM unnest($1, $2) AS erased (name, deleted)
)sql",
                                  TEXTARRAYOID, INT8ARRAYOID};

// Execute a statement about a user, or about one and another id; returns the number of rows.
static uint64 execute_described(const char *sql, Datum user_id, NullableDatum other = {0, true})
{
    Oid types[] = {UUIDOID, UUIDOID};
    Datum values[] = {user_id, other.value};
    const int result =
        SPI_execute_with_args(sql, other.isnull ? 1 : 2, types, values, nullptr, false, 0);
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
                errhint("Nothing has changed."));
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

// Lock all that others may be about to change of a user; false when there is no such user.
static bool lock_whole(Datum user_id)
{
    const bool is_there = lock_whole_user.execute({user_id}) > 0;
    lock_queued.execute({user_id});
    lock_conversations.execute({user_id});
    return is_there;
}

static Datum erase_locked(Datum user_id)
{
    const uint64 tables = describe_erasure.execute({});
    return erase_tables(SPI_tuptable, tables, user_id);
}

Datum erase_user(Datum user_id)
{
    lock_whole(user_id);
    return erase_locked(user_id);
}

// The same, but that they were stays: no auth table that is followed brings them back.
static Datum erase_for_good(Datum user_id)
{
    const bool is_user = lock_whole(user_id);
    const Datum counts = erase_locked(user_id);
    if (is_user && note_erasure.execute({user_id}) == 0)
        refuse_suppressed("erased_users");
    return counts;
}

void forget_erasure(Datum user_id)
{
    delete_erasure.execute({user_id});
}

static void require_no_user(Datum user_id)
{
    if (find_user.execute({user_id}) > 0)
        ereport(ERROR, errcode(ERRCODE_UNIQUE_VIOLATION),
                errmsg("user %s exists already",
                       DatumGetCString(DirectFunctionCall1(uuid_out, user_id))),
                errhint("A user's id cannot become that of another. Erase one of the two first."));
}

// Move the rows of all tables, as described.
static void move_rows(Datum from, Datum to)
{
    describe_move.execute({});
    const char *moving = TextDatumGetCString(result_field(0, 1)),
               *search = TextDatumGetCString(result_field(0, 2));
    if (execute_described(moving, from, {to, false}) > 0)
        refuse_changed(TextDatumGetCString(result_field(0, 1)), "user");
    require_none_left(search, from);
}

void move_user(Datum from, Datum to)
{
    if (lock_whole(from)) {
        require_no_user(to);
        move_rows(from, to);
        move_wanted.execute({from, to});
        forget_erasure(from);
        forget_erasure(to);
    } else
        move_erasure.execute({from, to});
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
        user_id, [&] { return companion::erase_for_good(user_id); }, companion::Others::admins);
}
