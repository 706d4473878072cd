// Filing messages: the one way by which they get into their conversations.
#include "conversations/messages.hpp"

#include "identity/uuid_v7.hpp"
#include "postgres/arguments.hpp"
#include "postgres/flags.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"

namespace companion {

// The foreign keys refuse what belongs to another user, or to nobody. Returns whether the row is
// found by what it was given.
static Statement insert_one{R"sql(
    INSERT INTO companion.messages AS m
        (user_id, id, conversation_id, role, content, telegram_message_id, reply_to_id, metadata)
    VALUES ($1, $2, $3, $4, $5, $6,
            coalesce($7, (SELECT r.id FROM companion.messages AS r
                          WHERE r.user_id = $1 AND r.telegram_message_id = $8 LIMIT 1)),
            coalesce($9, '{}'))
    ON CONFLICT (user_id, telegram_message_id) WHERE telegram_message_id IS NOT NULL DO NOTHING
    RETURNING m.user_id = $1 AND m.id = $2 AND m.conversation_id = $3
        AND m.telegram_message_id IS NOT DISTINCT FROM $6)sql",  UUIDOID, UUIDOID, UUIDOID,
                            TEXTOID, TEXTOID, INT8OID, UUIDOID,
                            INT8OID, JSONBOID};

static Statement insert_sent{R"sql(
    INSERT INTO companion.messages AS m
        (user_id, id, conversation_id, role, content, telegram_message_id, metadata)
    SELECT user_id, id, conversation_id, 'assistant', content, telegram_message_id,
           coalesce(metadata, '{}')
    FROM given
    ON CONFLICT (user_id, telegram_message_id) WHERE telegram_message_id IS NOT NULL DO NOTHING
    RETURNING m.user_id, m.id, m.conversation_id, m.telegram_message_id)sql"};

// Where none of them has an id of Telegram's: to watch for a conflict that cannot be would cost as
// much as an index.
static Statement insert_sent_without_ids{R"sql(
    INSERT INTO companion.messages AS m (user_id, id, conversation_id, role, content, metadata)
    SELECT user_id, id, conversation_id, 'assistant', content, coalesce(metadata, '{}')
    FROM given
    RETURNING m.user_id, m.id, m.conversation_id, m.telegram_message_id)sql"};

static Statement find_delivered{R"sql(
    SELECT id FROM companion.messages WHERE user_id = $1 AND telegram_message_id = $2
)sql",
                                UUIDOID, INT8OID};

static Statement set_last_user_message{
    "UPDATE companion.users SET last_user_message_at = companion.now()"
    " WHERE id = $1 AND (last_user_message_at IS NULL OR last_user_message_at < companion.now())",
    UUIDOID};

[[noreturn]] static void refuse_changed_message()
{
    refuse_changed("messages", "user_id, id, conversation_id or telegram_message_id");
}

// Insert a message under a new id; false where it was delivered before, or a trigger suppressed
// it. Error 09000 where one changed what it is found by.
static bool insert(const NewMessage &message, const pg_uuid_t *id)
{
    const char nulls[] = {' ',
                          ' ',
                          ' ',
                          ' ',
                          ' ',
                          null_flag(message.telegram_message_id),
                          null_flag(message.reply_to_id),
                          null_flag(message.reply_to_telegram_id),
                          null_flag(message.metadata)};
    const bool is_inserted =
        insert_one.execute({message.user_id, UUIDPGetDatum(id), message.conversation_id,
                            message.role, message.content, message.telegram_message_id.value,
                            message.reply_to_id.value, message.reply_to_telegram_id.value,
                            message.metadata.value},
                           nulls) > 0;
    if (is_inserted && !DatumGetBool(result_field(0, 1)))
        refuse_changed_message();
    return is_inserted;
}

// Find the message that was delivered before; false where there is none.
static bool find(const NewMessage &message, pg_uuid_t *id)
{
    if (message.telegram_message_id.isnull ||
        find_delivered.execute({message.user_id, message.telegram_message_id.value}) == 0)
        return false;
    *id = *DatumGetUUIDP(result_field(0, 1));
    return true;
}

// Refuse what a message cannot have. Error 22023.
static void check(const NewMessage &message)
{
    if (!message.telegram_message_id.isnull)
        check_telegram_id("telegram_message_id", DatumGetInt64(message.telegram_message_id.value));
    if (message.metadata.isnull)
        return;
    Jsonb *metadata = DatumGetJsonbP(message.metadata.value);
    check_object("metadata", metadata);
    check_json_size("metadata", metadata);
}

FiledMessage file_message(const NewMessage &message)
{
    check(message);
    // The first may be deleted between the two looks for it
    constexpr int looks = 3;
    for (int look = 0; look < looks; look++) {
        const pg_uuid_t *id = uuid_v7();
        if (insert(message, id)) {
            if (text_view(message.role) == "user")
                set_last_user_message.execute({message.user_id});
            return {*id, true};
        }
        if (FiledMessage first{}; find(message, &first.id))
            return first;
    }
    refuse_suppressed("messages");
}

// A text as it is stored, and the metadata that says how long it was, where it was cut.
struct SentText {
    Datum content;
    NullableDatum metadata;
};

// Cut a text that has more than companion.max_message_length characters: what has been sent is
// not refused.
static SentText fit(Datum content)
{
    const std::string_view text = text_view(content);
    const int length = character_count(text);
    if (length <= settings::max_message_length)
        return {content, {0, true}};
    const int size =
        pg_mbcharcliplen(text.data(), static_cast<int>(text.size()), settings::max_message_length);
    const char *metadata = psprintf("{\"cut_from\": %d}", length);
    return {to_text({text.data(), static_cast<std::size_t>(size)}),
            {DirectFunctionCall1(jsonb_in, CStringGetDatum(metadata)), false}};
}

// The columns of the given messages.
enum Column { user_id, id, conversation_id, content, telegram_message_id, metadata };

SentMessages::SentMessages()
    : messages_{{"user_id", UUIDOID},
                {"id", UUIDOID},
                {"conversation_id", UUIDOID},
                {"content", TEXTOID},
                {"telegram_message_id", INT8OID},
                {"metadata", JSONBOID}}
{
}

void SentMessages::add(Datum user, Datum message, Datum conversation, Datum sent,
                       NullableDatum telegram_id)
{
    const SentText text = fit(sent);
    messages_.add({{user}, {message}, {conversation}, {text.content}, telegram_id, text.metadata});
    has_ids_ |= !telegram_id.isnull;
}

// Whether a row that insert_sent has returned is the message at a place. Error 09000 where it has
// its id and not the rest.
bool SentMessages::is_at(uint64 row, int index) const
{
    const auto is_same = [&](int column, Column given) {
        return is_same_uuid(result_field(row, column), messages_.at(index, given).value);
    };
    if (!is_same(2, id))
        return false;
    bool is_null;
    const Datum telegram_id = result_field(row, 4, &is_null);
    const NullableDatum wanted = messages_.at(index, telegram_message_id);
    if (!is_same(1, user_id) || !is_same(3, conversation_id) || is_null != wanted.isnull ||
        (!is_null && DatumGetInt64(telegram_id) != DatumGetInt64(wanted.value)))
        refuse_changed_message();
    return true;
}

// The id of a message that was not stored: of the first, under which it was delivered before, or
// where that was deleted meanwhile its own, filed again.
pg_uuid_t SentMessages::id_of_first(int index) const
{
    const NullableDatum none{0, true};
    const auto value = [&](Column column) { return messages_.at(index, column); };
    return file_message({value(user_id).value, value(conversation_id).value, to_text("assistant"),
                         value(content).value, value(telegram_message_id), none, none,
                         value(metadata)})
        .id;
}

FiledMessage *SentMessages::file() const
{
    auto *filed = static_cast<FiledMessage *>(palloc0(Max(size(), 1) * sizeof(FiledMessage)));
    Statement &insert = has_ids_ ? insert_sent : insert_sent_without_ids;
    const uint64 stored = insert.execute(messages_, {});
    // What was stored comes back in the order in which it was added
    uint64 row = 0;
    for (int index = 0; index < size(); index++) {
        const bool is_new = row < stored && is_at(row, index);
        filed[index] = {*DatumGetUUIDP(messages_.at(index, id).value), is_new};
        row += is_new;
    }
    if (row < stored)
        refuse_changed_message();
    for (int index = 0; index < size(); index++)
        if (!filed[index].is_new)
            filed[index].id = id_of_first(index);
    return filed;
}

void check_content(std::string_view content)
{
    const int length = character_count(content);
    if (length < 1 || length > settings::max_message_length)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("content has %d characters, expected 1 to %d", length,
                       settings::max_message_length),
                errhint("The most is the setting companion.max_message_length."));
}

} // namespace companion
