-- Memory: what the companion knows about its user, and where it comes from.
\i test/fresh.sql
\pset null -
\set maya '''00000000-0000-7000-8000-00000000000a'''
\set noor '''00000000-0000-7000-8000-00000000000b'''
INSERT INTO companion.users (id, timezone) VALUES
    (:maya, 'America/New_York'), (:noor, 'Europe/Berlin');
SET companion.clock = '2026-03-01 12:00+00';

-- A new fact, and the same fact again: confirmed, no history.
SELECT value, importance, emotional_valence, source, pinned, expires_at, confirmations
FROM companion.upsert_user_context(:maya, 'preference', 'coffee', 'latte');
SET companion.clock = '2026-03-02 12:00+00';
SELECT confirmations, value_since, confirmed_at, last_referenced_at, created_at
FROM companion.upsert_user_context(:maya, 'preference', 'coffee', 'latte');
SELECT count(*) FROM companion.user_context_history;

-- Another value supersedes it; the former keeps when it held and what replaced it.
SELECT value, source, confirmations, value_since, previous_value, previous_since, contradicted_by
FROM companion.upsert_user_context(:maya, 'preference', 'coffee', 'espresso', source => 'user');
SELECT category, key, value, source, held_from, held_until, replaced_by
FROM companion.user_context_history;

-- What the user says stands against what a model extracts, and the row says so.
SELECT value, importance, source, confirmations, contradicted_by
FROM companion.upsert_user_context(:maya, 'preference', 'coffee', 'tea', 0.9);
-- The same from a model confirms it, and changes nothing else.
SELECT value, importance, source, confirmations, contradicted_by
FROM companion.upsert_user_context(:maya, 'preference', 'coffee', 'espresso', 0.9);
-- The user may change their mind.
SELECT value, source, confirmations, previous_value
FROM companion.upsert_user_context(:maya, 'preference', 'coffee', 'none', source => 'user');
-- What is pinned stands likewise, whatever its source; an app's own source does not.
SELECT value, source, pinned FROM companion.upsert_user_context(:maya, 'identity', 'name', 'Maya', source => 'pinned');
SELECT value, pinned, contradicted_by FROM companion.upsert_user_context(:maya, 'identity', 'name', 'Mia', source => 'calendar');
SELECT value, source, pinned FROM companion.upsert_user_context(:maya, 'identity', 'name', 'May', source => 'user', pinned => false);
SELECT value, source FROM companion.upsert_user_context(:maya, 'event', 'trip', 'Rome', source => 'calendar');
SELECT value, source FROM companion.upsert_user_context(:maya, 'event', 'trip', 'Milan');

-- NULL keeps what was there; infinity clears an expiry.
SELECT importance, emotional_valence, source, expires_at, metadata, pinned
FROM companion.upsert_user_context(:maya, 'event', 'exam', 'physics', 0.8, -1, 'user',
    companion.end_of_day(:maya, '2026-03-09'), metadata => '{"room": 4}', pinned => true);
SELECT importance, emotional_valence, source, expires_at, metadata, pinned
FROM companion.upsert_user_context(:maya, 'event', 'exam', 'physics', source => 'user');
SELECT importance, expires_at
FROM companion.upsert_user_context(:maya, 'event', 'exam', 'physics', source => 'user', expires_at => 'infinity');
-- On a new item NULL is the default.
SELECT importance, emotional_valence, source
FROM companion.upsert_user_context(:maya, 'event', 'party', 'Saturday', NULL, NULL, NULL);

-- Where it was learned.
INSERT INTO companion.conversations (user_id, id, channel) VALUES (:maya, :maya, 'web');
INSERT INTO companion.messages (user_id, id, conversation_id, role, content) VALUES (:maya, :maya, :maya, 'user', 'I like tulips');
SELECT source_message_id FROM companion.upsert_user_context(:maya, 'preference', 'flower', 'tulips', source_message_id => :maya);
\set VERBOSITY sqlstate
SELECT companion.upsert_user_context(:noor, 'preference', 'flower', 'tulips', source_message_id => :maya);
\set VERBOSITY default

-- What was believed at a time.
SELECT * FROM companion.user_context_as_of(:maya, '2026-03-01 13:00+00');
SET companion.clock = '2026-03-03 12:00+00';
SELECT value FROM companion.upsert_user_context(:maya, 'event', 'trip', 'Turin');
SELECT * FROM companion.user_context_as_of(:maya, '2026-03-02 13:00+00') WHERE category = 'event';
SELECT key, value FROM companion.user_context_as_of(:maya, '2026-02-01 13:00+00');

-- Many at once: input order, the last of a key wins, a local date is the end of that day.
SELECT f.ordinality, f.category, f.key, f.value, f.importance, f.expires_at, f.previous_value, f.contradicted_by
FROM companion.upsert_user_context_many(:noor, '[
    {"category": "preference", "key": "tea", "value": "green"},
    {"category": "event", "key": "visit", "value": "dentist", "importance": 0.7, "expires_at": "2026-03-29"},
    {"category": "preference", "key": "tea", "value": "black", "source": "user"}]')
    WITH ORDINALITY AS f;
SELECT f.ordinality, f.key, f.value, f.confirmations, f.previous_value, f.contradicted_by
FROM companion.upsert_user_context_many(:noor, '[
    {"category": "event", "key": "visit", "value": "optician", "emotional_valence": null, "expires_at": "infinity"},
    {"category": "preference", "key": "tea", "value": "white"},
    {"category": "fact", "key": "pet", "value": "a cat", "pinned": true, "metadata": {"name": "Tom"}}]')
    WITH ORDINALITY AS f;
SELECT key, value, held_from, held_until, replaced_by FROM companion.user_context_history WHERE user_id = :noor;
SELECT count(*) FROM companion.upsert_user_context_many(:noor, '[]');

-- Expired items are gone from every read at once; the sweep deletes them, and what they
-- said stays in the history.
SET companion.clock = '2026-03-04 12:00+00';
SELECT value FROM companion.upsert_user_context(:noor, 'mood', 'today', 'tired', expires_at => '2026-03-05');
SELECT value FROM companion.upsert_user_context(:noor, 'mood', 'past', 'gone', expires_at => '2026-03-01');
SELECT companion.user_context_prompt(:noor, categories => '{mood}');
SET companion.clock = '2026-03-05 00:00+00';
SELECT companion.user_context_prompt(:noor, categories => '{mood}');
SELECT companion.resolve_user_context(:noor, 'mood', 'today');
SELECT companion.touch_user_context(:noor, array_agg(id)) FROM companion.user_context WHERE category = 'mood';
SELECT value FROM companion.user_context_as_of(:noor, '2026-03-04 18:00+00') WHERE category = 'mood';
SELECT companion.expire_user_context(1), companion.expire_user_context(), companion.expire_user_context();
SELECT value FROM companion.user_context_as_of(:noor, '2026-03-04 18:00+00') WHERE category = 'mood';
SELECT key, value, held_until, replaced_by FROM companion.user_context_history WHERE category = 'mood';
-- An upsert of an expired item makes a new one, even against the user's word.
SELECT value FROM companion.upsert_user_context(:noor, 'mood', 'today', 'calm', 0.9, 2, 'user', '2026-03-06');
SET companion.clock = '2026-03-06 00:00+00';
SELECT value, importance, expires_at, confirmations, previous_value, created_at
FROM companion.upsert_user_context(:noor, 'mood', 'today', 'glad', NULL);
SELECT value, held_from, held_until, replaced_by FROM companion.user_context_history WHERE key = 'today' ORDER BY id;
SELECT * FROM companion.run_maintenance();

-- Recall: pinned first, then importance that fades by half-life, lifted by confirmations
-- and by recent use.
SELECT companion.forget_user_context(:noor);
SET companion.clock = '2026-01-01 12:00+00';
SELECT count(*) FROM companion.upsert_user_context_many(:noor, '[
    {"category": "fact", "key": "pinned", "value": "always", "importance": 0, "pinned": true},
    {"category": "identity", "key": "job", "value": "nurse", "importance": 0.5},
    {"category": "mood", "key": "then", "value": "sad", "importance": 1},
    {"category": "fact", "key": "b", "value": "same"}, {"category": "fact", "key": "a", "value": "same"},
    {"category": "fact", "key": "often", "value": "said\nagain"}, {"category": "fact", "key": "used", "value": "thing"}]');
SELECT key FROM companion.upsert_user_context(:noor, 'fact', 'often', E'said\nagain');
SELECT companion.user_context_prompt(:noor);
SET companion.clock = '2026-01-31 12:00+00';
SELECT companion.touch_user_context(:noor, ARRAY[(SELECT id FROM companion.user_context WHERE key = 'used'), :maya]);
SELECT key, round(companion.recall_score(category, importance, confirmations, confirmed_at, last_used_at, companion.now())::numeric, 3) AS score
FROM companion.recall_user_context(:noor);
SELECT key FROM companion.recall_user_context(:noor, 2);
SELECT key FROM companion.recall_user_context(:noor, categories => '{mood,identity}');
-- Never over max_chars: what does not fit is passed over.
SELECT key FROM companion.recall_user_context(:noor, max_chars => 40);
SELECT companion.user_context_prompt(:noor, max_chars => 40), length(companion.user_context_prompt(:noor, max_chars => 40));
SELECT companion.user_context_prompt(:noor, max_chars => 0) = '' AS empty;
-- Half-lives are the categories'.
BEGIN;
INSERT INTO companion.context_categories (category, half_life) VALUES ('mood', '36500 days'), ('*', '1 day');
SELECT key FROM companion.recall_user_context(:noor, 2);
ROLLBACK;

-- Follow-ups by the user's own date; resolved ones are neither due nor recalled.
SET companion.clock = '2026-02-02 03:00+00';
SELECT count(*) FROM companion.upsert_user_context_many(:maya, '[
    {"category": "follow_up", "key": "interview", "value": "how did it go?", "metadata": {"follow_up_on": "2026-02-01"}},
    {"category": "follow_up", "key": "flu", "value": "better?", "metadata": {"follow_up_on": "2026-02-02"}},
    {"category": "follow_up", "key": "someday", "value": "the boat"}]');
SELECT key FROM companion.due_follow_ups(:maya);
SELECT key FROM companion.due_follow_ups(:maya, '2026-02-02');
SELECT companion.resolve_user_context(:maya, 'follow_up', 'interview'), companion.resolve_user_context(:maya, 'follow_up', 'interview');
SELECT key FROM companion.due_follow_ups(:maya, '2026-02-02');
SELECT key FROM companion.recall_user_context(:maya, categories => '{follow_up}');
SELECT resolved_at FROM companion.upsert_user_context(:maya, 'follow_up', 'interview', 'how did it go?');
SELECT resolved_at FROM companion.upsert_user_context(:maya, 'follow_up', 'interview', 'and the second?');

-- The end of a local day: where midnight does not exist, and where the next date is missing.
UPDATE companion.users SET timezone = 'America/Sao_Paulo' WHERE id = :maya;
SELECT companion.end_of_day(:maya, '2018-11-03');
UPDATE companion.users SET timezone = 'Pacific/Apia' WHERE id = :maya;
SELECT companion.end_of_day(:maya, '2011-12-29'), companion.end_of_day(:maya, '2011-12-30');

-- Forgetting removes the history too.
SELECT * FROM companion.forget_user_context(:maya, 'preference', 'coffee');
SELECT * FROM companion.forget_user_context(:maya, 'event');
SELECT count(*) FROM companion.user_context_as_of(:maya, '2026-03-02 13:00+00') WHERE category IN ('preference', 'event') AND key <> 'flower';
SELECT * FROM companion.forget_user_context(:maya, key => 'name');

-- Limits.
SET companion.max_context_items = 3;
SELECT count(*) FROM companion.forget_user_context(:noor);
SELECT count(*) FROM companion.upsert_user_context_many(:noor, '[{"category": "a", "key": "1", "value": "v"}, {"category": "a", "key": "2", "value": "v"}, {"category": "a", "key": "3", "value": "v"}]');
SELECT companion.upsert_user_context(:noor, 'a', '4', 'v');
SELECT companion.upsert_user_context_many(:noor, '[{"category": "a", "key": "3", "value": "w"}, {"category": "a", "key": "4", "value": "v"}]');
SELECT value FROM companion.upsert_user_context(:noor, 'a', '3', 'w');
SELECT items FROM companion.forget_user_context(:noor, 'a', '1');
SELECT value FROM companion.upsert_user_context(:noor, 'a', '4', 'v');
RESET companion.max_context_items;
SET companion.max_context_key_length = 3;
SET companion.max_context_value_length = 4;
SELECT companion.upsert_user_context(:noor, 'a', 'äöüß', 'v');
SELECT companion.upsert_user_context(:noor, 'a', 'äöü', 'value');
RESET companion.max_context_key_length;
RESET companion.max_context_value_length;

-- Bad input: an error with its SQLSTATE, and nothing is written.
\set VERBOSITY sqlstate
SELECT companion.upsert_user_context(NULL, 'a', 'k', 'v');
SELECT companion.upsert_user_context(:noor, NULL, 'k', 'v');
SELECT companion.upsert_user_context(:noor, '', 'k', 'v');
SELECT companion.upsert_user_context(:noor, repeat('a', 101), 'k', 'v');
SELECT companion.upsert_user_context(:noor, 'a', '', 'v');
SELECT companion.upsert_user_context(:noor, 'a', repeat('k', 201), 'v');
SELECT companion.upsert_user_context(:noor, 'a', 'k', '');
SELECT companion.upsert_user_context(:noor, 'a', 'k', repeat('v', 4001));
SELECT companion.upsert_user_context(:noor, 'a', 'k', 'v', 'NaN');
SELECT companion.upsert_user_context(:noor, 'a', 'k', 'v', 'infinity');
SELECT companion.upsert_user_context(:noor, 'a', 'k', 'v', -0.1);
SELECT companion.upsert_user_context(:noor, 'a', 'k', 'v', 0.5, 3);
SELECT companion.upsert_user_context(:noor, 'a', 'k', 'v', source => 'User');
SELECT companion.upsert_user_context(:noor, 'a', 'k', 'v', expires_at => '-infinity');
SELECT companion.upsert_user_context(:noor, 'a', 'k', 'v', metadata => '[]');
SELECT companion.upsert_user_context(:noor, 'a', 'k', 'v', metadata => '{"follow_up_on": "tomorrow"}');
SELECT companion.upsert_user_context(:noor, 'a', 'k', 'v', metadata => '{"follow_up_on": "2026-02-30"}');
SELECT companion.upsert_user_context('00000000-0000-7000-8000-0000000000ff', 'a', 'k', 'v');
SELECT companion.recall_user_context(:noor, 0);
SELECT companion.recall_user_context(:noor, NULL);
SELECT companion.recall_user_context(:noor, max_chars => -1);
SELECT companion.recall_user_context(:noor, categories => '{NULL}');
SELECT companion.touch_user_context(:noor, '{NULL}');
SELECT companion.expire_user_context(0);
\set VERBOSITY default
SELECT companion.upsert_user_context_many(:noor, '{}');
SELECT companion.upsert_user_context_many(:noor, '"a"');
SELECT companion.upsert_user_context_many(:noor, '[{"category": "a", "key": "k", "value": "v"}, 1]');
SELECT companion.upsert_user_context_many(:noor, '[{"category": "a", "key": "k", "values": "v"}]');
SELECT companion.upsert_user_context_many(:noor, '[{"category": "a", "key": "k"}]');
SELECT companion.upsert_user_context_many(:noor, '[{"category": "a", "key": 1, "value": "v"}]');
SELECT companion.upsert_user_context_many(:noor, '[{"category": "a", "key": "k", "value": "v", "importance": 1e400}]');
SELECT companion.upsert_user_context_many(:noor, '[{"category": "a", "key": "k", "value": "v", "emotional_valence": 0.5}]');
SELECT companion.upsert_user_context_many(:noor, '[{"category": "a", "key": "k", "value": "v", "emotional_valence": 99999999999}]');
SELECT companion.upsert_user_context_many(:noor, '[{"category": "a", "key": "k", "value": "v", "expires_at": "soon"}]');
SELECT companion.upsert_user_context_many(:noor, '[{"category": "a", "key": "k", "value": "v", "source_message_id": "x"}]');
SELECT companion.upsert_user_context_many(:noor, '[{"category": "a", "key": "k", "value": "v", "metadata": [1]}]');
SELECT companion.upsert_user_context_many(:noor, '[{"category": "a", "key": "k", "value": "v", "pinned": "yes"}]');
SELECT count(*) FROM companion.user_context WHERE user_id = :noor AND key = 'k';

-- An end user acts for themselves only, and by the functions only.
SET ROLE companion_user;
SET companion.user_id = :noor;
SELECT value FROM companion.upsert_user_context(:noor, 'a', '4', 'x', source => 'user');
SELECT count(*) FROM companion.upsert_user_context_many(:noor, '[{"category": "a", "key": "4", "value": "y", "source": "user"}]');
SELECT key, value FROM companion.recall_user_context(:noor);
SELECT value, replaced_by FROM companion.user_context_history WHERE key = '4';
SELECT count(*) FROM companion.user_context WHERE user_id = :maya;
SELECT count(*) FROM companion.user_context_history WHERE user_id = :maya;
SELECT count(*) FROM companion.user_context_as_of(:maya, '2026-03-03');
SELECT companion.upsert_user_context(:maya, 'a', '4', 'x');
SELECT companion.upsert_user_context_many(:maya, '[]');
SELECT companion.recall_user_context(:maya);
SELECT companion.user_context_prompt(:maya);
SELECT companion.touch_user_context(:maya, '{}');
SELECT companion.resolve_user_context(:maya, 'follow_up', 'flu');
SELECT companion.forget_user_context(:maya);
SELECT companion.expire_user_context();
INSERT INTO companion.user_context (user_id, category, key, value) VALUES (:noor, 'a', 'b', 'c');
UPDATE companion.user_context SET value = 'z';
DELETE FROM companion.user_context_history;
SELECT * FROM companion.forget_user_context(:noor);
RESET companion.user_id;
SELECT companion.recall_user_context(:noor);
-- A worker acts for every user.
SET ROLE companion_worker;
SELECT value FROM companion.upsert_user_context(:noor, 'a', '1', 'v');
SELECT key FROM companion.recall_user_context(:noor);
RESET ROLE;

-- A user's items and history go with the user.
DELETE FROM companion.users WHERE id IN (:maya, :noor);
SELECT count(*) FROM companion.user_context UNION ALL SELECT count(*) FROM companion.user_context_history;
