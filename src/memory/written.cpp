// What a row of user_context and of its history may hold.
#include "postgres/entry.hpp"
#include "postgres/reference.hpp"

using namespace companion;

COMPANION_FUNCTION(check_context_item)
{
    const WrittenRow row(fcinfo);
    check_reference(row, {"user_context_user_id_fkey", "users", "users_pkey", {"user_id"}});
    for (const char *column : {"category", "key", "value", "source"})
        row.check_not_empty(column);
    row.check_number("importance", FLOAT8OID, 0, 1);
    row.check_number("emotional_valence", INT2OID, -2, 2);
    row.check_number("confirmations", INT4OID, 1);
    row.check_object("metadata");
    return row.unchanged();
}

COMPANION_FUNCTION(check_context_history)
{
    const WrittenRow row(fcinfo);
    check_reference(row, {"user_context_history_user_id_fkey", "users", "users_pkey", {"user_id"}});
    return row.unchanged();
}
