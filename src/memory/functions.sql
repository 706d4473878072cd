
-- Memory: what may be done with context items.
CREATE FUNCTION companion.upsert_user_context(
    user_id uuid, category text, key text, value text, importance real DEFAULT 0.5,
    emotional_valence integer DEFAULT 0, source text DEFAULT 'extracted',
    expires_at timestamptz DEFAULT NULL, source_message_id uuid DEFAULT NULL,
    metadata jsonb DEFAULT NULL, pinned boolean DEFAULT NULL)
RETURNS companion.context_item
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_upsert_user_context';
COMMENT ON FUNCTION companion.upsert_user_context(uuid, text, text, text, real, integer, text, timestamptz, uuid, jsonb, boolean) IS
'Remembers a fact and returns its row. The same value again confirms it; another supersedes it, and the former goes to user_context_history. What a user said or pinned gives way only to source user or pinned: else it stands as it was, and contradicted_by holds the value that was not taken. NULL for an optional argument keeps what was there (on a new item: the default). expires_at: infinity clears an expiry; a past one stores an item that no read returns; end_of_day() makes one of a local date. source pinned pins. metadata replaces what was there. Error 22023 for an argument out of bounds, 22008 for -infinity, 22004 for a missing one, 23503 for an unknown user or message, 42501 for another''s item, 54000 beyond companion.max_context_items, 09000 where a trigger suppresses the row or changes user_id, category or key.';

CREATE FUNCTION companion.upsert_user_context_many(user_id uuid, facts jsonb)
RETURNS SETOF companion.context_item
LANGUAGE c ROWS 50
AS 'MODULE_PATHNAME', 'companion_upsert_user_context_many';
COMMENT ON FUNCTION companion.upsert_user_context_many(uuid, jsonb) IS
'upsert_user_context for an array of at most companion.max_facts objects with its arguments'' names: one row for each element, in input order, all or nothing. A field left out has the argument''s default, null is NULL. expires_at may be a local date, YYYY-MM-DD: the end of that day in the user''s zone. Of elements with the same category and key the last counts. Errors as there, and 22007, 22008 or 22P02 for a time or id that cannot be read; one about an element names it, counting from 0, and its field. Error 54000 for more objects.';

CREATE FUNCTION companion.end_of_day(user_id uuid, local_date date) RETURNS timestamptz
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(companion.checkin_instant(u.timezone, local_date + 1, '00:00'),
                    companion.checkin_instant(u.timezone, local_date + 2, '00:00'))
    FROM companion.users AS u WHERE u.id = end_of_day.user_id;
END;
COMMENT ON FUNCTION companion.end_of_day(uuid, date) IS
'When the local date ends, and the next begins, in the user''s present zone: for expires_at. NULL for a user that is unknown, or not the end user''s own. Error 22008 for a date out of range.';

CREATE FUNCTION companion.recall_score(
    category text, importance real, confirmations integer, confirmed_at timestamptz,
    last_referenced_at timestamptz, at timestamptz)
RETURNS double precision
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_recall_score';
COMMENT ON FUNCTION companion.recall_score(text, real, integer, timestamptz, timestamptz, timestamptz) IS
'How much an item matters at a time: importance, halved for every half-life of its category (companion.half_lives) since it was last stated, a quarter more for every doubling of confirmations, and half as much again when referenced just now, fading over weeks.';

CREATE FUNCTION companion.recall_user_context(
    user_id uuid, max_items integer DEFAULT 20, max_chars integer DEFAULT NULL,
    categories text[] DEFAULT NULL)
RETURNS SETOF companion.context_item
LANGUAGE c STABLE ROWS 20
AS 'MODULE_PATHNAME', 'companion_recall_user_context';
COMMENT ON FUNCTION companion.recall_user_context(uuid, integer, integer, text[]) IS
'The items that matter most now: pinned ones first, then by recall_score(), then by category and key; no expired and no resolved one. max_items: 1 to 10000. max_chars: the most characters that user_context_prompt() makes of them; an item that does not fit is passed over. categories: only these. Error 22023 otherwise, 42501 for another''s.';

CREATE FUNCTION companion.user_context_prompt(
    user_id uuid, max_items integer DEFAULT 20, max_chars integer DEFAULT NULL,
    categories text[] DEFAULT NULL)
RETURNS text
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'companion_user_context_prompt';
COMMENT ON FUNCTION companion.user_context_prompt(uuid, integer, integer, text[]) IS
'What recall_user_context() returns as lines for a prompt, "- category/key: value", each ended by a line feed; line breaks within them become spaces. Empty where nothing is recalled.';

CREATE FUNCTION companion.touch_user_context(user_id uuid, ids uuid[]) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_touch_user_context';
COMMENT ON FUNCTION companion.touch_user_context(uuid, uuid[]) IS
'Records that items were used, which lifts them in recall for a while; returns how many of the ids are items of the user. Error 42501 for another''s.';

CREATE FUNCTION companion.due_follow_ups(user_id uuid, on_date date DEFAULT NULL)
RETURNS SETOF companion.context_item
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.user_id, c.id, c.category, c.key, c.value, c.importance, c.emotional_valence,
           c.source, c.source_message_id, c.metadata, c.pinned, c.expires_at, c.resolved_at,
           c.confirmations, c.confirmed_at, c.last_referenced_at, c.value_since,
           c.previous_value, c.previous_source, c.previous_since, c.contradicted_by,
           c.created_at, c.updated_at
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

CREATE FUNCTION companion.resolve_user_context(user_id uuid, category text, key text) RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_resolve_user_context';
COMMENT ON FUNCTION companion.resolve_user_context(uuid, text, text) IS
'Marks an open thread as settled or a follow-up as asked: it is no longer recalled, until it is given another value. False when there is no such item, or it is resolved already. Error 42501 for another''s.';

CREATE FUNCTION companion.user_context_as_of(user_id uuid, at timestamptz)
RETURNS TABLE (category text, key text, value text, source text, held_from timestamptz, held_until timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.category, c.key, c.value, c.source, c.value_since, c.expires_at
    FROM companion.user_context AS c
    WHERE c.user_id = user_context_as_of.user_id
        AND c.value_since <= at AND (c.expires_at IS NULL OR c.expires_at > at)
    UNION ALL
    SELECT h.category, h.key, h.value, h.source, h.held_from, h.held_until
    FROM companion.user_context_history AS h
    WHERE h.user_id = user_context_as_of.user_id AND h.held_from <= at AND h.held_until > at
    ORDER BY 1, 2;
END;
COMMENT ON FUNCTION companion.user_context_as_of(uuid, timestamptz) IS
'What was believed about the user at a time, by category and key: the values that held then, with since when and until when (NULL: it holds still). What was forgotten since is not among them. No rows for another''s.';

CREATE FUNCTION companion.forget_user_context(
    user_id uuid, category text DEFAULT NULL, key text DEFAULT NULL)
RETURNS TABLE (items bigint, history bigint)
LANGUAGE c ROWS 1
AS 'MODULE_PATHNAME', 'companion_forget_user_context';
COMMENT ON FUNCTION companion.forget_user_context(uuid, text, text) IS
'Deletes one item, a category''s or all of a user''s, their history with them; returns how many of each. Error 22023 for a key without a category, 42501 for another''s.';

CREATE FUNCTION companion.expire_user_context(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_expire_user_context';
COMMENT ON FUNCTION companion.expire_user_context(integer) IS
'Deletes expired items, which no read returns any more; their values stay in user_context_history. It passes over rows that are locked, and the items of users who are. Returns how many. Error 22023 for a bound below 1.';

