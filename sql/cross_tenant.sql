-- Across tenants: as user A, every function and every table is tried with the ids of user B, and
-- with ids that nobody has. There must be no difference: same result, SQLSTATE and message.
\i test/fresh.sql
\set a '\'00000000-0000-0000-0000-00000000000a\''
\set b '\'00000000-0000-0000-0000-00000000000b\''
SET companion.clock = '2026-03-02 08:00+00';
INSERT INTO companion.users (id, display_name, onboarding_completed_at, telegram_user_id)
VALUES (:a, 'A', '2025-01-01', 100), (:b, 'B', '2025-01-01', 200);
INSERT INTO companion.conversations (user_id, id, channel) SELECT id, id, 'telegram'
    FROM companion.users;
INSERT INTO companion.messages (user_id, id, conversation_id, role, content, telegram_message_id)
SELECT id, id, id, 'user', 'a secret of ' || display_name, 7 FROM companion.users;
INSERT INTO companion.user_context (user_id, id, category, key, value)
SELECT id, id, 'family', 'sister', 'Ana of ' || display_name FROM companion.users;
INSERT INTO companion.scheduled_messages (user_id, id, kind, idempotency_key, local_date,
    timezone, scheduled_for, channel)
SELECT id, id, 'custom', 'k', '2026-03-02', 'UTC', '2026-03-02', 'web' FROM companion.users;
SELECT count(*) > 0 AS kept FROM companion.search_messages(:b, 'secret');

-- What a statement does as user A: its rows or its error, without the ids that were given and
-- without a new token.
CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE statement INTO result;
    RAISE EXCEPTION USING ERRCODE = 'P0000', MESSAGE = coalesce(result, 'nothing');
EXCEPTION WHEN OTHERS THEN
    RETURN regexp_replace(regexp_replace(SQLSTATE || ' ' || SQLERRM,
        '[0-9a-f]{8}-0000-0000-0000-[0-9a-f]{12}', '<id>', 'g'), '"[\w-]{43}"', '<token>');
END
$$;

-- A value for an argument or a column: the id wherever an id is wanted.
CREATE FUNCTION pg_temp.value_for(name text, type regtype, id text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE
        WHEN type = 'uuid'::regtype THEN quote_literal(id) || '::uuid'
        WHEN type = 'uuid[]'::regtype THEN quote_literal('{' || id || '}') || '::uuid[]'
        WHEN type = 'bigint'::regtype THEN 'NULL::bigint'
        WHEN name = 'channel' THEN '''telegram'''
        WHEN name = 'role' THEN '''user'''
        WHEN name = 'initiated_by' THEN '''user'''
        WHEN name IN ('external_id', 'reply_to_external_id') THEN 'NULL::text'
        WHEN name = 'timezone' THEN '''UTC'''
        WHEN type = 'text'::regtype THEN '''secret'''
        WHEN type IN ('integer'::regtype, 'smallint'::regtype, 'real'::regtype) THEN '1::' || type
        WHEN type = 'interval'::regtype THEN '''1 day''::interval'
        WHEN type = 'date'::regtype THEN '''2026-03-02''::date'
        WHEN type = 'time'::regtype THEN '''08:00''::time'
        WHEN type = 'timestamptz'::regtype THEN '''2026-03-02''::timestamptz'
        WHEN type = 'boolean'::regtype THEN 'true'
        WHEN type = 'jsonb'::regtype THEN '''{}''::jsonb'
        ELSE 'NULL::' || type
    END
$$;

-- Every function that an end user may call and that takes an id, with that id and, but for the
-- first, with A's own for the user.
CREATE FUNCTION pg_temp.function_attempts(id text) RETURNS TABLE (attempt text,
    statement text) LANGUAGE sql AS $$
    SELECT p.oid::regprocedure || ' as ' || acting.name,
           format('SELECT jsonb_agg(to_jsonb(r)) FROM companion.%I(%s) AS r', p.proname,
                  string_agg(pg_temp.value_for(a.name, a.type,
                      CASE WHEN a.name = 'user_id' THEN coalesce(acting.id, $1) ELSE $1 END), ', '
                      ORDER BY a.position))
    FROM pg_proc AS p
    CROSS JOIN (VALUES ('the other', NULL), ('oneself',
        '00000000-0000-0000-0000-00000000000a')) AS acting (name, id)
    CROSS JOIN LATERAL (SELECT t.type::regtype AS type, coalesce(p.proargnames[t.position],
        '') AS name, t.position
                        FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS t (type,
                            position)) AS a
    WHERE p.pronamespace = 'companion'::regnamespace AND p.prokind = 'f'
        AND p.prorettype <> 'trigger'::regtype
        AND has_function_privilege('companion_user', p.oid, 'EXECUTE')
    GROUP BY p.oid, p.proname, acting.name
    HAVING bool_or(a.type = 'uuid'::regtype OR a.type = 'uuid[]'::regtype)
$$;

-- Every table and view: read, change and delete the rows with that id, and add one that names it.
CREATE FUNCTION pg_temp.table_attempts(id text) RETURNS TABLE (attempt text,
    statement text) LANGUAGE sql AS $$
    SELECT c.relname || '.' || a.attname || ' ' || v.verb, format(v.template,
        'companion.' || quote_ident(c.relname), quote_ident(a.attname),
           $1)
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND a.atttypid = 'uuid'::regtype
    CROSS JOIN (VALUES
        ('read', 'SELECT jsonb_agg(to_jsonb(t)) FROM %1$s AS t WHERE %2$s = %3$L'),
        ('delete', 'WITH d AS (DELETE FROM %1$s WHERE %2$s = %3$L RETURNING 1) SELECT nullif(count(*), 0) FROM d'),
        ('update', 'WITH u AS (UPDATE %1$s SET %2$s = %2$s WHERE %2$s = %3$L RETURNING 1) SELECT nullif(count(*), 0) FROM u'),
        ('point at', 'UPDATE %1$s SET %2$s = %3$L'),
        ('insert', 'INSERT INTO %1$s (%2$s) VALUES (%3$L)')) AS v (verb, template)
    WHERE c.relnamespace = 'companion'::regnamespace AND c.relkind IN ('r', 'v')
$$;

CREATE FUNCTION pg_temp.attempts(id text) RETURNS TABLE (attempt text, statement text) LANGUAGE sql
AS $$ SELECT * FROM pg_temp.function_attempts(id) UNION ALL SELECT *
    FROM pg_temp.table_attempts(id) $$;

SET ROLE companion_user;
SET companion.user_id = :a;
CREATE TEMP TABLE outcomes AS
SELECT theirs.attempt, pg_temp.outcome(theirs.statement) AS theirs,
    pg_temp.outcome(nobodys.statement) AS nobodys
FROM pg_temp.attempts('00000000-0000-0000-0000-00000000000b') AS theirs
JOIN pg_temp.attempts('00000000-0000-0000-0000-0000000000ff') AS nobodys USING (attempt);

-- Nothing tells the two apart, and nothing of B's comes back.
SELECT * FROM outcomes WHERE theirs IS DISTINCT FROM nobodys;
SELECT * FROM outcomes WHERE theirs ~ 'of B' AND theirs ~ '^P0000';
-- The same attempts on oneself do come through, so the test can see.
SELECT attempt FROM pg_temp.attempts('00000000-0000-0000-0000-00000000000a')
WHERE pg_temp.outcome(statement) ~ '^P0000 .*secret'
    AND attempt ~ 'search_messages|^messages.id read' ORDER BY attempt;
SELECT count(*) FILTER (WHERE attempt ~ ' as ') > 10 AS functions,
    count(*) FILTER (WHERE attempt !~ ' as ') > 100 AS tables FROM outcomes;
SELECT attempt, theirs FROM outcomes
WHERE attempt ~ '^companion\.(open_conversation|add_message|recent_messages|search_messages)\('
    ORDER BY attempt COLLATE "C";
RESET ROLE;
SELECT count(*) AS messages, count(*) FILTER (WHERE user_id = :b) AS of_b FROM companion.messages;
