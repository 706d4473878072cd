// Finishing messages: taking them off the queue and completing the audit trail.
#include "scheduling/finish.hpp"

#include "conversations/messages.hpp"
#include "conversations/open.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"

namespace companion {

// The lateral lookup, with its LIMIT, keeps each statement a walk of the primary key for
// every message, however small the table was when the statement was planned. A row that
// somebody else changes meanwhile moves, and only a second look finds it.
#define AUDIT_ROW                                                                                  \
    " CROSS JOIN LATERAL (SELECT ctid FROM companion.scheduled_messages"                           \
    "  WHERE user_id = r.user_id AND id = r.message_id LIMIT 1) AS row WHERE m.ctid = row.ctid"

static Statement record_unsent{
    "UPDATE companion.scheduled_messages AS m"
    " SET status = r.status, failure_reason = r.reason, finished_at = companion.now(),"
    "     attempts = r.attempt, worker = r.worker"
    " FROM unnest($1, $2, $3, $4, $5, $6)"
    "      AS r (user_id, message_id, attempt, worker, status, reason)" AUDIT_ROW
    " AND m.status = 'pending'",
    UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID};

// Returns each message that was recorded: its place, its id, and what is to be filed.
static Statement record_sent{
    "UPDATE companion.scheduled_messages AS m"
    " SET status = 'sent', sent_at = companion.now(), finished_at = companion.now(),"
    "     failure_reason = NULL, attempts = r.attempt, worker = r.worker,"
    "     conversation_id = r.conversation_id, message_id = companion.uuid_v7(),"
    "     telegram_message_id = r.telegram_message_id"
    " FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)"
    "      AS r (place, user_id, message_id, attempt, worker, content, telegram_message_id,"
    "            conversation_id)" AUDIT_ROW " AND m.status IN ('pending', 'unknown')"
    " RETURNING r.place, m.id, m.user_id, m.message_id, m.conversation_id,"
    "           coalesce(nullif(r.content, ''), m.content), m.telegram_message_id",
    INT4ARRAYOID, UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
    INT8ARRAYOID, UUIDARRAYOID};

static Statement set_message_id{
    "UPDATE companion.scheduled_messages SET message_id = $3 WHERE user_id = $1 AND id = $2",
    UUIDOID, UUIDOID, UUIDOID};

static Statement disable_channel{
    "UPDATE companion.users SET disabled_channels = disabled_channels || $2"
    " WHERE id = $1 AND $2 <> 'web' AND $2 <> ALL (disabled_channels)",
    UUIDOID, TEXTOID};

void Unsent::add(const QueueRow &row, const char *status, Datum reason)
{
    user_ids_.add(UUIDPGetDatum(&row.user_id));
    message_ids_.add(UUIDPGetDatum(&row.message_id));
    attempts_.add(Int32GetDatum(row.attempt));
    workers_.add(row.worker, row.worker == 0);
    statuses_.add(CStringGetTextDatum(status));
    reasons_.add(reason);
}

void disable(const QueueRow &row)
{
    disable_channel.execute({UUIDPGetDatum(&row.user_id), row.channel});
}

void Unsent::record() const
{
    uint64 found = 0;
    for (int look = 0; look < 2 && found < static_cast<uint64>(size()); look++)
        found +=
            record_unsent.execute({user_ids_.finish(), message_ids_.finish(), attempts_.finish(),
                                   workers_.finish(), statuses_.finish(), reasons_.finish()});
}

void Sent::add(int place, const pg_uuid_t &user_id, const pg_uuid_t &message_id, int attempt,
               Datum channel, Datum worker, const NullableDatum &content,
               const NullableDatum &telegram_message_id)
{
    places_.add(Int32GetDatum(place));
    user_ids_.add(UUIDPGetDatum(&user_id));
    message_ids_.add(UUIDPGetDatum(&message_id));
    attempts_.add(Int32GetDatum(attempt));
    workers_.add(worker);
    channels_.add(channel);
    contents_.add(content.value, content.isnull);
    telegram_message_ids_.add(telegram_message_id.value, telegram_message_id.isnull);
}

[[noreturn]] static void refuse_without_text(Datum message_id)
{
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("message %s has no text",
                   DatumGetCString(DirectFunctionCall1(uuid_out, message_id))),
            errhint("Give its content here, or when it is scheduled."));
    pg_unreachable();
}

// Hand a row that record_sent has returned on to be filed. Error 22023 for one without text.
static void add_sent(SentMessages &messages, uint64 row)
{
    bool has_no_text;
    NullableDatum telegram_message_id;
    const Datum text = result_field(row, 6, &has_no_text);
    telegram_message_id.value = result_field(row, 7, &telegram_message_id.isnull);
    if (has_no_text)
        refuse_without_text(result_field(row, 2));
    messages.add(result_field(row, 3), result_field(row, 4), result_field(row, 5), text,
                 telegram_message_id);
}

// Where a message was filed before under the same Telegram id, that one stands.
static void refer_to_filed(SPITupleTable *sent, const FiledMessage *filed, uint64 rows)
{
    bool is_null;
    for (uint64 row = 0; row < rows; row++)
        if (!filed[row].is_new)
            set_message_id.execute({SPI_getbinval(sent->vals[row], sent->tupdesc, 3, &is_null),
                                    SPI_getbinval(sent->vals[row], sent->tupdesc, 2, &is_null),
                                    UUIDPGetDatum(&filed[row].id)});
}

// File what record_sent has returned.
static void file_sent(uint64 rows, bool *recorded)
{
    SentMessages messages;
    for (uint64 row = 0; row < rows; row++) {
        add_sent(messages, row);
        recorded[DatumGetInt32(result_field(row, 1))] = true;
    }
    SPITupleTable *sent = SPI_tuptable;
    refer_to_filed(sent, messages.file(), rows);
}

void Sent::record(bool *recorded) const
{
    if (size() == 0)
        return;
    const Datum user_ids = user_ids_.finish();
    const Datum conversations = open_companion_conversations(user_ids, channels_.finish());
    uint64 found = 0;
    for (int look = 0; look < 2 && found < static_cast<uint64>(size()); look++) {
        const uint64 rows = record_sent.execute(
            {places_.finish(), user_ids, message_ids_.finish(), attempts_.finish(),
             workers_.finish(), contents_.finish(), telegram_message_ids_.finish(),
             conversations});
        if (rows > 0)
            file_sent(rows, recorded);
        found += rows;
    }
}

} // namespace companion
