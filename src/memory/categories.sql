
-- What holds for the facts of a category.
CREATE TABLE companion.context_categories (
    category text COLLATE "C" PRIMARY KEY
        CHECK (category <> '' AND length(category) <= 100 AND category = companion.normalized(category)),
    half_life interval CHECK (half_life > '0'),
    keep_history boolean NOT NULL DEFAULT true,
    in_prompt boolean NOT NULL DEFAULT true,
    max_items integer CHECK (max_items > 0),
    expires_after interval CHECK (expires_after > '0'),
    CHECK (category <> '*' OR half_life IS NOT NULL)
);
COMMENT ON TABLE companion.context_categories IS
'One row a category that is treated in its own way; * is for every other. An app adds its own; inserting a category that is there replaces it, so that what an app has changed survives a restore over the standard rows. A change holds from the next call on, and for what is written from then on.';
COMMENT ON COLUMN companion.context_categories.category IS 'The category, without white space around it and in Unicode''s normal form C; * for every other.';
COMMENT ON COLUMN companion.context_categories.half_life IS 'In what time an item''s importance halves for recall; a day is 24 hours, a month 30 days. NULL: that of *.';
COMMENT ON COLUMN companion.context_categories.keep_history IS 'Whether values that are superseded, expire or make room go to user_context_history. False for what is computed anew again and again.';
COMMENT ON COLUMN companion.context_categories.in_prompt IS 'Whether user_context_prompt() shows it; where not, it does when categories names it.';
COMMENT ON COLUMN companion.context_categories.max_items IS 'How many items of it a user has at most: of others that are not pinned, those that matter least make room for a new one. NULL: no limit of its own.';
COMMENT ON COLUMN companion.context_categories.expires_after IS 'How long after it was last stated a value expires to which the call gives no expires_at. NULL: never.';

CREATE TRIGGER replace_category BEFORE INSERT ON companion.context_categories
FOR EACH ROW EXECUTE FUNCTION companion.replace_row('category');
-- A logical subscriber, and a restore as one, come upon the standard rows, too.
ALTER TABLE companion.context_categories ENABLE ALWAYS TRIGGER replace_category;
COMMENT ON TRIGGER replace_category ON companion.context_categories IS 'Inserting a category that is there replaces it.';

CREATE TRIGGER note_categories AFTER INSERT OR UPDATE OR DELETE ON companion.context_categories
FOR EACH STATEMENT EXECUTE FUNCTION companion.reload_rows();
ALTER TABLE companion.context_categories ENABLE ALWAYS TRIGGER note_categories;
COMMENT ON TRIGGER note_categories ON companion.context_categories IS 'Sessions keep the categories that they have read.';

INSERT INTO companion.context_categories (category, half_life, keep_history) VALUES
    ('*', '90 days', true), ('mood', '3 days', true), ('follow_up', '14 days', true),
    ('open_thread', '30 days', true), ('event', '30 days', true), ('preference', '365 days', true),
    ('identity', '3650 days', true), ('pattern', NULL, false);

ALTER TABLE companion.context_categories ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.context_categories FOR SELECT
TO companion_user, companion_worker, companion_runtime USING (true);
COMMENT ON POLICY read ON companion.context_categories IS 'Everyone reads the categories.';
CREATE POLICY every_row ON companion.context_categories TO companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.context_categories IS 'Admins change the categories.';

SELECT pg_catalog.pg_extension_config_dump('companion.context_categories', '');

CREATE FUNCTION companion.keeps_history(category text) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_keeps_history';
COMMENT ON FUNCTION companion.keeps_history(text) IS
'Whether a category''s values go to user_context_history. Internal.';
