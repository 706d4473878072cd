// What an operator's BEFORE trigger must not do to a row of ours.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// Error 09000.
[[noreturn]] inline void refuse_suppressed(const char *table)
{
    ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
            errmsg("a trigger on table \"%s\" suppressed a row", table),
            errhint("It must return the row; to refuse it, let it raise an error."));
    pg_unreachable();
}

// Error 09000.
[[noreturn]] inline void refuse_changed(const char *table, const char *columns)
{
    ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
            errmsg("a trigger on table \"%s\" changed what was written", table),
            errhint("It must leave %s as they are.", columns));
    pg_unreachable();
}

} // namespace companion
