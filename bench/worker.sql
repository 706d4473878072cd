-- Users who are all due within three hours, and the peer: a lean queue without tenants, guard or
-- audit. :users is how many.
SELECT format('ALTER DATABASE %I SET companion.catch_up = ''1d''', current_database()) \gexec

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

CREATE TABLE lean_queue (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    visible_at timestamptz NOT NULL,
    enqueued_at timestamptz NOT NULL DEFAULT now(),
    read_count integer NOT NULL DEFAULT 0,
    payload jsonb NOT NULL
);
CREATE INDEX ON lean_queue (visible_at);
CREATE TABLE lean_archive (
    id bigint PRIMARY KEY,
    enqueued_at timestamptz NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT now(),
    read_count integer NOT NULL,
    payload jsonb NOT NULL
);

-- What a worker needs of the same messages
CREATE TABLE payloads AS
SELECT m.scheduled_for,
       jsonb_build_object('user_id', m.user_id, 'kind', m.kind, 'local_date', m.local_date,
                          'scheduled_for', m.scheduled_for, 'channel', m.channel,
                          'address', u.telegram_user_id::text, 'display_name', u.display_name,
                          'companion_name', u.companion_name, 'support_style', u.support_style,
                          'timezone', u.timezone) AS payload
FROM companion.scheduled_messages AS m JOIN companion.users AS u ON u.id = m.user_id
ORDER BY m.scheduled_for;

CREATE PROCEDURE load_peer() LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE lean_queue, lean_archive;
    INSERT INTO lean_queue (visible_at, payload)
    SELECT scheduled_for, payload FROM payloads ORDER BY scheduled_for;
END
$$;
