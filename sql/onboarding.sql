-- Onboarding: a user is asked step by step, and the answers take effect all at once.
\i test/fresh.sql
SET companion.clock = '2026-03-02 09:00+00';
INSERT INTO companion.users (id, email) VALUES
    ('00000000-0000-0000-0000-000000000001', 'maya@example.org'),
    ('00000000-0000-0000-0000-000000000002', 'diego@example.org');
CREATE TEMP VIEW onboarded AS
SELECT display_name, companion_name, support_style, timezone, checkin_time, preferred_channel, onboarding_completed_at
FROM companion.users ORDER BY id;
GRANT SELECT ON onboarded TO companion_user;

-- The steps are rows: their order, what each asks for, and whether it must be answered.
SELECT * FROM companion.onboarding_steps ORDER BY position;

-- An end user is led through them; each call returns the step that comes next.
SET ROLE companion_user;
SET companion.user_id = '00000000-0000-0000-0000-000000000001';
SELECT companion.start_onboarding() AS next;
SELECT companion.advance_onboarding(companion.current_user_id(), 'name', '{"name": "Maya"}') AS next;
SELECT companion.advance_onboarding(companion.current_user_id(), 'companion', '{"companion_name": null}') AS next;
SELECT companion.advance_onboarding(companion.current_user_id(), 'timezone', '{"timezone": "europe/berlin", "favourite_tea": "rooibos"}') AS next;
-- Starting again changes nothing; a step may be answered again, and another left out.
SELECT companion.start_onboarding() AS next;
SELECT companion.advance_onboarding(companion.current_user_id(), 'name', '{"name": "Maya R."}') AS next;
SELECT companion.advance_onboarding(companion.current_user_id(), 'checkin', '{"checkin_time": "07:30"}') AS next;
SELECT companion.advance_onboarding(companion.current_user_id(), 'channel', '{"channel": "telegram"}') AS next;
SELECT current_step, data, completed_at FROM companion.onboarding;

-- Until it is complete, nothing is in users and nobody is due.
SELECT * FROM onboarded;
SELECT companion.next_checkin('00000000-0000-0000-0000-000000000001') AS next_checkin;
SELECT companion.complete_onboarding() AS completed;
SELECT * FROM onboarded;
SELECT current_step, completed_at FROM companion.onboarding;
SELECT companion.next_checkin('00000000-0000-0000-0000-000000000001') AS next_checkin;
RESET ROLE;
SELECT companion.rewind_dispatch('2026-03-03 06:00+00');
SELECT companion.dispatch('2026-03-03 06:29+00') AS enqueued;
SELECT companion.dispatch('2026-03-03 06:30+00') AS enqueued;

-- Once is enough.
SET companion.clock = '2026-03-04 09:00+00';
SET ROLE companion_user;
SELECT companion.complete_onboarding() AS completed_again, companion.start_onboarding() AS next;
SELECT pg_temp.error_of($$SELECT companion.advance_onboarding(companion.current_user_id(), 'name', '{"name": "M."}')$$) AS outcome;
SELECT display_name, onboarding_completed_at FROM onboarded;

-- A wrong answer names its field, and nothing is as if it had been given.
SET companion.user_id = '00000000-0000-0000-0000-000000000002';
SELECT pg_temp.error_of($$SELECT companion.advance_onboarding(companion.current_user_id(), 'name', '{}')$$) AS "not begun",
       pg_temp.error_of('SELECT companion.complete_onboarding()') AS "not begun";
SELECT companion.start_onboarding() AS next;
CREATE FUNCTION pg_temp.refused(answers text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    field text;
    expected text;
BEGIN
    PERFORM companion.advance_onboarding(companion.current_user_id(), 'companion', answers::jsonb);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS field = COLUMN_NAME, expected = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, nullif(field, ''), SQLERRM, nullif(expected, ''));
END
$$;
SELECT answers, pg_temp.refused(answers) AS outcome FROM (VALUES
    ('[]'), ('null'), ('"Maya"'), (NULL), ('{"name": ""}'), ('{"name": " \n"}'), ('{"name": 7}'), ('{"name": ["Maya"]}'),
    ('{"companion_name": {}}'), ('{"support_style": true}'),
    ('{"timezone": "Moon/Base"}'), ('{"timezone": ""}'), ('{"timezone": "CET-1CEST"}'), ('{"timezone": 1}'),
    ('{"checkin_time": "24:00"}'), ('{"checkin_time": "7:30"}'), ('{"checkin_time": "07:60"}'), ('{"checkin_time": "now"}'),
    ('{"checkin_time": 7}'), ('{"channel": "sms"}'), ('{"channel": "Web"}'),
    ('{"companion_name": "Ida", "channel": "pigeon"}')) AS v (answers);
SELECT left(pg_temp.refused(format('{"name": "%s"}', repeat('é', 201))), 40) AS "201 characters",
       left(pg_temp.refused(format('{"notes": "%s"}', repeat('x', 70000))), 95) AS "70 kB";
SELECT pg_temp.error_of('SELECT companion.' || call) AS outcome FROM (VALUES
    ('advance_onboarding(companion.current_user_id(), ''name'', ''{"name": null}'')'),
    ('advance_onboarding(companion.current_user_id(), ''name'', ''{}'')'),
    ('advance_onboarding(companion.current_user_id(), ''nonsense'', ''{}'')'),
    ('advance_onboarding(companion.current_user_id(), ''x'' || repeat(''é'', 60), ''{}'')'),
    ('advance_onboarding(companion.current_user_id(), NULL, ''{}'')'),
    ('advance_onboarding(NULL, ''name'', ''{}'')'),
    ('start_onboarding(NULL)'), ('complete_onboarding(NULL)'), ('complete_onboarding()'),
    ('start_onboarding(''00000000-0000-0000-0000-000000000001'')'),
    ('advance_onboarding(''00000000-0000-0000-0000-000000000001'', ''name'', ''{}'')'),
    ('complete_onboarding(''00000000-0000-0000-0000-000000000001'')')) AS v (call);
SELECT current_step, data, updated_at = created_at AS unchanged FROM companion.onboarding;

-- Null answers leave what the user has; only a null check-in time is itself an answer.
SELECT companion.advance_onboarding(companion.current_user_id(), 'name',
    '{"name": "Diego", "timezone": "America/Bogota", "support_style": null, "checkin_time": null, "channel": null}') AS next;
SELECT companion.complete_onboarding() AS completed;
SELECT * FROM onboarded;
RESET ROLE;

-- Workers and admins act for every user.
SET ROLE companion_worker;
SELECT companion.start_onboarding('00000000-0000-0000-0000-000000000001') AS next;
SELECT pg_temp.error_of('SELECT companion.start_onboarding(''00000000-0000-0000-0000-000000000009'')') AS outcome;
RESET ROLE;

-- An app changes the steps: adds one, replaces one by inserting it again, leaves one out.
DELETE FROM companion.onboarding;
SET ROLE companion_admin;
INSERT INTO companion.onboarding_steps VALUES
    ('goals', 15, '{goals,worries}', true), ('timezone', 5, '{timezone}', true), ('farewell', 70);
UPDATE companion.onboarding_steps SET position = NULL WHERE step = 'style';
SELECT step, position FROM companion.onboarding_steps ORDER BY position, step;
RESET ROLE;
SELECT companion.start_onboarding('00000000-0000-0000-0000-000000000001') AS next;
SELECT companion.advance_onboarding('00000000-0000-0000-0000-000000000001', 'timezone', '{"timezone": "Asia/Tokyo"}') AS next;
SELECT companion.advance_onboarding('00000000-0000-0000-0000-000000000001', 'name', '{"name": "Maya"}') AS next;
SELECT pg_temp.error_of('SELECT companion.complete_onboarding(''00000000-0000-0000-0000-000000000001'')') AS outcome
UNION ALL
SELECT pg_temp.error_of($$SELECT companion.advance_onboarding('00000000-0000-0000-0000-000000000001', 'goals', '{"goals": ["sleep"]}')$$)
UNION ALL
SELECT pg_temp.error_of($$SELECT companion.advance_onboarding('00000000-0000-0000-0000-000000000001', 'style', '{}')$$);
SELECT companion.advance_onboarding('00000000-0000-0000-0000-000000000001', 'goals', '{"goals": ["sleep"], "worries": []}') AS next;
SELECT companion.complete_onboarding('00000000-0000-0000-0000-000000000001') AS completed;

-- All or nothing: what somebody wrote by hand and is not valid leaves all as it was.
UPDATE companion.users SET display_name = 'before', onboarding_completed_at = NULL WHERE id = '00000000-0000-0000-0000-000000000001';
UPDATE companion.onboarding SET completed_at = NULL, data = data || '{"name": "after", "checkin_time": "noon"}';
SELECT pg_temp.error_of('SELECT companion.complete_onboarding(''00000000-0000-0000-0000-000000000001'')') AS outcome;
SELECT o.completed_at, u.display_name, u.onboarding_completed_at
FROM companion.onboarding AS o JOIN companion.users AS u ON u.id = o.user_id;

-- What an operator's triggers do to the rows is said at once; columns that an operator has added and
-- dropped are in nobody's way.
DELETE FROM companion.onboarding;
UPDATE companion.users SET onboarding_completed_at = NULL;
ALTER TABLE companion.onboarding ADD COLUMN dropped text DEFAULT 'x', ADD COLUMN step text DEFAULT 'x';
ALTER TABLE companion.onboarding DROP COLUMN dropped;
ALTER TABLE companion.onboarding_steps ADD COLUMN data text DEFAULT 'x', ADD COLUMN field text DEFAULT 'x';
CREATE FUNCTION pg_temp.suppress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION pg_temp.change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN jsonb_populate_record(NEW, TG_ARGV[0]::jsonb); END $$;
CREATE FUNCTION pg_temp.with_trigger(tablename text, operation text, action text, call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    EXECUTE format('CREATE TRIGGER operators BEFORE %s ON companion.%I FOR EACH ROW EXECUTE FUNCTION pg_temp.%s', operation, tablename, action);
    outcome := regexp_replace(pg_temp.error_of('SELECT companion.' || call), ' \| A trigger.*', '');
    EXECUTE format('DROP TRIGGER operators ON companion.%I', tablename);
    RETURN outcome;
END
$$;
SELECT tablename, operation, left(action, 50) AS action, left(call, 20) AS call, pg_temp.with_trigger(tablename, operation, action, call) AS outcome
FROM (VALUES
    ('onboarding', 'INSERT', 'suppress()', 'start_onboarding(''00000000-0000-0000-0000-000000000001'')'),
    ('onboarding', 'INSERT', $$change('{"user_id": "00000000-0000-0000-0000-000000000002"}')$$, 'start_onboarding(''00000000-0000-0000-0000-000000000001'')'),
    ('onboarding', 'INSERT', $$change('{"current_step": "name"}')$$, 'start_onboarding(''00000000-0000-0000-0000-000000000001'')'),
    ('onboarding', 'INSERT', 'suppress()', 'start_onboarding(''00000000-0000-0000-0000-000000000001'')'),
    ('onboarding', 'UPDATE', 'suppress()', 'advance_onboarding(''00000000-0000-0000-0000-000000000001'', ''name'', ''{"name": "Maya"}'')'),
    ('onboarding', 'UPDATE', 'suppress()', 'advance_onboarding(''00000000-0000-0000-0000-000000000001'', ''nonsense'', ''{}'')'),
    ('onboarding', 'UPDATE', $$change('{"user_id": "00000000-0000-0000-0000-000000000002"}')$$, 'advance_onboarding(''00000000-0000-0000-0000-000000000001'', ''name'', ''{"name": "Maya"}'')'),
    ('onboarding', 'UPDATE', $$change('{"step": "seen"}')$$, 'advance_onboarding(''00000000-0000-0000-0000-000000000001'', ''name'',
        ''{"name": "Maya", "timezone": "Asia/Tokyo", "goals": [], "worries": []}'')'),
    ('onboarding', 'UPDATE', 'suppress()', 'complete_onboarding(''00000000-0000-0000-0000-000000000001'')'),
    ('users', 'UPDATE', 'suppress()', 'complete_onboarding(''00000000-0000-0000-0000-000000000001'')'),
    ('users', 'UPDATE', $$change('{"id": "00000000-0000-0000-0000-000000000009"}')$$, 'complete_onboarding(''00000000-0000-0000-0000-000000000001'')')) AS v (tablename, operation, action, call);
SELECT completed_at, step FROM companion.onboarding;
SELECT companion.complete_onboarding('00000000-0000-0000-0000-000000000001') AS completed;
