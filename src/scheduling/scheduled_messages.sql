
-- Scheduled messages: the audit trail, and the slim queue that workers claim from.
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
    channel text NOT NULL,
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
COMMENT ON COLUMN companion.scheduled_messages.status IS 'pending until finished; then sent, failed, skipped, or unknown: its worker died after start_send.';
COMMENT ON COLUMN companion.scheduled_messages.attempts IS 'How many times it was claimed; set when it is finished.';
COMMENT ON COLUMN companion.scheduled_messages.channel IS 'web, telegram or whatsapp.';
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

CREATE FUNCTION companion.check_scheduled_message() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_scheduled_message';
COMMENT ON FUNCTION companion.check_scheduled_message() IS
'Trigger, AFTER INSERT OR UPDATE: kind is a word, idempotency_key has 1 to 200 characters and begins with checkin: where the kind is checkin and nowhere else, status and channel are as their comments say, content is not empty. Error 23514, with the column''s name.';
CREATE TRIGGER check_scheduled_message AFTER INSERT OR UPDATE ON companion.scheduled_messages
FOR EACH ROW EXECUTE FUNCTION companion.check_scheduled_message();
COMMENT ON TRIGGER check_scheduled_message ON companion.scheduled_messages IS 'Refuses what a row may not hold.';

CREATE TABLE companion.dispatch_queue (
    visible_at timestamptz NOT NULL,
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    send_before timestamptz NOT NULL,
    user_id uuid NOT NULL,
    message_id uuid NOT NULL,
    attempt integer NOT NULL DEFAULT 0,
    sending boolean NOT NULL DEFAULT false,
    channel text NOT NULL,
    worker text,
    PRIMARY KEY (user_id, message_id)
) WITH (fillfactor = 40);
-- A lease is not indexed, so claiming and starting are HOT: each page keeps room
-- for the two new versions of every row that it takes.
CREATE INDEX dispatch_queue_visible ON companion.dispatch_queue (visible_at, message_id);

COMMENT ON INDEX companion.scheduled_messages_created IS 'Which messages retention looks at: the oldest.';

COMMENT ON TABLE companion.dispatch_queue IS
'One narrow row a pending message: what workers claim from. Internal. It has no foreign key, so that it can stay on one node; a row whose message is gone is dropped when it is next claimed.';
COMMENT ON COLUMN companion.dispatch_queue.visible_at IS 'Not claimed before this time.';
COMMENT ON COLUMN companion.dispatch_queue.leased_until IS 'Not claimed by another before this time.';
COMMENT ON COLUMN companion.dispatch_queue.send_before IS 'Skipped rather than claimed from this time on.';
COMMENT ON COLUMN companion.dispatch_queue.user_id IS 'To whom.';
COMMENT ON COLUMN companion.dispatch_queue.message_id IS 'scheduled_messages.id.';
COMMENT ON COLUMN companion.dispatch_queue.attempt IS 'The fencing number: how many times it was claimed.';
COMMENT ON COLUMN companion.dispatch_queue.sending IS 'Whether start_send has succeeded: past the point of no return.';
COMMENT ON COLUMN companion.dispatch_queue.channel IS 'web, telegram or whatsapp.';
COMMENT ON COLUMN companion.dispatch_queue.worker IS 'Who holds the lease, or held the last; NULL until it is claimed.';
COMMENT ON INDEX companion.dispatch_queue_visible IS 'The order in which messages are claimed.';

CREATE VIEW companion.pending_messages WITH (security_invoker = true) AS
SELECT m.user_id, m.id AS message_id, m.kind, m.idempotency_key, m.local_date, m.scheduled_for,
       q.visible_at, q.send_before, q.channel, q.attempt, q.worker, q.leased_until,
       CASE WHEN q.sending THEN 'sending'
            WHEN q.leased_until > companion.now() THEN 'claimed'
            WHEN q.visible_at > companion.now() THEN 'waiting'
            ELSE 'due' END AS state
FROM companion.dispatch_queue AS q
JOIN companion.scheduled_messages AS m ON m.user_id = q.user_id AND m.id = q.message_id;
COMMENT ON VIEW companion.pending_messages IS
'For operators: every pending message and its state: waiting, due, claimed or sending.';
COMMENT ON COLUMN companion.pending_messages.user_id IS 'To whom.';
COMMENT ON COLUMN companion.pending_messages.message_id IS 'scheduled_messages.id.';
COMMENT ON COLUMN companion.pending_messages.kind IS 'checkin, or the app''s own.';
COMMENT ON COLUMN companion.pending_messages.idempotency_key IS 'One message a user and key.';
COMMENT ON COLUMN companion.pending_messages.local_date IS 'The local day that it is for.';
COMMENT ON COLUMN companion.pending_messages.scheduled_for IS 'When it was due.';
COMMENT ON COLUMN companion.pending_messages.visible_at IS 'Not claimed before this time.';
COMMENT ON COLUMN companion.pending_messages.send_before IS 'Skipped rather than sent from this time on.';
COMMENT ON COLUMN companion.pending_messages.channel IS 'web, telegram or whatsapp.';
COMMENT ON COLUMN companion.pending_messages.attempt IS 'How many times it was claimed.';
COMMENT ON COLUMN companion.pending_messages.worker IS 'The worker of the last claim.';
COMMENT ON COLUMN companion.pending_messages.leased_until IS 'When that claim''s lease ends.';
COMMENT ON COLUMN companion.pending_messages.state IS 'waiting (for visible_at), due, claimed (leased) or sending (start_send has succeeded).';

ALTER TABLE companion.scheduled_messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.scheduled_messages TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.scheduled_messages IS 'An end user reads their own messages only.';
CREATE POLICY every_row ON companion.scheduled_messages TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.scheduled_messages IS 'Workers and admins read every user''s.';
ALTER TABLE companion.dispatch_queue ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.dispatch_queue TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.dispatch_queue IS 'Workers and admins read the whole queue.';

-- Written by the functions below only.

SELECT pg_catalog.pg_extension_config_dump('companion.scheduled_messages', '');
SELECT pg_catalog.pg_extension_config_dump('companion.dispatch_queue', '');
