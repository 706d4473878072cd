-- Workers: claim, start, report. Each message is sent once, or known to be uncertain.
\i test/fresh.sql
-- After start_send what was claimed is left of a lease; policy_tries.sql has more.
SET companion.send_timeout = '1s';
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, companion_name, support_style, timezone,
    telegram_user_id, whatsapp_number) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya', 'Luna', 'gentle', 'Europe/Lisbon', 7001, NULL),
    ('00000000-0000-0000-0000-000000000002', 'Diego', NULL, NULL, 'America/Mexico_City', NULL,
        '+525512345678'),
    ('00000000-0000-0000-0000-000000000003', 'Haruto', NULL, NULL, 'Asia/Tokyo', NULL, NULL);
-- A message for a user by name, under a key by which these tests know it.
CREATE FUNCTION pg_temp.schedule(to_name text, key text, due timestamptz DEFAULT companion.now(),
    content text DEFAULT NULL) RETURNS boolean
BEGIN ATOMIC
    SELECT (companion.schedule_message(id, due, content, 'custom', NULL, key)).created
        FROM companion.users WHERE display_name = to_name;
END;
CREATE TEMP VIEW state AS
SELECT m.idempotency_key AS key, m.status, m.failure_reason AS reason, m.attempts, m.worker,
       q.attempt AS queued_attempt, q.sending, q.visible_at, q.leased_until
FROM companion.scheduled_messages AS m
    LEFT JOIN companion.dispatch_queue AS q ON q.user_id = m.user_id AND q.message_id = m.id
ORDER BY m.idempotency_key;
-- No users, and nothing queued.
CREATE PROCEDURE pg_temp.start_over() LANGUAGE plpgsql SET client_min_messages = warning AS $$
BEGIN
    TRUNCATE companion.users, companion.dispatch_queue CASCADE;
END
$$;
-- A report by key: report('start_send', 'a', 1), with what more the function takes.
CREATE FUNCTION pg_temp.report(function text, key text, attempt integer,
    more text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message record;
    result text;
BEGIN
    SELECT user_id, id INTO message FROM companion.scheduled_messages WHERE idempotency_key = key;
    EXECUTE format('SELECT companion.%s(%L, %L, %L %s)', function, message.user_id, message.id,
        attempt, more) INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, message.id::text, '<id>');
END
$$;

-- The oldest comes first; what is due later is not claimed. Each row says all that the worker needs.
SELECT pg_temp.schedule('Haruto', 'third', '2026-03-04 08:59+00');
SELECT pg_temp.schedule('Diego', 'second', '2026-03-04 08:58+00', 'buenos días');
SELECT pg_temp.schedule('Maya', 'first', '2026-03-01 12:00+00');
SELECT pg_temp.schedule('Maya', 'in time', '2026-03-04 09:00+00');
SELECT pg_temp.schedule('Maya', 'not yet', '2026-03-04 09:00:00.000001+00');
SELECT address, display_name, attempt, kind, local_date, scheduled_for, late_by, channel,
    companion_name, support_style, timezone, content
FROM companion.claim_messages('w1', 2);
-- What is claimed is passed over, until its lease has run out.
SELECT display_name, attempt FROM companion.claim_messages('w2');
SELECT count(*) AS nothing_left FROM companion.claim_messages('w2');
SELECT idempotency_key AS key, state, worker, attempt, leased_until FROM companion.pending_messages
    ORDER BY visible_at;
SET companion.clock = '2026-03-04 09:04:59.999999+00';
SELECT display_name, attempt, late_by FROM companion.claim_messages('w2');
SET companion.clock = '2026-03-04 09:05+00';
SELECT display_name, attempt FROM companion.claim_messages('w2', 4, '1 minute');
CALL pg_temp.start_over();

-- Channels: a worker may serve some only.
INSERT INTO companion.users (id, display_name, telegram_user_id, whatsapp_number) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya', 7001, NULL),
    ('00000000-0000-0000-0000-000000000002', 'Diego', NULL, '+525512345678'),
    ('00000000-0000-0000-0000-000000000003', 'Haruto', NULL, NULL);
SELECT pg_temp.schedule(display_name, display_name) FROM companion.users ORDER BY id;
SELECT display_name, channel, address FROM companion.claim_messages('w', channels => '{whatsapp}');
SELECT display_name, channel, address
    FROM companion.claim_messages('w', channels => '{web,telegram,web}');
-- What is to go to an address that is unlinked meanwhile goes to another.
UPDATE companion.users SET telegram_user_id = NULL WHERE display_name = 'Maya';
SET companion.clock = '2026-03-04 10:00+00';
SELECT display_name, channel, address FROM companion.claim_messages('w', channels => '{telegram}');
SELECT display_name, channel, address FROM companion.claim_messages('w', channels => '{web}');

-- What a claim refuses.
SELECT arguments, pg_temp.error_of(format('SELECT companion.claim_messages(%s)',
    arguments)) AS outcome FROM (VALUES
    ('NULL'), (''''''), ('''w'', 0'), ('''w'', -1'), ('''w'', 10001'), ('''w'', 1000000'),
        ('''w'', NULL'),
    ('''w'', 1, ''0'''), ('''w'', 1, ''-1 minute'''), ('''w'', 1, ''1 day 0.000001 seconds'''),
        ('''w'', 1, ''1 year'''),
    ('''w'', 1, ''178000000 years'''), ('''w'', 1, ''1 month -30 days'''), ('''w'', 1, NULL'),
    ('''w'', channels => ''{}'''), ('''w'', channels => ''{sms}'''),
        ('''w'', channels => ''{web,NULL}'''),
    ('''w'', channels => ''{{web,telegram}}''')) AS v (arguments);
SELECT pg_temp.error_of(format('SELECT companion.claim_messages(repeat(''ü'', %s), 10000, ''1 day'')', length)) AS outcome
FROM (VALUES (200), (201)) AS v (length);
CALL pg_temp.start_over();
SET companion.clock = '2026-03-04 09:00+00';

-- The way of a message: claimed, started, sent, and filed in a conversation that the companion began.
INSERT INTO companion.users (id, display_name, telegram_user_id)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', 7001);
SELECT pg_temp.schedule('Maya', 'a');
SELECT pg_temp.report('start_send', 'a', 0) AS "start unclaimed",
    pg_temp.report('start_send', 'a', 1) AS "the next attempt";
SELECT attempt FROM companion.claim_messages('w1');
SELECT pg_temp.report('mark_sent', 'a', 1, ', ''hello''') AS "sent before start";
SELECT pg_temp.report('start_send', 'a', 1) AS start,
    pg_temp.report('start_send', 'a', 1) AS "start again";
SELECT pg_temp.report('mark_sent', 'a', 1) AS "without text",
    pg_temp.report('mark_sent', 'a', 1, ', ''''') AS "empty text",
       pg_temp.report('mark_sent', 'a', 1, ', ''hello'', 0') AS "Telegram id 0",
       pg_temp.report('mark_sent', 'a', 1, ', ''hello'', -555') AS "Telegram id below",
       pg_temp.report('mark_sent', 'a', 1, ', ''hello'', 555') AS sent,
           pg_temp.report('mark_sent', 'a', 1, ', ''hello'', 555') AS "sent again";
SELECT m.status, m.attempts, m.worker, m.sent_at, m.finished_at, m.telegram_message_id, f.role,
    f.content, f.telegram_message_id,
       c.channel, c.initiated_by, c.ended_at
FROM companion.scheduled_messages AS m
JOIN companion.messages AS f ON f.user_id = m.user_id AND f.id = m.message_id
JOIN companion.conversations AS c ON c.user_id = m.user_id AND c.id = m.conversation_id
    AND c.id = f.conversation_id;
SELECT count(*) AS queued FROM companion.dispatch_queue;
-- The next one goes into the same conversation while that is younger than companion.min_gap; a
-- conversation that the user began is ended and left alone; a gap of zero ends none at once.
CREATE PROCEDURE pg_temp.send(key text, content text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.schedule('Maya', key);
    PERFORM companion.claim_messages('w');
    PERFORM pg_temp.report('start_send', key, 1);
    RAISE NOTICE 'sent: %', pg_temp.report('mark_sent', key, 1, ', ' || quote_literal(content));
END
$$;
CALL pg_temp.send('b', 'same conversation');
SET companion.clock = '2026-03-04 15:00:01+00';
CALL pg_temp.send('c', 'another');
UPDATE companion.conversations SET ended_at = started_at WHERE ended_at IS NULL;
INSERT INTO companion.conversations (user_id, channel) SELECT id, 'telegram' FROM companion.users;
CALL pg_temp.send('d', 'beside the user''s own');
SET companion.min_gap = 0;
CALL pg_temp.send('e', 'without a gap');
RESET companion.min_gap;
SELECT c.initiated_by, c.started_at, c.ended_at,
    string_agg(m.content, ', ' ORDER BY m.id) AS messages
FROM companion.conversations AS c LEFT JOIN companion.messages AS m ON m.user_id = c.user_id
    AND m.conversation_id = c.id
GROUP BY c.user_id, c.id ORDER BY c.id;
SELECT pg_temp.report('mark_sent', 'nothing under this key', 1, ', ''x''') AS "NULL ids",
       companion.mark_sent('00000000-0000-0000-0000-000000000001',
           '00000000-0000-0000-0000-000000000009', 1, 'x') AS "unknown id";
CALL pg_temp.start_over();

-- Fencing: once another attempt has begun, the older one is refused by every function.
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Maya');
SELECT pg_temp.schedule('Maya', 'a');
SELECT attempt FROM companion.claim_messages('slow', 1, '1 minute');
SET companion.clock = '2026-03-04 09:01+00';
SELECT attempt FROM companion.claim_messages('quick', 1, '1 minute');
SELECT function, pg_temp.report(function, 'a', attempt, more) AS accepted
FROM (VALUES (1), (0), (3), (-1), (2147483647)) AS a (attempt),
    (VALUES ('start_send', ''), ('mark_sent', ', ''x'''), ('mark_failed', ', ''x'''),
     ('mark_failed', ', ''x'', NULL, true'), ('mark_skipped', ', ''x'''),
         ('extend_lease', '')) AS v (function, more)
WHERE pg_temp.report(function, 'a', attempt, more) IS DISTINCT FROM 'false';
SELECT * FROM state;
-- A lease that has run out stays the worker's own until another claims; extending it moves its end.
SET companion.clock = '2026-03-04 09:03+00';
SELECT pg_temp.report('extend_lease', 'a', 2, ', ''2 minutes''') AS extended;
SELECT leased_until FROM companion.dispatch_queue;
SET companion.clock = '2026-03-04 09:04:59+00';
SELECT count(*) AS claimable FROM companion.claim_messages('other');
SELECT lease, pg_temp.report('extend_lease', 'a', 2, format(', %L', lease)) AS outcome
FROM (VALUES ('0'), ('-1 second'), ('1 year'), ('25:00'), (NULL), ('1 day')) AS v (lease);
SELECT pg_temp.report('mark_skipped', 'a', 2, ', NULL') AS "no reason",
    pg_temp.report('mark_skipped', 'a', 2, ', ''they wrote first''') AS skipped,
       pg_temp.report('mark_skipped', 'a', 2, ', ''again''') AS again,
           pg_temp.report('start_send', 'a', 2) AS "start skipped";
SELECT * FROM state;
CALL pg_temp.start_over();

-- Failing: another try after a backoff that doubles, between half of it and all; then failed.
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, telegram_user_id, whatsapp_number)
VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', 7001, '+351912345678');
CREATE PROCEDURE pg_temp.fail(key text, attempt integer) LANGUAGE plpgsql AS $$
DECLARE
    wait interval;
    result text;
BEGIN
    PERFORM set_config('companion.clock',
        (SELECT max(visible_at) FROM companion.dispatch_queue)::text, false);
    PERFORM companion.claim_messages('w');
    result := pg_temp.report('mark_failed', key, attempt, ', ''no answer''');
    SELECT visible_at - companion.now() INTO wait FROM companion.dispatch_queue;
    RAISE NOTICE 'attempt %: %, waits % to % seconds', attempt, result,
        CASE WHEN wait >= interval '15 s' * 2 ^ (attempt - 1) THEN 15 * 2 ^ (attempt - 1) END,
        CASE WHEN wait <= interval '30 s' * 2 ^ (attempt - 1) THEN 30 * 2 ^ (attempt - 1) END;
END
$$;
SELECT pg_temp.schedule('Maya', 'a');
CALL pg_temp.fail('a', 1);
SELECT pg_temp.report('mark_failed', 'a', 1, ', ''again''') AS "given back already",
    pg_temp.report('start_send', 'a', 1) AS start;
CALL pg_temp.fail('a', 2);
CALL pg_temp.fail('a', 3);
CALL pg_temp.fail('a', 4);
SET companion.max_claims = 5;
CALL pg_temp.fail('a', 5);
RESET companion.max_claims;
SELECT key, status, reason, attempts, worker FROM state;
-- The wait is at most an hour, and retry_after is taken as it is.
SET companion.clock = '2026-03-05 09:00+00';
SET companion.retry_backoff = '1h';
SELECT pg_temp.schedule('Maya', 'b');
UPDATE companion.dispatch_queue SET attempt = 97, claims = 9;
SELECT attempt FROM companion.claim_messages('w');
SELECT pg_temp.report('mark_failed', 'b', 98, ', ''no answer''') AS failed;
SELECT visible_at - companion.now() BETWEEN '30 min' AND '60 min' AS within_an_hour
    FROM companion.dispatch_queue;
SET companion.clock = '2026-03-05 11:00+00';
SELECT attempt FROM companion.claim_messages('w');
SELECT wait, pg_temp.report('mark_failed', 'b', 99, format(', ''slow down'', %L', wait)) AS outcome
FROM (VALUES ('-1 second'), ('31 days'), ('1 year'), ('30 days')) AS v (wait);
SELECT visible_at FROM companion.dispatch_queue;
RESET companion.retry_backoff;
SELECT pg_temp.report('mark_failed', 'b', 99, ', NULL') AS "no reason",
    pg_temp.report('mark_failed', 'b', 99, ', ''x'', NULL, NULL') AS "permanent or not";
CALL pg_temp.start_over();

-- A failure for good disables the channel, and the next check-in goes elsewhere.
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, telegram_user_id, whatsapp_number,
    onboarding_completed_at)
VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', 7001, '+351912345678', '2026-01-01');
SELECT companion.dispatch();
SELECT channel, attempt FROM companion.claim_messages('w');
SELECT pg_temp.report('start_send', 'checkin:2026-03-04', 1) AS start,
       pg_temp.report('mark_failed', 'checkin:2026-03-04', 1,
           ', ''blocked'', NULL, true, true') AS failed;
SELECT key, status, reason, attempts FROM state;
SELECT channel, disabled_at, disabled_reason FROM companion.addresses ORDER BY channel;
SELECT companion.rewind_dispatch('2026-03-05 08:59+00');
SET companion.clock = '2026-03-05 09:00+00';
SELECT companion.dispatch();
SELECT channel, address FROM companion.claim_messages('w');
-- Two channels failing in one bulk report are both disabled; the web has no address.
SET companion.clock = '2026-03-06 08:00+00';
UPDATE companion.addresses SET disabled_at = NULL;
SELECT companion.schedule_message(id, companion.now(), 'x', 'custom', channel,
    channel) IS NOT NULL AS scheduled
FROM companion.users, unnest('{telegram,whatsapp,web}'::text[]) AS channel;
SELECT count(*) AS claimed FROM companion.claim_messages('w') WHERE kind = 'custom';
SELECT companion.mark_failed_many(array_agg(user_id), array_agg(message_id), array_agg(attempt),
    array_agg('blocked'::text), permanent => true, address_gone => true)
FROM (SELECT q.* FROM companion.dispatch_queue AS q
    JOIN companion.scheduled_messages AS m ON m.id = q.message_id WHERE m.kind = 'custom'
    ORDER BY q.channel) AS q;
SELECT channel, disabled_at, disabled_reason FROM companion.addresses ORDER BY channel;
CALL pg_temp.start_over();

-- A check-in is not started once its time to be sent has passed; then it is skipped, not claimed.
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, onboarding_completed_at)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', '2026-01-01');
SELECT companion.rewind_dispatch('2026-03-04 08:59+00');
SELECT companion.dispatch();
SET companion.clock = '2026-03-04 12:59:59+00';
SELECT late_by FROM companion.claim_messages('w', 1, '1 second');
SET companion.clock = '2026-03-04 13:00+00';
SELECT pg_temp.report('start_send', 'checkin:2026-03-04', 1) AS start;
SELECT count(*) AS claimed FROM companion.claim_messages('w');
SELECT key, status, reason, attempts, worker FROM state;
-- Nor does a failure bring it back later than that.
SELECT companion.rewind_dispatch('2026-03-05 08:59+00');
SET companion.clock = '2026-03-05 09:00+00';
SELECT companion.dispatch();
SELECT count(*) AS claimed FROM companion.claim_messages('w');
SELECT pg_temp.report('mark_failed', 'checkin:2026-03-05', 1,
    ', ''slow down'', ''4 hours''') AS failed;
SELECT key, status, reason FROM state WHERE key = 'checkin:2026-03-05';
CALL pg_temp.start_over();

-- A worker that dies after start_send: nobody claims the message again, and maintenance calls it
-- unknown. A report that comes late still counts, from that attempt only.
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Maya');
SELECT pg_temp.schedule('Maya', 'a');
SELECT attempt FROM companion.claim_messages('w', 1, '1 minute');
SELECT pg_temp.report('start_send', 'a', 1) AS start;
SELECT state FROM companion.pending_messages;
SET companion.clock = '2026-03-04 09:00:59+00';
SELECT companion.finish_abandoned() AS "within the lease";
SET companion.clock = '2026-03-04 09:01+00';
SELECT count(*) AS claimed FROM companion.claim_messages('w2');
SELECT companion.finish_abandoned() AS "after it";
SELECT key, status, reason, attempts, worker, queued_attempt FROM state;
SELECT pg_temp.report('start_send', 'a', 1) AS start,
       pg_temp.report('mark_skipped', 'a', 1, ', ''x''') AS skipped,
           pg_temp.report('extend_lease', 'a', 1) AS extended,
       pg_temp.report('mark_sent', 'a', 2, ', ''x''') AS "another attempt";
SELECT pg_temp.report('mark_sent', 'a', 1, ', ''hello after all''') AS sent,
    pg_temp.report('mark_sent', 'a', 1, ', ''twice''') AS again;
SELECT status, reason, attempts, worker,
    (SELECT string_agg(content, ', ') FROM companion.messages) AS filed FROM state;
CALL pg_temp.start_over();

-- A failure that is certain counts as late: the message comes back, or has failed.
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, telegram_user_id, preferred_channel)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', 100, 'telegram');
SELECT pg_temp.schedule('Maya', key) FROM (VALUES ('b'), ('c'), ('d')) AS keys (key);
SELECT count(*) AS claimed FROM companion.claim_messages('w', 3, '1 minute');
SELECT count(pg_temp.report('start_send', key, 1)) AS started FROM state;
SET companion.clock = '2026-03-04 09:01+00';
SELECT companion.finish_abandoned() AS unknown;
SELECT pg_temp.report('mark_failed', 'b', 2, ', ''x''') AS "another attempt",
    pg_temp.report('mark_failed', 'b', 1, ', ''503'', ''1 hour''') AS failed,
    pg_temp.report('mark_failed', 'b', 1, ', ''503'', ''1 hour''') AS again,
    pg_temp.report('mark_failed', 'c', 1, ', ''blocked'', NULL, true') AS permanent;
SELECT key, status, reason, attempts, worker, queued_attempt FROM state ORDER BY key;
SELECT channel, disabled_at FROM companion.addresses;
SELECT pg_temp.report('mark_sent', 'b', 1, ', ''twice''') AS "sent after all";
SET companion.clock = '2026-03-04 10:01+00';
SELECT attempt, late_by FROM companion.claim_messages('w');
SELECT pg_temp.report('start_send', 'b', 2) AS start, pg_temp.report('mark_sent', 'b', 2, ', ''hello''') AS sent;
-- The last attempt has failed.
UPDATE companion.kinds SET max_tries = 1 WHERE kind = 'custom';
SELECT pg_temp.report('mark_failed', 'd', 1, ', ''502''') AS failed;
UPDATE companion.kinds SET max_tries = 20 WHERE kind = 'custom';
SELECT key, status, reason, attempts, worker, queued_attempt FROM state ORDER BY key;
CALL pg_temp.start_over();

-- For kinds with retry_unknown a double is better than a miss: claimable again.
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Maya');
SELECT count(*) AS scheduled
FROM unnest('{reminder,alarm,news}'::text[]) AS kind,
    companion.schedule_message('00000000-0000-0000-0000-000000000001', companion.now(),
    NULL, kind, NULL, kind);
SELECT count(companion.start_send(user_id, message_id, attempt)) AS started
    FROM companion.claim_messages('w', 3, '1 minute');
SET companion.clock = '2026-03-04 09:02+00';
INSERT INTO companion.kinds (kind, retry_unknown) VALUES ('reminder', true), ('alarm', true);
SELECT companion.finish_abandoned() AS finished;
SELECT key, status, queued_attempt, sending FROM state;
SELECT pg_temp.report('mark_sent', 'alarm', 1, ', ''late''') AS "the old attempt";
SELECT kind, attempt FROM companion.claim_messages('w2') ORDER BY kind;
SELECT pg_temp.report('mark_sent', 'alarm', 1, ', ''late''') AS "the old attempt";
CALL pg_temp.start_over();
-- But not past send_before, nor once its max_tries are used up: that is unknown, not unsent.
UPDATE companion.kinds SET retry_unknown = kind = 'checkin';
DELETE FROM companion.kinds WHERE kind IN ('reminder', 'alarm');
INSERT INTO companion.users (id, display_name, onboarding_completed_at)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', '2026-01-01');
SELECT companion.rewind_dispatch('2026-03-04 08:59+00');
SET companion.clock = '2026-03-04 09:00+00';
SELECT companion.dispatch();
SELECT companion.start_send(user_id, message_id, attempt) AS started
    FROM companion.claim_messages('w');
SET companion.clock = '2026-03-04 13:00+00';
SELECT companion.finish_abandoned() AS finished;
SELECT key, status, reason FROM state;
UPDATE companion.kinds SET retry_unknown = false;
CALL pg_temp.start_over();

-- A poison message, whose workers die before they report, uses up companion.max_claims.
SET companion.clock = '2026-03-04 09:00+00';
SET companion.max_claims = 3;
INSERT INTO companion.users (id, display_name)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Maya');
SELECT pg_temp.schedule('Maya', 'poison', '2026-03-04 08:00+00');
SELECT pg_temp.schedule('Maya', 'wholesome', '2026-03-04 08:30+00');
SELECT scheduled_for, attempt FROM companion.claim_messages('w', 1, '1 minute');
SET companion.clock = '2026-03-04 09:01+00';
SELECT scheduled_for, attempt FROM companion.claim_messages('w', 1, '1 minute');
SET companion.clock = '2026-03-04 09:02+00';
SELECT scheduled_for, attempt FROM companion.claim_messages('w', 1, '1 minute');
SET companion.clock = '2026-03-04 09:03+00';
SELECT scheduled_for, attempt FROM companion.claim_messages('w', 1, '1 minute');
SELECT key, status, reason, attempts, worker, queued_attempt FROM state;
RESET companion.max_claims;
CALL pg_temp.start_over();

-- A queue row whose message has gone with its user is dropped when it is claimed, and a report
-- about it is refused; the others are none the worse.
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya'),
        ('00000000-0000-0000-0000-000000000002', 'Diego');
SELECT count(pg_temp.schedule(display_name, display_name)) FROM companion.users;
DELETE FROM companion.users WHERE display_name = 'Maya';
SELECT count(*) AS queued FROM companion.dispatch_queue;
SELECT display_name FROM companion.claim_messages('w');
SELECT count(*) AS queued FROM companion.dispatch_queue;
INSERT INTO companion.users (id, display_name)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Maya');
SELECT pg_temp.schedule('Maya', 'Maya');
SELECT count(*) AS claimed FROM companion.claim_messages('w');
CREATE TEMP TABLE claimed AS
SELECT array_agg(user_id ORDER BY user_id) AS users,
    array_agg(message_id ORDER BY user_id) AS messages,
    array_agg(attempt ORDER BY user_id) AS attempts
FROM companion.dispatch_queue;
SELECT companion.start_send_many(users, messages, attempts) FROM claimed;
DELETE FROM companion.users WHERE display_name = 'Maya';
SELECT companion.mark_sent_many(users, messages, attempts, '{hello,hola}') FROM claimed;
CALL pg_temp.start_over();

-- The bulk forms answer for each message in input order. A report that one message would have
-- refused is false, with a warning, and the others are kept.
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Maya');
SELECT count(pg_temp.schedule('Maya', key, companion.now(), CASE key WHEN 'b'
    THEN 'as scheduled' END)) FROM unnest('{a,b,c,d,e}'::text[]) AS key;
SELECT count(*) AS claimed FROM companion.claim_messages('w');
CREATE FUNCTION pg_temp.many(function text, keys text[], attempts integer[],
    more text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT companion.%s_many(array_agg(m.user_id ORDER BY n), array_agg(m.id ORDER BY n), %L %s)', function, attempts, more)
        || ' FROM unnest($1) WITH ORDINALITY AS k (key, n) JOIN companion.scheduled_messages AS m ON m.idempotency_key = k.key'
        INTO result USING keys;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, 'message [-0-9a-f]*', 'message <id>');
END
$$;
SELECT pg_temp.many('start_send', '{e,a,b,c,a}', '{1,1,1,2,2}') AS "start e, a, b";
SELECT pg_temp.many('extend_lease', '{d,c}', '{1,9}', ', ''10 minutes''') AS "extend d";
SET client_min_messages = error;
SELECT pg_temp.many('mark_sent', '{c,a,b}', '{1,1,1}',
    ', ''{x,hello,NULL}'', ''{1,2,NULL}''') AS "sent a, b";
SELECT pg_temp.many('mark_sent', '{e}', '{1}', ', ''{NULL}''') AS "no text",
    pg_temp.many('mark_sent', '{e}', '{1}') AS "none given",
    pg_temp.many('mark_sent', '{e}', '{1}', ', ''{x}'', ''{0}''') AS "Telegram id 0";
RESET client_min_messages;
SELECT pg_temp.many('mark_failed', '{d,e,a}', '{1,1,1}',
    ', ''{busy,busy,busy}'', ''1 minute''') AS "failed d, e";
SELECT pg_temp.many('mark_skipped', '{d,c}', '{1,1}', ', ''{enough,enough}''') AS "skipped c";
SELECT key, status, reason, queued_attempt, visible_at FROM state;
SELECT content, telegram_message_id FROM companion.messages ORDER BY content;
-- The same message twice in one call counts once.
SELECT count(pg_temp.schedule('Maya', key)) FROM unnest('{f,g}'::text[]) AS key;
SELECT count(*) AS claimed FROM companion.claim_messages('w');
SELECT regexp_count(pg_temp.many('start_send', '{f,f,f}', '{1,1,1}'), 't') AS started,
       regexp_count(pg_temp.many('mark_sent', '{f,f,f}', '{1,1,1}', ', ''{x,x,x}'''), 't') AS sent,
       regexp_count(pg_temp.many('mark_skipped', '{g,g,g}', '{1,1,1}', ', ''{x,x,x}'''),
           't') AS skipped;
SELECT count(*) FROM companion.messages WHERE content = 'x';
-- A late report may come along with others, also twice; a failure for good too.
SELECT count(pg_temp.schedule('Maya', key)) FROM unnest('{h,i,j,k}'::text[]) AS key;
SELECT count(*) AS claimed FROM companion.claim_messages('w', 10, '1 minute') WHERE attempt = 1;
SELECT pg_temp.many('start_send', '{h,i}', '{1,1}') AS started;
SET companion.clock = '2026-03-04 09:02+00';
SELECT companion.finish_abandoned() AS unknown;
SELECT pg_temp.many('start_send', '{j,k}', '{1,1}') AS started;
SELECT regexp_count(pg_temp.many('mark_sent', '{h,j,h,i,j}', '{1,1,1,1,1}', ', ''{y,y,y,y,y}'''),
    't') AS sent;
SELECT regexp_count(pg_temp.many('mark_failed', '{k,k,h}', '{1,1,1}', ', ''{x,x,x}'', NULL, true'),
    't') AS failed;
SELECT key, status, reason, queued_attempt FROM state WHERE key IN ('h', 'i', 'j', 'k');
SELECT count(*) FROM companion.messages WHERE content = 'y';
SELECT companion.start_send_many('{}', '{}', '{}') AS none,
    companion.mark_sent_many('{}', '{}', '{}') AS none,
       companion.mark_sent_many('{}', '{}', '{}', '{}', '{}') AS none,
           companion.mark_failed_many('{}', '{}', '{}', '{}') AS none;
SELECT arguments, pg_temp.error_of(format('SELECT companion.mark_sent_many(%s)',
    replace(arguments, '#', '00000000-0000-0000-0000-000000000001'))) AS outcome
FROM (VALUES ('NULL, ''{}'', ''{}'''), ('''{}'', NULL, ''{}'''), ('''{}'', ''{}'', NULL'),
             ('''{#}'', ''{}'', ''{}'''), ('''{#}'', ''{#}'', ''{1,2}'''),
                 ('''{#}'', ''{#}'', ''{1}'', ''{}'''),
             ('''{#}'', ''{#}'', ''{1}'', ''{x,y}'''),
                 ('''{#}'', ''{#}'', ''{1}'', ''{x}'', ''{1,2}'''),
             ('''{NULL}'', ''{#}'', ''{1}'''), ('''{#}'', ''{NULL}'', ''{1}'''),
                 ('''{#}'', ''{#}'', ''{NULL}'''),
             ('''{#}'', ''{#}'', ''{1}'', ''{{x}}'''),
                 ('''{#}'', ''{#}'', ''{1}'', ''{x}'', ''{{1}}'''),
             ('''{{#}}'', ''{{#}}'', ''{{1}}'''), ('''{#}'', ''{#}'', ''{1}'''),
                 ('''[5:5]={#}'', ''{#}'', ''{1}''')) AS v (arguments);
SELECT function, pg_temp.error_of(format('SELECT companion.%s(NULL, NULL, 1%s)', function,
    more)) AS "NULL user",
       pg_temp.error_of(format('SELECT companion.%s(''00000000-0000-0000-0000-000000000001'', NULL, 1%s)', function, more)) AS "NULL message",
       pg_temp.error_of(format('SELECT companion.%s(''00000000-0000-0000-0000-000000000001'', ''00000000-0000-0000-0000-000000000001'', NULL%s)', function, more)) AS "NULL attempt"
FROM (VALUES ('start_send', ''), ('mark_sent', ''), ('mark_failed', ', ''x'''),
    ('mark_skipped', ', ''x'''), ('extend_lease', '')) AS v (function, more);
CALL pg_temp.start_over();

-- The claim walks its index from the head, past what others hold; a session that had to walk far
-- begins further on for a moment, and still misses nothing, nor what comes in before.
INSERT INTO companion.users (id, display_name)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Maya');
SELECT count(*) FROM generate_series(1, 700) AS n,
    companion.schedule_message('00000000-0000-0000-0000-000000000001',
    companion.now() - n * interval '1 second', NULL);
SELECT count(*) AS first FROM companion.claim_messages('w', 400);
SELECT count(*) AS second FROM companion.claim_messages('w', 100);
SELECT count(*) FROM generate_series(1, 3) AS n,
    companion.schedule_message('00000000-0000-0000-0000-000000000001',
    companion.now() - n * interval '1 hour', NULL);
SELECT count(*) AS third FROM companion.claim_messages('w', 1000);
SELECT count(*) AS left_over FROM companion.claim_messages('w', 1000);
SELECT count(*) AS leased, count(DISTINCT attempt) AS attempts FROM companion.dispatch_queue
    WHERE attempt = 1;
CALL pg_temp.start_over();

-- What is past sending never stands in the way, however much of it there is: a claim gives up on
-- a thousand at most, and passes over the rest.
INSERT INTO companion.users (display_name, onboarding_completed_at)
SELECT 'sleeper ' || n, '2026-01-01' FROM generate_series(1, 2500) AS n;
SELECT companion.rewind_dispatch('2026-03-04 08:59+00');
SELECT companion.dispatch('2026-03-04 09:00+00') AS enqueued;
SET companion.clock = '2026-03-04 13:00+00';
SELECT companion.schedule_message(id, companion.now(), 'hello') IS NOT NULL AS scheduled
FROM companion.users LIMIT 1;
SELECT content FROM companion.claim_messages('w', 10);
SELECT status, failure_reason, count(*) FROM companion.scheduled_messages GROUP BY 1, 2 ORDER BY 1;
SELECT count(*) AS nothing_left FROM companion.claim_messages('w', 10);
SELECT companion.finish_abandoned() AS "the rest";
SELECT state, count(*) FROM companion.pending_messages GROUP BY 1;
CALL pg_temp.start_over();

-- A read-only transaction claims and starts nothing.
BEGIN READ ONLY;
SELECT pg_temp.error_of('SELECT companion.claim_messages(''w'')');
SELECT pg_temp.error_of('SELECT companion.start_send_many(''{}'', ''{}'', ''{}'')');
SELECT pg_temp.error_of('SELECT companion.dispatch()');
ROLLBACK;

-- A trigger of an operator's own on the queue is fired by what goes to it without a plan, too.
CREATE TABLE queue_log (change text, attempt integer, sending boolean);
CREATE FUNCTION log_queue() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.queue_log
    VALUES (tg_op, coalesce(new.attempt, old.attempt), coalesce(new.sending, old.sending));
    RETURN NULL;
END
$$;
CREATE TRIGGER log_queue AFTER INSERT OR UPDATE OR DELETE ON companion.dispatch_queue
FOR EACH ROW EXECUTE FUNCTION log_queue();
INSERT INTO companion.users (display_name, onboarding_completed_at) VALUES ('Maya', '2026-01-01');
SELECT pg_temp.schedule('Maya', 'a', content => 'hello');
SELECT count(*) AS claimed FROM companion.claim_messages('w');
SELECT pg_temp.report('start_send', 'a', 1), pg_temp.report('mark_sent', 'a', 1);
SELECT * FROM queue_log;
DROP TRIGGER log_queue ON companion.dispatch_queue;
CALL pg_temp.start_over();

-- Room is left on the pages of scheduled_messages for all of their rows, finished: a whole batch that
-- was due at one minute moves no index entry.
SET companion.clock = '2026-03-04 08:59+00';
INSERT INTO companion.users (display_name, telegram_user_id, checkin_time, onboarding_completed_at)
SELECT 'user ' || n, n, '09:00', '2026-01-01' FROM generate_series(1000, 1199) AS n;
SELECT companion.rewind_dispatch('2026-03-04 08:59+00');
SET companion.clock = '2026-03-04 09:00+00';
SELECT companion.dispatch();
CREATE VIEW pg_temp.changes AS
SELECT pg_stat_get_xact_tuples_updated(oid) AS updated, pg_stat_get_xact_tuples_hot_updated(oid) AS in_place
FROM pg_class WHERE oid = 'companion.scheduled_messages'::regclass;
BEGIN;
CREATE TEMP TABLE earlier AS SELECT * FROM pg_temp.changes;
CREATE TEMP TABLE batch AS SELECT array_agg(user_id) AS users, array_agg(message_id) AS messages,
    array_agg(attempt) AS attempts FROM companion.claim_messages('a worker''s host and process', 200);
SELECT count(*) AS started FROM batch, unnest(companion.start_send_many(users, messages, attempts)) AS s
WHERE s;
SELECT count(*) AS sent FROM batch, unnest(companion.mark_sent_many(users, messages, attempts,
    array_fill('hello'::text, ARRAY[200]), ARRAY(SELECT generate_series(1, 200))::bigint[])) AS s
WHERE s;
SELECT c.updated - e.updated AS updated, c.in_place - e.in_place AS in_place
FROM pg_temp.changes AS c, earlier AS e;
COMMIT;
CALL pg_temp.start_over();
