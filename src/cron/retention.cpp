// Retention: what is old enough goes.
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"

using namespace companion;

namespace {

Statement delete_messages{"DELETE FROM companion.scheduled_messages"
                          " WHERE status <> 'pending' AND finished_at < $1",
                          TIMESTAMPTZOID};

uint64 apply_retention(TimestampTz before)
{
    return delete_messages.execute({TimestampTzGetDatum(before)});
}

} // namespace

COMPANION_FUNCTION(apply_retention)
{
    TimestampTz before = now() - static_cast<int64>(settings::retention) * USECS_PER_SEC;
    PG_RETURN_INT64(with_spi([before] { return apply_retention(before); }));
}
