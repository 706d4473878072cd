-- Moving in: each row by itself, once, with its own time and id, and without anything being sent for it.
\i test/fresh.sql
\pset null -
SET companion.clock = '2026-03-02 12:00+00';
\set ada '00000000-0000-4000-8000-00000000000a'
\set bob '00000000-0000-4000-8000-00000000000b'
SELECT companion.dispatch();
SET ROLE companion_admin;

-- Users, whose ids are the auth system's; what is not a column is not dropped in silence.
CREATE TEMP TABLE old_users (n integer, element jsonb);
INSERT INTO old_users VALUES
    (0, jsonb_build_object('id', :'ada', 'display_name', 'Ada', 'timezone', 'europe/london', 'telegram_user_id', 7, 'whatsapp_number', '441632960001', 'email', 'Ada@example.org',
        'checkin_time', '11:59', 'checkin_days', '[1, 2, 3, 1]'::jsonb, 'onboarding_completed_at', '2025-01-01T00:00:00Z', 'created_at', '2025-01-01T00:00:00Z', 'app_data', '{"plan": "gold"}'::jsonb)),
    (1, jsonb_build_object('id', :'bob', 'timezone', 'UTC', 'checkin_time', null, 'email', 'ada@EXAMPLE.org')),
    (2, '{"timezone": "UTC"}'), (3, '{"id": "00000000-0000-4000-8000-00000000000c"}'),
    (4, '{"id": "00000000-0000-4000-8000-00000000000c", "timezone": "GMT+2"}'),
    (5, '{"id": "00000000-0000-4000-8000-00000000000c", "timezone": "America/New York"}'),
    (6, '{"id": "00000000-0000-4000-8000-00000000000c", "timezone": "UTC", "nickname": "C"}'),
    (7, '{"id": "00000000-0000-4000-8000-00000000000c", "timezone": "UTC", "whatsapp_number": "0163 2960001"}'),
    (8, '{"id": "00000000-0000-4000-8000-00000000000c", "timezone": "UTC", "created_at": "yesterday-ish"}'),
    (9, '{"id": 17, "timezone": "UTC"}'), (10, '"Ada"'),
    (11, jsonb_build_object('id', '00000000-0000-4000-8000-00000000000c', 'timezone', 'UTC', 'preferences', jsonb_build_object('a', repeat('x', 70000)))),
    (12, jsonb_build_object('id', '00000000-0000-4000-8000-00000000000d', 'timezone', 'Asia/Tokyo', 'created_at', '2025-06-01T00:00:00Z'));
CREATE TEMP VIEW users_to_import AS SELECT jsonb_agg(element ORDER BY n) AS rows FROM old_users;
SELECT i.* FROM users_to_import, companion.import_users(rows) AS i;
SELECT right(id::text, 1) AS id, display_name, email, timezone, checkin_time, checkin_days, whatsapp_number, usable_addresses, created_at, app_data FROM companion.users ORDER BY id;
-- Again: nothing but what it was.
SELECT outcome, count(*) FROM users_to_import, companion.import_users(rows) GROUP BY outcome ORDER BY outcome;
RESET ROLE;
-- What was due before is not dispatched, and who was erased does not come back.
SELECT * FROM companion.dispatch_recheck;
SELECT companion.dispatch();
SELECT companion.erase_user('00000000-0000-4000-8000-00000000000d') ->> 'users' AS erased;
SELECT outcome, reason FROM companion.import_users('[{"id": "00000000-0000-4000-8000-00000000000d", "timezone": "UTC"}]');

-- Conversations with ids of any type.
SET ROLE companion_admin;
SELECT i.element, i.outcome, i.reason FROM companion.import_conversations(jsonb_build_array(
    jsonb_build_object('user_id', :'ada', 'id', 41, 'channel', 'telegram', 'started_at', '2026-01-01T09:00:00Z', 'ended_at', '2026-01-01T10:00:00Z', 'topics', '["work", "sleep"]'::jsonb),
    jsonb_build_object('user_id', :'ada', 'id', '5e1c0b3a-0000-4000-8000-000000000001', 'channel', 'telegram', 'initiated_by', 'companion', 'started_at', '2026-02-01T09:00:00Z'),
    jsonb_build_object('user_id', :'ada', 'id', 43, 'channel', 'telegram', 'started_at', '2026-02-02T09:00:00Z'),
    jsonb_build_object('user_id', :'ada', 'id', '0194bc40-a000-7000-8000-000000000001', 'channel', 'web', 'started_at', '2025-01-31T09:00:00Z', 'ended_at', '2025-01-31T09:00:00Z'),
    jsonb_build_object('user_id', :'ada', 'id', 44, 'channel', 'fax', 'started_at', '2026-02-02T09:00:00Z'),
    jsonb_build_object('user_id', :'ada', 'id', 45, 'channel', 'web'),
    jsonb_build_object('user_id', '00000000-0000-4000-8000-0000000000ff', 'id', 46, 'channel', 'web', 'started_at', '2026-02-02T09:00:00Z'),
    jsonb_build_object('id', 47, 'channel', 'web'), jsonb_build_object('user_id', :'ada', 'channel', 'web'),
    jsonb_build_object('user_id', :'ada', 'id', 48, 'channel', 'web', 'started_at', '2026-02-02T09:00:00Z', 'ended_at', '2026-02-01T09:00:00Z'),
    jsonb_build_object('user_id', :'ada', 'id', 49, 'channel', 'web', 'started_at', 'infinity'))) AS i;
SELECT channel, initiated_by, started_at, ended_at, topics FROM companion.conversations ORDER BY id;
SELECT i.outcome, i.id = companion.imported_id(:'ada', 'conversations', '41') AS same FROM companion.import_conversations(jsonb_build_array(
    jsonb_build_object('user_id', :'ada', 'id', 41, 'channel', 'telegram', 'started_at', '2026-01-01T09:00:00Z'))) AS i;
SELECT companion.imported_id(:'ada', 'conversations', '0194bc40-a000-7000-8000-000000000001'), companion.imported_id(:'ada', 'conversations', '43'), companion.imported_id(:'bob', 'conversations', '41');

-- Messages: in their order where times are equal; replies; a messenger's ids in their chat.
CREATE TEMP TABLE old_messages (n serial, element jsonb);
INSERT INTO old_messages (element) VALUES
    (jsonb_build_object('user_id', :'ada', 'id', 3, 'conversation_id', 41, 'role', 'user', 'content', 'second', 'created_at', '2026-01-01T09:00:00Z', 'telegram_message_id', 90)),
    (jsonb_build_object('user_id', :'ada', 'id', 1, 'conversation_id', 41, 'role', 'assistant', 'content', 'third', 'created_at', '2026-01-01T09:00:00Z', 'reply_to_id', 3)),
    (jsonb_build_object('user_id', :'ada', 'id', 2, 'conversation_id', '0194bc40-a000-7000-8000-000000000001', 'role', 'user', 'content', 'first', 'created_at', '2025-01-31T09:00:00Z')),
    (jsonb_build_object('user_id', :'ada', 'id', 4, 'conversation_id', 43, 'role', 'user', 'content', 'x', 'created_at', '2026-01-01T09:00:00Z')),
    (jsonb_build_object('user_id', :'ada', 'id', 5, 'conversation_id', 41, 'role', 'bot', 'content', 'x', 'created_at', '2026-01-01T09:00:00Z')),
    (jsonb_build_object('user_id', :'ada', 'id', 6, 'conversation_id', 41, 'role', 'user', 'content', 'x', 'created_at', '2026-01-01T09:00:00Z', 'reply_to_id', 77)),
    (jsonb_build_object('user_id', :'ada', 'id', 7, 'conversation_id', 41, 'role', 'user', 'content', repeat('x', 70000), 'created_at', '2026-01-01T09:00:00Z')),
    (jsonb_build_object('user_id', :'ada', 'id', 8, 'conversation_id', 41, 'role', 'user', 'content', '', 'created_at', '2026-01-01T09:00:00Z')),
    (jsonb_build_object('user_id', :'ada', 'id', 9, 'conversation_id', 41, 'role', 'user', 'content', 'x')),
    (jsonb_build_object('user_id', :'bob', 'id', 10, 'conversation_id', 41, 'role', 'user', 'content', 'x', 'created_at', '2026-01-01T09:00:00Z'));
SELECT i.element, i.outcome, i.reason FROM (SELECT jsonb_agg(element ORDER BY n) AS rows FROM old_messages) AS o, companion.import_messages(rows) AS i;
SELECT content, role, created_at, telegram_message_id, channel, bot, address, reply_to_id = companion.imported_id(:'ada', 'messages', '3') AS answers FROM companion.messages ORDER BY id;
SELECT right(id::text, 1) AS id, last_user_message_at FROM companion.users ORDER BY id;
SELECT i.outcome, count(*) FROM (SELECT jsonb_agg(element ORDER BY n) AS rows FROM old_messages) AS o, companion.import_messages(rows) AS i GROUP BY outcome ORDER BY outcome;
RESET ROLE;
SET ROLE companion_worker;
-- What the messenger delivers again is known.
SELECT is_new FROM companion.record_incoming('telegram', '7', 'second', 90);
RESET ROLE;

-- Facts are as old as they are.
SET ROLE companion_admin;
SELECT i.element, i.outcome, i.reason FROM companion.import_user_context(jsonb_build_array(
    jsonb_build_object('user_id', :'ada', 'category', 'mood', 'key', 'now', 'value', 'sad', 'importance', 0.9, 'confirmed_at', '2025-06-01T09:00:00Z'),
    jsonb_build_object('user_id', :'ada', 'category', 'job', 'key', 'Employer', 'value', 'the new one', 'source', 'user', 'value_since', '2026-01-01T00:00:00Z', 'source_message_id', 3,
        'history', '[{"value": "the first one", "held_from": "2020-01-01T00:00:00Z", "held_until": "2023-01-01T00:00:00Z"}, {"value": "the old one", "held_from": "2023-01-01T00:00:00Z", "held_until": "2026-01-01T00:00:00Z", "source": "user"}]'::jsonb),
    jsonb_build_object('user_id', :'ada', 'category', 'job', 'key', ' employer', 'value', 'another', 'created_at', '2026-01-02T00:00:00Z'),
    jsonb_build_object('user_id', :'ada', 'category', 'job', 'key', 'employer', 'value', 'the new one ', 'created_at', '2026-01-02T00:00:00Z'),
    jsonb_build_object('user_id', :'ada', 'category', 'job', 'key', 'x', 'value', 'x'),
    jsonb_build_object('user_id', :'ada', 'category', 'job', 'key', 'x', 'created_at', '2026-01-02T00:00:00Z'),
    jsonb_build_object('user_id', :'ada', 'category', 'job', 'key', 'x', 'value', 'x', 'created_at', '2026-01-02T00:00:00Z', 'importance', 2),
    jsonb_build_object('user_id', :'ada', 'category', 'job', 'key', 'x', 'value', 'x', 'created_at', '2026-01-02T00:00:00Z', 'source', 'The App'),
    jsonb_build_object('user_id', :'ada', 'category', 'job', 'key', 'x', 'value', 'x', 'created_at', '2026-01-02T00:00:00Z', 'source_message_id', 77),
    jsonb_build_object('user_id', :'ada', 'category', 'job', 'key', 'x', 'value', 'x', 'created_at', '-infinity'),
    jsonb_build_object('user_id', :'ada', 'category', 'follow_up', 'key', 'x', 'value', 'x', 'created_at', '2026-01-02T00:00:00Z', 'metadata', '{"follow_up_on": "soon"}'::jsonb),
    jsonb_build_object('user_id', :'ada', 'category', 'follow_up', 'key', 'x', 'value', 'x', 'created_at', '2026-01-02T00:00:00Z', 'metadata', '{"follow_up_on": "2026-02-30"}'::jsonb),
    jsonb_build_object('user_id', :'ada', 'category', 'job', 'key', repeat('k', 201), 'value', 'x', 'created_at', '2026-01-02T00:00:00Z'))) AS i;
SELECT category, key, value, source, confirmed_at, last_referenced_at, value_since, created_at, source_message_id = companion.imported_id(:'ada', 'messages', '3') AS from_message
FROM companion.user_context ORDER BY category;
SELECT value, held_from, held_until, replaced_by FROM companion.user_context_history ORDER BY held_from;
SELECT category, value FROM companion.recall_user_context(:'ada');
SELECT value FROM companion.user_context_as_of(:'ada', '2024-01-01');
-- A limit of the user's is one for an import, too.
RESET ROLE;
SET companion.max_context_items = 1;
SELECT outcome, reason FROM companion.import_user_context(jsonb_build_array(jsonb_build_object('user_id', :'ada', 'category', 'job', 'key', 'y', 'value', 'y', 'created_at', '2026-01-02T00:00:00Z')));
RESET companion.max_context_items;
-- What is forgotten is not imported again.
SELECT companion.dispatch(), (SELECT items FROM companion.forget_user_context(:'ada', 'job', 'employer'));
SELECT outcome, reason FROM companion.import_user_context(jsonb_build_array(jsonb_build_object('user_id', :'ada', 'category', 'job', 'key', 'employer', 'value', 'the new one', 'created_at', '2026-01-02T00:00:00Z', 'source_message_id', 3)));

-- What was sent: the guard knows it. Two check-ins of one day are both kept; nothing is pending.
SET ROLE companion_admin;
SELECT i.element, i.outcome, i.reason FROM companion.import_scheduled_messages(jsonb_build_array(
    jsonb_build_object('user_id', :'ada', 'id', 1, 'kind', 'checkin', 'scheduled_for', '2026-03-02T12:30:00Z', 'status', 'sent', 'channel', 'telegram', 'conversation_id', 41, 'message_id', 1),
    jsonb_build_object('user_id', :'ada', 'id', 2, 'kind', 'checkin', 'scheduled_for', '2026-03-02T13:30:00Z', 'status', 'failed', 'failure_reason', 'blocked', 'finished_at', '2026-03-02T14:00:00Z'),
    jsonb_build_object('user_id', :'ada', 'id', 3, 'kind', 'reminder', 'scheduled_for', '2026-01-01T12:30:00Z', 'status', 'sent', 'idempotency_key', 'pills', 'sent_at', '2026-01-01T12:31:00Z'),
    jsonb_build_object('user_id', :'ada', 'id', 4, 'kind', 'reminder', 'scheduled_for', '2026-01-01T12:30:00Z', 'status', 'sent', 'idempotency_key', 'pills'),
    jsonb_build_object('user_id', :'ada', 'id', 5, 'scheduled_for', '2026-04-01T12:30:00Z', 'status', 'pending'),
    jsonb_build_object('user_id', :'ada', 'id', 6, 'scheduled_for', '2026-04-01T12:30:00Z', 'status', 'done'),
    jsonb_build_object('user_id', :'ada', 'id', 7, 'scheduled_for', '2026-01-01T12:30:00Z'),
    jsonb_build_object('user_id', :'ada', 'id', 8, 'status', 'sent'),
    jsonb_build_object('user_id', :'ada', 'id', 9, 'scheduled_for', '2026-01-01T12:30:00Z', 'status', 'skipped', 'timezone', 'Europe/Moon'))) AS i;
SELECT kind, regexp_replace(idempotency_key, '#.*', '#its id') AS idempotency_key, local_date, timezone, scheduled_for, status, failure_reason, sent_at, finished_at, created_at, message_id = companion.imported_id(:'ada', 'messages', '1') AS filed
FROM companion.scheduled_messages ORDER BY id;
SELECT i.outcome, i.id = companion.imported_id(:'ada', 'scheduled_messages', '2') AS same FROM companion.import_scheduled_messages(jsonb_build_array(
    jsonb_build_object('user_id', :'ada', 'id', 2, 'kind', 'checkin', 'scheduled_for', '2026-03-02T13:30:00Z', 'status', 'failed'))) AS i;
SELECT count(*) FROM companion.dispatch_queue;
RESET ROLE;
SET companion.clock = '2026-03-02 15:00+00';
UPDATE companion.users SET checkin_time = '14:00' WHERE id = :'ada';
SELECT companion.dispatch();
SELECT companion.sent_today(:'ada'), companion.next_checkin(:'ada');

-- Who else, and what is no array.
SELECT pg_temp.error_of(format('SELECT * FROM companion.import_%s(%L)', t, r)) FROM (VALUES ('users', '{}'), ('messages', '1'), ('users', NULL)) AS v (t, r);
SET ROLE companion_worker;
SELECT pg_temp.error_of('SELECT * FROM companion.import_users(''[]'')');
RESET ROLE;
SELECT count(*) FROM companion.import_users('[]');
-- A trigger that suppresses a row, or takes it elsewhere, has it refused.
CREATE FUNCTION pg_temp.keep_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep_out BEFORE INSERT ON companion.conversations FOR EACH ROW EXECUTE FUNCTION pg_temp.keep_out();
SELECT outcome, reason FROM companion.import_conversations(jsonb_build_array(jsonb_build_object('user_id', :'ada', 'id', 50, 'channel', 'web', 'started_at', '2026-02-02T09:00:00Z')));
DROP TRIGGER keep_out ON companion.conversations;
-- More than one block, with some that are refused.
SELECT outcome, count(*) FROM (SELECT jsonb_agg(jsonb_build_object('user_id', :'bob', 'id', n, 'channel', CASE WHEN n % 50 = 7 THEN 'fax' ELSE 'web' END, 'started_at', '2026-02-02T09:00:00Z', 'ended_at', '2026-02-02T09:00:00Z')) AS rows FROM generate_series(1, 250) AS n) AS o,
    companion.import_conversations(rows) GROUP BY outcome ORDER BY outcome;
SELECT count(*) FROM companion.conversations WHERE user_id = :'bob';
