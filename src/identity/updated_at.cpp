// The trigger that keeps updated_at.
#include "postgres/entry.hpp"
#include "postgres/row_trigger.hpp"
#include "postgres/settings.hpp"

COMPANION_FUNCTION(set_updated_at)
{
    return companion::NewRow(fcinfo).with("updated_at", TIMESTAMPTZOID,
                                          TimestampTzGetDatum(companion::now()));
}
