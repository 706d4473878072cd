-- A user changes their mind after the tick and before the message is sent: what is pending follows, in
-- the same transaction.
\i test/fresh.sql
SET client_min_messages = warning;
CREATE TEMP VIEW checkins AS
SELECT u.display_name AS who, m.local_date, m.timezone, m.scheduled_for, m.status, m.failure_reason,
       q.visible_at = m.scheduled_for AND q.send_before = m.send_before
           AND m.send_before = m.scheduled_for + interval '4 hours' AS "queued as it is", q.leased_until > '-infinity' AS claimed
FROM companion.scheduled_messages AS m JOIN companion.users AS u ON u.id = m.user_id
LEFT JOIN companion.dispatch_queue AS q ON q.user_id = m.user_id AND q.message_id = m.id
WHERE m.kind = 'checkin' ORDER BY u.id, m.scheduled_for;
-- Wednesday
SET companion.clock = '2026-03-04 08:59+00';
SELECT companion.rewind_dispatch('2026-03-04 08:59+00');
INSERT INTO companion.users (id, display_name, checkin_time, onboarding_completed_at)
SELECT ('00000000-0000-0000-0000-00000000000' || number)::uuid, name, '09:00', '2026-01-01'
FROM unnest('{opts out,is paused,is paused till,takes the day out,keeps the day,is suspended,starts anew,nothing}'::text[])
    WITH ORDINALITY AS u (name, number);
SET companion.clock = '2026-03-04 09:00+00';
SELECT companion.dispatch() AS enqueued;
SET companion.clock = '2026-03-04 09:05+00';
CREATE TEMP TABLE claimed AS SELECT * FROM companion.claim_messages('w', 100);

-- What is not wanted any more is skipped, with the reason, and what a worker has claimed of it is not started.
UPDATE companion.users SET checkin_time = NULL WHERE display_name = 'opts out';
UPDATE companion.users SET checkin_paused_until = 'infinity' WHERE display_name = 'is paused';
UPDATE companion.users SET checkin_paused_until = '2026-03-04 09:00+00' WHERE display_name = 'is paused till';
UPDATE companion.users SET checkin_days = '{1,2,4,5}' WHERE display_name = 'takes the day out';
UPDATE companion.users SET checkin_days = '{3}' WHERE display_name = 'keeps the day';
UPDATE companion.users SET suspended_until = '2026-04-01' WHERE display_name = 'is suspended';
UPDATE companion.users SET onboarding_completed_at = NULL WHERE display_name = 'starts anew';
UPDATE companion.users SET support_style = 'plainly' WHERE display_name = 'nothing';
SELECT who, status, failure_reason, "queued as it is", claimed FROM checkins;
SELECT display_name, companion.start_send(user_id, message_id, attempt) FROM claimed ORDER BY user_id;
-- The day has had its check-in: who comes back gets the next one.
UPDATE companion.users SET checkin_time = '09:10', checkin_paused_until = NULL, checkin_days = '{1,2,3,4,5,6,7}', suspended_until = NULL, onboarding_completed_at = '2026-01-01';
SELECT companion.dispatch('2026-03-04 09:05+00') AS enqueued;
SET companion.clock = '2026-03-04 09:10+00';
SELECT companion.dispatch() AS enqueued, count(DISTINCT local_date) FROM checkins;

-- What is being sent is left alone.
UPDATE companion.users SET checkin_time = NULL WHERE display_name = 'nothing';
SELECT who, status FROM checkins WHERE who = 'nothing';

-- Another time: moved to today's, exactly; left where that has passed.
TRUNCATE companion.users, companion.dispatch_queue, companion.dispatch_state, companion.dispatch_recheck CASCADE;
SET companion.clock = '2026-03-04 08:59+00';
SELECT companion.rewind_dispatch('2026-03-04 08:59+00');
INSERT INTO companion.users (id, display_name, timezone, checkin_time, onboarding_completed_at)
SELECT ('00000000-0000-0000-0000-00000000000' || number)::uuid, name, 'Europe/Berlin', '10:00', '2026-01-01'
FROM unnest('{later,earlier,later and back,later and paused}'::text[]) WITH ORDINALITY AS u (name, number);
SET companion.clock = '2026-03-04 09:00+00';
SELECT companion.dispatch() AS enqueued;
CREATE TEMP TABLE also_claimed AS SELECT * FROM companion.claim_messages('w', 100);
SET companion.clock = '2026-03-04 09:05+00';
UPDATE companion.users SET checkin_time = '18:00' WHERE display_name <> 'earlier';
UPDATE companion.users SET checkin_time = '08:00' WHERE display_name = 'earlier';
UPDATE companion.users SET checkin_time = '10:00' WHERE display_name = 'later and back';
-- A pause that is over by then lets it be.
UPDATE companion.users SET checkin_paused_until = '2026-03-04 12:00+00' WHERE display_name = 'later and paused';
SELECT * FROM checkins;
-- A pause that is not over by another time does not.
BEGIN;
UPDATE companion.users SET checkin_time = '11:00' WHERE display_name = 'later and paused';
SELECT status, failure_reason FROM checkins WHERE who = 'later and paused';
ROLLBACK;
SELECT display_name, companion.start_send(user_id, message_id, attempt) FROM also_claimed ORDER BY user_id;
SELECT companion.dispatch() AS enqueued;
SET companion.clock = '2026-03-04 17:00+00';
SELECT companion.dispatch() AS enqueued;
SELECT display_name, scheduled_for, late_by, attempt FROM companion.claim_messages('w', 100) ORDER BY 1;
-- The next day as they have it now.
SET companion.clock = '2026-03-05 17:00+00';
SELECT companion.dispatch() AS enqueued;
SELECT who, local_date, scheduled_for, status FROM checkins WHERE local_date = '2026-03-05';

-- Within min_gap of another it does not go, as at a tick.
TRUNCATE companion.users, companion.dispatch_queue, companion.dispatch_state, companion.dispatch_recheck CASCADE;
SET companion.clock = '2026-03-04 07:59+00';
SELECT companion.rewind_dispatch('2026-03-04 07:59+00');
INSERT INTO companion.users (id, display_name, checkin_time, onboarding_completed_at)
VALUES ('00000000-0000-0000-0000-000000000001', 'early', '08:00', '2026-01-01');
SET companion.clock = '2026-03-04 08:00+00';
SELECT companion.dispatch() AS enqueued;
SELECT created FROM companion.schedule_message('00000000-0000-0000-0000-000000000001', '2026-03-05 00:30+00', 'by hand', 'checkin');
DELETE FROM companion.dispatch_queue AS q USING companion.scheduled_messages AS m WHERE q.message_id = m.id AND content = 'by hand';
UPDATE companion.scheduled_messages SET status = 'unknown' WHERE content = 'by hand';
UPDATE companion.users SET checkin_time = '23:00';
SELECT who, scheduled_for, status, failure_reason FROM checkins;

-- Another zone: the check-in is for the local day that it lies on as seen there.
TRUNCATE companion.users, companion.dispatch_queue, companion.dispatch_state, companion.dispatch_recheck CASCADE;
SET companion.clock = '2026-03-04 07:59+00';
SELECT companion.rewind_dispatch('2026-03-04 07:59+00');
INSERT INTO companion.users (id, display_name, timezone, checkin_time, checkin_days, onboarding_completed_at) VALUES
    ('00000000-0000-0000-0000-000000000001', 'west', 'Europe/Berlin', '09:00', '{1,2,3,4,5,6,7}', '2026-01-01'),
    ('00000000-0000-0000-0000-000000000002', 'near', 'Europe/Berlin', '09:00', '{1,2,3,4,5,6,7}', '2026-01-01'),
    ('00000000-0000-0000-0000-000000000003', 'east', 'Europe/Berlin', '09:00', '{1,2,3,4,5,6,7}', '2026-01-01'),
    ('00000000-0000-0000-0000-000000000004', 'on another weekday', 'Pacific/Auckland', '21:00', '{3}', '2026-01-01');
SET companion.clock = '2026-03-04 08:00+00';
SELECT companion.dispatch() AS enqueued;
SET companion.clock = '2026-03-04 08:05+00';
-- Moved to nine in the morning there; kept, since nine has passed there.
UPDATE companion.users SET timezone = 'America/New_York' WHERE display_name = 'west';
UPDATE companion.users SET timezone = 'Europe/Paris' WHERE display_name = 'near';
UPDATE companion.users SET timezone = 'Asia/Tokyo' WHERE display_name = 'east';
-- It is Tuesday still there.
UPDATE companion.users SET timezone = 'Pacific/Honolulu' WHERE display_name = 'on another weekday';
SELECT * FROM checkins;
SELECT display_name, idempotency_key FROM companion.scheduled_messages JOIN companion.users AS u ON u.id = user_id ORDER BY u.id;
-- One a local day, and none lost.
UPDATE companion.kinds SET send_within = '7 days' WHERE kind = 'checkin';
SET companion.min_gap = 0;
SET companion.clock = '2026-03-06 12:00+00';
SELECT companion.dispatch() AS enqueued;
SELECT who, local_date, timezone, scheduled_for, status FROM checkins;
UPDATE companion.kinds SET send_within = '4 hours' WHERE kind = 'checkin';
RESET companion.min_gap;
-- Over the date line: moved to eleven in the evening of the day before. Or where the day has had its
-- check-in, as seen there, a second is skipped.
TRUNCATE companion.users, companion.dispatch_queue, companion.dispatch_state, companion.dispatch_recheck CASCADE;
SET companion.clock = '2026-03-03 18:59+00';
SELECT companion.rewind_dispatch('2026-03-03 18:59+00');
INSERT INTO companion.users (id, display_name, timezone, checkin_time, onboarding_completed_at) VALUES
    ('00000000-0000-0000-0000-000000000001', 'to the day before', 'Pacific/Auckland', '09:00', '2026-01-01'),
    ('00000000-0000-0000-0000-000000000002', 'to the day after', 'Europe/Berlin', '20:00', '2026-01-01');
SET companion.clock = '2026-03-03 20:00+00';
SELECT companion.dispatch() AS enqueued;
UPDATE companion.users SET timezone = 'Pacific/Honolulu', checkin_time = '23:00' WHERE display_name = 'to the day before';
SELECT count(companion.start_send(user_id, message_id, attempt)) FROM companion.claim_messages('w');
UPDATE companion.users SET checkin_time = '09:00' WHERE display_name = 'to the day after';
SET companion.clock = '2026-03-04 08:00+00';
SELECT companion.dispatch() AS enqueued;
UPDATE companion.users SET timezone = 'Pacific/Auckland' WHERE display_name = 'to the day after';
SELECT who, local_date, timezone, scheduled_for, status, failure_reason FROM checkins;
SELECT display_name, idempotency_key FROM companion.scheduled_messages JOIN companion.users AS u ON u.id = user_id ORDER BY u.id, 2;

-- Another channel: what goes where the user prefers goes there; what was given a channel stays, as does
-- what is being sent. All kinds.
TRUNCATE companion.users, companion.dispatch_queue, companion.dispatch_state, companion.dispatch_recheck CASCADE;
SET companion.clock = '2026-03-04 08:59+00';
SELECT companion.rewind_dispatch('2026-03-04 08:59+00');
INSERT INTO companion.users (id, display_name, checkin_time, onboarding_completed_at, telegram_user_id, email)
VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', '09:00', '2026-01-01', 111, 'maya@example.org');
SET companion.clock = '2026-03-04 09:00+00';
SELECT companion.dispatch() AS enqueued;
SELECT created FROM companion.schedule_message('00000000-0000-0000-0000-000000000001', '2026-03-04 08:00+00', 'to Telegram', channel => 'telegram'),
    companion.schedule_message('00000000-0000-0000-0000-000000000001', '2026-03-04 10:00+00', 'a reminder') AS reminder (reminder, is_new);
CREATE TEMP TABLE claimed_by_telegram AS SELECT * FROM companion.claim_messages('w', channels => '{telegram}');
UPDATE companion.users SET preferred_channel = 'email';
SELECT m.kind, coalesce(content, '') AS content, m.channel, q.channel = m.channel AS queued, q.leased_until > '-infinity' AS claimed
FROM companion.scheduled_messages AS m JOIN companion.dispatch_queue AS q ON q.message_id = m.id ORDER BY scheduled_for;
SELECT kind, companion.start_send(user_id, message_id, attempt) FROM claimed_by_telegram ORDER BY scheduled_for;
SELECT kind, channel, address FROM companion.claim_messages('w');

-- What else is pending cares for no pause and no time; suspended, nothing goes that is due, and what is not
-- due yet waits to see.
TRUNCATE companion.users, companion.dispatch_queue, companion.dispatch_state, companion.dispatch_recheck CASCADE;
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, checkin_time, onboarding_completed_at)
VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', '09:00', '2026-01-01');
SELECT content, created FROM unnest('{due,later}'::text[], '{2026-03-04,2026-03-05}'::timestamptz[]) AS m (content, at),
    companion.schedule_message('00000000-0000-0000-0000-000000000001', at, content);
UPDATE companion.users SET checkin_paused_until = 'infinity', checkin_days = '{1}', timezone = 'Asia/Tokyo';
UPDATE companion.users SET checkin_time = NULL, onboarding_completed_at = NULL;
SELECT content, scheduled_for, status FROM companion.scheduled_messages ORDER BY scheduled_for;
UPDATE companion.users SET suspended_until = 'infinity';
SELECT content, scheduled_for, status, failure_reason FROM companion.scheduled_messages ORDER BY scheduled_for;

-- What an app schedules as a check-in by itself is skipped for what has changed, and for nothing else.
SELECT created FROM companion.schedule_message('00000000-0000-0000-0000-000000000001', '2026-03-10', 'by hand', 'checkin');
UPDATE companion.users SET suspended_until = NULL, checkin_paused_until = NULL;
UPDATE companion.users SET timezone = 'Asia/Tokyo', checkin_days = '{1,2}';
SELECT status, failure_reason FROM companion.scheduled_messages WHERE kind = 'checkin';
UPDATE companion.users SET checkin_paused_until = '2026-04-01';
SELECT status, failure_reason FROM companion.scheduled_messages WHERE kind = 'checkin';
