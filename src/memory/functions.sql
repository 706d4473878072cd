
-- Memory: what may be done with context items.
CREATE FUNCTION companion.touch_user_context(user_id uuid, ids uuid[]) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_touch_user_context';
COMMENT ON FUNCTION companion.touch_user_context(uuid, uuid[]) IS
'Records that items were used, which lifts them in recall for a while; returns how many of the ids are items of the user. Error 42501 for another''s.';

CREATE FUNCTION companion.resolve_user_context(user_id uuid, category text, key text) RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_resolve_user_context';
COMMENT ON FUNCTION companion.resolve_user_context(uuid, text, text) IS
'Marks an open thread as settled or a follow-up as asked: it is no longer recalled, until it is given another value. False when there is no such item, or it is resolved already. Error 42501 for another''s.';

CREATE FUNCTION companion.merged_json(old jsonb, new jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF jsonb_typeof(old) = 'object' AND jsonb_typeof(new) = 'object' THEN
        RETURN (
            SELECT coalesce(jsonb_object_agg(key, CASE
                       WHEN o.value IS NULL THEN n.value WHEN n.value IS NULL THEN o.value
                       ELSE companion.merged_json(o.value, n.value) END), '{}')
            FROM jsonb_each(old) AS o FULL JOIN jsonb_each(new) AS n USING (key));
    ELSIF jsonb_typeof(old) = 'array' AND jsonb_typeof(new) = 'array' THEN
        RETURN old || (
            SELECT coalesce(jsonb_agg(d.value ORDER BY d.position), '[]')
            FROM (SELECT DISTINCT ON (a.value) a.value, a.position
                  FROM jsonb_array_elements(new) WITH ORDINALITY AS a (value, position)
                  WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(old) AS o (value)
                                    WHERE o.value = a.value)
                  ORDER BY a.value, a.position) AS d);
    END IF;
    RETURN new;
END
$$;
COMMENT ON FUNCTION companion.merged_json(jsonb, jsonb) IS
'Two objects as one, member by member; of two arrays the first and what the second has in addition, each once; of anything else the second. Internal.';

CREATE FUNCTION companion.update_user_context(
    user_id uuid, id uuid DEFAULT NULL, category text DEFAULT NULL, key text DEFAULT NULL,
    importance double precision DEFAULT NULL, pinned boolean DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, metadata jsonb DEFAULT NULL,
    merge boolean DEFAULT false)
RETURNS companion.context_item
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_update_user_context';
COMMENT ON FUNCTION companion.update_user_context(uuid, uuid, text, text, double precision, boolean, timestamptz, jsonb, boolean) IS
'Changes what is noted of an item, by its id or its category and key, without stating the fact anew, and returns its row; NULL where there is no such item, or it has expired. NULL for an argument keeps what was there; expires_at infinity clears an expiry. metadata replaces what was there or, with merge, is merged into it: objects member by member, and an array is given what it lacks. Error 22023 for an argument out of bounds, for a metadata over companion.max_json_size, also when merged, and unless the item is named in one way; 22008 for -infinity, 22004 for merge NULL, 42501 for another''s, 09000 where a trigger suppresses the change.';

CREATE FUNCTION companion.memory_report(user_id uuid DEFAULT companion.current_user_id())
RETURNS TABLE (
    category text, key text, value text, since timestamptz, source text, words text,
    said_at timestamptz, pinned boolean, expires_at timestamptz, resolved_at timestamptz)
LANGUAGE sql STABLE ROWS 100
BEGIN ATOMIC
    SELECT c.category, c.key, c.value, c.value_since, c.source, left(m.content, 1000),
           m.created_at, c.pinned, c.expires_at, c.resolved_at
    FROM companion.user_context AS c
    LEFT JOIN companion.messages AS m
        ON m.user_id = c.user_id AND m.id = c.source_message_id AND m.role = 'user'
    WHERE c.user_id = memory_report.user_id
        AND (c.expires_at IS NULL OR c.expires_at > companion.now())
    ORDER BY c.category, c.key;
END;
COMMENT ON FUNCTION companion.memory_report(uuid) IS
'All that is remembered of a user, for the user: grouped by category, with since when, and from which words of theirs: the first 1000 characters of the message of theirs that last stated it, and when they wrote it; NULL where it was another''s, or none. What has expired is not among it, what was settled is. No rows for another''s.';

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

CREATE FUNCTION companion.fact_hash(message_id uuid, category text, folded_key text) RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_fact_hash';
COMMENT ON FUNCTION companion.fact_hash(uuid, text, text) IS
'By what forgotten_facts knows a fact. Internal.';

CREATE FUNCTION companion.forget_user_context(
    user_id uuid, category text DEFAULT NULL, key text DEFAULT NULL)
RETURNS TABLE (items bigint, history bigint)
LANGUAGE c ROWS 1
AS 'MODULE_PATHNAME', 'companion_forget_user_context';
COMMENT ON FUNCTION companion.forget_user_context(uuid, text, text) IS
'Deletes one item, a category''s or all of a user''s, their history with them; returns how many of each. The messages that had stated an item must not teach it again (forgotten_facts). Error 22023 for a key without a category, 42501 for another''s.';

CREATE FUNCTION companion.merge_context_items() RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_merge_context_items';
COMMENT ON FUNCTION companion.merge_context_items() IS
'Makes one item of those whose keys 0.1.0 took for different and that are the same now; the update from 0.1.0 has done so, after a restore of a dump of 0.1.0 an admin does. One that has not expired stays before one that has, the user''s word before another''s, then the latest stated; another value of the others goes to the history. It takes the greatest importance, the sum of the confirmations of the same value, and is pinned if one was. Returns how many were merged into another. Error 09000 where a trigger suppresses a change.';

CREATE FUNCTION companion.expire_user_context(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_expire_user_context';
COMMENT ON FUNCTION companion.expire_user_context(integer) IS
'Deletes expired items, which no read returns any more; their values stay in user_context_history. It passes over rows that are locked, and the items of users who are. Returns how many. Error 22023 for a bound below 1.';

