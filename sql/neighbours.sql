-- The neighbours: roles that share a database with the extension and would have more than they are
-- given. Each plants what it may where others step; nothing of it runs with more rights than
-- companion_runtime has, or its planter, and nothing of the extension, and nobody, is changed by it.
-- Roles of the extension's names, logins of their own, pg_cron and what runs at COMMIT are tried in
-- test/t/neighbours.pl.
\i test/fresh.sql
\set VERBOSITY terse
SET client_min_messages = error;
SET jit = off;
CREATE ROLE regress_owner IN ROLE companion_admin;
CREATE ROLE regress_maker;
CREATE ROLE regress_app;
CREATE ROLE regress_anon;
CREATE ROLE regress_end_user IN ROLE companion_user;
CREATE ROLE regress_worker IN ROLE companion_worker;
CREATE ROLE regress_both IN ROLE companion_user, companion_worker;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_maker', current_database()) \gexec
SELECT format('ALTER DATABASE %I OWNER TO regress_owner', current_database()) \gexec

-- What they would gain by.
CREATE TABLE gains (n serial, statement text);
INSERT INTO gains (statement) VALUES
    ('ALTER ROLE regress_maker SUPERUSER'),
    ('ALTER ROLE regress_maker CREATEROLE'),
    ('ALTER ROLE regress_maker BYPASSRLS'),
    ('GRANT companion_admin TO regress_maker'),
    ('GRANT companion_owner TO regress_maker'),
    ('GRANT companion_runtime TO regress_maker'),
    ('GRANT pg_read_all_data TO regress_maker'),
    ('SET ROLE companion_owner'),
    ('SET ROLE companion_runtime'),
    ('CREATE OR REPLACE FUNCTION companion.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT now()$$'),
    ('CREATE FUNCTION companion.planted() RETURNS integer LANGUAGE sql AS $$SELECT 1$$'),
    ('CREATE TABLE companion.planted (a integer)'),
    ('ALTER FUNCTION companion.now() OWNER TO regress_maker'),
    ('ALTER FUNCTION companion.dispatch(timestamptz, integer) RESET search_path'),
    ('ALTER FUNCTION companion.dispatch(timestamptz, integer) SECURITY DEFINER'),
    ('DROP FUNCTION companion.dispatch(timestamptz, integer)'),
    ('GRANT EXECUTE ON FUNCTION companion.rewind_dispatch(timestamptz) TO regress_anon;
      SELECT 1 / has_function_privilege(''regress_anon'', ''companion.rewind_dispatch(timestamptz)'', ''EXECUTE'')::integer'),
    ('GRANT SELECT ON companion.users TO regress_anon;
      SELECT 1 / has_table_privilege(''regress_anon'', ''companion.users'', ''SELECT'')::integer'),
    ('GRANT USAGE ON SCHEMA companion TO regress_anon;
      SELECT 1 / has_schema_privilege(''regress_anon'', ''companion'', ''USAGE'')::integer'),
    ('ALTER DEFAULT PRIVILEGES FOR ROLE companion_owner GRANT ALL ON TABLES TO PUBLIC'),
    ('CREATE TRIGGER planted BEFORE UPDATE ON companion.users FOR EACH ROW EXECUTE FUNCTION companion.set_updated_at()'),
    ('CREATE RULE planted AS ON DELETE TO companion.users DO ALSO NOTIFY planted'),
    ('CREATE POLICY planted ON companion.users USING (true)'),
    ('CREATE INDEX planted ON companion.users (email)'),
    ('CREATE STATISTICS planted.statistics ON email, location FROM companion.users'),
    ('CREATE TABLE planted.child () INHERITS (companion.users)'),
    ('CREATE PUBLICATION planted FOR TABLE companion.users'),
    ('ALTER TABLE companion.users DISABLE ROW LEVEL SECURITY'),
    ('ALTER TABLE companion.users DISABLE TRIGGER ALL'),
    ('ALTER TABLE companion.users ADD COLUMN planted integer'),
    ('ALTER TABLE companion.users OWNER TO regress_maker'),
    ('ALTER TABLE companion.users SET SCHEMA planted'),
    ('TRUNCATE companion.users CASCADE'),
    ('ALTER SCHEMA companion OWNER TO regress_maker'),
    ('ALTER SCHEMA companion RENAME TO planted_companion'),
    ('DROP SCHEMA companion CASCADE'),
    ('DROP EXTENSION companion CASCADE'),
    ('ALTER EXTENSION companion UPDATE'),
    ('ALTER EXTENSION companion ADD SCHEMA planted'),
    ('REASSIGN OWNED BY companion_owner TO regress_maker'),
    ('DROP OWNED BY companion_owner'),
    ('SET session_replication_role = replica'),
    ('SET companion.clock = ''2030-01-01'''),
    ('SET companion.retention = ''1 day'''),
    ('ALTER ROLE ALL SET companion.retention = ''1 day'''),
    ('COPY public.gains TO PROGRAM ''cat'''),
    ('SELECT pg_read_file(''postgresql.conf'')');

-- What they would change: who has which rights, and all that the extension consists of.
CREATE VIEW standing AS
SELECT md5(string_agg(part, E'\n' ORDER BY part COLLATE "C")) AS digest FROM (
    SELECT p::text FROM pg_proc AS p WHERE pronamespace = 'companion'::regnamespace
    UNION ALL SELECT t::text FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = tgrelid
    WHERE c.relnamespace = 'companion'::regnamespace AND NOT tgisinternal
    UNION ALL SELECT concat_ws(' ', oid, relname, relowner, relacl, relrowsecurity, relforcerowsecurity, relhasrules, reloptions)
    FROM pg_class WHERE relnamespace = 'companion'::regnamespace
    UNION ALL SELECT concat_ws(' ', attrelid, attname, atttypid, attisdropped, attacl) FROM pg_attribute
    JOIN pg_class AS c ON c.oid = attrelid WHERE c.relnamespace = 'companion'::regnamespace
    UNION ALL SELECT p::text FROM pg_policy AS p JOIN pg_class AS c ON c.oid = polrelid
    WHERE c.relnamespace = 'companion'::regnamespace
    UNION ALL SELECT n::text FROM pg_namespace AS n WHERE nspname = 'companion'
    UNION ALL SELECT e::text FROM pg_extension AS e
    UNION ALL SELECT d::text FROM pg_depend AS d WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    UNION ALL SELECT r::text FROM pg_roles AS r
    UNION ALL SELECT m::text FROM pg_auth_members AS m
    UNION ALL SELECT s::text FROM pg_db_role_setting AS s
    UNION ALL SELECT a::text FROM pg_default_acl AS a) AS parts (part);
CREATE TABLE before (digest text);

-- What was planted notes down who it runs as, and what that gains by all it tries, once for each.
CREATE SCHEMA planted AUTHORIZATION regress_maker;
GRANT USAGE, CREATE ON SCHEMA planted TO PUBLIC;
CREATE TABLE planted.seen (planted text, as_role name, gained text, PRIMARY KEY (planted, as_role));
GRANT ALL ON planted.seen TO PUBLIC;
GRANT SELECT ON gains TO PUBLIC;
CREATE FUNCTION planted.note(planted text) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    try text;
    gained text;
BEGIN
    IF EXISTS (SELECT FROM planted.seen AS s WHERE s.planted = note.planted AND s.as_role = current_user) THEN
        RETURN true;
    END IF;
    FOR try IN SELECT statement FROM public.gains WHERE current_user <> 'companion_owner' ORDER BY n LOOP
        BEGIN
            EXECUTE try;
            gained := concat_ws('; ', gained, try);
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
    INSERT INTO planted.seen VALUES (planted, current_user, gained);
    RETURN true;
END
$$;
CREATE FUNCTION planted.compute(planted text, value anyelement) RETURNS anyelement LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM planted.note(planted);
    RETURN value;
END
$$;
CREATE FUNCTION planted.fire() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM planted.note(pg_catalog.concat_ws(' ', TG_RELID::pg_catalog.regclass, TG_WHEN, TG_LEVEL, 'trigger'));
    PERFORM pg_catalog.set_config('search_path', 'planted, pg_catalog', false);
    PERFORM pg_catalog.set_config('companion.user_id', '00000000-0000-0000-0000-000000000009', false);
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
-- A trigger leaves behind an identity, and a search_path with operators of its own.
SELECT unnest(ARRAY[
    format('CREATE FUNCTION planted.equal(a %1$s, b %1$s) RETURNS boolean LANGUAGE plpgsql'
        ' AS ''BEGIN PERFORM planted.note(''''an operator''''); RETURN a OPERATOR(pg_catalog.=) b; END''', type),
    format('CREATE OPERATOR planted.= (FUNCTION = planted.equal, LEFTARG = %1$s, RIGHTARG = %1$s)', type)])
FROM unnest('{uuid, text, timestamptz, boolean, integer, bigint}'::regtype[]) AS type \gexec

-- Asked outright, each is refused.
CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RAISE EXCEPTION USING ERRCODE = 'P0000', MESSAGE = 'done';
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'P0000' THEN SQLERRM WHEN '22012' THEN 'no effect' ELSE SQLSTATE END;
END
$$;
CREATE TEMP TABLE outcomes (role name DEFAULT current_user, statement text, outcome text);
GRANT INSERT ON outcomes TO PUBLIC;
SELECT unnest(ARRAY[format('SET SESSION AUTHORIZATION %I', role),
                    'INSERT INTO outcomes (statement, outcome) SELECT statement, pg_temp.outcome(statement) FROM gains',
                    'RESET SESSION AUTHORIZATION'])
FROM unnest('{regress_owner, regress_maker, regress_app, regress_end_user, regress_worker, regress_both}'::name[]) AS role \gexec
SELECT count(DISTINCT role) AS neighbours, count(DISTINCT statement) = (SELECT count(*) FROM gains) AS each FROM outcomes;
SELECT role, statement, outcome FROM outcomes WHERE outcome NOT IN ('42501', 'no effect') ORDER BY 1, 2;

-- What everybody does with the extension all day. $u stands for the user's id; a step stands for all
-- its rows.
CREATE TEMP TABLE steps (n serial, role name, step text);
INSERT INTO steps (role, step) VALUES
    ('companion_user', $$companion.start_onboarding($u)$$),
    ('companion_user', $$companion.advance_onboarding($u, 'name', '{"name": "Maya"}')$$),
    ('companion_user', $$companion.advance_onboarding($u, 'timezone', '{"timezone": "UTC"}')$$),
    ('companion_user', $$companion.complete_onboarding($u)$$),
    ('companion_user', $$companion.add_message($u, companion.open_conversation($u, 'web'), 'user', 'all about tomatoes')$$),
    ('companion_worker', $$companion.record_incoming('web', $u, 'hello')$$),
    ('companion_worker', $$companion.edit_message($u, (SELECT m.id FROM companion.messages AS m WHERE m.user_id = $u LIMIT 1), 'potatoes')$$),
    ('companion_user', $$companion.search_messages($u, 'tomatoes')$$),
    ('companion_user', $$companion.upsert_user_context($u, 'preference', 'tea', 'green')$$),
    ('companion_worker', $$companion.upsert_user_context_many($u, '[{"category": "preference", "key": "tea", "value": "black"},
        {"category": "mood", "key": "now", "value": "calm", "expires_at": "2026-03-02"}]')$$),
    ('companion_user', $$companion.touch_user_context($u, (SELECT array_agg(c.id) FROM companion.user_context AS c WHERE c.user_id = $u))$$),
    ('companion_user', $$companion.resolve_user_context($u, 'preference', 'tea')$$),
    ('companion_worker', $$companion.redeem_telegram_link_token(companion.create_telegram_link_token($u), 7)$$),
    ('companion_worker', $$companion.redeem_telegram_link_token('a guess', 8)$$),
    ('companion_user', $$pg_catalog.length(companion.create_telegram_link_token($u))$$),
    ('companion_admin', $$companion.rewind_dispatch(companion.now() - interval '1 day')$$),
    ('companion_worker', $$companion.dispatch()$$),
    ('companion_worker', $$companion.schedule_message($u, companion.now(), 'a message')$$),
    ('companion_worker', $$companion.schedule_message($u, companion.now(), 'another')$$),
    ('companion_worker', $$(SELECT companion.extend_lease(m.user_id, m.message_id, m.attempt), companion.start_send(m.user_id, m.message_id, m.attempt),
        companion.mark_sent(m.user_id, m.message_id, m.attempt, 'good morning') FROM companion.claim_messages('w', 1) AS m)$$),
    ('companion_worker', $$(SELECT companion.mark_failed(m.user_id, m.message_id, m.attempt, 'blocked', permanent => true) FROM companion.claim_messages('w', 1) AS m)$$),
    ('companion_worker', $$(SELECT companion.mark_skipped(m.user_id, m.message_id, m.attempt, 'no') FROM companion.claim_messages('w', 1) AS m)$$),
    ('companion_admin', $$companion.run_maintenance()$$),
    ('companion_admin', $$companion.apply_retention()$$),
    ('companion_user', $$companion.revoke_telegram_link_tokens($u)$$),
    ('companion_user', $$companion.unlink_telegram($u)$$),
    ('companion_user', $$companion.next_checkin($u)$$),
    ('companion_user', $$companion.user_context_prompt($u)$$),
    ('companion_user', $$companion.export_user($u)$$);
CREATE FUNCTION pg_temp.outcome_kept(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE PROCEDURE pg_temp.play(user_id uuid, steps regclass, as_superuser boolean) LANGUAGE plpgsql AS $$
DECLARE
    played record;
    outcome text;
BEGIN
    PERFORM set_config('companion.user_id', user_id::text, true);
    FOR played IN EXECUTE format('SELECT role, replace(step, ''$u'', quote_literal(%L)) AS step FROM %s ORDER BY n', user_id, steps) LOOP
        PERFORM set_config('role', CASE WHEN as_superuser THEN 'none' ELSE played.role END, true);
        outcome := pg_temp.outcome_kept(format('SELECT FROM %s AS r', played.step));
        PERFORM set_config('role', 'none', true);
        IF outcome <> 'done' THEN
            RAISE EXCEPTION '%: %', regexp_replace(played.step, '\(.*', ''), outcome;
        END IF;
    END LOOP;
END
$$;
CREATE TEMP TABLE goodbye (LIKE steps);
INSERT INTO goodbye VALUES
    (1, 'companion_admin', $$companion.run_maintenance()$$),
    (2, 'companion_admin', $$companion.apply_retention()$$),
    (3, 'companion_user', $$companion.forget_user_context($u)$$),
    (4, 'companion_user', $$companion.erase_user($u)$$);
\set maya '\'00000000-0000-0000-0000-000000000001\''
\set diego '\'00000000-0000-0000-0000-000000000002\''
\set noor '\'00000000-0000-0000-0000-000000000003\''
SET companion.clock = '2026-03-02 09:30+00';
INSERT INTO companion.users (id) VALUES (:maya), (:diego), (:noor);
CALL pg_temp.play(:maya, 'steps', true);
CALL pg_temp.play(:diego, 'steps', false);
SELECT count(*) AS seen FROM planted.seen;

-- An app's own tables reference every key of ours, in every way, and whatever can run there does: it
-- runs as the app itself, to which PostgreSQL switches for a cascade, or as companion_runtime.
GRANT USAGE ON SCHEMA companion TO regress_app;
GRANT REFERENCES ON ALL TABLES IN SCHEMA companion TO regress_app;
CREATE SCHEMA app AUTHORIZATION regress_app;
SET SESSION AUTHORIZATION regress_app;
DO $$
DECLARE
    referenced record;
BEGIN
    FOR referenced IN
        SELECT format('app.%I', concat_ws('_', k.conname, replace(lower(action), ' ', '_'))) AS name,
               CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' END AS unlogged,
               k.conrelid::regclass AS relation, action, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns,
               string_agg(format('%I %s', a.attname, format_type(a.atttypid, NULL)), ', ' ORDER BY a.attnum) AS definitions
        FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
        JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
        CROSS JOIN unnest('{CASCADE,SET NULL,SET DEFAULT}'::text[]) AS action
        WHERE k.connamespace = 'companion'::regnamespace AND k.contype IN ('p', 'u')
        GROUP BY k.conname, k.conrelid, c.relpersistence, action
    LOOP
        EXECUTE format('CREATE %s TABLE %s (%s, FOREIGN KEY (%s) REFERENCES %s (%s) ON DELETE %s ON UPDATE CASCADE)',
            referenced.unlogged, referenced.name, referenced.definitions, referenced.columns, referenced.relation, referenced.columns, referenced.action);
        EXECUTE format('COMMENT ON TABLE %s IS %L', referenced.name,
            format('INSERT INTO %s SELECT %s FROM %s', referenced.name, referenced.columns, referenced.relation));
    END LOOP;
END
$$;
RESET SESSION AUTHORIZATION;
DO $$
DECLARE
    fill text;
BEGIN
    FOR fill IN SELECT obj_description(oid, 'pg_class') FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind = 'r' LOOP
        EXECUTE fill;
    END LOOP;
END
$$;
SET SESSION AUTHORIZATION regress_app;
DO $$
DECLARE
    own regclass;
    own_column text;
BEGIN
    FOR own IN SELECT oid FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind = 'r' LOOP
        FOR own_column IN SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = own AND attnum > 0 LOOP
            EXECUTE format('ALTER TABLE %s ALTER %s SET DEFAULT planted.compute(%L, NULL::%s)', own, own_column, own || ' default',
                (SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = own AND quote_ident(attname) = own_column));
        END LOOP;
        EXECUTE format('ALTER TABLE %s ADD computed boolean GENERATED ALWAYS AS (planted.compute(%L, %s IS NULL)) STORED',
            own, own || ' generated column', own_column);
        EXECUTE format('ALTER TABLE %s ADD CHECK (planted.compute(%L, %s IS NOT NULL OR true))', own, own || ' check', own_column);
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', own);
        EXECUTE format('CREATE POLICY planted ON %s USING (planted.note(%L))', own, own || ' policy');
        EXECUTE format('CREATE RULE planted AS ON DELETE TO %s DO ALSO SELECT planted.note(%L)', own, own || ' rule');
        EXECUTE format('CREATE TRIGGER before_row BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION planted.fire()', own);
        EXECUTE format('CREATE TRIGGER after_row AFTER UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION planted.fire()', own);
        EXECUTE format('CREATE TRIGGER before_statement BEFORE UPDATE OR DELETE ON %s EXECUTE FUNCTION planted.fire()', own);
        EXECUTE format('CREATE TRIGGER after_statement AFTER UPDATE OR DELETE ON %s EXECUTE FUNCTION planted.fire()', own);
    END LOOP;
END
$$;
RESET SESSION AUTHORIZATION;
TRUNCATE planted.seen;
INSERT INTO before SELECT digest FROM standing;
SELECT count(*) > 30 AS tables FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind = 'r';
SET companion.user_id = :maya;
SET companion.clock = '2027-03-02 09:30+00';
CALL pg_temp.play(:maya, 'goodbye', true);
CALL pg_temp.play(:diego, 'goodbye', false);
SELECT regexp_replace(planted, '^\S+ ', '') AS planted, count(DISTINCT planted) > 5 AS everywhere,
       count(*) FILTER (WHERE as_role NOT IN ('companion_runtime', 'regress_app')) AS otherwise
FROM planted.seen GROUP BY 1 ORDER BY 1;
SELECT DISTINCT planted, as_role, gained FROM planted.seen WHERE gained IS NOT NULL;
-- Nor did a trigger leave an identity or a search_path to the session of who called.
SELECT current_setting('companion.user_id') AS identity, current_setting('search_path') AS search_path;
DROP SCHEMA app CASCADE;

-- TRIGGER on our tables is as good as owning them, as docs/security.md says: PostgreSQL runs a
-- cascade, and what is fired before it, as the table's owner. It is no more than that.
GRANT TRIGGER ON ALL TABLES IN SCHEMA companion TO regress_app;
SET SESSION AUTHORIZATION regress_app;
DO $$
DECLARE
    ours regclass;
    moment text;
BEGIN
    FOR ours IN SELECT oid FROM pg_class WHERE relnamespace = 'companion'::regnamespace AND relkind = 'r' LOOP
        FOREACH moment IN ARRAY '{BEFORE, AFTER}'::text[] LOOP
            EXECUTE format('CREATE TRIGGER %s_row %1$s INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION planted.fire()', moment, ours);
            EXECUTE format('CREATE TRIGGER %s_statement %1$s INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s EXECUTE FUNCTION planted.fire()', moment, ours);
        END LOOP;
    END LOOP;
END
$$;
RESET SESSION AUTHORIZATION;
TRUNCATE planted.seen;
SET companion.clock = '2026-03-02 09:30+00';
CALL pg_temp.play(:noor, 'steps', true);
CALL pg_temp.play(:noor, 'goodbye', true);
SELECT count(DISTINCT planted) > 40 AS everywhere, count(*) FILTER (WHERE as_role = 'companion_owner') > 0 AS as_owner,
       count(*) FILTER (WHERE as_role NOT IN ('companion_runtime', 'companion_owner')) AS otherwise
FROM planted.seen;
SELECT DISTINCT planted, gained FROM planted.seen WHERE gained IS NOT NULL;
SELECT current_setting('companion.user_id') AS identity, current_setting('search_path') AS search_path;
DO $$
DECLARE
    remove text;
BEGIN
    FOR remove IN SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger
        WHERE tgfoid = 'planted.fire'::regproc LOOP
        EXECUTE remove;
    END LOOP;
END
$$;
REVOKE TRIGGER ON ALL TABLES IN SCHEMA companion FROM regress_app;

-- A schema cron that is not the extension pg_cron's is not touched, and nothing in it is called.
SET SESSION AUTHORIZATION regress_owner;
CREATE SCHEMA cron;
GRANT ALL ON SCHEMA cron TO PUBLIC;
CREATE TABLE cron.job (jobid bigint, jobname text, database text DEFAULT current_database(), username text);
CREATE TABLE cron.job_run_details (jobid bigint, username text DEFAULT 'postgres', end_time timestamptz DEFAULT '2020-01-01');
INSERT INTO cron.job SELECT n, 'companion_dispatch', current_database(), rolname FROM pg_roles, generate_series(1, 3) AS n;
INSERT INTO cron.job_run_details SELECT generate_series(1, 3);
GRANT ALL ON cron.job, cron.job_run_details TO PUBLIC;
SELECT format('CREATE TRIGGER %s_%s %1$s DELETE ON cron.job_run_details FOR EACH %2$s EXECUTE FUNCTION planted.fire()', moment, level)
FROM unnest('{BEFORE, AFTER}'::text[]) AS moment, unnest('{ROW, STATEMENT}'::text[]) AS level \gexec
CREATE RULE planted AS ON DELETE TO cron.job_run_details DO ALSO SELECT planted.note('rule');
CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE sql AS $$SELECT planted.note('cron.schedule')::integer::bigint$$;
CREATE FUNCTION cron.schedule(name, text, text) RETURNS bigint LANGUAGE sql AS $$SELECT planted.note('cron.schedule')::integer::bigint$$;
CREATE FUNCTION cron.unschedule(bigint) RETURNS boolean LANGUAGE sql AS $$SELECT planted.note('cron.unschedule')$$;
CREATE FUNCTION cron.schedule_in_database(text, text, text, text, text, boolean) RETURNS bigint LANGUAGE sql
AS $$SELECT planted.note('cron.schedule_in_database')::integer::bigint$$;
TRUNCATE planted.seen;
\set attempts 'SELECT companion.apply_retention() AS deleted, pg_temp.outcome(\'SELECT companion.schedule_jobs()\') AS schedule, pg_temp.outcome(\'SELECT companion.schedule_jobs(\'\'regress_owner\'\')\') AS as_another, pg_temp.outcome(\'SELECT companion.unschedule_jobs()\') AS unschedule;'
:attempts
RESET SESSION AUTHORIZATION;
:attempts
SELECT count(*) AS kept FROM cron.job_run_details;
SELECT * FROM planted.seen;
DROP SCHEMA cron CASCADE;

-- Whoever owns the table that is followed says who the users are, and no more: what stands under the
-- name auth.users is read as it is, no function of its owner's is called, and who writes there needs
-- no right of ours.
SET SESSION AUTHORIZATION regress_maker;
CREATE SCHEMA auth;
GRANT USAGE ON SCHEMA auth TO PUBLIC;
TRUNCATE planted.seen;
CREATE TYPE planted.address AS (address text);
CREATE FUNCTION planted.address_text(planted.address) RETURNS text LANGUAGE sql
AS $$SELECT planted.note('a cast')::text$$;
CREATE CAST (planted.address AS text) WITH FUNCTION planted.address_text(planted.address) AS ASSIGNMENT;
CREATE TABLE auth.users (id uuid PRIMARY KEY DEFAULT planted.compute('a default', gen_random_uuid()), email planted.address);
GRANT INSERT, UPDATE, DELETE, SELECT ON auth.users TO regress_app;
INSERT INTO auth.users VALUES ('00000000-0000-0000-0000-000000000005', '(a)');
RESET SESSION AUTHORIZATION;
SELECT pg_temp.error_of('SELECT companion.follow_auth_users()') AS outcome;
SET SESSION AUTHORIZATION regress_maker;
DROP TABLE auth.users;
CREATE VIEW auth.users AS SELECT planted.compute('a view', gen_random_uuid()) AS id, 'a'::text AS email;
RESET SESSION AUTHORIZATION;
SELECT pg_temp.error_of('SELECT companion.follow_auth_users()') AS outcome;
SELECT * FROM planted.seen;

-- A table with all that may run there. Following it calls none of it.
SET SESSION AUTHORIZATION regress_maker;
DROP VIEW auth.users;
CREATE DOMAIN planted.email AS text CHECK (planted.note('a domain'));
CREATE TABLE auth.users (id uuid PRIMARY KEY, email planted.email CHECK (planted.note('a check')),
    computed boolean GENERATED ALWAYS AS (planted.compute('a generated column', email IS NULL)) STORED);
INSERT INTO auth.users VALUES ('00000000-0000-0000-0000-000000000005', 'five@example.org');
GRANT INSERT, UPDATE, DELETE, SELECT ON auth.users TO regress_app;
ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;
CREATE POLICY planted ON auth.users USING (planted.note('a policy'));
CREATE RULE planted AS ON INSERT TO auth.users DO ALSO SELECT planted.note('a rule');
CREATE TRIGGER companion_follow BEFORE INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION planted.fire();
TRUNCATE planted.seen;
RESET SESSION AUTHORIZATION;
SELECT pg_temp.error_of('SELECT companion.follow_auth_users()') AS outcome, companion.unfollow_auth_users() AS unfollowed;
ALTER TRIGGER companion_follow ON auth.users RENAME TO planted;
SELECT companion.follow_auth_users() AS followed;
SELECT * FROM planted.seen;
SET SESSION AUTHORIZATION regress_app;
INSERT INTO auth.users VALUES ('00000000-0000-0000-0000-000000000006', 'six@example.org');
UPDATE auth.users SET email = 'a@example.org';
DELETE FROM auth.users WHERE id = '00000000-0000-0000-0000-000000000005';
RESET SESSION AUTHORIZATION;
RESET search_path;
SELECT id, email FROM companion.users WHERE email IS NOT NULL;
SELECT as_role, string_agg(DISTINCT planted, ', ' ORDER BY planted) AS planted FROM planted.seen GROUP BY as_role;
SELECT DISTINCT planted, gained FROM planted.seen WHERE gained IS NOT NULL;
DROP SCHEMA auth CASCADE;

-- Who is an end user and a worker at once is no admin.
SET SESSION AUTHORIZATION regress_both;
SET companion.user_id = :noor;
SELECT called, id = :noor AS own, pg_temp.outcome(format('SELECT companion.%s(%L)', called, id))
FROM unnest('{export_user, erase_user}'::text[]) AS called, unnest(ARRAY[:diego, :noor]) AS id;
SET SESSION AUTHORIZATION regress_worker;
SELECT called, id = :noor AS own, pg_temp.outcome(format('SELECT companion.%s(%L)', called, id))
FROM unnest('{export_user, erase_user}'::text[]) AS called, unnest(ARRAY[:diego, :noor]) AS id;
RESET SESSION AUTHORIZATION;

-- At the end nothing is other than before.
SELECT before.digest = standing.digest AS unchanged FROM before, standing;
DROP VIEW standing;

-- Default privileges of whoever installs give nobody anything (to use a type gives no right over rows).
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO regress_anon, PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO regress_anon, PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO regress_anon, PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO regress_anon, PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO regress_anon, PUBLIC;
DROP EXTENSION companion;
CREATE EXTENSION companion;
SELECT given.kind, given.name, coalesce(nullif(acl.grantee, 0)::regrole::text, 'PUBLIC') AS grantee, acl.privilege_type
FROM (SELECT 'schema', nspname, coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace WHERE nspname = 'companion'
      UNION ALL SELECT 'relation', relname, relacl FROM pg_class WHERE relnamespace = 'companion'::regnamespace
      UNION ALL SELECT 'function', proname, coalesce(proacl, acldefault('f', proowner)) FROM pg_proc
      WHERE pronamespace = 'companion'::regnamespace) AS given (kind, name, acl)
CROSS JOIN LATERAL aclexplode(given.acl) AS acl
WHERE acl.grantee IN (0, 'regress_anon'::regrole);
ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM regress_anon;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM regress_anon, PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON SEQUENCES FROM regress_anon, PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TYPES FROM regress_anon;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM regress_anon, PUBLIC;
SELECT * FROM pg_default_acl;

SELECT format('ALTER DATABASE %I OWNER TO %I', current_database(), current_user) \gexec
DROP SCHEMA planted CASCADE;
DROP TABLE gains, before;
DROP OWNED BY regress_owner, regress_maker, regress_app, regress_anon, regress_end_user, regress_worker, regress_both;
DROP ROLE regress_owner, regress_maker, regress_app, regress_anon, regress_end_user, regress_worker, regress_both;
