
-- Searching a user's messages. What a search has read it keeps, a user's messages in
-- chunks: so writing a message costs nothing for it, and no index mixes users' words.
CREATE TABLE companion.search_chunks (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    last_message_id uuid NOT NULL,
    config text NOT NULL,
    message_count integer NOT NULL,
    message_ids_hash bigint NOT NULL,
    message_ids uuid[] NOT NULL,
    documents tsvector[] NOT NULL,
    PRIMARY KEY (user_id, last_message_id)
);
ALTER TABLE companion.search_chunks
    ALTER COLUMN message_ids SET STORAGE EXTERNAL, ALTER COLUMN documents SET STORAGE EXTERNAL;
COMMENT ON TABLE companion.search_chunks IS
'What searches have read, kept ready for the next search: the chunks of a user cover their messages up to the last chunk''s last. Internal, and made anew when needed, so it is not dumped; DELETE its rows after changing the text search configuration itself.';
COMMENT ON COLUMN companion.search_chunks.user_id IS 'Whose messages.';
COMMENT ON COLUMN companion.search_chunks.last_message_id IS 'The last message of the chunk.';
COMMENT ON COLUMN companion.search_chunks.config IS 'The text search configuration that made the documents.';
COMMENT ON COLUMN companion.search_chunks.message_count IS 'How many messages.';
COMMENT ON COLUMN companion.search_chunks.message_ids_hash IS 'The exclusive or of their ids'' hashes: tells when messages have gone or come since.';
COMMENT ON COLUMN companion.search_chunks.message_ids IS 'The messages, in order.';
COMMENT ON COLUMN companion.search_chunks.documents IS 'Their texts as text search documents, in the same order; of a message that was edited the text is read from messages.';

ALTER TABLE companion.search_chunks ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.search_chunks TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.search_chunks IS 'An end user''s own chunks only.';
CREATE POLICY every_row ON companion.search_chunks TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.search_chunks IS 'Workers and admins act for every user.';
SELECT pg_catalog.pg_extension_config_dump('companion.search_chunks', 'WHERE false');

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
CREATE FUNCTION companion.search_messages(
    user_id uuid, query text, max_results integer DEFAULT 20)
RETURNS TABLE (
    message_id uuid, conversation_id uuid, role text, excerpt text, rank real,
    created_at timestamptz)
LANGUAGE c ROWS 20 SET client_min_messages = warning
AS 'MODULE_PATHNAME', 'companion_search_messages';
COMMENT ON FUNCTION companion.search_messages(uuid, text, integer) IS
'The user''s messages that match a query, the best first, of equals the latest. The query is as on the web: words, "a phrase", or, -not; any text is one, and one without words finds nothing. excerpt is the part that matches, up to 35 words, the words found between two asterisks on each side; a search looks for it in the first 4000 bytes of each message and, as long as they make no more than 2 MB in all, further on. Words are compared under companion.text_search_config. query: up to 1000 characters; max_results: 1 to 1000; error 22023 otherwise. For the user''s own, or workers and admins; error 42501 for another''s, 42704 for a setting that names no configuration.';

