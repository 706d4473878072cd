-- Which texts are the same: but for white space around them and Unicode's normal form, and keys but
-- for case.
\i test/fresh.sql
\pset null -
\set maya '''00000000-0000-7000-8000-00000000000a'''
INSERT INTO companion.users (id) VALUES (:maya);
SET companion.clock = '2026-03-02 12:00+00';

-- White space around what the user said contradicts nothing, nor makes another fact.
SELECT value FROM companion.upsert_user_context(:maya, 'preference', 'coffee', 'espresso', source => 'user');
SELECT value, confirmations, contradicted_by FROM companion.upsert_user_context(:maya, 'preference', 'coffee', E'espresso \n');
SELECT key, value, confirmations, contradicted_by FROM companion.upsert_user_context(:maya, ' preference', 'coffee ', U&'\00A0\3000espresso');
SELECT key, confirmations FROM companion.upsert_user_context(:maya, 'preference', 'Coffee', 'espresso', source => 'user');
SELECT key, outcome, confirmations FROM companion.upsert_user_context_many(:maya, '[
    {"category": "preference", "key": "COFFEE\t", "value": "espresso "}, {"category": "preference ", "key": "tea", "value": "green"},
    {"category": "preference", "key": " Tea", "value": "green"}]');
-- Values and categories differ by case.
SELECT value, previous_value FROM companion.upsert_user_context(:maya, 'preference', 'tea', 'Green');
SELECT count(*) FROM companion.upsert_user_context(:maya, 'Preference', 'tea', 'Green');
-- Composed and decomposed; what was said is stored as it was said, but for the white space.
SELECT key = U&'cafe\0301' AS is_as_said, value = U&'Cre\0300me' AS value_is FROM companion.upsert_user_context(:maya, 'food', U&'cafe\0301', U&' Cre\0300me ');
SELECT key = U&'cafe\0301' AS is_as_said, value = U&'Cre\0300me' AS value_is, confirmations FROM companion.upsert_user_context(:maya, 'food', U&'CAF\00C9', U&'Cr\00E8me');
SELECT confirmations FROM companion.upsert_user_context(:maya, U&'food', U&'Caf\00E9', U&'Cr\00E8me');
SELECT category, key, folded_key, confirmations FROM companion.user_context ORDER BY category, folded_key;

-- Whatever takes a key takes it so.
SELECT companion.resolve_user_context(:maya, ' preference', 'COFFEE');
SELECT key FROM companion.recall_user_context(:maya, categories => ARRAY[' food ', 'nothing']);
SELECT key FROM companion.recall_user_context(:maya, exclude => ARRAY['food ']) ORDER BY key;
SELECT * FROM companion.forget_user_context(:maya, 'preference ', 'TEA');
SELECT * FROM companion.forget_user_context(:maya, 'preference', 'Coffee');

-- Nothing but white space is nothing.
\set VERBOSITY sqlstate
SELECT companion.upsert_user_context(:maya, ' ', 'k', 'v');
SELECT companion.upsert_user_context(:maya, 'c', E'\t\n', 'v');
SELECT companion.upsert_user_context(:maya, 'c', 'k', U&'\3000');
\set VERBOSITY default

-- Case as Unicode has it, in whatever locale; what is no letter stays.
SELECT companion.folded(text) FROM unnest(ARRAY['ÄÖÜ', 'ΣΟΦΟΣ', 'σοφός', 'ПРИВЕТ', 'STRASSE', 'STRAẞE', 'İstanbul', 'Ⅷ', 'Ａ', '日本語', 'Ǆ', '𐐀', ' a B ']) AS text;
SELECT companion.normalized(U&' \FEFFcafe\0301\200B ') = U&'caf\00E9' AS is_normal, companion.is_same_text('a', ' a'), companion.is_same_text('a', 'A');

-- Rows of 0.1.0 have no folded key, and may be several: they keep what they say until they are merged.
DELETE FROM companion.user_context;
DELETE FROM companion.user_context_history;
INSERT INTO companion.user_context (user_id, category, key, value, source, importance, confirmations, confirmed_at, value_since, created_at, expires_at, pinned) VALUES
    (:maya, 'preference', 'coffee', 'espresso', 'user', 0.5, 2, '2026-01-01', '2026-01-01', '2026-01-01', NULL, false),
    (:maya, 'preference', 'Coffee', 'latte', 'extracted', 0.9, 7, '2026-02-01', '2026-02-01', '2026-02-01', NULL, false),
    (:maya, 'preference ', 'COFFEE ', ' espresso', 'extracted', 0.1, 3, '2026-01-15', '2026-01-15', '2025-12-01', NULL, false),
    (:maya, 'mood', 'now', 'sad', 'user', 0.5, 1, '2026-01-01', '2026-01-01', '2026-01-01', '2026-01-02', true),
    (:maya, 'mood', 'Now', 'glad', 'extracted', 0.5, 1, '2026-01-01', '2026-01-01', '2026-01-01', NULL, false),
    (:maya, 'other', 'coffee', 'beans', 'extracted', 0.5, 1, '2026-01-01', '2026-01-01', '2026-01-01', NULL, false);
SELECT category, key, value, length(folded_key) > 30 AS is_marked FROM companion.user_context ORDER BY id;
SELECT key, value, confirmations FROM companion.upsert_user_context(:maya, 'preference', 'coffee', 'espresso', source => 'user');
SELECT companion.merge_context_items(), companion.merge_context_items() AS again;
SELECT category, key, folded_key, value, source, importance, confirmations, pinned, created_at FROM companion.user_context ORDER BY id;
SELECT category, key, value, source, held_from, held_until, replaced_by FROM companion.user_context_history ORDER BY category, key;
SET ROLE companion_worker;
SELECT companion.merge_context_items();
RESET ROLE;
