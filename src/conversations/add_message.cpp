// Adding a message to a conversation.
#include "conversations/messages.hpp"
#include "identity/access.hpp"
#include "identity/uuid_v7.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"

using namespace companion;

namespace {

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

// Refuse an end user who claims that Telegram has delivered the message, and a reply to
// two messages. Errors 42501, 22023.
void check_references(NullableDatum telegram_message_id, NullableDatum reply_to_id,
                      NullableDatum reply_to_telegram_id)
{
    if (!telegram_message_id.isnull && !acts_for_every_user())
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("permission denied to set argument \"telegram_message_id\""));
    if (!reply_to_id.isnull && !reply_to_telegram_id.isnull)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("expected either reply_to_id or reply_to_telegram_id, got both"));
}

void check(const Arguments &arguments)
{
    require_access(arguments.required(0, "user_id"));
    arguments.required(1, "conversation_id");
    check_role(arguments.text(2, "role"));
    check_content(arguments.text(3, "content"));
    check_references(arguments.nullable(4), arguments.nullable(5), arguments.nullable(7));
}

pg_uuid_t add_message(const Arguments &arguments)
{
    NewMessages messages(arguments.optional(2));
    messages.reply_to_id = arguments.nullable(5);
    messages.reply_to_telegram_id = arguments.nullable(7);
    messages.metadata = arguments.nullable(6);
    messages.add(arguments.optional(0), UUIDPGetDatum(uuid_v7()), arguments.optional(1),
                 arguments.optional(3), arguments.nullable(4));
    const FiledMessage filed = *messages.file();
    if (filed.is_new && text_view(arguments.optional(2)) == "user")
        note_user_message(arguments.optional(0));
    return filed.id;
}

} // namespace

COMPANION_FUNCTION(add_message)
{
    const Arguments arguments(fcinfo);
    check(arguments);
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    *id = as_owner(fcinfo, [&] { return with_spi([&] { return add_message(arguments); }); });
    PG_RETURN_UUID_P(id);
}
