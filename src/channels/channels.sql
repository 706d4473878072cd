
-- Channels: the ways to reach a user.
CREATE TABLE companion.channels (
    channel text COLLATE "C" PRIMARY KEY CHECK (channel ~ '^[a-z][a-z0-9_]{0,62}$'),
    rank integer NOT NULL,
    needs_address boolean NOT NULL DEFAULT true,
    only_if_preferred boolean NOT NULL DEFAULT false,
    longest_text integer CHECK (longest_text > 0),
    max_per_second real CHECK (max_per_second >= 0.001 AND max_per_second <= 100000),
    burst integer CHECK (burst BETWEEN 1 AND 1000000),
    reply_window interval CHECK (reply_window > '0' AND reply_window <= '1 year')
);
COMMENT ON TABLE companion.channels IS
'One row a channel. An app adds its own, and deletes what it does not have; inserting a channel that is there replaces it, so that what an app has changed survives a restore over the standard rows.';
COMMENT ON COLUMN companion.channels.channel IS 'The channel''s name: 1 to 63 lower-case letters, digits and _, a letter first.';
COMMENT ON COLUMN companion.channels.rank IS 'The order in which channels are tried for a user who prefers none, or one that is not usable; the lowest first, of equals by name.';
COMMENT ON COLUMN companion.channels.needs_address IS 'Whether it reaches only a user who has an address on it; else it reaches everybody, and a user''s address is their id.';
COMMENT ON COLUMN companion.channels.only_if_preferred IS 'Whether only those who prefer it are written to on it: for email, since an address to sign in with is no wish to be written to.';
COMMENT ON COLUMN companion.channels.longest_text IS 'The most characters that one message there can have, for whoever writes or splits it; NULL: no limit of its own.';
COMMENT ON COLUMN companion.channels.max_per_second IS 'How many messages may be started there a second, by each of the app''s bots, over all workers together: 0.001 to 100000; NULL: any number. Telegram: 30.';
COMMENT ON COLUMN companion.channels.burst IS 'How many may be started at once where none was for a while; NULL: as many as in a second, one at least. No more than burst + max_per_second * t are started within any t seconds.';
COMMENT ON COLUMN companion.channels.reply_window IS 'For how long after a user''s last message from an address it may be written to freely; outside of it go only messages of kinds with is_template, and kinds.when_closed says what becomes of the others. NULL: always, and on a channel that needs no address. WhatsApp''s is 24 hours.';

CREATE TRIGGER replace_channel BEFORE INSERT ON companion.channels
FOR EACH ROW EXECUTE FUNCTION companion.replace_row('channel');
COMMENT ON TRIGGER replace_channel ON companion.channels IS 'Inserting a channel that is there replaces it.';
CREATE TRIGGER reload_channels AFTER INSERT OR UPDATE OR DELETE ON companion.channels
FOR EACH ROW EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_channels ON companion.channels IS 'Every session reads the channels anew.';
CREATE TRIGGER reload_no_channels AFTER TRUNCATE ON companion.channels
FOR EACH STATEMENT EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_no_channels ON companion.channels IS 'Every session reads the channels anew.';
-- A logical subscriber, and a restore as one, come upon the standard rows, too.
ALTER TABLE companion.channels ENABLE ALWAYS TRIGGER replace_channel;
ALTER TABLE companion.channels ENABLE ALWAYS TRIGGER reload_channels;
ALTER TABLE companion.channels ENABLE ALWAYS TRIGGER reload_no_channels;

-- Of a push notification Apple and Google take 4,096 bytes: a thousand characters always fit.
INSERT INTO companion.channels (channel, rank, needs_address, only_if_preferred, longest_text) VALUES
    ('telegram', 10, true, false, 4096),
    ('whatsapp', 20, true, false, 4096),
    ('push', 30, true, false, 1000),
    ('email', 40, true, true, NULL),
    ('web', 1000, false, false, NULL);

ALTER TABLE companion.channels ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.channels FOR SELECT
TO companion_user, companion_worker, companion_runtime USING (true);
COMMENT ON POLICY read ON companion.channels IS 'Everyone reads the channels.';
CREATE POLICY every_row ON companion.channels TO companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.channels IS 'Admins change the channels.';

SELECT pg_catalog.pg_extension_config_dump('companion.channels', '');

CREATE FUNCTION companion.choose_channel(usable_addresses text[], preferred_channel text) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_choose_channel';
COMMENT ON FUNCTION companion.choose_channel(text[], text) IS
'Which channel a message goes to: of a user''s columns of these names the preferred one if it is usable, else by channels.rank; NULL where none is. Internal: usable_channel() is for others.';
