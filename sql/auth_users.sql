-- Following an auth table: users appear, change their e-mail address and vanish with it.
\i test/fresh.sql
SELECT pg_temp.error_of('SELECT companion.follow_auth_users()') AS "without an auth table",
       companion.unfollow_auth_users() AS unfollowed;

-- Shaped as Supabase's.
CREATE SCHEMA auth;
CREATE TABLE auth.users (
    instance_id uuid, id uuid NOT NULL PRIMARY KEY, aud varchar(255), role varchar(255), email varchar(255),
    encrypted_password varchar(255), email_confirmed_at timestamptz, last_sign_in_at timestamptz,
    raw_app_meta_data jsonb, raw_user_meta_data jsonb, is_super_admin boolean, created_at timestamptz,
    updated_at timestamptz, phone text DEFAULT NULL UNIQUE, phone_change text DEFAULT '',
    confirmed_at timestamptz GENERATED ALWAYS AS (email_confirmed_at) STORED, banned_until timestamptz,
    is_sso_user boolean NOT NULL DEFAULT false, deleted_at timestamptz, is_anonymous boolean NOT NULL DEFAULT false);
CREATE UNIQUE INDEX users_email_partial_key ON auth.users (email) WHERE (is_sso_user = false);
ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;
CREATE ROLE regress_auth_admin NOLOGIN BYPASSRLS;
GRANT USAGE ON SCHEMA auth TO regress_auth_admin;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.users TO regress_auth_admin;
CREATE TEMP VIEW users AS SELECT id, email, display_name FROM companion.users ORDER BY id;

-- Existing rows are taken over; who is known already keeps what is known.
INSERT INTO auth.users (id, email) VALUES
    ('00000000-0000-0000-0000-000000000001', 'maya@example.org'),
    ('00000000-0000-0000-0000-000000000002', 'diego@example.org');
INSERT INTO companion.users (id, email, display_name) VALUES
    ('00000000-0000-0000-0000-000000000002', 'old@example.org', 'Diego'),
    ('00000000-0000-0000-0000-000000000008', NULL, 'not from there');
SELECT companion.follow_auth_users() AS taken_over;
SELECT companion.follow_auth_users() AS "nothing new";
SELECT * FROM users;

-- Whoever writes the auth table needs no right on ours.
SET ROLE regress_auth_admin;
INSERT INTO auth.users (id, email) VALUES
    ('00000000-0000-0000-0000-000000000003', 'sita@example.org'),
    ('00000000-0000-0000-0000-000000000004', NULL),
    ('00000000-0000-0000-0000-000000000005', 'gone@example.org');
UPDATE auth.users SET email = 'amina@example.org', phone = '+254700000000' WHERE id = '00000000-0000-0000-0000-000000000004';
UPDATE auth.users SET last_sign_in_at = '2026-03-02', encrypted_password = 'secret';
RESET ROLE;
SELECT * FROM users;

-- Who goes there goes here with everything, the queue included.
SELECT created FROM companion.schedule_message('00000000-0000-0000-0000-000000000005', '2026-03-02', 'hello');
SET ROLE regress_auth_admin;
DELETE FROM auth.users WHERE id = '00000000-0000-0000-0000-000000000005';
RESET ROLE;
SELECT (SELECT count(*) FROM users WHERE email LIKE 'gone%') AS users, (SELECT count(*) FROM companion.dispatch_queue) AS queued;

-- Who was erased here does not come back with a change there.
SELECT companion.erase_user('00000000-0000-0000-0000-000000000003') ->> 'users' AS erased;
UPDATE auth.users SET email = 'sita.new@example.org' WHERE id = '00000000-0000-0000-0000-000000000003';
DELETE FROM auth.users WHERE id = '00000000-0000-0000-0000-000000000003';
SELECT * FROM users;

-- A transaction that is undone there is undone here.
BEGIN;
DELETE FROM auth.users;
SELECT count(*) AS users FROM users;
ROLLBACK;
SELECT count(*) AS users FROM users;

-- Unfollowed, the users stay and nothing more follows.
SELECT companion.unfollow_auth_users() AS unfollowed, companion.unfollow_auth_users() AS again;
DELETE FROM auth.users WHERE id = '00000000-0000-0000-0000-000000000001';
SELECT count(*) AS users FROM users;

-- Any number of rows at once.
CREATE TABLE members (id uuid PRIMARY KEY, email text);
INSERT INTO members SELECT ('10000000-0000-0000-0000-' || to_char(n, 'FM000000000000'))::uuid, nullif(n % 7, 0) || '@example.org'
FROM generate_series(1, 2500) AS n;
SELECT companion.follow_auth_users('members') AS taken_over;
SELECT companion.follow_auth_users('members') AS "nothing new";
DROP TABLE members;
DELETE FROM companion.users WHERE id >= '10000000-0000-0000-0000-000000000000';

-- Any table with a uuid id, and any column for the address.
CREATE TABLE accounts (id uuid PRIMARY KEY, "E-mail" text, login text);
CREATE TABLE numbered (id bigint PRIMARY KEY, email text);
INSERT INTO accounts VALUES ('00000000-0000-0000-0000-000000000006', 'haruto@example.org', 'haruto');
SELECT companion.follow_auth_users('accounts', 'login') AS taken_over;
SELECT companion.follow_auth_users('accounts', 'E-mail') AS "by another column";
UPDATE accounts SET login = 'haru', "E-mail" = 'haru@example.org';
SELECT email FROM users WHERE id = '00000000-0000-0000-0000-000000000006';
ALTER TABLE accounts RENAME "E-mail" TO address;
UPDATE accounts SET address = 'h@example.org';
SELECT email FROM users WHERE id = '00000000-0000-0000-0000-000000000006';
-- A row without an id cannot be followed; nor can every table be.
ALTER TABLE accounts DROP CONSTRAINT accounts_pkey, ALTER id DROP NOT NULL;
SELECT pg_temp.error_of(statement) AS outcome FROM (VALUES
    ('INSERT INTO accounts VALUES (NULL, ''x'')'),
    ('SELECT companion.follow_auth_users(NULL)'),
    ('SELECT companion.follow_auth_users(''nowhere'')'),
    ('SELECT companion.follow_auth_users(''numbered'')'),
    ('SELECT companion.follow_auth_users(''accounts'', ''nonsense'')'),
    ('SELECT companion.follow_auth_users(''accounts'', NULL)'),
    ('SELECT companion.follow_auth_user()'),
    ('CREATE TRIGGER wrong BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION companion.follow_auth_user();
      INSERT INTO accounts VALUES (''00000000-0000-0000-0000-000000000007'')')) AS v (statement);
SET ROLE companion_admin;
SELECT pg_temp.error_of('SELECT companion.follow_auth_users(''accounts'')') AS "an admin without rights on the table";
SET ROLE companion_user;
SELECT pg_temp.error_of('SELECT companion.follow_auth_users(''accounts'')') AS "an end user",
       pg_temp.error_of('SELECT companion.unfollow_auth_users(''accounts'')') AS "an end user";
RESET ROLE;
-- An admin who owns the table may follow it, but not while a policy may hide rows.
CREATE ROLE regress_account_owner NOLOGIN IN ROLE companion_admin;
ALTER TABLE accounts OWNER TO regress_account_owner;
SET ROLE regress_account_owner;
SELECT companion.follow_auth_users('accounts', 'address') AS taken_over;
INSERT INTO accounts VALUES ('00000000-0000-0000-0000-000000000007', 'noor@example.org');
SELECT email FROM companion.users WHERE id = '00000000-0000-0000-0000-000000000007';
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT pg_temp.error_of('SELECT companion.follow_auth_users(''accounts'', ''address'')') AS outcome;
RESET ROLE;

-- The extension is not dropped from under a followed table, unless told so.
SELECT pg_temp.error_of('DROP EXTENSION companion') AS outcome;
SET client_min_messages = warning;
DROP EXTENSION companion CASCADE;
INSERT INTO accounts VALUES ('00000000-0000-0000-0000-000000000009');
DROP TABLE accounts, numbered;
DROP SCHEMA auth CASCADE;
DROP ROLE regress_auth_admin, regress_account_owner;
CREATE EXTENSION companion;
