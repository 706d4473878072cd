-- The order in which messages are claimed: the oldest first, and a kind's head start.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, email, display_name, location, preferences, onboarding_completed_at)
VALUES ('00000000-0000-0000-0000-000000000001', 'maya@example.com', 'Maya', 'Porto', '{"tone": "warm"}', '2026-01-01');
\set maya '\'00000000-0000-0000-0000-000000000001\''
INSERT INTO companion.kinds (kind, head_start) VALUES ('alarm', '10 minutes'), ('reply', '1 minute');
CREATE FUNCTION pg_temp.schedule(kind text, due time) RETURNS boolean LANGUAGE sql AS $$
    SELECT (companion.schedule_message('00000000-0000-0000-0000-000000000001',
        '2026-03-04 00:00+00'::timestamptz + due, 'x', kind)).created
$$;
CREATE FUNCTION pg_temp.claim(most integer DEFAULT 50, kinds text[] DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s of %s', c.kind, to_char(c.scheduled_for, 'HH24:MI')), ', ' ORDER BY c.n)
    FROM companion.claim_messages('w', most, kinds => kinds) WITH ORDINALITY AS c
        (user_id, message_id, attempt, kind, local_date, scheduled_for, late_by, channel, address, display_name,
         companion_name, support_style, timezone, content, generation_context, bot, addresses, longest_text,
         send_before, tries, location, preferences, email, priority_level, topic_key, n)
$$;

-- A flood of news, whatever is due: an alarm goes ahead of what was due up to ten minutes before
-- it, a reply of one minute, and neither before it is due, nor ahead of what has waited for longer.
SELECT count(pg_temp.schedule('news', time '08:30' + n * interval '5 minutes')) AS scheduled
FROM generate_series(0, 7) AS n;
SELECT pg_temp.schedule('alarm', '08:45'), pg_temp.schedule('alarm', '08:59'), pg_temp.schedule('alarm', '09:01'),
    pg_temp.schedule('reply', '08:56');
SELECT pg_temp.claim(3);
SELECT pg_temp.claim(4);
SELECT pg_temp.claim(4);
SELECT pg_temp.claim(4) AS "none before it is due";
SET companion.clock = '2026-03-04 09:01+00';
SELECT pg_temp.claim(1) AS "ahead of news of 09:00", pg_temp.claim() AS then;
SELECT count(*) AS left FROM companion.dispatch_queue WHERE leased_until = '-infinity';
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;

-- By kinds, and by channels, too: one that no message is of brings none.
SELECT count(pg_temp.schedule(kind, '09:00')) AS scheduled FROM unnest('{news,alarm,reply,note}'::text[]) AS kind;
SELECT pg_temp.claim(kinds => '{unheard_of}') AS none, pg_temp.claim(kinds => '{news,alarm}') AS two;
SELECT pg_temp.error_of(format('SELECT companion.claim_messages(%s)', a)) AS outcome
FROM (VALUES ($$'w', kinds => '{}'$$), ($$'w', kinds => '{NULL}'$$), ($$'w', kinds => '{{a}}'$$),
    ($$'w', channels => '{nowhere}', kinds => '{note}'$$)) AS v (a);
SELECT kind FROM companion.claim_messages('w', channels => '{web}', kinds => '{note}');
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;

-- What has a head start is found as well when its kind has none any more, by another look at the
-- queue; what is enqueued then has none.
SELECT pg_temp.schedule('alarm', '09:00');
UPDATE companion.kinds SET head_start = '0' WHERE kind IN ('alarm', 'reply');
SELECT pg_temp.schedule('alarm', '08:58');
SELECT head_start FROM companion.dispatch_queue ORDER BY 1;
SELECT pg_temp.claim();
-- Maintenance walks them all.
UPDATE companion.dispatch_queue SET send_before = companion.now(), leased_until = '-infinity';
SELECT companion.finish_abandoned() AS finished;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;

-- A check-in has its kind's, too, and one that is brought back.
SET companion.clock = '2026-03-04 09:00+00';
UPDATE companion.kinds SET head_start = '2 minutes' WHERE kind = 'checkin';
SELECT companion.dispatch();
SELECT kind, head_start FROM companion.dispatch_queue;
SELECT companion.start_send(user_id, message_id, attempt) AS start,
    companion.mark_failed(user_id, message_id, attempt, 'no', permanent => true) AS failed
FROM companion.claim_messages('w');
SELECT companion.retry_message(user_id, id) AS retried FROM companion.scheduled_messages;
SELECT kind, head_start FROM companion.dispatch_queue;

-- A row carries what a worker needs, and no infinity.
UPDATE companion.scheduled_messages SET priority_level = 3, topic_key = 'exam';
SELECT pg_temp.schedule('note', '09:00');
SELECT kind, send_before, tries, location, preferences, email, priority_level, topic_key
FROM companion.claim_messages('w') ORDER BY kind;
SELECT pg_temp.error_of(format('INSERT INTO companion.kinds (kind, head_start) VALUES (%s)', v)) AS outcome, v
FROM (VALUES ($$'a', '-1 second'$$), ($$'a', '25 hours'$$), ($$'a', NULL$$)) AS t (v);
