-- Moving in: what no function would have taken is refused, with a reason that names it.
\i test/fresh.sql
\pset null -
SET companion.clock = '2026-03-02 12:00+00';
SET TimeZone = 'UTC';
\set ada '00000000-0000-4000-8000-00000000000a'
SELECT count(*) FROM companion.import_users(jsonb_build_array(jsonb_build_object('id', :'ada', 'timezone', 'UTC', 'telegram_user_id', 7)));
SELECT count(*) FROM companion.import_conversations(jsonb_build_array(
    jsonb_build_object('user_id', :'ada', 'id', 1, 'channel', 'telegram', 'started_at', '2026-01-01T09:00:00Z', 'ended_at', '2026-01-01T09:00:00Z'),
    jsonb_build_object('user_id', :'ada', 'id', 2, 'channel', 'web', 'started_at', '2026-01-01T09:00:00Z', 'ended_at', '2026-01-01T09:00:00Z')));
-- What an element that is whole in each table becomes with other fields, undone each time.
CREATE FUNCTION pg_temp.element(subject text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('user_id', '00000000-0000-4000-8000-00000000000a', 'id', 'an id') || CASE subject
        WHEN 'users' THEN '{"timezone": "UTC"}'
        WHEN 'conversations' THEN '{"channel": "web", "started_at": "2026-01-02T09:00:00Z", "ended_at": "2026-01-02T10:00:00Z"}'
        WHEN 'messages' THEN '{"conversation_id": 1, "role": "user", "content": "x", "created_at": "2026-01-02T09:00:00Z"}'
        WHEN 'user_context' THEN '{"category": "job", "key": "x", "value": "x", "value_since": "2026-01-02T09:00:00Z"}'
        WHEN 'scheduled_messages' THEN '{"status": "sent", "scheduled_for": "2026-01-02T09:00:00Z"}' END::jsonb $$;
CREATE FUNCTION pg_temp.said_of(subject text, fields jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    element jsonb := pg_temp.element(subject) || fields;
    said text;
BEGIN
    IF subject = 'users' THEN
        element := element - 'user_id' || '{"id": "00000000-0000-4000-8000-00000000000b"}';
    END IF;
    EXECUTE format('SELECT outcome || coalesce('': '' || reason, '''') FROM companion.import_%s($1)', subject) INTO said USING jsonb_build_array(element);
    RAISE EXCEPTION USING MESSAGE = said, ERRCODE = 'ZZ000';
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    RETURN SQLERRM;
END $$;

-- Times: finite, and not later than tomorrow, but for those that say until when.
SELECT f.subject, f.field, t.time, pg_temp.said_of(f.subject, jsonb_build_object(f.field, t.time))
FROM (VALUES (1, 'users', ARRAY['telegram_linked_at', 'onboarding_completed_at', 'last_user_message_at', 'created_at', 'updated_at', 'suspended_until', 'checkin_paused_until', 'subscription_expires_at']),
    (2, 'conversations', ARRAY['started_at', 'ended_at']), (3, 'messages', ARRAY['created_at', 'edited_at']),
    (4, 'user_context', ARRAY['value_since', 'confirmed_at', 'created_at', 'updated_at', 'last_used_at', 'resolved_at', 'expires_at']),
    (5, 'scheduled_messages', ARRAY['scheduled_for', 'local_date', 'sent_at', 'finished_at', 'created_at'])) AS g (n, subject, fields)
CROSS JOIN LATERAL unnest(fields) WITH ORDINALITY AS f2 (field, place) CROSS JOIN LATERAL (SELECT g.subject, f2.field) AS f
CROSS JOIN (VALUES (1, 'infinity'), (2, '-infinity'), (3, '2999-01-01')) AS t (n, time) ORDER BY g.n, f2.place, t.n;
SELECT f.subject, f.fields, pg_temp.said_of(f.subject, f.fields::jsonb) FROM (VALUES
    ('conversations', '{"started_at": "1969-12-31T00:00:00Z"}'), ('messages', '{"created_at": "1969-12-31T00:00:00Z"}'), ('messages', '{"created_at": "2026-03-03T11:00:00Z"}'),
    ('messages', '{"created_at": 29990101}'), ('messages', '{"created_at": "soon"}'), ('messages', '{"created_at": "2026-02-30"}'), ('messages', '{"created_at": null}'),
    ('user_context', '{"value_since": "1965-01-01"}'), ('scheduled_messages', '{"scheduled_for": "12000-01-01"}'), ('scheduled_messages', '{"local_date": "2026-02-30"}'),
    ('scheduled_messages', '{"scheduled_for": "2027-01-01", "status": "cancelled"}'), ('scheduled_messages', '{"scheduled_for": "2027-01-01", "status": "failed"}')) AS f (subject, fields);

-- What is missing, or there twice.
SELECT f.subject, f.fields, pg_temp.said_of(f.subject, f.fields::jsonb) FROM (VALUES
    ('conversations', '{"channel": null}'), ('conversations', '{"id": ""}'), ('messages', '{"role": null}'), ('messages', '{"content": null}'), ('messages', '{"conversation_id": null}'),
    ('user_context', '{"key": " "}'), ('user_context', '{"value": ""}')) AS f (subject, fields);
SELECT i.outcome, i.reason FROM companion.import_user_context(jsonb_build_array(
    pg_temp.element('user_context') || '{"id": "019c0d2e-f000-7000-8000-000000000001", "key": "a"}', pg_temp.element('user_context') || '{"id": "019c0d2ef00070008000000000000001", "key": "b"}')) AS i;

-- A messenger's ids, as add_message takes them.
SELECT f.fields, pg_temp.said_of('messages', f.fields::jsonb) FROM (VALUES
    ('{"telegram_message_id": 5, "external_id": "x"}'), ('{"external_id": "x"}'), ('{"conversation_id": 2, "telegram_message_id": 5}'), ('{"conversation_id": 2, "external_id": "x"}'),
    ('{"conversation_id": 2, "channel": "telegram", "telegram_message_id": 5}'), ('{"telegram_message_id": 0}'), ('{"conversation_id": 2, "external_id": ""}')) AS f (fields);

-- The values that a fact had before.
SELECT h.history, pg_temp.said_of('user_context', jsonb_build_object('history', h.history::jsonb)) FROM (VALUES
    ('{}'), ('"x"'), ('["x"]'), ('null'), ('[]'), ('[{"value": "a", "held_from": "2020-01-01", "held_until": "2021-01-01"}, {"value": "b", "held_from": "1960-01-01", "held_until": "2020-01-01"}]'),
    ('[{"value": "a", "held_from": "2020-01-01"}]'), ('[{"value": "a", "held_until": "2020-01-01"}]'), ('[{"held_from": "2020-01-01", "held_until": "2021-01-01"}]'),
    ('[{"value": " ", "held_from": "2020-01-01", "held_until": "2021-01-01"}]'), ('[{"value": 7, "held_from": "2020-01-01", "held_until": "2021-01-01"}]'),
    ('[{"value": "a", "held_from": "2020-01-01", "held_until": "infinity"}]'), ('[{"value": "a", "held_from": "2020-01-01", "held_until": "soon"}]'),
    ('[{"value": "a", "held_from": "2021-01-01", "held_until": "2020-01-01"}]'), ('[{"value": "a", "held_from": "2020-01-01", "held_until": "2026-01-03"}]'),
    ('[{"value": "a", "held_from": "2020-01-01", "held_until": "2022-01-01"}, {"value": "b", "held_from": "2021-01-01", "held_until": "2023-01-01"}]'),
    ('[{"value": "a", "held_from": "2020-01-01", "held_until": "2021-01-01", "source": "The App"}]'), ('[{"value": "a", "held_from": "2020-01-01", "held_until": "2021-01-01", "until": 1}]')) AS h (history);
SELECT pg_temp.said_of('user_context', jsonb_build_object('history', jsonb_build_array(jsonb_build_object('value', repeat('x', 4001), 'held_from', '2020-01-01', 'held_until', '2021-01-01'))));

-- What was sent.
SELECT left(f.fields, 60) AS fields, pg_temp.said_of('scheduled_messages', f.fields::jsonb) FROM (VALUES
    ('{"attempts": -1}'), ('{"telegram_message_id": 0}'), ('{"status": "cancelled"}'), ('{"status": "done"}'), ('{"failure_reason": ""}'),
    ('{"failure_reason": "' || repeat('x', 1001) || '"}'), ('{"topic_key": "' || repeat('x', 201) || '"}'), ('{"id": "' || repeat('x', 201) || '"}'),
    ('{"conversation_id": 1}'), ('{"conversation_id": 9, "message_id": 9}'), ('{"message_id": "019c0d2e-f000-7000-8000-000000000009"}')) AS f (fields);

-- Ids are UUIDs however they are written.
SELECT id, companion.is_time_ordered(companion.old_id(id)) AS is_kept FROM (VALUES ('019c0d2e-f000-7000-8000-000000000001'), ('019c0d2ef00070008000000000000001'), ('{019C0D2E-F000-7000-8000-000000000001}'),
    ('019c-0d2e-f000-7000-8000-0000-0000-0001'), ('019c0d2e-f000-7000-8000-00000000000'), ('019c0d2e-f000-7000-8000-00000000000g'), ('-019c0d2ef00070008000000000000001'), ('019c0d2ef00070008000000000000001-'), ('{}'), ('')) AS v (id);

-- Of a category with a limit what matters most stays, and the rest is history.
RESET ROLE;
INSERT INTO companion.context_categories (category, max_items) VALUES ('idea', 2);
SELECT outcome, count(*) FROM companion.import_user_context((SELECT jsonb_agg(pg_temp.element('user_context') || jsonb_build_object('category', 'idea', 'key', n, 'importance', n / 10.0)) FROM unnest(ARRAY[3, 9, 1, 8, 2]) AS n)) GROUP BY outcome;
SELECT key FROM companion.user_context WHERE category = 'idea' ORDER BY key;
SELECT key FROM companion.user_context_history WHERE category = 'idea' ORDER BY key;
DELETE FROM companion.context_categories WHERE category = 'idea';
