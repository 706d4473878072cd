-- Take up to :most messages off a lean queue, with what a worker needs of their users
WITH due AS (
    SELECT occasion_id FROM queue WHERE visible_at <= now()
    ORDER BY visible_at LIMIT :most FOR UPDATE SKIP LOCKED),
taken AS (
    UPDATE queue AS q SET visible_at = now() + interval '5 minutes', attempt = attempt + 1
    FROM due WHERE q.occasion_id = due.occasion_id RETURNING q.occasion_id, q.attempt)
SELECT o.id, t.occasion_id, t.attempt, o.kind, o.local_date, o.scheduled_for, o.channel,
       u.id AS user_id, u.telegram_user_id::text AS address, u.display_name, u.companion_name,
       u.support_style, u.timezone
FROM taken AS t
JOIN occasions AS o ON o.id = t.occasion_id
JOIN users AS u ON u.id = o.user_id
