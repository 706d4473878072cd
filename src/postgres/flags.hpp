// Which elements of some arrays a statement is about, as flags.
#pragma once

#include "postgres/statement.hpp"

namespace companion {

inline bool *make_flags(int count)
{
    return static_cast<bool *>(palloc0(Max(count, 1) * sizeof(bool)));
}

// Set the flags that the last result names in its first column, by position from 1.
inline void set_flags(bool *flags, uint64 rows)
{
    for (uint64 row = 0; row < rows; row++)
        flags[DatumGetInt64(result_field(row, 1)) - 1] = true;
}

} // namespace companion
