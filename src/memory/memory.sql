
-- Memory: what the companion knows about its user.
CREATE TABLE companion.user_context (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    category text NOT NULL CHECK (category <> ''),
    key text NOT NULL CHECK (key <> ''),
    value text NOT NULL CHECK (value <> ''),
    importance real NOT NULL DEFAULT 0.5 CHECK (importance BETWEEN 0 AND 1),
    emotional_valence smallint NOT NULL DEFAULT 0 CHECK (emotional_valence BETWEEN -2 AND 2),
    source text NOT NULL DEFAULT 'extracted' CHECK (source <> ''),
    source_message_id uuid,
    pinned boolean NOT NULL DEFAULT false,
    expires_at timestamptz,
    last_referenced_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    updated_at timestamptz NOT NULL DEFAULT companion.now(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, category, key),
    FOREIGN KEY (user_id, source_message_id)
        REFERENCES companion.messages (user_id, id) ON DELETE SET NULL (source_message_id)
) WITH (fillfactor = 85);

CREATE INDEX user_context_source ON companion.user_context (user_id, source_message_id)
WHERE source_message_id IS NOT NULL;

COMMENT ON TABLE companion.user_context IS
'One row a context item, a remembered fact: (category, key) -> value.';
COMMENT ON COLUMN companion.user_context.user_id IS 'Whom it is about.';
COMMENT ON COLUMN companion.user_context.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.user_context.category IS 'What kind of fact it is; the app''s own words.';
COMMENT ON COLUMN companion.user_context.key IS 'Which fact within the category.';
COMMENT ON COLUMN companion.user_context.value IS 'The fact.';
COMMENT ON COLUMN companion.user_context.importance IS 'From 0 to 1.';
COMMENT ON COLUMN companion.user_context.emotional_valence IS 'From -2 (painful) to 2 (joyful).';
COMMENT ON COLUMN companion.user_context.source IS 'Where it comes from, such as user or extracted.';
COMMENT ON COLUMN companion.user_context.source_message_id IS 'The message that it was learned from, one of the same user''s.';
COMMENT ON COLUMN companion.user_context.pinned IS 'Whether it always comes first.';
COMMENT ON COLUMN companion.user_context.expires_at IS 'When it stops being true; NULL: never.';
COMMENT ON COLUMN companion.user_context.last_referenced_at IS 'When it was last used or confirmed.';
COMMENT ON COLUMN companion.user_context.created_at IS 'When it was first learned.';
COMMENT ON COLUMN companion.user_context.updated_at IS 'When the row last changed; kept by a trigger.';
COMMENT ON INDEX companion.user_context_source IS 'What was learned from a message.';

CREATE TRIGGER set_updated_at BEFORE UPDATE ON companion.user_context
FOR EACH ROW EXECUTE FUNCTION companion.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON companion.user_context IS 'Keeps updated_at.';

ALTER TABLE companion.user_context ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.user_context TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.user_context IS 'An end user sees and changes their own items only.';
CREATE POLICY every_row ON companion.user_context TO companion_worker, companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.user_context IS 'Workers and admins act for every user.';

GRANT SELECT, INSERT, DELETE ON companion.user_context TO companion_user;
GRANT UPDATE (category, key, value, importance, emotional_valence, source, source_message_id,
              pinned, expires_at, last_referenced_at)
ON companion.user_context TO companion_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON companion.user_context TO companion_worker, companion_admin;

SELECT pg_catalog.pg_extension_config_dump('companion.user_context', '');
