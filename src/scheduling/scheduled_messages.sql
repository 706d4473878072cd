
-- Scheduled messages: the audit trail.
CREATE TABLE companion.scheduled_messages (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    kind text NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    local_date date NOT NULL,
    timezone text NOT NULL,
    scheduled_for timestamptz NOT NULL,
    send_before timestamptz NOT NULL DEFAULT 'infinity',
    status text NOT NULL DEFAULT 'pending',
    attempts integer NOT NULL DEFAULT 0,
    channel text,
    content text,
    generation_context jsonb,
    priority_level smallint,
    topic_key text,
    failure_reason text,
    sent_at timestamptz,
    finished_at timestamptz,
    conversation_id uuid,
    message_id uuid,
    telegram_message_id bigint,
    worker text,
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    bot text,
    addresses text[],
    tries integer NOT NULL DEFAULT 0,
    wanted_channel text,
    cancel_on_reply boolean,
    metadata jsonb,
    PRIMARY KEY (user_id, id),
    -- The guard: whoever inserts, by whatever path, a second one is refused.
    UNIQUE (user_id, idempotency_key)
) WITH (fillfactor = 40);
-- More than half of each page is left free, so that finishing a whole batch is HOT, even where all
-- of a page's rows are due at one minute: no index covers a column that changes, and old and new
-- rows fit side by side, though a check-in's grows from 152 bytes to 240. Retention, too, goes by
-- the time at which a row was made, which is never after it was finished.
CREATE INDEX scheduled_messages_created ON companion.scheduled_messages (created_at);

COMMENT ON TABLE companion.scheduled_messages IS
'One row a message that the companion starts, and what became of it. Rows are finished, not deleted, until companion.retention has passed.';
COMMENT ON COLUMN companion.scheduled_messages.user_id IS 'To whom.';
COMMENT ON COLUMN companion.scheduled_messages.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.scheduled_messages.kind IS 'checkin, or the app''s own: lower-case letters, digits and _.';
COMMENT ON COLUMN companion.scheduled_messages.idempotency_key IS 'One message a user and key. A check-in''s is checkin:<local date>, with @<zone> after it where travel brings the same date again.';
COMMENT ON COLUMN companion.scheduled_messages.local_date IS 'The local day that it is for.';
COMMENT ON COLUMN companion.scheduled_messages.timezone IS 'The user''s zone when it was enqueued.';
COMMENT ON COLUMN companion.scheduled_messages.scheduled_for IS 'The instant at which it was due, whenever it was found.';
COMMENT ON COLUMN companion.scheduled_messages.send_before IS 'Skipped rather than sent from this time on.';
COMMENT ON COLUMN companion.scheduled_messages.status IS 'pending until finished; then sent, failed, skipped, cancelled, or unknown: its worker died after start_send.';
COMMENT ON COLUMN companion.scheduled_messages.attempts IS 'How many times it was claimed; set when it is finished.';
COMMENT ON COLUMN companion.scheduled_messages.channel IS 'A row of channels; NULL where none reached the user.';
COMMENT ON COLUMN companion.scheduled_messages.content IS 'The text, where it was given beforehand; what was sent is in messages.';
COMMENT ON COLUMN companion.scheduled_messages.generation_context IS 'What the app''s model needs to write it.';
COMMENT ON COLUMN companion.scheduled_messages.priority_level IS 'The app''s own.';
COMMENT ON COLUMN companion.scheduled_messages.topic_key IS 'The app''s own.';
COMMENT ON COLUMN companion.scheduled_messages.failure_reason IS 'Why it failed or was skipped.';
COMMENT ON COLUMN companion.scheduled_messages.sent_at IS 'When it was reported sent.';
COMMENT ON COLUMN companion.scheduled_messages.finished_at IS 'When it left pending.';
COMMENT ON COLUMN companion.scheduled_messages.conversation_id IS 'The conversation that the sent message is filed in.';
COMMENT ON COLUMN companion.scheduled_messages.message_id IS 'The sent message in messages.';
COMMENT ON COLUMN companion.scheduled_messages.telegram_message_id IS 'Telegram''s id of the sent message.';
COMMENT ON COLUMN companion.scheduled_messages.worker IS 'The worker of the last attempt.';
COMMENT ON COLUMN companion.scheduled_messages.created_at IS 'When it was enqueued.';
COMMENT ON COLUMN companion.scheduled_messages.bot IS 'The bot that goes with addresses.';
COMMENT ON COLUMN companion.scheduled_messages.addresses IS 'Of what is unknown: where its worker was told to send it, for a report that comes late.';
COMMENT ON COLUMN companion.scheduled_messages.tries IS 'How many sends of it were started; set when it is finished.';
COMMENT ON COLUMN companion.scheduled_messages.wanted_channel IS 'The channel that schedule_message was given; NULL: the one that the user prefers.';
COMMENT ON COLUMN companion.scheduled_messages.cancel_on_reply IS 'Whether it is cancelled when the user writes; NULL: as its kind says.';
COMMENT ON COLUMN companion.scheduled_messages.metadata IS 'The app''s own, a JSON object; up to companion.max_json_size.';
COMMENT ON INDEX companion.scheduled_messages_created IS 'Which messages retention looks at: the oldest.';

CREATE FUNCTION companion.check_scheduled_message() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_scheduled_message';
COMMENT ON FUNCTION companion.check_scheduled_message() IS
'Trigger, AFTER INSERT OR UPDATE: kind is a word, idempotency_key has 1 to 200 characters and begins with checkin: where the kind is checkin and nowhere else, status and channel are as their comments say, content is not empty. Error 23514, with the column''s name.';
CREATE TRIGGER check_scheduled_message AFTER INSERT OR UPDATE ON companion.scheduled_messages
FOR EACH ROW EXECUTE FUNCTION companion.check_scheduled_message();
COMMENT ON TRIGGER check_scheduled_message ON companion.scheduled_messages IS 'Refuses what a row may not hold.';

ALTER TABLE companion.scheduled_messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.scheduled_messages TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.scheduled_messages IS 'An end user reads their own messages only.';
CREATE POLICY every_row ON companion.scheduled_messages TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.scheduled_messages IS 'Workers and admins read every user''s.';

-- Written by the functions only.

SELECT pg_catalog.pg_extension_config_dump('companion.scheduled_messages', '');
