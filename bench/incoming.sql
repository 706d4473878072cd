-- What bench/conversations records incoming messages for: users with two addresses each, who have
-- written before.
SET session_replication_role = replica;
INSERT INTO companion.users (id, telegram_user_id, whatsapp_number, usable_addresses)
SELECT ('00000001-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, n, '+1' || 4150000000 + n,
       ARRAY['telegram', '', n::text, 'whatsapp', '', '+1' || 4150000000 + n]
FROM generate_series(1, :senders) AS n;
INSERT INTO companion.addresses (user_id, channel, address, linked_at)
SELECT u.id, a.channel, a.address, '2026-01-01'
FROM companion.users AS u
CROSS JOIN LATERAL (VALUES ('telegram', telegram_user_id::text), ('whatsapp', whatsapp_number)) AS a (channel, address)
WHERE u.telegram_user_id IS NOT NULL;
INSERT INTO companion.conversations (user_id, id, channel)
SELECT id, id, 'telegram' FROM companion.users WHERE telegram_user_id IS NOT NULL;
VACUUM ANALYZE companion.users, companion.addresses, companion.conversations;
CHECKPOINT;
