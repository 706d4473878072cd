-- Moving in: elements are taken many at once. Whatever they have to do with each other, it becomes of them what
-- would in calls of their own.
\i test/fresh.sql
\pset null -
SET client_min_messages = error;
SET companion.clock = '2026-03-02 12:00+00';
\set ada '00000000-0000-4000-8000-00000000000a'
SELECT count(*) FROM companion.import_users(jsonb_build_array(jsonb_build_object('id', :'ada', 'timezone', 'UTC', 'telegram_user_id', 7), jsonb_build_object('id', '00000000-0000-4000-8000-00000000000b', 'timezone', 'UTC')));
CREATE FUNCTION pg_temp.element(subject text, fields jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT CASE subject
        WHEN 'users' THEN '{"timezone": "UTC"}'
        WHEN 'conversations' THEN '{"user_id": "00000000-0000-4000-8000-00000000000a", "channel": "web", "started_at": "2026-01-02T09:00:00Z"}'
        WHEN 'messages' THEN '{"user_id": "00000000-0000-4000-8000-00000000000a", "conversation_id": 1, "role": "user", "content": "x", "created_at": "2026-01-02T09:00:00Z"}'
        WHEN 'user_context' THEN '{"user_id": "00000000-0000-4000-8000-00000000000a", "category": "job", "value": "x", "value_since": "2026-01-02T09:00:00Z"}'
        WHEN 'scheduled_messages' THEN '{"user_id": "00000000-0000-4000-8000-00000000000a", "status": "sent", "scheduled_for": "2026-01-02T09:00:00Z"}' END::jsonb || fields $$;
SELECT outcome FROM companion.import_conversations(jsonb_build_array(pg_temp.element('conversations', '{"id": 1, "channel": "telegram"}')));
SELECT outcome FROM companion.import_messages(jsonb_build_array(pg_temp.element('messages', '{"id": 1, "content": "one"}')));
SELECT outcome FROM companion.import_user_context(jsonb_build_array(pg_temp.element('user_context', '{"key": "one"}')));
SELECT outcome FROM companion.import_scheduled_messages(jsonb_build_array(pg_temp.element('scheduled_messages', '{"id": 1, "kind": "checkin", "status": "failed"}'), pg_temp.element('scheduled_messages', '{"id": 2, "idempotency_key": "k"}')));

-- What is there, without ids that are made anew.
CREATE VIEW pg_temp.state AS
SELECT concat_ws(' ', 'user', right(id::text, 1), telegram_user_id, email, usable_addresses) AS line FROM companion.users
UNION ALL SELECT concat_ws(' ', 'conversation', channel, started_at, ended_at, mood_summary, topics) FROM companion.conversations
UNION ALL SELECT concat_ws(' ', 'message', m.content, 'to', answered.content) FROM companion.messages AS m LEFT JOIN companion.messages AS answered ON answered.user_id = m.user_id AND answered.id = m.reply_to_id
UNION ALL SELECT concat_ws(' ', 'fact', category, key, value) FROM companion.user_context
UNION ALL SELECT concat_ws(' ', 'former', category, key, value, replaced_by) FROM companion.user_context_history
UNION ALL SELECT concat_ws(' ', 'send', kind, regexp_replace(idempotency_key, '#.*', '#its id'), status, scheduled_for) FROM companion.scheduled_messages
UNION ALL SELECT concat_ws(' ', 'old id', r.table_name, r.old_id, (SELECT count(*) FROM companion.rekeyed_ids AS o WHERE o.new_id = r.new_id)) FROM companion.rekeyed_ids AS r;

-- What becomes of elements in calls of this size, and the state after them, all of it undone.
CREATE FUNCTION pg_temp.taken(subject text, elements jsonb[], size integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    results text[] := '{}';
    ids uuid[] := '{}';
    r record;
    state text;
BEGIN
    FOR n IN 1 .. cardinality(elements) BY size LOOP
        FOR r IN EXECUTE format('SELECT * FROM companion.import_%s($1)', subject) USING to_jsonb(elements[n : n + size - 1]) LOOP
            ids := ids || r.id;
            results := results || concat_ws(': ', coalesce(r.outcome, 'busy') || coalesce(' (' || array_position(ids, r.id) || ')', ''), regexp_replace(r.reason, '[0-9a-f-]{36}', 'an id', 'g'));
        END LOOP;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = array_to_string(results, ', '), DETAIL = (SELECT string_agg(line, '; ' ORDER BY line) FROM pg_temp.state);
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    GET STACKED DIAGNOSTICS state = PG_EXCEPTION_DETAIL;
    RETURN SQLERRM || '|' || state;
END
$$;
CREATE FUNCTION pg_temp.compare(subject text, elements jsonb, OUT together text, OUT as_one_by_one boolean) LANGUAGE plpgsql AS $$
DECLARE
    whole jsonb[] := ARRAY(SELECT pg_temp.element(subject, e.value) FROM jsonb_array_elements(elements) WITH ORDINALITY AS e ORDER BY e.ordinality);
    at_once text := pg_temp.taken(subject, whole, cardinality(whole));
BEGIN
    together := split_part(at_once, '|', 1);
    as_one_by_one := at_once = pg_temp.taken(subject, whole, 1);
END
$$;

SELECT c.name, t.* FROM (VALUES
    ('one id', '[{"id": "00000000-0000-4000-8000-00000000000c"}, {"id": "00000000-0000-4000-8000-00000000000c"}, {"id": "00000000-0000-4000-8000-00000000000d"}]'),
    ('one account', '[{"id": "00000000-0000-4000-8000-00000000000c", "telegram_user_id": 8}, {"id": "00000000-0000-4000-8000-00000000000d", "telegram_user_id": 8}]'),
    ('one address, written in two ways', '[{"id": "00000000-0000-4000-8000-00000000000c", "email": "C@example.org"}, {"id": "00000000-0000-4000-8000-00000000000d", "email": "c@EXAMPLE.org"}]'),
    ('two of their own', '[{"id": "00000000-0000-4000-8000-00000000000c", "email": "c@example.org"}, {"id": "00000000-0000-4000-8000-00000000000d", "email": "d@example.org", "telegram_user_id": 7}]'),
    ('there already', '[{"id": "00000000-0000-4000-8000-00000000000a"}, {"id": "00000000-0000-4000-8000-00000000000c", "checkin_time": null}, {"id": "00000000-0000-4000-8000-00000000000b"}]'),
    ('one that is refused', '[{"id": "00000000-0000-4000-8000-00000000000c"}, {"id": "00000000-0000-4000-8000-00000000000d", "timezone": null}]')) AS c (name, elements),
    pg_temp.compare('users', c.elements::jsonb) AS t;
SELECT c.name, t.* FROM (VALUES
    ('one id', '[{"id": 2}, {"id": 2}]'),
    ('one id, of version 7', '[{"id": "019c0d2e-f000-7000-8000-000000000001"}, {"id": "019c0d2ef00070008000000000000001"}]'),
    ('begun and ended', '[{"id": 2}, {"id": 2, "ended_at": "2026-01-02T10:00:00Z", "mood_summary": "calm"}]'),
    ('two open', '[{"id": 2}, {"id": 3}]'),
    ('one that is open ends twice', '[{"id": 1, "ended_at": "2026-01-02T10:00:00Z"}, {"id": 1, "ended_at": "2026-01-02T11:00:00Z"}]'),
    ('it ends before the next one', '[{"id": 1, "ended_at": "2026-01-02T10:00:00Z"}, {"id": 2, "channel": "telegram"}]'),
    ('it ends after the next one', '[{"id": 2, "channel": "telegram"}, {"id": 1, "ended_at": "2026-01-02T10:00:00Z"}]'),
    ('there already', '[{"id": 1}, {"id": 2}, {"id": 1}]'), ('of several users', '[{"id": 2}, {"id": 2, "user_id": "00000000-0000-4000-8000-00000000000b"}]')) AS c (name, elements),
    pg_temp.compare('conversations', c.elements::jsonb) AS t;
SELECT c.name, t.* FROM (VALUES
    ('one id', '[{"id": 2}, {"id": 2}, {"id": 3}]'), ('one id, of version 7', '[{"id": "019c0d2e-f000-7000-8000-000000000001"}, {"id": "019c0d2e-f000-7000-8000-000000000001"}]'),
    ('an answer', '[{"id": 2, "content": "two"}, {"id": 3, "reply_to_id": 2, "content": "three"}, {"id": 4, "reply_to_id": 1}, {"id": 5, "reply_to_id": 3}]'),
    ('an answer to an id of version 7', '[{"id": "019c0d2e-f000-7000-8000-000000000001", "content": "two"}, {"id": 3, "reply_to_id": "019c0d2ef00070008000000000000001"}]'),
    ('an answer before what it answers', '[{"id": 3, "reply_to_id": 2}, {"id": 2}]'),
    ('an answer to itself', '[{"id": 2, "reply_to_id": 2}, {"id": 3}]'),
    ('an answer to one that is refused', '[{"id": 2, "role": "none"}, {"id": 3, "reply_to_id": 2}]'),
    ('an answer to another user''s', '[{"id": 2}, {"id": 3, "reply_to_id": 2, "user_id": "00000000-0000-4000-8000-00000000000b"}]'),
    ('an answer to what is there already', '[{"id": 1}, {"id": 2, "reply_to_id": 1}, {"id": 1}]'),
    ('one messenger''s id', '[{"id": 2, "telegram_message_id": 5}, {"id": 3, "telegram_message_id": 5}]')) AS c (name, elements),
    pg_temp.compare('messages', c.elements::jsonb) AS t;
SELECT c.name, t.* FROM (VALUES
    ('one key', '[{"key": "two"}, {"key": " TWO", "value": "y"}]'),
    ('one id', '[{"id": "019c0d2e-f000-7000-8000-000000000001", "key": "two"}, {"id": "019c0d2e-f000-7000-8000-000000000001", "key": "three"}]'),
    ('histories', '[{"key": "two", "history": [{"value": "a", "held_from": "2020-01-01", "held_until": "2021-01-01"}, {"value": "b", "held_from": "2021-01-01", "held_until": "2022-01-01"}]}, {"key": "three", "value": "y", "history": [{"value": "c", "held_from": "2020-06-01", "held_until": "2021-06-01"}]}]'),
    ('learned from one message', '[{"key": "two", "source_message_id": 1}, {"key": "three", "source_message_id": 1}]'),
    ('there already', '[{"key": "One", "value": "y"}, {"key": "two"}, {"key": "one"}]')) AS c (name, elements),
    pg_temp.compare('user_context', c.elements::jsonb) AS t;
SET companion.max_context_items = 3;
SELECT * FROM pg_temp.compare('user_context', '[{"key": "two"}, {"key": "three"}, {"key": "four"}, {"key": "five"}]');
RESET companion.max_context_items;
SELECT c.name, t.* FROM (VALUES
    ('one id', '[{"id": 3}, {"id": 3}]'), ('one key', '[{"id": 3, "idempotency_key": "x"}, {"id": 4, "idempotency_key": "x"}]'),
    ('an id that is a key', '[{"id": 3}, {"id": 4, "idempotency_key": "3"}]'),
    ('a day''s, which displaces', '[{"id": 3, "kind": "checkin"}, {"id": 4, "kind": "checkin"}]'),
    ('a day''s, and its key', '[{"id": 3, "kind": "checkin"}, {"id": 4, "kind": "checkin", "idempotency_key": "checkin:2026-01-02"}]'),
    ('two of another day', '[{"id": 3, "kind": "checkin", "status": "failed", "scheduled_for": "2026-01-03T09:00:00Z"}, {"id": 4, "kind": "checkin", "scheduled_for": "2026-01-03T08:00:00Z"}]'),
    ('there already, by id and by key', '[{"id": 2}, {"id": 3, "idempotency_key": "k"}, {"id": 4}, {"id": 1, "kind": "checkin", "status": "failed"}]')) AS c (name, elements),
    pg_temp.compare('scheduled_messages', c.elements::jsonb) AS t;

-- A trigger that suppresses one of many has that one refused.
CREATE FUNCTION pg_temp.keep_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.content <> 'two' THEN NEW END; END $$;
CREATE TRIGGER keep_out BEFORE INSERT ON companion.messages FOR EACH ROW EXECUTE FUNCTION pg_temp.keep_out();
SELECT * FROM pg_temp.compare('messages', '[{"id": 2, "content": "two"}, {"id": 3, "content": "three"}]');
DROP TRIGGER keep_out ON companion.messages;

-- Rows are found by their keys, also in tables that were analysed while they were empty.
TRUNCATE companion.users CASCADE;
VACUUM ANALYZE companion.users, companion.conversations, companion.messages, companion.user_context, companion.scheduled_messages, companion.rekeyed_ids, companion.addresses;
\c
SET companion.clock = '2026-03-02 12:00+00';
CREATE FUNCTION pg_temp.tuples_read() RETURNS bigint LANGUAGE sql AS $$
    SELECT sum(pg_stat_get_xact_tuples_returned(i.indexrelid) + pg_stat_get_xact_tuples_returned(c.oid))
    FROM pg_class AS c LEFT JOIN pg_index AS i ON i.indrelid = c.oid WHERE c.relnamespace = 'companion'::regnamespace AND c.relkind = 'r'
$$;
CREATE FUNCTION pg_temp.read(subject text, elements jsonb) RETURNS TABLE (taken bigint, is_read_by_key boolean) LANGUAGE plpgsql AS $$
DECLARE
    before bigint := pg_temp.tuples_read();
BEGIN
    EXECUTE format('SELECT count(*) FROM companion.import_%s($1) WHERE outcome = ''taken''', subject) USING elements INTO taken;
    is_read_by_key := pg_temp.tuples_read() - before < 50 * taken;
    RETURN NEXT;
END
$$;
BEGIN;
SELECT * FROM pg_temp.read('users', (SELECT jsonb_agg(jsonb_build_object('id', lpad(n::text, 32, '0')::uuid, 'timezone', 'UTC', 'telegram_user_id', n)) FROM generate_series(1, 200) AS n));
SELECT * FROM pg_temp.read('conversations', (SELECT jsonb_agg(jsonb_build_object('user_id', lpad(n::text, 32, '0')::uuid, 'id', n, 'channel', 'telegram', 'started_at', '2025-01-01T00:00:00Z')) FROM generate_series(1, 200) AS n));
SELECT * FROM pg_temp.read('messages', (SELECT jsonb_agg(jsonb_build_object('user_id', lpad((n % 2 + 1)::text, 32, '0')::uuid, 'id', n, 'conversation_id', n % 2 + 1, 'role', 'user', 'content', 'x', 'created_at', '2025-01-01T00:00:00Z', 'reply_to_id', CASE WHEN n > 2 THEN n - 2 END)) FROM generate_series(1, 1000) AS n));
SELECT * FROM pg_temp.read('user_context', (SELECT jsonb_agg(jsonb_build_object('user_id', lpad((n % 2 + 1)::text, 32, '0')::uuid, 'category', 'job', 'key', n, 'value', 'x', 'created_at', '2025-01-01T00:00:00Z', 'source_message_id', n)) FROM generate_series(1, 1000) AS n));
SELECT * FROM pg_temp.read('scheduled_messages', (SELECT jsonb_agg(jsonb_build_object('user_id', lpad((n % 2 + 1)::text, 32, '0')::uuid, 'id', n, 'status', 'sent', 'scheduled_for', '2025-01-01T00:00:00Z', 'message_id', n)) FROM generate_series(1, 1000) AS n));
COMMIT;
