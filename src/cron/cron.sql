
-- pg_cron drives dispatch and maintenance. It is a soft dependency: any scheduler may
-- call the same functions.
CREATE FUNCTION companion.finish_abandoned(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_finish_abandoned';
COMMENT ON FUNCTION companion.finish_abandoned(integer) IS
'Finishes pending messages that no worker will: unknown where start_send was followed by no report (or claimable again, for kinds with retry_unknown), skipped past send_before, or failed where a try has, and failed after companion.max_claims claims in a row that were not started. What others hold, the user or the message, is passed over for later. Returns how many. Error 22023 for a bound below 1.';

CREATE FUNCTION companion.expire_messages(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_expire_messages';
COMMENT ON FUNCTION companion.expire_messages(integer) IS
'Deletes messages finished longer than companion.retention ago, which counts as nine days at least: no catch-up reaches further back. Passes over what somebody else has locked. Returns how many. Error 22023 for a bound below 1.';

CREATE FUNCTION companion.expire_addresses(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_expire_addresses';
COMMENT ON FUNCTION companion.expire_addresses(integer) IS
'Deletes addresses unlinked longer than companion.retention ago, which counts as nine days at least: no message is delivered again so late. Passes over what somebody else has locked. Returns how many. Error 22023 for a bound below 1.';

CREATE FUNCTION companion.expire_early_edits(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_expire_early_edits';
COMMENT ON FUNCTION companion.expire_early_edits(integer) IS
'Deletes edits whose messages have not come within 7 days, for as long as messengers deliver again. Passes over what somebody else has locked. Returns how many. Error 22023 for a bound below 1.';

CREATE FUNCTION companion.expire_cap_starts(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_expire_cap_starts';
COMMENT ON FUNCTION companion.expire_cap_starts(integer) IS
'Deletes what caps have counted of users whose last start is longer ago than any cap reaches back, and two days more. It reads the whole table. Passes over what somebody else has locked. Returns how many rows. Error 22023 for a bound below 1.';

-- Each step by itself: what one of them meets does not stop or undo the others.
CREATE FUNCTION companion.run_maintenance() RETURNS TABLE (task text, affected bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    FOREACH task IN ARRAY ARRAY['abandoned messages', 'expired context items', 'link tokens',
                                'redeem failures', 'old messages', 'unlinked addresses', 'reservations', 'early edits'] LOOP
        BEGIN
            affected := CASE task
                WHEN 'abandoned messages' THEN companion.finish_abandoned()
                WHEN 'expired context items' THEN companion.expire_user_context()
                WHEN 'link tokens' THEN companion.expire_telegram_link_tokens()
                WHEN 'redeem failures' THEN companion.forget_redeem_failures()
                WHEN 'old messages' THEN companion.expire_messages()
                WHEN 'unlinked addresses' THEN companion.expire_addresses()
                WHEN 'reservations' THEN companion.expire_reservations()
                ELSE companion.expire_early_edits() END;
        EXCEPTION WHEN lock_not_available OR deadlock_detected OR integrity_constraint_violation
                OR triggered_action_exception OR plpgsql_error THEN
            RAISE WARNING 'maintenance has left out "%": %', task, SQLERRM
            USING ERRCODE = SQLSTATE;
            affected := NULL;
        END;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.run_maintenance() IS
'What is to be done every few minutes, each step bounded: how many rows each has finished or deleted; NULL, with a WARNING, for a step that somebody''s lock, foreign key or trigger has stopped. Rows that somebody has locked are passed over.';

CREATE FUNCTION companion.expire_job_runs(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    finished_before timestamptz := companion.now() - current_setting('companion.retention')::interval;
    deleted bigint;
BEGIN
    IF 2 > (SELECT count(*) FROM pg_class AS c
            JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'cron'
            WHERE c.relname IN ('job', 'job_run_details') AND companion.is_pg_crons('pg_class', c.oid)
                AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
                AND (c.relname = 'job' OR has_table_privilege(c.oid, 'DELETE'))) THEN
        RETURN 0;
    END IF;
    DELETE FROM cron.job_run_details WHERE runid IN (
        SELECT run.runid FROM cron.job_run_details AS run JOIN cron.job ON job.jobid = run.jobid
        WHERE run.end_time < finished_before AND companion.job_command(job.jobname::text) IS NOT NULL
        LIMIT max_rows);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
$$;
COMMENT ON FUNCTION companion.expire_job_runs(integer) IS
'Deletes what pg_cron has logged, longer than companion.retention ago, of companion''s jobs in whichever database, as far as the caller may: with the caller''s rights. Returns how many rows; 0 where there is no pg_cron.';

CREATE FUNCTION companion.apply_retention(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    deleted bigint := companion.expire_messages(max_rows);
BEGIN
    PERFORM companion.expire_cap_starts(max_rows);
    PERFORM companion.expire_job_runs(max_rows);
    RETURN deleted;
END
$$;
COMMENT ON FUNCTION companion.apply_retention(integer) IS
'What is to be done every day: expire_messages(max_rows), expire_cap_starts(max_rows) and expire_job_runs(max_rows). Returns how many messages were deleted. Error 22023 for a bound below 1.';

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

CREATE FUNCTION companion.is_pg_crons(catalog regclass, object oid) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
        WHERE d.classid = catalog AND d.objid = object AND d.deptype = 'e'
            AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'pg_cron');
END;
COMMENT ON FUNCTION companion.is_pg_crons(regclass, oid) IS
'Whether an object of a catalog (pg_proc, pg_class) belongs to the extension pg_cron, rather than to whoever has made a schema of that name. Internal.';

CREATE FUNCTION companion.require_pg_cron() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    called text;
    home text;
BEGIN
    IF to_regprocedure('cron.schedule(text, text, text)') IS NULL
        AND pg_has_role('pg_read_all_settings', 'USAGE') THEN
        home := nullif(current_setting('cron.database_name', true), current_database());
    END IF;
    IF home IS NOT NULL THEN
        RAISE EXCEPTION 'pg_cron is in another database'
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = format('In database "%s", where companion is needed, too: SELECT companion.schedule_jobs(''companion_jobs'', databases => ''{%s}'');',
                            home, quote_ident(current_database()));
    END IF;
    FOREACH called IN ARRAY ARRAY['cron.schedule(text, text, text)', 'cron.unschedule(bigint)',
        'cron.schedule_in_database(text, text, text, text, text, boolean)']
    LOOP
        IF to_regprocedure(called) IS NULL THEN
            RAISE EXCEPTION 'pg_cron is not installed in this database'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('Install it (Debian: postgresql-%s-cron), set shared_preload_libraries = ''pg_cron'' and cron.database_name = ''%s'', restart, and CREATE EXTENSION pg_cron. Or let any scheduler CALL companion.run_dispatch() every minute and SELECT companion.run_maintenance() every five.',
                                current_setting('server_version_num')::integer / 10000, current_database());
        ELSIF NOT companion.is_pg_crons('pg_proc', to_regprocedure(called)) THEN
            RAISE EXCEPTION '% is not pg_cron''s', called
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'It does not belong to the extension pg_cron. Find out who has made the schema cron.';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.require_pg_cron() IS
'Error 55000, with how to install it, where pg_cron (1.4 or later) is missing, or with what to call where it is in another database, and where what stands in its place is not its own. Internal.';

CREATE FUNCTION companion.job_command(job text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE split_part(job, ' in ', 1)
    WHEN 'companion_dispatch' THEN 'CALL companion.run_dispatch()'
    WHEN 'companion_maintenance' THEN 'SELECT companion.run_maintenance()'
    WHEN 'companion_retention' THEN 'SELECT companion.apply_retention()' END;
COMMENT ON FUNCTION companion.job_command(text) IS 'What a pg_cron job of companion runs. Internal.';

CREATE FUNCTION companion.require_databases(databases name[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing text := (SELECT coalesce(d, 'NULL') FROM unnest(databases) AS d
                     WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = d AND datallowconn) LIMIT 1);
BEGIN
    IF databases IS NULL THEN
        RAISE EXCEPTION 'argument "databases" must not be null' USING ERRCODE = '22004';
    ELSIF missing IS NOT NULL THEN
        RAISE EXCEPTION 'database "%" does not exist', missing USING ERRCODE = 'invalid_catalog_name';
    END IF;
END
$$;
COMMENT ON FUNCTION companion.require_databases(name[]) IS
'Error 3D000 where one of some databases is none that can be connected to. Internal.';

CREATE FUNCTION companion.require_job_login(login name) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    role pg_roles;
BEGIN
    SELECT * INTO role FROM pg_roles WHERE rolname = login;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'role "%" does not exist', login USING ERRCODE = 'undefined_object';
    ELSIF role.rolsuper OR NOT role.rolcanlogin OR NOT pg_has_role(login, 'companion_admin', 'USAGE') THEN
        RAISE EXCEPTION 'jobs cannot run as role "%"', login
        USING ERRCODE = 'invalid_parameter_value',
              DETAIL = 'Expected a login that is no superuser and inherits companion_admin.',
              HINT = 'CREATE ROLE companion_jobs LOGIN IN ROLE companion_admin; SELECT companion.schedule_jobs(''companion_jobs'');';
    END IF;
END
$$;
COMMENT ON FUNCTION companion.require_job_login(name) IS
'Error 22023 unless a role can run the jobs: a login that is no superuser, since whatever an app has attached to a commit runs as it, and in companion_admin; 42704 where there is none. Internal.';

-- One database's jobs begin a minute after those of the one before, but for dispatch.
CREATE FUNCTION companion.schedule_jobs(
    run_as name DEFAULT current_user, every interval DEFAULT '1 minute',
    databases name[] DEFAULT ARRAY[current_database()])
RETURNS TABLE (job text, schedule text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target name;
    place integer;
BEGIN
    PERFORM companion.require_pg_cron();
    PERFORM companion.require_job_login(run_as);
    PERFORM companion.require_databases(databases);
    PERFORM cron.unschedule(j.jobid) FROM cron.job AS j
    WHERE j.database = ANY (databases) AND j.username <> run_as
        AND companion.job_command(j.jobname::text) IS NOT NULL;
    FOR target, place IN SELECT d, (n - 1)::integer FROM unnest(databases) WITH ORDINALITY AS u (d, n) LOOP
        FOR job, schedule IN VALUES
            ('companion_dispatch', companion.cron_schedule(every)),
            ('companion_maintenance', CASE place % 5 WHEN 0 THEN '*/5' ELSE format('%s-59/5', place % 5) END || ' * * * *'),
            ('companion_retention', format('%s 3 * * *', (17 + place) % 60))
        LOOP
            job := job || CASE WHEN target <> current_database() THEN ' in ' || target ELSE '' END;
            IF run_as = current_user AND target = current_database() THEN
                PERFORM cron.schedule(job, schedule, companion.job_command(job));
            ELSE
                PERFORM cron.schedule_in_database(
                    job, schedule, companion.job_command(job), target::text, run_as::text, true);
            END IF;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.schedule_jobs(name, interval, name[]) IS
'Creates the pg_cron jobs companion_dispatch, companion_maintenance and companion_retention, or sets them right where they exist; those of another login in these databases go. run_as: the login that they run as, no superuser and in companion_admin; another than the caller needs a superuser. every: how often to dispatch. databases: in which databases of the server, this one or others, which needs a superuser; their jobs are called "companion_dispatch in <database>" and so on, and begin a minute apart, but for dispatch. Error 55000 where pg_cron is not in this database, 0A000 for seconds before pg_cron 1.5, 22023 for an interval that cron cannot keep and for a login that cannot run them, 42704 for one that does not exist, 3D000 for a database that does not.';

CREATE FUNCTION companion.unschedule_jobs(databases name[] DEFAULT ARRAY[current_database()]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed integer;
BEGIN
    PERFORM companion.require_pg_cron();
    PERFORM cron.unschedule(j.jobid) FROM cron.job AS j
    WHERE j.database = ANY (databases) AND companion.job_command(j.jobname::text) IS NOT NULL;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
COMMENT ON FUNCTION companion.unschedule_jobs(name[]) IS
'Removes these databases'' companion jobs from pg_cron, those of the caller or, as a superuser, of everybody; returns how many there were. Error 55000 where pg_cron is not in this database.';
