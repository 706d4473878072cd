-- A shard: which users it takes, and what it makes.
\i test/fresh.sql
SET companion.clock = '2026-03-02 09:00+00';
-- Users of shards 0, 1 and 2 of 3.
CREATE TEMP TABLE ids AS
SELECT companion.shard_of(id, 3) AS shard, row_number() OVER (PARTITION BY companion.shard_of(id, 3) ORDER BY id) AS n, id
FROM (SELECT lpad(n::text, 32, '0')::uuid AS id FROM generate_series(1, 60) AS n) AS i;
GRANT SELECT ON ids TO companion_admin, companion_worker;
SELECT id AS here FROM ids WHERE shard = 1 AND n = 1 \gset
SELECT id AS here_too FROM ids WHERE shard = 1 AND n = 2 \gset
SELECT id AS elsewhere FROM ids WHERE shard = 2 AND n = 1 \gset
SELECT :'here' AS here, :'here_too' AS here_too, :'elsewhere' AS elsewhere;

-- A number is one of so many.
SELECT arguments, pg_temp.error_of(format('SELECT companion.set_shard(%s)', arguments)) AS outcome
FROM unnest(ARRAY['0, 0', '-1, 3', '3, 3', '0, 4097', 'NULL, 3', '0, NULL']) AS arguments;
SELECT pg_temp.error_of('SELECT companion.set_directory(0)'), pg_temp.error_of('SELECT companion.set_directory(NULL)');

-- Not with users of other shards.
INSERT INTO companion.users (id) VALUES (:'here'), (:'elsewhere');
SELECT companion.set_shard(1, 3);
SELECT companion.set_directory(3);
DELETE FROM companion.users WHERE id = :'elsewhere';
SELECT count(*) AS set FROM companion.shard;

-- It is set once.
SELECT companion.set_shard(1, 3) AS "set", companion.set_shard(1, 3) AS again;
SELECT number, shards, since FROM companion.shard;
SELECT pg_temp.error_of('SELECT companion.set_shard(2, 3)'), pg_temp.error_of('SELECT companion.set_shard(1, 4)'),
       pg_temp.error_of('SELECT companion.set_directory(3)');
-- Workers see it; admins set it and do not write it.
SET ROLE companion_worker;
SELECT number, shards FROM companion.shard;
SELECT companion.set_shard(1, 3);
SET ROLE companion_admin;
UPDATE companion.shard SET number = 2;
DELETE FROM companion.shard;
RESET ROLE;
INSERT INTO companion.shard (number, shards) VALUES (0, 3);

-- Users of others are refused, by whatever way; by name and by SQLSTATE.
INSERT INTO companion.users (id) VALUES (:'elsewhere');
SELECT pg_temp.error_of(format('INSERT INTO companion.users (id) VALUES (%L)', :'elsewhere'));
INSERT INTO companion.users (id) VALUES (:'elsewhere') ON CONFLICT (id) DO NOTHING;
UPDATE companion.users SET id = :'elsewhere' WHERE id = :'here';
SELECT companion.put_user(:'elsewhere', '{}');
SET ROLE companion_worker;
SELECT companion.put_user(:'elsewhere', '{"display_name": "Maya"}');
RESET ROLE;
SELECT outcome, reason FROM companion.import_users(jsonb_build_array(
    jsonb_build_object('id', :'elsewhere', 'timezone', 'UTC'), jsonb_build_object('id', :'here_too', 'timezone', 'UTC')));
SELECT companion.link_address(:'elsewhere', 'telegram', '1');
SELECT count(*) AS recorded FROM companion.record_incoming('web', :'elsewhere', 'hello');
SELECT id FROM companion.users ORDER BY id;
COPY companion.users (id) FROM stdin;
00000000-0000-0000-0000-000000000001
\.

-- What is made here belongs here.
INSERT INTO companion.users (display_name) SELECT 'new' FROM generate_series(1, 100);
SELECT companion.shard_of(id, 3) AS shard, count(*) FROM companion.users WHERE display_name = 'new' GROUP BY 1;
SELECT companion.shard_of(companion.new_user_id(), 3) AS shard, count(*) FROM generate_series(1, 100) GROUP BY 1;
SELECT count(DISTINCT companion.shard_of(companion.uuid_v7(), 3)) AS "of anything else" FROM generate_series(1, 100);
SELECT count(*) AS version_7 FROM companion.users WHERE display_name = 'new' AND substr(id::text, 15, 1) = '7';

-- A followed auth table has every shard's users; those of others are passed over.
CREATE SCHEMA auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY, email text);
INSERT INTO auth.users SELECT id, n || '@example.org' FROM ids WHERE n <= 5;
SELECT companion.follow_auth_users();
SELECT i.shard, count(u.id) FROM ids AS i LEFT JOIN companion.users AS u USING (id) WHERE i.n <= 5 GROUP BY 1 ORDER BY 1;
INSERT INTO auth.users SELECT id, n || '@example.org' FROM ids WHERE n = 6;
UPDATE auth.users SET email = 'new@example.org' WHERE id = :'elsewhere';
DELETE FROM auth.users WHERE id = :'elsewhere';
SELECT i.shard, count(u.id) FROM ids AS i LEFT JOIN companion.users AS u USING (id) WHERE i.n <= 6 GROUP BY 1 ORDER BY 1;
-- An id that changes within other shards is theirs; one of ours cannot go there.
UPDATE auth.users SET id = :'elsewhere' WHERE id = (SELECT id FROM ids WHERE shard = 0 AND n = 1);
SELECT pg_temp.error_of(format('UPDATE auth.users SET id = %L WHERE id = %L', (SELECT id FROM ids WHERE shard = 2 AND n = 8), :'here'));
UPDATE auth.users SET id = (SELECT id FROM ids WHERE shard = 1 AND n = 8) WHERE id = :'here';
DELETE FROM auth.users WHERE id = :'here_too';
SELECT i.n, u.id IS NOT NULL AS is_here FROM ids AS i LEFT JOIN companion.users AS u USING (id)
WHERE i.shard = 1 AND i.n IN (1, 2, 8) ORDER BY i.n;
DROP SCHEMA auth CASCADE;

-- Link tokens name their shard, and are redeemed with it only.
SELECT id AS maya FROM companion.users ORDER BY id LIMIT 1 \gset
SELECT companion.create_telegram_link_token(:'maya') AS token \gset
SELECT :'token' ~ '^1-[A-Za-z0-9_-]{43}$' AS well_formed, companion.link_token_shard(:'token') AS shard,
       companion.telegram_deep_link('my_companion_bot', :'token') LIKE '%?start=1-%' AS link,
       (SELECT token_hash = sha256(:'token'::bytea) FROM companion.telegram_link_tokens) AS hashed;
SELECT t, outcome FROM unnest(ARRAY[substr(:'token', 3), '2' || substr(:'token', 2), '01' || substr(:'token', 2)]) WITH ORDINALITY AS v (token, t),
    companion.redeem_telegram_link_token(token, 7) ORDER BY t;
SELECT token, companion.link_token_shard(token) AS shard
FROM unnest(ARRAY[NULL, '', '1-', repeat('a', 43), '4095-' || repeat('-', 43), '12345-' || repeat('a', 43), '01-' || repeat('a', 43),
                  '1-' || repeat('a', 42), '1-' || repeat('!', 43)]) AS token;

-- To correct a slip, a superuser deletes the row; the users must fit what is set then.
BEGIN;
DELETE FROM companion.shard;
SELECT companion.set_shard(0, 1);
INSERT INTO companion.users (id) VALUES (:'elsewhere');
SELECT pg_temp.error_of('SELECT companion.set_shard(1, 3)');
ROLLBACK;
BEGIN;
DELETE FROM companion.shard;
SELECT companion.set_shard(2, 3);
ROLLBACK;
SELECT number, shards FROM companion.shard;
-- Without the row it is as any database.
DELETE FROM companion.shard;
INSERT INTO companion.users (id) VALUES (:'elsewhere');
SELECT companion.create_telegram_link_token(:'maya') ~ '^[A-Za-z0-9_-]{43}$' AS as_before;

-- A directory has no users.
TRUNCATE companion.users CASCADE;
SELECT companion.set_directory(3) AS "set", companion.set_directory(3) AS again;
SELECT number, shards FROM companion.shard;
SELECT pg_temp.error_of('SELECT companion.set_directory(2)'), pg_temp.error_of('SELECT companion.set_shard(0, 3)');
INSERT INTO companion.users (id) VALUES (:'here');
INSERT INTO companion.users DEFAULT VALUES;
SELECT companion.new_user_id();

-- A trigger of an operator's that keeps the row from being written, or changes it.
TRUNCATE companion.shard;
CREATE FUNCTION pg_temp.meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.number := 0; RETURN NEW; END $$;
CREATE FUNCTION pg_temp.suppress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER meddle BEFORE INSERT ON companion.shard FOR EACH ROW EXECUTE FUNCTION pg_temp.meddle();
SELECT companion.set_shard(1, 3);
DROP TRIGGER meddle ON companion.shard;
CREATE TRIGGER suppress BEFORE INSERT ON companion.shard FOR EACH ROW EXECUTE FUNCTION pg_temp.suppress();
SELECT companion.set_shard(1, 3);
