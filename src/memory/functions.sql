
-- Memory: what may be done with context items.
CREATE FUNCTION companion.with_statement(stated_in uuid[], message_id uuid) RETURNS uuid[]
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_with_statement';
COMMENT ON FUNCTION companion.with_statement(uuid[], uuid) IS
'stated_in of a value that a message states; NULL: that is stated without one. Of more than 100 the latest. Internal.';

CREATE FUNCTION companion.joined_statements(earlier uuid[], stated_in uuid[]) RETURNS uuid[]
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_joined_statements';
COMMENT ON FUNCTION companion.joined_statements(uuid[], uuid[]) IS
'earlier_stated_in of an item whose value, stated in these messages, is superseded or not taken. Of more than 100 the latest. Internal.';

CREATE FUNCTION companion.fact_hash(message_id uuid, category text, folded_key text) RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_fact_hash';
COMMENT ON FUNCTION companion.fact_hash(uuid, text, text) IS
'By what forgotten_facts knows a fact. Internal.';

CREATE FUNCTION companion.upsert_user_context(
    user_id uuid, category text, key text, value text, importance real DEFAULT NULL,
    emotional_valence integer DEFAULT NULL, source text DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, source_message_id uuid DEFAULT NULL,
    metadata jsonb DEFAULT NULL, pinned boolean DEFAULT NULL)
RETURNS companion.context_item
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_upsert_user_context';
COMMENT ON FUNCTION companion.upsert_user_context(uuid, text, text, text, real, integer, text, timestamptz, uuid, jsonb, boolean) IS
'Remembers a fact and returns its row. The same value again confirms it; another supersedes it, and the former goes to user_context_history, if its category keeps one. Keys are the same but for case, and texts but for white space around them and Unicode''s normal form. What a user said or pinned gives way only to source user or pinned: else it stands as it was, and contradicted_by holds the value that was not taken. NULL for an optional argument keeps what was there where the value is confirmed; one that is new or supersedes another starts with importance 0.5, emotional_valence 0, source extracted, {} for metadata, not pinned, and expires as its category says. expires_at: infinity is never; a past one stores an item that no read returns; end_of_day() makes one of a local date. source pinned pins. metadata replaces what was there. NULL where the fact was forgotten and had been stated by this source_message_id. Error 22023 for an argument out of bounds, 22008 for -infinity, 22004 for a missing one, 23503 for an unknown user or message, 42501 for another''s item, 54000 beyond companion.max_context_items, 09000 where a trigger suppresses the row or changes user_id, category or key.';

CREATE FUNCTION companion.upsert_user_context_many(
    user_id uuid, facts jsonb, on_invalid text DEFAULT 'error')
RETURNS TABLE (
    user_id uuid, id uuid, category text, key text, value text, importance real,
    emotional_valence smallint, source text, source_message_id uuid, metadata jsonb,
    pinned boolean, expires_at timestamptz, resolved_at timestamptz, confirmations integer,
    confirmed_at timestamptz, last_referenced_at timestamptz, value_since timestamptz,
    previous_value text, previous_source text, previous_since timestamptz,
    contradicted_by text, created_at timestamptz, updated_at timestamptz,
    last_used_at timestamptz, outcome text, reason text)
LANGUAGE c ROWS 50
AS 'MODULE_PATHNAME', 'companion_upsert_user_context_many';
COMMENT ON FUNCTION companion.upsert_user_context_many(uuid, jsonb, text) IS
'upsert_user_context for an array of at most companion.max_facts objects with its arguments'' names: one row for each element, in input order: the item, and in outcome what became of the element: added, confirmed, superseded, held (the user''s word stands) or refused, with the reason and without an item. on_invalid: error, all or nothing; skip: an element that is not valid or cannot be stored is refused, and the others are taken; then, too, a number or a boolean is taken as a value by its text, and a text that is a number as a number. A field left out, or null, is NULL. expires_at may be a local date, YYYY-MM-DD: the end of that day in the user''s zone. Of elements with the same category and key the last counts. A fact that its source_message_id must not teach again is refused either way. Errors as there, and 22007, 22008 or 22P02 for a time or id that cannot be read; one about an element names it, counting from 0, and its field. Error 54000 for more objects.';

CREATE FUNCTION companion.upsert_user_context_many(
    user_id uuid, facts_text text, on_invalid text)
RETURNS TABLE (
    user_id uuid, id uuid, category text, key text, value text, importance real,
    emotional_valence smallint, source text, source_message_id uuid, metadata jsonb,
    pinned boolean, expires_at timestamptz, resolved_at timestamptz, confirmations integer,
    confirmed_at timestamptz, last_referenced_at timestamptz, value_since timestamptz,
    previous_value text, previous_source text, previous_since timestamptz,
    contradicted_by text, created_at timestamptz, updated_at timestamptz,
    last_used_at timestamptz, outcome text, reason text)
LANGUAGE c ROWS 50
AS 'MODULE_PATHNAME', 'companion_upsert_user_context_text';
COMMENT ON FUNCTION companion.upsert_user_context_many(uuid, text, text) IS
'The same for JSON as a text. With on_invalid skip an element is refused that jsonb does not take, as one with a zero character. Error 22P02 for a text that is no JSON.';

CREATE FUNCTION companion.end_of_day(user_id uuid, local_date date) RETURNS timestamptz
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(companion.checkin_instant(u.timezone, local_date + 1, '00:00'),
                    companion.checkin_instant(u.timezone, local_date + 2, '00:00'))
    FROM companion.users AS u WHERE u.id = end_of_day.user_id;
END;
COMMENT ON FUNCTION companion.end_of_day(uuid, date) IS
'When the local date ends, and the next begins, in the user''s present zone: for expires_at. NULL for a user that is unknown, or not the end user''s own. Error 22008 for a date out of range.';

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
    importance real DEFAULT NULL, pinned boolean DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, metadata jsonb DEFAULT NULL,
    merge boolean DEFAULT false)
RETURNS companion.context_item
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_update_user_context';
COMMENT ON FUNCTION companion.update_user_context(uuid, uuid, text, text, real, boolean, timestamptz, jsonb, boolean) IS
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

