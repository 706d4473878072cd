// What an operator's triggers may not do to the rows that we write: to suppress one, or to
// change what it is found by. Errors 09000.
#pragma once

#include "postgres/statement.hpp"

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

// Refuse what the last result says of a row: that there is none, by a null in this column, or
// by false that it is another than was written.
inline void require_written(int column, const char *table, const char *changed, uint64 row = 0)
{
    bool is_suppressed;
    const Datum is_as_written = result_field(row, column, &is_suppressed);
    if (is_suppressed)
        refuse_suppressed(table);
    if (!DatumGetBool(is_as_written))
        refuse_changed(table, changed);
}

} // namespace companion
