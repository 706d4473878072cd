
-- Is it well, and how much is there to do: for operators, without anybody's text.
CREATE POLICY monitored ON companion.dispatch_queue FOR SELECT TO companion_monitor USING (true);
COMMENT ON POLICY monitored ON companion.dispatch_queue IS 'Who watches sees the whole queue.';
CREATE POLICY monitored ON companion.dispatch_state FOR SELECT TO companion_monitor USING (true);
COMMENT ON POLICY monitored ON companion.dispatch_state IS 'Who watches sees how far dispatch has come.';
CREATE POLICY monitored ON companion.dispatch_recheck FOR SELECT TO companion_monitor USING (true);
COMMENT ON POLICY monitored ON companion.dispatch_recheck IS 'Who watches sees how many are to be looked at.';
CREATE POLICY monitored ON companion.scheduled_messages FOR SELECT TO companion_monitor USING (true);
COMMENT ON POLICY monitored ON companion.scheduled_messages IS 'Who watches sees what became of every message, in the columns without a text.';
CREATE POLICY monitored ON companion.addresses FOR SELECT TO companion_monitor USING (true);
COMMENT ON POLICY monitored ON companion.addresses IS 'Who watches sees how many are disabled, on which channel, and no address.';
CREATE POLICY monitored ON companion.directory_changes FOR SELECT TO companion_monitor USING (true);
COMMENT ON POLICY monitored ON companion.directory_changes IS 'Who watches sees how many there are and since when, and nobody''s address.';

-- Bounded, so that a look costs the same whatever waits: the head of each lane of the queue.
CREATE VIEW companion.queue_head WITH (security_invoker = true) AS
WITH RECURSIVE lanes AS (
    (SELECT channel, head_start FROM companion.dispatch_queue
     ORDER BY channel COLLATE "C", head_start LIMIT 1)
    UNION ALL
    SELECT after.channel, after.head_start FROM lanes CROSS JOIN LATERAL (
        SELECT q.channel, q.head_start FROM companion.dispatch_queue AS q
        WHERE (q.channel COLLATE "C", q.head_start) > (lanes.channel COLLATE "C", lanes.head_start)
        ORDER BY q.channel COLLATE "C", q.head_start LIMIT 1) AS after)
SELECT h.user_id, h.message_id, h.visible_at,
       CASE WHEN isfinite(h.leased_until) THEN h.leased_until END AS leased_until, h.attempt, h.channel, h.worker,
       CASE WHEN h.sending THEN 'sending'
            WHEN h.leased_until > companion.now() THEN 'claimed'
            WHEN h.visible_at > companion.now() THEN 'waiting'
            ELSE 'due' END AS state
FROM lanes CROSS JOIN LATERAL (
    SELECT * FROM companion.dispatch_queue AS q
    WHERE q.channel COLLATE "C" = lanes.channel COLLATE "C" AND q.head_start = lanes.head_start
    ORDER BY q.visible_at, q.message_id LIMIT 10000) AS h
ORDER BY h.visible_at, h.message_id LIMIT 10000;
COMMENT ON VIEW companion.queue_head IS 'For operators: the 10,000 messages that are claimed next, or are claimed already.';
COMMENT ON COLUMN companion.queue_head.user_id IS 'To whom.';
COMMENT ON COLUMN companion.queue_head.message_id IS 'scheduled_messages.id.';
COMMENT ON COLUMN companion.queue_head.visible_at IS 'Not claimed before this time.';
COMMENT ON COLUMN companion.queue_head.leased_until IS 'Not claimed by another before this time; NULL where nobody has it.';
COMMENT ON COLUMN companion.queue_head.attempt IS 'How many times it was claimed.';
COMMENT ON COLUMN companion.queue_head.channel IS 'Its channel.';
COMMENT ON COLUMN companion.queue_head.worker IS 'Who holds the lease, or held the last.';
COMMENT ON COLUMN companion.queue_head.state IS 'waiting (for visible_at), due, claimed (leased) or sending (start_send has succeeded).';

-- No index covers finished_at, so that to finish is HOT. What was finished lately was made lately, or
-- before the oldest that waits.
CREATE VIEW companion.recently_finished WITH (security_invoker = true) AS
WITH newest AS MATERIALIZED (
    SELECT user_id, id, kind, channel, timezone, status, failure_reason, attempts, scheduled_for, sent_at,
           finished_at, worker, created_at
    FROM companion.scheduled_messages ORDER BY created_at DESC LIMIT 5000),
before_these AS (
    SELECT user_id, id, kind, channel, timezone, status, failure_reason, attempts, scheduled_for, sent_at,
           finished_at, worker, created_at
    FROM companion.scheduled_messages
    WHERE created_at < least(
        (SELECT min(created_at) FROM newest),
        (SELECT waiting.created_at
         FROM (SELECT user_id, message_id FROM companion.queue_head LIMIT 1) AS head
         JOIN companion.scheduled_messages AS waiting
             ON waiting.user_id = head.user_id AND waiting.id = head.message_id))
    ORDER BY created_at DESC LIMIT 5000)
SELECT user_id, id, kind, channel, timezone, status, failure_reason, attempts, scheduled_for,
       CASE WHEN isfinite(sent_at) THEN sent_at END AS sent_at, finished_at, worker
FROM (TABLE newest UNION ALL TABLE before_these) AS looked_at
WHERE finished_at > (SELECT companion.now()) - interval '1 hour' AND finished_at <= (SELECT companion.now());
COMMENT ON VIEW companion.recently_finished IS
'For operators: messages that were finished in the last hour, of the 5,000 newest and the 5,000 before these and the oldest that waits.';
COMMENT ON COLUMN companion.recently_finished.user_id IS 'To whom.';
COMMENT ON COLUMN companion.recently_finished.id IS 'scheduled_messages.id.';
COMMENT ON COLUMN companion.recently_finished.kind IS 'checkin, or the app''s own.';
COMMENT ON COLUMN companion.recently_finished.channel IS 'Its channel.';
COMMENT ON COLUMN companion.recently_finished.timezone IS 'The user''s zone when it was enqueued.';
COMMENT ON COLUMN companion.recently_finished.status IS 'sent, failed, skipped or unknown.';
COMMENT ON COLUMN companion.recently_finished.failure_reason IS 'Why it failed or was skipped.';
COMMENT ON COLUMN companion.recently_finished.attempts IS 'How many times it was claimed.';
COMMENT ON COLUMN companion.recently_finished.scheduled_for IS 'When it was due.';
COMMENT ON COLUMN companion.recently_finished.sent_at IS 'When it was reported sent.';
COMMENT ON COLUMN companion.recently_finished.finished_at IS 'When it left pending.';
COMMENT ON COLUMN companion.recently_finished.worker IS 'The worker of the last attempt.';

CREATE FUNCTION companion.check_dispatch(max_lag interval)
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 'dispatch', coalesce(s.lag <= max_lag, false), extract(epoch FROM s.lag)::double precision,
           CASE WHEN s.lag IS NULL THEN 'no tick yet: nothing calls companion.run_dispatch()'
                WHEN s.began_after IS NOT NULL THEN 'within a tick, at what was due at ' || s.previous_tick
                ELSE 'the last tick covered what was due until ' || s.previous_tick END
    FROM (VALUES (1)) AS once (one)
    LEFT JOIN (SELECT companion.now() - previous_tick AS lag, * FROM companion.dispatch_state) AS s ON true
    UNION ALL
    SELECT 'users held', coalesce(max(companion.now() - since) <= greatest(max_lag, interval '1 hour'), true),
           count(*), 'users at whom dispatch looks again, since a transaction holds or held them'
               || coalesce('; the oldest from ' || min(since), '')
    FROM (SELECT since FROM companion.dispatch_recheck LIMIT 10000) AS held;
END;
COMMENT ON FUNCTION companion.check_dispatch(interval) IS 'What health() says of dispatch. Internal.';

CREATE FUNCTION companion.check_queue(max_lag interval)
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH head AS (
        SELECT count(*) AS rows,
               min(visible_at) FILTER (WHERE state = 'due') AS due_since,
               count(*) FILTER (WHERE state = 'due') AS due,
               count(*) FILTER (WHERE leased_until > companion.now()) AS leased,
               string_agg(DISTINCT worker, ', ') FILTER (WHERE leased_until > companion.now()) AS workers,
               count(*) FILTER (WHERE state = 'sending'
                                AND leased_until < companion.now() - interval '10 minutes') AS abandoned,
               count(*) FILTER (WHERE attempt > 0 AND state IN ('due', 'waiting')) AS retries
        FROM companion.queue_head)
    SELECT checked.* FROM head CROSS JOIN LATERAL (VALUES
        ('due messages', coalesce(companion.now() - due_since <= max_lag, true),
         coalesce(extract(epoch FROM companion.now() - due_since)::double precision, 0),
         format('seconds that the oldest of %s has waited, of %s looked at; %s', due, rows,
                CASE leased WHEN 0 THEN 'no worker holds a lease'
                     ELSE format('%s leases are held, by %s', leased, left(workers, 200)) END)),
        ('abandoned sends', abandoned = 0, abandoned::double precision,
         'started, and not reported ten minutes after their leases: run_maintenance() makes them unknown'),
        ('retries', retries < 100 OR retries < rows / 10, retries::double precision,
         'messages that were claimed, and wait to be claimed again')
    ) AS checked ("check", ok, value, detail)
    UNION ALL
    SELECT 'paused', coalesce(bool_and(still.ends), true), count(*)::double precision,
           coalesce(left(string_agg(still.what, '; ' ORDER BY still.what COLLATE "C"), 1000), 'nothing is paused or throttled')
    FROM (
        SELECT concat_ws(' ', 'sending', 'of ' || nullif(kind, ''), 'on ' || nullif(channel, ''), 'is paused since',
                         since, 'until ' || until) || coalesce(': ' || reason, '') AS what,
               until IS NOT NULL AS ends
        FROM companion.sending_pauses WHERE until IS NULL OR until > companion.now()
        UNION ALL
        SELECT concat_ws(' ', channel, 'is throttled', 'for ' || nullif(bot, ''), 'until', max(until)), true
        FROM companion.channel_throttles WHERE until > companion.now() GROUP BY channel, bot
    ) AS still (what);
END;
COMMENT ON FUNCTION companion.check_queue(interval) IS 'What health() says of the queue. Internal.';

CREATE FUNCTION companion.check_outcomes()
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH finished AS MATERIALIZED (SELECT status, failure_reason FROM companion.recently_finished),
    reasons AS (
        SELECT left(coalesce(failure_reason, 'no reason'), 100) AS reason, count(*) AS failures
        FROM finished WHERE status = 'failed' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5)
    SELECT 'unknown', count(*) FILTER (WHERE status = 'unknown') = 0,
           (count(*) FILTER (WHERE status = 'unknown'))::double precision,
           'messages in the last hour whose worker ended after start_send: sent or not, nobody knows'
    FROM finished
    UNION ALL
    SELECT 'failures', count(*) FILTER (WHERE status = 'failed') < greatest(10, count(*) / 20),
           (count(*) FILTER (WHERE status = 'failed'))::double precision,
           format('in the last hour, of %s', count(*))
               || coalesce('; ' || (SELECT string_agg(failures || ' ' || reason, ', ') FROM reasons), '')
    FROM finished;
END;
COMMENT ON FUNCTION companion.check_outcomes() IS 'What health() says of what became of messages. Internal.';

CREATE FUNCTION companion.check_addresses()
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH disabled AS (
        SELECT channel, count(*) AS addresses
        FROM (SELECT channel FROM companion.addresses
              WHERE disabled_at > (SELECT companion.now()) - interval '1 day' AND disabled_at <= (SELECT companion.now())
              ORDER BY disabled_at DESC LIMIT 10000) AS latest
        GROUP BY channel)
    SELECT 'disabled addresses',
           coalesce(sum(addresses), 0) < greatest(100, pg_stat_get_live_tuples('companion.addresses'::regclass) / 100),
           coalesce(sum(addresses), 0)::double precision,
           'in the last day' || coalesce(': ' || string_agg(addresses || ' on ' || channel, ', ' ORDER BY channel), '')
    FROM disabled;
END;
COMMENT ON FUNCTION companion.check_addresses() IS 'What health() says of addresses that messengers call gone. Internal.';

CREATE FUNCTION companion.check_directory(max_lag interval)
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 'directory changes', coalesce(companion.now() - oldest.since <= max_lag, true),
           coalesce(extract(epoch FROM companion.now() - oldest.since)::double precision, 0),
           format('seconds that the oldest of %s has waited%s', waiting.changes,
                  CASE WHEN waiting.changes > 0 THEN ': the router''s run_maintenance() tells the directory' ELSE '' END)
    FROM companion.shard AS s
    CROSS JOIN LATERAL (SELECT count(*) AS changes FROM (SELECT FROM companion.directory_changes LIMIT 10000) AS first) AS waiting
    LEFT JOIN LATERAL (SELECT since FROM companion.directory_changes ORDER BY since, id LIMIT 1) AS oldest ON true
    WHERE s.number IS NOT NULL AND s.shards > 1;
END;
COMMENT ON FUNCTION companion.check_directory(interval) IS
'What health() says, on a shard, of what the directory has not been told. Nothing elsewhere. Internal.';

-- With the caller's rights, who may be unable to see another's jobs.
CREATE FUNCTION companion.check_jobs()
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    obstacle text := CASE
        WHEN NOT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                         WHERE n.nspname = 'cron' AND c.relname = 'job' AND companion.is_pg_crons('pg_class', c.oid))
        THEN 'pg_cron is not in this database'
        WHEN NOT has_schema_privilege('cron', 'USAGE') THEN 'you may not see them: GRANT USAGE ON SCHEMA cron' END;
BEGIN
    IF obstacle IS NOT NULL THEN
        RETURN QUERY SELECT 'jobs', NULL::boolean, NULL::double precision, obstacle;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT 'job ' || wanted.name,
           CASE WHEN job.jobid IS NOT NULL THEN job.active AND run.status IS DISTINCT FROM 'failed'
                WHEN NOT row_security_active('cron.job') THEN false END,
           extract(epoch FROM companion.now() - run.start_time)::double precision,
           CASE WHEN job.jobid IS NULL AND row_security_active('cron.job')
                THEN 'not scheduled, or by a login whose jobs you may not see'
                WHEN job.jobid IS NULL THEN 'not scheduled: companion.schedule_jobs()'
                WHEN NOT job.active THEN 'off'
                WHEN run.status IS NULL THEN 'has not run yet'
                ELSE concat_ws(': ', run.status, left(run.return_message, 200)) END
    FROM (VALUES ('companion_dispatch'), ('companion_maintenance'), ('companion_retention')) AS wanted (name)
    LEFT JOIN cron.job ON job.jobname = wanted.name AND job.database = current_database()
    LEFT JOIN LATERAL (
        SELECT * FROM (SELECT * FROM cron.job_run_details ORDER BY runid DESC LIMIT 5000) AS latest
        WHERE latest.jobid = job.jobid AND latest.start_time IS NOT NULL ORDER BY runid DESC LIMIT 1
    ) AS run ON true;
END
$$;
COMMENT ON FUNCTION companion.check_jobs() IS 'What health() says of pg_cron''s jobs. Internal.';

CREATE FUNCTION companion.check_server()
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 'old snapshots', CASE WHEN sees_all THEN oldest <= interval '10 minutes' END,
           extract(epoch FROM oldest)::double precision,
           CASE WHEN sees_all THEN 'seconds that the oldest transaction is open, which keeps dead rows in the queue'
                ELSE 'you see your own transactions only: GRANT pg_monitor' END
    FROM (
        SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all,
               coalesce(companion.now() - least(
                   (SELECT min(xact_start) FROM pg_stat_activity
                    WHERE (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
                        AND backend_type IN ('client backend', 'pg_cron launcher', 'pg_cron')),
                   (SELECT min(prepared) FROM pg_prepared_xacts)), interval '0') AS oldest) AS seen
    UNION ALL
    SELECT 'dead rows', dead <= 100000 + 2 * live, dead::double precision,
           format('in dispatch_queue, beside %s, of %s bytes', live, pg_relation_size(relation))
    FROM (SELECT 'companion.dispatch_queue'::regclass AS relation,
                 pg_stat_get_dead_tuples('companion.dispatch_queue'::regclass) AS dead,
                 pg_stat_get_live_tuples('companion.dispatch_queue'::regclass) AS live) AS queue;
END;
COMMENT ON FUNCTION companion.check_server() IS 'What health() says of what slows the queue down. Internal.';

CREATE FUNCTION companion.check_definition()
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH faults ("check", fault) AS (
        SELECT 'settings', fault FROM (VALUES
            (nullif(current_setting('companion.clock'), '') IS NOT NULL, 'companion.clock is set: time stands still'),
            (current_setting('companion.lock_wait')::interval = interval '0',
             'companion.lock_wait is 0: one open transaction can hold a worker for ever')
        ) AS s (is_wrong, fault) WHERE is_wrong
        UNION ALL
        SELECT 'kinds', format('%s is counted by caps of %s, of which there are none', k.kind, k.cap_group)
        FROM companion.kinds AS k
        WHERE NOT EXISTS (SELECT FROM companion.caps AS c WHERE c.cap_group = k.cap_group) AND k.cap_group IS NOT NULL
        UNION ALL
        SELECT 'kinds', format('there is no kind %s: what is built in holds', standard.kind)
        FROM unnest('{checkin,custom}'::text[]) AS standard (kind)
        WHERE NOT EXISTS (SELECT FROM companion.kinds AS k WHERE k.kind = standard.kind)
        UNION ALL
        SELECT 'added columns', format('%s.%I', c.oid::regclass, a.attname)
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'companion'::regnamespace AND c.relkind = 'r'
            AND col_description(c.oid, a.attnum) IS NULL
        UNION ALL
        SELECT 'roles', format('%s has %s: %s', r.rolname, f.fault, f.remedy)
        FROM pg_roles AS r CROSS JOIN LATERAL companion.role_faults(r.rolname) AS f
        WHERE r.rolname IN ('companion_owner', 'companion_runtime', 'companion_user', 'companion_worker',
                            'companion_admin', 'companion_monitor')
        UNION ALL
        SELECT 'triggers', format('%I on %s', t.tgname, t.tgrelid::regclass)
        FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
        WHERE NOT t.tgisinternal AND p.pronamespace = 'companion'::regnamespace AND t.tgenabled IN ('D', 'R')
        UNION ALL
        SELECT 'update', format('version %s is installed on the server, and %s here: ALTER EXTENSION companion UPDATE',
                                default_version, installed_version)
        FROM pg_available_extensions WHERE name = 'companion' AND default_version <> installed_version)
    SELECT known."check", count(fault) = 0, count(fault)::double precision,
           coalesce(left(string_agg(fault, '; ' ORDER BY fault COLLATE "C"), 1000), known.wish)
    FROM (VALUES
        (1, 'settings', 'none contradicts another'),
        (2, 'kinds', 'none contradicts its caps, and the standard ones are there'),
        (3, 'added columns', 'none: a dump of these tables can be restored'),
        (4, 'roles', 'none can do more than it should'),
        (5, 'triggers', 'none is off'),
        (6, 'update', 'none waits')) AS known (number, "check", wish)
    LEFT JOIN faults ON faults."check" = known."check"
    GROUP BY known.number, known."check", known.wish ORDER BY known.number;
END;
COMMENT ON FUNCTION companion.check_definition() IS
'What health() says of settings, kinds, roles, and what somebody has done to the extension''s objects. A column that has no comment is somebody else''s. Internal.';

CREATE FUNCTION companion.health(max_lag interval DEFAULT '5 minutes')
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET jit = off -- compiling them takes longer than all that is read
AS $$
BEGIN
    BEGIN
        PERFORM companion.now();
    EXCEPTION WHEN object_not_in_prerequisite_state THEN
        RETURN QUERY SELECT 'version', false, NULL::double precision, SQLERRM;
        RETURN;
    END;
    RETURN QUERY
    SELECT 'version', true, NULL::double precision, extversion FROM pg_extension WHERE extname = 'companion'
    UNION ALL SELECT * FROM companion.check_dispatch(max_lag)
    UNION ALL SELECT * FROM companion.check_jobs()
    UNION ALL SELECT * FROM companion.check_queue(max_lag)
    UNION ALL SELECT * FROM companion.check_outcomes()
    UNION ALL SELECT * FROM companion.check_addresses()
    UNION ALL SELECT * FROM companion.check_directory(max_lag)
    UNION ALL SELECT * FROM companion.check_server()
    UNION ALL SELECT * FROM companion.check_definition();
END
$$;
COMMENT ON FUNCTION companion.health(interval) IS
'Is it well: one row a check, whose ok is true, false, or NULL where the caller cannot tell; value is what was measured, detail says of what, and what to do. max_lag: how far dispatch may be behind, and how long a due message may wait for a worker, and on a shard a change for the directory. It reads the head of the queue and the newest messages, 10,000 at most, so it costs the same whatever waits. For companion_monitor and companion_admin; what each check means is in docs/operations.md.';

CREATE FUNCTION companion.metrics()
RETURNS TABLE (name text, labels jsonb, value double precision)
LANGUAGE sql STABLE SET jit = off -- as health()
BEGIN ATOMIC
    WITH head AS MATERIALIZED (SELECT * FROM companion.queue_head),
    finished AS MATERIALIZED (
        SELECT * FROM companion.recently_finished WHERE finished_at > companion.now() - interval '5 minutes'),
    lateness AS (
        SELECT channel, timezone,
               percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
                   ORDER BY extract(epoch FROM sent_at - scheduled_for)::double precision) AS seconds
        FROM finished WHERE status = 'sent' GROUP BY channel, timezone)
    SELECT 'companion_dispatch_lag_seconds', '{}'::jsonb,
           extract(epoch FROM companion.now() - previous_tick)::double precision
    FROM companion.dispatch_state
    UNION ALL
    SELECT 'companion_users_held', '{}', count(*)
    FROM (SELECT FROM companion.dispatch_recheck LIMIT 10000) AS held
    UNION ALL
    SELECT 'companion_pending_messages', '{}', pg_stat_get_live_tuples('companion.dispatch_queue'::regclass)
    UNION ALL
    SELECT 'companion_due_messages', jsonb_build_object('channel', channel), count(*)
    FROM head WHERE state = 'due' GROUP BY channel
    UNION ALL
    SELECT 'companion_oldest_due_seconds', jsonb_build_object('channel', channel),
           extract(epoch FROM companion.now() - min(visible_at))::double precision
    FROM head WHERE state = 'due' GROUP BY channel
    UNION ALL
    SELECT 'companion_leased_messages', jsonb_build_object('worker', worker, 'sending', (state = 'sending')::text), count(*)
    FROM head WHERE leased_until > companion.now() GROUP BY worker, state = 'sending'
    UNION ALL
    SELECT 'companion_retries', '{}', count(*)
    FROM head WHERE attempt > 0 AND state IN ('due', 'waiting')
    UNION ALL
    SELECT 'companion_finished_messages',
           jsonb_build_object('channel', channel, 'kind', kind, 'status', status,
                              'reason', left(coalesce(failure_reason, ''), 100)), count(*)
    FROM finished GROUP BY channel, kind, status, left(coalesce(failure_reason, ''), 100)
    UNION ALL
    SELECT 'companion_worker_finished_messages', jsonb_build_object('worker', worker), count(*)
    FROM finished WHERE worker IS NOT NULL GROUP BY worker
    UNION ALL
    SELECT 'companion_due_to_sent_seconds',
           jsonb_build_object('channel', channel, 'timezone', timezone, 'quantile', q.quantile), seconds[q.number]
    FROM lateness CROSS JOIN (VALUES (1, '0.5'), (2, '0.99')) AS q (number, quantile)
    UNION ALL
    SELECT 'companion_disabled_addresses', jsonb_build_object('channel', channel), count(*)
    FROM (SELECT channel FROM companion.addresses
          WHERE disabled_at > (SELECT companion.now()) - interval '1 day' AND disabled_at <= (SELECT companion.now())
          ORDER BY disabled_at DESC LIMIT 10000) AS disabled
    GROUP BY channel
    UNION ALL
    SELECT 'companion_health_ok', jsonb_build_object('check', "check"), ok::integer
    FROM companion.health();
END;
COMMENT ON FUNCTION companion.metrics() IS
'What an exporter shows, by Prometheus'' conventions: gauges, their labels, and values. Counts of what is due, claimed or to be claimed again are of the head of the queue, 10,000 at most; finished messages are those of the last five minutes. No label is anybody''s text or id. A check of health() is 1, 0, or NULL. For companion_monitor and companion_admin; the list is in docs/operations.md.';
