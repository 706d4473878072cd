// Filing messages: the one way by which they get into their conversations.
#include "conversations/messages.hpp"

#include "identity/uuid_v7.hpp"
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"

namespace companion {

// The foreign keys refuse what belongs to another user, or to nobody.
static Statement insert_messages{
    "INSERT INTO companion.messages"
    " (user_id, id, conversation_id, role, content, telegram_message_id, reply_to_id, metadata)"
    " SELECT n.user_id, n.id, n.conversation_id, $6, n.content, n.telegram_message_id,"
    "        coalesce($7, (SELECT m.id FROM companion.messages AS m"
    "                      WHERE m.user_id = n.user_id AND m.telegram_message_id = $8)),"
    "        coalesce($9, '{}')"
    " FROM unnest($1, $2, $3, $4, $5)"
    "      AS n (user_id, id, conversation_id, content, telegram_message_id)"
    " WHERE n.conversation_id IS NOT NULL"
    " ON CONFLICT (user_id, telegram_message_id) WHERE telegram_message_id IS NOT NULL DO NOTHING"
    " RETURNING id",
    UUIDARRAYOID,
    UUIDARRAYOID,
    UUIDARRAYOID,
    TEXTARRAYOID,
    INT8ARRAYOID,
    TEXTOID,
    UUIDOID,
    INT8OID,
    JSONBOID};

static Statement find_delivered{
    "SELECT n.position, m.id"
    " FROM unnest($1, $2) WITH ORDINALITY AS n (user_id, telegram_message_id, position)"
    " JOIN companion.messages AS m"
    "      ON m.user_id = n.user_id AND m.telegram_message_id = n.telegram_message_id",
    UUIDARRAYOID, INT8ARRAYOID};

static Statement set_last_user_message{
    "UPDATE companion.users SET last_user_message_at = companion.now()"
    " WHERE id = $1 AND (last_user_message_at IS NULL OR last_user_message_at < companion.now())",
    UUIDOID};

Datum ids_of(const FiledMessage *filed, int count)
{
    ArrayBuilder ids(UUIDOID);
    for (int index = 0; index < count; index++)
        ids.add(UUIDPGetDatum(&filed[index].id));
    return ids.finish();
}

// Mark as new what the insert returned: ids in the order in which they were given.
static void mark_new(FiledMessage *filed, uint64 rows)
{
    for (uint64 row = 0; row < rows; row++, filed++) {
        const pg_uuid_t *id = DatumGetUUIDP(result_field(row, 1));
        while (memcmp(&filed->id, id, sizeof *id) != 0)
            filed++;
        filed->is_new = true;
    }
}

// Give to those delivered before the id of the first.
static void find_first(const NewMessages &messages, FiledMessage *filed)
{
    const uint64 rows = find_delivered.execute({messages.user_ids, messages.telegram_message_ids});
    for (uint64 row = 0; row < rows; row++) {
        FiledMessage &message = filed[DatumGetInt64(result_field(row, 1)) - 1];
        if (!message.is_new)
            message.id = *DatumGetUUIDP(result_field(row, 2));
    }
}

static uint64 insert(const NewMessages &messages, Datum ids)
{
    const auto null_flag = [](NullableDatum value) { return value.isnull ? 'n' : ' '; };
    const char nulls[] = {' ',
                          ' ',
                          ' ',
                          ' ',
                          ' ',
                          ' ',
                          null_flag(messages.reply_to_id),
                          null_flag(messages.reply_to_telegram_id),
                          null_flag(messages.metadata)};
    return insert_messages.execute({messages.user_ids, ids, messages.conversation_ids,
                                    messages.contents, messages.telegram_message_ids, messages.role,
                                    messages.reply_to_id.value, messages.reply_to_telegram_id.value,
                                    messages.metadata.value},
                                   nulls);
}

FiledMessage *file_messages(const NewMessages &messages)
{
    const int count = array_length(DatumGetArrayTypeP(messages.user_ids));
    auto *filed = static_cast<FiledMessage *>(palloc0(Max(count, 1) * sizeof(FiledMessage)));
    for (int index = 0; index < count; index++)
        filed[index].id = *uuid_v7();
    const uint64 stored = insert(messages, ids_of(filed, count));
    mark_new(filed, stored);
    if (stored < static_cast<uint64>(count))
        find_first(messages, filed);
    return filed;
}

FiledMessage file_message(const NewMessage &message)
{
    const FiledMessage filed = *file_messages(
        {array_of_one(UUIDOID, message.user_id), array_of_one(UUIDOID, message.conversation_id),
         array_of_one(TEXTOID, message.content), array_of_one(INT8OID, message.telegram_message_id),
         message.role, message.reply_to_id, message.reply_to_telegram_id, message.metadata});
    if (filed.is_new && text_view(message.role) == "user")
        set_last_user_message.execute({message.user_id});
    return filed;
}

void check_content(std::string_view content)
{
    const int length = pg_mbstrlen_with_len(content.data(), static_cast<int>(content.size()));
    if (length < 1 || length > settings::max_message_length)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("content has %d characters, expected 1 to %d", length,
                       settings::max_message_length),
                errhint("The most is the setting companion.max_message_length."));
}

} // namespace companion
