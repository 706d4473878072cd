// How what runs within a call is planned.
#include "postgres/planning.hpp"

#include "postgres/runtime.hpp"

namespace companion {

static planner_hook_type next_planner;

// The server's settings of what a plan may consist of.
struct PlannerSettings {
    bool seqscan, bitmapscan, hashjoin, mergejoin, memoize, jit;

    static PlannerSettings present()
    {
        return {enable_seqscan,   enable_bitmapscan, enable_hashjoin,
                enable_mergejoin, enable_memoize,    jit_enabled};
    }

    void set() const
    {
        enable_seqscan = seqscan;
        enable_bitmapscan = bitmapscan;
        enable_hashjoin = hashjoin;
        enable_mergejoin = mergejoin;
        enable_memoize = memoize;
        jit_enabled = jit;
    }
};

// Whether a query, and what it consists of, reads and writes the extension's tables alone. An
// operator's own, which a trigger of theirs runs within a call, is planned as ever.
static bool is_ours(const Query *query, Oid schema)
{
    const auto are_ours = [schema](List *queries) {
        ListCell *cell;
        foreach (cell, queries)
            if (!is_ours(castNode(Query, castNode(CommonTableExpr, lfirst(cell))->ctequery),
                         schema))
                return false;
        return true;
    };
    ListCell *cell;
    foreach (cell, query->rtable) {
        const auto *entry = castNode(RangeTblEntry, lfirst(cell));
        if (entry->rtekind == RTE_SUBQUERY
                ? !is_ours(entry->subquery, schema)
                : entry->rtekind == RTE_RELATION && get_rel_namespace(entry->relid) != schema)
            return false;
    }
    return are_ours(query->cteList);
}

static PlannedStmt *plan(Query *query, const char *text, int options, ParamListInfo parameters)
{
    const auto next = next_planner ? next_planner : standard_planner;
    if (!is_within_call() || !is_ours(query, get_namespace_oid("companion", true)))
        return next(query, text, options, parameters);
    const PlannerSettings before = PlannerSettings::present();
    PlannedStmt *planned;
    PG_TRY();
    {
        PlannerSettings{false, false, false, false, false, false}.set();
        planned = next(query, text, options, parameters);
    }
    PG_FINALLY();
    {
        before.set();
    }
    PG_END_TRY();
    return planned;
}

void plan_walks()
{
    next_planner = planner_hook;
    planner_hook = plan;
}

} // namespace companion
