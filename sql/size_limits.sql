-- What functions take, and what a grant lets one write, is bounded; what stands beyond the bounds is
-- borne, and what has been sent is never refused.
\i test/fresh.sql
\set maya '\'00000000-0000-0000-0000-000000000001\''
SET companion.clock = '2026-03-02 08:00+00';
INSERT INTO companion.users (id, telegram_user_id) VALUES (:maya, 100);
SELECT companion.open_conversation(:maya, 'telegram') AS conversation \gset
SET companion.max_json_size = '1kB';
SET companion.max_message_length = 20;
SET companion.max_facts = 3;
CREATE FUNCTION pg_temp.json(size integer) RETURNS jsonb LANGUAGE sql AS
$$ SELECT jsonb_build_object('text', repeat('x', size - 20)) $$;
SELECT pg_column_size(pg_temp.json(1024)) AS fits, pg_column_size(pg_temp.json(1025)) AS does_not;

-- JSON that is given to a function.
SELECT companion.add_message(:maya, :'conversation', 'user', 'hello', metadata => pg_temp.json(1024)) IS NOT NULL AS added;
SELECT companion.add_message(:maya, :'conversation', 'user', 'hello', metadata => pg_temp.json(1025));
SELECT companion.record_incoming('telegram', '100', 'hello', metadata => pg_temp.json(1025));
SELECT key FROM companion.upsert_user_context(:maya, 'mood', 'now', 'calm', metadata => pg_temp.json(1024));
SELECT companion.upsert_user_context(:maya, 'mood', 'now', 'calm', metadata => pg_temp.json(1025));
SELECT companion.upsert_user_context_many(:maya, jsonb_build_array(
    '{"category": "mood", "key": "now", "value": "calm"}'::jsonb,
    jsonb_build_object('category', 'mood', 'key', 'now', 'value', 'calm', 'metadata', pg_temp.json(1025))));
-- Facts: refused before one of them is read.
SELECT count(*) FROM companion.upsert_user_context_many(:maya, (SELECT jsonb_agg(jsonb_build_object('category', 'c', 'key', n::text, 'value', 'v')) FROM generate_series(1, 3) AS n));
SELECT companion.upsert_user_context_many(:maya, '[1, 2, 3, 4]');
RESET companion.max_facts;
SELECT companion.upsert_user_context_many(:maya, (SELECT jsonb_agg(n) FROM generate_series(1, 100000) AS n));
SHOW companion.max_json_size;
SELECT name, setting, unit, min_val, max_val, boot_val, context FROM pg_settings
WHERE name IN ('companion.max_json_size', 'companion.max_facts') ORDER BY name;

-- What a worker writes directly.
SET ROLE companion_worker;
UPDATE companion.messages SET metadata = pg_temp.json(1024);
UPDATE companion.messages SET metadata = pg_temp.json(1025);
INSERT INTO companion.messages (user_id, conversation_id, role, content, metadata)
VALUES (:maya, :'conversation', 'user', 'hello', pg_temp.json(1025));
INSERT INTO companion.messages (user_id, conversation_id, role, content)
VALUES (:maya, :'conversation', 'user', repeat('é', 21));
INSERT INTO companion.messages (user_id, conversation_id, role, content, telegram_message_id, channel, bot, address)
VALUES (:maya, :'conversation', 'user', repeat('é', 20), 7, 'telegram', '', '100');
RESET ROLE;
-- What stands already, as a restore by a superuser leaves it, may stand, and be changed in other ways.
INSERT INTO companion.messages (user_id, conversation_id, role, content, telegram_message_id, channel, bot, address, metadata)
VALUES (:maya, :'conversation', 'user', repeat('long ', 30000), 8, 'telegram', '', '100', pg_temp.json(5000));
SET ROLE companion_worker;
UPDATE companion.messages SET reply_to_id = NULL WHERE telegram_message_id = 8;
SELECT length(excerpt) FROM companion.search_messages(:maya, 'long');
SELECT companion.edit_message(:maya, NULL, 'short', 8) IS NOT NULL AS edited;
SELECT content, metadata - 'text' AS metadata FROM companion.recent_messages(:maya) WHERE telegram_message_id = 8;
RESET ROLE;

-- An edit is never refused for the earlier texts: where there is no room for all, the oldest go.
SELECT count(companion.edit_message(:maya, NULL, 'text ' || n, 7)) AS edited FROM generate_series(1, 30) AS n;
SELECT pg_column_size(metadata || '{}') <= 1024 AS fits, metadata -> 'edits' -> 0 ->> 'content' AS oldest,
    metadata -> 'edits' -> -1 ->> 'content' AS latest, jsonb_array_length(metadata -> 'edits') AS edits
FROM companion.messages WHERE telegram_message_id = 7;
UPDATE companion.messages SET metadata = metadata || pg_temp.json(500) WHERE telegram_message_id = 7;
SELECT companion.edit_message(:maya, NULL, 'the last', 7) IS NOT NULL AS edited;
SELECT pg_column_size(metadata || '{}') <= 1024 AS fits, length(metadata ->> 'text') AS app_data,
    metadata -> 'edits' -> -1 ->> 'content' AS latest, jsonb_array_length(metadata -> 'edits') AS edits
FROM companion.messages WHERE telegram_message_id = 7;

-- What has been sent: a text that is too long is cut, and metadata says how long it was.
CREATE FUNCTION pg_temp.send(content text, at_once text DEFAULT NULL, id bigint DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    m record;
BEGIN
    PERFORM companion.schedule_message('00000000-0000-0000-0000-000000000001', companion.now(), at_once);
    SELECT * INTO m FROM companion.claim_messages('w', 1);
    PERFORM companion.start_send(m.user_id, m.message_id, m.attempt);
    RETURN companion.mark_sent(m.user_id, m.message_id, m.attempt, content, id);
END
$$;
SELECT pg_temp.send(repeat('日', 20), id => 20), pg_temp.send(repeat('日', 21), id => 21);
SELECT length(content), content = repeat('日', 20) AS is_its_beginning, metadata FROM companion.messages WHERE telegram_message_id IN (20, 21);
-- It may be edited.
SELECT companion.edit_message(:maya, NULL, 'shorter', 21) IS NOT NULL AS edited;
SELECT content, metadata -> 'cut_from' AS cut_from, jsonb_array_length(metadata -> 'edits') AS edits
FROM companion.messages WHERE telegram_message_id = 21;
-- Many at once.
SELECT count(*) FROM generate_series(1, 3) AS n,
    companion.schedule_message(:maya, companion.now() - n * interval '1 second', NULL);
CREATE TEMP TABLE claimed AS SELECT array_agg(user_id) AS users, array_agg(message_id) AS messages, array_agg(attempt) AS attempts
FROM companion.claim_messages('w');
SELECT companion.start_send_many(users, messages, attempts) FROM claimed;
SELECT companion.mark_sent_many(users, messages, attempts, ARRAY['short', repeat('x', 100000), repeat('y', 21)]) FROM claimed;
SELECT content, metadata FROM companion.recent_messages(:maya, 3) ORDER BY content;
