
-- Addresses are unique within their shard; the directory makes them unique across all. docs/scaling.md
-- has the protocol.
CREATE TABLE companion.directory (
    channel text COLLATE "C" NOT NULL,
    address text COLLATE "C" NOT NULL,
    bot text COLLATE "C" NOT NULL DEFAULT '',
    user_id uuid NOT NULL,
    reservation bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    PRIMARY KEY (channel, address, bot)
) WITH (fillfactor = 90);
CREATE INDEX directory_reserved ON companion.directory (expires_at) WHERE confirmed_at IS NULL;
COMMENT ON TABLE companion.directory IS
'Of a database that is the directory of shards: which user has an address, and so which shard. Elsewhere it is empty.';
COMMENT ON COLUMN companion.directory.channel IS 'The channel.';
COMMENT ON COLUMN companion.directory.address IS 'The address, as address_key() has it.';
COMMENT ON COLUMN companion.directory.bot IS 'Which of the app''s bots reaches it there; empty: none yet, or the only one.';
COMMENT ON COLUMN companion.directory.user_id IS 'Whose address it is, or is about to be.';
COMMENT ON COLUMN companion.directory.reservation IS 'The number of the last reservation; each of an address is higher than those before.';
COMMENT ON COLUMN companion.directory.expires_at IS 'Until when a shard takes the reservation. The address is not free then: the shard says whether it was linked.';
COMMENT ON COLUMN companion.directory.confirmed_at IS 'When the shard had linked it; NULL: reserved.';
COMMENT ON INDEX companion.directory_reserved IS 'What nobody has confirmed, the oldest first.';
ALTER TABLE companion.directory ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.directory TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.directory IS 'Workers and admins read it.';
SELECT pg_catalog.pg_extension_config_dump('companion.directory', '');

CREATE FUNCTION companion.directory_reserve(user_id uuid, channel text, address text, bot text DEFAULT '')
RETURNS TABLE (outcome text, owner uuid, reservation bigint, expires_at timestamptz)
LANGUAGE c ROWS 1
AS 'MODULE_PATHNAME', 'companion_directory_reserve';
COMMENT ON FUNCTION companion.directory_reserve(uuid, text, text, text) IS
'On the directory: reserves an address for a user, for a minute, before their shard links it. outcome: reserved, with the reservation that the shard is given, again for the same user, also where it is theirs already; taken, and owner says whose it is, confirmed or reserved, for this bot or for none. Reserved it stays until directory_confirm() or directory_release(). Error 55000 where this is not the directory, else as of link_address().';

CREATE FUNCTION companion.directory_confirm(
    user_id uuid, channel text, address text, bot text, reservation bigint) RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_directory_confirm';
COMMENT ON FUNCTION companion.directory_confirm(uuid, text, text, text, bigint) IS
'On the directory: says that the user''s shard has linked what was reserved. False where there is another reservation by now or none, or it is one of another shard; settle it then. Errors as of directory_reserve().';

CREATE FUNCTION companion.directory_release(channel text, address text, bot text, reservation bigint)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_directory_release';
COMMENT ON FUNCTION companion.directory_release(text, text, text, bigint) IS
'On the directory: frees an address whose shard has said by settle_reservation() that this reservation is void. False where there is another by now, or none. Errors as of directory_reserve().';

CREATE FUNCTION companion.directory_lookup(channel text, address text, bot text DEFAULT '')
RETURNS TABLE (user_id uuid, shard integer, found_bot text, reservation bigint, expires_at timestamptz, is_confirmed boolean)
LANGUAGE c STABLE ROWS 1
AS 'MODULE_PATHNAME', 'companion_directory_lookup';
COMMENT ON FUNCTION companion.directory_lookup(text, text, text) IS
'On the directory: which user has an address, and so which shard to ask: for the bot, else for none; with NULL for whichever, none before any. No row where nobody has it. One that is reserved only may be linked already: its shard knows. Errors as of directory_reserve().';
