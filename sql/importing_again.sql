-- An import that is repeated: what has ended meanwhile ends, what was deleted or forgotten stays so, and of
-- several check-ins of a day the one that was sent is the day's.
\i test/fresh.sql
\pset null -
SET companion.clock = '2026-03-02 12:00+00';
\set ada '00000000-0000-4000-8000-00000000000a'
SELECT count(*) FROM companion.import_users(jsonb_build_array(jsonb_build_object('id', :'ada', 'timezone', 'UTC', 'telegram_user_id', 7)));

-- A conversation that was open and has ended: it ends, and the next one is taken, with its messages.
CREATE FUNCTION pg_temp.chat(id text, started_at text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('user_id', '00000000-0000-4000-8000-00000000000a', 'id', id, 'channel', 'telegram', 'started_at', started_at) || more $$;
SELECT outcome, reason FROM companion.import_conversations(jsonb_build_array(pg_temp.chat('1', '2026-02-01T09:00:00Z')));
SELECT outcome, reason FROM companion.import_conversations(jsonb_build_array(
    pg_temp.chat('1', '2026-02-01T09:00:00Z', '{"ended_at": "2026-01-31T09:00:00Z"}'),
    pg_temp.chat('1', '2026-02-01T09:00:00Z', '{"ended_at": "2026-02-01T10:00:00Z", "mood_summary": "calm", "topics": ["sleep"]}'),
    pg_temp.chat('2', '2026-02-02T09:00:00Z'),
    pg_temp.chat('1', '2026-02-01T09:00:00Z', '{"ended_at": "2026-02-01T11:00:00Z"}'),
    pg_temp.chat('1', '2026-02-01T09:00:00Z')));
SELECT started_at, ended_at, mood_summary, topics FROM companion.conversations ORDER BY id;

-- What the user has deleted stays so: a message, and one whose id is of version 7 and so was kept.
CREATE TEMP TABLE old_messages (n serial, element jsonb);
INSERT INTO old_messages (element)
SELECT jsonb_build_object('user_id', :'ada', 'id', v.id, 'conversation_id', 2, 'role', 'user', 'content', v.content, 'created_at', '2026-02-02T09:00:00Z', 'reply_to_id', v.reply_to_id)
FROM (VALUES (1, '11', 'one', NULL), (2, '019c1d2e-f000-7000-8000-000000000001', 'two', NULL), (3, '13', 'three', '11')) AS v (n, id, content, reply_to_id) ORDER BY v.n;
SELECT i.element, i.outcome, i.reason FROM (SELECT jsonb_agg(element ORDER BY n) AS rows FROM old_messages) AS o, companion.import_messages(rows) AS i;
SELECT companion.delete_message(:'ada', m.id) FROM companion.messages AS m WHERE m.content IN ('one', 'two');
-- An answer to what was deleted is taken.
INSERT INTO old_messages (element) SELECT element || '{"id": 14, "content": "four"}' FROM old_messages WHERE element ->> 'content' = 'three';
INSERT INTO old_messages (element) SELECT element || '{"id": 15, "reply_to_id": 99}' FROM old_messages WHERE element ->> 'content' = 'three';
SELECT i.element, i.outcome, i.reason FROM (SELECT jsonb_agg(element ORDER BY n) AS rows FROM old_messages) AS o, companion.import_messages(rows) AS i;
SELECT content, reply_to_id FROM companion.messages ORDER BY id;

-- Facts: whatever they were learned from, and where they stood here before they were imported.
CREATE TEMP TABLE old_facts (n serial, element jsonb);
INSERT INTO old_facts (element)
SELECT jsonb_build_object('user_id', :'ada', 'category', 'Job', 'key', v.key, 'value', v.value, 'created_at', '2026-01-02T00:00:00Z', 'source_message_id', v.source_message_id)
FROM (VALUES ('Employer', 'the new one', NULL), ('desk', 'by the window', NULL), ('boss', 'Eve', '13'), ('old', 'told in one', '11')) AS v (key, value, source_message_id);
SELECT count(*) FROM companion.upsert_user_context(:'ada', 'Job', 'desk', 'by the window');
SELECT i.element, i.outcome, i.reason FROM (SELECT jsonb_agg(element ORDER BY n) AS rows FROM old_facts) AS o, companion.import_user_context(rows) AS i;
SELECT (SELECT items FROM companion.forget_user_context(:'ada', 'Job', 'employer')), (SELECT items FROM companion.forget_user_context(:'ada', 'Job', 'DESK')),
    companion.delete_message(:'ada', companion.imported_id(:'ada', 'messages', '13'), true);
UPDATE old_facts SET element = element || '{"key": " EMPLOYER"}' WHERE n = 1;
SELECT i.element, i.outcome, i.reason FROM (SELECT jsonb_agg(element ORDER BY n) AS rows FROM old_facts) AS o, companion.import_user_context(rows) AS i;
SELECT count(*) FROM companion.user_context;
-- No value is kept, nor a name; and what is stated here anew stands.
SELECT count(*) FROM companion.rekeyed_ids AS r WHERE r.table_name = 'user_context' AND r.old_id::text !~ '^.{14}8';
SELECT count(*) FROM companion.upsert_user_context(:'ada', 'Job', 'employer', 'another');
SELECT outcome, reason FROM old_facts AS o, companion.import_user_context(jsonb_build_array(element)) WHERE o.n = 1;

-- What a message has taught here, and was forgotten, it does not teach again by an import either.
SELECT count(*) FROM companion.upsert_user_context(:'ada', 'Job', 'room', 'two', source_message_id => companion.imported_id(:'ada', 'messages', '14'));
SELECT items FROM companion.forget_user_context(:'ada', 'Job', 'room');
SELECT outcome, reason FROM old_facts AS o, companion.import_user_context(jsonb_build_array(element || '{"key": "room", "source_message_id": 14}')) WHERE o.n = 1;

-- Sends, and conversations.
CREATE FUNCTION pg_temp.send(id text, status text, at text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('user_id', '00000000-0000-4000-8000-00000000000a', 'id', id, 'kind', 'checkin', 'scheduled_for', at, 'status', status) || more $$;
CREATE VIEW pg_temp.sends AS SELECT local_date, regexp_replace(idempotency_key, '#.*', '#its id') AS idempotency_key, status, scheduled_for, send_before = scheduled_for AS is_over FROM companion.scheduled_messages ORDER BY scheduled_for, status;
SELECT i.element, i.outcome, i.reason FROM companion.import_scheduled_messages(jsonb_build_array(
    pg_temp.send('1', 'failed', '2026-02-20T12:00:00Z'), pg_temp.send('2', 'sent', '2026-02-20T12:05:00Z'), pg_temp.send('3', 'sent', '2026-02-20T12:10:00Z'),
    pg_temp.send('4', 'sent', '2026-02-21T12:00:00Z'), pg_temp.send('5', 'failed', '2026-02-21T12:05:00Z'),
    pg_temp.send('6', 'failed', '2026-02-22T12:05:00Z'), pg_temp.send('7', 'skipped', '2026-02-22T12:10:00Z'), pg_temp.send('8', 'failed', '2026-02-22T12:00:00Z'),
    pg_temp.send('9', 'failed', '2026-02-23T12:05:00Z'), pg_temp.send('10', 'unknown', '2026-02-23T12:00:00Z'), pg_temp.send('11', 'failed', '2026-02-23T12:10:00Z'), pg_temp.send('12', 'sent', '2026-02-23T11:00:00Z'))) AS i;
SELECT * FROM pg_temp.sends;
DELETE FROM companion.scheduled_messages WHERE local_date = '2026-02-20' AND status = 'failed';
SELECT i.outcome, i.reason FROM companion.import_scheduled_messages(jsonb_build_array(pg_temp.send('1', 'failed', '2026-02-20T12:00:00Z'), pg_temp.send('2', 'sent', '2026-02-20T12:05:00Z'))) AS i;
DELETE FROM companion.conversations;
SELECT outcome, reason FROM companion.import_conversations(jsonb_build_array(pg_temp.chat('2', '2026-02-02T09:00:00Z')));
SELECT outcome, reason FROM old_messages AS o, companion.import_messages(jsonb_build_array(element || '{"id": 16}')) WHERE o.n = 1;
-- Once rekeyed_ids does not know it, it is taken again.
DELETE FROM companion.rekeyed_ids WHERE table_name = 'conversations';
SELECT outcome, reason FROM companion.import_conversations(jsonb_build_array(pg_temp.chat('2', '2026-02-02T09:00:00Z')));
-- A conversation that a trigger keeps from ending is refused.
CREATE FUNCTION pg_temp.keep_open() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep_open BEFORE UPDATE ON companion.conversations FOR EACH ROW EXECUTE FUNCTION pg_temp.keep_open();
SELECT outcome, reason FROM companion.import_conversations(jsonb_build_array(pg_temp.chat('2', '2026-02-02T09:00:00Z', '{"ended_at": "2026-02-02T10:00:00Z"}')));
DROP TRIGGER keep_open ON companion.conversations;
