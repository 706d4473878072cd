
-- Reading messages, the latest first. Of the two halves one is empty before it starts. A CASE,
-- unlike coalesce, does not keep a condition from the index under a policy.
CREATE FUNCTION companion.recent_messages(
    user_id uuid, max_messages integer DEFAULT 20, conversation_id uuid DEFAULT NULL,
    before_id uuid DEFAULT NULL)
RETURNS SETOF companion.stored_message
LANGUAGE sql STABLE ROWS 20
BEGIN ATOMIC
    (SELECT m.user_id, m.id, m.conversation_id, m.role, m.content, m.telegram_message_id,
            m.reply_to_id, CASE WHEN isfinite(m.edited_at) THEN m.edited_at END AS edited_at, m.metadata,
            CASE WHEN isfinite(m.created_at) THEN m.created_at END AS created_at, m.external_id,
            m.channel, m.bot, m.address
     FROM companion.messages AS m
     WHERE recent_messages.conversation_id IS NULL AND m.user_id = recent_messages.user_id
         AND m.id < CASE WHEN before_id IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE before_id END
     ORDER BY m.id DESC LIMIT max_messages)
    UNION ALL
    (SELECT m.user_id, m.id, m.conversation_id, m.role, m.content, m.telegram_message_id,
            m.reply_to_id, CASE WHEN isfinite(m.edited_at) THEN m.edited_at END AS edited_at, m.metadata,
            CASE WHEN isfinite(m.created_at) THEN m.created_at END AS created_at, m.external_id,
            m.channel, m.bot, m.address
     FROM companion.messages AS m
     WHERE m.user_id = recent_messages.user_id
         AND m.conversation_id = recent_messages.conversation_id
         AND m.id < CASE WHEN before_id IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE before_id END
     ORDER BY m.id DESC LIMIT max_messages)
    ORDER BY id DESC;
END;
COMMENT ON FUNCTION companion.recent_messages(uuid, integer, uuid, uuid) IS
'A user''s messages, or those of one conversation, the latest first. before_id is the id of the last message of the page before; NULL begins with the latest. max_messages NULL: all of them. For the user''s own, or workers and admins; others get no row. Error 2201W for a negative max_messages.';
