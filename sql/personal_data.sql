-- A person's rights over their data: to have all of it, and to have all of it deleted.
\i test/fresh.sql
SET companion.clock = '2026-03-02 09:00+00';

-- The extension's tables that hold nothing of a user. A new table either has a column user_id,
-- and is exported and erased by that, or belongs here.
SELECT c.relname AS impersonal
FROM pg_class AS c
WHERE c.relnamespace = 'companion'::regnamespace AND c.relkind IN ('r', 'p')
    AND c.relname NOT IN (SELECT name FROM companion.personal_tables)
ORDER BY 1;

-- Two users with a row in every table that holds something of a user.
INSERT INTO companion.users (id, display_name, email, telegram_user_id) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya', 'maya@example.org', 101),
    ('00000000-0000-0000-0000-000000000002', 'Diego', 'diego@example.org', 102);
INSERT INTO companion.conversations (user_id, id, channel) SELECT id, id, 'web' FROM companion.users;
INSERT INTO companion.messages (user_id, id, conversation_id, role, content)
SELECT id, id, id, 'user', 'hello from ' || display_name FROM companion.users;
INSERT INTO companion.messages (user_id, id, conversation_id, role, content, reply_to_id)
SELECT id, overlay(id::text PLACING '1' FROM 1)::uuid, id, 'assistant', 'hello ' || display_name, id FROM companion.users;
SELECT count(companion.upsert_user_context(id, 'family', 'sister', value)) AS remembered
FROM companion.users, (VALUES ('Anna'), ('Ana')) AS told (value);
INSERT INTO companion.search_chunks SELECT id, id, 'simple', 1, 0, ARRAY[id], ARRAY[to_tsvector('hello')] FROM companion.users;
SELECT count(companion.schedule_message(id, '2026-03-01', 'hello')) AS scheduled,
       count(companion.start_onboarding(id)) AS onboarding,
       count(companion.create_telegram_link_token(id)) AS tokens,
       count(companion.redeem_telegram_link_token('x', telegram_user_id)) AS failures
FROM companion.users;

-- A user's export has rows in every table; the test fails here when a table has been added and
-- no row to the lines above.
SELECT name AS "has no row in the export"
FROM companion.personal_tables
WHERE coalesce(jsonb_array_length(companion.export_user('00000000-0000-0000-0000-000000000001') -> name), 0) = 0;

-- An end user gets what is theirs, in order, and no secret.
SET ROLE companion_user;
SET companion.user_id = '00000000-0000-0000-0000-000000000001';
SELECT key AS "table", jsonb_array_length(value) AS rows FROM jsonb_each(companion.export_user()) ORDER BY key;
SELECT jsonb_path_query_array(companion.export_user(), '$.messages[*].content') AS messages,
       companion.export_user() #>> '{users,0,email}' AS email;
SELECT companion.export_user()::text ~ 'Diego|token_hash|000000000002' AS holds_too_much;
SELECT pg_temp.error_of('SELECT companion.export_user(''00000000-0000-0000-0000-000000000002'')') AS "another's",
       pg_temp.error_of('SELECT companion.erase_user(''00000000-0000-0000-0000-000000000002'')') AS "another's",
       pg_temp.error_of('SELECT FROM companion.personal_tables') AS "how it is found";

-- They erase themselves: counts, no content; then nothing is left of them, and all of the other.
SELECT companion.erase_user();
SELECT companion.erase_user() AS again;
SET ROLE companion_admin;
SELECT key AS "table", jsonb_array_length(value) AS left
FROM jsonb_each(companion.export_user('00000000-0000-0000-0000-000000000001')) WHERE value <> '[]';
SELECT key AS "table", jsonb_array_length(value) AS rows
FROM jsonb_each(companion.export_user('00000000-0000-0000-0000-000000000002')) ORDER BY key;
RESET ROLE;

-- Also what a deleted user left in the queue, which has no foreign key.
DELETE FROM companion.users;
SELECT companion.erase_user('00000000-0000-0000-0000-000000000002') -> 'dispatch_queue' AS queued;

-- Workers do neither; nobody is nobody.
SET ROLE companion_worker;
SELECT pg_temp.error_of('SELECT companion.export_user(''00000000-0000-0000-0000-000000000002'')') AS export,
       pg_temp.error_of('SELECT companion.erase_user(''00000000-0000-0000-0000-000000000002'')') AS erase;
RESET ROLE;
SELECT pg_temp.error_of('SELECT companion.export_user(NULL)') AS export,
       pg_temp.error_of('SELECT companion.erase_user(NULL)') AS erase;
