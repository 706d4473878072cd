-- PostgREST, and so Supabase's client: a statement of the form that it makes of a call, for the function that it
-- finds by the arguments' names, in a transaction with the role and the claims of a token.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
\set maya 00000000-0000-7000-8000-0000000000a1
\set noor 00000000-0000-7000-8000-0000000000b2
INSERT INTO companion.users (id, timezone, telegram_user_id, onboarding_completed_at)
VALUES (:'maya', 'UTC', 5000000000, '2026-01-01'), (:'noor', 'UTC', NULL, NULL);

CREATE FUNCTION pg_temp.statement_of(function name, arguments json) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    called record;
    names text[] = ARRAY(SELECT json_object_keys(arguments));
BEGIN
    SELECT p.oid, count(*) OVER () AS found,
        (SELECT string_agg(format('%I %s', n, t::regtype), ', ') FROM unnest(proargnames[1:pronargs], proargtypes::oid[]) AS a (n, t) WHERE n = ANY (names)) AS columns
    INTO called FROM pg_proc AS p
    WHERE pronamespace = 'companion'::regnamespace AND proname = function
        AND names <@ proargnames[1:pronargs] AND proargnames[1:pronargs - pronargdefaults] <@ names;
    IF called.found IS DISTINCT FROM 1 THEN
        RAISE EXCEPTION '% functions % of %', coalesce(called.found, 0), function, names;
    END IF;
    RETURN format($sql$
        WITH source AS (
            SELECT call.* FROM (SELECT %L::json AS data) AS payload,
                LATERAL (SELECT * FROM json_to_record(payload.data) AS _ (%s) LIMIT 1) AS body,
                LATERAL companion.%I(%s) AS call)
        SELECT coalesce(json_agg(answer), '[]') FROM (SELECT source.* FROM source) AS answer$sql$,
        arguments, called.columns, function,
        (SELECT string_agg(format('%1$I := body.%1$I', n), ', ') FROM unnest(names) AS n));
END
$$;
CREATE FUNCTION pg_temp.rpc(role name, sub uuid, function name, arguments json) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    statement text = pg_temp.statement_of(function, arguments);
    answer json;
BEGIN
    PERFORM set_config('role', role, true), set_config('request.jwt.claims', json_build_object('role', role, 'sub', sub)::text, true);
    EXECUTE statement INTO answer;
    RESET ROLE;
    RETURN answer;
END
$$;

\set VERBOSITY terse
-- An end user's own
SELECT r ->> 'value' AS value, r ->> 'importance' AS importance, r ->> 'expires_at' AS expires_at
FROM pg_temp.rpc('companion_user', :'maya', 'upsert_user_context', json_build_object('user_id', :'maya', 'category', 'family',
    'key', 'sister', 'value', 'Ana', 'importance', 0.7, 'metadata', '{}'::json)) AS a, json_array_elements(a) AS r;
SELECT r ->> 'key' AS key FROM pg_temp.rpc('companion_user', :'maya', 'recall_user_context', json_build_object('user_id', :'maya',
    'embedding', '[0.6, 0.8]'::json, 'exclude', '["mood"]'::json)) AS a, json_array_elements(a) AS r;
SELECT r ->> 'checkin_time' AS checkin_time, r ->> 'checkin_paused_until' AS paused FROM pg_temp.rpc('companion_user', :'maya', 'put_user',
    json_build_object('user_id', :'maya', 'settings', '{"checkin_time": "08:30", "checkin_paused_until": "infinity"}'::json)) AS a, json_array_elements(a) AS r;
SELECT pg_temp.rpc('companion_user', :'maya', 'put_user', json_build_object('user_id', :'noor', 'settings', '{}'::json));
SELECT pg_temp.rpc('companion_user', :'maya', 'claim_messages', '{"worker": "w"}');
-- A worker's: an address is a text, or a number by the other name
SELECT r ->> 'is_new' AS is_new FROM pg_temp.rpc('companion_worker', NULL, 'record_incoming',
    '{"channel": "telegram", "channel_user_id": "5000000000", "content": "hello", "telegram_message_id": 7}') AS a, json_array_elements(a) AS r;
SELECT r ->> 'is_new' AS is_new FROM pg_temp.rpc('companion_worker', NULL, 'record_incoming',
    '{"channel": "telegram", "channel_user_number": 5000000000, "content": "hello", "telegram_message_id": "7"}') AS a, json_array_elements(a) AS r;
SELECT pg_temp.rpc('companion_worker', NULL, 'record_incoming', '{"channel": "telegram", "channel_user_id": 123, "content": "hello"}');
SELECT json_array_length(pg_temp.rpc('companion_worker', NULL, 'schedule_message',
    json_build_object('user_id', :'maya', 'scheduled_for', '2026-03-04T09:00:00Z', 'content', 'hello')));
SELECT r ->> 'message_id' AS message_id, r ->> 'send_before' AS send_before
FROM pg_temp.rpc('companion_worker', NULL, 'claim_messages', '{"worker": "w", "lease": "2 minutes", "channels": ["telegram"]}') AS a, json_array_elements(a) AS r \gset
SELECT pg_temp.rpc('companion_worker', NULL, 'start_send', json_build_object('user_id', :'maya', 'message_id', :'message_id', 'attempt', 1)) AS started;
SELECT pg_temp.rpc('companion_worker', NULL, 'mark_failed', json_build_object('user_id', :'maya', 'message_id', :'message_id', 'attempt', 1,
    'reason', 'busy', 'retry_after_seconds', 17)) AS failed;
SELECT pg_temp.rpc('companion_worker', NULL, 'upsert_user_context_many', json_build_object('user_id', :'maya',
    'facts', '[{"category": "fact", "key": "dog", "value": "has one"}]'::json)) -> 0 ->> 'outcome' AS outcome;
SELECT pg_temp.rpc('companion_worker', NULL, 'upsert_user_context_many', json_build_object('user_id', :'maya', 'on_invalid', 'skip',
    'facts_text', '[{"category": "fact", "key": "dog", "value": "has one"}]')) -> 0 ->> 'outcome' AS outcome;
SELECT pg_temp.rpc('companion_worker', NULL, 'upsert_user_context', json_build_object('user_id', :'maya', 'category', 'fact', 'key', 'k',
    'value', 'v', 'importance', 1.5));
