// Filing messages: the one way by which they get into their conversations.
#include "conversations/messages.hpp"

#include "postgres/arguments.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"

namespace companion {

// The foreign keys refuse what belongs to another user, or to nobody.
static Statement insert_messages{
    "INSERT INTO companion.messages"
    " (user_id, id, conversation_id, role, content, telegram_message_id, reply_to_id, metadata)"
    " SELECT n.user_id, n.id, n.conversation_id, $6, n.content, n.telegram_message_id,"
    "        coalesce($7, (SELECT m.id FROM companion.messages AS m WHERE m.user_id = n.user_id"
    "                      AND m.telegram_message_id = $8 LIMIT 1)),"
    "        coalesce($9, '{}')"
    " FROM unnest($1, $2, $3, $4, $5)"
    "      AS n (user_id, id, conversation_id, content, telegram_message_id)"
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
    " CROSS JOIN LATERAL (SELECT m.id FROM companion.messages AS m WHERE m.user_id = n.user_id"
    "                     AND m.telegram_message_id = n.telegram_message_id LIMIT 1) AS m",
    UUIDARRAYOID, INT8ARRAYOID};

static Statement set_last_user_message{
    "UPDATE companion.users SET last_user_message_at = companion.now()"
    " WHERE id = $1 AND (last_user_message_at IS NULL OR last_user_message_at < companion.now())",
    UUIDOID};

void NewMessages::add(Datum user_id, Datum id, Datum conversation_id, Datum content,
                      NullableDatum telegram_message_id)
{
    user_ids_.add(user_id);
    ids_.add(id);
    conversation_ids_.add(conversation_id);
    contents_.add(content);
    telegram_message_ids_.add(telegram_message_id.value, telegram_message_id.isnull);
}

uint64 NewMessages::insert() const
{
    const auto null_flag = [](NullableDatum value) { return value.isnull ? 'n' : ' '; };
    const char nulls[] = {' ',
                          ' ',
                          ' ',
                          ' ',
                          ' ',
                          ' ',
                          null_flag(reply_to_id),
                          null_flag(reply_to_telegram_id),
                          null_flag(metadata)};
    return insert_messages.execute({user_ids_.finish(), ids_.finish(), conversation_ids_.finish(),
                                    contents_.finish(), telegram_message_ids_.finish(), role_,
                                    reply_to_id.value, reply_to_telegram_id.value, metadata.value},
                                   nulls);
}

// Give to those that were delivered before the id of the first.
void NewMessages::find_first(FiledMessage *filed) const
{
    const uint64 rows =
        find_delivered.execute({user_ids_.finish(), telegram_message_ids_.finish()});
    for (uint64 row = 0; row < rows; row++)
        filed[DatumGetInt64(result_field(row, 1)) - 1].id = *DatumGetUUIDP(result_field(row, 2));
}

FiledMessage *NewMessages::file() const
{
    auto *filed = static_cast<FiledMessage *>(palloc0(Max(size(), 1) * sizeof(FiledMessage)));
    const auto *ids =
        reinterpret_cast<pg_uuid_t *>(ARR_DATA_PTR(DatumGetArrayTypeP(ids_.finish())));
    const uint64 stored = insert();
    // What was stored comes back in the order in which it was added
    uint64 row = 0;
    for (int index = 0; index < size(); index++) {
        filed[index].id = ids[index];
        filed[index].is_new =
            row < stored &&
            memcmp(&ids[index], DatumGetUUIDP(result_field(row, 1)), sizeof(pg_uuid_t)) == 0;
        row += filed[index].is_new;
    }
    if (stored < static_cast<uint64>(size()))
        find_first(filed);
    return filed;
}

void note_user_message(Datum user_id)
{
    set_last_user_message.execute({user_id});
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
