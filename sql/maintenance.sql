-- Maintenance: what no worker will finish, what is old enough to go, and the jobs that do it.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, onboarding_completed_at)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', '2026-01-01');
\set maya '\'00000000-0000-0000-0000-000000000001\''
CREATE TEMP VIEW state AS
SELECT m.idempotency_key AS key, m.status, m.failure_reason AS reason, m.attempts, m.worker,
    m.finished_at
FROM companion.scheduled_messages AS m ORDER BY m.idempotency_key;

-- finish_abandoned: unknown after start_send, skipped past send_before, failed after
-- companion.max_claims; what has another try or a lease left is let be.
SELECT companion.dispatch();
SELECT count(*)
FROM (VALUES ('claimed twice', -9), ('dead after the last attempt', -8), ('started', -7),
    ('leased still', 0), ('not due yet', 1440)) AS v (key, n),
    companion.schedule_message(:maya, companion.now() + n * interval '1 minute', NULL,
    'custom', NULL, key);
UPDATE companion.dispatch_queue AS q SET claims = CASE m.idempotency_key WHEN 'claimed twice'
    THEN 1 ELSE 19 END
FROM companion.scheduled_messages AS m WHERE m.id = q.message_id
    AND m.idempotency_key IN ('claimed twice', 'dead after the last attempt');
SELECT count(*) AS claimed FROM companion.claim_messages('w', 3, '1 hour');
SELECT companion.start_send(q.user_id, q.message_id, q.attempt) AS started
FROM companion.dispatch_queue AS q JOIN companion.scheduled_messages AS m ON m.id = q.message_id
    WHERE m.idempotency_key = 'started';
SELECT count(*) AS claimed FROM companion.claim_messages('w2', 10, '1 day') WHERE kind = 'custom';
UPDATE companion.dispatch_queue SET leased_until = '-infinity', attempt = 0
WHERE message_id = (SELECT id FROM companion.scheduled_messages WHERE kind = 'checkin');
SELECT companion.finish_abandoned() AS "at once";
SET companion.clock = '2026-03-04 12:59+00';
SELECT companion.finish_abandoned(1) AS "the first", companion.finish_abandoned() AS "the other";
SET companion.clock = '2026-03-04 13:00+00';
SELECT companion.finish_abandoned() AS "past send_before", companion.finish_abandoned() AS again;
SELECT * FROM state;
SELECT idempotency_key AS key, state, attempt FROM companion.pending_messages ORDER BY 1;
SELECT pg_temp.error_of(format('SELECT companion.finish_abandoned(%s)', max_rows)) AS outcome
FROM (VALUES ('0'), ('-1'), ('NULL'), ('2147483647')) AS v (max_rows);

-- run_maintenance does all that is to be done every few minutes, and says how much it was.
SET companion.clock = '2026-03-05 13:00+00';
SELECT * FROM companion.run_maintenance() WHERE task = 'abandoned messages';

-- apply_retention: what was finished longer ago than companion.retention goes, whatever became of
-- it; what is pending stays, however old.
SET companion.clock = '2026-06-02 12:59:59+00';
SELECT companion.apply_retention();
SET companion.clock = '2026-06-02 13:00+00';
SELECT companion.apply_retention() AS "after 90 days";
SET companion.clock = '2026-06-02 13:00:00.000001+00';
SELECT companion.apply_retention() AS "a moment more";
SELECT key, status FROM state;
SELECT pg_temp.error_of('SET LOCAL companion.retention = ' || value) AS outcome
    FROM (VALUES ('''0'''), ('''23h'''), ('''11y'''), ('''4000d''')) AS v (value);

-- It goes in batches, the oldest first. Nothing goes within nine days, however little is to be kept:
-- the longest send_within of a check-in, and two days.
SELECT count(*)
FROM generate_series(1, 5) AS n,
    companion.schedule_message(:maya, companion.now(), 'old', 'custom', NULL, 'old ' || n);
SET companion.clock = '2026-06-03 13:00+00';
SELECT count(companion.mark_skipped(user_id, message_id, attempt, 'old')) AS finished
FROM companion.claim_messages('w', 100) WHERE content = 'old';
SET companion.retention = '1d';
SET companion.clock = '2026-06-12 13:00+00';
SELECT companion.apply_retention();
SET companion.clock = '2026-06-12 13:00:00.000001+00';
SELECT companion.apply_retention(2) AS two, companion.expire_messages(2) AS two, companion.apply_retention() AS "the rest";
SELECT pg_temp.error_of(format('SELECT companion.apply_retention(%s)', max_rows)) AS outcome
FROM (VALUES ('0'), ('-1'), ('NULL')) AS v (max_rows);
RESET companion.retention;

-- Maintenance works off what has become too much for a day's, too, and one step that fails for a lock
-- does not undo the others. pg_cron's log is deleted where it is pg_cron's.
SELECT count(*)
FROM generate_series(1, 3) AS n,
    companion.schedule_message(:maya, companion.now(), 'old', 'custom', NULL, 'older ' || n);
SELECT count(companion.mark_skipped(user_id, message_id, attempt, 'old')) AS finished
FROM companion.claim_messages('w', 100) WHERE content = 'old';
SET companion.clock = '2026-10-12 13:00+00';
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE 'somebody holds a lock' USING ERRCODE = 'lock_not_available'; END $$;
CREATE TRIGGER operators BEFORE DELETE ON companion.user_context
FOR EACH ROW EXECUTE FUNCTION fail();
SELECT FROM companion.upsert_user_context(:maya, 'mood', 'today', 'tired', expires_at => '2026-10-11');
SELECT * FROM companion.run_maintenance();
DROP TRIGGER operators ON companion.user_context;
SELECT * FROM companion.run_maintenance();
SELECT companion.expire_job_runs() AS "no pg_cron";
CREATE SCHEMA cron;
CREATE TABLE cron.job (jobid bigint, jobname text, database text);
CREATE TABLE cron.job_run_details (runid bigint, jobid bigint, end_time timestamptz);
INSERT INTO cron.job VALUES (1, 'companion_dispatch', current_database());
INSERT INTO cron.job_run_details VALUES (1, 1, '2026-01-01');
SELECT companion.expire_job_runs() AS "somebody else's", companion.apply_retention();
SELECT * FROM cron.job_run_details;
DROP SCHEMA cron CASCADE;

-- What stops one step, as a foreign key that keeps a message, does not stop the others.
BEGIN;
SET LOCAL companion.clock = '2026-03-02 08:00+00';
INSERT INTO companion.users (id) VALUES ('00000000-0000-0000-0000-0000000000ff');
INSERT INTO companion.scheduled_messages (user_id, scheduled_for, kind, idempotency_key, local_date, timezone, channel, content, status, created_at, finished_at)
VALUES ('00000000-0000-0000-0000-0000000000ff', '2020-01-01', 'note', 'kept', '2020-01-01', 'UTC', 'telegram', 'kept', 'skipped', '2020-01-01', '2020-01-01');
INSERT INTO companion.user_context (user_id, category, key, value, value_since, expires_at)
VALUES ('00000000-0000-0000-0000-0000000000ff', 'c', 'k', 'expired', '2026-01-01', '2026-02-01');
CREATE TABLE keeps (user_id uuid, id uuid, FOREIGN KEY (user_id, id) REFERENCES companion.scheduled_messages);
INSERT INTO keeps SELECT user_id, id FROM companion.scheduled_messages WHERE content = 'kept';
SELECT * FROM companion.run_maintenance() WHERE task IN ('expired context items', 'old messages');
ROLLBACK;

-- Settings have units and bounds.
RESET companion.clock;
SELECT name, setting, unit, min_val, max_val, context FROM pg_settings WHERE name LIKE 'companion.%'
    AND name IN ('companion.catch_up', 'companion.min_gap', 'companion.max_attempts',
        'companion.max_claims', 'companion.send_timeout',
        'companion.retry_backoff',
                 'companion.retention', 'companion.clock', 'companion.user_id',
                     'companion.retry_unknown') ORDER BY 1;
SELECT pg_temp.error_of('SET LOCAL companion.no_such = 1');

-- Without pg_cron the jobs cannot be made, and the error says how to install it.
\set VERBOSITY terse
SELECT companion.schedule_jobs();
SELECT companion.unschedule_jobs();
\set VERBOSITY default
SELECT pg_temp.error_of('SELECT companion.schedule_jobs()') LIKE '55000 | pg_cron is not installed in this database | Install it (Debian: postgresql-%-cron)%' AS says_how;
-- Which intervals cron can keep; the versions that can do with seconds.
SELECT every, pg_temp.error_of(format('SELECT companion.cron_schedule(%L)', every)) AS outcome,
       CASE WHEN pg_temp.error_of(format('SELECT companion.cron_schedule(%L)', every)) = 'none'
           THEN companion.cron_schedule(every::interval) END AS schedule
FROM (VALUES ('1 minute'), ('5 minutes'), ('30 minutes'), ('0'), ('-1 minute'), ('7 minutes'),
    ('1 hour'), ('90 seconds'), ('0.5 seconds'), ('1 month'), (NULL)) AS v (every);
