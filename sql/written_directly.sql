-- What grants let one write directly is bounded as what functions take is; what was there before,
-- and what a superuser restores, stays.
\i test/fresh.sql
SET companion.clock = '2026-03-02 09:00+00';
INSERT INTO companion.users (id, display_name) VALUES ('00000000-0000-0000-0000-000000000001', 'Maya');
INSERT INTO companion.conversations (user_id, id, channel) SELECT id, id, 'web' FROM companion.users;
-- The error that a statement ends with, and the column that it is about.
CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    column_name text;
BEGIN
    EXECUTE statement;
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS column_name = COLUMN_NAME;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(column_name, ''));
END
$$;

-- An end user's weekdays: each is stored once, in order, however they are given.
SET ROLE companion_user;
SET companion.user_id = '00000000-0000-0000-0000-000000000001';
CREATE TEMP TABLE given (n integer, days text);
INSERT INTO given VALUES (1, '{}'), (2, '{7,1,1,3}'), (3, '{1,2,3,4,5,6,7}'), (4, '[0:1]={5,5}'), (5, '{{6,2},{2,6}}'),
    (6, '{0}'), (7, '{8,1}'), (8, '{1,NULL}'), (9, '{1,2,3,4,5,6,7,8}'), (10, '{-1}'), (11, NULL);
SELECT days, pg_temp.refused(format('UPDATE companion.users SET checkin_days = %L', days)) AS outcome,
       (SELECT u.checkin_days FROM companion.users AS u) AS before
FROM given ORDER BY n;
SELECT checkin_days FROM companion.users;
UPDATE companion.users SET checkin_days = '{7,1,1,3}' RETURNING checkin_days;
UPDATE companion.users SET checkin_days = array_fill(2::smallint, ARRAY[20000000]) RETURNING checkin_days;
SELECT pg_temp.refused('UPDATE companion.users SET checkin_days = array_fill(2::smallint, ARRAY[20000000]) || 9::smallint') AS outcome;
UPDATE companion.users SET checkin_days = '[2:3]={4,3}' RETURNING checkin_days;

-- Preferences, up to companion.max_json_size.
SELECT bytes, pg_temp.refused(format('UPDATE companion.users SET preferences = %L', jsonb_build_object('x', repeat('x', bytes)))) AS outcome
FROM (VALUES (65000), (66000), (20000000)) AS v (bytes);
SELECT octet_length(preferences::text) AS bytes FROM companion.users;
SET ROLE companion_admin;
SELECT pg_temp.refused(format('UPDATE companion.users SET preferences = %L', jsonb_build_object('x', repeat('x', 66000)))) AS "an admin",
       pg_temp.refused(format('INSERT INTO companion.users (preferences) VALUES (%L)', jsonb_build_object('x', repeat('x', 66000)))) AS "a new user";
RESET ROLE;
SET companion.max_json_size = '1MB';
SET ROLE companion_user;
UPDATE companion.users SET preferences = jsonb_build_object('x', repeat('x', 66000));
RESET ROLE;
RESET companion.max_json_size;
SET ROLE companion_user;
-- What is there already is in nobody's way.
UPDATE companion.users SET display_name = 'Maya R.', checkin_days = '{1}' RETURNING display_name, octet_length(preferences::text) AS bytes;
SELECT pg_temp.refused('UPDATE companion.users SET preferences = preferences') AS "the same",
       pg_temp.refused('UPDATE companion.users SET preferences = preferences || ''{"y": 1}''') AS "more of it",
       pg_temp.refused('UPDATE companion.users SET preferences = ''{"y": 1}''') AS "less";
RESET ROLE;
UPDATE companion.users SET preferences = jsonb_build_object('x', repeat('x', 66000)) RETURNING octet_length(preferences::text) AS "as a superuser";

-- A conversation's summary and topics, written by a worker, or with close_conversation().
SET ROLE companion_worker;
SELECT pg_temp.refused(format('UPDATE companion.conversations SET mood_summary = %L', repeat('x', 66000))) AS mood_summary,
       pg_temp.refused('UPDATE companion.conversations SET topics = array_fill(''x''::text, ARRAY[20000])') AS topics,
       pg_temp.refused(format('INSERT INTO companion.conversations (user_id, channel, mood_summary) SELECT id, ''whatsapp'', %L FROM companion.users', repeat('x', 66000))) AS "a new one";
SELECT pg_temp.refused(format('SELECT companion.close_conversation(user_id, id, %L) FROM companion.conversations', repeat('x', 66000))) AS mood_summary,
       pg_temp.refused('SELECT companion.close_conversation(user_id, id, NULL, array_fill(''x''::text, ARRAY[20000])) FROM companion.conversations') AS topics;
SELECT companion.close_conversation(user_id, id, repeat('x', 60000), array_fill('x'::text, ARRAY[5000])) AS was_open FROM companion.conversations;
UPDATE companion.conversations SET mood_summary = 'calm', topics = '{tea}' RETURNING mood_summary, topics;
RESET ROLE;

-- Ids of conversations and messages are of version 7, whoever writes, by whatever way; what a
-- superuser restores is taken, and may stay where it is.
CREATE TABLE ids (n integer, what text, id uuid);
INSERT INTO ids VALUES
    (1, 'version 4', '0a3f0a52-5c0c-4d62-9f3c-7f2a0a4f0001'), (2, 'version 1', 'c232ab00-9414-11ec-b3c8-9f6bdeced846'),
    (3, 'nil', '00000000-0000-0000-0000-000000000000'), (4, 'no variant', '01900000-0000-7000-0000-000000000001'),
    (5, 'version 7', '01900000-0000-7000-8000-000000000001'), (6, 'for a time', companion.uuid_v7('2020-01-01 00:00+00'));
INSERT INTO companion.conversations (user_id, channel) SELECT id, 'whatsapp' FROM companion.users;
CREATE FUNCTION pg_temp.tried(role name, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    PERFORM set_config('role', role, true);
    outcome := pg_temp.refused(statement);
    PERFORM set_config('role', 'none', true);
    RETURN regexp_replace(outcome, 'id is [-0-9a-f]{36}', 'id is ...');
END
$$;
BEGIN;
SELECT a.n, role, what, pg_temp.tried(role, format(statement, id)) AS outcome
FROM ids, (VALUES
    (1, 'companion_worker', 'INSERT INTO companion.conversations (user_id, id, channel, ended_at) SELECT id, %L, ''web'', ''2100-01-01'' FROM companion.users'),
    (2, 'companion_admin', 'INSERT INTO companion.messages (user_id, id, conversation_id, role, content) SELECT user_id, %L, id, ''user'', ''hello'' FROM companion.conversations WHERE id = user_id'),
    (3, 'companion_worker', 'UPDATE companion.conversations SET id = overlay(%L PLACING ''2'' FROM 1)::uuid WHERE channel = ''whatsapp'''),
    (4, 'none', 'INSERT INTO companion.conversations (user_id, id, channel, ended_at) SELECT id, overlay(%L PLACING ''1'' FROM 1)::uuid, ''web'', ''2100-01-01'' FROM companion.users')
) AS a (n, role, statement) ORDER BY a.n, ids.n;
ROLLBACK;
SET ROLE companion_worker;
SELECT pg_temp.error_of('INSERT INTO companion.conversations (user_id, id, channel) SELECT id, ''0a3f0a52-5c0c-4d62-9f3c-7f2a0a4f0001'', ''telegram'' FROM companion.users') AS hint;
-- A row that stands may be changed.
UPDATE companion.conversations SET mood_summary = 'calm', id = id WHERE id = user_id RETURNING id;
RESET ROLE;
-- Functions write as a role of ours, whoever calls: another id that they come to is refused, too.
CREATE FUNCTION pg_temp.other_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.id := '0a3f0a52-5c0c-4d62-9f3c-7f2a0a4f0001';
    RETURN new;
END
$$;
CREATE TRIGGER other_id BEFORE INSERT ON companion.messages FOR EACH ROW EXECUTE FUNCTION pg_temp.other_id();
SELECT pg_temp.refused('SELECT companion.add_message(user_id, id, ''user'', ''hello'') FROM companion.conversations WHERE id = user_id') AS "by a function";
DROP TRIGGER other_id ON companion.messages;
DROP TABLE ids;

-- An import, as docs/conversations.md has it: in order whatever the order of the old ids, before what
-- the app has written since, the links kept.
CREATE SCHEMA old;
CREATE TABLE old.chats (id uuid, user_id uuid, began_at timestamptz, ended_at timestamptz);
CREATE TABLE old.messages (id uuid, chat_id uuid, reply_to uuid, sender text, text text, sent_at timestamptz);
INSERT INTO old.chats SELECT 'ffffffff-0000-4000-8000-000000000001', id, '2025-01-01 09:00+00', '2025-01-01 10:00+00' FROM companion.users;
INSERT INTO old.chats SELECT '0fffffff-0000-4000-8000-000000000002', id, '2025-02-01 09:00+00', '2025-02-01 10:00+00' FROM companion.users;
INSERT INTO old.messages VALUES
    ('f0000000-0000-4000-8000-000000000001', 'ffffffff-0000-4000-8000-000000000001', NULL, 'user', 'one', '2025-01-01 09:00+00'),
    ('e0000000-0000-4000-8000-000000000002', 'ffffffff-0000-4000-8000-000000000001', 'f0000000-0000-4000-8000-000000000001', 'assistant', 'two', '2025-01-01 09:01+00'),
    ('d0000000-0000-4000-8000-000000000003', '0fffffff-0000-4000-8000-000000000002', 'c0000000-0000-4000-8000-000000000004', 'user', 'four', '2025-02-01 09:01+00'),
    ('c0000000-0000-4000-8000-000000000004', '0fffffff-0000-4000-8000-000000000002', 'e0000000-0000-4000-8000-000000000002', 'assistant', 'three', '2025-02-01 09:00+00');
GRANT USAGE, CREATE ON SCHEMA old TO companion_admin;
GRANT SELECT ON ALL TABLES IN SCHEMA old TO companion_admin;
SELECT companion.add_message(user_id, id, 'user', 'five') IS NOT NULL AS written_since FROM companion.conversations WHERE channel = 'whatsapp';
SELECT s.excerpt FROM companion.users AS u, companion.search_messages(u.id, 'one or five') AS s;
SET ROLE companion_admin;
BEGIN;
CREATE TABLE old.new_ids AS
SELECT o.id AS old_id, companion.uuid_v7(o.at) AS id
FROM (SELECT id, began_at FROM old.chats UNION ALL SELECT id, sent_at FROM old.messages) AS o (id, at)
ORDER BY o.at, o.id;

INSERT INTO companion.conversations (user_id, id, channel, started_at, ended_at)
SELECT c.user_id, n.id, 'telegram', c.began_at, c.ended_at
FROM old.chats AS c JOIN old.new_ids AS n ON n.old_id = c.id;

INSERT INTO companion.messages (user_id, id, conversation_id, role, content, reply_to_id, created_at)
SELECT c.user_id, n.id, in_chat.id, m.sender, m.text, answers.id, m.sent_at
FROM old.messages AS m
JOIN old.chats AS c ON c.id = m.chat_id
JOIN old.new_ids AS n ON n.old_id = m.id
JOIN old.new_ids AS in_chat ON in_chat.old_id = m.chat_id
LEFT JOIN old.new_ids AS answers ON answers.old_id = m.reply_to;

UPDATE companion.users AS u SET last_user_message_at = greatest(u.last_user_message_at, m.last_at)
FROM (SELECT user_id, max(created_at) AS last_at FROM companion.messages WHERE role = 'user' GROUP BY user_id) AS m
WHERE u.id = m.user_id;
COMMIT;
RESET ROLE;
SELECT r.content, (SELECT m.content FROM companion.messages AS m WHERE m.user_id = r.user_id AND m.id = r.reply_to_id) AS replies_to,
       (SELECT c.channel FROM companion.conversations AS c WHERE c.user_id = r.user_id AND c.id = r.conversation_id) AS channel
FROM companion.users AS u, companion.recent_messages(u.id) AS r;
SELECT s.excerpt FROM companion.users AS u, companion.search_messages(u.id, 'one or five') AS s ORDER BY 1;
SELECT last_user_message_at FROM companion.users;
DROP SCHEMA old CASCADE;
