-- Chats: a messenger's message id is one within its channel, bot and address; no message is lost,
-- stored twice, or stored with somebody else.
\i test/fresh.sql
\set maya '\'00000000-0000-0000-0000-000000000001\''
\set diego '\'00000000-0000-0000-0000-000000000002\''
SET companion.clock = '2026-03-02 08:00+00';
INSERT INTO companion.users (id, display_name, telegram_user_id, whatsapp_number)
VALUES (:maya, 'Maya', 111, '+14155550100'), (:diego, 'Diego', 500, NULL);

-- Everything that is stored, in the order in which it came.
CREATE TEMP VIEW stored AS
SELECT u.display_name AS name, m.role, m.content, coalesce(m.telegram_message_id::text, m.external_id) AS message_id,
       m.channel, m.bot, m.address, r.content AS reply_to
FROM companion.messages AS m JOIN companion.users AS u ON u.id = m.user_id
LEFT JOIN companion.messages AS r ON r.user_id = m.user_id AND r.id = m.reply_to_id ORDER BY m.id;
CREATE FUNCTION pg_temp.content(id uuid) RETURNS text LANGUAGE sql
AS $$ SELECT m.content FROM companion.messages AS m WHERE m.id = content.id $$;
-- What a delivery returns: whose message it is, its text as stored, and whether it is new.
CREATE FUNCTION pg_temp.telegram(sender text, text, id bigint, bot text DEFAULT '', reply_to bigint DEFAULT NULL)
RETURNS TABLE (name text, content text, is_new boolean) LANGUAGE sql AS $$
    SELECT u.display_name, pg_temp.content(d.message_id), d.is_new
    FROM companion.record_incoming('telegram', sender, $2, id, reply_to, bot => telegram.bot) AS d
    JOIN companion.users AS u ON u.id = d.user_id $$;
CREATE FUNCTION pg_temp.delivered(channel text, sender text, text, id text DEFAULT NULL, reply_to text DEFAULT NULL, bot text DEFAULT '')
RETURNS TABLE (name text, content text, is_new boolean) LANGUAGE sql AS $$
    SELECT u.display_name, pg_temp.content(d.message_id), d.is_new
    FROM companion.record_incoming(delivered.channel, sender, $3, external_id => id,
        reply_to_external_id => reply_to, bot => delivered.bot) AS d
    JOIN companion.users AS u ON u.id = d.user_id $$;
CREATE FUNCTION pg_temp.open(name text, channel text) RETURNS uuid LANGUAGE sql
AS $$ SELECT companion.open_conversation(u.id, channel) FROM companion.users AS u WHERE display_name = name $$;
CREATE FUNCTION pg_temp.clear() RETURNS void LANGUAGE sql AS $$
    DELETE FROM companion.conversations;
    DELETE FROM companion.early_edits;
    DELETE FROM companion.scheduled_messages;
    DELETE FROM companion.dispatch_queue $$;

-- A user's other account counts from its own 1.
SELECT * FROM pg_temp.telegram('111', 'from the old account', 42);
UPDATE companion.users SET telegram_user_id = 222 WHERE id = :maya;
SELECT * FROM pg_temp.telegram('222', 'from the new account', 42);
SELECT * FROM stored;
SELECT pg_temp.content(companion.edit_message(:maya, NULL, 'edited', telegram_message_id => 42));
SELECT content, address FROM stored;
-- The old one's message is still there, for who names its chat.
SELECT pg_temp.content(companion.edit_message(:maya, NULL, 'corrected', telegram_message_id => 42, address => '111'));
SELECT content, address FROM stored;
-- Who writes from an address that is nobody's now is unknown.
SELECT * FROM pg_temp.telegram('111', 'from the old account', 43);
SELECT pg_temp.clear();

-- A bot that replaces another counts from 1, too: the id belongs to the newer message.
SELECT * FROM pg_temp.telegram('222', 'my cat is Miso', 11);
SET companion.clock = '2026-04-02 08:00+00';
SELECT * FROM pg_temp.telegram('222', 'I feel terrible, call me', 11);
SELECT content, message_id FROM stored;
SELECT pg_temp.content(companion.edit_message(:maya, NULL, 'I feel better', telegram_message_id => 11));
SELECT content FROM stored;
SELECT * FROM pg_temp.telegram('222', 'so?', 12, reply_to => 11);
SELECT content, reply_to FROM stored WHERE message_id = '12';
-- Delivered again, each is what it was, whichever text of it comes.
SELECT * FROM pg_temp.telegram('222', 'my cat is Miso', 11);
SELECT * FROM pg_temp.telegram('222', 'I feel terrible, call me', 11);
SELECT count(*) FROM stored;
-- With the bots named, even the same text is two messages. An address that was linked without a bot
-- has from then on the one that was written to.
SELECT channel, bot, address FROM companion.addresses WHERE user_id = :maya AND unlinked_at IS NULL ORDER BY 1, 2;
SELECT * FROM pg_temp.telegram('222', '/start', 1, bot => 'old_bot');
SELECT channel, bot, address FROM companion.addresses WHERE user_id = :maya AND unlinked_at IS NULL ORDER BY 1, 2;
SELECT companion.link_address(:maya, 'telegram', '222', 'new_bot');
SELECT * FROM pg_temp.telegram('222', '/start', 1, bot => 'new_bot');
SELECT * FROM pg_temp.telegram('222', '/start', 1, bot => 'new_bot');
SELECT * FROM pg_temp.telegram('222', '/start', 1, bot => 'old_bot');
SELECT content, message_id, bot FROM stored WHERE bot <> '';
-- A bot that nobody linked for is not known; nor is, for an address that has bots, none.
SELECT * FROM pg_temp.telegram('222', '/start', 1, bot => 'another_bot');
SELECT * FROM pg_temp.telegram('222', '/start', 1);
-- An address that the user has had for the bot before takes that row's place.
SELECT companion.unlink_address(:maya, 'telegram', '222', 'new_bot'), companion.unlink_address(:maya, 'telegram', '222');
UPDATE companion.users SET telegram_user_id = 222 WHERE id = :maya;
SELECT * FROM pg_temp.telegram('222', 'back again', 2, bot => 'new_bot');
SELECT channel, bot, address, unlinked_at IS NULL AS is_linked FROM companion.addresses
WHERE user_id = :maya AND channel = 'telegram' ORDER BY 2, 3;
SELECT pg_temp.clear();

-- What a worker has sent is filed whatever message has its id.
SELECT companion.add_message(:diego, pg_temp.open('Diego', 'telegram'), 'user', 'has it already', 88888) IS NOT NULL AS added;
SELECT companion.schedule_message(:diego, companion.now(), 'hello', channel => 'telegram') IS NOT NULL AS scheduled;
SELECT companion.start_send(user_id, message_id, attempt),
       companion.mark_sent(user_id, message_id, attempt, 'hello', 88888, metadata => '{"model": "small"}')
FROM companion.claim_messages('w');
SELECT role, content, message_id, channel, bot, address FROM stored;
SELECT s.status, s.telegram_message_id, m.content, m.metadata
FROM companion.scheduled_messages AS s LEFT JOIN companion.messages AS m ON m.user_id = s.user_id AND m.id = s.message_id;
SELECT pg_temp.content(companion.edit_message(:diego, NULL, 'hello!', telegram_message_id => 88888));
-- The same in one call for many, with each kind of id and none, in the chats that they were sent to; a
-- text that is cut keeps its metadata.
SELECT companion.link_address(:diego, 'whatsapp', '351912345678', 'shop'), companion.link_address(:diego, 'push', 'token', 'ios');
SELECT count(*)
FROM (VALUES (3, 'whatsapp'), (2, 'push'), (1, 'web')) AS v (n, channel),
    companion.schedule_message(:diego, companion.now() - n * interval '1 minute', 'text ' || n, channel => channel);
SET companion.max_message_length = 6;
SET client_min_messages = error;
SELECT companion.mark_sent_many(array_agg(user_id), array_agg(message_id), array_agg(attempt),
    NULL, NULL, array_agg(CASE channel WHEN 'web' THEN NULL ELSE 'wamid.1' END),
    array_agg(CASE channel WHEN 'push' THEN '{"collapsed": true}'::jsonb END)) AS before_start,
    companion.start_send_many(array_agg(user_id), array_agg(message_id), array_agg(attempt)) AS started,
    companion.mark_sent_many(array_agg(user_id), array_agg(message_id), array_agg(attempt),
        array_agg(CASE channel WHEN 'push' THEN 'far too long' END), NULL,
        array_agg(CASE channel WHEN 'web' THEN NULL ELSE 'wamid.1' END),
        array_agg(CASE channel WHEN 'push' THEN '{"collapsed": true}'::jsonb END)) AS sent
FROM (SELECT * FROM companion.claim_messages('w') ORDER BY scheduled_for) AS c;
RESET client_min_messages;
RESET companion.max_message_length;
SELECT s.content, s.message_id, s.channel, s.bot, s.address, m.metadata
FROM stored AS s JOIN companion.messages AS m USING (content) WHERE s.content NOT LIKE 'h%' ORDER BY s.content;
SELECT count(*) FROM companion.scheduled_messages AS s
WHERE status = 'sent' AND NOT EXISTS (SELECT FROM companion.messages AS m WHERE m.user_id = s.user_id AND m.id = s.message_id);
-- A late report of what was given up as unknown goes where it was sent to, not where the user is now.
SELECT companion.schedule_message(:diego, companion.now(), 'late', channel => 'telegram') IS NOT NULL AS scheduled;
SELECT companion.start_send(user_id, message_id, attempt) FROM companion.claim_messages('w', 1, '1 minute');
UPDATE companion.users SET telegram_user_id = 501 WHERE id = :diego;
SET companion.clock = '2026-04-02 09:00+00';
SELECT companion.finish_abandoned();
SELECT companion.mark_sent(user_id, id, attempts, NULL, 7) FROM companion.scheduled_messages WHERE status = 'unknown';
SELECT content, message_id, channel, bot, address FROM stored WHERE content = 'late';
SELECT pg_temp.clear();

-- The id of an assistant's message: not a redelivery.
SELECT companion.add_message(:maya, pg_temp.open('Maya', 'telegram'), 'assistant', 'how are you?', 5, bot => 'new_bot') IS NOT NULL AS added;
SELECT * FROM pg_temp.telegram('222', 'how are you?', 5, bot => 'new_bot');
SELECT * FROM pg_temp.telegram('222', 'how are you?', 5, bot => 'new_bot');
SELECT companion.add_message(:maya, pg_temp.open('Maya', 'telegram'), 'assistant', 'how are you?', 5, bot => 'new_bot') IS NOT NULL AS added;
SELECT role, content, message_id FROM stored;
SELECT pg_temp.clear();

-- An account that goes from one user to another: what was Maya's and is delivered again stays hers.
SELECT * FROM pg_temp.telegram('222', 'my secret', 60, bot => 'new_bot');
UPDATE companion.users SET telegram_user_id = NULL WHERE id = :maya;
SELECT companion.link_address(:diego, 'telegram', '222', 'new_bot');
SELECT * FROM pg_temp.telegram('222', 'my secret', 60, bot => 'new_bot');
SELECT last_incoming_at FROM companion.addresses WHERE user_id = :diego AND address = '222';
SELECT * FROM pg_temp.telegram('222', 'hello, I am Diego', 61, bot => 'new_bot');
SELECT name, content FROM stored;
-- Nobody delivers again what is older than a week.
SET companion.clock = '2026-04-09 09:00+00';
SELECT * FROM pg_temp.telegram('222', 'my secret', 60, bot => 'new_bot');
SELECT companion.unlink_address(:diego, 'telegram', '222'), companion.link_address(:maya, 'telegram', '222', 'new_bot');
SELECT pg_temp.clear();

-- Edited, then delivered again with its first text: one message. With what it says now, too.
SELECT * FROM pg_temp.telegram('222', 'I live in Lisbom', 70, bot => 'new_bot');
SELECT pg_temp.content(companion.edit_message(:maya, NULL, 'I live in Lisbon', 70, 'new_bot'));
SELECT pg_temp.content(companion.edit_message(:maya, NULL, 'I live in Porto', 70, 'new_bot'));
SELECT * FROM pg_temp.telegram('222', 'I live in Lisbom', 70, bot => 'new_bot');
SELECT * FROM pg_temp.telegram('222', 'I live in Lisbon', 70, bot => 'new_bot');
SELECT * FROM pg_temp.telegram('222', 'I live in Porto', 70, bot => 'new_bot');
SELECT count(*) FROM stored;
SELECT pg_temp.clear();

-- WhatsApp, and every other channel: by external_id, within the chat; as long as 512 characters.
INSERT INTO companion.channels (channel, rank) VALUES ('signal', 50);
SELECT companion.link_address(:maya, 'signal', '+14155550100'), companion.link_address(:diego, 'signal', 'diego.01');
SELECT * FROM pg_temp.delivered('whatsapp', '14155550100', 'from my phone', 'wamid.A==');
SELECT * FROM pg_temp.delivered('whatsapp', '+14155550100', 'from my phone', 'wamid.A==');
SELECT * FROM pg_temp.delivered('whatsapp', '14155550100', 'another', 'wamid.A==');
SELECT * FROM pg_temp.delivered('signal', '+14155550100', 'from my phone', 'wamid.A==');
SELECT * FROM pg_temp.delivered('signal', 'diego.01', 'from my phone', 'wamid.A==');
SELECT * FROM pg_temp.delivered('web', :maya, 'from my desk', repeat('é', 512), 'wamid.A==');
SELECT * FROM pg_temp.delivered('web', :maya, 'from my desk', repeat('é', 512));
SELECT * FROM pg_temp.delivered('whatsapp', '14155550100', 'as I said', 'wamid.B==', 'wamid.A==');
SELECT name, content, left(message_id, 9), channel, bot, address, reply_to FROM stored;
SELECT companion.add_message(:maya, pg_temp.open('Maya', 'whatsapp'), 'assistant', 'I see', external_id => 'wamid.C==',
    reply_to_external_id => 'wamid.B==') = companion.add_message(:maya, pg_temp.open('Maya', 'whatsapp'), 'assistant', 'I see',
    external_id => 'wamid.C==', address => '14155550100') AS the_first;
SELECT content, message_id, channel, address, reply_to FROM stored WHERE role = 'assistant';
SELECT pg_temp.content(companion.edit_message(:maya, NULL, 'I really see', external_id => 'wamid.C==', channel => 'whatsapp'));
SELECT (m).external_id, (m).channel, (m).bot, (m).address FROM companion.recent_messages(:maya, 1) AS m;
-- A number that WhatsApp reports in its other form is the same chat.
SELECT companion.link_address(:diego, 'whatsapp', '5511987654321');
SELECT * FROM pg_temp.delivered('whatsapp', '551187654321', 'oi', 'wamid.D==');
SELECT * FROM pg_temp.delivered('whatsapp', '5511987654321', 'oi', 'wamid.D==');
SELECT pg_temp.content(companion.edit_message(:diego, NULL, 'olá', external_id => 'wamid.D==', channel => 'whatsapp', address => '551187654321'));
SELECT pg_temp.clear();

-- Without an id nothing is delivered again, and nothing of a chat is stored.
SELECT * FROM pg_temp.delivered('whatsapp', '14155550100', 'hi');
SELECT * FROM pg_temp.delivered('whatsapp', '14155550100', 'hi');
SELECT content, channel, bot, address FROM stored;
SELECT pg_temp.clear();

-- A message that is added is in the chat with the address that was linked last, of the bot that is
-- named; with none where there is no such address; a disabled one counts.
SELECT companion.link_address(:maya, 'telegram', '333', 'new_bot') AS linked, companion.disable_address(:maya, 'telegram', '333') AS disabled;
SELECT count(companion.add_message(:maya, pg_temp.open('Maya', 'telegram'), 'assistant', 'to ' || bot, 80, bot => bot))
FROM unnest('{new_bot,no_bot,""}'::text[]) AS bot;
SELECT count(companion.add_message(:maya, pg_temp.open('Maya', 'web'), 'assistant', 'on the web', external_id => '80'));
SELECT content, channel, bot, address FROM stored;
SELECT companion.unlink_address(:maya, 'telegram', '333');
SELECT pg_temp.clear();

-- An edit that comes before its message is kept, the last of several, and applied when it comes; the
-- first text is kept with the message.
SELECT companion.edit_message(:maya, NULL, 'secnod', 90, 'new_bot');
SELECT companion.edit_message(:maya, NULL, 'second', 90, 'new_bot');
SELECT companion.edit_message(:maya, NULL, 'of another chat', 90, 'new_bot', '444');
SELECT channel, bot, address, external_id, content, received_at FROM companion.early_edits ORDER BY 3;
SELECT * FROM pg_temp.telegram('222', 'first', 90, bot => 'new_bot');
SELECT content, edited_at, metadata FROM companion.messages;
SELECT * FROM pg_temp.telegram('222', 'first', 90, bot => 'new_bot');
SELECT address, content FROM companion.early_edits;
-- So for what is added, and for what is sent.
SELECT companion.edit_message(:maya, NULL, 'typo', external_id => 'e1', channel => 'web');
SELECT pg_temp.content(companion.add_message(:maya, pg_temp.open('Maya', 'web'), 'assistant', 'tpyo', external_id => 'e1'));
SELECT companion.schedule_message(:maya, companion.now(), 'helo', channel => 'web') IS NOT NULL AS scheduled;
SELECT companion.edit_message(:maya, NULL, 'hello', external_id => 'e2', channel => 'web');
SELECT companion.start_send(user_id, message_id, attempt), companion.mark_sent(user_id, message_id, attempt, external_id => 'e2')
FROM companion.claim_messages('w');
SELECT content, message_id FROM stored;
-- One whose message never comes goes after a week; so does, after companion.retention, an address that
-- was unlinked.
SELECT task, affected FROM companion.run_maintenance() WHERE task IN ('early edits', 'unlinked addresses');
SET companion.clock = '2026-04-16 09:00:01+00';
SELECT companion.expire_early_edits(), (SELECT count(*) FROM companion.early_edits);
SET companion.retention = '30d';
SET companion.clock = '2026-05-02 08:00:01+00';
SELECT count(*) FROM companion.addresses WHERE unlinked_at IS NOT NULL;
SELECT companion.expire_addresses(1), companion.expire_addresses();
SELECT address, unlinked_at FROM companion.addresses WHERE unlinked_at IS NOT NULL ORDER BY 1;
SELECT pg_temp.error_of(format('SELECT companion.%s(0)', f)) FROM unnest('{expire_early_edits,expire_addresses}'::text[]) AS f;
RESET companion.retention;
SELECT pg_temp.clear();

-- The user's last message is the last on any channel; an address's is its own.
CREATE TEMP VIEW last AS
SELECT u.display_name AS name, u.last_user_message_at, a.channel, a.bot, a.address, a.last_incoming_at, a.disabled_at, a.disabled_reason
FROM companion.users AS u JOIN companion.addresses AS a ON a.user_id = u.id AND a.unlinked_at IS NULL
WHERE u.id = '00000000-0000-0000-0000-000000000001' ORDER BY a.channel, a.bot;
SELECT * FROM pg_temp.telegram('222', 'on Telegram', 100, bot => 'new_bot');
SET companion.clock = '2026-05-02 09:00+00';
SELECT * FROM pg_temp.delivered('whatsapp', '14155550100', 'on WhatsApp', 'wamid.E==');
SET companion.clock = '2026-05-02 10:00+00';
SELECT * FROM pg_temp.delivered('web', :maya, 'on the web');
SELECT channel, bot, last_user_message_at, last_incoming_at FROM last;
-- What is delivered again says nothing of now; nor does what comes late move it back.
SELECT * FROM pg_temp.telegram('222', 'on Telegram', 100, bot => 'new_bot');
SET companion.clock = '2026-05-02 08:30+00';
SELECT * FROM pg_temp.delivered('whatsapp', '14155550100', 'late', 'wamid.F==');
SELECT channel, bot, last_user_message_at, last_incoming_at FROM last;

-- A message from an address that was disabled says that it is not gone.
SELECT companion.disable_address(:maya, 'telegram', '222', reason => 'blocked'), companion.disable_address(:maya, 'whatsapp', '14155550100');
SELECT channel, disabled_at, disabled_reason FROM last WHERE disabled_at IS NOT NULL;
SELECT companion.usable_channel(u) FROM companion.users AS u WHERE id = :maya;
SELECT * FROM pg_temp.telegram('222', 'on Telegram', 100, bot => 'new_bot');
SELECT channel, disabled_at, disabled_reason FROM last WHERE disabled_at IS NOT NULL;
SELECT * FROM pg_temp.telegram('222', 'I am back', 101, bot => 'new_bot');
SELECT channel, disabled_at, disabled_reason, last_incoming_at FROM last;
SELECT companion.usable_channel(u) FROM companion.users AS u WHERE id = :maya;

-- What is not accepted leaves nothing behind.
CREATE FUNCTION pg_temp.attempt(call text) RETURNS text LANGUAGE sql
AS $$ SELECT regexp_replace(pg_temp.error_of(replace('SELECT companion.' || call, ':maya', '''00000000-0000-0000-0000-000000000001''')),
    '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f-]{17}', '<id>') $$;
SELECT companion.schedule_message(:maya, companion.now(), 'pending', channel => 'telegram') IS NOT NULL AS scheduled;
CREATE TEMP TABLE claimed AS SELECT user_id, message_id, attempt FROM companion.claim_messages('w');
SELECT companion.start_send(user_id, message_id, attempt) FROM claimed;
CREATE TEMP VIEW counts AS
SELECT (SELECT count(*) FROM companion.messages) AS messages, (SELECT count(*) FROM companion.conversations) AS conversations,
       (SELECT count(*) FROM companion.early_edits) AS edits;
CREATE TEMP TABLE before AS SELECT * FROM counts;
SELECT call, pg_temp.attempt(call) AS outcome FROM (VALUES
    ('record_incoming(''telegram'', '''', ''x'')'),
    ('record_incoming(''push'', repeat(''x'', 513), ''x'')'),
    ('record_incoming(''push'', E''a\tb'', ''x'')'),
    ('record_incoming(''whatsapp'', ''nobody'', ''x'')'),
    ('record_incoming(''telegram'', ''222'', ''x'', bot => repeat(''x'', 65))'),
    ('record_incoming(''telegram'', ''222'', ''x'', bot => NULL)'),
    ('record_incoming(''telegram'', ''222'', ''x'', 1, external_id => ''x'')'),
    ('record_incoming(''telegram'', ''222'', ''x'', external_id => ''x'')'),
    ('record_incoming(''telegram'', ''222'', ''x'', reply_to_external_id => ''x'')'),
    ('record_incoming(''whatsapp'', ''14155550100'', ''x'', 1)'),
    ('record_incoming(''whatsapp'', ''14155550100'', ''x'', NULL, 1)'),
    ('record_incoming(''web'', :maya, ''x'', 1)'),
    ('record_incoming(''web'', :maya, ''x'', external_id => '''')'),
    ('record_incoming(''web'', :maya, ''x'', external_id => repeat(''x'', 513))'),
    ('record_incoming(''web'', :maya, ''x'', external_id => E''a\tb'')'),
    ('record_incoming(''web'', ''00000000-0000-0000-0000-00000000000x'', ''x'')'),
    ('add_message(:maya, pg_temp.open(''Maya'', ''web''), ''user'', ''x'', 1, external_id => ''x'')'),
    ('add_message(:maya, pg_temp.open(''Maya'', ''web''), ''user'', ''x'', 1, reply_to_external_id => ''x'')'),
    ('add_message(:maya, pg_temp.open(''Maya'', ''web''), ''user'', ''x'', NULL, NULL, NULL, 1, reply_to_external_id => ''x'')'),
    ('add_message(:maya, pg_temp.open(''Maya'', ''telegram''), ''user'', ''x'', external_id => ''x'')'),
    ('add_message(:maya, :maya, ''user'', ''x'', external_id => ''x'')'),
    ('add_message(:maya, pg_temp.open(''Maya'', ''web''), ''user'', ''x'', external_id => '''')'),
    ('add_message(:maya, pg_temp.open(''Maya'', ''telegram''), ''user'', ''x'', 1, address => ''me'')'),
    ('add_message(:maya, pg_temp.open(''Maya'', ''web''), ''user'', ''x'', 1, bot => repeat(''x'', 65))'),
    ('edit_message(:maya, NULL, ''x'', 1, external_id => ''x'')'),
    ('edit_message(:maya, :maya, ''x'', external_id => ''x'')'),
    ('edit_message(:maya, NULL, ''x'', external_id => ''x'')'),
    ('edit_message(:maya, NULL, ''x'', external_id => ''x'', channel => ''telegram'')'),
    ('edit_message(:maya, NULL, ''x'', external_id => ''x'', channel => ''fax'')'),
    ('edit_message(:maya, NULL, ''x'', 1, channel => ''web'')'),
    ('edit_message(:maya, NULL, ''x'', 0)'),
    ('edit_message(:maya, NULL, ''x'', 1, NULL)'),
    ('mark_sent(user_id, message_id, attempt, ''x'', 1, ''x'') FROM claimed'),
    ('mark_sent(user_id, message_id, attempt, ''x'', 0) FROM claimed'),
    ('mark_sent(user_id, message_id, attempt, ''x'', NULL, '''') FROM claimed'),
    ('mark_sent(user_id, message_id, attempt, ''x'', NULL, repeat(''x'', 513)) FROM claimed'),
    ('mark_sent(user_id, message_id, attempt, ''x'', NULL, NULL, ''[]'') FROM claimed'),
    ('mark_sent_many(ARRAY[user_id], ARRAY[message_id], ARRAY[attempt], ''{x}'', ''{1}'', ''{x}'') FROM claimed'),
    ('mark_sent_many(ARRAY[user_id], ARRAY[message_id], ARRAY[attempt], ''{x}'', NULL, ''{x,y}'') FROM claimed'),
    ('mark_sent_many(ARRAY[user_id], ARRAY[message_id], ARRAY[attempt], ''{x}'', NULL, NULL, ARRAY[jsonb ''1'']) FROM claimed')
) AS v (call);
SELECT (SELECT b FROM before AS b)::text = (SELECT c FROM counts AS c)::text AS unchanged;
-- An edit for a user who is not there is for nobody.
SELECT companion.edit_message('00000000-0000-0000-0000-000000000009', NULL, 'x', 1) IS NULL AS nothing;

-- An end user has no messenger's ids to give, and sees their own early edits only.
SELECT companion.edit_message(id, NULL, 'early', 999) FROM companion.users;
SET ROLE companion_user;
SET companion.user_id = :maya;
SELECT pg_temp.attempt('add_message(:maya, ''00000000-0000-7000-8000-000000000001'', ''user'', ''x'', external_id => ''x'')');
SELECT count(*) FROM companion.early_edits;
SELECT pg_temp.error_of('DELETE FROM companion.early_edits');
RESET companion.user_id;
RESET ROLE;

-- What a worker writes by their grant is bounded, too.
SET ROLE companion_worker;
SELECT pg_temp.error_of(format('INSERT INTO companion.messages (user_id, conversation_id, role, content, external_id)
    SELECT user_id, id, ''user'', ''x'', %L FROM companion.conversations LIMIT 1', id)) FROM (VALUES (''), (repeat('x', 513)), (E'\n'), ('ok')) AS v (id);
RESET ROLE;

-- An operator's trigger that keeps an address or an early edit from being written: nothing is lost
-- in silence.
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER suppress BEFORE UPDATE ON companion.addresses FOR EACH ROW EXECUTE FUNCTION suppress();
CREATE TRIGGER suppress BEFORE INSERT OR UPDATE OR DELETE ON companion.early_edits FOR EACH ROW EXECUTE FUNCTION suppress();
SELECT pg_temp.attempt('record_incoming(''telegram'', ''222'', ''x'', bot => ''new_bot'')');
SELECT pg_temp.attempt('edit_message(:maya, NULL, ''x'', 1000)');
SELECT pg_temp.attempt('add_message(:maya, pg_temp.open(''Maya'', ''telegram''), ''user'', ''x'', 999)');
DROP FUNCTION suppress CASCADE;
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.address := '999'; RETURN NEW; END $$;
CREATE TRIGGER zz_change BEFORE UPDATE ON companion.addresses FOR EACH ROW EXECUTE FUNCTION change();
SELECT pg_temp.attempt('record_incoming(''telegram'', ''222'', ''x'', bot => ''new_bot'')');
DROP FUNCTION change CASCADE;
