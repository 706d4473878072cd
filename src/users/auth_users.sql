
-- Following an auth table: users appear, change their e-mail address and vanish with it.
CREATE FUNCTION companion.follow_auth_user() RETURNS trigger
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_follow_auth_user';
COMMENT ON FUNCTION companion.follow_auth_user() IS
'Trigger that follow_auth_users() puts on an auth table, AFTER INSERT OR DELETE OR UPDATE OF the e-mail column: creates the user, erases them, or copies the address. Error 39P01 when it is called in any other way.';

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
    ELSIF NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = auth_table
                      AND a.attname = 'id' AND a.atttypid = 'uuid'::regtype) THEN
        RAISE EXCEPTION 'table % has no column "id" of type uuid', auth_table
        USING ERRCODE = 'undefined_column';
    ELSIF row_security_active(auth_table) THEN
        RAISE EXCEPTION 'row-level security may hide rows of table % from you', auth_table
        USING ERRCODE = 'insufficient_privilege', HINT = 'Call this as a role with BYPASSRLS, or as the table''s owner.';
    END IF;
    EXECUTE format('CREATE OR REPLACE TRIGGER companion_follow'
                   ' AFTER INSERT OR DELETE OR UPDATE OF %I ON %s'
                   ' FOR EACH ROW EXECUTE FUNCTION companion.follow_auth_user()',
                   email_column, auth_table);
    EXECUTE format('INSERT INTO companion.users AS u (id, email) SELECT id, %I FROM %s'
                   ' ON CONFLICT (id) DO UPDATE SET email = excluded.email'
                   ' WHERE u.email IS DISTINCT FROM excluded.email',
                   email_column, auth_table);
    GET DIAGNOSTICS taken_over = ROW_COUNT;
    RETURN taken_over;
END
$$;
COMMENT ON FUNCTION companion.follow_auth_users(regclass, name) IS
'Puts the trigger companion_follow on an auth table (uuid column id), so that companion.users gains, changes the e-mail address of, and loses a user with it, and takes over the rows that are there. Returns how many of these were new or changed. Calling it again is harmless, and names another e-mail column. The caller needs the TRIGGER and SELECT privileges on the table. Error 42P01 where there is no such table, 42703 where it lacks a column, 42501 where row-level security may hide some of its rows.';

CREATE FUNCTION companion.unfollow_auth_users(
    auth_table regclass DEFAULT to_regclass('auth.users')) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger AS t
                   WHERE t.tgrelid = auth_table AND t.tgname = 'companion_follow') THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TRIGGER companion_follow ON %s', auth_table);
    RETURN true;
END
$$;
COMMENT ON FUNCTION companion.unfollow_auth_users(regclass) IS
'Takes the trigger off an auth table; the users stay. Returns whether it was followed. The caller must own the table.';

