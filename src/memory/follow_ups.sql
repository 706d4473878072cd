
-- What to ask about again: of one user, and of all.
CREATE FUNCTION companion.due_follow_ups(user_id uuid, on_date date DEFAULT NULL)
RETURNS SETOF companion.context_item
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.user_id, c.id, c.category, c.key, c.value, c.importance, c.emotional_valence,
           c.source, c.source_message_id, c.metadata, c.pinned, c.expires_at, c.resolved_at,
           c.confirmations, c.confirmed_at, c.last_referenced_at, c.value_since,
           c.previous_value, c.previous_source, c.previous_since, c.contradicted_by,
           c.created_at, c.updated_at, c.last_used_at
    FROM companion.user_context AS c
    JOIN companion.users AS u ON u.id = c.user_id
    WHERE c.user_id = due_follow_ups.user_id AND c.category = 'follow_up'
        AND c.resolved_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > companion.now())
        AND (c.metadata ->> 'follow_up_on') COLLATE "C"
            <= to_char(coalesce(on_date, companion.local_timestamp(u.timezone, companion.now())::date), 'YYYY-MM-DD')
    ORDER BY (c.metadata ->> 'follow_up_on') COLLATE "C", c.key;
END;
COMMENT ON FUNCTION companion.due_follow_ups(uuid, date) IS
'The user''s items of category follow_up whose metadata has a follow_up_on of this date or before, and that resolve_user_context() has not marked as asked; the oldest first. on_date: NULL for the user''s local today. No rows for another''s.';

CREATE INDEX user_context_follow_ups ON companion.user_context ((metadata ->> 'follow_up_on') COLLATE "C")
WHERE category = 'follow_up' AND resolved_at IS NULL;
COMMENT ON INDEX companion.user_context_follow_ups IS 'What is to be asked, by its date.';

CREATE FUNCTION companion.due_follow_ups_all(max_rows integer DEFAULT 100)
RETURNS SETOF companion.context_item
LANGUAGE sql STABLE ROWS 100
BEGIN ATOMIC
    SELECT c.user_id, c.id, c.category, c.key, c.value, c.importance, c.emotional_valence,
           c.source, c.source_message_id, c.metadata, c.pinned, c.expires_at, c.resolved_at,
           c.confirmations, c.confirmed_at, c.last_referenced_at, c.value_since,
           c.previous_value, c.previous_source, c.previous_since, c.contradicted_by,
           c.created_at, c.updated_at, c.last_used_at
    FROM companion.user_context AS c
    JOIN companion.users AS u ON u.id = c.user_id
    CROSS JOIN LATERAL (SELECT companion.local_timestamp(u.timezone, companion.now()) AS at) AS local
    WHERE c.category = 'follow_up' AND c.resolved_at IS NULL
        AND (c.expires_at IS NULL OR c.expires_at > companion.now())
        -- what may be due anywhere, by the index
        AND (c.metadata ->> 'follow_up_on') COLLATE "C"
            <= to_char((companion.now() AT TIME ZONE 'UTC') + interval '14 hours', 'YYYY-MM-DD')
        AND (c.metadata ->> 'follow_up_on') COLLATE "C" <= to_char(local.at, 'YYYY-MM-DD')
        AND local.at::time >= coalesce(u.checkin_time, '09:00')
        AND NOT EXISTS (  -- dispatch has yet to come to today's check-in
            SELECT FROM companion.dispatch_state AS s
            WHERE s.previous_tick
                < companion.checkin_instant(u.timezone, local.at::date, u.checkin_time))
        AND (u.suspended_until IS NULL OR u.suspended_until <= companion.now())
        AND (u.checkin_paused_until IS NULL OR u.checkin_paused_until <= companion.now())
        AND NOT EXISTS (
            SELECT FROM companion.scheduled_messages AS m
            WHERE m.user_id = c.user_id
                AND m.idempotency_key = companion.checkin_key(local.at::date)
                AND m.status IN ('pending', 'sent', 'unknown'))
    ORDER BY (c.metadata ->> 'follow_up_on') COLLATE "C", c.user_id, c.key
    LIMIT max_rows;
END;
COMMENT ON FUNCTION companion.due_follow_ups_all(integer) IS
'due_follow_ups() over all users, for a worker that asks them by a message of its own: the oldest first, from each user''s check-in time on their own wall clock, 09:00 where there is none, until midnight. Left out are users who are paused or suspended, and those whom today''s check-in asks: one is pending or was sent, or dispatch has yet to come to it. mark_sent(resolves) marks what was asked. max_rows NULL: all of them. Error 2201W for a negative one.';
