-- Conversations and messages: opening and closing, adding, receiving, editing, and reading.
\i test/fresh.sql
\set maya '\'00000000-0000-0000-0000-000000000001\''
\set diego '\'00000000-0000-0000-0000-000000000002\''
\set nobody '\'00000000-0000-0000-0000-000000000009\''
SET companion.clock = '2026-03-02 08:00+00';
INSERT INTO companion.users (id, display_name, timezone, telegram_user_id, whatsapp_number)
VALUES (:maya, 'Maya', 'America/Los_Angeles', 100, '+14155550100'),
       (:diego, 'Diego', 'UTC', 200, NULL);

-- What a conversation is called here: its user, channel and place among these.
CREATE TEMP VIEW log AS
SELECT u.display_name || ' ' || c.channel || ' '
           || row_number() OVER (PARTITION BY c.user_id, c.channel ORDER BY c.id) AS name,
       c.user_id, c.id, c.initiated_by, c.started_at, c.ended_at, c.mood_summary, c.topics
FROM companion.conversations AS c JOIN companion.users AS u ON u.id = c.user_id;
CREATE FUNCTION pg_temp.named(id uuid) RETURNS text LANGUAGE sql
AS $$ SELECT name FROM log WHERE log.id = named.id $$;
CREATE FUNCTION pg_temp.conversation(name text) RETURNS uuid LANGUAGE sql
AS $$ SELECT id FROM log WHERE log.name = conversation.name $$;
CREATE FUNCTION pg_temp.message(content text) RETURNS uuid LANGUAGE sql
AS $$ SELECT id FROM companion.messages WHERE messages.content = message.content $$;

-- A conversation stays open while its last message is younger than idle.
SELECT pg_temp.named(companion.open_conversation(:maya, 'web'));
SET companion.clock = '2026-03-03 07:59+00';
SELECT pg_temp.named(companion.open_conversation(:maya, 'web'));
SELECT companion.add_message(:maya, pg_temp.conversation('Maya web 1'), 'user',
    'good morning') = pg_temp.message('good morning') AS added;
SET companion.clock = '2026-03-04 07:58+00';
SELECT pg_temp.named(companion.open_conversation(:maya, 'web'));
SET companion.clock = '2026-03-04 07:59+00';
SELECT pg_temp.named(companion.open_conversation(:maya, 'web', 'companion'));
SELECT pg_temp.named(companion.open_conversation(:maya, 'telegram'));
SELECT pg_temp.named(companion.open_conversation(:maya, 'web', idle => '0'));
SELECT pg_temp.named(companion.open_conversation(:maya, 'web', idle => '100 years'));
SELECT name, initiated_by, started_at, ended_at FROM log ORDER BY name;

-- Closing keeps the first end, and what is not said.
SELECT companion.close_conversation(:maya, pg_temp.conversation('Maya web 3'), 'calm',
    '{garden,sleep}');
SET companion.clock = '2026-03-04 09:00+00';
SELECT companion.close_conversation(:maya, pg_temp.conversation('Maya web 3'));
SELECT companion.close_conversation(:maya, pg_temp.conversation('Maya web 3'), 'calmer', '{}');
SELECT name, ended_at, mood_summary, topics FROM log WHERE name = 'Maya web 3';
-- An answer that took its time still belongs to its conversation.
SELECT companion.add_message(:maya, pg_temp.conversation('Maya web 3'), 'assistant',
    'sleep well') = pg_temp.message('sleep well') AS added;
SELECT pg_temp.named(companion.open_conversation(:maya, 'web'));

-- What a webhook brings, in one call; brought again, nothing happens.
SELECT pg_temp.named(conversation_id), is_new
FROM companion.record_incoming('telegram', '100', 'I planted tomatoes', 11);
SELECT last_user_message_at FROM companion.users WHERE id = :maya;
SET companion.clock = '2026-03-09 09:00+00';
SELECT pg_temp.named(conversation_id),
    message_id = pg_temp.message('I planted tomatoes') AS the_first, is_new
FROM companion.record_incoming('telegram', '100', 'I planted tomatoes', 11);
SELECT companion.add_message(:maya, pg_temp.conversation('Maya web 1'), 'user',
    'I planted tomatoes', 11) = pg_temp.message('I planted tomatoes') AS the_first;
SELECT last_user_message_at FROM companion.users WHERE id = :maya;
SELECT pg_temp.named(conversation_id), is_new
FROM companion.record_incoming('telegram', '100', 'and basil', 12, 11, '{"language": "en"}');
SELECT m.content, r.content AS reply_to, m.metadata, pg_temp.named(m.conversation_id)
FROM companion.messages AS m LEFT JOIN companion.messages AS r ON r.id = m.reply_to_id
WHERE m.telegram_message_id = 12;
SELECT last_user_message_at FROM companion.users WHERE id = :maya;
-- Telegram's ids are each chat's own.
SELECT pg_temp.named(conversation_id), is_new
FROM companion.record_incoming('telegram', '200', 'hi', 11);
-- WhatsApp sends the number without its plus; web is known by the user's id.
SELECT pg_temp.named(conversation_id), is_new
FROM companion.record_incoming('whatsapp', '14155550100', 'from my phone');
SELECT pg_temp.named(conversation_id), is_new
FROM companion.record_incoming('whatsapp', '+14155550100', 'again', idle => '1 minute');
SELECT pg_temp.named(conversation_id), is_new
FROM companion.record_incoming('web', :maya, 'from my desk', idle => '8 days');
-- Nobody we know.
SELECT * FROM companion.record_incoming('telegram', '300', 'hi', 1);
SELECT * FROM companion.record_incoming('whatsapp', '14155550199', 'hi');
SELECT * FROM companion.record_incoming('web', :nobody, 'hi');

-- The user's last message is never moved backwards, and only by the user's own.
SET companion.clock = '2026-03-09 08:00+00';
SELECT companion.add_message(:maya, pg_temp.conversation('Maya web 4'), 'user',
    'late delivery') IS NOT NULL AS added;
SET companion.clock = '2026-03-09 10:00+00';
SELECT companion.add_message(:maya, pg_temp.conversation('Maya web 4'), 'assistant',
    'lovely') IS NOT NULL AS added;
SELECT last_user_message_at FROM companion.users WHERE id = :maya;

-- A reply names its message by id, or by Telegram's; one that is not stored is left out.
SELECT companion.add_message(:maya, pg_temp.conversation('Maya telegram 2'), 'assistant',
    'which kind?', 13, pg_temp.message('and basil')) IS NOT NULL AS added;
SELECT companion.add_message(:maya, pg_temp.conversation('Maya telegram 2'), 'user', 'Genovese',
    14, reply_to_telegram_id => 13) IS NOT NULL AS added;
SELECT companion.add_message(:maya, pg_temp.conversation('Maya telegram 2'), 'user',
    'to the photo', 15, reply_to_telegram_id => 99) IS NOT NULL AS added;
SELECT m.content, r.content AS reply_to
FROM companion.messages AS m LEFT JOIN companion.messages AS r ON r.user_id = m.user_id
    AND r.id = m.reply_to_id
WHERE m.telegram_message_id IN (13, 14, 15) ORDER BY m.id;

-- An edit keeps the earlier text and when it was written; delivered again, nothing happens.
SELECT companion.edit_message(:maya, pg_temp.message('Genovese'),
    'Thai basil') = pg_temp.message('Thai basil') AS edited;
SET companion.clock = '2026-03-09 10:05+00';
SELECT companion.edit_message(:maya, NULL, 'Thai basil',
    14) = pg_temp.message('Thai basil') AS edited;
SELECT companion.edit_message(:maya, NULL, 'both', 14) = pg_temp.message('both') AS edited;
SELECT content, created_at, edited_at, jsonb_pretty(metadata) FROM companion.messages
WHERE telegram_message_id = 14;
SELECT companion.edit_message(:maya, NULL, 'not stored', 99) IS NULL AS unknown;
-- Metadata of the app's own under that name gives way.
UPDATE companion.messages SET metadata = '{"edits": 3, "mood": "calm"}'
WHERE telegram_message_id = 15;
SELECT companion.edit_message(:maya, NULL, 'to the other photo', 15) IS NOT NULL AS edited;
SELECT metadata FROM companion.messages WHERE telegram_message_id = 15;

-- Recent messages, a page at a time.
SELECT content FROM companion.recent_messages(:maya, 4);
SELECT content FROM companion.recent_messages(:maya, 4, before_id => pg_temp.message('late delivery'));
SELECT content FROM companion.recent_messages(:maya, 2, pg_temp.conversation('Maya telegram 2'));
SELECT content FROM companion.recent_messages(:maya, 2, pg_temp.conversation('Maya telegram 2'),
    pg_temp.message('both'));
SELECT count(*) FROM companion.recent_messages(:maya);
SELECT count(*) FROM companion.recent_messages(:maya, NULL);
SELECT count(*) FROM companion.recent_messages(:maya, 0);
SELECT count(*) FROM companion.recent_messages(:diego, 20, pg_temp.conversation('Maya telegram 2'));
SELECT count(*) FROM companion.recent_messages(:nobody);

-- The companion's own messages are filed by the same rules: each begins a conversation.
SET companion.clock = '2026-03-10 08:00+00';
SELECT companion.schedule_message(:maya, '2026-03-10 08:00+00', 'how is the basil?',
    channel => 'telegram') IS NOT NULL AS scheduled;
SELECT companion.start_send(user_id, message_id, attempt), companion.mark_sent(user_id,
    message_id, attempt, NULL, 16)
FROM companion.claim_messages('w');
SELECT pg_temp.named(m.conversation_id), m.role, m.content, m.telegram_message_id,
    s.message_id = m.id AS recorded
FROM companion.messages AS m JOIN companion.scheduled_messages AS s ON s.user_id = m.user_id
    AND s.content = m.content;
-- One whose Telegram id another has already is filed beside it, and the id is its own.
SELECT companion.schedule_message(:maya, '2026-03-10 08:00+00', 'reported twice',
    channel => 'telegram') IS NOT NULL AS scheduled;
SELECT companion.start_send(user_id, message_id, attempt), companion.mark_sent(user_id,
    message_id, attempt, NULL, 16)
FROM companion.claim_messages('w');
SELECT s.status, m.content FROM companion.scheduled_messages AS s
JOIN companion.messages AS m ON m.user_id = s.user_id AND m.id = s.message_id
WHERE s.content = 'reported twice';
-- An answer goes where the companion asked.
SET companion.clock = '2026-03-10 08:40+00';
SELECT pg_temp.named(conversation_id)
FROM companion.record_incoming('telegram', '100', 'growing', 17, 16);

-- Who starts, and whether the companion is answered; by the user's own calendar.
SELECT u.display_name, s.local_date, s.by_user, s.by_companion
FROM companion.conversation_starts AS s JOIN companion.users AS u ON u.id = s.user_id ORDER BY 1, 2;
SELECT pg_temp.named(conversation_id), local_date, replied_at, reply_delay
FROM companion.companion_starts ORDER BY started_at;
SELECT local_date, started, replied, reply_rate, median_reply_delay FROM companion.reply_rates
ORDER BY local_date;

-- What is not accepted leaves nothing behind.
CREATE TEMP TABLE before AS SELECT count(*) AS messages, (SELECT count(*)
    FROM companion.conversations) AS conversations FROM companion.messages;
CREATE FUNCTION pg_temp.attempt(call text) RETURNS text LANGUAGE sql
AS $$ SELECT regexp_replace(
    pg_temp.error_of(replace(replace(replace('SELECT companion.' || call, ':maya',
        '''00000000-0000-0000-0000-000000000001'''),
        ':diego', '''00000000-0000-0000-0000-000000000002'''), ':nobody',
            '''00000000-0000-0000-0000-000000000009''')),
    '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f-]{17}', '<id>') $$;
SELECT call, pg_temp.attempt(call) AS outcome FROM (VALUES
    ('open_conversation(:nobody, ''web'')'),
    ('open_conversation(:maya, ''fax'')'),
    ('open_conversation(:maya, ''web'', ''bot'')'),
    ('open_conversation(:maya, ''web'', idle => ''-1 second'')'),
    ('open_conversation(:maya, ''web'', idle => ''101 years'')'),
    ('open_conversation(NULL, ''web'')'),
    ('open_conversation(:maya, NULL)'),
    ('open_conversation(:maya, ''web'', NULL)'),
    ('open_conversation(:maya, ''web'', ''user'', NULL)'),
    ('close_conversation(:maya, :nobody)'),
    ('close_conversation(:maya, NULL)'),
    ('close_conversation(:diego, pg_temp.conversation(''Maya web 1''))'),
    ('close_conversation(:maya, pg_temp.conversation(''Maya web 1''), NULL, ''{a,NULL}'')'),
    ('close_conversation(:maya, pg_temp.conversation(''Maya web 1''), NULL, ''{{a},{b}}'')'),
    ('add_message(:maya, :nobody, ''user'', ''x'')'),
    ('add_message(:diego, pg_temp.conversation(''Maya web 1''), ''user'', ''x'')'),
    ('add_message(:maya, NULL, ''user'', ''x'')'),
    ('add_message(:maya, pg_temp.conversation(''Maya web 1''), ''bot'', ''x'')'),
    ('add_message(:maya, pg_temp.conversation(''Maya web 1''), NULL, ''x'')'),
    ('add_message(:maya, pg_temp.conversation(''Maya web 1''), ''user'', '''')'),
    ('add_message(:maya, pg_temp.conversation(''Maya web 1''), ''user'', NULL)'),
    ('add_message(:maya, pg_temp.conversation(''Maya web 1''), ''user'', repeat(''é'', 65537))'),
    ('add_message(:maya, pg_temp.conversation(''Maya web 1''), ''user'', ''x'', 0)'),
    ('add_message(:maya, pg_temp.conversation(''Maya web 1''), ''user'', ''x'', NULL, :nobody)'),
    ('add_message(:diego, pg_temp.conversation(''Diego telegram 1''), ''user'', ''x'', NULL, pg_temp.message(''growing''))'),
    ('add_message(:maya, pg_temp.conversation(''Maya web 1''), ''user'', ''x'', NULL, :nobody, NULL, 11)'),
    ('add_message(:maya, pg_temp.conversation(''Maya web 1''), ''user'', ''x'', NULL, NULL, ''[]'')'),
    ('record_incoming(''fax'', ''100'', ''x'')'),
    ('record_incoming(NULL, ''100'', ''x'')'),
    ('record_incoming(''telegram'', NULL, ''x'')'),
    ('record_incoming(''telegram'', ''one hundred'', ''x'')'),
    ('record_incoming(''telegram'', ''9223372036854775808'', ''x'')'),
    ('record_incoming(''telegram'', ''100'', ''x'', 21, NULL, ''"x"'')'),
    ('record_incoming(''web'', ''100'', ''x'')'),
    ('record_incoming(''telegram'', ''100'', '''')'),
    ('record_incoming(''telegram'', ''100'', ''x'', -5)'),
    ('record_incoming(''telegram'', ''100'', ''x'', idle => ''-1 day'')'),
    ('edit_message(:maya, :nobody, ''x'')'),
    ('edit_message(:diego, pg_temp.message(''growing''), ''x'')'),
    ('edit_message(:maya, pg_temp.message(''growing''), '''')'),
    ('edit_message(:maya, NULL, ''x'')'),
    ('edit_message(:maya, pg_temp.message(''growing''), ''x'', 17)'),
    ('recent_messages(:maya, -1)')
) AS v (call);
SET companion.max_message_length = 5;
SELECT pg_temp.attempt('record_incoming(''telegram'', ''100'', ''six ch'')');
SELECT pg_temp.attempt('edit_message(:maya, pg_temp.message(''growing''), ''six ch'')');
RESET companion.max_message_length;
SELECT (SELECT count(*) FROM companion.messages) = messages AND (SELECT count(*)
FROM companion.conversations) = conversations AS unchanged FROM before;

-- An end user reads all of their own, adds messages as user, and nothing else.
CREATE FUNCTION pg_temp.mine(name text) RETURNS uuid LANGUAGE sql SECURITY DEFINER
AS $$ SELECT pg_temp.conversation(name) $$;
SET ROLE companion_user;
SET companion.user_id = :maya;
SELECT count(*) FROM companion.recent_messages(:maya);
SELECT count(*) FROM companion.recent_messages(:diego);
SELECT count(DISTINCT user_id) FROM companion.conversations;
-- A page far back is found by the index, under the policy too.
CREATE FUNCTION pg_temp.index_conditions(query text) RETURNS SETOF text LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET plan_cache_mode
    = force_generic_plan AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line ~ 'Filter: .*id <|Seq Scan|Index Cond' THEN
            RETURN NEXT trim(line);
        END IF;
    END LOOP;
END
$$;
PREPARE page (uuid, uuid, uuid) AS SELECT * FROM companion.recent_messages($1, 20, $2, $3);
SELECT * FROM pg_temp.index_conditions('EXECUTE page (companion.current_user_id(), NULL, NULL)');
SELECT count(*), sum(by_companion) FROM companion.conversation_starts;
SELECT companion.add_message(:maya, companion.open_conversation(:maya, 'web'), 'user',
    'typed') IS NOT NULL AS added;
SELECT content FROM companion.recent_messages(:maya, 1);
SELECT last_user_message_at FROM companion.users;
SELECT call, pg_temp.error_of('SELECT companion.' || call) AS outcome FROM (VALUES
    ('open_conversation(companion.current_user_id(), ''web'', ''companion'')'),
    ('open_conversation(''00000000-0000-0000-0000-000000000002'', ''web'')'),
    ('open_conversation(''00000000-0000-0000-0000-000000000009'', ''web'')'),
    ('add_message(companion.current_user_id(), pg_temp.mine(''Maya web 1''), ''assistant'', ''x'')'),
    ('add_message(companion.current_user_id(), pg_temp.mine(''Maya web 1''), ''system'', ''x'')'),
    ('add_message(companion.current_user_id(), pg_temp.mine(''Maya web 1''), ''user'', ''x'', 1)'),
    ('close_conversation(companion.current_user_id(), pg_temp.mine(''Maya web 1''))'),
    ('edit_message(companion.current_user_id(), pg_temp.mine(''Maya web 1''), ''x'')'),
    ('record_incoming(''telegram'', ''100'', ''x'')')
) AS v (call);
SELECT pg_temp.error_of(statement) FROM (VALUES
    ('UPDATE companion.conversations SET mood_summary = ''x'''),
        ('DELETE FROM companion.conversations'),
    ('UPDATE companion.messages SET content = ''x'''), ('DELETE FROM companion.messages'),
    ('INSERT INTO companion.messages (user_id, conversation_id, role, content) VALUES (companion.current_user_id(), pg_temp.mine(''Maya web 1''), ''user'', ''x'')'),
    ('UPDATE companion.users SET last_user_message_at = now()')
) AS v (statement);
-- Nobody is nobody.
RESET companion.user_id;
SELECT count(*) FROM companion.recent_messages(:maya);
SELECT pg_temp.error_of('SELECT companion.open_conversation(''00000000-0000-0000-0000-000000000001'', ''web'')');

-- A worker acts for every user.
SET ROLE companion_worker;
SELECT count(*) FROM companion.recent_messages(:maya);
SELECT companion.add_message(:diego, companion.open_conversation(:diego, 'telegram'), 'system',
    'note') IS NOT NULL AS added;
SELECT companion.close_conversation(:diego, companion.open_conversation(:diego, 'telegram'));
SELECT count(*) FROM companion.record_incoming('telegram', '200', 'hello');
RESET ROLE;
