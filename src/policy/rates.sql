
-- Rates: how fast messages are started on a channel, by each bot.
CREATE TABLE companion.send_rates (
    next_at timestamptz NOT NULL,
    channel text COLLATE "C" NOT NULL,
    bot text COLLATE "C" NOT NULL
) USING heap;
COMMENT ON TABLE companion.send_rates IS
'How far each bot is with its channel''s rate. Internal: the rows are written in place, at once and for good, whatever becomes of the transaction, so that none waits for another''s, as a sequence''s are: no index of yours, no trigger and no logical subscriber sees that.';
COMMENT ON COLUMN companion.send_rates.next_at IS 'When the next start would be, had all since been evenly spaced.';
COMMENT ON COLUMN companion.send_rates.channel IS 'The channel.';
COMMENT ON COLUMN companion.send_rates.bot IS 'The bot; empty where the app has one.';
ALTER TABLE companion.send_rates ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.send_rates FOR SELECT
TO companion_admin, companion_monitor, companion_runtime USING (true);
COMMENT ON POLICY read ON companion.send_rates IS 'Who watches sees the rates.';

-- Nobody waits for another's throttle: each is a row of its own.
CREATE TABLE companion.channel_throttles (
    id uuid PRIMARY KEY DEFAULT companion.uuid_v7(),
    channel text COLLATE "C" NOT NULL,
    bot text COLLATE "C",
    until timestamptz NOT NULL CHECK (isfinite(until)),
    since timestamptz NOT NULL DEFAULT companion.now()
);
COMMENT ON TABLE companion.channel_throttles IS
'Which channels'' messengers have asked to wait, by throttle_channel(). One that is over stays until the next.';
COMMENT ON COLUMN companion.channel_throttles.id IS 'Its id.';
COMMENT ON COLUMN companion.channel_throttles.channel IS 'The channel.';
COMMENT ON COLUMN companion.channel_throttles.bot IS 'The bot; NULL: all of the channel.';
COMMENT ON COLUMN companion.channel_throttles.until IS 'Nothing is started before.';
COMMENT ON COLUMN companion.channel_throttles.since IS 'When it was reported.';
CREATE TRIGGER reload_throttles AFTER INSERT OR UPDATE OR DELETE ON companion.channel_throttles
FOR EACH ROW EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_throttles ON companion.channel_throttles IS 'Every session reads the throttles anew.';
CREATE TRIGGER reload_no_throttles AFTER TRUNCATE ON companion.channel_throttles
FOR EACH STATEMENT EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_no_throttles ON companion.channel_throttles IS 'Every session reads the throttles anew.';
ALTER TABLE companion.channel_throttles ENABLE ALWAYS TRIGGER reload_throttles;
ALTER TABLE companion.channel_throttles ENABLE ALWAYS TRIGGER reload_no_throttles;
ALTER TABLE companion.channel_throttles ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.channel_throttles FOR SELECT
TO companion_worker, companion_monitor USING (true);
COMMENT ON POLICY read ON companion.channel_throttles IS 'Workers, and who watches, see what is throttled.';
CREATE POLICY every_row ON companion.channel_throttles TO companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.channel_throttles IS 'Admins can take a throttle away.';

CREATE FUNCTION companion.throttle_channel(
    channel text, retry_after interval DEFAULT NULL, bot text DEFAULT NULL,
    retry_after_seconds double precision DEFAULT NULL)
RETURNS timestamptz
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_throttle_channel';
COMMENT ON FUNCTION companion.throttle_channel(text, interval, text, double precision) IS
'Says that a messenger has asked a bot, or with NULL the whole channel, to send nothing for so long (a 429 that is not about one message). No start_send that begins after this has committed is true before; it is NULL: not now, the claim stays. Claims leave what is throttled. A shorter one ends none. Returns when this one ends. Waits for nobody. retry_after, or retry_after_seconds, one of the two: zero to 30 days. Error 22023 for another, for both, an unknown channel and a bot''s name of more than 64 characters.';
