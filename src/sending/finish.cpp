// Finishing messages: taking them off the queue and completing the audit trail.
#include "sending/finish.hpp"

#include "policy/kind.hpp"
#include "postgres/arguments.hpp"
#include "postgres/flags.hpp"
#include "postgres/settings.hpp"
#include "postgres/triggered.hpp"
#include "sending/told.hpp"

namespace companion {

// In each of these the lateral lookup, with its LIMIT, keeps the statement a walk of the
// primary key for every message, however small the table was when it was planned. A row that
// somebody else changes meanwhile moves, and only a second look finds it.

// Returns whether each row came out as it is written here.
static Statement record_unsent{R"sql(
UPDATE companion.scheduled_messages AS m
SET status = r.status, failure_reason = r.reason, finished_at = companion.now(),
    attempts = r.attempt, tries = r.tries, worker = r.worker, bot = r.bot, addresses = r.addresses
FROM given AS r
CROSS JOIN LATERAL (
    SELECT ctid FROM companion.scheduled_messages
    WHERE user_id = r.user_id AND id = r.message_id LIMIT 1) AS found
WHERE m.ctid = found.ctid AND m.status = 'pending'
RETURNING m.user_id = r.user_id AND m.id = r.message_id AND m.status = r.status)sql"};

// Returns each message that was recorded: its index, its id, what is to be filed, and whether the
// row came out as it is written here.
static Statement record_sent{R"sql(
UPDATE companion.scheduled_messages AS m
SET status = 'sent', sent_at = companion.now(), finished_at = companion.now(),
    failure_reason = NULL, attempts = r.attempt, tries = r.tries, worker = r.worker, bot = NULL, addresses = NULL,
    conversation_id = r.conversation_id, message_id = companion.uuid_v7(),
    telegram_message_id = r.telegram_message_id
FROM given AS r
CROSS JOIN LATERAL (
    SELECT ctid FROM companion.scheduled_messages
    WHERE user_id = r.user_id AND id = r.message_id LIMIT 1) AS found
WHERE m.ctid = found.ctid AND m.status IN ('pending', 'unknown')
RETURNING r.index, m.id, m.user_id, m.message_id, m.conversation_id,
    coalesce(nullif(r.content, ''), m.content),
    m.user_id = r.user_id AND m.id = r.message_id AND m.status = 'sent'
        AND m.conversation_id = r.conversation_id AND m.message_id IS NOT NULL)sql"};

// Put a message that was given up as unknown back on the queue.
static Statement revive{R"sql(
WITH revived AS (
    UPDATE companion.scheduled_messages
    SET status = 'pending', finished_at = NULL, failure_reason = NULL, attempts = 0, tries = 0,
        worker = NULL, bot = NULL, addresses = NULL
    WHERE user_id = $1 AND id = $2 AND attempts = $3 AND status = 'unknown'
    RETURNING user_id, id, kind)
INSERT INTO companion.dispatch_queue
    (visible_at, send_before, user_id, message_id, attempt, channel, worker, kind, tries,
     last_error, last_failed_at, head_start, start_before)
SELECT $4, $5, r.user_id, r.id, $3, $6, $7, r.kind, $8, $9, companion.now(), $10,
    companion.unknown_start(u.quiet_from, u.quiet_until)
FROM revived AS r JOIN companion.users AS u ON u.id = r.user_id)sql",         UUIDOID,
                        UUIDOID,        INT4OID,
                        TIMESTAMPTZOID, TIMESTAMPTZOID,
                        TEXTOID,        TEXTOID,
                        INT4OID,        TEXTOID,
                        INT4OID};

static Statement record_failed{R"sql(
UPDATE companion.scheduled_messages
SET status = 'failed', failure_reason = $4, finished_at = companion.now(), bot = NULL,
    addresses = NULL
WHERE user_id = $1 AND id = $2 AND attempts = $3 AND status = 'unknown')sql",
                               UUIDOID, UUIDOID, INT4OID, TEXTOID};

// Lock those of the messages that are still to be recorded.
static Statement lock_unrecorded{R"sql(
SELECT FROM given AS r
CROSS JOIN LATERAL (
    SELECT FROM companion.scheduled_messages AS m
    WHERE m.user_id = r.user_id AND m.id = r.message_id
        AND (m.status = 'pending' OR $1 AND m.status = 'unknown')
    LIMIT 1 FOR NO KEY UPDATE) AS m)sql",
                                 BOOLOID};

// Which of the messages, by position, another transaction holds, or an open conversation of
// its user; the others are locked.
static Statement find_held{R"sql(
WITH free AS MATERIALIZED (
    SELECT r.position
    FROM unnest($1, $2) WITH ORDINALITY AS r (user_id, message_id, position)
    CROSS JOIN LATERAL (
        SELECT FROM companion.scheduled_messages AS m
        WHERE m.user_id = r.user_id AND m.id = r.message_id
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) AS m),
free_conversation AS MATERIALIZED (
    SELECT c.user_id, c.id FROM companion.conversations AS c
    WHERE c.user_id = ANY ($1) AND c.ended_at IS NULL FOR NO KEY UPDATE SKIP LOCKED)
SELECT r.position
FROM unnest($1, $2) WITH ORDINALITY AS r (user_id, message_id, position)
WHERE r.position NOT IN (SELECT free.position FROM free)
        AND EXISTS (SELECT FROM companion.scheduled_messages AS m
                    WHERE m.user_id = r.user_id AND m.id = r.message_id)
    OR EXISTS (SELECT FROM companion.conversations AS c
               WHERE c.user_id = r.user_id AND c.ended_at IS NULL
                   AND (c.user_id, c.id) NOT IN (SELECT f.user_id, f.id
                                                 FROM free_conversation AS f)))sql",
                           UUIDARRAYOID, UUIDARRAYOID};

// Refuse a row of the last result whose column, by position, is not true. Error 09000.
static void require_written(uint64 rows, int column)
{
    for (uint64 row = 0; row < rows; row++) {
        bool is_null;
        if (!DatumGetBool(result_field(row, column, &is_null)) || is_null)
            refuse_changed("scheduled_messages",
                           "user_id, id, status, conversation_id or message_id");
    }
}

// The first two columns of messages: what identifies them.
static Given keys_of(const Given &messages)
{
    Given keys{{"user_id", UUIDOID}, {"message_id", UUIDOID}};
    for (int index = 0; index < messages.size(); index++)
        keys.add({messages.at(index, 0), messages.at(index, 1)});
    return keys;
}

// Record messages by a look that returns how many it has found. Those that it has not are
// gone, or somebody else has changed them meanwhile and they are found now, or a trigger has
// suppressed them: error 09000.
template <class Look>
static void record_all(const Given &messages, bool even_unknown, Look look)
{
    const auto lock = [&] {
        return lock_unrecorded.execute_newest(keys_of(messages), {BoolGetDatum(even_unknown)});
    };
    if (look() == static_cast<uint64>(messages.size()) || lock() == 0)
        return;
    look();
    if (lock() > 0)
        refuse_suppressed("scheduled_messages");
}

void flag_held(Datum user_ids, Datum message_ids, bool *are_held)
{
    set_flags(are_held, find_held.execute_newest({user_ids, message_ids}));
}

Unsent::Unsent()
    : messages_{{"user_id", UUIDOID}, {"message_id", UUIDOID}, {"attempt", INT4OID},
                {"tries", INT4OID},   {"worker", TEXTOID},     {"status", TEXTOID},
                {"reason", TEXTOID},  {"bot", TEXTOID},        {"addresses", TEXTARRAYOID}}
{
}

void Unsent::add(const QueueRow &row, const char *status, Datum reason, const Destination &told)
{
    messages_.add({{UUIDPGetDatum(&row.user_id)},
                   {UUIDPGetDatum(&row.message_id)},
                   {Int32GetDatum(row.attempt)},
                   {Int32GetDatum(row.tries)},
                   {row.worker, row.worker == 0},
                   {CStringGetTextDatum(status)},
                   {reason},
                   told.bot,
                   told.addresses});
}

const char *status_of_unsent(const QueueRow &row)
{
    return row.last_failed_at == DT_NOBEGIN ? "skipped" : "failed";
}

Datum with_last_error(const QueueRow &row, const char *reason)
{
    if (row.last_error == 0)
        return CStringGetTextDatum(reason);
    return CStringGetTextDatum(
        psprintf("%s; last: %s", reason, TextDatumGetCString(row.last_error)));
}

// Of what was still put off then also why.
Datum too_late(const QueueRow &row)
{
    const bool has_waited = row.waits_for != 0 && row.visible_at >= row.send_before;
    return with_last_error(row,
                           psprintf("not sent before %s%s%s", timestamptz_to_str(row.send_before),
                                    has_waited ? "; " : "",
                                    has_waited ? TextDatumGetCString(row.waits_for) : ""));
}

void put_back_unknown(const QueueRow &row)
{
    const char nulls[] = {' ', ' ', ' ', ' ', ' ', ' ', row.worker == 0 ? 'n' : ' ', ' ', ' ', ' '};
    if (revive.execute_newest({UUIDPGetDatum(&row.user_id), UUIDPGetDatum(&row.message_id),
                               Int32GetDatum(row.attempt), TimestampTzGetDatum(row.visible_at),
                               TimestampTzGetDatum(row.send_before), row.channel, row.worker,
                               Int32GetDatum(row.tries), row.last_error,
                               Int32GetDatum(kind_of(text_view(row.kind)).head_start)},
                              nulls) == 0)
        refuse_suppressed("scheduled_messages");
}

void fail_unknown(const QueueRow &row, Datum reason)
{
    if (record_failed.execute_newest({UUIDPGetDatum(&row.user_id), UUIDPGetDatum(&row.message_id),
                                      Int32GetDatum(row.attempt), reason}) == 0)
        refuse_suppressed("scheduled_messages");
}

void Unsent::record() const
{
    if (size() == 0)
        return;
    record_all(messages_, false, [&] {
        const uint64 rows = record_unsent.execute_newest(messages_, {});
        require_written(rows, 1);
        return rows;
    });
}

// Where a message's conversation stands among the columns.
constexpr int conversation_column = 8;

Sent::Sent(int room)
    : messages_{{"user_id", UUIDOID},        {"message_id", UUIDOID},
                {"index", INT4OID},          {"attempt", INT4OID},
                {"tries", INT4OID},          {"worker", TEXTOID},
                {"content", TEXTOID},        {"telegram_message_id", INT8OID},
                {"conversation_id", UUIDOID}},
      details_(static_cast<Detail *>(palloc(Max(room, 1) * sizeof(Detail))))
{
}

// Where the worker was told to send a message, in memory of its own. An id of Telegram's is one of
// a chat there, whatever channel the message is on.
static Chat chat_of(const QueueRow &row, const MessengerId &id)
{
    if (!id.telegram.isnull && text_view(row.channel) != "telegram")
        return chat_with(UUIDPGetDatum(&row.user_id), "telegram", to_text(""), {0, true});
    const Destination destination = told(row);
    const auto copy = [](NullableDatum text) {
        return to_text(text.isnull ? "" : text_view(text.value));
    };
    return {copy({row.channel, false}), copy(destination.bot), copy(destination.address)};
}

void Sent::add(int at, const QueueRow &row, const SentReport &report)
{
    const NullableDatum none{0, true};
    details_[size()] = {at, report, {}};
    if (report.messenger_id.is_given())
        details_[size()].chat = chat_of(row, report.messenger_id);
    messages_.add({{UUIDPGetDatum(&row.user_id)},
                   {UUIDPGetDatum(&row.message_id)},
                   {Int32GetDatum(size())},
                   {Int32GetDatum(row.attempt)},
                   {Int32GetDatum(row.tries)},
                   {row.worker, row.worker == 0},
                   report.content,
                   report.messenger_id.telegram,
                   none});
    conversations_.add(UUIDPGetDatum(&row.user_id), row.channel);
}

void refuse_without_text(Datum message_id)
{
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("message %s has no text",
                   DatumGetCString(DirectFunctionCall1(uuid_out, message_id))),
            errhint("Give its content here, or when it is scheduled."));
    pg_unreachable();
}

// File what record_sent has returned. Error 22023 for a message without text.
void Sent::file(uint64 rows, bool *recorded) const
{
    require_written(rows, 7);
    SentMessages filed;
    for (uint64 row = 0; row < rows; row++) {
        const Detail &detail = details_[DatumGetInt32(result_field(row, 1))];
        bool has_no_text;
        const Datum text = result_field(row, 6, &has_no_text);
        if (has_no_text)
            refuse_without_text(result_field(row, 2));
        filed.add({result_field(row, 3), result_field(row, 4), result_field(row, 5), text,
                   detail.report.messenger_id, detail.chat, detail.report.metadata});
        recorded[detail.at] = true;
    }
    filed.file();
}

void Sent::record(bool *recorded)
{
    if (size() == 0)
        return;
    conversations_.open_for_companion();
    for (int index = 0; index < size(); index++)
        messages_.set(index, conversation_column, conversations_.id(index));
    record_all(messages_, true, [&] {
        const uint64 rows = record_sent.execute_newest(messages_, {});
        if (rows > 0)
            file(rows, recorded);
        return rows;
    });
}

} // namespace companion
