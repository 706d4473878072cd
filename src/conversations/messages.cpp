// Filing messages: the one way by which they get into their conversations.
#include "conversations/messages.hpp"

#include "identity/uuid_v7.hpp"
#include "postgres/arguments.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"

namespace companion {

// The foreign keys refuse what belongs to another user, or to nobody.
#define INSERT_MESSAGES(rows)                                                                      \
    "INSERT INTO companion.messages"                                                               \
    " (user_id, id, conversation_id, role, content, telegram_message_id, reply_to_id, "            \
    "metadata) " rows                                                                              \
    " ON CONFLICT (user_id, telegram_message_id) WHERE telegram_message_id IS NOT NULL DO NOTHING" \
    " RETURNING id"

static Statement insert_one{
    INSERT_MESSAGES("VALUES ($1, $2, $3, $4, $5, $6,"
                    " coalesce($7, (SELECT m.id FROM companion.messages AS m WHERE m.user_id = $1"
                    "               AND m.telegram_message_id = $8 LIMIT 1)),"
                    " coalesce($9, '{}'))"),
    UUIDOID,
    UUIDOID,
    UUIDOID,
    TEXTOID,
    TEXTOID,
    INT8OID,
    UUIDOID,
    INT8OID,
    JSONBOID};

static Statement insert_sent{
    INSERT_MESSAGES("SELECT n.user_id, n.id, n.conversation_id, 'assistant', n.content,"
                    "       n.telegram_message_id, NULL, '{}'"
                    " FROM unnest($1, $2, $3, $4, $5)"
                    "      AS n (user_id, id, conversation_id, content, telegram_message_id)"),
    UUIDARRAYOID,
    UUIDARRAYOID,
    UUIDARRAYOID,
    TEXTARRAYOID,
    INT8ARRAYOID};

static Statement find_delivered{
    "SELECT n.position, m.id"
    " FROM unnest($1, $2) WITH ORDINALITY AS n (user_id, telegram_message_id, position)"
    " CROSS JOIN LATERAL (SELECT m.id FROM companion.messages AS m WHERE m.user_id = n.user_id"
    "                     AND m.telegram_message_id = n.telegram_message_id LIMIT 1) AS m",
    UUIDARRAYOID, INT8ARRAYOID};

static Statement set_last_user_message{
    "UPDATE companion.users SET last_user_message_at = companion.now()"
    " WHERE id = $1 AND (last_user_message_at IS NULL OR last_user_message_at < companion.now())",
    UUIDOID};

// Insert a message under a new id; false where it was delivered before.
static bool insert(const NewMessage &message, const pg_uuid_t *id)
{
    const auto flag = [](NullableDatum value) { return value.isnull ? 'n' : ' '; };
    const char nulls[] = {' ',
                          ' ',
                          ' ',
                          ' ',
                          ' ',
                          flag(message.telegram_message_id),
                          flag(message.reply_to_id),
                          flag(message.reply_to_telegram_id),
                          flag(message.metadata)};
    return insert_one.execute({message.user_id, UUIDPGetDatum(id), message.conversation_id,
                               message.role, message.content, message.telegram_message_id.value,
                               message.reply_to_id.value, message.reply_to_telegram_id.value,
                               message.metadata.value},
                              nulls) > 0;
}

// Refuse what a message cannot have. Error 22023.
static void check(const NewMessage &message)
{
    if (!message.telegram_message_id.isnull)
        check_telegram_id("telegram_message_id", DatumGetInt64(message.telegram_message_id.value));
    if (!message.metadata.isnull)
        check_object("metadata", DatumGetJsonbP(message.metadata.value));
}

FiledMessage file_message(const NewMessage &message)
{
    check(message);
    for (;;) {
        const pg_uuid_t *id = uuid_v7();
        if (insert(message, id)) {
            if (text_view(message.role) == "user")
                set_last_user_message.execute({message.user_id});
            return {*id, true};
        }
        // The first may be deleted meanwhile
        if (find_delivered.execute({array_of_one(UUIDOID, message.user_id),
                                    array_of_one(INT8OID, message.telegram_message_id)}) > 0)
            return {*DatumGetUUIDP(result_field(0, 2)), false};
    }
}

void SentMessages::add(Datum user_id, Datum id, Datum conversation_id, Datum content,
                       NullableDatum telegram_message_id)
{
    user_ids_.add(user_id);
    ids_.add(id);
    conversation_ids_.add(conversation_id);
    contents_.add(content);
    telegram_message_ids_.add(telegram_message_id.value, telegram_message_id.isnull);
}

// Give to those that were delivered before the id of the first.
void SentMessages::find_first(FiledMessage *filed) const
{
    const uint64 rows =
        find_delivered.execute({user_ids_.finish(), telegram_message_ids_.finish()});
    for (uint64 row = 0; row < rows; row++)
        filed[DatumGetInt64(result_field(row, 1)) - 1].id = *DatumGetUUIDP(result_field(row, 2));
}

FiledMessage *SentMessages::file() const
{
    auto *filed = static_cast<FiledMessage *>(palloc0(Max(size(), 1) * sizeof(FiledMessage)));
    const Datum ids = ids_.finish();
    const auto *id = reinterpret_cast<pg_uuid_t *>(ARR_DATA_PTR(DatumGetArrayTypeP(ids)));
    const uint64 stored = insert_sent.execute({user_ids_.finish(), ids, conversation_ids_.finish(),
                                               contents_.finish(), telegram_message_ids_.finish()});
    // What was stored comes back in the order in which it was added
    uint64 row = 0;
    for (int index = 0; index < size(); index++) {
        const bool is_new = row < stored && memcmp(&id[index], DatumGetUUIDP(result_field(row, 1)),
                                                   sizeof(pg_uuid_t)) == 0;
        filed[index] = {id[index], is_new};
        row += is_new;
    }
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
