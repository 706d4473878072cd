// The loadable module: its magic block and what happens when it is loaded.
#include "postgres/entry.hpp"
#include "postgres/planning.hpp"
#include "postgres/runtime.hpp"
#include "postgres/settings.hpp"

extern "C" {
PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);
}

void _PG_init(void)
{
    companion::guarded([] {
        companion::settings::define();
        companion::watch_version();
        companion::confine_utilities();
        companion::plan_walks();
    });
}
