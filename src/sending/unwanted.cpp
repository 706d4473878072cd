// Messages that a worker would have, and that are not to go.
#include "sending/unwanted.hpp"

#include "postgres/flags.hpp"
#include "postgres/without_waiting.hpp"
#include "sending/finish.hpp"
#include "users/user_row.hpp"

namespace companion {

void Unwanted::add(Datum user_id, Datum message_id, Datum reason)
{
    user_ids_.add(user_id);
    message_ids_.add(message_id);
    reasons_.add(reason);
}

static bool try_remove(Queue &queue, const pg_uuid_t &user_id, const pg_uuid_t &message_id)
{
    const auto decide = [](QueueRow &) { return Outcome::removed; };
    return queue.find(user_id, message_id) &&
           queue.change(Contended::pass_changed, decide) == Outcome::removed;
}

void Unwanted::skip() const
{
    const int count = size();
    if (count == 0)
        return;
    const Datum user_ids = user_ids_.finish(), message_ids = message_ids_.finish();
    const auto *users = uuids_of(user_ids), *messages = uuids_of(message_ids);
    bool *are_left = make_flags(count);
    auto *lockings = static_cast<Locking *>(palloc(count * sizeof(Locking)));
    lock_free_users(user_ids, lockings);
    for (int index = 0; index < count; index++)
        are_left[index] = lockings[index] != Locking::held;
    const auto skip = [=, this](int first, int last) {
        Unsent unsent;
        Queue queue;
        for (int index = first; index < last; index++)
            if (!are_left[index] && try_remove(queue, users[index], messages[index]))
                unsent.add(queue.row(), "skipped", reasons_.at(index).value);
        queue.close();
        unsent.record();
    };
    do_without_waiting(
        count, skip, [=] { flag_held(user_ids, message_ids, are_left); },
        [=](int index) { are_left[index] = true; });
}

} // namespace companion
