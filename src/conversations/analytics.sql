
-- Who starts, and whether the companion is answered.
CREATE VIEW companion.conversation_starts WITH (security_invoker = true) AS
SELECT c.user_id, companion.local_timestamp(u.timezone, c.started_at)::date AS local_date,
       count(*) FILTER (WHERE c.initiated_by = 'user') AS by_user,
       count(*) FILTER (WHERE c.initiated_by = 'companion') AS by_companion
FROM companion.conversations AS c
JOIN companion.users AS u ON u.id = c.user_id
GROUP BY c.user_id, companion.local_timestamp(u.timezone, c.started_at)::date;
COMMENT ON VIEW companion.conversation_starts IS
'How often the user and how often the companion began a conversation: one row a user and local day on which either did, in the user''s present zone.';
COMMENT ON COLUMN companion.conversation_starts.user_id IS 'The user.';
COMMENT ON COLUMN companion.conversation_starts.local_date IS 'The user''s local day.';
COMMENT ON COLUMN companion.conversation_starts.by_user IS 'How many conversations the user began.';
COMMENT ON COLUMN companion.conversation_starts.by_companion IS 'How many the companion began.';

CREATE VIEW companion.companion_starts WITH (security_invoker = true) AS
SELECT c.user_id, c.id AS conversation_id, c.channel,
       CASE WHEN isfinite(c.started_at) THEN c.started_at END AS started_at,
       companion.local_timestamp(u.timezone, c.started_at)::date AS local_date,
       CASE WHEN isfinite(reply.created_at) THEN reply.created_at END AS replied_at,
       CASE WHEN isfinite(reply.created_at) AND isfinite(c.started_at)
            THEN reply.created_at - c.started_at END AS reply_delay
FROM companion.conversations AS c
JOIN companion.users AS u ON u.id = c.user_id
LEFT JOIN LATERAL (
    SELECT m.created_at FROM companion.messages AS m
    WHERE m.user_id = c.user_id AND m.conversation_id = c.id AND m.role = 'user'
    ORDER BY m.id LIMIT 1) AS reply ON true
WHERE c.initiated_by = 'companion';
COMMENT ON VIEW companion.companion_starts IS
'Every conversation that the companion began, and when the user first answered in it; NULL where they did not.';
COMMENT ON COLUMN companion.companion_starts.user_id IS 'The user.';
COMMENT ON COLUMN companion.companion_starts.conversation_id IS 'conversations.id.';
COMMENT ON COLUMN companion.companion_starts.channel IS 'A row of channels.';
COMMENT ON COLUMN companion.companion_starts.started_at IS 'When the companion began it.';
COMMENT ON COLUMN companion.companion_starts.local_date IS 'The user''s local day of started_at.';
COMMENT ON COLUMN companion.companion_starts.replied_at IS 'When the user first wrote in it; NULL: never.';
COMMENT ON COLUMN companion.companion_starts.reply_delay IS 'From started_at to replied_at.';

CREATE VIEW companion.reply_rates WITH (security_invoker = true) AS
SELECT user_id, local_date, count(*) AS started, count(replied_at) AS replied,
       count(replied_at)::double precision / count(*) AS reply_rate,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY reply_delay) AS median_reply_delay
FROM companion.companion_starts
GROUP BY user_id, local_date;
COMMENT ON VIEW companion.reply_rates IS
'How the user answers conversations that the companion began: one row a user and local day with any; reply_rate from 0 to 1, median_reply_delay NULL where none was answered.';
COMMENT ON COLUMN companion.reply_rates.user_id IS 'The user.';
COMMENT ON COLUMN companion.reply_rates.local_date IS 'The user''s local day.';
COMMENT ON COLUMN companion.reply_rates.started IS 'How many conversations the companion began.';
COMMENT ON COLUMN companion.reply_rates.replied IS 'In how many of them the user answered.';
COMMENT ON COLUMN companion.reply_rates.reply_rate IS 'replied / started, from 0 to 1.';
COMMENT ON COLUMN companion.reply_rates.median_reply_delay IS 'The median of reply_delay; NULL where none was answered.';

