-- Categories are data: how fast their facts fade, whether a history is kept, whether a prompt shows
-- them, how many there may be, when they expire.
\i test/fresh.sql
\pset null -
\set maya '''00000000-0000-7000-8000-00000000000a'''
INSERT INTO companion.users (id) VALUES (:maya);
SET companion.clock = '2026-03-02 12:00+00';
SELECT * FROM companion.context_categories;

-- A pattern that is computed anew each night has no history.
SELECT count(companion.upsert_user_context(:maya, 'pattern', 'sleep', 'slept ' || n || ' hours', source => 'nightly')) FROM generate_series(1, 30) AS n;
SELECT count(outcome) FROM generate_series(31, 60) AS n, companion.upsert_user_context_many(:maya,
    jsonb_build_array(jsonb_build_object('category', 'pattern', 'key', 'sleep', 'value', 'slept ' || n || ' hours'))) AS f;
SELECT count(companion.upsert_user_context(:maya, 'preference', 'sleep', 'slept ' || n || ' hours')) FROM generate_series(1, 3) AS n;
SELECT category, count(*) FROM companion.user_context_history GROUP BY category;
SELECT value, previous_value FROM companion.user_context WHERE category = 'pattern';

-- Unlisted categories follow *, those without a half-life of their own its.
SELECT k.category, companion.recall_score(k.category, 1, 1, '2026-03-02', NULL, '2026-05-31') AS after_90_days
FROM unnest('{pattern,mood,identity,whatever}'::text[]) AS k (category);
-- Another row takes the place of one that is there; what holds, holds for every session at once.
INSERT INTO companion.context_categories (category, half_life) VALUES ('whatever', '45 days'), ('mood', '90 days');
SELECT k.category, companion.recall_score(k.category, 1, 1, '2026-03-02', NULL, '2026-05-31') AS after_90_days
FROM unnest('{pattern,mood,identity,whatever}'::text[]) AS k (category);
UPDATE companion.context_categories SET half_life = '30 days' WHERE category = '*';
DELETE FROM companion.context_categories WHERE category = 'whatever';
BEGIN;
TRUNCATE companion.context_categories;
SELECT k.category, companion.recall_score(k.category, 1, 1, '2026-03-02', NULL, '2026-05-31') AS after_90_days
FROM unnest('{pattern,mood,identity,whatever}'::text[]) AS k (category);
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT k.category, companion.recall_score(k.category, 1, 1, '2026-03-02', NULL, '2026-05-31') AS after_90_days
FROM unnest('{pattern,mood,identity,whatever}'::text[]) AS k (category);
COMMIT;
SELECT pg_temp.error_of(statement) FROM unnest(ARRAY[
    $$INSERT INTO companion.context_categories (category) VALUES ('')$$, $$INSERT INTO companion.context_categories (category) VALUES (' mood')$$,
    $$INSERT INTO companion.context_categories (category, half_life) VALUES ('mood', '0')$$, $$INSERT INTO companion.context_categories (category, max_items) VALUES ('mood', 0)$$,
    $$INSERT INTO companion.context_categories (category, expires_after) VALUES ('mood', '-1 day')$$, $$INSERT INTO companion.context_categories (category) VALUES ('*')$$]) AS statement;

-- What a prompt does not show, unless it is asked for.
INSERT INTO companion.context_categories (category, in_prompt) VALUES ('secret', false);
SELECT value FROM companion.upsert_user_context(:maya, 'secret', 'diary', 'kept under the bed');
SELECT companion.user_context_prompt(:maya);
SELECT companion.user_context_prompt(:maya, categories => '{secret}'), companion.user_context_prompt(:maya, exclude => '{pattern}');
SELECT key FROM companion.recall_user_context(:maya, exclude => '{pattern,preference}');
UPDATE companion.context_categories SET in_prompt = category = 'preference';
SELECT companion.user_context_prompt(:maya);
UPDATE companion.context_categories SET in_prompt = true;
SELECT companion.recall_user_context(:maya, exclude => '{NULL}');

-- How many: those that matter least make room, but not for nothing what is pinned.
INSERT INTO companion.context_categories (category, max_items) VALUES ('idea', 3);
SELECT count(outcome) FROM companion.upsert_user_context_many(:maya, '[
    {"category": "idea", "key": "least", "value": "v", "importance": 0.1}, {"category": "idea", "key": "most", "value": "v", "importance": 0.9},
    {"category": "idea", "key": "pinned", "value": "v", "importance": 0, "pinned": true}]');
SELECT value FROM companion.upsert_user_context(:maya, 'idea', 'new', 'v', 0.05);
SELECT key FROM companion.user_context WHERE category = 'idea' ORDER BY key;
SELECT companion.resolve_user_context(:maya, 'idea', 'most');
SELECT count(outcome) FROM companion.upsert_user_context_many(:maya, '[{"category": "idea", "key": "newer", "value": "v"}, {"category": "other", "key": "o", "value": "v"}]');
SELECT key FROM companion.user_context WHERE category = 'idea' ORDER BY key;
SELECT value FROM companion.upsert_user_context(:maya, 'idea', 'newer', 'w');
SELECT key, value, held_until, replaced_by FROM companion.user_context_history WHERE category = 'idea' ORDER BY key;

-- When they expire to which no time is given: so long after they were last stated.
INSERT INTO companion.context_categories (category, expires_after) VALUES ('weather', '2 days');
SELECT expires_at FROM companion.upsert_user_context(:maya, 'weather', 'here', 'rain');
SELECT key, expires_at FROM companion.upsert_user_context_many(:maya, '[{"category": "weather", "key": "there", "value": "sun"}, {"category": "weather", "key": "given", "value": "snow", "expires_at": "2026-03-10"}, {"category": "weather", "key": "never", "value": "sky", "expires_at": "infinity"}]');
SET companion.clock = '2026-03-03 12:00+00';
SELECT expires_at, confirmations FROM companion.upsert_user_context(:maya, 'weather', 'here', 'rain');
SELECT key, expires_at FROM companion.upsert_user_context_many(:maya, '[{"category": "weather", "key": "there", "value": "sun"}, {"category": "weather", "key": "given", "value": "snow"}, {"category": "weather", "key": "never", "value": "sky"}]');
SELECT expires_at, previous_value FROM companion.upsert_user_context(:maya, 'weather', 'given', 'fog');
SET companion.clock = '2026-03-05 12:00+00';
SELECT key FROM companion.recall_user_context(:maya, categories => '{weather}');
SELECT companion.expire_user_context();

-- Admins change them, everyone reads them.
SET ROLE companion_user;
SELECT count(*) FROM companion.context_categories;
UPDATE companion.context_categories SET max_items = 1;
SET ROLE companion_worker;
DELETE FROM companion.context_categories;
SET ROLE companion_admin;
UPDATE companion.context_categories SET max_items = 100 WHERE category = 'idea' RETURNING max_items;
RESET ROLE;
SELECT companion.reload_rows();
-- The setting is there for whoever has set it, and does nothing.
SET companion.half_lives = 'mood=1, *=1';
