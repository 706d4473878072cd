-- What the database of rich_data.sql does next. Its output names no id that is new.
-- The interval since the first tick, again: the guard refuses everything.
SET companion.clock = '2026-03-04 09:11+00';
SELECT companion.rewind_dispatch('2026-03-02 00:00+00');
SELECT 'enqueued again', companion.dispatch();

-- What was started is not sent again, what was claimed or failed for now is, the rest goes on.
SELECT * FROM companion.run_maintenance() WHERE task NOT IN ('redeem failures', 'old messages');
CREATE TEMP TABLE claimed AS
SELECT row_number() OVER (ORDER BY scheduled_for, user_id) AS n, *
FROM companion.claim_messages('worker C');
SELECT 'claimed', n, user_id, message_id, attempt, channel, address, content FROM claimed ORDER BY n;
SELECT 'started', companion.start_send(user_id, message_id, attempt) FROM claimed ORDER BY n;
SELECT 'sent', companion.mark_sent(user_id, message_id, attempt, 'good morning') FROM claimed ORDER BY n;

-- The next two days.
SET companion.clock = '2026-03-04 14:30+00';
SELECT 'this afternoon', companion.dispatch();
SET companion.clock = '2026-03-05 09:30+00';
SELECT 'next morning', companion.dispatch();
SELECT 'claimed later', user_id, attempt, kind, local_date, channel, address, content
FROM companion.claim_messages('worker D', 100);
SELECT user_id, idempotency_key, status, attempts, scheduled_for, failure_reason, telegram_message_id
FROM companion.scheduled_messages
ORDER BY user_id, scheduled_for, CASE kind WHEN 'checkin' THEN idempotency_key END;
SELECT 'twice on a local day', user_id, local_date FROM companion.scheduled_messages
WHERE kind = 'checkin' GROUP BY user_id, local_date HAVING count(*) > 1;

-- The auth table is followed.
INSERT INTO auth.users VALUES ('00000000-0000-0000-0000-000000000013', 'new@example.org');
UPDATE auth.users SET email = 'other@example.org' WHERE email = 'user2@example.org';
DELETE FROM auth.users WHERE email = 'user3@example.org';
SELECT 'taken over', companion.follow_auth_users();
SELECT id, email FROM companion.users ORDER BY id;

-- Onboarding, memory, search, and a link token go on where they were.
SELECT companion.advance_onboarding(id, 'pets', '{"pets": "a cat"}')
FROM companion.users WHERE email = 'user4@example.org';
SELECT (companion.upsert_user_context(id, 'family', 'sister', 'Hanna', source => 'user')).previous_value
FROM companion.users WHERE email = 'user4@example.org';
SELECT user_id, source, value, replaced_by FROM companion.user_context_history ORDER BY user_id, id;
SELECT excerpt, rank FROM companion.users, companion.search_messages(id, 'edited or yes')
WHERE email = 'other@example.org';
SELECT outcome, user_id FROM companion.redeem_telegram_link_token('token of user8@example.org', 1008);
SELECT outcome, user_id FROM companion.redeem_telegram_link_token('token of user6@example.org', 1009);

-- An end user sees their own rows, and nobody else's.
SET ROLE companion_user;
SET companion.user_id = '00000000-0000-0000-0000-000000000004';
SELECT (SELECT count(*) FROM companion.users), (SELECT count(*) FROM companion.messages),
       (SELECT count(*) FROM companion.user_context), (SELECT count(*) FROM companion.scheduled_messages);
