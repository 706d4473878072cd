
SET LOCAL search_path TO pg_catalog, pg_temp;
SET LOCAL standard_conforming_strings TO on;

CREATE SCHEMA companion;
COMMENT ON SCHEMA companion IS
'Everything under a push-based companion app: users, conversations, memory, check-ins, link tokens.';

CREATE FUNCTION companion.role_faults(role name) RETURNS TABLE (fault text, remedy text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH r AS (
        SELECT *, rolname IN ('companion_owner', 'companion_runtime') AS is_internal
        FROM pg_roles WHERE rolname = role_faults.role)
    SELECT a.name, format('ALTER ROLE %I NO%s', r.rolname, a.name)
    FROM r CROSS JOIN LATERAL (
        VALUES (r.rolsuper, 'SUPERUSER'), (r.rolbypassrls, 'BYPASSRLS'),
               (r.rolcreaterole, 'CREATEROLE'), (r.rolcreatedb, 'CREATEDB'),
               (r.rolreplication, 'REPLICATION'), (r.is_internal AND r.rolcanlogin, 'LOGIN')
    ) AS a (has, name)
    WHERE a.has
    UNION ALL
    SELECT format('member %I', m.member::regrole::text),
           format('REVOKE %I FROM %s', r.rolname, m.member::regrole)
    FROM r JOIN pg_auth_members AS m ON m.roleid = r.oid
    WHERE r.is_internal
    UNION ALL
    SELECT format('membership in %s', m.roleid::regrole),
           format('REVOKE %s FROM %I', m.roleid::regrole, r.rolname)
    FROM r JOIN pg_auth_members AS m ON m.member = r.oid
    WHERE r.is_internal OR EXISTS (
        SELECT FROM pg_roles AS reached
        WHERE pg_has_role(m.roleid, reached.oid, 'MEMBER')
            AND (reached.rolsuper OR reached.rolbypassrls OR reached.rolcreaterole
                 OR reached.rolcreatedb OR reached.rolreplication
                 OR reached.rolname IN ('companion_owner', 'companion_runtime', 'companion_admin',
                        'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
                 OR (reached.rolname = 'companion_worker'
                     AND r.rolname IN ('companion_user', 'companion_monitor'))));
END;
COMMENT ON FUNCTION companion.role_faults(name) IS
'What one of the extension''s roles has beyond what it should, and the command against it. Internal.';

-- The roles. A role belongs to the cluster, so it may be there already, from another database or
-- another installation; one that could do more than we give it is refused.
DO $$
DECLARE
    wanted text;
    purpose text;
    fault text;
    remedy text;
BEGIN
    FOR wanted, purpose IN VALUES
        ('companion_owner', 'Owns the tables and functions of the extension companion. Nobody acts as it.'),
        ('companion_runtime', 'What the functions of the extension companion act as. Owns nothing.'),
        ('companion_user', 'The requests of an end user: their own rows only.'),
        ('companion_worker', 'Workers and webhooks: claim, send, report and record, for every user.'),
        ('companion_admin', 'Operators: users, maintenance and jobs.'),
        ('companion_monitor', 'Watches: health, metrics and counts, and nobody''s text.')
    LOOP
        IF to_regrole(wanted) IS NULL THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXECUTE format('COMMENT ON ROLE %I IS %L', wanted, purpose);
        END IF;

        SELECT x.fault, x.remedy INTO fault, remedy
        FROM (SELECT f.fault, f.remedy FROM companion.role_faults(wanted) AS f
              UNION ALL
              SELECT format('object %s', pg_describe_object(d.classid, d.objid, d.objsubid)),
                     format('DROP OWNED BY %I, or REASSIGN OWNED', wanted)
              FROM pg_shdepend AS d
              WHERE wanted IN ('companion_owner', 'companion_runtime') AND d.deptype = 'o'
                  AND d.refclassid = 'pg_authid'::regclass
                  AND d.refobjid = wanted::regrole
                  AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        ) AS x
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'role % stands already, with %', wanted, fault
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('It would have more rights than companion gives it: %s.', remedy);
        END IF;
    END LOOP;
END
$$;
GRANT companion_monitor TO pg_monitor;
