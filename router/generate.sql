-- The router's functions, from the catalog of the extension companion: functions.sql and grants.sql in the folder
-- :out. Run by script/docs.
SET search_path = pg_catalog;

-- How a function is run, where it is not on the shard of its first argument, user_id. Of those that
-- router/everywhere.sql and router/directory.sql write by hand only the calls to a shard are made.
CREATE TEMP TABLE ways (name text, way text);
INSERT INTO ways
SELECT name, way FROM (VALUES
    ('any', 'canonical_timezone checkin_instant cosine_similarity folded is_same_text local_timestamp
             new_user_id normalized quiet_until recall_score telegram_deep_link uuid_v7'),
    ('all', 'apply_retention dispatch expire_addresses expire_cap_starts expire_early_edits expire_job_runs
             expire_messages expire_reservations expire_telegram_link_tokens expire_user_context finish_abandoned
             forget_redeem_failures merge_context_items pause_sending resume_sending retry_failed rewind_dispatch
             throttle_channel'),
    ('by hand', 'claim_messages dispatch_batch due_follow_ups_all health
                 items_without_embedding metrics run_maintenance
                 link_address link_token_owner put_user record_incoming redeem_telegram_link_token'),
    ('directory', 'directory_confirm directory_lookup directory_release directory_reserve'),
    ('import', 'import_conversations import_messages import_scheduled_messages import_user_context import_users'),
    ('refused', 'channel_address follow_auth_users schedule_jobs set_directory set_shard unfollow_auth_users unschedule_jobs usable_channel'),
    ('local', 'current_user_id link_token_shard now run_dispatch shard_of')
) AS w (way, names) CROSS JOIN regexp_split_to_table(names, '\s+') AS name;

-- Everything that anybody may call and that is not internal, with the roles that may, the mightiest first.
CREATE TEMP VIEW routed AS
SELECT p.oid, p.proname AS name, p.proretset AS is_set, p.prorettype,
       CASE WHEN p.proisstrict AND w.way IS DISTINCT FROM 'refused' THEN ' STRICT' ELSE '' END AS strict,
       p.proretset OR t.typtype = 'c' AS is_row,
       coalesce(w.way, CASE WHEN p.proargtypes[0] = 'uuid[]'::regtype THEN 'many'
                            WHEN p.proargnames[1] = 'user_id' AND p.proargtypes[0] = 'uuid'::regtype THEN 'user' END) AS way,
       pg_get_function_result(p.oid) AS result,
       replace(pg_get_function_arguments(p.oid), 'DEFAULT companion.now()', 'DEFAULT NULL::timestamp with time zone') AS arguments,
       pg_get_function_identity_arguments(p.oid) AS identity_arguments,
       p.proname = 'dispatch_batch' OR pg_get_function_arguments(p.oid) LIKE '%DEFAULT companion.now()%' AS has_clock,
       coalesce(p.proargnames[p.pronargs + 1:] && a.names, false) AS is_called_by_number,
       p.pronargs AS count, a.names, a.types, c.roles
FROM pg_proc AS p
JOIN pg_type AS t ON t.oid = p.prorettype
LEFT JOIN ways AS w ON w.name = p.proname
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(p.proargnames[i] ORDER BY i), '{}') AS names,
           coalesce(array_agg(format_type(p.proargtypes[i - 1], NULL) ORDER BY i), '{}') AS types
    FROM generate_series(1, p.pronargs) AS i) AS a
CROSS JOIN LATERAL (
    SELECT array_agg(substr(r.role, 11) ORDER BY r.place) AS roles
    FROM aclexplode(p.proacl) AS acl
    JOIN unnest('{companion_admin,companion_worker,companion_user,companion_monitor}'::text[])
        WITH ORDINALITY AS r (role, place) ON r.role = acl.grantee::regrole::text) AS c
WHERE p.pronamespace = 'companion'::regnamespace AND p.prokind = 'f' AND c.roles IS NOT NULL
    AND p.prorettype <> 'trigger'::regtype
    AND (w.way IS NOT NULL OR obj_description(p.oid, 'pg_proc') NOT LIKE '%Internal%');

SELECT 'no way is known to route ' || string_agg(name, ', ') AS missing FROM routed WHERE way IS NULL \gset
\if :{?missing}
    \warn :missing
    \quit
\endif

\o :out/functions.sql
\qecho '-- Written by script/docs from the catalog of the extension companion: the same functions, each run on the shard'
\qecho '-- that has the user. Change router/generate.sql, not this.'

\qecho
\qecho '-- Rows as the functions return them.'
SELECT format(E'CREATE TYPE companion.%I AS (\n%s\n);\nCOMMENT ON TYPE companion.%1$I IS %L;', c.relname,
              (SELECT string_agg(format('    %I %s', a.attname, format_type(a.atttypid, a.atttypmod)), E',\n' ORDER BY a.attnum)
               FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
              'A row of companion.' || c.relname || ' on a shard.')
FROM pg_class AS c
WHERE c.relnamespace = 'companion'::regnamespace
    AND (c.relname = 'users' OR c.reltype IN (SELECT prorettype FROM routed))
ORDER BY c.relname COLLATE "C";

-- What the shard is asked: the function, once the role, and an end user's identity, are set for the statement.
-- Arguments are evaluated before the call; where there is none, the condition is. PL/Proxy says their types. A
-- shard parses and plans it with every call, so each word counts.
CREATE TEMP VIEW calls AS
SELECT r.oid, r.name, role, r.is_row, r.result, s.first, s.server, r.count, r.types, p.parameters,
       format('set_config(''role'', ''companion_%s'', true) IS NOT NULL', role)
       || CASE WHEN role = 'user' THEN format(' AND set_config(''companion.user_id'', $%s, true) IS NOT NULL', r.count + s.first + 1) ELSE '' END AS acts,
       array_to_string(CASE s.first WHEN 1 THEN '{integer}'::text[] ELSE '{}' END || r.types
                       || CASE role WHEN 'user' THEN '{text}'::text[] ELSE '{}' END, ', ') AS arguments
FROM routed AS r CROSS JOIN LATERAL unnest(r.roles) AS role
CROSS JOIN LATERAL (SELECT CASE WHEN r.way IN ('any', 'all', 'many', 'import', 'by hand') THEN 1 ELSE 0 END AS first,
                            CASE r.way WHEN 'directory' THEN '''companion_directory''' ELSE 'companion_router.server($1)' END AS server) AS s
CROSS JOIN LATERAL (
    SELECT array_agg(CASE WHEN r.has_clock AND r.names[i] = 'at' THEN format('coalesce($%s, companion.now())', i + s.first)
                          ELSE format('$%s', i + s.first) END ORDER BY i) AS parameters
    FROM generate_series(1, r.count) AS i) AS p
WHERE r.way NOT IN ('refused', 'local')
    AND NOT r.names && '{channel_user_number,address_number}'; -- which the forms that take a text do

\qecho
\qecho '-- Calls to a shard, as a role. What PL/Proxy runs here is server() alone, and a SET would cost each call something.'
SELECT format(E'CREATE FUNCTION companion_as_%s.%I(%s) RETURNS %s\nLANGUAGE plproxy SECURITY DEFINER AS $$\n    CLUSTER %s;\n    SELECT %s;\n$$;',
              role, name, arguments, result, server,
              CASE WHEN count > 0 THEN
                  format('%scompanion.%I(%s)', CASE WHEN is_row THEN '* FROM ' ELSE '' END, name,
                         array_to_string(format('CASE WHEN %s THEN %s END', acts, parameters[1])
                                         || parameters[2:], ', '))
              WHEN is_row THEN
                  format('r.* FROM (SELECT %s) AS a (acts) CROSS JOIN LATERAL (SELECT * FROM companion.%I() WHERE a.acts OFFSET 0) AS r', acts, name)
              ELSE format('CASE WHEN %s THEN companion.%I() END', acts, name) END)
FROM calls ORDER BY name COLLATE "C", oid::regprocedure::text COLLATE "C", array_position('{admin,worker,user,monitor}', role);

-- A call as the mightiest role that the caller has, as the expression %s or the statement.
CREATE FUNCTION pg_temp.as_role(r routed, call text, prefix text, indent text) RETURNS text
LANGUAGE sql
AS $$
    SELECT string_agg(
        CASE WHEN place = cardinality(r.roles) AND place > 1 THEN indent || E'ELSE\n'
             WHEN cardinality(r.roles) > 1 THEN format('%s%s pg_catalog.pg_has_role(''companion_%s'', ''usage'') THEN',
                                                       indent, CASE place WHEN 1 THEN 'IF' ELSE 'ELSIF' END, role) || E'\n'
             ELSE '' END
        || indent || CASE WHEN cardinality(r.roles) > 1 THEN '    ' ELSE '' END
        || prefix || format('companion_as_%s.%I(%s)', role, r.name,
               concat_ws(', ', nullif(call, ''), CASE role WHEN 'user' THEN 'coalesce(companion.current_user_id()::text, '''')' END))
        || E';\n', '' ORDER BY place)
        || CASE WHEN cardinality(r.roles) > 1 THEN indent || E'END IF;\n' ELSE '' END
    FROM unnest(r.roles) WITH ORDINALITY AS o (role, place);
$$;

CREATE FUNCTION pg_temp.positions(n integer) RETURNS text
LANGUAGE sql
AS $$ SELECT string_agg('$' || i, ', ' ORDER BY i) FROM generate_series(1, n) AS i; $$;

-- What names nothing but what it qualifies, and no operator, needs no search_path, which costs each call something.
-- plpgsql takes no argument that has the name of a result's column: such a function is called by one in SQL.
CREATE FUNCTION pg_temp.function(r routed, declared text, body text) RETURNS text
LANGUAGE sql
AS $function$
    SELECT CASE WHEN r.is_called_by_number
        THEN format(E'CREATE FUNCTION companion_router.%I(%s) RETURNS %s\nLANGUAGE plpgsql AS $$\n%s%s$$;\n'
                    'CREATE FUNCTION companion.%1$I(%6$s) RETURNS %3$s\nLANGUAGE sql AS $$\n    SELECT * FROM companion_router.%1$I(%7$s);\n$$;\n',
                    r.name, array_to_string(r.types, ', '), r.result, declared, body, r.arguments, pg_temp.positions(r.count))
        ELSE format(E'CREATE FUNCTION companion.%I(%s) RETURNS %s\nLANGUAGE plpgsql%s%s AS $$\n%s%s$$;\n',
                    r.name, r.arguments, r.result, r.strict,
                    CASE WHEN r.way IN ('user', 'directory') THEN '' ELSE ' SET search_path = pg_catalog, pg_temp' END, declared, body) END;
$function$;

\qecho
\qecho '-- On the shard of the user, or on the directory.'
SELECT pg_temp.function(r, E'DECLARE\n    detail text;\n    hint text;\n',
    E'BEGIN\n'
    || pg_temp.as_role(r, pg_temp.positions(r.count),
                       CASE WHEN r.is_set THEN 'RETURN QUERY SELECT * FROM ' WHEN r.result = 'void' THEN 'PERFORM ' ELSE 'RETURN ' END, '    ')
    || E'EXCEPTION WHEN OTHERS THEN\n    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;\n'
    || E'    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);\nEND\n')
FROM routed AS r WHERE r.way IN ('user', 'directory')
ORDER BY r.name COLLATE "C", r.oid::regprocedure::text COLLATE "C";

-- One result of many shards
CREATE FUNCTION pg_temp.joined(r routed) RETURNS text
LANGUAGE sql
AS $$
    SELECT CASE
        WHEN r.name = 'pause_sending' THEN 'coalesce(joined, true) AND '
        WHEN r.result = 'boolean' THEN 'coalesce(joined, false) OR '
        WHEN r.result LIKE 'timestamp%' THEN 'greatest(joined, '
        ELSE 'coalesce(joined, 0) + ' END
$$;

CREATE FUNCTION pg_temp.after(r routed) RETURNS text
LANGUAGE sql
AS $$ SELECT CASE WHEN r.result LIKE 'timestamp%' THEN ')' ELSE '' END $$;

\qecho
\qecho '-- On any shard, or on all of them; one that fails is passed over with a warning, unless they all do.'
SELECT pg_temp.function(r, E'DECLARE\n    shard integer;\n    failed text[];\n    detail text;\n    hint text;\n'
    || CASE WHEN r.way = 'all' AND r.result <> 'void' THEN E'    joined ' || r.result || E';\n' ELSE '' END
    || CASE WHEN r.way = 'all' THEN E'    answered boolean := false;\n' ELSE '' END,
    E'BEGIN\n    FOREACH shard IN ARRAY companion_router.in_turn() LOOP\n        BEGIN\n'
    || CASE WHEN r.way = 'any' THEN
           pg_temp.as_role(r, concat_ws(', ', 'shard', pg_temp.positions(r.count)), 'RETURN ', '            ')
       ELSE
           replace(pg_temp.as_role(r, concat_ws(', ', 'shard', pg_temp.positions(r.count)),
                                   CASE WHEN r.result = 'void' THEN 'PERFORM ' ELSE 'joined := ' || pg_temp.joined(r) END, '            '),
                   ');', ')' || pg_temp.after(r) || ';')
           || E'            answered := true;\n' END
    || E'        EXCEPTION WHEN OTHERS THEN\n'
    || E'            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;\n'
    || E'            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);\n'
    || E'            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];\n'
    || E'        END;\n    END LOOP;\n'
    || CASE WHEN r.way = 'all' THEN E'    IF NOT answered THEN\n        PERFORM companion_router.fail_all(failed);\n    END IF;\n'
            || CASE WHEN r.result = 'void' THEN '' ELSE E'    RETURN joined;\n' END
       ELSE E'    PERFORM companion_router.fail_all(failed);\n' END
    || E'END\n')
FROM routed AS r WHERE r.way IN ('any', 'all')
ORDER BY r.name COLLATE "C", r.oid::regprocedure::text COLLATE "C";

-- What a shard gets of an argument that has an element for each message: those of its users' messages
CREATE FUNCTION pg_temp.part(name text, i integer) RETURNS text
LANGUAGE sql
AS $$
    SELECT CASE name
        WHEN 'resolves' THEN -- an id or a row of ids; an aggregate that no CASE would keep from being computed
            format(E'coalesce(array_agg(($%s[:])[e.place] ORDER BY e.place) FILTER (WHERE array_ndims($%1$s) = 1),'
                   '\n                        array_agg(ARRAY(SELECT unnest(($%1$s[:][:])[e.place:e.place])) ORDER BY e.place)'
                   '\n                            FILTER (WHERE array_ndims($%1$s) = 2))', i)
        ELSE format('CASE WHEN $%s IS NOT NULL THEN array_agg(e.a%1$s ORDER BY e.place) END', i) END
$$;

\qecho
\qecho '-- Many messages: each shard gets those of its users, and the results are put together in input order. Those of a'
\qecho '-- shard that cannot be reached are NULL: not now, call again.'
SELECT pg_temp.function(r, E'DECLARE\n    shards constant integer := (SELECT c.shards FROM companion_router.shard_count AS c);\n    part record;\n    results boolean[];\n    answer boolean[];\n    detail text;\n    hint text;\n',
    format(E'BEGIN\n'
    '    IF NOT (%s) THEN\n        PERFORM companion_as_worker.%I(0, %s); -- which says what is wrong with them\n    END IF;\n'
    '    results := array_fill(NULL::boolean, ARRAY[coalesce(cardinality($1), 0)]);\n'
    '    FOR part IN\n'
    '        SELECT companion_router.shard_of(e.a1, shards) AS shard, array_agg(e.place ORDER BY e.place) AS places,\n               %s\n'
    '        FROM unnest(%s) WITH ORDINALITY AS e (%s, place)\n'
    '        GROUP BY 1\n    LOOP\n        BEGIN\n'
    '            answer := companion_as_worker.%I(part.shard, %s);\n'
    '            FOR i IN 1..cardinality(answer) LOOP\n                results[part.places[i]] := answer[i];\n            END LOOP;\n'
    '        EXCEPTION WHEN OTHERS THEN\n'
    '            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;\n'
    '            PERFORM companion_router.pass_over(part.shard, SQLSTATE, SQLERRM, detail, hint);\n'
    '        END;\n    END LOOP;\n    RETURN results;\n'
    'EXCEPTION WHEN OTHERS THEN\n    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;\n'
    '    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);\nEND\n',
    s.well_formed, r.name, pg_temp.positions(r.count), s.parts, s.unnested, s.aliases, r.name, s.passed))
FROM routed AS r CROSS JOIN LATERAL (
    SELECT string_agg(CASE WHEN i = 1 THEN 'coalesce(array_ndims($1) = 1 AND array_position($1, NULL) IS NULL, false)'
                           WHEN r.types[i] NOT LIKE '%[]' THEN NULL
                           WHEN r.names[i] = 'resolves' THEN format('coalesce(array_length($%s, 1) = cardinality($1), $%1$s IS NULL)', i)
                           ELSE format('coalesce(array_ndims($%s) = 1 AND cardinality($%1$s) = cardinality($1), %s)', i,
                                       CASE WHEN r.name = 'mark_sent_many' AND i > 3 THEN format('$%s IS NULL', i) ELSE 'false' END) END,
                      E'\n            AND ' ORDER BY i) AS well_formed,
           string_agg(pg_temp.part(r.names[i], i::integer) || ' AS p' || i, E',\n               ' ORDER BY i) FILTER (WHERE r.types[i] LIKE '%[]') AS parts,
           string_agg('$' || i, ', ' ORDER BY i) FILTER (WHERE r.types[i] LIKE '%[]' AND r.names[i] <> 'resolves') AS unnested,
           string_agg('a' || i, ', ' ORDER BY i) FILTER (WHERE r.types[i] LIKE '%[]' AND r.names[i] <> 'resolves') AS aliases,
           string_agg(CASE WHEN r.types[i] LIKE '%[]' THEN 'part.p' || i ELSE '$' || i END, ', ' ORDER BY i) AS passed
    FROM generate_series(1, r.count) AS i) AS s
WHERE r.way = 'many'
ORDER BY r.name COLLATE "C";

\qecho
\qecho '-- Rows to import: each shard gets those of its users; what is no user''s, any, which says so.'
SELECT pg_temp.function(r, E'DECLARE\n    detail text;\n    hint text;\n',
    format(E'BEGIN\n'
    '    RETURN QUERY\n'
    '    SELECT part.places[i.element + 1]::integer - 1, i.id, i.outcome, i.reason\n'
    '    FROM (SELECT companion_router.number_of(companion_router.uuid_in(e.value ->> %L)) AS shard,\n'
    '                 jsonb_agg(e.value ORDER BY e.place) AS elements, array_agg(e.place ORDER BY e.place) AS places\n'
    '          FROM jsonb_array_elements(CASE jsonb_typeof($1) WHEN ''array'' THEN $1 ELSE ''[]'' END)\n'
    '              WITH ORDINALITY AS e (value, place)\n'
    '          GROUP BY 1) AS part\n'
    '    CROSS JOIN LATERAL companion_as_admin.%I(part.shard, part.elements) AS i\n'
    '    ORDER BY 1;\n'
    '    IF NOT FOUND THEN\n'
    '        RETURN QUERY SELECT * FROM companion_as_admin.%2$I(0, $1); -- which says what is wrong with it\n'
    '    END IF;\n'
    'EXCEPTION WHEN OTHERS THEN\n    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;\n'
    '    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);\nEND\n',
    CASE r.name WHEN 'import_users' THEN 'id' ELSE 'user_id' END, r.name))
FROM routed AS r WHERE r.way = 'import' ORDER BY r.name COLLATE "C";

\qecho
\qecho '-- What a router cannot do.'
SELECT pg_temp.function(r, '', format(E'BEGIN\n    PERFORM companion_router.refuse(%L);\nEND\n', r.name))
FROM routed AS r WHERE r.way = 'refused' ORDER BY r.name COLLATE "C";

\qecho
\qecho '-- The comments.'
SELECT format('COMMENT ON FUNCTION companion.%I(%s) IS %L;', name, identity_arguments,
              CASE way WHEN 'user' THEN 'As on a shard; run on that of the user.'
                       WHEN 'directory' THEN 'As on the directory.'
                       WHEN 'any' THEN 'As on a shard; run on any.'
                       WHEN 'all' THEN 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.'
                       WHEN 'import' THEN 'As on a shard; each gets the rows of its users. Where one cannot be reached, error 08001; call again with the same rows.'
                       WHEN 'many' THEN 'As on a shard; each gets those of its users. NULL, with a WARNING, for those of one that cannot be reached: not now, call again.'
                       ELSE 'Not routed: error 0A000.' END)
FROM routed WHERE way NOT IN ('by hand', 'local') ORDER BY name COLLATE "C", oid::regprocedure::text COLLATE "C";
SELECT format('COMMENT ON FUNCTION companion_as_%s.%I(%s) IS ''Goes to a shard as companion_%1$s. Internal.'';', role, name, arguments)
FROM calls ORDER BY name COLLATE "C", oid::regprocedure::text COLLATE "C", array_position('{admin,worker,user,monitor}', role);
SELECT format('COMMENT ON FUNCTION companion_router.%I(%s) IS ''companion.%1$s() in plpgsql, with its arguments by number. Internal.'';',
              name, array_to_string(types, ', '))
FROM routed AS r WHERE is_called_by_number AND way NOT IN ('by hand', 'local')
ORDER BY name COLLATE "C", oid::regprocedure::text COLLATE "C";

\o :out/grants.sql
\qecho '-- Written by script/docs from the catalog of the extension companion: who may call what, as on a shard.'
SELECT format('GRANT EXECUTE ON %s companion.%I(%s) TO %s;', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
              p.proname, pg_get_function_identity_arguments(p.oid), string_agg(acl.grantee::regrole::text, ', ' ORDER BY acl.grantee::regrole::text))
FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(p.proacl) AS acl
WHERE (p.oid IN (SELECT oid FROM routed) AND p.proname <> 'dispatch_batch' OR p.oid = 'companion.run_dispatch'::regproc)
    AND acl.grantee::regrole::text = ANY ('{companion_user,companion_worker,companion_admin,companion_monitor}')
GROUP BY p.oid, p.prokind, p.proname
ORDER BY p.proname COLLATE "C", p.oid::regprocedure::text COLLATE "C";
