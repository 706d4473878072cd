
-- The slim queue that workers claim from.
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
    bot text,
    addresses text[],
    kind text NOT NULL DEFAULT 'custom',
    tries integer NOT NULL DEFAULT 0,
    claims integer NOT NULL DEFAULT 0,
    last_error text,
    last_failed_at timestamptz,
    head_start integer NOT NULL DEFAULT 0,
    start_before timestamptz,
    waits_for text,
    PRIMARY KEY (user_id, message_id)
) WITH (fillfactor = 40);
-- A lease is not indexed, so claiming and starting are HOT: each page keeps room
-- for the two new versions of every row that it takes.
CREATE INDEX dispatch_queue_visible ON companion.dispatch_queue
    (channel COLLATE "C", head_start, visible_at, message_id);

COMMENT ON TABLE companion.dispatch_queue IS
'One narrow row a pending message: what workers claim from. Internal. It has no foreign key, so that it can stay on one node; a row whose message is gone is dropped when it is next claimed.';
COMMENT ON COLUMN companion.dispatch_queue.visible_at IS 'Not claimed before this time.';
COMMENT ON COLUMN companion.dispatch_queue.leased_until IS 'Not claimed by another before this time.';
COMMENT ON COLUMN companion.dispatch_queue.send_before IS 'Skipped rather than claimed from this time on.';
COMMENT ON COLUMN companion.dispatch_queue.user_id IS 'To whom.';
COMMENT ON COLUMN companion.dispatch_queue.message_id IS 'scheduled_messages.id.';
COMMENT ON COLUMN companion.dispatch_queue.attempt IS 'The fencing number: how many times it was claimed.';
COMMENT ON COLUMN companion.dispatch_queue.sending IS 'Whether start_send has succeeded: past the point of no return.';
COMMENT ON COLUMN companion.dispatch_queue.channel IS 'A row of channels.';
COMMENT ON COLUMN companion.dispatch_queue.worker IS 'Who holds the lease, or held the last; NULL until it is claimed.';
COMMENT ON COLUMN companion.dispatch_queue.bot IS 'The bot that goes with addresses.';
COMMENT ON COLUMN companion.dispatch_queue.addresses IS 'Where the worker that is sending it was told to, where the user is reached elsewhere now; else NULL.';
COMMENT ON COLUMN companion.dispatch_queue.kind IS 'The message''s kind, whose policy it follows.';
COMMENT ON COLUMN companion.dispatch_queue.tries IS 'How many sends of it were started; one that a retry_after put off is not counted.';
COMMENT ON COLUMN companion.dispatch_queue.claims IS 'How many claims in a row were not started; companion.max_claims is the end.';
COMMENT ON COLUMN companion.dispatch_queue.last_error IS 'Why the last report of a failure said that it failed, its first 500 bytes; NULL: it has not failed.';
COMMENT ON COLUMN companion.dispatch_queue.last_failed_at IS 'When it failed the last time; NULL: it has not.';
COMMENT ON COLUMN companion.dispatch_queue.head_start IS 'By how many seconds it goes ahead of others: kinds.head_start when it was enqueued.';
COMMENT ON COLUMN companion.dispatch_queue.start_before IS 'NULL: its user has no quiet hours. Of what is claimed: when the next begin, and it is looked at again before it is started; -infinity: whenever it is. Of what waits for their end: visible_at.';
COMMENT ON COLUMN companion.dispatch_queue.waits_for IS 'Why it was put off to visible_at, by quiet hours, a cap, a reply window or a throttle; NULL: it was not.';
COMMENT ON INDEX companion.dispatch_queue_visible IS 'For each channel and head start, the order in which messages are claimed.';

CREATE FUNCTION companion.readdress_messages() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_readdress_messages';
COMMENT ON FUNCTION companion.readdress_messages() IS
'Trigger, AFTER UPDATE OF usable_addresses on users: what is pending on a channel that reaches the user no more goes to the next that does, or is skipped where none is left; a claim of what goes to another address, and was not started, is given back; of what is being sent it is kept where it was to go. Waits for who holds one of them, at most companion.lock_wait, then error 55P03; 09000 where a trigger suppresses or changes one.';
CREATE TRIGGER readdress_messages AFTER UPDATE OF usable_addresses ON companion.users
FOR EACH ROW WHEN (old.usable_addresses IS DISTINCT FROM new.usable_addresses)
EXECUTE FUNCTION companion.readdress_messages();
COMMENT ON TRIGGER readdress_messages ON companion.users IS 'What is pending goes where the user is reached now.';

CREATE FUNCTION companion.drop_pending() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_drop_pending';
COMMENT ON FUNCTION companion.drop_pending() IS
'Trigger, AFTER DELETE or TRUNCATE on users: what is pending, and what caps have counted, goes with its user, so that no worker can start it any more. Waits for who holds it, at most companion.lock_wait, then error 55P03.';
CREATE TRIGGER drop_pending AFTER DELETE ON companion.users
FOR EACH ROW EXECUTE FUNCTION companion.drop_pending();
COMMENT ON TRIGGER drop_pending ON companion.users IS 'What is pending goes with its user.';
CREATE TRIGGER drop_all_pending AFTER TRUNCATE ON companion.users
FOR EACH STATEMENT EXECUTE FUNCTION companion.drop_pending();
COMMENT ON TRIGGER drop_all_pending ON companion.users IS 'What is pending goes with its user.';

CREATE VIEW companion.pending_messages WITH (security_invoker = true) AS
SELECT m.user_id, m.id AS message_id, m.kind, m.idempotency_key, m.local_date, m.scheduled_for,
       q.visible_at, CASE WHEN isfinite(q.send_before) THEN q.send_before END AS send_before,
       q.channel, q.attempt, q.worker,
       CASE WHEN isfinite(q.leased_until) THEN q.leased_until END AS leased_until,
       CASE WHEN q.sending THEN 'sending'
            WHEN q.leased_until > companion.now() THEN 'claimed'
            WHEN q.visible_at > companion.now() THEN 'waiting'
            ELSE 'due' END AS state,
       q.tries, q.last_error, q.last_failed_at, q.waits_for
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
COMMENT ON COLUMN companion.pending_messages.send_before IS 'Skipped rather than sent from this time on; NULL: never.';
COMMENT ON COLUMN companion.pending_messages.channel IS 'A row of channels.';
COMMENT ON COLUMN companion.pending_messages.attempt IS 'How many times it was claimed.';
COMMENT ON COLUMN companion.pending_messages.worker IS 'The worker of the last claim.';
COMMENT ON COLUMN companion.pending_messages.leased_until IS 'When that claim''s lease ends; NULL where nobody has it.';
COMMENT ON COLUMN companion.pending_messages.state IS 'waiting (for visible_at), due, claimed (leased) or sending (start_send has succeeded).';
COMMENT ON COLUMN companion.pending_messages.tries IS 'How many sends of it were started.';
COMMENT ON COLUMN companion.pending_messages.last_error IS 'Why it failed the last time; NULL: it has not.';
COMMENT ON COLUMN companion.pending_messages.last_failed_at IS 'When that was.';
COMMENT ON COLUMN companion.pending_messages.waits_for IS 'Why it was put off to visible_at: quiet hours, a cap, a reply window or a throttle; NULL: it was not.';

ALTER TABLE companion.dispatch_queue ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.dispatch_queue TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.dispatch_queue IS 'Workers and admins read the whole queue.';

SELECT pg_catalog.pg_extension_config_dump('companion.dispatch_queue', '');
