-- What an app of 0.1.0 knows of where its users are: a channel that was disabled, two users with one number in its two forms and one
-- e-mail address, messages from before the account was linked, and what is pending on a channel that does not reach the user.
INSERT INTO companion.users (id, email, telegram_user_id, telegram_linked_at, whatsapp_number, disabled_channels, created_at) VALUES
    ('00000000-0000-0000-0000-000000000001', 'One@Example.org', 111, '2026-03-02', '+5531987654321', '{telegram}', '2026-01-01'),
    ('00000000-0000-0000-0000-000000000002', 'one@example.org', 222, NULL, '+553187654321', '{}', '2026-01-02'),
    ('00000000-0000-0000-0000-000000000003', 'none', NULL, NULL, NULL, '{}', '2026-01-03');
INSERT INTO companion.conversations (user_id, id, channel, started_at) VALUES
    ('00000000-0000-0000-0000-000000000001', '01900000-0000-7000-8000-000000000001', 'telegram', '2026-03-01'),
    ('00000000-0000-0000-0000-000000000002', '01900000-0000-7000-8000-000000000002', 'telegram', '2026-03-01');
INSERT INTO companion.messages (user_id, conversation_id, role, content, telegram_message_id, created_at) VALUES
    ('00000000-0000-0000-0000-000000000001', '01900000-0000-7000-8000-000000000001', 'user', 'of another account', 1, '2026-03-01'),
    ('00000000-0000-0000-0000-000000000001', '01900000-0000-7000-8000-000000000001', 'user', 'of this one', 2, '2026-03-02'),
    ('00000000-0000-0000-0000-000000000001', '01900000-0000-7000-8000-000000000001', 'user', 'without an id', NULL, '2026-03-02'),
    ('00000000-0000-0000-0000-000000000002', '01900000-0000-7000-8000-000000000002', 'user', 'linked for ever', 3, '2026-03-01');
INSERT INTO companion.scheduled_messages (user_id, id, kind, idempotency_key, local_date, timezone, scheduled_for, channel)
SELECT id, id, 'custom', 'x', '2026-03-04', 'UTC', '2026-03-04 09:00+00', 'telegram' FROM companion.users;
INSERT INTO companion.dispatch_queue (visible_at, send_before, user_id, message_id, channel)
SELECT scheduled_for, 'infinity', user_id, id, channel FROM companion.scheduled_messages;
