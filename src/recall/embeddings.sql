
-- What items mean, as a model of the app's has it: for recall by meaning. Nothing here depends on
-- an extension; pgvector's type casts to and from real[].
CREATE TABLE companion.context_embeddings (
    user_id uuid NOT NULL,
    item_id uuid NOT NULL,
    model text COLLATE "C" NOT NULL,
    embedding real[] NOT NULL,
    PRIMARY KEY (user_id, item_id, model),
    FOREIGN KEY (user_id, item_id) REFERENCES companion.user_context (user_id, id) ON DELETE CASCADE
);
ALTER TABLE companion.context_embeddings ALTER COLUMN embedding SET STORAGE EXTERNAL;
COMMENT ON TABLE companion.context_embeddings IS
'One row an item and model: the embedding of its present value. Written by set_embedding() only; another value, and forgetting, deletes it.';
COMMENT ON COLUMN companion.context_embeddings.user_id IS 'Whom the item is about.';
COMMENT ON COLUMN companion.context_embeddings.item_id IS 'The item.';
COMMENT ON COLUMN companion.context_embeddings.model IS 'The model that made it; the app''s own word.';
COMMENT ON COLUMN companion.context_embeddings.embedding IS 'The embedding: finite, not all zero.';
ALTER TABLE companion.context_embeddings ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.context_embeddings TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.context_embeddings IS 'An end user''s own only.';
CREATE POLICY every_row ON companion.context_embeddings TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.context_embeddings IS 'Workers and admins act for every user.';
SELECT pg_catalog.pg_extension_config_dump('companion.context_embeddings', '');

CREATE FUNCTION companion.cosine_similarity(a real[], b real[]) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_cosine_similarity';
COMMENT ON FUNCTION companion.cosine_similarity(real[], real[]) IS
'The cosine of two embeddings, -1 to 1; NULL where they differ in dimensions, have none, a null or only zeros.';

CREATE FUNCTION companion.meaning_of(item_id uuid, meanings bytea) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_meaning_of';
COMMENT ON FUNCTION companion.meaning_of(uuid, bytea) IS
'How near an item''s meaning is to one that is given, as recall has compared them. Internal.';

CREATE FUNCTION companion.set_embedding(
    user_id uuid, item_id uuid, model text, embedding double precision[], value text DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_set_embedding';
COMMENT ON FUNCTION companion.set_embedding(uuid, uuid, text, double precision[], text) IS
'Stores the embedding of an item''s value under a model; false where the item is gone, or where value, what the embedding was made of, is not its value any more. Error 22023 for a model of no or more than 100 characters and for an embedding of no or more than 16000 dimensions, with an element that is not finite or with only zeros; 22004 for one missing, 2202E for more than one dimension, 09000 where a trigger suppresses the row.';

CREATE FUNCTION companion.items_without_embedding(
    model text, max_rows integer DEFAULT 100, for_user uuid DEFAULT NULL)
RETURNS TABLE (user_id uuid, item_id uuid, category text, key text, value text)
LANGUAGE sql STABLE ROWS 100
BEGIN ATOMIC
    SELECT c.user_id, c.id, c.category, c.key, c.value
    FROM companion.user_context AS c
    WHERE (for_user IS NULL OR c.user_id = for_user)
        AND (c.expires_at IS NULL OR c.expires_at > companion.now()) AND c.resolved_at IS NULL
        AND NOT EXISTS (
            SELECT FROM companion.context_embeddings AS e
            WHERE e.user_id = c.user_id AND e.item_id = c.id
                AND e.model = items_without_embedding.model)
    ORDER BY c.user_id, c.id
    LIMIT max_rows;
END;
COMMENT ON FUNCTION companion.items_without_embedding(text, integer, uuid) IS
'Items that may be recalled and have no embedding of this model: for the worker that makes them and gives them to set_embedding(), with the value. for_user: of this user only, which is quick however many there are; else all users are gone through. A model of NULL: all that may be recalled; max_rows NULL: all of them. Error 2201W for a negative max_rows.';
