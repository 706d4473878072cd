-- What grants let one write directly is bounded as what functions take is; what was there before,
-- and what a superuser restores, stays.
\i test/fresh.sql
SET companion.clock = '2026-03-02 09:00+00';
INSERT INTO companion.users (id, display_name) VALUES ('00000000-0000-0000-0000-000000000001', 'Maya');
INSERT INTO companion.conversations (user_id, id, channel) SELECT id, id, 'web' FROM companion.users;
-- The error that a statement ends with, and the column that it is about.
CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    column_name text;
BEGIN
    EXECUTE statement;
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS column_name = COLUMN_NAME;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(column_name, ''));
END
$$;

-- An end user's weekdays: each is stored once, in order, however they are given.
SET ROLE companion_user;
SET companion.user_id = '00000000-0000-0000-0000-000000000001';
CREATE TEMP TABLE given (n integer, days text);
INSERT INTO given VALUES (1, '{}'), (2, '{7,1,1,3}'), (3, '{1,2,3,4,5,6,7}'), (4, '[0:1]={5,5}'), (5, '{{6,2},{2,6}}'),
    (6, '{0}'), (7, '{8,1}'), (8, '{1,NULL}'), (9, '{1,2,3,4,5,6,7,8}'), (10, '{-1}'), (11, NULL);
SELECT days, pg_temp.refused(format('UPDATE companion.users SET checkin_days = %L', days)) AS outcome,
       (SELECT u.checkin_days FROM companion.users AS u) AS before
FROM given ORDER BY n;
SELECT checkin_days FROM companion.users;
UPDATE companion.users SET checkin_days = '{7,1,1,3}' RETURNING checkin_days;
UPDATE companion.users SET checkin_days = array_fill(2::smallint, ARRAY[20000000]) RETURNING checkin_days;
SELECT pg_temp.refused('UPDATE companion.users SET checkin_days = array_fill(2::smallint, ARRAY[20000000]) || 9::smallint') AS outcome;
UPDATE companion.users SET checkin_days = '[2:3]={4,3}' RETURNING checkin_days;

-- Preferences, up to companion.max_json_size.
SELECT bytes, pg_temp.refused(format('UPDATE companion.users SET preferences = %L', jsonb_build_object('x', repeat('x', bytes)))) AS outcome
FROM (VALUES (65000), (66000), (20000000)) AS v (bytes);
SELECT octet_length(preferences::text) AS bytes FROM companion.users;
SET ROLE companion_admin;
SELECT pg_temp.refused(format('UPDATE companion.users SET preferences = %L', jsonb_build_object('x', repeat('x', 66000)))) AS "an admin",
       pg_temp.refused(format('INSERT INTO companion.users (preferences) VALUES (%L)', jsonb_build_object('x', repeat('x', 66000)))) AS "a new user";
RESET ROLE;
SET companion.max_json_size = '1MB';
SET ROLE companion_user;
UPDATE companion.users SET preferences = jsonb_build_object('x', repeat('x', 66000));
RESET ROLE;
RESET companion.max_json_size;
SET ROLE companion_user;
-- What is there already is in nobody's way.
UPDATE companion.users SET display_name = 'Maya R.', checkin_days = '{1}' RETURNING display_name, octet_length(preferences::text) AS bytes;
SELECT pg_temp.refused('UPDATE companion.users SET preferences = preferences') AS "the same",
       pg_temp.refused('UPDATE companion.users SET preferences = preferences || ''{"y": 1}''') AS "more of it",
       pg_temp.refused('UPDATE companion.users SET preferences = ''{"y": 1}''') AS "less";
RESET ROLE;
UPDATE companion.users SET preferences = jsonb_build_object('x', repeat('x', 66000)) RETURNING octet_length(preferences::text) AS "as a superuser";

-- A conversation's summary and topics, written by a worker, or with close_conversation().
SET ROLE companion_worker;
SELECT pg_temp.refused(format('UPDATE companion.conversations SET mood_summary = %L', repeat('x', 66000))) AS mood_summary,
       pg_temp.refused('UPDATE companion.conversations SET topics = array_fill(''x''::text, ARRAY[20000])') AS topics,
       pg_temp.refused(format('INSERT INTO companion.conversations (user_id, channel, mood_summary) SELECT id, ''whatsapp'', %L FROM companion.users', repeat('x', 66000))) AS "a new one";
SELECT pg_temp.refused(format('SELECT companion.close_conversation(user_id, id, %L) FROM companion.conversations', repeat('x', 66000))) AS mood_summary,
       pg_temp.refused('SELECT companion.close_conversation(user_id, id, NULL, array_fill(''x''::text, ARRAY[20000])) FROM companion.conversations') AS topics;
SELECT companion.close_conversation(user_id, id, repeat('x', 60000), array_fill('x'::text, ARRAY[5000])) AS was_open FROM companion.conversations;
UPDATE companion.conversations SET mood_summary = 'calm', topics = '{tea}' RETURNING mood_summary, topics;
RESET ROLE;
