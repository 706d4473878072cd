-- What is scheduled can be taken back, put off and replaced, and the answer says what became of it.
\i test/fresh.sql
SET client_min_messages = warning;
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, timezone, telegram_user_id) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya', 'Europe/Berlin', 111),
    ('00000000-0000-0000-0000-000000000002', 'Diego', 'UTC', 222);
\set maya '''00000000-0000-0000-0000-000000000001'''
\set diego '''00000000-0000-0000-0000-000000000002'''
CREATE TEMP VIEW messages AS
SELECT m.idempotency_key AS key, m.kind, m.content, m.scheduled_for, m.local_date, m.status, m.failure_reason AS reason, m.attempts,
       q.attempt AS queued, q.visible_at = m.scheduled_for AS "in time", q.send_before
FROM companion.scheduled_messages AS m LEFT JOIN companion.dispatch_queue AS q ON q.user_id = m.user_id AND q.message_id = m.id
ORDER BY m.id;
SELECT count(*)
FROM (VALUES ('by id', 'custom', timestamptz '2026-03-04 08:00+00'), ('by key', 'custom', '2026-03-04 08:00+00'),
    ('claimed', 'custom', '2026-03-04 08:00+00'), ('sending', 'custom', '2026-03-04 08:00+00'),
    ('water', 'reminder', '2026-03-05 08:00+00'), ('walk', 'reminder', '2026-03-06 08:00+00')) AS m (key, kind, at),
    companion.schedule_message(:maya, at, key, kind, idempotency_key => key);

-- Waiting, by id or by key; again; no such message, no such user.
SELECT companion.cancel_message(user_id, id, 'changed my mind') FROM companion.scheduled_messages WHERE content = 'by id';
SELECT companion.cancel_message(user_id, id) AS again FROM companion.scheduled_messages WHERE content = 'by id';
SELECT companion.cancel_message(:maya, idempotency_key => 'by key');
SELECT companion.cancel_message(:maya, idempotency_key => 'another'), companion.cancel_message(:maya, companion.uuid_v7()),
       companion.cancel_message(companion.uuid_v7(), companion.uuid_v7()) AS "of nobody", companion.cancel_messages(companion.uuid_v7()) AS "all of nobody";
-- Claimed: the worker is refused. Being sent: too late. Finished.
CREATE TEMP TABLE claimed AS SELECT * FROM companion.claim_messages('w');
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed WHERE content = 'sending';
SELECT content, companion.cancel_message(user_id, message_id) FROM claimed ORDER BY message_id;
SELECT content, companion.start_send(user_id, message_id, attempt), companion.mark_skipped(user_id, message_id, attempt, 'late') FROM claimed WHERE content = 'claimed';
SELECT companion.mark_sent(user_id, message_id, attempt) FROM claimed WHERE content = 'sending';
SELECT companion.cancel_message(:maya, idempotency_key => 'sending');
SELECT key, status, reason, attempts, queued FROM messages;

-- All of one kind, and all there are.
SELECT companion.cancel_messages(:maya, 'nothing') AS nothing, companion.cancel_messages(:maya, 'reminder', 'no reminders') AS reminders, companion.cancel_messages(:maya) AS "all";
SELECT key, status, reason FROM messages WHERE kind = 'reminder';

-- Scheduled again under its key it is revived, as it is given now; a worker that held it before does not start it.
SELECT created, message_id = (SELECT message_id FROM claimed WHERE content = 'claimed') AS "the same" FROM companion.schedule_message(:maya, '2026-03-04 08:30+00', 'anew', idempotency_key => 'claimed');
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed WHERE content = 'claimed';
SELECT content, attempt, companion.start_send(user_id, message_id, attempt) FROM companion.claim_messages('w');
SELECT created FROM companion.schedule_message(:maya, '2026-03-04 08:30+00', 'once more', idempotency_key => 'claimed');
SELECT * FROM messages WHERE key = 'claimed';
-- A check-in stays cancelled for its day.
SELECT created FROM companion.schedule_message(:maya, '2026-03-04 10:00+00', 'good morning', 'checkin');
SELECT companion.cancel_messages(:maya, 'checkin');
SELECT created FROM companion.schedule_message(:maya, '2026-03-04 11:00+00', 'good morning', 'checkin');
UPDATE companion.users SET checkin_time = '12:00', onboarding_completed_at = '2026-01-01' WHERE id = :maya;
SELECT companion.rewind_dispatch('2026-03-04 09:00+00');
SET companion.clock = '2026-03-04 11:00+00';
SELECT companion.dispatch();
SELECT key, status, reason FROM messages WHERE kind = 'checkin';

-- Put off: its local day and send_before go along; into the past is at once; a claim is given back.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
SET companion.clock = '2026-03-04 09:00+00';
SELECT count(*)
FROM (VALUES ('no end', NULL), ('an end', timestamptz '2026-03-04 12:00+00'), ('sending', NULL), ('past', '2026-03-04 12:00+00')) AS m (key, send_before),
    companion.schedule_message(:maya, '2026-03-04 08:00+00', key, idempotency_key => key, send_before => send_before);
TRUNCATE claimed;
INSERT INTO claimed SELECT * FROM companion.claim_messages('w');
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed WHERE content = 'sending';
SELECT content, companion.reschedule_message(user_id, message_id, '2026-03-05 23:30+00') FROM claimed WHERE content <> 'past' ORDER BY message_id;
SELECT companion.reschedule_message(user_id, message_id, '2020-01-01') FROM claimed WHERE content = 'past';
SELECT content, companion.start_send(user_id, message_id, attempt) FROM claimed ORDER BY message_id;
SELECT key, scheduled_for, local_date, status, "in time", send_before FROM messages;
SELECT content FROM companion.claim_messages('w');
SELECT companion.cancel_message(:maya, idempotency_key => 'no end');
SELECT companion.reschedule_message(user_id, id, '2026-03-06') AS cancelled FROM companion.scheduled_messages WHERE content = 'no end';
SELECT companion.reschedule_message(:maya, companion.uuid_v7(), '2026-03-06') AS unknown;
-- A check-in within its local day.
SELECT created FROM companion.schedule_message(:maya, '2026-03-04 10:00+00', 'good morning', 'checkin');
SELECT companion.reschedule_message(user_id, id, '2026-03-04 22:59:59+00') FROM companion.scheduled_messages WHERE kind = 'checkin';
SELECT pg_temp.error_of(format('SELECT companion.reschedule_message(%L, %L, %L)', user_id, id, '2026-03-04 23:00+00')) FROM companion.scheduled_messages WHERE kind = 'checkin';
SELECT key, scheduled_for, local_date, "in time" FROM messages WHERE kind = 'checkin';

-- Replaced: what is pending under the key becomes this, what is being sent or finished does not.
SELECT companion.cancel_messages(:maya);
SELECT created FROM companion.schedule_message(:maya, '2026-03-04 08:00+00', 'first', idempotency_key => 'news', channel => 'web');
SELECT created FROM companion.schedule_message(:maya, '2026-03-04 08:10+00', 'not this', idempotency_key => 'news');
TRUNCATE claimed;
INSERT INTO claimed SELECT * FROM companion.claim_messages('w');
SELECT created FROM companion.schedule_message(:maya, '2026-03-04 08:20+00', 'second', 'news', idempotency_key => 'news', replace => true, send_before => '2026-03-05');
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed;
SELECT content, channel, attempt, companion.start_send(user_id, message_id, attempt) FROM companion.claim_messages('w');
SELECT created FROM companion.schedule_message(:maya, '2026-03-04 08:30+00', 'third', idempotency_key => 'news', replace => true);
SELECT * FROM messages WHERE key = 'news';
SELECT companion.mark_sent(user_id, message_id, 2) FROM claimed;
SELECT created FROM companion.schedule_message(:maya, '2026-03-04 08:40+00', 'fourth', idempotency_key => 'news', replace => true);
SELECT content, status FROM messages WHERE key = 'news';
-- A check-in that a tick has enqueued, as well.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
SELECT companion.rewind_dispatch('2026-03-04 09:00+00');
SET companion.clock = '2026-03-04 11:00+00';
SELECT companion.dispatch();
SELECT created FROM companion.schedule_message(:maya, '2026-03-04 12:00+00', 'of my own', 'checkin', replace => true);
SELECT * FROM messages;

-- Cancelled when the user writes, unless it is being sent.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
SELECT count(*)
FROM (VALUES ('are you there?', timestamptz '2026-03-05', true), ('sending', '2026-03-04', true), ('a reminder', '2026-03-05', false)) AS m (content, at, on_reply),
    companion.schedule_message(:maya, at, content, cancel_on_reply => on_reply);
SELECT content, companion.start_send(user_id, message_id, attempt) FROM companion.claim_messages('w');
SELECT is_new, cancelled FROM companion.record_incoming('telegram', '111', 'here I am', 1);
SELECT is_new, cancelled FROM companion.record_incoming('telegram', '111', 'here I am', 1);
SELECT is_new, cancelled FROM companion.record_incoming('telegram', '222', 'another', 1);
SELECT content, status, reason FROM messages;
SELECT created FROM companion.schedule_message(:maya, '2026-03-05', 'still there?', idempotency_key => 'still', cancel_on_reply => true);
SELECT companion.add_message(:maya, companion.open_conversation(:maya, 'web', 'companion'), 'assistant', 'how are you?') IS NOT NULL AS by_the_companion;
SELECT content, status FROM messages WHERE key = 'still';
SELECT companion.add_message(:maya, companion.open_conversation(:maya, 'web'), 'user', 'fine') IS NOT NULL AS by_the_user;
SELECT content, status FROM messages WHERE key = 'still';

-- What the app notes of it.
SELECT created FROM companion.schedule_message(:maya, '2026-03-05', 'noted', idempotency_key => 'noted', priority_level => 3, topic_key => 'sleep', metadata => '{"campaign": 7}');
SELECT priority_level, topic_key, metadata FROM companion.scheduled_messages WHERE idempotency_key = 'noted';
SELECT companion.annotate_message(user_id, id, topic_key => 'work') FROM companion.scheduled_messages WHERE idempotency_key = 'noted';
SELECT companion.annotate_message(user_id, id, -1, metadata => '{}') FROM companion.scheduled_messages WHERE idempotency_key = 'noted';
SELECT priority_level, topic_key, metadata FROM companion.scheduled_messages WHERE idempotency_key = 'noted';
SELECT companion.annotate_message(:maya, companion.uuid_v7(), 1) AS unknown, companion.annotate_message(companion.uuid_v7(), companion.uuid_v7(), 1) AS "of nobody";

-- Whose: a user's own, without a word on whether there is another's; workers and admins anybody's.
SELECT id AS noted FROM companion.scheduled_messages WHERE idempotency_key = 'noted' \gset
SET ROLE companion_user;
SET companion.user_id = :diego;
SELECT pg_temp.error_of(format('SELECT companion.cancel_message(%L, %L)', :maya, :'noted')) AS another,
       pg_temp.error_of(format('SELECT companion.cancel_message(%L, %L)', :maya, companion.uuid_v7())) AS none;
SELECT pg_temp.error_of(format('SELECT companion.cancel_messages(%L)', :maya));
SELECT companion.cancel_message(:diego, :'noted') AS "as one's own";
SELECT pg_temp.error_of(format('SELECT companion.reschedule_message(%L, %L, now())', :diego, :'noted'));
SELECT pg_temp.error_of(format('SELECT companion.annotate_message(%L, %L)', :diego, :'noted'));
SET companion.user_id = :maya;
SELECT companion.cancel_message(:maya, :'noted', 'not now');
RESET ROLE;
SET ROLE companion_worker;
SELECT created FROM companion.schedule_message(:maya, '2026-03-05', 'noted', idempotency_key => 'noted');
SELECT companion.cancel_message(:maya, :'noted');
RESET ROLE;

-- Bad input.
SELECT pg_temp.error_of(format('SELECT companion.cancel_message(%L)', :maya)) AS neither;
SELECT pg_temp.error_of(format('SELECT companion.cancel_message(%L, %L, idempotency_key => %L)', :maya, :'noted', 'noted')) AS both;
SELECT pg_temp.error_of(format('SELECT companion.cancel_message(NULL, %L)', :'noted'));
SELECT pg_temp.error_of(format('SELECT companion.cancel_message(%L, %L, repeat(%L, 1001))', :maya, :'noted', 'x'));
SELECT pg_temp.error_of(format('SELECT companion.reschedule_message(%L, %L, %L)', :maya, :'noted', 'infinity'));
SELECT pg_temp.error_of(format('SELECT companion.schedule_message(%L, %L, %L, send_before => %L)', :maya, '2026-03-05', 'x', '2026-03-05'));
SELECT pg_temp.error_of(format('SELECT companion.schedule_message(%L, %L, %L, priority_level => 40000)', :maya, '2026-03-05', 'x'));
SELECT pg_temp.error_of(format('SELECT companion.schedule_message(%L, %L, %L, topic_key => %L)', :maya, '2026-03-05', 'x', ''));
SELECT pg_temp.error_of(format('SELECT companion.schedule_message(%L, %L, %L, metadata => %L)', :maya, '2026-03-05', 'x', '[]'));
SELECT pg_temp.error_of(format('SELECT companion.annotate_message(%L, %L, metadata => %L)', :maya, :'noted', '1'));

-- An operator's trigger that is in the way: nothing is half done.
SELECT created FROM companion.schedule_message(:maya, '2026-03-05', 'kept', idempotency_key => 'kept');
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER suppress BEFORE UPDATE ON companion.scheduled_messages FOR EACH ROW EXECUTE FUNCTION suppress();
SELECT pg_temp.error_of(format('SELECT companion.cancel_message(%L, idempotency_key => %L)', :maya, 'kept'));
SELECT pg_temp.error_of(format('SELECT companion.reschedule_message(user_id, id, %L) FROM companion.scheduled_messages WHERE content = %L', '2026-03-06', 'kept'));
SELECT pg_temp.error_of(format('SELECT companion.annotate_message(user_id, id, 1) FROM companion.scheduled_messages WHERE content = %L', 'kept'));
SELECT pg_temp.error_of(format('SELECT companion.schedule_message(%L, %L, %L, idempotency_key => %L, replace => true)', :maya, '2026-03-06', 'x', 'kept'));
DROP TRIGGER suppress ON companion.scheduled_messages;
CREATE TRIGGER suppress BEFORE UPDATE OR DELETE ON companion.dispatch_queue FOR EACH ROW EXECUTE FUNCTION suppress();
SELECT pg_temp.error_of(format('SELECT companion.cancel_message(%L, idempotency_key => %L)', :maya, 'kept'));
SELECT pg_temp.error_of(format('SELECT companion.reschedule_message(user_id, id, %L) FROM companion.scheduled_messages WHERE content = %L', '2026-03-06', 'kept'));
DROP TRIGGER suppress ON companion.dispatch_queue;
SELECT content, scheduled_for, status FROM messages WHERE key = 'kept';
DROP FUNCTION suppress;

-- Put off again and again its send_before stays as far away; and no time is past the last that there is.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, companion.users CASCADE;
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, telegram_user_id) VALUES (:maya, 7001);
SELECT created FROM companion.schedule_message(:maya, '2026-03-04 10:00+00', 'an hour', send_before => '2026-03-04 11:00+00');
SELECT companion.reschedule_message(user_id, message_id, '2020-01-01') AS past, companion.reschedule_message(user_id, message_id, '2026-03-05 10:00+00') AS future
FROM companion.dispatch_queue;
SELECT scheduled_for, send_before FROM companion.scheduled_messages;
UPDATE companion.kinds SET send_within = '3 days' WHERE kind = 'custom';
SELECT created FROM companion.schedule_message(:maya, '294276-12-31 23:00+00', 'the last day');
SELECT created FROM companion.schedule_message(:maya, companion.now(), 'far', send_before => '294276-12-31 23:00+00');
SELECT created FROM companion.schedule_message(:maya, '4713-01-02 00:00+00 BC', 'the first day', send_before => '294276-12-31 23:00+00');
SELECT companion.reschedule_message(user_id, id, '294276-01-01') AS rescheduled FROM companion.scheduled_messages WHERE content IN ('far', 'the first day');
SELECT content, scheduled_for, send_before FROM companion.scheduled_messages ORDER BY content;
UPDATE companion.users SET quiet_from = '22:00', quiet_until = '07:00', checkin_time = '08:00', timezone = 'Asia/Tokyo';
SELECT count(*) FROM companion.pending_messages;
-- What was tried is known of what is cancelled.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
SELECT created FROM companion.schedule_message(:maya, companion.now(), 'tried');
SELECT companion.start_send(user_id, message_id, attempt), companion.mark_failed(user_id, message_id, attempt, '502') FROM companion.claim_messages('w');
SELECT companion.cancel_messages(:maya);
SELECT status, tries FROM companion.scheduled_messages;
