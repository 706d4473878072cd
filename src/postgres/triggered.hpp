// What an operator's triggers may not do to the rows that we write: to suppress one, or to
// change what it is found by. Errors 09000.
#pragma once

#include "postgres/server.hpp"

namespace companion {

[[noreturn]] inline void refuse_suppressed(const char *table)
{
    ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
            errmsg("a trigger on table \"%s\" suppressed a row", table),
            errhint("A trigger may change a row, or raise an error of its own."));
    pg_unreachable();
}

[[noreturn]] inline void refuse_changed(const char *table, const char *columns)
{
    ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
            errmsg("a trigger on table \"%s\" changed a row's %s", table, columns),
            errhint("A trigger may change what a row says, but not what it is found by."));
    pg_unreachable();
}

} // namespace companion
