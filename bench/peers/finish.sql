-- File what was sent, in the user's open conversation or a new one, and finish the occasions; :given is
-- a table of id and content. What ends the job in its queue comes after it, in the same statement.
WITH given AS MATERIALIZED (
    SELECT o.id, o.user_id, o.channel, g.content,
           open.id IS NULL AS is_new,
           coalesce(open.id, nextval('conversations_id_seq')) AS conversation_id,
           nextval('messages_id_seq') AS message_id
    FROM :given AS g (id, content)
    JOIN occasions AS o ON o.id = g.id
    LEFT JOIN LATERAL (
        SELECT c.id FROM conversations AS c
        WHERE c.user_id = o.user_id AND c.channel = o.channel AND c.ended_at IS NULL
        ORDER BY c.id DESC LIMIT 1) AS open ON true),
begun AS (
    INSERT INTO conversations (id, user_id, channel, initiated_by)
    SELECT conversation_id, user_id, channel, 'companion' FROM given WHERE is_new),
filed AS (
    INSERT INTO messages (id, conversation_id, role, content)
    SELECT message_id, conversation_id, 'assistant', content FROM given),
finished AS (
    UPDATE occasions AS o SET status = 'sent', sent_at = now(), message_id = g.message_id
    FROM given AS g WHERE o.id = g.id)
