// The trigger that stores a user's time zone in its own spelling.
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/row_trigger.hpp"
#include "scheduling/time_zone.hpp"

using namespace companion;

COMPANION_FUNCTION(canonicalize_timezone)
{
    NewRow row(fcinfo);
    bool is_null;
    Datum given = row.get("timezone", TEXTOID, &is_null);
    if (is_null)
        return row.unchanged();
    std::string_view name = text_view(given);
    ServerZone zone = require_zone(name);
    return name == zone.name() ? row.unchanged()
                               : row.with("timezone", TEXTOID, to_text(zone.name()));
}
