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
    SELECT n.user_id, n.id, n.conversation_id, 'assistant', n.content, n.telegram_message_id,
           coalesce(n.metadata, '{}')
    FROM unnest($1, $2, $3, $4, $5, $6)
        AS n (user_id, id, conversation_id, content, telegram_message_id, metadata)
    ON CONFLICT (user_id, telegram_message_id) WHERE telegram_message_id IS NOT NULL DO NOTHING
    RETURNING m.user_id, m.id, m.conversation_id, m.telegram_message_id)sql",       UUIDARRAYOID,
                             UUIDARRAYOID, UUIDARRAYOID,
                             TEXTARRAYOID, INT8ARRAYOID,
                             JSONBARRAYOID};

static Statement find_delivered{R"sql(
    SELECT n.position, m.id
    FROM unnest($1, $2) WITH ORDINALITY AS n (user_id, telegram_message_id, position)
    CROSS JOIN LATERAL (SELECT m.id FROM companion.messages AS m
                        WHERE m.user_id = n.user_id
                            AND m.telegram_message_id = n.telegram_message_id LIMIT 1) AS m)sql",
                                UUIDARRAYOID, INT8ARRAYOID};

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
        find_delivered.execute({array_of_one(UUIDOID, message.user_id),
                                array_of_one(INT8OID, message.telegram_message_id)}) == 0)
        return false;
    *id = *DatumGetUUIDP(result_field(0, 2));
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

void SentMessages::add(Datum user_id, Datum id, Datum conversation_id, Datum content,
                       NullableDatum telegram_message_id)
{
    const SentText text = fit(content);
    user_ids_.add(user_id);
    ids_.add(id);
    conversation_ids_.add(conversation_id);
    contents_.add(text.content);
    telegram_message_ids_.add(telegram_message_id);
    metadatas_.add(text.metadata);
}

// Whether a row that insert_sent has returned is the message at a place. Error 09000 where it has
// its id and not the rest.
bool SentMessages::is_at(uint64 row, int index) const
{
    const auto is_same = [&](int column, const ArrayBuilder &builder) {
        return is_same_uuid(result_field(row, column), builder.at(index).value);
    };
    if (!is_same(2, ids_))
        return false;
    bool is_null;
    const Datum telegram_id = result_field(row, 4, &is_null);
    const NullableDatum wanted = telegram_message_ids_.at(index);
    if (!is_same(1, user_ids_) || !is_same(3, conversation_ids_) || is_null != wanted.isnull ||
        (!is_null && DatumGetInt64(telegram_id) != DatumGetInt64(wanted.value)))
        refuse_changed_message();
    return true;
}

// Give to those that were not stored the id of the first, under which they were delivered before;
// where that was deleted meanwhile, file them again.
void SentMessages::find_first(FiledMessage *filed) const
{
    bool *is_found = make_flags(size());
    const uint64 rows =
        find_delivered.execute({user_ids_.finish(), telegram_message_ids_.finish()});
    for (uint64 row = 0; row < rows; row++) {
        const int64 index = DatumGetInt64(result_field(row, 1)) - 1;
        filed[index].id = *DatumGetUUIDP(result_field(row, 2));
        is_found[index] = true;
    }
    const NullableDatum none{0, true};
    for (int index = 0; index < size(); index++)
        if (!filed[index].is_new && !is_found[index])
            filed[index].id =
                file_message({user_ids_.at(index).value, conversation_ids_.at(index).value,
                              to_text("assistant"), contents_.at(index).value,
                              telegram_message_ids_.at(index), none, none, metadatas_.at(index)})
                    .id;
}

FiledMessage *SentMessages::file() const
{
    auto *filed = static_cast<FiledMessage *>(palloc0(Max(size(), 1) * sizeof(FiledMessage)));
    const uint64 stored = insert_sent.execute(
        {user_ids_.finish(), ids_.finish(), conversation_ids_.finish(), contents_.finish(),
         telegram_message_ids_.finish(), metadatas_.finish()});
    // What was stored comes back in the order in which it was added
    uint64 row = 0;
    for (int index = 0; index < size(); index++) {
        const bool is_new = row < stored && is_at(row, index);
        filed[index] = {*DatumGetUUIDP(ids_.at(index).value), is_new};
        row += is_new;
    }
    if (row < stored)
        refuse_changed_message();
    if (stored < static_cast<uint64>(size()))
        find_first(filed);
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
