// Editing a message; what it said before is kept.
#include "conversations/edit.hpp"
#include "conversations/messages.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

Statement find_message{R"sql(
    SELECT FROM companion.messages AS m WHERE m.user_id = $1 AND m.id = $2
)sql",
                       UUIDOID, UUIDOID};

// The arguments.
struct Edit {
    Datum user_id, content;
    NullableDatum message_id;
    MessengerId messenger_id;
    NullableDatum channel;
    Datum bot;
    NullableDatum address;
};

// Refuse an id that is not the channel's, and another's than Telegram's without one. Errors 22023,
// 22004.
void check_channel(const Edit &edit)
{
    if (edit.messenger_id.telegram.isnull && edit.channel.isnull)
        refuse_null("channel");
    if (!edit.channel.isnull)
        check_id_of_channel(text_view(edit.channel.value), edit.messenger_id);
}

Edit read_edit(const Arguments &arguments)
{
    const Edit edit{arguments.required(0, "user_id"),
                    arguments.required(2, "content"),
                    arguments.nullable(1),
                    {arguments.nullable(3), arguments.nullable(6)},
                    arguments.nullable(7),
                    arguments.required(4, "bot"),
                    arguments.nullable(5)};
    check_content(text_view(edit.content));
    check_bot(text_view(edit.bot));
    if (edit.message_id.isnull != edit.messenger_id.is_given())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("expected either message_id, telegram_message_id or external_id"));
    if (edit.message_id.isnull) {
        check_messenger_id(edit.messenger_id);
        check_channel(edit);
    }
    return edit;
}

// Edit the message with an id of ours. Error 23503 where the user has none.
void edit_by_id(const Edit &edit)
{
    const Datum id = edit.message_id.value;
    if (find_message.execute({edit.user_id, id}) == 0)
        ereport(ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
                errmsg("the user has no message %s",
                       DatumGetCString(DirectFunctionCall1(uuid_out, id))));
    replace_text(edit.user_id, id, edit.content);
}

// Edit the message with a messenger's id, or keep the edit for it where it has not come yet; false
// then, and where there is no such user.
bool edit_in_chat(const Edit &edit, pg_uuid_t *id)
{
    if (!try_lock_user(edit.user_id))
        return false;
    const std::string_view channel =
        edit.channel.isnull ? "telegram" : text_view(edit.channel.value);
    const Chat chat = chat_with(edit.user_id, channel, edit.bot, edit.address);
    const bool is_found = find_in_chat(edit.user_id, chat, edit.messenger_id, id);
    if (is_found)
        replace_text(edit.user_id, UUIDPGetDatum(id), edit.content);
    else
        keep_early_edit(edit.user_id, chat, edit.messenger_id, edit.content);
    return is_found;
}

} // namespace

COMPANION_FUNCTION(edit_message)
{
    const Edit edit = read_edit(Arguments(fcinfo));
    if (!edit.message_id.isnull) {
        with_spi([&] { edit_by_id(edit); });
        PG_RETURN_DATUM(edit.message_id.value);
    }
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    if (!with_spi([&] { return edit_in_chat(edit, id); }))
        PG_RETURN_NULL();
    PG_RETURN_UUID_P(id);
}
