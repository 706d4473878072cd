
-- The schema and the three roles. A role belongs to the cluster, so it may be
-- there already, from another database or another installation.
CREATE SCHEMA companion;
COMMENT ON SCHEMA companion IS
'Everything under a push-based companion app: users, conversations, memory, check-ins, link tokens.';

DO $$
DECLARE
    wanted text;
    purpose text;
BEGIN
    FOR wanted, purpose IN VALUES
        ('companion_user', 'The requests of an end user: their own rows only.'),
        ('companion_worker', 'Workers and webhooks: claim, send, report and record, for every user.'),
        ('companion_admin', 'Operators: users, maintenance and jobs.')
    LOOP
        IF pg_catalog.to_regrole(wanted) IS NULL THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
            EXECUTE pg_catalog.format('COMMENT ON ROLE %I IS %L', wanted, purpose);
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

