\echo Use "CREATE EXTENSION companion_router" to load this file. \quit

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

CREATE SEQUENCE companion_router.turn;
COMMENT ON SEQUENCE companion_router.turn IS 'Whose turn it is to be asked first. Internal.';

-- The identity, by the rules of the extension companion.
CREATE FUNCTION companion_router.identity_in(value text) RETURNS uuid
LANGUAGE plpgsql IMMUTABLE
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
LANGUAGE plpgsql STABLE
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

CREATE FUNCTION companion.shard_of(user_id uuid, shards integer) RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    digits text := replace(user_id::text, '-', '');
    x bigint;
BEGIN
    IF shards NOT BETWEEN 1 AND 4096 THEN
        RAISE EXCEPTION 'invalid shards: %', shards
        USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Expected 1 to 4096.';
    END IF;
    x := (8 * ('x' || substr(digits, 1, 8))::bit(32)::bigint + 4 * ('x' || substr(digits, 9, 8))::bit(32)::bigint
        + 2 * ('x' || substr(digits, 17, 8))::bit(32)::bigint + ('x' || substr(digits, 25, 8))::bit(32)::bigint) % 2147483647;
    x := x * (x + 1618033989) % 2147483647;
    RETURN x * (x + 1618033989) % 2147483647 % shards;
END
$$;
COMMENT ON FUNCTION companion.shard_of(uuid, integer) IS
'Which of so many shards, 0 to shards - 1, a user belongs to; the same as on a shard. Error 22023 for shards outside 1 to 4096.';

CREATE FUNCTION companion.link_token_shard(token text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN substring(token FROM '^(0|[1-9][0-9]{0,3})-[A-Za-z0-9_-]{43}$')::integer;
COMMENT ON FUNCTION companion.link_token_shard(text) IS
'The shard that a link token names; NULL for what is no token of a shard. The same as on a shard.';

-- Errors: PL/Proxy wraps what a shard has raised; here it becomes again what it was.

CREATE FUNCTION companion_router.raise(state text, message text, detail text, hint text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF detail <> '' AND hint <> '' THEN
        RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, DETAIL = detail, HINT = hint;
    ELSIF detail <> '' THEN
        RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, DETAIL = detail;
    ELSIF hint <> '' THEN
        RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, HINT = hint;
    END IF;
    RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message;
END
$$;
COMMENT ON FUNCTION companion_router.raise(text, text, text, text) IS
'Raises an error with just these parts; empty: without it. Internal.';

CREATE FUNCTION companion_router.fail(state text, message text, detail text, hint text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    remote text[] := regexp_match(message, '^[^ ]+[(][0-9]+[)]: [[].*?[]] REMOTE [^:]+: (.*)$');
    broken text[] := regexp_match(message, '^PL/Proxy function [^ ]+[(][0-9]+[)]: (([[].*?[]] )?(PQ[A-Za-z]+|connect timeout).*)$');
BEGIN
    IF remote IS NOT NULL THEN
        PERFORM companion_router.raise(state, remote[1], regexp_replace(detail, '^Remote detail: ', ''),
                                       regexp_replace(hint, '^Remote hint: ', ''));
    ELSIF broken[3] ~ '^(PQconnect|connect)' THEN
        PERFORM companion_router.raise('08001', 'a database behind the router cannot be reached', broken[1],
                                       'Nothing was done there. Call again.');
    ELSIF broken IS NOT NULL THEN
        PERFORM companion_router.raise('08006', 'the connection to a database behind the router was lost', broken[1],
                                       'Whether it has done what it was asked for is not known.');
    ELSIF message = 'Pl/Proxy: cluster not found: companion_directory' THEN
        PERFORM companion_router.raise('55000', 'the router has no directory', NULL,
                                       'SELECT companion_router.set_directory(''host=... dbname=...'')');
    END IF;
    PERFORM companion_router.raise(state, message, detail, hint);
END
$$;
COMMENT ON FUNCTION companion_router.fail(text, text, text, text) IS
'Raises what a call through PL/Proxy has failed with as the shard raised it; 08001 for a shard that cannot be reached, 08006 for a connection that was lost. Internal.';

CREATE FUNCTION companion_router.pass_over(shard integer, state text, message text, detail text, hint text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM companion_router.fail(state, message, detail, hint);
EXCEPTION WHEN OTHERS THEN
    IF SQLSTATE ~ '^(22|42)' THEN
        RAISE;
    END IF;
    RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = CASE WHEN SQLERRM LIKE format('shard %s is %%', shard) THEN SQLERRM ELSE format('shard %s: %s', shard, SQLERRM) END,
        DETAIL = 'The call goes on with the other shards.';
END
$$;
COMMENT ON FUNCTION companion_router.pass_over(integer, text, text, text, text) IS
'A shard has failed in a call for many: says so in a WARNING, so that it goes on with the others; but raises what is wrong with the call itself (SQLSTATEs of classes 22 and 42). Internal.';

CREATE FUNCTION companion_router.fail_all(failed text[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF failed IS NULL THEN
        RAISE EXCEPTION 'no shard is on'
        USING ERRCODE = 'cannot_connect_now', HINT = 'Nothing was done. Call again.';
    END IF;
    PERFORM companion_router.fail(failed[1], failed[2], failed[3], failed[4]);
END
$$;
COMMENT ON FUNCTION companion_router.fail_all(text[]) IS
'Raises the last error of a call that no shard has answered. Internal.';

CREATE FUNCTION companion_router.refuse(name text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'companion.%() is not routed', name
    USING ERRCODE = 'feature_not_supported', HINT = 'Call it on each shard.';
END
$$;
COMMENT ON FUNCTION companion_router.refuse(text) IS 'Raises 0A000, for a function that the router does not route. Internal.';

-- Which shard a call goes to.

CREATE FUNCTION companion_router.server(shard integer) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    state text := (SELECT s.state FROM companion_router.shards AS s WHERE s.number = shard);
BEGIN
    IF state = 'on' THEN
        RETURN 'companion_shard_' || shard;
    END IF;
    RAISE EXCEPTION 'shard % is %', shard, coalesce(state, 'not there')
    USING ERRCODE = 'cannot_connect_now', HINT = 'Nothing was done. Call again.';
END
$$;
COMMENT ON FUNCTION companion_router.server(integer) IS
'The foreign server of a shard; error 57P03 unless it is on. Internal.';

CREATE FUNCTION companion_router.number_of(user_id uuid) RETURNS integer
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    shards integer := (SELECT c.shards FROM companion_router.shard_count AS c);
BEGIN
    IF shards IS NULL THEN
        RAISE EXCEPTION 'the router has no shard'
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT companion_router.add_shard(0, ''host=... dbname=...'')';
    END IF;
    RETURN coalesce(companion.shard_of(user_id, shards), 0);
END
$$;
COMMENT ON FUNCTION companion_router.number_of(uuid) IS
'The shard of a user; 0, which answers as any would, for NULL. Error 55000 where there is no shard. Internal.';

CREATE FUNCTION companion_router.server(user_id uuid) RETURNS text
LANGUAGE sql STABLE
RETURN companion_router.server(companion_router.number_of(user_id));
COMMENT ON FUNCTION companion_router.server(uuid) IS 'The foreign server of a user''s shard. Internal.';

CREATE FUNCTION companion_router.in_turn() RETURNS SETOF integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH standing AS (
        SELECT s.number, row_number() OVER (ORDER BY s.number) AS place, count(*) OVER () AS shards
        FROM companion_router.shards AS s WHERE s.state = 'on'),
    first AS MATERIALIZED (SELECT nextval('companion_router.turn') AS turn)
    SELECT s.number FROM standing AS s CROSS JOIN first
    ORDER BY (s.place + s.shards - 1 - first.turn % s.shards) % s.shards;
END;
COMMENT ON FUNCTION companion_router.in_turn() IS
'The shards that are on, each call beginning with the next. Internal.';

-- What a shard says of itself, which is asked for while it is added.
CREATE FUNCTION companion_router.introduce(server text) RETURNS TABLE (version text, shard integer, shards integer)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
AS $$
    CLUSTER companion_router.itself($1);
    SELECT * FROM (SELECT (SELECT extversion::text FROM pg_catalog.pg_extension WHERE extname = 'companion')) AS e (version)
        LEFT JOIN (SELECT s.number, s.shards FROM companion.shard AS s) AS s (shard, shards) ON true;
$$;
COMMENT ON FUNCTION companion_router.introduce(text) IS
'What the database behind a foreign server says of itself: the version of its extension, its number, and how many shards there are. Internal.';

CREATE FUNCTION companion_router.itself(name text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN name;
COMMENT ON FUNCTION companion_router.itself(text) IS 'Its argument, for PL/Proxy''s CLUSTER. Internal.';

CREATE FUNCTION companion_router.parse_conninfo(conninfo text, OUT place text, OUT login text, OUT password text)
LANGUAGE plpgsql IMMUTABLE STRICT
AS $$
DECLARE
    pair constant text := $re$([a-z_]+)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s']\S*)$re$;
    setting text[];
    value text;
BEGIN
    IF conninfo !~ format('^\s*(%s\s*)*$', pair) THEN
        RAISE EXCEPTION 'invalid connection string'
        USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Expected settings of libpq: host=... dbname=... user=... password=...';
    END IF;
    FOR setting IN SELECT regexp_matches(conninfo, pair, 'g') LOOP
        value := regexp_replace(CASE left(setting[2], 1) WHEN '''' THEN substr(setting[2], 2, length(setting[2]) - 2)
                                ELSE setting[2] END, $re$\\(.)$re$, $re$\1$re$, 'g');
        CASE setting[1]
            WHEN 'user' THEN login := value;
            WHEN 'password' THEN password := value;
            ELSE place := concat_ws(' ', place, setting[1] || '=' || setting[2]);
        END CASE;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion_router.parse_conninfo(text) IS
'Takes the user and the password out of a connection string of libpq. Error 22023 for one that is none; it is not in the message. Internal.';

CREATE FUNCTION companion_router.put_server(server text, conninfo text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place text;
    login text;
    password text;
BEGIN
    SELECT p.place, p.login, p.password INTO place, login, password FROM companion_router.parse_conninfo(conninfo) AS p;
    -- A host that is not there is to be noticed within seconds, connecting or waiting
    IF place !~ 'tcp_user_timeout' THEN
        place := place || ' tcp_user_timeout=5000 keepalives_idle=5 keepalives_interval=5 keepalives_count=2';
    END IF;
    IF EXISTS (SELECT FROM pg_foreign_server WHERE srvname = server) THEN
        EXECUTE format('ALTER SERVER %I OPTIONS (SET p0 %L)', server, place);
        EXECUTE format('DROP USER MAPPING FOR companion_router_owner SERVER %I', server);
    ELSE
        EXECUTE format('CREATE SERVER %I FOREIGN DATA WRAPPER plproxy OPTIONS (p0 %L)', server, place);
        EXECUTE format('GRANT USAGE ON FOREIGN SERVER %I TO companion_router_owner', server);
    END IF;
    EXECUTE format('CREATE USER MAPPING FOR companion_router_owner SERVER %I OPTIONS (user %L', server, coalesce(login, 'companion_router'))
        || CASE WHEN password IS NULL THEN '' ELSE format(', password %L', password) END || ')';
END
$$;
COMMENT ON FUNCTION companion_router.put_server(text, text) IS
'Makes or changes a foreign server, with the user and the password in its user mapping. Internal.';

CREATE FUNCTION companion_router.check_shard(number integer) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    theirs record;
    expected integer := (SELECT c.shards FROM companion_router.shard_count AS c);
    ours text := (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'companion_router');
    fault text;
    detail text;
    hint text;
BEGIN
    BEGIN
        SELECT * INTO theirs FROM companion_router.introduce('companion_shard_' || number);
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
    END;
    fault := CASE
        WHEN theirs.version IS DISTINCT FROM ours THEN
            format('it has version %s of companion, the router %s', coalesce(theirs.version, 'none'), ours)
        WHEN theirs.shard IS NULL THEN 'it has not been told its number: companion.set_shard()'
        WHEN theirs.shard <> number THEN format('it is shard %s', theirs.shard)
        WHEN theirs.shards <> expected THEN format('it is one of %s, the others are of %s', theirs.shards, expected)
    END;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'the database is not shard %', number
        USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = fault;
    END IF;
    RETURN theirs.shards;
END
$$;
COMMENT ON FUNCTION companion_router.check_shard(integer) IS
'Asks a shard who it is, and returns how many there are; error 55000 for another number, count or version than expected, 08001 where it does not answer. Internal.';

CREATE FUNCTION companion_router.add_shard(number integer, conninfo text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF number IS NULL OR number NOT BETWEEN 0 AND 4095 THEN
        RAISE EXCEPTION 'invalid number of a shard: %', number
        USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Expected 0 to 4095.';
    END IF;
    IF EXISTS (SELECT FROM companion_router.shards AS s WHERE s.number = add_shard.number) THEN
        RAISE EXCEPTION 'shard % is there already', number
        USING ERRCODE = 'duplicate_object', HINT = 'companion_router.alter_shard() says where it is now.';
    END IF;
    PERFORM companion_router.put_server('companion_shard_' || number, conninfo);
    INSERT INTO companion_router.shard_count (shards) VALUES (companion_router.check_shard(number))
    ON CONFLICT (only_row) DO NOTHING;
    INSERT INTO companion_router.shards (number) VALUES (add_shard.number);
END
$$;
COMMENT ON FUNCTION companion_router.add_shard(integer, text) IS
'Adds a shard, which must answer, with this number, the same count as the others and this version of the extension: else error 55000, 08001 where it does not answer. conninfo is libpq''s, and says as whom the router logs in; nobody but superusers reads the password from then on. Error 22023 for a number outside 0 to 4095 and for a conninfo that is none, 42710 for a shard that is there. For superusers.';

CREATE FUNCTION companion_router.alter_shard(number integer, conninfo text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM companion_router.shards AS s WHERE s.number = alter_shard.number) THEN
        RAISE EXCEPTION 'there is no shard %', number
        USING ERRCODE = 'undefined_object', HINT = 'companion_router.add_shard() adds one.';
    END IF;
    PERFORM companion_router.put_server('companion_shard_' || number, conninfo);
    PERFORM companion_router.check_shard(number);
    UPDATE companion_router.shards AS s SET state = 'on' WHERE s.number = alter_shard.number;
END
$$;
COMMENT ON FUNCTION companion_router.alter_shard(integer, text) IS
'Says where a shard is now, and that it is on. Errors as of add_shard; 42704 where there is none of the number. For superusers.';

CREATE FUNCTION companion_router.set_state(number integer, state text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF state IS NULL OR state NOT IN ('on', 'moving', 'off') THEN
        RAISE EXCEPTION 'invalid state of a shard: %', state
        USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Expected on, moving or off.';
    END IF;
    UPDATE companion_router.shards AS s SET state = set_state.state WHERE s.number = set_state.number;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no shard %', number USING ERRCODE = 'undefined_object';
    END IF;
END
$$;
COMMENT ON FUNCTION companion_router.set_state(integer, text) IS
'Sets a shard on, moving or off. Error 22023 for another state, 42704 for another shard. For superusers.';

CREATE FUNCTION companion_router.uuid_in(value text) RETURNS uuid
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN value ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN value::uuid END;
COMMENT ON FUNCTION companion_router.uuid_in(text) IS 'A text that is an id as one; NULL for another. Internal.';
-- Written by script/docs from the catalog of the extension companion: the same functions, each run on the shard
-- that has the user. Change router/generate.sql, not this.

-- Rows as the functions return them.
CREATE TYPE companion.context_item AS (
    user_id uuid,
    id uuid,
    category text,
    key text,
    value text,
    importance real,
    emotional_valence smallint,
    source text,
    source_message_id uuid,
    metadata jsonb,
    pinned boolean,
    expires_at timestamp with time zone,
    resolved_at timestamp with time zone,
    confirmations integer,
    confirmed_at timestamp with time zone,
    last_referenced_at timestamp with time zone,
    value_since timestamp with time zone,
    previous_value text,
    previous_source text,
    previous_since timestamp with time zone,
    contradicted_by text,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    last_used_at timestamp with time zone
);
COMMENT ON TYPE companion.context_item IS '    user_id uuid,
    id uuid,
    category text,
    key text,
    value text,
    importance real,
    emotional_valence smallint,
    source text,
    source_message_id uuid,
    metadata jsonb,
    pinned boolean,
    expires_at timestamp with time zone,
    resolved_at timestamp with time zone,
    confirmations integer,
    confirmed_at timestamp with time zone,
    last_referenced_at timestamp with time zone,
    value_since timestamp with time zone,
    previous_value text,
    previous_source text,
    previous_since timestamp with time zone,
    contradicted_by text,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    last_used_at timestamp with time zone';
CREATE TYPE companion.message AS (
    user_id uuid,
    id uuid,
    conversation_id uuid,
    role text,
    content text,
    telegram_message_id bigint,
    reply_to_id uuid,
    edited_at timestamp with time zone,
    metadata jsonb,
    created_at timestamp with time zone,
    external_id text,
    channel text,
    bot text,
    address text
);
COMMENT ON TYPE companion.message IS '    user_id uuid,
    id uuid,
    conversation_id uuid,
    role text,
    content text,
    telegram_message_id bigint,
    reply_to_id uuid,
    edited_at timestamp with time zone,
    metadata jsonb,
    created_at timestamp with time zone,
    external_id text,
    channel text,
    bot text,
    address text';
CREATE TYPE companion.users AS (
    id uuid,
    email text,
    display_name text,
    companion_name text,
    support_style text,
    timezone text,
    checkin_time time without time zone,
    checkin_days smallint[],
    checkin_paused_until timestamp with time zone,
    preferred_channel text,
    telegram_user_id bigint,
    telegram_username text,
    telegram_linked_at timestamp with time zone,
    whatsapp_number text,
    subscription_status text,
    subscription_expires_at timestamp with time zone,
    preferences jsonb,
    location text,
    onboarding_completed_at timestamp with time zone,
    last_user_message_at timestamp with time zone,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    suspended_until timestamp with time zone,
    usable_addresses text[],
    app_data jsonb,
    quiet_from time without time zone,
    quiet_until time without time zone
);
COMMENT ON TYPE companion.users IS '    id uuid,
    email text,
    display_name text,
    companion_name text,
    support_style text,
    timezone text,
    checkin_time time without time zone,
    checkin_days smallint[],
    checkin_paused_until timestamp with time zone,
    preferred_channel text,
    telegram_user_id bigint,
    telegram_username text,
    telegram_linked_at timestamp with time zone,
    whatsapp_number text,
    subscription_status text,
    subscription_expires_at timestamp with time zone,
    preferences jsonb,
    location text,
    onboarding_completed_at timestamp with time zone,
    last_user_message_at timestamp with time zone,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    suspended_until timestamp with time zone,
    usable_addresses text[],
    app_data jsonb,
    quiet_from time without time zone,
    quiet_until time without time zone';

-- Calls to a shard, as a role. Below warning is but that PL/Proxy drops a connection on which an error has come.
CREATE FUNCTION companion_as_admin.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint, text, text, text, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.add_message(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::uuid, $3::text, $4::text, $5::bigint, $6::uuid, $7::jsonb, $8::bigint, $9::text, $10::text, $11::text, $12::text);
$$;
CREATE FUNCTION companion_as_worker.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint, text, text, text, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.add_message(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::text, $4::text, $5::bigint, $6::uuid, $7::jsonb, $8::bigint, $9::text, $10::text, $11::text, $12::text);
$$;
CREATE FUNCTION companion_as_user.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint, text, text, text, text, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.add_message(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $13::text, true) IS NOT NULL THEN $1::uuid END, $2::uuid, $3::text, $4::text, $5::bigint, $6::uuid, $7::jsonb, $8::bigint, $9::text, $10::text, $11::text, $12::text);
$$;
CREATE FUNCTION companion_as_admin.advance_onboarding(uuid, text, jsonb) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.advance_onboarding(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::jsonb);
$$;
CREATE FUNCTION companion_as_worker.advance_onboarding(uuid, text, jsonb) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.advance_onboarding(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::jsonb);
$$;
CREATE FUNCTION companion_as_user.advance_onboarding(uuid, text, jsonb, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.advance_onboarding(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $1::uuid END, $2::text, $3::jsonb);
$$;
CREATE FUNCTION companion_as_admin.annotate_message(uuid, uuid, integer, text, jsonb) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.annotate_message(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::uuid, $3::integer, $4::text, $5::jsonb);
$$;
CREATE FUNCTION companion_as_worker.annotate_message(uuid, uuid, integer, text, jsonb) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.annotate_message(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::integer, $4::text, $5::jsonb);
$$;
CREATE FUNCTION companion_as_admin.apply_retention(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.apply_retention(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::integer END);
$$;
CREATE FUNCTION companion_as_admin.cancel_message(uuid, uuid, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cancel_message(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::uuid, $3::text, $4::text);
$$;
CREATE FUNCTION companion_as_worker.cancel_message(uuid, uuid, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cancel_message(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::text, $4::text);
$$;
CREATE FUNCTION companion_as_user.cancel_message(uuid, uuid, text, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cancel_message(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $5::text, true) IS NOT NULL THEN $1::uuid END, $2::uuid, $3::text, $4::text);
$$;
CREATE FUNCTION companion_as_admin.cancel_messages(uuid, text, text) RETURNS integer
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cancel_messages(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_worker.cancel_messages(uuid, text, text) RETURNS integer
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cancel_messages(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_user.cancel_messages(uuid, text, text, text) RETURNS integer
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cancel_messages(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $1::uuid END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_admin.canonical_timezone(integer, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.canonical_timezone(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END);
$$;
CREATE FUNCTION companion_as_worker.canonical_timezone(integer, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.canonical_timezone(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END);
$$;
CREATE FUNCTION companion_as_user.canonical_timezone(integer, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.canonical_timezone(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $3::text, true) IS NOT NULL THEN $2::text END);
$$;
CREATE FUNCTION companion_as_admin.checkin_instant(integer, text, date, time without time zone) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.checkin_instant(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END, $3::date, $4::time without time zone);
$$;
CREATE FUNCTION companion_as_worker.checkin_instant(integer, text, date, time without time zone) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.checkin_instant(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END, $3::date, $4::time without time zone);
$$;
CREATE FUNCTION companion_as_user.checkin_instant(integer, text, date, time without time zone, text) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.checkin_instant(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $5::text, true) IS NOT NULL THEN $2::text END, $3::date, $4::time without time zone);
$$;
CREATE FUNCTION companion_as_worker.claim_messages(integer, text, integer, interval, text[], text[]) RETURNS TABLE(user_id uuid, message_id uuid, attempt integer, kind text, local_date date, scheduled_for timestamp with time zone, late_by interval, channel text, address text, display_name text, companion_name text, support_style text, timezone text, content text, generation_context jsonb, bot text, addresses text[], longest_text integer, send_before timestamp with time zone, tries integer, location text, preferences jsonb, email text, priority_level smallint, topic_key text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.claim_messages(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END, $3::integer, $4::interval, $5::text[], $6::text[]);
$$;
CREATE FUNCTION companion_as_admin.close_conversation(uuid, uuid, text, text[]) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.close_conversation(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::uuid, $3::text, $4::text[]);
$$;
CREATE FUNCTION companion_as_worker.close_conversation(uuid, uuid, text, text[]) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.close_conversation(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::text, $4::text[]);
$$;
CREATE FUNCTION companion_as_admin.complete_onboarding(uuid) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.complete_onboarding(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_worker.complete_onboarding(uuid) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.complete_onboarding(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_user.complete_onboarding(uuid, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.complete_onboarding(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $2::text, true) IS NOT NULL THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_admin.cosine_similarity(integer, real[], real[]) RETURNS double precision
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cosine_similarity(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::real[] END, $3::real[]);
$$;
CREATE FUNCTION companion_as_worker.cosine_similarity(integer, real[], real[]) RETURNS double precision
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cosine_similarity(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::real[] END, $3::real[]);
$$;
CREATE FUNCTION companion_as_user.cosine_similarity(integer, real[], real[], text) RETURNS double precision
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cosine_similarity(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $2::real[] END, $3::real[]);
$$;
CREATE FUNCTION companion_as_admin.create_telegram_link_token(uuid, interval, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.create_telegram_link_token(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::interval, $3::text);
$$;
CREATE FUNCTION companion_as_worker.create_telegram_link_token(uuid, interval, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.create_telegram_link_token(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::interval, $3::text);
$$;
CREATE FUNCTION companion_as_user.create_telegram_link_token(uuid, interval, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.create_telegram_link_token(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $1::uuid END, $2::interval, $3::text);
$$;
CREATE FUNCTION companion_as_admin.delete_message(uuid, uuid, boolean) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.delete_message(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::uuid, $3::boolean);
$$;
CREATE FUNCTION companion_as_worker.delete_message(uuid, uuid, boolean) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.delete_message(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::boolean);
$$;
CREATE FUNCTION companion_as_user.delete_message(uuid, uuid, boolean, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.delete_message(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $1::uuid END, $2::uuid, $3::boolean);
$$;
CREATE FUNCTION companion_as_admin.directory_change_done(uuid, uuid) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.directory_change_done(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::uuid);
$$;
CREATE FUNCTION companion_as_worker.directory_change_done(uuid, uuid) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.directory_change_done(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid);
$$;
CREATE FUNCTION companion_as_admin.directory_confirm(uuid, text, text, text, bigint) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER 'companion_directory';
    SELECT companion.directory_confirm(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::text, $5::bigint);
$$;
CREATE FUNCTION companion_as_worker.directory_confirm(uuid, text, text, text, bigint) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER 'companion_directory';
    SELECT companion.directory_confirm(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::text, $5::bigint);
$$;
CREATE FUNCTION companion_as_admin.directory_lookup(text, text, text) RETURNS TABLE(user_id uuid, shard integer, found_bot text, reservation bigint, expires_at timestamp with time zone, is_confirmed boolean)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER 'companion_directory';
    SELECT * FROM companion.directory_lookup(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::text END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_worker.directory_lookup(text, text, text) RETURNS TABLE(user_id uuid, shard integer, found_bot text, reservation bigint, expires_at timestamp with time zone, is_confirmed boolean)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER 'companion_directory';
    SELECT * FROM companion.directory_lookup(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::text END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_admin.directory_release(text, text, text, bigint) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER 'companion_directory';
    SELECT companion.directory_release(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::text END, $2::text, $3::text, $4::bigint);
$$;
CREATE FUNCTION companion_as_worker.directory_release(text, text, text, bigint) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER 'companion_directory';
    SELECT companion.directory_release(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::text END, $2::text, $3::text, $4::bigint);
$$;
CREATE FUNCTION companion_as_admin.directory_reserve(uuid, text, text, text) RETURNS TABLE(outcome text, owner uuid, reservation bigint, expires_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER 'companion_directory';
    SELECT * FROM companion.directory_reserve(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::text);
$$;
CREATE FUNCTION companion_as_worker.directory_reserve(uuid, text, text, text) RETURNS TABLE(outcome text, owner uuid, reservation bigint, expires_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER 'companion_directory';
    SELECT * FROM companion.directory_reserve(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::text);
$$;
CREATE FUNCTION companion_as_admin.disable_address(uuid, text, text, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.disable_address(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::text, $5::text);
$$;
CREATE FUNCTION companion_as_worker.disable_address(uuid, text, text, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.disable_address(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::text, $5::text);
$$;
CREATE FUNCTION companion_as_admin.dispatch(integer, timestamp with time zone, integer) RETURNS integer
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.dispatch(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN coalesce($2::timestamp with time zone, companion.now()) END, $3::integer);
$$;
CREATE FUNCTION companion_as_worker.dispatch(integer, timestamp with time zone, integer) RETURNS integer
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.dispatch(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN coalesce($2::timestamp with time zone, companion.now()) END, $3::integer);
$$;
CREATE FUNCTION companion_as_admin.dispatch_batch(integer, timestamp with time zone, integer) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.dispatch_batch(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN coalesce($2::timestamp with time zone, companion.now()) END, $3::integer);
$$;
CREATE FUNCTION companion_as_worker.dispatch_batch(integer, timestamp with time zone, integer) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.dispatch_batch(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN coalesce($2::timestamp with time zone, companion.now()) END, $3::integer);
$$;
CREATE FUNCTION companion_as_admin.due_follow_ups(uuid, date) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.due_follow_ups(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::date);
$$;
CREATE FUNCTION companion_as_worker.due_follow_ups(uuid, date) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.due_follow_ups(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::date);
$$;
CREATE FUNCTION companion_as_user.due_follow_ups(uuid, date, text) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.due_follow_ups(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $3::text, true) IS NOT NULL THEN $1::uuid END, $2::date);
$$;
CREATE FUNCTION companion_as_admin.due_follow_ups_all(integer, integer) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.due_follow_ups_all(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::integer END);
$$;
CREATE FUNCTION companion_as_worker.due_follow_ups_all(integer, integer) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.due_follow_ups_all(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::integer END);
$$;
CREATE FUNCTION companion_as_admin.edit_message(uuid, uuid, text, bigint, text, text, text, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.edit_message(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::uuid, $3::text, $4::bigint, $5::text, $6::text, $7::text, $8::text);
$$;
CREATE FUNCTION companion_as_worker.edit_message(uuid, uuid, text, bigint, text, text, text, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.edit_message(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::text, $4::bigint, $5::text, $6::text, $7::text, $8::text);
$$;
CREATE FUNCTION companion_as_admin.end_of_day(uuid, date) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.end_of_day(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::date);
$$;
CREATE FUNCTION companion_as_worker.end_of_day(uuid, date) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.end_of_day(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::date);
$$;
CREATE FUNCTION companion_as_user.end_of_day(uuid, date, text) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.end_of_day(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $3::text, true) IS NOT NULL THEN $1::uuid END, $2::date);
$$;
CREATE FUNCTION companion_as_admin.erase_user(uuid) RETURNS jsonb
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.erase_user(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_user.erase_user(uuid, text) RETURNS jsonb
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.erase_user(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $2::text, true) IS NOT NULL THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_admin.expire_addresses(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_addresses(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::integer END);
$$;
CREATE FUNCTION companion_as_admin.expire_cap_starts(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_cap_starts(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::integer END);
$$;
CREATE FUNCTION companion_as_admin.expire_early_edits(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_early_edits(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::integer END);
$$;
CREATE FUNCTION companion_as_admin.expire_job_runs(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_job_runs(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::integer END);
$$;
CREATE FUNCTION companion_as_admin.expire_messages(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_messages(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::integer END);
$$;
CREATE FUNCTION companion_as_admin.expire_reservations(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_reservations(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::integer END);
$$;
CREATE FUNCTION companion_as_admin.expire_telegram_link_tokens(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_telegram_link_tokens(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::integer END);
$$;
CREATE FUNCTION companion_as_admin.expire_user_context(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_user_context(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::integer END);
$$;
CREATE FUNCTION companion_as_admin.explain_checkin(uuid, date) RETURNS TABLE(rule text, holds boolean, detail text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.explain_checkin(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::date);
$$;
CREATE FUNCTION companion_as_worker.explain_checkin(uuid, date) RETURNS TABLE(rule text, holds boolean, detail text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.explain_checkin(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::date);
$$;
CREATE FUNCTION companion_as_user.explain_checkin(uuid, date, text) RETURNS TABLE(rule text, holds boolean, detail text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.explain_checkin(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $3::text, true) IS NOT NULL THEN $1::uuid END, $2::date);
$$;
CREATE FUNCTION companion_as_admin.export_user(uuid) RETURNS jsonb
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.export_user(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_user.export_user(uuid, text) RETURNS jsonb
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.export_user(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $2::text, true) IS NOT NULL THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_worker.extend_lease(uuid, uuid, integer, interval) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.extend_lease(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::integer, $4::interval);
$$;
CREATE FUNCTION companion_as_worker.extend_lease_many(integer, uuid[], uuid[], integer[], interval) RETURNS boolean[]
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.extend_lease_many(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::uuid[] END, $3::uuid[], $4::integer[], $5::interval);
$$;
CREATE FUNCTION companion_as_admin.finish_abandoned(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.finish_abandoned(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::integer END);
$$;
CREATE FUNCTION companion_as_admin.folded(integer, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.folded(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END);
$$;
CREATE FUNCTION companion_as_worker.folded(integer, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.folded(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END);
$$;
CREATE FUNCTION companion_as_user.folded(integer, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.folded(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $3::text, true) IS NOT NULL THEN $2::text END);
$$;
CREATE FUNCTION companion_as_admin.forget_redeem_failures(integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN companion.forget_redeem_failures() END;
$$;
CREATE FUNCTION companion_as_admin.forget_user_context(uuid, text, text) RETURNS TABLE(items bigint, history bigint)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.forget_user_context(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_worker.forget_user_context(uuid, text, text) RETURNS TABLE(items bigint, history bigint)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.forget_user_context(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_user.forget_user_context(uuid, text, text, text) RETURNS TABLE(items bigint, history bigint)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.forget_user_context(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $1::uuid END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_admin.health(integer, interval) RETURNS TABLE("check" text, ok boolean, value double precision, detail text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.health(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::interval END);
$$;
CREATE FUNCTION companion_as_monitor.health(integer, interval) RETURNS TABLE("check" text, ok boolean, value double precision, detail text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.health(CASE WHEN set_config('role', 'companion_monitor', true) <> '' THEN $2::interval END);
$$;
CREATE FUNCTION companion_as_admin.import_conversations(integer, jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.import_conversations(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::jsonb END);
$$;
CREATE FUNCTION companion_as_admin.import_messages(integer, jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.import_messages(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::jsonb END);
$$;
CREATE FUNCTION companion_as_admin.import_scheduled_messages(integer, jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.import_scheduled_messages(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::jsonb END);
$$;
CREATE FUNCTION companion_as_admin.import_user_context(integer, jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.import_user_context(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::jsonb END);
$$;
CREATE FUNCTION companion_as_admin.import_users(integer, jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.import_users(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::jsonb END);
$$;
CREATE FUNCTION companion_as_admin.imported_id(uuid, text, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.imported_id(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_worker.imported_id(uuid, text, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.imported_id(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_admin.is_same_text(integer, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.is_same_text(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END, $3::text);
$$;
CREATE FUNCTION companion_as_worker.is_same_text(integer, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.is_same_text(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END, $3::text);
$$;
CREATE FUNCTION companion_as_user.is_same_text(integer, text, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.is_same_text(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $2::text END, $3::text);
$$;
CREATE FUNCTION companion_as_admin.items_without_embedding(integer, text, integer, uuid) RETURNS TABLE(user_id uuid, item_id uuid, category text, key text, value text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.items_without_embedding(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END, $3::integer, $4::uuid);
$$;
CREATE FUNCTION companion_as_worker.items_without_embedding(integer, text, integer, uuid) RETURNS TABLE(user_id uuid, item_id uuid, category text, key text, value text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.items_without_embedding(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END, $3::integer, $4::uuid);
$$;
CREATE FUNCTION companion_as_admin.link_address(integer, uuid, text, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.link_address(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::uuid END, $3::text, $4::text, $5::text);
$$;
CREATE FUNCTION companion_as_worker.link_address(integer, uuid, text, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.link_address(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::uuid END, $3::text, $4::text, $5::text);
$$;
CREATE FUNCTION companion_as_admin.link_token_owner(integer, text, text) RETURNS TABLE(user_id uuid, for_bot text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.link_token_owner(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END, $3::text);
$$;
CREATE FUNCTION companion_as_worker.link_token_owner(integer, text, text) RETURNS TABLE(user_id uuid, for_bot text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.link_token_owner(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END, $3::text);
$$;
CREATE FUNCTION companion_as_admin.link_wanted_address(uuid, uuid, bigint, timestamp with time zone) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.link_wanted_address(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::uuid, $3::bigint, $4::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_worker.link_wanted_address(uuid, uuid, bigint, timestamp with time zone) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.link_wanted_address(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::bigint, $4::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_admin.local_timestamp(integer, text, timestamp with time zone) RETURNS timestamp without time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.local_timestamp(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END, $3::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_worker.local_timestamp(integer, text, timestamp with time zone) RETURNS timestamp without time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.local_timestamp(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END, $3::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_user.local_timestamp(integer, text, timestamp with time zone, text) RETURNS timestamp without time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.local_timestamp(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $2::text END, $3::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_worker.mark_failed(uuid, uuid, integer, text, interval, boolean, boolean) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.mark_failed(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::integer, $4::text, $5::interval, $6::boolean, $7::boolean);
$$;
CREATE FUNCTION companion_as_worker.mark_failed_many(integer, uuid[], uuid[], integer[], text[], interval, boolean, boolean) RETURNS boolean[]
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.mark_failed_many(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::uuid[] END, $3::uuid[], $4::integer[], $5::text[], $6::interval, $7::boolean, $8::boolean);
$$;
CREATE FUNCTION companion_as_worker.mark_sent(uuid, uuid, integer, text, bigint, text, jsonb, uuid[]) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.mark_sent(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::integer, $4::text, $5::bigint, $6::text, $7::jsonb, $8::uuid[]);
$$;
CREATE FUNCTION companion_as_worker.mark_sent_many(integer, uuid[], uuid[], integer[], text[], bigint[], text[], jsonb[], uuid[]) RETURNS boolean[]
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.mark_sent_many(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::uuid[] END, $3::uuid[], $4::integer[], $5::text[], $6::bigint[], $7::text[], $8::jsonb[], $9::uuid[]);
$$;
CREATE FUNCTION companion_as_worker.mark_skipped(uuid, uuid, integer, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.mark_skipped(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::integer, $4::text);
$$;
CREATE FUNCTION companion_as_worker.mark_skipped_many(integer, uuid[], uuid[], integer[], text[]) RETURNS boolean[]
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.mark_skipped_many(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::uuid[] END, $3::uuid[], $4::integer[], $5::text[]);
$$;
CREATE FUNCTION companion_as_admin.memory_report(uuid) RETURNS TABLE(category text, key text, value text, since timestamp with time zone, source text, words text, said_at timestamp with time zone, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.memory_report(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_worker.memory_report(uuid) RETURNS TABLE(category text, key text, value text, since timestamp with time zone, source text, words text, said_at timestamp with time zone, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.memory_report(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_user.memory_report(uuid, text) RETURNS TABLE(category text, key text, value text, since timestamp with time zone, source text, words text, said_at timestamp with time zone, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.memory_report(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $2::text, true) IS NOT NULL THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_admin.merge_context_items(integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN companion.merge_context_items() END;
$$;
CREATE FUNCTION companion_as_admin.metrics(integer) RETURNS TABLE(name text, labels jsonb, value double precision)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT r.* FROM (SELECT set_config('role', 'companion_admin', true) <> '') AS a (acts) CROSS JOIN LATERAL (SELECT * FROM companion.metrics() WHERE a.acts OFFSET 0) AS r;
$$;
CREATE FUNCTION companion_as_monitor.metrics(integer) RETURNS TABLE(name text, labels jsonb, value double precision)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT r.* FROM (SELECT set_config('role', 'companion_monitor', true) <> '') AS a (acts) CROSS JOIN LATERAL (SELECT * FROM companion.metrics() WHERE a.acts OFFSET 0) AS r;
$$;
CREATE FUNCTION companion_as_admin.new_user_id(integer) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN companion.new_user_id() END;
$$;
CREATE FUNCTION companion_as_worker.new_user_id(integer) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN companion.new_user_id() END;
$$;
CREATE FUNCTION companion_as_user.new_user_id(integer, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $2::text, true) IS NOT NULL THEN companion.new_user_id() END;
$$;
CREATE FUNCTION companion_as_admin.next_checkin(uuid, timestamp with time zone) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.next_checkin(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, coalesce($2::timestamp with time zone, companion.now()));
$$;
CREATE FUNCTION companion_as_worker.next_checkin(uuid, timestamp with time zone) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.next_checkin(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, coalesce($2::timestamp with time zone, companion.now()));
$$;
CREATE FUNCTION companion_as_user.next_checkin(uuid, timestamp with time zone, text) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.next_checkin(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $3::text, true) IS NOT NULL THEN $1::uuid END, coalesce($2::timestamp with time zone, companion.now()));
$$;
CREATE FUNCTION companion_as_admin.normalized(integer, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.normalized(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END);
$$;
CREATE FUNCTION companion_as_worker.normalized(integer, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.normalized(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END);
$$;
CREATE FUNCTION companion_as_user.normalized(integer, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.normalized(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $3::text, true) IS NOT NULL THEN $2::text END);
$$;
CREATE FUNCTION companion_as_admin.open_conversation(uuid, text, text, interval) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.open_conversation(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::interval);
$$;
CREATE FUNCTION companion_as_worker.open_conversation(uuid, text, text, interval) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.open_conversation(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::interval);
$$;
CREATE FUNCTION companion_as_user.open_conversation(uuid, text, text, interval, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.open_conversation(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $5::text, true) IS NOT NULL THEN $1::uuid END, $2::text, $3::text, $4::interval);
$$;
CREATE FUNCTION companion_as_admin.pause_sending(integer, text, text, timestamp with time zone, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.pause_sending(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END, $3::text, $4::timestamp with time zone, $5::text);
$$;
CREATE FUNCTION companion_as_admin.put_user(integer, uuid, jsonb) RETURNS companion.users
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.put_user(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::uuid END, $3::jsonb);
$$;
CREATE FUNCTION companion_as_worker.put_user(integer, uuid, jsonb) RETURNS companion.users
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.put_user(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::uuid END, $3::jsonb);
$$;
CREATE FUNCTION companion_as_user.put_user(integer, uuid, jsonb, text) RETURNS companion.users
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.put_user(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $2::uuid END, $3::jsonb);
$$;
CREATE FUNCTION companion_as_admin.quiet_until(integer, text, time without time zone, time without time zone, timestamp with time zone) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.quiet_until(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END, $3::time without time zone, $4::time without time zone, $5::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_worker.quiet_until(integer, text, time without time zone, time without time zone, timestamp with time zone) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.quiet_until(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END, $3::time without time zone, $4::time without time zone, $5::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_user.quiet_until(integer, text, time without time zone, time without time zone, timestamp with time zone, text) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.quiet_until(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $6::text, true) IS NOT NULL THEN $2::text END, $3::time without time zone, $4::time without time zone, $5::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_admin.recall_score(integer, text, real, integer, timestamp with time zone, timestamp with time zone, timestamp with time zone) RETURNS double precision
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.recall_score(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END, $3::real, $4::integer, $5::timestamp with time zone, $6::timestamp with time zone, $7::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_worker.recall_score(integer, text, real, integer, timestamp with time zone, timestamp with time zone, timestamp with time zone) RETURNS double precision
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.recall_score(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END, $3::real, $4::integer, $5::timestamp with time zone, $6::timestamp with time zone, $7::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_user.recall_score(integer, text, real, integer, timestamp with time zone, timestamp with time zone, timestamp with time zone, text) RETURNS double precision
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.recall_score(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $8::text, true) IS NOT NULL THEN $2::text END, $3::real, $4::integer, $5::timestamp with time zone, $6::timestamp with time zone, $7::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_admin.recall_user_context(uuid, integer, integer, text[], text[], real[], real, text) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.recall_user_context(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::integer, $3::integer, $4::text[], $5::text[], $6::real[], $7::real, $8::text);
$$;
CREATE FUNCTION companion_as_worker.recall_user_context(uuid, integer, integer, text[], text[], real[], real, text) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.recall_user_context(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::integer, $3::integer, $4::text[], $5::text[], $6::real[], $7::real, $8::text);
$$;
CREATE FUNCTION companion_as_user.recall_user_context(uuid, integer, integer, text[], text[], real[], real, text, text) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.recall_user_context(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $9::text, true) IS NOT NULL THEN $1::uuid END, $2::integer, $3::integer, $4::text[], $5::text[], $6::real[], $7::real, $8::text);
$$;
CREATE FUNCTION companion_as_admin.recent_messages(uuid, integer, uuid, uuid) RETURNS SETOF companion.message
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.recent_messages(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::integer, $3::uuid, $4::uuid);
$$;
CREATE FUNCTION companion_as_worker.recent_messages(uuid, integer, uuid, uuid) RETURNS SETOF companion.message
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.recent_messages(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::integer, $3::uuid, $4::uuid);
$$;
CREATE FUNCTION companion_as_user.recent_messages(uuid, integer, uuid, uuid, text) RETURNS SETOF companion.message
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.recent_messages(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $5::text, true) IS NOT NULL THEN $1::uuid END, $2::integer, $3::uuid, $4::uuid);
$$;
CREATE FUNCTION companion_as_admin.record_incoming(integer, text, text, text, bigint, bigint, jsonb, interval, text, text, text) RETURNS TABLE(user_id uuid, conversation_id uuid, message_id uuid, is_new boolean, cancelled integer)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.record_incoming(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END, $3::text, $4::text, $5::bigint, $6::bigint, $7::jsonb, $8::interval, $9::text, $10::text, $11::text);
$$;
CREATE FUNCTION companion_as_worker.record_incoming(integer, text, text, text, bigint, bigint, jsonb, interval, text, text, text) RETURNS TABLE(user_id uuid, conversation_id uuid, message_id uuid, is_new boolean, cancelled integer)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.record_incoming(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END, $3::text, $4::text, $5::bigint, $6::bigint, $7::jsonb, $8::interval, $9::text, $10::text, $11::text);
$$;
CREATE FUNCTION companion_as_worker.redeem_telegram_link_token(integer, text, bigint, text, text) RETURNS TABLE(outcome text, user_id uuid)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.redeem_telegram_link_token(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END, $3::bigint, $4::text, $5::text);
$$;
CREATE FUNCTION companion_as_worker.release_message(uuid, uuid, integer) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.release_message(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::integer);
$$;
CREATE FUNCTION companion_as_worker.release_message_many(integer, uuid[], uuid[], integer[]) RETURNS boolean[]
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.release_message_many(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::uuid[] END, $3::uuid[], $4::integer[]);
$$;
CREATE FUNCTION companion_as_admin.reschedule_message(uuid, uuid, timestamp with time zone) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.reschedule_message(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::uuid, $3::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_worker.reschedule_message(uuid, uuid, timestamp with time zone) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.reschedule_message(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_admin.resolve_user_context(uuid, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.resolve_user_context(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_worker.resolve_user_context(uuid, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.resolve_user_context(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_user.resolve_user_context(uuid, text, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.resolve_user_context(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $1::uuid END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_admin.resume_sending(integer, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.resume_sending(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END, $3::text);
$$;
CREATE FUNCTION companion_as_admin.retry_failed(integer, timestamp with time zone, text, text[]) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.retry_failed(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::timestamp with time zone END, $3::text, $4::text[]);
$$;
CREATE FUNCTION companion_as_admin.retry_message(uuid, uuid, timestamp with time zone) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.retry_message(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::uuid, $3::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_worker.retry_message(uuid, uuid, timestamp with time zone) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.retry_message(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_admin.revoke_telegram_link_tokens(uuid) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.revoke_telegram_link_tokens(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_worker.revoke_telegram_link_tokens(uuid) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.revoke_telegram_link_tokens(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_user.revoke_telegram_link_tokens(uuid, text) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.revoke_telegram_link_tokens(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $2::text, true) IS NOT NULL THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_admin.rewind_dispatch(integer, timestamp with time zone) RETURNS void
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.rewind_dispatch(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::timestamp with time zone END);
$$;
CREATE FUNCTION companion_as_admin.run_maintenance(integer) RETURNS TABLE(task text, affected bigint)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT r.* FROM (SELECT set_config('role', 'companion_admin', true) <> '') AS a (acts) CROSS JOIN LATERAL (SELECT * FROM companion.run_maintenance() WHERE a.acts OFFSET 0) AS r;
$$;
CREATE FUNCTION companion_as_admin.schedule_message(uuid, timestamp with time zone, text, text, text, text, jsonb, timestamp with time zone, boolean, boolean, integer, text, jsonb) RETURNS TABLE(message_id uuid, created boolean)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.schedule_message(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::timestamp with time zone, $3::text, $4::text, $5::text, $6::text, $7::jsonb, $8::timestamp with time zone, $9::boolean, $10::boolean, $11::integer, $12::text, $13::jsonb);
$$;
CREATE FUNCTION companion_as_worker.schedule_message(uuid, timestamp with time zone, text, text, text, text, jsonb, timestamp with time zone, boolean, boolean, integer, text, jsonb) RETURNS TABLE(message_id uuid, created boolean)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.schedule_message(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::timestamp with time zone, $3::text, $4::text, $5::text, $6::text, $7::jsonb, $8::timestamp with time zone, $9::boolean, $10::boolean, $11::integer, $12::text, $13::jsonb);
$$;
CREATE FUNCTION companion_as_admin.search_messages(uuid, text, integer) RETURNS TABLE(message_id uuid, conversation_id uuid, role text, excerpt text, rank real, created_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.search_messages(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::integer);
$$;
CREATE FUNCTION companion_as_worker.search_messages(uuid, text, integer) RETURNS TABLE(message_id uuid, conversation_id uuid, role text, excerpt text, rank real, created_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.search_messages(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::integer);
$$;
CREATE FUNCTION companion_as_user.search_messages(uuid, text, integer, text) RETURNS TABLE(message_id uuid, conversation_id uuid, role text, excerpt text, rank real, created_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.search_messages(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $1::uuid END, $2::text, $3::integer);
$$;
CREATE FUNCTION companion_as_admin.sent_today(uuid, text, timestamp with time zone) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.sent_today(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, coalesce($3::timestamp with time zone, companion.now()));
$$;
CREATE FUNCTION companion_as_worker.sent_today(uuid, text, timestamp with time zone) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.sent_today(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, coalesce($3::timestamp with time zone, companion.now()));
$$;
CREATE FUNCTION companion_as_user.sent_today(uuid, text, timestamp with time zone, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.sent_today(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $1::uuid END, $2::text, coalesce($3::timestamp with time zone, companion.now()));
$$;
CREATE FUNCTION companion_as_admin.set_embedding(uuid, uuid, text, real[], text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.set_embedding(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::uuid, $3::text, $4::real[], $5::text);
$$;
CREATE FUNCTION companion_as_worker.set_embedding(uuid, uuid, text, real[], text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.set_embedding(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::text, $4::real[], $5::text);
$$;
CREATE FUNCTION companion_as_admin.settle_reservation(uuid, text, text, text, bigint, timestamp with time zone) RETURNS TABLE(outcome text, owner uuid)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.settle_reservation(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::text, $5::bigint, $6::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_worker.settle_reservation(uuid, text, text, text, bigint, timestamp with time zone) RETURNS TABLE(outcome text, owner uuid)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.settle_reservation(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::text, $5::bigint, $6::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_admin.start_onboarding(uuid) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.start_onboarding(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_worker.start_onboarding(uuid) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.start_onboarding(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_user.start_onboarding(uuid, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.start_onboarding(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $2::text, true) IS NOT NULL THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_worker.start_send(uuid, uuid, integer) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.start_send(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::integer);
$$;
CREATE FUNCTION companion_as_worker.start_send_many(integer, uuid[], uuid[], integer[]) RETURNS boolean[]
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.start_send_many(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::uuid[] END, $3::uuid[], $4::integer[]);
$$;
CREATE FUNCTION companion_as_admin.take_reservation(uuid, text, text, text, bigint, timestamp with time zone) RETURNS void
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.take_reservation(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::text, $5::bigint, $6::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_worker.take_reservation(uuid, text, text, text, bigint, timestamp with time zone) RETURNS void
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.take_reservation(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::text, $5::bigint, $6::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_admin.telegram_deep_link(integer, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.telegram_deep_link(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END, $3::text);
$$;
CREATE FUNCTION companion_as_worker.telegram_deep_link(integer, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.telegram_deep_link(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END, $3::text);
$$;
CREATE FUNCTION companion_as_user.telegram_deep_link(integer, text, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.telegram_deep_link(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $2::text END, $3::text);
$$;
CREATE FUNCTION companion_as_admin.throttle_channel(integer, text, interval, text) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.throttle_channel(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::text END, $3::interval, $4::text);
$$;
CREATE FUNCTION companion_as_worker.throttle_channel(integer, text, interval, text) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.throttle_channel(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::text END, $3::interval, $4::text);
$$;
CREATE FUNCTION companion_as_admin.touch_user_context(uuid, uuid[]) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.touch_user_context(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::uuid[]);
$$;
CREATE FUNCTION companion_as_worker.touch_user_context(uuid, uuid[]) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.touch_user_context(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid[]);
$$;
CREATE FUNCTION companion_as_user.touch_user_context(uuid, uuid[], text) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.touch_user_context(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $3::text, true) IS NOT NULL THEN $1::uuid END, $2::uuid[]);
$$;
CREATE FUNCTION companion_as_admin.unlink_address(uuid, text, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.unlink_address(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::text);
$$;
CREATE FUNCTION companion_as_worker.unlink_address(uuid, text, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.unlink_address(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::text);
$$;
CREATE FUNCTION companion_as_user.unlink_address(uuid, text, text, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.unlink_address(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $5::text, true) IS NOT NULL THEN $1::uuid END, $2::text, $3::text, $4::text);
$$;
CREATE FUNCTION companion_as_admin.unlink_telegram(uuid) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.unlink_telegram(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_worker.unlink_telegram(uuid) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.unlink_telegram(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_user.unlink_telegram(uuid, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.unlink_telegram(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $2::text, true) IS NOT NULL THEN $1::uuid END);
$$;
CREATE FUNCTION companion_as_admin.upcoming(uuid, timestamp with time zone) RETURNS TABLE(message_id uuid, kind text, local_date date, scheduled_for timestamp with time zone, goes_at timestamp with time zone, channel text, address text, reason text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upcoming(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_worker.upcoming(uuid, timestamp with time zone) RETURNS TABLE(message_id uuid, kind text, local_date date, scheduled_for timestamp with time zone, goes_at timestamp with time zone, channel text, address text, reason text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upcoming(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_user.upcoming(uuid, timestamp with time zone, text) RETURNS TABLE(message_id uuid, kind text, local_date date, scheduled_for timestamp with time zone, goes_at timestamp with time zone, channel text, address text, reason text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upcoming(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $3::text, true) IS NOT NULL THEN $1::uuid END, $2::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_admin.update_user_context(uuid, uuid, text, text, real, boolean, timestamp with time zone, jsonb, boolean) RETURNS companion.context_item
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.update_user_context(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::uuid, $3::text, $4::text, $5::real, $6::boolean, $7::timestamp with time zone, $8::jsonb, $9::boolean);
$$;
CREATE FUNCTION companion_as_worker.update_user_context(uuid, uuid, text, text, real, boolean, timestamp with time zone, jsonb, boolean) RETURNS companion.context_item
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.update_user_context(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::uuid, $3::text, $4::text, $5::real, $6::boolean, $7::timestamp with time zone, $8::jsonb, $9::boolean);
$$;
CREATE FUNCTION companion_as_user.update_user_context(uuid, uuid, text, text, real, boolean, timestamp with time zone, jsonb, boolean, text) RETURNS companion.context_item
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.update_user_context(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $10::text, true) IS NOT NULL THEN $1::uuid END, $2::uuid, $3::text, $4::text, $5::real, $6::boolean, $7::timestamp with time zone, $8::jsonb, $9::boolean);
$$;
CREATE FUNCTION companion_as_admin.upsert_user_context(uuid, text, text, text, real, integer, text, timestamp with time zone, uuid, jsonb, boolean) RETURNS companion.context_item
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::text, $5::real, $6::integer, $7::text, $8::timestamp with time zone, $9::uuid, $10::jsonb, $11::boolean);
$$;
CREATE FUNCTION companion_as_worker.upsert_user_context(uuid, text, text, text, real, integer, text, timestamp with time zone, uuid, jsonb, boolean) RETURNS companion.context_item
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::text, $4::text, $5::real, $6::integer, $7::text, $8::timestamp with time zone, $9::uuid, $10::jsonb, $11::boolean);
$$;
CREATE FUNCTION companion_as_user.upsert_user_context(uuid, text, text, text, real, integer, text, timestamp with time zone, uuid, jsonb, boolean, text) RETURNS companion.context_item
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $12::text, true) IS NOT NULL THEN $1::uuid END, $2::text, $3::text, $4::text, $5::real, $6::integer, $7::text, $8::timestamp with time zone, $9::uuid, $10::jsonb, $11::boolean);
$$;
CREATE FUNCTION companion_as_admin.upsert_user_context_many(uuid, jsonb, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance real, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context_many(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::jsonb, $3::text);
$$;
CREATE FUNCTION companion_as_worker.upsert_user_context_many(uuid, jsonb, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance real, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context_many(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::jsonb, $3::text);
$$;
CREATE FUNCTION companion_as_user.upsert_user_context_many(uuid, jsonb, text, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance real, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context_many(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $1::uuid END, $2::jsonb, $3::text);
$$;
CREATE FUNCTION companion_as_admin.upsert_user_context_many(uuid, text, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance real, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context_many(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_worker.upsert_user_context_many(uuid, text, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance real, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context_many(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_user.upsert_user_context_many(uuid, text, text, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance real, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context_many(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $4::text, true) IS NOT NULL THEN $1::uuid END, $2::text, $3::text);
$$;
CREATE FUNCTION companion_as_admin.user_context_as_of(uuid, timestamp with time zone) RETURNS TABLE(category text, key text, value text, source text, held_from timestamp with time zone, held_until timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.user_context_as_of(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_worker.user_context_as_of(uuid, timestamp with time zone) RETURNS TABLE(category text, key text, value text, source text, held_from timestamp with time zone, held_until timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.user_context_as_of(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_user.user_context_as_of(uuid, timestamp with time zone, text) RETURNS TABLE(category text, key text, value text, source text, held_from timestamp with time zone, held_until timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.user_context_as_of(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $3::text, true) IS NOT NULL THEN $1::uuid END, $2::timestamp with time zone);
$$;
CREATE FUNCTION companion_as_admin.user_context_prompt(uuid, integer, integer, text[], text[], real[], real, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.user_context_prompt(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $1::uuid END, $2::integer, $3::integer, $4::text[], $5::text[], $6::real[], $7::real, $8::text);
$$;
CREATE FUNCTION companion_as_worker.user_context_prompt(uuid, integer, integer, text[], text[], real[], real, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.user_context_prompt(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $1::uuid END, $2::integer, $3::integer, $4::text[], $5::text[], $6::real[], $7::real, $8::text);
$$;
CREATE FUNCTION companion_as_user.user_context_prompt(uuid, integer, integer, text[], text[], real[], real, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.user_context_prompt(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $9::text, true) IS NOT NULL THEN $1::uuid END, $2::integer, $3::integer, $4::text[], $5::text[], $6::real[], $7::real, $8::text);
$$;
CREATE FUNCTION companion_as_admin.uuid_v7(integer) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN companion.uuid_v7() END;
$$;
CREATE FUNCTION companion_as_worker.uuid_v7(integer) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN companion.uuid_v7() END;
$$;
CREATE FUNCTION companion_as_user.uuid_v7(integer, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $2::text, true) IS NOT NULL THEN companion.uuid_v7() END;
$$;
CREATE FUNCTION companion_as_admin.uuid_v7(integer, timestamp with time zone) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.uuid_v7(CASE WHEN set_config('role', 'companion_admin', true) <> '' THEN $2::timestamp with time zone END);
$$;
CREATE FUNCTION companion_as_worker.uuid_v7(integer, timestamp with time zone) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.uuid_v7(CASE WHEN set_config('role', 'companion_worker', true) <> '' THEN $2::timestamp with time zone END);
$$;
CREATE FUNCTION companion_as_user.uuid_v7(integer, timestamp with time zone, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.uuid_v7(CASE WHEN set_config('role', 'companion_user', true) <> '' AND set_config('companion.user_id', $3::text, true) IS NOT NULL THEN $2::timestamp with time zone END);
$$;

-- On the shard of the user, or on the directory.
CREATE FUNCTION companion.add_message(user_id uuid, conversation_id uuid, role text, content text, telegram_message_id bigint DEFAULT NULL::bigint, reply_to_id uuid DEFAULT NULL::uuid, metadata jsonb DEFAULT NULL::jsonb, reply_to_telegram_id bigint DEFAULT NULL::bigint, bot text DEFAULT ''::text, address text DEFAULT NULL::text, external_id text DEFAULT NULL::text, reply_to_external_id text DEFAULT NULL::text) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.add_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.add_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);
    ELSE
        RETURN companion_as_user.add_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.advance_onboarding(user_id uuid, step text, answers jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.advance_onboarding($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.advance_onboarding($1, $2, $3);
    ELSE
        RETURN companion_as_user.advance_onboarding($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.annotate_message(user_id uuid, message_id uuid, priority_level integer DEFAULT NULL::integer, topic_key text DEFAULT NULL::text, metadata jsonb DEFAULT NULL::jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.annotate_message($1, $2, $3, $4, $5);
    ELSE
        RETURN companion_as_worker.annotate_message($1, $2, $3, $4, $5);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.cancel_message(user_id uuid, message_id uuid DEFAULT NULL::uuid, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.cancel_message($1, $2, $3, $4);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.cancel_message($1, $2, $3, $4);
    ELSE
        RETURN companion_as_user.cancel_message($1, $2, $3, $4, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.cancel_messages(user_id uuid, kind text DEFAULT NULL::text, reason text DEFAULT NULL::text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.cancel_messages($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.cancel_messages($1, $2, $3);
    ELSE
        RETURN companion_as_user.cancel_messages($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.close_conversation(user_id uuid, conversation_id uuid, mood_summary text DEFAULT NULL::text, topics text[] DEFAULT NULL::text[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.close_conversation($1, $2, $3, $4);
    ELSE
        RETURN companion_as_worker.close_conversation($1, $2, $3, $4);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.complete_onboarding(user_id uuid DEFAULT companion.current_user_id()) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.complete_onboarding($1);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.complete_onboarding($1);
    ELSE
        RETURN companion_as_user.complete_onboarding($1, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.create_telegram_link_token(user_id uuid DEFAULT companion.current_user_id(), valid_for interval DEFAULT NULL::interval, bot text DEFAULT ''::text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.create_telegram_link_token($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.create_telegram_link_token($1, $2, $3);
    ELSE
        RETURN companion_as_user.create_telegram_link_token($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.delete_message(user_id uuid, message_id uuid, forget_facts boolean DEFAULT false) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.delete_message($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.delete_message($1, $2, $3);
    ELSE
        RETURN companion_as_user.delete_message($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.directory_change_done(user_id uuid, id uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.directory_change_done($1, $2);
    ELSE
        RETURN companion_as_worker.directory_change_done($1, $2);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.directory_confirm(user_id uuid, channel text, address text, bot text, reservation bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.directory_confirm($1, $2, $3, $4, $5);
    ELSE
        RETURN companion_as_worker.directory_confirm($1, $2, $3, $4, $5);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.directory_lookup(channel text, address text, bot text DEFAULT ''::text) RETURNS TABLE(user_id uuid, shard integer, found_bot text, reservation bigint, expires_at timestamp with time zone, is_confirmed boolean)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.directory_lookup($1, $2, $3);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_worker.directory_lookup($1, $2, $3);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.directory_release(channel text, address text, bot text, reservation bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.directory_release($1, $2, $3, $4);
    ELSE
        RETURN companion_as_worker.directory_release($1, $2, $3, $4);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.directory_reserve(user_id uuid, channel text, address text, bot text DEFAULT ''::text) RETURNS TABLE(outcome text, owner uuid, reservation bigint, expires_at timestamp with time zone)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.directory_reserve($1, $2, $3, $4);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_worker.directory_reserve($1, $2, $3, $4);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.disable_address(user_id uuid, channel text, address text, bot text DEFAULT NULL::text, reason text DEFAULT NULL::text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.disable_address($1, $2, $3, $4, $5);
    ELSE
        RETURN companion_as_worker.disable_address($1, $2, $3, $4, $5);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.due_follow_ups(user_id uuid, on_date date DEFAULT NULL::date) RETURNS SETOF companion.context_item
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.due_follow_ups($1, $2);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.due_follow_ups($1, $2);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.due_follow_ups($1, $2, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.edit_message(user_id uuid, message_id uuid, content text, telegram_message_id bigint DEFAULT NULL::bigint, bot text DEFAULT ''::text, address text DEFAULT NULL::text, external_id text DEFAULT NULL::text, channel text DEFAULT NULL::text) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.edit_message($1, $2, $3, $4, $5, $6, $7, $8);
    ELSE
        RETURN companion_as_worker.edit_message($1, $2, $3, $4, $5, $6, $7, $8);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.end_of_day(user_id uuid, local_date date) RETURNS timestamp with time zone
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.end_of_day($1, $2);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.end_of_day($1, $2);
    ELSE
        RETURN companion_as_user.end_of_day($1, $2, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.erase_user(user_id uuid DEFAULT companion.current_user_id()) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.erase_user($1);
    ELSE
        RETURN companion_as_user.erase_user($1, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.explain_checkin(user_id uuid, local_date date DEFAULT NULL::date) RETURNS TABLE(rule text, holds boolean, detail text)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.explain_checkin($1, $2);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.explain_checkin($1, $2);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.explain_checkin($1, $2, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.export_user(user_id uuid DEFAULT companion.current_user_id()) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.export_user($1);
    ELSE
        RETURN companion_as_user.export_user($1, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.extend_lease(user_id uuid, message_id uuid, attempt integer, lease interval DEFAULT '00:05:00'::interval) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN companion_as_worker.extend_lease($1, $2, $3, $4);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.forget_user_context(user_id uuid, category text DEFAULT NULL::text, key text DEFAULT NULL::text) RETURNS TABLE(items bigint, history bigint)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.forget_user_context($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.forget_user_context($1, $2, $3);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.forget_user_context($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.imported_id(user_id uuid, table_name text, old_id text) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.imported_id($1, $2, $3);
    ELSE
        RETURN companion_as_worker.imported_id($1, $2, $3);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.link_wanted_address(user_id uuid, id uuid, reservation bigint, expires_at timestamp with time zone) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.link_wanted_address($1, $2, $3, $4);
    ELSE
        RETURN companion_as_worker.link_wanted_address($1, $2, $3, $4);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.mark_failed(user_id uuid, message_id uuid, attempt integer, reason text, retry_after interval DEFAULT NULL::interval, permanent boolean DEFAULT false, address_gone boolean DEFAULT false) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN companion_as_worker.mark_failed($1, $2, $3, $4, $5, $6, $7);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.mark_sent(user_id uuid, message_id uuid, attempt integer, content text DEFAULT NULL::text, telegram_message_id bigint DEFAULT NULL::bigint, external_id text DEFAULT NULL::text, metadata jsonb DEFAULT NULL::jsonb, resolves uuid[] DEFAULT NULL::uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN companion_as_worker.mark_sent($1, $2, $3, $4, $5, $6, $7, $8);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.mark_skipped(user_id uuid, message_id uuid, attempt integer, reason text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN companion_as_worker.mark_skipped($1, $2, $3, $4);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.memory_report(user_id uuid DEFAULT companion.current_user_id()) RETURNS TABLE(category text, key text, value text, since timestamp with time zone, source text, words text, said_at timestamp with time zone, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.memory_report($1);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.memory_report($1);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.memory_report($1, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.next_checkin(user_id uuid, at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS timestamp with time zone
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.next_checkin($1, $2);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.next_checkin($1, $2);
    ELSE
        RETURN companion_as_user.next_checkin($1, $2, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.open_conversation(user_id uuid, channel text, initiated_by text DEFAULT 'user'::text, idle interval DEFAULT '24:00:00'::interval) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.open_conversation($1, $2, $3, $4);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.open_conversation($1, $2, $3, $4);
    ELSE
        RETURN companion_as_user.open_conversation($1, $2, $3, $4, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.recall_user_context(user_id uuid, max_items integer DEFAULT 20, max_chars integer DEFAULT NULL::integer, categories text[] DEFAULT NULL::text[], exclude text[] DEFAULT NULL::text[], embedding real[] DEFAULT NULL::real[], meaning_weight real DEFAULT 3, model text DEFAULT NULL::text) RETURNS SETOF companion.context_item
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.recall_user_context($1, $2, $3, $4, $5, $6, $7, $8);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.recall_user_context($1, $2, $3, $4, $5, $6, $7, $8);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.recall_user_context($1, $2, $3, $4, $5, $6, $7, $8, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.recent_messages(user_id uuid, max_messages integer DEFAULT 20, conversation_id uuid DEFAULT NULL::uuid, before_id uuid DEFAULT NULL::uuid) RETURNS SETOF companion.message
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.recent_messages($1, $2, $3, $4);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.recent_messages($1, $2, $3, $4);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.recent_messages($1, $2, $3, $4, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.release_message(user_id uuid, message_id uuid, attempt integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN companion_as_worker.release_message($1, $2, $3);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.reschedule_message(user_id uuid, message_id uuid, scheduled_for timestamp with time zone) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.reschedule_message($1, $2, $3);
    ELSE
        RETURN companion_as_worker.reschedule_message($1, $2, $3);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.resolve_user_context(user_id uuid, category text, key text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.resolve_user_context($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.resolve_user_context($1, $2, $3);
    ELSE
        RETURN companion_as_user.resolve_user_context($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.retry_message(user_id uuid, message_id uuid, send_before timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.retry_message($1, $2, $3);
    ELSE
        RETURN companion_as_worker.retry_message($1, $2, $3);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.revoke_telegram_link_tokens(user_id uuid DEFAULT companion.current_user_id()) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.revoke_telegram_link_tokens($1);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.revoke_telegram_link_tokens($1);
    ELSE
        RETURN companion_as_user.revoke_telegram_link_tokens($1, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.schedule_message(user_id uuid, scheduled_for timestamp with time zone, content text, kind text DEFAULT 'custom'::text, channel text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text, generation_context jsonb DEFAULT NULL::jsonb, send_before timestamp with time zone DEFAULT NULL::timestamp with time zone, replace boolean DEFAULT false, cancel_on_reply boolean DEFAULT NULL::boolean, priority_level integer DEFAULT NULL::integer, topic_key text DEFAULT NULL::text, metadata jsonb DEFAULT NULL::jsonb) RETURNS TABLE(message_id uuid, created boolean)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.schedule_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_worker.schedule_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.search_messages(user_id uuid, query text, max_results integer DEFAULT 20) RETURNS TABLE(message_id uuid, conversation_id uuid, role text, excerpt text, rank real, created_at timestamp with time zone)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.search_messages($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.search_messages($1, $2, $3);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.search_messages($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.sent_today(user_id uuid, kind text DEFAULT 'checkin'::text, at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.sent_today($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.sent_today($1, $2, $3);
    ELSE
        RETURN companion_as_user.sent_today($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.set_embedding(user_id uuid, item_id uuid, model text, embedding real[], value text DEFAULT NULL::text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.set_embedding($1, $2, $3, $4, $5);
    ELSE
        RETURN companion_as_worker.set_embedding($1, $2, $3, $4, $5);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.settle_reservation(user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamp with time zone) RETURNS TABLE(outcome text, owner uuid)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.settle_reservation($1, $2, $3, $4, $5, $6);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_worker.settle_reservation($1, $2, $3, $4, $5, $6);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.start_onboarding(user_id uuid DEFAULT companion.current_user_id()) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.start_onboarding($1);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.start_onboarding($1);
    ELSE
        RETURN companion_as_user.start_onboarding($1, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.start_send(user_id uuid, message_id uuid, attempt integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN companion_as_worker.start_send($1, $2, $3);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.take_reservation(user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamp with time zone) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        PERFORM companion_as_admin.take_reservation($1, $2, $3, $4, $5, $6);
    ELSE
        PERFORM companion_as_worker.take_reservation($1, $2, $3, $4, $5, $6);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.touch_user_context(user_id uuid, ids uuid[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.touch_user_context($1, $2);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.touch_user_context($1, $2);
    ELSE
        RETURN companion_as_user.touch_user_context($1, $2, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.unlink_address(user_id uuid, channel text, address text, bot text DEFAULT NULL::text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.unlink_address($1, $2, $3, $4);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.unlink_address($1, $2, $3, $4);
    ELSE
        RETURN companion_as_user.unlink_address($1, $2, $3, $4, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.unlink_telegram(user_id uuid DEFAULT companion.current_user_id()) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.unlink_telegram($1);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.unlink_telegram($1);
    ELSE
        RETURN companion_as_user.unlink_telegram($1, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.upcoming(user_id uuid, until timestamp with time zone) RETURNS TABLE(message_id uuid, kind text, local_date date, scheduled_for timestamp with time zone, goes_at timestamp with time zone, channel text, address text, reason text)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.upcoming($1, $2);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.upcoming($1, $2);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.upcoming($1, $2, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.update_user_context(user_id uuid, id uuid DEFAULT NULL::uuid, category text DEFAULT NULL::text, key text DEFAULT NULL::text, importance real DEFAULT NULL::real, pinned boolean DEFAULT NULL::boolean, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, metadata jsonb DEFAULT NULL::jsonb, merge boolean DEFAULT false) RETURNS companion.context_item
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.update_user_context($1, $2, $3, $4, $5, $6, $7, $8, $9);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.update_user_context($1, $2, $3, $4, $5, $6, $7, $8, $9);
    ELSE
        RETURN companion_as_user.update_user_context($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.upsert_user_context(user_id uuid, category text, key text, value text, importance real DEFAULT NULL::real, emotional_valence integer DEFAULT NULL::integer, source text DEFAULT NULL::text, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, source_message_id uuid DEFAULT NULL::uuid, metadata jsonb DEFAULT NULL::jsonb, pinned boolean DEFAULT NULL::boolean) RETURNS companion.context_item
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.upsert_user_context($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.upsert_user_context($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
    ELSE
        RETURN companion_as_user.upsert_user_context($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion_router.upsert_user_context_many(uuid, jsonb, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance real, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.upsert_user_context_many($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.upsert_user_context_many($1, $2, $3);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.upsert_user_context_many($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;
CREATE FUNCTION companion.upsert_user_context_many(user_id uuid, facts jsonb, on_invalid text DEFAULT 'error'::text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance real, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE sql AS $$
    SELECT * FROM companion_router.upsert_user_context_many($1, $2, $3);
$$;

CREATE FUNCTION companion_router.upsert_user_context_many(uuid, text, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance real, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.upsert_user_context_many($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.upsert_user_context_many($1, $2, $3);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.upsert_user_context_many($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;
CREATE FUNCTION companion.upsert_user_context_many(user_id uuid, facts_text text, on_invalid text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance real, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE sql AS $$
    SELECT * FROM companion_router.upsert_user_context_many($1, $2, $3);
$$;

CREATE FUNCTION companion.user_context_as_of(user_id uuid, at timestamp with time zone) RETURNS TABLE(category text, key text, value text, source text, held_from timestamp with time zone, held_until timestamp with time zone)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.user_context_as_of($1, $2);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.user_context_as_of($1, $2);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.user_context_as_of($1, $2, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.user_context_prompt(user_id uuid, max_items integer DEFAULT 20, max_chars integer DEFAULT NULL::integer, categories text[] DEFAULT NULL::text[], exclude text[] DEFAULT NULL::text[], embedding real[] DEFAULT NULL::real[], meaning_weight real DEFAULT 3, model text DEFAULT NULL::text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.user_context_prompt($1, $2, $3, $4, $5, $6, $7, $8);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.user_context_prompt($1, $2, $3, $4, $5, $6, $7, $8);
    ELSE
        RETURN companion_as_user.user_context_prompt($1, $2, $3, $4, $5, $6, $7, $8, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;


-- On any shard, or on all of them; one that fails is passed over with a warning, unless they all do.
CREATE FUNCTION companion.apply_retention(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.apply_retention(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.canonical_timezone(timezone text) RETURNS text
LANGUAGE plpgsql STRICT AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.canonical_timezone(shard, $1);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.canonical_timezone(shard, $1);
            ELSE
                RETURN companion_as_user.canonical_timezone(shard, $1, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.checkin_instant(timezone text, local_date date, local_time time without time zone) RETURNS timestamp with time zone
LANGUAGE plpgsql STRICT AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.checkin_instant(shard, $1, $2, $3);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.checkin_instant(shard, $1, $2, $3);
            ELSE
                RETURN companion_as_user.checkin_instant(shard, $1, $2, $3, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.cosine_similarity(a real[], b real[]) RETURNS double precision
LANGUAGE plpgsql STRICT AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.cosine_similarity(shard, $1, $2);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.cosine_similarity(shard, $1, $2);
            ELSE
                RETURN companion_as_user.cosine_similarity(shard, $1, $2, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.dispatch(at timestamp with time zone DEFAULT NULL::timestamp with time zone, max_rows integer DEFAULT NULL::integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined integer;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                joined := coalesce(joined, 0) + companion_as_admin.dispatch(shard, $1, $2);
            ELSE
                joined := coalesce(joined, 0) + companion_as_worker.dispatch(shard, $1, $2);
            END IF;
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_addresses(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_addresses(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_cap_starts(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_cap_starts(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_early_edits(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_early_edits(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_job_runs(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_job_runs(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_messages(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_messages(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_reservations(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_reservations(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_telegram_link_tokens(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_telegram_link_tokens(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_user_context(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_user_context(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.finish_abandoned(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.finish_abandoned(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.folded(value text) RETURNS text
LANGUAGE plpgsql STRICT AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.folded(shard, $1);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.folded(shard, $1);
            ELSE
                RETURN companion_as_user.folded(shard, $1, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.forget_redeem_failures() RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.forget_redeem_failures(shard);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.is_same_text(a text, b text) RETURNS boolean
LANGUAGE plpgsql STRICT AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.is_same_text(shard, $1, $2);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.is_same_text(shard, $1, $2);
            ELSE
                RETURN companion_as_user.is_same_text(shard, $1, $2, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.local_timestamp(timezone text, at timestamp with time zone) RETURNS timestamp without time zone
LANGUAGE plpgsql STRICT AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.local_timestamp(shard, $1, $2);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.local_timestamp(shard, $1, $2);
            ELSE
                RETURN companion_as_user.local_timestamp(shard, $1, $2, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.merge_context_items() RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.merge_context_items(shard);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.new_user_id() RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.new_user_id(shard);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.new_user_id(shard);
            ELSE
                RETURN companion_as_user.new_user_id(shard, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.normalized(value text) RETURNS text
LANGUAGE plpgsql STRICT AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.normalized(shard, $1);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.normalized(shard, $1);
            ELSE
                RETURN companion_as_user.normalized(shard, $1, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.pause_sending(channel text DEFAULT NULL::text, kind text DEFAULT NULL::text, until timestamp with time zone DEFAULT NULL::timestamp with time zone, reason text DEFAULT NULL::text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined boolean;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, true) AND companion_as_admin.pause_sending(shard, $1, $2, $3, $4);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.quiet_until(timezone text, quiet_from time without time zone, quiet_until time without time zone, at timestamp with time zone) RETURNS timestamp with time zone
LANGUAGE plpgsql STRICT AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.quiet_until(shard, $1, $2, $3, $4);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.quiet_until(shard, $1, $2, $3, $4);
            ELSE
                RETURN companion_as_user.quiet_until(shard, $1, $2, $3, $4, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.recall_score(category text, importance real, confirmations integer, confirmed_at timestamp with time zone, last_used_at timestamp with time zone, at timestamp with time zone) RETURNS double precision
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.recall_score(shard, $1, $2, $3, $4, $5, $6);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.recall_score(shard, $1, $2, $3, $4, $5, $6);
            ELSE
                RETURN companion_as_user.recall_score(shard, $1, $2, $3, $4, $5, $6, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.resume_sending(channel text DEFAULT NULL::text, kind text DEFAULT NULL::text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined boolean;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, false) OR companion_as_admin.resume_sending(shard, $1, $2);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.retry_failed(since timestamp with time zone, reason_pattern text DEFAULT NULL::text, kinds text[] DEFAULT NULL::text[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.retry_failed(shard, $1, $2, $3);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.rewind_dispatch(to_at timestamp with time zone) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            PERFORM companion_as_admin.rewind_dispatch(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
END
$$;

CREATE FUNCTION companion.telegram_deep_link(bot_username text, token text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.telegram_deep_link(shard, $1, $2);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.telegram_deep_link(shard, $1, $2);
            ELSE
                RETURN companion_as_user.telegram_deep_link(shard, $1, $2, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.throttle_channel(channel text, retry_after interval, bot text DEFAULT NULL::text) RETURNS timestamp with time zone
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined timestamp with time zone;
    answered boolean := false;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                joined := greatest(joined, companion_as_admin.throttle_channel(shard, $1, $2, $3));
            ELSE
                joined := greatest(joined, companion_as_worker.throttle_channel(shard, $1, $2, $3));
            END IF;
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.uuid_v7() RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.uuid_v7(shard);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.uuid_v7(shard);
            ELSE
                RETURN companion_as_user.uuid_v7(shard, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.uuid_v7(at timestamp with time zone) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.uuid_v7(shard, $1);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.uuid_v7(shard, $1);
            ELSE
                RETURN companion_as_user.uuid_v7(shard, $1, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;


-- Many messages: each shard gets those of its users, and the results are put together in input order. Those of a
-- shard that cannot be reached are NULL: not now, call again.
CREATE FUNCTION companion.extend_lease_many(user_ids uuid[], message_ids uuid[], attempts integer[], lease interval DEFAULT '00:05:00'::interval) RETURNS boolean[]
LANGUAGE plpgsql AS $$
DECLARE
    part record;
    results boolean[];
    answer boolean[];
    detail text;
    hint text;
BEGIN
    IF NOT (coalesce(array_ndims($1) = 1, false)
            AND coalesce(array_ndims($2) = 1 AND cardinality($2) = cardinality($1), false)
            AND coalesce(array_ndims($3) = 1 AND cardinality($3) = cardinality($1), false)) THEN
        PERFORM companion_as_worker.extend_lease_many(0, $1, $2, $3, $4); -- which says what is wrong with them
    END IF;
    results := array_fill(NULL::boolean, ARRAY[coalesce(cardinality($1), 0)]);
    FOR part IN
        SELECT companion_router.number_of(e.a1) AS shard, array_agg(e.place ORDER BY e.place) AS places,
               CASE WHEN $1 IS NOT NULL THEN array_agg(e.a1 ORDER BY e.place) END AS p1,
               CASE WHEN $2 IS NOT NULL THEN array_agg(e.a2 ORDER BY e.place) END AS p2,
               CASE WHEN $3 IS NOT NULL THEN array_agg(e.a3 ORDER BY e.place) END AS p3
        FROM unnest($1, $2, $3) WITH ORDINALITY AS e (a1, a2, a3, place)
        GROUP BY 1
    LOOP
        BEGIN
            answer := companion_as_worker.extend_lease_many(part.shard, part.p1, part.p2, part.p3, $4);
            FOR i IN 1..cardinality(answer) LOOP
                results[part.places[i]] := answer[i];
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(part.shard, SQLSTATE, SQLERRM, detail, hint);
        END;
    END LOOP;
    RETURN results;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.mark_failed_many(user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[], retry_after interval DEFAULT NULL::interval, permanent boolean DEFAULT false, address_gone boolean DEFAULT false) RETURNS boolean[]
LANGUAGE plpgsql AS $$
DECLARE
    part record;
    results boolean[];
    answer boolean[];
    detail text;
    hint text;
BEGIN
    IF NOT (coalesce(array_ndims($1) = 1, false)
            AND coalesce(array_ndims($2) = 1 AND cardinality($2) = cardinality($1), false)
            AND coalesce(array_ndims($3) = 1 AND cardinality($3) = cardinality($1), false)
            AND coalesce(array_ndims($4) = 1 AND cardinality($4) = cardinality($1), false)) THEN
        PERFORM companion_as_worker.mark_failed_many(0, $1, $2, $3, $4, $5, $6, $7); -- which says what is wrong with them
    END IF;
    results := array_fill(NULL::boolean, ARRAY[coalesce(cardinality($1), 0)]);
    FOR part IN
        SELECT companion_router.number_of(e.a1) AS shard, array_agg(e.place ORDER BY e.place) AS places,
               CASE WHEN $1 IS NOT NULL THEN array_agg(e.a1 ORDER BY e.place) END AS p1,
               CASE WHEN $2 IS NOT NULL THEN array_agg(e.a2 ORDER BY e.place) END AS p2,
               CASE WHEN $3 IS NOT NULL THEN array_agg(e.a3 ORDER BY e.place) END AS p3,
               CASE WHEN $4 IS NOT NULL THEN array_agg(e.a4 ORDER BY e.place) END AS p4
        FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS e (a1, a2, a3, a4, place)
        GROUP BY 1
    LOOP
        BEGIN
            answer := companion_as_worker.mark_failed_many(part.shard, part.p1, part.p2, part.p3, part.p4, $5, $6, $7);
            FOR i IN 1..cardinality(answer) LOOP
                results[part.places[i]] := answer[i];
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(part.shard, SQLSTATE, SQLERRM, detail, hint);
        END;
    END LOOP;
    RETURN results;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.mark_sent_many(user_ids uuid[], message_ids uuid[], attempts integer[], contents text[] DEFAULT NULL::text[], telegram_message_ids bigint[] DEFAULT NULL::bigint[], external_ids text[] DEFAULT NULL::text[], metadata jsonb[] DEFAULT NULL::jsonb[], resolves uuid[] DEFAULT NULL::uuid[]) RETURNS boolean[]
LANGUAGE plpgsql AS $$
DECLARE
    part record;
    results boolean[];
    answer boolean[];
    detail text;
    hint text;
BEGIN
    IF NOT (coalesce(array_ndims($1) = 1, false)
            AND coalesce(array_ndims($2) = 1 AND cardinality($2) = cardinality($1), false)
            AND coalesce(array_ndims($3) = 1 AND cardinality($3) = cardinality($1), false)
            AND coalesce(array_ndims($4) = 1 AND cardinality($4) = cardinality($1), $4 IS NULL)
            AND coalesce(array_ndims($5) = 1 AND cardinality($5) = cardinality($1), $5 IS NULL)
            AND coalesce(array_ndims($6) = 1 AND cardinality($6) = cardinality($1), $6 IS NULL)
            AND coalesce(array_ndims($7) = 1 AND cardinality($7) = cardinality($1), $7 IS NULL)
            AND coalesce(array_length($8, 1) = cardinality($1), $8 IS NULL)) THEN
        PERFORM companion_as_worker.mark_sent_many(0, $1, $2, $3, $4, $5, $6, $7, $8); -- which says what is wrong with them
    END IF;
    results := array_fill(NULL::boolean, ARRAY[coalesce(cardinality($1), 0)]);
    FOR part IN
        SELECT companion_router.number_of(e.a1) AS shard, array_agg(e.place ORDER BY e.place) AS places,
               CASE WHEN $1 IS NOT NULL THEN array_agg(e.a1 ORDER BY e.place) END AS p1,
               CASE WHEN $2 IS NOT NULL THEN array_agg(e.a2 ORDER BY e.place) END AS p2,
               CASE WHEN $3 IS NOT NULL THEN array_agg(e.a3 ORDER BY e.place) END AS p3,
               CASE WHEN $4 IS NOT NULL THEN array_agg(e.a4 ORDER BY e.place) END AS p4,
               CASE WHEN $5 IS NOT NULL THEN array_agg(e.a5 ORDER BY e.place) END AS p5,
               CASE WHEN $6 IS NOT NULL THEN array_agg(e.a6 ORDER BY e.place) END AS p6,
               CASE WHEN $7 IS NOT NULL THEN array_agg(e.a7 ORDER BY e.place) END AS p7,
               coalesce(array_agg(($8[:])[e.place] ORDER BY e.place) FILTER (WHERE array_ndims($8) = 1),
                        array_agg(ARRAY(SELECT unnest(($8[:][:])[e.place:e.place])) ORDER BY e.place)
                            FILTER (WHERE array_ndims($8) = 2)) AS p8
        FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY AS e (a1, a2, a3, a4, a5, a6, a7, place)
        GROUP BY 1
    LOOP
        BEGIN
            answer := companion_as_worker.mark_sent_many(part.shard, part.p1, part.p2, part.p3, part.p4, part.p5, part.p6, part.p7, part.p8);
            FOR i IN 1..cardinality(answer) LOOP
                results[part.places[i]] := answer[i];
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(part.shard, SQLSTATE, SQLERRM, detail, hint);
        END;
    END LOOP;
    RETURN results;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.mark_skipped_many(user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[]) RETURNS boolean[]
LANGUAGE plpgsql AS $$
DECLARE
    part record;
    results boolean[];
    answer boolean[];
    detail text;
    hint text;
BEGIN
    IF NOT (coalesce(array_ndims($1) = 1, false)
            AND coalesce(array_ndims($2) = 1 AND cardinality($2) = cardinality($1), false)
            AND coalesce(array_ndims($3) = 1 AND cardinality($3) = cardinality($1), false)
            AND coalesce(array_ndims($4) = 1 AND cardinality($4) = cardinality($1), false)) THEN
        PERFORM companion_as_worker.mark_skipped_many(0, $1, $2, $3, $4); -- which says what is wrong with them
    END IF;
    results := array_fill(NULL::boolean, ARRAY[coalesce(cardinality($1), 0)]);
    FOR part IN
        SELECT companion_router.number_of(e.a1) AS shard, array_agg(e.place ORDER BY e.place) AS places,
               CASE WHEN $1 IS NOT NULL THEN array_agg(e.a1 ORDER BY e.place) END AS p1,
               CASE WHEN $2 IS NOT NULL THEN array_agg(e.a2 ORDER BY e.place) END AS p2,
               CASE WHEN $3 IS NOT NULL THEN array_agg(e.a3 ORDER BY e.place) END AS p3,
               CASE WHEN $4 IS NOT NULL THEN array_agg(e.a4 ORDER BY e.place) END AS p4
        FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS e (a1, a2, a3, a4, place)
        GROUP BY 1
    LOOP
        BEGIN
            answer := companion_as_worker.mark_skipped_many(part.shard, part.p1, part.p2, part.p3, part.p4);
            FOR i IN 1..cardinality(answer) LOOP
                results[part.places[i]] := answer[i];
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(part.shard, SQLSTATE, SQLERRM, detail, hint);
        END;
    END LOOP;
    RETURN results;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.release_message_many(user_ids uuid[], message_ids uuid[], attempts integer[]) RETURNS boolean[]
LANGUAGE plpgsql AS $$
DECLARE
    part record;
    results boolean[];
    answer boolean[];
    detail text;
    hint text;
BEGIN
    IF NOT (coalesce(array_ndims($1) = 1, false)
            AND coalesce(array_ndims($2) = 1 AND cardinality($2) = cardinality($1), false)
            AND coalesce(array_ndims($3) = 1 AND cardinality($3) = cardinality($1), false)) THEN
        PERFORM companion_as_worker.release_message_many(0, $1, $2, $3); -- which says what is wrong with them
    END IF;
    results := array_fill(NULL::boolean, ARRAY[coalesce(cardinality($1), 0)]);
    FOR part IN
        SELECT companion_router.number_of(e.a1) AS shard, array_agg(e.place ORDER BY e.place) AS places,
               CASE WHEN $1 IS NOT NULL THEN array_agg(e.a1 ORDER BY e.place) END AS p1,
               CASE WHEN $2 IS NOT NULL THEN array_agg(e.a2 ORDER BY e.place) END AS p2,
               CASE WHEN $3 IS NOT NULL THEN array_agg(e.a3 ORDER BY e.place) END AS p3
        FROM unnest($1, $2, $3) WITH ORDINALITY AS e (a1, a2, a3, place)
        GROUP BY 1
    LOOP
        BEGIN
            answer := companion_as_worker.release_message_many(part.shard, part.p1, part.p2, part.p3);
            FOR i IN 1..cardinality(answer) LOOP
                results[part.places[i]] := answer[i];
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(part.shard, SQLSTATE, SQLERRM, detail, hint);
        END;
    END LOOP;
    RETURN results;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.start_send_many(user_ids uuid[], message_ids uuid[], attempts integer[]) RETURNS boolean[]
LANGUAGE plpgsql AS $$
DECLARE
    part record;
    results boolean[];
    answer boolean[];
    detail text;
    hint text;
BEGIN
    IF NOT (coalesce(array_ndims($1) = 1, false)
            AND coalesce(array_ndims($2) = 1 AND cardinality($2) = cardinality($1), false)
            AND coalesce(array_ndims($3) = 1 AND cardinality($3) = cardinality($1), false)) THEN
        PERFORM companion_as_worker.start_send_many(0, $1, $2, $3); -- which says what is wrong with them
    END IF;
    results := array_fill(NULL::boolean, ARRAY[coalesce(cardinality($1), 0)]);
    FOR part IN
        SELECT companion_router.number_of(e.a1) AS shard, array_agg(e.place ORDER BY e.place) AS places,
               CASE WHEN $1 IS NOT NULL THEN array_agg(e.a1 ORDER BY e.place) END AS p1,
               CASE WHEN $2 IS NOT NULL THEN array_agg(e.a2 ORDER BY e.place) END AS p2,
               CASE WHEN $3 IS NOT NULL THEN array_agg(e.a3 ORDER BY e.place) END AS p3
        FROM unnest($1, $2, $3) WITH ORDINALITY AS e (a1, a2, a3, place)
        GROUP BY 1
    LOOP
        BEGIN
            answer := companion_as_worker.start_send_many(part.shard, part.p1, part.p2, part.p3);
            FOR i IN 1..cardinality(answer) LOOP
                results[part.places[i]] := answer[i];
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(part.shard, SQLSTATE, SQLERRM, detail, hint);
        END;
    END LOOP;
    RETURN results;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;


-- Rows to import: each shard gets those of its users; what is no user's, any, which says so.
CREATE FUNCTION companion.import_conversations(rows jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN QUERY
    SELECT part.places[i.element + 1]::integer - 1, i.id, i.outcome, i.reason
    FROM (SELECT companion_router.number_of(companion_router.uuid_in(e.value ->> 'user_id')) AS shard,
                 jsonb_agg(e.value ORDER BY e.place) AS elements, array_agg(e.place ORDER BY e.place) AS places
          FROM jsonb_array_elements(CASE jsonb_typeof($1) WHEN 'array' THEN $1 ELSE '[]' END)
              WITH ORDINALITY AS e (value, place)
          GROUP BY 1) AS part
    CROSS JOIN LATERAL companion_as_admin.import_conversations(part.shard, part.elements) AS i
    ORDER BY 1;
    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM companion_as_admin.import_conversations(0, $1); -- which says what is wrong with it
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.import_messages(rows jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN QUERY
    SELECT part.places[i.element + 1]::integer - 1, i.id, i.outcome, i.reason
    FROM (SELECT companion_router.number_of(companion_router.uuid_in(e.value ->> 'user_id')) AS shard,
                 jsonb_agg(e.value ORDER BY e.place) AS elements, array_agg(e.place ORDER BY e.place) AS places
          FROM jsonb_array_elements(CASE jsonb_typeof($1) WHEN 'array' THEN $1 ELSE '[]' END)
              WITH ORDINALITY AS e (value, place)
          GROUP BY 1) AS part
    CROSS JOIN LATERAL companion_as_admin.import_messages(part.shard, part.elements) AS i
    ORDER BY 1;
    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM companion_as_admin.import_messages(0, $1); -- which says what is wrong with it
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.import_scheduled_messages(rows jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN QUERY
    SELECT part.places[i.element + 1]::integer - 1, i.id, i.outcome, i.reason
    FROM (SELECT companion_router.number_of(companion_router.uuid_in(e.value ->> 'user_id')) AS shard,
                 jsonb_agg(e.value ORDER BY e.place) AS elements, array_agg(e.place ORDER BY e.place) AS places
          FROM jsonb_array_elements(CASE jsonb_typeof($1) WHEN 'array' THEN $1 ELSE '[]' END)
              WITH ORDINALITY AS e (value, place)
          GROUP BY 1) AS part
    CROSS JOIN LATERAL companion_as_admin.import_scheduled_messages(part.shard, part.elements) AS i
    ORDER BY 1;
    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM companion_as_admin.import_scheduled_messages(0, $1); -- which says what is wrong with it
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.import_user_context(rows jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN QUERY
    SELECT part.places[i.element + 1]::integer - 1, i.id, i.outcome, i.reason
    FROM (SELECT companion_router.number_of(companion_router.uuid_in(e.value ->> 'user_id')) AS shard,
                 jsonb_agg(e.value ORDER BY e.place) AS elements, array_agg(e.place ORDER BY e.place) AS places
          FROM jsonb_array_elements(CASE jsonb_typeof($1) WHEN 'array' THEN $1 ELSE '[]' END)
              WITH ORDINALITY AS e (value, place)
          GROUP BY 1) AS part
    CROSS JOIN LATERAL companion_as_admin.import_user_context(part.shard, part.elements) AS i
    ORDER BY 1;
    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM companion_as_admin.import_user_context(0, $1); -- which says what is wrong with it
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.import_users(rows jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN QUERY
    SELECT part.places[i.element + 1]::integer - 1, i.id, i.outcome, i.reason
    FROM (SELECT companion_router.number_of(companion_router.uuid_in(e.value ->> 'id')) AS shard,
                 jsonb_agg(e.value ORDER BY e.place) AS elements, array_agg(e.place ORDER BY e.place) AS places
          FROM jsonb_array_elements(CASE jsonb_typeof($1) WHEN 'array' THEN $1 ELSE '[]' END)
              WITH ORDINALITY AS e (value, place)
          GROUP BY 1) AS part
    CROSS JOIN LATERAL companion_as_admin.import_users(part.shard, part.elements) AS i
    ORDER BY 1;
    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM companion_as_admin.import_users(0, $1); -- which says what is wrong with it
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;


-- What a router cannot do.
CREATE FUNCTION companion.channel_address(u companion.users, channel text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM companion_router.refuse('channel_address');
END
$$;

CREATE FUNCTION companion.follow_auth_users(auth_table regclass DEFAULT to_regclass('auth.users'::text), email_column name DEFAULT 'email'::name, deleted_column name DEFAULT NULL::name, banned_column name DEFAULT NULL::name, on_replica boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM companion_router.refuse('follow_auth_users');
END
$$;

CREATE FUNCTION companion.schedule_jobs(run_as name DEFAULT CURRENT_USER, every interval DEFAULT '00:01:00'::interval, databases name[] DEFAULT ARRAY[current_database()]) RETURNS TABLE(job text, schedule text)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM companion_router.refuse('schedule_jobs');
END
$$;

CREATE FUNCTION companion.set_directory(shards integer) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM companion_router.refuse('set_directory');
END
$$;

CREATE FUNCTION companion.set_shard(number integer, shards integer) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM companion_router.refuse('set_shard');
END
$$;

CREATE FUNCTION companion.unfollow_auth_users(auth_table regclass DEFAULT to_regclass('auth.users'::text)) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM companion_router.refuse('unfollow_auth_users');
END
$$;

CREATE FUNCTION companion.unschedule_jobs(databases name[] DEFAULT ARRAY[current_database()]) RETURNS integer
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM companion_router.refuse('unschedule_jobs');
END
$$;

CREATE FUNCTION companion.usable_channel(u companion.users) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM companion_router.refuse('usable_channel');
END
$$;


-- The comments.
COMMENT ON FUNCTION companion.add_message(user_id uuid, conversation_id uuid, role text, content text, telegram_message_id bigint, reply_to_id uuid, metadata jsonb, reply_to_telegram_id bigint, bot text, address text, external_id text, reply_to_external_id text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.advance_onboarding(user_id uuid, step text, answers jsonb) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.annotate_message(user_id uuid, message_id uuid, priority_level integer, topic_key text, metadata jsonb) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.apply_retention(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.cancel_message(user_id uuid, message_id uuid, reason text, idempotency_key text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.cancel_messages(user_id uuid, kind text, reason text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.canonical_timezone(timezone text) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.channel_address(u companion.users, channel text) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.checkin_instant(timezone text, local_date date, local_time time without time zone) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.close_conversation(user_id uuid, conversation_id uuid, mood_summary text, topics text[]) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.complete_onboarding(user_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.cosine_similarity(a real[], b real[]) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.create_telegram_link_token(user_id uuid, valid_for interval, bot text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.delete_message(user_id uuid, message_id uuid, forget_facts boolean) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.directory_change_done(user_id uuid, id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.directory_confirm(user_id uuid, channel text, address text, bot text, reservation bigint) IS 'As on the directory.';
COMMENT ON FUNCTION companion.directory_lookup(channel text, address text, bot text) IS 'As on the directory.';
COMMENT ON FUNCTION companion.directory_release(channel text, address text, bot text, reservation bigint) IS 'As on the directory.';
COMMENT ON FUNCTION companion.directory_reserve(user_id uuid, channel text, address text, bot text) IS 'As on the directory.';
COMMENT ON FUNCTION companion.disable_address(user_id uuid, channel text, address text, bot text, reason text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.dispatch(at timestamp with time zone, max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.due_follow_ups(user_id uuid, on_date date) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.edit_message(user_id uuid, message_id uuid, content text, telegram_message_id bigint, bot text, address text, external_id text, channel text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.end_of_day(user_id uuid, local_date date) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.erase_user(user_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.expire_addresses(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.expire_cap_starts(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.expire_early_edits(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.expire_job_runs(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.expire_messages(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.expire_reservations(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.expire_telegram_link_tokens(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.expire_user_context(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.explain_checkin(user_id uuid, local_date date) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.export_user(user_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.extend_lease(user_id uuid, message_id uuid, attempt integer, lease interval) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.extend_lease_many(user_ids uuid[], message_ids uuid[], attempts integer[], lease interval) IS 'As on a shard; each gets those of its users. NULL, with a WARNING, for those of one that cannot be reached: not now, call again.';
COMMENT ON FUNCTION companion.finish_abandoned(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.folded(value text) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.follow_auth_users(auth_table regclass, email_column name, deleted_column name, banned_column name, on_replica boolean) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.forget_redeem_failures() IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.forget_user_context(user_id uuid, category text, key text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.import_conversations(rows jsonb) IS 'As on a shard; each gets the rows of its users. Where one cannot be reached, error 08001; call again with the same rows.';
COMMENT ON FUNCTION companion.import_messages(rows jsonb) IS 'As on a shard; each gets the rows of its users. Where one cannot be reached, error 08001; call again with the same rows.';
COMMENT ON FUNCTION companion.import_scheduled_messages(rows jsonb) IS 'As on a shard; each gets the rows of its users. Where one cannot be reached, error 08001; call again with the same rows.';
COMMENT ON FUNCTION companion.import_user_context(rows jsonb) IS 'As on a shard; each gets the rows of its users. Where one cannot be reached, error 08001; call again with the same rows.';
COMMENT ON FUNCTION companion.import_users(rows jsonb) IS 'As on a shard; each gets the rows of its users. Where one cannot be reached, error 08001; call again with the same rows.';
COMMENT ON FUNCTION companion.imported_id(user_id uuid, table_name text, old_id text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.is_same_text(a text, b text) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.link_wanted_address(user_id uuid, id uuid, reservation bigint, expires_at timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.local_timestamp(timezone text, at timestamp with time zone) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.mark_failed(user_id uuid, message_id uuid, attempt integer, reason text, retry_after interval, permanent boolean, address_gone boolean) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.mark_failed_many(user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[], retry_after interval, permanent boolean, address_gone boolean) IS 'As on a shard; each gets those of its users. NULL, with a WARNING, for those of one that cannot be reached: not now, call again.';
COMMENT ON FUNCTION companion.mark_sent(user_id uuid, message_id uuid, attempt integer, content text, telegram_message_id bigint, external_id text, metadata jsonb, resolves uuid[]) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.mark_sent_many(user_ids uuid[], message_ids uuid[], attempts integer[], contents text[], telegram_message_ids bigint[], external_ids text[], metadata jsonb[], resolves uuid[]) IS 'As on a shard; each gets those of its users. NULL, with a WARNING, for those of one that cannot be reached: not now, call again.';
COMMENT ON FUNCTION companion.mark_skipped(user_id uuid, message_id uuid, attempt integer, reason text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.mark_skipped_many(user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[]) IS 'As on a shard; each gets those of its users. NULL, with a WARNING, for those of one that cannot be reached: not now, call again.';
COMMENT ON FUNCTION companion.memory_report(user_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.merge_context_items() IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.new_user_id() IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.next_checkin(user_id uuid, at timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.normalized(value text) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.open_conversation(user_id uuid, channel text, initiated_by text, idle interval) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.pause_sending(channel text, kind text, until timestamp with time zone, reason text) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.quiet_until(timezone text, quiet_from time without time zone, quiet_until time without time zone, at timestamp with time zone) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.recall_score(category text, importance real, confirmations integer, confirmed_at timestamp with time zone, last_used_at timestamp with time zone, at timestamp with time zone) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.recall_user_context(user_id uuid, max_items integer, max_chars integer, categories text[], exclude text[], embedding real[], meaning_weight real, model text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.recent_messages(user_id uuid, max_messages integer, conversation_id uuid, before_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.release_message(user_id uuid, message_id uuid, attempt integer) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.release_message_many(user_ids uuid[], message_ids uuid[], attempts integer[]) IS 'As on a shard; each gets those of its users. NULL, with a WARNING, for those of one that cannot be reached: not now, call again.';
COMMENT ON FUNCTION companion.reschedule_message(user_id uuid, message_id uuid, scheduled_for timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.resolve_user_context(user_id uuid, category text, key text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.resume_sending(channel text, kind text) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.retry_failed(since timestamp with time zone, reason_pattern text, kinds text[]) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.retry_message(user_id uuid, message_id uuid, send_before timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.revoke_telegram_link_tokens(user_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.rewind_dispatch(to_at timestamp with time zone) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.schedule_jobs(run_as name, every interval, databases name[]) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.schedule_message(user_id uuid, scheduled_for timestamp with time zone, content text, kind text, channel text, idempotency_key text, generation_context jsonb, send_before timestamp with time zone, replace boolean, cancel_on_reply boolean, priority_level integer, topic_key text, metadata jsonb) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.search_messages(user_id uuid, query text, max_results integer) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.sent_today(user_id uuid, kind text, at timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.set_directory(shards integer) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.set_embedding(user_id uuid, item_id uuid, model text, embedding real[], value text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.set_shard(number integer, shards integer) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.settle_reservation(user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.start_onboarding(user_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.start_send(user_id uuid, message_id uuid, attempt integer) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.start_send_many(user_ids uuid[], message_ids uuid[], attempts integer[]) IS 'As on a shard; each gets those of its users. NULL, with a WARNING, for those of one that cannot be reached: not now, call again.';
COMMENT ON FUNCTION companion.take_reservation(user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.telegram_deep_link(bot_username text, token text) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.throttle_channel(channel text, retry_after interval, bot text) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.touch_user_context(user_id uuid, ids uuid[]) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.unfollow_auth_users(auth_table regclass) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.unlink_address(user_id uuid, channel text, address text, bot text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.unlink_telegram(user_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.unschedule_jobs(databases name[]) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.upcoming(user_id uuid, until timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.update_user_context(user_id uuid, id uuid, category text, key text, importance real, pinned boolean, expires_at timestamp with time zone, metadata jsonb, merge boolean) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.upsert_user_context(user_id uuid, category text, key text, value text, importance real, emotional_valence integer, source text, expires_at timestamp with time zone, source_message_id uuid, metadata jsonb, pinned boolean) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.upsert_user_context_many(user_id uuid, facts jsonb, on_invalid text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.upsert_user_context_many(user_id uuid, facts_text text, on_invalid text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.usable_channel(u companion.users) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.user_context_as_of(user_id uuid, at timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.user_context_prompt(user_id uuid, max_items integer, max_chars integer, categories text[], exclude text[], embedding real[], meaning_weight real, model text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.uuid_v7() IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.uuid_v7(at timestamp with time zone) IS 'As on a shard; run on any.';

-- What is asked of every shard, and put together by hand.

CREATE FUNCTION companion.claim_messages(
    worker text, max_messages integer DEFAULT 50, lease interval DEFAULT '00:05:00', channels text[] DEFAULT NULL,
    kinds text[] DEFAULT NULL)
RETURNS TABLE (
    user_id uuid, message_id uuid, attempt integer, kind text, local_date date, scheduled_for timestamptz,
    late_by interval, channel text, address text, display_name text, companion_name text, support_style text,
    timezone text, content text, generation_context jsonb, bot text, addresses text[], longest_text integer,
    send_before timestamptz, tries integer, location text, preferences jsonb, email text,
    priority_level smallint, topic_key text)
LANGUAGE plpgsql
AS $$
DECLARE
    shard integer;
    room integer := max_messages;
    taken integer;
    answered boolean := false;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            RETURN QUERY SELECT * FROM companion_as_worker.claim_messages(shard, worker, room, lease, channels, kinds);
            GET DIAGNOSTICS taken = ROW_COUNT;
            room := room - taken;
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
        EXIT WHEN room <= 0;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
END
$$;
COMMENT ON FUNCTION companion.claim_messages(text, integer, interval, text[], text[]) IS
'As on a shard. Each call begins with the next shard and takes from the others what it had too few of; within a shard the oldest go first. One that fails is passed over with a WARNING, unless they all do.';

CREATE PROCEDURE companion.run_dispatch(at timestamptz DEFAULT NULL, max_rows integer DEFAULT 10000)
LANGUAGE plpgsql
AS $$
DECLARE
    shard integer;
    is_complete boolean;
    answered boolean := false;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            LOOP
                IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                    is_complete := companion_as_admin.dispatch_batch(shard, at, max_rows);
                ELSE
                    is_complete := companion_as_worker.dispatch_batch(shard, at, max_rows);
                END IF;
                answered := true;
                EXIT WHEN is_complete;
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
END
$$;
COMMENT ON PROCEDURE companion.run_dispatch(timestamptz, integer) IS
'As on a shard; one shard after the other. Rather let each shard''s own pg_cron dispatch. One that fails is passed over with a WARNING, unless they all do.';

CREATE FUNCTION companion.run_maintenance() RETURNS TABLE (task text, affected bigint)
LANGUAGE plpgsql
AS $$
DECLARE
    shard integer;
    answered boolean := false;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            RETURN QUERY SELECT format('shard %s: %s', shard, m.task), m.affected
                         FROM companion_as_admin.run_maintenance(shard) AS m;
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN QUERY SELECT 'directory', companion_router.maintain_directory();
END
$$;
COMMENT ON FUNCTION companion.run_maintenance() IS
'As on a shard; the task has its number in front: shard 2: expired messages. One that fails is passed over with a WARNING, unless they all do.';

CREATE FUNCTION companion.health(max_lag interval DEFAULT '00:05:00')
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE plpgsql
AS $$
DECLARE
    shard companion_router.shards;
BEGIN
    FOR shard IN SELECT s.* FROM companion_router.shards AS s ORDER BY s.number LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN QUERY SELECT format('shard %s: %s', shard.number, h."check"), h.ok, h.value, h.detail
                             FROM companion_as_admin.health(shard.number, max_lag) AS h;
            ELSE
                RETURN QUERY SELECT format('shard %s: %s', shard.number, h."check"), h.ok, h.value, h.detail
                             FROM companion_as_monitor.health(shard.number, max_lag) AS h;
            END IF;
            RETURN QUERY SELECT format('shard %s: reachable', shard.number), true, NULL::double precision, NULL::text;
        EXCEPTION WHEN OTHERS THEN
            RETURN QUERY SELECT format('shard %s: reachable', shard.number), false, NULL::double precision, SQLERRM;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.health(interval) IS
'As on a shard; the check has its number in front: shard 2: dispatch. Another, shard 2: reachable, is false for one that is not on or does not answer.';

CREATE FUNCTION companion.metrics() RETURNS TABLE (name text, labels jsonb, value double precision)
LANGUAGE plpgsql
AS $$
DECLARE
    shard companion_router.shards;
    label jsonb;
BEGIN
    FOR shard IN SELECT s.* FROM companion_router.shards AS s ORDER BY s.number LOOP
        label := jsonb_build_object('shard', shard.number::text);
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN QUERY SELECT m.name, coalesce(m.labels, '{}') || label, m.value
                             FROM companion_as_admin.metrics(shard.number) AS m;
            ELSE
                RETURN QUERY SELECT m.name, coalesce(m.labels, '{}') || label, m.value
                             FROM companion_as_monitor.metrics(shard.number) AS m;
            END IF;
            RETURN QUERY SELECT 'companion_shard_up', label, 1::double precision;
        EXCEPTION WHEN OTHERS THEN
            RETURN QUERY SELECT 'companion_shard_up', label, 0::double precision;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.metrics() IS
'As on a shard, with the label shard. companion_shard_up is 0 for one that is not on or does not answer.';

CREATE FUNCTION companion.due_follow_ups_all(max_rows integer DEFAULT 100) RETURNS SETOF companion.context_item
LANGUAGE plpgsql
AS $$
DECLARE
    shard integer;
    room integer := max_rows;
    taken integer;
    answered boolean := false;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN QUERY SELECT * FROM companion_as_admin.due_follow_ups_all(shard, room);
            ELSE
                RETURN QUERY SELECT * FROM companion_as_worker.due_follow_ups_all(shard, room);
            END IF;
            GET DIAGNOSTICS taken = ROW_COUNT;
            room := room - taken;
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
END
$$;
COMMENT ON FUNCTION companion.due_follow_ups_all(integer) IS
'As on a shard; the oldest first within each. Each call begins with the next shard.';

CREATE FUNCTION companion.items_without_embedding(model text, max_rows integer DEFAULT 100, for_user uuid DEFAULT NULL)
RETURNS TABLE (user_id uuid, item_id uuid, category text, key text, value text)
LANGUAGE plpgsql
AS $$
DECLARE
    shard integer;
    room integer := max_rows;
    taken integer;
    answered boolean := false;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT s FROM companion_router.in_turn() AS s
        WHERE for_user IS NULL OR s = companion_router.number_of(for_user)
    LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN QUERY SELECT * FROM companion_as_admin.items_without_embedding(shard, model, room, for_user);
            ELSE
                RETURN QUERY SELECT * FROM companion_as_worker.items_without_embedding(shard, model, room, for_user);
            END IF;
            GET DIAGNOSTICS taken = ROW_COUNT;
            room := room - taken;
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
END
$$;
COMMENT ON FUNCTION companion.items_without_embedding(text, integer, uuid) IS
'As on a shard; each call begins with the next shard, and with for_user it is that user''s alone.';

-- What goes by an address, which only the directory knows: it reserves, the user's shard links by the
-- reservation, the directory confirms. What is left between is settled by whoever comes to it next, and by
-- run_maintenance().

CREATE FUNCTION companion_router.set_directory(conninfo text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    theirs record;
    detail text;
    hint text;
BEGIN
    PERFORM companion_router.put_server('companion_directory', conninfo);
    SELECT * INTO theirs FROM companion_router.introduce('companion_directory');
    IF theirs.shards IS NULL OR theirs.shard IS NOT NULL
        OR theirs.shards <> (SELECT c.shards FROM companion_router.shard_count AS c) THEN
        RAISE EXCEPTION 'the database is not the directory of these shards'
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = CASE WHEN theirs.shards IS NULL THEN 'It has not been told so: companion.set_directory().'
                       WHEN theirs.shard IS NOT NULL THEN format('It is shard %s.', theirs.shard)
                       ELSE format('It is that of %s shards.', theirs.shards) END;
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;
COMMENT ON FUNCTION companion_router.set_directory(text) IS
'Says where the directory is, or is now. conninfo as of add_shard(). Error 55000 for another database than the directory of as many shards, 08001 where it does not answer. For superusers.';

CREATE UNLOGGED TABLE companion_router.known_addresses (
    channel text COLLATE "C",
    address text COLLATE "C",
    bot text COLLATE "C",
    user_id uuid NOT NULL,
    PRIMARY KEY (channel, address, bot)
);
COMMENT ON TABLE companion_router.known_addresses IS
'Where messages have come from, as it was named, and whose the directory said that it was: what need not be looked up again, also while the directory is down. Their shard says whether it is so still. Internal.';
COMMENT ON COLUMN companion_router.known_addresses.channel IS 'The channel.';
COMMENT ON COLUMN companion_router.known_addresses.address IS 'The address.';
COMMENT ON COLUMN companion_router.known_addresses.bot IS 'The bot.';
COMMENT ON COLUMN companion_router.known_addresses.user_id IS 'Whose it was.';

-- Tells the directory what has become of one of its entries; returns whether the address is free now.
CREATE FUNCTION companion_router.settle(
    user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamptz) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    outcome text;
    owner uuid;
BEGIN
    SELECT s.outcome, s.owner INTO outcome, owner
    FROM companion.settle_reservation(user_id, channel, address, bot, reservation, expires_at) AS s;
    CASE outcome
        WHEN 'linked' THEN
            PERFORM companion.directory_confirm(owner, channel, address, bot, reservation);
        WHEN 'void' THEN
            RETURN companion.directory_release(channel, address, bot, reservation);
        ELSE
            NULL; -- a newer reservation, which another is seeing to
    END CASE;
    RETURN false;
END
$$;
COMMENT ON FUNCTION companion_router.settle(uuid, text, text, text, bigint, timestamptz) IS
'Asks a user''s shard what has become of an entry of the directory, and confirms or releases it; returns whether the address is free now. Internal.';

CREATE FUNCTION companion_router.reserve(
    user_id uuid, channel text, address text, bot text, OUT reservation bigint, OUT expires_at timestamptz, OUT owner uuid)
LANGUAGE plpgsql
AS $$
DECLARE
    outcome text;
    entry record;
    is_free boolean := false;
BEGIN
    LOOP
        SELECT r.outcome, r.reservation, r.expires_at, r.owner INTO outcome, reservation, expires_at, owner
        FROM companion.directory_reserve(user_id, channel, address, bot) AS r;
        IF outcome = 'reserved' THEN
            owner := NULL;
            PERFORM companion.take_reservation(user_id, channel, address, bot, reservation, expires_at);
            RETURN;
        END IF;
        -- It may have been unlinked, or never linked, and nobody has said so yet
        EXIT WHEN is_free;
        SELECT * INTO entry FROM companion.directory_lookup(channel, address, bot);
        EXIT WHEN entry IS NULL OR NOT companion_router.settle(
            entry.user_id, channel, address, entry.found_bot, entry.reservation, entry.expires_at);
        is_free := true;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion_router.reserve(uuid, text, text, text) IS
'Reserves an address in the directory and gives the reservation to the user''s shard; where it is another''s, says whose, and no reservation. Internal.';

CREATE FUNCTION companion_router.conclude(
    user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamptz, is_linked boolean)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF is_linked THEN
        PERFORM companion.directory_confirm(user_id, channel, address, bot, reservation);
    ELSE
        PERFORM companion_router.settle(user_id, channel, address, bot, reservation, expires_at);
    END IF;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM,
        DETAIL = 'What a shard has linked will be told the directory by run_maintenance().';
END
$$;
COMMENT ON FUNCTION companion_router.conclude(uuid, text, text, text, bigint, timestamptz, boolean) IS
'Tells the directory what has come of a reservation; where it cannot, run_maintenance() does later. Internal.';

CREATE FUNCTION companion.link_address(user_id uuid, channel text, address text, bot text DEFAULT '') RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    given record;
    outcome text;
    detail text;
    hint text;
BEGIN
    given := companion_router.reserve(user_id, channel, address, bot);
    IF given.owner IS NOT NULL THEN
        RETURN 'taken';
    END IF;
    BEGIN
        IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
            outcome := companion_as_admin.link_address(companion_router.number_of(user_id), user_id, channel, address, bot);
        ELSE
            outcome := companion_as_worker.link_address(companion_router.number_of(user_id), user_id, channel, address, bot);
        END IF;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        PERFORM companion_router.conclude(user_id, channel, address, bot, given.reservation, given.expires_at, false);
        PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
    END;
    PERFORM companion_router.conclude(user_id, channel, address, bot, given.reservation, given.expires_at, outcome = 'linked');
    RETURN outcome;
END
$$;
COMMENT ON FUNCTION companion.link_address(uuid, text, text, text) IS
'As on a shard; run on that of the user, once the directory has reserved the address.';

CREATE FUNCTION companion_router.user_at(channel text, address text, bot text) RETURNS uuid
LANGUAGE plpgsql
AS $$
BEGIN
    RETURN (SELECT l.user_id FROM companion.directory_lookup(channel, address, bot) AS l);
EXCEPTION WHEN data_exception THEN
    RETURN NULL; -- no address, which a shard says as it says it
END
$$;
COMMENT ON FUNCTION companion_router.user_at(text, text, text) IS 'Whose an address is by the directory; NULL: nobody''s. Internal.';

-- The cache is written with the router's rights: nobody else may say whose an address is.
CREATE FUNCTION companion_router.known_address(channel text, address text, bot text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT k.user_id FROM companion_router.known_addresses AS k
    WHERE k.channel = known_address.channel AND k.address = known_address.address AND k.bot = known_address.bot;
END;
COMMENT ON FUNCTION companion_router.known_address(text, text, text) IS 'Reads known_addresses. Internal.';

CREATE FUNCTION companion_router.know_address(channel text, address text, bot text, user_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO companion_router.known_addresses AS k (channel, address, bot, user_id)
    VALUES (channel, address, bot, user_id)
    ON CONFLICT ON CONSTRAINT known_addresses_pkey DO UPDATE SET user_id = excluded.user_id
    WHERE k.user_id <> excluded.user_id;
END;
COMMENT ON FUNCTION companion_router.know_address(text, text, text, uuid) IS 'Writes known_addresses. Internal.';

CREATE FUNCTION companion.record_incoming(
    channel text, channel_user_id text, content text, telegram_message_id bigint DEFAULT NULL,
    reply_to_telegram_id bigint DEFAULT NULL, metadata jsonb DEFAULT NULL, idle interval DEFAULT '24:00:00',
    bot text DEFAULT '', external_id text DEFAULT NULL, reply_to_external_id text DEFAULT NULL)
RETURNS TABLE (user_id uuid, conversation_id uuid, message_id uuid, is_new boolean, cancelled integer)
LANGUAGE plpgsql
AS $$
DECLARE
    known uuid := CASE $1 WHEN 'web' THEN companion_router.uuid_in($2) ELSE companion_router.known_address($1, $2, $8) END;
    owner uuid := known;
    shard integer;
    detail text;
    hint text;
BEGIN
    LOOP
        IF owner IS NULL AND $1 <> 'web' THEN
            owner := companion_router.user_at($1, $2, $8);
        END IF;
        -- A channel that needs no address has the user's id for one; what is nobody's, any shard says so of
        shard := companion_router.number_of(coalesce(owner, companion_router.uuid_in($2)));
        IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
            RETURN QUERY SELECT * FROM companion_as_admin.record_incoming(shard, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10);
        ELSE
            RETURN QUERY SELECT * FROM companion_as_worker.record_incoming(shard, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10);
        END IF;
        EXIT WHEN FOUND OR known IS NULL OR $1 = 'web';
        known := NULL;
        owner := NULL;
    END LOOP;
    IF owner IS NOT NULL AND known IS NULL THEN
        PERFORM companion_router.know_address($1, $2, $8, owner);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;
COMMENT ON FUNCTION companion.record_incoming(text, text, text, bigint, bigint, jsonb, interval, text, text, text) IS
'As on a shard; run on that of the user who has the address, by the directory, which is asked for an address that no message came from before.';


CREATE FUNCTION companion.link_token_owner(token text, bot text DEFAULT '') RETURNS TABLE (user_id uuid, for_bot text)
LANGUAGE plpgsql
AS $$
DECLARE
    shard integer := companion_router.shard_of_token(token, 0);
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.link_token_owner(shard, token, bot);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_worker.link_token_owner(shard, token, bot);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;
COMMENT ON FUNCTION companion.link_token_owner(text, text) IS 'As on a shard; run on the one that the token names.';

CREATE FUNCTION companion_router.shard_of_token(token text, account bigint) RETURNS integer
LANGUAGE sql STABLE
BEGIN ATOMIC
    -- What is no token goes always to the same shard for an account, which counts its failures
    SELECT coalesce((SELECT s.number FROM companion_router.shards AS s WHERE s.number = companion.link_token_shard(token)),
                    abs(account % c.shards)::integer)
    FROM companion_router.shard_count AS c;
END;
COMMENT ON FUNCTION companion_router.shard_of_token(text, bigint) IS
'The shard that a link token names; for another text, one of them. Internal.';

CREATE FUNCTION companion.redeem_telegram_link_token(
    token text, telegram_user_id bigint, telegram_username text DEFAULT NULL, bot text DEFAULT '')
RETURNS TABLE (outcome text, user_id uuid)
LANGUAGE plpgsql
AS $$
DECLARE
    owner record;
    given record;
    detail text;
    hint text;
BEGIN
    SELECT o.user_id, o.for_bot INTO owner FROM companion.link_token_owner($1, $4) AS o;
    IF owner.user_id IS NOT NULL THEN
        given := companion_router.reserve(owner.user_id, 'telegram', $2::text, owner.for_bot);
        IF given.owner IS NOT NULL THEN
            RETURN QUERY SELECT 'taken', NULL::uuid;
            RETURN;
        END IF;
    END IF;
    BEGIN
        SELECT r.outcome, r.user_id INTO outcome, user_id
        FROM companion_as_worker.redeem_telegram_link_token(companion_router.shard_of_token($1, $2), $1, $2, $3, $4) AS r;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        IF owner.user_id IS NOT NULL THEN
            PERFORM companion_router.conclude(owner.user_id, 'telegram', $2::text, owner.for_bot, given.reservation, given.expires_at, false);
        END IF;
        PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
    END;
    IF owner.user_id IS NOT NULL THEN
        PERFORM companion_router.conclude(owner.user_id, 'telegram', $2::text, owner.for_bot, given.reservation, given.expires_at, outcome = 'linked');
    END IF;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION companion.redeem_telegram_link_token(text, bigint, text, text) IS
'As on a shard; run on the one that the token names, once the directory has reserved the account.';

CREATE FUNCTION companion_router.put_user_on(shard integer, user_id uuid, settings jsonb) RETURNS companion.users
LANGUAGE plpgsql
AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.put_user(shard, user_id, settings);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.put_user(shard, user_id, settings);
    ELSE
        RETURN companion_as_user.put_user(shard, user_id, settings, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;
COMMENT ON FUNCTION companion_router.put_user_on(integer, uuid, jsonb) IS 'put_user() on a shard. Internal.';

CREATE FUNCTION companion.put_user(user_id uuid, settings jsonb) RETURNS companion.users
LANGUAGE plpgsql
AS $$
DECLARE
    accounts constant jsonb := CASE WHEN user_id IS NULL AND jsonb_typeof(settings) = 'object'
            AND (pg_catalog.pg_has_role('companion_worker', 'usage') OR pg_catalog.pg_has_role('companion_admin', 'usage'))
        THEN jsonb_strip_nulls(jsonb_build_object('telegram', settings -> 'telegram_user_id', 'whatsapp', settings -> 'whatsapp_number'))
        ELSE '{}' END;
    account record;
    given record;
    owner uuid;
    row companion.users;
BEGIN
    IF accounts = '{}' THEN
        RETURN companion_router.put_user_on(companion_router.number_of(user_id), user_id, settings);
    END IF;
    SELECT companion_router.user_at(a.key, a.value, NULL) INTO owner
    FROM jsonb_each_text(accounts) AS a ORDER BY 1 IS NULL, a.key LIMIT 1;
    owner := coalesce(owner, companion.new_user_id());
    FOR account IN SELECT a.key AS channel, a.value AS address FROM jsonb_each_text(accounts) AS a ORDER BY a.key LOOP
        BEGIN
            given := companion_router.reserve(owner, account.channel, account.address, '');
            owner := coalesce(given.owner, owner);
        EXCEPTION WHEN data_exception THEN
            NULL; -- no account, which the shard says as it says it
        END;
    END LOOP;
    row := companion_router.put_user_on(companion_router.number_of(owner), NULL, settings);
    FOR account IN SELECT a.key AS channel, a.value AS address FROM jsonb_each_text(accounts) AS a LOOP
        PERFORM companion_router.settle_entry(account.channel, account.address, '');
    END LOOP;
    RETURN row;
END
$$;
COMMENT ON FUNCTION companion.put_user(uuid, jsonb) IS
'As on a shard; run on that of the user, whom with NULL the directory knows by their account, or has a new one reserved for.';

CREATE FUNCTION companion_router.settle_entry(channel text, address text, bot text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM companion_router.settle(l.user_id, channel, address, l.found_bot, l.reservation, l.expires_at)
    FROM companion.directory_lookup(channel, address, bot) AS l WHERE NOT l.is_confirmed;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM,
        DETAIL = 'What a shard has linked will be told the directory by run_maintenance().';
END
$$;
COMMENT ON FUNCTION companion_router.settle_entry(text, text, text) IS
'Settles what the directory has of an address and is not confirmed. Internal.';

-- What is left to settle: for run_maintenance(), an admin's.
CREATE FUNCTION companion_as_admin.unconfirmed(max_rows integer)
RETURNS TABLE (user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamptz)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
AS $$
    CLUSTER 'companion_directory';
    SELECT d.user_id, d.channel, d.address, d.bot, d.reservation, d.expires_at FROM companion.directory AS d
    WHERE d.confirmed_at IS NULL AND d.expires_at < companion.now() ORDER BY d.expires_at LIMIT $1::integer;
$$;

CREATE FUNCTION companion_as_admin.directory_changes(shard integer, max_rows integer)
RETURNS TABLE (user_id uuid, id uuid, channel text, address text, bot text, is_wanted boolean)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
AS $$
    CLUSTER companion_router.server($1);
    SELECT c.user_id, c.id, c.channel, c.address, c.bot, c.is_wanted FROM companion.directory_changes AS c
    ORDER BY c.since, c.id LIMIT $2::integer;
$$;

CREATE FUNCTION companion_router.see_to(change record) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    given record;
    outcome text;
BEGIN
    IF change.is_wanted THEN
        SELECT * INTO given FROM companion.directory_reserve(change.user_id, change.channel, change.address, change.bot);
        IF given.outcome = 'reserved' THEN
            outcome := companion.link_wanted_address(change.user_id, change.id, given.reservation, given.expires_at);
            PERFORM companion_router.settle(change.user_id, change.channel, change.address, change.bot, given.reservation, given.expires_at);
        END IF;
    ELSE
        PERFORM companion_router.settle(l.user_id, change.channel, change.address, l.found_bot, l.reservation, l.expires_at)
        FROM companion.directory_lookup(change.channel, change.address, change.bot) AS l;
    END IF;
    IF outcome IS DISTINCT FROM 'linked' THEN
        PERFORM companion.directory_change_done(change.user_id, change.id);
    END IF;
END
$$;
COMMENT ON FUNCTION companion_router.see_to(record) IS
'Sees to a row of a shard''s directory_changes: reserves what is wanted and links it, settles what was unlinked. Internal.';

CREATE FUNCTION companion_router.maintain_directory(max_rows integer DEFAULT 1000) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    shard integer;
    entry record;
    settled bigint := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_foreign_server WHERE srvname = 'companion_directory') THEN
        RETURN NULL;
    END IF;
    FOR shard IN SELECT companion_router.in_turn() LOOP
        FOR entry IN SELECT * FROM companion_as_admin.directory_changes(shard, max_rows) LOOP
            PERFORM companion_router.see_to(entry);
            settled := settled + 1;
        END LOOP;
    END LOOP;
    FOR entry IN SELECT * FROM companion_as_admin.unconfirmed(max_rows) LOOP
        PERFORM companion_router.settle(entry.user_id, entry.channel, entry.address, entry.bot, entry.reservation, entry.expires_at);
        settled := settled + 1;
    END LOOP;
    RETURN settled;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM, DETAIL = 'The next run_maintenance() goes on.';
    RETURN settled;
END
$$;
COMMENT ON FUNCTION companion_router.maintain_directory(integer) IS
'Settles what linking and unlinking have left between the shards and the directory; returns how much, NULL without a directory. Part of run_maintenance(). Internal.';

-- Owner first, then what others may. What goes to the shards runs as companion_router_owner, whose
-- user mappings are the logins there; everything else runs as the caller.
DO $$
DECLARE
    member record;
BEGIN
    FOR member IN
        SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS type, p.oid::regprocedure AS identity,
               n.nspname ~ '^companion_as_' OR p.proname IN ('in_turn', 'introduce', 'known_address', 'know_address') AS is_owned
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname ~ '^companion(_router|_as_[a-z]+)?$'
    LOOP
        IF member.is_owned THEN
            EXECUTE format('ALTER %s %s OWNER TO companion_router_owner', member.type, member.identity);
        END IF;
        EXECUTE format('REVOKE ALL ON %s %s FROM PUBLIC', member.type, member.identity);
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA companion TO companion_user, companion_worker, companion_admin, companion_monitor, companion_router_owner;
GRANT USAGE ON SCHEMA companion_router TO companion_user, companion_worker, companion_admin, companion_monitor, companion_router_owner;
GRANT SELECT ON companion_router.shards, companion_router.shard_count
TO companion_user, companion_worker, companion_admin, companion_monitor, companion_router_owner;
GRANT SELECT, INSERT, UPDATE ON companion_router.known_addresses TO companion_router_owner;
GRANT EXECUTE ON FUNCTION companion_router.known_address(text, text, text),
    companion_router.know_address(text, text, text, uuid)
TO companion_worker, companion_admin;
GRANT USAGE ON SEQUENCE companion_router.turn TO companion_router_owner;
GRANT EXECUTE ON FUNCTION
    companion_router.raise(text, text, text, text), companion_router.fail(text, text, text, text),
    companion_router.fail_all(text[]), companion_router.pass_over(integer, text, text, text, text),
    companion_router.refuse(text), companion_router.in_turn(), companion_router.number_of(uuid),
    companion_router.put_user_on(integer, uuid, jsonb), companion_router.settle_entry(text, text, text),
    companion_router.settle(uuid, text, text, text, bigint, timestamptz), companion_router.reserve(uuid, text, text, text),
    companion_router.conclude(uuid, text, text, text, bigint, timestamptz, boolean),
    companion_router.user_at(text, text, text), companion_router.shard_of_token(text, bigint),
    companion_router.maintain_directory(integer), companion_router.see_to(record),
    companion_router.uuid_in(text), companion_router.identity_in(text), companion.shard_of(uuid, integer)
TO companion_user, companion_worker, companion_admin, companion_monitor;
GRANT EXECUTE ON FUNCTION companion_router.server(integer), companion_router.server(uuid),
    companion_router.number_of(uuid), companion_router.itself(text), companion.shard_of(uuid, integer)
TO companion_router_owner;
GRANT EXECUTE ON FUNCTION companion_router.upsert_user_context_many(uuid, jsonb, text),
    companion_router.upsert_user_context_many(uuid, text, text)
TO companion_user, companion_worker, companion_admin;

-- A call as a role, for the role alone.
GRANT USAGE ON SCHEMA companion_as_user TO companion_user;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA companion_as_user TO companion_user;
GRANT USAGE ON SCHEMA companion_as_worker TO companion_worker;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA companion_as_worker TO companion_worker;
GRANT USAGE ON SCHEMA companion_as_admin TO companion_admin;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA companion_as_admin TO companion_admin;
GRANT USAGE ON SCHEMA companion_as_monitor TO companion_monitor;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA companion_as_monitor TO companion_monitor;
-- Written by script/docs from the catalog of the extension companion: who may call what, as on a shard.
GRANT EXECUTE ON FUNCTION companion.add_message(user_id uuid, conversation_id uuid, role text, content text, telegram_message_id bigint, reply_to_id uuid, metadata jsonb, reply_to_telegram_id bigint, bot text, address text, external_id text, reply_to_external_id text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.advance_onboarding(user_id uuid, step text, answers jsonb) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.annotate_message(user_id uuid, message_id uuid, priority_level integer, topic_key text, metadata jsonb) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.apply_retention(max_rows integer) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.cancel_message(user_id uuid, message_id uuid, reason text, idempotency_key text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.cancel_messages(user_id uuid, kind text, reason text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.canonical_timezone(timezone text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.channel_address(u companion.users, channel text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.checkin_instant(timezone text, local_date date, local_time time without time zone) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.claim_messages(worker text, max_messages integer, lease interval, channels text[], kinds text[]) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.close_conversation(user_id uuid, conversation_id uuid, mood_summary text, topics text[]) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.complete_onboarding(user_id uuid) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.cosine_similarity(a real[], b real[]) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.create_telegram_link_token(user_id uuid, valid_for interval, bot text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.current_user_id() TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.delete_message(user_id uuid, message_id uuid, forget_facts boolean) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.directory_change_done(user_id uuid, id uuid) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.directory_confirm(user_id uuid, channel text, address text, bot text, reservation bigint) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.directory_lookup(channel text, address text, bot text) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.directory_release(channel text, address text, bot text, reservation bigint) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.directory_reserve(user_id uuid, channel text, address text, bot text) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.disable_address(user_id uuid, channel text, address text, bot text, reason text) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.dispatch(at timestamp with time zone, max_rows integer) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.due_follow_ups(user_id uuid, on_date date) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.due_follow_ups_all(max_rows integer) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.edit_message(user_id uuid, message_id uuid, content text, telegram_message_id bigint, bot text, address text, external_id text, channel text) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.end_of_day(user_id uuid, local_date date) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.erase_user(user_id uuid) TO companion_admin, companion_user;
GRANT EXECUTE ON FUNCTION companion.expire_addresses(max_rows integer) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.expire_cap_starts(max_rows integer) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.expire_early_edits(max_rows integer) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.expire_job_runs(max_rows integer) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.expire_messages(max_rows integer) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.expire_reservations(max_rows integer) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.expire_telegram_link_tokens(max_rows integer) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.expire_user_context(max_rows integer) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.explain_checkin(user_id uuid, local_date date) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.export_user(user_id uuid) TO companion_admin, companion_user;
GRANT EXECUTE ON FUNCTION companion.extend_lease(user_id uuid, message_id uuid, attempt integer, lease interval) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.extend_lease_many(user_ids uuid[], message_ids uuid[], attempts integer[], lease interval) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.finish_abandoned(max_rows integer) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.folded(value text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.follow_auth_users(auth_table regclass, email_column name, deleted_column name, banned_column name, on_replica boolean) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.forget_redeem_failures() TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.forget_user_context(user_id uuid, category text, key text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.health(max_lag interval) TO companion_admin, companion_monitor;
GRANT EXECUTE ON FUNCTION companion.import_conversations(rows jsonb) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.import_messages(rows jsonb) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.import_scheduled_messages(rows jsonb) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.import_user_context(rows jsonb) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.import_users(rows jsonb) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.imported_id(user_id uuid, table_name text, old_id text) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.is_same_text(a text, b text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.items_without_embedding(model text, max_rows integer, for_user uuid) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.link_address(user_id uuid, channel text, address text, bot text) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.link_token_owner(token text, bot text) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.link_token_shard(token text) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.link_wanted_address(user_id uuid, id uuid, reservation bigint, expires_at timestamp with time zone) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.local_timestamp(timezone text, at timestamp with time zone) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.mark_failed(user_id uuid, message_id uuid, attempt integer, reason text, retry_after interval, permanent boolean, address_gone boolean) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.mark_failed_many(user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[], retry_after interval, permanent boolean, address_gone boolean) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.mark_sent(user_id uuid, message_id uuid, attempt integer, content text, telegram_message_id bigint, external_id text, metadata jsonb, resolves uuid[]) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.mark_sent_many(user_ids uuid[], message_ids uuid[], attempts integer[], contents text[], telegram_message_ids bigint[], external_ids text[], metadata jsonb[], resolves uuid[]) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.mark_skipped(user_id uuid, message_id uuid, attempt integer, reason text) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.mark_skipped_many(user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[]) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.memory_report(user_id uuid) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.merge_context_items() TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.metrics() TO companion_admin, companion_monitor;
GRANT EXECUTE ON FUNCTION companion.new_user_id() TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.next_checkin(user_id uuid, at timestamp with time zone) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.normalized(value text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.now() TO companion_admin, companion_monitor, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.open_conversation(user_id uuid, channel text, initiated_by text, idle interval) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.pause_sending(channel text, kind text, until timestamp with time zone, reason text) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.put_user(user_id uuid, settings jsonb) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.quiet_until(timezone text, quiet_from time without time zone, quiet_until time without time zone, at timestamp with time zone) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.recall_score(category text, importance real, confirmations integer, confirmed_at timestamp with time zone, last_used_at timestamp with time zone, at timestamp with time zone) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.recall_user_context(user_id uuid, max_items integer, max_chars integer, categories text[], exclude text[], embedding real[], meaning_weight real, model text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.recent_messages(user_id uuid, max_messages integer, conversation_id uuid, before_id uuid) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.record_incoming(channel text, channel_user_id text, content text, telegram_message_id bigint, reply_to_telegram_id bigint, metadata jsonb, idle interval, bot text, external_id text, reply_to_external_id text) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.redeem_telegram_link_token(token text, telegram_user_id bigint, telegram_username text, bot text) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.release_message(user_id uuid, message_id uuid, attempt integer) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.release_message_many(user_ids uuid[], message_ids uuid[], attempts integer[]) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.reschedule_message(user_id uuid, message_id uuid, scheduled_for timestamp with time zone) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.resolve_user_context(user_id uuid, category text, key text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.resume_sending(channel text, kind text) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.retry_failed(since timestamp with time zone, reason_pattern text, kinds text[]) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.retry_message(user_id uuid, message_id uuid, send_before timestamp with time zone) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.revoke_telegram_link_tokens(user_id uuid) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.rewind_dispatch(to_at timestamp with time zone) TO companion_admin;
GRANT EXECUTE ON PROCEDURE companion.run_dispatch(IN at timestamp with time zone, IN max_rows integer) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.run_maintenance() TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.schedule_jobs(run_as name, every interval, databases name[]) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.schedule_message(user_id uuid, scheduled_for timestamp with time zone, content text, kind text, channel text, idempotency_key text, generation_context jsonb, send_before timestamp with time zone, replace boolean, cancel_on_reply boolean, priority_level integer, topic_key text, metadata jsonb) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.search_messages(user_id uuid, query text, max_results integer) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.sent_today(user_id uuid, kind text, at timestamp with time zone) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.set_directory(shards integer) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.set_embedding(user_id uuid, item_id uuid, model text, embedding real[], value text) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.set_shard(number integer, shards integer) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.settle_reservation(user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamp with time zone) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.shard_of(user_id uuid, shards integer) TO companion_admin, companion_monitor, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.start_onboarding(user_id uuid) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.start_send(user_id uuid, message_id uuid, attempt integer) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.start_send_many(user_ids uuid[], message_ids uuid[], attempts integer[]) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.take_reservation(user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamp with time zone) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.telegram_deep_link(bot_username text, token text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.throttle_channel(channel text, retry_after interval, bot text) TO companion_admin, companion_worker;
GRANT EXECUTE ON FUNCTION companion.touch_user_context(user_id uuid, ids uuid[]) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.unfollow_auth_users(auth_table regclass) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.unlink_address(user_id uuid, channel text, address text, bot text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.unlink_telegram(user_id uuid) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.unschedule_jobs(databases name[]) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.upcoming(user_id uuid, until timestamp with time zone) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.update_user_context(user_id uuid, id uuid, category text, key text, importance real, pinned boolean, expires_at timestamp with time zone, metadata jsonb, merge boolean) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.upsert_user_context(user_id uuid, category text, key text, value text, importance real, emotional_valence integer, source text, expires_at timestamp with time zone, source_message_id uuid, metadata jsonb, pinned boolean) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.upsert_user_context_many(user_id uuid, facts jsonb, on_invalid text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.upsert_user_context_many(user_id uuid, facts_text text, on_invalid text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.usable_channel(u companion.users) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.user_context_as_of(user_id uuid, at timestamp with time zone) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.user_context_prompt(user_id uuid, max_items integer, max_chars integer, categories text[], exclude text[], embedding real[], meaning_weight real, model text) TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.uuid_v7() TO companion_admin, companion_user, companion_worker;
GRANT EXECUTE ON FUNCTION companion.uuid_v7(at timestamp with time zone) TO companion_admin, companion_user, companion_worker;
