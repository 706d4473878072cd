-- One session that serves many: whatever it sets, resets, discards or rolls back, the identity and
-- the rights are right at every step.
\i test/fresh.sql
INSERT INTO companion.users (id, display_name) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya'),
    ('00000000-0000-0000-0000-000000000002', 'Diego');
INSERT INTO companion.conversations (user_id, id, channel) SELECT id, id, 'web'
    FROM companion.users;
INSERT INTO companion.messages (user_id, conversation_id, role, content)
SELECT id, id, 'user', 'hello' FROM companion.users, generate_series(1, 64); -- a chunk for search
\set maya '''00000000-0000-0000-0000-000000000001'''
\set diego '''00000000-0000-0000-0000-000000000002'''
\set claims_of_diego '''{"sub": "00000000-0000-0000-0000-000000000002"}'''

-- Who the session is, and what it sees.
\set whoami 'SELECT current_user = session_user AS superuser, right(companion.current_user_id()::text, 1) AS identity, (SELECT string_agg(display_name, \', \' ORDER BY id) FROM companion.users) AS sees;'

-- The setting is there before the library is: it is taken over, and undone with its transaction.
\c -
BEGIN;
SET LOCAL companion.user_id = :maya;
SET LOCAL ROLE companion_user;
:whoami
ROLLBACK;
:whoami
\c -
SET companion.user_id = :maya;
SET ROLE companion_user;
BEGIN;
SAVEPOINT a;
SET LOCAL companion.user_id = :diego;
:whoami
ROLLBACK TO a;
:whoami
COMMIT;
:whoami

-- What is not theirs to set is not taken over.
\c -
SET ROLE companion_user;
SET companion.clock = '2030-01-01';
SET companion.min_gap = 0;
SELECT companion.now() = now() AS clock_untouched, current_setting('companion.min_gap') AS min_gap;

-- SET, RESET, SET ROLE, RESET ALL (which keeps the role), DISCARD ALL (which does not).
\c -
SET ROLE companion_user;
:whoami
SET companion.user_id = :maya;
:whoami
SET request.jwt.claims = :claims_of_diego;
:whoami
RESET request.jwt.claims;
:whoami
RESET ROLE;
:whoami
SET ROLE companion_user;
RESET ALL;
:whoami
SET companion.user_id = :maya;
:whoami
DISCARD ALL;
:whoami
SET ROLE companion_user;
:whoami

-- Subtransactions: released, rolled back, failed.
BEGIN;
SET LOCAL companion.user_id = :maya;
SAVEPOINT a;
SET LOCAL companion.user_id = :diego;
:whoami
ROLLBACK TO a;
:whoami
SET LOCAL request.jwt.claims = :claims_of_diego;
RELEASE a;
:whoami
SAVEPOINT b;
SET LOCAL request.jwt.claims = '{"sub": "Maya"}';
:whoami
ROLLBACK TO b;
:whoami
SAVEPOINT c;
RESET request.jwt.claims;
:whoami
ROLLBACK TO c;
SAVEPOINT d;
SET LOCAL ROLE companion_worker;
:whoami
ROLLBACK TO d;
:whoami
COMMIT;
:whoami

-- A setting of a function holds within it, and not after it, nor after an error in it.
RESET ROLE;
CREATE FUNCTION pg_temp.as_diego(divisor integer) RETURNS text LANGUAGE plpgsql
SET companion.user_id = '00000000-0000-0000-0000-000000000002'
AS $$ BEGIN RETURN right(companion.current_user_id()::text, 1) || 1 / divisor; END $$;
SET companion.user_id = :maya;
SELECT right(companion.current_user_id()::text, 1) AS before, pg_temp.as_diego(1),
       right(companion.current_user_id()::text, 1) AS after;
BEGIN;
SAVEPOINT a;
\set VERBOSITY terse
SELECT pg_temp.as_diego(0);
\set VERBOSITY default
ROLLBACK TO a;
:whoami
COMMIT;

-- A parallel worker acts for the same user.
SET companion.user_id = :maya;
SET request.jwt.claims = :claims_of_diego;
SELECT set_config(name, 'on', false) FROM pg_settings
WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SET ROLE companion_user;
SELECT count(*) FILTER (WHERE companion.current_user_id() = :diego) AS as_diego, count(*)
FROM generate_series(1, 10);
:whoami
DISCARD ALL;

-- Changing it a hundred thousand times costs no memory.
SELECT used_bytes AS used_before FROM pg_backend_memory_contexts WHERE name = 'TopMemoryContext' \gset
SELECT count(companion.current_user_id()) FROM generate_series(1, 100000) AS n
WHERE set_config('request.jwt.claims', format('{"n": %s, "sub": "%s", "more": "%s"}', n,
    CASE n % 2 WHEN 0 THEN :maya ELSE :diego END, repeat('x', n % 1000)), false) <> '';
SELECT used_bytes - :used_before < 100000 AS little_more FROM pg_backend_memory_contexts
WHERE name = 'TopMemoryContext';
DISCARD ALL;

-- Plans kept by the session outlive DISCARD.
\set remember 'SELECT value, confirmations FROM companion.upsert_user_context(:maya, \'fact\', \'pet\', \'a cat\');'
\set claim 'SELECT count(companion.mark_skipped(user_id, message_id, attempt, \'test\')) FROM companion.claim_messages(\'w\');'
SELECT created FROM companion.schedule_message(:maya, now(), 'hello');
:remember
:claim
DISCARD PLANS;
SELECT created FROM companion.schedule_message(:maya, now(), 'hello');
:remember
:claim
DISCARD ALL;
SELECT created FROM companion.schedule_message(:maya, now(), 'hello');
:remember
:claim

-- An error while a function acts as companion_runtime, caught or rolled back to, leaves the caller the
-- caller's. A trigger on every table that they write makes them fail in the midst of it.
\set ECHO none
\i test/error_of.sql
\set ECHO all
UPDATE companion.users SET telegram_user_id = 7 WHERE id = :maya;
CREATE FUNCTION companion.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refused to %', current_user;
END
$$;
DO $$
DECLARE
    written regclass;
BEGIN
    FOR written IN SELECT oid FROM pg_class
        WHERE relnamespace = 'companion'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON %s'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION companion.refuse()', written);
    END LOOP;
END
$$;
CREATE FUNCTION pg_temp.rights_after(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text := pg_temp.error_of(statement);
    whoever text := current_user;
BEGIN
    SET LOCAL ROLE companion_user; -- an error while a function's rights are in force
    RETURN format('%s; then %s: %s', outcome, whoever,
                  pg_temp.error_of('DELETE FROM companion.messages'));
END
$$;
SET companion.user_id = :maya;
SET ROLE companion_user;
SELECT call, pg_temp.rights_after(format('SELECT companion.%s', call)) FROM (VALUES
    ('open_conversation(companion.current_user_id(), ''telegram'')'),
    ('add_message(companion.current_user_id(), companion.current_user_id(), ''user'', ''hi'')'),
    ('search_messages(companion.current_user_id(), ''hello'')'),
    ('upsert_user_context(companion.current_user_id(), ''fact'', ''pet'', ''a cat'')'),
    ('upsert_user_context_many(companion.current_user_id(), ''[{"category": "a", "key": "b", "value": "c"}]'')'),
    ('touch_user_context(companion.current_user_id(), ''{}'')'),
    ('resolve_user_context(companion.current_user_id(), ''fact'', ''pet'')'),
    ('forget_user_context(companion.current_user_id(), ''fact'', ''pet'')'),
    ('start_onboarding()'),
    ('create_telegram_link_token()'),
    ('revoke_telegram_link_tokens()'),
    ('unlink_telegram()'),
    ('erase_user()')) AS v (call);
\set VERBOSITY terse
BEGIN;
SAVEPOINT a;
SELECT companion.erase_user();
ROLLBACK TO a;
SET LOCAL ROLE companion_user;
DELETE FROM companion.messages;
ROLLBACK;
RESET ROLE;
DROP FUNCTION companion.refuse() CASCADE;
SET ROLE companion_user;
SELECT call, pg_temp.rights_after(format('SELECT companion.%s', call)) FROM (VALUES
    ('add_message(companion.current_user_id(), companion.current_user_id(), ''user'', ''hi'', metadata => ''[]'')'),
    ('add_message(companion.current_user_id(), companion.uuid_v7(), ''user'', ''hi'')'),
    ('advance_onboarding(companion.current_user_id(), ''name'', ''{"name": "Maya"}'')'),
    ('complete_onboarding()'),
    ('start_onboarding()'),
    ('advance_onboarding(companion.current_user_id(), ''name'', ''{"name": ""}'')'),
    ('complete_onboarding()')) AS v (call);
