
-- Pauses: sending stands still, on a channel, of a kind, or all of it.
CREATE TABLE companion.sending_pauses (
    channel text COLLATE "C" NOT NULL DEFAULT '',
    kind text COLLATE "C" NOT NULL DEFAULT '',
    until timestamptz CHECK (isfinite(until)),
    reason text,
    since timestamptz NOT NULL DEFAULT companion.now(),
    PRIMARY KEY (channel, kind)
);
COMMENT ON TABLE companion.sending_pauses IS
'What pause_sending() has paused, and what it had: a pause that is over stays as a row, until there is another of the same, so that a channel with a rate begins anew without what it has not sent meanwhile.';
COMMENT ON COLUMN companion.sending_pauses.channel IS 'The channel; empty: all.';
COMMENT ON COLUMN companion.sending_pauses.kind IS 'The kind; empty: all.';
COMMENT ON COLUMN companion.sending_pauses.until IS 'When it ends, or has ended; NULL: with resume_sending().';
COMMENT ON COLUMN companion.sending_pauses.reason IS 'Why, in the operator''s words.';
COMMENT ON COLUMN companion.sending_pauses.since IS 'When it began.';

CREATE TRIGGER reload_pauses AFTER INSERT OR UPDATE OR DELETE ON companion.sending_pauses
FOR EACH ROW EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_pauses ON companion.sending_pauses IS 'Every session reads the pauses anew.';
CREATE TRIGGER reload_no_pauses AFTER TRUNCATE ON companion.sending_pauses
FOR EACH STATEMENT EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_no_pauses ON companion.sending_pauses IS 'Every session reads the pauses anew.';
ALTER TABLE companion.sending_pauses ENABLE ALWAYS TRIGGER reload_pauses;
ALTER TABLE companion.sending_pauses ENABLE ALWAYS TRIGGER reload_no_pauses;

ALTER TABLE companion.sending_pauses ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.sending_pauses FOR SELECT
TO companion_worker, companion_monitor USING (true);
COMMENT ON POLICY read ON companion.sending_pauses IS 'Workers, and who watches, see what is paused.';
CREATE POLICY every_row ON companion.sending_pauses TO companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.sending_pauses IS 'Admins pause.';

SELECT pg_catalog.pg_extension_config_dump('companion.sending_pauses', '');

CREATE FUNCTION companion.pause_sending(
    channel text DEFAULT NULL, kind text DEFAULT NULL, until timestamptz DEFAULT NULL, reason text DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_pause_sending';
COMMENT ON FUNCTION companion.pause_sending(text, text, timestamptz, text) IS
'Pauses sending on a channel, of a kind, of a kind on a channel, or, with neither, all of it; until a time or, with NULL, resume_sending(). Of what is paused no start_send that begins after this has committed is true; it gives the message back. What becomes of the messages says kinds.when_closed. Nothing pending is touched, however much there is. Paused again, until and reason are replaced. Returns whether it is paused now: false for an until that has passed, which ends a pause. reason: 1 to 500 characters. Error 22023 for an unknown channel, a kind that is no name of one and another reason, 22008 for an infinite until.';

CREATE FUNCTION companion.resume_sending(channel text DEFAULT NULL, kind text DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_resume_sending';
COMMENT ON FUNCTION companion.resume_sending(text, text) IS
'Ends the pause that pause_sending() of the same channel and kind began; false where there is none. Another that covers the same messages goes on. A channel with a rate starts with no more than that. Error 22023 as of pause_sending, but for a channel that is none any more.';

CREATE FUNCTION companion.sending_paused(channel text, kind text, at timestamptz)
RETURNS TABLE (until timestamptz, reason text)
LANGUAGE c STABLE ROWS 1
AS 'MODULE_PATHNAME', 'companion_sending_paused';
COMMENT ON FUNCTION companion.sending_paused(text, text, timestamptz) IS
'Why messages of a kind are not started on a channel at a time, and until when, NULL: until somebody resumes it. Both NULL: they are started. Internal.';
