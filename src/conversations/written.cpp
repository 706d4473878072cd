// What a row of conversations and of messages may hold.
#include "channels/written.hpp"
#include "conversations/messages.hpp"
#include "identity/uuid_v7.hpp"
#include "postgres/entry.hpp"
#include "postgres/reference.hpp"

using namespace companion;

namespace {

// What a grant lets one write is bounded as what a function takes is. Error 22023.
void check_bounds(const WrittenRow &row)
{
    if (row.is_larger("metadata", JSONBOID, largest_json()) &&
        row.is_changed("metadata", JSONBOID) && is_by_grant())
        check_json_size("metadata", DatumGetJsonbP(row.nullable("metadata", JSONBOID).value));
    if (row.is_inserted() && row.is_larger("content", TEXTOID, settings::max_message_length) &&
        is_by_grant())
        check_content(text_view(row.nullable("content", TEXTOID).value));
}

// Ids are the order of time. What is stored with another already, and what somebody above row-level
// security restores, stays. Error 23514.
void check_id(const WrittenRow &row)
{
    const pg_uuid_t *id = DatumGetUUIDP(row.nullable("id", UUIDOID).value);
    if (is_version_7(id) || !row.is_changed("id", UUIDOID) || has_bypassrls_privilege(GetUserId()))
        return;
    const char *text = DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id)));
    row.refuse("id", UUIDOID, psprintf("id is %s, expected a UUID of version 7", text),
               "Ids are the order of time: leave id out, or take "
               "companion.uuid_v7(at) for what was written before.");
}

// What workers write with a messenger's id of their own.
void check_external_id(const WrittenRow &row)
{
    const NullableDatum id = row.nullable("external_id", TEXTOID);
    if (id.isnull)
        return;
    row.check_length("external_id", 1, longest_external_id);
    if (has_control_character(text_view(id.value)))
        row.refuse("external_id", TEXTOID, "external_id has control characters");
}

// An end is not before the beginning.
void check_end(const WrittenRow &row)
{
    const NullableDatum start = row.nullable("started_at", TIMESTAMPTZOID),
                        end = row.nullable("ended_at", TIMESTAMPTZOID);
    if (!start.isnull && !end.isnull &&
        DatumGetTimestampTz(end.value) < DatumGetTimestampTz(start.value))
        row.refuse("ended_at", TIMESTAMPTZOID, "ended_at is before started_at");
}

} // namespace

COMPANION_FUNCTION(check_message)
{
    const WrittenRow row(fcinfo);
    check_reference(row, {"messages_user_id_conversation_id_fkey",
                          "conversations",
                          "conversations_pkey",
                          {"user_id", "conversation_id"}});
    check_id(row);
    row.check_one_of("role", {"user", "assistant", "system"});
    row.check_not_empty("content");
    row.check_number("telegram_message_id", INT8OID, 1);
    check_external_id(row);
    row.check_object("metadata");
    check_bounds(row);
    return row.unchanged();
}

COMPANION_FUNCTION(check_conversation)
{
    const WrittenRow row(fcinfo);
    check_reference(row, {"conversations_user_id_fkey", "users", "users_pkey", {"user_id"}});
    check_id(row);
    check_channel(row, "channel");
    row.check_one_of("initiated_by", {"user", "companion"});
    check_end(row);
    row.check_size("mood_summary", TEXTOID);
    row.check_size("topics", TEXTARRAYOID);
    return row.unchanged();
}
