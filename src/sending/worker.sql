
-- What a worker calls: claim, start, report.
CREATE FUNCTION companion.claim_messages(
    worker text, max_messages integer DEFAULT 50, lease interval DEFAULT '5 minutes',
    channels text[] DEFAULT NULL, kinds text[] DEFAULT NULL)
RETURNS TABLE (
    user_id uuid, message_id uuid, attempt integer, kind text, local_date date,
    scheduled_for timestamptz, late_by interval, channel text, address text, display_name text,
    companion_name text, support_style text, timezone text, content text, generation_context jsonb,
    bot text, addresses text[], longest_text integer, send_before timestamptz, tries integer,
    location text, preferences jsonb, email text, priority_level smallint, topic_key text)
LANGUAGE c ROWS 50
AS 'MODULE_PATHNAME', 'companion_claim_messages';
COMMENT ON FUNCTION companion.claim_messages(text, integer, interval, text[], text[]) IS
'Leases due messages to a worker, the oldest first, by when they are due less their kinds'' head_start, passing over what others hold, and waits for nobody. Each row carries the attempt that the worker must report with. bot and address say where it goes: of several addresses there the one that was linked last, and addresses has them all, for a channel on which every device is written to; on a channel that needs none it is the user''s id. longest_text is channels.longest_text; send_before is NULL where there is no such time; tries is how many sends of it were started before. A message past its send_before is recorded as skipped instead, or as failed where a try of it has, and so is one that was claimed companion.max_claims times in a row without a start. In its user''s quiet hours a message is put off until they end, or skipped, as its kind says; while check-ins are paused, one whose kind respects pauses is skipped. worker: 1 to 200 characters. max_messages: 1 to 10000. lease: above zero, at most a day. channels: NULL for all. kinds: NULL for all; one that no message is of brings none. Error 22023 otherwise.';

CREATE FUNCTION companion.start_send(
    user_id uuid, message_id uuid, attempt integer)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_start_send';
COMMENT ON FUNCTION companion.start_send(uuid, uuid, integer) IS
'The point of no return, called right before sending: true once for each attempt, for the newest only, and only before its send_before. It is a try, and leaves companion.send_timeout at least of the lease. After false, do not send. Where quiet hours have begun since the claim, or a cap of its kind''s group is full, it returns false and puts the message off, or skips it, as its kind says, and the claim is given back, as it is where sending is paused or outside the channel''s reply_window. NULL where the channel''s rate or a throttle does not let it go yet: the claim stays, call again. Returns false, and changes nothing, for an older attempt or a message that is not pending. Waits for who holds the message, at most companion.lock_wait, then error 55P03: call again.';
CREATE FUNCTION companion.start_send_many(
    user_ids uuid[], message_ids uuid[], attempts integer[])
RETURNS boolean[]
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_start_send_many';
COMMENT ON FUNCTION companion.start_send_many(uuid[], uuid[], integer[]) IS
'start_send for many messages: one result for each, in input order. It waits for nobody: NULL for one that another transaction holds, or that the channel''s rate does not let go yet, which means not now, call again. Do not send after NULL. Error 2202E when the arrays differ in length.';

CREATE FUNCTION companion.mark_sent(
    user_id uuid, message_id uuid, attempt integer, content text DEFAULT NULL,
    telegram_message_id bigint DEFAULT NULL, external_id text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, resolves uuid[] DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_mark_sent';
COMMENT ON FUNCTION companion.mark_sent(uuid, uuid, integer, text, bigint, text, jsonb, uuid[]) IS
'Reports that the message was sent after start_send: files content (or the text given when it was scheduled) as an assistant message in the user''s companion-initiated conversation and finishes the message, all at once. telegram_message_id or external_id is the messenger''s id of it, in the chat that it was sent to; it is filed whatever message has that id already, and the id is the newer one''s from then on. metadata is the message''s. resolves are ids of items of the user''s that it asks about, follow-ups or open threads: they are resolved in the same moment, and one that is none of theirs, or resolved already, is passed over. Still accepted when the message has become unknown meanwhile. Error 22023 when there is no text at all, for two ids, a telegram_message_id below 1, an external_id that has not 1 to 512 characters or has control characters, and metadata that is not an object or over companion.max_json_size; 55000 for a message that start_send did not succeed for. Returns false, and changes nothing, for an older attempt or a message that is not pending. Waits for who holds the user or the message, at most companion.lock_wait, then error 55P03: call again.';
CREATE FUNCTION companion.mark_sent_many(
    user_ids uuid[], message_ids uuid[], attempts integer[], contents text[] DEFAULT NULL,
    telegram_message_ids bigint[] DEFAULT NULL, external_ids text[] DEFAULT NULL,
    metadata jsonb[] DEFAULT NULL, resolves uuid[] DEFAULT NULL)
RETURNS boolean[]
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_mark_sent_many';
COMMENT ON FUNCTION companion.mark_sent_many(uuid[], uuid[], integer[], text[], bigint[], text[], jsonb[], uuid[]) IS
'mark_sent for many messages: one result for each, in input order. It waits for nobody: NULL for one whose user or message another transaction holds, which means not now, call again; the others are finished. resolves has for each message the id of one item, or a row of ids; NULL counts for nothing. What mark_sent would refuse by an error is false here, with a WARNING that says why. Error 2202E when the arrays differ in length.';

CREATE FUNCTION companion.mark_failed(
    user_id uuid, message_id uuid, attempt integer, reason text, retry_after interval DEFAULT NULL, permanent boolean DEFAULT false,
    address_gone boolean DEFAULT false, retry_after_seconds double precision DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_mark_failed';
COMMENT ON FUNCTION companion.mark_failed(uuid, uuid, integer, text, interval, boolean, boolean, double precision) IS
'Reports that the message was not sent. It comes back after retry_after, or retry_after_seconds, which costs no try, or after a backoff that doubles with each failure, until its kind''s max_tries or its send_before; then it has failed. Without a start_send before it, it counts as a claim that was not started. permanent (a text that the messenger refuses): failed at once; the address stays. address_gone (a blocked bot, an account that is no more): the addresses that the worker was told are disabled, and the message, where it has a try left, is not permanent and its kind falls back, goes to the next usable channel at once, or is skipped where none is left. Error 22023 for a wait that is negative or over 30 days, and for both. The report counts also where the message was given up as unknown meanwhile. Returns false, and changes nothing, for another attempt or a message that is finished. Waits for who holds the user or the message, at most companion.lock_wait, then error 55P03: call again.';
CREATE FUNCTION companion.mark_failed_many(
    user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[], retry_after interval DEFAULT NULL, permanent boolean DEFAULT false,
    address_gone boolean DEFAULT false, retry_after_seconds double precision DEFAULT NULL)
RETURNS boolean[]
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_mark_failed_many';
COMMENT ON FUNCTION companion.mark_failed_many(uuid[], uuid[], integer[], text[], interval, boolean, boolean, double precision) IS
'mark_failed for many messages: one result for each, in input order. It waits for nobody: NULL for one whose user or message another transaction holds, which means not now, call again; the others are finished. Error 2202E when the arrays differ in length.';

CREATE FUNCTION companion.mark_skipped(
    user_id uuid, message_id uuid, attempt integer, reason text)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_mark_skipped';
COMMENT ON FUNCTION companion.mark_skipped(uuid, uuid, integer, text) IS
'Reports that the message is not to be sent after all, and why. Returns false, and changes nothing, for an older attempt or a message that is not pending. Waits for who holds the user or the message, at most companion.lock_wait, then error 55P03: call again.';
CREATE FUNCTION companion.mark_skipped_many(
    user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[])
RETURNS boolean[]
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_mark_skipped_many';
COMMENT ON FUNCTION companion.mark_skipped_many(uuid[], uuid[], integer[], text[]) IS
'mark_skipped for many messages: one result for each, in input order. It waits for nobody: NULL for one whose user or message another transaction holds, which means not now, call again; the others are finished. Error 2202E when the arrays differ in length.';

CREATE FUNCTION companion.release_message(user_id uuid, message_id uuid, attempt integer)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_release_message';
COMMENT ON FUNCTION companion.release_message(uuid, uuid, integer) IS
'Gives a claim back, which costs nothing: the message can be claimed at once. Returns false, and changes nothing, for a message that was started (mark_failed is for that), an older attempt or a message that is not pending. Waits for who holds the message, at most companion.lock_wait, then error 55P03: call again.';
CREATE FUNCTION companion.release_message_many(
    user_ids uuid[], message_ids uuid[], attempts integer[])
RETURNS boolean[]
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_release_message_many';
COMMENT ON FUNCTION companion.release_message_many(uuid[], uuid[], integer[]) IS
'release_message for many messages: one result for each, in input order. It waits for nobody: NULL for one that another transaction holds, which means not now, call again. Error 2202E when the arrays differ in length.';

CREATE FUNCTION companion.extend_lease(
    user_id uuid, message_id uuid, attempt integer, lease interval DEFAULT '5 minutes')
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_extend_lease';
COMMENT ON FUNCTION companion.extend_lease(uuid, uuid, integer, interval) IS
'Moves the end of the lease to this long from now: above zero, at most a day, else error 22023. Returns false, and changes nothing, for an older attempt or a message that is not pending. Waits for who holds the message, at most companion.lock_wait, then error 55P03: call again.';
CREATE FUNCTION companion.extend_lease_many(
    user_ids uuid[], message_ids uuid[], attempts integer[], lease interval DEFAULT '5 minutes')
RETURNS boolean[]
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_extend_lease_many';
COMMENT ON FUNCTION companion.extend_lease_many(uuid[], uuid[], integer[], interval) IS
'extend_lease for many messages: one result for each, in input order. It waits for nobody: NULL for one that another transaction holds, which means not now, call again. Error 2202E when the arrays differ in length.';

