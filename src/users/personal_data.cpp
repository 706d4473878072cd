// A person's rights over their data: to have all of it, and to have all of it deleted.
// The statements are made from the catalog, so that no table is forgotten.
#include "users/personal_data.hpp"

#include "identity/acting.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"

namespace companion {

static Statement describe_export{
    "SELECT 'SELECT jsonb_build_object(' || string_agg(format("
    " '%L, (SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY %s), ''[]'')"
    "       FROM (SELECT %s FROM %s WHERE %s) AS r)',"
    " name, key, columns, relation, condition), ', ' ORDER BY name) || ')'"
    " FROM companion.personal_tables"};

// All tables but users, in one statement: their order does not matter, and each row is
// counted where it lies, before a foreign key could delete it.
static Statement describe_erasure{
    "SELECT 'WITH ' || string_agg(format('%I AS (DELETE FROM %s WHERE %s RETURNING 1)',"
    "                                    name, relation, condition), ', ')"
    " || ' SELECT jsonb_build_object('"
    " || string_agg(format('%L, (SELECT count(*) FROM %I)', name, name), ', ') || ')'"
    " FROM companion.personal_tables WHERE name <> 'users'"};

// New rows of the user wait for this, or are seen by what follows.
static Statement lock_for_erasure{"SELECT FROM companion.users WHERE id = $1 FOR UPDATE", UUIDOID};

static Statement delete_user{
    "WITH users AS (DELETE FROM companion.users WHERE id = $1 RETURNING 1)"
    "SELECT $2 || jsonb_build_object('users', (SELECT count(*) FROM users))",
    UUIDOID, JSONBOID};

// Execute the statement that the last result holds; its result is one jsonb.
static Datum execute_described(Datum user_id)
{
    Oid types[] = {UUIDOID};
    Datum values[] = {user_id};
    const int result = SPI_execute_with_args(TextDatumGetCString(result_field(0, 1)), 1, types,
                                             values, nullptr, false, 1);
    if (result != SPI_OK_SELECT)
        // Unreached: what the catalog describes always is a SELECT
        elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
    return result_field(0, 1);
}

static Datum export_user(Datum user_id)
{
    describe_export.execute({});
    return SPI_datumTransfer(execute_described(user_id), false, -1);
}

Datum erase_user(Datum user_id)
{
    lock_for_erasure.execute({user_id});
    describe_erasure.execute({});
    delete_user.execute({user_id, execute_described(user_id)});
    return SPI_datumTransfer(result_field(0, 1), false, -1);
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
