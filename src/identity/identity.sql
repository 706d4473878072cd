
-- Who the session acts for, the clock, and ids.
CREATE FUNCTION companion.current_user_id() RETURNS uuid
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_current_user_id';
COMMENT ON FUNCTION companion.current_user_id() IS
'The user that the session acts for. Read from request.jwt.claims ("sub"), else request.jwt.claim.sub, else companion.user_id; NULL when none is set, or when the claims hold no "sub" (an anonymous request). Error 22P02 when it is malformed.';

CREATE FUNCTION companion.now() RETURNS timestamptz
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_now';
COMMENT ON FUNCTION companion.now() IS
'The time that every function goes by: the setting companion.clock where it is set (for tests; superuser), else the start of the transaction.';

CREATE FUNCTION companion.uuid_v7() RETURNS uuid
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_uuid_v7';
COMMENT ON FUNCTION companion.uuid_v7() IS
'A new time-ordered id, UUID version 7 (RFC 9562): milliseconds and their fraction from the real clock, 62 random bits. Ids of one session ascend.';

CREATE FUNCTION companion.uuid_v7(at timestamptz) RETURNS uuid
LANGUAGE c VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'companion_uuid_v7_at';
COMMENT ON FUNCTION companion.uuid_v7(timestamptz) IS
'A new id, UUID version 7, for a given time: for rows that are older than themselves, as those of an import. Ids ascend with the time and, for equal times, with a session''s calls. Error 22008 for a time that is infinite, before 1970 or after August 10889.';

CREATE FUNCTION companion.set_updated_at() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_set_updated_at';
COMMENT ON FUNCTION companion.set_updated_at() IS
'Trigger, BEFORE UPDATE: sets updated_at to companion.now().';


-- Tables with standard rows that an app changes, which sessions keep.
CREATE FUNCTION companion.replace_row() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('DELETE FROM %1$s WHERE %2$I = ($1).%2$I', TG_RELID::regclass, TG_ARGV[0])
    USING NEW;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION companion.replace_row() IS
'Trigger, BEFORE INSERT: the new row takes the place of the one that has the same value in the column that is its argument.';
CREATE FUNCTION companion.reload_rows() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_reload_rows';
COMMENT ON FUNCTION companion.reload_rows() IS
'Trigger, AFTER INSERT, UPDATE, DELETE or TRUNCATE: every session reads the table anew.';
