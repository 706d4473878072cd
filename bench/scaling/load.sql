-- Users of one shard of so many, all of them due within three hours, and their queue. :users is how many,
-- :shard and :shards which.
UPDATE companion.kinds SET send_within = '1 day' WHERE kind = 'checkin';

CREATE TABLE started AS SELECT now() AS at;

INSERT INTO companion.users (id, display_name, companion_name, support_style, timezone, checkin_time,
                             preferred_channel, onboarding_completed_at)
SELECT id, 'User ' || i, 'Robin', 'warm and brief', 'Europe/Lisbon',
       date_trunc('minute', at AT TIME ZONE 'Europe/Lisbon' - i % 170 * interval '1 minute')::time, 'web', at - interval '30 days'
FROM started, (SELECT gen_random_uuid() AS id, i FROM generate_series(1, 2 * :users * :shards + 100) AS i OFFSET 0) AS drawn
WHERE companion.shard_of(id, :shards) = :shard
LIMIT :users;

CREATE PROCEDURE load_ours() LANGUAGE plpgsql SET client_min_messages = warning AS $$
BEGIN
    TRUNCATE companion.scheduled_messages, companion.dispatch_queue, companion.messages,
        companion.conversations CASCADE;
    PERFORM companion.rewind_dispatch(at - interval '3 hours'), companion.dispatch(at) FROM started;
END
$$;
