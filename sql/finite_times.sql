-- A time that is infinite may be stored: of a pause or a suspension without an end, of what may be sent for
-- ever, of what a worker or an admin writes directly. Many drivers have no value for it, so what a view or a
-- function returns has NULL instead.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
\set maya 00000000-0000-0000-0000-000000000001
INSERT INTO companion.users (id, display_name, checkin_paused_until, suspended_until, subscription_expires_at, onboarding_completed_at,
    last_user_message_at, telegram_linked_at)
VALUES (:'maya', 'Maya', 'infinity', '-infinity', 'infinity', '-infinity', '-infinity', 'infinity');
SET ROLE companion_worker;
INSERT INTO companion.conversations (user_id, channel, initiated_by, started_at, ended_at)
VALUES (:'maya', 'web', 'companion', '-infinity', '-infinity'), (:'maya', 'telegram', 'companion', '-infinity', NULL);
INSERT INTO companion.messages (user_id, conversation_id, role, content, created_at)
SELECT user_id, id, 'user', 'hello', at FROM companion.conversations, unnest('{infinity,-infinity,2026-03-04}'::timestamptz[]) AS at;
RESET ROLE;
UPDATE companion.messages SET edited_at = 'infinity';
SELECT created FROM companion.schedule_message(:'maya', companion.now(), 'for ever');
SELECT created FROM companion.schedule_message(:'maya', '2026-03-05 09:00+00', 'and another');
SELECT value FROM companion.upsert_user_context(:'maya', 'mood', 'today', 'calm', expires_at => 'infinity', metadata => '{"follow_up_on": "2026-03-04"}');
SELECT value FROM companion.upsert_user_context(:'maya', 'mood', 'today', 'cheerful');
SELECT value FROM companion.upsert_user_context(:'maya', 'follow_up', 'exam', 'how was it', metadata => '{"follow_up_on": "2026-03-04"}');
INSERT INTO companion.scheduled_messages (user_id, id, kind, idempotency_key, local_date, timezone, scheduled_for, send_before,
    channel, status, sent_at, finished_at)
VALUES (:'maya', :'maya', 'custom', 'sent', '2026-03-04', 'UTC', companion.now(), 'infinity', 'web', 'sent', 'infinity',
    companion.now());
-- Another, whom the app may write to.
\set ada 00000000-0000-0000-0000-000000000002
INSERT INTO companion.users (id, display_name, onboarding_completed_at) VALUES (:'ada', 'Ada', '2026-01-01');
SELECT value FROM companion.upsert_user_context('00000000-0000-0000-0000-000000000002', 'follow_up', 'exam', 'how was it',
    expires_at => 'infinity', metadata => '{"follow_up_on": "2026-03-04"}');

-- Every view, and every function with a time in its result.
CREATE TEMP TABLE returned (what text, rows bigint, infinite bigint);
CREATE FUNCTION pg_temp.look(what text, relation text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO returned SELECT %L, count(*), count(*) FILTER (WHERE r::text ~ ''infinity'') FROM %s AS r',
                   what, relation);
END
$$;
SELECT count(pg_temp.look(oid::regclass::text, oid::regclass::text)) > 4 AS views
FROM pg_class WHERE relnamespace = 'companion'::regnamespace AND relkind = 'v';
CREATE TEMP TABLE calls (function text, arguments text);
INSERT INTO calls VALUES
    ('now', ''), ('checkin_instant', '''UTC'', ''2026-03-05'', ''09:00'''),
    ('local_timestamp', '''UTC'', ''infinity'''), ('local_timestamp', '''UTC'', ''-infinity'''),
    ('quiet_until', '''UTC'', ''09:00'', ''10:00'', companion.now()'),
    ('checkins_due', '''UTC'', ''09:00'', ''{1,2,3,4,5,6,7}'', companion.now(), ''2026-03-09'''),
    ('end_of_day', quote_literal(:'maya') || ', ''2026-03-05'''), ('next_checkin', quote_literal(:'maya')),
    ('put_user', quote_literal(:'maya') || ', ''{"checkin_paused_until": "infinity"}'''),
    ('recent_messages', quote_literal(:'maya')), ('search_messages', quote_literal(:'maya') || ', ''hello'''),
    ('upsert_user_context', quote_literal(:'maya') || ', ''mood'', ''now'', ''calm'', expires_at => ''infinity'''),
    ('upsert_user_context_many', quote_literal(:'maya') || ', ''[{"category": "mood", "key": "then", "value": "calm", "expires_at": "infinity"}]'''),
    ('recall_user_context', quote_literal(:'maya')), ('due_follow_ups', quote_literal(:'maya')), ('user_context_as_of', quote_literal(:'maya') || ', ''infinity'''),
    ('update_user_context', quote_literal(:'maya') || ', NULL, ''mood'', ''now'', expires_at => ''infinity'''),
    ('memory_report', quote_literal(:'maya')), ('due_follow_ups_all', ''),
    ('sending_paused', '''web'', ''custom'', companion.now()'), ('cap_full', quote_literal(:'maya') || ', ''custom'', companion.now()'),
    ('after_policy', quote_literal(:'maya') || ', ''custom'', ''web'', companion.now(), ''infinity'''),
    ('throttle_channel', '''push'', ''1 hour'''), ('unknown_start', '''22:00'', ''22:00'''),
    ('day_as_seen', '''UTC'', ''Asia/Tokyo'', ''2026-03-05'', companion.now()'),
    ('upcoming', quote_literal(:'ada') || ', companion.now() + interval ''9 days'''),
    ('checkins_foretold', quote_literal(:'ada') || ', companion.now(), companion.now() + interval ''9 days'', ''-infinity'', ''4 hours'', ''6 hours'''),
    ('after_quiet_hours', '''custom'', ''UTC'', ''09:00'', ''10:00'', ''infinity'', ''infinity'''),
    ('not_covered_since', quote_literal(:'ada') || ', companion.now()'),
    ('claim_messages', '''w''');
SELECT count(pg_temp.look(function, format('companion.%I(%s)', function, arguments))) AS calls FROM calls;
INSERT INTO companion.shard (shards) VALUES (3);
INSERT INTO calls VALUES ('directory_reserve', quote_literal(:'maya') || ', ''telegram'', ''7'''), ('directory_lookup', '''telegram'', ''7''');
SELECT count(pg_temp.look(function, format('companion.%I(%s)', function, arguments))) AS "of the directory" FROM calls WHERE function ~ '^directory';
DELETE FROM companion.shard;
SELECT p.oid::regprocedure AS "not called" FROM pg_proc AS p
WHERE p.pronamespace = 'companion'::regnamespace AND p.proname NOT IN (SELECT function FROM calls)
    AND EXISTS (
        SELECT FROM (
            SELECT type FROM unnest(p.proallargtypes, p.proargmodes) AS a (type, mode) WHERE mode = 't'
            UNION ALL SELECT p.prorettype
            UNION ALL SELECT a.atttypid FROM pg_type AS t JOIN pg_attribute AS a ON a.attrelid = t.typrelid
            WHERE t.oid = p.prorettype AND a.attnum > 0) AS returned
        WHERE type IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype));
SELECT what, rows FROM returned WHERE infinite > 0 ORDER BY what;
SELECT what AS "nothing returned" FROM returned WHERE rows = 0;
SELECT send_before, leased_until, state FROM companion.pending_messages;
