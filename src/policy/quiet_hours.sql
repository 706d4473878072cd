
-- Quiet hours.
CREATE FUNCTION companion.quiet_until(
    timezone text, quiet_from time, quiet_until time, at timestamptz) RETURNS timestamptz
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_quiet_until';
COMMENT ON FUNCTION companion.quiet_until(text, time, time, timestamptz) IS
'When the quiet time ends that at lies in; NULL where it is not quiet then, and where an argument is NULL. It is quiet whenever a clock in the zone shows a time from quiet_from up to quiet_until, without it: from a later time to an earlier one over midnight, from one to the same never. What the clock shows twice is quiet both times; where it jumps over quiet_until, quiet time ends with the jump. Error 22023 for an unknown zone and for 24:00, 22008 for an infinite at, and one after the year 294246.';

CREATE FUNCTION companion.unknown_start(quiet_from time, quiet_until time) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN quiet_from <> quiet_until THEN timestamptz '-infinity' END;
COMMENT ON FUNCTION companion.unknown_start(time, time) IS
'dispatch_queue.start_before of what is not claimed: -infinity for a user who has quiet hours, else NULL. Internal.';
