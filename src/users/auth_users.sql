
-- Following an auth table: users appear, change their e-mail address and vanish with it.
CREATE FUNCTION companion.follow_auth_user() RETURNS trigger
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_follow_auth_user';
COMMENT ON FUNCTION companion.follow_auth_user() IS
'Trigger that follow_auth_users() puts on an auth table, AFTER INSERT OR DELETE OR UPDATE OF the e-mail column: creates the user, erases them, or copies the address. Error 39P01 when it is called in any other way.';

CREATE FUNCTION companion.require_auth_table(auth_table regclass, email_column name) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF auth_table IS NULL THEN
        RAISE EXCEPTION 'there is no auth table to follow'
        USING ERRCODE = 'undefined_table', HINT = 'Name it: companion.follow_auth_users(''app.accounts'').';
    ELSIF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = auth_table AND c.relkind IN ('r', 'p')) THEN
        RAISE EXCEPTION '% is not a table', auth_table USING ERRCODE = 'wrong_object_type';
    ELSIF NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = auth_table
                      AND a.attname = 'id' AND a.atttypid = 'uuid'::regtype) THEN
        RAISE EXCEPTION 'table % has no column "id" of type uuid', auth_table
        USING ERRCODE = 'undefined_column';
    ELSIF EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = auth_table AND a.attname = email_column
                  AND NOT companion.is_text(a.atttypid)) THEN
        RAISE EXCEPTION 'column "%" of table % is no text', email_column, auth_table
        USING ERRCODE = 'datatype_mismatch';
    ELSIF EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = auth_table AND t.tgname = 'companion_follow'
                  AND t.tgfoid <> 'companion.follow_auth_user()'::regprocedure) THEN
        RAISE EXCEPTION 'trigger "companion_follow" of table % is not companion''s', auth_table
        USING ERRCODE = 'duplicate_object';
    ELSIF row_security_active(auth_table) THEN
        RAISE EXCEPTION 'row-level security may hide rows of table % from you', auth_table
        USING ERRCODE = 'insufficient_privilege', HINT = 'Call this as a role with BYPASSRLS, or as the table''s owner.';
    END IF;
END
$$;
COMMENT ON FUNCTION companion.require_auth_table(regclass, name) IS
'Raises the errors of follow_auth_users(). Internal.';

CREATE FUNCTION companion.is_text(type oid) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH RECURSIVE base AS (
        SELECT t.oid, t.typbasetype, t.typcategory, t.typnamespace FROM pg_type AS t WHERE t.oid = type
        UNION ALL
        SELECT t.oid, t.typbasetype, t.typcategory, t.typnamespace
        FROM base JOIN pg_type AS t ON t.oid = base.typbasetype)
    SELECT EXISTS (
        SELECT FROM base
        WHERE typbasetype = 0
            AND (typcategory = 'S' AND typnamespace = 'pg_catalog'::regnamespace
                 OR EXISTS (SELECT FROM pg_cast AS c WHERE c.castsource = base.oid
                            AND c.casttarget = 'text'::regtype AND c.castmethod = 'b')));
END;
COMMENT ON FUNCTION companion.is_text(oid) IS
'Whether reading a type as text calls no function of anybody''s: one of PostgreSQL''s own texts, one that is stored as text (such as citext), or a domain over such. Internal.';

CREATE FUNCTION companion.adopt_auth_users(ids uuid[], emails text[]) RETURNS bigint
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_adopt_auth_users';
COMMENT ON FUNCTION companion.adopt_auth_users(uuid[], text[]) IS
'Creates users, or sets their e-mail addresses, and returns how many are new or changed. Internal. Error 23502 for an id that is null.';

CREATE FUNCTION companion.follow_auth_users(
    auth_table regclass DEFAULT to_regclass('auth.users'), email_column name DEFAULT 'email')
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken_over bigint;
BEGIN
    PERFORM companion.require_auth_table(auth_table, email_column);
    EXECUTE format('CREATE OR REPLACE TRIGGER companion_follow'
                   ' AFTER INSERT OR DELETE OR UPDATE OF %I ON %s'
                   ' FOR EACH ROW EXECUTE FUNCTION companion.follow_auth_user()',
                   email_column, auth_table);
    -- Read with the caller's rights, written with companion's.
    EXECUTE format('SELECT coalesce(sum(companion.adopt_auth_users(ids, emails)), 0)'
                   ' FROM (SELECT array_agg(id) AS ids, array_agg(email) AS emails'
                   '       FROM (SELECT id, %I::text AS email, row_number() OVER () / 1000 AS batch FROM %s) AS auth'
                   '       GROUP BY batch) AS batches',
                   email_column, auth_table) INTO taken_over;
    RETURN taken_over;
END
$$;
COMMENT ON FUNCTION companion.follow_auth_users(regclass, name) IS
'Puts the trigger companion_follow on an auth table (uuid column id), so that companion.users gains, changes the e-mail address of, and loses a user with it, and takes over the rows that are there. Returns how many of these were new or changed. Calling it again is harmless, and names another e-mail column. Whoever may write that table says who the users are. The caller needs the TRIGGER and SELECT privileges on the table. Error 42P01 where there is no such table, 42809 for a view, 42703 where it lacks a column, 42804 where the e-mail column is no text, 42710 where it has another trigger of that name, 42501 where row-level security may hide some of its rows.';

CREATE FUNCTION companion.unfollow_auth_users(
    auth_table regclass DEFAULT to_regclass('auth.users')) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger AS t
                   WHERE t.tgrelid = auth_table AND t.tgname = 'companion_follow'
                       AND t.tgfoid = 'companion.follow_auth_user()'::regprocedure) THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TRIGGER companion_follow ON %s', auth_table);
    RETURN true;
END
$$;
COMMENT ON FUNCTION companion.unfollow_auth_users(regclass) IS
'Takes the trigger off an auth table; the users stay. Returns whether it was followed. The caller must own the table.';
