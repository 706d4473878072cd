-- Health and metrics: each check can fail, and who watches sees nobody's text.
\i test/fresh.sql
CREATE ROLE regress_watcher NOLOGIN IN ROLE companion_monitor, pg_monitor;
CREATE FUNCTION pg_temp.clock(reading text) RETURNS text LANGUAGE sql AS $$ SELECT set_config('companion.clock', '2026-03-02 ' || reading || '+00', false) $$;
-- What is not well, but for what is so here: pg_cron is elsewhere, and the clock is set.
CREATE TEMP VIEW unwell AS
SELECT h."check", h.value, h.detail FROM companion.health() AS h
WHERE ok IS DISTINCT FROM true AND h."check" NOT IN ('jobs', 'settings');
GRANT SELECT ON unwell TO regress_watcher;

SELECT pg_temp.clock('08:00');
SELECT * FROM unwell;
SELECT companion.dispatch();
SET ROLE regress_watcher;
SELECT h."check", h.ok FROM companion.health() AS h;
RESET ROLE;

-- Dispatch is late.
SELECT pg_temp.clock('08:05');
SELECT * FROM unwell;
SELECT pg_temp.clock('08:05:01');
SELECT * FROM unwell;
SELECT h."check", h.ok FROM companion.health(max_lag => '1 hour') AS h WHERE h."check" = 'dispatch';

-- Users are held.
BEGIN;
INSERT INTO companion.dispatch_recheck (user_id, since) VALUES (companion.uuid_v7(), '2026-03-02 07:00+00');
SELECT * FROM unwell WHERE "check" = 'users held';
ROLLBACK;

-- Nobody claims; somebody does, and cannot keep up; what was started is never reported; a worker ends in the middle.
INSERT INTO companion.users (id, display_name, preferred_channel)
SELECT lpad(n::text, 32, '0')::uuid, 'Ada' || n, 'web' FROM generate_series(1, 200) AS n;
SELECT count(*) FROM companion.users AS u
CROSS JOIN LATERAL companion.schedule_message(u.id, companion.now(), 'Dear ' || u.display_name);
SELECT companion.dispatch();
SELECT pg_temp.clock('08:10:02');
SELECT companion.dispatch();
SELECT * FROM unwell;
CREATE TEMP TABLE claimed AS SELECT * FROM companion.claim_messages('worker A', 20);
SELECT * FROM unwell;
SELECT name, labels, round(value) AS value FROM companion.metrics()
WHERE name <> 'companion_health_ok' AND name <> 'companion_pending_messages' ORDER BY name, labels::text;
SELECT count(*) FROM claimed WHERE companion.start_send(user_id, message_id, attempt);
SELECT pg_temp.clock('08:30');
SELECT companion.dispatch();
SELECT "check", value FROM unwell;
SELECT companion.finish_abandoned();
SELECT "check", value FROM unwell;

-- Much is claimed, and not sent.
SELECT count(*) FROM companion.claim_messages('worker B', 150, '1 second');
SELECT pg_temp.clock('08:31');
SELECT "check", value FROM unwell;

-- Failures, by reason.
CREATE TEMP TABLE tried AS SELECT * FROM companion.claim_messages('worker C', 180);
SELECT count(*) FROM tried WHERE companion.start_send(user_id, message_id, attempt);
SELECT count(*) FROM (SELECT *, row_number() OVER (ORDER BY user_id) AS n FROM tried) AS t
WHERE CASE WHEN n <= 8 THEN companion.mark_failed(user_id, message_id, attempt, 'bot was blocked by the user', permanent => true)
           WHEN n <= 12 THEN companion.mark_failed(user_id, message_id, attempt, 'chat not found', permanent => true)
           ELSE companion.mark_sent(user_id, message_id, attempt, 'Dear you') END;
SELECT * FROM unwell;
SELECT name, labels, round(value) AS value FROM companion.metrics()
WHERE name <> 'companion_health_ok' AND name <> 'companion_pending_messages' ORDER BY name, labels::text;
SELECT pg_temp.clock('10:00');
SELECT companion.dispatch();
SELECT * FROM unwell;

-- Messengers call many addresses gone; a few are nothing, and a day later it is past.
BEGIN;
UPDATE companion.users SET telegram_user_id = right(id::text, 3)::integer WHERE display_name <> 'Ada100';
UPDATE companion.addresses SET disabled_at = companion.now() - interval '1 hour', disabled_reason = 'blocked' WHERE address <> '1' AND channel = 'telegram';
SELECT * FROM unwell WHERE "check" = 'disabled addresses';
SELECT name, labels, value FROM companion.metrics() WHERE name = 'companion_disabled_addresses';
UPDATE companion.addresses SET disabled_at = NULL WHERE address::integer > 100;
SELECT h.ok, h.value, h.detail FROM companion.health() AS h WHERE h."check" = 'disabled addresses';
UPDATE companion.addresses SET disabled_at = disabled_at - interval '1 day';
SELECT h.ok, h.value, h.detail FROM companion.health() AS h WHERE h."check" = 'disabled addresses';
ROLLBACK;

-- On a shard, and nowhere else: nobody tells the directory of an address that was unlinked.
SELECT count(*) AS elsewhere FROM companion.health() AS h WHERE h."check" = 'directory changes';
BEGIN;
DELETE FROM companion.users;
SELECT companion.set_shard(0, 2);
SET LOCAL ROLE regress_watcher;
SELECT h.ok, h.value, h.detail FROM companion.health() AS h WHERE h."check" = 'directory changes';
RESET ROLE;
INSERT INTO companion.directory_changes (user_id, channel, address, bot, is_wanted, since)
SELECT companion.new_user_id(), 'telegram', '7', '', false, companion.now() - age * interval '1 second' FROM unnest('{300, 1}'::integer[]) AS age;
SET LOCAL ROLE regress_watcher;
SELECT h.ok, h.value, h.detail FROM companion.health() AS h WHERE h."check" = 'directory changes';
SELECT h.ok, h.value, h.detail FROM companion.health('4 minutes 59 seconds') AS h WHERE h."check" = 'directory changes';
ROLLBACK;

-- A transaction is open for long; by the real clock, that is for how long it has not been yet.
BEGIN;
SELECT set_config('companion.clock', (now() + interval '11 minutes')::text, true) <> '' AS later, pg_current_xact_id() IS NOT NULL AS "writes";
SELECT "check", detail FROM unwell WHERE "check" = 'old snapshots';
ROLLBACK;

-- The queue is full of dead rows.
ALTER TABLE companion.dispatch_queue SET (autovacuum_enabled = false);
INSERT INTO companion.dispatch_queue (visible_at, send_before, user_id, message_id, channel)
SELECT 'infinity', 'infinity', companion.uuid_v7(), companion.uuid_v7(), 'web' FROM generate_series(1, 100001);
DELETE FROM companion.dispatch_queue;
SELECT pg_stat_force_next_flush();
SELECT "check", value > 100000 AS many FROM unwell;
VACUUM companion.dispatch_queue;
ALTER TABLE companion.dispatch_queue RESET (autovacuum_enabled);
SELECT "check" FROM unwell;

-- Kinds without the caps that they are to be counted by, or without the standard ones.
BEGIN;
UPDATE companion.kinds SET cap_group = 'nudges' WHERE kind = 'checkin';
DELETE FROM companion.kinds WHERE kind = 'custom';
SET LOCAL ROLE regress_watcher;
SELECT "check", value, detail FROM unwell WHERE "check" = 'kinds';
ROLLBACK;

-- What operators have done.
BEGIN;
SET LOCAL companion.lock_wait = 0;
SELECT h.value, h.detail FROM companion.health() AS h WHERE h."check" = 'settings';
ALTER TABLE companion.users ADD COLUMN nickname text;
ALTER ROLE companion_worker CREATEDB;
GRANT companion_runtime TO regress_watcher;
ALTER TABLE companion.users DISABLE TRIGGER recheck_new_user;
UPDATE pg_extension SET extversion = '0.1.9' WHERE extname = 'companion';
SELECT "check", value, replace(detail, (SELECT default_version FROM pg_available_extensions WHERE name = 'companion'), 'NEWER') AS detail FROM unwell;
ROLLBACK;

-- The library is of another version than this.
SET client_min_messages = warning;
UPDATE pg_extension SET extversion = '0.1.9' WHERE extname = 'companion';
\c
SELECT h."check", h.ok, replace(h.detail, (SELECT default_version FROM pg_available_extensions WHERE name = 'companion'), 'NEWER') AS detail FROM companion.health() AS h;
UPDATE pg_extension SET extversion = (SELECT default_version FROM pg_available_extensions WHERE name = 'companion') WHERE extname = 'companion';
\c

-- Who watches sees nobody's text, and may do nothing.
\i test/error_of.sql
\set ECHO all
SET ROLE companion_monitor;
SELECT count(*) AS metrics FROM companion.metrics() WHERE value IS NULL AND labels ->> 'check' <> 'jobs' AND labels ->> 'check' <> 'old snapshots';
SELECT h."check", h.detail FROM companion.health() AS h WHERE ok IS NULL;
SELECT statement, pg_temp.error_of(statement) AS outcome FROM (VALUES
    ('SELECT content FROM companion.scheduled_messages'),
    ('SELECT generation_context FROM companion.scheduled_messages'),
    ('SELECT FROM companion.users'),
    ('SELECT FROM companion.messages'),
    ('SELECT address FROM companion.addresses'),
    ('SELECT FROM companion.user_context'),
    ('SELECT companion.claim_messages(''watcher'')'),
    ('SELECT companion.run_maintenance()'),
    ('DELETE FROM companion.dispatch_queue')) AS v (statement);
SET ROLE companion_worker;
SELECT pg_temp.error_of('SELECT companion.health()') AS health, pg_temp.error_of('SELECT companion.metrics()') AS metrics;
RESET ROLE;
DROP ROLE regress_watcher;
