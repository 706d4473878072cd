-- A hostile schema in front of the search_path, with a trap for every function, operator and type of
-- pg_catalog, and tables with the names of ours in pg_temp: nothing steps into any of them, neither
-- while the extension is made nor in what it does.
\i test/fresh.sql

-- What superusers, workers, end users and admins do, in order; a call stands for all its rows.
CREATE TABLE steps (n serial, role text, step text);
CREATE TABLE outcomes (path text, n integer, outcome text);
CREATE TABLE accounts (id uuid PRIMARY KEY, email text);
INSERT INTO steps (role, step) VALUES
    ('none', $$SELECT pg_catalog.set_config('companion.clock', '2026-03-02 08:00+00', true)$$),
    ('none', $$INSERT INTO companion.users (id, display_name, timezone, telegram_user_id, onboarding_completed_at)
        VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', 'europe/berlin', 100, '2026-01-01'),
               ('00000000-0000-0000-0000-000000000002', NULL, 'UTC', NULL, NULL) RETURNING timezone$$),
    -- Sent once a day
    ('companion_admin', $$companion.rewind_dispatch('2026-03-02 07:00+00')$$),
    ('companion_worker', $$companion.dispatch()$$),
    ('companion_worker', $$companion.dispatch_batch(companion.now(), 10)$$),
    ('companion_worker', $$companion.dispatch()$$),
    ('companion_worker', $$SELECT created FROM companion.schedule_message('00000000-0000-0000-0000-000000000001', '2026-03-02', 'a second')$$),
    ('companion_worker', $$SELECT created FROM companion.schedule_message('00000000-0000-0000-0000-000000000001', '2026-03-02', 'a third')$$),
    ('companion_worker', $$SELECT created FROM companion.schedule_message('00000000-0000-0000-0000-000000000001', '2026-03-02', 'a fourth')$$),
    ('companion_admin', $$(SELECT kind, idempotency_key, local_date, state FROM companion.pending_messages)$$),
    ('companion_worker', $$(SELECT m.*, companion.extend_lease(user_id, message_id, attempt),
        companion.start_send(user_id, message_id, attempt), companion.mark_sent(user_id, message_id, attempt, 'good morning', 7)
        FROM companion.claim_messages('w', 1) AS m)$$),
    ('companion_worker', $$(SELECT companion.mark_failed(user_id, message_id, attempt, 'no answer', '0 seconds')
        FROM companion.claim_messages('w', 1))$$),
    ('companion_worker', $$(SELECT companion.mark_skipped(user_id, message_id, attempt, 'no')
        FROM companion.claim_messages('w', 1))$$),
    ('companion_worker', $$(SELECT companion.extend_lease_many(users, messages, attempts), companion.start_send_many(users, messages, attempts),
        companion.mark_failed_many(users, messages, attempts, '{no answer}', '0 seconds') FROM (
        SELECT pg_catalog.array_agg(user_id), pg_catalog.array_agg(message_id), pg_catalog.array_agg(attempt)
        FROM companion.claim_messages('w', 1)) AS m (users, messages, attempts))$$),
    ('companion_worker', $$(SELECT companion.start_send_many(users, messages, attempts), companion.mark_sent_many(users, messages, attempts, '{good morning}') FROM (
        SELECT pg_catalog.array_agg(user_id), pg_catalog.array_agg(message_id), pg_catalog.array_agg(attempt)
        FROM companion.claim_messages('w', 1)) AS m (users, messages, attempts))$$),
    ('companion_worker', $$(SELECT companion.mark_skipped_many(users, messages, attempts, '{no}') FROM (
        SELECT pg_catalog.array_agg(user_id), pg_catalog.array_agg(message_id), pg_catalog.array_agg(attempt)
        FROM companion.claim_messages('w', 1)) AS m (users, messages, attempts))$$),
    ('companion_admin', $$(SELECT kind, status, attempts, content, failure_reason FROM companion.scheduled_messages)$$),
    -- Changes of mind
    ('companion_worker', $$SELECT created FROM companion.schedule_message('00000000-0000-0000-0000-000000000001', '2026-03-05', 'of my own', 'checkin', cancel_on_reply => true)$$),
    ('none', $$UPDATE companion.users SET checkin_time = '22:00', timezone = 'Asia/Tokyo', preferred_channel = 'web'
        WHERE id OPERATOR(pg_catalog.=) '00000000-0000-0000-0000-000000000001' RETURNING checkin_time$$),
    ('companion_admin', $$(SELECT kind, idempotency_key, local_date, channel FROM companion.pending_messages)$$),
    ('companion_worker', $$(SELECT companion.reschedule_message('00000000-0000-0000-0000-000000000001', message_id, '2026-03-05 10:00+00'),
        companion.annotate_message('00000000-0000-0000-0000-000000000001', message_id, 1), companion.cancel_message('00000000-0000-0000-0000-000000000001', message_id)
        FROM companion.pending_messages)$$),
    ('companion_worker', $$companion.cancel_messages('00000000-0000-0000-0000-000000000001')$$),
    ('none', $$UPDATE companion.users SET checkin_time = '09:00', timezone = 'Europe/Berlin', preferred_channel = NULL
        WHERE id OPERATOR(pg_catalog.=) '00000000-0000-0000-0000-000000000001' RETURNING checkin_time$$),
    -- A conversation
    ('companion_worker', $$companion.record_incoming('telegram', '100', 'I love tomatoes', 8, 7)$$),
    ('companion_worker', $$(SELECT companion.edit_message(user_id, NULL, 'I love my tomatoes', 8)
        FROM companion.record_incoming('telegram', '100', 'I love tomatoes', 8))$$),
    ('none', $$SELECT pg_catalog.set_config('companion.user_id', '00000000-0000-0000-0000-000000000001', true)$$),
    ('companion_user', $$companion.add_message('00000000-0000-0000-0000-000000000001',
        companion.open_conversation('00000000-0000-0000-0000-000000000001', 'web'), 'user', 'all about tomatoes')$$),
    ('companion_user', $$companion.search_messages('00000000-0000-0000-0000-000000000001', 'tomatoes')$$),
    ('companion_user', $$companion.recent_messages('00000000-0000-0000-0000-000000000001')$$),
    ('companion_worker', $$companion.close_conversation('00000000-0000-0000-0000-000000000001',
        companion.open_conversation('00000000-0000-0000-0000-000000000001', 'web'), 'calm', '{tomatoes}')$$),
    ('companion_user', $$companion.conversation_starts$$),
    ('companion_user', $$companion.companion_starts$$),
    ('companion_user', $$companion.reply_rates$$),
    ('companion_user', $$companion.next_checkin('00000000-0000-0000-0000-000000000001')$$),
    ('companion_user', $$companion.explain_checkin('00000000-0000-0000-0000-000000000001', '2026-03-02')$$),
    ('companion_user', $$companion.upcoming('00000000-0000-0000-0000-000000000001', companion.now() OPERATOR(pg_catalog.+) '9 days'::pg_catalog.interval)$$),
    ('companion_user', $$companion.sent_today('00000000-0000-0000-0000-000000000001', 'custom')$$),
    -- Memory
    ('companion_user', $$companion.upsert_user_context('00000000-0000-0000-0000-000000000001', 'preference', 'tea', 'green', source => 'user')$$),
    ('companion_worker', $$companion.upsert_user_context_many('00000000-0000-0000-0000-000000000001',
        '[{"category": "preference", "key": "tea", "value": "black"},
          {"category": "follow_up", "key": "exam", "value": "an exam", "metadata": {"follow_up_on": "2026-03-02"}},
          {"category": "mood", "key": "today", "value": "tired", "expires_at": "2026-03-02"}]')$$),
    ('companion_user', $$companion.recall_user_context('00000000-0000-0000-0000-000000000001')$$),
    ('companion_user', $$companion.user_context_prompt('00000000-0000-0000-0000-000000000001')$$),
    ('companion_user', $$companion.recall_score('mood', 0.5, 1, '2026-03-01', '2026-03-01', '2026-03-02')$$),
    ('companion_user', $$companion.due_follow_ups('00000000-0000-0000-0000-000000000001')$$),
    ('companion_user', $$companion.touch_user_context('00000000-0000-0000-0000-000000000001',
        (SELECT pg_catalog.array_agg(id) FROM companion.user_context))$$),
    ('companion_user', $$companion.resolve_user_context('00000000-0000-0000-0000-000000000001', 'follow_up', 'exam')$$),
    ('companion_user', $$companion.end_of_day('00000000-0000-0000-0000-000000000001', '2026-03-02')$$),
    ('companion_user', $$companion.forget_user_context('00000000-0000-0000-0000-000000000001', 'preference')$$),
    ('none', $$SELECT pg_catalog.set_config('companion.clock', '2026-03-03 08:00+00', true)$$),
    ('companion_admin', $$companion.expire_user_context()$$),
    ('companion_worker', $$companion.upsert_user_context_many('00000000-0000-0000-0000-000000000001',
        '[{"category": "follow_up", "key": "visit", "value": 7, "metadata": {"follow_up_on": "2026-03-01"}}, 1]', 'skip')$$),
    ('companion_user', $$companion.update_user_context('00000000-0000-0000-0000-000000000001', category => 'follow_up', key => ' VISIT',
        metadata => '{"with": ["Ana"]}', merge => true)$$),
    ('companion_worker', $$companion.due_follow_ups_all()$$),
    ('companion_worker', $$(SELECT companion.set_embedding(user_id, item_id, 'm', '{1,2}', value)
        FROM companion.items_without_embedding('m'))$$),
    ('companion_user', $$companion.recall_user_context('00000000-0000-0000-0000-000000000001', embedding => '{1,2}')$$),
    ('companion_user', $$companion.memory_report('00000000-0000-0000-0000-000000000001')$$),
    ('companion_user', $$companion.delete_message('00000000-0000-0000-0000-000000000001',
        (SELECT max(id::text)::uuid FROM companion.messages WHERE role = 'user'), forget_facts => true)$$),
    ('companion_admin', $$companion.merge_context_items()$$),
    ('companion_user', $$companion.user_context_as_of('00000000-0000-0000-0000-000000000001', '2026-03-02 12:00+00')$$),
    -- Settings and onboarding
    ('companion_user', $$UPDATE companion.users SET timezone = 'europe/lisbon', checkin_days = '{1,7}' RETURNING timezone$$),
    ('companion_user', $$UPDATE companion.users SET timezone = 'Moon/Base' RETURNING timezone$$),
    ('companion_user', $$companion.canonical_timezone('europe/berlin')$$),
    ('companion_user', $$companion.checkin_instant('Europe/Berlin', '2026-03-29', '02:30')$$),
    ('companion_user', $$(SELECT companion.usable_channel(u), companion.channel_address(u, 'telegram') FROM companion.users AS u)$$),
    ('companion_worker', $$companion.start_onboarding('00000000-0000-0000-0000-000000000002')$$),
    ('companion_worker', $$companion.advance_onboarding('00000000-0000-0000-0000-000000000002', 'name', '{"name": "Diego"}')$$),
    ('companion_worker', $$companion.complete_onboarding('00000000-0000-0000-0000-000000000002')$$),
    ('companion_worker', $$companion.advance_onboarding('00000000-0000-0000-0000-000000000002', 'timezone', '{"timezone": "america/lima"}')$$),
    ('companion_worker', $$companion.complete_onboarding('00000000-0000-0000-0000-000000000002')$$),
    ('companion_admin', $$INSERT INTO companion.onboarding_steps (step, position) VALUES ('name', 11) RETURNING position$$),
    -- Linking
    ('companion_worker', $$companion.redeem_telegram_link_token(companion.create_telegram_link_token('00000000-0000-0000-0000-000000000002'), 200, 'diego')$$),
    ('companion_worker', $$companion.redeem_telegram_link_token('a guess', 200)$$),
    ('companion_user', $$companion.telegram_deep_link('my_companion_bot', 'abc')$$),
    ('companion_user', $$(SELECT pg_catalog.length(companion.create_telegram_link_token()))$$),
    ('companion_user', $$SELECT expires_at FROM companion.telegram_link_tokens$$),
    ('companion_user', $$companion.revoke_telegram_link_tokens()$$),
    ('companion_user', $$companion.unlink_telegram()$$),
    -- Upkeep
    ('companion_admin', $$companion.finish_abandoned()$$),
    ('companion_admin', $$companion.run_maintenance()$$),
    ('companion_admin', $$companion.apply_retention()$$),
    ('none', $$companion.personal_tables$$),
    -- Moving in
    ('companion_admin', $$companion.import_users('[{"id": "00000000-0000-0000-0000-000000000009", "timezone": "europe/oslo", "whatsapp_number": "4740000000"}, {}]')$$),
    ('companion_admin', $$companion.import_conversations('[{"user_id": "00000000-0000-0000-0000-000000000009", "id": 1, "channel": "web", "started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:00:00Z"}, {}]')$$),
    ('companion_admin', $$companion.import_messages('[{"user_id": "00000000-0000-0000-0000-000000000009", "id": 1, "conversation_id": 1, "role": "user", "content": "hello", "created_at": "2026-01-01T00:00:00Z"}, {}]')$$),
    ('companion_admin', $$companion.import_user_context('[{"user_id": "00000000-0000-0000-0000-000000000009", "category": "pet", "key": "cat", "value": "Tom", "created_at": "2026-01-01T00:00:00Z", "source_message_id": 1, "history": [{"value": "Tim", "held_from": "2025-01-01T00:00:00Z", "held_until": "2026-01-01T00:00:00Z"}]}, {}]')$$),
    ('companion_admin', $$companion.import_scheduled_messages('[{"user_id": "00000000-0000-0000-0000-000000000009", "id": 1, "kind": "checkin", "scheduled_for": "2026-01-01T09:00:00Z", "status": "sent", "message_id": 1}, {}]')$$),
    ('companion_admin', $$companion.imported_id('00000000-0000-0000-0000-000000000009', 'messages', '1')$$),
    ('companion_admin', $$companion.erase_user('00000000-0000-0000-0000-000000000009')$$),
    -- Their own, and nobody else's
    ('companion_user', $$companion.export_user('00000000-0000-0000-0000-000000000002')$$),
    ('companion_user', $$companion.users$$),
    ('companion_user', $$companion.export_user()$$),
    ('companion_user', $$companion.erase_user()$$),
    -- An auth table
    ('none', $$companion.follow_auth_users('public.accounts')$$),
    ('none', $$INSERT INTO public.accounts VALUES ('00000000-0000-0000-0000-000000000003', 'noor@example.com') RETURNING email$$),
    ('none', $$(SELECT email FROM companion.users)$$),
    ('none', $$DELETE FROM public.accounts RETURNING email$$),
    ('none', $$(SELECT email FROM companion.users)$$),
    ('none', $$companion.unfollow_auth_users('public.accounts')$$),
    -- Watching
    ('companion_admin', $$(SELECT h."check", h.ok FROM companion.health() AS h)$$),
    ('companion_admin', $$(SELECT m.name FROM companion.metrics() AS m ORDER BY m.name)$$),
    -- A shard, and the directory
    ('none', $$DELETE FROM companion.users RETURNING email$$),
    ('companion_admin', $$companion.set_shard(1, 3)$$),
    ('companion_admin', $$(SELECT companion.shard_of(companion.new_user_id(), 3))$$),
    ('companion_admin', $$INSERT INTO companion.users (id, email) VALUES ('00000000-0000-0000-0000-000000000004', 'Maya@example.org') RETURNING email$$),
    ('companion_worker', $$companion.take_reservation('00000000-0000-0000-0000-000000000004', 'telegram', '7', '', 5, '2026-03-04')$$),
    ('companion_worker', $$companion.link_address('00000000-0000-0000-0000-000000000004', 'telegram', '7')$$),
    ('companion_worker', $$companion.settle_reservation('00000000-0000-0000-0000-000000000004', 'telegram', '7', '', 5, '2026-03-04')$$),
    ('companion_worker', $$(SELECT companion.link_wanted_address(user_id, id, 5, '2026-03-04') FROM companion.directory_changes)$$),
    ('companion_worker', $$companion.unlink_address('00000000-0000-0000-0000-000000000004', 'telegram', '7')$$),
    ('companion_worker', $$companion.settle_reservation('00000000-0000-0000-0000-000000000004', 'telegram', '7', '', 5, '2026-03-04')$$),
    ('companion_worker', $$(SELECT channel, companion.directory_change_done(user_id, id) FROM companion.directory_changes)$$),
    ('companion_worker', $$(SELECT companion.link_token_shard(token) FROM companion.create_telegram_link_token('00000000-0000-0000-0000-000000000004') AS token)$$),
    ('companion_worker', $$companion.link_token_owner('no token')$$),
    ('companion_admin', $$companion.expire_reservations()$$),
    ('none', $$DELETE FROM companion.users RETURNING email$$),
    ('none', $$DELETE FROM companion.shard RETURNING number$$),
    ('companion_admin', $$companion.set_directory(3)$$),
    ('companion_worker', $$(SELECT outcome, owner, expires_at FROM companion.directory_reserve('00000000-0000-0000-0000-000000000004', 'telegram', '7'))$$),
    ('companion_worker', $$(SELECT user_id, shard, found_bot, is_confirmed FROM companion.directory_lookup('telegram', '7', 'a_bot'))$$),
    ('companion_worker', $$(SELECT companion.directory_confirm(user_id, channel, address, bot, reservation) FROM companion.directory)$$),
    ('companion_worker', $$(SELECT companion.directory_release(channel, address, bot, reservation) FROM companion.directory)$$);

-- Play it under a search_path, and keep the outcomes without the ids that are new each time.
CREATE PROCEDURE play(path text) LANGUAGE plpgsql SET search_path = pg_catalog
SET timezone = 'UTC' SET datestyle = 'ISO' SET intervalstyle = 'postgres'
AS $$
DECLARE
    played record;
    outcome text;
BEGIN
    FOR played IN SELECT n, role, CASE WHEN step ~ '^(companion\.|\()'
            THEN format('SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(r)) FROM %s AS r', step)
            ELSE step END AS statement
        FROM public.steps ORDER BY n
    LOOP
        BEGIN
            PERFORM pg_catalog.set_config('role', played.role, true);
            PERFORM pg_catalog.set_config('search_path', path, true);
            EXECUTE played.statement INTO outcome;
        EXCEPTION WHEN OTHERS THEN
            outcome := SQLSTATE || ' ' || SQLERRM;
        END;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog', true);
        PERFORM pg_catalog.set_config('role', 'none', true);
        INSERT INTO public.outcomes VALUES (path, played.n,
            regexp_replace(outcome, '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f-]{17}', '<id>', 'g'));
    END LOOP;
END
$$;

CALL play('pg_catalog, public');
SELECT n, role, regexp_replace(step, '\s.*', '') AS step, left(outcome, 90) AS outcome
FROM steps JOIN outcomes USING (n) ORDER BY n;
-- All is played but what needs pg_cron, and what the others call.
SELECT p.proname AS not_played FROM pg_proc AS p
WHERE p.pronamespace = 'companion'::regnamespace AND p.prorettype <> 'trigger'::regtype
    AND NOT EXISTS (SELECT FROM steps WHERE position('companion.' || p.proname || '(' IN step) > 0)
ORDER BY p.proname COLLATE "C";

-- The traps: the functions (aggregates, too) and operators of pg_catalog, as far as a plpgsql function
-- can have their arguments; its types; text search configurations that find nothing; all relations.
CREATE SCHEMA hostile;
GRANT USAGE ON SCHEMA hostile TO PUBLIC;
CREATE FUNCTION hostile.make(name text, arguments oid[], result oid) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog SET check_function_bodies = off AS $$
BEGIN
    EXECUTE format('CREATE FUNCTION hostile.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', name,
        (SELECT string_agg(format_type(a.type, NULL), ', ' ORDER BY a.n)
         FROM unnest(arguments) WITH ORDINALITY AS a (type, n)),
        format_type(result, NULL), format('BEGIN RAISE ''trapped in %s''; END', name));
END
$$;
CREATE VIEW hostile.argument_types AS
SELECT oid FROM pg_type WHERE typtype <> 'p' OR typname ~ '^any.';
DO $$
DECLARE
    trap record;
BEGIN
    PERFORM hostile.make('count', '{anyelement}'::regtype[]::oid[], 'bigint'::regtype);
    FOR trap IN SELECT p.proname, p.proargtypes::oid[] AS arguments,
            CASE WHEN p.prorettype IN (SELECT oid FROM hostile.argument_types)
            THEN p.prorettype ELSE 'text'::regtype END AS result
        FROM pg_proc AS p WHERE p.pronamespace = 'pg_catalog'::regnamespace
        AND p.proargtypes::oid[] <@ ARRAY(SELECT oid FROM hostile.argument_types) LOOP
        PERFORM hostile.make(trap.proname, trap.arguments, trap.result);
    END LOOP;
    FOR trap IN SELECT 'operator_' || o.oid AS function, o.oprname AS name, o.oprresult AS result,
            array_remove(ARRAY[o.oprleft, o.oprright], 0) AS arguments,
            CASE WHEN o.oprleft <> 0 THEN format('LEFTARG = %s, ', o.oprleft::regtype) END AS left,
            o.oprright::regtype AS right
        FROM pg_operator AS o WHERE o.oprnamespace = 'pg_catalog'::regnamespace
        AND array_remove(ARRAY[o.oprleft, o.oprright], 0)
            <@ ARRAY(SELECT oid FROM hostile.argument_types) LOOP
        PERFORM hostile.make(trap.function, trap.arguments, trap.result);
        EXECUTE format('CREATE OPERATOR hostile.%s (FUNCTION = hostile.%I, %s RIGHTARG = %s)',
            trap.name, trap.function, trap.left, trap.right);
    END LOOP;
    FOR trap IN SELECT oid::regtype AS type, typname FROM pg_type
        WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typelem = 0 LOOP
        EXECUTE format('CREATE DOMAIN hostile.%I AS %s CHECK (false)', trap.typname, trap.type);
    END LOOP;
    FOR trap IN SELECT cfgname FROM pg_ts_config WHERE cfgnamespace = 'pg_catalog'::regnamespace LOOP
        EXECUTE format('CREATE TEXT SEARCH CONFIGURATION hostile.%I (PARSER = pg_catalog.default)',
            trap.cfgname);
    END LOOP;
END
$$;
SELECT (SELECT count(*) FROM pg_proc WHERE pronamespace = 'hostile'::regnamespace) > 3000 AS functions,
       (SELECT count(*) FROM pg_operator WHERE oprnamespace = 'hostile'::regnamespace) > 700 AS operators,
       (SELECT count(*) FROM pg_type WHERE typnamespace = 'hostile'::regnamespace AND typtype = 'd') > 50
           AS types;

-- They do catch who does not look where they step.
SET search_path = hostile, pg_catalog;
SELECT 1 = 1;
SELECT lower('A');
SELECT count(*) FROM public.steps;
SELECT 'a'::text;
RESET search_path;

-- In a new session, which has kept no plan: the extension is made again, and all is played again.
\c -
CREATE PROCEDURE pg_temp.hide(hidden regnamespace) LANGUAGE plpgsql AS $$
DECLARE
    relation text;
BEGIN
    FOR relation IN SELECT relname FROM pg_class WHERE relnamespace = hidden AND relkind IN ('r', 'v') LOOP
        EXECUTE format('CREATE TEMP TABLE %I (trap integer)', relation);
        EXECUTE format('GRANT ALL ON pg_temp.%I TO PUBLIC', relation);
    END LOOP;
END
$$;
SET client_min_messages = warning;
CALL pg_temp.hide('companion');
CALL pg_temp.hide('pg_catalog');
SET search_path = hostile, pg_catalog, public;
DROP EXTENSION companion;
CREATE EXTENSION companion;
CALL public.play('hostile, pg_catalog, public');
-- What commits can only be called by itself.
CALL companion.run_dispatch();
SET search_path = pg_catalog, pg_temp;
SELECT n, s.role, s.step, mine.outcome, theirs.outcome AS trapped
FROM public.steps AS s JOIN public.outcomes AS mine USING (n) JOIN public.outcomes AS theirs USING (n)
WHERE mine.path = 'pg_catalog, public' AND theirs.path = 'hostile, pg_catalog, public'
    AND mine.outcome IS DISTINCT FROM theirs.outcome;
SELECT path, count(*) FROM public.outcomes GROUP BY path ORDER BY path;

-- Nothing of the extension depends on a trap.
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS trapped
FROM pg_depend AS d
WHERE (pg_identify_object(d.refclassid, d.refobjid, 0)).schema IN ('hostile', 'pg_temp')
    AND (pg_identify_object(d.classid, d.objid, 0)).schema = 'companion';

-- A schema of the extension's name that somebody has made before is refused.
DROP EXTENSION companion;
CREATE SCHEMA companion;
\set SHOW_CONTEXT never
CREATE EXTENSION companion;
DROP SCHEMA companion;

DROP SCHEMA hostile CASCADE;
DROP TABLE public.steps, public.outcomes, public.accounts;
DROP PROCEDURE public.play;
CREATE EXTENSION companion;
