-- A value that supersedes another starts afresh; one that is confirmed keeps what the call leaves out.
-- And two clocks: when a value was last stated, and when it was last used.
\i test/fresh.sql
\pset null -
\set maya '''00000000-0000-7000-8000-00000000000a'''
\set told '''01a21c49-0000-7000-8000-00000000000a'''
INSERT INTO companion.users (id) VALUES (:maya);
INSERT INTO companion.conversations (user_id, id, channel) VALUES (:maya, :maya, 'web');
INSERT INTO companion.messages (user_id, id, conversation_id, role, content) VALUES (:maya, :told, :maya, 'user', 'I am in Lisbon until Friday');
SET companion.clock = '2026-03-02 12:00+00';
CREATE TEMP VIEW now AS
SELECT category, key, value, importance, emotional_valence, source, source_message_id IS NOT NULL AS has_message, metadata, pinned,
       expires_at, confirmations, previous_value
FROM companion.user_context ORDER BY category, key;

-- One at a time.
SELECT value FROM companion.upsert_user_context(:maya, 'identity', 'city', 'Lisbon (trip)', 0.9, 2, 'calendar',
    '2026-03-06', :told, '{"with": "Ana"}', true);
SELECT value FROM companion.upsert_user_context(:maya, 'identity', 'city', 'Lisbon (trip)', source => 'user');
TABLE now;
SELECT value FROM companion.upsert_user_context(:maya, 'identity', 'city', 'Porto', source => 'user');
TABLE now;
-- So it is still there on Friday.
SET companion.clock = '2026-03-07 12:00+00';
SELECT value FROM companion.recall_user_context(:maya);

-- In an array: the same.
SELECT outcome, value FROM companion.upsert_user_context_many(:maya, jsonb_build_array(jsonb_build_object(
    'category', 'identity', 'key', 'job', 'value', 'intern', 'importance', 0.9, 'emotional_valence', 2, 'source', 'calendar',
    'expires_at', '2026-03-31', 'source_message_id', :told, 'metadata', '{"at": "a bank"}'::jsonb, 'pinned', true)));
SELECT outcome, value FROM companion.upsert_user_context_many(:maya, '[{"category": "identity", "key": "job", "value": "intern", "source": "user"}]');
SELECT * FROM now WHERE key = 'job';
SELECT outcome, value FROM companion.upsert_user_context_many(:maya, '[{"category": "identity", "key": "job", "value": "nurse", "source": "user"}]');
SELECT * FROM now WHERE key = 'job';

-- A default is "unless something stands": restating lowers nothing.
SELECT importance, emotional_valence, source FROM companion.upsert_user_context(:maya, 'health', 'allergy', 'nuts', 1.0, -2, 'doctor');
SELECT importance, emotional_valence, source FROM companion.upsert_user_context(:maya, 'health', 'allergy', 'nuts');
SELECT importance, emotional_valence, source FROM companion.upsert_user_context_many(:maya, '[{"category": "health", "key": "allergy", "value": "nuts"}]');
SELECT importance, emotional_valence, source FROM companion.upsert_user_context(:maya, 'health', 'allergy', 'nuts', 0.7);
SELECT importance, emotional_valence, source FROM companion.upsert_user_context(:maya, 'health', 'allergy', 'bees');

-- What is stated each night is not thereby used: a use lifts it, and wears off.
SET companion.clock = '2026-04-01 12:00+00';
SELECT count(*) FROM companion.upsert_user_context_many(:maya, '[{"category": "habit", "key": "nightly", "value": "reads"}, {"category": "habit", "key": "used", "value": "runs"}]');
SET companion.clock = '2026-04-02 12:00+00';
SELECT companion.touch_user_context(:maya, array_agg(id)) FROM companion.user_context WHERE key = 'used';
SELECT confirmed_at, last_used_at, last_referenced_at FROM companion.upsert_user_context(:maya, 'habit', 'nightly', 'reads');
SELECT key, confirmed_at, last_used_at, last_referenced_at FROM companion.recall_user_context(:maya, categories => '{habit}');
-- Stated again later it keeps the use; another value has not been used.
SET companion.clock = '2026-04-03 12:00+00';
SELECT confirmed_at, last_used_at, last_referenced_at FROM companion.upsert_user_context(:maya, 'habit', 'used', 'runs');
SELECT confirmed_at, last_used_at, last_referenced_at FROM companion.upsert_user_context(:maya, 'habit', 'used', 'swims');
SELECT companion.recall_score('habit', 0.5, 1, companion.now(), NULL, companion.now()) AS unused,
       companion.recall_score('habit', 0.5, 1, companion.now(), companion.now(), companion.now()) AS used,
       companion.recall_score('habit', NULL, 1, companion.now(), companion.now(), companion.now()) AS unknown;
