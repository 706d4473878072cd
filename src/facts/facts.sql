
-- Facts: what is stated, and becomes an item or confirms, supersedes or contradicts one.
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

CREATE FUNCTION companion.upsert_user_context(
    user_id uuid, category text, key text, value text, importance double precision DEFAULT NULL,
    emotional_valence integer DEFAULT NULL, source text DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, source_message_id uuid DEFAULT NULL,
    metadata jsonb DEFAULT NULL, pinned boolean DEFAULT NULL)
RETURNS companion.context_item
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_upsert_user_context';
COMMENT ON FUNCTION companion.upsert_user_context(uuid, text, text, text, double precision, integer, text, timestamptz, uuid, jsonb, boolean) IS
'Remembers a fact and returns its row. The same value again confirms it; another supersedes it, and the former goes to user_context_history, if its category keeps one. Keys are the same but for case, and texts but for white space around them and Unicode''s normal form. What a user said or pinned gives way only to source user or pinned: else it stands as it was, and contradicted_by holds the value that was not taken. NULL for an optional argument keeps what was there where the value is confirmed; one that is new or supersedes another starts with importance 0.5, emotional_valence 0, source extracted, {} for metadata, not pinned, and expires as its category says. expires_at: infinity is never; a past one stores an item that no read returns; end_of_day() makes one of a local date. source pinned pins. metadata replaces what was there. NULL where the fact was forgotten and had been stated by this source_message_id. Error 22023 for an argument out of bounds, 22008 for -infinity, 22004 for a missing one, 23503 for an unknown user or message, 42501 for another''s item, 54000 beyond companion.max_context_items, 09000 where a trigger suppresses the row or changes user_id, category or key.';

CREATE FUNCTION companion.upsert_user_context_many(
    user_id uuid, facts jsonb, on_invalid text DEFAULT 'error')
RETURNS TABLE (
    user_id uuid, id uuid, category text, key text, value text, importance double precision,
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
    user_id uuid, id uuid, category text, key text, value text, importance double precision,
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
