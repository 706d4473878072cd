// What holds for the facts of a category. Each session keeps the rows that it has read, until an
// invalidation, which the table's trigger sends as DDL would, says that they have changed.
#include "memory/categories.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/interval_length.hpp"
#include "postgres/statement.hpp"

using namespace companion;

namespace {

Statement read_categories{R"sql(
    SELECT k.category, coalesce(k.half_life, others.half_life), k.keep_history, k.in_prompt,
           coalesce(k.max_items, 0), coalesce(k.expires_after, '0')
    FROM companion.context_categories AS k
    LEFT JOIN companion.context_categories AS others ON others.category = '*'
    ORDER BY k.category)sql"};

// The rows in order; that of * is apart.
struct Categories {
    MemoryContext context;
    CategoryPolicy *policies;
    std::size_t count;
    CategoryPolicy others;
    Oid table;
    TimestampTz transaction; // in which they are right; zero: in any
};

Categories kept;
bool is_right;
uint64 changes; // that have been noted, so that one while they are read is not missed

constexpr double standard_half_life = 90;

void note_change(Datum, Oid table)
{
    if (table != InvalidOid && table != kept.table)
        return;
    is_right = false;
    changes++;
}

double days_of(Datum interval)
{
    return static_cast<double>(interval_length(interval)) / USECS_PER_DAY;
}

// A length of time that does not depend on the session's zone.
Interval plain_interval(Datum interval)
{
    Interval plain{};
    plain.time = interval_length(interval);
    return plain;
}

CategoryPolicy read_policy(uint64 row)
{
    bool has_no_half_life;
    const Datum half_life = result_field(row, 2, &has_no_half_life);
    const std::string_view category = text_view(result_field(row, 1));
    return {
        {static_cast<char *>(memcpy(palloc(category.size() + 1), category.data(), category.size())),
         category.size()},
        has_no_half_life ? standard_half_life : days_of(half_life),
        DatumGetBool(result_field(row, 3)),
        DatumGetBool(result_field(row, 4)),
        DatumGetInt32(result_field(row, 5)),
        plain_interval(result_field(row, 6))};
}

// Take in the rows of the last result.
void take_in(Categories &read, uint64 rows)
{
    read.policies = static_cast<CategoryPolicy *>(palloc(Max(rows, 1) * sizeof(CategoryPolicy)));
    read.others = {"*", standard_half_life, true, true, 0, {}};
    for (uint64 row = 0; row < rows; row++) {
        const CategoryPolicy policy = read_policy(row);
        if (policy.category == "*")
            read.others = policy;
        else
            read.policies[read.count++] = policy;
    }
}

void watch()
{
    static bool is_watching;
    if (!is_watching)
        CacheRegisterRelcacheCallback(note_change, Datum{0});
    is_watching = true;
}

// Keep what was read instead of what was kept before.
void keep(const Categories &read)
{
    MemoryContextSetParent(read.context, TopMemoryContext);
    if (kept.context != nullptr)
        MemoryContextDelete(kept.context);
    kept = read;
}

// In a transaction that keeps its snapshot they may be those of before a change that was noted.
void read_all()
{
    watch();
    Categories read{};
    read.context =
        AllocSetContextCreate(CurrentMemoryContext, "companion categories", ALLOCSET_SMALL_SIZES);
    read.table = get_relname_relid("context_categories", get_namespace_oid("companion", false));
    read.transaction = IsolationUsesXactSnapshot() ? GetCurrentTransactionStartTimestamp() : 0;
    const uint64 changes_before = changes, rows = read_categories.execute({});
    MemoryContext before = MemoryContextSwitchTo(read.context);
    take_in(read, rows);
    MemoryContextSwitchTo(before);
    keep(read);
    is_right = changes == changes_before;
}

} // namespace

namespace companion {

static void read_again_if_due()
{
    if (!is_right ||
        (kept.transaction != 0 && kept.transaction != GetCurrentTransactionStartTimestamp()))
        with_spi(read_all);
}

CategoryPolicies category_policies()
{
    read_again_if_due();
    return {kept.policies, kept.count, kept.others};
}

const CategoryPolicy &policy_of(std::string_view category)
{
    read_again_if_due();
    const CategoryPolicy *begin = kept.policies, *end = begin + kept.count;
    const CategoryPolicy *found = std::lower_bound(
        begin, end, category, [](const CategoryPolicy &policy, std::string_view wanted) {
            return policy.category < wanted;
        });
    return found != end && found->category == category ? *found : kept.others;
}

} // namespace companion

COMPANION_FUNCTION(keeps_history)
{
    PG_RETURN_BOOL(policy_of(Arguments(fcinfo).text(0, "category")).keeps_history);
}
