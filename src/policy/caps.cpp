// The caps, as companion.caps has them.
#include "policy/caps.hpp"

#include "postgres/arguments.hpp"
#include "postgres/interval_length.hpp"
#include "postgres/kept_rows.hpp"

namespace companion {

static LocalPeriod read_period(std::string_view word)
{
    return word == "week"    ? LocalPeriod::week
           : word == "month" ? LocalPeriod::month
                             : LocalPeriod::day;
}

static Cap read_cap(const StoredRow &row)
{
    const NullableDatum period = row.nullable("local_period"), rolling = row.nullable("rolling");
    Cap cap{};
    namestrcpy(&cap.group, TextDatumGetCString(row.get("cap_group")));
    cap.max_messages = DatumGetInt32(row.get("max_messages"));
    if (!period.isnull)
        cap.period = read_period(text_view(period.value));
    if (!rolling.isnull) {
        cap.rolling = interval_length(rolling.value);
        cap.length = *DatumGetIntervalP(rolling.value);
    }
    return cap;
}

// How long a start counts, at most.
static int64 counted_for(const Cap &cap)
{
    return cap.rolling != 0                  ? cap.rolling
           : cap.period == LocalPeriod::day  ? USECS_PER_DAY
           : cap.period == LocalPeriod::week ? 7 * USECS_PER_DAY
                                             : 31 * USECS_PER_DAY;
}

// The shortest first, so that of two that are full until the same time it is the one named.
static KeptRows<Cap> kept{"caps", read_cap, [](const Cap &a, const Cap &b) {
                              const int64 a_for = counted_for(a), b_for = counted_for(b);
                              return a.group_view() != b.group_view()
                                         ? a.group_view() < b.group_view()
                                         : a_for < b_for;
                          }};

Caps caps_of(std::string_view group)
{
    const Rows<Cap> all = kept.rows();
    const auto is_before = [](const Cap &cap, std::string_view name) {
        return cap.group_view() < name;
    };
    const Cap *first = std::lower_bound(all.begin(), all.end(), group, is_before), *last = first;
    while (last < all.end() && last->group_view() == group)
        last++;
    const auto bytes = (last - first) * sizeof(Cap);
    if (bytes == 0)
        return {nullptr, 0};
    return {static_cast<Cap *>(memcpy(palloc(bytes), first, bytes)),
            static_cast<int>(last - first)};
}

bool have_caps()
{
    return kept.rows().count > 0;
}

int64 longest_counted()
{
    int64 longest = 0;
    for (const Cap &cap : kept.rows())
        longest = Max(longest, counted_for(cap));
    return longest + between_zones;
}

} // namespace companion
