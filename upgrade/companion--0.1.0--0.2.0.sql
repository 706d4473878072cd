\echo Use "ALTER EXTENSION companion UPDATE TO '0.2.0'" to load this file. \quit
SET LOCAL search_path TO pg_catalog, pg_temp;
SET LOCAL standard_conforming_strings TO on;

-- What the app has granted and revoked on functions, for those that are dropped and made anew.
DO $$
BEGIN
    PERFORM set_config('update_of_companion.rights', coalesce((
        SELECT jsonb_agg(to_jsonb(r))::text FROM (
            SELECT p.oid, p.proname AS name, c.grantee, c.is_given, c.is_grantable
            FROM pg_proc AS p
            JOIN pg_init_privs AS i ON i.objoid = p.oid AND i.classoid = 'pg_proc'::regclass AND i.privtype = 'e'
            CROSS JOIN LATERAL (
                SELECT grantee, made.grantor IS NULL AS is_given, now.is_grantable
                FROM aclexplode(p.proacl) AS now FULL JOIN aclexplode(i.initprivs) AS made USING (grantee)
                WHERE now.grantor IS NULL OR made.grantor IS NULL) AS c
            WHERE p.pronamespace = 'companion'::regnamespace) AS r), '[]'), true);
END
$$;

-- The roles that own and act. A role belongs to the cluster, so it may be there already, from
-- another database or another installation; one that could do more than we give it is refused.
DO $$
DECLARE
    wanted text;
    purpose text;
    is_internal boolean;
    fault text;
    remedy text;
BEGIN
    FOR wanted, is_internal, purpose IN VALUES
        ('companion_owner', true, 'Owns the tables and functions of the extension companion. Nobody acts as it.'),
        ('companion_runtime', true, 'What the functions of the extension companion act as. Owns nothing.'),
        ('companion_user', false, 'The requests of an end user: their own rows only.'),
        ('companion_worker', false, 'Workers and webhooks: claim, send, report and record, for every user.'),
        ('companion_admin', false, 'Operators: users, maintenance and jobs.')
    LOOP
        IF to_regrole(wanted) IS NULL THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXECUTE format('COMMENT ON ROLE %I IS %L', wanted, purpose);
        END IF;

        SELECT x.fault, x.remedy INTO fault, remedy
        FROM pg_roles AS r
        CROSS JOIN LATERAL (
            SELECT a.name AS fault, format('ALTER ROLE %I NO%s', wanted, a.name) AS remedy
            FROM (VALUES (r.rolsuper, 'SUPERUSER'), (r.rolbypassrls, 'BYPASSRLS'),
                         (r.rolcreaterole, 'CREATEROLE'), (r.rolcreatedb, 'CREATEDB'),
                         (r.rolreplication, 'REPLICATION'), (is_internal AND r.rolcanlogin, 'LOGIN')
                 ) AS a (has, name)
            WHERE a.has
            UNION ALL
            SELECT format('member %I', m.member::regrole::text),
                   format('REVOKE %I FROM %s', wanted, m.member::regrole)
            FROM pg_auth_members AS m
            WHERE is_internal AND m.roleid = r.oid
            UNION ALL
            SELECT format('membership in %s', m.roleid::regrole),
                   format('REVOKE %s FROM %I', m.roleid::regrole, wanted)
            FROM pg_auth_members AS m
            WHERE is_internal AND m.member = r.oid
            UNION ALL
            SELECT format('object %s',
                                     pg_describe_object(d.classid, d.objid, d.objsubid)),
                   format('DROP OWNED BY %I, or REASSIGN OWNED', wanted)
            FROM pg_shdepend AS d
            WHERE is_internal AND d.deptype = 'o'
                AND d.refclassid = 'pg_authid'::regclass
                AND d.refobjid = r.oid
                AND d.dbid IN (0, (SELECT oid FROM pg_database
                                   WHERE datname = current_database()))
        ) AS x
        WHERE r.rolname = wanted
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'role % stands already, with %', wanted, fault
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('It would have more rights than companion gives it: %s.', remedy);
        END IF;
    END LOOP;
END
$$;

-- Policies
ALTER POLICY every_row ON companion.users
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY read ON companion.onboarding_steps
TO companion_user, companion_worker, companion_runtime;
ALTER POLICY every_row ON companion.onboarding
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.conversations
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.messages
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.search_chunks
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.user_context
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.user_context_history
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.scheduled_messages
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.dispatch_queue
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.dispatch_state
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.telegram_link_tokens
TO companion_admin, companion_runtime;
DROP POLICY every_row ON companion.telegram_redeem_failures;
CREATE POLICY every_row ON companion.telegram_redeem_failures TO companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.telegram_redeem_failures IS 'Admins read it.';

-- Functions act as companion_runtime, and are SECURITY DEFINER no more.
DO $$
DECLARE
    definer regprocedure;
BEGIN
    FOR definer IN SELECT oid FROM pg_proc WHERE pronamespace = 'companion'::regnamespace AND prosecdef LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY INVOKER', definer);
    END LOOP;
END
$$;

-- Linking
CREATE OR REPLACE FUNCTION companion.forget_redeem_failures() RETURNS bigint
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_forget_redeem_failures';

-- Users: their data, their settings, and following an auth table
CREATE OR REPLACE VIEW companion.personal_tables WITH (security_invoker = true) AS
WITH RECURSIVE personal AS (
    SELECT c.oid, c.relname AS name, c.relpersistence, k.names, k.columns AS key, a.readable
    FROM pg_extension AS e
    JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
        AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
    JOIN pg_class AS c ON c.oid = d.objid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    CROSS JOIN LATERAL (
        SELECT array_agg(key.attname) AS names,
               string_agg(quote_ident(key.attname), ', ' ORDER BY key.attnum) AS columns
        FROM pg_index AS i
        JOIN pg_attribute AS key ON key.attrelid = c.oid AND key.attnum = ANY (i.indkey)
        WHERE i.indrelid = c.oid AND i.indisprimary) AS k
    CROSS JOIN LATERAL (
        SELECT string_agg(quote_ident(column_of.attname), ', ' ORDER BY column_of.attnum)
               FILTER (WHERE has_column_privilege('companion_admin', c.oid, column_of.attnum, 'SELECT'))
               AS readable
        FROM pg_attribute AS column_of
        WHERE column_of.attrelid = c.oid AND column_of.attnum > 0 AND NOT column_of.attisdropped) AS a
    WHERE e.extname = 'companion'
        AND (c.relname = 'users' OR k.names && '{user_id,telegram_user_id}')
), referring (oid, depth) AS (
    SELECT oid, 0 FROM personal
    UNION
    SELECT k.confrelid, r.depth + 1
    FROM referring AS r
    JOIN pg_constraint AS k ON k.conrelid = r.oid AND k.contype = 'f' AND k.confrelid <> k.conrelid
    WHERE r.depth < 20 AND k.confrelid IN (SELECT oid FROM personal)
)
SELECT p.name, p.oid::regclass::text AS relation,
       CASE WHEN p.name = 'users' THEN 'id = $1'
            WHEN 'user_id' = ANY (p.names) THEN 'user_id = $1'
            ELSE 'telegram_user_id = (SELECT telegram_user_id FROM companion.users WHERE id = $1)'
       END AS condition,
       p.readable AS columns, p.key,
       NOT (p.relpersistence = 'u' AND pg_is_in_recovery()) AS is_readable,
       (SELECT max(r.depth) FROM referring AS r WHERE r.oid = p.oid) AS erasure_order
FROM personal AS p;
COMMENT ON VIEW companion.personal_tables IS
'The extension''s tables that hold rows of a user: how a user''s are found ($1 is the user''s id), the columns that an admin may read (a secret is one that nobody may), the primary key, and in which order they are erased. Internal.';
COMMENT ON COLUMN companion.personal_tables.is_readable IS 'False for an unlogged table on a standby, which has no rows there and cannot be named in a query.';
COMMENT ON COLUMN companion.personal_tables.erasure_order IS 'A table that refers to another has the lower number: its rows go first, so that no foreign key has anything to do.';
COMMENT ON FUNCTION companion.export_user(uuid) IS
'All that is stored of a user: for each table an array of its rows, in the order of the primary key, without secrets. Empty arrays for an unknown user, and on a standby for telegram_redeem_failures, which is not replicated. For the user''s own, or admins, else error 42501.';
COMMENT ON FUNCTION companion.erase_user(uuid) IS
'Deletes all that is stored of a user, the audit trail included, and returns for each table how many rows; all zero for an unknown user. The auth system''s row is left: delete it there, too. For the user''s own, or admins, else error 42501. Error 09000 where a trigger keeps a row, 23503 where a foreign key of an app''s does; nothing is deleted then.';

CREATE FUNCTION companion.check_user() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_user';
COMMENT ON FUNCTION companion.check_user() IS
'Trigger, BEFORE INSERT OR UPDATE OF checkin_days, preferences: stores each weekday once, in order, and bounds what a grant lets one write. Error 23514, with the column''s name, for a list that is none of weekdays and for preferences over companion.max_json_size.';
CREATE FUNCTION companion.check_conversation() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_conversation';
COMMENT ON FUNCTION companion.check_conversation() IS
'Trigger, BEFORE INSERT OR UPDATE OF mood_summary, topics: what a grant lets one write is bounded as what close_conversation takes is. Error 23514 for more bytes than companion.max_json_size.';
REVOKE ALL ON FUNCTION companion.check_user(), companion.check_conversation() FROM PUBLIC;
CREATE TRIGGER check_user BEFORE INSERT OR UPDATE OF checkin_days, preferences ON companion.users
FOR EACH ROW EXECUTE FUNCTION companion.check_user();
COMMENT ON TRIGGER check_user ON companion.users IS 'Stores each weekday once, in order; bounds what is written directly.';
CREATE TRIGGER check_conversation BEFORE INSERT OR UPDATE OF mood_summary, topics ON companion.conversations
FOR EACH ROW EXECUTE FUNCTION companion.check_conversation();
COMMENT ON TRIGGER check_conversation ON companion.conversations IS 'Bounds what is written directly.';
COMMENT ON COLUMN companion.users.checkin_days IS 'ISO weekdays, 1 (Monday) to 7, on which the check-in comes; stored in order, each once.';
COMMENT ON COLUMN companion.users.preferences IS 'The app''s own settings, a JSON object; up to companion.max_json_size.';
COMMENT ON COLUMN companion.conversations.mood_summary IS 'How the user felt, in the app''s words; up to companion.max_json_size.';
COMMENT ON COLUMN companion.conversations.topics IS 'What it was about; up to companion.max_json_size.';
COMMENT ON FUNCTION companion.close_conversation(uuid, uuid, text, text[]) IS
'Ends a conversation and says how the user felt and what it was about; NULL leaves that as it stands. Returns whether it was open; one that had ended keeps its end and takes the summary. Error 23503 when the user has no such conversation, 2202E or 22004 for topics that are not a plain list, 22023 for a summary or topics over companion.max_json_size, 09000 where a trigger suppresses the change.';

-- Weekdays that stand more than once stand once. Nobody's triggers are fired for that: they would
-- have the rights of whoever updates.
DO $$
DECLARE
    role_before text := current_setting('session_replication_role');
BEGIN
    PERFORM set_config('session_replication_role', 'replica', true);
    UPDATE companion.users SET checkin_days = ARRAY(SELECT DISTINCT day FROM unnest(checkin_days) AS d (day) ORDER BY day)
    WHERE cardinality(checkin_days) <> (SELECT count(DISTINCT day) FROM unnest(checkin_days) AS d (day));
    PERFORM set_config('session_replication_role', role_before, true);
END
$$;

COMMENT ON FUNCTION companion.follow_auth_user() IS
'Trigger that follow_auth_users() puts on an auth table, AFTER INSERT OR DELETE OR UPDATE OF the e-mail column: creates the user, erases them, or copies the address. Error 39P01 when it is called in any other way, 42703 and 42804 where the table has no columns to follow any more, 23502 for a row without an id, 09000 where a trigger on companion.users suppresses a row.';
CREATE FUNCTION companion.adopt_users(auth_table regclass, email_column name) RETURNS bigint
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_adopt_users';
COMMENT ON FUNCTION companion.adopt_users(regclass, name) IS
'Takes over the rows of an auth table, which it locks against writes, as follow_auth_users() does, without following it. Returns how many users were new or changed. Errors as there. Internal.';
CREATE OR REPLACE FUNCTION companion.follow_auth_users(
    auth_table regclass DEFAULT to_regclass('auth.users'), email_column name DEFAULT 'email')
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken_over bigint;
BEGIN
    IF auth_table IS NULL THEN
        RAISE EXCEPTION 'there is no auth table to follow'
        USING ERRCODE = 'undefined_table', HINT = 'Name it: companion.follow_auth_users(''app.accounts'').';
    END IF;
    taken_over := companion.adopt_users(auth_table, email_column);
    IF EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = auth_table AND t.tgname = 'companion_follow'
               AND t.tgfoid <> 'companion.follow_auth_user()'::regprocedure) THEN
        RAISE EXCEPTION 'table % has another trigger companion_follow', auth_table
        USING ERRCODE = 'duplicate_object', HINT = 'Rename it: ALTER TRIGGER companion_follow ON ... RENAME TO ...';
    END IF;
    EXECUTE format('CREATE OR REPLACE TRIGGER companion_follow'
                   ' AFTER INSERT OR DELETE OR UPDATE OF %I ON %s'
                   ' FOR EACH ROW EXECUTE FUNCTION companion.follow_auth_user()',
                   email_column, auth_table);
    RETURN taken_over;
END
$$;
COMMENT ON FUNCTION companion.follow_auth_users(regclass, name) IS
'Puts the trigger companion_follow on an auth table, so that companion.users gains, changes the e-mail address of, and loses a user with it, and takes over the rows that are there. Returns how many of these were new or changed. Calling it again is harmless, and names another e-mail column. The column id is a uuid, the address text, varchar, char, name or citext, or a domain over one of them; a partitioned table is partitioned by id. The caller needs the TRIGGER and SELECT privileges on the table. Error 42P01 where there is no such table, 42703 where it lacks a column, 42804 for one of another type or a virtual one, 42809 for a view, a foreign table, a partition and another partitioning, 42710 where it has another trigger of that name, 42501 where row-level security may hide some of its rows, 23502 for a row without an id.';
CREATE OR REPLACE FUNCTION companion.unfollow_auth_users(
    auth_table regclass DEFAULT to_regclass('auth.users')) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger AS t
                   WHERE t.tgrelid = auth_table AND t.tgname = 'companion_follow'
                       AND t.tgfoid = 'companion.follow_auth_user()'::regprocedure) THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TRIGGER companion_follow ON %s', auth_table);
    RETURN true;
END
$$;
COMMENT ON FUNCTION companion.unfollow_auth_users(regclass) IS
'Takes the trigger off an auth table; the users stay. Returns whether it was followed. The caller must own the table.';

COMMENT ON FUNCTION companion.start_onboarding(uuid) IS
'Begins a user''s onboarding, unless it has begun, and returns the step that comes next; NULL when none does. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user, 09000 where a trigger suppresses the row.';
COMMENT ON FUNCTION companion.advance_onboarding(uuid, text, jsonb) IS
'Adds the answers of a step to the user''s, and returns the step that comes after it; NULL after the last. A step may be answered again. name, companion_name and support_style: 1 to 200 characters; timezone: an IANA name; checkin_time: HH:MM, null opts out; channel: web, telegram or whatsapp; null leaves one open; any other answer is the app''s own. For the user''s own, or workers and admins, else error 42501. Error 22023 for a wrong or missing answer (the field is in the message and in the error''s column name), for answers that are no object and for an unknown step, 23514 for answers of more than 64 kB in all, 55000 before start_onboarding and after complete_onboarding, 23503 for an unknown user, 09000 where a trigger suppresses the row. After an error nothing has changed.';
COMMENT ON FUNCTION companion.complete_onboarding(uuid) IS
'Copies the answers to users and sets onboarding_completed_at, so that check-ins due from now on are sent: all or nothing. True once; false, and nothing changes, when it was complete. For the user''s own, or workers and admins, else error 42501. Error 55000 before start_onboarding and while a required step lacks an answer, 22023 for an answer that is no longer valid, 23503 for an unknown user, 09000 where a trigger suppresses a row.';
COMMENT ON FUNCTION companion.create_telegram_link_token(uuid, interval) IS
'A new link token for a user: 32 random bytes as 43 characters of base64url, valid as a Telegram start parameter. This is the only time that it is seen; only its SHA-256 is stored. valid_for: above zero, at most 30 days; NULL means companion.token_ttl. A user has at most companion.tokens_per_user live tokens: the oldest gives way. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user, 22023 for a valid_for out of bounds, 09000 where a trigger suppresses the token or keeps one that is to give way.';
COMMENT ON FUNCTION companion.redeem_telegram_link_token(text, bigint, text) IS
'Ties a Telegram account to the user of a link token, re-enables the telegram channel and uses up the user''s other tokens, in one step. outcome: linked, and then user_id says to whom (again for the same token and account while they are linked, as when an update is redelivered); expired; used; unknown (any text that is no token); taken (the account is another user''s, and the token stays live). Pass the token as a bound parameter, so that no log shows it. Error 53400 from an account that has presented companion.redeem_failures_per_minute unknown tokens within a minute, 22023 for a telegram_user_id below 1 or a telegram_username that has not 1 to 64 characters, 09000 where a trigger suppresses a row.';
COMMENT ON FUNCTION companion.revoke_telegram_link_tokens(uuid) IS
'Deletes a user''s unused link tokens and returns how many there were. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user, 09000 where a trigger keeps one.';
COMMENT ON FUNCTION companion.unlink_telegram(uuid) IS
'Unties the user''s Telegram account; returns whether there was one. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user, 09000 where a trigger suppresses the change.';
COMMENT ON FUNCTION companion.expire_telegram_link_tokens(integer) IS
'Deletes up to max_rows link tokens, the oldest first: unused ones past their time, and used ones after companion.token_retention. Passes over what others hold, and what a trigger keeps; returns how many. Part of run_maintenance(). Error 22023 for a bound below 1, 23503 where an app''s foreign key keeps one.';
COMMENT ON FUNCTION companion.forget_redeem_failures() IS
'Deletes the counts of unknown link tokens whose minute is over, up to 10,000 at once; passes over what others hold, and returns how many. Part of run_maintenance().';

-- pg_cron
DROP FUNCTION companion.schedule_jobs(interval);
CREATE FUNCTION companion.is_pg_crons(catalog regclass, object oid) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
        WHERE d.classid = catalog AND d.objid = object AND d.deptype = 'e'
            AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'pg_cron');
END;
COMMENT ON FUNCTION companion.is_pg_crons(regclass, oid) IS
'Whether an object of a catalog (pg_proc, pg_class) belongs to the extension pg_cron, rather than to whoever has made a schema of that name. Internal.';

CREATE OR REPLACE FUNCTION companion.require_pg_cron() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    called text;
BEGIN
    FOREACH called IN ARRAY ARRAY['cron.schedule(text, text, text)', 'cron.unschedule(bigint)',
        'cron.schedule_in_database(text, text, text, text, text, boolean)']
    LOOP
        IF to_regprocedure(called) IS NULL THEN
            RAISE EXCEPTION 'pg_cron is not installed in this database'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('Install it (Debian: postgresql-%s-cron), set shared_preload_libraries = ''pg_cron'' and cron.database_name = ''%s'', restart, and CREATE EXTENSION pg_cron. Or let any scheduler call companion.dispatch() every minute and companion.run_maintenance() every five.',
                                current_setting('server_version_num')::integer / 10000, current_database());
        ELSIF NOT companion.is_pg_crons('pg_proc', to_regprocedure(called)) THEN
            RAISE EXCEPTION '% is not pg_cron''s', called
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'It does not belong to the extension pg_cron. Find out who has made the schema cron.';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.require_pg_cron() IS
'Error 55000, with how to install it, where pg_cron (1.4 or later) is missing, and where what stands in its place is not its own. Internal.';

CREATE FUNCTION companion.job_command(job text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE job
    WHEN 'companion_dispatch' THEN 'SELECT companion.dispatch()'
    WHEN 'companion_maintenance' THEN 'SELECT companion.run_maintenance()'
    WHEN 'companion_retention' THEN 'SELECT companion.apply_retention()' END;
COMMENT ON FUNCTION companion.job_command(text) IS 'What a pg_cron job of companion runs. Internal.';

CREATE FUNCTION companion.require_job_login(login name) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    role pg_roles;
BEGIN
    SELECT * INTO role FROM pg_roles WHERE rolname = login;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'role "%" does not exist', login USING ERRCODE = 'undefined_object';
    ELSIF role.rolsuper OR NOT role.rolcanlogin OR NOT pg_has_role(login, 'companion_admin', 'USAGE') THEN
        RAISE EXCEPTION 'jobs cannot run as role "%"', login
        USING ERRCODE = 'invalid_parameter_value',
              DETAIL = 'Expected a login that is no superuser and inherits companion_admin.',
              HINT = 'CREATE ROLE companion_jobs LOGIN IN ROLE companion_admin; SELECT companion.schedule_jobs(''companion_jobs'');';
    END IF;
END
$$;
COMMENT ON FUNCTION companion.require_job_login(name) IS
'Error 22023 unless a role can run the jobs: a login that is no superuser, since whatever an app has attached to a commit runs as it, and in companion_admin; 42704 where there is none. Internal.';

CREATE FUNCTION companion.schedule_jobs(
    run_as name DEFAULT current_user, every interval DEFAULT '1 minute')
RETURNS TABLE (job text, schedule text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM companion.require_pg_cron();
    PERFORM companion.require_job_login(run_as);
    PERFORM cron.unschedule(j.jobid) FROM cron.job AS j
    WHERE j.database = current_database() AND j.username <> run_as
        AND companion.job_command(j.jobname::text) IS NOT NULL;
    FOR job, schedule IN VALUES
        ('companion_dispatch', companion.cron_schedule(every)),
        ('companion_maintenance', '*/5 * * * *'),
        ('companion_retention', '17 3 * * *')
    LOOP
        IF run_as = current_user THEN
            PERFORM cron.schedule(job, schedule, companion.job_command(job));
        ELSE
            PERFORM cron.schedule_in_database(
                job, schedule, companion.job_command(job), current_database()::text, run_as::text, true);
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.schedule_jobs(name, interval) IS
'Creates the pg_cron jobs companion_dispatch, companion_maintenance and companion_retention, or sets them right where they exist; those of another login in this database go. run_as: the login that they run as, no superuser and in companion_admin; another than the caller needs a superuser. every: how often to dispatch. Error 55000 without pg_cron, 0A000 for seconds before pg_cron 1.5, 22023 for an interval that cron cannot keep and for a login that cannot run them, 42704 for one that does not exist.';

CREATE OR REPLACE FUNCTION companion.unschedule_jobs() RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed integer;
BEGIN
    PERFORM companion.require_pg_cron();
    PERFORM cron.unschedule(j.jobid) FROM cron.job AS j
    WHERE j.database = current_database() AND companion.job_command(j.jobname::text) IS NOT NULL;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
COMMENT ON FUNCTION companion.unschedule_jobs() IS
'Removes this database''s companion jobs from pg_cron, those of the caller or, as a superuser, of everybody; returns how many there were. Error 55000 without pg_cron.';

-- Every privilege on an object of the extension that is not its owner's.
CREATE VIEW companion.privileges WITH (security_invoker = true) AS
SELECT o.object, acl.privilege_type || coalesce(' (' || quote_ident(o.column_name) || ')', '') AS privilege,
       CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END AS grantee
FROM (
    SELECT format('SCHEMA %I', nspname), NULL, nspacl, nspowner
    FROM pg_namespace WHERE nspname = 'companion'
    UNION ALL
    SELECT format('TABLE %s', oid::regclass), NULL, relacl, relowner
    FROM pg_class WHERE relnamespace = 'companion'::regnamespace AND relkind IN ('r', 'v')
    UNION ALL
    SELECT format('TABLE %s', c.oid::regclass), a.attname, a.attacl, c.relowner
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND NOT a.attisdropped
    WHERE c.relnamespace = 'companion'::regnamespace
    UNION ALL
    SELECT format('FUNCTION %s', oid::regprocedure), NULL, coalesce(proacl, acldefault('f', proowner)), proowner
    FROM pg_proc WHERE pronamespace = 'companion'::regnamespace
) AS o (object, column_name, acl, owner)
CROSS JOIN LATERAL aclexplode(o.acl) AS acl
WHERE acl.grantee <> o.owner;
COMMENT ON VIEW companion.privileges IS
'For operators: every privilege on the extension''s schema, tables, views and functions, but for the owner''s.';
COMMENT ON COLUMN companion.privileges.object IS 'SCHEMA, TABLE (or view) or FUNCTION, and its name.';
COMMENT ON COLUMN companion.privileges.privilege IS 'The privilege; with a column''s name where it is for that alone.';
COMMENT ON COLUMN companion.privileges.grantee IS 'The role that has it, or PUBLIC.';

-- Rights: what is new only, so that what the app has granted and revoked since stays. What
-- the extension gives is noted anew, for pg_dump: with its new owner and the new grants, and
-- without what default privileges gave when it was installed, which goes.
DO $$
DECLARE
    noted jsonb := (
        SELECT jsonb_agg(to_jsonb(i) - 'initprivs' || jsonb_build_object('items', i.initprivs::text[]))
        FROM pg_init_privs AS i JOIN pg_depend AS d ON d.classid = i.classoid AND d.objid = i.objoid
        JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'companion'
        WHERE i.privtype = 'e' AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e');
    old_owner text := (SELECT extowner::regrole FROM pg_extension WHERE extname = 'companion');
    member record;
    relation regclass;
    callers text;
    functions text;
    callable text;
    theirs text;
    ours text[];
    given record;
    made jsonb;
BEGIN
    FOR member IN
        SELECT i.type, i.identity FROM pg_depend AS d
        JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'companion'
        CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) AS i
        WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
            AND i.type IN ('schema', 'table', 'view', 'function', 'composite type')
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO companion_owner',
                       replace(member.type, 'composite ', ''), member.identity);
    END LOOP;

    FOR member IN
        SELECT DISTINCT replace(upper(o.type), 'VIEW', 'TABLE') AS type, o.identity,
               CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END AS grantee
        FROM pg_init_privs AS i CROSS JOIN LATERAL aclexplode(i.initprivs) AS acl
        CROSS JOIN LATERAL pg_identify_object(i.classoid, i.objoid, 0) AS o
        WHERE (o.schema = 'companion' OR o.identity = 'companion')
            AND o.type IN ('schema', 'table', 'view', 'function')
            AND acl.grantee::regrole::text <> ALL (ARRAY['companion_user', 'companion_worker',
                                                         'companion_admin', old_owner])
        UNION
        SELECT replace(upper(o.type), 'VIEW', 'TABLE'), o.identity,
               CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END
        FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'companion'
        CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) AS o
        LEFT JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
        LEFT JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
        CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, p.proacl, acldefault('f', p.proowner))) AS acl
        WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
            AND acl.grantee <> coalesce(c.relowner, p.proowner)
            AND NOT EXISTS (SELECT FROM jsonb_array_elements(noted) AS n
                            WHERE (n ->> 'objoid')::oid = d.objid AND (n ->> 'classoid')::oid = d.classid)
    LOOP
        EXECUTE format('REVOKE ALL ON %s %s FROM %s', member.type, member.identity, member.grantee);
    END LOOP;

    GRANT USAGE ON SCHEMA companion TO companion_runtime;
    FOR relation IN SELECT oid FROM pg_class
        WHERE relnamespace = 'companion'::regnamespace AND relkind = 'r'
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO companion_runtime', relation);
    END LOOP;
    GRANT SELECT ON companion.personal_tables TO companion_runtime;
    GRANT SELECT ON companion.privileges TO companion_admin;
    FOR callers, functions IN VALUES
        ('companion_runtime',
         'current_user_id now uuid_v7 checkin_instant end_of_day usable_channel channel_address
          recall_score'),
        ('companion_admin', 'adopt_users is_pg_crons require_job_login job_command schedule_jobs')
    LOOP
        FOREACH callable IN ARRAY regexp_split_to_array(functions, '[[:space:]]+') LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s',
                           ('companion.' || callable)::regproc::regprocedure, callers);
        END LOOP;
    END LOOP;

    -- Supabase's roles. Before PostgreSQL 16 a role that does not inherit has what is granted to
    -- itself only, and a policy is for it only if it names it.
    FOR theirs, ours IN VALUES
        ('authenticated', ARRAY['companion_user']),
        ('service_role', ARRAY['companion_worker', 'companion_admin'])
    LOOP
        CONTINUE WHEN to_regrole(theirs) IS NULL;
        IF current_setting('server_version_num')::integer >= 160000 THEN
            EXECUTE format('GRANT %s TO %I WITH INHERIT TRUE', array_to_string(ours, ', '), theirs);
            CONTINUE;
        END IF;
        EXECUTE format('GRANT %s TO %I', array_to_string(ours, ', '), theirs);
        FOR given IN SELECT DISTINCT object, privilege FROM companion.privileges WHERE grantee = ANY (ours)
        LOOP
            EXECUTE format('GRANT %s ON %s TO %I', given.privilege, given.object, theirs);
        END LOOP;
        FOR given IN
            SELECT p.polname AS policy, p.polrelid::regclass AS relation,
                   string_agg(r.role::regrole::text, ', ') AS roles
            FROM pg_policy AS p CROSS JOIN LATERAL unnest(p.polroles) AS r (role)
            JOIN pg_class AS c ON c.oid = p.polrelid AND c.relnamespace = 'companion'::regnamespace
            GROUP BY p.oid, p.polname, p.polrelid
            HAVING bool_or(r.role::regrole::text = ANY (ours))
        LOOP
            EXECUTE format('ALTER POLICY %I ON %s TO %s, %I',
                           given.policy, given.relation, given.roles, theirs);
        END LOOP;
    END LOOP;

    made := (
        SELECT jsonb_object_agg(objoid, initprivs::text[]) FROM pg_init_privs
        WHERE privtype = 'e' AND classoid = 'pg_proc'::regclass);
    FOR given IN
        SELECT p.oid::regprocedure AS function, r.is_given,
               CASE r.grantee WHEN 0 THEN 'PUBLIC' ELSE r.grantee::regrole::text END AS grantee,
               CASE WHEN r.is_grantable THEN 'WITH GRANT OPTION' END AS option
        FROM jsonb_to_recordset(current_setting('update_of_companion.rights')::jsonb)
            AS r (oid oid, name name, grantee oid, is_given boolean, is_grantable boolean)
        JOIN pg_proc AS p ON p.proname = r.name AND p.pronamespace = 'companion'::regnamespace AND p.oid <> r.oid
    LOOP
        IF given.is_given THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s %s', given.function, given.grantee, given.option);
        ELSE
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM %s', given.function, given.grantee);
        END IF;
    END LOOP;
    UPDATE pg_init_privs SET initprivs = ARRAY(SELECT jsonb_array_elements_text(made -> objoid::text)::aclitem)
    WHERE privtype = 'e' AND classoid = 'pg_proc'::regclass AND made ? objoid::text;

    UPDATE pg_init_privs AS i SET initprivs = (
        SELECT array_agg(format('%s=%s/companion_owner',
                                CASE item[1] WHEN old_owner THEN 'companion_owner' ELSE item[1] END,
                                item[2])::aclitem)
        FROM jsonb_array_elements_text(n -> 'items')
        CROSS JOIN LATERAL regexp_match(value, '^(.*)=([a-zA-Z*]*)/') AS item
        WHERE item[1] IN (old_owner, 'companion_user', 'companion_worker', 'companion_admin'))
        || ARRAY(SELECT item FROM unnest(i.initprivs) AS item
                 WHERE split_part(item::text, '=', 1) IN ('companion_runtime', 'authenticated', 'service_role'))
    FROM jsonb_array_elements(noted) AS n
    WHERE i.privtype = 'e' AND i.objoid = (n ->> 'objoid')::oid
        AND i.classoid = (n ->> 'classoid')::oid AND i.objsubid = (n ->> 'objsubid')::integer;
END
$$;
