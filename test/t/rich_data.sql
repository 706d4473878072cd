-- What a database holds after some days of use, in which the extension was just made: rows in every
-- table and every state, an auth table that is followed, and rights that the app has granted.
CREATE ROLE analyst;
GRANT USAGE ON SCHEMA companion TO analyst;
GRANT SELECT (id, timezone, checkin_time) ON companion.users TO analyst;
GRANT SELECT ON companion.scheduled_messages TO analyst WITH GRANT OPTION;
GRANT EXECUTE ON FUNCTION companion.canonical_timezone(text) TO PUBLIC;
REVOKE DELETE ON companion.users FROM companion_admin;

CREATE SCHEMA auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY, email varchar(255));
INSERT INTO auth.users
SELECT lpad(n::text, 32, '0')::uuid, format('user%s@example.org', n) FROM generate_series(1, 12) AS n;
SET companion.clock = '2026-03-01 12:00+00';
SELECT companion.follow_auth_users();
INSERT INTO auth.users VALUES ('00000000-0000-0000-0000-000000000099', 'erased@example.org');
SELECT companion.erase_user('00000000-0000-0000-0000-000000000099');

-- Onboarding: steps of the app's own, one moved, one left out; a user who is done and one who is not.
INSERT INTO companion.onboarding_steps VALUES
    ('pets', 15, '{pets}', false), ('name', 11, '{name}', true);
UPDATE companion.onboarding_steps SET position = NULL WHERE step = 'style';
SELECT companion.start_onboarding(id) FROM companion.users;
SELECT companion.advance_onboarding(id, 'name', '{"name": "Maya"}') FROM companion.users;
SELECT companion.advance_onboarding(id, 'timezone', '{"timezone": "europe/berlin"}')
FROM companion.users WHERE email = 'user1@example.org';
SELECT companion.complete_onboarding(id) FROM companion.users WHERE email = 'user1@example.org';

-- Users 2 to 10 are told good morning in three zones, 11 has opted out, 12 is being onboarded.
UPDATE companion.users AS u SET
    display_name = E'O\'Brien "' || n || E'"\t\\N\n' || U&'\65E5\672C',
    timezone = (ARRAY['UTC', 'Europe/Berlin', 'America/New_York'])[n % 3 + 1],
    checkin_time = CASE WHEN n < 11 THEN time '09:00' END,
    checkin_days = CASE WHEN n = 9 THEN '{}' ELSE '{1,2,3,4,5,6,7}'::smallint[] END,
    checkin_paused_until = CASE WHEN n = 10 THEN 'infinity'::timestamptz END,
    suspended_until = CASE WHEN n = 10 THEN '2026-03-05 08:00+00'::timestamptz END,
    telegram_user_id = CASE WHEN n < 6 THEN 1000 + n END,
    whatsapp_number = CASE WHEN n % 2 = 0 THEN '+4915100000' || n END,
    preferences = '{"tone": "warm", "quiet": [22, null]}',
    onboarding_completed_at = CASE WHEN n < 12 THEN '2026-03-01 12:00+00'::timestamptz END
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM companion.users) AS numbered
WHERE u.id = numbered.id AND n > 1;

-- Channels of the app's own, one that it has not; addresses: several devices, for a bot, disabled, unlinked, linked by another since;
-- two users with one e-mail address and one number, of whom the second is the first's in the order of rows.
INSERT INTO companion.channels (channel, rank, needs_address, longest_text) VALUES ('discord', 35, true, 2000), ('web', 900, false, 500);
DELETE FROM companion.channels WHERE channel = 'push';
INSERT INTO companion.channels (channel, rank) VALUES ('push', 31);
SELECT companion.link_address(id, 'push', 'device ' || n), companion.link_address(id, 'discord', 'maya#1', 'a_bot'),
       companion.disable_address(id, 'push', 'device 1', reason => 'expired'), companion.unlink_address(id, 'push', 'device 2')
FROM companion.users, generate_series(1, 3) AS n WHERE telegram_user_id = 1004;
SELECT companion.link_address(id, 'push', 'device 2') FROM companion.users WHERE telegram_user_id = 1003;
SELECT companion.disable_address(id, 'telegram', '1003', reason => 'blocked') FROM companion.users WHERE telegram_user_id = 1003;
UPDATE companion.users SET whatsapp_number = '+49151000007', email = 'Shared@Example.org', preferred_channel = 'discord'
WHERE id = '00000000-0000-0000-0000-000000000007';
UPDATE companion.users SET whatsapp_number = '+49151000007', email = 'shared@example.org'
WHERE id = '00000000-0000-0000-0000-000000000005';
UPDATE companion.users SET whatsapp_number = NULL WHERE id = '00000000-0000-0000-0000-000000000007';
SELECT companion.unlink_address('00000000-0000-0000-0000-000000000007', 'email', 'shared@example.org');

-- Conversations: a closed one, an answer to a message that was edited since, a search.
SELECT companion.record_incoming('telegram', telegram_user_id::text, 'message ' || n, n)
FROM companion.users, generate_series(1, 70) AS n WHERE telegram_user_id = 1002;
SELECT companion.record_incoming('telegram', '1002', 'yes', 71, 70);
SELECT companion.edit_message(user_id, id, E'edited\r\n')
FROM companion.messages WHERE telegram_message_id = 70;
SELECT companion.search_messages(user_id, 'message 7')
FROM companion.messages WHERE telegram_message_id = 70;
SELECT companion.edit_message(user_id, NULL, 'edited before it came', telegram_message_id => 72)
FROM companion.messages WHERE telegram_message_id = 70;
SELECT companion.close_conversation(user_id, id) FROM companion.conversations;
SELECT companion.record_incoming('whatsapp', whatsapp_number, 'hello', metadata => '{"n": 1}', external_id => 'wamid.1')
FROM companion.users WHERE whatsapp_number IS NOT NULL;

-- An edit whose message has not come yet.
SELECT companion.edit_message(id, NULL, 'early', 72) FROM companion.users WHERE telegram_user_id = 1002;

-- An id of 0.1.0's, which an update has replaced.
INSERT INTO companion.rekeyed_ids
SELECT user_id, 'messages', 'f3b7c1de-4a40-4b6e-9d0a-2f4c8e6a1b01', id FROM companion.messages WHERE telegram_message_id = 70;

-- Memory: facts that were confirmed, superseded, contradicted, pinned, and one that expires.
SELECT companion.upsert_user_context(user_id, 'family', 'sister', 'Ana', source_message_id => id)
FROM companion.messages WHERE content = 'hello';
SELECT companion.upsert_user_context(user_id, 'family', 'sister', said.value, source => 'user')
FROM companion.messages, (VALUES ('Anna'), ('Anna')) AS said (value) WHERE content = 'hello';
SELECT companion.upsert_user_context(user_id, 'family', 'sister', 'Hannah')
FROM companion.messages WHERE content = 'hello';
SELECT companion.upsert_user_context(id, 'health', 'cold', 'has one', 0.9, -1,
    expires_at => '2026-03-06', pinned => true) FROM companion.users;
-- One fact is forgotten, and not its message; of the others it is known what they mean.
SELECT companion.upsert_user_context(user_id, 'health', 'diet', 'none', source_message_id => id),
       companion.forget_user_context(user_id, 'health', 'diet')
FROM companion.messages WHERE role = 'user';
SELECT companion.set_embedding(user_id, id, 'a model', ARRAY[0.5, -1e-10, 3.4e38]) FROM companion.user_context WHERE category = 'family';

-- Link tokens: used, unused, and one that nobody made.
INSERT INTO companion.telegram_link_tokens (user_id, token_hash, expires_at)
SELECT id, sha256(convert_to('token of ' || email, 'UTF8')), 'infinity' FROM companion.users;
SELECT companion.redeem_telegram_link_token('token of user6@example.org', 1006, 'six');
SELECT companion.redeem_telegram_link_token('no token', 1007);

-- Dispatch. One day was missed; on the next, messages came to every end but one, which is underway.
SELECT companion.rewind_dispatch('2026-03-02 00:00+00');
SET companion.clock = '2026-03-03 10:00+00';
SELECT companion.dispatch();
CREATE TEMP TABLE claimed AS
SELECT row_number() OVER (ORDER BY user_id) AS n, * FROM companion.claim_messages('worker A');
SELECT companion.mark_skipped(user_id, message_id, attempt, 'not now') FROM claimed WHERE n = 1;
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed WHERE n > 1;
SELECT companion.mark_failed(user_id, message_id, attempt, 'blocked', permanent => true)
FROM claimed WHERE n = 2;
SELECT companion.mark_sent(user_id, message_id, attempt, E'good\tmorning\n', 9000) FROM claimed WHERE n = 3;
SET companion.clock = '2026-03-03 15:00+00';
SELECT companion.finish_abandoned();
SELECT companion.dispatch();

-- Caps of both kinds, which nothing has reached yet.
INSERT INTO companion.caps (cap_group, local_period, rolling, max_messages) VALUES
    ('mornings', 'week', NULL, 100), ('mornings', NULL, '1 month 36:00', 200);
UPDATE companion.kinds SET cap_group = 'mornings' WHERE kind = 'checkin';

-- This day, messages are in every state on the way.
SET companion.clock = '2026-03-04 09:00+00';
SELECT companion.dispatch();
SELECT companion.schedule_message(id, companion.now() + '1 hour', E'at ten\n',
    generation_context => '{"mood": null}') FROM companion.users;
TRUNCATE claimed;
INSERT INTO claimed
SELECT row_number() OVER (ORDER BY user_id), * FROM companion.claim_messages('worker B', 4, '10 minutes');
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed WHERE n <> 1;
SELECT companion.mark_sent(user_id, message_id, attempt, 'sent') FROM claimed WHERE n = 2;
SELECT companion.mark_failed(user_id, message_id, attempt, 'try later', '10 minutes') FROM claimed WHERE n = 3;

-- Somebody changes their time, and is to be looked at again.
UPDATE companion.users SET checkin_time = '10:00' WHERE email = 'user4@example.org';

-- Newsletters wait.
SELECT companion.pause_sending(kind => 'newsletter', reason => 'not today');

-- One of the databases that the users are spread over: the only one.
SELECT companion.set_shard(0, 1);
-- What a directory has, and what a shard of several has for it.
INSERT INTO companion.directory (channel, address, user_id, reservation, expires_at, confirmed_at)
SELECT 'telegram', telegram_user_id, id, 7, '2026-03-04 09:01+00', '2026-03-04 09:00+00'
FROM companion.users WHERE telegram_user_id IS NOT NULL;
INSERT INTO companion.address_reservations (channel, address, user_id, reservation, expires_at, is_void)
SELECT 'push', 'device of ' || id, id, 8, 'infinity', true FROM companion.users;
INSERT INTO companion.directory_changes (user_id, channel, address, bot, is_wanted)
SELECT id, 'email', email, '', true FROM companion.users WHERE email IS NOT NULL;
