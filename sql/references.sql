-- Foreign keys of what is inserted often: checked by the tables' own triggers, as the server would.
\set SHOW_CONTEXT never
\set maya '00000000-0000-0000-0000-000000000001'
\set nobody '00000000-0000-0000-0000-000000000009'
\set conversation '01900000-0000-7000-8000-000000000001'
INSERT INTO companion.users (id) VALUES (:'maya');
INSERT INTO companion.conversations (user_id, id, channel) VALUES (:'maya', :'conversation', 'web');

-- Of which foreign keys the server does not check an insert; an update it does.
SELECT c.conname AS constraint, p.proname AS check, t.tgenabled = 'O' AS by_server
FROM pg_constraint AS c
JOIN pg_trigger AS t ON t.tgconstraint = c.oid AND t.tgrelid = c.conrelid
JOIN pg_proc AS p ON p.oid = t.tgfoid
WHERE c.connamespace = 'companion'::regnamespace AND c.contype = 'f'
ORDER BY c.conname COLLATE "C", p.proname COLLATE "C";

-- An insert that refers to nothing is refused as the server would.
CREATE FUNCTION pg_temp.refused(statement text) RETURNS TABLE (state text, message text, detail text, "constraint" text)
LANGUAGE plpgsql AS $$
DECLARE
    table_name text;
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        "constraint" = CONSTRAINT_NAME, table_name = TABLE_NAME;
    message := table_name || ': ' || message;
    RETURN NEXT;
END
$$;
CREATE TABLE attempts (statement text);
INSERT INTO attempts VALUES
('INSERT INTO companion.conversations (user_id, channel) VALUES (''00000000-0000-0000-0000-000000000009'', ''web'')'),
('INSERT INTO companion.messages (user_id, conversation_id, role, content) VALUES (''00000000-0000-0000-0000-000000000009'', ''01900000-0000-7000-8000-000000000001'', ''user'', ''hello'')'),
('INSERT INTO companion.messages (user_id, conversation_id, role, content) VALUES (''00000000-0000-0000-0000-000000000001'', ''01900000-0000-7000-8000-000000000009'', ''user'', ''hello'')'),
('INSERT INTO companion.scheduled_messages (user_id, kind, idempotency_key, local_date, timezone, scheduled_for, channel) VALUES (''00000000-0000-0000-0000-000000000009'', ''custom'', ''k'', ''2026-03-04'', ''UTC'', ''2026-03-04'', ''web'')'),
('INSERT INTO companion.user_context (user_id, category, key, value) VALUES (''00000000-0000-0000-0000-000000000009'', ''pet'', ''cat'', ''Miso'')'),
('INSERT INTO companion.user_context_history (user_id, category, key, value, source, held_from, held_until) VALUES (''00000000-0000-0000-0000-000000000009'', ''pet'', ''cat'', ''Miso'', ''user'', ''2026-01-01'', ''2026-01-02'')');
SELECT r.* FROM attempts, pg_temp.refused(statement) AS r;

-- The same by the server's own checks, beside ours.
BEGIN;
ALTER TABLE companion.conversations ENABLE TRIGGER ALL;
ALTER TABLE companion.messages ENABLE TRIGGER ALL;
ALTER TABLE companion.scheduled_messages ENABLE TRIGGER ALL;
ALTER TABLE companion.user_context ENABLE TRIGGER ALL;
ALTER TABLE companion.user_context_history ENABLE TRIGGER ALL;
SELECT r.* FROM attempts, pg_temp.refused(statement) AS r;
INSERT INTO companion.messages (user_id, conversation_id, role, content) VALUES (:'maya', :'conversation', 'user', 'hello');
ROLLBACK;

-- An update of a key is the server's to check.
SELECT r.* FROM pg_temp.refused('UPDATE companion.conversations SET user_id = ''00000000-0000-0000-0000-000000000009''') AS r;
INSERT INTO companion.messages (user_id, conversation_id, role, content) VALUES (:'maya', :'conversation', 'user', 'hello');
SELECT r.* FROM pg_temp.refused('UPDATE companion.messages SET conversation_id = ''01900000-0000-7000-8000-000000000009''') AS r;

-- What the same statement, or the same transaction, has just made, or deleted.
WITH begun AS (INSERT INTO companion.conversations (user_id, id, channel) VALUES (:'maya', '01900000-0000-7000-8000-000000000002', 'telegram') RETURNING user_id, id)
INSERT INTO companion.messages (user_id, conversation_id, role, content) SELECT user_id, id, 'assistant', 'good morning' FROM begun;
BEGIN;
DELETE FROM companion.conversations WHERE channel = 'telegram';
SELECT r.state FROM pg_temp.refused('INSERT INTO companion.messages (user_id, conversation_id, role, content) VALUES (''00000000-0000-0000-0000-000000000001'', ''01900000-0000-7000-8000-000000000002'', ''user'', ''hello'')') AS r;
ROLLBACK;

-- Whoever inserts need not be able to read what it refers to.
CREATE ROLE references_writer;
GRANT USAGE ON SCHEMA companion TO references_writer;
GRANT INSERT ON companion.conversations TO references_writer;
CREATE POLICY references_writer ON companion.conversations FOR INSERT TO references_writer WITH CHECK (true);
SET ROLE references_writer;
INSERT INTO companion.conversations (user_id, id, channel, started_at) VALUES (:'maya', '01900000-0000-7000-8000-000000000003', 'whatsapp', '2026-03-04');
SELECT r.state FROM pg_temp.refused('INSERT INTO companion.conversations (user_id, id, channel, started_at) VALUES (''00000000-0000-0000-0000-000000000009'', ''01900000-0000-7000-8000-000000000003'', ''web'', ''2026-03-04'')') AS r;
RESET ROLE;
DROP POLICY references_writer ON companion.conversations;
REVOKE ALL ON companion.conversations FROM references_writer;
REVOKE ALL ON SCHEMA companion FROM references_writer;
DROP ROLE references_writer;

-- What goes takes along what refers to it.
DELETE FROM companion.users;
SELECT count(*) AS left FROM companion.messages;
DROP TABLE attempts;
