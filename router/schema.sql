
SET LOCAL search_path TO pg_catalog, pg_temp;
SET LOCAL standard_conforming_strings TO on;

-- The callers' roles are those of the extension companion; they are the cluster's, and may be there
-- already. companion_router_owner owns what goes to the shards and nobody acts as it: its user
-- mappings are the router's logins there.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY '{companion_user,companion_worker,companion_admin,companion_monitor,companion_router_owner}'::text[]
    LOOP
        IF to_regrole(wanted) IS NULL THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
    IF EXISTS (
        SELECT FROM pg_roles AS r
        WHERE rolname = 'companion_router_owner'
            AND (rolcanlogin OR rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
                 OR EXISTS (SELECT FROM pg_auth_members WHERE r.oid IN (roleid, member))))
    THEN
        RAISE EXCEPTION 'role companion_router_owner stands already, and can do more than it should'
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'It is to have no attribute, no member and no membership.';
    END IF;
END
$$;

CREATE SCHEMA companion;
COMMENT ON SCHEMA companion IS
'The functions of the extension companion, each run on the shard that has the user.';
CREATE SCHEMA companion_router;
COMMENT ON SCHEMA companion_router IS 'The shards behind this router.';
-- What goes to the shards, as the role that the caller has. Only that role may call it, so PostgreSQL
-- itself verifies whom a call is handed on for.
CREATE SCHEMA companion_as_user;
COMMENT ON SCHEMA companion_as_user IS 'Calls as companion_user, with the identity as the last argument. Internal.';
CREATE SCHEMA companion_as_worker;
COMMENT ON SCHEMA companion_as_worker IS 'Calls as companion_worker. Internal.';
CREATE SCHEMA companion_as_admin;
COMMENT ON SCHEMA companion_as_admin IS 'Calls as companion_admin. Internal.';
CREATE SCHEMA companion_as_monitor;
COMMENT ON SCHEMA companion_as_monitor IS 'Calls as companion_monitor. Internal.';

CREATE TABLE companion_router.shards (
    number integer PRIMARY KEY,
    state text NOT NULL DEFAULT 'on',
    CONSTRAINT known_state CHECK (state IN ('on', 'moving', 'off')),
    CONSTRAINT number_in_range CHECK (number BETWEEN 0 AND 4095)
);
COMMENT ON TABLE companion_router.shards IS
'One row a shard. Where it is, and as whom the router logs in there, say the foreign server companion_shard_<number> and its user mapping.';
COMMENT ON COLUMN companion_router.shards.number IS 'Its number: companion.shard_of() of its users.';
COMMENT ON COLUMN companion_router.shards.state IS
'on; moving or off: a call for one of its users is refused with 57P03, which means call again, and calls for all shards pass over it.';
SELECT pg_catalog.pg_extension_config_dump('companion_router.shards', '');

CREATE TABLE companion_router.shard_count (
    only_row boolean PRIMARY KEY DEFAULT true,
    shards integer NOT NULL,
    CONSTRAINT one_row CHECK (only_row)
);
COMMENT ON TABLE companion_router.shard_count IS
'How many shards there are, as the first that was added says: one row. Internal.';
COMMENT ON COLUMN companion_router.shard_count.only_row IS 'Always true.';
COMMENT ON COLUMN companion_router.shard_count.shards IS 'The number of shards.';
SELECT pg_catalog.pg_extension_config_dump('companion_router.shard_count', '');

CREATE UNLOGGED SEQUENCE companion_router.turn;
COMMENT ON SEQUENCE companion_router.turn IS 'Whose turn it is to be asked first. Internal.';

-- The identity, by the rules of the extension companion.
CREATE FUNCTION companion_router.identity_in(value text) RETURNS uuid
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN nullif(value, '')::uuid;
EXCEPTION WHEN invalid_text_representation THEN
    RAISE EXCEPTION '%', SQLERRM
    USING ERRCODE = 'invalid_text_representation',
          HINT = 'A user''s id is a uuid. Where the auth system''s is not, give each user one, and set that before companion is called.';
END
$$;
COMMENT ON FUNCTION companion_router.identity_in(text) IS 'An identity as a uuid; NULL for an empty text. Error 22P02. Internal.';

CREATE FUNCTION companion.current_user_id() RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    claims jsonb := nullif(current_setting('request.jwt.claims', true), '');
    subject jsonb := claims -> 'sub';
    expected text;
BEGIN
    IF claims IS NOT NULL AND jsonb_typeof(claims) <> 'object' THEN
        expected := 'a JSON object';
    ELSIF jsonb_typeof(subject) NOT IN ('string', 'null') THEN
        expected := '"sub" to be a string';
    END IF;
    IF expected IS NOT NULL THEN
        RAISE EXCEPTION 'JWT claims hold no valid identity'
        USING ERRCODE = 'invalid_text_representation', DETAIL = format('Expected %s.', expected);
    END IF;
    RETURN companion_router.identity_in(CASE WHEN claims IS NOT NULL THEN claims ->> 'sub'
        ELSE coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''), current_setting('companion.user_id', true)) END);
END
$$;
COMMENT ON FUNCTION companion.current_user_id() IS
'Who the session acts for, by the same settings as on a shard; handed on with each call of an end user. Error 22P02 as there.';

CREATE FUNCTION companion.now() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN pg_catalog.now();
COMMENT ON FUNCTION companion.now() IS
'The start of the transaction on the router. Where a time is left to its default, each shard goes by its own.';

-- Part of every call: see server().
CREATE FUNCTION companion_router.shard_of(user_id uuid, shards integer) RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    digits pg_catalog.bytea := pg_catalog.uuid_send(user_id);
    x bigint := 0;
BEGIN
    FOR i IN 0..15 LOOP
        x := pg_catalog.mod(x OPERATOR(pg_catalog.*) 256 OPERATOR(pg_catalog.+) pg_catalog.get_byte(digits, i), 2147483647);
    END LOOP;
    FOR i IN 1..2 LOOP
        x := pg_catalog.mod(x OPERATOR(pg_catalog.*) (x OPERATOR(pg_catalog.+) 1618033989), 2147483647);
    END LOOP;
    RETURN pg_catalog.mod(x, shards);
END
$$;
COMMENT ON FUNCTION companion_router.shard_of(uuid, integer) IS
'companion.shard_of() for who knows that shards is a number of them. Internal.';

CREATE FUNCTION companion.shard_of(user_id uuid, shards integer) RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF shards NOT BETWEEN 1 AND 4096 THEN
        RAISE EXCEPTION 'invalid shards: %', shards
        USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Expected 1 to 4096.';
    END IF;
    RETURN companion_router.shard_of(user_id, shards);
END
$$;
COMMENT ON FUNCTION companion.shard_of(uuid, integer) IS
'Which of so many shards, 0 to shards - 1, a user belongs to; the same as on a shard. Error 22023 for shards outside 1 to 4096.';

CREATE FUNCTION companion.link_token_shard(token text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN substring(token FROM '^(0|[1-9][0-9]{0,3})-[A-Za-z0-9_-]{43}$')::integer;
COMMENT ON FUNCTION companion.link_token_shard(text) IS
'The shard that a link token names; NULL for what is no token of a shard. The same as on a shard.';
