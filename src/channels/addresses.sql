
-- Addresses: where users are on the channels.
CREATE FUNCTION companion.address_key(channel text, address text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_address_key';
COMMENT ON FUNCTION companion.address_key(text, text) IS
'What addresses are compared by: the address, or for WhatsApp the one of a number''s forms that stands for both: Brazil''s with the 9, Mexico''s with the 1, Argentina''s with the 9. Internal: an index is made of it.';

CREATE TABLE companion.addresses (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    channel text COLLATE "C" NOT NULL,
    bot text COLLATE "C" NOT NULL DEFAULT '',
    address text COLLATE "C" NOT NULL,
    linked_at timestamptz DEFAULT companion.now(),
    unlinked_at timestamptz,
    disabled_at timestamptz,
    disabled_reason text,
    last_incoming_at timestamptz,
    PRIMARY KEY (user_id, channel, bot, address)
) WITH (fillfactor = 45);
-- Each message that comes in updates its row in place: a page has room for that of all its rows.
-- An address is one user's, in whichever form. Who had it before is kept: what is delivered again was
-- theirs. The bot comes last, for a look at an address whatever the bot.
CREATE UNIQUE INDEX addresses_linked
ON companion.addresses (channel, companion.address_key(channel, address) COLLATE "C", bot)
WHERE unlinked_at IS NULL;
CREATE INDEX addresses_unlinked
ON companion.addresses (channel, companion.address_key(channel, address) COLLATE "C", bot, unlinked_at)
WHERE unlinked_at IS NOT NULL;
CREATE INDEX addresses_unlinked_at ON companion.addresses (unlinked_at)
WHERE unlinked_at IS NOT NULL;
CREATE INDEX addresses_disabled ON companion.addresses (disabled_at)
WHERE disabled_at IS NOT NULL;

COMMENT ON TABLE companion.addresses IS
'Where a user is on a channel, for one of the app''s bots there: Telegram''s user id, a phone number, a device''s token, an e-mail address. One that is unlinked stays as a row for as long as companion.retention says. The rows of users.telegram_user_id, whatsapp_number and email are kept by a trigger. A row that a superuser copies, as a restore does, takes the place of the one that is linked.';
COMMENT ON COLUMN companion.addresses.user_id IS 'Whose address it is.';
COMMENT ON COLUMN companion.addresses.channel IS 'channels.channel.';
COMMENT ON COLUMN companion.addresses.bot IS 'Which of the app''s own accounts on the channel reaches it there, up to 64 characters; empty where it has one, or none has written or been written to yet.';
COMMENT ON COLUMN companion.addresses.address IS 'The address, 1 to 512 characters, none of them a control character. Telegram: the user''s id; WhatsApp: the number in E.164 form; e-mail: in lower case; a device''s token or the like as the app gave it.';
COMMENT ON COLUMN companion.addresses.linked_at IS 'When it was linked, the last time; NULL: a COPY of users by a superuser, or whoever else has BYPASSRLS, brought it, and a COPY of addresses replaces it.';
COMMENT ON COLUMN companion.addresses.unlinked_at IS 'When it was unlinked, or named by a column of a user although it was another''s; NULL: it is linked.';
COMMENT ON COLUMN companion.addresses.disabled_at IS 'When the messenger said that it is gone (a blocked bot); NULL: it is not. Cleared when a message comes from it, when it is linked again, and when its user''s column changes.';
COMMENT ON COLUMN companion.addresses.disabled_reason IS 'What the messenger said.';
COMMENT ON COLUMN companion.addresses.last_incoming_at IS 'When a message last came from it: what WhatsApp''s 24 hours are counted from.';
COMMENT ON INDEX companion.addresses_linked IS 'An address is one user''s.';
COMMENT ON INDEX companion.addresses_unlinked IS 'Who had an address before.';
COMMENT ON INDEX companion.addresses_unlinked_at IS 'Which were unlinked first.';
COMMENT ON INDEX companion.addresses_disabled IS 'Which were disabled last.';

ALTER TABLE companion.addresses ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.addresses TO companion_user
USING (user_id = companion.current_user_id() AND unlinked_at IS NULL) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.addresses IS 'An end user sees what is linked of their own only.';
CREATE POLICY every_row ON companion.addresses TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.addresses IS 'Workers and admins act for every user.';

SELECT pg_catalog.pg_extension_config_dump('companion.addresses', '');

CREATE FUNCTION companion.check_address() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_address';
COMMENT ON FUNCTION companion.check_address() IS
'Trigger, BEFORE INSERT OR UPDATE OF channel, bot, address: stores the address in its channel''s form. Error 22023 for an unknown channel, an address that is none, and a bot''s name of more than 64 characters. A row that a superuser copies, as a restore does, is taken as it is, and takes the place of the one that has the address.';
CREATE TRIGGER check_address BEFORE INSERT OR UPDATE OF channel, bot, address ON companion.addresses
FOR EACH ROW EXECUTE FUNCTION companion.check_address();
COMMENT ON TRIGGER check_address ON companion.addresses IS 'Stores the address in its channel''s form.';

CREATE FUNCTION companion.keep_usable() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_keep_usable';
COMMENT ON FUNCTION companion.keep_usable() IS
'Trigger, AFTER INSERT, DELETE, TRUNCATE or UPDATE of what makes an address usable: keeps users.usable_addresses.';
CREATE TRIGGER keep_usable
AFTER INSERT OR DELETE OR UPDATE OF user_id, channel, bot, address, linked_at, unlinked_at, disabled_at
ON companion.addresses FOR EACH ROW EXECUTE FUNCTION companion.keep_usable();
CREATE TRIGGER keep_none_usable AFTER TRUNCATE ON companion.addresses
FOR EACH STATEMENT EXECUTE FUNCTION companion.keep_usable();
COMMENT ON TRIGGER keep_none_usable ON companion.addresses IS 'Keeps users.usable_addresses.';
COMMENT ON TRIGGER keep_usable ON companion.addresses IS 'Keeps users.usable_addresses.';

CREATE FUNCTION companion.keep_addresses() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_keep_addresses';
COMMENT ON FUNCTION companion.keep_addresses() IS
'Trigger, AFTER INSERT OR UPDATE OF telegram_user_id, whatsapp_number, email: links the address that a column names and unlinks the one that it named before. One that another user has stays with them, with a WARNING.';
CREATE TRIGGER keep_addresses
AFTER INSERT OR UPDATE OF telegram_user_id, whatsapp_number, email ON companion.users
FOR EACH ROW EXECUTE FUNCTION companion.keep_addresses();
COMMENT ON TRIGGER keep_addresses ON companion.users IS 'Keeps the rows of addresses that are the user''s own columns.';

CREATE FUNCTION companion.link_address(user_id uuid, channel text, address text, bot text DEFAULT '')
RETURNS text
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_link_address';
COMMENT ON FUNCTION companion.link_address(uuid, text, text, text) IS
'Links an address to a user, beside those that they have there; linked again, it is usable again. Returns linked, or taken where it is another user''s, and nothing changes then. An address without a bot that the user has gets this bot. For workers and admins: whoever calls this says that the address is the user''s. Error 22023 for an unknown channel or one that needs no address, for an address that has not 1 to 512 characters, has control characters or is not of the channel''s form (Telegram: an id; WhatsApp: E.164, with or without +; email: with an @) and for a bot''s name over 64 characters, 23503 for an unknown user, 55000 on a shard where it is not reserved for the user (take_reservation), 09000 where a trigger suppresses a row.';

CREATE FUNCTION companion.link_address(
    user_id uuid, channel text, address_number bigint, bot text DEFAULT '')
RETURNS text
LANGUAGE sql
BEGIN ATOMIC
    SELECT companion.link_address(user_id, channel, address_number::text, bot);
END;
COMMENT ON FUNCTION companion.link_address(uuid, text, bigint, text) IS
'The same for an address that is a number, as Telegram''s user id is: from clients that say a number''s type.';

CREATE FUNCTION companion.unlink_address(user_id uuid, channel text, address text, bot text DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_unlink_address';
COMMENT ON FUNCTION companion.unlink_address(uuid, text, text, text) IS
'Takes an address from a user, of one bot or, with NULL, of all; returns whether they had it. What is pending there goes to the next usable channel; what a worker has claimed and not started it cannot start any more. users.telegram_user_id and whatsapp_number are cleared where they name it; users.email stays. For the user''s own, or workers and admins, else error 42501. Errors as of link_address.';

CREATE FUNCTION companion.disable_address(
    user_id uuid, channel text, address text, bot text DEFAULT NULL, reason text DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_disable_address';
COMMENT ON FUNCTION companion.disable_address(uuid, text, text, text, text) IS
'Says that an address of a user is gone (a blocked bot, a token that has expired), of one bot or, with NULL, of all: nothing is sent there until a message comes from it, it is linked again, or it changes. Returns whether it was usable. What is pending there goes to the next usable channel. Errors as of link_address.';
