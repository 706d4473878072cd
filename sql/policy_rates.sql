-- How fast messages are started on a channel, by each bot; and a messenger that asks to wait.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, onboarding_completed_at)
SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'Maya', '2026-01-01' FROM generate_series(1, 2) AS n;
SELECT companion.link_address(('00000000-0000-0000-0000-00000000000' || n)::uuid, 'telegram', (7000 + n)::text, bot)
FROM (VALUES (1, 'one'), (2, 'two')) AS v (n, bot);
CREATE FUNCTION pg_temp.schedule(how_many integer, channel text DEFAULT 'telegram', number integer DEFAULT 1)
RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM generate_series(1, how_many) AS n, companion.schedule_message(
        ('00000000-0000-0000-0000-00000000000' || number)::uuid, '2026-03-04 08:00+00', 'x' || n, channel => channel)
$$;
-- Claim what there is, and start what is claimed and not started: how many, and how many are not now.
CREATE FUNCTION pg_temp.claim() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM companion.claim_messages('w', 1000)
$$;
CREATE FUNCTION pg_temp.start(most integer DEFAULT 1000, number integer DEFAULT 1, OUT started bigint, OUT refused bigint, OUT not_now bigint)
LANGUAGE sql AS $$
    SELECT count(*) FILTER (WHERE s), count(*) FILTER (WHERE NOT s), count(*) FILTER (WHERE s IS NULL)
    FROM (SELECT array_agg(user_id) AS u, array_agg(message_id) AS m, array_agg(attempt) AS a
          FROM (SELECT * FROM companion.dispatch_queue
                WHERE NOT sending AND channel <> 'web' AND user_id = ('00000000-0000-0000-0000-00000000000' || number)::uuid
                ORDER BY message_id LIMIT most) AS q) AS q,
        unnest(companion.start_send_many(q.u, q.m, q.a)) AS s
$$;
SELECT pg_temp.schedule(100), pg_temp.schedule(10, number => 2), pg_temp.schedule(3, 'web');
SELECT pg_temp.claim();

-- Ten a second: at first, and after a while without any, a burst of as many; then one each tenth of
-- a second. Those that are not started now stay claimed.
SET ROLE companion_admin;
UPDATE companion.channels SET max_per_second = 10 WHERE channel = 'telegram';
RESET ROLE;
SELECT * FROM pg_temp.start(12);
SELECT count(*) FROM companion.dispatch_queue WHERE leased_until > companion.now() AND NOT sending;
SET companion.clock = '2026-03-04 09:00:00.099+00';
SELECT * FROM pg_temp.start();
SET companion.clock = '2026-03-04 09:00:00.1+00';
SELECT * FROM pg_temp.start();
SET companion.clock = '2026-03-04 09:00:00.55+00';
SELECT * FROM pg_temp.start();
SET companion.clock = '2026-03-04 09:00:00.6+00';
SELECT * FROM pg_temp.start();
SET companion.clock = '2026-03-04 09:01+00';
SELECT * FROM pg_temp.start();
-- Another bot has its own rate; another channel has none.
SELECT * FROM pg_temp.start(number => 2);
SELECT companion.start_send(user_id, message_id, attempt) FROM companion.dispatch_queue WHERE channel = 'web';
SELECT next_at, channel, bot FROM companion.send_rates ORDER BY bot;
-- One at a time it is NULL as well, and what is taken is taken, whatever becomes of the transaction.
SET companion.clock = '2026-03-04 09:01:00.1+00';
BEGIN;
SELECT companion.start_send(user_id, message_id, attempt) AS start FROM companion.dispatch_queue
WHERE NOT sending AND channel <> 'web' ORDER BY message_id LIMIT 1;
ROLLBACK;
SELECT companion.start_send(user_id, message_id, attempt) AS start FROM companion.dispatch_queue
WHERE NOT sending AND channel <> 'web' ORDER BY message_id LIMIT 1;
SELECT tries, claims, attempt FROM companion.dispatch_queue WHERE NOT sending AND channel <> 'web' ORDER BY message_id LIMIT 1;
-- With a burst of its own; one of 1 is evenly spaced.
SET companion.clock = '2026-03-04 09:02+00';
UPDATE companion.channels SET burst = 3 WHERE channel = 'telegram';
SELECT * FROM pg_temp.start();
SET companion.clock = '2026-03-04 09:03+00';
UPDATE companion.channels SET burst = 1 WHERE channel = 'telegram';
SELECT * FROM pg_temp.start();
SET companion.clock = '2026-03-04 09:03:00.1+00';
SELECT * FROM pg_temp.start();
-- A slow one; then, faster, what was ahead of the slow one does not count against the new.
SET companion.clock = '2026-03-04 09:04+00';
UPDATE companion.channels SET max_per_second = 0.001 WHERE channel = 'telegram';
SELECT * FROM pg_temp.start();
SET companion.clock = '2026-03-04 09:10+00';
SELECT * FROM pg_temp.start();
UPDATE companion.channels SET max_per_second = 10 WHERE channel = 'telegram';
SELECT * FROM pg_temp.start();
-- A clock that goes back does not stop it for long: it starts without a burst.
SET companion.clock = '2026-03-04 09:05+00';
UPDATE companion.channels SET burst = 5 WHERE channel = 'telegram';
SELECT * FROM pg_temp.start();
SET companion.clock = '2026-03-04 09:05:00.1+00';
SELECT * FROM pg_temp.start();
UPDATE companion.channels SET max_per_second = NULL WHERE channel = 'telegram';
SELECT * FROM pg_temp.start(5);

-- After a pause or a throttle it is released evenly.
UPDATE companion.channels SET max_per_second = 10, burst = NULL WHERE channel = 'telegram';
SELECT pg_temp.schedule(100);
SET companion.clock = '2026-03-04 09:20+00';
SELECT companion.pause_sending('telegram');
SET companion.clock = '2026-03-04 09:25+00';
SELECT pg_temp.claim();
SELECT companion.resume_sending('telegram');
SELECT pg_temp.claim() > 100 AS claimed;
SELECT * FROM pg_temp.start(20);
SET companion.clock = '2026-03-04 09:25:00.3+00';
SELECT * FROM pg_temp.start(20);
SET companion.clock = '2026-03-04 09:26+00';
SELECT * FROM pg_temp.start(20);
SELECT companion.throttle_channel('telegram', '10 minutes');
SELECT * FROM pg_temp.start(20);
SET companion.clock = '2026-03-04 09:36+00';
SELECT pg_temp.claim() > 50 AS claimed;
SELECT * FROM pg_temp.start(20);
SET companion.clock = '2026-03-04 09:36:00.1+00';
SELECT * FROM pg_temp.start(20);
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;

-- A throttle without a rate: NULL, and the claim stays; claims leave what is throttled.
UPDATE companion.channels SET max_per_second = NULL WHERE channel = 'telegram';
SELECT pg_temp.schedule(2), pg_temp.schedule(1, number => 2), pg_temp.schedule(1, 'web');
CREATE TEMP TABLE claimed AS SELECT * FROM companion.claim_messages('w', 1, channels => '{telegram}');
SET ROLE companion_worker;
SELECT companion.throttle_channel('telegram', '30 seconds');
RESET ROLE;
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed;
SELECT channel FROM companion.claim_messages('w');
SET companion.clock = '2026-03-04 09:36:30.1+00';
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed;
SELECT channel, bot FROM companion.claim_messages('w');
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
-- Of one bot: its messages are put off until then, which costs no claim.
SELECT pg_temp.schedule(2), pg_temp.schedule(2, number => 2);
TRUNCATE claimed;
INSERT INTO claimed SELECT * FROM companion.claim_messages('w', 1, channels => '{telegram}');
SELECT companion.throttle_channel('telegram', '1 minute', 'one');
SELECT bot, companion.start_send(user_id, message_id, attempt) FROM claimed;
SELECT bot FROM companion.claim_messages('w');
SELECT visible_at, claims, leased_until FROM companion.dispatch_queue WHERE visible_at > companion.now();
SET companion.clock = '2026-03-04 09:37:30.1+00';
SELECT bot FROM companion.claim_messages('w');
-- A shorter one ends none; those that are replaced or over do not pile up.
SELECT companion.throttle_channel('telegram', '1 minute', 'one'), companion.throttle_channel('telegram', '1 second', 'one'),
    companion.throttle_channel('telegram', '2 seconds', 'one'), companion.throttle_channel('telegram', '0');
SELECT channel, bot, until FROM companion.channel_throttles ORDER BY until;
SET ROLE companion_admin;
DELETE FROM companion.channel_throttles WHERE bot = 'one';
RESET ROLE;
SELECT companion.start_send(user_id, message_id, attempt) FROM companion.dispatch_queue WHERE NOT sending;

-- What is no rate, and no throttle.
SELECT pg_temp.error_of('UPDATE companion.channels SET ' || a) AS outcome, a
FROM (VALUES ('max_per_second = 0'), ('max_per_second = -1'), ($$max_per_second = 'NaN'$$),
    ($$max_per_second = 'Infinity'$$), ('max_per_second = 0.0001'), ('burst = 0'), ('burst = -1')) AS v (a);
SELECT pg_temp.error_of(format('SELECT companion.throttle_channel(%s)', a)) AS outcome, a
FROM (VALUES ($$NULL, '1 s'$$), ($$'telegram', NULL$$), ($$'nowhere', '1 s'$$), ($$'telegram', '-1 s'$$),
    ($$'telegram', '31 days'$$), ($$'telegram', '1 s', repeat('x', 65)$$)) AS v (a);
SET ROLE companion_user;
SELECT pg_temp.error_of($$SELECT companion.throttle_channel('telegram', '1 s')$$),
    pg_temp.error_of('TABLE companion.send_rates'), pg_temp.error_of('TABLE companion.channel_throttles');
RESET ROLE;
