SELECT 'address', right(user_id::text, 1), channel, bot, address, linked_at AT TIME ZONE 'UTC', unlinked_at IS NULL, disabled_reason
FROM companion.addresses ORDER BY 2, 3;
SELECT 'usable', right(id::text, 1), usable_addresses, app_data FROM companion.users ORDER BY 2;
SELECT 'message', content, telegram_message_id, channel, bot, address FROM companion.messages ORDER BY telegram_message_id;
SELECT 'pending', right(user_id::text, 1), m.channel, q.channel FROM companion.scheduled_messages AS m
JOIN companion.dispatch_queue AS q USING (user_id) ORDER BY 2;
SELECT 'incoming', right(user_id::text, 1), is_new FROM companion.record_incoming('telegram', '111', 'of this one', 2)
UNION ALL SELECT 'incoming', right(user_id::text, 1), is_new FROM companion.record_incoming('telegram', '111', 'of another account', 1)
UNION ALL SELECT 'incoming', right(user_id::text, 1), is_new FROM companion.record_incoming('telegram', '222', 'linked for ever', 3)
UNION ALL SELECT 'incoming', right(user_id::text, 1), is_new FROM companion.record_incoming('whatsapp', '553187654321', 'by whom');
SELECT 'usable', right(id::text, 1), usable_addresses FROM companion.users ORDER BY 2;
