-- An operator's triggers on messages, conversations and context items. One that changes what a row
-- says works; one that suppresses the row, or changes what it is found by, is error 09000, at once.
\i test/fresh.sql
\set maya '\'00000000-0000-0000-0000-000000000001\''
SET companion.clock = '2026-03-02 08:00+00';
SET statement_timeout = '10s';
INSERT INTO companion.users (id, telegram_user_id) VALUES (:maya, 100);
-- Puts a trigger on a table that does what it is told, and takes it off again.
CREATE FUNCTION pg_temp.meddle(target regclass, event text, body text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION public.meddle() RETURNS trigger LANGUAGE plpgsql AS %L',
                   format('BEGIN %s END', body));
    EXECUTE format('CREATE TRIGGER meddle BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION public.meddle()',
                   event, target);
END
$$;
-- How a statement ends while the trigger is there; it leaves nothing behind.
CREATE FUNCTION pg_temp.with_trigger(target regclass, event text, body text, statement text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    PERFORM pg_temp.meddle(target, event, body);
    EXECUTE statement INTO result;
    RAISE EXCEPTION USING ERRCODE = 'P0000', MESSAGE = coalesce(result, 'nothing');
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'P0000' THEN SQLERRM ELSE SQLSTATE || ' ' || SQLERRM END;
END
$$;

-- Facts: one that is new, one that is there, one that the user has stated.
SELECT count(*) FROM companion.upsert_user_context_many(:maya, '[
    {"category": "c", "key": "there", "value": "old"},
    {"category": "c", "key": "stated", "value": "old", "source": "user"},
    {"category": "c", "key": "expired", "value": "old", "expires_at": "2026-03-02 07:00+00"}]');
CREATE TEMP TABLE upserts (n serial, form text, statement text);
INSERT INTO upserts (form, statement)
SELECT form || ', ' || key, format(CASE form
    WHEN 'one' THEN 'SELECT value FROM companion.upsert_user_context(%L, ''c'', %L, ''new'')'
    ELSE 'SELECT value FROM companion.upsert_user_context_many(%L, ''[{"category": "c", "key": "%s", "value": "new"}]'')'
    END, '00000000-0000-0000-0000-000000000001', key)
FROM (VALUES ('one'), ('many')) AS f (form),
    (VALUES (1, 'ZED'), (2, 'there'), (3, 'stated'), (4, 'expired')) AS k (n, key) ORDER BY form DESC, k.n;
SELECT t.event, t.body, u.form, pg_temp.with_trigger('companion.user_context', t.event, t.body, u.statement)
FROM upserts AS u, (VALUES
    (1, 'INSERT', 'new.key := left(new.key, 1); RETURN new;'),
    (2, 'INSERT OR UPDATE', 'new.category := ''other''; RETURN new;'),
    (3, 'INSERT OR UPDATE', 'RETURN NULL;'),
    (4, 'DELETE', 'RETURN NULL;'),
    (5, 'INSERT OR UPDATE', 'new.value := ''masked''; RETURN new;')) AS t (n, event, body)
ORDER BY t.n, u.n;
-- Two that a trigger makes one; the user of another.
SELECT pg_temp.with_trigger('companion.user_context', 'INSERT', 'new.key := left(new.key, 1); RETURN new;',
    $$SELECT companion.upsert_user_context_many('00000000-0000-0000-0000-000000000001',
        '[{"category": "c", "key": "zed", "value": "y"}, {"category": "c", "key": "zoo", "value": "z"}]')$$);
INSERT INTO companion.users (id) VALUES ('00000000-0000-0000-0000-000000000002');
SELECT u.form, pg_temp.with_trigger('companion.user_context', 'INSERT OR UPDATE',
    'new.user_id := ''00000000-0000-0000-0000-000000000002''; RETURN new;', u.statement) FROM upserts AS u ORDER BY u.n;
-- What a trigger has masked never leaves through the history; the same again confirms it.
BEGIN;
SELECT pg_temp.meddle('companion.user_context', 'INSERT OR UPDATE', 'new.value := regexp_replace(new.value, ''[0-9]'', ''#'', ''g''); RETURN new;');
SELECT value, confirmations FROM companion.upsert_user_context(:maya, 'c', 'card', '1234');
SELECT value, confirmations FROM companion.upsert_user_context(:maya, 'c', 'card', '1234');
SELECT value, confirmations, previous_value FROM companion.upsert_user_context(:maya, 'c', 'card', '99');
SELECT value FROM companion.upsert_user_context_many(:maya, '[{"category": "c", "key": "card", "value": "99"}]');
SELECT value FROM companion.upsert_user_context_many(:maya, '[{"category": "c", "key": "card", "value": "7"}]');
SELECT value, replaced_by FROM companion.user_context_history ORDER BY id;
ROLLBACK;
-- What the history needs of an item that is superseded; a new one has superseded nothing.
SELECT t.body, u.form, pg_temp.with_trigger('companion.user_context', 'INSERT OR UPDATE', t.body, u.statement)
FROM upserts AS u, (VALUES
    (1, 'new.previous_value := ''''; RETURN new;'),
    (2, 'new.previous_value := NULL; RETURN new;'),
    (3, 'new.previous_source := NULL; RETURN new;'),
    (4, 'new.previous_since := NULL; RETURN new;')) AS t (n, body)
ORDER BY t.n, u.n;
-- The history is not to be lost either.
SELECT u.form, pg_temp.with_trigger('companion.user_context_history', 'INSERT', 'RETURN NULL;', u.statement) FROM upserts AS u ORDER BY u.n;
SELECT pg_temp.with_trigger('companion.user_context_history', 'INSERT', 'RETURN NULL;', statement) FROM (VALUES
    ($$UPDATE companion.user_context SET value_since = '2026-03-01' RETURNING companion.expire_user_context()$$)) AS s (statement);
-- What is not changed is not counted.
SELECT pg_temp.with_trigger('companion.user_context', event, 'RETURN NULL;', statement) FROM (VALUES
    (1, 'UPDATE', $$SELECT companion.touch_user_context(user_id, ARRAY[id]) FROM companion.user_context WHERE key = 'there'$$),
    (2, 'UPDATE', $$SELECT companion.resolve_user_context('00000000-0000-0000-0000-000000000001', 'c', 'there')$$),
    (3, 'DELETE', $$SELECT companion.forget_user_context('00000000-0000-0000-0000-000000000001')$$),
    (4, 'DELETE', $$SELECT companion.expire_user_context()$$)) AS s (n, event, statement) ORDER BY n;

-- Messages, with Telegram's id and without; conversations.
SELECT companion.open_conversation(:maya, 'telegram') AS conversation \gset
SELECT companion.add_message(:maya, :'conversation', 'user', 'hello', 1) AS message \gset
CREATE TEMP TABLE messagings (n serial, what text, statement text);
INSERT INTO messagings (what, statement) VALUES
    ('incoming', $$SELECT is_new FROM companion.record_incoming('telegram', '100', 'rude words')$$),
    ('incoming, with an id', $$SELECT is_new FROM companion.record_incoming('telegram', '100', 'rude words', 2)$$),
    ('delivered again', $$SELECT is_new FROM companion.record_incoming('telegram', '100', 'hello', 1)$$),
    ('first on the web', $$SELECT is_new FROM companion.record_incoming('web', '00000000-0000-0000-0000-000000000001', 'rude words')$$),
    ('after a while', $$SELECT is_new FROM companion.record_incoming('telegram', '100', 'rude words', 2, idle => '0 seconds')$$),
    ('added', format($$SELECT 't' FROM companion.add_message('00000000-0000-0000-0000-000000000001', %L, 'assistant', 'rude words')$$, :'conversation')),
    ('edited', format($$SELECT 't' FROM companion.edit_message('00000000-0000-0000-0000-000000000001', %L, 'rude words')$$, :'message')),
    ('edited to the same', format($$SELECT 't' FROM companion.edit_message('00000000-0000-0000-0000-000000000001', %L, 'hello')$$, :'message')),
    ('opened', $$SELECT 't' FROM companion.open_conversation('00000000-0000-0000-0000-000000000001', 'whatsapp')$$),
    ('closed', format($$SELECT companion.close_conversation('00000000-0000-0000-0000-000000000001', %L)$$, :'conversation'));
SELECT t.target, t.event, t.body, m.what, pg_temp.with_trigger(t.target, t.event, t.body, m.statement)
FROM messagings AS m, (VALUES
    (1, 'companion.messages'::regclass, 'INSERT OR UPDATE', 'RETURN NULL;'),
    (2, 'companion.messages', 'INSERT', 'new.id := companion.uuid_v7(); RETURN new;'),
    (3, 'companion.messages', 'INSERT OR UPDATE', 'new.telegram_message_id := NULL; RETURN new;'),
    (4, 'companion.messages', 'INSERT OR UPDATE', 'new.content := ''***''; RETURN new;'),
    (5, 'companion.conversations', 'INSERT OR UPDATE', 'RETURN NULL;'),
    (6, 'companion.conversations', 'INSERT', 'new.id := companion.uuid_v7(); RETURN new;'),
    (7, 'companion.conversations', 'INSERT OR UPDATE', 'new.topics := ''{x}''; RETURN new;')) AS t (n, target, event, body)
ORDER BY t.n, m.n;

-- What has been sent.
CREATE FUNCTION pg_temp.send(content text, id bigint DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    m record;
BEGIN
    PERFORM companion.schedule_message('00000000-0000-0000-0000-000000000001', companion.now(), content);
    SELECT * INTO m FROM companion.claim_messages('w', 1);
    PERFORM companion.start_send(m.user_id, m.message_id, m.attempt);
    RETURN companion.mark_sent(m.user_id, m.message_id, m.attempt, NULL, id);
END
$$;
SELECT t.body, s.statement, pg_temp.with_trigger(t.target, 'INSERT OR UPDATE', t.body, s.statement)
FROM (VALUES (1, $$SELECT pg_temp.send('good morning')$$), (2, $$SELECT pg_temp.send('good morning', 7)$$),
    (3, $$SELECT pg_temp.send('hello', 1)$$)) AS s (n, statement),
    (VALUES (1, 'companion.messages'::regclass, 'RETURN NULL;'),
    (2, 'companion.messages', 'new.id := companion.uuid_v7(); RETURN new;'),
    (3, 'companion.messages', 'new.user_id := ''00000000-0000-0000-0000-000000000002''; RETURN new;'),
    (4, 'companion.messages', 'new.content := ''***''; RETURN new;'),
    (5, 'companion.conversations', 'RETURN NULL;')) AS t (n, target, body) ORDER BY t.n, s.n;

-- What a trigger makes of a user is checked, whatever column the statement is about.
CREATE TEMP TABLE wrong (column_name text, value text);
INSERT INTO wrong VALUES ('email', $$repeat('x', 321)$$), ('display_name', $$repeat('x', 201)$$), ('checkin_time', $$'24:00'$$),
    ('checkin_days', $$'{9}'$$), ('preferred_channel', $$'fax'$$), ('whatsapp_number', $$'abc'$$), ('preferences', $$'[]'$$),
    ('quiet_until', $$'24:00'$$);
SELECT column_name, pg_temp.with_trigger('companion.users', 'UPDATE', format('new.%I := %s; RETURN new;', column_name, value),
    'UPDATE companion.users SET last_user_message_at = companion.now() RETURNING 1') FROM wrong;

-- A column that may be null, against the table's definition: a null is nothing that is checked.
BEGIN;
ALTER TABLE companion.scheduled_messages ALTER kind DROP NOT NULL, ALTER idempotency_key DROP NOT NULL, ALTER status DROP NOT NULL;
ALTER TABLE companion.messages ALTER role DROP NOT NULL, ALTER content DROP NOT NULL, ALTER metadata DROP NOT NULL, ALTER conversation_id DROP NOT NULL;
ALTER TABLE companion.conversations ALTER started_at DROP NOT NULL;
ALTER TABLE companion.dispatch_queue ALTER channel DROP NOT NULL;
SELECT count(*) > 0 AS scheduled FROM companion.users, companion.schedule_message(id, '2026-03-04', 'hello');
UPDATE companion.scheduled_messages SET kind = NULL, idempotency_key = NULL, status = NULL;
UPDATE companion.conversations SET started_at = NULL, ended_at = '2026-03-04';
INSERT INTO companion.messages (user_id, conversation_id, role, content, metadata) SELECT id, NULL, NULL, NULL, NULL FROM companion.users;
UPDATE companion.dispatch_queue SET channel = NULL;
SELECT count(*) FROM companion.claim_messages('w', 10, channels => '{web}');
ROLLBACK;
