// What one of many may be refused for, without the others.
#pragma once

#include "postgres/entry.hpp"

namespace companion {

// Run a check, which raises at most error 22023 and has done nothing that would have to be undone;
// false, with its message as a warning, where it did.
template <class Check>
bool passes(Check check)
{
    const MemoryContext context = CurrentMemoryContext;
    ErrorData *volatile error = nullptr;
    PG_TRY();
    {
        guarded(check);
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        error = CopyErrorData();
        FlushErrorState();
    }
    PG_END_TRY();
    if (error == nullptr)
        return true;
    if (error->sqlerrcode != ERRCODE_INVALID_PARAMETER_VALUE)
        ReThrowError(error);
    ereport(WARNING, errcode(error->sqlerrcode), errmsg("%s", error->message));
    return false;
}

} // namespace companion
