
-- Taking back, or putting off, what is scheduled.
CREATE FUNCTION companion.cancel_message(
    user_id uuid, message_id uuid DEFAULT NULL, reason text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS text
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_cancel_message';
COMMENT ON FUNCTION companion.cancel_message(uuid, uuid, text, text) IS
'Takes a scheduled message back, named by its id or its idempotency_key. Returns cancelled: it is not sent, whoever has claimed it, or was cancelled before; sending: start_send has succeeded; finished: it was sent, has failed, was skipped or is unknown; not found. Against a start_send at the same moment one wins. reason: 1 to 1000 characters. Scheduling again under its key revives it; a check-in stays cancelled for its day. For the user''s own, or workers and admins: error 42501 for others. Error 22023 unless one of message_id and idempotency_key is given. Waits for who holds the user or the message, at most companion.lock_wait, then error 55P03: call again. Error 09000 where a trigger suppresses or changes a row.';

CREATE FUNCTION companion.cancel_messages(
    user_id uuid, kind text DEFAULT NULL, reason text DEFAULT NULL)
RETURNS integer
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_cancel_messages';
COMMENT ON FUNCTION companion.cancel_messages(uuid, text, text) IS
'Takes back all that is pending for a user, of one kind or, with NULL, of all, but for what is being sent; returns how many. Rights and errors as of cancel_message.';

CREATE FUNCTION companion.reschedule_message(
    user_id uuid, message_id uuid, scheduled_for timestamptz)
RETURNS text
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_reschedule_message';
COMMENT ON FUNCTION companion.reschedule_message(uuid, uuid, timestamptz) IS
'Moves a pending message to another time; one in the past is due at once. Its send_before moves along, as far after the new time, or after now, as it was after the old. A claim that was not started is given back. Returns rescheduled; sending: start_send has succeeded; finished: it was sent, has failed, was skipped or cancelled, or is unknown; not found. Error 22023 for a check-in that would leave its local day, 22008 for an infinite time. Waits and fails as cancel_message.';

CREATE FUNCTION companion.annotate_message(
    user_id uuid, message_id uuid, priority_level integer DEFAULT NULL,
    topic_key text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_annotate_message';
COMMENT ON FUNCTION companion.annotate_message(uuid, uuid, integer, text, jsonb) IS
'Sets what the app notes of a scheduled message, pending or finished; NULL leaves it as it is. Returns false where there is no such message. Error 22023 for a priority_level that is no smallint, a topic_key that has not 1 to 200 characters, and metadata that is no object or over companion.max_json_size. Waits and fails as cancel_message.';
