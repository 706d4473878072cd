-- An operator may add columns to our tables, and drop theirs again: every function goes on working, in
-- a session that has called it before, too.
\i test/fresh.sql
SET track_functions = 'all';
-- Two of them and one dropped between; one that is generated; and names that our own statements use.
CREATE PROCEDURE pg_temp.add_columns() LANGUAGE plpgsql AS $$
DECLARE
    altered regclass;
    added text;
BEGIN
    FOR altered IN SELECT c.oid FROM pg_class AS c
        WHERE c.relnamespace = 'companion'::regnamespace AND c.relkind = 'r'
    LOOP
        EXECUTE format('ALTER TABLE %s ADD COLUMN lang text, ADD COLUMN gone integer', altered);
        EXECUTE format('ALTER TABLE %s ALTER COLUMN lang SET DEFAULT %L, DROP COLUMN gone', altered, 'en');
        -- Functions that take the row type of users keep a column with a default from being added there
        IF altered <> 'companion.users'::regclass THEN
            EXECUTE format('ALTER TABLE %s ADD COLUMN "Twice" integer GENERATED ALWAYS AS (2) STORED,'
                           ' ADD COLUMN IF NOT EXISTS since timestamptz DEFAULT now()', altered);
        END IF;
        FOREACH added IN ARRAY '{user_id,data,field,value,item,place,position,rank,reason,channel,c,m}'::text[] LOOP
            EXECUTE format('ALTER TABLE %s ADD COLUMN IF NOT EXISTS %I text', altered, added);
        END LOOP;
    END LOOP;
END
$$;
-- Once without, to have all plans made, and once with them.
\i test/each_kind.sql
RESET ROLE;
DROP TABLE claimed, again;
DELETE FROM companion.dispatch_state;
SET client_min_messages = warning;
CALL pg_temp.add_columns();
RESET client_min_messages;
\i test/each_kind.sql
RESET ROLE;

-- What returns rows returns the columns that it always had.
SET companion.clock = '2026-03-02 10:00+00';
INSERT INTO companion.users (id, display_name, telegram_user_id, onboarding_completed_at, lang)
VALUES (:user, 'Maya', 100, '2026-01-01', 'pt');
SELECT companion.end_of_day(:user, '2026-03-02');
SELECT is_new FROM companion.record_incoming('telegram', '100', 'I planted tomatoes', 1);
SELECT is_new FROM companion.record_incoming('telegram', '100', 'tomatoes!', 2, 1);
SELECT companion.edit_message(:user, NULL, 'I planted potatoes', 1) IS NOT NULL AS edited;
SELECT role, content, telegram_message_id, metadata -> 'edits' -> 0 ->> 'content' AS earlier
FROM companion.recent_messages(:user);
SELECT * FROM companion.recent_messages(:user) WHERE false;
SELECT excerpt FROM companion.search_messages(:user, 'tomatoes or potatoes');
SELECT companion.close_conversation(:user, id, 'calm', '{garden}') FROM companion.conversations;
SELECT by_user, by_companion FROM companion.conversation_starts;
SELECT count(*) FROM companion.companion_starts;
SELECT count(*) FROM companion.reply_rates;
SELECT value, metadata FROM companion.upsert_user_context(:user, 'follow_up', 'exam', 'physics',
    metadata => '{"follow_up_on": "2026-03-02"}');
SELECT key, value, source FROM companion.upsert_user_context_many(:user,
    '[{"category": "follow_up", "key": "exam", "value": "maths", "source": "user",
       "metadata": {"follow_up_on": "2026-03-02"}},
      {"category": "family", "key": "sister", "value": "Ana", "expires_at": "2026-03-02"},
      {"category": "mood", "key": "now", "value": "calm"}]');
SELECT value, contradicted_by FROM companion.upsert_user_context(:user, 'follow_up', 'exam', 'latin');
SELECT * FROM companion.upsert_user_context(:user, 'mood', 'now', 'calm') WHERE false;
SELECT key, value, updated_at FROM companion.due_follow_ups(:user);
SELECT key, value, updated_at FROM companion.recall_user_context(:user);
SELECT companion.touch_user_context(:user, array_agg(id)) FROM companion.user_context;
SELECT companion.resolve_user_context(:user, 'follow_up', 'exam');
SELECT key, value FROM companion.user_context_as_of(:user, companion.now());
SELECT * FROM companion.forget_user_context(:user, 'mood');
SET companion.clock = '2026-03-03 10:00+00';
SELECT companion.expire_user_context();

-- The queue, and what workers report one by one and in bulk.
SELECT companion.usable_channel(users), companion.channel_address(users, 'telegram') FROM companion.users;
SELECT created, companion.rewind_dispatch('2026-03-03 08:00+00') FROM companion.schedule_message(:user, '2026-03-03', 'one');
SELECT created FROM companion.schedule_message(:user, '2026-03-03', 'two');
SELECT companion.dispatch();
SELECT kind, state FROM companion.pending_messages ORDER BY kind;
CREATE TEMP TABLE held AS SELECT array_agg(user_id) AS users, array_agg(message_id) AS messages,
    array_agg(attempt) AS attempts FROM companion.claim_messages('w');
SELECT companion.extend_lease_many(users, messages, attempts) FROM held;
SELECT companion.extend_lease(users[1], messages[1], attempts[1]) FROM held;
SELECT companion.start_send_many(users, messages, attempts) FROM held;
SELECT companion.mark_sent_many(users[1:1], messages[1:1], attempts[1:1], '{hello}') FROM held;
SELECT companion.mark_failed_many(users[2:2], messages[2:2], attempts[2:2], '{busy}', NULL, true) FROM held;
SELECT companion.mark_skipped_many(users[3:3], messages[3:3], attempts[3:3], '{no}') FROM held;
SELECT created FROM companion.schedule_message(:user, '2026-03-03', 'three');
SELECT companion.mark_skipped(user_id, message_id, attempt, 'no') FROM companion.claim_messages('w');
SELECT created FROM companion.schedule_message(:user, '2026-03-03', 'four');
SELECT message_id AS five FROM companion.schedule_message(:user, '2026-03-05', 'five') \gset
SELECT companion.reschedule_message(:user, :'five', '2026-03-06'), companion.annotate_message(:user, :'five', 1),
    companion.cancel_message(:user, :'five'), companion.cancel_messages(:user, 'checkin');
SELECT kind, scheduled_for, reason FROM companion.upcoming(:user, '2026-03-05');
SELECT rule, holds FROM companion.explain_checkin(:user);
SELECT companion.start_send(user_id, message_id, attempt) FROM companion.claim_messages('w', lease => '1 second');
SET companion.clock = '2026-03-03 11:00+00';
SELECT companion.finish_abandoned();
SELECT status, count(*) FROM companion.scheduled_messages GROUP BY status ORDER BY status;
SET companion.clock = '2027-03-03 11:00+00';
SELECT companion.apply_retention();

-- Following an auth table, onboarding, linking, erasing.
CREATE TEMP TABLE accounts (id uuid PRIMARY KEY, email text);
INSERT INTO accounts VALUES ('00000000-0000-0000-0000-000000000002', 'diego@example.org');
SELECT companion.follow_auth_users('accounts');
INSERT INTO accounts VALUES ('00000000-0000-0000-0000-000000000003', 'noor@example.org');
SELECT email, lang FROM companion.users ORDER BY email;
SELECT companion.start_onboarding(:user), companion.advance_onboarding(:user, 'name', '{"name": "Maya"}');
SELECT companion.advance_onboarding(:user, 'timezone', '{"timezone": "Europe/Lisbon"}');
SELECT companion.complete_onboarding(:user);
INSERT INTO companion.onboarding_steps (step, position) VALUES ('name', 11) RETURNING position, lang;
SELECT length(companion.create_telegram_link_token(:user)), companion.revoke_telegram_link_tokens(:user),
    companion.unlink_telegram(:user);
SET companion.clock = '2028-03-03 11:00+00';
SELECT companion.expire_telegram_link_tokens(), companion.forget_redeem_failures();
SELECT jsonb_object_keys(companion.export_user(:user) -> 'users' -> 0) AS exported EXCEPT
SELECT attname FROM pg_attribute WHERE attrelid = 'companion.users'::regclass AND attnum > 0;
-- Moving in.
SELECT outcome FROM companion.import_users('[{"id": "00000000-0000-0000-0000-000000000009", "timezone": "europe/oslo", "whatsapp_number": "4740000000"}, {}]');
SELECT outcome FROM companion.import_conversations('[{"user_id": "00000000-0000-0000-0000-000000000009", "id": 1, "channel": "web", "started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:00:00Z"}, {}]');
SELECT outcome FROM companion.import_messages('[{"user_id": "00000000-0000-0000-0000-000000000009", "id": 1, "conversation_id": 1, "role": "user", "content": "hello", "created_at": "2026-01-01T00:00:00Z"}, {}]');
SELECT outcome FROM companion.import_user_context('[{"user_id": "00000000-0000-0000-0000-000000000009", "category": "pet", "key": "cat", "value": "Tom", "created_at": "2026-01-01T00:00:00Z", "source_message_id": 1, "history": [{"value": "Tim", "held_from": "2025-01-01T00:00:00Z", "held_until": "2026-01-01T00:00:00Z"}]}, {}]');
SELECT outcome FROM companion.import_scheduled_messages('[{"user_id": "00000000-0000-0000-0000-000000000009", "id": 1, "kind": "checkin", "scheduled_for": "2026-01-01T09:00:00Z", "status": "sent", "message_id": 1}, {}]');
SELECT companion.imported_id('00000000-0000-0000-0000-000000000009', 'messages', '1') IS NOT NULL AS imported, companion.erase_user('00000000-0000-0000-0000-000000000009') -> 'messages' AS erased;
SELECT companion.erase_user(:user) -> 'users' AS erased;
DELETE FROM accounts;
SELECT companion.unfollow_auth_users('accounts');

-- Health says which columns these are.
SELECT h.ok, h.value > 200 AS many, left(h.detail, 100) AS detail FROM companion.health() AS h WHERE h."check" = 'added columns';
SELECT count(*) > 10 AS metrics FROM companion.metrics();

-- Every function has been called, but for what the planner unfolds or another file tests.
SELECT pg_stat_force_next_flush();
SELECT proname FROM pg_proc WHERE pronamespace = 'companion'::regnamespace AND NOT EXISTS (
    SELECT FROM pg_stat_user_functions WHERE funcid = pg_proc.oid AND calls > 0)
ORDER BY proname COLLATE "C";
