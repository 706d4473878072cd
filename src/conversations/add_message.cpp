// Adding a message to a conversation.
#include "conversations/messages.hpp"
#include "identity/acting.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/lookup.hpp"
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

// Refuse an end user who claims that a messenger has delivered the message, and a reply to two
// messages. Errors 42501, 22023.
void check_references(const NewMessage &message)
{
    if (message.messenger_id.is_given() && !acts_for_every_user())
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("permission denied to set argument \"%s\"",
                       message.messenger_id.external.isnull ? own_id_names.telegram
                                                            : own_id_names.external));
    const MessengerId &reply = message.reply_to;
    if (!message.reply_to_id.isnull + !reply.telegram.isnull + !reply.external.isnull > 1)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("expected one of reply_to_id, reply_to_telegram_id and "
                       "reply_to_external_id, got several"));
    check_message(message);
}

// The arguments: the message, its chat still to be found, and what the chat is found by.
struct Added {
    NewMessage message;
    Datum bot;
    NullableDatum address;

    bool has_telegram_ids() const
    {
        return !message.messenger_id.telegram.isnull || !message.reply_to.telegram.isnull;
    }
    bool has_external_ids() const
    {
        return !message.messenger_id.external.isnull || !message.reply_to.external.isnull;
    }
};

Added read_message(const Arguments &arguments)
{
    const Added added{{arguments.required(0, "user_id"),
                       arguments.required(1, "conversation_id"),
                       arguments.required(2, "role"),
                       arguments.required(3, "content"),
                       {arguments.nullable(4), arguments.nullable(10)},
                       arguments.nullable(5),
                       {arguments.nullable(7), arguments.nullable(11)},
                       {},
                       arguments.nullable(6)},
                      arguments.required(8, "bot"),
                      arguments.nullable(9)};
    check_role(text_view(added.message.role));
    check_content(text_view(added.message.content));
    check_references(added.message);
    check_bot(text_view(added.bot));
    if (added.has_telegram_ids() && added.has_external_ids())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("expected ids of Telegram's or external ones, got both"));
    return added;
}

// The channel of the message's conversation. Error 23503 where the user has no such conversation.
std::string_view channel_of_conversation(const NewMessage &message)
{
    const Datum key[] = {message.user_id, message.conversation_id};
    Lookup conversations("conversations", "conversations_pkey");
    if (!conversations.find(key, 2))
        ereport(ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
                errmsg("the user has no conversation %s",
                       DatumGetCString(DirectFunctionCall1(uuid_out, message.conversation_id))));
    const NullableDatum channel = conversations.get(conversations.column("channel"));
    const char *name = TextDatumGetCString(channel.value);
    conversations.close();
    return name;
}

FiledMessage add_message(Added added)
{
    NewMessage &message = added.message;
    if (added.has_external_ids()) {
        const std::string_view channel = channel_of_conversation(message);
        check_id_of_channel(channel, message.messenger_id);
        check_id_of_channel(channel, message.reply_to, reply_id_names);
        message.chat = chat_with(message.user_id, channel, added.bot, added.address);
    } else if (added.has_telegram_ids()) {
        message.chat = chat_with(message.user_id, "telegram", added.bot, added.address);
    }
    return file_message(message);
}

} // namespace

COMPANION_FUNCTION(add_message)
{
    const Added added = read_message(Arguments(fcinfo));
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    *id = act_for(added.message.user_id, [&] { return add_message(added).id; });
    PG_RETURN_UUID_P(id);
}
