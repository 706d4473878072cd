// The caps, as companion.caps has them.
#pragma once

#include "policy/cap_periods.hpp"
#include "postgres/server.hpp"

#include <string_view>

namespace companion {

// At most so many messages of a group in a local period or, where rolling is not zero, within any
// stretch of that length.
struct Cap {
    NameData group;
    LocalPeriod period;
    int64 rolling;   // microseconds
    Interval length; // the same, as it was written
    int max_messages;

    std::string_view group_view() const { return NameStr(group); }
};

// The caps of a group, in memory of the caller's.
struct Caps {
    const Cap *first;
    int count;

    const Cap *begin() const { return first; }
    const Cap *end() const { return first + count; }
};
Caps caps_of(std::string_view group);

// Whether there are caps, of whatever group.
bool have_caps();

// The longest time for which a start counts, in whatever group; some days more than that.
int64 longest_counted();

// Longer than a start can count in one zone and not in another that the user may go to.
inline constexpr int64 between_zones = 2 * USECS_PER_DAY;

} // namespace companion
