-- Bad arguments: whatever a function is given, it works or ends in an error that docs/errors.md
-- lists. The calls are made from the catalog, so that no function is forgotten.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
\set maya '''00000000-0000-0000-0000-000000000001'''
INSERT INTO companion.users (id, timezone, telegram_user_id, onboarding_completed_at)
    VALUES (:maya, 'Europe/Lisbon', 100, '2026-01-01');
INSERT INTO companion.conversations (user_id, id, channel) VALUES (:maya, :maya, 'telegram');
INSERT INTO companion.messages (user_id, id, conversation_id, role, content)
    VALUES (:maya, :maya, :maya, 'user', 'hello');
CREATE TEMP TABLE accounts (id uuid, email text);
-- What is right for an argument that a call needs.
CREATE TEMP TABLE usual (argument name, value text);
INSERT INTO usual VALUES
    ('user_id', :maya), ('conversation_id', :maya), ('message_id', :maya), ('channel', 'telegram'),
    ('channel_user_id', '100'), ('channel_user_number', '100'),
    ('address_number', '100'), ('role', 'user'), ('content', 'hello'), ('query', 'hello'),
    ('category', 'mood'), ('key', 'today'), ('value', 'calm'), ('ids', '{}'),
    ('facts', '[{"category": "mood", "key": "today", "value": "calm"}]'), ('importance', '1'),
    ('facts_text', '[{"category": "mood", "key": "today", "value": "calm"}]'), ('on_invalid', 'skip'),
    ('folded_key', 'today'), ('item_id', :maya), ('model', 'm'), ('embedding', '{1,0}'), ('a', '{1,0}'),
    ('b', '{1,0}'), ('old', '{}'), ('new', '{}'), ('stated_in', '{}'), ('earlier', '{}'),
    ('confirmations', '1'), ('confirmed_at', '2026-03-04'), ('last_referenced_at', '2026-03-04'),
    ('step', 'name'), ('answers', '{}'), ('token', 'a token'), ('telegram_user_id', '100'),
    ('bot_username', 'companion_bot'), ('worker', 'w'), ('attempt', '1'), ('reason', 'why'),
    ('user_ids', format('{%s}', :maya)), ('message_ids', format('{%s}', :maya)),
    ('attempts', '{1}'), ('reasons', '{why}'), ('scheduled_for', '2026-03-05'),
    ('to_at', '2026-03-04'), ('at', '2026-03-04'), ('every', '1 minute'), ('date', '2026-03-04'),
    ('timezone', 'Europe/Lisbon'), ('local_date', '2026-03-04'), ('local_time', '09:00'),
    ('auth_table', 'accounts');
-- What is at or beyond the edge of a type, or of what an argument may be.
CREATE TEMP TABLE edges (type regtype, value text);
INSERT INTO edges SELECT type, value FROM (VALUES
    ('text'::regtype, ARRAY['', ' ', E'\x01', '%s%n', '''"\{}', '😀', repeat('é', 100000),
        repeat('x', 3000000)]),
    ('integer', '{0,-1,2147483647,-2147483648}'), ('bigint',
        '{0,-1,9223372036854775807,-9223372036854775808}'),
    ('double precision', '{-1,NaN,Infinity,-Infinity,1e30,1e308}'), ('boolean', '{true}'),
    ('uuid', '{00000000-0000-0000-0000-000000000009,ffffffff-ffff-ffff-ffff-ffffffffffff}'),
    ('interval', '{0,-1 second,178000000 years,-178000000 years,1 month -30 days,infinity}'),
    ('timestamptz', '{infinity,-infinity,4713-01-01 BC,294276-12-31 23:59:59+00}'),
    ('date', '{infinity,-infinity,4713-01-01 BC,5874897-12-31}'), ('time', '{24:00}'),
    ('jsonb', ARRAY['null', '1', '"x"', '{}', '[]', '[[]]', '[null]', '[{}]', '[1e999]',
        repeat('[', 5000) || repeat(']', 5000), jsonb_build_object('x', repeat('x', 100000))::text]),
    ('text[]', ARRAY['{}', '{NULL}', '{{x}}', '{""}', '[5:5]={x}', '{x,y}']),
    ('uuid[]', ARRAY['{}', '{NULL}', format('{{%s}}', :maya), format('[5:5]={%s}', :maya)]),
    ('integer[]', ARRAY['{}', '{NULL}', '{{1}}', '{-2147483648}', '{1,2}']),
    ('real[]', ARRAY['{}', '{NULL}', '{{1}}', '{0}', '{1,2}', '{NaN}', '{Infinity}', '{1e38,1e38}']),
    ('double precision[]', ARRAY['{}', '{NULL}', '{{1}}', '{0}', '{1,2}', '{NaN}', '{Infinity}', '{1e38,1e38}', '{1e308}', '{1e-300}']),
    ('bigint[]', ARRAY['{}', '{NULL}', '{{1}}', '{0}', '{1,2}']),
    ('regclass', '{pg_class,0}'), ('name', '{no_such_column}')) AS v (type, values),
    unnest(values || ARRAY[NULL]) AS value;
-- How a call ends: fine, or its SQLSTATE. It leaves nothing behind.
CREATE FUNCTION pg_temp.outcome(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE call;
    RAISE SQLSTATE 'T0000';
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'T0000' THEN 'fine' ELSE SQLSTATE END;
END
$$;
-- Each argument with each edge of its type, the others as usual or by default.
CREATE TEMP TABLE tried AS
WITH arguments AS (
    SELECT p.oid, proname AS function, proargnames[n] AS argument, type::regtype,
           n > pronargs - pronargdefaults AS is_optional
    FROM pg_proc AS p, unnest(proargtypes::oid[]) WITH ORDINALITY AS a (type, n)
    WHERE pronamespace = 'companion'::regnamespace AND prorettype <> 'trigger'::regtype
        AND 'companion.users'::regtype <> ALL (proargtypes::regtype[]))
SELECT tested.function, tested.argument, edges.value,
       pg_temp.outcome(format('SELECT FROM companion.%I(%s)', tested.function,
           (SELECT string_agg(format('%I => %L::%s', argument, CASE WHEN argument = tested.argument
                                     THEN edges.value ELSE usual.value END, type), ', ')
            FROM arguments LEFT JOIN usual USING (argument)
            WHERE oid = tested.oid AND (argument = tested.argument OR NOT is_optional)))) AS outcome
FROM arguments AS tested JOIN edges USING (type);

-- Every outcome is one that the documentation lists, and none is an internal error.
\set documented `sed -n 's/^| \([0-9A-Z]\{5\}\) .*/\1/p' docs/errors.md | tr '\n' ' '`
SELECT count(*) > 500 AS "many tried", count(DISTINCT outcome) > 5 AS "different outcomes"
FROM tried;
SELECT function, argument, left(value, 40) AS value, outcome FROM tried
WHERE outcome = 'XX000' OR outcome <> ALL (string_to_array('fine ' || :'documented', ' '))
ORDER BY function, argument, value;

-- What must not be null.
SELECT function, string_agg(DISTINCT argument, ', ' ORDER BY argument) AS arguments FROM tried
WHERE value IS NULL AND outcome = '22004' GROUP BY function ORDER BY function;
-- What must be finite.
SELECT function, argument, value, outcome FROM tried
WHERE value IN ('infinity', '-infinity') AND outcome = '22008'
ORDER BY function, argument, value DESC;
-- What a user who does not exist is answered.
SELECT outcome, string_agg(DISTINCT function, ', ' ORDER BY function) AS functions FROM tried
WHERE argument = 'user_id' AND value = '00000000-0000-0000-0000-000000000009' GROUP BY outcome
ORDER BY outcome;
