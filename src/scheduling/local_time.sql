
-- Local time.
CREATE FUNCTION companion.checkin_instant(timezone text, local_date date, local_time time) RETURNS timestamptz
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_checkin_instant';
COMMENT ON FUNCTION companion.checkin_instant(text, date, time) IS
'When a clock in the zone first reads the time on the date. A time that the clock jumps over: the instant of the jump. A time that comes twice: the first. A date that the zone has left out: NULL. Error 22023 for an unknown zone, 22008 for a date out of range.';

CREATE FUNCTION companion.local_timestamp(timezone text, at timestamptz) RETURNS timestamp
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_local_timestamp';
COMMENT ON FUNCTION companion.local_timestamp(text, timestamptz) IS
'What a clock in the zone reads at a time: as AT TIME ZONE, but that a name is always the IANA zone''s, as everywhere here, and never an abbreviation: CET has summer time. NULL for a time that is infinite. Error 22023 for an unknown zone, 22008 for a time out of range.';
