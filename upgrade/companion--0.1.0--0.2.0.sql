\echo Use "ALTER EXTENSION companion UPDATE TO '0.2.0'" to load this file. \quit

-- Conversations and memory: what functions return of a message and of an item has a type of its own,
-- so that a column that an operator adds to a table does not change it.
CREATE TYPE companion.message AS (
    user_id uuid,
    id uuid,
    conversation_id uuid,
    role text,
    content text,
    telegram_message_id bigint,
    reply_to_id uuid,
    edited_at timestamptz,
    metadata jsonb,
    created_at timestamptz
);
COMMENT ON TYPE companion.message IS 'A message as functions return it: the columns of messages, in its order.';
COMMENT ON COLUMN companion.message.user_id IS 'Whose conversation it is in.';
COMMENT ON COLUMN companion.message.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.message.conversation_id IS 'The conversation, one of the same user''s.';
COMMENT ON COLUMN companion.message.role IS 'Who wrote it: user, assistant or system.';
COMMENT ON COLUMN companion.message.content IS 'The text.';
COMMENT ON COLUMN companion.message.telegram_message_id IS 'Telegram''s id within the chat with this user; a redelivered update is stored once.';
COMMENT ON COLUMN companion.message.reply_to_id IS 'The message that this one answers, one of the same user''s.';
COMMENT ON COLUMN companion.message.edited_at IS 'When the text was last edited; to be set by whoever changes content, as edit_message does.';
COMMENT ON COLUMN companion.message.metadata IS 'The app''s own data, a JSON object; edits, where the message was edited, is an array of its earlier texts: content and written_at; cut_from, where what was sent was cut, is how many characters it had.';
COMMENT ON COLUMN companion.message.created_at IS 'When it was written.';
CREATE TYPE companion.context_item AS (
    user_id uuid,
    id uuid,
    category text COLLATE "C",
    key text COLLATE "C",
    value text,
    importance real,
    emotional_valence smallint,
    source text,
    source_message_id uuid,
    metadata jsonb,
    pinned boolean,
    expires_at timestamptz,
    resolved_at timestamptz,
    confirmations integer,
    confirmed_at timestamptz,
    last_referenced_at timestamptz,
    value_since timestamptz,
    previous_value text,
    previous_source text,
    previous_since timestamptz,
    contradicted_by text,
    created_at timestamptz,
    updated_at timestamptz
);
COMMENT ON TYPE companion.context_item IS 'An item as functions return it: the columns of user_context, in its order.';
COMMENT ON COLUMN companion.context_item.user_id IS 'Whom it is about.';
COMMENT ON COLUMN companion.context_item.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.context_item.category IS 'What kind of fact it is; the app''s own words. follow_up is read by due_follow_ups().';
COMMENT ON COLUMN companion.context_item.key IS 'Which fact within the category.';
COMMENT ON COLUMN companion.context_item.value IS 'The fact.';
COMMENT ON COLUMN companion.context_item.importance IS 'From 0 to 1.';
COMMENT ON COLUMN companion.context_item.emotional_valence IS 'From -2 (painful) to 2 (joyful).';
COMMENT ON COLUMN companion.context_item.source IS 'Where the value comes from: user (the user said so), pinned, extracted (by a model), or the app''s own word.';
COMMENT ON COLUMN companion.context_item.source_message_id IS 'The message that it was learned from, one of the same user''s.';
COMMENT ON COLUMN companion.context_item.metadata IS 'The app''s own data, a JSON object. follow_up_on is the local date, YYYY-MM-DD, on which to ask about it.';
COMMENT ON COLUMN companion.context_item.pinned IS 'Whether it always comes first.';
COMMENT ON COLUMN companion.context_item.expires_at IS 'When it stops being true; NULL: never.';
COMMENT ON COLUMN companion.context_item.resolved_at IS 'When an open thread was settled or a follow-up asked; no longer recalled.';
COMMENT ON COLUMN companion.context_item.confirmations IS 'How often the value was stated, the first time included.';
COMMENT ON COLUMN companion.context_item.confirmed_at IS 'When the value was last stated.';
COMMENT ON COLUMN companion.context_item.last_referenced_at IS 'When it was last used or stated.';
COMMENT ON COLUMN companion.context_item.value_since IS 'Since when this value has held.';
COMMENT ON COLUMN companion.context_item.previous_value IS 'The value that the last upsert superseded; NULL: none, it stated the same or a new item.';
COMMENT ON COLUMN companion.context_item.previous_source IS 'The source before the last upsert.';
COMMENT ON COLUMN companion.context_item.previous_since IS 'value_since before the last upsert.';
COMMENT ON COLUMN companion.context_item.contradicted_by IS 'The value that the last upsert gave and that was not taken, because the user''s word stands; NULL: the last upsert was taken.';
COMMENT ON COLUMN companion.context_item.created_at IS 'When it was first learned.';
COMMENT ON COLUMN companion.context_item.updated_at IS 'When the row last changed.';
DROP FUNCTION companion.recent_messages(uuid, integer, uuid, uuid),
    companion.upsert_user_context(uuid, text, text, text, real, integer, text, timestamptz, uuid, jsonb, boolean),
    companion.upsert_user_context_many(uuid, jsonb),
    companion.recall_user_context(uuid, integer, integer, text[]),
    companion.due_follow_ups(uuid, date);
CREATE FUNCTION companion.recent_messages(
    user_id uuid, max_messages integer DEFAULT 20, conversation_id uuid DEFAULT NULL,
    before uuid DEFAULT NULL)
RETURNS SETOF companion.message
LANGUAGE sql STABLE ROWS 20
BEGIN ATOMIC
    (SELECT m.user_id, m.id, m.conversation_id, m.role, m.content, m.telegram_message_id,
            m.reply_to_id, m.edited_at, m.metadata, m.created_at
     FROM companion.messages AS m
     WHERE recent_messages.conversation_id IS NULL AND m.user_id = recent_messages.user_id
         AND m.id < CASE WHEN before IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE before END
     ORDER BY m.id DESC LIMIT max_messages)
    UNION ALL
    (SELECT m.user_id, m.id, m.conversation_id, m.role, m.content, m.telegram_message_id,
            m.reply_to_id, m.edited_at, m.metadata, m.created_at
     FROM companion.messages AS m
     WHERE m.user_id = recent_messages.user_id
         AND m.conversation_id = recent_messages.conversation_id
         AND m.id < CASE WHEN before IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE before END
     ORDER BY m.id DESC LIMIT max_messages)
    ORDER BY id DESC;
END;
COMMENT ON FUNCTION companion.recent_messages(uuid, integer, uuid, uuid) IS
'A user''s messages, or those of one conversation, the latest first. before is the id of the last message of the page before; NULL begins with the latest. max_messages NULL: all of them. For the user''s own, or workers and admins; others get no row. Error 2201W for a negative max_messages.';
CREATE FUNCTION companion.upsert_user_context(
    user_id uuid, category text, key text, value text, importance real DEFAULT 0.5,
    emotional_valence integer DEFAULT 0, source text DEFAULT 'extracted',
    expires_at timestamptz DEFAULT NULL, source_message_id uuid DEFAULT NULL,
    metadata jsonb DEFAULT NULL, pinned boolean DEFAULT NULL)
RETURNS companion.context_item
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_upsert_user_context';
COMMENT ON FUNCTION companion.upsert_user_context(uuid, text, text, text, real, integer, text, timestamptz, uuid, jsonb, boolean) IS
'Remembers a fact and returns its row. The same value again confirms it; another supersedes it, and the former goes to user_context_history. What a user said or pinned gives way only to source user or pinned: else it stands as it was, and contradicted_by holds the value that was not taken. NULL for an optional argument keeps what was there (on a new item: the default). expires_at: infinity clears an expiry; a past one stores an item that no read returns; end_of_day() makes one of a local date. source pinned pins. metadata replaces what was there. Error 22023 for an argument out of bounds, 22008 for -infinity, 22004 for a missing one, 23503 for an unknown user or message, 42501 for another''s item, 54000 beyond companion.max_context_items, 09000 where a trigger suppresses the row or changes user_id, category or key.';
CREATE FUNCTION companion.upsert_user_context_many(user_id uuid, facts jsonb)
RETURNS SETOF companion.context_item
LANGUAGE c ROWS 50 SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_upsert_user_context_many';
COMMENT ON FUNCTION companion.upsert_user_context_many(uuid, jsonb) IS
'upsert_user_context for an array of at most companion.max_facts objects with its arguments'' names: one row for each element, in input order, all or nothing. A field left out has the argument''s default, null is NULL. expires_at may be a local date, YYYY-MM-DD: the end of that day in the user''s zone. Of elements with the same category and key the last counts. Errors as there, and 22007, 22008 or 22P02 for a time or id that cannot be read; one about an element names it, counting from 0, and its field. Error 54000 for more objects.';
CREATE FUNCTION companion.recall_user_context(
    user_id uuid, max_items integer DEFAULT 20, max_chars integer DEFAULT NULL,
    categories text[] DEFAULT NULL)
RETURNS SETOF companion.context_item
LANGUAGE c STABLE ROWS 20 SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_recall_user_context';
COMMENT ON FUNCTION companion.recall_user_context(uuid, integer, integer, text[]) IS
'The items that matter most now: pinned ones first, then by recall_score(), then by category and key; no expired and no resolved one. max_items: 1 to 10000. max_chars: the most characters that user_context_prompt() makes of them; an item that does not fit is passed over. categories: only these. Error 22023 otherwise, 42501 for another''s.';
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
            <= to_char(coalesce(on_date, (companion.now() AT TIME ZONE u.timezone)::date), 'YYYY-MM-DD')
    ORDER BY (c.metadata ->> 'follow_up_on') COLLATE "C", c.key;
END;
COMMENT ON FUNCTION companion.due_follow_ups(uuid, date) IS
'The user''s items of category follow_up whose metadata has a follow_up_on of this date or before, and that resolve_user_context() has not marked as asked; the oldest first. on_date: NULL for the user''s local today. No rows for another''s.';
REVOKE ALL ON FUNCTION companion.recent_messages(uuid, integer, uuid, uuid),
    companion.upsert_user_context(uuid, text, text, text, real, integer, text, timestamptz, uuid, jsonb, boolean),
    companion.upsert_user_context_many(uuid, jsonb),
    companion.recall_user_context(uuid, integer, integer, text[]),
    companion.due_follow_ups(uuid, date)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companion.recent_messages(uuid, integer, uuid, uuid),
    companion.upsert_user_context(uuid, text, text, text, real, integer, text, timestamptz, uuid, jsonb, boolean),
    companion.upsert_user_context_many(uuid, jsonb),
    companion.recall_user_context(uuid, integer, integer, text[]),
    companion.due_follow_ups(uuid, date)
TO companion_user, companion_worker, companion_admin;

-- What a grant lets one write into messages is bounded.
CREATE FUNCTION companion.check_message() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_message';
COMMENT ON FUNCTION companion.check_message() IS
'Trigger, BEFORE INSERT OR UPDATE OF metadata: what a grant lets one write is bounded as what a function takes is. Error 22023 for content over companion.max_message_length and for metadata over companion.max_json_size.';
REVOKE ALL ON FUNCTION companion.check_message() FROM PUBLIC;
CREATE TRIGGER check_message BEFORE INSERT OR UPDATE OF metadata ON companion.messages
FOR EACH ROW EXECUTE FUNCTION companion.check_message();
COMMENT ON TRIGGER check_message ON companion.messages IS 'Bounds what is written directly.';
COMMENT ON FUNCTION companion.open_conversation(uuid, text, text, interval) IS
'The open conversation of a user on a channel, if its last message (or, without one, its start) is younger than idle; else that one is ended and a new one begun. Two calls at once get the same. initiated_by, user or companion, counts for a new one. idle: zero to 100 years. For the user''s own, then initiated by user, or workers and admins. Error 22023 for an unknown channel or initiator or another idle, 23503 for an unknown user, 42501 for another''s or as the companion, 09000 where a trigger suppresses a row or changes user_id, id or channel.';
COMMENT ON FUNCTION companion.close_conversation(uuid, uuid, text, text[]) IS
'Ends a conversation and says how the user felt and what it was about; NULL leaves that as it stands. Returns whether it was open; one that had ended keeps its end and takes the summary. Error 23503 when the user has no such conversation, 2202E or 22004 for topics that are not a plain list, 09000 where a trigger suppresses the change.';
COMMENT ON FUNCTION companion.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint) IS
'Adds a message to a conversation and returns its id. A Telegram update delivered again stores nothing and returns the id of the first. A message may be added to a conversation that has ended: an answer belongs where the question is. What it replies to is named by reply_to_id or by Telegram''s id, not both; a Telegram id that is not stored leaves reply_to_id NULL. role user sets users.last_user_message_at. End users add their own, with role user and without telegram_message_id. Error 22023 for an unknown role, for content that is empty or over companion.max_message_length, for two replies, for metadata that is not an object or over companion.max_json_size and for a Telegram id below 1; 23503 for a conversation or a message replied to that is not the user''s; 42501 for another''s, another role or a Telegram id as an end user; 09000 where a trigger suppresses the row or changes user_id, id, conversation_id or telegram_message_id.';
COMMENT ON FUNCTION companion.edit_message(uuid, uuid, text, bigint) IS
'Replaces a message''s text and returns its id. The earlier text and when it was written are added to metadata, in the array edits, of which the oldest are dropped where companion.max_json_size leaves no room for all. The same text again changes nothing. The message is named by its id or, with message_id NULL, by Telegram''s; a Telegram id that is not stored gives NULL. Error 23503 when the user has no such message, 22023 for content that is empty or over companion.max_message_length, and unless exactly one id is given, 09000 where a trigger suppresses the change or changes user_id or id.';
COMMENT ON COLUMN companion.messages.metadata IS 'The app''s own data, a JSON object; edits, where the message was edited, is an array of its earlier texts: content and written_at; cut_from, where what was sent was cut, is how many characters it had.';

-- Searching in bounded time.
CREATE FUNCTION companion.search_rank(document tsvector, query tsquery) RETURNS real
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_search_rank';
COMMENT ON FUNCTION companion.search_rank(tsvector, tsquery) IS
'ts_rank() within bounds: of each word of the query 512 positions count, divided by how many words it has. Internal.';

CREATE FUNCTION companion.search_excerpt(config regconfig, content text, query tsquery) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_search_excerpt';
COMMENT ON FUNCTION companion.search_excerpt(regconfig, text, tsquery) IS
'The part of a text that matches a query, in bounded time: what search_messages() says of excerpt. Internal.';
REVOKE ALL ON FUNCTION companion.search_rank(tsvector, tsquery),
    companion.search_excerpt(regconfig, text, tsquery)
FROM PUBLIC;
COMMENT ON FUNCTION companion.search_messages(uuid, text, integer) IS
'The user''s messages that match a query, the best first, of equals the latest. The query is as on the web: words, "a phrase", or, -not; any text is one, and one without words finds nothing. excerpt is the part that matches, up to 35 words, the words found between two asterisks on each side; a search looks for it in the first 4000 bytes of each message and, as long as they make no more than 2 MB in all, further on. Words are compared under companion.text_search_config. query: up to 1000 characters; max_results: 1 to 1000; error 22023 otherwise. For the user''s own, or workers and admins; error 42501 for another''s, 42704 for a setting that names no configuration.';

-- Expiry passes over the items of users whose rows are locked.
ALTER FUNCTION companion.expire_user_context(integer) SET enable_seqscan = off;
ALTER FUNCTION companion.expire_user_context(integer) SET enable_hashjoin = off;
ALTER FUNCTION companion.expire_user_context(integer) SET enable_mergejoin = off;
COMMENT ON FUNCTION companion.expire_user_context(integer) IS
'Deletes expired items, which no read returns any more; their values stay in user_context_history. It passes over rows that are locked, and the items of users who are. Returns how many. Error 22023 for a bound below 1.';

-- A user's tables are those whose key says so, whatever columns an operator has added.
CREATE OR REPLACE VIEW companion.personal_tables WITH (security_invoker = true) AS
SELECT c.relname AS name, c.oid::regclass::text AS relation,
       CASE WHEN c.relname = 'users' THEN 'id = $1'
            WHEN 'user_id' = ANY (k.names) THEN 'user_id = $1'
            ELSE 'telegram_user_id = (SELECT telegram_user_id FROM companion.users WHERE id = $1)'
       END AS condition,
       a.readable AS columns,
       k.columns AS key
FROM pg_extension AS e
JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
JOIN pg_class AS c ON c.oid = d.objid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
CROSS JOIN LATERAL (
    SELECT array_agg(key.attname) AS names,
           string_agg(quote_ident(key.attname), ', ' ORDER BY key.attnum) AS columns
    FROM pg_index AS i
    JOIN pg_attribute AS key ON key.attrelid = c.oid AND key.attnum = ANY (i.indkey)
    WHERE i.indrelid = c.oid AND i.indisprimary) AS k
CROSS JOIN LATERAL (
    SELECT string_agg(quote_ident(column_of.attname), ', ' ORDER BY column_of.attnum)
           FILTER (WHERE has_column_privilege('companion_admin', c.oid, column_of.attnum, 'SELECT'))
           AS readable
    FROM pg_attribute AS column_of
    WHERE column_of.attrelid = c.oid AND column_of.attnum > 0 AND NOT column_of.attisdropped) AS a
WHERE e.extname = 'companion' AND (c.relname = 'users' OR k.names && '{user_id,telegram_user_id}');
