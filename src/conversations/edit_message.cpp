// Editing a message; what it said before is kept.
#include "conversations/messages.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"

using namespace companion;

namespace {

Statement find_message{
    "SELECT m.id FROM companion.messages AS m WHERE m.user_id = $1 AND m.id = $2"
    " UNION ALL"
    " SELECT m.id FROM companion.messages AS m WHERE m.user_id = $1 AND m.telegram_message_id = $3",
    UUIDOID, UUIDOID, INT8OID};

// An edit that is delivered again changes nothing.
Statement replace_content{
    "UPDATE companion.messages AS m"
    " SET content = $3, edited_at = companion.now(),"
    "     metadata = m.metadata || jsonb_build_object('edits',"
    "         CASE jsonb_typeof(m.metadata -> 'edits')"
    "              WHEN 'array' THEN m.metadata -> 'edits' ELSE '[]' END"
    "         || jsonb_build_array(jsonb_build_object('content', m.content, 'written_at',"
    "                                                 coalesce(m.edited_at, m.created_at))))"
    " WHERE m.user_id = $1 AND m.id = $2 AND m.content <> $3",
    UUIDOID, UUIDOID, TEXTOID};

void check(const Arguments &arguments)
{
    arguments.required(0, "user_id");
    check_content(arguments.text(2, "content"));
    if (arguments.is_null(1) == arguments.is_null(3))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("expected either message_id or telegram_message_id"));
}

// Which message is meant; false where Telegram's id is not known. Error 23503 for another id.
bool find(const Arguments &arguments, pg_uuid_t *id)
{
    const char nulls[] = {' ', arguments.null_flag(1), arguments.null_flag(3)};
    const bool is_found =
        find_message.execute({arguments.optional(0), arguments.optional(1), arguments.optional(3)},
                             nulls) > 0;
    if (!is_found && !arguments.is_null(1))
        ereport(ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
                errmsg("the user has no message %s",
                       DatumGetCString(DirectFunctionCall1(uuid_out, arguments.optional(1)))));
    if (is_found)
        *id = *DatumGetUUIDP(result_field(0, 1));
    return is_found;
}

bool edit(const Arguments &arguments, pg_uuid_t *id)
{
    if (!find(arguments, id))
        return false;
    replace_content.execute({arguments.optional(0), UUIDPGetDatum(id), arguments.optional(2)});
    return true;
}

} // namespace

COMPANION_FUNCTION(edit_message)
{
    const Arguments arguments(fcinfo);
    check(arguments);
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    if (!with_spi([&] { return edit(arguments, id); }))
        PG_RETURN_NULL();
    PG_RETURN_UUID_P(id);
}
