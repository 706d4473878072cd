// How what runs within a call is planned.
#include "postgres/planning.hpp"

#include "postgres/runtime.hpp"

namespace companion {

static planner_hook_type next_planner;
static get_relation_info_hook_type next_relation_info;
static bool is_planning; // what is ours

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

// A plan is kept while the tables grow: one that was analysed while it was empty is not to be read
// from end to end for each row of another, nor all of a user's rows for one of them.
static void plan_for_many(PlannerInfo *root, Oid table, bool is_parent, RelOptInfo *relation)
{
    constexpr double rows = 100000;
    constexpr BlockNumber pages = 2000;
    if (next_relation_info != nullptr)
        next_relation_info(root, table, is_parent, relation);
    if (!is_planning)
        return;
    relation->tuples = Max(relation->tuples, rows);
    relation->pages = Max(relation->pages, pages);
    ListCell *cell;
    foreach (cell, relation->indexlist) {
        auto *index = lfirst_node(IndexOptInfo, cell);
        index->tuples = Max(index->tuples, rows);
        index->pages = Max(index->pages, pages / 4);
    }
}

static PlannedStmt *plan_on(Query *query, const char *text, int options, ParamListInfo parameters)
{
    const auto next = next_planner ? next_planner : standard_planner;
    return next(query, text, options, parameters);
}

static PlannedStmt *plan(Query *query, const char *text, int options, ParamListInfo parameters)
{
    if (!is_within_call() || !is_ours(query, get_namespace_oid("companion", true)))
        return plan_on(query, text, options, parameters);
    const PlannerSettings before = PlannerSettings::present();
    const bool was_planning = is_planning; // a plan may take the result of a function, which plans
    PlannedStmt *planned;
    PG_TRY();
    {
        PlannerSettings{false, false, false, false, false, false}.set();
        is_planning = true;
        planned = plan_on(query, text, options, parameters);
    }
    PG_FINALLY();
    {
        before.set();
        is_planning = was_planning;
    }
    PG_END_TRY();
    return planned;
}

void plan_walks()
{
    next_planner = planner_hook;
    planner_hook = plan;
    next_relation_info = get_relation_info_hook;
    get_relation_info_hook = plan_for_many;
}

} // namespace companion
