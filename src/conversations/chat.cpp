// Chats, and the ids that messengers give to messages in them.
#include "conversations/chat.hpp"

#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/lookup.hpp"
#include "postgres/uuid.hpp"

#include <algorithm>

namespace companion {

Datum MessengerId::to_text() const
{
    return telegram.isnull
               ? external.value
               : CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(int8out, telegram.value)));
}

static void check_external_id(const char *name, std::string_view id)
{
    check_length(name, id, longest_external_id);
    if (has_control_character(id))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s is \"%s\", expected no control character", name, excerpt(id)));
}

void check_messenger_id(const MessengerId &id, const IdNames &names)
{
    if (!id.telegram.isnull && !id.external.isnull)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("expected either %s or %s, got both", names.telegram, names.external));
    if (!id.telegram.isnull)
        check_telegram_id(names.telegram, DatumGetInt64(id.telegram.value));
    if (!id.external.isnull)
        check_external_id(names.external, text_view(id.external.value));
}

[[noreturn]] static void refuse_id(std::string_view channel, const char *given,
                                   const char *expected)
{
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("channel \"%s\" has no %s", excerpt(channel), given),
            errhint("Use %s.", expected));
    pg_unreachable();
}

void check_id_of_channel(std::string_view channel, const MessengerId &id, const IdNames &names)
{
    const bool is_telegram = channel == "telegram";
    if (!id.telegram.isnull && !is_telegram)
        refuse_id(channel, names.telegram, names.external);
    if (!id.external.isnull && is_telegram)
        refuse_id(channel, names.external, names.telegram);
}

// The form in which a user's address is stored: in that their messages have it.
static Datum stored_form(Datum user_id, const Chat &chat)
{
    LinkedAddress linked;
    const bool is_theirs =
        find_linked(chat, &linked) && is_same_uuid(linked.user_id, *DatumGetUUIDP(user_id));
    return is_theirs ? linked.stored.address : chat.address;
}

// Of the addresses that a user has on a channel for a bot the one that was linked last; zero for
// none.
static Datum last_linked_for(Datum user_id, Datum channel, Datum bot)
{
    const Datum key[] = {user_id, channel, bot};
    Lookup rows("addresses", "addresses_pkey");
    const AttrNumber address = rows.column("address"), linked_at = rows.column("linked_at"),
                     unlinked_at = rows.column("unlinked_at");
    Datum last = 0;
    TimestampTz last_at = DT_NOBEGIN;
    for (bool is_there = rows.find(key, 3); is_there; is_there = rows.next()) {
        const TimestampTz at = DatumGetTimestampTz(rows.get(linked_at).value);
        if (!rows.get(unlinked_at).isnull || at <= last_at)
            continue;
        last = to_text(text_view(rows.get(address).value));
        last_at = at;
    }
    rows.close();
    return last;
}

// The same, or one for no bot, which will get this bot; '' for none.
static Datum last_linked(Datum user_id, Datum channel, Datum bot)
{
    const Datum none = to_text(""), for_bot = last_linked_for(user_id, channel, bot);
    if (for_bot != 0)
        return for_bot;
    const Datum for_none = text_view(bot).empty() ? 0 : last_linked_for(user_id, channel, none);
    return for_none != 0 ? for_none : none;
}

Chat chat_with(Datum user_id, std::string_view name, Datum bot, NullableDatum address)
{
    const Channel channel = require_channel(name);
    const Datum channel_name = to_text(name);
    if (!address.isnull) {
        const Chat chat{channel_name, bot, canonical_address(channel, text_view(address.value))};
        return {channel_name, bot, stored_form(user_id, chat)};
    }
    if (channel.needs_address)
        return {channel_name, bot, last_linked(user_id, channel_name, bot)};
    return {channel_name, bot,
            CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(uuid_out, user_id)))};
}

bool is_in(const Lookup &row, const Chat &chat)
{
    const auto is_same = [&](const char *column, Datum wanted) {
        const NullableDatum value = row.get(row.column(column));
        return !value.isnull && text_view(value.value) == text_view(wanted);
    };
    return is_same("address", chat.address) && is_same("channel", chat.channel) &&
           is_same("bot", chat.bot);
}

NullableDatum messages_in_chat(Datum user_id, const Chat &chat, const MessengerId &id)
{
    const bool is_telegram = !id.telegram.isnull;
    const Datum key[] = {user_id, is_telegram ? id.telegram.value : id.external.value};
    Lookup messages("messages", is_telegram ? "messages_telegram" : "messages_external");
    NullableDatum found{0, true};
    if (messages.find(key, 2)) {
        const AttrNumber column = messages.column("id");
        ArrayBuilder ids(UUIDOID);
        do
            if (is_in(messages, chat))
                ids.add(messages.get(column));
        while (messages.next());
        found = {ids.finish(), ids.size() == 0};
    }
    messages.close();
    return found;
}

bool find_in_chat(Datum user_id, const Chat &chat, const MessengerId &id, pg_uuid_t *newest)
{
    const NullableDatum ids = messages_in_chat(user_id, chat, id);
    if (ids.isnull)
        return false;
    const pg_uuid_t *first = uuids_of(ids.value);
    const int count = ARR_DIMS(DatumGetArrayTypeP(ids.value))[0];
    *newest = *std::max_element(first, first + count, [](const pg_uuid_t &a, const pg_uuid_t &b) {
        return memcmp(&a, &b, UUID_LEN) < 0;
    });
    return true;
}

} // namespace companion
