-- Each kind of call, first and second time, with results that are the same in every run.
-- script/sanitize compares what it prints with and without the server's caches.
\set user '\'00000000-0000-0000-0000-000000000001\''
SET companion.clock = '2026-03-02 08:59:00+00';
INSERT INTO companion.users (id, display_name) VALUES (:user, 'Maya');
SELECT companion.start_onboarding(:user), companion.advance_onboarding(:user, 'name', '{"name": "Maya R."}');
SELECT companion.advance_onboarding(:user, 'timezone', '{"timezone": "europe/london"}');
UPDATE companion.users SET timezone = 'Europe/London', onboarding_completed_at = '2026-01-01' WHERE id = :user;
SELECT display_name, checkin_days, app_data FROM companion.put_user(:user, '{"checkin_days": [2, 1], "app_data": {"plan": "gold"}}');
SELECT display_name, telegram_user_id FROM companion.put_user(NULL, '{"telegram_user_id": 9, "display_name": "Noor"}');
SELECT display_name, location FROM companion.put_user(NULL, '{"telegram_user_id": 9, "location": "Oslo"}');
DELETE FROM companion.users WHERE id <> :user;
SELECT companion.next_checkin(:user), companion.checkin_instant('Europe/Berlin', '2026-03-29', '02:30');

SELECT companion.open_conversation(:user, 'web') = companion.open_conversation(:user, 'web') AS same;
SELECT companion.add_message(:user, companion.open_conversation(:user, 'web'), 'user', 'my sister ' || n) IS NOT NULL
FROM generate_series(1, 2) AS n;
SELECT role, excerpt FROM companion.search_messages(:user, 'sister') ORDER BY excerpt;
SELECT value, confirmations, previous_value FROM companion.upsert_user_context(:user, 'family', 'sister', 'Ana');
SELECT value, confirmations, previous_value FROM companion.upsert_user_context(:user, 'family', 'sister', 'Ana');
SELECT value, confirmations, previous_value FROM companion.upsert_user_context_many(:user,
    '[{"category": "family", "key": "sister", "value": "Eva"}, {"category": "mood", "key": "now", "value": "calm"}]');
SELECT companion.user_context_prompt(:user);

SELECT companion.dispatch();
SET companion.clock = '2026-03-02 09:00:30+00';
SELECT companion.dispatch(), companion.dispatch();
CREATE TEMP TABLE claimed AS SELECT * FROM companion.claim_messages('w');
SELECT attempt, kind, scheduled_for, late_by, display_name FROM claimed;
SELECT companion.mark_failed(user_id, message_id, attempt, 'busy', '0 seconds') FROM claimed;
CREATE TEMP TABLE again AS SELECT * FROM companion.claim_messages('w');
SELECT companion.start_send(user_id, message_id, attempt), companion.mark_sent(user_id, message_id, attempt, 'Good morning')
FROM again;
SELECT companion.mark_sent(user_id, message_id, attempt, 'Good morning') FROM claimed;
SELECT companion.sent_today(:user), status, attempts FROM companion.scheduled_messages;

SELECT companion.create_telegram_link_token(:user) AS token \gset
SELECT * FROM companion.redeem_telegram_link_token(:'token', 7);
SELECT * FROM companion.redeem_telegram_link_token('guess', 8);
SELECT * FROM companion.run_maintenance();
SET companion.user_id = :user;
SET ROLE companion_user;
SELECT (SELECT sum(jsonb_array_length(value)) FROM jsonb_each(companion.export_user()));
SELECT display_name, telegram_user_id FROM companion.users;
SELECT companion.erase_user();
