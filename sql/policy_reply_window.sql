-- A channel on which a user may be written to only for a while after they have written.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, whatsapp_number, onboarding_completed_at)
VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', '+4917012345', '2026-01-01');
INSERT INTO companion.kinds (kind, when_closed, is_template) VALUES
    ('note', 'wait', false), ('alarm', 'fall_back', false), ('news', 'skip', false), ('receipt', 'skip', true);
CREATE FUNCTION pg_temp.schedule(kind text, name text DEFAULT NULL, due timestamptz DEFAULT companion.now())
RETURNS boolean LANGUAGE sql AS $$
    SELECT created FROM companion.schedule_message('00000000-0000-0000-0000-000000000001',
        due, coalesce(name, kind), kind, channel => 'whatsapp')
$$;
CREATE FUNCTION pg_temp.claim() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s on %s', content, channel), ', ' ORDER BY content)
    FROM companion.claim_messages('w')
$$;
CREATE FUNCTION pg_temp.writes() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM companion.record_incoming('whatsapp', '+4917012345', 'hello')
$$;
CREATE VIEW pg_temp.messages AS
SELECT m.content, m.channel, m.status, m.failure_reason, q.visible_at, q.claims
FROM companion.scheduled_messages AS m
LEFT JOIN companion.dispatch_queue AS q ON q.user_id = m.user_id AND q.message_id = m.id ORDER BY 1;

-- The standard rows have no window: an app that has not recorded what came in loses nothing.
SELECT channel, reply_window FROM companion.channels WHERE reply_window IS NOT NULL;
SELECT pg_temp.schedule('note');
SELECT pg_temp.claim();
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;

-- With one a message waits, falls back or is skipped, by its kind; a template goes.
SET ROLE companion_admin;
UPDATE companion.channels SET reply_window = '24 hours' WHERE channel = 'whatsapp';
RESET ROLE;
SELECT pg_temp.schedule(kind) FROM unnest('{note,alarm,news,receipt}'::text[]) AS kind;
SELECT pg_temp.claim();
SELECT * FROM pg_temp.messages;
SELECT pg_temp.claim() AS "on the next";
-- What waits is claimed once a day, and costs no claim; when the user writes it goes.
SET companion.clock = '2026-03-05 08:59+00';
SELECT pg_temp.claim() LIKE '%note%' AS note;
SET companion.clock = '2026-03-05 09:00+00';
SELECT pg_temp.claim() LIKE '%note%' AS note;
SELECT * FROM pg_temp.messages WHERE content = 'note';
SET companion.clock = '2026-03-05 10:00+00';
SELECT pg_temp.schedule('note', 'not due', '2026-03-05 11:00+00');
SELECT pg_temp.writes();
SELECT content, visible_at FROM pg_temp.messages WHERE content LIKE 'no%';
CREATE TEMP TABLE claimed AS SELECT * FROM companion.claim_messages('w', kinds => '{note}');
SELECT content, companion.start_send(user_id, message_id, attempt) AS start FROM claimed;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;

-- Its end: claimed within it, and started after it: given back, and settled by the next claim.
SET companion.clock = '2026-03-06 09:59:59.999999+00';
SELECT pg_temp.schedule(kind) FROM unnest('{note,alarm,news,receipt}'::text[]) AS kind;
SELECT pg_temp.claim();
SET companion.clock = '2026-03-06 10:00+00';
SELECT m.content, s.started
FROM (SELECT array_agg(user_id) AS u, array_agg(message_id) AS m, array_agg(attempt) AS a
      FROM companion.dispatch_queue) AS q
CROSS JOIN LATERAL unnest(q.m, companion.start_send_many(q.u, q.m, q.a)) AS s (message_id, started)
JOIN companion.scheduled_messages AS m ON m.id = s.message_id ORDER BY 1;
SELECT pg_temp.claim();
SELECT * FROM pg_temp.messages;
SELECT pg_temp.claim();
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;

-- What waits past its send_before is skipped as that; what a failure has put off stays so.
INSERT INTO companion.kinds (kind, when_closed, send_within) VALUES ('brief', 'wait', '1 hour');
SELECT pg_temp.schedule('brief'), pg_temp.schedule('note');
SELECT pg_temp.claim() AS none;
SELECT content, visible_at FROM pg_temp.messages;
SET companion.clock = '2026-03-06 11:00+00';
SELECT pg_temp.claim() AS none;
SELECT content, status, failure_reason FROM pg_temp.messages;
SELECT pg_temp.writes();
SELECT companion.start_send(user_id, message_id, attempt) AS start,
    companion.mark_failed(user_id, message_id, attempt, 'busy', '30 minutes') AS failed
FROM companion.claim_messages('w');
SELECT pg_temp.writes();
SELECT content, visible_at FROM pg_temp.messages WHERE content = 'note';
-- A fallback to a channel whose window is closed as well is none.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
DELETE FROM companion.channels WHERE channel = 'web';
UPDATE companion.channels SET reply_window = '24 hours' WHERE channel = 'telegram';
UPDATE companion.users SET telegram_user_id = 7001;
SET companion.clock = '2026-03-08 09:00+00';
SELECT pg_temp.schedule('alarm');
SELECT pg_temp.claim() AS none;
SELECT content, channel, status, visible_at FROM pg_temp.messages;
SELECT count(*) FROM companion.record_incoming('telegram', '7001', 'hello');
SELECT pg_temp.claim() AS none, (SELECT string_agg(channel, ',') FROM pg_temp.messages) AS "it moves";
SELECT pg_temp.claim();

SELECT pg_temp.error_of('UPDATE companion.channels SET reply_window = ' || a) AS outcome, a
FROM (VALUES ($$'0'$$), ($$'-1 hour'$$), ($$'2 years'$$)) AS v (a);
