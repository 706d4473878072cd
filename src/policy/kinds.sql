
-- Kinds of messages: what may become of each.
CREATE TABLE companion.kinds (
    kind text COLLATE "C" PRIMARY KEY CHECK (kind ~ '^[a-z][a-z0-9_]{0,62}$'),
    head_start interval NOT NULL DEFAULT '0' CHECK (head_start >= '0' AND head_start <= '1 day'),
    send_within interval CHECK (send_within >= '0'),
    max_tries integer DEFAULT 20 CHECK (max_tries > 0),
    retry_unknown boolean NOT NULL DEFAULT false,
    falls_back boolean NOT NULL DEFAULT true,
    respects_pause boolean NOT NULL DEFAULT false,
    cancel_on_reply boolean NOT NULL DEFAULT false,
    quiet text NOT NULL DEFAULT 'defer' CHECK (quiet IN ('defer', 'skip', 'ignore')),
    cap_group text CHECK (cap_group ~ '^[a-z][a-z0-9_]{0,62}$'),
    over_cap text NOT NULL DEFAULT 'defer' CHECK (over_cap IN ('defer', 'skip')),
    when_closed text NOT NULL DEFAULT 'wait' CHECK (when_closed IN ('wait', 'fall_back', 'skip')),
    is_template boolean NOT NULL DEFAULT false,
    CONSTRAINT kinds_end CHECK (send_within IS NOT NULL OR max_tries IS NOT NULL),
    CONSTRAINT kinds_checkin CHECK (
        kind <> 'checkin' OR (send_within IS NOT NULL AND send_within <= '7 days'))
);
COMMENT ON TABLE companion.kinds IS
'The policy of each kind of message. A kind that is not here follows custom, whose row should stay. Inserting a kind that is there replaces it, so that what an app has changed survives a restore over the standard rows.';
COMMENT ON COLUMN companion.kinds.kind IS 'The kind''s name: 1 to 63 lower-case letters, digits and _, a letter first.';
COMMENT ON COLUMN companion.kinds.head_start IS 'By how much its messages are claimed ahead of others that are due, as if they had been due so much earlier, in whole seconds; none is claimed before it is due. A change is for messages that are enqueued from then on.';
COMMENT ON COLUMN companion.kinds.send_within IS 'How long after it is due a message may still be sent, where its own send_before does not say; NULL: for as long as it has tries. A check-in that is found later than this is recorded as skipped; its row has one, of at most 7 days.';
COMMENT ON COLUMN companion.kinds.max_tries IS 'How often sending a message is started, without success, before it has failed; NULL: until its send_before.';
COMMENT ON COLUMN companion.kinds.retry_unknown IS 'Whether a double is better than a miss: a message whose worker was not heard of again after start_send is sent again.';
COMMENT ON COLUMN companion.kinds.falls_back IS 'Whether a message whose address is gone goes to the next usable channel; else it has failed.';
COMMENT ON COLUMN companion.kinds.respects_pause IS 'Whether its messages are skipped that are due while the user has paused check-ins (users.checkin_paused_until); check-ins always are.';
COMMENT ON COLUMN companion.kinds.cancel_on_reply IS 'Whether its messages are cancelled when the user writes before they are sent, where schedule_message has not said.';
COMMENT ON COLUMN companion.kinds.quiet IS 'What becomes of a message in its user''s quiet hours: defer, to their end, or where that is past its send_before skip; skip; or ignore them.';
COMMENT ON COLUMN companion.kinds.cap_group IS 'The rows of caps that its messages are counted by; NULL: none.';
COMMENT ON COLUMN companion.kinds.over_cap IS 'What becomes of a message that is over a cap: defer, until there is room; or skip.';
COMMENT ON COLUMN companion.kinds.when_closed IS 'What becomes of a message whose channel is paused, or outside the channel''s reply_window: wait; fall_back, to the next usable channel; or skip.';
COMMENT ON COLUMN companion.kinds.is_template IS 'Whether its messages are templates that the messenger has approved, which go outside of a channel''s reply_window, too.';

CREATE TRIGGER replace_kind BEFORE INSERT ON companion.kinds
FOR EACH ROW EXECUTE FUNCTION companion.replace_row('kind');
COMMENT ON TRIGGER replace_kind ON companion.kinds IS 'Inserting a kind that is there replaces it.';
CREATE TRIGGER reload_kinds AFTER INSERT OR UPDATE OR DELETE ON companion.kinds
FOR EACH ROW EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_kinds ON companion.kinds IS 'Every session reads the kinds anew.';
CREATE TRIGGER reload_no_kinds AFTER TRUNCATE ON companion.kinds
FOR EACH STATEMENT EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_no_kinds ON companion.kinds IS 'Every session reads the kinds anew.';
-- A logical subscriber, and a restore as one, come upon the standard rows, too.
ALTER TABLE companion.kinds ENABLE ALWAYS TRIGGER replace_kind;
ALTER TABLE companion.kinds ENABLE ALWAYS TRIGGER reload_kinds;
ALTER TABLE companion.kinds ENABLE ALWAYS TRIGGER reload_no_kinds;

INSERT INTO companion.kinds (kind, send_within, max_tries, respects_pause) VALUES
    ('checkin', '4 hours', NULL, true),
    ('custom', NULL, 20, false);

ALTER TABLE companion.kinds ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.kinds FOR SELECT
TO companion_user, companion_worker, companion_runtime, companion_monitor USING (true);
COMMENT ON POLICY read ON companion.kinds IS 'Everyone reads the kinds.';
CREATE POLICY every_row ON companion.kinds TO companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.kinds IS 'Admins change the kinds.';

SELECT pg_catalog.pg_extension_config_dump('companion.kinds', '');
