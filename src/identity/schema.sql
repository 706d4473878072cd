
-- The schema and the three roles. A role belongs to the cluster, so it may be
-- there already, from another database or another installation.
CREATE SCHEMA companion;
COMMENT ON SCHEMA companion IS
'Everything under a push-based companion app: users, conversations, memory, check-ins, link tokens.';

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['companion_user', 'companion_worker', 'companion_admin'] LOOP
        IF pg_catalog.to_regrole(wanted) IS NULL THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
    IF pg_catalog.to_regrole('authenticated') IS NOT NULL THEN
        GRANT companion_user TO authenticated;
    END IF;
    IF pg_catalog.to_regrole('service_role') IS NOT NULL THEN
        GRANT companion_worker, companion_admin TO service_role;
    END IF;
END
$$;

GRANT USAGE ON SCHEMA companion TO companion_user, companion_worker, companion_admin;

