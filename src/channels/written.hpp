// What a column that names a channel may hold.
#pragma once

#include "channels/channel.hpp"
#include "postgres/written_row.hpp"

namespace companion {

// Whether the row is one that somebody above row-level security copies in, as a restore does.
inline bool is_restored()
{
    return ActivePortal != nullptr && ActivePortal->commandTag == CMDTAG_COPY &&
           has_bypassrls_privilege(GetUserId());
}

// Refuse a name that is no channel's, where it is written; what stands may stay, and so may what a
// restore copies: the channels may come after it. Error 23514.
inline void check_channel(const WrittenRow &row, const char *column)
{
    const NullableDatum value = row.nullable(column, TEXTOID);
    if (value.isnull || find_channel(text_view(value.value)) != nullptr ||
        !row.is_changed(column, TEXTOID) || is_restored())
        return;
    row.refuse(
        column, TEXTOID,
        psprintf("%s is \"%s\", expected a channel", column, excerpt(text_view(value.value))),
        "The channels are the rows of companion.channels.");
}

} // namespace companion
