-- The schema: what every object keeps to, what the constraints refuse, and that the
-- extension can be dropped, made again, and made in a second database.
\i test/fresh.sql

-- Every object of the extension is in its schema and says what it is for.
CREATE TEMP VIEW members AS
SELECT d.classid, d.objid, d.classid::regclass::text AS catalog,
       pg_describe_object(d.classid, d.objid, 0) AS object
FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'companion';
SELECT object AS uncommented FROM members
WHERE catalog <> 'pg_type' AND obj_description(objid, catalog) IS NULL;
SELECT c.relname, a.attname AS uncommented
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relnamespace = 'companion'::regnamespace AND c.relkind = 'r'
    AND a.attnum > 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL;
SELECT polrelid::regclass AS "table", polname AS uncommented FROM pg_policy
WHERE polrelid::regclass::text LIKE 'companion.%' AND obj_description(oid, 'pg_policy') IS NULL;
SELECT tgrelid::regclass AS "table", tgname AS uncommented FROM pg_trigger
WHERE tgrelid::regclass::text LIKE 'companion.%' AND NOT tgisinternal
    AND obj_description(oid, 'pg_trigger') IS NULL;
SELECT i.indexrelid::regclass AS uncommented FROM pg_index AS i
WHERE i.indrelid::regclass::text LIKE 'companion.%'
    AND obj_description(i.indexrelid, 'pg_class') IS NULL
    AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid);
SELECT object AS elsewhere FROM members
WHERE catalog <> 'pg_namespace' AND (pg_identify_object(classid, objid, 0)).schema <> 'companion';

-- PUBLIC is granted nothing: no ACL is left at its default, and none names PUBLIC.
SELECT p.oid::regprocedure AS callable_by_public FROM pg_proc AS p
WHERE p.pronamespace = 'companion'::regnamespace
    AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS acl
        WHERE acl.grantee = 0);
SELECT c.oid::regclass AS open_to_public FROM pg_class AS c
WHERE c.relnamespace = 'companion'::regnamespace
    AND EXISTS (SELECT FROM aclexplode(c.relacl) AS acl WHERE acl.grantee = 0);
SELECT count(*) AS open_to_public FROM pg_namespace AS n, aclexplode(n.nspacl) AS acl
WHERE n.nspname = 'companion' AND acl.grantee = 0;

-- A function with raised rights, and every function that is not bound to its objects
-- at creation, pins its search_path; C functions that run no SQL need none.
SELECT p.oid::regprocedure AS unpinned FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
WHERE p.pronamespace = 'companion'::regnamespace
    AND (p.prosecdef OR l.lanname = 'plpgsql' OR (l.lanname = 'sql' AND p.prosqlbody IS NULL))
    AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false);

-- Every table is under row-level security and has policies, none of them with a
-- subquery; views ask with the caller's rights; rows are kept by pg_dump.
SELECT c.oid::regclass AS unprotected FROM pg_class AS c
WHERE c.relnamespace = 'companion'::regnamespace AND c.relkind = 'r'
    AND NOT (c.relrowsecurity AND EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid));
SELECT polrelid::regclass, polname AS with_subquery FROM pg_policy
WHERE polrelid::regclass::text LIKE 'companion.%'
    AND (pg_get_expr(polqual, polrelid) ILIKE '%select%'
        OR pg_get_expr(polwithcheck, polrelid) ILIKE '%select%');
SELECT polrelid::regclass, polname AS half FROM pg_policy
WHERE polrelid::regclass::text LIKE 'companion.%' AND polcmd = '*'
    AND (polqual IS NULL OR polwithcheck IS NULL);
SELECT c.oid::regclass AS definers_view FROM pg_class AS c
WHERE c.relnamespace = 'companion'::regnamespace AND c.relkind = 'v'
    AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false);
SELECT c.oid::regclass AS not_dumped FROM pg_class AS c
WHERE c.relnamespace = 'companion'::regnamespace AND c.relkind = 'r'
    AND c.oid <> ALL ((SELECT extconfig FROM pg_extension WHERE extname = 'companion')::oid[]);

-- Tenant first: user_id leads every key and foreign key. The two that cannot have it:
-- one Telegram account for one user, one user for one token.
SELECT c.conrelid::regclass AS "table", c.conname AS without_user
FROM pg_constraint AS c
JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.conrelid::regclass::text LIKE 'companion.%' AND c.contype IN ('p', 'u', 'f')
    AND a.attname <> 'user_id'
        AND NOT (c.conrelid = 'companion.users'::regclass AND a.attname = 'id')
ORDER BY 1, 2;

-- Every foreign key is covered by an index, and no index is a prefix of another.
SELECT c.conrelid::regclass, c.conname AS uncovered FROM pg_constraint AS c
WHERE c.contype = 'f' AND c.conrelid::regclass::text LIKE 'companion.%'
    AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.conrelid
                    AND (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey);
SELECT a.indexrelid::regclass AS redundant, b.indexrelid::regclass AS covered_by
FROM pg_index AS a JOIN pg_index AS b ON a.indrelid = b.indrelid AND a.indexrelid <> b.indexrelid
WHERE a.indrelid::regclass::text LIKE 'companion.%' AND NOT a.indisunique
    AND b.indpred IS NULL AND a.indexprs IS NULL AND b.indexprs IS NULL
    AND b.indkey::text || ' ' LIKE a.indkey::text || ' %';

-- What the constraints refuse.
INSERT INTO companion.users (id, display_name) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya'),
        ('00000000-0000-0000-0000-000000000002', 'Diego');
INSERT INTO companion.conversations (user_id, id, channel)
SELECT id, id, 'web' FROM companion.users;
INSERT INTO companion.messages (user_id, id, conversation_id, role, content, telegram_message_id)
SELECT id, id, id, 'user', 'hello', 7 FROM companion.users;
CREATE FUNCTION pg_temp.refused(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    by_constraint text;
BEGIN
    EXECUTE change;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS by_constraint = CONSTRAINT_NAME;
    RETURN SQLSTATE || ' ' || coalesce(nullif(by_constraint, ''), SQLERRM);
END
$$;
SELECT format('%s = %s', changed, value) AS "users set",
       pg_temp.refused(format('UPDATE companion.users SET %s = %s WHERE display_name = ''Maya''',
           changed, value)) AS outcome
FROM (VALUES
    ('timezone', '''Moon/Base'''), ('timezone', ''''''), ('timezone', 'NULL'),
    ('checkin_time', '''24:00'''), ('checkin_time', '''23:59:59.999999'''),
        ('checkin_time', 'NULL'),
    ('checkin_days', '''{0}'''), ('checkin_days', '''{8}'''), ('checkin_days', '''{1,NULL}'''),
    ('checkin_days', '''{}'''), ('checkin_days', 'NULL'),
    ('preferred_channel', '''sms'''), ('disabled_channels', '''{web}'''),
        ('disabled_channels', '''{NULL}'''),
    ('telegram_user_id', '0'), ('telegram_user_id', '-5'),
        ('telegram_user_id', '9223372036854775807'),
    ('whatsapp_number', '''0151'''), ('whatsapp_number', '''+491511234567'''),
    ('whatsapp_number', 'E''+491511234567\n'''),
    ('subscription_status', '''rich'''), ('preferences', '''[]'''), ('preferences', 'NULL'),
    ('email', 'repeat(''x'', 321)'), ('display_name', 'repeat(''x'', 201)')) AS v (changed, value);
SELECT pg_temp.refused('UPDATE companion.users SET telegram_user_id = 9223372036854775807 WHERE display_name = ''Diego''')
    AS "a Telegram account twice";
SELECT attempt, pg_temp.refused(statement) AS outcome FROM (VALUES
    ('a message into another user''s conversation',
        $$INSERT INTO companion.messages (user_id, conversation_id, role, content)
        VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002',
            'user', 'hi')$$),
    ('a reply to another user''s message', $$UPDATE companion.messages
        SET reply_to_id = '00000000-0000-0000-0000-000000000002'
        WHERE user_id = '00000000-0000-0000-0000-000000000001'$$),
    ('a fact from another user''s message',
        $$INSERT INTO companion.user_context (user_id, category, key, value, source_message_id)
        VALUES ('00000000-0000-0000-0000-000000000001', 'a', 'b', 'c',
            '00000000-0000-0000-0000-000000000002')$$),
    ('a second open conversation', $$INSERT INTO companion.conversations (user_id, channel)
        VALUES ('00000000-0000-0000-0000-000000000001', 'web')$$),
    ('a conversation that ends before it begins', $$UPDATE companion.conversations
        SET ended_at = started_at - interval '1 second'$$),
    ('a Telegram update twice',
        $$INSERT INTO companion.messages (user_id, conversation_id, role, content,
        telegram_message_id)
        VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000001',
            'user', 'hi', 7)$$),
    ('an empty message', $$UPDATE companion.messages SET content = ''$$),
    ('a message by nobody', $$UPDATE companion.messages SET role = 'nobody'$$),
    ('an importance over 1', $$INSERT INTO companion.user_context (user_id, category, key, value,
        importance)
        VALUES ('00000000-0000-0000-0000-000000000001', 'a', 'b', 'c', 1.1)$$),
    ('an importance that is no number',
        $$INSERT INTO companion.user_context (user_id, category, key, value, importance)
        VALUES ('00000000-0000-0000-0000-000000000001', 'a', 'b', 'c', 'NaN')$$),
    ('a valence of 3', $$INSERT INTO companion.user_context (user_id, category, key, value,
        emotional_valence)
        VALUES ('00000000-0000-0000-0000-000000000001', 'a', 'b', 'c', 3)$$),
    ('a hash of 31 bytes', $$INSERT INTO companion.telegram_link_tokens (user_id, token_hash,
        expires_at)
        VALUES ('00000000-0000-0000-0000-000000000001', substr(sha256('x'), 2), now())$$),
    ('a check-in under another kind''s key',
        $$INSERT INTO companion.scheduled_messages (user_id, kind, idempotency_key, local_date,
        timezone, scheduled_for, channel)
        VALUES ('00000000-0000-0000-0000-000000000001', 'checkin', 'k', '2026-01-01', 'UTC', now(),
            'web')$$),
    ('another kind under a check-in''s key',
        $$INSERT INTO companion.scheduled_messages (user_id, kind, idempotency_key, local_date,
        timezone, scheduled_for, channel)
        VALUES ('00000000-0000-0000-0000-000000000001', 'custom', 'checkin:2026-01-01',
            '2026-01-01', 'UTC', now(), 'web')$$),
    ('a message to nobody', $$INSERT INTO companion.scheduled_messages (user_id, kind,
        idempotency_key, local_date, timezone, scheduled_for, channel)
        VALUES ('00000000-0000-0000-0000-000000000009', 'custom', 'k', '2026-01-01', 'UTC', now(),
            'web')$$),
    ('a second state of dispatch', $$INSERT INTO companion.dispatch_state VALUES (false, now())$$),
    ('a tick at infinity', $$INSERT INTO companion.dispatch_state VALUES (true, 'infinity')$$)
) AS v (attempt, statement);

-- The guard: a second message for an occasion is refused whoever inserts it.
INSERT INTO companion.scheduled_messages (user_id, kind, idempotency_key, local_date, timezone,
    scheduled_for, channel)
VALUES ('00000000-0000-0000-0000-000000000001', 'checkin', 'checkin:2026-01-01', '2026-01-01',
    'UTC', '2026-01-01', 'web');
SELECT pg_temp.refused($$INSERT INTO companion.scheduled_messages (user_id, kind, idempotency_key,
    local_date, timezone, scheduled_for, channel)
VALUES ('00000000-0000-0000-0000-000000000001', 'checkin', 'checkin:2026-01-01', '2026-01-01',
    'UTC', '2026-01-02', 'telegram')$$)
    AS "a second check-in for a day";

-- updated_at follows every change; a user who goes takes everything along.
SET companion.clock = '2030-01-01 12:00+00';
UPDATE companion.users SET location = 'Lisbon' WHERE display_name = 'Maya';
SELECT display_name, updated_at = companion.now() AS just_updated FROM companion.users ORDER BY 1;
DELETE FROM companion.users;
SELECT (SELECT count(*) FROM companion.conversations) AS conversations,
       (SELECT count(*) FROM companion.messages) AS messages,
       (SELECT count(*) FROM companion.scheduled_messages) AS scheduled_messages;

-- Dropped and made again in one session: the plans that it keeps go on working.
CREATE PROCEDURE pg_temp.run_a_day() LANGUAGE plpgsql AS $$
DECLARE
    message record;
BEGIN
    PERFORM companion.rewind_dispatch('2030-01-01 08:00+00');
    INSERT INTO companion.users (display_name, onboarding_completed_at)
        VALUES ('Maya', '2029-01-01');
    RAISE NOTICE '% enqueued, next at %', companion.dispatch(),
        (SELECT companion.next_checkin(id) FROM companion.users);
    PERFORM companion.schedule_message(id, companion.now(), 'hello') FROM companion.users;
    FOR message IN SELECT * FROM companion.claim_messages('w') LOOP
        RAISE NOTICE '%: started %, sent %', message.kind,
            companion.start_send(message.user_id, message.message_id, message.attempt),
            companion.mark_sent(message.user_id, message.message_id, message.attempt,
                'good morning');
    END LOOP;
    PERFORM companion.finish_abandoned(), companion.apply_retention();
END
$$;
CALL pg_temp.run_a_day();
DROP EXTENSION companion;
SELECT to_regnamespace('companion') IS NULL AS gone;
SELECT pg_temp.refused('SELECT companion.dispatch()');
CREATE EXTENSION companion;
CALL pg_temp.run_a_day();
SET search_path = pg_temp, public;
DELETE FROM companion.users;
CALL pg_temp.run_a_day();
RESET search_path;

-- In a second database of the cluster, beside the first.
SELECT current_database() AS here \gset
CREATE DATABASE regress_companion_second;
\c regress_companion_second
CREATE EXTENSION companion;
INSERT INTO companion.users (display_name) VALUES ('Haruto');
SELECT display_name FROM companion.users;
\c :here
SELECT display_name FROM companion.users;
DROP DATABASE regress_companion_second;

-- Not without a superuser.
SELECT trusted, superuser, relocatable FROM pg_available_extension_versions
    WHERE name = 'companion';
