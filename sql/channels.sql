-- Channels are rows, and so is where a user is on each.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
SELECT * FROM companion.channels ORDER BY rank;

-- An app's own channel; a row that is there is replaced; what is deleted is used no more.
BEGIN;
SET LOCAL ROLE companion_admin;
INSERT INTO companion.channels (channel, rank, needs_address, longest_text) VALUES
    ('discord', 5, true, 2000), ('web', 900, false, NULL);
DELETE FROM companion.channels WHERE channel = 'push';
SELECT channel, rank, needs_address FROM companion.channels ORDER BY rank;
RESET ROLE;
INSERT INTO companion.users (id, preferred_channel) VALUES ('00000000-0000-0000-0000-000000000009', 'discord');
SELECT companion.link_address('00000000-0000-0000-0000-000000000009', 'discord', 'maya#1');
SELECT pg_temp.error_of($$SELECT companion.link_address('00000000-0000-0000-0000-000000000009', 'push', 'x')$$);
SELECT companion.usable_channel(u), companion.channel_address(u, 'discord') FROM companion.users AS u;
UPDATE companion.channels SET only_if_preferred = true WHERE channel = 'discord';
UPDATE companion.users SET preferred_channel = NULL;
SELECT companion.usable_channel(u) FROM companion.users AS u;
DELETE FROM companion.channels WHERE channel = 'web';
SELECT companion.usable_channel(u) FROM companion.users AS u;
ROLLBACK;
SELECT pg_temp.error_of(format('INSERT INTO companion.channels VALUES (%s)', values)) AS outcome, values
FROM (VALUES ($$'Discord', 1$$), ($$'', 1$$), ($$'x y', 1$$), ($$'sms', NULL$$), ($$'sms', 1, true, false, 0$$)) AS v (values);
SET ROLE companion_worker;
SELECT pg_temp.error_of('DELETE FROM companion.channels');
RESET ROLE;

-- Linking. An address is one user's; of several the one that was linked last comes first.
INSERT INTO companion.users (id, display_name) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya'),
    ('00000000-0000-0000-0000-000000000002', 'Diego');
\set maya '''00000000-0000-0000-0000-000000000001'''
\set diego '''00000000-0000-0000-0000-000000000002'''
CREATE TEMP VIEW linked AS
SELECT u.display_name, a.channel, a.bot, a.address, a.linked_at, a.unlinked_at, a.disabled_at, a.disabled_reason
FROM companion.addresses AS a JOIN companion.users AS u ON u.id = a.user_id
ORDER BY display_name, channel, bot, address;
SELECT companion.link_address(:maya, 'telegram', '111'), companion.link_address(:diego, 'telegram', '0111') AS diegos,
    companion.link_address(:diego, 'telegram', '111', 'other_bot') AS diegos_for_a_bot;
SET companion.clock = '2026-03-04 10:00+00';
SELECT companion.link_address(:maya, 'push', 'phone'), companion.link_address(:diego, 'email', 'Diego@Example.org');
SET companion.clock = '2026-03-04 11:00+00';
SELECT companion.link_address(:maya, 'push', 'tablet'), companion.link_address(:diego, 'email', 'diego@example.org');
SELECT * FROM pg_temp.linked;
SELECT display_name, usable_addresses FROM companion.users ORDER BY id;
-- A bot's name is added to an address that has none; another bot is another address.
SELECT companion.link_address(:maya, 'telegram', '111', 'mybot'), companion.link_address(:diego, 'telegram', '111', 'other_bot');
SELECT display_name, bot, address FROM pg_temp.linked WHERE channel = 'telegram';
-- Disabled and linked again; unlinked, and linked by another.
SELECT companion.disable_address(:maya, 'push', 'phone', reason => 'expired'), companion.disable_address(:maya, 'push', 'phone') AS again,
    companion.disable_address(:diego, 'push', 'phone') AS not_his;
SELECT companion.unlink_address(:maya, 'push', 'tablet'), companion.unlink_address(:maya, 'push', 'tablet') AS again,
    companion.link_address(:diego, 'push', 'tablet'), companion.link_address(:maya, 'push', 'tablet') AS back;
SELECT * FROM pg_temp.linked WHERE channel = 'push';
SELECT companion.link_address(:maya, 'push', 'phone');
SELECT usable_addresses FROM companion.users WHERE display_name = 'Maya';

-- WhatsApp reports some numbers in another form than they were dialled in.
SELECT companion.link_address(:maya, 'whatsapp', '+5531987654321'), companion.link_address(:diego, 'whatsapp', '553187654321') AS the_same,
    companion.link_address(:diego, 'whatsapp', '+553127654321') AS a_landline,
    companion.link_address(:diego, 'whatsapp', '5215512345678') AS mexico, companion.link_address(:maya, 'whatsapp', '525512345678') AS mexico_too,
    companion.link_address(:maya, 'whatsapp', '+541112345678') AS argentina, companion.link_address(:diego, 'whatsapp', '5491112345678') AS argentina_too;
SELECT companion.unlink_address(:maya, 'whatsapp', '553187654321') AS in_its_other_form;
SELECT display_name, address, unlinked_at IS NULL AS is_linked FROM pg_temp.linked WHERE channel = 'whatsapp';

-- Bad input.
SELECT call, pg_temp.error_of(format('SELECT companion.link_address(%s)', call)) AS outcome FROM (VALUES
    ($$NULL, 'telegram', '1'$$), ($$'00000000-0000-0000-0000-000000000001', NULL, '1'$$),
    ($$'00000000-0000-0000-0000-000000000001', 'telegram', NULL$$), ($$'00000000-0000-0000-0000-000000000001', 'telegram', '1', NULL$$),
    ($$'00000000-0000-0000-0000-000000000099', 'telegram', '1'$$), ($$'00000000-0000-0000-0000-000000000001', 'fax', '1'$$),
    ($$'00000000-0000-0000-0000-000000000001', 'web', '1'$$), ($$'00000000-0000-0000-0000-000000000001', 'telegram', 'maya'$$),
    ($$'00000000-0000-0000-0000-000000000001', 'telegram', '99999999999999999999'$$), ($$'00000000-0000-0000-0000-000000000001', 'whatsapp', '0151'$$),
    ($$'00000000-0000-0000-0000-000000000001', 'email', 'maya'$$), ($$'00000000-0000-0000-0000-000000000001', 'push', ''$$),
    ($$'00000000-0000-0000-0000-000000000001', 'push', repeat('x', 512)$$), ($$'00000000-0000-0000-0000-000000000001', 'push', repeat('x', 513)$$),
    ($$'00000000-0000-0000-0000-000000000001', 'push', E'a\nb'$$), ($$'00000000-0000-0000-0000-000000000001', 'push', E'a\x7F'$$),
    ($$'00000000-0000-0000-0000-000000000001', 'push', 'x', repeat('b', 64)$$), ($$'00000000-0000-0000-0000-000000000001', 'push', 'x', repeat('b', 65)$$),
    ($$'00000000-0000-0000-0000-000000000001', 'push', 'x', E'\t'$$)) AS v (call);
SET ROLE companion_admin;
SELECT pg_temp.error_of($$INSERT INTO companion.addresses (user_id, channel, address) VALUES ('00000000-0000-0000-0000-000000000001', 'fax', '1')$$);
SELECT pg_temp.error_of($$INSERT INTO companion.addresses (user_id, channel, address) VALUES ('00000000-0000-0000-0000-000000000002', 'push', 'phone')$$);
INSERT INTO companion.addresses (user_id, channel, address) VALUES ('00000000-0000-0000-0000-000000000002', 'telegram', '007') RETURNING address;
RESET ROLE;

-- An end user sees their own, unlinks their own, and learns nothing of others'.
SET ROLE companion_user;
SET companion.user_id = '00000000-0000-0000-0000-000000000002';
SELECT channel, bot, address FROM companion.addresses ORDER BY 1, 2, 3;
SELECT pg_temp.error_of($$SELECT companion.link_address('00000000-0000-0000-0000-000000000002', 'push', 'phone')$$);
SELECT pg_temp.error_of($$SELECT companion.disable_address('00000000-0000-0000-0000-000000000002', 'push', 'tablet')$$);
SELECT pg_temp.error_of($$SELECT companion.unlink_address('00000000-0000-0000-0000-000000000001', 'push', 'phone')$$);
SELECT pg_temp.error_of($$INSERT INTO companion.addresses (user_id, channel, address) VALUES ('00000000-0000-0000-0000-000000000002', 'push', 'x')$$);
SELECT companion.unlink_address(:diego, 'push', 'phone') AS not_theirs, companion.unlink_address(:diego, 'telegram', '7') AS theirs;
RESET ROLE;
RESET companion.user_id;
SELECT companion.erase_user(id) ->> 'addresses' AS erased FROM companion.users ORDER BY id;

-- The user's own columns are addresses, too. One that another user has stays with them.
INSERT INTO companion.users (id, display_name, telegram_user_id, whatsapp_number, email) VALUES
    (:maya, 'Maya', 111, '+491511234567', 'Maya@Example.org'),
    (:diego, 'Diego', 222, '+491511234567', 'maya@example.ORG');
SELECT display_name, channel, address FROM pg_temp.linked;
UPDATE companion.users SET email = NULL, whatsapp_number = NULL WHERE id = :maya;
SELECT companion.link_address(:diego, 'whatsapp', '491511234567');
UPDATE companion.users SET email = 'not an address' WHERE id = :maya;
UPDATE companion.users SET telegram_user_id = 333 WHERE id = :maya;
SELECT display_name, channel, address, unlinked_at IS NULL AS is_linked FROM pg_temp.linked;
-- What a column names is unlinked with it, and what is unlinked is cleared; a disabled one comes back when its column changes.
SELECT companion.disable_address(:maya, 'telegram', '333'), companion.unlink_address(:diego, 'telegram', '222');
SELECT display_name, telegram_user_id, usable_addresses FROM companion.users ORDER BY id;
UPDATE companion.users SET telegram_user_id = 111 WHERE id = :maya;
UPDATE companion.users SET telegram_user_id = 333 WHERE id = :maya;
SELECT display_name, telegram_user_id, usable_addresses FROM companion.users ORDER BY id;

-- What is pending follows. Maya's message is claimed for 333; she unlinks that, and Diego links it.
CREATE TEMP VIEW queue AS
SELECT m.idempotency_key AS key, m.status, m.channel, m.failure_reason, q.channel AS queued, q.attempt, q.leased_until > '-infinity' AS is_claimed,
       q.sending, q.bot, q.addresses
FROM companion.scheduled_messages AS m LEFT JOIN companion.dispatch_queue AS q ON q.message_id = m.id ORDER BY key;
CREATE TEMP TABLE claimed (key text, user_id uuid, message_id uuid, attempt integer);
CREATE FUNCTION pg_temp.claim(channel text) RETURNS TABLE (key text, bot text, address text, addresses text[], longest_text integer)
LANGUAGE sql AS $$
    WITH claim AS (SELECT * FROM companion.claim_messages('w', channels => ARRAY[channel])),
    kept AS (INSERT INTO pg_temp.claimed SELECT m.idempotency_key, c.user_id, c.message_id, c.attempt
             FROM claim AS c JOIN companion.scheduled_messages AS m ON m.id = c.message_id)
    SELECT m.idempotency_key, c.bot, c.address, c.addresses, c.longest_text
    FROM claim AS c JOIN companion.scheduled_messages AS m ON m.id = c.message_id ORDER BY 1
$$;
SELECT (companion.schedule_message(:maya, companion.now(), 'for Maya', 'custom', idempotency_key => 'first')).created;
SELECT * FROM pg_temp.claim('telegram');
SELECT companion.unlink_address(:maya, 'telegram', '333'), companion.link_address(:diego, 'telegram', '333');
SELECT * FROM pg_temp.queue;
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed;
SELECT * FROM pg_temp.claim('telegram');
SELECT * FROM pg_temp.claim('web');
DELETE FROM claimed; TRUNCATE companion.scheduled_messages, companion.dispatch_queue;

-- One that is being sent stays; whether its address is gone is said of the address that its worker was told.
UPDATE companion.users SET telegram_user_id = 444 WHERE id = :maya;
SELECT (companion.schedule_message(:maya, companion.now(), 'x', 'custom', idempotency_key => key)).created FROM (VALUES ('gone'), ('next'), ('sent')) AS v (key);
SELECT key, bot, address FROM pg_temp.claim('telegram');
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed WHERE key IN ('gone', 'sent');
UPDATE companion.users SET telegram_user_id = 555 WHERE id = :maya;
SELECT * FROM pg_temp.queue;
SELECT companion.mark_failed(user_id, message_id, attempt, 'blocked', address_gone => true) FROM claimed WHERE key = 'gone';
SELECT address, unlinked_at IS NULL AS is_linked, disabled_at FROM pg_temp.linked WHERE display_name = 'Maya' AND channel = 'telegram';
SELECT key, status, queued, is_claimed, sending, addresses FROM pg_temp.queue;
-- Said of the one that is told now, what is pending there goes to the web, the message itself at once.
DELETE FROM claimed;
SELECT key, bot, address FROM pg_temp.claim('telegram');
SELECT companion.mark_failed(user_id, message_id, attempt, 'blocked', address_gone => true) FROM claimed WHERE key = 'gone';
SELECT address, unlinked_at IS NULL AS is_linked, disabled_at, disabled_reason FROM pg_temp.linked WHERE display_name = 'Maya' AND channel = 'telegram';
SELECT key, status, queued, is_claimed, sending, addresses FROM pg_temp.queue;
-- permanent leaves the address alone.
UPDATE companion.users SET telegram_user_id = 666 WHERE id = :maya;
DELETE FROM claimed; TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
SELECT (companion.schedule_message(:maya, companion.now(), 'x', 'custom', idempotency_key => 'refused')).created;
SELECT key, address FROM pg_temp.claim('telegram');
SELECT companion.mark_failed(user_id, message_id, attempt, 'text refused', permanent => true) FROM claimed;
SELECT key, status, failure_reason FROM pg_temp.queue;
SELECT usable_addresses FROM companion.users WHERE id = :maya;
DELETE FROM claimed; TRUNCATE companion.scheduled_messages, companion.dispatch_queue;

-- One that was given up as unknown: the late report is of the address that its worker was told.
SELECT (companion.schedule_message(:maya, companion.now(), 'x', 'custom', idempotency_key => 'late')).created;
SELECT key, address FROM pg_temp.claim('telegram');
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed;
UPDATE companion.users SET telegram_user_id = 777 WHERE id = :maya;
SET companion.clock = '2026-03-04 12:00+00';
SELECT companion.finish_abandoned();
SELECT status, bot, addresses FROM companion.scheduled_messages;
UPDATE companion.users SET telegram_user_id = 666 WHERE id = :maya;
SELECT companion.mark_failed(user_id, message_id, attempt, 'blocked', address_gone => true) FROM claimed;
SELECT key, status, queued, is_claimed, sending, addresses FROM pg_temp.queue;
SELECT address, unlinked_at IS NULL AS is_linked, disabled_reason FROM pg_temp.linked WHERE display_name = 'Maya' AND channel = 'telegram';
DELETE FROM claimed; TRUNCATE companion.scheduled_messages, companion.dispatch_queue;

-- Where nothing is left it is skipped, as is what is enqueued then.
BEGIN;
DELETE FROM companion.channels WHERE channel = 'web';
UPDATE companion.users SET telegram_user_id = 888 WHERE id = :maya;
SELECT (companion.schedule_message(:maya, companion.now(), 'x', 'custom', idempotency_key => 'before')).created;
SELECT companion.unlink_address(:maya, 'telegram', '888');
SELECT (companion.schedule_message(:maya, companion.now(), 'x', 'custom', idempotency_key => 'after')).created;
UPDATE companion.users SET onboarding_completed_at = '2026-01-01', checkin_time = '12:00' WHERE id = :maya;
SELECT companion.rewind_dispatch('2026-03-04 11:59+00'), companion.dispatch();
SELECT key, status, channel, failure_reason, queued FROM pg_temp.queue;
ROLLBACK;

-- Several devices: the worker is told all of them.
SELECT companion.link_address(:maya, 'push', token) FROM (VALUES ('a'), ('b')) AS v (token);
SELECT (companion.schedule_message(:maya, companion.now(), 'x', 'custom', 'push', 'devices')).created;
SELECT * FROM pg_temp.claim('push');
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed;
SELECT companion.disable_address(:maya, 'push', 'a');
SELECT queued, addresses FROM pg_temp.queue;
SELECT companion.mark_failed(user_id, message_id, attempt, 'no device', address_gone => true) FROM claimed;
SELECT key, status, queued FROM pg_temp.queue;
SELECT channel, address, disabled_at IS NULL AS is_enabled FROM pg_temp.linked WHERE display_name = 'Maya' AND channel = 'push';

-- Operators' triggers: nothing is lost in silence.
CREATE FUNCTION pg_temp.suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER suppress BEFORE INSERT OR UPDATE ON companion.addresses FOR EACH ROW EXECUTE FUNCTION pg_temp.suppress();
SELECT pg_temp.error_of($$SELECT companion.link_address('00000000-0000-0000-0000-000000000001', 'push', 'c')$$);
SELECT pg_temp.error_of($$SELECT companion.unlink_address('00000000-0000-0000-0000-000000000001', 'push', 'a')$$);
DROP TRIGGER suppress ON companion.addresses;
CREATE TRIGGER suppress BEFORE UPDATE ON companion.users FOR EACH ROW EXECUTE FUNCTION pg_temp.suppress();
SELECT pg_temp.error_of($$SELECT companion.link_address('00000000-0000-0000-0000-000000000001', 'push', 'c')$$);
DROP TRIGGER suppress ON companion.users;

-- A user who is deleted by hand, whose claim is still held; addresses that are truncated.
DELETE FROM companion.users; DELETE FROM companion.dispatch_queue;
DELETE FROM claimed;
INSERT INTO companion.users (id, display_name, telegram_user_id) VALUES (:maya, 'Maya', 111), (:diego, 'Diego', 222);
SELECT (companion.schedule_message(id, companion.now(), 'x', 'custom', idempotency_key => display_name)).created FROM companion.users ORDER BY id;
SELECT key, address FROM pg_temp.claim('telegram');
DELETE FROM companion.users WHERE id = :maya;
SELECT companion.link_address(:diego, 'telegram', '111'), key, companion.start_send(user_id, message_id, attempt) FROM claimed ORDER BY key;
TRUNCATE companion.addresses;
SELECT display_name, usable_addresses FROM companion.users;
SELECT queued, is_claimed FROM pg_temp.queue;

-- Two messages under way to who blocks the bot: the second, too, goes where they are reached.
DELETE FROM claimed; TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
SELECT companion.link_address(:diego, 'telegram', '222');
SELECT (companion.schedule_message(:diego, companion.now(), 'x', 'custom', idempotency_key => key)).created FROM (VALUES ('one'), ('two')) AS v (key);
SELECT key, address FROM pg_temp.claim('telegram');
SELECT key, companion.start_send(user_id, message_id, attempt) FROM claimed ORDER BY key;
SELECT key, companion.mark_failed(user_id, message_id, attempt, 'blocked', address_gone => true) FROM claimed ORDER BY key;
SELECT key, address FROM pg_temp.claim('telegram');
SELECT key, address FROM pg_temp.claim('web') ORDER BY key;

-- One bot's address is unlinked, the other's stays; a number is written in its other form; a channel that is not there.
DELETE FROM claimed; TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
UPDATE companion.users SET telegram_user_id = 700;
SELECT companion.link_address(:diego, 'telegram', '700', 'b1'), companion.link_address(:diego, 'telegram', '700', 'b2'), companion.unlink_address(:diego, 'telegram', '700', 'b2');
SELECT telegram_user_id, usable_addresses FROM companion.users;
UPDATE companion.users SET whatsapp_number = '+5511987654321', telegram_user_id = NULL;
UPDATE companion.users SET whatsapp_number = '+551187654321';
SELECT usable_addresses FROM companion.users;
SELECT companion.unlink_address(:diego, 'whatsapp', '5511987654321');
SELECT whatsapp_number, usable_addresses FROM companion.users;
BEGIN;
DELETE FROM companion.channels WHERE channel IN ('email', 'telegram');
INSERT INTO companion.users (email, telegram_user_id) VALUES ('someone@example.org', 999);
SELECT count(*) FROM companion.addresses WHERE address IN ('someone@example.org', '999');
ROLLBACK;

-- usable_addresses is the addresses' to say; an end user does not see what is another's.
SET ROLE companion_admin;
SELECT pg_temp.error_of($$UPDATE companion.users SET usable_addresses = '{telegram,"",1}'$$);
SELECT pg_temp.error_of($$INSERT INTO companion.addresses (user_id, channel, address) VALUES ('00000000-0000-0000-0000-000000000002', 'push', E'a\u0085')$$);
RESET ROLE;

-- What a restore copies of users is linked for now; what it copies of addresses takes its place, the bots' as well.
TRUNCATE companion.users CASCADE;
COPY companion.users (id, telegram_user_id) FROM stdin;
00000000-0000-0000-0000-000000000001	2
\.
SELECT bot, address, linked_at IS NULL AS for_now FROM companion.addresses;
COPY companion.addresses (user_id, channel, bot, address) FROM stdin;
00000000-0000-0000-0000-000000000001	telegram		1
00000000-0000-0000-0000-000000000001	telegram	a_bot	2
\.
SELECT bot, address, linked_at IS NULL AS for_now FROM companion.addresses ORDER BY 1, 2;
