-- Dispatch: a tick finds who is due since the last one, and enqueues each check-in once.
\i test/fresh.sql
SET companion.clock = '2026-03-02 09:00+00';
CREATE TEMP VIEW checkins AS
SELECT u.display_name AS name, m.idempotency_key AS key, m.timezone, m.scheduled_for, m.status,
    m.failure_reason
FROM companion.scheduled_messages AS m JOIN companion.users AS u ON u.id = m.user_id
ORDER BY m.scheduled_for, name, key;
-- Hourly ticks up to a time; returns how many check-ins they enqueued.
CREATE FUNCTION pg_temp.tick_until(until timestamptz) RETURNS bigint
BEGIN ATOMIC
    SELECT sum(companion.dispatch(at))
    FROM (SELECT at FROM generate_series((SELECT previous_tick FROM companion.dispatch_state),
        until, '1 hour') AS at) AS hours;
END;

-- The first tick ever covers the minute before it; (previous tick, now], half open:
-- who is due at the tick's very instant is in, and in the next no more.
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at) VALUES
    ('a minute early', 'UTC', '08:59', '2026-01-01'),
        ('just within', 'UTC', '08:59:00.000001', '2026-01-01'),
    ('at the tick', 'UTC', '09:00', '2026-01-01'),
        ('after it', 'UTC', '09:00:00.000001', '2026-01-01'),
    ('at the next', 'UTC', '09:01', '2026-01-01'),
        ('Berlin', 'Europe/Berlin', '10:00:30', '2026-01-01');
SELECT companion.dispatch('2026-03-02 09:00+00') AS enqueued;
SELECT name, key, scheduled_for, status FROM checkins;
SELECT companion.dispatch('2026-03-02 09:01+00') AS enqueued;
SELECT name, scheduled_for FROM checkins WHERE scheduled_for > '2026-03-02 09:00+00';

-- The same tick again, or an earlier one, does nothing; at defaults to companion.now().
SELECT companion.dispatch('2026-03-02 09:01+00') AS again,
    companion.dispatch('2026-03-02 08:00+00') AS before,
       (SELECT previous_tick FROM companion.dispatch_state) AS previous_tick;
SET companion.clock = '2026-03-02 09:02+00';
SELECT companion.dispatch() AS enqueued,
    (SELECT previous_tick FROM companion.dispatch_state) AS previous_tick;
SELECT pg_temp.error_of('SELECT companion.dispatch(' || at || ')') AS outcome
FROM (VALUES ('''infinity'''), ('''-infinity'''), ('NULL'), ('''soon'''),
    ('''2026-02-30''')) AS v (at);

-- A rewound interval is run again, and the guard refuses what was enqueued before.
SELECT pg_temp.error_of('SELECT companion.rewind_dispatch(' || at || ')') AS outcome
FROM (VALUES ('''infinity'''), ('''-infinity'''), ('NULL')) AS v (at);
SELECT companion.rewind_dispatch('2026-03-02 08:00+00');
SELECT companion.dispatch('2026-03-02 09:01+00') AS enqueued;
SELECT name, scheduled_for FROM checkins WHERE scheduled_for < '2026-03-02 08:59:00.000001+00';
DELETE FROM companion.users;

-- After downtime nothing is lost: each has its exact instant. What is found more than
-- its kind's send_within late is recorded as skipped, with the reason.
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at) VALUES
    ('too late', 'UTC', '05:59:59.999999', '2026-01-01'),
        ('just in time', 'UTC', '06:00', '2026-01-01'),
    ('in time', 'Asia/Kolkata', '13:30', '2026-01-01');
SELECT companion.rewind_dispatch('2026-03-02 09:59+00');
SET companion.clock = '2026-03-04 10:00+00';
SELECT companion.dispatch() AS enqueued;
SELECT name, key, scheduled_for, status, failure_reason FROM checkins;
SELECT count(*) AS queued,
    count(*) FILTER (WHERE q.send_before = m.scheduled_for + interval '4 hours') AS to_be_sent_in_time
FROM companion.dispatch_queue AS q JOIN companion.scheduled_messages AS m ON m.id = q.message_id;
UPDATE companion.kinds SET send_within = '1h' WHERE kind = 'checkin';
SELECT companion.dispatch('2026-03-05 08:30+00') AS enqueued;
SELECT name, key, status, failure_reason FROM checkins WHERE scheduled_for > '2026-03-04 12:00+00';
UPDATE companion.kinds SET send_within = '4h' WHERE kind = 'checkin';
DELETE FROM companion.users;

-- Who gets none: opted out, not onboarded (or not yet, at that time), paused, or not on
-- this weekday (2026-03-04 is a Wednesday, ISO weekday 3).
INSERT INTO companion.users (display_name, checkin_time, onboarding_completed_at,
    checkin_paused_until, checkin_days) VALUES
    ('gets one', '09:00', '2026-01-01', NULL, '{3}'),
    ('opted out', NULL, '2026-01-01', NULL, DEFAULT),
    ('not onboarded', '09:00', NULL, NULL, DEFAULT),
    ('onboarded later', '09:00', '2026-03-04 09:00:00.000001+00', NULL, DEFAULT),
    ('onboarded just then', '09:00', '2026-03-04 09:00+00', NULL, DEFAULT),
    ('paused', '09:00', '2026-01-01', '2026-03-04 09:00:00.000001+00', DEFAULT),
    ('paused until then', '09:00', '2026-01-01', '2026-03-04 09:00+00', DEFAULT),
    ('paused for ever', '09:00', '2026-01-01', 'infinity', DEFAULT),
    ('other weekdays', '09:00', '2026-01-01', NULL, '{1,2,4,5,6,7}'),
    ('no weekday', '09:00', '2026-01-01', NULL, '{}');
SELECT companion.rewind_dispatch('2026-03-04 08:00+00');
SELECT companion.dispatch('2026-03-04 10:00+00') AS enqueued;
SELECT name, key FROM checkins;
-- The weekday is the user's own: in Auckland it is Thursday already.
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at,
    checkin_days) VALUES
    ('Thursday there', 'Pacific/Auckland', '01:00', '2026-01-01', '{4}'),
    ('Wednesday there', 'Pacific/Auckland', '01:00', '2026-01-01', '{3}');
SELECT companion.dispatch('2026-03-04 13:00+00') AS enqueued;
SELECT name, key FROM checkins WHERE timezone = 'Pacific/Auckland';
DELETE FROM companion.users;

-- The channel: the preferred one where it is usable, else the first of telegram, whatsapp, web. E-mail
-- is for those who prefer it.
INSERT INTO companion.users (display_name, onboarding_completed_at, preferred_channel,
    telegram_user_id, whatsapp_number, email) VALUES
    ('nothing known', '2026-01-01', NULL, NULL, NULL, 'nothing@example.org'),
    ('telegram known', '2026-01-01', NULL, 1, '+491511234561', NULL),
    ('whatsapp known', '2026-01-01', NULL, NULL, '+491511234562', NULL),
    ('prefers whatsapp', '2026-01-01', 'whatsapp', 2, '+491511234563', NULL),
    ('prefers web', '2026-01-01', 'web', 3, '+491511234564', NULL),
    ('prefers e-mail', '2026-01-01', 'email', 7, NULL, 'Maya@Example.org'),
    ('prefers telegram, unknown', '2026-01-01', 'telegram', NULL, '+491511234565', NULL),
    ('prefers telegram, disabled', '2026-01-01', 'telegram', 4, '+491511234566', NULL),
    ('prefers whatsapp, disabled', '2026-01-01', 'whatsapp', 5, '+491511234567', NULL),
    ('all disabled', '2026-01-01', 'telegram', 6, '+491511234568', NULL);
SELECT display_name, array_agg(companion.disable_address(a.user_id, a.channel, a.address)) AS disabled
FROM companion.addresses AS a JOIN companion.users AS u ON u.id = a.user_id
WHERE display_name = 'all disabled' OR display_name = 'prefers ' || channel || ', disabled'
GROUP BY display_name ORDER BY display_name;
SELECT companion.rewind_dispatch('2026-03-04 08:00+00');
SELECT companion.dispatch('2026-03-04 09:00+00') AS enqueued;
SELECT u.display_name, m.channel, companion.channel_address(u, m.channel) IS NOT DISTINCT
    FROM u.id::text AS address_is_id
FROM companion.scheduled_messages AS m JOIN companion.users AS u ON u.id = m.user_id
    ORDER BY u.telegram_user_id NULLS FIRST, 1;
DELETE FROM companion.users;

-- A changed time, zone or pause counts from the next tick; a day that had its check-in has no other.
INSERT INTO companion.users (display_name, checkin_time, onboarding_completed_at) VALUES
    ('later', '09:00', '2026-01-01'), ('later again', '08:00', '2026-01-01'),
        ('earlier', '12:00', '2026-01-01');
SELECT companion.rewind_dispatch('2026-03-04 07:00+00');
SELECT companion.dispatch('2026-03-04 08:30+00') AS enqueued;
UPDATE companion.users SET checkin_time = '10:00' WHERE display_name IN ('later', 'later again');
UPDATE companion.users SET checkin_time = '08:15' WHERE display_name = 'earlier';
SELECT companion.dispatch('2026-03-04 12:30+00') AS enqueued;
SELECT name, key, scheduled_for FROM checkins;
DELETE FROM companion.users;

-- Two check-ins closer than companion.min_gap: the second is skipped, with the reason.
INSERT INTO companion.users (display_name, checkin_time, onboarding_completed_at) VALUES
    ('23:00, then 04:59', '23:00', '2026-01-01'), ('23:00, then 05:00', '23:00', '2026-01-01');
SELECT companion.rewind_dispatch('2026-03-04 22:00+00');
SELECT companion.dispatch('2026-03-04 23:00+00') AS enqueued;
UPDATE companion.users SET checkin_time = right(display_name, 5)::time;
SELECT companion.dispatch('2026-03-05 06:00+00') AS enqueued;
SELECT name, key, scheduled_for, status, failure_reason FROM checkins;
SET companion.min_gap = 0;
UPDATE companion.users SET checkin_time = '23:59';
SELECT companion.dispatch('2026-03-06 23:59+00') AS enqueued;
UPDATE companion.users SET checkin_time = '00:00';
SELECT companion.dispatch('2026-03-07 00:00+00') AS "enqueued without a gap";
-- Nor is there one after the hour at which the one before was sent, however late that was.
UPDATE companion.users SET checkin_time = '23:59';
SET companion.clock = '2026-03-08 23:59+00';
SELECT companion.dispatch() AS enqueued;
SET companion.clock = '2026-03-09 01:00+00';
SELECT count(*) FILTER (WHERE companion.start_send(user_id, message_id, attempt)) AS started FROM companion.claim_messages('w');
SELECT count(*) FILTER (WHERE companion.mark_sent(user_id, message_id, attempt, 'hello')) AS sent FROM companion.dispatch_queue;
UPDATE companion.users SET checkin_time = '00:30';
SELECT companion.dispatch() AS enqueued;
SELECT key, status, failure_reason FROM checkins WHERE scheduled_for > '2026-03-08 12:00+00';
SET companion.clock = '2026-03-04 10:00+00';
RESET companion.min_gap;
DELETE FROM companion.users;

-- Of what one user is due at once, after thirty hours or three days, only the latest is sent: the
-- others would go out in the same minute. A later one that is not due, since its day is none of the
-- user's, holds nothing up; nor does any where there need be no gap.
INSERT INTO companion.users (display_name, checkin_time, onboarding_completed_at, checkin_days) VALUES
    ('daily', '09:00', '2026-01-01', DEFAULT), ('afternoons', '15:00', '2026-01-01', DEFAULT),
    ('Tuesdays', '09:00', '2026-01-01', '{2}');
SET companion.clock = '2026-03-04 14:00+00';
UPDATE companion.kinds SET send_within = '2d' WHERE kind = 'checkin';
SELECT companion.rewind_dispatch('2026-03-03 08:00+00');
SELECT companion.dispatch() AS enqueued;
SELECT name, key, status, failure_reason FROM checkins;
UPDATE companion.kinds SET send_within = '4d' WHERE kind = 'checkin';
SET companion.clock = '2026-03-07 14:00+00';
SELECT companion.dispatch() AS "after three days";
SELECT name, key, status, failure_reason FROM checkins WHERE scheduled_for > '2026-03-04 14:00+00';
SET companion.min_gap = 0;
SET companion.clock = '2026-03-09 14:00+00';
SELECT companion.dispatch() AS "without a gap";
SELECT name, key, status, failure_reason FROM checkins WHERE scheduled_for > '2026-03-07 14:00+00';
RESET companion.min_gap;
UPDATE companion.kinds SET send_within = '4h' WHERE kind = 'checkin';
DELETE FROM companion.users;
SET companion.clock = '2026-03-04 10:00+00';

-- Travel. A user whose local day, as now seen, had its check-in gets no second one that day,
-- whichever way they went; the next day's comes as ever. (What is pending still is in
-- changes_of_mind.sql; here it has been sent.)
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at) VALUES
    ('Berlin to New York', 'Europe/Berlin', '09:00', '2026-01-01'),
    ('New York to Berlin', 'America/New_York', '09:00', '2026-01-01');
SELECT companion.rewind_dispatch('2026-03-04 07:00+00');
SELECT pg_temp.tick_until('2026-03-04 15:00+00') AS enqueued;
DELETE FROM companion.dispatch_queue;
UPDATE companion.users SET checkin_time = '20:00',
    timezone = CASE timezone WHEN 'Europe/Berlin' THEN 'America/New_York' ELSE 'Europe/Berlin' END;
SELECT pg_temp.tick_until('2026-03-05 02:00+00') AS "enqueued again";
SELECT pg_temp.tick_until('2026-03-06 02:00+00') AS "enqueued the next day";
SELECT name, key, timezone, scheduled_for, status FROM checkins;
DELETE FROM companion.users;

-- What decides is the day on which the check-in was due as the clock of the new zone has it,
-- not the date under which it was made: 09:00 on March 4 in Tokyo was March 3 in Los Angeles,
-- so March 4 is due there too. Its key is taken, and so carries the zone.
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at)
VALUES ('Tokyo to Los Angeles', 'Asia/Tokyo', '09:00', '2026-01-01');
SELECT companion.rewind_dispatch('2026-03-03 23:00+00');
SELECT pg_temp.tick_until('2026-03-04 01:00+00') AS enqueued;
UPDATE companion.users SET timezone = 'America/Los_Angeles', checkin_time = '20:00';
SELECT pg_temp.tick_until('2026-03-04 05:00+00') AS "enqueued on March 3 there";
SELECT pg_temp.tick_until('2026-03-06 05:00+00') AS "enqueued on March 4 and 5";
SELECT name, key, timezone, scheduled_for, status FROM checkins;
DELETE FROM companion.users;

-- Over the date line: Auckland's March 4 is greeted, then the user flies to Honolulu, where it
-- is March 3 still. Honolulu's March 4 is not lost for the old key. And back, skipping a date.
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at)
VALUES ('Auckland to Honolulu', 'Pacific/Auckland', '09:00', '2026-01-01');
SELECT companion.rewind_dispatch('2026-03-03 19:00+00');
SELECT pg_temp.tick_until('2026-03-03 21:00+00') AS enqueued;
UPDATE companion.users SET timezone = 'Pacific/Honolulu';
SELECT companion.next_checkin(id, '2026-03-03 21:00+00') FROM companion.users;
SELECT pg_temp.tick_until('2026-03-05 20:00+00') AS enqueued;
DELETE FROM companion.dispatch_queue;
UPDATE companion.users SET timezone = 'Pacific/Auckland';
SELECT companion.next_checkin(id, '2026-03-05 20:00+00') FROM companion.users;
SELECT pg_temp.tick_until('2026-03-07 21:00+00') AS enqueued;
SELECT name, key, timezone, scheduled_for, status FROM checkins;
DELETE FROM companion.users;

-- A new day that begins too soon after the last check-in: skipped, with the reason.
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at)
VALUES ('Honolulu to Kiritimati', 'Pacific/Honolulu', '23:30', '2026-01-01');
SELECT companion.rewind_dispatch('2026-03-04 09:00+00');
SELECT pg_temp.tick_until('2026-03-04 10:00+00') AS enqueued;
UPDATE companion.users SET timezone = 'Pacific/Kiritimati', checkin_time = '01:00';
SELECT companion.next_checkin(id, '2026-03-04 10:00+00') FROM companion.users;
SELECT pg_temp.tick_until('2026-03-05 12:00+00') AS enqueued;
SELECT name, key, timezone, scheduled_for, status, failure_reason FROM checkins;
DELETE FROM companion.users;

-- Gaps, overlaps and missing dates. A jump takes in everybody whose time it skips.
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at) VALUES
    ('in the gap', 'Europe/Berlin', '02:30', '2010-01-01'),
        ('at its end', 'Europe/Berlin', '03:00', '2010-01-01'),
    ('before it', 'Europe/Berlin', '01:59', '2010-01-01');
SELECT companion.rewind_dispatch('2026-03-29 00:59+00');
SELECT companion.dispatch('2026-03-29 00:59:59+00') AS "before the jump",
    companion.dispatch('2026-03-29 01:00+00') AS "at the jump",
       companion.dispatch('2026-03-29 02:00+00') AS "after it";
SELECT name, key, scheduled_for FROM checkins;
-- Clocks go back: what comes twice is due the first time only.
SELECT companion.rewind_dispatch('2026-10-24 23:00+00');
SELECT companion.dispatch('2026-10-25 00:30+00') AS "the first time",
    companion.dispatch('2026-10-25 01:30+00') AS "the second time",
       companion.dispatch('2026-10-25 02:00+00') AS "after it";
SELECT name, key, scheduled_for FROM checkins WHERE scheduled_for > '2026-04-01';
DELETE FROM companion.users;
-- Nuuk's clock jumps over its midnight: the end of one day and the start of the next fall
-- on one instant, each on its own date.
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at) VALUES
    ('last hour', 'America/Nuuk', '23:30', '2010-01-01'),
        ('midnight', 'America/Nuuk', '00:00', '2010-01-01');
SET companion.clock = '2024-03-31 01:00+00';
SELECT companion.rewind_dispatch('2024-03-31 00:00+00');
SELECT companion.dispatch('2024-03-31 00:59+00') AS "before the jump",
    companion.dispatch('2024-03-31 01:00+00') AS "at the jump";
SELECT name, key, scheduled_for, status FROM checkins;
DELETE FROM companion.users;
-- Samoa left out December 30, 2011: nobody's check-in comes that day, in whatever ticks.
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at) VALUES
    ('morning', 'Pacific/Apia', '09:00', '2010-01-01'),
        ('midnight', 'Pacific/Apia', '00:00', '2010-01-01'),
    ('last minute', 'Pacific/Apia', '23:59:59.999999', '2010-01-01');
SET companion.clock = '2011-12-31 10:00+00';
SELECT companion.rewind_dispatch('2011-12-29 10:00+00');
SELECT companion.dispatch(at) AS enqueued
FROM (VALUES ('2011-12-30 09:59:59.999999+00'::timestamptz), ('2011-12-30 10:00+00'),
    ('2011-12-31 10:00+00')) AS v (at);
SELECT name, key, scheduled_for FROM checkins;
DELETE FROM companion.users;

-- A zone that the server no longer knows holds up nobody but its own users.
INSERT INTO companion.users (display_name, timezone, onboarding_completed_at)
    VALUES ('Rome', 'Europe/Rome', '2010-01-01');
SET session_replication_role = replica;
INSERT INTO companion.users (display_name, timezone, onboarding_completed_at)
    VALUES ('Atlantis', 'Atlantic/Atlantis', '2010-01-01');
RESET session_replication_role;
SELECT companion.rewind_dispatch('2026-03-04 07:00+00');
SELECT companion.dispatch('2026-03-04 10:00+00') AS enqueued;
DELETE FROM companion.users;

-- next_checkin: when the next one is due, as things stand.
RESET companion.clock;
INSERT INTO companion.users (id, display_name, timezone, checkin_time, checkin_days,
    onboarding_completed_at, checkin_paused_until) VALUES
    ('00000000-0000-0000-0000-000000000001', 'daily', 'Europe/Berlin', '02:30', DEFAULT,
        '2010-01-01', NULL),
    ('00000000-0000-0000-0000-000000000002', 'Mondays', 'UTC', '09:00', '{1}', '2010-01-01', NULL),
    ('00000000-0000-0000-0000-000000000003', 'paused', 'UTC', '09:00', DEFAULT, '2010-01-01',
        '2026-05-01 09:00:00.000001+00'),
    ('00000000-0000-0000-0000-000000000004', 'onboarded later', 'UTC', '09:00', DEFAULT,
        '2026-05-01 09:00+00', NULL),
    ('00000000-0000-0000-0000-000000000005', 'Samoan Fridays', 'Pacific/Apia', '09:00', '{5}',
        '2010-01-01', NULL),
    ('00000000-0000-0000-0000-000000000006', 'opted out', 'UTC', NULL, DEFAULT, '2010-01-01', NULL),
    ('00000000-0000-0000-0000-000000000007', 'not onboarded', 'UTC', '09:00', DEFAULT, NULL, NULL),
    ('00000000-0000-0000-0000-000000000008', 'paused for ever', 'UTC', '09:00', DEFAULT,
        '2010-01-01', 'infinity'),
    ('00000000-0000-0000-0000-000000000009', 'no weekday', 'UTC', '09:00', '{}', '2010-01-01',
        NULL);
SELECT display_name, companion.next_checkin(id, '2026-03-28 12:00+00') FROM companion.users
    ORDER BY id;
SELECT companion.next_checkin('00000000-0000-0000-0000-000000000002',
    '2026-03-30 08:59:59.999999+00') AS before,
       companion.next_checkin('00000000-0000-0000-0000-000000000002', '2026-03-30 09:00+00') AS at,
       companion.next_checkin('00000000-0000-0000-0000-000000000005',
           '2011-12-24 00:00+00') AS "over the missing Friday",
       companion.next_checkin('00000000-0000-0000-0000-00000000000a') AS "unknown user";
-- What it foretells is what dispatch does: also after a check-in, and where one is too close.
SET companion.clock = '2026-03-30 08:00+00';
SELECT companion.rewind_dispatch('2026-03-30 08:00+00');
SELECT companion.dispatch('2026-03-30 09:00+00') > 0 AS enqueued;
UPDATE companion.users SET checkin_time = '11:00';
SELECT display_name, companion.next_checkin(id, '2026-03-30 10:00+00') FROM companion.users
    WHERE display_name = 'Mondays';
UPDATE companion.users SET checkin_time = '23:00', checkin_days = '{1,2,3,4,5,6,7}'
    WHERE display_name = 'paused for ever';
UPDATE companion.users SET checkin_paused_until = NULL WHERE display_name = 'paused for ever';
SELECT companion.dispatch('2026-03-30 23:00+00') AS enqueued;
UPDATE companion.users SET checkin_time = '01:00' WHERE display_name = 'paused for ever';
SELECT companion.next_checkin(id, '2026-03-30 23:00+00') FROM companion.users
    WHERE display_name = 'paused for ever';
SELECT pg_temp.error_of(format('SELECT companion.next_checkin(%s)', arguments)) AS outcome
FROM (VALUES ('NULL'), ('''00000000-0000-0000-0000-000000000001'', NULL'),
             ('''00000000-0000-0000-0000-000000000001'', ''infinity'''),
                 ('''Maya''')) AS v (arguments);
DELETE FROM companion.users;

-- schedule_message: any other message, once for its key.
SET companion.clock = '2026-03-04 12:00+00';
INSERT INTO companion.users (id, display_name, timezone)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', 'Pacific/Auckland');
\set maya '\'00000000-0000-0000-0000-000000000001\''
SELECT message_id AS first, created
    FROM companion.schedule_message(:maya, '2026-03-04 12:00+00', 'hello',
    idempotency_key => 'welcome') \gset
SELECT message_id = :'first' AS same, created
    FROM companion.schedule_message(:maya, '2026-03-05 12:00+00', 'other',
    idempotency_key => 'welcome');
SELECT created FROM companion.schedule_message(:maya, '2020-01-01', NULL, 'reminder', 'telegram',
    NULL, '{"topic": "exam"}');
SELECT count(DISTINCT message_id) AS created
FROM generate_series(1, 2) AS n, companion.schedule_message(:maya, '2026-03-05 00:00+00', 'no key, no sameness ' || n);
-- It may stand in a SELECT's list as well; what stands beside it there is called once.
CREATE TEMP SEQUENCE calls;
SELECT (companion.schedule_message(:maya, '2026-03-05', 'again', idempotency_key => 'welcome')).created, nextval('calls') AS calls;
SELECT last_value AS calls FROM calls;
-- A check-in by hand has its local day's key, and dispatch's guard.
SELECT created FROM companion.schedule_message(:maya, '2026-03-04 12:00+00', NULL, 'checkin');
SELECT created FROM companion.schedule_message(:maya, '2026-03-05 10:00+00', NULL, 'checkin');
UPDATE companion.users SET onboarding_completed_at = '2026-01-01', checkin_time = '09:00';
SELECT companion.rewind_dispatch('2026-03-04 12:00+00');
SELECT companion.dispatch('2026-03-05 12:00+00') AS enqueued;
SELECT kind, CASE WHEN idempotency_key = id::text THEN '(its id)' ELSE idempotency_key END AS key,
    local_date, timezone,
       scheduled_for, send_before, channel, content, generation_context, status
FROM companion.scheduled_messages ORDER BY id;
SELECT state, count(*) FROM companion.pending_messages GROUP BY 1 ORDER BY 1;

SELECT arguments, pg_temp.error_of(format('SELECT companion.schedule_message(%s)',
    arguments)) AS outcome FROM (VALUES
    ('NULL, now(), ''x'''), (:'maya' || ', NULL, ''x'''), (:'maya' || ', now(), ''x'', NULL'),
    ('''00000000-0000-0000-0000-000000000009'', now(), ''x'''), ('''Maya'', now(), ''x'''),
    (:'maya' || ', ''infinity'', ''x'''), (:'maya' || ', ''-infinity'', ''x'''),
    (:'maya' || ', ''294276-12-31 23:00+00'', ''x'''),
    (:'maya' || ', now(), '''''), (:'maya' || ', now(), ''x'', '''''),
        (:'maya' || ', now(), ''x'', ''Check-in'''),
    (:'maya' || ', now(), ''x'', ''9lives'''), (:'maya' || ', now(), ''x'', ''grüße'''),
    (:'maya' || ', now(), ''x'', ''custom'', ''sms'''),
        (:'maya' || ', now(), ''x'', ''custom'', '''''),
    (:'maya' || ', now(), ''x'', idempotency_key => '''''),
    (:'maya' || ', now(), ''x'', idempotency_key => ''checkin:2026-01-01'''),
    (:'maya' || ', now(), ''x'', ''checkin'', idempotency_key => ''mine'''),
    (:'maya' || ', now(), ''x'', ''checkin'', idempotency_key => ''checkin:mine'''))
AS v (arguments);
SELECT pg_temp.error_of(format('SELECT companion.schedule_message(%L, now(), ''x'', repeat(''k'', %s))', :maya, length)) AS "kind's length",
       pg_temp.error_of(format('SELECT companion.schedule_message(%L, now(), ''x'', idempotency_key => repeat(''ü'', %s))', :maya, length + 137)) AS "key's length"
FROM (VALUES (63), (64)) AS v (length);
SELECT count(*) AS messages FROM companion.scheduled_messages;

-- sent_today: on the local day of a time, in the user's present zone.
UPDATE companion.scheduled_messages SET status = 'sent', sent_at = '2026-03-04 12:00+00'
    WHERE kind = 'checkin';
SELECT companion.sent_today(:maya) AS "at 01:00",
    companion.sent_today(:maya, at => '2026-03-04 10:59+00') AS "the day before",
       companion.sent_today(:maya, at => '2026-03-05 10:59+00') AS "at 23:59",
           companion.sent_today(:maya, at => '2026-03-05 11:00+00') AS "the day after",
       companion.sent_today(:maya, 'reminder') AS "another kind",
           companion.sent_today('00000000-0000-0000-0000-000000000009') AS "unknown user";
UPDATE companion.users SET timezone = 'Pacific/Honolulu';
SELECT companion.sent_today(:maya, at => '2026-03-04 09:59+00') AS "the day before",
    companion.sent_today(:maya) AS "at 02:00";

-- What is written obeys the limits of messages.
SET companion.max_message_length = 3;
SET companion.max_json_size = '1kB';
SELECT arguments, pg_temp.error_of(format('SELECT companion.schedule_message(%L, now(), %s)',
    :maya, arguments)) AS outcome FROM (VALUES
    ('''äöü'''), ('''äöü!'''),
    ('''x'', generation_context => jsonb_build_object(''a'', repeat(''x'', 900))'),
    ('''x'', generation_context => jsonb_build_object(''a'', repeat(''x'', 1100))')) AS v (arguments);
RESET companion.max_message_length;
RESET companion.max_json_size;

-- A time that has not come is no tick's, unless a clock is set; none is rewound to before what
-- retention keeps, which is nine days at least.
SET companion.clock = '';
SELECT statement, regexp_replace(pg_temp.error_of(format('SELECT companion.%s', statement)),
    ' is [0-9].*, (which|before)', ' is ..., \1') AS outcome
FROM (VALUES ('dispatch(clock_timestamp() + interval ''1 minute'')'),
    ('rewind_dispatch(clock_timestamp() + interval ''1 minute'')'),
    ('rewind_dispatch(clock_timestamp())'), ('dispatch(clock_timestamp())')) AS v (statement);
SET companion.clock = '2026-03-04 12:00+00';
SELECT retention, to_at, set_config('companion.retention', retention, false) = retention AS set,
    pg_temp.error_of(format('SELECT companion.rewind_dispatch(%L)', to_at)) AS outcome
FROM (VALUES ('90d', '2025-12-04 12:00+00'), ('90d', '2025-12-04 11:59:59+00'),
    ('1d', '2026-02-23 12:00+00'), ('1d', '2026-02-23 11:59:59+00'),
    ('1d', '2026-03-05 12:00+00')) AS v (retention, to_at);
RESET companion.retention;
DELETE FROM companion.users;

-- Triggers of an operator's. One that suppresses a check-in has its way; one that would lose a
-- message, or have it found elsewhere, is an error at once.
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RETURN NULL; END $$;
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RETURN jsonb_populate_record(new, format('{"%s": "%s"}', tg_argv[0], tg_argv[1])::jsonb); END $$;
CREATE FUNCTION pg_temp.outcome_with(relation text, action text, statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    EXECUTE format('CREATE TRIGGER operators BEFORE INSERT OR UPDATE ON companion.%I
        FOR EACH ROW EXECUTE FUNCTION %s', relation, action);
    outcome := pg_temp.error_of(statement);
    EXECUTE format('DROP TRIGGER operators ON companion.%I', relation);
    RETURN outcome;
END
$$;
INSERT INTO companion.users (id, display_name, checkin_time, onboarding_completed_at) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya', '09:00', '2026-01-01'),
    ('00000000-0000-0000-0000-000000000002', 'Diego', '10:00', '2026-01-01');
SELECT companion.rewind_dispatch('2026-03-04 08:00+00');
SELECT relation, action, pg_temp.outcome_with(relation, action,
    'SELECT companion.dispatch(''2026-03-04 09:00+00'')') AS outcome
FROM (VALUES ('dispatch_queue', 'suppress()'), ('dispatch_state', 'suppress()'),
    ('scheduled_messages', 'suppress()')) AS v (relation, action);
BEGIN;
DELETE FROM companion.dispatch_state;
SELECT pg_temp.outcome_with('dispatch_state', 'suppress()', 'SELECT companion.dispatch(''2026-03-04 09:00+00'')');
ROLLBACK;
SELECT (SELECT count(*) FROM companion.scheduled_messages) AS messages,
    (SELECT count(*) FROM companion.dispatch_queue) AS queued,
    (SELECT previous_tick FROM companion.dispatch_state);
SELECT relation, action, pg_temp.outcome_with(relation, action, format(
    'SELECT companion.schedule_message(%L, companion.now(), NULL, idempotency_key => %L)', :maya, 'k')) AS outcome
FROM (VALUES ('scheduled_messages', 'suppress()'), ('dispatch_queue', 'suppress()'),
    ('scheduled_messages', 'change(user_id, ''00000000-0000-0000-0000-000000000002'')'),
    ('scheduled_messages', 'change(id, ''00000000-0000-0000-0000-000000000002'')'),
    ('scheduled_messages', 'change(idempotency_key, ''other'')'),
    ('dispatch_queue', 'change(user_id, ''00000000-0000-0000-0000-000000000002'')'),
    ('dispatch_queue', 'change(message_id, ''00000000-0000-0000-0000-000000000002'')'),
    ('scheduled_messages', 'change(content, ''changed'')')) AS v (relation, action);
SELECT content, (SELECT count(*) FROM companion.dispatch_queue) AS queued FROM companion.scheduled_messages;
-- What keeps a user from being looked at again is one, too. Whatever changes a user's time has them
-- looked at: here, whatever is said of Diego, he is greeted at eight.
SELECT pg_temp.outcome_with('dispatch_recheck', 'suppress()', 'UPDATE companion.users SET checkin_time = ''08:00''');
CREATE TRIGGER operators BEFORE UPDATE ON companion.users
FOR EACH ROW WHEN (new.display_name = 'Diego') EXECUTE FUNCTION change('checkin_time', '08:00');
SELECT companion.dispatch('2026-03-04 09:30+00') AS enqueued;
SELECT count(*) AS rechecks FROM companion.dispatch_recheck;
UPDATE companion.users SET location = 'Lima';
SELECT count(*) AS rechecks FROM companion.dispatch_recheck;
DROP TRIGGER operators ON companion.users;
DELETE FROM companion.users;

-- The clock must be a time, and an empty one is the real one.
SELECT value, pg_temp.error_of(format('SET LOCAL companion.clock = %L', value)) AS outcome
FROM (VALUES ('soon'), ('infinity'), ('-infinity'), ('2026-02-30'), ('25:00'), ('294277-01-01'),
    ('1'), (' '), ('31 März 2026'), ('0044-03-15 12:00 BC')) AS v (value);
SET companion.clock = '2026-03-04 12:00:00.123456+13';
SELECT companion.now();
SET companion.clock = '';
SELECT companion.now() = now() AS real;
-- Whatever it is written in, it is an instant, for parallel workers as well.
SET timezone = 'Asia/Tokyo';
CREATE TABLE numbers AS SELECT n FROM generate_series(1, 1000) AS n;
ANALYZE numbers;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SET companion.clock = '4 March 2026 09:00';
SELECT min(companion.now()), max(companion.now()) FROM numbers;
SET companion.clock = '2026-03-04T09:00 PST';
SELECT min(companion.now()), max(companion.now()) FROM numbers;
SHOW companion.clock;
EXPLAIN (COSTS OFF) SELECT min(companion.now()) FROM numbers;
DROP TABLE numbers;
