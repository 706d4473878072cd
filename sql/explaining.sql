-- Why a user gets a check-in, or not; and what is to go to them.
\i test/fresh.sql
SET client_min_messages = warning;
\set ada 00000000-0000-0000-0000-000000000001
\set bob 00000000-0000-0000-0000-000000000002
\set eve 00000000-0000-0000-0000-000000000003
CREATE FUNCTION pg_temp.says(user_id uuid, rule text, local_date date DEFAULT NULL) RETURNS text LANGUAGE sql
RETURN (SELECT coalesce(holds::text, 'open') || coalesce(': ' || detail, '') FROM companion.explain_checkin(user_id, local_date) AS e
        WHERE e.rule = says.rule);
-- Wednesday, 08:00 in Berlin
SET companion.clock = '2026-03-04 07:00+00';
SELECT companion.rewind_dispatch('2026-03-04 07:00+00');
INSERT INTO companion.users (id, timezone, checkin_time, onboarding_completed_at, telegram_user_id)
VALUES (:'ada', 'Europe/Berlin', '09:00', '2026-01-01', 4711);

-- A day like any other, from before it is due until it is sent.
SELECT * FROM companion.explain_checkin(:'ada');
SET companion.clock = '2026-03-04 08:00+00';
SELECT pg_temp.says(:'ada', 'outcome') AS "due, before the tick";
SELECT companion.dispatch() AS enqueued;
SELECT pg_temp.says(:'ada', 'outcome') AS enqueued;
CREATE TEMP TABLE claimed AS SELECT * FROM companion.claim_messages('w1');
SELECT pg_temp.says(:'ada', 'outcome') AS claimed;
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed;
SELECT pg_temp.says(:'ada', 'outcome') AS started;
SELECT companion.mark_failed(user_id, message_id, attempt, '502 Bad Gateway', '10 minutes') FROM claimed;
SELECT pg_temp.says(:'ada', 'outcome') AS failed;
SET companion.clock = '2026-03-04 08:10:30+00';
CREATE TEMP TABLE again AS SELECT * FROM companion.claim_messages('w2');
SELECT companion.start_send(user_id, message_id, attempt), companion.mark_sent(user_id, message_id, attempt, 'Good morning') FROM again;
SELECT rule, holds, replace(detail, (SELECT message_id::text FROM claimed), '<its id>') AS detail FROM companion.explain_checkin(:'ada');

-- eligible
BEGIN;
UPDATE companion.users SET onboarding_completed_at = NULL;
SELECT pg_temp.says(:'ada', 'eligible', '2026-03-05'), pg_temp.says(:'ada', 'outcome', '2026-03-05');
UPDATE companion.users SET onboarding_completed_at = '2026-03-05 08:00:01+00';
SELECT pg_temp.says(:'ada', 'eligible', '2026-03-05'), pg_temp.says(:'ada', 'eligible', '2026-03-06');
UPDATE companion.users SET checkin_time = NULL;
SELECT * FROM companion.explain_checkin(:'ada', '2026-03-05');
UPDATE companion.users SET checkin_time = '09:00', suspended_until = '2026-03-06';
SELECT pg_temp.says(:'ada', 'eligible', '2026-03-05'), pg_temp.says(:'ada', 'eligible', '2026-03-06');
SET session_replication_role = replica;
UPDATE companion.users SET timezone = 'Atlantic/Atlantis';
RESET session_replication_role;
SELECT * FROM companion.explain_checkin(:'ada', '2026-03-05');
ROLLBACK;
SELECT * FROM companion.explain_checkin(:'bob');
BEGIN;
SELECT * FROM companion.erase_user(:'ada') \g /dev/null
SELECT * FROM companion.explain_checkin(:'ada');
ROLLBACK;

-- weekday, also where the zone has left the date out
BEGIN;
UPDATE companion.users SET checkin_days = '{1,2,3}', timezone = 'Pacific/Apia', onboarding_completed_at = '2010-01-01';
SELECT pg_temp.says(:'ada', 'weekday', day) FROM unnest('{2026-03-04,2026-03-05,2011-12-30}'::date[]) AS day;
SELECT pg_temp.says(:'ada', 'outcome', '2026-03-05'), pg_temp.says(:'ada', 'outcome', '2011-12-30');
ROLLBACK;

-- paused
BEGIN;
UPDATE companion.users SET checkin_paused_until = '2026-03-06';
SELECT day, pg_temp.says(:'ada', 'paused', day), pg_temp.says(:'ada', 'outcome', day) FROM unnest('{2026-03-05,2026-03-06}'::date[]) AS day;
ROLLBACK;

-- guard: the day has had its check-in, for another time or in another zone
BEGIN;
UPDATE companion.users SET checkin_time = '18:00';
SELECT rule, holds, replace(detail, (SELECT message_id::text FROM claimed), '<its id>') AS detail
FROM companion.explain_checkin(:'ada') WHERE rule IN ('eligible', 'guard', 'outcome');
ROLLBACK;
BEGIN;
UPDATE companion.users SET timezone = 'America/New_York';
SELECT rule, holds, replace(detail, (SELECT message_id::text FROM claimed), '<its id>') AS detail
FROM companion.explain_checkin(:'ada') WHERE rule IN ('eligible', 'guard', 'outcome');
ROLLBACK;

-- min_gap
BEGIN;
UPDATE companion.users SET checkin_time = '00:30', timezone = 'Asia/Tokyo';
SELECT pg_temp.says(:'ada', 'min_gap'), pg_temp.says(:'ada', 'min_gap', '2026-03-05');
SET LOCAL companion.min_gap = '8h';
SELECT pg_temp.says(:'ada', 'min_gap', '2026-03-05');
SELECT local_date, scheduled_for, goes_at, reason FROM companion.upcoming(:'ada', '2026-03-05 16:00+00');
ROLLBACK;

-- channel
BEGIN;
UPDATE companion.users SET preferred_channel = 'whatsapp';
SELECT pg_temp.says(:'ada', 'channel', '2026-03-05');
SELECT companion.disable_address(:'ada', 'telegram', '4711', reason => 'blocked by the user');
SELECT pg_temp.says(:'ada', 'channel', '2026-03-05');
DELETE FROM companion.channels WHERE channel = 'web';
SELECT pg_temp.says(:'ada', 'channel', '2026-03-05');
SELECT scheduled_for, goes_at, channel, address, reason FROM companion.upcoming(:'ada', '2026-03-05 16:00+00');
SELECT companion.next_checkin(:'ada');
ROLLBACK;

-- quiet
BEGIN;
UPDATE companion.users SET quiet_from = '22:00', quiet_until = '09:30';
SELECT pg_temp.says(:'ada', 'quiet', '2026-03-05');
UPDATE companion.users SET quiet_until = '13:00';
SELECT pg_temp.says(:'ada', 'quiet', '2026-03-05');
UPDATE companion.users SET quiet_until = '09:00';
SELECT pg_temp.says(:'ada', 'quiet', '2026-03-05');
UPDATE companion.users SET quiet_until = '09:30';
UPDATE companion.kinds SET quiet = 'skip' WHERE kind = 'checkin';
SELECT pg_temp.says(:'ada', 'quiet', '2026-03-05');
UPDATE companion.kinds SET quiet = 'ignore' WHERE kind = 'checkin';
SELECT pg_temp.says(:'ada', 'quiet', '2026-03-05');
ROLLBACK;

-- outcome: of what was skipped, cancelled or lost, and of what no tick has found
BEGIN;
SET LOCAL companion.clock = '2026-03-05 08:00+00';
SELECT companion.dispatch() AS enqueued;
UPDATE companion.users SET checkin_paused_until = '2026-04-01';
SELECT pg_temp.says(:'ada', 'paused'), pg_temp.says(:'ada', 'outcome');
UPDATE companion.users SET checkin_paused_until = NULL;
SET LOCAL companion.clock = '2026-03-06 08:00+00';
SELECT companion.dispatch() AS enqueued;
SELECT companion.cancel_messages(:'ada', reason => 'a bank holiday');
SELECT pg_temp.says(:'ada', 'outcome');
SET LOCAL companion.clock = '2026-03-07 08:00+00';
SELECT companion.dispatch() AS enqueued;
SET LOCAL companion.clock = '2026-03-07 12:00+00';
SELECT pg_temp.says(:'ada', 'outcome') AS "too late";
SET LOCAL companion.clock = '2026-03-08 12:30+00';
SELECT pg_temp.says(:'ada', 'outcome') AS "found too late";
SELECT scheduled_for, goes_at, reason FROM companion.upcoming(:'ada', '2026-03-09 08:00+00');
ROLLBACK;
SELECT pg_temp.says(:'ada', 'outcome', '2026-03-03') AS "before there were ticks";
BEGIN;
UPDATE companion.scheduled_messages SET status = 'unknown';
SELECT pg_temp.says(:'ada', 'outcome');
ROLLBACK;

-- upcoming: what is pending, and what ticks will find
SET companion.clock = '2026-03-27 07:00+00';
SELECT companion.rewind_dispatch('2026-03-27 07:00+00');
UPDATE companion.users SET checkin_days = '{1,2,5,6,7}', quiet_from = '22:00', quiet_until = '07:00';
INSERT INTO companion.kinds (kind, quiet) VALUES ('alarm', 'ignore'), ('offer', 'skip');
SELECT count(*) FROM (VALUES
    ('2026-03-27 12:00+00'::timestamptz, 'reminder'), ('2026-03-27 23:00+00', 'alarm'), ('2026-03-27 23:01+00', 'reminder'),
    ('2026-03-27 23:02+00', 'offer'), ('2026-06-01', 'reminder')) AS m (at, kind),
    companion.schedule_message(:'ada', m.at, 'hello', m.kind);
SELECT message_id IS NOT NULL AS pending, kind, local_date, scheduled_for, goes_at, channel, address, reason
FROM companion.upcoming(:'ada', '2026-03-31 12:00+00');
-- Its pauses, with an end, and what is suspended
BEGIN;
UPDATE companion.users SET checkin_paused_until = '2026-03-29';
SELECT kind, scheduled_for FROM companion.upcoming(:'ada', '2026-03-31 12:00+00');
UPDATE companion.users SET suspended_until = '2026-03-30';
SELECT kind, scheduled_for, goes_at, reason FROM companion.upcoming(:'ada', '2026-03-31 12:00+00');
ROLLBACK;
-- What is pending as it stands.
SET companion.clock = '2026-03-27 11:00+00';
SELECT companion.dispatch('2026-03-27 08:00+00') AS enqueued;
SELECT created FROM companion.schedule_message(:'ada', '2026-03-27 10:00+00', 'and another', channel => 'web',
    send_before => '2026-03-27 13:00+00');
SELECT kind, companion.start_send(user_id, message_id, attempt) FROM companion.claim_messages('w1', 1);
SELECT kind, attempt FROM companion.claim_messages('w2', 1);
SELECT kind, scheduled_for, goes_at, channel, address, reason FROM companion.upcoming(:'ada', '2026-03-28 07:00+00');
SET companion.clock = '2026-03-27 13:00+00';
SELECT kind, scheduled_for, goes_at, channel, reason FROM companion.upcoming(:'ada', '2026-03-27 13:00+00');
-- One that waits for the end of quiet hours keeps the next away by min_gap; and where a zone leaves a date out there is none.
BEGIN;
SET LOCAL companion.min_gap = '20h';
UPDATE companion.kinds SET send_within = '12 hours' WHERE kind = 'checkin';
UPDATE companion.users SET quiet_from = '08:00', quiet_until = '13:30';
SELECT local_date, goes_at, reason FROM companion.upcoming(:'ada', '2026-03-31 12:00+00') WHERE message_id IS NULL;
SET LOCAL companion.clock = '2011-12-28 20:00+00';
UPDATE companion.users SET timezone = 'Pacific/Apia', checkin_days = '{1,2,3,4,5,6,7}', onboarding_completed_at = '2010-01-01', quiet_from = NULL;
SELECT companion.rewind_dispatch('2011-12-28 20:00+00');
SELECT local_date, scheduled_for, goes_at, reason FROM companion.upcoming(:'ada', '2012-01-02') WHERE message_id IS NULL;
ROLLBACK;

-- Caps that are full, and sending that is paused: what goes later, what nobody knows, what is skipped.
BEGIN;
SET LOCAL companion.clock = '2026-03-09 07:00+00';
SELECT FROM companion.rewind_dispatch('2026-03-09 07:00+00');
INSERT INTO companion.users (id, timezone, checkin_time, onboarding_completed_at, telegram_user_id)
VALUES (:'eve', 'Europe/Berlin', '09:00', '2026-01-01', 4713);
INSERT INTO companion.caps (cap_group, local_period, max_messages) VALUES ('all', 'day', 1);
UPDATE companion.kinds SET cap_group = 'all', send_within = '2 days';
SELECT created FROM companion.schedule_message(:'eve', companion.now(), 'the day''s one');
SELECT companion.start_send(user_id, message_id, attempt)
FROM companion.claim_messages('w') WHERE content = 'the day''s one';
SELECT pg_temp.says(:'eve', 'caps') AS caps, pg_temp.says(:'eve', 'sending') AS sending;
SELECT kind, scheduled_for, goes_at, reason FROM companion.upcoming(:'eve', '2026-03-10 12:00+00');
UPDATE companion.kinds SET over_cap = 'skip' WHERE kind = 'checkin';
SELECT kind, scheduled_for, goes_at, reason FROM companion.upcoming(:'eve', '2026-03-09 12:00+00');
DELETE FROM companion.caps;
SELECT companion.pause_sending(until => '2026-03-09 10:00+00', reason => 'a flood');
SELECT pg_temp.says(:'eve', 'caps') AS caps, pg_temp.says(:'eve', 'sending') AS sending;
SELECT kind, scheduled_for, goes_at, reason FROM companion.upcoming(:'eve', '2026-03-09 12:00+00');
SELECT companion.pause_sending(kind => 'checkin');
SELECT kind, scheduled_for, goes_at, reason FROM companion.upcoming(:'eve', '2026-03-09 12:00+00');
SELECT pg_temp.says(:'eve', 'sending') AS sending;
ROLLBACK;

-- A paused user's messages of a kind that respects it.
BEGIN;
SET LOCAL companion.clock = '2026-03-09 07:00+00';
SELECT FROM companion.rewind_dispatch('2026-03-09 07:00+00');
INSERT INTO companion.users (id, timezone, checkin_time, onboarding_completed_at, telegram_user_id)
VALUES (:'eve', 'Europe/Berlin', '09:00', '2026-01-01', 4713);
INSERT INTO companion.kinds (kind, respects_pause) VALUES ('nudge', true);
SELECT count(*) FROM unnest('{nudge,reminder}'::text[]) AS kind, companion.schedule_message(:'eve', companion.now() + interval '1 hour', 'x', kind);
UPDATE companion.users SET checkin_paused_until = '2026-03-10' WHERE id = :'eve';
SELECT kind, goes_at, reason FROM companion.upcoming(:'eve', '2026-03-09 12:00+00') ORDER BY kind;
ROLLBACK;

-- The first of them is the next check-in.
SELECT companion.next_checkin(:'ada') = min(scheduled_for) AS same FROM companion.upcoming(:'ada', '2026-04-05') WHERE message_id IS NULL;

-- Bad arguments, and others.
SELECT count(*) FROM companion.upcoming(:'ada', companion.now() - interval '1 microsecond');
SELECT count(*) FROM companion.upcoming(:'ada', companion.now() + interval '400 days') WHERE kind = 'checkin';
SELECT count(*) FROM companion.upcoming(:'bob', companion.now() + interval '1 day');
SELECT call, pg_temp.error_of('SELECT count(*) FROM companion.' || call) FROM (VALUES
    ('upcoming(NULL, now())'), ('upcoming(companion.uuid_v7(), NULL)'), ('upcoming(companion.uuid_v7(), ''infinity'')'),
    ('upcoming(companion.uuid_v7(), ''-infinity'')'),
    ('upcoming(companion.uuid_v7(), companion.now() + interval ''400 days 00:00:00.000001'')'), ('upcoming(''Ada'', now())'),
    ('explain_checkin(NULL)'), ('explain_checkin(companion.uuid_v7(), ''infinity'')'),
    ('explain_checkin(companion.uuid_v7(), ''-infinity'')'), ('explain_checkin(companion.uuid_v7(), ''5874897-12-31'')'),
    ('explain_checkin(companion.uuid_v7(), ''never'')')) AS v (call);
SELECT count(*) FROM companion.explain_checkin(:'ada', '4713-01-10 BC') AS a, companion.explain_checkin(:'ada', '294270-01-01') AS b;
SET companion.user_id = :'ada';
SET ROLE companion_user;
SELECT count(*) AS rules FROM companion.explain_checkin(:'ada');
SELECT count(*) AS upcoming FROM companion.upcoming(:'ada', companion.now() + interval '1 day');
SELECT pg_temp.error_of(format('SELECT * FROM companion.explain_checkin(%L)', :'bob'));
SELECT pg_temp.error_of(format('SELECT * FROM companion.upcoming(%L, companion.now())', :'bob'));
RESET companion.user_id;
SET ROLE companion_worker;
SELECT count(*) AS rules FROM companion.explain_checkin(:'ada');
SELECT count(*) AS upcoming FROM companion.upcoming(:'ada', companion.now() + interval '1 day');
SET ROLE companion_monitor;
SELECT pg_temp.error_of(format('SELECT * FROM companion.explain_checkin(%L)', :'ada'));
RESET ROLE;
