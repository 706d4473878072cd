-- The schema: what the constraints refuse, and that the extension can be dropped, made again, and
-- made in a second database.
\i test/fresh.sql

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
    ('quiet_from', '''24:00'''), ('quiet_from', '''22:00'''), ('quiet_until', '''24:00'''),
        ('quiet_until', 'NULL'),
    ('checkin_days', '''{0}'''), ('checkin_days', '''{8}'''), ('checkin_days', '''{1,NULL}'''),
    ('checkin_days', '''{}'''), ('checkin_days', 'NULL'),
    ('preferred_channel', '''sms'''),
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
