// How what runs within a call is planned.
#pragma once

namespace companion {

// Have every statement on the extension's tables that runs within a call, also what checks a
// foreign key there, planned to walk indexes, and by their keys as in large tables, however small
// the tables are then, or were when they were analysed: they grow, and the session keeps the plan.
// Call when the library is loaded.
void plan_walks();

} // namespace companion
