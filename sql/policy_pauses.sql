-- Pauses: nothing goes that respects them. And what a reply cancels, by message or kind.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, telegram_user_id, checkin_time, onboarding_completed_at)
VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', 7001, '09:00', '2026-01-01');
\set maya '\'00000000-0000-0000-0000-000000000001\''
INSERT INTO companion.kinds (kind, respects_pause) VALUES ('nudge', true), ('reminder', false);
CREATE TEMP VIEW state AS
SELECT coalesce(content, m.kind) AS content, status, failure_reason AS reason, q.leased_until > '-infinity' AS claimed, q.sending
FROM companion.scheduled_messages AS m LEFT JOIN companion.dispatch_queue AS q ON q.message_id = m.id
ORDER BY 1;
CREATE TEMP TABLE claimed (kind text, user_id uuid, message_id uuid, attempt integer);
CREATE FUNCTION pg_temp.claim() RETURNS SETOF text LANGUAGE sql AS $$
    INSERT INTO claimed SELECT kind, user_id, message_id, attempt FROM companion.claim_messages('w')
    RETURNING kind
$$;

-- A pause skips what is due, claimed or not; a kind that does not respect pauses goes, and so does what
-- is being sent. What is due later waits to see.
SELECT companion.dispatch();
SELECT count(*) FROM (VALUES ('nudge'), ('reminder')) AS v (kind),
    companion.schedule_message(:maya, companion.now(), kind || ' claimed', kind);
SELECT * FROM pg_temp.claim() ORDER BY 1;
SELECT count(*) FROM (VALUES ('nudge', '10:00'), ('nudge', '12:00'), ('reminder', '10:00')) AS v (kind, due),
    companion.schedule_message(:maya, ('2026-03-04 ' || due || '+00')::timestamptz, kind || ' of ' || due, kind);
SELECT count(*) FROM (VALUES ('nudge'), ('reminder')) AS v (kind),
    companion.schedule_message(:maya, companion.now(), kind || ' due', kind);
UPDATE companion.users SET checkin_paused_until = '2026-03-04 11:00+00';
SELECT * FROM state;
SELECT kind, companion.start_send(user_id, message_id, attempt) FROM claimed ORDER BY 1;
-- What becomes due within the pause is skipped when it is claimed; after it, it goes.
SET companion.clock = '2026-03-04 10:00+00';
TRUNCATE claimed;
SELECT * FROM pg_temp.claim();
SELECT * FROM state WHERE content ~ ' of ';
SET companion.clock = '2026-03-04 12:00+00';
SELECT * FROM pg_temp.claim();
-- So is what is scheduled in spite of it, also an app's own check-in.
UPDATE companion.users SET checkin_paused_until = 'infinity';
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;
SELECT count(*) FROM (VALUES ('nudge'), ('reminder'), ('checkin')) AS v (kind),
    companion.schedule_message(:maya, companion.now(), kind, kind);
SELECT * FROM state;
SELECT * FROM pg_temp.claim();
SELECT * FROM state;
-- Brought back after the pause, it goes.
UPDATE companion.users SET checkin_paused_until = NULL;
SELECT count(companion.retry_message(user_id, id)) FROM companion.scheduled_messages WHERE status = 'skipped';
SELECT * FROM pg_temp.claim() ORDER BY 1;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;
-- A pause that ends in quiet hours has skipped what was due in it, not put it off until after them.
UPDATE companion.users SET checkin_paused_until = '2026-03-05 00:00+00', quiet_from = '22:00', quiet_until = '07:00';
SET companion.clock = '2026-03-04 23:00+00';
SELECT count(*) FROM (VALUES ('nudge'), ('reminder')) AS v (kind),
    companion.schedule_message(:maya, companion.now(), kind, kind);
SELECT * FROM pg_temp.claim();
SELECT content, status, reason, visible_at FROM state LEFT JOIN companion.pending_messages AS p ON p.kind = content;
-- A check-in respects pauses whatever its kind says.
UPDATE companion.users SET quiet_from = NULL, checkin_paused_until = NULL;
UPDATE companion.kinds SET respects_pause = false WHERE kind = 'checkin';
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;
SELECT count(*) FROM companion.schedule_message(:maya, companion.now(), 'checkin', 'checkin');
UPDATE companion.users SET checkin_paused_until = 'infinity';
SELECT * FROM state;
UPDATE companion.users SET checkin_paused_until = NULL;
-- A kind that is not listed is custom.
UPDATE companion.kinds SET respects_pause = true WHERE kind = 'custom';
SELECT count(*) FROM companion.schedule_message(:maya, companion.now(), 'unheard of', 'unheard_of');
UPDATE companion.users SET checkin_paused_until = 'infinity';
SELECT * FROM state;
UPDATE companion.users SET checkin_paused_until = NULL;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;

-- What a reply cancels: as the message says, or its kind, as it is then.
UPDATE companion.kinds SET cancel_on_reply = true WHERE kind IN ('nudge', 'checkin');
SELECT count(*) FROM (VALUES ('nudge', NULL), ('nudge', true), ('nudge', false), ('reminder', NULL), ('reminder', true),
    ('reminder', false)) AS v (kind, own),
    companion.schedule_message(:maya, '2026-03-06', kind || ' ' || coalesce(own::text, 'as its kind'), kind, cancel_on_reply => own);
SELECT companion.rewind_dispatch('2026-03-05 08:59+00');
SET companion.clock = '2026-03-05 09:00+00';
SELECT companion.dispatch();
SELECT content, cancel_on_reply FROM companion.scheduled_messages ORDER BY 1;
SELECT cancelled FROM companion.record_incoming('telegram', '7001', 'here I am');
SELECT content, status FROM state;
UPDATE companion.kinds SET cancel_on_reply = true WHERE kind = 'reminder';
SELECT cancelled FROM companion.record_incoming('telegram', '7001', 'still here');
SELECT content, status FROM state WHERE status = 'pending';

-- sent_today: the local day that a message was for.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue, claimed;
UPDATE companion.users SET timezone = 'Europe/Berlin', checkin_time = '22:30';
SET companion.clock = '2026-03-05 21:29+00';
SELECT companion.rewind_dispatch(companion.now());
SET companion.clock = '2026-03-05 21:30+00';
SELECT companion.dispatch();
SET companion.clock = '2026-03-06 00:00+00';
SELECT * FROM pg_temp.claim();
SELECT companion.start_send(user_id, message_id, attempt), companion.mark_sent(user_id, message_id, attempt, 'late') FROM claimed;
SELECT companion.now() AT TIME ZONE 'Europe/Berlin' AS "at", companion.sent_today(:maya) AS today,
    companion.sent_today(:maya, at => companion.now() - interval '2 hours') AS "two hours ago";
-- Whoever has travelled since goes by the day as it is there.
UPDATE companion.users SET timezone = 'Asia/Tokyo';
SELECT companion.sent_today(:maya, at => '2026-03-05 14:59+00') AS "on the fifth", companion.sent_today(:maya) AS "on the sixth";
