
-- Errors: PL/Proxy wraps what a shard has raised; here it becomes again what it was.

CREATE FUNCTION companion_router.raise(state text, message text, detail text, hint text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
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
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    remote text[] := regexp_match(message, '^[^ ]+[(][0-9]+[)]: [[].*?[]] REMOTE [^:]+: (.*)$');
    broken text[] := regexp_match(message, '^PL/Proxy function [^ ]+[(][0-9]+[)]: (([[].*?[]] )?(PQ[A-Za-z]+|connect timeout).*)$');
    -- The session there was ended in the middle of the call
    ended text[] := regexp_match(message, '^[^ ]+[(][0-9]+[)]: ([[].*?[]] REMOTE (FATAL|PANIC): .*)$');
BEGIN
    broken := coalesce(ended, broken);
    IF ended IS NULL AND remote IS NOT NULL THEN
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
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
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
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
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
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'companion.%() is not routed', name
    USING ERRCODE = 'feature_not_supported', HINT = 'Call it on each shard.';
END
$$;
COMMENT ON FUNCTION companion_router.refuse(text) IS 'Raises 0A000, for a function that the router does not route. Internal.';
