
-- Memory: what the companion knows about its user.
CREATE TABLE companion.user_context (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    category text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    value text NOT NULL,
    importance double precision NOT NULL DEFAULT 0.5,
    emotional_valence smallint NOT NULL DEFAULT 0,
    source text NOT NULL DEFAULT 'extracted',
    source_message_id uuid,
    metadata jsonb NOT NULL DEFAULT '{}',
    pinned boolean NOT NULL DEFAULT false,
    expires_at timestamptz,
    resolved_at timestamptz,
    confirmations integer NOT NULL DEFAULT 1,
    confirmed_at timestamptz NOT NULL DEFAULT companion.now(),
    last_referenced_at timestamptz NOT NULL DEFAULT companion.now(),
    value_since timestamptz NOT NULL DEFAULT companion.now(),
    previous_value text,
    previous_source text,
    previous_since timestamptz,
    contradicted_by text,
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    updated_at timestamptz NOT NULL DEFAULT companion.now(),
    folded_key text COLLATE "C" NOT NULL,
    last_used_at timestamptz,
    stated_in uuid[] NOT NULL DEFAULT '{}',
    earlier_stated_in uuid[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, category, folded_key),
    FOREIGN KEY (user_id, source_message_id)
        REFERENCES companion.messages (user_id, id) ON DELETE SET NULL (source_message_id)
) WITH (fillfactor = 85);

CREATE INDEX user_context_source ON companion.user_context (user_id, source_message_id)
WHERE source_message_id IS NOT NULL;
CREATE INDEX user_context_expiry ON companion.user_context (expires_at)
WHERE expires_at IS NOT NULL;

COMMENT ON TABLE companion.user_context IS
'One row a context item, a remembered fact: (category, key) -> value. Written by the functions only.';
COMMENT ON COLUMN companion.user_context.user_id IS 'Whom it is about.';
COMMENT ON COLUMN companion.user_context.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.user_context.category IS 'What kind of fact it is; the app''s own words. context_categories says how it is treated; follow_up is read by due_follow_ups().';
COMMENT ON COLUMN companion.user_context.key IS 'Which fact within the category, as it was first said.';
COMMENT ON COLUMN companion.user_context.value IS 'The fact.';
COMMENT ON COLUMN companion.user_context.importance IS 'From 0 to 1.';
COMMENT ON COLUMN companion.user_context.emotional_valence IS 'From -2 (painful) to 2 (joyful).';
COMMENT ON COLUMN companion.user_context.source IS 'Where the value comes from: user (the user said so), pinned, extracted (by a model), or the app''s own word.';
COMMENT ON COLUMN companion.user_context.source_message_id IS 'The message that it was learned from, one of the same user''s.';
COMMENT ON COLUMN companion.user_context.metadata IS 'The app''s own data, a JSON object. follow_up_on is the local date, YYYY-MM-DD, on which to ask about it.';
COMMENT ON COLUMN companion.user_context.pinned IS 'Whether it always comes first.';
COMMENT ON COLUMN companion.user_context.expires_at IS 'When it stops being true; NULL: never.';
COMMENT ON COLUMN companion.user_context.resolved_at IS 'When an open thread was settled or a follow-up asked; no longer recalled.';
COMMENT ON COLUMN companion.user_context.confirmations IS 'How often the value was stated, the first time included.';
COMMENT ON COLUMN companion.user_context.confirmed_at IS 'When the value was last stated.';
COMMENT ON COLUMN companion.user_context.last_referenced_at IS 'When it was last used or stated: the later of last_used_at and confirmed_at.';
COMMENT ON COLUMN companion.user_context.value_since IS 'Since when this value has held.';
COMMENT ON COLUMN companion.user_context.previous_value IS 'The value that the last upsert superseded; NULL: none, it stated the same or a new item.';
COMMENT ON COLUMN companion.user_context.previous_source IS 'The source before the last upsert.';
COMMENT ON COLUMN companion.user_context.previous_since IS 'value_since before the last upsert.';
COMMENT ON COLUMN companion.user_context.contradicted_by IS 'The value that the last upsert gave and that was not taken, because the user''s word stands; NULL: the last upsert was taken.';
COMMENT ON COLUMN companion.user_context.created_at IS 'When it was first learned.';
COMMENT ON COLUMN companion.user_context.updated_at IS 'When the row last changed.';
COMMENT ON COLUMN companion.user_context.folded_key IS 'companion.folded(key): of keys that differ in case, in white space around them or in Unicode''s normal form there is one.';
COMMENT ON COLUMN companion.user_context.last_used_at IS 'When the value was last used, by touch_user_context(); NULL: never.';
COMMENT ON COLUMN companion.user_context.stated_in IS 'The messages that have stated the value, the last 100; a NULL among them: it was stated without one. Empty: not known.';
COMMENT ON COLUMN companion.user_context.earlier_stated_in IS 'The same of the values that it had before, and of those that were not taken.';
COMMENT ON INDEX companion.user_context_source IS 'What was learned from a message.';
COMMENT ON INDEX companion.user_context_expiry IS 'What has expired.';

-- What functions return of an item: columns that are added to the table do not change it.
CREATE TYPE companion.context_item AS (
    user_id uuid,
    id uuid,
    category text COLLATE "C",
    key text COLLATE "C",
    value text,
    importance double precision,
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
    updated_at timestamptz,
    last_used_at timestamptz
);
COMMENT ON TYPE companion.context_item IS 'An item as functions return it: columns of user_context, in its order.';
COMMENT ON COLUMN companion.context_item.user_id IS 'Whom it is about.';
COMMENT ON COLUMN companion.context_item.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.context_item.category IS 'What kind of fact it is; the app''s own words. context_categories says how it is treated; follow_up is read by due_follow_ups().';
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
COMMENT ON COLUMN companion.context_item.last_referenced_at IS 'When it was last used or stated: the later of last_used_at and confirmed_at.';
COMMENT ON COLUMN companion.context_item.value_since IS 'Since when this value has held.';
COMMENT ON COLUMN companion.context_item.previous_value IS 'The value that the last upsert superseded; NULL: none, it stated the same or a new item.';
COMMENT ON COLUMN companion.context_item.previous_source IS 'The source before the last upsert.';
COMMENT ON COLUMN companion.context_item.previous_since IS 'value_since before the last upsert.';
COMMENT ON COLUMN companion.context_item.contradicted_by IS 'The value that the last upsert gave and that was not taken, because the user''s word stands; NULL: the last upsert was taken.';
COMMENT ON COLUMN companion.context_item.created_at IS 'When it was first learned.';
COMMENT ON COLUMN companion.context_item.updated_at IS 'When the row last changed.';
COMMENT ON COLUMN companion.context_item.last_used_at IS 'When the value was last used, by touch_user_context(); NULL: never.';

CREATE TABLE companion.user_context_history (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    category text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    value text NOT NULL,
    source text NOT NULL,
    held_from timestamptz NOT NULL,
    held_until timestamptz NOT NULL,
    replaced_by text,
    PRIMARY KEY (user_id, category, key, id)
);
COMMENT ON TABLE companion.user_context_history IS
'One row a value that no longer holds: it was superseded or has expired. It held from held_from, inclusive, to held_until, exclusive.';
COMMENT ON COLUMN companion.user_context_history.user_id IS 'Whom it was about.';
COMMENT ON COLUMN companion.user_context_history.category IS 'The item''s category.';
COMMENT ON COLUMN companion.user_context_history.key IS 'The item''s key.';
COMMENT ON COLUMN companion.user_context_history.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.user_context_history.value IS 'What was believed.';
COMMENT ON COLUMN companion.user_context_history.source IS 'Where it came from.';
COMMENT ON COLUMN companion.user_context_history.held_from IS 'Since when.';
COMMENT ON COLUMN companion.user_context_history.held_until IS 'Until when.';
COMMENT ON COLUMN companion.user_context_history.replaced_by IS 'The value that superseded it; NULL: none, it expired or made room in its category.';

CREATE FUNCTION companion.check_context_item() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_context_item';
COMMENT ON FUNCTION companion.check_context_item() IS
'Trigger, AFTER INSERT OR UPDATE: category, key, value and source are not empty, importance is 0 to 1, emotional_valence -2 to 2, confirmations at least 1, metadata an object. Error 23514, with the column''s name.';
CREATE TRIGGER check_context_item AFTER INSERT OR UPDATE ON companion.user_context
FOR EACH ROW EXECUTE FUNCTION companion.check_context_item();
COMMENT ON TRIGGER check_context_item ON companion.user_context IS 'Refuses what a row may not hold.';

CREATE FUNCTION companion.fold_context_item() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_fold_context_item';
COMMENT ON FUNCTION companion.fold_context_item() IS
'Trigger, BEFORE INSERT: gives a row without folded_key, from a dump of 0.1.0, its own, and its category as it is compared. Where another row has that key, the row is marked for merge_context_items().';
CREATE TRIGGER fold_context_item BEFORE INSERT ON companion.user_context
FOR EACH ROW WHEN (new.folded_key IS NULL) EXECUTE FUNCTION companion.fold_context_item();
-- A logical subscriber, and a restore as one, may bring rows of 0.1.0, too.
ALTER TABLE companion.user_context ENABLE ALWAYS TRIGGER fold_context_item;
COMMENT ON TRIGGER fold_context_item ON companion.user_context IS 'Rows of 0.1.0 have no folded_key.';

CREATE FUNCTION companion.check_context_history() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_context_history';
COMMENT ON FUNCTION companion.check_context_history() IS
'Trigger, AFTER INSERT: the user is there. Error 23503.';
CREATE TRIGGER check_context_history AFTER INSERT ON companion.user_context_history
FOR EACH ROW EXECUTE FUNCTION companion.check_context_history();
COMMENT ON TRIGGER check_context_history ON companion.user_context_history IS 'Refuses what a row may not hold.';

ALTER TABLE companion.user_context ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.user_context TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.user_context IS 'An end user sees their own items only.';
CREATE POLICY every_row ON companion.user_context TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.user_context IS 'Workers and admins see every user''s.';

ALTER TABLE companion.user_context_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.user_context_history TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.user_context_history IS 'An end user sees their own history only.';
CREATE POLICY every_row ON companion.user_context_history TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.user_context_history IS 'Workers and admins see every user''s.';

-- What was forgotten, without its content: which message must not teach it again.
CREATE TABLE companion.forgotten_facts (
    user_id uuid NOT NULL,
    message_id uuid NOT NULL,
    fact bytea NOT NULL,
    PRIMARY KEY (user_id, message_id, fact),
    FOREIGN KEY (user_id, message_id) REFERENCES companion.messages (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE companion.forgotten_facts IS
'One row for each message that had stated a fact which was forgotten: what is extracted from that message again is not taken. It goes with the message.';
COMMENT ON COLUMN companion.forgotten_facts.user_id IS 'Whose message it is.';
COMMENT ON COLUMN companion.forgotten_facts.message_id IS 'The message.';
COMMENT ON COLUMN companion.forgotten_facts.fact IS 'The SHA-256 of the message''s id, the category and the folded key: neither these nor a value stand in it.';
ALTER TABLE companion.forgotten_facts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.forgotten_facts TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.forgotten_facts IS 'An end user''s own only.';
CREATE POLICY every_row ON companion.forgotten_facts TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.forgotten_facts IS 'Workers and admins act for every user.';
SELECT pg_catalog.pg_extension_config_dump('companion.forgotten_facts', '');

-- Written by the functions only: else a write could leave out the history or pass the limits.

SELECT pg_catalog.pg_extension_config_dump('companion.user_context', '');
SELECT pg_catalog.pg_extension_config_dump('companion.user_context_history', '');
