-- Tries are sends that were started; a message is given up by its time, or its kind's max_tries.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, telegram_user_id, onboarding_completed_at) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya', 7001, '2026-01-01'),
    ('00000000-0000-0000-0000-000000000002', 'Diego', 7002, NULL);
\set maya '\'00000000-0000-0000-0000-000000000001\''
CREATE TEMP VIEW state AS
SELECT m.kind, m.status, m.failure_reason AS reason, m.tries, m.attempts, q.tries AS queued_tries, q.claims,
    q.visible_at, q.last_error, q.last_failed_at
FROM companion.scheduled_messages AS m LEFT JOIN companion.dispatch_queue AS q ON q.message_id = m.id
ORDER BY m.id;
CREATE PROCEDURE pg_temp.pass(length interval) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('companion.clock', (companion.now() + length)::text, false);
END
$$;
-- One claim, its start and a failure, and how long the wait is until the next.
CREATE PROCEDURE pg_temp.fail(reason text, retry_after interval DEFAULT NULL, start boolean DEFAULT true)
LANGUAGE plpgsql AS $$
DECLARE
    m record;
BEGIN
    SELECT * INTO STRICT m FROM companion.claim_messages('w');
    IF start AND NOT companion.start_send(m.user_id, m.message_id, m.attempt) THEN
        RAISE 'not started';
    END IF;
    PERFORM companion.mark_failed(m.user_id, m.message_id, m.attempt, reason, retry_after);
    PERFORM set_config('companion.clock', greatest(companion.now(), visible_at)::text, false)
    FROM companion.dispatch_queue;
END
$$;

-- A hundred times told to wait costs no try.
SELECT companion.dispatch();
DO $$ BEGIN FOR n IN 1..100 LOOP CALL pg_temp.fail('429', '15 seconds'); END LOOP; END $$;
SELECT companion.now(), * FROM state;
-- A failure without that is a try; the kind says how many there are, or the time does.
UPDATE companion.kinds SET max_tries = 3 WHERE kind = 'checkin';
CALL pg_temp.fail('500');
CALL pg_temp.fail('502 Bad Gateway');
SELECT status, reason, queued_tries, last_error FROM state;
SELECT state, tries, last_error, last_failed_at IS NOT NULL AS has_failed FROM companion.pending_messages;
CALL pg_temp.fail('503');
SELECT status, reason, tries, attempts FROM state;
-- Retried by hand it has all its tries again, and knows what the last failure was.
SELECT companion.retry_message(user_id, id, '2026-03-04 20:00+00') AS retried FROM companion.scheduled_messages;
SELECT status, queued_tries, last_error, last_failed_at = max(last_failed_at) OVER () AS is_kept FROM state;
SELECT q.attempt, q.send_before FROM companion.dispatch_queue AS q;
-- Without max_tries only its time ends it, whose reason says what the last failure was.
UPDATE companion.kinds SET max_tries = NULL WHERE kind = 'checkin';
DO $$ BEGIN FOR n IN 1..8 LOOP CALL pg_temp.fail('401 Unauthorized'); END LOOP; END $$;
SELECT status, queued_tries FROM state;
SET companion.clock = '2026-03-04 19:59:59.99+00';
CALL pg_temp.fail('502 Bad Gateway');
SELECT status, reason, tries FROM state;
SELECT companion.retry_message(user_id, id, '2026-03-04 20:00+00') AS retried FROM companion.scheduled_messages;
SET companion.clock = '2026-03-04 20:00+00';
SELECT companion.finish_abandoned() AS given_up;
SELECT status, reason, tries FROM state;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;

-- A claim that was not started costs no try, and neither does one that is given back.
SELECT companion.schedule_message(:maya, companion.now(), 'hello') IS NOT NULL AS scheduled;
UPDATE companion.kinds SET max_tries = 1 WHERE kind = 'custom';
DO $$ BEGIN FOR n IN 1..6 LOOP PERFORM companion.claim_messages('w', lease => '1 minute'); CALL pg_temp.pass('1 minute'); END LOOP; END $$;
SELECT status, queued_tries, claims FROM state;
SELECT companion.release_message(user_id, message_id, attempt) AS released,
    companion.release_message(user_id, message_id, attempt) AS again,
    companion.start_send(user_id, message_id, attempt) AS start
FROM companion.claim_messages('w');
SELECT status, queued_tries, claims FROM state;
-- So is one whose worker failed before it started, but that is counted.
CALL pg_temp.fail('no text was written', start => false);
CALL pg_temp.fail('the model is busy', '1 second', false);
SELECT status, queued_tries, claims, last_error FROM state;
-- A start ends the count, and cannot be given back.
CREATE TEMP TABLE claimed AS SELECT * FROM companion.claim_messages('w');
SELECT companion.start_send(user_id, message_id, attempt) AS start,
    companion.release_message(user_id, message_id, attempt) AS released FROM claimed;
SELECT status, queued_tries, claims FROM state;
SELECT companion.release_message_many(array_agg(user_id), array_agg(message_id), array_agg(attempt)) FROM claimed;
SELECT companion.mark_sent(user_id, message_id, attempt) AS sent FROM claimed;
SELECT status, tries, attempts FROM state;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;
-- A message that kills its workers ends after companion.max_claims.
SET companion.max_claims = 3;
SELECT companion.schedule_message(:maya, companion.now(), 'hello') IS NOT NULL AS scheduled;
CALL pg_temp.fail('out of memory', start => false);
DO $$ BEGIN FOR n IN 1..3 LOOP PERFORM companion.claim_messages('w', lease => '1 minute'); CALL pg_temp.pass('1 minute'); END LOOP; END $$;
SELECT companion.finish_abandoned() AS given_up;
SELECT status, reason, tries, attempts FROM state;
RESET companion.max_claims;
UPDATE companion.kinds SET max_tries = 20 WHERE kind = 'custom';
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;

-- start_send renews the lease for companion.send_timeout, and shortens none.
SET companion.clock = '2026-03-04 09:00+00';
SELECT companion.schedule_message(:maya, companion.now(), 'hello') IS NOT NULL AS scheduled;
INSERT INTO claimed SELECT * FROM companion.claim_messages('w', lease => '1 minute');
CALL pg_temp.pass('2 minutes');
SELECT companion.start_send(user_id, message_id, attempt) AS start FROM claimed;
SELECT leased_until FROM companion.dispatch_queue;
CALL pg_temp.pass('1 second');
SELECT companion.finish_abandoned() AS given_up;
SELECT companion.mark_failed(user_id, message_id, attempt, '429', '5 seconds') AS failed FROM claimed;
SELECT status, visible_at, last_error FROM state;
-- With retry_unknown nobody else has it while the first may still be sending.
UPDATE companion.kinds SET retry_unknown = true WHERE kind = 'custom';
CALL pg_temp.pass('5 seconds');
SET companion.send_timeout = '10min';
UPDATE claimed SET attempt = c.attempt FROM companion.claim_messages('w', lease => '1 minute') AS c;
SELECT companion.start_send(user_id, message_id, attempt) AS start FROM claimed;
CALL pg_temp.pass('10 minutes -1 second');
SELECT companion.finish_abandoned() AS given_up, count(*) AS claimed FROM companion.claim_messages('w2');
CALL pg_temp.pass('1 second');
SELECT companion.finish_abandoned() AS given_up;
SELECT attempt FROM companion.claim_messages('w2', lease => '1 day');
SELECT companion.start_send(user_id, message_id, attempt + 1) AS start,
    companion.mark_sent(user_id, message_id, attempt) AS "the first" FROM claimed;
SELECT leased_until - companion.now() AS lease FROM companion.dispatch_queue;
RESET companion.send_timeout;
UPDATE companion.kinds SET retry_unknown = false;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;

-- mark_sent without start_send: an error for one, for many false with a warning.
SELECT count(*) AS scheduled
FROM (VALUES ('a', 'hello'), ('b', 'hello'), ('c', NULL), ('d', 'hello'), ('e', 'hello')) AS v (key, text),
    companion.schedule_message(:maya, companion.now(), text, idempotency_key => key);
UPDATE companion.dispatch_queue AS q SET message_id = ('00000000-0000-7000-8000-00000000000' || m.idempotency_key)::uuid
FROM companion.scheduled_messages AS m WHERE m.id = q.message_id;
UPDATE companion.scheduled_messages SET id = ('00000000-0000-7000-8000-00000000000' || idempotency_key)::uuid;
INSERT INTO claimed SELECT * FROM companion.claim_messages('w');
SELECT pg_temp.error_of(format('SELECT companion.mark_sent(%L, %L, 1)', user_id, message_id)) FROM claimed LIMIT 1;
SELECT count(companion.start_send(user_id, message_id, attempt)) AS started FROM claimed WHERE message_id::text !~ 'b$';
-- What has been sent is not refused for its form, and nobody else's report is lost.
SELECT companion.mark_sent_many(array_agg(user_id ORDER BY message_id), array_agg(message_id ORDER BY message_id),
    array_agg(attempt ORDER BY message_id), external_ids => ARRAY['1', '2', NULL, E'\n', repeat('x', 512)],
    metadata => ARRAY['{}', '{}', '{}', '{}', '[]']::jsonb[]) AS sent
FROM claimed;
SELECT idempotency_key AS key, status FROM companion.scheduled_messages ORDER BY 1;
SELECT companion.mark_sent_many(array_agg(user_id ORDER BY message_id), array_agg(message_id ORDER BY message_id),
    array_agg(attempt ORDER BY message_id), array_agg('now'::text)) AS sent
FROM claimed;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;

-- retry_message brings back what failed, was skipped or is unknown, and nothing else.
SELECT count(*) AS scheduled
FROM unnest('{failed,skipped,unknown,sent,pending}'::text[]) AS status,
    companion.schedule_message(:maya, companion.now(), 'hello', idempotency_key => status);
DELETE FROM companion.dispatch_queue AS q USING companion.scheduled_messages AS m
WHERE m.id = q.message_id AND m.idempotency_key <> 'pending';
UPDATE companion.scheduled_messages SET status = idempotency_key, attempts = 4,
    failure_reason = CASE WHEN status = 'failed' THEN '500' END, finished_at = companion.now();
SELECT idempotency_key AS was, companion.retry_message(user_id, id) AS retried FROM companion.scheduled_messages ORDER BY id;
SELECT m.idempotency_key AS was, m.status, m.attempts, q.attempt, q.visible_at = companion.now() AS due
FROM companion.scheduled_messages AS m LEFT JOIN companion.dispatch_queue AS q ON q.message_id = m.id ORDER BY m.id;
SELECT attempt, count(*) FROM companion.claim_messages('w') GROUP BY 1 ORDER BY 1;
SELECT companion.retry_message('00000000-0000-0000-0000-0000000000ff', id) AS "nobody's" FROM companion.scheduled_messages LIMIT 1;
SELECT pg_temp.error_of(format('SELECT companion.retry_message(%L, companion.uuid_v7(), %s)', :maya, t)) AS outcome
FROM (VALUES ('companion.now()'), ($$'-infinity'$$), ('NULL')) AS v (t);
-- A user whom nothing reaches is not written to.
UPDATE companion.scheduled_messages SET status = 'failed', finished_at = companion.now();
TRUNCATE companion.dispatch_queue;
DELETE FROM companion.channels WHERE channel = 'web';
UPDATE companion.users SET telegram_user_id = NULL;
SELECT companion.retry_message(user_id, id) AS retried, status FROM companion.scheduled_messages LIMIT 1;
INSERT INTO companion.channels (channel, rank, needs_address) VALUES ('web', 1000, false);

-- retry_failed, on the morning after: by when, why and what.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
SELECT count(*) AS scheduled
FROM unnest('{note,reminder}'::text[]) AS kind, unnest('{401 Unauthorized,blocked,skipped}'::text[]) AS reason,
    companion.schedule_message(:maya, companion.now(), 'hello', kind, idempotency_key => kind || reason);
TRUNCATE companion.dispatch_queue;
UPDATE companion.scheduled_messages SET status = CASE WHEN idempotency_key ~ 'skipped' THEN 'skipped' ELSE 'failed' END,
    failure_reason = regexp_replace(idempotency_key, '^(note|reminder)', ''), finished_at = companion.now();
SELECT companion.retry_failed(companion.now() + interval '1 second') AS "none since";
SELECT companion.retry_failed(companion.now(), '401%', '{reminder}') AS "one";
SELECT companion.retry_failed(companion.now(), '401%') AS "the other";
SELECT companion.retry_failed(companion.now(), kinds => '{}') AS "no kinds";
SELECT companion.retry_failed(companion.now() - interval '1 day') AS "the rest";
SELECT kind, status, last_error FROM state ORDER BY kind, status, last_error;
SELECT pg_temp.error_of(format('SELECT companion.retry_failed(%s)', t)) FROM (VALUES ('NULL'), ($$'-infinity'$$)) AS v (t);
-- Who may.
SELECT role, pg_temp.error_of(format('SET LOCAL ROLE %I; SELECT companion.retry_message(%L, companion.uuid_v7())', role, :maya)) AS one,
    pg_temp.error_of(format('SET LOCAL ROLE %I; SELECT companion.retry_failed(companion.now())', role)) AS many
FROM unnest('{companion_user,companion_worker,companion_admin}'::text[]) AS role;

-- A check-in comes back where its user still has one on its day, and none is near; of several the latest.
TRUNCATE companion.users, companion.scheduled_messages, companion.dispatch_queue, companion.dispatch_state CASCADE;
SET companion.clock = '2026-03-03 08:00+00';
SELECT FROM companion.rewind_dispatch('2026-03-03 08:00+00');
INSERT INTO companion.users (id, display_name, checkin_time, telegram_user_id, onboarding_completed_at)
SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, name, '09:00', n, '2026-01-01'
FROM unnest('{stays,opted out,no Wednesdays,new,paused,later today}'::text[]) WITH ORDINALITY AS u (name, n);
SET companion.clock = '2026-03-03 09:00+00';
SELECT companion.dispatch() AS tuesday;
SET companion.clock = '2026-03-04 09:00+00';
SELECT companion.dispatch() AS wednesday;
SELECT companion.schedule_message(:maya, companion.now(), 'another kind') IS NOT NULL AS scheduled;
DELETE FROM companion.dispatch_queue;
UPDATE companion.scheduled_messages SET status = 'failed', failure_reason = '502', finished_at = companion.now();
SET companion.clock = '2026-03-04 12:00+00';
UPDATE companion.users SET checkin_time = NULL WHERE display_name = 'opted out';
UPDATE companion.users SET checkin_days = '{1,2,4,5,6,7}' WHERE display_name = 'no Wednesdays';
UPDATE companion.users SET onboarding_completed_at = NULL WHERE display_name = 'new';
UPDATE companion.users SET checkin_paused_until = '2026-03-05' WHERE display_name = 'paused';
UPDATE companion.users SET checkin_time = '17:00' WHERE display_name = 'later today';
SELECT companion.retry_failed('2026-03-01') AS retried;
SELECT u.display_name, m.kind, m.local_date FROM companion.scheduled_messages AS m JOIN companion.users AS u ON u.id = m.user_id
WHERE m.status = 'pending' ORDER BY u.display_name, m.kind;
SELECT companion.retry_failed('2026-03-01') AS again;
-- None where its day has had another that was sent.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue CASCADE;
INSERT INTO companion.scheduled_messages (user_id, kind, idempotency_key, local_date, timezone, scheduled_for, send_before, channel, status, sent_at, failure_reason, finished_at)
SELECT :maya, 'checkin', key, '2026-03-03', 'UTC', at, at + interval '4 hours', 'telegram', status, CASE status WHEN 'sent' THEN at END, '502', at
FROM (VALUES ('checkin:2026-03-03', 'failed', timestamptz '2026-03-03 09:00+00'), ('checkin:2026-03-03@Mars', 'sent', '2026-03-03 09:05+00')) AS v (key, status, at);
SELECT companion.retry_failed('2026-03-01') AS retried;
