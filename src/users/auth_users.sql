
-- Following an auth table: users appear, change their e-mail address and vanish with it.
CREATE FUNCTION companion.follow_auth_user() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_follow_auth_user';
COMMENT ON FUNCTION companion.follow_auth_user() IS
'Trigger that follow_auth_users() puts on an auth table, AFTER INSERT OR DELETE OR UPDATE OF the e-mail column: creates the user, erases them, or copies the address. Error 39P01 when it is called in any other way, 42703 and 42804 where the table has no columns to follow any more, 23502 for a row without an id, 09000 where a trigger on companion.users suppresses a row.';

CREATE FUNCTION companion.adopt_users(auth_table regclass, email_column name) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_adopt_users';
COMMENT ON FUNCTION companion.adopt_users(regclass, name) IS
'Takes over the rows of an auth table, which it locks against writes, as follow_auth_users() does, without following it. Returns how many users were new or changed. Errors as there. Internal.';

CREATE FUNCTION companion.follow_auth_users(
    auth_table regclass DEFAULT to_regclass('auth.users'), email_column name DEFAULT 'email')
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken_over bigint;
BEGIN
    IF auth_table IS NULL THEN
        RAISE EXCEPTION 'there is no auth table to follow'
        USING ERRCODE = 'undefined_table', HINT = 'Name it: companion.follow_auth_users(''app.accounts'').';
    END IF;
    taken_over := companion.adopt_users(auth_table, email_column);
    IF EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = auth_table AND t.tgname = 'companion_follow'
               AND t.tgfoid <> 'companion.follow_auth_user()'::regprocedure) THEN
        RAISE EXCEPTION 'table % has another trigger companion_follow', auth_table
        USING ERRCODE = 'duplicate_object', HINT = 'Rename it: ALTER TRIGGER companion_follow ON ... RENAME TO ...';
    END IF;
    EXECUTE format('CREATE OR REPLACE TRIGGER companion_follow'
                   ' AFTER INSERT OR DELETE OR UPDATE OF %I ON %s'
                   ' FOR EACH ROW EXECUTE FUNCTION companion.follow_auth_user()',
                   email_column, auth_table);
    RETURN taken_over;
END
$$;
COMMENT ON FUNCTION companion.follow_auth_users(regclass, name) IS
'Puts the trigger companion_follow on an auth table, so that companion.users gains, changes the e-mail address of, and loses a user with it, and takes over the rows that are there. Returns how many of these were new or changed. Calling it again is harmless, and names another e-mail column. The column id is a uuid, the address text, varchar, char, name or citext, or a domain over one of them; a partitioned table is partitioned by id. The caller needs the TRIGGER and SELECT privileges on the table. Error 42P01 where there is no such table, 42703 where it lacks a column, 42804 for one of another type or a virtual one, 42809 for a view, a foreign table, a partition and another partitioning, 42710 where it has another trigger of that name, 42501 where row-level security may hide some of its rows, 23502 for a row without an id.';

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

