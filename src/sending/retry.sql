
-- Bringing back what is finished and was not sent.
CREATE FUNCTION companion.retry_message(
    user_id uuid, message_id uuid, send_before timestamptz DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_retry_message';
COMMENT ON FUNCTION companion.retry_message(uuid, uuid, timestamptz) IS
'Brings back a message that has failed, was skipped, or is unknown, which may send it twice: due at once, with all its tries, to be sent before this time; NULL: for as long as its kind''s send_within says, from now. It goes to its own channel, or where that is not usable to another. Returns false, and changes nothing, for another message and where no channel reaches the user. A late report of an earlier attempt counts no more. Error 22023 for a send_before that is not in the future. Waits for who holds the user, at most companion.lock_wait, then error 55P03: call again.';

CREATE FUNCTION companion.retry_failed(
    since timestamptz, reason_pattern text DEFAULT NULL, kinds text[] DEFAULT NULL)
RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_retry_failed';
COMMENT ON FUNCTION companion.retry_failed(timestamptz, text, text[]) IS
'retry_message for every message that has failed since a time, for a reason that is LIKE the pattern (NULL: any), of these kinds (NULL: all). Reads all messages. Passes over users whom another transaction holds, so call again until it returns 0: how many it has brought back.';
