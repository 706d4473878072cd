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
INSERT INTO companion.users (id, display_name, email, telegram_user_id, onboarding_completed_at) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya', 'maya@example.org', 101, '2026-03-01'),
    ('00000000-0000-0000-0000-000000000002', 'Diego', 'diego@example.org', 102, '2026-03-01');
INSERT INTO companion.conversations (user_id, id, channel) SELECT id, id, 'web' FROM companion.users;
INSERT INTO companion.messages (user_id, id, conversation_id, role, content)
SELECT id, id, id, 'user', 'hello from ' || display_name FROM companion.users;
INSERT INTO companion.messages (user_id, id, conversation_id, role, content, reply_to_id)
SELECT id, overlay(id::text PLACING '1' FROM 1)::uuid, id, 'assistant', 'hello ' || display_name, id FROM companion.users;
SELECT count(companion.upsert_user_context(id, 'family', 'sister', value)) AS remembered
FROM companion.users, (VALUES ('Anna'), ('Ana')) AS told (value);
INSERT INTO companion.search_chunks SELECT id, id, 'simple', 1, 0, ARRAY[id], ARRAY[to_tsvector('hello')] FROM companion.users;
INSERT INTO companion.rekeyed_ids SELECT id, 'messages', id, id FROM companion.users;
INSERT INTO companion.cap_starts SELECT id, 'nudges', ARRAY[companion.now()], ARRAY[id] FROM companion.users;
SELECT companion.edit_message(id, NULL, 'early', 1) FROM companion.users;
SELECT count(companion.upsert_user_context(id, 'diet', 'lunch', 'soup', source_message_id => id)) AS told
FROM companion.users;
SELECT count(items) AS forgotten FROM companion.users, companion.forget_user_context(id, 'diet', 'lunch');
SELECT count(companion.set_embedding(user_id, id, 'model', '{1,2}')) AS embedded FROM companion.user_context;
SELECT count(created) AS scheduled, count(companion.start_onboarding(id)) AS onboarding,
       count(companion.create_telegram_link_token(id)) AS tokens, count(outcome) AS failures
FROM companion.users, companion.schedule_message(id, '2026-03-01', 'hello'),
    companion.redeem_telegram_link_token('x', telegram_user_id);

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

-- Also what a user who was deleted while triggers were off left in the queue, which has no foreign key.
ALTER TABLE companion.users DISABLE TRIGGER drop_pending;
DELETE FROM companion.users;
ALTER TABLE companion.users ENABLE TRIGGER drop_pending;
SELECT companion.erase_user('00000000-0000-0000-0000-000000000002') -> 'dispatch_queue' AS queued;

-- Workers do neither; nobody is nobody.
SET ROLE companion_worker;
SELECT pg_temp.error_of('SELECT companion.export_user(''00000000-0000-0000-0000-000000000002'')') AS export,
       pg_temp.error_of('SELECT companion.erase_user(''00000000-0000-0000-0000-000000000002'')') AS erase;
RESET ROLE;
SELECT pg_temp.error_of('SELECT companion.export_user(NULL)') AS export,
       pg_temp.error_of('SELECT companion.erase_user(NULL)') AS erase;

-- With what an operator puts on the tables. Each case starts from a user with rows everywhere, and
-- is undone.
CREATE FUNCTION pg_temp.fill() RETURNS void LANGUAGE sql AS $$
    INSERT INTO companion.users (id, display_name, telegram_user_id, onboarding_completed_at) VALUES
        ('00000000-0000-0000-0000-000000000001', 'Maya', 101, '2026-03-01');
    INSERT INTO companion.conversations (user_id, id, channel) SELECT id, id, 'web' FROM companion.users;
    INSERT INTO companion.messages (user_id, id, conversation_id, role, content)
    SELECT id, id, id, 'user', 'hello' FROM companion.users;
    INSERT INTO companion.messages (user_id, id, conversation_id, role, content, reply_to_id)
    SELECT id, overlay(id::text PLACING '1' FROM 1)::uuid, id, 'assistant', 'hello', id FROM companion.users;
    INSERT INTO companion.user_context (user_id, category, key, value, source_message_id)
    SELECT id, 'family', 'sister', 'Ana', id FROM companion.users;
    INSERT INTO companion.user_context_history (user_id, category, key, value, source, held_from, held_until)
    SELECT id, 'family', 'sister', 'Anna', 'user', '2026-01-01', '2026-01-02' FROM companion.users;
    INSERT INTO companion.search_chunks SELECT id, id, 'simple', 1, 0, ARRAY[id], ARRAY[to_tsvector('hello')] FROM companion.users;
    INSERT INTO companion.rekeyed_ids SELECT id, 'messages', id, id FROM companion.users;
    INSERT INTO companion.cap_starts SELECT id, 'nudges', ARRAY[companion.now()], ARRAY[id] FROM companion.users;
SELECT companion.edit_message(id, NULL, 'early', 1) FROM companion.users;
    INSERT INTO companion.forgotten_facts SELECT id, id, 'fact' FROM companion.users;
    INSERT INTO companion.context_embeddings SELECT user_id, id, 'model', '{1,2}' FROM companion.user_context;
    SELECT companion.schedule_message(id, '2026-03-01', 'hello'), companion.start_onboarding(id),
           companion.create_telegram_link_token(id), companion.redeem_telegram_link_token('x', telegram_user_id)
    FROM companion.users;
$$;
-- How many of the user's rows there are, in how many tables.
CREATE FUNCTION pg_temp.rows() RETURNS text LANGUAGE sql AS $$
    SELECT sum(jsonb_array_length(value)) || ' in ' || count(*) FROM jsonb_each(companion.export_user('00000000-0000-0000-0000-000000000001'))
    WHERE value <> '[]'
$$;
-- What erasing the user ends with, and the rows there are then.
CREATE FUNCTION pg_temp.erasure() RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(pg_temp.error_of('SELECT companion.erase_user(''00000000-0000-0000-0000-000000000001'')'), ' \| Nothing.*', '')
$$;
SELECT pg_temp.fill();
SELECT pg_temp.rows();

-- A trigger that keeps rows: nobody is told that they are gone, and nothing is gone.
CREATE FUNCTION pg_temp.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION pg_temp.erasure_kept(name name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    EXECUTE format('CREATE TRIGGER keep BEFORE DELETE ON companion.%I FOR EACH ROW EXECUTE FUNCTION pg_temp.keep()', name);
    outcome := concat_ws(', rows: ', pg_temp.erasure(), pg_temp.rows());
    EXECUTE format('DROP TRIGGER keep ON companion.%I', name);
    RETURN outcome;
END
$$;
SELECT name, pg_temp.erasure_kept(name) AS outcome FROM companion.personal_tables ORDER BY name;
-- One that puts rows back where they have been erased already.
CREATE FUNCTION pg_temp.put_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO companion.user_context_history (user_id, category, key, value, source, held_from, held_until)
    VALUES (OLD.user_id, 'message', OLD.id::text, OLD.content, 'archive', OLD.created_at, companion.now());
    RETURN OLD;
END
$$;
BEGIN;
CREATE TRIGGER put_back AFTER DELETE ON companion.messages FOR EACH ROW EXECUTE FUNCTION pg_temp.put_back();
SELECT pg_temp.erasure(), pg_temp.rows();
ROLLBACK;
-- Those that do a part of it themselves, or count.
CREATE FUNCTION pg_temp.delete_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM companion.messages AS m WHERE m.user_id = OLD.user_id AND m.conversation_id = OLD.id;
    RETURN OLD;
END
$$;
CREATE FUNCTION pg_temp.count_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE companion.conversations AS c SET messages = messages - 1 WHERE c.user_id = OLD.user_id AND c.id = OLD.conversation_id;
    RETURN OLD;
END
$$;
BEGIN;
ALTER TABLE companion.conversations ADD COLUMN messages integer DEFAULT 2;
CREATE TRIGGER delete_messages BEFORE DELETE ON companion.conversations FOR EACH ROW EXECUTE FUNCTION pg_temp.delete_messages();
CREATE TRIGGER count_messages BEFORE DELETE ON companion.messages FOR EACH ROW EXECUTE FUNCTION pg_temp.count_messages();
SELECT companion.erase_user('00000000-0000-0000-0000-000000000001');
ROLLBACK;

-- No foreign key of ours deletes or changes a row: each row is deleted by the call itself, once.
CREATE FUNCTION pg_temp.log_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% of % at depth %', TG_OP, TG_TABLE_NAME, pg_trigger_depth();
    RETURN OLD;
END
$$;
BEGIN;
SELECT format('CREATE TRIGGER log_row BEFORE UPDATE OR DELETE ON companion.%I FOR EACH ROW EXECUTE FUNCTION pg_temp.log_row()', name)
FROM companion.personal_tables ORDER BY name \gexec
SELECT companion.erase_user('00000000-0000-0000-0000-000000000001') \g /dev/null
ROLLBACK;

-- Columns that an operator has added, and dropped again, are exported, and in nobody's way; one
-- that is called as ours makes no table a user's.
BEGIN;
SELECT format('ALTER TABLE companion.%I ADD COLUMN dropped text, ADD COLUMN "My tags" text[]', name)
FROM companion.personal_tables ORDER BY name \gexec
SELECT format('ALTER TABLE companion.%I DROP COLUMN dropped', name) FROM companion.personal_tables ORDER BY name \gexec
ALTER TABLE companion.onboarding_steps ADD COLUMN user_id text DEFAULT 'x';
SELECT key AS "table", value -> 0 ? 'My tags' AS added, value -> 0 ? 'dropped' AS dropped
FROM jsonb_each(companion.export_user('00000000-0000-0000-0000-000000000001')) ORDER BY key;
SELECT pg_temp.erasure(), pg_temp.rows();
ROLLBACK;

-- An app's tables that refer to ours. The export is ours only.
CREATE TABLE tags (user_id uuid, message_id uuid, tag text);
INSERT INTO tags SELECT user_id, id, role FROM companion.messages;
CREATE FUNCTION pg_temp.erasure_with(action text) RETURNS TABLE (outcome text, rows text, tags text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'ALTER TABLE tags ADD CONSTRAINT of_message FOREIGN KEY (user_id, message_id) REFERENCES companion.messages (user_id, id) ' || action;
    outcome := pg_temp.erasure();
    rows := pg_temp.rows();
    tags := (SELECT count(t.tag) || ' of ' || count(t.message_id) || ' messages' FROM tags AS t);
    RETURN NEXT;
END
$$;
SELECT format('BEGIN; SELECT * FROM pg_temp.erasure_with(%L); ROLLBACK', action)
FROM (VALUES ('ON DELETE CASCADE'), ('ON DELETE SET NULL (message_id)'), ('')) AS v (action) \gexec
ALTER TABLE tags ADD FOREIGN KEY (user_id) REFERENCES companion.users;
SELECT pg_temp.erasure(), pg_temp.rows();
DROP TABLE tags;
SELECT companion.erase_user('00000000-0000-0000-0000-000000000001');
