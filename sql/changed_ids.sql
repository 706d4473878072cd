-- An auth table's row gets another id: all that is the user's is theirs under the new one.
\i test/fresh.sql
SET companion.clock = '2026-03-02 09:00+00';
CREATE TABLE accounts (id uuid PRIMARY KEY, email text);
INSERT INTO accounts VALUES
    ('00000000-0000-0000-0000-000000000001', 'maya@example.org'), ('00000000-0000-0000-0000-000000000002', 'diego@example.org');
SELECT companion.follow_auth_users('accounts') AS taken_over;

-- Rows in every table that holds something of a user, referring to each other.
UPDATE companion.users SET telegram_user_id = 100 + right(id::text, 1)::integer, onboarding_completed_at = '2026-03-01';
INSERT INTO companion.conversations (user_id, id, channel) SELECT id, id, 'web' FROM companion.users;
INSERT INTO companion.messages (user_id, id, conversation_id, role, content)
SELECT id, id, id, 'user', 'hello from ' || email FROM companion.users;
INSERT INTO companion.messages (user_id, id, conversation_id, role, content, reply_to_id)
SELECT id, overlay(id::text PLACING '1' FROM 1)::uuid, id, 'assistant', 'hello ' || email, id FROM companion.users;
SELECT count(companion.upsert_user_context(id, 'family', 'sister', value, source_message_id => id)) AS remembered
FROM companion.users, (VALUES ('Anna'), ('Ana')) AS told (value);
INSERT INTO companion.search_chunks SELECT id, id, 'simple', 1, 0, ARRAY[id], ARRAY[to_tsvector('hello')] FROM companion.users;
SELECT count(companion.upsert_user_context(id, 'diet', 'lunch', 'soup', source_message_id => id)) AS told
FROM companion.users;
SELECT count(items) AS forgotten FROM companion.users, companion.forget_user_context(id, 'diet', 'lunch');
SELECT count(companion.set_embedding(user_id, id, 'model', '{1,2}')) AS embedded FROM companion.user_context;
SELECT companion.dispatch(companion.now()) AS enqueued;
SELECT count(created) AS scheduled, count(companion.start_onboarding(id)) AS onboarding,
       count(companion.create_telegram_link_token(id)) AS tokens, count(outcome) AS failures
FROM companion.users, companion.schedule_message(id, '2026-03-01', 'hello'),
    companion.redeem_telegram_link_token('x', telegram_user_id);
INSERT INTO companion.dispatch_recheck (user_id, since) SELECT id, '2026-03-02' FROM companion.users;
INSERT INTO companion.rekeyed_ids SELECT id, 'conversations', id, id FROM companion.users;
INSERT INTO companion.cap_starts SELECT id, 'nudges', ARRAY[companion.now()], ARRAY[id] FROM companion.users;
SELECT companion.edit_message(id, NULL, 'early', 1) FROM companion.users;
CREATE TEMP TABLE before AS SELECT id, companion.export_user(id) AS data FROM companion.users;
SELECT name AS "has no row" FROM companion.personal_tables, before WHERE jsonb_array_length(data -> name) = 0;

-- Whoever writes the auth table needs no right on ours. Nothing but the id has changed, also of the
-- other user, and dispatch is to look at who has moved.
CREATE ROLE regress_auth_admin NOLOGIN;
GRANT SELECT, UPDATE, DELETE ON accounts TO regress_auth_admin;
SET ROLE regress_auth_admin;
UPDATE accounts SET id = '00000000-0000-0000-0000-000000000009', email = 'maya.new@example.org' WHERE email ~ 'maya';
RESET ROLE;
CREATE FUNCTION pg_temp.but_for_the_id(data jsonb, name text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_agg(r - '{user_id,updated_at,email,usable_addresses}'::text[] - CASE name WHEN 'users' THEN 'id' ELSE '' END ORDER BY number)
    FROM jsonb_array_elements(data) WITH ORDINALITY AS rows (r, number)
    WHERE CASE name WHEN 'dispatch_recheck' THEN number = 1 WHEN 'addresses' THEN r ->> 'channel' <> 'email' ELSE true END
$$;
SELECT name, jsonb_array_length(companion.export_user('00000000-0000-0000-0000-000000000001') -> name) AS left,
       pg_temp.but_for_the_id(companion.export_user('00000000-0000-0000-0000-000000000009') -> name, name) = pg_temp.but_for_the_id(data -> name, name) AS is_moved
FROM before, companion.personal_tables WHERE id = '00000000-0000-0000-0000-000000000001' ORDER BY name;
SELECT email, created_at = (data #>> '{users,0,created_at}')::timestamptz AS is_same
FROM companion.users AS u, before AS b WHERE u.id = '00000000-0000-0000-0000-000000000009' AND b.id = '00000000-0000-0000-0000-000000000001';
SELECT companion.export_user(id) = data AS "the other as before" FROM before WHERE id = '00000000-0000-0000-0000-000000000002';
SELECT user_id, since FROM companion.dispatch_recheck ORDER BY id;

-- Today's check-in is not sent again, and what was queued is claimed for the new id; a worker that had
-- claimed it for the old one finds nothing.
SELECT companion.dispatch('2026-03-02 09:00:30+00') AS enqueued;
SELECT kind, count(*) FROM companion.claim_messages('w', 10) WHERE user_id = '00000000-0000-0000-0000-000000000009' GROUP BY kind ORDER BY kind;
UPDATE accounts SET id = '00000000-0000-0000-0000-000000000001' WHERE email ~ 'maya';
SELECT companion.start_send('00000000-0000-0000-0000-000000000009', message_id, 1) AS "by the id before",
       companion.start_send(user_id, message_id, 1) AS "by the id now"
FROM companion.dispatch_queue WHERE user_id = '00000000-0000-0000-0000-000000000001' ORDER BY message_id LIMIT 1;

-- An id that another user has is refused, and so is one that an app's foreign key keeps; one that
-- cascades is followed.
INSERT INTO companion.users (id, display_name) VALUES ('00000000-0000-0000-0000-000000000003', 'not from there');
SELECT pg_temp.error_of('UPDATE accounts SET id = ''00000000-0000-0000-0000-000000000003'' WHERE email ~ ''maya''') AS outcome;
CREATE TABLE notes (user_id uuid REFERENCES companion.users ON DELETE CASCADE);
INSERT INTO notes VALUES ('00000000-0000-0000-0000-000000000001');
SELECT pg_temp.error_of('UPDATE accounts SET id = ''00000000-0000-0000-0000-000000000009'' WHERE email ~ ''maya''') AS outcome;
ALTER TABLE notes DROP CONSTRAINT notes_user_id_fkey, ADD FOREIGN KEY (user_id) REFERENCES companion.users ON UPDATE CASCADE;
UPDATE accounts SET id = '00000000-0000-0000-0000-000000000009' WHERE email ~ 'maya';
SELECT user_id FROM notes;
DROP TABLE notes;

-- An operator's triggers: what keeps a row, or moves it elsewhere, is said, and nothing has moved.
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN jsonb_populate_record(NEW, TG_ARGV[0]::jsonb); END $$;
CREATE FUNCTION pg_temp.moved_under(relation text, action text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    EXECUTE format('CREATE TRIGGER operators BEFORE UPDATE ON companion.%I FOR EACH ROW EXECUTE FUNCTION %s', relation, action);
    outcome := pg_temp.error_of('UPDATE accounts SET id = ''00000000-0000-0000-0000-000000000008'' WHERE email ~ ''maya''');
    EXECUTE format('DROP TRIGGER operators ON companion.%I', relation);
    UPDATE accounts SET id = '00000000-0000-0000-0000-000000000009' WHERE email ~ 'maya';
    RETURN outcome;
END
$$;
SELECT name, pg_temp.moved_under(name, 'suppress()') AS outcome FROM companion.personal_tables
WHERE name IN ('users', 'messages', 'dispatch_queue', 'telegram_link_tokens') ORDER BY name;
SELECT name, pg_temp.moved_under(name, action) AS outcome FROM (VALUES
    ('users', $$change('{"id": "00000000-0000-0000-0000-000000000007"}')$$),
    ('user_context_history', $$change('{"user_id": "00000000-0000-0000-0000-000000000002"}')$$),
    ('users', $$change('{"location": "Lima"}')$$)) AS v (name, action);
SELECT id, email, location FROM companion.users ORDER BY id;

-- Who is no user does not become one; who was erased stays so under the new id.
SELECT companion.erase_user('00000000-0000-0000-0000-000000000009') -> 'users' AS erased;
UPDATE accounts SET id = '00000000-0000-0000-0000-000000000001' WHERE email ~ 'maya';
SELECT user_id FROM companion.erased_users;
SELECT companion.follow_auth_users('accounts') AS taken_over, (SELECT count(*) FROM companion.users) AS users;
-- An id that was an erased user's may become another's.
INSERT INTO companion.erased_users VALUES ('00000000-0000-0000-0000-000000000005', DEFAULT);
UPDATE accounts SET id = '00000000-0000-0000-0000-000000000005' WHERE email ~ 'diego';
SELECT user_id FROM companion.erased_users;

-- A trigger of 0.1.0's, which fires for the address alone.
CREATE OR REPLACE TRIGGER companion_follow AFTER INSERT OR DELETE OR UPDATE OF email ON accounts
FOR EACH ROW EXECUTE FUNCTION companion.follow_auth_user();
INSERT INTO accounts VALUES ('00000000-0000-0000-0000-000000000006', 'sita@example.org');
UPDATE accounts SET email = 'sita.new@example.org' WHERE email ~ 'sita';
SELECT id, email FROM companion.users ORDER BY id;
DELETE FROM accounts WHERE email ~ 'sita';
SELECT id, email FROM companion.users ORDER BY id;

DROP TABLE accounts;
DROP FUNCTION suppress(), change();
DROP ROLE regress_auth_admin;
