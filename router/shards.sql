
-- Which shard a call goes to.

CREATE FUNCTION companion_router.refuse_shard(number integer, state text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF number IS NULL THEN
        RAISE EXCEPTION 'the router has no shard'
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT companion_router.add_shard(0, ''host=... dbname=...'')';
    END IF;
    RAISE EXCEPTION 'shard % is %', number, coalesce(state, 'not there')
    USING ERRCODE = 'cannot_connect_now', HINT = 'Nothing was done. Call again.';
END
$$;
COMMENT ON FUNCTION companion_router.refuse_shard(integer, text) IS
'Raises 57P03 for a shard that is not on, 55000 where there is none. Internal.';

CREATE FUNCTION companion_router.number_of(user_id uuid) RETURNS integer
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    shards integer := (SELECT c.shards FROM companion_router.shard_count AS c);
BEGIN
    IF shards IS NULL THEN
        PERFORM companion_router.refuse_shard(NULL, NULL);
    END IF;
    RETURN companion_router.shard_of(coalesce(user_id, '00000000-0000-0000-0000-000000000000'), shards);
END
$$;
COMMENT ON FUNCTION companion_router.number_of(uuid) IS
'The shard of a user; for NULL one that answers as any would. Error 55000 where there is no shard. Internal.';

-- Every call asks these, as the caller's search_path is, with the rights of companion_router_owner. So all that they
-- name is qualified: a SET search_path would cost each call something.
CREATE FUNCTION companion_router.server(shard integer) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    state pg_catalog.text;
BEGIN
    SELECT s.state INTO state FROM companion_router.shards AS s WHERE s.number OPERATOR(pg_catalog.=) shard;
    IF state OPERATOR(pg_catalog.=) 'on' THEN
        RETURN pg_catalog.concat('companion_shard_', shard);
    END IF;
    RETURN companion_router.refuse_shard(shard, state);
END
$$;
COMMENT ON FUNCTION companion_router.server(integer) IS
'The foreign server of a shard; error 57P03 unless it is on. Internal.';

CREATE FUNCTION companion_router.server(user_id uuid) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    shard integer;
    state pg_catalog.text;
BEGIN
    SELECT s.number, s.state INTO shard, state FROM companion_router.shards AS s
    WHERE s.number OPERATOR(pg_catalog.=) (
        SELECT companion_router.shard_of(coalesce(user_id, '00000000-0000-0000-0000-000000000000'), c.shards)
        FROM companion_router.shard_count AS c);
    IF state OPERATOR(pg_catalog.=) 'on' THEN
        RETURN pg_catalog.concat('companion_shard_', shard);
    END IF;
    RETURN companion_router.refuse_shard(companion_router.number_of(user_id), state);
END
$$;
COMMENT ON FUNCTION companion_router.server(uuid) IS
'The foreign server of a user''s shard; of NULL, one that answers as any would. Errors as of a shard''s and of number_of. Internal.';

CREATE FUNCTION companion_router.in_turn() RETURNS integer[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    turns integer[] := ARRAY(SELECT s.number FROM companion_router.shards AS s WHERE s.state = 'on' ORDER BY s.number);
    first integer := nextval('companion_router.turn') % greatest(cardinality(turns), 1);
BEGIN
    RETURN turns[first + 1:] || turns[:first];
END
$$;
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
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
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
        IF setting[1] ~ '^(sslpassword|oauth_client_secret|scram_(client|server)_key)$' THEN
            RAISE EXCEPTION 'setting "%" of a connection string is refused', setting[1]
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'Everybody could read it: of what is secret, the password alone is kept from others.',
                  HINT = 'Let a file have it, which the server''s user alone may read.';
        END IF;
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
'Takes the user and the password out of a connection string of libpq. Error 22023 for one that is none, which is not in the message, and for a secret other than the password. Internal.';

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
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
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
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
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
    -- Every call reads both, which are too small for autovacuum, and an index is a detour to one page
    ANALYZE companion_router.shard_count, companion_router.shards;
END
$$;
COMMENT ON FUNCTION companion_router.add_shard(integer, text) IS
'Adds a shard, which must answer, with this number, the same count as the others and this version of the extension: else error 55000, 08001 where it does not answer. conninfo is libpq''s, and says as whom the router logs in; nobody but superusers reads the password from then on. Error 22023 for a number outside 0 to 4095 and for a conninfo that is none or has another secret than the password, 42710 for a shard that is there. For superusers.';

CREATE FUNCTION companion_router.alter_shard(number integer, conninfo text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
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
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
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
