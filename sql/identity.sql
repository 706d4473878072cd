-- Who a session acts for, and what each role may do.
\i test/fresh.sql

-- The claims come first, then the single claim, then the extension's own setting.
SELECT companion.current_user_id() IS NULL AS nobody;
SET companion.user_id = '00000000-0000-0000-0000-000000000003';
SELECT companion.current_user_id();
SET request.jwt.claim.sub = '00000000-0000-0000-0000-000000000002';
SELECT companion.current_user_id();
SET request.jwt.claims = '{"role": "authenticated", "sub": "00000000-0000-0000-0000-000000000001"}';
SELECT companion.current_user_id();

-- Claims without a subject are an anonymous request: nobody, whatever else is set.
SET request.jwt.claims = '{"role": "anon"}';
SELECT companion.current_user_id() IS NULL AS nobody;
SET request.jwt.claims = '{"sub": null}';
SELECT companion.current_user_id() IS NULL AS nobody;
SET request.jwt.claims = '{"sub": ""}';
SELECT companion.current_user_id() IS NULL AS nobody;
SET request.jwt.claims = '{"act": {"sub": "00000000-0000-0000-0000-000000000001"}}';
SELECT companion.current_user_id() IS NULL AS nobody;

-- An empty setting is an unset one.
SET request.jwt.claims = '';
SELECT companion.current_user_id();
SET request.jwt.claim.sub = '';
SELECT companion.current_user_id();
SET companion.user_id = '';
SELECT companion.current_user_id() IS NULL AS nobody;

-- What is malformed is an error, never a silent pass, and stays one when asked again.
CREATE FUNCTION pg_temp.identity_of(setting text, value text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config(setting, value, false);
    RETURN coalesce(companion.current_user_id()::text, 'nobody');
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT claims, pg_temp.identity_of('request.jwt.claims', claims) AS identity
FROM (VALUES ('not JSON'), ('{"sub": "00000000-0000-0000-0000-000000000001"'), ('[]'),
             ('"00000000-0000-0000-0000-000000000001"'), ('null'), ('7'), (' '),
             ('{"sub": 7}'), ('{"sub": true}'), ('{"sub": {}}'), ('{"sub": ["a"]}'),
             ('{"sub": "Maya"}'), ('{"sub": " "}'),
             ('{"sub": "00000000-0000-0000-0000-00000000000"}')) AS v (claims);
SET request.jwt.claims = '{"sub": "Maya"}';
SELECT companion.current_user_id();
SELECT companion.current_user_id();
SET request.jwt.claims = '';
SELECT setting, pg_temp.identity_of(setting, 'Maya') AS identity
FROM (VALUES ('request.jwt.claim.sub'), ('companion.user_id')) AS v (setting);
RESET request.jwt.claim.sub;
RESET companion.user_id;

-- Where the auth system's ids are no uuids, a table of the app's has one for each, and what runs before a
-- request puts it into the claims (docs/onboarding.md). Whom it does not know is nobody.
CREATE SCHEMA app;
CREATE TABLE app.accounts (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), subject text NOT NULL UNIQUE, email text);
SELECT companion.follow_auth_users('app.accounts') AS taken_over;
INSERT INTO app.accounts VALUES ('00000000-0000-0000-0000-000000000001', 'auth0|5f7c8ec7', 'maya@example.org');
CREATE FUNCTION app.identify() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT count(set_config('request.jwt.claims', (t.claims || jsonb_build_object('sub', a.id))::text, true))
    FROM (SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb AS claims) AS t
    LEFT JOIN app.accounts AS a ON a.subject = t.claims ->> 'sub');
GRANT USAGE ON SCHEMA app TO companion_user;
CREATE FUNCTION pg_temp.request(claims text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('request.jwt.claims', claims, true);
    PERFORM app.identify();
    RETURN QUERY SELECT companion.current_user_id() || ' sees ' || count(*) || ' of ' || min(email) FROM companion.users;
END
$$;
SELECT pg_temp.error_of($$SELECT set_config('request.jwt.claims', '{"sub": "auth0|5f7c8ec7"}', true), companion.current_user_id()$$) AS "as it comes";
BEGIN;
SET LOCAL ROLE companion_user;
SELECT pg_temp.request('{"sub": "auth0|5f7c8ec7", "role": "authenticated"}') AS "a request";
SELECT pg_temp.request('{"sub": "auth0|unknown"}') AS "of somebody unknown";
SELECT pg_temp.request('{}') AS anonymous, pg_temp.request('') AS "without claims";
COMMIT;
SET client_min_messages = warning;
DELETE FROM app.accounts;
DROP SCHEMA app CASCADE;
RESET client_min_messages;

-- The identity follows the settings at every call: from one transaction to the next,
-- after a rollback, after an error, and within one query.
SET request.jwt.claims = '{"sub": "00000000-0000-0000-0000-000000000001"}';
BEGIN;
SET LOCAL request.jwt.claims = '{"sub": "00000000-0000-0000-0000-000000000002"}';
SELECT companion.current_user_id();
ROLLBACK;
SELECT companion.current_user_id();
SELECT n, pg_temp.identity_of('request.jwt.claims', claims) AS identity
FROM (VALUES (1, '{"sub": "00000000-0000-0000-0000-000000000001"}'),
             (2, '{"sub": "00000000-0000-0000-0000-000000000002"}'),
             (3, '{"sub": "Maya"}'),
             (4, '{"sub": "00000000-0000-0000-0000-000000000001"}'),
             (5, '{}'),
             (6, ''),
             (7, '{"sub": "00000000-0000-0000-0000-000000000002"}')) AS v (n, claims)
ORDER BY n;
RESET request.jwt.claims;

-- Texts that are nearly the same: each is read as it is, and an error does not leave the one before.
SELECT text, pg_temp.identity_of('companion.user_id', text) AS identity FROM (VALUES
    (1, '00000000-0000-0000-0000-0000000000ab'), (2, '00000000-0000-0000-0000-0000000000AB'),
    (3, '00000000-0000-0000-0000-0000000000a '), (4, '00000000-0000-0000-0000-0000000000ac'),
    (5, '{00000000-0000-0000-0000-0000000000ab}'), (6, '000000000000000000000000000000ac'),
    (7, '00000000-0000-0000-0000-0000000000acd'), (8, ' '), (9, ''),
    (10, '00000000-0000-0000-0000-0000000000ab')) AS v (n, text)
ORDER BY n;
RESET companion.user_id;

-- Ids are version 7, ascend within a session, and carry the time.
SELECT count(DISTINCT id) AS ids,
       bool_and(substr(id::text, 15, 1) = '7'
           AND substr(id::text, 20, 1) IN ('8', '9', 'a', 'b')) AS version_7,
       bool_and(id > previous) AS ascending
FROM (SELECT id, lag(id) OVER (ORDER BY n) AS previous
      FROM (SELECT n, companion.uuid_v7() AS id
          FROM generate_series(1, 10000) AS n) AS made) AS pairs;
SELECT abs(('x' || substr(replace(companion.uuid_v7()::text, '-', ''), 1,
    12))::bit(48)::bigint / 1000.0
           - extract(epoch FROM clock_timestamp())) < 60 AS is_now;

-- For a given time they ascend with it, and for equal times with the calls: whatever the order in which
-- the times come, and in a statement that puts them in order.
SELECT count(DISTINCT id) AS ids,
       bool_and(substr(id::text, 15, 1) = '7' AND substr(id::text, 20, 1) IN ('8', '9', 'a', 'b')) AS version_7,
       bool_and(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint = floor(extract(epoch FROM at) * 1000)) AS of_its_time,
       bool_and(id > previous) AS in_order
FROM (SELECT at, id, lag(id) OVER (ORDER BY at, n) AS previous
      FROM (SELECT n, at, companion.uuid_v7(at) AS id
            FROM (SELECT n, '2024-02-29 12:00:00+00'::timestamptz + n * 7 % 10 * interval '1 microsecond'
                      + n % 3 * interval '999 microseconds' + n % 2 * interval '1 hour'
                  FROM generate_series(1, 10000) AS n) AS v (n, at)) AS made) AS pairs;
SELECT bool_and(id > previous) AS in_order
FROM (SELECT id, lag(id) OVER (ORDER BY at, n) AS previous
      FROM (SELECT n, at, companion.uuid_v7(at) AS id
            FROM (SELECT n, '2024-02-29 12:00:00+00'::timestamptz + n * 7 % 10 * interval '1 second'
                  FROM generate_series(1, 1000) AS n) AS v (n, at) ORDER BY at, n) AS made) AS pairs;
-- They are between the ids of before and after, and hold what 48 bits of milliseconds do.
SELECT companion.uuid_v7(clock_timestamp() - interval '1 minute') < companion.uuid_v7() AS before,
       companion.uuid_v7(clock_timestamp() + interval '1 minute') > companion.uuid_v7() AS after;
SET timezone = 'UTC';
SELECT at, left(companion.uuid_v7(at)::text, 18) AS id
FROM (VALUES ('1970-01-01'::timestamptz), ('2000-01-01'), ('2024-02-29 12:00:00.001'), ('2024-02-29 12:00:00.001999'),
             ('10889-08-02 05:31:50.655999')) AS v (at);
SELECT at, pg_temp.error_of(format('SELECT companion.uuid_v7(%L)', at)) AS error
FROM (VALUES ('1969-12-31 23:59:59.999999'), ('10889-08-02 05:31:50.656'), ('4713-01-01 BC'), ('294276-12-31'),
             ('infinity'), ('-infinity'), (NULL)) AS v (at);
RESET timezone;

-- A stranger may not even ask.
CREATE ROLE regress_stranger;
SET ROLE regress_stranger;
SELECT pg_temp.error_of('SELECT companion.current_user_id()');
RESET ROLE;
DROP ROLE regress_stranger;

-- Two users with a row in every table.
INSERT INTO companion.users (id, display_name, onboarding_completed_at)
VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', '2025-01-01'),
       ('00000000-0000-0000-0000-000000000002', 'Diego', '2025-01-01');
INSERT INTO companion.onboarding (user_id) SELECT id FROM companion.users;
INSERT INTO companion.conversations (user_id, id, channel) SELECT id, id, 'web'
    FROM companion.users;
INSERT INTO companion.messages (user_id, id, conversation_id, role, content)
SELECT id, id, id, 'user', 'hello' FROM companion.users;
INSERT INTO companion.user_context (user_id, category, key, value)
SELECT id, 'family', 'sister', 'Ana' FROM companion.users;
INSERT INTO companion.telegram_link_tokens (user_id, token_hash, expires_at)
SELECT id, sha256(display_name::bytea), '2030-01-01' FROM companion.users;
SELECT count(*) AS scheduled
    FROM companion.users,
    companion.schedule_message(id, '2026-01-01', 'hello');

CREATE TEMP VIEW every_table WITH (security_invoker = true) AS
SELECT 'users' AS "table", id AS user_id FROM companion.users
UNION ALL SELECT 'onboarding', user_id FROM companion.onboarding
UNION ALL SELECT 'conversations', user_id FROM companion.conversations
UNION ALL SELECT 'messages', user_id FROM companion.messages
UNION ALL SELECT 'user_context', user_id FROM companion.user_context
UNION ALL SELECT 'scheduled_messages', user_id FROM companion.scheduled_messages
UNION ALL SELECT 'telegram_link_tokens', user_id FROM companion.telegram_link_tokens;
GRANT SELECT ON every_table TO companion_user;

-- What an admin has seen, and the plans kept from it, an end user of the same session does not see.
SELECT companion.next_checkin('00000000-0000-0000-0000-000000000002') > now() AS next_checkin_seen;

-- An end user sees their own rows only, in all seven tables; nobody sees none.
SET ROLE companion_user;
SET request.jwt.claims = '{"sub": "00000000-0000-0000-0000-000000000001"}';
SELECT * FROM every_table ORDER BY "table";
SET request.jwt.claims = '{"role": "anon"}';
SELECT * FROM every_table;
SET request.jwt.claims = '{"sub": "Maya"}';
SELECT * FROM every_table;
SET request.jwt.claims = '{"sub": "00000000-0000-0000-0000-000000000001"}';

-- They write what is theirs.
UPDATE companion.users SET display_name = 'Maya R.', checkin_time = '08:00',
    timezone = 'europe/lisbon';
SELECT display_name, checkin_time, timezone FROM companion.users;
SELECT value FROM companion.upsert_user_context('00000000-0000-0000-0000-000000000001', 'family', 'sister', 'Ana Maria');
SELECT items FROM companion.forget_user_context('00000000-0000-0000-0000-000000000001', 'family', 'sister');
SELECT companion.add_message('00000000-0000-0000-0000-000000000001',
    '00000000-0000-0000-0000-000000000001', 'user', 'hi') IS NOT NULL AS added;

-- Another's rows are out of reach: not found, or refused.
UPDATE companion.users SET display_name = 'x' WHERE display_name = 'Diego';
SELECT companion.next_checkin('00000000-0000-0000-0000-000000000002') IS NULL AS next_checkin_unseen,
       companion.sent_today('00000000-0000-0000-0000-000000000002') AS sent_today;

SELECT attempt, pg_temp.error_of(statement) AS outcome FROM (VALUES
    ('a fact about another', $$SELECT companion.upsert_user_context(
        '00000000-0000-0000-0000-000000000002', 'family', 'dog', 'Rex')$$),
    ('a fact past the functions', $$INSERT INTO companion.user_context (user_id, category, key, value)
        VALUES ('00000000-0000-0000-0000-000000000001', 'family', 'dog', 'Rex')$$),
    ('a message in another''s name',
        $$SELECT companion.add_message('00000000-0000-0000-0000-000000000002',
            '00000000-0000-0000-0000-000000000002', 'user', 'hi')$$),
    ('into another''s conversation',
        $$SELECT companion.add_message('00000000-0000-0000-0000-000000000001',
            '00000000-0000-0000-0000-000000000002', 'user', 'hi')$$),
    ('as the companion',
        $$SELECT companion.add_message('00000000-0000-0000-0000-000000000001',
            '00000000-0000-0000-0000-000000000001', 'assistant', 'hi')$$),
    ('past the function', $$INSERT INTO companion.messages (user_id, conversation_id, role, content)
        VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000001',
            'user', 'hi')$$),
    ('a fact given away', $$UPDATE companion.user_context
        SET user_id = '00000000-0000-0000-0000-000000000002'$$),
    ('their own id', $$UPDATE companion.users SET id = '00000000-0000-0000-0000-000000000009'$$),
    ('their subscription', $$UPDATE companion.users SET subscription_status = 'active'$$),
    ('their Telegram account', $$UPDATE companion.users SET telegram_user_id = 5$$),
    ('a new user', $$INSERT INTO companion.users (display_name) VALUES ('x')$$),
    ('themselves gone', $$DELETE FROM companion.users$$),
    ('a message edited', $$UPDATE companion.messages SET content = 'x'$$),
    ('onboarding done', $$UPDATE companion.onboarding SET completed_at = now()$$),
    ('a check-in made', $$INSERT INTO companion.scheduled_messages (user_id, kind, idempotency_key,
        local_date, timezone, scheduled_for, channel)
        VALUES ('00000000-0000-0000-0000-000000000001', 'custom', 'k', '2026-01-01', 'UTC', now(),
            'web')$$),
    ('a check-in changed', $$UPDATE companion.scheduled_messages SET status = 'sent'$$),
    ('a check-in removed', $$DELETE FROM companion.scheduled_messages$$),
    ('a token''s hash', $$SELECT token_hash FROM companion.telegram_link_tokens$$),
    ('a token made', $$INSERT INTO companion.telegram_link_tokens (user_id, token_hash, expires_at)
        VALUES ('00000000-0000-0000-0000-000000000001', sha256('x'), now())$$),
    ('a token prolonged', $$UPDATE companion.telegram_link_tokens SET expires_at = 'infinity'$$),
    ('the queue', $$SELECT FROM companion.dispatch_queue$$),
    ('the operators'' view', $$SELECT FROM companion.pending_messages$$),
    ('dispatch''s state', $$SELECT FROM companion.dispatch_state$$),
    ('the clock', $$SET companion.clock = '2030-01-01'$$),
    ('a setting', $$SET companion.min_gap = 0$$)
) AS v (attempt, statement);

-- An end user cannot call a worker's or an admin's functions.
SELECT pg_temp.error_of(statement) AS outcome FROM (VALUES
    ('SELECT companion.dispatch()'), ('SELECT companion.rewind_dispatch(now())'),
    ('SELECT companion.schedule_message(companion.current_user_id(), now(), ''x'')'),
    ('SELECT companion.claim_messages(''w'')'),
    ('SELECT companion.start_send(NULL, NULL, 1)'),
        ('SELECT companion.start_send_many(NULL, NULL, NULL)'),
    ('SELECT companion.mark_sent(NULL, NULL, 1)'),
        ('SELECT companion.mark_sent_many(NULL, NULL, NULL)'),
    ('SELECT companion.mark_failed(NULL, NULL, 1, ''x'')'),
        ('SELECT companion.mark_failed_many(NULL, NULL, NULL, NULL)'),
    ('SELECT companion.mark_skipped(NULL, NULL, 1, ''x'')'),
        ('SELECT companion.mark_skipped_many(NULL, NULL, NULL, NULL)'),
    ('SELECT companion.extend_lease(NULL, NULL, 1)'),
        ('SELECT companion.extend_lease_many(NULL, NULL, NULL)'),
    ('SELECT companion.finish_abandoned()'), ('SELECT companion.run_maintenance()'),
    ('SELECT companion.apply_retention()'), ('SELECT companion.schedule_jobs()'),
    ('SELECT companion.unschedule_jobs()')) AS v (statement);

-- A worker claims and reports; what is an admin's is refused.
SET ROLE companion_worker;
SELECT channel, content FROM companion.claim_messages('w', 1);
SELECT pg_temp.error_of(statement) AS outcome FROM (VALUES
    ('SELECT companion.rewind_dispatch(now())'), ('SELECT companion.finish_abandoned()'),
    ('SELECT companion.run_maintenance()'), ('SELECT companion.apply_retention()'),
    ('SELECT companion.schedule_jobs()'), ('SELECT companion.unschedule_jobs()'),
    ('UPDATE companion.users SET email = NULL'),
    ('DELETE FROM companion.scheduled_messages'),
    ('UPDATE companion.dispatch_queue SET attempt = 0'),
    ('UPDATE companion.dispatch_state SET previous_tick = now()'),
    ('SELECT FROM companion.telegram_link_tokens'),
    ('SET companion.clock = ''2030-01-01''')) AS v (statement);

-- An admin sees everybody, but no token.
SET ROLE companion_admin;
SELECT count(*) AS users FROM companion.users;
SELECT count(id) AS tokens FROM companion.telegram_link_tokens;
SELECT pg_temp.error_of('SELECT token_hash FROM companion.telegram_link_tokens');
SELECT pg_temp.error_of('SELECT companion.claim_messages(''w'')');
RESET ROLE;
RESET request.jwt.claims;

-- Where Supabase's roles exist, they are given ours.
CREATE TEMP VIEW supabase_members AS
SELECT r.rolname AS granted, m.rolname AS member
FROM pg_auth_members AS a JOIN pg_roles AS r ON r.oid = a.roleid
    JOIN pg_roles AS m ON m.oid = a.member
WHERE m.rolname IN ('authenticated', 'service_role') ORDER BY 1;
SET client_min_messages = warning;
DROP EXTENSION companion CASCADE;
SELECT * FROM supabase_members;
CREATE SCHEMA auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY, email text);
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE service_role NOLOGIN BYPASSRLS;
CREATE EXTENSION companion;
SELECT * FROM supabase_members;
INSERT INTO companion.users (id, display_name)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Maya');
SET request.jwt.claims = '{"role": "authenticated", "sub": "00000000-0000-0000-0000-000000000001"}';
SET ROLE authenticated;
SELECT display_name FROM companion.users;
SELECT display_name FROM companion.put_user(companion.current_user_id(), '{"display_name": "Maya R."}');
SELECT pg_temp.error_of('SELECT companion.put_user(companion.current_user_id(), ''{"app_data": {}}'')');
SELECT pg_temp.error_of('SELECT companion.claim_messages(''w'')');
SET ROLE service_role;
SELECT display_name, app_data FROM companion.put_user(NULL, '{"telegram_user_id": 111, "display_name": "Ana", "app_data": {"plan": "gold"}}');
SELECT count(*) FROM companion.claim_messages('w');
SELECT companion.finish_abandoned();
RESET ROLE;
RESET request.jwt.claims;
DROP EXTENSION companion;
DROP ROLE authenticated, service_role;
DROP SCHEMA auth CASCADE;
CREATE EXTENSION companion;
