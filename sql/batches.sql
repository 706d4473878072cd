-- A tick in batches: what one does at once, in the order in which it is due, some users at a time.
\i test/fresh.sql
CREATE TEMP VIEW checkins AS
SELECT u.display_name AS name, m.idempotency_key AS key, m.scheduled_for, m.status, m.failure_reason
FROM companion.scheduled_messages AS m JOIN companion.users AS u ON u.id = m.user_id
ORDER BY m.scheduled_for, name, key;
CREATE TEMP VIEW state AS
SELECT previous_tick, reached_reading, reached_user IS NOT NULL AS is_within FROM companion.dispatch_state;

-- From a time to another in batches of so many users: how many batches that takes, and whether
-- each comes after the one before, and none is too large.
CREATE FUNCTION pg_temp.in_batches(since timestamptz, until timestamptz, max_rows integer,
    OUT batches integer, OUT enqueued integer, OUT in_order boolean, OUT none_too_large boolean)
LANGUAGE plpgsql AS $$
DECLARE
    reached timestamptz := '-infinity';
    so_far bigint := 0;
BEGIN
    TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
    PERFORM set_config('companion.clock', until::text, false), companion.rewind_dispatch(since);
    batches := 0;
    enqueued := 0;
    in_order := true;
    none_too_large := true;
    WHILE (SELECT previous_tick < until FROM companion.dispatch_state) LOOP
        enqueued := enqueued + companion.dispatch(until, max_rows);
        batches := batches + 1;
        none_too_large := none_too_large AND (SELECT count(*) <= max_rows + so_far FROM companion.scheduled_messages);
        in_order := in_order AND (
            SELECT coalesce(min(scheduled_for) >= reached, true) FROM (
                SELECT scheduled_for FROM companion.scheduled_messages ORDER BY id OFFSET so_far) AS new);
        SELECT count(*), max(scheduled_for) INTO so_far, reached FROM companion.scheduled_messages;
    END LOOP;
END
$$;
-- One tick, and batches of several sizes that come to the same.
CREATE FUNCTION pg_temp.both_ways(since timestamptz, until timestamptz)
RETURNS TABLE (max_rows integer, batches integer, enqueued integer, in_order boolean, none_too_large boolean,
    same boolean)
LANGUAGE plpgsql AS $$
DECLARE
    at_once checkins[];
BEGIN
    PERFORM pg_temp.in_batches(since, until, NULL);
    at_once := ARRAY(SELECT c FROM checkins AS c);
    FOREACH max_rows IN ARRAY ARRAY[NULL, 1, 2, 3, 7, 1000] LOOP
        SELECT * INTO batches, enqueued, in_order, none_too_large FROM pg_temp.in_batches(since, until, max_rows);
        same := at_once = ARRAY(SELECT c FROM checkins AS c);
        RETURN NEXT;
    END LOOP;
END
$$;

-- Many at one instant, in one zone and in others, and some before and after.
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at)
SELECT zone || ' ' || at || ' ' || n, zone, at::time, '2026-01-01'
FROM (VALUES ('UTC', '08:59:30', 2), ('UTC', '09:00', 9), ('Europe/Berlin', '10:00', 5), ('Asia/Tokyo', '18:00', 4),
             ('Asia/Kathmandu', '14:44:59.999999', 3), ('America/New_York', '04:00:00.000001', 2)) AS v (zone, at, count)
CROSS JOIN LATERAL generate_series(1, count) AS n;
SELECT * FROM pg_temp.both_ways('2026-03-04 08:59+00', '2026-03-04 09:00+00');
SELECT scheduled_for, count(*) FROM checkins GROUP BY 1 ORDER BY 1;
DELETE FROM companion.users;

-- A jump, at which many readings are due at one instant, in the midst of others of that instant; a
-- jump over midnight; a date that is left out; clocks that go back.
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at)
SELECT zone || ' ' || at, zone, at::time, '2010-01-01'
FROM unnest('{Europe/Berlin,UTC,Asia/Tokyo,America/Nuuk,Pacific/Apia,Europe/London}'::text[]) AS zone
CROSS JOIN unnest('{00:00,00:30,01:00,01:30,02:00,02:15,02:30,02:59:59.999999,03:00,10:00,22:30,23:30}'::text[]) AS at
CROSS JOIN generate_series(1, 2);
SELECT * FROM pg_temp.both_ways('2026-03-28 23:00+00', '2026-03-29 03:00+00');
SELECT * FROM pg_temp.both_ways('2026-10-24 23:00+00', '2026-10-25 03:00+00');
SELECT * FROM pg_temp.both_ways('2024-03-30 20:00+00', '2024-03-31 04:00+00');
SELECT * FROM pg_temp.both_ways('2011-12-30 08:00+00', '2011-12-30 12:00+00');

-- Days of downtime: what is too late says so, and of what a user is due at once the latest is sent,
-- also where it is another batch's.
UPDATE companion.kinds SET send_within = '2d' WHERE kind = 'checkin';
SELECT * FROM pg_temp.both_ways('2026-10-22 23:00+00', '2026-10-25 03:00+00');
SELECT status, left(failure_reason, 5) AS reason, count(*) FROM checkins GROUP BY 1, 2 ORDER BY 1, 2;
UPDATE companion.kinds SET send_within = '4h' WHERE kind = 'checkin';
DELETE FROM companion.users;

-- In the midst of an instant: it is known up to whom.
SET companion.clock = '2026-03-04 09:00+00';
CREATE FUNCTION pg_temp.id(n integer) RETURNS uuid
RETURN ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid;
INSERT INTO companion.users (id, display_name, checkin_time, onboarding_completed_at)
SELECT pg_temp.id(n), n, '09:00', '2026-01-01' FROM generate_series(11, 18) AS n;
SELECT companion.rewind_dispatch('2026-03-04 08:00+00');
SELECT companion.dispatch(max_rows => 3) AS enqueued;
TABLE state;
SELECT name FROM checkins;
-- Meanwhile somebody comes to this instant before or behind that place, from another time or as a new
-- user; some leave it, for another time or for good.
UPDATE companion.users SET checkin_time = '12:00' WHERE display_name IN ('11', '17');
DELETE FROM companion.users WHERE display_name = '18';
INSERT INTO companion.users (id, display_name, timezone, checkin_time, onboarding_completed_at) VALUES
    (pg_temp.id(1), 'new', 'UTC', '09:00', '2026-01-01'),
    (pg_temp.id(2), 'new, behind it', 'Asia/Tokyo', '17:00:00.000001', '2026-01-01'),
    (pg_temp.id(19), 'new, and last', 'Europe/Berlin', '10:00', '2026-01-01');
-- A tick for what was before only looks again at those whom the batches do not come to.
SELECT companion.dispatch('2026-03-04 08:30+00') AS enqueued;
TABLE state;
SELECT name FROM checkins WHERE name LIKE 'new%';
SELECT companion.dispatch(max_rows => 3) AS enqueued;
INSERT INTO companion.users (id, display_name, checkin_time, onboarding_completed_at)
VALUES (pg_temp.id(3), 'newer', '09:00', '2026-01-01');
SELECT companion.dispatch(max_rows => 3) AS enqueued;
TABLE state;
SELECT companion.dispatch(max_rows => 3) AS "nothing left";
SELECT name, scheduled_for, status FROM checkins;
SELECT count(*) AS to_be_looked_at FROM companion.dispatch_recheck;
DELETE FROM companion.users;

-- A tick that is never gone on with: a later one goes on, and finds the rest late.
INSERT INTO companion.users (id, display_name, checkin_time, onboarding_completed_at)
SELECT pg_temp.id(n), n, '09:00', '2026-01-01' FROM generate_series(11, 14) AS n;
SELECT companion.rewind_dispatch('2026-03-04 08:00+00');
SELECT companion.dispatch(max_rows => 2) AS enqueued;
SET companion.clock = '2026-03-04 13:00:00.000001+00';
SELECT companion.dispatch(max_rows => 10) AS enqueued;
SELECT name, status, failure_reason FROM checkins;
TABLE state;
-- Nor is a place left where dispatch is set to another time.
SELECT companion.rewind_dispatch('2026-03-04 08:00+00');
SELECT companion.dispatch(max_rows => 1) AS enqueued;
TABLE state;
SELECT companion.rewind_dispatch('2026-03-04 08:30+00');
TABLE state;
DELETE FROM companion.users;

-- Of many who are to be looked at again the batches lose none.
INSERT INTO companion.users (display_name, checkin_time, onboarding_completed_at)
SELECT n, '09:00', '2026-01-01' FROM generate_series(1, 25000) AS n;
SET companion.clock = '2026-03-04 12:30+00';
SELECT companion.rewind_dispatch('2026-03-04 12:00+00');
INSERT INTO companion.dispatch_recheck (user_id, since) SELECT id, '2026-03-04 08:00+00' FROM companion.users;
SELECT companion.dispatch(max_rows => 10) AS enqueued;
SELECT count(*) AS to_be_looked_at FROM companion.dispatch_recheck;
DELETE FROM companion.users;

-- max_rows
SELECT pg_temp.error_of(format('SELECT companion.dispatch(max_rows => %s)', max_rows)) AS outcome
FROM (VALUES ('0'), ('-1'), ('NULL'), ('2147483647')) AS v (max_rows);

-- run_dispatch calls it until nothing is left.
INSERT INTO companion.users (id, display_name, checkin_time, onboarding_completed_at)
SELECT pg_temp.id(n), n, '09:00', '2026-01-01' FROM generate_series(11, 14) AS n;
SET companion.clock = '2026-03-05 09:00+00';
SELECT companion.rewind_dispatch('2026-03-05 08:00+00');
CALL companion.run_dispatch(max_rows => 3);
SELECT name, key FROM checkins;
TABLE state;
CALL companion.run_dispatch();
CALL companion.run_dispatch('2026-03-05 08:00+00');
SELECT companion.rewind_dispatch('2026-03-05 08:00+00');
CALL companion.run_dispatch(max_rows => NULL);
TABLE state;
-- It commits, so it is a command by itself; it has done nothing where it cannot.
SELECT companion.rewind_dispatch('2026-03-05 08:00+00');
\set VERBOSITY sqlstate
BEGIN;
CALL companion.run_dispatch();
ROLLBACK;
CREATE FUNCTION pg_temp.tick() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL companion.run_dispatch(); END $$;
SELECT pg_temp.tick();
CALL companion.run_dispatch(max_rows => 0);
CALL companion.run_dispatch('infinity');
SET ROLE companion_user;
CALL companion.run_dispatch();
RESET ROLE;
\set VERBOSITY default
TABLE state;
-- Its batches see what others have committed, whatever the session's transactions would.
CREATE FUNCTION public.tell_isolation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '%', current_setting('transaction_isolation');
    RETURN NULL;
END
$$;
GRANT EXECUTE ON FUNCTION public.tell_isolation() TO PUBLIC;
CREATE TRIGGER tell_isolation AFTER UPDATE ON companion.dispatch_state
FOR EACH STATEMENT EXECUTE FUNCTION public.tell_isolation();
SET default_transaction_isolation = serializable;
CALL companion.run_dispatch(max_rows => 3);
RESET default_transaction_isolation;
DROP FUNCTION public.tell_isolation() CASCADE;
SET ROLE companion_worker;
CALL companion.run_dispatch();
RESET ROLE;

-- Whoever moves their check-in while a tick is in progress gets it once, wherever the batches are.
DELETE FROM companion.users;
SET companion.clock = '2026-03-05 12:00+00';
INSERT INTO companion.users (id, display_name, checkin_time, onboarding_completed_at)
SELECT pg_temp.id(n), n, '08:00'::time + n * interval '10 min', '2026-01-01' FROM generate_series(1, 18) AS n;
SELECT companion.rewind_dispatch('2026-03-05 08:00+00');
SELECT companion.dispatch(max_rows => 6) AS enqueued;
TABLE state;
UPDATE companion.users SET checkin_time = '08:15' WHERE display_name = '12';
UPDATE companion.users SET checkin_time = '10:45' WHERE display_name = '3';
SELECT companion.dispatch(max_rows => 6) AS enqueued;
UPDATE companion.users SET checkin_time = '08:25' WHERE display_name = '17';
CALL companion.run_dispatch(max_rows => 6);
TABLE state;
SELECT display_name, count(m.id), min(scheduled_for) FROM companion.users AS u
LEFT JOIN companion.scheduled_messages AS m ON m.user_id = u.id AND m.local_date = '2026-03-05'
GROUP BY u.id HAVING count(m.id) <> 1 OR display_name IN ('3', '12', '17') ORDER BY u.id;

-- Triggers and policies of an operator's on the state.
CREATE FUNCTION public.round_down() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.previous_tick := date_trunc('hour', new.previous_tick) - interval '1 hour';
    RETURN new;
END
$$;
GRANT EXECUTE ON FUNCTION public.round_down() TO PUBLIC;
CREATE TRIGGER round_down BEFORE UPDATE ON companion.dispatch_state
FOR EACH ROW EXECUTE FUNCTION public.round_down();
SET companion.clock = '2026-03-05 12:01+00';
CALL companion.run_dispatch();
DROP FUNCTION public.round_down() CASCADE;
CREATE POLICY hidden ON companion.dispatch_state AS RESTRICTIVE TO companion_admin USING (false);
SET ROLE companion_admin;
CALL companion.run_dispatch();
SELECT count(*) AS seen FROM companion.dispatch_state;
RESET ROLE;
DROP POLICY hidden ON companion.dispatch_state;
TABLE state;
RESET companion.clock;
DELETE FROM companion.users;
