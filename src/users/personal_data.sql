
-- What is left of who was erased: that they were. It has no row of a user, so none of this is
-- exported or erased.
CREATE TABLE companion.erased_users (
    user_id uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL DEFAULT companion.now()
);
COMMENT ON TABLE companion.erased_users IS
'One row for each user whom erase_user() has erased, so that follow_auth_users() does not bring them back. It goes with the auth table''s row, and when they sign up again; delete it to have them taken over. It says nothing of an id that is a user''s.';
COMMENT ON COLUMN companion.erased_users.user_id IS 'The id that the user had.';
COMMENT ON COLUMN companion.erased_users.erased_at IS 'When they were erased.';
ALTER TABLE companion.erased_users ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.erased_users TO companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.erased_users IS 'Admins read and delete.';
SELECT pg_catalog.pg_extension_config_dump('companion.erased_users', '');

-- A person's rights over their data. Both functions go by the catalog, so that no table
-- is forgotten.
CREATE VIEW companion.personal_tables WITH (security_invoker = true) AS
WITH RECURSIVE personal AS (
    SELECT c.oid, c.relname AS name, c.relpersistence, k.names, k.columns AS key, a.readable
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
    WHERE e.extname = 'companion' AND c.relname NOT IN ('erased_users', 'directory', 'address_reservations', 'directory_changes')
        AND (c.relname = 'users' OR k.names && '{user_id,telegram_user_id}')
), referring (oid, depth) AS (
    SELECT oid, 0 FROM personal
    UNION
    SELECT k.confrelid, r.depth + 1
    FROM referring AS r
    JOIN pg_constraint AS k ON k.conrelid = r.oid AND k.contype = 'f' AND k.confrelid <> k.conrelid
    WHERE r.depth < 20 AND k.confrelid IN (SELECT oid FROM personal)
)
SELECT p.name, p.oid::regclass::text AS relation,
       CASE WHEN p.name = 'users' THEN 'id = $1'
            WHEN 'user_id' = ANY (p.names) THEN 'user_id = $1'
            ELSE 'telegram_user_id = (SELECT telegram_user_id FROM companion.users WHERE id = $1)'
       END AS condition,
       p.readable AS columns, p.key,
       NOT (p.relpersistence = 'u' AND pg_is_in_recovery()) AS is_readable,
       (SELECT max(r.depth) FROM referring AS r WHERE r.oid = p.oid) AS erasure_order
FROM personal AS p;
COMMENT ON VIEW companion.personal_tables IS
'The extension''s tables that hold rows of a user, erased_users and what the directory of shards needs apart: how a user''s are found ($1 is the user''s id), the columns that an admin may read (a secret is one that nobody may), the primary key, and in which order they are erased. Internal.';
COMMENT ON COLUMN companion.personal_tables.name IS 'The table''s name.';
COMMENT ON COLUMN companion.personal_tables.relation IS 'The table, qualified and quoted.';
COMMENT ON COLUMN companion.personal_tables.condition IS 'Which rows are the user''s; $1 is the user''s id.';
COMMENT ON COLUMN companion.personal_tables.columns IS 'The columns that an admin may read, quoted.';
COMMENT ON COLUMN companion.personal_tables.key IS 'The primary key''s columns, quoted.';
COMMENT ON COLUMN companion.personal_tables.is_readable IS 'False for an unlogged table on a standby, which has no rows there and cannot be named in a query.';
COMMENT ON COLUMN companion.personal_tables.erasure_order IS 'A table that refers to another has the lower number: its rows go first, so that no foreign key has anything to do.';

CREATE FUNCTION companion.export_user(user_id uuid DEFAULT companion.current_user_id()) RETURNS jsonb
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'companion_export_user';
COMMENT ON FUNCTION companion.export_user(uuid) IS
'All that is stored of a user: for each table an array of its rows, in the order of the primary key, without secrets. Empty arrays for an unknown user, and on a standby for telegram_redeem_failures, which is not replicated. For the user''s own, or admins, else error 42501.';

CREATE FUNCTION companion.erase_user(user_id uuid DEFAULT companion.current_user_id()) RETURNS jsonb
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_erase_user';
COMMENT ON FUNCTION companion.erase_user(uuid) IS
'Deletes all that is stored of a user, the audit trail included, and returns for each table how many rows; all zero for an unknown user. The auth system''s row is left: delete it there, too. That the user was erased is noted in erased_users. For the user''s own, or admins, else error 42501. Error 09000 where a trigger keeps a row, 23503 where a foreign key of an app''s does; nothing is deleted then.';

