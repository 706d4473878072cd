// What a worker reports: how sending a message has ended.
#include "memory/asked.hpp"
#include "policy/cap_starts.hpp"
#include "policy/kind.hpp"
#include "postgres/settings.hpp"
#include "postgres/warned.hpp"
#include "sending/finish.hpp"
#include "sending/reports.hpp"
#include "sending/retry_after.hpp"
#include "sending/told.hpp"

using namespace companion;

namespace {

// A late report of what was given up as unknown still counts.
Statement find_unknown{R"sql(
SELECT channel, worker, send_before, bot, addresses, kind, tries FROM companion.scheduled_messages
WHERE user_id = $1 AND id = $2 AND status = 'unknown' AND attempts = $3)sql",
                       UUIDOID, UUIDOID, INT4OID};

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
    if (find_unknown.execute_newest({UUIDPGetDatum(&row->user_id), UUIDPGetDatum(&row->message_id),
                                     Int32GetDatum(row->attempt)}) == 0)
        return false;
    row->channel = result_field(0, 1);
    row->worker = result_or_zero(2);
    row->send_before = DatumGetTimestampTz(result_field(0, 3));
    row->bot = result_or_zero(4);
    row->addresses = result_or_zero(5);
    row->kind = result_field(0, 6);
    row->tries = DatumGetInt32(result_field(0, 7));
    row->sending = true;
    return true;
}

bool is_unknown(const Reports &reports, int index)
{
    QueueRow row{};
    return find_unknown_row(reports, index, &row);
}

// What follows from reports on messages that go unsent: those that are finished, the starts that
// count no more, and the addresses that are gone.
struct Consequences {
    Unsent unsent;
    UnsentStarts unsent_starts;
    GoneAddresses gone;
};

// What such a report does: decide(row, index) with one on the queue; where that changed it,
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
            if (!reports.is_passed(index) && !reports.is_accepted(index) &&
                find_unknown_row(reports, index, &row))
                reports.answer(index, take_late(row, index, consequences));
        }
        consequences.unsent_starts.discount();
        consequences.gone.disable();
    };
    with_spi([&] {
        reports.lock_users([&](int index) { return is_unknown(reports, index); });
        reports.for_all(take, [&] { reports.flag_held(); });
    });
}

Datum mark_skipped(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const Column reasons = reports.column(3, is_bulk ? "reasons" : "reason", TEXTOID);
    finish_each_current(
        reports, [](QueueRow &, int) { return Outcome::removed; },
        [&](const QueueRow &row, int index, Outcome, Consequences &consequences) {
            consequences.unsent_starts.add(row);
            consequences.unsent.add(row, "skipped", reasons.values[index]);
        },
        [](const QueueRow &, int, Consequences &) { return false; });
    return reports.result();
}

// How long to wait after so many failures: the backoff doubles with each, up to an hour.
// Waiting from half of it to all of it keeps messages that failed together from coming
// back together.
int64 backoff(int failures)
{
    const double longest = Min(settings::retry_backoff * pow(2, Max(failures - 1, 0)), 3600.0);
    const double share = 0.5 + pg_prng_double(&pg_global_prng_state) / 2;
    return static_cast<int64>(longest * share * USECS_PER_SEC);
}

// What a failure says: when to try again, by default after a backoff; whether that is of no use;
// and whether the address is gone, so that another is tried at once.
struct Failure {
    TimestampTz at;
    std::optional<int64> retry_after;
    bool is_permanent, is_address_gone;

    TimestampTz next_try(const QueueRow &row) const
    {
        if (retry_after)
            return at + *retry_after;
        return is_address_gone ? at : at + backoff(row.tries + row.claims);
    }

    // Whether there is no use in another try, apart from its time.
    bool is_final(const QueueRow &row) const
    {
        const Kind kind = kind_of(text_view(row.kind));
        return is_permanent || (is_address_gone && !kind.falls_back) ||
               row.tries >= kind.max_tries || row.claims >= settings::max_claims;
    }

    // Put the message back on the queue if it has another try left. To be asked to wait costs none.
    Outcome decide(QueueRow &row, Datum reason) const
    {
        if (retry_after)
            row.uncount();
        row.visible_at = next_try(row);
        row.last_error = beginning_of(reason);
        row.last_failed_at = at;
        if (is_final(row) || row.visible_at >= row.send_before)
            return Outcome::removed;
        row.give_back();
        return Outcome::updated;
    }

    // Why a message that is not put back has failed.
    Datum reason(const QueueRow &row, Datum last) const
    {
        return is_final(row) ? last : too_late(row);
    }

  private:
    static Datum beginning_of(Datum reason)
    {
        const std::string_view text = text_view(reason);
        const int size = static_cast<int>(text.size());
        return to_text(text.substr(0, pg_mbcliplen(text.data(), size, 500)));
    }
};

Failure read_failure(const Arguments &arguments)
{
    return {now(), read_retry_after(arguments, 4, 7),
            DatumGetBool(arguments.required(5, "permanent")),
            DatumGetBool(arguments.required(6, "address_gone"))};
}

// It was not sent, which makes certain what was unknown.
void fail_late(const Failure &failure, QueueRow &row, Datum reason)
{
    if (failure.decide(row, reason) == Outcome::updated)
        put_back_unknown(row);
    else
        fail_unknown(row, failure.reason(row, reason));
}

Datum mark_failed(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const Column reasons = reports.column(3, is_bulk ? "reasons" : "reason", TEXTOID);
    const Failure failure = read_failure(arguments);
    QueueRow reported, decided; // as it was, and as the failure leaves it
    const auto decide = [&](QueueRow &row, int index) {
        reported = row;
        const Outcome outcome = failure.decide(row, reasons.values[index]);
        decided = row;
        return outcome;
    };
    const auto note = [&](const QueueRow &, int index, Outcome outcome, Consequences &follow) {
        follow.unsent_starts.add(reported);
        if (failure.is_address_gone)
            follow.gone.add(reported, reasons.values[index]);
        if (outcome == Outcome::removed)
            follow.unsent.add(decided, "failed", failure.reason(decided, reasons.values[index]));
    };
    const auto take_late = [&](QueueRow &row, int index, Consequences &follow) {
        if (failure.is_address_gone)
            follow.gone.add(row, reasons.values[index]);
        follow.unsent_starts.add(row);
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
        [&](QueueRow &row, int index) {
            reports.note_start(index, row.sending);
            return row.sending ? Outcome::removed : Outcome::kept;
        },
        [&](const QueueRow &row, int index, Outcome) { add(index, row); });
    for (int index = first; index < last; index++) {
        QueueRow row{};
        if (!reports.is_passed(index) && !reports.is_accepted(index) &&
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
    for (int index = 0; index < reports.count(); index++) {
        const SentReport report = sent.at(index);
        if (!reports.is_bulk())
            check(report);
        else if (report.has_form() && !passes([&] { check(report); }))
            reports.refuse(index);
    }
    return sent;
}

bool has_text(const SentReports &sent, int index)
{
    const NullableDatum text = sent.contents.at(index);
    return !text.isnull && !text_view(text.value).empty();
}

// Refuse a report without a text of a message that was scheduled without one.
void refuse_textless(Reports &reports, int index)
{
    Lookup messages("scheduled_messages", "scheduled_messages_pkey");
    const Datum key[] = {UUIDPGetDatum(&reports.user_id(index)),
                         UUIDPGetDatum(&reports.message_id(index))};
    if (messages.find(key, 2) && messages.get(messages.column("content")).isnull &&
        !passes([&] { refuse_without_text(key[1]); }))
        reports.refuse(index);
    messages.close();
}

Datum mark_sent(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const SentReports given = read_sent(reports);
    const AskedItems asked(arguments.nullable(7), is_bulk, reports.count());
    with_spi([&] {
        for (int index = 0; index < reports.count(); index++)
            if (reports.is_bulk() && !has_text(given, index))
                refuse_textless(reports, index);
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
    reports.complain_of_unstarted();
    return reports.result();
}

} // namespace

REPORT_FUNCTION(mark_sent)
REPORT_FUNCTION(mark_failed)
REPORT_FUNCTION(mark_skipped)
