-- Caps: at most so many messages of a group, in a local day, week or month, or within a length of time.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, telegram_user_id, timezone) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya', 7001, 'Europe/Berlin'),
    ('00000000-0000-0000-0000-000000000002', 'Diego', 7002, 'America/New_York');
\set maya '\'00000000-0000-0000-0000-000000000001\''
\set diego '\'00000000-0000-0000-0000-000000000002\''
CREATE PROCEDURE pg_temp.at(clock timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('companion.clock', clock::text, false);
END
$$;
-- One message that is due now, claimed and started: what start_send says, and what has become of it.
CREATE FUNCTION pg_temp.start(user_id uuid, kind text, send_before timestamptz DEFAULT NULL)
RETURNS TABLE (started boolean, status text, visible_at timestamptz, reason text, tries int, claims int)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    m record;
BEGIN
    SELECT * INTO STRICT m FROM companion.schedule_message($1, companion.now(), 'hello', $2,
        idempotency_key => gen_random_uuid()::text, send_before => $3);
    PERFORM companion.claim_messages('w');
    SELECT companion.start_send(q.user_id, q.message_id, q.attempt) INTO started
    FROM companion.dispatch_queue AS q WHERE q.message_id = m.message_id;
    RETURN QUERY SELECT started, s.status, q.visible_at, coalesce(q.waits_for, s.failure_reason),
        coalesce(q.tries, s.tries), q.claims
    FROM companion.scheduled_messages AS s LEFT JOIN companion.dispatch_queue AS q ON q.message_id = s.id
    WHERE s.id = m.message_id;
END
$$;
-- How many of so many more are started, before the first is not.
CREATE FUNCTION pg_temp.room(user_id uuid, kind text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    more int := 0;
BEGIN
    WHILE (pg_temp.start(user_id, kind)).started LOOP
        more := more + 1;
    END LOOP;
    RETURN more;
END
$$;
CREATE PROCEDURE pg_temp.forget() LANGUAGE sql AS $$
    TRUNCATE companion.scheduled_messages, companion.dispatch_queue, companion.cap_starts;
$$;
CREATE TEMP VIEW counted AS
SELECT user_id, cap_group, started_at, cardinality(message_ids) AS messages FROM companion.cap_starts;

-- Without a cap of its group, a kind's messages are not counted.
INSERT INTO companion.kinds (kind, cap_group, over_cap) VALUES
    ('nudge', 'nudges', 'defer'), ('offer', 'nudges', 'skip'), ('alarm', NULL, 'defer');
SELECT * FROM pg_temp.start(:maya, 'nudge');
SELECT * FROM counted;
CALL pg_temp.forget();

-- Three a day: a fourth waits for the user's next local day. It costs no try, and no claim.
SET ROLE companion_admin;
INSERT INTO companion.caps (cap_group, local_period, max_messages) VALUES ('nudges', 'day', 3);
RESET ROLE;
SELECT * FROM pg_temp.start(:maya, 'nudge');
SELECT started FROM pg_temp.start(:maya, 'nudge');
SELECT started FROM pg_temp.start(:maya, 'nudge');
SELECT * FROM pg_temp.start(:maya, 'nudge');
SELECT * FROM counted;
SELECT message_ids = (SELECT array_agg(message_id ORDER BY message_id) FROM companion.dispatch_queue WHERE sending) AS is_which
FROM companion.cap_starts;
-- Others, and kinds that are in no group, do not care.
SELECT * FROM pg_temp.start(:diego, 'nudge');
SELECT * FROM pg_temp.start(:maya, 'alarm');
-- It is claimed when there is room; not before.
CALL pg_temp.at('2026-03-04 22:59:59.999999+00');
SELECT count(*) AS claimed FROM companion.claim_messages('w');
CALL pg_temp.at('2026-03-04 23:00+00');
SELECT companion.start_send(user_id, message_id, attempt) AS started, attempt FROM companion.claim_messages('w');
SELECT * FROM counted ORDER BY user_id;
CALL pg_temp.forget();

-- Over it, a message is skipped where its kind says so, or where it would come too late; the reason
-- says which cap it was.
CALL pg_temp.at('2026-03-04 09:00+00');
SELECT pg_temp.room(:maya, 'nudge');
SELECT * FROM pg_temp.start(:maya, 'offer');
SELECT * FROM pg_temp.start(:maya, 'nudge', '2026-03-04 23:00+00');
SELECT * FROM pg_temp.start(:maya, 'nudge', '2026-03-04 23:00:01+00');
-- One that waits and never comes to be sent was skipped, not failed: nobody tried.
CALL pg_temp.at('2026-03-04 23:00:01+00');
SELECT companion.finish_abandoned() > 0 AS given_up;
SELECT status, failure_reason FROM companion.scheduled_messages WHERE send_before = '2026-03-04 23:00:01+00';
CALL pg_temp.forget();
-- What has failed before keeps its failure as the last error, whether it waits now or is skipped.
CALL pg_temp.at('2026-03-04 09:00+00');
SELECT started FROM pg_temp.start(:maya, 'nudge');
SELECT started FROM pg_temp.start(:maya, 'offer');
SELECT companion.mark_failed(user_id, message_id, attempt, '502 Bad Gateway', '1 second') FROM companion.dispatch_queue;
SELECT pg_temp.room(:maya, 'nudge');
CALL pg_temp.at('2026-03-04 09:00:01+00');
SELECT companion.start_send(user_id, message_id, attempt) AS started FROM companion.claim_messages('w');
SELECT m.kind, status, visible_at, coalesce(last_error, failure_reason) AS reason
FROM companion.scheduled_messages AS m LEFT JOIN companion.dispatch_queue AS q ON q.message_id = m.id
WHERE coalesce(last_error, failure_reason) LIKE '%502%' ORDER BY m.kind;
CALL pg_temp.forget();
-- What waits for room goes on doing so when quiet hours change, also where they begin at that time.
UPDATE companion.users SET quiet_from = '00:00', quiet_until = '07:00' WHERE id = :maya;
SELECT pg_temp.room(:maya, 'nudge');
UPDATE companion.users SET quiet_until = '06:00' WHERE id = :maya;
SELECT visible_at, waits_for FROM companion.dispatch_queue WHERE NOT sending;
UPDATE companion.users SET quiet_from = NULL WHERE id = :maya;
CALL pg_temp.forget();

-- The local day is that of the zone that the user is in now. To the east it is over sooner, to the
-- west begins again what has begun already; nobody gets more than is due by the clock that they see.
CALL pg_temp.at('2026-03-04 22:30+00');
SELECT pg_temp.room(:maya, 'nudge');
UPDATE companion.users SET timezone = 'Asia/Tokyo' WHERE id = :maya;
SELECT visible_at FROM pg_temp.start(:maya, 'nudge');
CALL pg_temp.at('2026-03-05 15:00+00');
SELECT pg_temp.room(:maya, 'nudge') AS "in Tokyo";
UPDATE companion.users SET timezone = 'America/Los_Angeles' WHERE id = :maya;
SELECT visible_at FROM pg_temp.start(:maya, 'nudge');
SELECT started_at FROM counted;
UPDATE companion.users SET timezone = 'Europe/Berlin' WHERE id = :maya;
CALL pg_temp.forget();
-- What was started yesterday is of today again further west, also when one of today fails.
CALL pg_temp.at('2026-03-04 14:00+00');
UPDATE companion.users SET timezone = 'Asia/Tokyo' WHERE id = :maya;
SELECT pg_temp.room(:maya, 'nudge') AS yesterday;
CALL pg_temp.at('2026-03-04 15:00+00');
DELETE FROM companion.dispatch_queue WHERE NOT sending;
SELECT pg_temp.room(:maya, 'nudge') AS today;
SELECT count(*) FILTER (WHERE companion.mark_failed(q.user_id, message_id, attempt, '502', permanent => true)) AS failed
FROM companion.dispatch_queue AS q WHERE leased_until = (SELECT max(leased_until) FROM companion.dispatch_queue);
UPDATE companion.users SET timezone = 'Europe/Berlin' WHERE id = :maya;
SELECT pg_temp.room(:maya, 'nudge') AS "in Berlin";
CALL pg_temp.forget();

-- On the day on which the clock is set forward, and that on which it is set back.
CALL pg_temp.at('2026-03-29 00:30+01');
SELECT pg_temp.room(:maya, 'nudge');
SELECT visible_at FROM pg_temp.start(:maya, 'nudge');
CALL pg_temp.forget();
CALL pg_temp.at('2026-10-25 00:30+02');
SELECT pg_temp.room(:maya, 'nudge');
SELECT visible_at FROM pg_temp.start(:maya, 'nudge');
CALL pg_temp.forget();

-- A week is from Monday, a month a calendar's; rolling is any stretch of a length.
UPDATE companion.caps SET local_period = 'week';
CALL pg_temp.at('2026-03-08 23:59+01');
SELECT pg_temp.room(:maya, 'nudge');
SELECT * FROM pg_temp.start(:maya, 'nudge');
CALL pg_temp.at('2026-03-09 00:00+01');
SELECT pg_temp.room(:maya, 'nudge');
SELECT visible_at FROM pg_temp.start(:maya, 'nudge');
CALL pg_temp.forget();
UPDATE companion.caps SET local_period = 'month';
CALL pg_temp.at('2026-02-28 12:00+01');
SELECT pg_temp.room(:maya, 'nudge');
SELECT * FROM pg_temp.start(:maya, 'nudge');
CALL pg_temp.forget();
UPDATE companion.caps SET local_period = NULL, rolling = '1 day';
SELECT started FROM pg_temp.start(:maya, 'nudge');
CALL pg_temp.at('2026-02-28 15:00+00');
SELECT started FROM pg_temp.start(:maya, 'nudge');
CALL pg_temp.at('2026-02-28 20:00+00');
SELECT started FROM pg_temp.start(:maya, 'nudge');
SELECT * FROM pg_temp.start(:maya, 'nudge');
SELECT * FROM counted;
CALL pg_temp.at('2026-03-01 10:59:59.999999+00');
SELECT started, visible_at FROM pg_temp.start(:maya, 'offer');
CALL pg_temp.at('2026-03-01 11:00+00');
SELECT started FROM pg_temp.start(:maya, 'offer');
SELECT started, visible_at, reason FROM pg_temp.start(:maya, 'nudge');
CALL pg_temp.forget();

-- Several caps: all of them hold, and the one that is full for the longest says until when.
TRUNCATE companion.caps;
INSERT INTO companion.caps (cap_group, local_period, rolling, max_messages) VALUES
    ('nudges', 'day', NULL, 3), ('nudges', 'week', NULL, 5), ('nudges', NULL, '1 hour', 2), ('others', 'day', NULL, 1);
CALL pg_temp.at('2026-03-02 09:00+00');
SELECT pg_temp.room(:maya, 'nudge');
SELECT reason FROM pg_temp.start(:maya, 'nudge');
CALL pg_temp.at('2026-03-02 10:00+00');
SELECT pg_temp.room(:maya, 'nudge');
SELECT reason FROM pg_temp.start(:maya, 'nudge');
DELETE FROM companion.dispatch_queue WHERE NOT sending;
CALL pg_temp.at('2026-03-03 10:00+00');
SELECT pg_temp.room(:maya, 'nudge');
SELECT * FROM pg_temp.start(:maya, 'nudge');
-- What is kept is what the largest needs.
SELECT messages, started_at FROM counted;
CALL pg_temp.at('2026-03-09 09:00+00');
DELETE FROM companion.dispatch_queue WHERE NOT sending;
SELECT pg_temp.room(:maya, 'nudge');
SELECT messages FROM counted;
CALL pg_temp.at('2026-03-19 09:00+00');
DELETE FROM companion.dispatch_queue WHERE NOT sending;
SELECT pg_temp.room(:maya, 'nudge');
SELECT messages FROM counted;
CALL pg_temp.forget();

-- What certainly was not sent is not counted: with every kind of failure, and when it is skipped
-- after its start. What is sent is, and what nobody knows of.
TRUNCATE companion.caps;
INSERT INTO companion.caps (cap_group, local_period, max_messages) VALUES ('nudges', 'day', 2);
CALL pg_temp.at('2026-03-04 09:00+00');
CREATE FUNCTION pg_temp.then(report text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    m record;
    clock text := companion.now();
BEGIN
    CALL pg_temp.forget();
    PERFORM FROM pg_temp.start('00000000-0000-0000-0000-000000000001', 'nudge');
    PERFORM set_config('companion.clock', (companion.now() + '1 minute')::text, false);
    PERFORM FROM pg_temp.start('00000000-0000-0000-0000-000000000001', 'nudge');
    SELECT * INTO m FROM companion.dispatch_queue ORDER BY message_id LIMIT 1;
    EXECUTE format(report, format('%L, %L, 1', m.user_id, m.message_id));
    IF m.message_id = ANY (ARRAY(SELECT unnest(message_ids) FROM companion.cap_starts)) THEN
        RAISE NOTICE 'it counts still';
    END IF;
    PERFORM set_config('companion.clock', clock, false);
    RETURN sum(messages) FROM counted;
END
$$;
SELECT report, pg_temp.then('SELECT companion.' || report) FROM (VALUES
    ('mark_failed(%s, ''busy'')'), ('mark_failed(%s, ''busy'', ''1 minute'')'),
    ('mark_failed(%s, ''no'', permanent => true)'), ('mark_failed(%s, ''gone'', address_gone => true)'),
    ('mark_skipped(%s, ''changed my mind'')'), ('mark_sent(%s)'), ('extend_lease(%s, ''1 hour'')')) AS v (report);
UPDATE companion.users SET telegram_user_id = 7001 WHERE id = :maya;
SELECT companion.link_address(:maya, 'telegram', '7001');
-- The worker is not heard of again: unknown, which counts; a late report makes it certain.
CALL pg_temp.forget();
SELECT pg_temp.room(:maya, 'nudge');
CALL pg_temp.at('2026-03-04 10:00+00');
SELECT companion.finish_abandoned() AS given_up;
SELECT status, count(*) FROM companion.scheduled_messages GROUP BY 1 ORDER BY 1;
SELECT messages FROM counted;
SELECT companion.mark_failed(user_id, id, attempts, '502', '1 minute') FROM companion.scheduled_messages WHERE status = 'unknown' LIMIT 1;
SELECT messages FROM counted;
-- What it may be that was sent twice counts twice.
UPDATE companion.kinds SET retry_unknown = true WHERE kind = 'nudge';
CALL pg_temp.forget();
SELECT started FROM pg_temp.start(:maya, 'nudge');
CALL pg_temp.at('2026-03-04 11:00+00');
SELECT companion.finish_abandoned() AS given_up;
SELECT companion.start_send(user_id, message_id, attempt) FROM companion.claim_messages('w');
SELECT messages FROM counted;
SELECT companion.mark_failed(user_id, message_id, attempt, '502') FROM companion.dispatch_queue;
SELECT messages, started_at FROM counted;
UPDATE companion.kinds SET retry_unknown = false WHERE kind = 'nudge';
-- Retried, it is counted when it is started again; with no room it waits. What has never been
-- started, or given back, was not counted.
CALL pg_temp.forget();
CALL pg_temp.at('2026-03-04 09:00+00');
SELECT started FROM pg_temp.start(:maya, 'nudge');
SELECT companion.mark_failed(user_id, message_id, attempt, 'no', permanent => true) FROM companion.dispatch_queue;
SELECT messages FROM counted;
SELECT pg_temp.room(:maya, 'offer');
SELECT companion.retry_message(user_id, id) FROM companion.scheduled_messages WHERE status = 'failed';
SELECT companion.release_message(user_id, message_id, attempt) FROM companion.claim_messages('w');
SELECT companion.start_send(user_id, message_id, attempt) FROM companion.claim_messages('w');
SELECT attempt, visible_at, waits_for FROM companion.dispatch_queue WHERE NOT sending;
SELECT messages FROM counted;
-- A failure of a message whose kind has changed its group meanwhile is found where it was counted.
CALL pg_temp.forget();
SELECT started FROM pg_temp.start(:maya, 'nudge');
UPDATE companion.kinds SET cap_group = NULL WHERE kind = 'nudge';
SELECT companion.mark_failed(user_id, message_id, attempt, '502') FROM companion.dispatch_queue;
SELECT messages FROM counted;
UPDATE companion.kinds SET cap_group = 'nudges' WHERE kind = 'nudge';
-- A cap that becomes lower or higher is for what comes.
CALL pg_temp.forget();
SELECT pg_temp.room(:maya, 'nudge');
UPDATE companion.caps SET max_messages = 1;
SELECT reason FROM pg_temp.start(:maya, 'nudge');
UPDATE companion.caps SET max_messages = 3;
SELECT pg_temp.room(:maya, 'offer');
UPDATE companion.caps SET max_messages = 2;

-- Many at once: of one user as many as there is room for, in their order; a failure of several.
CALL pg_temp.forget();
SELECT count(created) AS scheduled FROM generate_series(1, 3) AS n, companion.users,
    companion.schedule_message(id, companion.now(), 'hello', 'nudge', idempotency_key => n::text);
CREATE TEMP TABLE claimed AS SELECT * FROM companion.claim_messages('w');
SELECT companion.start_send_many(array_agg(user_id ORDER BY user_id, message_id), array_agg(message_id ORDER BY user_id, message_id),
    array_agg(attempt ORDER BY user_id, message_id)) FROM claimed;
SELECT * FROM counted ORDER BY user_id;
SELECT companion.mark_failed_many(array_agg(user_id), array_agg(message_id), array_agg(attempt), array_agg('502'::text)) FROM claimed;
SELECT * FROM counted ORDER BY user_id;
SELECT user_id, visible_at, tries FROM companion.dispatch_queue WHERE last_failed_at IS NULL ORDER BY 1;
-- Again, where its row is there; a kind that skips, and one that is in no group.
CALL pg_temp.forget(); DELETE FROM claimed;
SELECT pg_temp.room(:maya, 'offer');
SELECT companion.mark_failed(user_id, message_id, attempt, '502', '1 hour')
FROM companion.dispatch_queue LIMIT 1;
SELECT count(created) AS scheduled FROM unnest('{offer,nudge,alarm}'::text[]) AS kind, generate_series(1, 2) AS n,
    companion.schedule_message(:maya, companion.now(), 'hello', kind, idempotency_key => kind || n);
INSERT INTO claimed SELECT * FROM companion.claim_messages('w');
SELECT companion.start_send_many(array_agg(user_id ORDER BY kind DESC, message_id), array_agg(message_id ORDER BY kind DESC, message_id),
    array_agg(attempt ORDER BY kind DESC, message_id)) FROM claimed;
SELECT c.kind, s.status, s.failure_reason, q.sending, q.visible_at, q.waits_for FROM claimed AS c
JOIN companion.scheduled_messages AS s ON s.id = c.message_id LEFT JOIN companion.dispatch_queue AS q ON q.message_id = c.message_id ORDER BY c.kind DESC, c.message_id;
SELECT messages FROM counted;

-- A user's own goes with the user, and into the export; another id takes it along.
SELECT companion.export_user(:maya) -> 'cap_starts' -> 0 ->> 'started_at' AS exported;
BEGIN;
SELECT companion.erase_user(:maya) ->> 'cap_starts' AS erased;
ROLLBACK;
BEGIN;
DELETE FROM companion.users WHERE id = :maya;
SELECT count(*) FROM companion.cap_starts;
ROLLBACK;
BEGIN;
SET LOCAL client_min_messages = warning;
TRUNCATE companion.users CASCADE;
SELECT count(*) FROM companion.cap_starts;
ROLLBACK;
CREATE TABLE accounts (id uuid PRIMARY KEY, email text);
INSERT INTO accounts SELECT id FROM companion.users;
SELECT companion.follow_auth_users('accounts');
UPDATE accounts SET id = '00000000-0000-0000-0000-000000000009' WHERE id = :maya;
SELECT user_id, messages FROM counted;
UPDATE accounts SET id = :maya WHERE id = '00000000-0000-0000-0000-000000000009';
SELECT companion.unfollow_auth_users('accounts');
DROP TABLE accounts;
-- It is deleted when no cap reaches back to it, and two days more.
CALL pg_temp.at('2026-03-07 09:00+00');
SELECT companion.expire_cap_starts();
CALL pg_temp.at('2026-03-07 09:00:00.000001+00');
SELECT companion.expire_cap_starts();
SELECT pg_temp.error_of('SELECT companion.expire_cap_starts(0)');

-- Who reads and writes what: workers see it, end users see the caps.
SET ROLE companion_worker;
SELECT count(*) FROM companion.caps;
SELECT count(*) FROM companion.cap_starts;
SELECT pg_temp.error_of('DELETE FROM companion.caps'), pg_temp.error_of('DELETE FROM companion.cap_starts');
SET ROLE companion_user;
SELECT count(*) FROM companion.caps;
SELECT pg_temp.error_of('SELECT FROM companion.cap_starts'), pg_temp.error_of('DELETE FROM companion.caps');
RESET ROLE;

-- What is no cap is refused.
SELECT pg_temp.error_of('INSERT INTO companion.caps (cap_group, local_period, rolling, max_messages) VALUES ' || cap) AS outcome, cap
FROM (VALUES ($$('a', 'day', NULL, 0)$$), ($$('a', 'day', NULL, -1)$$), ($$('a', 'day', NULL, 1001)$$), ($$('a', 'day', NULL, NULL)$$),
    ($$('a', 'day', '1 day', 1)$$), ($$('a', NULL, NULL, 1)$$), ($$('a', 'year', NULL, 1)$$), ($$('a', NULL, '0', 1)$$),
    ($$('a', NULL, '-1 day', 1)$$), ($$('a', NULL, '366 days 1 second', 1)$$), ($$('A', 'day', NULL, 1)$$), ($$(NULL, 'day', NULL, 1)$$),
    ($$('nudges', 'day', NULL, 1)$$)) AS v (cap);
-- Both are dumped.
SELECT extconfig @> ARRAY['companion.caps'::regclass::oid, 'companion.cap_starts'::regclass::oid] AS are_dumped
FROM pg_extension WHERE extname = 'companion';

-- With an operator's triggers: one that lets the row be is in nobody's way, one that does not is
-- error 09000, and nothing has happened.
CALL pg_temp.at('2026-03-04 09:00+00');
CREATE FUNCTION pg_temp.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF tg_argv[0] = 'suppress' THEN
        RETURN NULL;
    ELSIF tg_argv[0] = 'empty' THEN
        new.message_ids := '{}';
    ELSIF tg_argv[0] = 'regroup' THEN
        new.cap_group := 'others';
    END IF;
    RETURN new;
END
$$;
CREATE FUNCTION pg_temp.with_trigger(event text, what text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    EXECUTE format('CREATE TRIGGER meddle BEFORE %s ON companion.cap_starts FOR EACH ROW EXECUTE FUNCTION pg_temp.meddle(%L)', event, what);
    outcome := pg_temp.error_of(statement);
    DROP TRIGGER meddle ON companion.cap_starts;
    RETURN outcome || ', counted: ' || (SELECT coalesce(sum(messages), 0) FROM counted)
        || ', sending: ' || (SELECT count(*) FROM companion.dispatch_queue WHERE sending);
END
$$;
CALL pg_temp.forget();
SELECT count(created) FROM generate_series(1, 2) AS n,
    companion.schedule_message(:maya, companion.now(), 'hello', 'nudge', idempotency_key => n::text);
SELECT message_id AS first FROM companion.claim_messages('w') ORDER BY 1 LIMIT 1 \gset
SELECT what, pg_temp.with_trigger('INSERT', what, format('SELECT companion.start_send(%L, %L, 1)', :maya, :'first')) FROM unnest('{suppress,empty,regroup,nothing}'::text[]) AS what;
SELECT what, pg_temp.with_trigger('UPDATE', what, 'SELECT companion.start_send(user_id, message_id, 1) FROM companion.dispatch_queue WHERE NOT sending') FROM unnest('{suppress,empty,regroup,nothing}'::text[]) AS what;
SELECT what, pg_temp.with_trigger('UPDATE', what, format('SELECT companion.mark_failed(%L, %L, 1, ''502'')', :maya, :'first')) FROM unnest('{suppress,regroup,nothing}'::text[]) AS what;
-- Those that look on are fired; columns, checks and indexes of an operator's own are kept.
CREATE FUNCTION pg_temp.tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% %: % to %', tg_when, tg_op, cardinality(old.started_at), cardinality(new.started_at);
    RETURN NULL;
END
$$;
ALTER TABLE companion.cap_starts ADD COLUMN note text DEFAULT 'kept',
    ADD COLUMN starts integer GENERATED ALWAYS AS (cardinality(started_at)) STORED;
CREATE INDEX ON companion.cap_starts (cardinality(started_at));
CREATE TRIGGER tell AFTER UPDATE OF started_at ON companion.cap_starts FOR EACH ROW EXECUTE FUNCTION pg_temp.tell();
CREATE CONSTRAINT TRIGGER tell_later AFTER UPDATE ON companion.cap_starts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.tell();
SELECT started FROM pg_temp.start(:maya, 'nudge');
ALTER TABLE companion.cap_starts DROP COLUMN starts;
SELECT companion.mark_failed(user_id, message_id, attempt, '502') FROM companion.dispatch_queue WHERE sending LIMIT 1;
SELECT note, cardinality(started_at) FROM companion.cap_starts;
SET enable_seqscan = off;
SELECT count(*) AS by_index FROM companion.cap_starts WHERE cardinality(started_at) = 1;
