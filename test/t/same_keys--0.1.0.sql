-- Items of 0.1.0 whose keys and categories are the same but for case, white space and normal form.
INSERT INTO companion.users (id) VALUES ('00000000-0000-0000-0000-000000000001'), ('00000000-0000-0000-0000-000000000002');
INSERT INTO companion.conversations (user_id, id, channel) SELECT id, id, 'web' FROM companion.users;
INSERT INTO companion.messages (user_id, id, conversation_id, role, content)
SELECT id, '01a21c49-0000-7000-8000-000000000001', id, 'user', 'espresso' FROM companion.users;
INSERT INTO companion.user_context (user_id, category, key, value, source, source_message_id, importance, confirmations, confirmed_at, last_referenced_at, value_since)
SELECT u.id, v.category, v.key, v.value, v.source, v.message_id, v.importance, v.confirmations, v.at::timestamptz, v.used::timestamptz, v.at::timestamptz
FROM companion.users AS u, (VALUES
    (1, 'preference', 'coffee', 'latte', 'extracted', NULL, 0.9, 5, '2026-02-01', '2026-02-01'),
    (2, 'preference', 'Coffee', 'espresso', 'user', '01a21c49-0000-7000-8000-000000000001'::uuid, 0.5, 1, '2026-01-01', '2026-02-20'),
    (3, 'preference ', 'coffee ', 'espresso ', 'extracted', NULL, 0.5, 2, '2026-01-02', '2026-01-02'),
    (4, 'food', U&'caf\00E9', 'yes', 'extracted', '01a21c49-0000-7000-8000-000000000001', 0.5, 3, '2026-01-02', '2026-01-02'),
    (5, 'food', U&'Cafe\0301', 'no', 'extracted', NULL, 0.5, 1, '2026-01-03', '2026-01-03'),
    (6, 'fact', 'alone', 'v', 'extracted', NULL, 0.5, 1, '2026-01-03', '2026-01-03')) AS v (n, category, key, value, source, message_id, importance, confirmations, at, used)
ORDER BY u.id, v.n;
INSERT INTO companion.user_context_history (user_id, category, key, value, source, held_from, held_until, replaced_by)
VALUES ('00000000-0000-0000-0000-000000000001', 'preference ', 'COFFEE', 'tea', 'user', '2025-01-01', '2025-02-01', 'espresso');
