// Messages that no worker will finish.
#include "sending/abandoned.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/flags.hpp"
#include "postgres/settings.hpp"
#include "postgres/without_waiting.hpp"
#include "sending/told.hpp"
#include "users/user_row.hpp"

#include <algorithm>

namespace companion {

// Which of the messages, by position, may be sent twice rather than not at all.
static Statement find_repeatable{R"sql(
SELECT a.position
FROM unnest($1, $2) WITH ORDINALITY AS a (user_id, message_id, position)
CROSS JOIN LATERAL (
    SELECT m.kind FROM companion.scheduled_messages AS m
    WHERE m.user_id = a.user_id AND m.id = a.message_id LIMIT 1) AS m
WHERE m.kind = ANY (string_to_array(replace($3, ' ', ''), ',')))sql",
                                 UUIDARRAYOID, UUIDARRAYOID, TEXTOID};

bool is_abandoned(const QueueRow &row, TimestampTz at)
{
    return row.leased_until <= at &&
           (row.sending || row.send_before <= at || row.attempt >= settings::max_attempts);
}

void Abandoned::add(const QueueRow &row)
{
    user_ids_.add(UUIDPGetDatum(&row.user_id));
    message_ids_.add(UUIDPGetDatum(&row.message_id));
}

// Give an abandoned message up, or let it be claimed again.
static Outcome decide(QueueRow &row, TimestampTz at, bool is_repeatable)
{
    if (!is_abandoned(row, at))
        return Outcome::kept;
    if (!row.sending || !is_repeatable || row.attempt >= settings::max_attempts ||
        row.send_before <= at)
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
        unsent.add(row, "skipped",
                   CStringGetTextDatum(
                       psprintf("not sent before %s", timestamptz_to_str(row.send_before))));
    else
        unsent.add(
            row, "failed",
            CStringGetTextDatum(psprintf("%d attempts ended without a report", row.attempt)));
}

// Give the message up if it still is abandoned; false where it may be claimed again, or is
// another transaction's.
static bool try_give_up(Queue &queue, const pg_uuid_t &user_id, const pg_uuid_t &message_id,
                        TimestampTz at, bool is_repeatable, Unsent &unsent)
{
    if (!queue.find(user_id, message_id) ||
        queue.change(Contended::pass_changed, [=](QueueRow &row) {
            return decide(row, at, is_repeatable);
        }) != Outcome::removed)
        return false;
    note(queue.row(), at, unsent);
    return true;
}

int Abandoned::give_up(TimestampTz at) const
{
    const Datum user_ids = user_ids_.finish(), message_ids = message_ids_.finish();
    const auto *users = uuids_of(user_ids), *messages = uuids_of(message_ids);
    bool *are_left = make_flags(size()), *are_repeatable = make_flags(size());
    bool *are_finished = make_flags(size());
    auto *lockings = static_cast<Locking *>(palloc(size() * sizeof(Locking)));
    lock_free_users(user_ids, lockings);
    for (int index = 0; index < size(); index++)
        are_left[index] = lockings[index] == Locking::busy;
    if (*settings::retry_unknown != '\0')
        set_flags(are_repeatable,
                  find_repeatable.execute(
                      {user_ids, message_ids, CStringGetTextDatum(settings::retry_unknown)}));
    const auto give_up = [=](int first, int last) {
        Unsent unsent;
        Queue queue;
        for (int index = first; index < last; index++)
            are_finished[index] =
                !are_left[index] && try_give_up(queue, users[index], messages[index], at,
                                                are_repeatable[index], unsent);
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
    queue.begin_walk(at);
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
