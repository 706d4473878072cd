-- Who was erased does not come back from an auth table that still has them: what stays is that they
-- were, until they are gone there, too, or sign up again.
\i test/fresh.sql
SET companion.clock = '2026-03-02 09:00+00';
CREATE TABLE accounts (id uuid PRIMARY KEY, email text);
INSERT INTO accounts SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'user' || n || '@example.org' FROM generate_series(1, 4) AS n;
SELECT companion.follow_auth_users('accounts') AS taken_over;
CREATE TEMP VIEW users AS SELECT right(id::text, 1) AS id, email FROM companion.users ORDER BY id;

SET ROLE companion_user;
SET companion.user_id = '00000000-0000-0000-0000-000000000001';
SELECT companion.erase_user() -> 'users' AS users, companion.erase_user() -> 'users' AS again;
SELECT pg_temp.error_of('SELECT FROM companion.erased_users') AS "an end user";
RESET companion.user_id;
SET ROLE companion_worker;
SELECT pg_temp.error_of('SELECT FROM companion.erased_users') AS "a worker";
SET ROLE companion_admin;
SELECT companion.erase_user('00000000-0000-0000-0000-000000000002') -> 'users' AS users,
       companion.erase_user('00000000-0000-0000-0000-000000000009') -> 'users' AS "never one";
SELECT * FROM companion.erased_users;
SELECT pg_temp.error_of('INSERT INTO companion.erased_users VALUES (''00000000-0000-0000-0000-000000000003'')') AS "to write it is the functions'";
RESET ROLE;
SELECT companion.export_user('00000000-0000-0000-0000-000000000001')::text ~ '0001' AS "of the export";

-- Neither a change there nor following anew brings them back.
UPDATE accounts SET email = 'new' || email;
SELECT companion.follow_auth_users('accounts') AS taken_over;
SELECT companion.unfollow_auth_users('accounts') AS unfollowed;
UPDATE accounts SET email = 'very' || email;
SELECT companion.follow_auth_users('accounts') AS "the others' addresses";
SELECT * FROM users;

-- A row that goes there takes the mark away; a person who signs up again is a user.
DELETE FROM accounts WHERE email ~ 'user1';
SELECT user_id FROM companion.erased_users;
INSERT INTO accounts VALUES ('00000000-0000-0000-0000-000000000001', 'again1@example.org');
SELECT companion.unfollow_auth_users('accounts');
DELETE FROM accounts WHERE email ~ 'user2';
SELECT companion.follow_auth_users('accounts') AS taken_over;
SELECT user_id FROM companion.erased_users;
INSERT INTO accounts VALUES ('00000000-0000-0000-0000-000000000002', 'again2@example.org');
SELECT user_id FROM companion.erased_users;
SELECT * FROM users;

-- An admin lets somebody come back.
SELECT companion.erase_user('00000000-0000-0000-0000-000000000003') -> 'users' AS users;
SET ROLE companion_admin;
DELETE FROM companion.erased_users;
RESET ROLE;
SELECT companion.follow_auth_users('accounts') AS taken_over;
-- The mark says nothing of whoever is a user by another way.
SELECT companion.erase_user('00000000-0000-0000-0000-000000000003') -> 'users' AS users;
INSERT INTO companion.users (id) VALUES ('00000000-0000-0000-0000-000000000003');
SELECT companion.follow_auth_users('accounts') AS "their address";
SELECT companion.erase_user('00000000-0000-0000-0000-000000000003') -> 'users' AS users;
SELECT companion.follow_auth_users('accounts') AS taken_over;
SELECT * FROM users;

-- What is deleted without erase_user() comes back.
DELETE FROM companion.users WHERE id = '00000000-0000-0000-0000-000000000004';
SELECT companion.follow_auth_users('accounts') AS taken_over;

-- An id that stands twice is still said.
CREATE TABLE twice (id uuid, email text);
INSERT INTO twice SELECT '00000000-0000-0000-0000-000000000021', n || '@example.org' FROM generate_series(1, 2) AS n;
SELECT pg_temp.error_of('SELECT companion.follow_auth_users(''twice'')') AS outcome;
INSERT INTO companion.users (id) VALUES ('00000000-0000-0000-0000-000000000021');
SELECT pg_temp.error_of('SELECT companion.follow_auth_users(''twice'')') AS outcome;
DELETE FROM companion.users WHERE email IS NULL;
DROP TABLE twice;

-- An operator's trigger that keeps the mark from being written keeps the user.
CREATE FUNCTION suppress_mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER operators BEFORE INSERT ON companion.erased_users FOR EACH ROW EXECUTE FUNCTION suppress_mark();
SELECT pg_temp.error_of('SELECT companion.erase_user(''00000000-0000-0000-0000-000000000004'')') AS outcome;
SELECT * FROM users;
DROP TABLE accounts;
SET client_min_messages = warning;
DROP FUNCTION suppress_mark() CASCADE;
