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
INSERT INTO members SELECT ('10000000-0000-0000-0000-' || to_char(n, 'FM000000000000'))::uuid, CASE WHEN n % 7 > 0 THEN n || '@example.org' END
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

-- What an address may be stored as: text, or what a superuser has declared to be no other.
CREATE EXTENSION citext;
CREATE DOMAIN address AS varchar(100) CHECK (VALUE LIKE '%@%');
CREATE DOMAIN work_address AS address;
CREATE DOMAIN account_id AS uuid;
CREATE TYPE mood AS ENUM ('calm@example.org');
CREATE TYPE pair AS (login text, host text);
CREATE FUNCTION mood_text(mood) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called as %', current_user; END $$;
CREATE CAST (mood AS text) WITH FUNCTION mood_text(mood);
CREATE FUNCTION pg_temp.followed(id_type text, email_type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    taken_over text;
    changed text;
BEGIN
    EXECUTE format('CREATE TABLE typed (id %s, login text, email %s)', id_type, email_type);
    IF email_type ~ 'GENERATED' THEN
        INSERT INTO typed (id, login) VALUES ('00000000-0000-0000-0000-000000000101', 'Ada@Example.org');
    ELSE
        INSERT INTO typed VALUES ('00000000-0000-0000-0000-000000000101', 'ada', 'Ada@Example.org');
    END IF;
    PERFORM companion.follow_auth_users('typed');
    taken_over := (SELECT u.email FROM companion.users AS u WHERE u.id = '00000000-0000-0000-0000-000000000101');
    IF email_type ~ 'GENERATED' THEN
        UPDATE typed SET login = 'Eva@Example.org';
    ELSE
        UPDATE typed SET email = 'Eva@Example.org';
    END IF;
    changed := (SELECT u.email FROM companion.users AS u WHERE u.id = '00000000-0000-0000-0000-000000000101');
    RAISE EXCEPTION USING ERRCODE = 'P0000', MESSAGE = format('"%s", then "%s"', taken_over, changed);
EXCEPTION WHEN OTHERS THEN
    RETURN replace(SQLSTATE || ' ' || SQLERRM, 'P0000 ', '');
END
$$;
SELECT id_type, email_type, pg_temp.followed(id_type, email_type) AS outcome FROM (VALUES
    ('uuid', 'text'), ('uuid', 'varchar(100)'), ('uuid', 'char(100)'), ('uuid', 'name'), ('uuid', 'citext'),
    ('uuid', 'address'), ('uuid', 'work_address'), ('account_id', 'text'),
    ('uuid', 'text GENERATED ALWAYS AS (lower(login)) STORED'),
    ('text', 'text'), ('uuid', 'bytea')) AS v (id_type, email_type);
CREATE TABLE moody (id uuid, email mood);
INSERT INTO moody VALUES ('00000000-0000-0000-0000-000000000102', 'calm@example.org');
CREATE TABLE paired (id uuid, email pair);
CREATE VIEW seen AS SELECT id, login AS email FROM accounts;
CREATE MATERIALIZED VIEW seen_once AS SELECT id, login AS email FROM accounts;
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE distant (id uuid, email text) SERVER elsewhere;
CREATE TABLE parted (id uuid, email text, region text) PARTITION BY LIST (region);
CREATE TABLE parted_north PARTITION OF parted FOR VALUES IN ('north');
CREATE TABLE halved (id uuid, email text) PARTITION BY HASH (id);
CREATE TABLE halved_0 PARTITION OF halved FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE FOREIGN TABLE halved_1 PARTITION OF halved FOR VALUES WITH (MODULUS 2, REMAINDER 1) SERVER elsewhere;
CREATE TABLE reckoned (id uuid, email text) PARTITION BY HASH (uuid_hash(id));
CREATE TABLE taken (id uuid, email text);
CREATE FUNCTION do_nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER companion_follow AFTER INSERT ON taken FOR EACH ROW EXECUTE FUNCTION do_nothing();
SELECT relation, pg_temp.error_of(format('SELECT companion.follow_auth_users(%L)', relation)) AS outcome FROM (VALUES
    ('moody'), ('paired'), ('seen'), ('seen_once'), ('distant'), ('parted'), ('parted_north'), ('halved'), ('reckoned'),
    ('taken'), ('999999')) AS v (relation);
SELECT pg_temp.error_of('SELECT companion.follow_auth_users(''taken'', ''ctid'')') AS "a system column",
       companion.unfollow_auth_users('taken') AS "another's trigger",
       (SELECT count(*) FROM pg_trigger WHERE tgname = 'companion_follow' AND tgrelid = 'taken'::regclass) AS stays;
SELECT CASE WHEN current_setting('server_version_num')::integer < 180000
       THEN '42804 | column "email" of table "virtual" is virtual | A virtual column stands in no row. Use a stored one.'
       ELSE pg_temp.error_of('CREATE TABLE virtual (id uuid, login text, email text GENERATED ALWAYS AS (lower(login)) VIRTUAL);
                              SELECT companion.follow_auth_users(''virtual'')') END AS "since PostgreSQL 18";

-- To take over the rows calls nothing of the table owner's, with the rights of whoever does it;
-- planning a query would.
CREATE ROLE regress_planter NOLOGIN;
CREATE SCHEMA planted AUTHORIZATION regress_planter;
SET ROLE regress_planter;
CREATE FUNCTION planted.trap(number integer) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        RAISE WARNING 'a superuser has stepped into trap %', number;
    END IF;
    RETURN true;
END
$$;
CREATE FUNCTION planted.hash_trap(id uuid, number integer) RETURNS integer IMMUTABLE LANGUAGE sql
AS $$ SELECT CASE WHEN planted.trap(number) THEN pg_catalog.uuid_hash(id) END $$;
CREATE TABLE planted.accounts (id uuid PRIMARY KEY, email text, CHECK (planted.trap(1)));
CREATE INDEX ON planted.accounts (id) WHERE planted.trap(2);
CREATE INDEX ON planted.accounts ((planted.trap(3)));
CREATE STATISTICS planted.statistics ON (planted.trap(4)), email FROM planted.accounts;
CREATE TABLE planted.halved (id uuid, email text) PARTITION BY HASH (id, planted.hash_trap(id, 5));
CREATE TABLE planted.half PARTITION OF planted.halved FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO planted.accounts VALUES ('00000000-0000-0000-0000-000000000103', 'planted@example.org');
RESET ROLE;
\c
\i test/error_of.sql
\set ECHO all
SELECT companion.follow_auth_users('planted.accounts') AS taken_over;
SELECT pg_temp.error_of('SELECT companion.follow_auth_users(''planted.halved'')') AS outcome;
SELECT companion.unfollow_auth_users('planted.accounts') AS unfollowed;

-- A partitioned table: partitions may differ in their columns' order. A row whose id changes, and so
-- its partition, is another user.
CREATE TABLE members (id uuid PRIMARY KEY, gone text, email text) PARTITION BY RANGE (id);
ALTER TABLE members DROP COLUMN gone;
CREATE TABLE members_low (email text, id uuid NOT NULL PRIMARY KEY);
ALTER TABLE members ATTACH PARTITION members_low FOR VALUES FROM (MINVALUE) TO ('00000000-0000-0000-0000-000000000205');
CREATE TABLE members_high PARTITION OF members FOR VALUES FROM ('00000000-0000-0000-0000-000000000205') TO (MAXVALUE);
INSERT INTO members SELECT lpad(n::text, 32, '0')::uuid, n || '@example.org' FROM generate_series(201, 206) AS n;
CREATE TEMP VIEW members_here AS
SELECT string_agg(right(id::text, 3) || ' ' || email, ', ' ORDER BY id) AS members FROM companion.users WHERE email ~ '^2';
SELECT companion.follow_auth_users('members') AS taken_over, companion.follow_auth_users('members') AS again;
UPDATE members SET email = '2' || email WHERE email ~ '^20[16]';
DELETE FROM members WHERE email ~ '^20[25]';
INSERT INTO members VALUES ('00000000-0000-0000-0000-000000000207', '207@example.org');
SELECT * FROM members_here;
UPDATE members SET id = '00000000-0000-0000-0000-000000000208', email = '208@example.org' WHERE email ~ '^203';
SELECT * FROM members_here;
DROP TABLE members;

-- A table with children by inheritance: its own rows only, as a trigger has it.
CREATE TABLE parents (id uuid, email text);
CREATE TABLE children () INHERITS (parents);
INSERT INTO parents VALUES ('00000000-0000-0000-0000-000000000301', 'parent@example.org');
INSERT INTO children VALUES ('00000000-0000-0000-0000-000000000302', 'child@example.org');
SELECT companion.follow_auth_users('parents') AS taken_over;
DROP TABLE children, parents;

-- Many rows, in batches.
CREATE TABLE many (id uuid PRIMARY KEY, email text);
INSERT INTO many SELECT lpad(n::text, 32, '0')::uuid, n || '@example.org' FROM generate_series(10001, 12000) AS n;
SELECT companion.follow_auth_users('many') AS taken_over, companion.follow_auth_users('many') AS again;
SELECT companion.unfollow_auth_users('many');
UPDATE many SET email = NULL WHERE email < '10011';
INSERT INTO many VALUES ('00000000-0000-0000-0000-000000012001', 'x@example.org');
SELECT companion.follow_auth_users('many') AS taken_over;
SELECT count(*), count(email) FROM companion.users WHERE id > '00000000-0000-0000-0000-000000010000';
SELECT companion.unfollow_auth_users('many');
DELETE FROM companion.users WHERE id > '00000000-0000-0000-0000-000000010000';
ALTER TABLE many DROP CONSTRAINT many_pkey, ALTER id DROP NOT NULL;
INSERT INTO many VALUES (NULL, 'y@example.org');
SELECT pg_temp.error_of('SELECT companion.follow_auth_users(''many'')') AS outcome;
DROP TABLE many;

-- A followed table whose columns are changed: what would leave the trigger without its column is
-- refused, and the rest is a clear error.
CREATE TABLE altered (id uuid, email text);
SELECT companion.follow_auth_users('altered') AS taken_over;
SELECT change, pg_temp.error_of(format('ALTER TABLE altered %s; INSERT INTO altered (email) VALUES (''x@example.org'')', change)) AS outcome
FROM (VALUES
    ('DROP COLUMN email'), ('ALTER email TYPE varchar(100)'), ('DROP COLUMN id'), ('RENAME id TO number'),
    ('ALTER id TYPE text'),
    ('ALTER id TYPE account_id'),
    ('ADD COLUMN "e mail" text, ALTER id SET DEFAULT ''00000000-0000-0000-0000-000000000401''')) AS v (change);
SELECT email FROM companion.users WHERE id = '00000000-0000-0000-0000-000000000401';
DELETE FROM altered;
SELECT email FROM companion.users WHERE id = '00000000-0000-0000-0000-000000000401';
DROP TABLE altered;
CREATE TABLE altered (id uuid, email integer);
CREATE TRIGGER wrong AFTER INSERT OR UPDATE OF email ON altered FOR EACH ROW EXECUTE FUNCTION companion.follow_auth_user();
SELECT pg_temp.error_of('INSERT INTO altered VALUES (''00000000-0000-0000-0000-000000000402'', 1)') AS outcome;
DROP TABLE altered;

-- What an operator's triggers do to the users is said at once.
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN jsonb_populate_record(NEW, TG_ARGV[0]::jsonb); END $$;
CREATE FUNCTION pg_temp.with_trigger(operation text, action text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    EXECUTE format('CREATE TRIGGER operators BEFORE %s ON companion.users FOR EACH ROW EXECUTE FUNCTION %s', operation, action);
    outcome := regexp_replace(pg_temp.error_of(statement), ' \| (A trigger|Nothing).*', '');
    DROP TRIGGER operators ON companion.users;
    RETURN outcome;
END
$$;
CREATE TABLE watched (id uuid, email text);
SELECT companion.follow_auth_users('watched');
INSERT INTO watched VALUES ('00000000-0000-0000-0000-000000000501', 'a@example.org');
SELECT operation, left(action, 40) AS action, left(statement, 50) AS statement, pg_temp.with_trigger(operation, action, statement) AS outcome FROM (VALUES
    ('INSERT', 'suppress()', 'INSERT INTO watched VALUES (''00000000-0000-0000-0000-000000000502'')'),
    ('INSERT', $$change('{"id": "00000000-0000-0000-0000-000000000503"}')$$, 'INSERT INTO watched VALUES (''00000000-0000-0000-0000-000000000502'')'),
    ('UPDATE', 'suppress()', 'UPDATE watched SET email = ''b@example.org'''),
    ('UPDATE', 'suppress()', 'UPDATE watched SET email = email'),
    ('DELETE', 'suppress()', 'DELETE FROM watched'),
    ('INSERT', $$change('{"email": "hidden"}')$$, 'INSERT INTO watched VALUES (''00000000-0000-0000-0000-000000000504'', ''c@example.org'')'),
    ('UPDATE', $$change('{"email": "hidden"}')$$, 'UPDATE watched SET email = ''d@example.org'''),
    ('UPDATE', 'suppress()', 'SELECT companion.follow_auth_users(''watched'')'),
    ('UPDATE', $$change('{"email": "hidden"}')$$, 'SELECT companion.follow_auth_users(''watched'')')) AS v (operation, action, statement);
SELECT right(id::text, 3) AS id, email FROM companion.users WHERE id BETWEEN '00000000-0000-0000-0000-000000000500' AND '00000000-0000-0000-0000-000000000600' ORDER BY id;
DELETE FROM companion.users WHERE id > '00000000-0000-0000-0000-000000000500';
SELECT pg_temp.with_trigger('INSERT', 'suppress()', 'SELECT companion.follow_auth_users(''watched'')') AS outcome;
DROP TABLE watched;

-- A table that a subscription writes: the trigger fires for its rows, and with it what ours do for anybody's.
CREATE TABLE members (id uuid PRIMARY KEY, email text) PARTITION BY HASH (id);
CREATE TABLE members_0 PARTITION OF members FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE notes (user_id uuid REFERENCES companion.users ON DELETE CASCADE);
CREATE TEMP VIEW firing AS
SELECT string_agg(tgrelid::regclass || ' ' || tgenabled::text, ', ' ORDER BY tgrelid) AS firing FROM pg_trigger
WHERE tgname = 'companion_follow' AND tgrelid::regclass::text ~ 'members';
INSERT INTO members VALUES ('00000000-0000-0000-0000-000000000601', 'first@example.org');
SELECT companion.follow_auth_users('members', on_replica => true) AS taken_over;
SELECT * FROM firing;
SET session_replication_role = replica;
INSERT INTO members VALUES ('00000000-0000-0000-0000-000000000602', 'second@example.org');
UPDATE members SET email = 'new@example.org' WHERE id = '00000000-0000-0000-0000-000000000601';
SHOW session_replication_role;
SELECT right(id::text, 3) AS id, email, display_name FROM companion.users WHERE id > '00000000-0000-0000-0000-000000000600' ORDER BY id;
INSERT INTO notes VALUES ('00000000-0000-0000-0000-000000000601'), ('00000000-0000-0000-0000-000000000602');
DELETE FROM members WHERE id = '00000000-0000-0000-0000-000000000601';
SELECT right(user_id::text, 3) AS notes FROM notes;
RESET session_replication_role;
INSERT INTO members VALUES ('00000000-0000-0000-0000-000000000603', 'here@example.org');
SELECT companion.follow_auth_users('members') AS taken_over;
SELECT * FROM firing;
SET session_replication_role = replica;
INSERT INTO members VALUES ('00000000-0000-0000-0000-000000000604', 'unseen@example.org');
RESET session_replication_role;
SELECT count(*) AS users FROM companion.users WHERE id > '00000000-0000-0000-0000-000000000600';
GRANT SELECT, TRIGGER ON members, members_0 TO regress_account_owner;
SET ROLE regress_account_owner;
SELECT pg_temp.error_of('SELECT companion.follow_auth_users(''members'', on_replica => true)') AS "who does not own it";
RESET ROLE;
DROP TABLE notes, members;

-- The extension is not dropped from under a followed table, unless told so.
SELECT pg_temp.error_of('DROP EXTENSION companion') AS outcome;
SET client_min_messages = warning;
DROP EXTENSION companion CASCADE;
INSERT INTO accounts VALUES ('00000000-0000-0000-0000-000000000009');
DROP TABLE accounts, numbered, moody, paired, parted, halved, reckoned, taken CASCADE;
DROP SERVER elsewhere CASCADE;
DROP FOREIGN DATA WRAPPER nothing;
DROP EXTENSION citext;
DROP CAST (mood AS text);
DROP TYPE mood, pair, work_address, address, account_id CASCADE;
DROP FUNCTION suppress(), change(), do_nothing();
DROP SCHEMA auth, planted CASCADE;
DROP ROLE regress_auth_admin, regress_account_owner, regress_planter;
CREATE EXTENSION companion;
