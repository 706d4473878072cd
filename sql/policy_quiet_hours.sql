-- Quiet hours: nothing is sent in them, but of kinds that ignore them.
\i test/fresh.sql
INSERT INTO companion.users (id, display_name, timezone, telegram_user_id, checkin_time, onboarding_completed_at) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya', 'Europe/Berlin', 7001, NULL, '2026-01-01'),
    ('00000000-0000-0000-0000-000000000002', 'Diego', 'Europe/Berlin', 7002, NULL, '2026-01-01');
\set maya '\'00000000-0000-0000-0000-000000000001\''
UPDATE companion.users SET quiet_from = '22:00', quiet_until = '07:00' WHERE display_name = 'Maya';
INSERT INTO companion.kinds (kind, quiet) VALUES ('chat', 'skip'), ('alarm', 'ignore');
CREATE TEMP VIEW state AS
SELECT m.content, m.status, m.failure_reason AS reason, m.attempts, q.visible_at, q.start_before, q.attempt,
    q.claims, q.leased_until > '-infinity' AS claimed, q.sending, q.waits_for
FROM companion.scheduled_messages AS m LEFT JOIN companion.dispatch_queue AS q ON q.message_id = m.id
ORDER BY m.content;
CREATE TEMP TABLE claimed (content text, user_id uuid, message_id uuid, attempt integer);
CREATE FUNCTION pg_temp.claim(max_messages integer DEFAULT 50) RETURNS SETOF text LANGUAGE sql AS $$
    INSERT INTO claimed SELECT content, user_id, message_id, attempt FROM companion.claim_messages('w', max_messages)
    RETURNING content
$$;

-- At 22:30 all that is due waits for the morning, is skipped, or goes. Who has no quiet hours gets all.
SET companion.clock = '2026-03-04 21:30+00';
SELECT display_name, count(*) FROM companion.users AS u,
    (VALUES ('custom'), ('chat'), ('alarm')) AS v (kind),
    companion.schedule_message(u.id, '2026-03-04 21:30+00', display_name || ' ' || kind, kind)
GROUP BY 1 ORDER BY 1;
SELECT content, start_before FROM state;
SELECT * FROM pg_temp.claim() AS claimed ORDER BY 1;
SELECT content, status, reason, visible_at, start_before, attempt, claims, claimed, waits_for FROM state;
SELECT kind, state, visible_at, attempt, waits_for FROM companion.pending_messages WHERE state = 'waiting';
SELECT content, companion.start_send(user_id, message_id, attempt) FROM claimed ORDER BY 1;
SELECT content, companion.mark_sent(user_id, message_id, attempt, 'hello') FROM claimed ORDER BY 1;
SET companion.clock = '2026-03-05 05:59:59.999999+00';
SELECT * FROM pg_temp.claim();
SET companion.clock = '2026-03-05 06:00+00';
TRUNCATE claimed;
SELECT * FROM pg_temp.claim();
-- It may be started until it is quiet again.
SELECT start_before, attempt, claims FROM state WHERE content = 'Maya custom';
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed;
SELECT companion.mark_failed(user_id, message_id, attempt, '502 Bad Gateway', '16 hours') FROM claimed;
-- A retry waits, too, and what failed it is not forgotten.
SET companion.clock = '2026-03-05 22:00+00';
SELECT * FROM pg_temp.claim();
SELECT status, visible_at, claims, waits_for FROM state WHERE content = 'Maya custom';
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;

-- A claim that is held when quiet hours begin is refused: put off, skipped, or started.
SET companion.clock = '2026-03-04 20:59+00';
SELECT count(*) FROM (VALUES ('custom'), ('chat'), ('alarm')) AS v (kind),
    companion.schedule_message(:maya, '2026-03-04 20:30+00', kind, kind);
SELECT * FROM pg_temp.claim() ORDER BY 1;
SELECT content, start_before FROM state;
-- Not claimed anew by anybody else; so its worker has it still.
SET companion.clock = '2026-03-04 20:59:59.999999+00';
BEGIN;
SELECT content, companion.start_send(user_id, message_id, attempt) FROM claimed ORDER BY 1;
ROLLBACK;
SET companion.clock = '2026-03-04 21:00+00';
SELECT content, companion.start_send(user_id, message_id, attempt) FROM claimed ORDER BY 1;
SELECT content, status, reason, visible_at, start_before, attempt, claims, claimed, sending, waits_for FROM state;
-- Its worker has lost it.
SELECT companion.start_send(user_id, message_id, attempt) AS start, companion.mark_failed(user_id, message_id, attempt, 'x') AS failed,
    companion.mark_skipped(user_id, message_id, attempt, 'x') AS skipped FROM claimed WHERE content = 'custom';
-- The bulk form says the same.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;
SET companion.clock = '2026-03-04 20:59+00';
SELECT count(*) FROM (VALUES ('alarm'), ('chat'), ('custom')) AS v (kind),
    companion.schedule_message(:maya, '2026-03-04 20:30+00', kind, kind);
SELECT * FROM pg_temp.claim() ORDER BY 1;
SET companion.clock = '2026-03-04 21:00+00';
SELECT companion.start_send_many(array_agg(user_id ORDER BY content), array_agg(message_id ORDER BY content), array_agg(attempt ORDER BY content))
FROM claimed;
SELECT content, status, reason, visible_at, claimed, sending FROM state;
-- One that is held over the night starts in the morning, if nobody else has it.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;
SET companion.clock = '2026-03-04 20:59+00';
SELECT count(*) FROM companion.schedule_message(:maya, '2026-03-04 20:30+00', 'held');
INSERT INTO claimed SELECT content, user_id, message_id, attempt FROM companion.claim_messages('w', lease => '12 hours');
SET companion.clock = '2026-03-05 06:00+00';
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;

-- A check-in of 22:30 whose worker comes back at 02:10: it would have to be sent by 02:30.
UPDATE companion.users SET checkin_time = '22:30', quiet_from = '23:00' WHERE display_name = 'Maya';
SET companion.clock = '2026-03-04 21:29+00';
SELECT companion.rewind_dispatch('2026-03-04 21:29+00');
SET companion.clock = '2026-03-04 21:30+00';
SELECT companion.dispatch();
SELECT start_before, visible_at FROM state;
SET companion.clock = '2026-03-05 01:10+00';
SELECT * FROM pg_temp.claim();
SELECT status, reason FROM state;
-- With more time it waits for the morning.
UPDATE companion.kinds SET send_within = '12 hours' WHERE kind = 'checkin';
SET companion.clock = '2026-03-05 21:29+00';
SELECT companion.dispatch();
SET companion.clock = '2026-03-05 21:30+00';
SELECT companion.dispatch();
SET companion.clock = '2026-03-06 01:10+00';
SELECT * FROM pg_temp.claim();
SELECT status, reason, visible_at FROM state WHERE status = 'pending';
SET companion.clock = '2026-03-06 06:00+00';
SELECT count(*) FROM pg_temp.claim();
SELECT companion.start_send(user_id, message_id, attempt), companion.mark_sent(user_id, message_id, attempt, 'good morning') FROM claimed;
-- It was for yesterday, and does not count for today.
SELECT companion.sent_today(:maya) AS today, companion.sent_today(:maya, at => companion.now() - interval '1 day') AS yesterday;
SET ROLE companion_worker;
SELECT companion.sent_today(:maya) AS today;
RESET ROLE;
-- A check-in whose own time is quiet goes at their end.
UPDATE companion.users SET checkin_time = '06:30' WHERE display_name = 'Maya';
SET companion.clock = '2026-03-07 05:30+00';
SELECT companion.dispatch();
SELECT * FROM pg_temp.claim();
SELECT status, visible_at FROM state WHERE status = 'pending';
UPDATE companion.users SET checkin_time = NULL, quiet_from = '22:00' WHERE display_name = 'Maya';
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;

-- What waits keeps its order, and a claim goes on to what may go.
SET companion.clock = '2026-03-04 22:00+00';
SELECT count(*) FROM generate_series(1, 3) AS n,
    companion.schedule_message(:maya, '2026-03-04 21:00+00'::timestamptz + n * interval '1 minute', 'quiet ' || n);
SELECT count(*) FROM generate_series(1, 3) AS n,
    companion.schedule_message('00000000-0000-0000-0000-000000000002', '2026-03-04 21:10+00'::timestamptz + n * interval '1 minute', 'loud ' || n);
SELECT * FROM pg_temp.claim(2);
SELECT content, visible_at, claimed FROM state;
SET companion.clock = '2026-03-05 06:00+00';
SELECT * FROM pg_temp.claim();
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;

-- Changes of mind. What waits, and what is claimed, follows; what is being sent goes.
SET companion.clock = '2026-03-04 12:00+00';
SELECT count(*) FROM (VALUES ('custom'), ('chat'), ('alarm'), ('sending')) AS v (kind),
    companion.schedule_message(:maya, '2026-03-04 12:00+00', kind, kind);
SELECT count(*) FROM pg_temp.claim();
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed WHERE content = 'sending';
SELECT count(*) FROM companion.schedule_message(:maya, '2026-03-04 12:00+00', 'due');
UPDATE companion.users SET quiet_from = '14:00' WHERE display_name = 'Maya';
SELECT content, visible_at, start_before, claimed, sending FROM state;
UPDATE companion.users SET quiet_from = '12:00' WHERE display_name = 'Maya';
SELECT content, visible_at, start_before, claimed, sending FROM state;
SELECT content, companion.start_send(user_id, message_id, attempt) FROM claimed WHERE content <> 'sending' ORDER BY 1;
SELECT * FROM pg_temp.claim();
SELECT content, status, reason, visible_at, start_before, claimed, sending FROM state;
-- Of what comes back after it was sent it is known, too.
SELECT companion.mark_failed(user_id, message_id, attempt, '502', '1 minute') FROM claimed WHERE content = 'sending';
SET companion.clock = '2026-03-04 12:01+00';
SELECT * FROM pg_temp.claim();
SELECT content, visible_at, waits_for FROM state WHERE content = 'sending';
-- No quiet hours any more: what waited is due.
UPDATE companion.users SET quiet_until = NULL WHERE display_name = 'Maya';
SELECT content, visible_at, start_before FROM state WHERE status = 'pending' AND NOT sending;
SELECT * FROM pg_temp.claim();
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;
-- Somebody who has none gets some.
SELECT count(*) FROM companion.schedule_message(:maya, '2026-03-04 12:00+00', 'claimed');
SELECT * FROM pg_temp.claim();
SELECT count(*) FROM companion.schedule_message(:maya, '2026-03-04 12:00+00', 'due');
UPDATE companion.users SET quiet_until = '13:30' WHERE display_name = 'Maya';
SELECT content, companion.start_send(user_id, message_id, attempt) FROM claimed ORDER BY 1;
UPDATE companion.users SET quiet_from = '13:00', quiet_until = '14:00' WHERE display_name = 'Maya';
SELECT * FROM pg_temp.claim();
SELECT content, visible_at FROM state;
-- Another zone: it is not quiet there. There, and back, and what was deferred is deferred again.
UPDATE companion.users SET timezone = 'America/New_York' WHERE display_name = 'Maya';
SELECT content, visible_at, start_before FROM state;
SELECT * FROM pg_temp.claim() ORDER BY 1;
SELECT content, start_before FROM state;
UPDATE companion.users SET timezone = 'Europe/Berlin' WHERE display_name = 'Maya';
SELECT content, claimed FROM state;
SELECT * FROM pg_temp.claim();
SELECT content, visible_at FROM state;
-- Put off further, or replaced, it is looked at again.
SELECT companion.reschedule_message(user_id, id, '2026-03-05 12:30+00') FROM companion.scheduled_messages WHERE content = 'due';
SELECT created FROM companion.scheduled_messages AS m,
    companion.schedule_message(user_id, '2026-03-04 12:02+00', 'anew', idempotency_key => m.idempotency_key, replace => true) WHERE m.content = 'claimed';
SET companion.clock = '2026-03-05 12:30+00';
SELECT * FROM pg_temp.claim();
SELECT content, visible_at FROM state;
-- So is what comes back by hand.
SELECT companion.cancel_messages(:maya);
UPDATE companion.scheduled_messages SET status = 'failed', failure_reason = '401', finished_at = companion.now();
SELECT companion.retry_failed('2026-03-05');
SELECT * FROM pg_temp.claim();
SELECT content, visible_at, waits_for FROM state;
-- What was unknown and was not sent comes back.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;
SET companion.clock = '2026-03-05 11:59+00';
SELECT count(*) FROM companion.schedule_message(:maya, companion.now(), 'unknown');
SELECT * FROM pg_temp.claim();
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed;
SET companion.clock = '2026-03-05 12:30+00';
SELECT companion.finish_abandoned();
SELECT companion.mark_failed(user_id, message_id, attempt, '502', '0') FROM claimed;
SELECT * FROM pg_temp.claim();
SELECT status, visible_at, waits_for FROM state;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;

-- A kind is looked at when it matters.
SET companion.clock = '2026-03-05 12:30+00';
SELECT count(*) FROM companion.schedule_message(:maya, companion.now(), 'alarm', 'alarm');
SELECT * FROM pg_temp.claim();
UPDATE companion.kinds SET quiet = 'skip' WHERE kind = 'alarm';
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed;
SELECT status, reason FROM state;
UPDATE companion.kinds SET quiet = 'ignore' WHERE kind = 'alarm';
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;

-- A zone that this server does not know has no quiet hours.
SET session_replication_role = replica;
UPDATE companion.users SET timezone = 'Moon/Base' WHERE display_name = 'Maya';
RESET session_replication_role;
INSERT INTO companion.dispatch_queue (visible_at, send_before, user_id, message_id, channel, start_before)
SELECT companion.now(), 'infinity', :maya, '00000000-0000-7000-8000-000000000001', 'web', '-infinity';
INSERT INTO companion.scheduled_messages (user_id, id, kind, idempotency_key, local_date, timezone, scheduled_for, channel, content)
VALUES (:maya, '00000000-0000-7000-8000-000000000001', 'custom', 'k', '2026-03-05', 'UTC', companion.now(), 'web', 'to the moon');
SELECT * FROM pg_temp.claim();
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed;

-- The night in which clocks go forward, and the one in which they go back.
UPDATE companion.users SET timezone = 'Europe/Berlin', quiet_from = '22:00', quiet_until = '02:30' WHERE display_name = 'Maya';
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;
CREATE PROCEDURE pg_temp.claim_at(at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('companion.clock', at::text, false);
    PERFORM companion.schedule_message('00000000-0000-0000-0000-000000000001', at, at::text);
    PERFORM companion.claim_messages('w');
END
$$;
CALL pg_temp.claim_at('2026-03-28 22:00+00');
SELECT content, visible_at, start_before FROM state;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
CALL pg_temp.claim_at('2026-10-24 22:00+00');
CALL pg_temp.claim_at('2026-10-25 00:30+00');
CALL pg_temp.claim_at('2026-10-25 01:10+00');
SELECT content, visible_at, start_before FROM state;
