// What a worker reports: that it starts, and how it ended. Each function takes one
// message or arrays of them; inside there is only the form for many.
#include "conversations/messages.hpp"
#include "conversations/open.hpp"
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "scheduling/lease.hpp"

using namespace companion;

namespace {

// Every statement takes the messages as $1 to $3 (users, messages, attempts) and
// returns the positions of those it accepted. A stale worker's attempt matches no row
// of the queue, nor does one that has given its lease back.
#define REPORTED(columns, parameters)                                                              \
    "unnest($1, $2, $3" parameters ") WITH ORDINALITY AS r (user_id, message_id, attempt" columns  \
    ", position)"
#define IS_CURRENT                                                                                 \
    "q.user_id = r.user_id AND q.message_id = r.message_id AND q.attempt = r.attempt"              \
    " AND q.leased_until > '-infinity'"

Statement start{"UPDATE companion.dispatch_queue AS q SET sending = true FROM " REPORTED(
                    "", "") " WHERE " IS_CURRENT
                            " AND NOT q.sending AND q.send_before > companion.now()"
                            " RETURNING r.position",
                UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID};

Statement extend{"UPDATE companion.dispatch_queue AS q SET leased_until = $4"
                 " FROM " REPORTED("", "") " WHERE " IS_CURRENT " RETURNING r.position",
                 UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID, TIMESTAMPTZOID};

// Put back what has another try left; $4 retry_after or null, $5 backoff, $6
// max_attempts. Waiting from half the backoff to all of it keeps messages that failed
// together from coming back together.
Statement retry{
    "UPDATE companion.dispatch_queue AS q"
    " SET visible_at = next.visible_at, leased_until = '-infinity', sending = false"
    " FROM " REPORTED(
        "",
        "") " CROSS JOIN LATERAL (SELECT companion.now() + coalesce($4,"
            "      least($5 * least(2 ^ (r.attempt - 1), 3600), '1 hour') * (0.5 + random() / 2))"
            "      AS visible_at OFFSET 0) AS next"
            " WHERE " IS_CURRENT " AND q.attempt < $6 AND next.visible_at < q.send_before"
            " RETURNING r.position",
    UUIDARRAYOID,
    UUIDARRAYOID,
    INT4ARRAYOID,
    INTERVALOID,
    INTERVALOID,
    INT4OID};

// Finish unsent; $5 is the status, failed or skipped, and $6 whether the channel is
// to be disabled for these users.
Statement finish_unsent{
    "WITH dropped AS ("
    " DELETE FROM companion.dispatch_queue AS q USING " REPORTED(
        ", reason",
        ", $4") " WHERE " IS_CURRENT " RETURNING q.*, r.reason, r.position),"
                "disabled AS ("
                " UPDATE companion.users AS u SET disabled_channels = u.disabled_channels || "
                "d.channel"
                " FROM dropped AS d WHERE $6 AND u.id = d.user_id"
                "   AND d.channel <> 'web' AND d.channel <> ALL (u.disabled_channels))"
                "UPDATE companion.scheduled_messages AS m"
                " SET status = $5, failure_reason = d.reason, finished_at = companion.now(),"
                "     attempts = d.attempt, worker = d.worker"
                " FROM dropped AS d WHERE m.user_id = d.user_id AND m.id = d.message_id"
                " RETURNING d.position",
    UUIDARRAYOID,
    UUIDARRAYOID,
    INT4ARRAYOID,
    TEXTARRAYOID,
    TEXTOID,
    BOOLOID};

// Take off the queue what was started.
Statement release{
    "DELETE FROM companion.dispatch_queue AS q"
    " USING " REPORTED("", "") ", companion.scheduled_messages AS m"
                               " WHERE " IS_CURRENT " AND q.sending"
                               "   AND m.user_id = q.user_id AND m.id = q.message_id"
                               " RETURNING r.position, q.channel, q.worker, m.content",
    UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID};

// A late report of what was given up as unknown still counts.
Statement find_unknown{
    "SELECT r.position, m.channel, m.worker, m.content FROM " REPORTED(
        "", "") " JOIN companion.scheduled_messages AS m ON m.user_id = r.user_id AND m.id = "
                "r.message_id"
                " WHERE m.status = 'unknown' AND m.attempts = r.attempt FOR UPDATE OF m",
    UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID};

// Finish what was sent and filed.
Statement finish_sent{
    "UPDATE companion.scheduled_messages AS m"
    " SET status = 'sent', sent_at = companion.now(), finished_at = companion.now(),"
    "     failure_reason = NULL, attempts = r.attempt, worker = r.worker,"
    "     conversation_id = r.conversation_id, message_id = r.filed_id,"
    "     telegram_message_id = r.telegram_message_id"
    " FROM " REPORTED(", telegram_message_id, conversation_id, filed_id, worker",
                      ", $4, $5, $6, $7") " WHERE r.conversation_id IS NOT NULL AND m.user_id = "
                                          "r.user_id AND m.id = r.message_id",
    UUIDARRAYOID,
    UUIDARRAYOID,
    INT4ARRAYOID,
    INT8ARRAYOID,
    UUIDARRAYOID,
    UUIDARRAYOID,
    TEXTARRAYOID};

// The messages that a worker reports on, and which of them are accepted so far.
class Reports {
  public:
    Reports(const Arguments &arguments, bool is_bulk) : arguments_(arguments), is_bulk_(is_bulk)
    {
        user_ids = column(0, is_bulk ? "user_ids" : "user_id", UUIDOID);
        message_ids = column(1, is_bulk ? "message_ids" : "message_id", UUIDOID);
        attempts = column(2, is_bulk ? "attempts" : "attempt", INT4OID);
        accepted_ = static_cast<bool *>(palloc0(Max(count_, 1) * sizeof(bool)));
    }

    int count() const { return count_; }

    // An argument that must be there for every message. Error 22004, 2202E.
    Datum column(int position, const char *name, Oid type)
    {
        arguments_.required(position, name);
        return is_bulk_ ? check_length(arguments_.array(position, name), name)
                        : optional_column(position, name, type);
    }

    // An argument that may be missing for some messages. Error 2202E.
    Datum optional_column(int position, const char *name, Oid type)
    {
        if (is_bulk_)
            return arguments_.is_null(position)
                       ? PointerGetDatum(construct_empty_array(type))
                       : check_length(DatumGetArrayTypeP(arguments_.optional(position)), name);
        ArrayBuilder builder(type);
        builder.add(arguments_.optional(position), arguments_.is_null(position));
        return check_length(DatumGetArrayTypeP(builder.finish()), name);
    }

    // Mark the positions that a statement returned as accepted; returns how many.
    uint64 accept(uint64 rows)
    {
        for (uint64 row = 0; row < rows; row++)
            accepted_[result_position(row)] = true;
        return rows;
    }

    // The place, from 0, of the message that a result row is about.
    static int64 result_position(uint64 row) { return DatumGetInt64(result_field(row, 1)) - 1; }

    // boolean for one message, boolean[] for many.
    Datum result() const
    {
        if (!is_bulk_)
            return BoolGetDatum(accepted_[0]);
        ArrayBuilder results(BOOLOID);
        for (int index = 0; index < count_; index++)
            results.add(BoolGetDatum(accepted_[index]));
        return results.finish();
    }

    Datum user_ids, message_ids, attempts;

  private:
    Datum check_length(ArrayType *array, const char *name)
    {
        const int length = array_length(array);
        if (count_ < 0)
            count_ = length;
        if (length != count_)
            ereport(ERROR, errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                    errmsg("argument \"%s\" has %d elements, expected %d", name, length, count_));
        return PointerGetDatum(array);
    }

    Arguments arguments_;
    bool is_bulk_;
    int count_ = -1;
    bool *accepted_;
};

Datum start_send(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    with_spi([&] {
        reports.accept(start.execute({reports.user_ids, reports.message_ids, reports.attempts}));
    });
    return reports.result();
}

Datum extend_lease(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const Datum until = TimestampTzGetDatum(lease_end(now(), arguments.required(3, "lease")));
    with_spi([&] {
        reports.accept(
            extend.execute({reports.user_ids, reports.message_ids, reports.attempts, until}));
    });
    return reports.result();
}

// Finish the reported messages that are on the queue still.
void finish(Reports &reports, Datum reasons, const char *status, bool disable_channel)
{
    reports.accept(
        finish_unsent.execute({reports.user_ids, reports.message_ids, reports.attempts, reasons,
                               CStringGetTextDatum(status), BoolGetDatum(disable_channel)}));
}

Datum mark_skipped(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const Datum reasons = reports.column(3, is_bulk ? "reasons" : "reason", TEXTOID);
    with_spi([&] { finish(reports, reasons, "skipped", false); });
    return reports.result();
}

// Put back the reported messages that have another try left.
void put_back(Reports &reports, const Arguments &arguments)
{
    const char nulls[] = {' ', ' ', ' ', arguments.null_flag(4), ' ', ' '};
    reports.accept(retry.execute({reports.user_ids, reports.message_ids, reports.attempts,
                                  arguments.optional(4),
                                  PointerGetDatum(seconds_interval(settings::retry_backoff)),
                                  Int32GetDatum(settings::max_attempts)},
                                 nulls));
}

Datum mark_failed(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const Datum reasons = reports.column(3, is_bulk ? "reasons" : "reason", TEXTOID);
    const bool permanent = DatumGetBool(arguments.required(5, "permanent"));
    if (!arguments.is_null(4))
        interval_between(arguments.optional(4), "retry_after", 0, 30 * USECS_PER_DAY,
                         "zero to 30 days");
    with_spi([&] {
        if (!permanent)
            put_back(reports, arguments);
        finish(reports, reasons, "failed", permanent);
    });
    return reports.result();
}

// Which of the reported messages were sent: for each its channel, worker and text, null
// for those not accepted.
class Released {
  public:
    Released(int count, Datum contents)
        : channels_(new_column(count)), workers_(new_column(count)), texts_(new_column(count)),
          count_(count)
    {
        Datum *given;
        bool *nulls;
        int length;
        deconstruct_array(DatumGetArrayTypeP(contents), TEXTOID, -1, false, TYPALIGN_INT, &given,
                          &nulls, &length);
        for (int index = 0; index < length; index++)
            texts_[index] = nulls[index] || text_view(given[index]).empty() ? 0 : given[index];
    }

    // Take in the rows of release or find_unknown. Error 22023 for one without any text.
    void take(uint64 rows)
    {
        for (uint64 row = 0; row < rows; row++) {
            const int64 position = Reports::result_position(row);
            bool has_no_content;
            const Datum content = result_field(row, 4, &has_no_content);
            channels_[position] = result_field(row, 2);
            workers_[position] = result_field(row, 3);
            if (texts_[position] == 0 && has_no_content)
                ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("the message has no text"),
                        errhint("Give content, as none was given when it was scheduled."));
            if (texts_[position] == 0)
                texts_[position] = content;
        }
    }

    Datum channels() const { return array_of(channels_); }
    Datum workers() const { return array_of(workers_); }
    Datum texts() const { return array_of(texts_); }

  private:
    static Datum *new_column(int count)
    {
        return static_cast<Datum *>(palloc0(Max(count, 1) * sizeof(Datum)));
    }

    Datum array_of(const Datum *values) const
    {
        ArrayBuilder builder(TEXTOID);
        for (int index = 0; index < count_; index++)
            builder.add(values[index], values[index] == 0);
        return builder.finish();
    }

    Datum *channels_, *workers_, *texts_;
    int count_;
};

Released release_sent(Reports &reports, Datum contents)
{
    const int count = reports.count();
    Released released(count, contents);
    uint64 rows =
        reports.accept(release.execute({reports.user_ids, reports.message_ids, reports.attempts}));
    released.take(rows);
    if (rows < static_cast<uint64>(count))
        released.take(reports.accept(
            find_unknown.execute({reports.user_ids, reports.message_ids, reports.attempts})));
    return released;
}

Datum mark_sent(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const Datum contents = reports.optional_column(3, "contents", TEXTOID);
    const Datum telegram_ids = reports.optional_column(4, "telegram_message_ids", INT8OID);
    with_spi([&] {
        const Released released = release_sent(reports, contents);
        const Datum conversations =
            open_companion_conversations(reports.user_ids, released.channels());
        const FiledMessage *filed =
            file_messages({reports.user_ids, conversations, released.texts(), telegram_ids,
                           to_text("assistant")});
        finish_sent.execute({reports.user_ids, reports.message_ids, reports.attempts, telegram_ids,
                             conversations, ids_of(filed, reports.count()), released.workers()});
    });
    return reports.result();
}

} // namespace

// Each report as two SQL functions: for one message and for many.
#define REPORT_FUNCTION(name)                                                                      \
    COMPANION_FUNCTION(name)                                                                       \
    {                                                                                              \
        return name(Arguments(fcinfo), false);                                                     \
    }                                                                                              \
    COMPANION_FUNCTION(name##_many)                                                                \
    {                                                                                              \
        return name(Arguments(fcinfo), true);                                                      \
    }

REPORT_FUNCTION(start_send)
REPORT_FUNCTION(mark_sent)
REPORT_FUNCTION(mark_failed)
REPORT_FUNCTION(mark_skipped)
REPORT_FUNCTION(extend_lease)
