-- One bad fact costs only itself where it is to be skipped, and says why.
\i test/fresh.sql
\pset null -
\set maya '''00000000-0000-7000-8000-00000000000a'''
INSERT INTO companion.users (id, timezone) VALUES (:maya, 'Europe/Lisbon');
SET companion.clock = '2026-03-02 12:00+00';

SELECT key, value, importance, outcome, reason FROM companion.upsert_user_context_many(:maya, jsonb_build_array(
    '{"category": "fact", "key": "good", "value": "taken"}'::jsonb,
    '{"category": "fact", "key": "age", "value": 34}'::jsonb, '{"category": "fact", "key": "vegan", "value": true}'::jsonb,
    '{"category": "fact", "key": "pi", "value": 3.140}'::jsonb,
    '{"category": "fact", "key": "text", "value": "v", "importance": "0.8", "emotional_valence": "-1"}'::jsonb,
    '{"category": "fact", "key": "word", "value": "v", "importance": "high"}'::jsonb,
    '{"category": "fact", "key": "more", "value": "v", "importance": "1.5"}'::jsonb,
    '{"category": "fact", "key": "nan", "value": "v", "importance": "NaN"}'::jsonb,
    '{"category": "fact", "key": "half", "value": "v", "emotional_valence": "0.5"}'::jsonb,
    '{"category": "fact", "key": "unknown", "value": "v", "confidence": 1}'::jsonb,
    jsonb_build_object('category', repeat('c', 101), 'key', 'long', 'value', 'v'),
    '{"category": "fact", "key": "object", "value": {"a": 1}}'::jsonb, '{"category": "fact", "key": "null", "value": null}'::jsonb,
    '{"category": "fact", "key": "", "value": "v"}'::jsonb, '{"category": "fact", "value": "v"}'::jsonb,
    '{"category": "fact", "key": "date", "value": "v", "expires_at": "2026-02-30"}'::jsonb,
    '{"category": "fact", "key": "day", "value": "v", "expires_at": "2026-03-04"}'::jsonb,
    '{"category": "fact", "key": "id", "value": "v", "source_message_id": "x"}'::jsonb,
    '{"category": "fact", "key": "source", "value": "v", "source": "The User"}'::jsonb,
    '{"category": "fact", "key": "metadata", "value": "v", "metadata": []}'::jsonb,
    '7'::jsonb, 'null'::jsonb, '[]'::jsonb), on_invalid => 'skip');
SELECT count(*) FROM companion.user_context;

-- What became of each.
SELECT value FROM companion.upsert_user_context(:maya, 'fact', 'coffee', 'espresso', source => 'user');
SELECT key, value, outcome, reason, contradicted_by FROM companion.upsert_user_context_many(:maya, '[
    {"category": "fact", "key": "new", "value": "a"}, {"category": "fact", "key": "good", "value": "taken"},
    {"category": "fact", "key": "age", "value": 35}, {"category": "fact", "key": "coffee", "value": "tea"},
    {"category": "fact", "key": "coffee", "value": "tea", "nonsense": 1}, {"category": "fact", "key": "new", "value": "b"}]', 'skip');
SELECT outcome, confirmations FROM companion.upsert_user_context_many(:maya, '[{"category": "fact", "key": "coffee", "value": "espresso"}]', 'skip');
SELECT outcome FROM companion.upsert_user_context_many(:maya, '[{"category": "fact", "key": "new", "value": "c"}]');

-- What cannot be stored: a message that is not hers, one too many, what a trigger refuses.
SELECT key, outcome, reason FROM companion.upsert_user_context_many(:maya, '[
    {"category": "stored", "key": "a", "value": "v"},
    {"category": "stored", "key": "b", "value": "v", "source_message_id": "00000000-0000-7000-8000-0000000000ff"},
    {"category": "stored", "key": "c", "value": "v"}]', 'skip');
SELECT count(*) AS items FROM companion.user_context \gset
SET companion.max_context_items = :items;
SELECT key, outcome, reason FROM companion.upsert_user_context_many(:maya, '[
    {"category": "stored", "key": "d", "value": "v"}, {"category": "stored", "key": "a", "value": "w"}]', 'skip');
RESET companion.max_context_items;
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.value = 'ssn' THEN RAISE EXCEPTION 'no such thing here'; END IF;
    RETURN CASE WHEN new.value <> 'gone' THEN new END;
END
$$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON companion.user_context FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse();
SELECT key, outcome, reason FROM companion.upsert_user_context_many(:maya, '[
    {"category": "stored", "key": "a", "value": "ssn"}, {"category": "stored", "key": "e", "value": "gone"}, {"category": "stored", "key": "f", "value": "v"}]', 'skip');
DROP TRIGGER refuse ON companion.user_context;

-- What no jsonb takes, as a text.
SELECT key, value, outcome, reason FROM companion.upsert_user_context_many(:maya,
    '[{"category": "fact", "key": "zero", "value": "a\u0000b"}, {"category": "fact", "key": "fine", "value": "a\\u0000b"}, {"category": "fact", "key": "half", "value": "\ud800"}]', 'skip');
\set VERBOSITY sqlstate
SELECT companion.upsert_user_context_many(:maya, '[{"category": "fact"', 'skip');
SELECT companion.upsert_user_context_many(:maya, '7', 'skip');
\set VERBOSITY default
SELECT companion.upsert_user_context_many(:maya, '7'::jsonb, 'skip');
SELECT companion.upsert_user_context_many(:maya, '{"facts": []}'::text, 'skip');
SELECT count(*) FROM companion.upsert_user_context_many(:maya, '[]', 'skip');
SET companion.max_facts = 1;
SELECT companion.upsert_user_context_many(:maya, '[1, 2]', 'skip');
RESET companion.max_facts;

-- The default stays strict: all or nothing.
SELECT companion.upsert_user_context_many(:maya, '[{"category": "fact", "key": "a", "value": "v"}, {"category": "fact", "key": "b", "value": 34}]');
SELECT companion.upsert_user_context_many(:maya, '[{"category": "fact", "key": "a", "value": "v", "importance": "0.8"}]', 'error');
SELECT companion.upsert_user_context_many(:maya, '[]', 'ignore');
SELECT companion.upsert_user_context_many(:maya, '[]'::jsonb, NULL);
SELECT count(*) FROM companion.user_context WHERE key IN ('a', 'b') AND category = 'fact';

-- Not what somebody else holds, nor another's user.
SET ROLE companion_user;
SET companion.user_id = '00000000-0000-7000-8000-00000000000b';
SELECT companion.upsert_user_context_many(:maya, '[1]', 'skip');
RESET ROLE;
-- A message that the user does not have is named by the element that names it.
SELECT pg_temp.error_of($$SELECT companion.upsert_user_context_many('00000000-0000-7000-8000-00000000000a', '[{"category": "stored", "key": "a", "value": "v"}, {"category": "stored", "key": "b", "value": "v", "source_message_id": "00000000-0000-7000-8000-0000000000ff"}]')$$);
