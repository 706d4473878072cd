// Retention: what is old enough goes.
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"

using namespace companion;

namespace {

Statement delete_messages{"DELETE FROM companion.scheduled_messages"
                          " WHERE status <> 'pending' AND finished_at < $1",
                          TIMESTAMPTZOID};

Statement find_pg_cron{"SELECT WHERE to_regclass('cron.job_run_details') IS NOT NULL"};

Statement delete_job_runs{"DELETE FROM cron.job_run_details AS run USING cron.job"
                          " WHERE run.jobid = job.jobid AND job.jobname LIKE 'companion\\_%'"
                          "   AND job.database = current_database() AND run.end_time < $1",
                          TIMESTAMPTZOID};

uint64 apply_retention(TimestampTz before)
{
    uint64 deleted = delete_messages.execute({TimestampTzGetDatum(before)});
    if (find_pg_cron.execute({}) > 0)
        delete_job_runs.execute({TimestampTzGetDatum(before)});
    return deleted;
}

} // namespace

COMPANION_FUNCTION(apply_retention)
{
    TimestampTz before = now() - static_cast<int64>(settings::retention) * USECS_PER_SEC;
    PG_RETURN_INT64(with_spi([before] { return apply_retention(before); }));
}
