-- A stop switch: a channel, a kind or everything is paused, and nothing that is pending is touched.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, telegram_user_id, whatsapp_number, onboarding_completed_at)
VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', 7001, '+4917012345', '2026-01-01'),
    ('00000000-0000-0000-0000-000000000002', 'Ben', NULL, NULL, '2026-01-01');
\set maya '\'00000000-0000-0000-0000-000000000001\''
\set ben '\'00000000-0000-0000-0000-000000000002\''
CREATE FUNCTION pg_temp.schedule(name text, channel text, kind text DEFAULT 'note', minutes integer DEFAULT 0,
    user_id uuid DEFAULT '00000000-0000-0000-0000-000000000001') RETURNS boolean LANGUAGE sql AS $$
    SELECT created FROM companion.schedule_message(user_id,
        '2026-03-04 09:00+00'::timestamptz + minutes * interval '1 minute', name, kind, channel => channel)
$$;
CREATE FUNCTION pg_temp.claim(most integer DEFAULT 50, channels text[] DEFAULT NULL, kinds text[] DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s on %s', content, channel), ', ' ORDER BY scheduled_for, content)
    FROM companion.claim_messages('w', most, channels => channels, kinds => kinds)
$$;
CREATE FUNCTION pg_temp.give_back() RETURNS void LANGUAGE sql AS $$
    UPDATE companion.dispatch_queue SET leased_until = '-infinity'
$$;
CREATE VIEW pg_temp.pending AS
SELECT m.content, q.channel, q.claims, q.leased_until > companion.now() AS is_claimed
FROM companion.dispatch_queue AS q JOIN companion.scheduled_messages AS m ON m.id = q.message_id
ORDER BY 1;

-- A channel. Others go on; a claim that a worker holds is given back by its start, and costs nothing.
SELECT pg_temp.schedule('a', 'telegram', minutes => -2), pg_temp.schedule('b', 'whatsapp', minutes => -1),
    pg_temp.schedule('c', 'web');
CREATE TEMP TABLE claimed AS SELECT * FROM companion.claim_messages('w', 1);
SELECT companion.pause_sending('telegram', reason => 'the bot is blocked');
SELECT content, companion.start_send(user_id, message_id, attempt) FROM claimed;
SELECT * FROM pg_temp.pending;
SELECT pg_temp.claim();
SELECT channel, kind, until, reason, since FROM companion.sending_pauses;
-- Another pause, of all: each ends by itself.
SELECT pg_temp.give_back();
SET companion.clock = '2026-03-04 09:01+00';
SELECT companion.pause_sending();
SELECT pg_temp.claim() AS none;
SELECT companion.resume_sending('telegram'), companion.resume_sending('telegram') AS again,
    companion.resume_sending('whatsapp') AS "was not";
SELECT pg_temp.claim() AS none;
SELECT companion.resume_sending();
SELECT pg_temp.claim();
SELECT companion.start_send_many(array_agg(user_id), array_agg(message_id), array_agg(attempt))
FROM companion.dispatch_queue;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, companion.sending_pauses;

-- A kind, and a kind on a channel, in the bulk form as well.
SELECT pg_temp.schedule('a', 'telegram'), pg_temp.schedule('b', 'telegram', 'news'), pg_temp.schedule('c', 'web', 'news');
SELECT companion.pause_sending('telegram', 'news');
SELECT pg_temp.claim();
SELECT pg_temp.give_back();
SELECT companion.resume_sending('telegram', 'news');
SELECT pg_temp.claim();
SELECT companion.pause_sending(kind => 'news');
SELECT m.content, s.started
FROM (SELECT array_agg(user_id) AS u, array_agg(message_id) AS m, array_agg(attempt) AS a
      FROM companion.dispatch_queue) AS q
CROSS JOIN LATERAL unnest(q.m, companion.start_send_many(q.u, q.m, q.a)) AS s (message_id, started)
JOIN companion.scheduled_messages AS m ON m.id = s.message_id ORDER BY 1;
SELECT pg_temp.claim(kinds => '{news}') AS none;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, companion.sending_pauses;

-- Until a time, by the clock; one that has passed is no pause, and ends one.
SELECT pg_temp.schedule('a', 'telegram');
SELECT companion.pause_sending('telegram', until => '2026-03-04 09:05+00', reason => 'a short one');
SET companion.clock = '2026-03-04 09:04:59+00';
SELECT pg_temp.claim() AS none;
SET companion.clock = '2026-03-04 09:05+00';
SELECT pg_temp.claim();
SELECT pg_temp.give_back();
SELECT companion.pause_sending('telegram'), companion.pause_sending('telegram', until => '2026-03-04 09:05+00') AS over;
SELECT pg_temp.claim();
SELECT channel, until, reason, since FROM companion.sending_pauses;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, companion.sending_pauses;

-- By kinds.when_closed a message waits, goes to the next channel that may be used, or is skipped,
-- by the next claim, whatever channel that is for.
INSERT INTO companion.kinds (kind, when_closed) VALUES ('note', 'wait'), ('alarm', 'fall_back'), ('news', 'skip');
SELECT pg_temp.schedule(kind, 'telegram', kind) FROM unnest('{note,alarm,news}'::text[]) AS kind;
SELECT companion.pause_sending('telegram', reason => 'the bot is blocked');
SELECT pg_temp.claim(channels => '{web}') AS none;
SELECT content, channel, status, failure_reason FROM companion.scheduled_messages ORDER BY 1;
SELECT pg_temp.claim();
-- The next channel is paused, too; and then all: it has nowhere to go, and waits.
SELECT pg_temp.give_back();
SELECT companion.pause_sending('whatsapp');
SELECT pg_temp.claim();
SELECT pg_temp.give_back();
SELECT companion.pause_sending('web');
SELECT pg_temp.claim() AS none;
SELECT content, channel, status FROM companion.scheduled_messages ORDER BY 1;
-- What was claimed when the pause began is settled after its start has given it back.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, companion.sending_pauses;
SELECT pg_temp.schedule(kind, 'telegram', kind) FROM unnest('{note,alarm,news}'::text[]) AS kind;
SELECT pg_temp.claim();
SELECT companion.pause_sending('telegram');
SELECT pg_temp.claim() AS none;
SELECT companion.start_send_many(array_agg(user_id), array_agg(message_id), array_agg(attempt))
FROM companion.dispatch_queue;
SELECT pg_temp.claim();
SELECT content, channel, status, failure_reason FROM companion.scheduled_messages ORDER BY 1;
SET companion.clock = '2026-03-04 09:00+00';
-- Of a kind that is paused there is no other channel, and of what is not due nothing is made.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, companion.sending_pauses;
SELECT pg_temp.schedule('alarm', 'telegram', 'alarm'), pg_temp.schedule('news', 'telegram', 'news', 1);
SELECT companion.pause_sending(kind => 'alarm'), companion.pause_sending(kind => 'news');
SELECT pg_temp.claim() AS none;
SELECT content, channel, status FROM companion.scheduled_messages ORDER BY 1;
-- A claim settles a hundred at most, and looks at a thousand; the next goes on from there.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, companion.sending_pauses;
INSERT INTO companion.kinds (kind, when_closed, max_tries) VALUES ('other', 'wait', 9);
SELECT count(*) FROM generate_series(1, 1500) AS n, pg_temp.schedule('other ' || n, 'telegram', 'other', -2);
SELECT count(*) FROM generate_series(1, 150) AS n, pg_temp.schedule('alarm ' || n, 'telegram', 'alarm', -1);
SELECT companion.pause_sending('telegram');
CREATE FUNCTION pg_temp.moved() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM companion.dispatch_queue WHERE channel = 'whatsapp'
$$;
SELECT pg_temp.claim(1, '{web}');
SELECT pg_temp.moved();
SELECT pg_temp.claim(1, '{web}');
SELECT pg_temp.moved();
SELECT pg_temp.claim(1, '{web}');
SELECT pg_temp.claim(1, '{web}');
SELECT pg_temp.moved();

-- A channel that stands still slows no claim of another: its messages are not looked at.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, companion.sending_pauses;
SELECT count(*) FROM generate_series(1, 5000) AS n, pg_temp.schedule('other ' || n, 'telegram', 'other', -2);
SELECT pg_temp.schedule('a', 'web', user_id => :ben);
CREATE FUNCTION pg_temp.rows_looked_at(claim text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := pg_stat_get_xact_tuples_fetched('companion.dispatch_queue'::regclass);
BEGIN
    EXECUTE claim;
    RETURN pg_stat_get_xact_tuples_fetched('companion.dispatch_queue'::regclass) - before;
END
$$;
SELECT pg_temp.rows_looked_at($$SELECT companion.claim_messages('w', channels => '{web}')$$) < 10 AS "not asked for";
SELECT pg_temp.give_back();
SELECT companion.pause_sending('telegram');
SELECT pg_temp.rows_looked_at($$SELECT companion.claim_messages('w')$$) < 10 AS paused;
SELECT pg_temp.rows_looked_at('SELECT companion.pause_sending()') AS "pausing looks at none";
-- Nor are their entries of the index, by a session that knows of them.
UPDATE companion.kinds SET when_closed = 'wait';
CREATE FUNCTION pg_temp.share_of_index(claim text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    by_time regclass := 'companion.dispatch_queue_visible';
    before bigint := pg_stat_get_xact_blocks_fetched(by_time);
    pages bigint := pg_relation_size(by_time) / current_setting('block_size')::integer;
BEGIN
    EXECUTE claim;
    RETURN round((pg_stat_get_xact_blocks_fetched(by_time) - before)::numeric / pages, 1);
END
$$;
SELECT count(*) FROM companion.claim_messages('w');
SELECT pg_temp.share_of_index($$SELECT companion.claim_messages('w')$$) < 0.5 AS paused;
-- What a channel has that is no more, and a head start that no kind has, is claimed all the same.
SELECT companion.resume_sending(), companion.resume_sending('telegram');
UPDATE companion.dispatch_queue SET channel = 'carrier_pigeon', head_start = 7 WHERE channel = 'web';
SELECT pg_temp.give_back();
SELECT count(*) FROM companion.claim_messages('w', 10000);
SELECT count(*) FILTER (WHERE leased_until > companion.now()) AS claimed, count(*) FROM companion.dispatch_queue;
-- Maintenance skips what became too late meanwhile, on a channel that stands still as well.
UPDATE companion.dispatch_queue SET send_before = companion.now(), leased_until = '-infinity';
SELECT companion.pause_sending();
SELECT companion.finish_abandoned() AS finished;

-- Who pauses, and what is no pause.
SELECT pg_temp.error_of(format('SELECT companion.pause_sending(%s)', a)) AS outcome, a
FROM (VALUES ($$'nowhere'$$), ($$''$$), ($$kind => 'Not One'$$), ($$kind => ''$$), ($$until => 'infinity'$$),
    ($$until => '-infinity'$$), ($$reason => ''$$), ($$reason => repeat('x', 501)$$)) AS v (a);
SELECT pg_temp.error_of($$SELECT companion.resume_sending(kind => '?')$$);
SET ROLE companion_worker;
SELECT pg_temp.error_of('SELECT companion.pause_sending()'), pg_temp.error_of('SELECT companion.resume_sending()');
SELECT count(*) FROM companion.sending_pauses;
RESET ROLE;
SET ROLE companion_user;
SELECT pg_temp.error_of('SELECT companion.pause_sending()'), pg_temp.error_of('TABLE companion.sending_pauses');
RESET ROLE;
SET ROLE companion_admin;
SELECT companion.pause_sending('web'), companion.resume_sending('web');
RESET ROLE;
-- An operator's trigger that keeps a pause from being one is told.
CREATE FUNCTION pg_temp.suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER suppress BEFORE INSERT ON companion.sending_pauses FOR EACH ROW EXECUTE FUNCTION pg_temp.suppress();
SELECT pg_temp.error_of($$SELECT companion.pause_sending('push')$$);
