// What a worker reports: that it starts, and how it ended. Each function takes one
// message or arrays of them. For one it waits for whoever holds the user or the message;
// for many it never does, and says so of those that are held.
//
// What changes a user's scheduled messages locks the user's row first, then the message's on
// the queue. A start and a lease are on the queue alone.
#include "memory/asked.hpp"
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/flags.hpp"
#include "postgres/settings.hpp"
#include "postgres/uuid.hpp"
#include "postgres/without_waiting.hpp"
#include "sending/finish.hpp"
#include "sending/lease.hpp"
#include "sending/queue.hpp"
#include "sending/told.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

// A late report of what was given up as unknown still counts.
Statement find_unknown{R"sql(
SELECT channel, worker, send_before, bot, addresses FROM companion.scheduled_messages
WHERE user_id = $1 AND id = $2 AND status = 'unknown' AND attempts = $3)sql",
                       UUIDOID, UUIDOID, INT4OID};

// One argument's values for all the messages, null or not.
struct Column {
    Datum *values;
    bool *nulls;

    NullableDatum at(int index) const { return {values[index], nulls[index]}; }
};

// The messages that a worker reports on, and the answers so far: which are accepted, and
// which are busy, held by another transaction.
class Reports {
  public:
    Reports(const Arguments &arguments, bool is_bulk) : arguments_(arguments), is_bulk_(is_bulk)
    {
        user_ids_ = column(0, is_bulk ? "user_ids" : "user_id", UUIDOID);
        message_ids_ = column(1, is_bulk ? "message_ids" : "message_id", UUIDOID);
        attempts_ = column(2, is_bulk ? "attempts" : "attempt", INT4OID);
        accepted_ = make_flags(count_);
        busy_ = make_flags(count_);
        gone_ = make_flags(count_);
    }

    int count() const { return count_; }
    const pg_uuid_t &user_id(int index) const { return *DatumGetUUIDP(user_ids_.values[index]); }
    const pg_uuid_t &message_id(int index) const
    {
        return *DatumGetUUIDP(message_ids_.values[index]);
    }
    int attempt(int index) const { return DatumGetInt32(attempts_.values[index]); }

    // An argument that must be there for every message. Error 22004, 2202E.
    Column column(int position, const char *name, Oid type)
    {
        if (is_bulk_)
            return elements(arguments_.array(position, name), name, type);
        arguments_.required(position, name);
        return optional_column(position, name, type);
    }

    // An argument that may be missing, for some messages or all. Error 2202E.
    Column optional_column(int position, const char *name, Oid type)
    {
        if (is_bulk_ && !arguments_.is_null(position))
            return elements(arguments_.array_with_nulls(position, name), name, type);
        return same_for_all(arguments_.optional(position), arguments_.is_null(position));
    }

    // Come to the message on the queue; false when the report cannot be by the worker that holds
    // it. A stale worker's attempt is an older one, and is refused without a lock that the newer
    // would wait for.
    bool may_be_current(Queue &queue, int index) const
    {
        return queue.find(user_id(index), message_id(index)) &&
               queue.row().attempt <= attempt(index);
    }

    // Whether the report is by the worker that holds the message. One that gave its lease back
    // holds none, and none is held for an id that the user has no more.
    bool is_reported(const QueueRow &row, int index) const
    {
        return is_same_uuid(row.user_id, user_id(index)) && row.attempt == attempt(index) &&
               row.is_claimed();
    }

    // Change the message on the queue as decide(row) says, if the report is by the worker that
    // holds it, and answer whether it was changed.
    template <class Decide>
    Outcome change(Queue &queue, int index, Decide decide)
    {
        Outcome outcome = Outcome::gone;
        if (come_to(queue, index))
            outcome =
                queue.change(is_bulk_ ? Contended::pass : Contended::wait, [&](QueueRow &row) {
                    return is_reported(row, index) ? decide(row) : Outcome::kept;
                });
        busy_[index] = outcome == Outcome::busy;
        answer(index, is_changed(outcome));
        return outcome;
    }

    // Lock the users of those messages that may change: on the queue, or else late(index).
    template <class Late>
    void lock_users(Late late)
    {
        const int room = Max(count_, 1);
        changing_ = static_cast<int *>(palloc(room * sizeof(int)));
        queue_places_ = static_cast<ItemPointerData *>(palloc0(room * sizeof(ItemPointerData)));
        Queue queue;
        for (int index = 0; index < count_; index++) {
            if (may_be_current(queue, index))
                queue_places_[index] = queue.place();
            else if (!late(index))
                continue;
            changing_[changing_users_.size()] = index;
            changing_users_.add(user_ids_.values[index]);
            changing_messages_.add(message_ids_.values[index]);
        }
        queue.close();
        if (changing_users_.size() > 0)
            lock_changing_users();
    }

    // Find out which of those messages other transactions hold in other ways.
    void flag_held()
    {
        bool *are_held = make_flags(changing_users_.size());
        companion::flag_held(changing_users_.finish(), changing_messages_.finish(), are_held);
        for (int place = 0; place < changing_users_.size(); place++)
            busy_[changing_[place]] |= are_held[place];
    }

    // Do the work for every message, as work(first, last) for some of them. In a bulk form
    // it does not wait, and may come to the same message again after what it did was undone.
    // Where it has to, look() may find out for what.
    template <class Work, class Look>
    void for_all(Work work, Look look)
    {
        if (is_bulk_ && count_ > 0)
            do_without_waiting(count_, work, look, [this](int index) { busy_[index] = true; });
        else
            work(0, count_);
    }

    bool is_busy(int index) const { return busy_[index]; }

    // Whether the user was not there any more when it was to be locked.
    bool is_gone(int index) const { return gone_[index]; }
    bool is_accepted(int index) const { return accepted_[index]; }
    void answer(int index, bool is_accepted) { accepted_[index] = is_accepted; }
    bool *accepted() { return accepted_; }

    // boolean for one message, boolean[] for many, null for what is busy.
    Datum result() const
    {
        if (!is_bulk_)
            return BoolGetDatum(accepted_[0]);
        ArrayBuilder results(BOOLOID);
        for (int index = 0; index < count_; index++)
            results.add(BoolGetDatum(accepted_[index]), busy_[index]);
        return results.finish();
    }

  private:
    // Come to the message on the queue as before, or find it.
    bool come_to(Queue &queue, int index) const
    {
        if (queue_places_ == nullptr)
            return may_be_current(queue, index);
        if (!ItemPointerIsValid(&queue_places_[index]))
            return false;
        queue.come_to(queue_places_[index]);
        return true;
    }

    void lock_changing_users()
    {
        auto *lockings = static_cast<Locking *>(palloc(changing_users_.size() * sizeof(Locking)));
        if (is_bulk_)
            lock_free_users(changing_users_.finish(), lockings);
        else
            lockings[0] = try_lock_user(user_ids_.values[0]) ? Locking::held : Locking::gone;
        for (int place = 0; place < changing_users_.size(); place++) {
            busy_[changing_[place]] = lockings[place] == Locking::busy;
            gone_[changing_[place]] = lockings[place] == Locking::gone;
        }
    }

    Column same_for_all(Datum value, bool is_null)
    {
        count_ = Max(count_, is_bulk_ ? 0 : 1);
        auto *values = static_cast<Datum *>(palloc0(Max(count_, 1) * sizeof(Datum)));
        auto *nulls = static_cast<bool *>(palloc0(Max(count_, 1) * sizeof(bool)));
        std::fill_n(values, count_, value);
        std::fill_n(nulls, count_, is_null);
        return {values, nulls};
    }

    Column elements(ArrayType *array, const char *name, Oid type)
    {
        int16 length;
        bool by_value;
        char alignment;
        get_typlenbyvalalign(type, &length, &by_value, &alignment);
        Column column;
        int count;
        deconstruct_array(array, type, length, by_value, alignment, &column.values, &column.nulls,
                          &count);
        if (count_ < 0)
            count_ = count;
        if (count != count_)
            ereport(ERROR, errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                    errmsg("argument \"%s\" has %d elements, expected %d", name, count, count_));
        return column;
    }

    Arguments arguments_;
    bool is_bulk_;
    int count_ = -1;
    Column user_ids_, message_ids_, attempts_;
    bool *accepted_, *busy_, *gone_;
    ArrayBuilder changing_users_{UUIDOID}, changing_messages_{UUIDOID};
    int *changing_;                           // which they are
    ItemPointerData *queue_places_ = nullptr; // of all, once known; invalid for the others
};

// Change every message whose report is current as decide(row) says, and hand what was changed to
// note(row, index, outcome).
template <class Decide, class Note>
void change_current(Reports &reports, int first, int last, Decide decide, Note note)
{
    Queue queue;
    for (int index = first; index < last; index++) {
        if (reports.is_busy(index))
            continue;
        const Outcome outcome = reports.change(queue, index, decide);
        if (is_changed(outcome))
            note(queue.row(), index, outcome);
    }
    queue.close();
}

// The same for all of them, where nothing but the queue changes.
template <class Decide, class Note>
void for_each_current(Reports &reports, Decide decide, Note note)
{
    with_spi([&] {
        reports.for_all(
            [&](int first, int last) { change_current(reports, first, last, decide, note); },
            [] {});
    });
}

// A field of the last result, or zero where it is null.
Datum result_or_zero(int column)
{
    bool is_null;
    const Datum field = result_field(0, column, &is_null);
    return is_null ? Datum{0} : field;
}

// The message that was given up as unknown at this attempt, if it was; a late report still counts.
bool find_unknown_row(const Reports &reports, int index, QueueRow *row)
{
    row->user_id = reports.user_id(index);
    row->message_id = reports.message_id(index);
    row->attempt = reports.attempt(index);
    if (find_unknown.execute({UUIDPGetDatum(&row->user_id), UUIDPGetDatum(&row->message_id),
                              Int32GetDatum(row->attempt)}) == 0)
        return false;
    row->channel = result_field(0, 1);
    row->worker = result_or_zero(2);
    row->send_before = DatumGetTimestampTz(result_field(0, 3));
    row->bot = result_or_zero(4);
    row->addresses = result_or_zero(5);
    return true;
}

bool is_unknown(const Reports &reports, int index)
{
    QueueRow row{};
    return find_unknown_row(reports, index, &row);
}

// What follows from reports on messages that go unsent: those that are finished, and the addresses
// that are gone.
struct Consequences {
    Unsent unsent;
    GoneAddresses gone;
};

// What such a report does: decide(row) with one on the queue; where that changed it,
// note(row, index, outcome, consequences); and take_late(row, index, consequences) with one that
// has been given up as unknown, which returns whether it counts.
template <class Decide, class Note, class TakeLate>
void finish_each_current(Reports &reports, Decide decide, Note note, TakeLate take_late)
{
    const auto take = [&](int first, int last) {
        Consequences consequences;
        change_current(reports, first, last, decide,
                       [&](const QueueRow &row, int index, Outcome outcome) {
                           note(row, index, outcome, consequences);
                       });
        consequences.unsent.record();
        for (int index = first; index < last; index++) {
            QueueRow row{};
            if (!reports.is_busy(index) && !reports.is_accepted(index) &&
                find_unknown_row(reports, index, &row))
                reports.answer(index, take_late(row, index, consequences));
        }
        consequences.gone.disable();
    };
    with_spi([&] {
        reports.lock_users([&](int index) { return is_unknown(reports, index); });
        reports.for_all(take, [&] { reports.flag_held(); });
    });
}

Datum start_send(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const auto start = [at = now()](QueueRow &row) {
        if (row.sending || row.send_before <= at)
            return Outcome::kept;
        row.sending = true;
        return Outcome::updated;
    };
    for_each_current(reports, start, [](const QueueRow &, int, Outcome) {
        ForceSyncCommit(); // a crash that forgot it would have the message sent again
    });
    return reports.result();
}

Datum extend_lease(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const TimestampTz until = lease_end(now(), arguments.required(3, "lease"));
    const auto extend = [until](QueueRow &row) {
        row.leased_until = until;
        return Outcome::updated;
    };
    for_each_current(reports, extend, [](const QueueRow &, int, Outcome) {});
    return reports.result();
}

Datum mark_skipped(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const Column reasons = reports.column(3, is_bulk ? "reasons" : "reason", TEXTOID);
    finish_each_current(
        reports, [](QueueRow &) { return Outcome::removed; },
        [&](const QueueRow &row, int index, Outcome, Consequences &consequences) {
            consequences.unsent.add(row, "skipped", reasons.values[index]);
        },
        [](const QueueRow &, int, Consequences &) { return false; });
    return reports.result();
}

// How long to wait after an attempt: the backoff doubles with each, up to an hour.
// Waiting from half of it to all of it keeps messages that failed together from coming
// back together.
int64 backoff(int attempt)
{
    const double longest = Min(settings::retry_backoff * pow(2, attempt - 1), 3600.0);
    const double share = 0.5 + pg_prng_double(&pg_global_prng_state) / 2;
    return static_cast<int64>(longest * share * USECS_PER_SEC);
}

// What a failure says: when to try again, by default after a backoff; whether that is of no use;
// and whether the address is gone, so that another is tried at once.
struct Failure {
    TimestampTz at;
    NullableDatum retry_after;
    bool is_permanent, is_address_gone;

    TimestampTz next_try(const QueueRow &row) const
    {
        if (!retry_after.isnull)
            return at + interval_length(retry_after.value);
        return is_address_gone ? at : at + backoff(row.attempt);
    }

    // Put the message back on the queue if it has another try left.
    Outcome decide(QueueRow &row) const
    {
        row.visible_at = next_try(row);
        if (is_permanent || row.attempt >= settings::max_attempts ||
            row.visible_at >= row.send_before)
            return Outcome::removed;
        row.give_back();
        return Outcome::updated;
    }
};

Failure read_failure(const Arguments &arguments)
{
    const Failure failure{now(), arguments.nullable(4),
                          DatumGetBool(arguments.required(5, "permanent")),
                          DatumGetBool(arguments.required(6, "address_gone"))};
    if (!failure.retry_after.isnull)
        interval_between(failure.retry_after.value, "retry_after", 0, 30 * USECS_PER_DAY,
                         "zero to 30 days");
    return failure;
}

// It was not sent, which makes certain what was unknown.
void fail_late(const Failure &failure, QueueRow &row, Datum reason)
{
    if (failure.decide(row) == Outcome::updated)
        put_back_unknown(row);
    else
        fail_unknown(row, reason);
}

Datum mark_failed(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const Column reasons = reports.column(3, is_bulk ? "reasons" : "reason", TEXTOID);
    const Failure failure = read_failure(arguments);
    QueueRow reported; // as it was
    const auto decide = [&](QueueRow &row) {
        reported = row;
        return failure.decide(row);
    };
    const auto note = [&](const QueueRow &row, int index, Outcome outcome, Consequences &follow) {
        if (failure.is_address_gone)
            follow.gone.add(reported, reasons.values[index]);
        if (outcome == Outcome::removed)
            follow.unsent.add(row, "failed", reasons.values[index]);
    };
    const auto take_late = [&](QueueRow &row, int index, Consequences &follow) {
        if (failure.is_address_gone)
            follow.gone.add(row, reasons.values[index]);
        fail_late(failure, row, reasons.values[index]);
        return true;
    };
    finish_each_current(reports, decide, note, take_late);
    return reports.result();
}

// Take what was sent off the queue, or find it given up as unknown, and hand each to
// add(index, row). None is accepted yet.
template <class Add>
void take_sent(Reports &reports, int first, int last, Add add)
{
    change_current(
        reports, first, last,
        [](QueueRow &row) { return row.sending ? Outcome::removed : Outcome::kept; },
        [&](const QueueRow &row, int index, Outcome) { add(index, row); });
    for (int index = first; index < last; index++) {
        QueueRow row{};
        if (!reports.is_busy(index) && !reports.is_accepted(index) &&
            find_unknown_row(reports, index, &row))
            add(index, row);
        reports.answer(index, false);
    }
}

// What the reports say of what was sent.
struct SentReports {
    Column contents, telegram_ids, external_ids, metadata;

    SentReport at(int index) const
    {
        return {contents.at(index),
                {telegram_ids.at(index), external_ids.at(index)},
                metadata.at(index)};
    }
};

// Errors 22023.
void check(const SentReport &report)
{
    check_messenger_id(report.messenger_id);
    if (report.metadata.isnull)
        return;
    Jsonb *metadata = DatumGetJsonbP(report.metadata.value);
    check_object("metadata", metadata);
    check_json_size("metadata", metadata);
}

SentReports read_sent(Reports &reports)
{
    const SentReports sent{reports.optional_column(3, "contents", TEXTOID),
                           reports.optional_column(4, "telegram_message_ids", INT8OID),
                           reports.optional_column(5, "external_ids", TEXTOID),
                           reports.optional_column(6, "metadata", JSONBOID)};
    for (int index = 0; index < reports.count(); index++)
        check(sent.at(index));
    return sent;
}

Datum mark_sent(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const SentReports given = read_sent(reports);
    const AskedItems asked(arguments.nullable(7), is_bulk, reports.count());
    with_spi([&] {
        reports.lock_users([&](int index) { return is_unknown(reports, index); });
        reports.for_all(
            [&](int first, int last) {
                Sent sent(last - first);
                take_sent(reports, first, last, [&](int index, const QueueRow &row) {
                    if (!reports.is_gone(index))
                        sent.add(index, row, given.at(index));
                });
                sent.record(reports.accepted());
                for (int index = first; index < last; index++)
                    if (reports.is_accepted(index))
                        asked.resolve(index, UUIDPGetDatum(&reports.user_id(index)));
            },
            [&] { reports.flag_held(); });
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
