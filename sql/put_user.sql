-- A user's settings by one call: a bot's /pause, /timezone and /time, and its first /start.
\i test/fresh.sql
SET companion.clock = '2026-03-02 09:00+00';
CREATE TEMP VIEW settings AS
SELECT display_name AS name, timezone, checkin_time AS time, checkin_days AS days, checkin_paused_until AS paused_until,
       preferred_channel AS channel, preferences, location, onboarding_completed_at AS onboarded, app_data
FROM companion.users ORDER BY created_at, id;
CREATE TEMP VIEW accounts AS
SELECT display_name AS name, telegram_user_id AS telegram, telegram_username AS username, telegram_linked_at AS linked_at,
       whatsapp_number AS whatsapp, usable_addresses
FROM companion.users ORDER BY created_at, id;
GRANT SELECT ON settings, accounts TO companion_user, companion_worker, companion_admin;

-- The first /start of a bot whose users begin on Telegram. Delivered again, it makes no second user.
SET ROLE companion_worker;
SELECT id FROM companion.put_user(NULL, '{"telegram_user_id": 111, "telegram_username": "ana", "display_name": "Ana",
    "timezone": "europe/lisbon", "onboarding_completed_at": "2026-03-02T09:00:00Z"}') \gset
SELECT id = :'id' AS same FROM companion.put_user(NULL, '{"telegram_user_id": 111, "telegram_username": "ana", "display_name": "Ana",
    "timezone": "europe/lisbon", "onboarding_completed_at": "2026-03-02T09:00:00Z"}');
SELECT * FROM settings;
SELECT * FROM accounts;
SELECT companion.next_checkin(:'id') AS next_checkin;
-- /time 08:30, /timezone Europe/London, /pause until Sunday, weekdays only, and /resume.
SELECT checkin_time FROM companion.put_user(:'id', '{"checkin_time": "08:30"}');
SELECT timezone FROM companion.put_user(:'id', '{"timezone": "Europe/London"}');
SELECT checkin_paused_until FROM companion.put_user(:'id', '{"checkin_paused_until": "2026-03-08T12:00:00+01:00"}');
SELECT checkin_days FROM companion.put_user(:'id', '{"checkin_days": [5, 1, 2, 4, 3, 1]}');
SELECT companion.next_checkin(:'id') AS next_checkin;
SELECT checkin_paused_until FROM companion.put_user(:'id', '{"checkin_paused_until": null}');
SELECT companion.next_checkin(:'id') AS next_checkin;
-- Null is no time at all; what the app keeps of its own.
SELECT checkin_time FROM companion.put_user(:'id', '{"checkin_time": null}');
SELECT app_data, preferences FROM companion.put_user(:'id', '{"app_data": {"stripe_id": "cus_1"}, "preferences": {"emoji": true}}');
-- Objects replace; what is not named stays; what a caller names in vain changes nothing.
SELECT app_data, preferences FROM companion.put_user(:'id', '{"app_data": {"plan": "b"}}');
RESET ROLE;
SET companion.clock = '2026-03-02 09:05+00';
SET ROLE companion_worker;
SELECT updated_at FROM companion.put_user(:'id', '{}');
SELECT * FROM settings;

-- A user of a given id: made, then changed. What is not named has its default.
SELECT display_name, timezone, checkin_time, created_at FROM companion.put_user('00000000-0000-0000-0000-000000000002', '{"display_name": "Bo"}');
SELECT display_name, timezone, checkin_time FROM companion.put_user('00000000-0000-0000-0000-000000000002', '{"display_name": null, "checkin_time": "07:15"}');
SELECT id, preferences, app_data FROM companion.put_user('00000000-0000-0000-0000-000000000003', '{}');
SELECT * FROM settings;
RESET ROLE;

-- Each field by each role: what an end user may set is what the grants on the table say.
CREATE FUNCTION pg_temp.refused(user_id uuid, settings jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    field text;
    expected text;
    hint text;
BEGIN
    PERFORM companion.put_user(user_id, settings);
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS field = COLUMN_NAME, expected = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, nullif(field, ''), replace(SQLERRM, user_id::text, '(id)'), nullif(expected, ''), nullif(hint, ''));
END
$$;
CREATE TEMP TABLE given AS
SELECT attname AS field, attnum AS position, CASE
    WHEN attname = 'timezone' THEN '"UTC"'
    WHEN atttypid = 'time'::regtype THEN '"08:00"'
    WHEN attname = 'checkin_days' THEN '[7, 6]'
    WHEN attname = 'preferred_channel' THEN '"web"'
    WHEN attname = 'subscription_status' THEN '"trial"'
    WHEN attname = 'telegram_user_id' THEN '222'
    WHEN attname = 'whatsapp_number' THEN '"351910000000"'
    WHEN atttypid = 'timestamptz'::regtype THEN '"2026-04-01T10:00+02"'
    WHEN atttypid = 'jsonb'::regtype THEN '{"a": [1]}'
    ELSE '"something"' END::jsonb AS value
FROM pg_attribute WHERE attrelid = 'companion.users'::regclass AND attnum > 0;
GRANT SELECT ON given TO companion_user, companion_worker, companion_admin;
CREATE TEMP TABLE outcomes (role text, field text, outcome text);
GRANT INSERT, SELECT ON outcomes TO companion_user, companion_worker, companion_admin;
SET companion.user_id = '00000000-0000-0000-0000-000000000003';
SET ROLE companion_user;
INSERT INTO outcomes SELECT current_user, field, pg_temp.refused('00000000-0000-0000-0000-000000000003', jsonb_build_object(field, value)) FROM given;
SET ROLE companion_worker;
INSERT INTO outcomes SELECT current_user, field, pg_temp.refused('00000000-0000-0000-0000-000000000003', jsonb_build_object(field, value)) FROM given;
SET ROLE companion_admin;
INSERT INTO outcomes SELECT current_user, field, pg_temp.refused('00000000-0000-0000-0000-000000000003', jsonb_build_object(field, value)) FROM given;
RESET ROLE;
RESET companion.user_id;
SELECT g.field, (SELECT left(outcome, 5) FROM outcomes WHERE field = g.field AND role = 'companion_user') AS "user",
       (SELECT left(outcome, 5) FROM outcomes WHERE field = g.field AND role = 'companion_worker') AS worker,
       (SELECT left(outcome, 5) FROM outcomes WHERE field = g.field AND role = 'companion_admin') AS admin
FROM given AS g ORDER BY g.position;
SELECT field AS "not as granted" FROM outcomes
WHERE role = 'companion_user'
    AND (outcome = 'taken') <> has_column_privilege('companion_user', 'companion.users', field, 'UPDATE');
SELECT DISTINCT outcome FROM outcomes WHERE outcome <> 'taken' AND field IN ('id', 'email', 'app_data', 'updated_at') ORDER BY outcome;
SELECT to_jsonb(u) - '{created_at,updated_at}'::text[] AS "as an admin has set all" FROM companion.users AS u
WHERE id = '00000000-0000-0000-0000-000000000003';
-- Null, where a column takes it.
SET ROLE companion_admin;
SELECT field, pg_temp.refused('00000000-0000-0000-0000-000000000003', jsonb_build_object(field, NULL)) AS outcome
FROM given WHERE (field, 'taken') IN (SELECT field, outcome FROM outcomes WHERE role = 'companion_admin') ORDER BY position;
SELECT to_jsonb(u) - '{created_at,updated_at}'::text[] AS "as an admin has cleared all" FROM companion.users AS u
WHERE id = '00000000-0000-0000-0000-000000000003';

-- A value that is none of its field is named; nothing else of the same call is done.
SELECT v.settings, pg_temp.refused('00000000-0000-0000-0000-000000000003', settings::jsonb) AS outcome FROM (VALUES
    ('[]'), ('null'), ('"Ana"'), ('7'), (NULL), ('{"nickname": "A"}'), ('{"": 1}'), ('{"Timezone": "UTC"}'),
    ('{"display_name": ""}'), ('{"display_name": " \n"}'), ('{"display_name": 7}'), ('{"companion_name": {}}'), ('{"support_style": true}'),
    ('{"timezone": "Moon/Base"}'), ('{"timezone": "CET-1CEST"}'), ('{"timezone": 1}'),
    ('{"checkin_time": "24:00"}'), ('{"checkin_time": "7:30"}'), ('{"checkin_time": "now"}'), ('{"checkin_time": 7}'), ('{"quiet_from": "22"}'), ('{"quiet_until": "24:00"}'),
    ('{"checkin_days": 1}'), ('{"checkin_days": "{1,2}"}'), ('{"checkin_days": {"1": 2}}'), ('{"checkin_days": [0]}'), ('{"checkin_days": [8]}'),
    ('{"checkin_days": [1.5]}'), ('{"checkin_days": [1e400]}'), ('{"checkin_days": ["1"]}'), ('{"checkin_days": [null]}'), ('{"checkin_days": [[1]]}'),
    ('{"checkin_paused_until": "tomorrow"}'), ('{"checkin_paused_until": "2026-02-30T09:00Z"}'), ('{"checkin_paused_until": "2026-03-02T09:00 Moon/Base"}'),
    ('{"checkin_paused_until": "2026-03-02Tea"}'), ('{"checkin_paused_until": "2026-03-02T09:00+99"}'), ('{"checkin_paused_until": "-infinity"}'),
    ('{"checkin_paused_until": ""}'), ('{"checkin_paused_until": 1772442000}'), ('{"suspended_until": true}'),
    ('{"preferred_channel": "sms"}'), ('{"preferred_channel": []}'), ('{"location": ""}'), ('{"location": 1}'),
    ('{"preferences": []}'), ('{"preferences": "{}"}'), ('{"app_data": 1}'),
    ('{"email": 1}'), ('{"subscription_status": "gold"}'), ('{"telegram_user_id": 0}'), ('{"telegram_user_id": -7}'), ('{"telegram_user_id": 1.5}'),
    ('{"telegram_user_id": "x11"}'), ('{"telegram_user_id": 9223372036854775808}'), ('{"telegram_username": ""}'),
    ('{"whatsapp_number": ""}'), ('{"whatsapp_number": "0171 123"}'), ('{"whatsapp_number": 351910000000}'),
    ('{"display_name": "Cem", "location": "Izmir", "preferred_channel": "pigeon"}')) AS v (settings);
SELECT field, left(pg_temp.refused('00000000-0000-0000-0000-000000000003', jsonb_build_object(field, repeat('é', most + 1))), 60) AS outcome,
       pg_temp.refused('00000000-0000-0000-0000-000000000003', jsonb_build_object(field, repeat('é', most))) AS longest
FROM (VALUES ('display_name', 200), ('location', 500), ('email', 320), ('telegram_username', 64)) AS v (field, most);
SELECT field, pg_temp.refused('00000000-0000-0000-0000-000000000003', jsonb_build_object(field, jsonb_build_object('x', repeat('x', 70000)))) AS outcome,
       pg_temp.refused('00000000-0000-0000-0000-000000000003', jsonb_build_object(field, jsonb_build_object('x', repeat('x', 60000)))) AS smaller
FROM (VALUES ('preferences'), ('app_data')) AS v (field);
SELECT left(pg_temp.refused('00000000-0000-0000-0000-000000000003', jsonb_build_object(repeat('é', 100000), 1)), 120) AS "a long name";
SELECT name, location FROM settings OFFSET 2;
SELECT pg_temp.refused('00000000-0000-0000-0000-000000000003', '{"checkin_days": [], "checkin_paused_until": "infinity"}') AS outcome;
SELECT days, paused_until FROM settings OFFSET 2;
RESET ROLE;

-- Without an id, an account says who it is; its owner, and nobody else, is changed.
DELETE FROM companion.users WHERE id <> :'id';
SET ROLE companion_worker;
SELECT pg_temp.refused(NULL, v.settings) AS outcome FROM (VALUES
    ('{}'::jsonb), ('{"display_name": "Ana"}'), ('{"telegram_username": "ana"}'), ('{"telegram_user_id": null}'),
    ('{"telegram_user_id": 111, "email": "ana@example.org"}'), ('{"telegram_user_id": 111, "telegram_linked_at": null}'),
    ('{"telegram_user_id": 111, "id": "00000000-0000-0000-0000-000000000001"}')) AS v (settings);
SELECT pg_temp.refused(:'id', '{"telegram_user_id": 111}') AS "an id and an account";
-- By WhatsApp's number, in any of its forms, with or without the +; by an account on whichever bot.
SELECT id AS brazilian FROM companion.put_user(NULL, '{"whatsapp_number": "5511987654321", "display_name": "Rui"}') \gset
SELECT id = :'brazilian' AS same, location FROM companion.put_user(NULL, '{"whatsapp_number": "+551187654321", "location": "Santos"}');
SELECT companion.link_address(:'id', 'telegram', '333', 'second_bot');
SELECT id = :'id' AS same, telegram_user_id, telegram_username
FROM companion.put_user(NULL, '{"telegram_user_id": 333, "telegram_username": "other", "location": "Porto"}');
-- Telegram's account before the number; one who is known gets no other account.
SELECT id = :'id' AS same FROM companion.put_user(NULL, '{"telegram_user_id": 111, "whatsapp_number": null}');
SELECT pg_temp.refused(NULL, v.settings) AS outcome FROM (VALUES
    ('{"telegram_user_id": 111, "whatsapp_number": "+351910000001", "location": "Faro"}'::jsonb),
    ('{"telegram_user_id": 111, "whatsapp_number": "+5511987654321", "location": "Faro"}'),
    ('{"telegram_user_id": 444, "whatsapp_number": "+5511987654321", "location": "Faro"}'),
    ('{"telegram_username": "rui", "whatsapp_number": "+5511987654321", "location": "Faro"}'),
    ('{"telegram_user_id": null, "whatsapp_number": "+5511987654321", "location": "Lagos"}')) AS v (settings);
SELECT name, location FROM settings;
-- Telegram's name for an account changes; a blocked bot that is started again is usable again.
SELECT companion.disable_address(:'id', 'telegram', '111');
SELECT companion.disable_address(:'id', 'telegram', '333');
SELECT * FROM accounts;
SELECT telegram_username, telegram_linked_at, usable_addresses FROM companion.put_user(NULL, '{"telegram_user_id": 111, "telegram_username": "ana_m"}');
SELECT usable_addresses FROM companion.put_user(NULL, '{"telegram_user_id": 333}');
-- Both at once, for a new user. Whose account was unlinked is new, too.
SELECT display_name, telegram_user_id, telegram_username, telegram_linked_at, whatsapp_number, usable_addresses
FROM companion.put_user(NULL, '{"telegram_user_id": 555, "whatsapp_number": "+905321234567", "display_name": "Cem"}');
SELECT companion.unlink_address(:'id', 'telegram', '111');
SELECT id = :'id' AS same, telegram_user_id FROM companion.put_user(NULL, '{"telegram_user_id": 111, "display_name": "Ana''s brother"}');
SELECT * FROM accounts;
RESET ROLE;

-- Admins give another account: the name of the old one goes, and the time is now.
SET companion.clock = '2026-03-03 09:00+00';
SET ROLE companion_admin;
SELECT telegram_user_id, telegram_username, telegram_linked_at
FROM companion.put_user('00000000-0000-0000-0000-00000000000d', '{"telegram_user_id": 777, "telegram_username": "dora"}');
RESET ROLE;
SET companion.clock = '2026-03-04 09:00+00';
SET ROLE companion_admin;
SELECT telegram_user_id, telegram_username, telegram_linked_at FROM companion.put_user('00000000-0000-0000-0000-00000000000d', '{"telegram_user_id": 777}');
SELECT telegram_user_id, telegram_username, telegram_linked_at FROM companion.put_user('00000000-0000-0000-0000-00000000000d', '{"telegram_user_id": 778}');
SELECT telegram_user_id, telegram_username, telegram_linked_at FROM companion.put_user('00000000-0000-0000-0000-00000000000d',
    '{"telegram_user_id": 779, "telegram_username": "dora", "telegram_linked_at": "2026-01-01T00:00Z"}');
SELECT telegram_user_id, telegram_username, telegram_linked_at, usable_addresses FROM companion.put_user('00000000-0000-0000-0000-00000000000d', '{"telegram_user_id": null}');
-- One that is another's stays theirs.
SELECT telegram_user_id, usable_addresses FROM companion.put_user('00000000-0000-0000-0000-00000000000d', '{"telegram_user_id": 111}');
SELECT telegram_username FROM companion.put_user(NULL, '{"whatsapp_number": "+905321234567", "telegram_username": "cem"}');
SELECT telegram_user_id, whatsapp_number, subscription_status, usable_addresses
FROM companion.put_user(NULL, '{"telegram_user_id": 555, "whatsapp_number": "+905321234568", "subscription_status": "active"}');
SELECT telegram_user_id, whatsapp_number, usable_addresses FROM companion.put_user(NULL, '{"telegram_user_id": 556, "whatsapp_number": "+905321234568"}');
RESET ROLE;

-- An end user acts for themselves, and makes nobody; who was erased does not come back, but with a
-- new id.
SET companion.user_id = '00000000-0000-0000-0000-00000000000d';
SET ROLE companion_user;
SELECT display_name, app_data FROM companion.put_user(companion.current_user_id(), '{"display_name": "Dora"}');
SELECT pg_temp.refused(:'id', '{"display_name": "Dora"}') AS "another's",
       pg_temp.refused(NULL, '{"telegram_user_id": 555, "display_name": "Dora"}') AS "without an id",
       pg_temp.refused(companion.current_user_id(), NULL) AS "without settings";
SELECT pg_temp.error_of('UPDATE companion.users SET app_data = ''{"plan": "gold"}''') AS "written directly";
SELECT companion.erase_user() -> 'users' AS erased;
SELECT pg_temp.refused(companion.current_user_id(), '{"display_name": "Dora"}') AS erased;
SET companion.user_id = '00000000-0000-0000-0000-000000000009';
SELECT pg_temp.refused(companion.current_user_id(), '{"display_name": "Nobody"}') AS unknown;
SET companion.user_id = '';
SELECT pg_temp.refused(:'id', '{}') AS nobody, pg_temp.refused(companion.current_user_id(), '{}') AS nobody;
SET ROLE companion_worker;
SELECT pg_temp.refused('00000000-0000-0000-0000-00000000000d', '{}') AS erased;
SET ROLE companion_admin;
SELECT pg_temp.refused('00000000-0000-0000-0000-00000000000d', '{}') AS erased;
DELETE FROM companion.erased_users;
SELECT display_name FROM companion.put_user('00000000-0000-0000-0000-00000000000d', '{"display_name": "Dora again"}');
-- What stands in app_data is an object, and no larger than is said.
SELECT pg_temp.error_of(format('UPDATE companion.users SET app_data = %L', v.app_data)) AS outcome
FROM (VALUES ('{"a": 1}'), ('[]'), (jsonb_build_object('x', repeat('x', 70000))::text), (NULL)) AS v (app_data);
RESET ROLE;
BEGIN READ ONLY;
SELECT pg_temp.error_of(format('SELECT companion.put_user(%L, ''{}'')', :'id')) AS "read only";
COMMIT;

-- An operator's triggers may change what a row says, but not whose it is; columns that an operator has
-- added are returned as well, and are no fields.
ALTER TABLE companion.users ADD COLUMN dropped text, ADD COLUMN referrer text;
ALTER TABLE companion.users ALTER COLUMN referrer SET DEFAULT 'friend';
ALTER TABLE companion.users DROP COLUMN dropped;
CREATE FUNCTION pg_temp.suppress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION pg_temp.change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN jsonb_populate_record(NEW, TG_ARGV[0]::jsonb); END $$;
CREATE FUNCTION pg_temp.with_trigger(tablename text, operation text, action text, user_id uuid, settings jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    EXECUTE format('CREATE TRIGGER operators BEFORE %s ON companion.%I FOR EACH ROW EXECUTE FUNCTION pg_temp.%s', operation, tablename, action);
    outcome := regexp_replace(pg_temp.refused(user_id, settings), ' \| A trigger.*', '');
    EXECUTE format('DROP TRIGGER operators ON companion.%I', tablename);
    RETURN outcome;
END
$$;
SELECT v.tablename, v.operation, v.action, pg_temp.with_trigger(tablename, operation, action, user_id, settings) AS outcome FROM (VALUES
    ('users', 'INSERT', 'suppress()', '00000000-0000-0000-0000-000000000004'::uuid, '{"location": "x"}'::jsonb),
    ('users', 'INSERT', $$change('{"id": "00000000-0000-0000-0000-000000000005"}')$$, '00000000-0000-0000-0000-000000000004', '{}'),
    ('users', 'UPDATE', $$change('{"telegram_user_id": 1}')$$, NULL, '{"telegram_user_id": 888}'),
    ('users', 'UPDATE', $$change('{"whatsapp_number": null}')$$, NULL, '{"whatsapp_number": "+4915112345678"}'),
    ('addresses', 'INSERT', 'suppress()', NULL, '{"telegram_user_id": 889}'),
    ('users', 'INSERT', $$change('{"location": "by a trigger"}')$$, '00000000-0000-0000-0000-000000000004', '{"location": "x"}'),
    ('users', 'UPDATE', 'suppress()', '00000000-0000-0000-0000-000000000004', '{"location": "x"}'),
    ('users', 'UPDATE', $$change('{"id": "00000000-0000-0000-0000-000000000005"}')$$, '00000000-0000-0000-0000-000000000004', '{"location": "x"}'),
    ('users', 'UPDATE', $$change('{"location": "by another"}')$$, '00000000-0000-0000-0000-000000000004', '{"location": "x"}'),
    ('users', 'UPDATE OF email', $$change('{"location": "by no other"}')$$, '00000000-0000-0000-0000-000000000004', '{"display_name": "Eva"}')) AS v
    (tablename, operation, action, user_id, settings);
CREATE FUNCTION pg_temp.remove() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM companion.users WHERE id = NEW.id; RETURN NULL; END $$;
CREATE TRIGGER operators AFTER INSERT ON companion.users FOR EACH ROW EXECUTE FUNCTION pg_temp.remove();
SELECT pg_temp.refused('00000000-0000-0000-0000-000000000006', '{}') AS "removed at once";
DROP TRIGGER operators ON companion.users;
SELECT display_name, location, referrer FROM companion.put_user('00000000-0000-0000-0000-000000000004', '{"timezone": "Asia/Tokyo"}');
SELECT pg_temp.refused('00000000-0000-0000-0000-000000000004', '{"referrer": "me"}') AS outcome;
