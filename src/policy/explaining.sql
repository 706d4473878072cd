
-- Explaining a check-in: each rule, in words.
CREATE FUNCTION companion.clock_reading(timezone text, at timestamptz) RETURNS text
LANGUAGE sql STABLE
RETURN to_char(companion.local_timestamp(timezone, at), 'YYYY-MM-DD HH24:MI') || ' ' || timezone;
COMMENT ON FUNCTION companion.clock_reading(text, timestamptz) IS
'A time in words, as a clock in the zone shows it. Internal.';

CREATE FUNCTION companion.checkin_outcome(user_id uuid, message_id uuid, at timestamptz)
RETURNS TABLE (holds boolean, detail text)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT CASE WHEN m.status = 'sent' THEN true
            WHEN m.status NOT IN ('pending', 'unknown') THEN false END,
        CASE
        WHEN m.status = 'sent' THEN 'sent on ' || m.channel || ' at '
            || coalesce(companion.clock_reading(m.timezone, m.sent_at), 'a time that is not known')
        WHEN m.status = 'unknown' THEN 'it may have been sent: its worker was not heard of again'
        WHEN m.status <> 'pending' THEN m.status || coalesce(': ' || m.failure_reason, '')
        WHEN q.sending THEN 'being sent by ' || q.worker
        WHEN q.send_before <= at
            THEN 'will be skipped: not sent before ' || companion.clock_reading(m.timezone, q.send_before)
        WHEN q.leased_until > at THEN 'claimed by ' || q.worker || ', which has not started to send it'
        WHEN q.visible_at > at
            THEN 'waits until ' || companion.clock_reading(m.timezone, q.visible_at)
                || coalesce(': ' || q.waits_for, '')
        ELSE 'due, and waits for a worker to claim it' END
        || CASE WHEN m.status = 'pending' THEN coalesce('; last: ' || q.last_error, '') ELSE '' END
    FROM companion.scheduled_messages AS m
    LEFT JOIN companion.dispatch_queue AS q ON q.user_id = m.user_id AND q.message_id = m.id
    WHERE m.user_id = checkin_outcome.user_id AND m.id = checkin_outcome.message_id;
END;
COMMENT ON FUNCTION companion.checkin_outcome(uuid, uuid, timestamptz) IS
'What became of a message by a time: whether it was sent, NULL where that is open, and in words. Internal.';

CREATE FUNCTION companion.explain_checkin(user_id uuid, local_date date DEFAULT NULL)
RETURNS TABLE (rule text, holds boolean, detail text)
LANGUAGE c STABLE ROWS 10
AS 'MODULE_PATHNAME', 'companion_explain_checkin';
COMMENT ON FUNCTION companion.explain_checkin(uuid, date) IS
'Why a user gets, got or did not get the check-in of a local day, NULL: of today on their clock. One row a rule, in this order: eligible, weekday, paused, guard, min_gap, channel, quiet, caps, sending, outcome. holds: false where the rule stands in its way, by the user''s settings as they are now; of outcome, whether it was sent; NULL where that is open, or there is nothing to judge. detail says so in words, with the values. For the user''s own, or workers and admins: error 42501 for others. Error 22008 for a date out of range.';
