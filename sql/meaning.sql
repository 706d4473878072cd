-- Recall by meaning: what an embedding adds to how much an item matters.
\i test/fresh.sql
\pset null -
\set maya '''00000000-0000-7000-8000-00000000000a'''
\set noor '''00000000-0000-7000-8000-00000000000b'''
INSERT INTO companion.users (id) VALUES (:maya), (:noor);
SET companion.clock = '2026-03-02 12:00+00';
SELECT count(*) FROM companion.upsert_user_context_many(:maya, '[
    {"category": "fact", "key": "cat", "value": "has a cat", "importance": 0.5}, {"category": "fact", "key": "dog", "value": "had a dog", "importance": 0.4},
    {"category": "fact", "key": "car", "value": "drives", "importance": 0.9}, {"category": "fact", "key": "pinned", "value": "v", "importance": 0, "pinned": true},
    {"category": "mood", "key": "now", "value": "calm", "importance": 0.3}]');
-- A worker finds what has none, and stores them.
SET ROLE companion_worker;
SELECT category, key, value FROM companion.items_without_embedding('m') ORDER BY category, key;
SELECT count(*) FROM companion.items_without_embedding('m', 2) UNION ALL SELECT count(*) FROM companion.items_without_embedding('m', for_user => :noor);
SELECT companion.set_embedding(user_id, item_id, 'm', CASE key WHEN 'cat' THEN '{1,0}' WHEN 'dog' THEN '{0.8,0.6}' WHEN 'car' THEN '{-1,0}' END::real[], value)
FROM companion.items_without_embedding('m', for_user => :maya) WHERE key IN ('cat', 'dog', 'car');
SELECT key FROM companion.items_without_embedding('m') ORDER BY key;
SELECT key FROM companion.items_without_embedding('n') ORDER BY key;
RESET ROLE;

-- recall_score() + meaning_weight * cosine, pinned ones first; without an embedding the cosine counts as 0.
SELECT key FROM companion.recall_user_context(:maya);
SELECT c.key, round((companion.recall_score(c.category, importance, confirmations, confirmed_at, last_used_at, companion.now()) + 3 * coalesce(companion.cosine_similarity(e.embedding, '{1,0}'), 0))::numeric, 3) AS score
FROM companion.recall_user_context(:maya, embedding => '{2,0}') WITH ORDINALITY AS c LEFT JOIN companion.context_embeddings AS e ON e.item_id = c.id ORDER BY ordinality;
SELECT string_agg(key, ' ') FROM companion.recall_user_context(:maya, embedding => '{0,1}');
SELECT string_agg(key, ' ') FROM companion.recall_user_context(:maya, embedding => '{1,0}', meaning_weight => 0);
SELECT string_agg(key, ' ') FROM companion.recall_user_context(:maya, embedding => '{1,0}', meaning_weight => 0.1);
SELECT string_agg(key, ' ') FROM companion.recall_user_context(:maya, 2, embedding => '{1,0}');
SELECT string_agg(key, ' ') FROM companion.recall_user_context(:maya, embedding => '{1,0}', exclude => '{mood}', categories => '{fact,mood}');
SELECT companion.user_context_prompt(:maya, 3, embedding => '{1,0}');
SELECT companion.user_context_prompt(:maya, max_chars => 45, embedding => '{1,0}');
-- Embeddings of another size, or model, are not compared; of several the nearest counts.
SELECT string_agg(key, ' ') FROM companion.recall_user_context(:maya, embedding => '{1,0,0}');
SELECT string_agg(key, ' ') FROM companion.recall_user_context(:maya, embedding => '{1,0}', model => 'n');
SELECT companion.set_embedding(:maya, id, 'n', '{1,0}') FROM companion.user_context WHERE key = 'car';
SELECT string_agg(key, ' ') FROM companion.recall_user_context(:maya, embedding => '{1,0}', model => 'n');
SELECT string_agg(key, ' ') FROM companion.recall_user_context(:maya, embedding => '{1,0}');

-- Another value, and forgetting, takes it away; what confirms does not.
SELECT value FROM companion.upsert_user_context(:maya, 'fact', 'cat', 'has a cat ');
SELECT value FROM companion.upsert_user_context(:maya, 'fact', 'dog', 'has a dog');
SELECT outcome FROM companion.upsert_user_context_many(:maya, '[{"category": "fact", "key": "car", "value": "walks"}, {"category": "fact", "key": "cat", "value": "has a cat"}]');
SELECT c.key, e.model FROM companion.context_embeddings AS e JOIN companion.user_context AS c ON c.id = e.item_id;
-- Not of a value that is not there any more.
SELECT companion.set_embedding(:maya, id, 'm', '{0,1}', 'had a dog') AS old, companion.set_embedding(:maya, id, 'm', '{0,1}', 'has a dog') AS new FROM companion.user_context WHERE key = 'dog';
SELECT companion.set_embedding(:maya, id, 'm', '{1,1}') AS again FROM companion.user_context WHERE key = 'dog';
SELECT companion.set_embedding(:noor, id, 'm', '{0,1}') AS anothers FROM companion.user_context WHERE key = 'dog';
SELECT items FROM companion.forget_user_context(:maya, 'fact', 'cat');
SELECT companion.upsert_user_context(:maya, 'fact', 'gone', 'v', expires_at => '2026-03-03') IS NOT NULL AS added;
SELECT companion.set_embedding(:maya, id, 'm', '{0,1}') FROM companion.user_context WHERE key = 'gone';
SET companion.clock = '2026-03-04 12:00+00';
SELECT companion.set_embedding(:maya, id, 'm', '{0,1}') AS expired FROM companion.user_context WHERE key = 'gone';
SELECT companion.expire_user_context();
SELECT c.key, e.embedding FROM companion.context_embeddings AS e JOIN companion.user_context AS c ON c.id = e.item_id;
SELECT count(*) FROM companion.context_embeddings;

SELECT companion.cosine_similarity('{3,4}', '{3,4}'), companion.cosine_similarity('{1,0}', '{0,1}'), round(companion.cosine_similarity('{1,2}', '{-1,-2}')::numeric, 6) AS opposite,
       companion.cosine_similarity('{1}', '{1,2}'), companion.cosine_similarity('{0,0}', '{1,2}'), companion.cosine_similarity('{}', '{}'), companion.cosine_similarity('{1,NULL}', '{1,2}');
SELECT round(companion.cosine_similarity(array_agg(sin(n)::real), array_agg(sin(n + 1)::real))::numeric, 4) AS ours,
       round((sum(sin(n) * sin(n + 1)) / sqrt(sum(sin(n) ^ 2) * sum(sin(n + 1) ^ 2)))::numeric, 4) AS by_sql FROM generate_series(1, 387) AS n;
SELECT pg_temp.error_of(format('SELECT companion.%s', statement)) FROM (VALUES
    (1, $$set_embedding('00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000a', '', '{1}')$$),
    (2, $$set_embedding('00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000a', 'm', '{}')$$),
    (3, $$set_embedding('00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000a', 'm', '{0,0}')$$),
    (4, $$set_embedding('00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000a', 'm', '{1,NaN}')$$),
    (5, $$set_embedding('00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000a', 'm', '{{1},{2}}')$$),
    (6, $$set_embedding('00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000a', 'm', '{1,NULL}')$$),
    (7, $$set_embedding('00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000a', 'm', array_fill(1::real, ARRAY[16001]))$$),
    (8, $$recall_user_context('00000000-0000-7000-8000-00000000000a', embedding => '{}')$$),
    (9, $$recall_user_context('00000000-0000-7000-8000-00000000000a', meaning_weight => -1)$$),
    (10, $$recall_user_context('00000000-0000-7000-8000-00000000000a', meaning_weight => NULL)$$)) AS v (n, statement) ORDER BY n;
-- An end user sees their own, and recalls by them; workers store them.
SET ROLE companion_user;
SET companion.user_id = :noor;
SELECT count(*) FROM companion.context_embeddings;
SELECT companion.set_embedding(:noor, :noor, 'm', '{1}');
SET companion.user_id = :maya;
SELECT count(*) FROM companion.context_embeddings;
SELECT string_agg(key, ' ') FROM companion.recall_user_context(:maya, embedding => '{1,0}');
DELETE FROM companion.context_embeddings;
RESET ROLE;
-- What searches for the text of one that casts to it.
CREATE DOMAIN embedding_like AS real[];
SELECT string_agg(key, ' ') FROM companion.recall_user_context(:maya, embedding => '{1,0}'::embedding_like);
DROP DOMAIN embedding_like;
-- A trigger that keeps one out ends in an error; they go with the user.
CREATE FUNCTION pg_temp.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE INSERT ON companion.context_embeddings FOR EACH ROW EXECUTE FUNCTION pg_temp.keep();
SELECT companion.set_embedding(:maya, id, 'n', '{1,1}') FROM companion.user_context WHERE key = 'dog';
DROP TRIGGER keep ON companion.context_embeddings;
SELECT companion.erase_user(:maya) -> 'context_embeddings';
-- Embeddings that a row does not hold itself.
INSERT INTO companion.users (id) VALUES (:maya);
SELECT count(companion.set_embedding(:maya, (companion.upsert_user_context(:maya, 'fact', n::text, 'v')).id, 'm', ARRAY(SELECT sin(n * d)::real FROM generate_series(1, 3000) AS d))) FROM generate_series(1, 5) AS n;
SELECT string_agg(key, ' ') FROM companion.recall_user_context(:maya, embedding => ARRAY(SELECT sin(3 * d)::real FROM generate_series(1, 3000) AS d), max_items => 1);
