
SET LOCAL search_path TO pg_catalog, pg_temp;
SET LOCAL standard_conforming_strings TO on;

-- The schema and the roles. A role belongs to the cluster, so it may be there already, from
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
            WHERE m.member = r.oid AND (is_internal OR EXISTS (
                SELECT FROM pg_roles AS reached
                WHERE pg_has_role(m.roleid, reached.oid, 'MEMBER')
                    AND (reached.rolsuper OR reached.rolbypassrls OR reached.rolcreaterole
                         OR reached.rolcreatedb OR reached.rolreplication
                         OR reached.rolname IN ('companion_owner', 'companion_runtime', 'companion_admin',
                                'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
                         OR (reached.rolname = 'companion_worker' AND wanted = 'companion_user'))))
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

CREATE SCHEMA companion;
COMMENT ON SCHEMA companion IS
'Everything under a push-based companion app: users, conversations, memory, check-ins, link tokens.';
