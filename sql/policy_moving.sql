-- A message goes elsewhere: what it has waited for is not so there, and linking is followed, too.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
\set maya 00000000-0000-0000-0000-000000000001
INSERT INTO companion.users (id, telegram_user_id, whatsapp_number, preferred_channel, onboarding_completed_at)
VALUES (:'maya', 7001, '+491700000001', 'whatsapp', '2026-01-01');
CREATE VIEW state AS SELECT m.content, m.kind, m.status, m.channel, q.visible_at, q.waits_for, m.failure_reason
FROM companion.scheduled_messages AS m LEFT JOIN companion.dispatch_queue AS q ON q.message_id = m.id ORDER BY m.id;

-- Outside a reply window, by a throttled bot, over a cap: due at once on another channel, if it is due at all.
UPDATE companion.channels SET reply_window = '24 hours' WHERE channel = 'whatsapp';
SELECT count(*) FROM (VALUES (0, NULL), (1, timestamptz '2026-03-04 15:00+00'), (1440, NULL)) AS v (minutes, send_before),
    companion.schedule_message(:'maya', companion.now() + minutes * interval '1 minute', minutes || coalesce(', with an end', ''), send_before => send_before);
SELECT count(*) FROM companion.claim_messages('w');
SET companion.clock = '2026-03-04 09:02+00';
SELECT count(*) FROM companion.claim_messages('w');
SELECT * FROM state;
SELECT kind, goes_at, reason FROM companion.upcoming(:'maya', '2026-03-04 10:00+00');
UPDATE companion.users SET preferred_channel = 'telegram';
SELECT * FROM state;
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
SELECT companion.link_address(:'maya', 'telegram', '7001', 'other_bot');
SELECT companion.throttle_channel('telegram', '20 days', 'other_bot') > companion.now() AS throttled;
SELECT created FROM companion.schedule_message(:'maya', companion.now(), 'by a bot', send_before => '2026-03-04 09:30+00');
SELECT created FROM companion.schedule_message(:'maya', companion.now(), 'for longer');
SELECT count(*) FROM companion.claim_messages('w');
SELECT * FROM state;
SET companion.clock = '2026-03-04 09:31+00';
SELECT count(*) FROM companion.claim_messages('w');
SELECT content, status, failure_reason FROM state;
-- Looked at again within the hour, as the throttle may have been taken away.
DELETE FROM companion.channel_throttles;
SET companion.clock = '2026-03-04 10:03+00';
SELECT content FROM companion.claim_messages('w');
SELECT content, visible_at, waits_for FROM state;

-- A kind that does not fall back has failed where its address is gone, pending or not.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
INSERT INTO companion.kinds (kind, falls_back) VALUES ('otp', false);
SELECT count(*) FROM unnest('{otp,note}'::text[]) AS kind, companion.schedule_message(:'maya', companion.now(), 'x', kind);
SELECT companion.unlink_address(:'maya', 'telegram', '7001', 'other_bot'), companion.disable_address(:'maya', 'telegram', '7001');
SELECT kind, status, channel, failure_reason FROM state;

-- Linked: to where the user would have it, or the app has asked for; what is given another channel stays.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
UPDATE companion.users SET preferred_channel = 'push', telegram_user_id = NULL;
SELECT count(*) FROM (VALUES ('any', NULL), ('by telegram', 'telegram'), ('by whatsapp', 'whatsapp')) AS v (content, channel),
    companion.schedule_message(:'maya', companion.now(), content, channel => channel);
SELECT content, channel FROM state;
SELECT companion.link_address(:'maya', 'push', 'token');
SELECT content, channel FROM state;
SELECT companion.link_address(:'maya', 'telegram', '7002');
SELECT content, channel FROM state;

-- A reply brings back what has waited for it alone.
TRUNCATE companion.scheduled_messages, companion.dispatch_queue;
UPDATE companion.users SET preferred_channel = 'whatsapp';
SELECT count(*) FROM unnest('{waits,asked to wait}'::text[]) AS content, companion.schedule_message(:'maya', companion.now(), content, CASE content WHEN 'waits' THEN 'custom' ELSE 'shipped' END);
INSERT INTO companion.kinds (kind, is_template) VALUES ('shipped', true);
SELECT companion.start_send(user_id, message_id, attempt), companion.mark_failed(user_id, message_id, attempt, '429', '5 hours')
FROM companion.claim_messages('w');
SET companion.clock = '2026-03-04 12:00+00';
SELECT is_new FROM companion.record_incoming('whatsapp', '491700000001', 'hello', external_id => 'x');
SELECT content, visible_at, waits_for FROM state;
DROP VIEW state;
