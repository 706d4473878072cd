// Messages that no worker will finish.
#include "sending/abandoned.hpp"

#include "policy/kind.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/flags.hpp"
#include "postgres/settings.hpp"
#include "postgres/without_waiting.hpp"
#include "sending/told.hpp"
#include "users/user_row.hpp"

#include <algorithm>

namespace companion {

// Whether it is of no use to claim it again, or there is no number left for that.
static bool is_worn_out(const QueueRow &row)
{
    return row.claims >= settings::max_claims || row.attempt == PG_INT32_MAX;
}

bool is_abandoned(const QueueRow &row, TimestampTz at)
{
    return row.leased_until <= at && (row.sending || row.send_before <= at || is_worn_out(row));
}

void Abandoned::add(const QueueRow &row)
{
    user_ids_.add(UUIDPGetDatum(&row.user_id));
    message_ids_.add(UUIDPGetDatum(&row.message_id));
}

// Give an abandoned message up, or let it be claimed again where a double is better than a miss.
static Outcome decide(QueueRow &row, TimestampTz at)
{
    if (!is_abandoned(row, at))
        return Outcome::kept;
    const Kind kind = kind_of(text_view(row.kind));
    if (!row.sending || !kind.retry_unknown || row.tries >= kind.max_tries || row.send_before <= at)
        return Outcome::removed;
    row.give_back();
    return Outcome::updated;
}

// Note what became of a message that was given up.
static void note(const QueueRow &row, TimestampTz at, Unsent &unsent)
{
    if (row.sending)
        unsent.add(row, "unknown", CStringGetTextDatum("no report after start_send"), told(row));
    else if (row.send_before <= at)
        unsent.add(row, status_of_unsent(row), too_late(row));
    else
        unsent.add(row, "failed",
                   with_last_error(row, psprintf("%d claims were not started", row.claims)));
}

// Give the message up if it still is abandoned; false where it may be claimed again, or is
// another transaction's.
static bool try_give_up(Queue &queue, const pg_uuid_t &user_id, const pg_uuid_t &message_id,
                        TimestampTz at, Unsent &unsent)
{
    if (!queue.find(user_id, message_id) ||
        queue.change(Contended::pass_changed, [=](QueueRow &row) { return decide(row, at); }) !=
            Outcome::removed)
        return false;
    note(queue.row(), at, unsent);
    return true;
}

int Abandoned::give_up(TimestampTz at) const
{
    const Datum user_ids = user_ids_.finish(), message_ids = message_ids_.finish();
    const auto *users = uuids_of(user_ids), *messages = uuids_of(message_ids);
    bool *are_left = make_flags(size()), *are_finished = make_flags(size());
    auto *lockings = static_cast<Locking *>(palloc(size() * sizeof(Locking)));
    lock_free_users(user_ids, lockings);
    for (int index = 0; index < size(); index++)
        are_left[index] = lockings[index] == Locking::busy;
    const auto give_up = [=](int first, int last) {
        Unsent unsent;
        Queue queue;
        for (int index = first; index < last; index++)
            are_finished[index] =
                !are_left[index] && try_give_up(queue, users[index], messages[index], at, unsent);
        queue.close();
        unsent.record();
    };
    do_without_waiting(
        size(), give_up, [=] { flag_held(user_ids, message_ids, are_left); },
        [=](int index) { are_finished[index] = false; });
    return static_cast<int>(std::count(are_finished, are_finished + size(), true));
}

// Walk the queue, and finish what is abandoned as it is found, up to max_rows.
static int64 finish_abandoned(int64 max_rows)
{
    const TimestampTz at = now();
    int64 finished = 0;
    Queue queue;
    const WantedLanes all;
    queue.begin_walk(at, all);
    for (bool is_done = false; !is_done && finished < max_rows;) {
        Abandoned abandoned;
        while (abandoned.size() < max_rows - finished && !is_done) {
            is_done = !queue.next();
            if (!is_done && is_abandoned(queue.row(), at))
                abandoned.add(queue.row());
        }
        if (abandoned.size() > 0)
            finished += abandoned.give_up(at);
    }
    queue.end_walk();
    queue.close();
    return finished;
}

} // namespace companion

COMPANION_FUNCTION(finish_abandoned)
{
    using namespace companion;
    int64 max_rows = batch_size(Arguments(fcinfo), 0);
    PG_RETURN_INT64(with_spi([max_rows] { return finish_abandoned(max_rows); }));
}
