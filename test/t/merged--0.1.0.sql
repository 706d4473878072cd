-- What the items of same_keys--0.1.0.sql are then.
SET timezone = 'UTC';
SELECT right(user_id::text, 1), category, key, value, source, importance, confirmations, confirmed_at, last_used_at, stated_in, earlier_stated_in, folded_key
FROM companion.user_context ORDER BY user_id, category, folded_key;
SELECT right(user_id::text, 1), category, key, value, held_from, held_until, replaced_by
FROM companion.user_context_history ORDER BY user_id, category, key, held_from;
SELECT value, confirmations FROM companion.upsert_user_context('00000000-0000-0000-0000-000000000001', 'preference', 'COFFEE', 'espresso');
SELECT * FROM companion.forget_user_context('00000000-0000-0000-0000-000000000001', 'preference', 'coffee');
SELECT category, half_life, keep_history FROM companion.context_categories ORDER BY category;
