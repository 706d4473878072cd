// What a worker reports: that it starts, and how it ended. Each function takes one
// message or arrays of them; inside there is only the form for many.
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
    "unnest($1, $2, $3" parameters                                                                 \
    ") WITH ORDINALITY AS r (user_id, message_id, attempt" columns ", position)"
#define IS_CURRENT                                                                                 \
    "q.user_id = r.user_id AND q.message_id = r.message_id AND q.attempt = r.attempt"              \
    " AND q.leased_until > '-infinity'"

Statement start{"UPDATE companion.dispatch_queue AS q SET sending = true FROM " REPORTED("", "")
                " WHERE " IS_CURRENT " AND NOT q.sending AND q.send_before > companion.now()"
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
    " FROM " REPORTED("", "")
    " CROSS JOIN LATERAL (SELECT companion.now() + coalesce($4,"
    "      least($5 * least(2 ^ (r.attempt - 1), 3600), '1 hour') * (0.5 + random() / 2))"
    "      AS visible_at OFFSET 0) AS next"
    " WHERE " IS_CURRENT " AND q.attempt < $6 AND next.visible_at < q.send_before"
    " RETURNING r.position",
    UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID, INTERVALOID, INTERVALOID, INT4OID};

// Finish unsent; $5 is the status, failed or skipped, and $6 whether the channel is
// to be disabled for these users.
Statement finish_unsent{
    "WITH dropped AS ("
    " DELETE FROM companion.dispatch_queue AS q USING " REPORTED(", reason", ", $4")
    " WHERE " IS_CURRENT " RETURNING q.*, r.reason, r.position),"
    "disabled AS ("
    " UPDATE companion.users AS u"
    " SET disabled_channels = ARRAY(SELECT unnest(u.disabled_channels || d.channels)"
    "                               GROUP BY 1 ORDER BY 1)"
    " FROM (SELECT user_id, array_agg(channel) AS channels FROM dropped"
    "       WHERE $6 AND channel <> 'web' GROUP BY user_id) AS d"
    " WHERE u.id = d.user_id)"
    "UPDATE companion.scheduled_messages AS m"
    " SET status = $5, failure_reason = d.reason, finished_at = companion.now(),"
    "     attempts = d.attempt, worker = d.worker"
    " FROM dropped AS d WHERE m.user_id = d.user_id AND m.id = d.message_id"
    " RETURNING d.position",
    UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID, TEXTARRAYOID, TEXTOID, BOOLOID};

// Take off the queue what was started, if its user is there still.
Statement release{"DELETE FROM companion.dispatch_queue AS q"
                  " USING " REPORTED("", "") ", companion.scheduled_messages AS m"
                  " WHERE " IS_CURRENT " AND q.sending"
                  "   AND m.user_id = r.user_id AND m.id = r.message_id"
                  " RETURNING r.position, q.channel, q.worker",
                  UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID};

// A late report of what was given up as unknown still counts.
Statement find_unknown{
    "SELECT r.position, m.channel, m.worker FROM " REPORTED("", "")
    " JOIN companion.scheduled_messages AS m ON m.user_id = r.user_id AND m.id = r.message_id"
    " WHERE m.status = 'unknown' AND m.attempts = r.attempt FOR UPDATE OF m",
    UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID};

// Finish what was sent and file its text, in one statement; returns a message that has
// no text, if there is one.
Statement file_sent{
    "WITH sent AS ("
    " UPDATE companion.scheduled_messages AS m"
    " SET status = 'sent', sent_at = companion.now(), finished_at = companion.now(),"
    "     failure_reason = NULL, attempts = r.attempt, worker = r.worker,"
    "     conversation_id = r.conversation_id, message_id = companion.uuid_v7(),"
    "     telegram_message_id = r.telegram_message_id"
    " FROM " REPORTED(", content, telegram_message_id, conversation_id, worker",
                      ", $4, $5, $6, $7")
    " WHERE r.conversation_id IS NOT NULL AND m.user_id = r.user_id AND m.id = r.message_id"
    " RETURNING m.*, coalesce(nullif(r.content, ''), m.content) AS sent_text),"
    "filed AS ("
    " INSERT INTO companion.messages"
    "  (user_id, id, conversation_id, role, content, telegram_message_id)"
    " SELECT user_id, message_id, conversation_id, 'assistant', sent_text, telegram_message_id"
    " FROM sent WHERE sent_text IS NOT NULL)"
    "SELECT id FROM sent WHERE sent_text IS NULL LIMIT 1",
    UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID, TEXTARRAYOID, INT8ARRAYOID, UUIDARRAYOID,
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
    reports.accept(finish_unsent.execute({reports.user_ids, reports.message_ids, reports.attempts,
                                          reasons, CStringGetTextDatum(status),
                                          BoolGetDatum(disable_channel)}));
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

// Which of the reported messages were sent: for each its channel and worker, null for
// those not accepted.
struct Released {
    explicit Released(int count)
        : channels_(static_cast<Datum *>(palloc0(Max(count, 1) * sizeof(Datum)))),
          workers_(static_cast<Datum *>(palloc0(Max(count, 1) * sizeof(Datum)))), count_(count)
    {
    }

    void take(uint64 rows)
    {
        for (uint64 row = 0; row < rows; row++) {
            channels_[Reports::result_position(row)] = result_field(row, 2);
            workers_[Reports::result_position(row)] = result_field(row, 3);
        }
    }

    Datum channels() const { return array_of(channels_); }
    Datum workers() const { return array_of(workers_); }

  private:
    Datum array_of(const Datum *values) const
    {
        ArrayBuilder builder(TEXTOID);
        for (int index = 0; index < count_; index++)
            builder.add(values[index], values[index] == 0);
        return builder.finish();
    }

    Datum *channels_, *workers_;
    int count_;
};

Released release_sent(Reports &reports)
{
    const int count = reports.count();
    Released released(count);
    uint64 rows = reports.accept(
        release.execute({reports.user_ids, reports.message_ids, reports.attempts}));
    released.take(rows);
    if (rows < static_cast<uint64>(count))
        released.take(reports.accept(
            find_unknown.execute({reports.user_ids, reports.message_ids, reports.attempts})));
    return released;
}

[[noreturn]] void refuse_without_text(Datum message_id)
{
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("message %s has no text",
                   DatumGetCString(DirectFunctionCall1(uuid_out, message_id))),
            errhint("Give its content here, or when it is scheduled."));
    pg_unreachable();
}

Datum mark_sent(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const Datum contents = reports.optional_column(3, "contents", TEXTOID);
    const Datum telegram_ids = reports.optional_column(4, "telegram_message_ids", INT8OID);
    with_spi([&] {
        const Released released = release_sent(reports);
        const Datum channels = released.channels();
        const Datum conversations = open_companion_conversations(reports.user_ids, channels);
        if (file_sent.execute({reports.user_ids, reports.message_ids, reports.attempts, contents,
                               telegram_ids, conversations, released.workers()}) > 0)
            refuse_without_text(result_field(0, 1));
    });
    return reports.result();
}

} // namespace

// Each report as two SQL functions: for one message and for many.
#define REPORT_FUNCTION(name)                                                                      \
    COMPANION_FUNCTION(name) { return name(Arguments(fcinfo), false); }                            \
    COMPANION_FUNCTION(name##_many) { return name(Arguments(fcinfo), true); }

REPORT_FUNCTION(start_send)
REPORT_FUNCTION(mark_sent)
REPORT_FUNCTION(mark_failed)
REPORT_FUNCTION(mark_skipped)
REPORT_FUNCTION(extend_lease)
