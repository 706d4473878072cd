-- File what was sent and finish the occasions; :given is a table of id and content. What ends the job
-- in its queue comes after it, in the same statement.
WITH given AS MATERIALIZED (
    SELECT o.id, o.user_id, o.channel, g.content,
           nextval('app.conversations_id_seq') AS conversation_id,
           nextval('app.messages_id_seq') AS message_id
    FROM :given AS g (id, content) JOIN app.occasions AS o ON o.id = g.id),
begun AS (
    INSERT INTO app.conversations (id, user_id, channel, initiated_by)
    SELECT conversation_id, user_id, channel, 'companion' FROM given),
filed AS (
    INSERT INTO app.messages (id, conversation_id, role, content)
    SELECT message_id, conversation_id, 'assistant', content FROM given),
finished AS (
    UPDATE app.occasions AS o SET status = 'sent', sent_at = now(), message_id = g.message_id
    FROM given AS g WHERE o.id = g.id)
