-- Whom dispatch looks at again: users who were locked when a tick came to them, or changed in a
-- transaction that it could not see into. test/specs holds such transactions open.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
CREATE TEMP VIEW checkins AS
SELECT u.display_name AS name, m.idempotency_key AS key, m.scheduled_for, m.status, m.failure_reason
FROM companion.scheduled_messages AS m JOIN companion.users AS u ON u.id = m.user_id
ORDER BY m.scheduled_for, name, key;
CREATE TEMP VIEW rechecks AS
SELECT u.display_name AS name, r.since
FROM companion.dispatch_recheck AS r LEFT JOIN companion.users AS u ON u.id = r.user_id
ORDER BY r.id;

-- A user is noted when they can have check-ins and what decides when has changed, as from the last
-- tick, or from a minute ago where there was none.
INSERT INTO companion.users (id, display_name, checkin_time, onboarding_completed_at) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya', '09:00', '2026-01-01'),
    ('00000000-0000-0000-0000-000000000002', 'Diego', NULL, '2026-01-01'),
    ('00000000-0000-0000-0000-000000000003', 'Noor', '09:00', NULL);
SELECT * FROM rechecks;
-- The first tick covers the minute before it, for everybody.
SELECT companion.dispatch('2026-03-04 12:00+00') AS enqueued;
SELECT * FROM rechecks;
UPDATE companion.users SET location = 'Lima', checkin_time = '09:00' WHERE display_name = 'Maya';
SELECT * FROM rechecks;
UPDATE companion.users SET checkin_time = '09:30' WHERE display_name = 'Maya';
UPDATE companion.users SET timezone = 'europe/berlin' WHERE display_name = 'Maya';
UPDATE companion.users SET checkin_days = '{3,4}' WHERE display_name = 'Maya';
UPDATE companion.users SET checkin_paused_until = '2026-03-03' WHERE display_name = 'Maya';
UPDATE companion.users SET onboarding_completed_at = '2026-03-02' WHERE display_name = 'Maya';
UPDATE companion.users SET checkin_time = '10:00' WHERE display_name = 'Diego';
UPDATE companion.users SET onboarding_completed_at = '2026-03-02' WHERE display_name = 'Noor';
UPDATE companion.users SET checkin_time = NULL WHERE display_name = 'Noor';
SELECT * FROM rechecks;
SELECT companion.dispatch('2026-03-04 12:01+00') AS enqueued;
SELECT * FROM rechecks;
DELETE FROM companion.users;

-- What is looked at is the interval since the earliest note, by the rules for everybody. Who is gone
-- is forgotten, and who has no check-ins any more; of what is due at once only the latest is sent.
INSERT INTO companion.users (id, display_name, timezone, checkin_time, checkin_days, onboarding_completed_at,
    checkin_paused_until) VALUES
    ('00000000-0000-0000-0000-000000000001', 'just within', 'UTC', '08:00:00.000001', DEFAULT, '2026-01-01', NULL),
    ('00000000-0000-0000-0000-000000000002', 'covered before', 'UTC', '08:00', DEFAULT, '2026-01-01', NULL),
    ('00000000-0000-0000-0000-000000000003', 'due now as well', 'UTC', '12:02', DEFAULT, '2026-01-01', NULL),
    ('00000000-0000-0000-0000-000000000004', 'not due yet', 'UTC', '12:03', DEFAULT, '2026-01-01', NULL),
    ('00000000-0000-0000-0000-000000000005', 'evening there', 'Asia/Tokyo', '18:00', DEFAULT, '2026-01-01', NULL),
    ('00000000-0000-0000-0000-000000000006', 'another weekday', 'UTC', '10:00', '{1,2,4,5,6,7}', '2026-01-01', NULL),
    ('00000000-0000-0000-0000-000000000007', 'paused', 'UTC', '10:00', DEFAULT, '2026-01-01', '2026-03-04 11:00+00'),
    ('00000000-0000-0000-0000-000000000008', 'opted out', 'UTC', NULL, DEFAULT, '2026-01-01', NULL),
    ('00000000-0000-0000-0000-000000000009', 'two days', 'UTC', '10:00', DEFAULT, '2026-01-01', NULL);
DELETE FROM companion.dispatch_recheck;
INSERT INTO companion.dispatch_recheck (user_id, since)
SELECT id, CASE display_name WHEN 'two days' THEN timestamptz '2026-03-03 00:00+00'
    ELSE '2026-03-04 08:00+00' END
FROM companion.users;
INSERT INTO companion.dispatch_recheck (user_id, since) VALUES
    ('00000000-0000-0000-0000-000000000001', '2026-03-04 11:00+00'),
    ('00000000-0000-0000-0000-00000000000a', '2026-03-04 08:00+00');
UPDATE companion.kinds SET send_within = '2d' WHERE kind = 'checkin';
SELECT companion.dispatch('2026-03-04 12:02+00') AS enqueued;
SELECT * FROM checkins;
SELECT * FROM rechecks;
UPDATE companion.kinds SET send_within = '4h' WHERE kind = 'checkin';

-- What is found too late is recorded as skipped. In a zone that the server does not know nobody is due.
UPDATE companion.users SET checkin_time = '05:00' WHERE display_name = 'not due yet';
INSERT INTO companion.dispatch_recheck (user_id, since)
SELECT id, '2026-03-04 04:00+00' FROM companion.users WHERE display_name IN ('not due yet', 'evening there');
DELETE FROM companion.scheduled_messages;
SET session_replication_role = replica;
UPDATE companion.users SET timezone = 'Atlantic/Atlantis' WHERE display_name = 'evening there';
RESET session_replication_role;
SELECT companion.dispatch('2026-03-04 12:02:30+00') AS enqueued;
SELECT * FROM checkins;
SELECT * FROM rechecks;
DELETE FROM companion.users;

-- To set dispatch back, or ahead, is to cover everybody from then on, and nothing before.
INSERT INTO companion.users (display_name, checkin_time, onboarding_completed_at)
VALUES ('Maya', '12:03', '2026-01-01');
SELECT companion.rewind_dispatch('2026-03-04 12:04+00');
SELECT * FROM rechecks;
SELECT companion.dispatch('2026-03-04 12:05+00') AS enqueued;
DELETE FROM companion.users;

-- Many at once: an import, or a restore, notes each of its users.
INSERT INTO companion.users (timezone, checkin_time, onboarding_completed_at)
SELECT name, '12:00', '2026-01-01' FROM pg_timezone_names CROSS JOIN generate_series(1, 20)
WHERE name ~ '^(Europe|America)/';
SELECT companion.rewind_dispatch('2026-03-04 08:00+00');
UPDATE companion.users SET checkin_time = '11:30';
SELECT count(*) = (SELECT count(*) FROM companion.users) AS all_noted FROM companion.dispatch_recheck;
SET companion.clock = '2026-03-04 18:00+00';
UPDATE companion.kinds SET send_within = '12h' WHERE kind = 'checkin';
SELECT companion.dispatch() = count(*) AS all_found FROM companion.users
WHERE companion.checkin_instant(timezone, '2026-03-04', '11:30')
    BETWEEN '2026-03-04 08:00:00.000001+00' AND '2026-03-04 18:00+00';
SELECT count(*) FROM rechecks;
UPDATE companion.kinds SET send_within = '4h' WHERE kind = 'checkin';

-- The trigger is one, and for users alone.
CREATE TABLE other (name text);
CREATE TRIGGER wrong BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION companion.recheck_user();
SELECT pg_temp.error_of('INSERT INTO other VALUES (''x'')');
DROP TRIGGER wrong ON other;
CREATE TRIGGER wrong AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION companion.recheck_user();
SELECT pg_temp.error_of('INSERT INTO other VALUES (''x'')');
DROP TABLE other;

-- What the rules ask: the check-ins that are due after one time and up to another.
SELECT d.* FROM companion.checkins_due('Europe/Berlin', '02:30', '{6,7}',
    '2026-03-21 01:30+00', '2026-03-29 01:00+00') AS d;
SELECT d.* FROM companion.checkins_due('Pacific/Apia', '09:00', '{4,5,6}',
    '2011-12-29 00:00+00', '2011-12-31 20:00+00') AS d;
SELECT after, until, pg_temp.error_of(format(
    'SELECT companion.checkins_due(''UTC'', ''09:00'', ''{1}'', %L, %L)', after, until)) AS outcome
FROM (VALUES ('-infinity', '2026-01-01'), ('2026-01-01', 'infinity'), ('2026-01-02', '2026-01-01')) AS v (after, until);
