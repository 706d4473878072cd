// Doing what may meet another session's lock, without waiting for it.
#pragma once

#include "postgres/entry.hpp"
#include "postgres/runtime.hpp"

#include <utility>

namespace companion {

// The longest that anything in here waits for a lock, in milliseconds: what is free is had
// at once, and this is for what is let go of just then.
inline constexpr int lock_moment = 10;

// Undo what has been done since the subtransaction began, and return the error that ended it.
inline ErrorData *undo(MemoryContext context, ResourceOwner owner)
{
    MemoryContextSwitchTo(context);
    ErrorData *error = CopyErrorData();
    FlushErrorState();
    RollbackAndReleaseCurrentSubTransaction();
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
    return error;
}

// Whether an error says that another transaction was in the way: it holds something, or has begun a
// conversation past the lock of its user.
inline bool is_in_the_way(const ErrorData *error)
{
    return error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ||
           (error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION && error->constraint_name != nullptr &&
            strcmp(error->constraint_name, "conversations_open") == 0);
}

// Run a body; false, and all that it did is undone, when it came to something that another
// transaction holds: a row, a key that is being inserted, whatever a trigger locks.
template <class Body>
bool try_without_waiting(Body body)
{
    const MemoryContext context = CurrentMemoryContext;
    const ResourceOwner owner = CurrentResourceOwner;
    ErrorData *volatile error = nullptr;
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(context);
    PG_TRY();
    {
        bound_lock_wait(lock_moment);
        guarded(body);
        ReleaseCurrentSubTransaction();
    }
    PG_CATCH();
    {
        error = undo(context, owner);
    }
    PG_END_TRY();
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
    if (error != nullptr && !is_in_the_way(error))
        ReThrowError(error);
    return error == nullptr;
}

// Do the work for each half of the range [first, last), as work(first, last), or of a half
// that has to wait for its halves, and so on: it is done for all but those that are held, of
// which busy(index) takes note.
template <class Work, class Busy>
void do_by_halves(int first, int last, Work work, Busy busy)
{
    if (last - first == 1) {
        busy(first);
        return;
    }
    const int middle = first + (last - first) / 2;
    for (const auto &half : {std::pair(first, middle), std::pair(middle, last)})
        if (!try_without_waiting([&] { work(half.first, half.second); }))
            do_by_halves(half.first, half.second, work, busy);
}

// Do the work for [0, count) without waiting. Where it has to wait, look() may find out for
// what, so that the work can pass over that at once; what is not found so is searched for.
template <class Work, class Look, class Busy>
void do_without_waiting(int count, Work work, Look look, Busy busy)
{
    const auto work_on_all = [&] { work(0, count); };
    if (try_without_waiting(work_on_all))
        return;
    look();
    if (!try_without_waiting(work_on_all))
        do_by_halves(0, count, work, busy);
}

} // namespace companion
