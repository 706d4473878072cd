-- What has become of other_ids--0.1.0.sql: all is in the order of time, and nothing is lost.
SELECT 'of another version', count(*)
FROM (SELECT id FROM companion.conversations UNION ALL SELECT id FROM companion.messages) AS ids
WHERE id::text !~ '^.{14}7.{4}[89ab]';
SELECT u.display_name, r.content, (SELECT c.started_at::date FROM companion.conversations AS c WHERE c.user_id = r.user_id AND c.id = r.conversation_id) AS began,
       (SELECT m.content FROM companion.messages AS m WHERE m.user_id = r.user_id AND m.id = r.reply_to_id) AS replies_to
FROM companion.users AS u, companion.recent_messages(u.id) AS r ORDER BY u.id, r.id;
SELECT 'conversation', started_at::date, ended_at::date FROM companion.conversations ORDER BY user_id, id;
SELECT 'those of version 7 are as they were', string_agg(content, ', ' ORDER BY id) FROM companion.messages WHERE id::text LIKE '%-7000-8000-000000000001';
SELECT 'learned from', c.value, m.content, c.updated_at = '2026-01-01'
FROM companion.user_context AS c JOIN companion.messages AS m ON m.user_id = c.user_id AND m.id = c.source_message_id ORDER BY 2;
SELECT 'sent', m.content, c.started_at::date FROM companion.scheduled_messages AS s
JOIN companion.messages AS m ON m.user_id = s.user_id AND m.id = s.message_id
JOIN companion.conversations AS c ON c.user_id = s.user_id AND c.id = s.conversation_id;
SELECT 'searched by', u.display_name FROM companion.search_chunks AS s JOIN companion.users AS u ON u.id = s.user_id;
SELECT 'note', n.note, m.content, t.tag FROM "App"."My notes" AS n
JOIN companion.messages AS m ON m.user_id = n.user_id AND m.id = n."of"
JOIN "App".tags AS t ON t.user_id = n.user_id AND t.note = n."of" ORDER BY n.note;
SELECT 'rating', c.started_at::date FROM "App".ratings AS r JOIN companion.conversations AS c ON c.id = r.conversation ORDER BY 2;
SELECT 'bookmark', m.content FROM "App".bookmarks AS b JOIN companion.messages AS m ON m.user_id = b.user_id AND m.id = b.message_id ORDER BY 2;
SELECT r.table_name, u.display_name, r.old_id, coalesce(m.content, c.started_at::date::text)
FROM companion.rekeyed_ids AS r JOIN companion.users AS u ON u.id = r.user_id
LEFT JOIN companion.messages AS m ON r.table_name = 'messages' AND m.user_id = r.user_id AND m.id = r.new_id
LEFT JOIN companion.conversations AS c ON r.table_name = 'conversations' AND c.user_id = r.user_id AND c.id = r.new_id
ORDER BY r.table_name, r.new_id;
SELECT current_setting('session_replication_role');
-- Every foreign key holds.
DO $$
DECLARE
    k record;
BEGIN
    FOR k IN SELECT conrelid::regclass AS relation, pg_get_constraintdef(oid) AS definition
        FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
    LOOP
        EXECUTE format('ALTER TABLE %s ADD %s', k.relation, k.definition);
    END LOOP;
END
$$;
