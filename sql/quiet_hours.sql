-- Quiet hours: a window of the wall clock, on every local day.
\i test/fresh.sql

-- Each case with the end of the quiet time, NULL where it is not quiet.
CREATE TEMP TABLE cases (about text, timezone text, quiet_from time, quiet_until time, at timestamptz, expected timestamptz);
INSERT INTO cases VALUES
    ('in the evening', 'Europe/Berlin', '22:00', '07:00', '2026-03-04 21:30+00', '2026-03-05 06:00+00'),
    ('after midnight', 'Europe/Berlin', '22:00', '07:00', '2026-03-05 02:00+00', '2026-03-05 06:00+00'),
    ('just before it', 'Europe/Berlin', '22:00', '07:00', '2026-03-04 20:59:59.999999+00', NULL),
    ('the first instant', 'Europe/Berlin', '22:00', '07:00', '2026-03-04 21:00+00', '2026-03-05 06:00+00'),
    ('the last instant', 'Europe/Berlin', '22:00', '07:00', '2026-03-05 05:59:59.999999+00', '2026-03-05 06:00+00'),
    ('its end', 'Europe/Berlin', '22:00', '07:00', '2026-03-05 06:00+00', NULL),
    ('within a day', 'America/New_York', '13:00', '15:00', '2026-03-04 19:00+00', '2026-03-04 20:00+00'),
    ('on another day', 'America/New_York', '13:00', '15:00', '2026-03-04 20:00+00', NULL),
    ('up to midnight', 'UTC', '20:00', '00:00', '2026-03-04 23:59:59.999999+00', '2026-03-05 00:00+00'),
    ('from midnight', 'UTC', '00:00', '06:00', '2026-03-05 00:00+00', '2026-03-05 06:00+00'),
    ('all day but a microsecond', 'UTC', '00:00', '23:59:59.999999', '2026-03-05 00:00+00', '2026-03-05 23:59:59.999999+00'),
    ('none', 'UTC', '09:00', '09:00', '2026-03-05 09:00+00', NULL),
    ('none', 'UTC', '00:00', '00:00', '2026-03-05 09:00+00', NULL),
    ('far east', 'Pacific/Kiritimati', '22:00', '07:00', '2026-03-04 08:00+00', '2026-03-04 17:00+00'),
    ('far west', 'Pacific/Pago_Pago', '22:00', '07:00', '2026-03-04 09:00+00', '2026-03-04 18:00+00'),
    ('a zone in any case', 'europe/BERLIN', '22:00', '07:00', '2026-03-04 21:30+00', '2026-03-05 06:00+00'),
    ('no abbreviation', 'CET', '22:00', '07:00', '2026-07-04 20:00+00', '2026-07-05 05:00+00'),
    ('a short night', 'Europe/Berlin', '22:00', '07:00', '2026-03-28 21:00+00', '2026-03-29 05:00+00'),
    ('it ends in the gap', 'Europe/Berlin', '22:00', '02:30', '2026-03-28 21:00+00', '2026-03-29 01:00+00'),
    ('it ends where the gap begins', 'Europe/Berlin', '22:00', '02:00', '2026-03-28 21:00+00', '2026-03-29 01:00+00'),
    ('it ends where the gap ends', 'Europe/Berlin', '22:00', '03:00', '2026-03-28 21:00+00', '2026-03-29 01:00+00'),
    ('it begins in the gap', 'Europe/Berlin', '02:30', '04:00', '2026-03-29 00:59:59.999999+00', NULL),
    ('it begins in the gap', 'Europe/Berlin', '02:30', '04:00', '2026-03-29 01:00+00', '2026-03-29 02:00+00'),
    ('all of it in the gap', 'Europe/Berlin', '02:15', '02:45', '2026-03-29 01:00+00', NULL),
    ('all that is not quiet in the gap', 'Europe/Berlin', '03:00', '02:00', '2026-03-28 12:00+00', '2026-03-30 00:00+00'),
    ('a long night', 'Europe/Berlin', '22:00', '07:00', '2026-10-24 20:00+00', '2026-10-25 06:00+00'),
    ('it ends in the overlap', 'Europe/Berlin', '22:00', '02:30', '2026-10-24 20:00+00', '2026-10-25 00:30+00'),
    ('after that', 'Europe/Berlin', '22:00', '02:30', '2026-10-25 00:30+00', NULL),
    ('it comes again', 'Europe/Berlin', '22:00', '02:30', '2026-10-25 01:00+00', '2026-10-25 01:30+00'),
    ('it ends as the clock is set back', 'Europe/Berlin', '22:00', '03:00', '2026-10-24 20:00+00', '2026-10-25 02:00+00'),
    ('it begins in the overlap', 'Europe/Berlin', '02:30', '07:00', '2026-10-25 00:30+00', '2026-10-25 01:00+00'),
    ('half an hour''s gap', 'Australia/Lord_Howe', '22:00', '02:15', '2026-10-03 15:00+00', '2026-10-03 15:30+00'),
    ('half an hour''s overlap', 'Australia/Lord_Howe', '22:00', '02:00', '2026-04-04 14:00+00', '2026-04-04 15:30+00'),
    ('no midnight', 'America/Havana', '20:00', '00:00', '2026-03-08 04:00+00', '2026-03-08 05:00+00'),
    ('the date is missing', 'Pacific/Apia', '22:00', '07:00', '2011-12-30 09:00+00', '2011-12-30 17:00+00'),
    ('the date is missing', 'Pacific/Apia', '20:00', '00:00', '2011-12-30 09:00+00', '2011-12-30 10:00+00'),
    ('the date is missing', 'Pacific/Apia', '12:00', '11:00', '2011-12-30 09:00+00', '2011-12-30 21:00+00'),
    ('the date is missing', 'Pacific/Kwajalein', '22:00', '07:00', '1993-08-21 11:00+00', '1993-08-21 19:00+00'),
    ('a day that came twice', 'Pacific/Kwajalein', '22:00', '23:59', '1969-09-30 12:00+00', '1969-09-30 12:59+00'),
    ('local mean time', 'Europe/Berlin', '22:00', '07:00', '1850-01-01 00:00+00', '1850-01-01 06:06:32+00'),
    ('far ahead, by the rule', 'Europe/Berlin', '22:00', '02:30', '2499-03-28 22:00+00', '2499-03-29 01:00+00');
SELECT about, timezone, quiet_from, quiet_until, at,
       companion.quiet_until(timezone, quiet_from, quiet_until, at) AS ends, expected
FROM cases
WHERE companion.quiet_until(timezone, quiet_from, quiet_until, at) IS DISTINCT FROM expected;
SELECT count(*) AS cases FROM cases;

-- As an independent implementation finds.
CREATE TEMP TABLE found (timezone text, quiet_from time, quiet_until time, at text, quiet_end text,
                         "offset" text, changes text);
\copy found FROM 'test/data/quiet_hours.tsv' WITH (FORMAT csv, DELIMITER E'\t', HEADER)
SELECT timezone, quiet_from, quiet_until, at, quiet_end, ends
FROM found CROSS JOIN LATERAL (
    SELECT companion.quiet_until(timezone, quiet_from, quiet_until, at::timestamp AT TIME ZONE 'UTC')) AS f (ends)
WHERE ends IS DISTINCT FROM quiet_end::timestamp AT TIME ZONE 'UTC';
SELECT count(*) > 2000 AS "many cases" FROM found;

-- NULL in, NULL out.
SELECT companion.quiet_until(NULL, '22:00', '07:00', now()) IS NULL
   AND companion.quiet_until('UTC', NULL, '07:00', now()) IS NULL
   AND companion.quiet_until('UTC', '00:00', NULL, now()) IS NULL
   AND companion.quiet_until('UTC', '00:00', '23:59', NULL) IS NULL AS null_in_null_out;

-- What is none.
SELECT arguments, pg_temp.error_of(format('SELECT companion.quiet_until(%s)', arguments)) AS outcome
FROM (VALUES ('''Moon/Base'', ''22:00'', ''07:00'', now()'), ('''UTC+2'', ''22:00'', ''07:00'', now()'),
             ('''UTC'', ''24:00'', ''07:00'', now()'), ('''UTC'', ''22:00'', ''24:00'', now()'),
             ('''UTC'', ''22:00'', ''07:00'', ''infinity'''), ('''UTC'', ''22:00'', ''07:00'', ''-infinity'''),
             ('''UTC'', ''22:00'', ''07:00'', ''294246-12-31 23:00+00'''), ('''UTC'', ''22:00'', ''07:00'', ''294247-01-04 23:00+00'''),
             ('''UTC'', ''12:00'', ''11:00'', ''4714-11-24 00:00+00 BC''')) AS v (arguments);

-- A user's own are theirs to set.
INSERT INTO companion.users (id, timezone) VALUES ('00000000-0000-0000-0000-000000000001', 'Europe/Berlin');
SELECT quiet_from, quiet_until FROM companion.users;
SET ROLE companion_user;
SET companion.user_id = '00000000-0000-0000-0000-000000000001';
UPDATE companion.users SET quiet_from = '22:00', quiet_until = '07:00';
SELECT quiet_from, quiet_until, companion.quiet_until(timezone, quiet_from, quiet_until, '2026-03-04 21:30+00') AS until
FROM companion.users;
SELECT pg_temp.error_of('UPDATE companion.users SET quiet_from = ''24:00''') AS "from", pg_temp.error_of('UPDATE companion.users SET quiet_until = ''24:00''') AS until;
UPDATE companion.users SET quiet_until = NULL;
SELECT companion.quiet_until(timezone, quiet_from, quiet_until, '2026-03-04 21:30+00') AS none FROM companion.users;
RESET ROLE;
RESET companion.user_id;
