// Adding a message to a conversation.
#include "conversations/messages.hpp"
#include "identity/acting.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"

using namespace companion;

namespace {

// Refuse a role that is none, and an end user who writes as somebody else. Errors 22023, 42501.
void check_role(std::string_view role)
{
    if (role != "user" && role != "assistant" && role != "system")
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("unknown role \"%s\"", excerpt(role)),
                errhint("A role is user, assistant or system."));
    if (role != "user" && !acts_for_every_user())
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("permission denied to add a message with role \"%.*s\"",
                       static_cast<int>(role.size()), role.data()),
                errhint("An end user adds messages with role user."));
}

// Refuse an end user who claims that Telegram has delivered the message, and a reply to
// two messages. Errors 42501, 22023.
void check_references(const NewMessage &message)
{
    if (!message.telegram_message_id.isnull && !acts_for_every_user())
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("permission denied to set argument \"telegram_message_id\""));
    if (!message.reply_to_id.isnull && !message.reply_to_telegram_id.isnull)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("expected either reply_to_id or reply_to_telegram_id, got both"));
}

NewMessage read_message(const Arguments &arguments)
{
    const NewMessage message{arguments.required(0, "user_id"),
                             arguments.required(1, "conversation_id"),
                             arguments.required(2, "role"),
                             arguments.required(3, "content"),
                             arguments.nullable(4),
                             arguments.nullable(5),
                             arguments.nullable(7),
                             arguments.nullable(6)};
    check_role(text_view(message.role));
    check_content(text_view(message.content));
    check_references(message);
    return message;
}

} // namespace

COMPANION_FUNCTION(add_message)
{
    const NewMessage message = read_message(Arguments(fcinfo));
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    *id = act_for(message.user_id, [&] { return file_message(message).id; });
    PG_RETURN_UUID_P(id);
}
