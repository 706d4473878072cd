-- Kinds of messages: what may become of each is a row, not a setting.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, telegram_user_id, onboarding_completed_at)
VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', 7001, '2026-01-01');
\set maya '\'00000000-0000-0000-0000-000000000001\''
SELECT * FROM companion.kinds ORDER BY kind;

-- An admin changes them; a row that is there is replaced. Nobody else does.
SET ROLE companion_admin;
INSERT INTO companion.kinds (kind, send_within, max_tries, falls_back) VALUES
    ('checkin', '2 hours', 3, true), ('reminder', '30 minutes', NULL, false);
RESET ROLE;
SELECT * FROM companion.kinds ORDER BY kind;
SET ROLE companion_worker;
SELECT count(*) FROM companion.kinds;
SELECT pg_temp.error_of('DELETE FROM companion.kinds');
RESET ROLE;

-- What is no policy is refused.
SELECT pg_temp.error_of(format('INSERT INTO companion.kinds (kind, %s', rest)) AS outcome, rest
FROM (VALUES ($$max_tries) VALUES ('Reminder', 1)$$), ($$max_tries) VALUES ('', 1)$$),
    ($$max_tries) VALUES ('a', 0)$$), ($$max_tries) VALUES ('a', -1)$$),
    ($$send_within) VALUES ('a', '-1 second')$$), ($$max_tries) VALUES ('a', NULL)$$),
    ($$retry_unknown) VALUES ('a', NULL)$$), ($$send_within) VALUES ('checkin', NULL)$$),
    ($$send_within) VALUES ('checkin', '7 days 1 second')$$)) AS v (rest);

-- A message is sent within its kind's send_within, of a kind that is not listed by custom's; one
-- that is scheduled late has it from then on.
SELECT count(*) AS scheduled
FROM (VALUES ('reminder', '2026-03-04 10:00+00'), ('reminder', '2026-03-04 08:00+00'),
    ('unheard_of', '2026-03-04 10:00+00')) AS v (kind, due),
    companion.schedule_message(:maya, due::timestamptz, 'x', kind);
SELECT kind, scheduled_for, send_before FROM companion.scheduled_messages ORDER BY kind, scheduled_for;
UPDATE companion.kinds SET send_within = '1 day' WHERE kind = 'custom';
SELECT companion.schedule_message(:maya, '2026-03-04 11:00+00', 'x', 'unheard_of') IS NOT NULL AS scheduled;
SELECT kind, scheduled_for, send_before FROM companion.scheduled_messages WHERE kind = 'unheard_of' ORDER BY 2;
-- Even where custom has been deleted.
DELETE FROM companion.kinds WHERE kind = 'custom';
SELECT companion.schedule_message(:maya, '2026-03-04 12:00+00', 'x', 'unheard_of') IS NOT NULL AS scheduled;
SELECT kind, scheduled_for, send_before FROM companion.scheduled_messages WHERE kind = 'unheard_of' ORDER BY 2;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;

-- A check-in's is in its send_before from the tick on.
SELECT companion.dispatch();
SELECT kind, send_before FROM companion.dispatch_queue;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;

-- Where an address is gone a message goes to the next channel, if its kind falls back.
SELECT count(*) AS scheduled
FROM (VALUES ('note'), ('reminder')) AS v (kind),
    companion.schedule_message(:maya, companion.now(), 'x', kind);
CREATE TEMP TABLE claimed AS SELECT * FROM companion.claim_messages('w');
SELECT count(companion.start_send(user_id, message_id, attempt)) AS started FROM claimed;
SELECT companion.mark_failed_many(array_agg(user_id), array_agg(message_id), array_agg(attempt),
    array_agg('blocked'::text), address_gone => true) AS failed FROM claimed;
SELECT kind, status, channel, failure_reason FROM companion.scheduled_messages ORDER BY kind;

-- The settings that they have replaced are there, and do nothing.
SELECT name, short_desc FROM pg_settings
WHERE name IN ('companion.catch_up', 'companion.max_attempts', 'companion.retry_unknown') ORDER BY 1;

-- Standard rows that are restored over are replaced, not doubled; none are left after TRUNCATE.
TRUNCATE companion.kinds;
SELECT companion.schedule_message(:maya, companion.now(), 'x', 'reminder') IS NOT NULL AS scheduled;
SELECT nullif(send_before, 'infinity') AS send_before FROM companion.scheduled_messages
ORDER BY id DESC LIMIT 1;

-- A read of them that is broken off is made again: nothing goes by half of it.
INSERT INTO companion.kinds (kind, send_within) VALUES ('reminder', '30 minutes');
SELECT pg_cancel_backend(pg_backend_pid()), companion.start_send(:maya, :maya, 1), companion.schedule_message(:maya, companion.now(), 'x', 'reminder');
SELECT created FROM companion.schedule_message(:maya, companion.now(), 'y', 'reminder');
SELECT send_before - scheduled_for AS within FROM companion.scheduled_messages WHERE content = 'y';
