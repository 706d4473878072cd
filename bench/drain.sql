-- Users who are all due within three hours. :users is how many.
UPDATE companion.kinds SET send_within = '1 day' WHERE kind = 'checkin';

CREATE TABLE started AS SELECT now() AS at;

-- Ids as an auth system gives them
INSERT INTO companion.users (id, display_name, companion_name, support_style, timezone, checkin_time,
                             preferred_channel, telegram_user_id, onboarding_completed_at)
SELECT gen_random_uuid(), 'User ' || i, 'Robin', 'warm and brief', 'Europe/Lisbon',
       date_trunc('minute', at AT TIME ZONE 'Europe/Lisbon' - i % 170 * interval '1 minute')::time,
       'telegram', 100000000 + i, at - interval '30 days'
FROM started, generate_series(1, :users) AS i;

-- Fill our queue as dispatch does
CREATE PROCEDURE load_ours() LANGUAGE plpgsql SET client_min_messages = warning AS $$
BEGIN
    TRUNCATE companion.scheduled_messages, companion.dispatch_queue, companion.messages,
        companion.conversations CASCADE;
    PERFORM companion.rewind_dispatch(at - interval '3 hours'), companion.dispatch(at) FROM started;
END
$$;

CALL load_ours();
VACUUM ANALYZE companion.users;
