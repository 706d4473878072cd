-- Users who are due, and the peer: a lean queue without tenants, guard or audit. :users is how many.
\ir drain.sql

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
