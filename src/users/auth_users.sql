
-- Following an auth table: users appear, change their id and e-mail address, are suspended and vanish
-- with it.
CREATE FUNCTION companion.follow_auth_user() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_follow_auth_user';
COMMENT ON FUNCTION companion.follow_auth_user() IS
'Trigger that follow_auth_users() puts on an auth table, AFTER INSERT OR DELETE OR UPDATE OF id, the e-mail column and those of deleted and banned users, whose names are not its arguments, but which of these each is: creates the user, erases them, moves all that is theirs to their new id, or copies the address and until when they are suspended. Error 39P01 when it is called in any other way, 42703 and 42804 where the table has no columns to follow any more, 23502 for a row without an id, 23503 where a foreign key of an app''s keeps a user from getting another id, 23505 where the new id is another user''s, 09000 where a trigger on one of companion''s tables suppresses a row or changes what it is found by.';

CREATE FUNCTION companion.adopt_users(
    auth_table regclass, email_column name, deleted_column name, banned_column name) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_adopt_users';
COMMENT ON FUNCTION companion.adopt_users(regclass, name, name, name) IS
'Takes over the rows of an auth table, which it locks against writes, as follow_auth_users() does, without following it. Returns how many users were new or changed. Errors as there. Internal.';

CREATE FUNCTION companion.follow_auth_users(
    auth_table regclass DEFAULT to_regclass('auth.users'), email_column name DEFAULT 'email',
    deleted_column name DEFAULT NULL, banned_column name DEFAULT NULL, on_replica boolean DEFAULT false)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken_over bigint;
    columns text;
    purposes text;
BEGIN
    IF auth_table IS NULL THEN
        RAISE EXCEPTION 'there is no auth table to follow'
        USING ERRCODE = 'undefined_table', HINT = 'Name it: companion.follow_auth_users(''app.accounts'').';
    END IF;
    taken_over := companion.adopt_users(auth_table, email_column, deleted_column, banned_column);
    IF EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = auth_table AND t.tgname = 'companion_follow'
               AND t.tgfoid <> 'companion.follow_auth_user()'::regprocedure) THEN
        RAISE EXCEPTION 'table % has another trigger companion_follow', auth_table
        USING ERRCODE = 'duplicate_object', HINT = 'Rename it: ALTER TRIGGER companion_follow ON ... RENAME TO ...';
    END IF;
    SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.number),
           string_agg(quote_literal(c.purpose), ', ' ORDER BY c.number)
    INTO columns, purposes
    FROM (VALUES (1, 'id', 'id'), (2, email_column, 'email'), (3, deleted_column, 'deleted'),
                 (4, banned_column, 'banned')) AS c (number, name, purpose)
    WHERE c.name IS NOT NULL;
    EXECUTE format('CREATE OR REPLACE TRIGGER companion_follow'
                   ' AFTER INSERT OR DELETE OR UPDATE OF %s ON %s'
                   ' FOR EACH ROW EXECUTE FUNCTION companion.follow_auth_user(%s)',
                   columns, auth_table, purposes);
    IF on_replica THEN
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER companion_follow', auth_table);
    END IF;
    RETURN taken_over;
END
$$;
COMMENT ON FUNCTION companion.follow_auth_users(regclass, name, name, name, boolean) IS
'Puts the trigger companion_follow on an auth table, so that companion.users gains, changes the id and the e-mail address of, and loses a user with it, and takes over the rows that are there, but for users whom erase_user() has erased. A shard passes over the rows of other shards'' users. deleted_column (timestamptz, timestamp or boolean): a user where it holds a time, or true, is suspended for good, until it is cleared; banned_column (timestamptz or boolean): until then, or while it is true; NULL: none. Both are kept in users.suspended_until, which stays as it is where neither is named. on_replica: the rows are written by a subscription, too, and the trigger fires for these as well, for which the caller must own the table. Returns how many of the rows were new or changed. Calling it again is harmless, and names other columns. The column id is a uuid, the address text, varchar, char, name or citext, or a domain over one of them; a partitioned table is partitioned by id. The caller needs the TRIGGER and SELECT privileges on the table. Error 42P01 where there is no such table, 42703 where it lacks a column, 42804 for one of another type or a virtual one, 42809 for a view, a foreign table, a partition and another partitioning, 42701 where a column is named twice, 42710 where it has another trigger of that name, 42501 where row-level security may hide some of its rows, 23502 for a row without an id.';

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

