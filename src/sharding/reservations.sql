
-- What a shard knows of the directory's reservations, and what it has for the directory.
CREATE TABLE companion.address_reservations (
    channel text COLLATE "C" NOT NULL,
    address text COLLATE "C" NOT NULL,
    bot text COLLATE "C" NOT NULL DEFAULT '',
    user_id uuid NOT NULL,
    reservation bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    is_void boolean NOT NULL DEFAULT false,
    PRIMARY KEY (channel, address, bot)
);
CREATE INDEX address_reservations_expired ON companion.address_reservations (expires_at);
COMMENT ON TABLE companion.address_reservations IS
'Reservations that a shard was given and has not linked yet, and those that it has declared void, for as long as somebody may still come with them. Elsewhere it is empty. Internal.';
COMMENT ON COLUMN companion.address_reservations.channel IS 'The channel.';
COMMENT ON COLUMN companion.address_reservations.address IS 'The address, as address_key() has it.';
COMMENT ON COLUMN companion.address_reservations.bot IS 'The bot, or none.';
COMMENT ON COLUMN companion.address_reservations.user_id IS 'For whom; they may not be there yet.';
COMMENT ON COLUMN companion.address_reservations.reservation IS 'The directory''s number. Of a void one, all up to it are void.';
COMMENT ON COLUMN companion.address_reservations.expires_at IS 'Until when it is taken, and then forgotten.';
COMMENT ON COLUMN companion.address_reservations.is_void IS 'Whether nothing is linked by it any more.';
COMMENT ON INDEX companion.address_reservations_expired IS 'The first to be forgotten.';
ALTER TABLE companion.address_reservations ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.address_reservations TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.address_reservations IS 'Workers and admins read it.';
SELECT pg_catalog.pg_extension_config_dump('companion.address_reservations', '');

-- No foreign key: what was an erased user's is the directory's to free.
CREATE TABLE companion.directory_changes (
    user_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    channel text COLLATE "C" NOT NULL,
    address text COLLATE "C" NOT NULL,
    bot text COLLATE "C" NOT NULL,
    is_wanted boolean NOT NULL,
    since timestamptz NOT NULL DEFAULT companion.now(),
    PRIMARY KEY (user_id, id)
);
CREATE INDEX directory_changes_since ON companion.directory_changes (since, id);
COMMENT ON TABLE companion.directory_changes IS
'What a shard has for the directory, for whoever maintains both, in the order of since and id: addresses that were unlinked, and addresses that a column of a user names and nobody has reserved. Elsewhere it is empty.';
COMMENT ON COLUMN companion.directory_changes.user_id IS 'Whose address it was, or is to be; they may be gone.';
COMMENT ON COLUMN companion.directory_changes.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.directory_changes.channel IS 'The channel.';
COMMENT ON COLUMN companion.directory_changes.address IS 'The address, as addresses has it.';
COMMENT ON COLUMN companion.directory_changes.bot IS 'The bot, or none.';
COMMENT ON COLUMN companion.directory_changes.is_wanted IS 'True: a column names it, reserve it and call link_wanted_address(). False: it was unlinked, settle it.';
COMMENT ON COLUMN companion.directory_changes.since IS 'When it came up.';
COMMENT ON INDEX companion.directory_changes_since IS 'The order in which they are worked off.';
ALTER TABLE companion.directory_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.directory_changes TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.directory_changes IS 'Workers and admins read it.';
SELECT pg_catalog.pg_extension_config_dump('companion.directory_changes', '');

CREATE FUNCTION companion.take_reservation(
    user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamptz) RETURNS void
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_take_reservation';
COMMENT ON FUNCTION companion.take_reservation(uuid, text, text, text, bigint, timestamptz) IS
'On a shard: notes what directory_reserve() has answered, so that the address may be linked to the user, by link_address, redeem_telegram_link_token, put_user or a column, in this transaction or a later one before it expires. The user may still have to be made; put_user() without an id makes them with this one. Error 55000 where this is no shard of several, and for a reservation that has expired, is void or older than another: release it, and reserve again. 23514 for a user of another shard, else as of link_address().';

CREATE FUNCTION companion.settle_reservation(
    user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamptz)
RETURNS TABLE (outcome text, owner uuid)
LANGUAGE c ROWS 1
AS 'MODULE_PATHNAME', 'companion_settle_reservation';
COMMENT ON FUNCTION companion.settle_reservation(uuid, text, text, text, bigint, timestamptz) IS
'On a shard: says for good what has become of an entry of the directory, whose columns are the arguments. outcome: linked, and owner says to whom: directory_confirm() it; void: it is not linked, and nothing will be by this reservation or an earlier one any more: directory_release() it; newer: a later reservation was taken: look again. Waits for whoever is linking it. Errors as of take_reservation().';

CREATE FUNCTION companion.link_wanted_address(
    user_id uuid, id uuid, reservation bigint, expires_at timestamptz) RETURNS text
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_link_wanted_address';
COMMENT ON FUNCTION companion.link_wanted_address(uuid, uuid, bigint, timestamptz) IS
'On a shard: links what a row of directory_changes wants, by a reservation for it, and deletes the row. Returns linked; taken where it is another user''s here; gone where the row is, as when the column has changed: settle the reservation then. Errors as of take_reservation().';

CREATE FUNCTION companion.directory_change_done(user_id uuid, id uuid) RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_directory_change_done';
COMMENT ON FUNCTION companion.directory_change_done(uuid, uuid) IS
'On a shard: deletes a row of directory_changes that has been seen to; of one that is wanted, since it is another user''s, which is noted. False where there is none.';

CREATE FUNCTION companion.expire_reservations(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_expire_reservations';
COMMENT ON FUNCTION companion.expire_reservations(integer) IS
'Forgets up to max_rows reservations that have expired. Passes over what somebody else has locked. Returns how many. Part of run_maintenance(). Error 22023 for a bound below 1.';
