// Messages that may not go on their channel now.
#include "policy/closed.hpp"

#include "channels/usable.hpp"
#include "policy/pauses.hpp"
#include "policy/reply_window.hpp"
#include "postgres/arguments.hpp"
#include "postgres/flags.hpp"
#include "postgres/without_waiting.hpp"
#include "sending/finish.hpp"
#include "sending/pending.hpp"
#include "users/user_row.hpp"

namespace companion {

// The next channel that reaches the user and may be used now for a kind: the preferred one, or by
// rank; null where there is none.
static const Channel *next_open(const pg_uuid_t &user_id, std::string_view kind, TimestampTz at)
{
    const Reach reach = reach_of(user_id);
    const auto is_open = [&](const Channel &channel) {
        const std::string_view name = channel.name_view();
        return reach.usable.is_reachable(channel) && !is_paused(name, kind, at) &&
               !is_window_closed(user_id, name, reach.usable, kind, at);
    };
    const auto is_preferred = [&](const Channel &channel) {
        return !reach.preferred.isnull && text_view(reach.preferred.value) == channel.name_view();
    };
    const Channel *next = nullptr;
    for (const Channel &channel : channels())
        if ((is_preferred(channel) || (next == nullptr && !channel.only_if_preferred)) &&
            is_open(channel))
            next = &channel;
    return next;
}

bool has_next_open(const pg_uuid_t &user_id, std::string_view channel, std::string_view kind,
                   TimestampTz at)
{
    const Channel *next = next_open(user_id, kind, at);
    return next != nullptr && next->name_view() != channel;
}

void Closed::add(Datum user_id, Datum message_id, Datum attempt, Datum kind, Datum channel,
                 Datum reason)
{
    user_ids_.add(user_id);
    message_ids_.add(message_id);
    attempts_.add(attempt);
    kinds_.add(kind);
    channels_.add(channel);
    reasons_.add(reason);
}

// Whether nobody has claimed or started it since it was seen.
static bool is_as_seen(const QueueRow &row, Datum attempt, Datum channel)
{
    return row.attempt == DatumGetInt32(attempt) && !row.sending &&
           text_view(row.channel) == text_view(channel);
}

// Move a message to the next channel that may be used, where there is one.
static void move_on(const pg_uuid_t &user_id, Datum message_id, Datum attempt, Datum from,
                    Datum kind, TimestampTz at)
{
    const Channel *next = next_open(user_id, text_view(kind), at);
    if (next == nullptr || next->name_view() == text_view(from))
        return;
    const Datum channel = to_text(next->name_view());
    const PendingMessages pending(user_id, {message_id, false});
    if (pending.size() == 1 && is_as_seen(pending.at(0).row, attempt, from))
        move_to_channel(pending.at(0).row, channel);
}

void Closed::settle_range(int first, int last, const bool *are_left, TimestampTz at) const
{
    const auto skips = [this](int index) {
        return kind_of(text_view(kinds_.at(index).value)).when_closed == Otherwise::skip;
    };
    const auto user_id = [this](int index) { return *DatumGetUUIDP(user_ids_.at(index).value); };
    Unsent unsent;
    Queue queue;
    for (int index = first; index < last; index++) {
        const auto decide = [&](QueueRow &row) {
            return is_as_seen(row, attempts_.at(index).value, channels_.at(index).value)
                       ? Outcome::removed
                       : Outcome::kept;
        };
        if (!are_left[index] && skips(index) &&
            queue.find(user_id(index), *DatumGetUUIDP(message_ids_.at(index).value)) &&
            queue.change(Contended::pass_changed, decide) == Outcome::removed)
            unsent.add(queue.row(), "skipped", reasons_.at(index).value);
    }
    queue.close();
    unsent.record();
    for (int index = first; index < last; index++)
        if (!are_left[index] && !skips(index))
            move_on(user_id(index), message_ids_.at(index).value, attempts_.at(index).value,
                    channels_.at(index).value, kinds_.at(index).value, at);
}

void Closed::settle(TimestampTz at) const
{
    const int count = size();
    if (count == 0)
        return;
    const Datum user_ids = user_ids_.finish(), message_ids = message_ids_.finish();
    bool *are_left = make_flags(count);
    auto *lockings = static_cast<Locking *>(palloc(count * sizeof(Locking)));
    lock_free_users(user_ids, lockings);
    for (int index = 0; index < count; index++)
        are_left[index] = lockings[index] != Locking::held;
    do_without_waiting(
        count, [=, this](int first, int last) { settle_range(first, last, are_left, at); },
        [=] { flag_held(user_ids, message_ids, are_left); },
        [=](int index) { are_left[index] = true; });
}

// The most that a claim looks at, and of that moves or skips.
static constexpr int most_looked_at = 1000, most_settled = 100;

// Where this session's next look begins; null: at the head.
static QueuePosition place;
static const QueuePosition *from = nullptr;

namespace {

class PausedLanes : public WantedLanes {
  public:
    explicit PausedLanes(TimestampTz at) : at_(at) {}
    bool have(std::string_view channel) const override
    {
        return is_channel_paused(channel, at_) || is_some_kind_paused(at_);
    }

  private:
    TimestampTz at_;
};

} // namespace

// Whether a message, which is paused, is to be moved or skipped.
static bool is_to_settle(const QueueRow &row, TimestampTz at)
{
    if (row.sending || row.leased_until > at || row.send_before <= at)
        return false;
    const std::string_view kind = text_view(row.kind);
    const Otherwise otherwise = kind_of(kind).when_closed;
    return otherwise == Otherwise::skip ||
           (otherwise == Otherwise::fall_back &&
            has_next_open(row.user_id, text_view(row.channel), kind, at));
}

// Note what is to be settled, and where to go on.
static void look_for_paused(Closed &closed, TimestampTz at)
{
    Queue queue;
    const PausedLanes lanes(at);
    queue.begin_walk(at, lanes, from);
    from = nullptr;
    int looked_at = 0;
    while (closed.size() < most_settled && queue.next()) {
        const QueueRow &row = queue.row();
        if (++looked_at == most_looked_at) {
            place = {row.visible_at, row.message_id, true};
            from = &place;
            break;
        }
        const std::string_view channel = text_view(row.channel), kind = text_view(row.kind);
        if (is_paused(channel, kind, at) && is_to_settle(row, at))
            closed.add(UUIDPGetDatum(&row.user_id), UUIDPGetDatum(&row.message_id),
                       Int32GetDatum(row.attempt), row.kind, row.channel,
                       pause_reason(channel, kind, at));
    }
    queue.end_walk();
    queue.close();
}

void settle_paused(TimestampTz at)
{
    if (!is_something_paused(at) || !do_some_leave_closed())
        return;
    Closed closed;
    look_for_paused(closed, at);
    closed.settle(at);
}

} // namespace companion
