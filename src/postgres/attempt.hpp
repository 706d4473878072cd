// Doing what may fail for what it was given, without failing.
#pragma once

#include "postgres/without_waiting.hpp"

namespace companion {

// Whether an error is about what was given: a value, a reference, a limit, or what a trigger of
// somebody else's says of it. Not one that another try may be spared.
inline bool is_about_data(const ErrorData *error)
{
    switch (ERRCODE_TO_CATEGORY(error->sqlerrcode)) {
    case ERRCODE_DATA_EXCEPTION:
    case ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION:
    case ERRCODE_TRIGGERED_ACTION_EXCEPTION:
    case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
    case ERRCODE_PLPGSQL_ERROR:
        return true;
    default:
        return false;
    }
}

// What an error said, and of what, where its context begins with that: "facts[3].expires_at",
// "field created_at".
inline const char *said_by(const ErrorData *error)
{
    const auto is_place = [](const char *text) {
        return strncmp(text, "facts[", 6) == 0 || strncmp(text, "field ", 6) == 0;
    };
    if (error->context == nullptr || !is_place(error->context) || is_place(error->message))
        return error->message;
    const int length = static_cast<int>(strcspn(error->context, "\n"));
    return psprintf("%.*s: %s", length, error->context, error->message);
}

// Run a body; a null pointer, or what an error about its data said, and all that it did is undone.
template <class Body>
const char *fault_of(Body body)
{
    const MemoryContext context = CurrentMemoryContext;
    const ResourceOwner owner = CurrentResourceOwner;
    ErrorData *volatile error = nullptr;
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(context);
    PG_TRY();
    {
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
    if (error != nullptr && !is_about_data(error))
        ReThrowError(error);
    return error == nullptr ? nullptr : said_by(error);
}

// Run a body; false, and all that it did is undone, when it says so.
template <class Body>
bool try_or_undo(Body body)
{
    const MemoryContext context = CurrentMemoryContext;
    const ResourceOwner owner = CurrentResourceOwner;
    volatile bool is_kept = false;
    ErrorData *volatile error = nullptr;
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(context);
    PG_TRY();
    {
        guarded([&] { is_kept = body(); });
        if (is_kept)
            ReleaseCurrentSubTransaction();
        else
            RollbackAndReleaseCurrentSubTransaction();
    }
    PG_CATCH();
    {
        error = undo(context, owner);
    }
    PG_END_TRY();
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
    if (error != nullptr)
        ReThrowError(error);
    return is_kept;
}

} // namespace companion
