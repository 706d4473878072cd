// A worker starts a message: the point of no return. What may not go, or not yet, is given back or
// stays the worker's; and so are leases, while nothing is started.
#include "policy/cap_starts.hpp"
#include "policy/pauses.hpp"
#include "policy/quiet_times.hpp"
#include "policy/rates.hpp"
#include "policy/reply_window.hpp"
#include "postgres/settings.hpp"
#include "sending/lease.hpp"
#include "sending/notify.hpp"
#include "sending/reports.hpp"
#include "sending/unwanted.hpp"

using namespace companion;

namespace {

// Messages that are not started, since it has become quiet after their claim.
class HeldBack {
  public:
    explicit HeldBack(const Reports &reports)
        : reports_(reports),
          reasons_(static_cast<Datum *>(palloc0(Max(reports.count(), 1) * sizeof(Datum))))
    {
    }

    // Whether one is to be held back; then it is given back. In a bulk form it may be asked again.
    bool holds(QueueRow &row, int index, TimestampTz at)
    {
        QuietUsers users;
        const Going going = users.judge(row, at);
        users.close();
        if (going != Going::now)
            row.uncount();
        reasons_[index] = going == Going::never ? users.reason() : 0;
        return going != Going::now;
    }

    // Skip those that do never go. Of who is held, the next claim does.
    void skip() const
    {
        Unwanted unwanted;
        for (int index = 0; index < reports_.count(); index++)
            if (reasons_[index] != 0 && !reports_.is_passed(index))
                unwanted.add(UUIDPGetDatum(&reports_.user_id(index)),
                             UUIDPGetDatum(&reports_.message_id(index)), reasons_[index]);
        unwanted.skip();
    }

  private:
    const Reports &reports_;
    Datum *reasons_;
};

// Whether a message's channel is closed for it: it is given back, and the next claim settles it.
bool is_closed(const QueueRow &row, bool have_windows, TimestampTz at)
{
    const std::string_view channel = text_view(row.channel), kind = text_view(row.kind);
    return is_paused(channel, kind, at) ||
           (have_windows &&
            is_window_closed(row.user_id, channel, reach_of(row.user_id).usable, kind, at));
}

// What is left of the lease is enough to send it.
void begin_sending(QueueRow &row, TimestampTz at)
{
    row.sending = true;
    row.leased_until = Max(row.leased_until, at + settings::send_timeout * USECS_PER_SEC);
    row.tries++;
    row.claims = 0;
}

// Starts of messages at a time, as far as they may go.
class Start {
  public:
    explicit Start(const Arguments &arguments, bool is_bulk)
        : reports_(arguments, is_bulk), held_back_(reports_), starts_(reports_.count(), at_)
    {
    }

    Datum all()
    {
        with_spi([&] {
            reports_.for_all([&](int first, int last) { some(first, last); }, [] {});
            held_back_.skip();
        });
        return reports_.result();
    }

  private:
    void some(int first, int last)
    {
        CappedStarts capped(at_, reports_.is_bulk() ? Contended::pass : Contended::wait);
        change_current(
            reports_, first, last, [&](QueueRow &row, int index) { return decide(row, index); },
            [&](const QueueRow &row, int index, Outcome) {
                if (!row.sending) {
                    reports_.answer(index, false);
                    return;
                }
                ForceSyncCommit(); // a crash that forgot it would have the message sent again
                capped.add(index, claimed_);
            });
        capped.count([&](int index, bool is_busy) { reports_.turn_down(index, is_busy); });
    }

    // The rate is the last that is asked, since it gives of its own. A cap is taken from once the
    // message has been started, under the lock of its row.
    Outcome decide(QueueRow &row, int index)
    {
        if (row.sending || row.send_before <= at_)
            return Outcome::kept;
        if (row.start_before <= at_ && held_back_.holds(row, index, at_))
            return Outcome::updated;
        if (is_closed(row, have_windows_, at_)) {
            row.unclaim();
            return Outcome::updated;
        }
        if (!starts_.may_start(row, index))
            return Outcome::busy;
        claimed_ = row;
        begin_sending(row, at_);
        return Outcome::updated;
    }

    const TimestampTz at_ = now();
    const bool have_windows_ = have_reply_windows();
    Reports reports_;
    HeldBack held_back_;
    Starts starts_;
    QueueRow claimed_; // the row come to, before it is started
};

Datum start_send(const Arguments &arguments, bool is_bulk)
{
    see_pauses();
    return Start(arguments, is_bulk).all();
}

Datum extend_lease(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const TimestampTz until = lease_end(now(), arguments.required(3, "lease"));
    const auto extend = [until](QueueRow &row, int) {
        row.leased_until = until;
        return Outcome::updated;
    };
    for_each_current(reports, extend, [](const QueueRow &, int, Outcome) {});
    return reports.result();
}

Datum release_message(const Arguments &arguments, bool is_bulk)
{
    Reports reports(arguments, is_bulk);
    const auto release = [](QueueRow &row, int) {
        if (row.sending)
            return Outcome::kept;
        row.unclaim();
        return Outcome::updated;
    };
    for_each_current(reports, release, [](const QueueRow &, int, Outcome) { notify_workers(); });
    return reports.result();
}

} // namespace

REPORT_FUNCTION(start_send)
REPORT_FUNCTION(extend_lease)
REPORT_FUNCTION(release_message)
