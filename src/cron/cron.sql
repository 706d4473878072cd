
-- pg_cron drives dispatch and maintenance. It is a soft dependency: any scheduler may
-- call the same functions.
CREATE FUNCTION companion.finish_abandoned(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_finish_abandoned';
COMMENT ON FUNCTION companion.finish_abandoned(integer) IS
'Finishes pending messages that no worker will: unknown where start_send was followed by no report (or claimable again, for the kinds in companion.retry_unknown), skipped past send_before, failed after companion.max_attempts. What others hold, the user or the message, is passed over for later. Returns how many. Error 22023 for a bound below 1.';

CREATE FUNCTION companion.run_maintenance() RETURNS TABLE (task text, affected bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'abandoned messages', companion.finish_abandoned()
    UNION ALL SELECT 'expired context items', companion.expire_user_context()
    UNION ALL SELECT 'link tokens', companion.expire_telegram_link_tokens()
    UNION ALL SELECT 'redeem failures', companion.forget_redeem_failures();
END;
COMMENT ON FUNCTION companion.run_maintenance() IS
'What is to be done every few minutes, each step bounded: how many rows each has finished or deleted.';

CREATE FUNCTION companion.apply_retention() RETURNS bigint
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_apply_retention';
COMMENT ON FUNCTION companion.apply_retention() IS
'Deletes messages finished longer than companion.retention ago, and what pg_cron has logged of this database''s companion jobs before then. Returns how many messages.';

CREATE FUNCTION companion.cron_schedule(every interval) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seconds numeric := extract(epoch FROM every);
    version text := (SELECT extversion FROM pg_extension WHERE extname = 'pg_cron');
BEGIN
    IF seconds IN (60, 120, 180, 240, 300, 600, 720, 900, 1200, 1800) THEN
        RETURN CASE seconds WHEN 60 THEN '* * * * *' ELSE format('*/%s * * * *', seconds::integer / 60) END;
    ELSIF seconds BETWEEN 1 AND 59 AND seconds = trunc(seconds) THEN
        IF string_to_array(substring(version FROM '^[0-9.]+'), '.')::integer[] < '{1,5}' THEN
            RAISE EXCEPTION 'pg_cron % cannot run a job every % seconds', version, seconds::integer
            USING ERRCODE = 'feature_not_supported', HINT = 'pg_cron 1.5 can; before it, use whole minutes.';
        END IF;
        RETURN format('%s seconds', seconds::integer);
    END IF;
    RAISE EXCEPTION 'dispatch cannot run every %', coalesce(every::text, 'NULL')
    USING ERRCODE = 'invalid_parameter_value',
          HINT = 'Use 1 to 59 seconds, or minutes that divide an hour, up to 30.';
END
$$;
COMMENT ON FUNCTION companion.cron_schedule(interval) IS
'pg_cron''s schedule for an interval. Internal. Error 22023 for one it cannot keep, 0A000 for seconds before pg_cron 1.5.';

CREATE FUNCTION companion.require_pg_cron() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regprocedure('cron.schedule(text, text, text)') IS NULL THEN
        RAISE EXCEPTION 'pg_cron is not installed in this database'
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = format('Install it (Debian: postgresql-%s-cron), set shared_preload_libraries = ''pg_cron'' and cron.database_name = ''%s'', restart, and CREATE EXTENSION pg_cron. Or let any scheduler call companion.dispatch() every minute and companion.run_maintenance() every five.',
                            current_setting('server_version_num')::integer / 10000, current_database());
    END IF;
END
$$;
COMMENT ON FUNCTION companion.require_pg_cron() IS
'Error 55000, with how to install it, where pg_cron is missing. Internal.';

CREATE FUNCTION companion.schedule_jobs(every interval DEFAULT '1 minute')
RETURNS TABLE (job text, schedule text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM companion.require_pg_cron();
    FOR job, schedule IN VALUES
        ('companion_dispatch', companion.cron_schedule(every)),
        ('companion_maintenance', '*/5 * * * *'),
        ('companion_retention', '17 3 * * *')
    LOOP
        PERFORM cron.schedule(job, schedule, CASE job
            WHEN 'companion_dispatch' THEN 'SELECT companion.dispatch()'
            WHEN 'companion_maintenance' THEN 'SELECT companion.run_maintenance()'
            ELSE 'SELECT companion.apply_retention()' END);
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.schedule_jobs(interval) IS
'Creates the pg_cron jobs companion_dispatch, companion_maintenance and companion_retention, or sets them right where they exist. every: how often to dispatch. Error 55000 without pg_cron, 0A000 for seconds before pg_cron 1.5, 22023 for an interval that cron cannot keep.';

CREATE FUNCTION companion.unschedule_jobs() RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed integer;
BEGIN
    PERFORM companion.require_pg_cron();
    PERFORM cron.unschedule(j.jobid) FROM cron.job AS j
    WHERE j.jobname IN ('companion_dispatch', 'companion_maintenance', 'companion_retention')
        AND j.database = current_database() AND j.username = current_user;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
COMMENT ON FUNCTION companion.unschedule_jobs() IS
'Removes the caller''s companion jobs from pg_cron; returns how many there were. Error 55000 without pg_cron.';

REVOKE ALL ON FUNCTION companion.finish_abandoned(integer), companion.run_maintenance(),
    companion.apply_retention(), companion.cron_schedule(interval), companion.require_pg_cron(),
    companion.schedule_jobs(interval), companion.unschedule_jobs()
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companion.finish_abandoned(integer), companion.run_maintenance(),
    companion.apply_retention(), companion.cron_schedule(interval), companion.require_pg_cron(),
    companion.schedule_jobs(interval), companion.unschedule_jobs()
TO companion_admin;

