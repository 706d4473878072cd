-- Local time: when a clock in a zone first reads a time on a date.
\i test/fresh.sql

-- Each case with the instant it is expected at, NULL where that day has none.
CREATE TEMP TABLE cases (about text, timezone text, local_date date, local_time time, expected timestamptz);
INSERT INTO cases VALUES
    ('no change of clocks', 'UTC', '2026-03-01', '09:00', '2026-03-01 09:00+00'),
    ('no change of clocks', 'Asia/Tokyo', '2026-03-01', '09:00', '2026-03-01 00:00+00'),
    ('a quarter-hour zone', 'Asia/Kathmandu', '2026-03-01', '09:00', '2026-03-01 03:15+00'),
    ('the furthest east', 'Pacific/Kiritimati', '2026-03-01', '00:00', '2026-02-28 10:00+00'),
    ('the furthest west', 'Pacific/Pago_Pago', '2026-03-01', '23:59', '2026-03-02 10:59+00'),
    ('microseconds', 'Europe/Berlin', '2026-01-15', '08:59:59.999999', '2026-01-15 07:59:59.999999+00'),
    ('before the gap', 'Europe/Berlin', '2026-03-29', '01:59:59.999999', '2026-03-29 00:59:59.999999+00'),
    ('the gap begins', 'Europe/Berlin', '2026-03-29', '02:00', '2026-03-29 01:00+00'),
    ('in the gap', 'Europe/Berlin', '2026-03-29', '02:30', '2026-03-29 01:00+00'),
    ('in the gap', 'Europe/Berlin', '2026-03-29', '02:59:59.999999', '2026-03-29 01:00+00'),
    ('after the gap', 'Europe/Berlin', '2026-03-29', '03:00', '2026-03-29 01:00+00'),
    ('before the overlap', 'Europe/Berlin', '2026-10-25', '01:59:59.999999', '2026-10-24 23:59:59.999999+00'),
    ('first of two', 'Europe/Berlin', '2026-10-25', '02:00', '2026-10-25 00:00+00'),
    ('first of two', 'Europe/Berlin', '2026-10-25', '02:59:59.999999', '2026-10-25 00:59:59.999999+00'),
    ('after the overlap', 'Europe/Berlin', '2026-10-25', '03:00', '2026-10-25 02:00+00'),
    ('in the gap', 'America/New_York', '2026-03-08', '02:30', '2026-03-08 07:00+00'),
    ('first of two', 'America/New_York', '2026-11-01', '01:30', '2026-11-01 05:30+00'),
    ('in the gap, south', 'Australia/Sydney', '2026-10-04', '02:15', '2026-10-03 16:00+00'),
    ('a gap of half an hour', 'Australia/Lord_Howe', '2026-10-04', '02:15', '2026-10-03 15:30+00'),
    ('after it', 'Australia/Lord_Howe', '2026-10-04', '02:30', '2026-10-03 15:30+00'),
    ('an overlap of half an hour', 'Australia/Lord_Howe', '2026-04-05', '01:45', '2026-04-04 14:45+00'),
    ('after it', 'Australia/Lord_Howe', '2026-04-05', '02:00', '2026-04-04 15:30+00'),
    ('a gap of two hours', 'Antarctica/Troll', '2026-03-29', '02:30', '2026-03-29 01:00+00'),
    ('an overlap of two hours', 'Antarctica/Troll', '2026-10-25', '01:30', '2026-10-24 23:30+00'),
    ('no midnight', 'America/Havana', '2026-03-08', '00:00', '2026-03-08 05:00+00'),
    ('no midnight', 'America/Havana', '2026-03-08', '00:59', '2026-03-08 05:00+00'),
    ('no midnight', 'Africa/Cairo', '2026-04-24', '00:30', '2026-04-23 22:00+00'),
    ('two midnights', 'America/Havana', '2025-11-02', '00:00', '2025-11-02 04:00+00'),
    ('a gap up to midnight', 'America/Nuuk', '2024-03-30', '23:30', '2024-03-31 01:00+00'),
    ('the day before is longer', 'America/Nuuk', '2024-10-26', '23:30', '2024-10-27 00:30+00'),
    ('a gap at night', 'Asia/Gaza', '2024-04-20', '02:30', '2024-04-20 00:00+00'),
    ('the date is missing', 'Pacific/Apia', '2011-12-30', '00:00', NULL),
    ('the date is missing', 'Pacific/Apia', '2011-12-30', '09:00', NULL),
    ('the date is missing', 'Pacific/Apia', '2011-12-30', '23:59:59.999999', NULL),
    ('the day before it', 'Pacific/Apia', '2011-12-29', '23:59', '2011-12-30 09:59+00'),
    ('the day after it', 'Pacific/Apia', '2011-12-31', '00:00', '2011-12-30 10:00+00'),
    ('the date is missing', 'Pacific/Kwajalein', '1993-08-21', '12:00', NULL),
    ('the day after it', 'Pacific/Kwajalein', '1993-08-22', '00:00', '1993-08-21 12:00+00'),
    ('the date is missing', 'Pacific/Kiritimati', '1994-12-31', '12:00', NULL),
    ('a day that came twice', 'Pacific/Kwajalein', '1969-09-30', '12:00', '1969-09-30 01:00+00'),
    ('a zone that changed for good', 'Asia/Pyongyang', '2018-05-04', '23:45', '2018-05-04 15:00+00'),
    ('a zone that changed for good', 'America/Caracas', '2016-05-01', '02:45', '2016-05-01 07:00+00'),
    ('Ramadan in Morocco', 'Africa/Casablanca', '2026-02-15', '02:30', '2026-02-15 01:30+00'),
    ('New Year', 'Pacific/Auckland', '2027-01-01', '00:00', '2026-12-31 11:00+00'),
    ('New Year''s Eve', 'Pacific/Honolulu', '2026-12-31', '23:59:59.999999', '2027-01-01 09:59:59.999999+00'),
    ('a leap day', 'Europe/London', '2028-02-29', '09:00', '2028-02-29 09:00+00'),
    ('local mean time', 'Europe/Berlin', '1850-01-01', '09:00', '1850-01-01 08:06:32+00'),
    ('far ahead, by the rule', 'Europe/Berlin', '2499-03-29', '02:30', '2499-03-29 01:00+00'),
    ('24:00 is the next midnight', 'Europe/Berlin', '2026-01-15', '24:00', '2026-01-15 23:00+00');
SELECT about, timezone, local_date, local_time,
       companion.checkin_instant(timezone, local_date, local_time) AS instant, expected
FROM cases
WHERE companion.checkin_instant(timezone, local_date, local_time) IS DISTINCT FROM expected;
SELECT count(*) AS cases,
       count(*) FILTER (WHERE (local_date + local_time) AT TIME ZONE timezone IS DISTINCT FROM expected)
           AS wrong_by_at_time_zone
FROM cases;

-- NULL in, NULL out.
SELECT companion.checkin_instant(NULL, '2026-01-01', '09:00') IS NULL
   AND companion.checkin_instant('UTC', NULL, '09:00') IS NULL
   AND companion.checkin_instant('UTC', '2026-01-01', NULL) IS NULL AS null_in_null_out;

-- What a clock in the zone reads. A name is always the zone's: to AT TIME ZONE these are abbreviations
-- first, which know no summer time, and a caller may change what they are.
SELECT name, companion.local_timestamp(name, '2026-07-01 22:30+00') AS summer,
       companion.local_timestamp(name, '2026-01-01 22:30+00') AS winter
FROM (VALUES ('CET'), ('EET'), ('MET'), ('wet'), ('EST5EDT'), ('EST'), ('Europe/Berlin')) AS v (name);
SET timezone_abbreviations = 'India';
SELECT companion.local_timestamp('EST', '2026-07-01 22:30+00');
RESET timezone_abbreviations;
SELECT count(*) AS "other than AT TIME ZONE"
FROM cases CROSS JOIN LATERAL (
    SELECT companion.checkin_instant(timezone, local_date, local_time) AS at) AS due
WHERE companion.local_timestamp(timezone, at) IS DISTINCT FROM at AT TIME ZONE timezone;
SELECT companion.local_timestamp('CET', 'infinity') AS never, companion.local_timestamp('CET', '-infinity') AS before,
       companion.local_timestamp(NULL, now()) IS NULL AND companion.local_timestamp('CET', NULL) IS NULL AS null_in_null_out;
SELECT zone, pg_temp.error_of(format('SELECT companion.local_timestamp(%L, %L)', zone, at))
FROM (VALUES ('CEST', '2026-07-01 00:00+00'), ('Moon/Base', 'infinity'), ('Asia/Tokyo', '294276-12-31 23:59+00'),
             ('America/New_York', '4714-11-24 00:00+00 BC')) AS v (zone, at);

-- Dates without an instant.
SELECT zone, local_date, pg_temp.error_of(format('SELECT companion.checkin_instant(%L, %L, %L)', zone, local_date, local_time))
FROM (VALUES ('UTC', 'infinity', '09:00'), ('UTC', '-infinity', '09:00'),
             ('UTC', '294276-12-31', '09:00'), ('UTC', '5874897-12-31', '09:00'),
             ('UTC', '4714-11-24 BC', '00:00'), ('Asia/Tokyo', '4714-11-24 BC', '00:00')) AS v (zone, local_date, local_time);

-- Zones are IANA names, in any case, and stored in their own spelling.
SELECT name, companion.canonical_timezone(name) AS stored
FROM (VALUES ('Europe/Berlin'), ('europe/berlin'), ('EUROPE/BERLIN'), ('america/port-au-prince'),
             ('utc'), ('etc/gmt+5'), ('gmt0'), ('est5edt'), ('us/eastern'), ('america/argentina/comodrivadavia')) AS v (name);
INSERT INTO companion.users (display_name, timezone) VALUES ('Maya', 'america/NEW_YORK');
SELECT timezone FROM companion.users;
UPDATE companion.users SET timezone = 'asia/tokyo';
SELECT timezone FROM companion.users;

-- Everything reads a user's zone like this: who had the check-in of July 2 at half past midnight in
-- Berlin, and is in CET from then on, has had it; and the message, the conversation and the follow-up
-- of that half hour are of July 2.
SET companion.clock = '2026-07-01 22:30+00';
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at)
VALUES ('Berlin, then CET', 'Europe/Berlin', '00:30', '2026-01-01') RETURNING id AS cet \gset
SELECT companion.rewind_dispatch('2026-07-01 22:00+00');
SELECT companion.dispatch() AS enqueued;
UPDATE companion.users SET timezone = 'CET', checkin_time = '09:00' WHERE id = :'cet';
SELECT message_id = (SELECT id FROM companion.scheduled_messages) AS "that of July 2", created
FROM companion.schedule_message(:'cet', companion.now(), NULL, 'checkin');
SELECT message_id AS note FROM companion.schedule_message(:'cet', companion.now(), 'Hello') \gset
SELECT local_date FROM companion.scheduled_messages WHERE id = :'note';
SELECT FROM companion.open_conversation(:'cet', 'web');
SELECT local_date, by_user FROM companion.conversation_starts;
SELECT FROM companion.open_conversation(:'cet', 'web', 'companion', '0');
SELECT local_date FROM companion.companion_starts;
SELECT FROM companion.upsert_user_context(:'cet', 'follow_up', 'interview', 'How was it?', metadata => '{"follow_up_on": "2026-07-02"}');
SELECT key FROM companion.due_follow_ups(:'cet');
SET companion.clock = '2026-07-02 22:30+00';
SELECT companion.dispatch() AS "enqueued again on July 2";
UPDATE companion.scheduled_messages SET status = 'sent', sent_at = '2026-07-01 22:30+00', finished_at = '2026-07-01 22:30+00'
WHERE kind = 'checkin';
SELECT companion.sent_today(:'cet', 'checkin', '2026-07-02 21:59+00') AS on_july_2,
       companion.sent_today(:'cet', 'checkin', '2026-07-01 21:59+00') AS on_july_1;
DELETE FROM companion.users WHERE id = :'cet';
RESET companion.clock;

-- A made-up zone is refused with a hint, and so is a POSIX specification: what looks
-- like a name could mean anything, and 'UTC+2' is two hours west.
SELECT name, pg_temp.error_of(format('SELECT companion.canonical_timezone(%L)', name)) AS outcome
FROM (VALUES ('Moon/Base'), (''), (' '), ('Berlin'), ('CEST'), ('+02'), ('2'), ('UTC+2'), ('EST5'),
             ('EST5EDT4'), ('EST5EDT,M3.2.0,M11.1.0'), ('<EST>5'), ('<+02>-2'), ('Europe/Berlin5'),
             ('Etc/GMT+99'), ('Europe/Berlin-1Foo'), ('localtime'), ('posixrules'), ('Factory'),
             ('posix/Europe/Berlin'), ('right/Europe/Berlin'), ('Europe'), ('Europe/'), ('/etc/localtime'),
             ('../Europe/Berlin'), ('Europe/Berlin '), ('Europe/Berlin/x')) AS v (name);
SELECT pg_temp.error_of(format('SELECT companion.canonical_timezone(%L)', repeat('Europe/', 1000))) LIKE '22023 |%' AS too_long;
SELECT pg_temp.error_of('UPDATE companion.users SET timezone = ''UTC+2''');
SELECT pg_temp.error_of('SELECT companion.checkin_instant(''Moon/Base'', ''2026-01-01'', ''09:00'')');

-- Every zone that the server lists is accepted, but for the aliases of a machine.
SELECT name AS refused FROM pg_timezone_names
WHERE name NOT LIKE 'posix/%' AND name NOT LIKE 'right/%' AND name NOT IN ('localtime', 'posixrules', 'Factory')
    AND pg_temp.error_of(format('SELECT companion.canonical_timezone(%L)', name)) <> 'none';

-- A zone whose name looks like a specification costs no more than another.
SET statement_timeout = '30s';
SELECT count(companion.checkin_instant('EST5EDT', date '2026-01-01' + n, '09:00')) AS instants
FROM generate_series(1, 5000) AS n;
-- Nor does one that is none: the zone files are read once, and specifications, of which there is no
-- end, are not kept in memory.
SELECT pg_temp.error_of('SELECT companion.canonical_timezone(''ABC5'')');
SELECT sum(total_bytes) AS before FROM pg_backend_memory_contexts \gset
SELECT count(*) AS refused FROM generate_series(1, 5000) AS n
WHERE pg_temp.error_of(format('SELECT companion.canonical_timezone(%L)', translate(n::text, '0123456789', 'ABCDEFGHIJ') || 'XYZ5')) LIKE '22023 |%';
SELECT sum(total_bytes) - :before < 1000000 AS forgotten FROM pg_backend_memory_contexts;
RESET statement_timeout;

-- The trigger belongs on a table with a timezone.
CREATE TEMP TABLE other (n integer);
CREATE TRIGGER canonicalize_timezone BEFORE INSERT ON other
FOR EACH ROW EXECUTE FUNCTION companion.canonicalize_timezone();
INSERT INTO other VALUES (1);
SELECT pg_temp.error_of('SELECT companion.canonicalize_timezone()');
-- Put on another table, it looks at what the column is.
CREATE TABLE public.places (timezone integer, updated_at text);
CREATE TRIGGER canonicalize_timezone BEFORE INSERT ON public.places
FOR EACH ROW EXECUTE FUNCTION companion.canonicalize_timezone();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.places
FOR EACH ROW EXECUTE FUNCTION companion.set_updated_at();
SELECT pg_temp.error_of('INSERT INTO public.places VALUES (1)');
ALTER TABLE public.places DISABLE TRIGGER canonicalize_timezone;
INSERT INTO public.places VALUES (1);
SELECT pg_temp.error_of('UPDATE public.places SET timezone = 2');
DROP TABLE public.places;
