-- What is to be asked of all users: at each user's own time of day, and once a day.
\i test/fresh.sql
\set maya '''00000000-0000-0000-0000-000000000001'''
\set noor '''00000000-0000-0000-0000-000000000002'''
\set ana '''00000000-0000-0000-0000-000000000003'''
\set kim '''00000000-0000-0000-0000-000000000004'''
INSERT INTO companion.users (id, display_name, timezone, checkin_time, onboarding_completed_at) VALUES
    (:maya, 'Maya', 'America/New_York', '08:00', '2026-01-01'), (:noor, 'Noor', 'Europe/Berlin', NULL, NULL),
    (:ana, 'Ana', 'Pacific/Kiritimati', NULL, NULL), (:kim, 'Kim', 'Europe/Berlin', '07:00', NULL);
SET companion.clock = '2026-02-01 12:00+00';
SELECT count(companion.upsert_user_context(id, 'follow_up', 'exam', 'how was it?', metadata => '{"follow_up_on": "2026-03-02"}')),
       count(companion.upsert_user_context(id, 'follow_up', 'someday', 'the boat')),
       count(companion.upsert_user_context(id, 'event', 'exam', 'physics', metadata => '{"follow_up_on": "2026-03-02"}')) FROM companion.users;
CREATE FUNCTION pg_temp.due(at text) RETURNS TABLE (name text, key text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('companion.clock', at, false);
    RETURN QUERY SELECT u.display_name, f.key FROM companion.due_follow_ups_all() AS f JOIN companion.users AS u ON u.id = f.user_id;
END
$$;
-- Kiritimati is fourteen hours ahead; Kim is asked at seven, Noor at nine, Maya at eight of their clocks.
SELECT at, (SELECT string_agg(name, ', ' ORDER BY name) FROM pg_temp.due(at)) AS due FROM unnest(ARRAY[
    '2026-03-01 18:59+00', '2026-03-01 19:00+00', '2026-03-02 05:59+00', '2026-03-02 06:00+00', '2026-03-02 08:00+00', '2026-03-02 12:59+00', '2026-03-02 13:00+00',
    '2026-03-02 23:30+00', '2026-03-03 08:00+00']) AS at;
SELECT count(*) FROM companion.due_follow_ups_all(2);
-- Whom today's check-in asks is left out, whether it is pending or was sent; not who is asked tomorrow.
SET companion.clock = '2026-03-02 12:59+00';
SELECT companion.dispatch(companion.now());
SELECT string_agg(name, ', ' ORDER BY name) FROM pg_temp.due('2026-03-02 13:00:30+00');
SELECT companion.dispatch(companion.now());
SELECT string_agg(name, ', ' ORDER BY name) FROM pg_temp.due('2026-03-02 13:01+00');
SELECT companion.start_send(user_id, message_id, attempt), companion.mark_sent(user_id, message_id, attempt, 'good morning') FROM companion.claim_messages('w');
SELECT string_agg(name, ', ' ORDER BY name) FROM pg_temp.due('2026-03-02 20:00+00');
SELECT string_agg(name, ', ' ORDER BY name) FROM pg_temp.due('2026-03-03 13:00+00');
-- Nor who is paused or suspended; a follow-up that was asked is done.
UPDATE companion.users SET checkin_paused_until = '2026-03-10' WHERE id = :noor;
UPDATE companion.users SET suspended_until = 'infinity' WHERE id = :ana;
SELECT companion.resolve_user_context(:kim, 'follow_up', 'exam');
SELECT string_agg(name, ', ' ORDER BY name) FROM pg_temp.due('2026-03-03 13:00+00');
-- For workers; by the index on the date.
SET ROLE companion_worker;
SELECT count(*) FROM companion.due_follow_ups_all();
SET ROLE companion_user;
SELECT companion.due_follow_ups_all();
RESET ROLE;
SET enable_seqscan = off;
SET plan_cache_mode = force_generic_plan;
PREPARE due AS SELECT * FROM companion.due_follow_ups_all();
CREATE FUNCTION pg_temp.plan() RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) EXECUTE due'; END $$;
SELECT count(*) > 0 AS is_by_index FROM pg_temp.plan() AS line WHERE line LIKE '%user_context_follow_ups%';
RESET plan_cache_mode;
RESET enable_seqscan;
-- What a message asks about is resolved as it is filed: not where the report does not count, nor another's.
SET companion.clock = '2026-03-04 12:00+00';
SELECT companion.schedule_message(:kim, '2026-03-04 09:00+00', 'how was it?', 'ask'), companion.schedule_message(:kim, '2026-03-04 09:00+00', 'and?', 'ask'),
       companion.schedule_message(:noor, '2026-03-04 09:00+00', 'how was it?', 'ask') \gset ask
SELECT count(companion.upsert_user_context(:kim, 'follow_up', key, 'well?', metadata => '{"follow_up_on": "2026-03-04"}')) FROM unnest('{flat,dog,job}'::text[]) AS key;
\pset tuples_only
SELECT count(*) FROM companion.claim_messages('w');
SELECT companion.start_send(user_id, id, 1) FROM companion.scheduled_messages WHERE kind = 'ask';
CREATE FUNCTION pg_temp.item(uuid, text) RETURNS uuid LANGUAGE sql AS 'SELECT id FROM companion.user_context WHERE user_id = $1 AND category = ''follow_up'' AND key = $2';
CREATE FUNCTION pg_temp.message(uuid, text) RETURNS uuid LANGUAGE sql AS 'SELECT id FROM companion.scheduled_messages WHERE user_id = $1 AND content = $2';
CREATE FUNCTION pg_temp.open() RETURNS text LANGUAGE sql AS 'SELECT string_agg(display_name || '' '' || key, '', '' ORDER BY display_name, key) FROM companion.user_context JOIN companion.users AS u ON u.id = user_id WHERE category = ''follow_up'' AND key <> ''someday'' AND resolved_at IS NULL';
SELECT pg_temp.open();
SELECT companion.mark_sent(:kim, pg_temp.message(:kim, 'how was it?'), 2, resolves => ARRAY[pg_temp.item(:kim, 'flat')]), pg_temp.open();
SELECT companion.mark_sent(:kim, pg_temp.message(:kim, 'how was it?'), 1, resolves => ARRAY[ARRAY[pg_temp.item(:kim, 'flat')]]);
SELECT companion.mark_sent(:kim, pg_temp.message(:kim, 'how was it?'), 1, resolves => ARRAY[pg_temp.item(:kim, 'flat'), pg_temp.item(:noor, 'exam'), NULL]);
SELECT pg_temp.open();
-- Of many messages each has its own.
SELECT companion.mark_sent_many(ARRAY[:kim, :noor]::uuid[], ARRAY[pg_temp.message(:kim, 'and?'), pg_temp.message(:noor, 'how was it?')], '{1,2}', resolves => ARRAY[pg_temp.item(:kim, 'dog')]);
SELECT companion.mark_sent_many(ARRAY[:kim, :noor]::uuid[], ARRAY[pg_temp.message(:kim, 'and?'), pg_temp.message(:noor, 'how was it?')], '{1,2}', resolves => '{{{a0000000-0000-7000-8000-000000000001}},{{a0000000-0000-7000-8000-000000000001}}}');
SELECT companion.mark_sent_many(ARRAY[:kim, :noor]::uuid[], ARRAY[pg_temp.message(:kim, 'and?'), pg_temp.message(:noor, 'how was it?')], '{1,2}',
    resolves => ARRAY[ARRAY[pg_temp.item(:kim, 'dog'), pg_temp.item(:kim, 'job')], ARRAY[pg_temp.item(:noor, 'exam'), NULL]]);
SELECT pg_temp.open();
SELECT companion.mark_sent_many(ARRAY[:noor]::uuid[], ARRAY[pg_temp.message(:noor, 'how was it?')], '{1}', resolves => ARRAY[pg_temp.item(:noor, 'exam')]);
SELECT pg_temp.open();
SELECT companion.mark_sent_many(ARRAY[:noor]::uuid[], ARRAY[pg_temp.message(:noor, 'how was it?')], '{1}', resolves => '{}');
