// What a column that names a channel may hold.
#pragma once

#include "channels/channel.hpp"
#include "postgres/written_row.hpp"

namespace companion {

// Refuse a name that is no channel's, where it is written; what stands may stay, and so may what
// somebody above row-level security restores. Error 23514.
inline void check_channel(const WrittenRow &row, const char *column)
{
    const NullableDatum value = row.nullable(column, TEXTOID);
    if (value.isnull || find_channel(text_view(value.value)) != nullptr ||
        !row.is_changed(column, TEXTOID) || has_bypassrls_privilege(GetUserId()))
        return;
    row.refuse(column, TEXTOID,
               psprintf("%s is \"%s\"", column, excerpt(text_view(value.value))),
               "The channels are the rows of companion.channels.");
}

} // namespace companion
