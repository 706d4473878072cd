// How what runs within a call is planned.
#include "postgres/planning.hpp"

#include "postgres/runtime.hpp"

namespace companion {

static planner_hook_type next_planner;

// The server's settings of what a plan may consist of.
struct PlannerSettings {
    bool seqscan, hashjoin, mergejoin, memoize, jit;

    static PlannerSettings present()
    {
        return {enable_seqscan, enable_hashjoin, enable_mergejoin, enable_memoize, jit_enabled};
    }

    void set() const
    {
        enable_seqscan = seqscan;
        enable_hashjoin = hashjoin;
        enable_mergejoin = mergejoin;
        enable_memoize = memoize;
        jit_enabled = jit;
    }
};

static PlannedStmt *plan(Query *query, const char *text, int options, ParamListInfo parameters)
{
    const auto next = next_planner ? next_planner : standard_planner;
    if (!is_within_call())
        return next(query, text, options, parameters);
    const PlannerSettings before = PlannerSettings::present();
    PlannedStmt *planned;
    PG_TRY();
    {
        PlannerSettings{false, false, false, false, false}.set();
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
