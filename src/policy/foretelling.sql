
-- Foretelling: what ticks will find, by the rules that they go by.
CREATE FUNCTION companion.after_quiet_hours(
    kind text, timezone text, quiet_from time, quiet_until time, at timestamptz,
    send_before timestamptz)
RETURNS TABLE (goes_at timestamptz, reason text)
LANGUAGE c STABLE ROWS 1
AS 'MODULE_PATHNAME', 'companion_after_quiet_hours';
COMMENT ON FUNCTION companion.after_quiet_hours(text, text, time, time, timestamptz, timestamptz) IS
'When a message of this kind that is due at a time goes by its user''s quiet hours: then, at their end, or, where it is skipped, NULL; and why not at once. Nothing where at is NULL. Internal.';

CREATE FUNCTION companion.after_policy(
    user_id uuid, kind text, channel text, at timestamptz, send_before timestamptz)
RETURNS TABLE (goes_at timestamptz, reason text)
LANGUAGE c STABLE ROWS 1
AS 'MODULE_PATHNAME', 'companion_after_policy';
COMMENT ON FUNCTION companion.after_policy(uuid, text, text, timestamptz, timestamptz) IS
'When a message that may go on a channel at a time goes by pauses of sending and the user''s caps, as they are now: NULL where it is skipped, or waits for somebody to resume sending; and why not at once. Internal.';

CREATE FUNCTION companion.not_covered_since(user_id uuid, at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN least(
    coalesce((SELECT s.previous_tick FROM companion.dispatch_state AS s), at - interval '1 minute'),
    (SELECT min(r.since) FROM companion.dispatch_recheck AS r
     WHERE r.user_id = not_covered_since.user_id));
COMMENT ON FUNCTION companion.not_covered_since(uuid, timestamptz) IS
'After when a user''s check-ins are still to be found by the tick that runs at a time, or the next one. Internal.';

-- Each is judged by what stands already, as a tick does, and by the last one before it that is
-- foretold to go.
CREATE FUNCTION companion.checkins_foretold(
    user_id uuid, since timestamptz, until timestamptz, found_at timestamptz,
    send_within interval, min_gap interval)
RETURNS TABLE (local_date date, scheduled_for timestamptz, goes_at timestamptz, channel text, reason text)
LANGUAGE sql STABLE ROWS 10
BEGIN ATOMIC
    WITH RECURSIVE due AS MATERIALIZED (
        SELECT row_number() OVER (ORDER BY d.scheduled_for) AS number, d.local_date, d.scheduled_for,
            greatest(d.scheduled_for, checkins_foretold.found_at) AS found_at,
            companion.choose_channel(u.usable_addresses, u.preferred_channel) AS channel,
            nearby.is_too_close OR companion.is_overtaken(u.timezone, u.checkin_time, u.checkin_days,
                d.scheduled_for, greatest(d.scheduled_for, checkins_foretold.found_at), min_gap)
                AS is_too_close,
            quiet.goes_at, quiet.reason
        FROM companion.users AS u
        CROSS JOIN LATERAL companion.checkins_due(u.timezone, u.checkin_time, u.checkin_days,
            since, until) AS d
        CROSS JOIN LATERAL companion.checkins_nearby(u.id, u.timezone, d.local_date, d.scheduled_for,
            companion.checkin_key(d.local_date), companion.checkin_key(d.local_date - 2),
            companion.checkin_key(d.local_date + 3), min_gap, NULL) AS nearby
        CROSS JOIN LATERAL companion.after_quiet_hours('checkin', u.timezone, u.quiet_from,
            u.quiet_until, greatest(d.scheduled_for, checkins_foretold.found_at),
            d.scheduled_for + send_within) AS quiet
        WHERE u.id = checkins_foretold.user_id AND NOT nearby.day_is_taken
            AND companion.checkin_refused(u.checkin_time, u.checkin_days, u.onboarding_completed_at,
                u.checkin_paused_until, u.suspended_until, NULL, d.scheduled_for) IS NULL),
    foretold AS (
        SELECT 0::bigint AS number, NULL::date AS local_date, NULL::timestamptz AS scheduled_for,
            NULL::timestamptz AS goes_at, NULL::text AS channel, NULL::text AS reason,
            NULL::date AS last_date, NULL::timestamptz AS last_due, NULL::timestamptz AS last_goes
        UNION ALL
        SELECT due.number, due.local_date, due.scheduled_for, going.at, due.channel,
            coalesce(skip.reason, due.reason),
            CASE WHEN going.at IS NULL THEN f.last_date ELSE due.local_date END,
            CASE WHEN going.at IS NULL THEN f.last_due ELSE due.scheduled_for END,
            coalesce(going.at, f.last_goes)
        FROM foretold AS f
        JOIN due ON due.number = f.number + 1
        CROSS JOIN LATERAL (
            SELECT companion.checkin_skipped(due.scheduled_for, due.found_at, send_within,
                due.is_too_close
                    OR coalesce(f.last_date >= due.local_date - 2 AND companion.is_too_close(
                        due.scheduled_for, f.last_due, f.last_goes, min_gap), false),
                due.channel) AS reason) AS skip
        CROSS JOIN LATERAL (
            SELECT CASE WHEN skip.reason IS NULL THEN due.goes_at END AS at) AS going)
    SELECT f.local_date, f.scheduled_for, f.goes_at, f.channel, f.reason
    FROM foretold AS f WHERE f.number > 0;
END;
COMMENT ON FUNCTION companion.checkins_foretold(uuid, timestamptz, timestamptz, timestamptz, interval, interval) IS
'The check-ins of a user that are due after since and up to until, which ticks at found_at and later will record, as the user''s settings and past check-ins now stand; goes_at is NULL for those that will be skipped, and reason says why, or why one waits. Internal.';

CREATE FUNCTION companion.upcoming(user_id uuid, until timestamptz)
RETURNS TABLE (message_id uuid, kind text, local_date date, scheduled_for timestamptz,
               goes_at timestamptz, channel text, address text, reason text)
LANGUAGE c STABLE ROWS 10
AS 'MODULE_PATHNAME', 'companion_upcoming';
COMMENT ON FUNCTION companion.upcoming(uuid, timestamptz) IS
'What is to go to a user, in the order in which it is due, up to and with until: the messages that are pending, and the check-ins that ticks will find, whose message_id is NULL, as the user''s settings, addresses, caps and past check-ins, and pauses of sending, now stand. goes_at: when it may go, after quiet hours, a pause of sending, and when its cap has room, at the earliest now; NULL: it would be skipped, or waits for resume_sending(). address: where it goes on its channel, of several the one that was linked last. reason: why it waits, or would be skipped, or what is being done with it. No row for an until in the past, or an unknown user. For the user''s own, or workers and admins: error 42501 for others. Error 22008 for an infinite until, 22023 for one more than 400 days from now.';
