-- Users whom the auth table says to be deleted or banned: no check-ins, nothing is sent, nothing is
-- erased, and all goes on when the column is cleared.
\i test/fresh.sql
SET companion.clock = '2026-03-02 08:00+00';
CREATE TABLE accounts (id uuid PRIMARY KEY, email text, deleted_at timestamptz, banned_until timestamptz);
INSERT INTO accounts VALUES
    ('00000000-0000-0000-0000-000000000001', 'free@example.org', NULL, NULL),
    ('00000000-0000-0000-0000-000000000002', 'deleted@example.org', '2026-02-01', NULL),
    ('00000000-0000-0000-0000-000000000003', 'banned@example.org', NULL, '2026-03-04 09:00+00'),
    ('00000000-0000-0000-0000-000000000004', 'was.banned@example.org', NULL, '2026-03-01'),
    ('00000000-0000-0000-0000-000000000005', 'both@example.org', '2026-02-01', '2026-03-04');
CREATE TEMP VIEW suspended AS SELECT split_part(email, '@', 1) AS who, suspended_until FROM companion.users WHERE suspended_until IS NOT NULL ORDER BY id;
CREATE TEMP VIEW checkins AS
SELECT split_part(u.email, '@', 1) AS who, m.scheduled_for, m.status, m.failure_reason
FROM companion.scheduled_messages AS m JOIN companion.users AS u ON u.id = m.user_id WHERE m.kind = 'checkin' ORDER BY m.scheduled_for, u.id;

-- Nobody is, unless the columns are named.
SELECT companion.follow_auth_users('accounts') AS taken_over;
SELECT * FROM suspended;
SELECT companion.follow_auth_users('accounts', 'email', 'deleted_at', 'banned_until') AS changed;
SELECT companion.follow_auth_users('accounts', 'email', 'deleted_at', 'banned_until') AS "nothing new";
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'accounts'::regclass;
SELECT * FROM suspended;
UPDATE companion.users SET onboarding_completed_at = '2026-03-01';
SELECT split_part(email, '@', 1) AS who, companion.next_checkin(id) FROM companion.users ORDER BY id;
SELECT companion.dispatch(companion.now()) AS enqueued;
SET companion.clock = '2026-03-02 09:00+00';
SELECT companion.dispatch(companion.now()) AS enqueued;
SELECT * FROM checkins;

-- The user's own pause is theirs, and ends nothing else.
SET ROLE companion_user;
SET companion.user_id = '00000000-0000-0000-0000-000000000003';
UPDATE companion.users SET checkin_paused_until = NULL;
SELECT pg_temp.error_of('UPDATE companion.users SET suspended_until = NULL') AS "lifting it oneself", suspended_until FROM companion.users;
RESET companion.user_id;
RESET ROLE;
SET companion.clock = '2026-03-03 09:00+00';
SELECT companion.dispatch(companion.now()) AS enqueued;

-- The ban ends by itself, at the instant; the deletion when it is taken back. What was due is not sent later.
SET companion.clock = '2026-03-04 09:00+00';
UPDATE accounts SET deleted_at = NULL WHERE email = 'deleted@example.org';
SELECT companion.dispatch(companion.now()) AS enqueued;
SELECT * FROM checkins WHERE scheduled_for > '2026-03-03';
SELECT * FROM suspended;

-- Banned while messages are queued: the next claim skips them, whoever enqueued them, and gives the rest.
UPDATE accounts SET banned_until = 'infinity' WHERE email ~ '^was';
SELECT created FROM companion.schedule_message('00000000-0000-0000-0000-000000000004', '2026-03-04', 'hello');
SELECT created FROM companion.schedule_message('00000000-0000-0000-0000-000000000004', '2026-03-09', 'later');
SELECT count(*), count(*) FILTER (WHERE user_id = '00000000-0000-0000-0000-000000000004') AS "of the banned" FROM companion.claim_messages('w', 100);
SELECT kind, scheduled_for, status, failure_reason, attempts, worker FROM companion.scheduled_messages
WHERE user_id = '00000000-0000-0000-0000-000000000004' ORDER BY scheduled_for, kind;
SELECT count(*) AS queued FROM companion.dispatch_queue WHERE user_id = '00000000-0000-0000-0000-000000000004';
SELECT companion.next_checkin('00000000-0000-0000-0000-000000000004') AS next;
UPDATE accounts SET banned_until = NULL WHERE email ~ '^was';
SELECT companion.next_checkin('00000000-0000-0000-0000-000000000004') AS next;
SET companion.clock = '2026-03-09';
SELECT content FROM companion.claim_messages('w', 100) WHERE user_id = '00000000-0000-0000-0000-000000000004' AND kind = 'custom';
SET companion.clock = '2026-03-04 09:00+00';

-- A new row may be banned already.
INSERT INTO accounts VALUES ('00000000-0000-0000-0000-000000000006', 'spam@example.org', NULL, '2027-01-01');
SELECT * FROM suspended;
-- Without the columns, what stands stays, and is the admins' to change.
SELECT companion.follow_auth_users('accounts') AS "nothing new";
UPDATE accounts SET email = 'spam2@example.org', banned_until = NULL WHERE email ~ 'spam';
SELECT * FROM suspended WHERE who ~ 'spam';
SET ROLE companion_admin;
UPDATE companion.users SET suspended_until = NULL WHERE email ~ 'spam';
RESET ROLE;
-- A column by itself; its name may change.
SELECT companion.follow_auth_users('accounts', banned_column => 'banned_until') AS changed;
ALTER TABLE accounts RENAME banned_until TO "barred until";
UPDATE accounts SET "barred until" = '2028-01-01' WHERE email ~ 'spam';
SELECT * FROM suspended WHERE who ~ 'spam';
DROP TABLE accounts;
DELETE FROM companion.users;

-- What the columns may be.
CREATE DOMAIN moment AS timestamptz;
CREATE FUNCTION pg_temp.suspended(column_type text, value text, as_what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    EXECUTE format('CREATE TABLE typed (id uuid, email text, mark %s)', column_type);
    EXECUTE format('INSERT INTO typed VALUES (''00000000-0000-0000-0000-000000000001'', ''a'', %L)', value);
    EXECUTE format('SELECT companion.follow_auth_users(''typed'', %s => ''mark'')', as_what);
    outcome := (SELECT coalesce(suspended_until::text, 'not') FROM companion.users);
    EXECUTE 'UPDATE typed SET mark = NULL';
    RAISE EXCEPTION USING ERRCODE = 'P0000', MESSAGE = concat(outcome, ', then ', (SELECT coalesce(suspended_until::text, 'not') FROM companion.users));
EXCEPTION WHEN OTHERS THEN
    RETURN replace(SQLSTATE || ' ' || SQLERRM, 'P0000 ', '');
END
$$;
SELECT t.type, as_what, pg_temp.suspended(t.type, value, as_what) AS outcome
FROM (VALUES ('timestamptz', '2026-03-05'), ('moment', '2026-03-05'), ('timestamp', '2026-03-05'), ('boolean', 'true'),
             ('boolean', 'false'), ('date', '2026-03-05'), ('text', 'yes')) AS t (type, value),
     (VALUES ('deleted_column'), ('banned_column')) AS a (as_what) ORDER BY as_what, t.type, value;
DROP DOMAIN moment;
CREATE TABLE accounts (id uuid, email text, deleted_at timestamptz);
SELECT pg_temp.error_of(statement) AS outcome FROM (VALUES
    ('SELECT companion.follow_auth_users(''accounts'', deleted_column => ''nonsense'')'),
    ('SELECT companion.follow_auth_users(''accounts'', deleted_column => ''deleted_at'', banned_column => ''deleted_at'')'),
    ('SELECT companion.follow_auth_users(''accounts'', deleted_column => ''id'')'),
    ('CREATE TRIGGER wrong AFTER UPDATE OF deleted_at ON accounts FOR EACH ROW EXECUTE FUNCTION companion.follow_auth_user(''deleted'');
      INSERT INTO accounts VALUES (''00000000-0000-0000-0000-000000000001''); UPDATE accounts SET deleted_at = NULL')) AS v (statement);

-- Partitions, of which one has its columns in another order.
CREATE TABLE members (id uuid PRIMARY KEY, email text, deleted boolean) PARTITION BY RANGE (id);
CREATE TABLE members_all (deleted boolean, email text, id uuid NOT NULL PRIMARY KEY);
ALTER TABLE members ATTACH PARTITION members_all DEFAULT;
INSERT INTO members VALUES ('00000000-0000-0000-0000-000000000001', 'a', true), ('00000000-0000-0000-0000-000000000002', 'b', false);
SELECT companion.follow_auth_users('members', deleted_column => 'deleted') AS taken_over;
SELECT email, suspended_until FROM companion.users ORDER BY id;
UPDATE members SET deleted = NOT deleted;
SELECT email, suspended_until FROM companion.users ORDER BY id;
UPDATE members SET id = '00000000-0000-0000-0000-000000000003' WHERE email = 'a';
SELECT id, email, suspended_until FROM companion.users ORDER BY id;
DROP TABLE members, accounts;
