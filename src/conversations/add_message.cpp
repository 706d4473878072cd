// Adding a message to a conversation, and editing one.
#include "conversations/messages.hpp"
#include "identity/access.hpp"
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

// Refuse a role that is none, and an end user who writes as somebody else. Errors 22023, 42501.
void check_role(std::string_view role)
{
    if (role != "user" && role != "assistant" && role != "system")
        ereport(
            ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("unknown role \"%.*s\"", static_cast<int>(Min(role.size(), 100)), role.data()),
            errhint("A role is user, assistant or system."));
    if (role != "user" && !acts_for_every_user())
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("permission denied to add a message with role \"%.*s\"",
                       static_cast<int>(role.size()), role.data()),
                errhint("An end user adds messages with role user."));
}

// Refuse an end user who claims a message to be Telegram's. Error 42501.
void check_telegram_id(bool is_null)
{
    if (!is_null && !acts_for_every_user())
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("permission denied to set argument \"telegram_message_id\""));
}

void check_one_given(bool first_is_null, bool second_is_null, const char *names)
{
    if (first_is_null == second_is_null)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("expected exactly one of %s", names));
}

NewMessage read_message(const Arguments &arguments)
{
    NewMessage message{arguments.required(0, "user_id"),
                       arguments.required(1, "conversation_id"),
                       arguments.required(3, "content"),
                       arguments.required(2, "role"),
                       arguments.nullable(4),
                       arguments.nullable(5),
                       arguments.nullable(7),
                       arguments.nullable(6)};
    require_access(message.user_id);
    check_role(text_view(message.role));
    check_content(text_view(message.content));
    check_telegram_id(message.telegram_message_id.isnull);
    if (!message.reply_to_id.isnull || !message.reply_to_telegram_id.isnull)
        check_one_given(message.reply_to_id.isnull, message.reply_to_telegram_id.isnull,
                        "reply_to_id and reply_to_telegram_id");
    return message;
}

// Which message is meant; false where Telegram's id is not known. Error 23503 for another id.
bool find_edited(const Arguments &arguments, pg_uuid_t *id)
{
    const char nulls[] = {' ', arguments.null_flag(1), arguments.null_flag(3)};
    const bool is_found = find_message.execute({arguments.required(0, "user_id"),
                                                arguments.optional(1), arguments.optional(3)},
                                               nulls) > 0;
    if (!is_found && !arguments.is_null(1))
        ereport(ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
                errmsg("the user has no message %s",
                       DatumGetCString(DirectFunctionCall1(uuid_out, arguments.optional(1)))));
    if (is_found)
        *id = *DatumGetUUIDP(result_field(0, 1));
    return is_found;
}

bool edit_message(const Arguments &arguments, pg_uuid_t *id)
{
    if (!find_edited(arguments, id))
        return false;
    replace_content.execute(
        {arguments.required(0, "user_id"), UUIDPGetDatum(id), arguments.required(2, "content")});
    return true;
}

} // namespace

COMPANION_FUNCTION(add_message)
{
    const NewMessage message = read_message(Arguments(fcinfo));
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    *id = as_owner(fcinfo, [&] { return with_spi([&] { return file_message(message).id; }); });
    PG_RETURN_UUID_P(id);
}

COMPANION_FUNCTION(edit_message)
{
    const Arguments arguments(fcinfo);
    check_content(arguments.text(2, "content"));
    check_one_given(arguments.is_null(1), arguments.is_null(3),
                    "message_id and telegram_message_id");
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    if (!with_spi([&] { return edit_message(arguments, id); }))
        PG_RETURN_NULL();
    PG_RETURN_UUID_P(id);
}
