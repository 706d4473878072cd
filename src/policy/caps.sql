
-- Caps: at most so many messages of a group of kinds.
CREATE TABLE companion.caps (
    cap_group text COLLATE "C" NOT NULL,
    local_period text COLLATE "C",
    rolling interval,
    max_messages integer NOT NULL,
    CONSTRAINT caps_once UNIQUE NULLS NOT DISTINCT (cap_group, local_period, rolling),
    CONSTRAINT caps_group_name CHECK (cap_group ~ '^[a-z][a-z0-9_]{0,62}$'),
    CONSTRAINT caps_local_period CHECK (local_period IN ('day', 'week', 'month')),
    CONSTRAINT caps_rolling CHECK (rolling > '0' AND rolling <= '366 days'),
    CONSTRAINT caps_one_period CHECK ((local_period IS NULL) <> (rolling IS NULL)),
    CONSTRAINT caps_max_messages CHECK (max_messages BETWEEN 1 AND 1000)
);
-- Its columns are no primary key, since one of them is always NULL.
ALTER TABLE companion.caps REPLICA IDENTITY FULL;
COMMENT ON TABLE companion.caps IS
'At most so many messages of a group to one user, in a local day, week or month, or within any stretch of some length. A group may have several: 3 a day and 10 a week. The kinds of a group say so in kinds.cap_group. Counted are sends that were started, but for those that certainly failed.';
COMMENT ON COLUMN companion.caps.cap_group IS 'The group''s name: 1 to 63 lower-case letters, digits and _, a letter first.';
COMMENT ON COLUMN companion.caps.local_period IS 'In which they are counted, by the clock of the zone that the user is in when a message is to be started: day, week (from Monday) or month; NULL: rolling says.';
COMMENT ON COLUMN companion.caps.rolling IS 'Within any stretch of which length they are counted, a day of it having 24 hours and a month 30 days: up to 366 days; NULL: local_period says.';
COMMENT ON COLUMN companion.caps.max_messages IS 'How many there may be, 1 to 1000.';

CREATE TRIGGER reload_caps AFTER INSERT OR UPDATE OR DELETE ON companion.caps
FOR EACH ROW EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_caps ON companion.caps IS 'Every session reads the caps anew.';
CREATE TRIGGER reload_no_caps AFTER TRUNCATE ON companion.caps
FOR EACH STATEMENT EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_no_caps ON companion.caps IS 'Every session reads the caps anew.';
ALTER TABLE companion.caps ENABLE ALWAYS TRIGGER reload_caps;
ALTER TABLE companion.caps ENABLE ALWAYS TRIGGER reload_no_caps;

ALTER TABLE companion.caps ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.caps FOR SELECT
TO companion_user, companion_worker, companion_runtime, companion_monitor USING (true);
COMMENT ON POLICY read ON companion.caps IS 'Everyone reads the caps.';
CREATE POLICY every_row ON companion.caps TO companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.caps IS 'Admins change the caps.';

SELECT pg_catalog.pg_extension_config_dump('companion.caps', '');

-- What the caps have counted. Each start is one HOT update: nothing of it is indexed but the key.
CREATE TABLE companion.cap_starts (
    user_id uuid NOT NULL,
    cap_group text COLLATE "C" NOT NULL,
    started_at timestamptz[] NOT NULL,
    message_ids uuid[] NOT NULL,
    PRIMARY KEY (user_id, cap_group)
) WITH (fillfactor = 50);
COMMENT ON TABLE companion.cap_starts IS
'One narrow row for a user and group of caps: the last starts that count, twice as many as the largest of its caps allows. Internal. It has no foreign key, as dispatch_queue has none, and goes with its user.';
COMMENT ON COLUMN companion.cap_starts.user_id IS 'To whom.';
COMMENT ON COLUMN companion.cap_starts.cap_group IS 'The group of caps.';
COMMENT ON COLUMN companion.cap_starts.started_at IS 'When sends were started, in ascending order.';
COMMENT ON COLUMN companion.cap_starts.message_ids IS 'Of which message each was: scheduled_messages.id.';

ALTER TABLE companion.cap_starts ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.cap_starts TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.cap_starts IS 'Workers and admins read what is counted.';

SELECT pg_catalog.pg_extension_config_dump('companion.cap_starts', '');

CREATE FUNCTION companion.cap_full(user_id uuid, kind text, at timestamptz)
RETURNS TABLE (until timestamptz, reason text)
LANGUAGE c STABLE ROWS 1
AS 'MODULE_PATHNAME', 'companion_cap_full';
COMMENT ON FUNCTION companion.cap_full(uuid, text, timestamptz) IS
'Which cap a message of this kind would be over at a time, by what has been started so far, in words; and until when it is full. Both NULL: none. Internal.';
