
-- Users: the tenants.
CREATE FUNCTION companion.canonical_timezone(timezone text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_canonical_timezone';
COMMENT ON FUNCTION companion.canonical_timezone(text) IS
'The IANA name of a time zone in its own spelling ("europe/berlin" gives "Europe/Berlin"). Error 22023 for a name that the server does not know and for a POSIX specification.';

CREATE TABLE companion.users (
    id uuid DEFAULT companion.new_user_id() PRIMARY KEY,
    email text,
    display_name text,
    companion_name text,
    support_style text,
    timezone text COLLATE "C" NOT NULL DEFAULT 'UTC',
    checkin_time time DEFAULT '09:00',
    checkin_days smallint[] NOT NULL DEFAULT '{1,2,3,4,5,6,7}',
    checkin_paused_until timestamptz,
    preferred_channel text,
    telegram_user_id bigint,
    telegram_username text,
    telegram_linked_at timestamptz,
    whatsapp_number text,
    subscription_status text NOT NULL DEFAULT 'free',
    subscription_expires_at timestamptz,
    preferences jsonb NOT NULL DEFAULT '{}',
    location text,
    onboarding_completed_at timestamptz,
    last_user_message_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    updated_at timestamptz NOT NULL DEFAULT companion.now(),
    suspended_until timestamptz,
    usable_addresses text[],
    app_data jsonb NOT NULL DEFAULT '{}',
    quiet_from time,
    quiet_until time
) WITH (fillfactor = 85);

-- Dispatch walks this: for one zone and one stretch of wall time, who is due.
CREATE INDEX users_checkin ON companion.users (timezone, checkin_time, id)
WHERE checkin_time IS NOT NULL AND onboarding_completed_at IS NOT NULL;

COMMENT ON TABLE companion.users IS
'One row a user, the tenant. Its id is the auth system''s user id.';
COMMENT ON COLUMN companion.users.id IS 'The auth system''s user id; a new_user_id() where there is none.';
COMMENT ON COLUMN companion.users.email IS 'E-mail address, as the auth system has it.';
COMMENT ON COLUMN companion.users.display_name IS 'What the companion calls the user.';
COMMENT ON COLUMN companion.users.companion_name IS 'What the user calls the companion.';
COMMENT ON COLUMN companion.users.support_style IS 'How the user wants to be spoken to; the app''s own words.';
COMMENT ON COLUMN companion.users.timezone IS 'IANA time zone name; checked, and stored in its own spelling.';
COMMENT ON COLUMN companion.users.checkin_time IS 'Wall time of the daily check-in; NULL opts out.';
COMMENT ON COLUMN companion.users.checkin_days IS 'ISO weekdays, 1 (Monday) to 7, on which the check-in comes; stored in order, each once.';
COMMENT ON COLUMN companion.users.checkin_paused_until IS 'No check-in that is due before this time.';
COMMENT ON COLUMN companion.users.preferred_channel IS 'Where the companion writes first, if it can; NULL, or where it cannot: the first that is usable by channels.rank.';
COMMENT ON COLUMN companion.users.telegram_user_id IS 'The user''s own Telegram account. It, whatsapp_number and email are addresses of theirs as well, which a trigger links and unlinks; where another user has it as an address, it stays theirs, with a WARNING.';
COMMENT ON COLUMN companion.users.telegram_username IS 'Telegram''s @name at the time of linking, without the @.';
COMMENT ON COLUMN companion.users.telegram_linked_at IS 'When the Telegram account was linked.';
COMMENT ON COLUMN companion.users.whatsapp_number IS 'Phone number in E.164 form, with the +.';
COMMENT ON COLUMN companion.users.subscription_status IS 'free, trial, active, past_due or canceled.';
COMMENT ON COLUMN companion.users.subscription_expires_at IS 'When the subscription ends.';
COMMENT ON COLUMN companion.users.preferences IS 'The app''s own settings, a JSON object; up to companion.max_json_size.';
COMMENT ON COLUMN companion.users.location IS 'Where the user lives, in the user''s words.';
COMMENT ON COLUMN companion.users.onboarding_completed_at IS 'No check-in that is due before this time; NULL: none at all.';
COMMENT ON COLUMN companion.users.last_user_message_at IS 'When the user last wrote, on whichever channel.';
COMMENT ON COLUMN companion.users.created_at IS 'When the row was made.';
COMMENT ON COLUMN companion.users.updated_at IS 'When the row last changed, usable_addresses apart; kept by a trigger.';
COMMENT ON COLUMN companion.users.suspended_until IS 'No check-in that is due before this time, and what is claimed before it is skipped; infinity: for good. What a followed auth table says of deleted and banned users, else an admin''s to set.';
COMMENT ON COLUMN companion.users.usable_addresses IS 'Channel, bot and address of each usable row of addresses, the one that was linked last first; kept by a trigger, for whoever decides where a message goes.';
COMMENT ON COLUMN companion.users.app_data IS 'What the app keeps of a user that they may read and not change, a payment provider''s id for one: a JSON object of at most companion.max_json_size, which workers and admins set by put_user().';
COMMENT ON COLUMN companion.users.quiet_from IS 'Wall time from which the user''s quiet hours last, every local day; no quiet hours where it or quiet_until is NULL, or both are the same.';
COMMENT ON COLUMN companion.users.quiet_until IS 'Wall time up to which quiet hours last, without it; of an earlier one than quiet_from, that of the next local day.';
COMMENT ON INDEX companion.users_checkin IS 'Who is due: one zone, a stretch of wall time, in order.';

CREATE FUNCTION companion.canonicalize_timezone() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_canonicalize_timezone';
COMMENT ON FUNCTION companion.canonicalize_timezone() IS
'Trigger, BEFORE INSERT OR UPDATE OF timezone: stores the zone''s own spelling. Error 22023 for an unknown zone.';

CREATE TRIGGER canonicalize_timezone BEFORE INSERT OR UPDATE OF timezone ON companion.users
FOR EACH ROW EXECUTE FUNCTION companion.canonicalize_timezone();
COMMENT ON TRIGGER canonicalize_timezone ON companion.users IS 'Checks the zone and stores its own spelling.';

CREATE FUNCTION companion.order_checkin_days() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_order_checkin_days';
COMMENT ON FUNCTION companion.order_checkin_days() IS
'Trigger, BEFORE INSERT OR UPDATE OF checkin_days: stores each weekday once, in order.';
CREATE TRIGGER order_checkin_days BEFORE INSERT OR UPDATE OF checkin_days ON companion.users
FOR EACH ROW EXECUTE FUNCTION companion.order_checkin_days();
COMMENT ON TRIGGER order_checkin_days ON companion.users IS 'Stores each weekday once, in order.';

CREATE FUNCTION companion.check_user() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_user';
COMMENT ON FUNCTION companion.check_user() IS
'Trigger, AFTER INSERT OR UPDATE: how long email (320 characters), display_name, companion_name, support_style (200), telegram_username (64) and location (500) are; checkin_time, quiet_from and quiet_until before 24:00; checkin_days, preferred_channel, subscription_status as their comments say; telegram_user_id at least 1; whatsapp_number in E.164 form; preferences and app_data objects, of at most companion.max_json_size where a grant lets one write them; on a shard that the id belongs to it. Error 23514, with the column''s name.';
CREATE TRIGGER check_user AFTER INSERT OR UPDATE ON companion.users
FOR EACH ROW EXECUTE FUNCTION companion.check_user();
COMMENT ON TRIGGER check_user ON companion.users IS 'Refuses what a row may not hold.';
CREATE TRIGGER set_updated_at BEFORE UPDATE ON companion.users
FOR EACH ROW WHEN (old.usable_addresses IS NOT DISTINCT FROM new.usable_addresses)
EXECUTE FUNCTION companion.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON companion.users IS 'Keeps updated_at, of which what usable_addresses says is none.';

CREATE FUNCTION companion.usable_channel(u companion.users) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN companion.choose_channel(u.usable_addresses, u.preferred_channel);
COMMENT ON FUNCTION companion.usable_channel(companion.users) IS
'Where the companion writes to this user first: preferred_channel if it reaches them, else the first by channels.rank that does and is not only_if_preferred; NULL where none does.';

CREATE FUNCTION companion.channel_address(u companion.users, channel text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_channel_address';
COMMENT ON FUNCTION companion.channel_address(companion.users, text) IS
'The user''s usable address on a channel, of several the one that was linked last; the user''s id on one that needs no address. NULL when there is none.';

CREATE FUNCTION companion.put_user(user_id uuid, settings jsonb) RETURNS companion.users
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_put_user';
COMMENT ON FUNCTION companion.put_user(uuid, jsonb) IS
'Changes a user''s settings, a JSON object whose fields are columns of users, or makes the user; returns the row, in which a time that is infinite is NULL, as of a pause without an end. What is not named stays, or has its default; null clears it, and opts out where it is checkin_time. An end user, for themselves: display_name, companion_name and support_style (1 to 200 characters), timezone (an IANA name), checkin_time, quiet_from and quiet_until (HH:MM), checkin_days (an array of 1 to 7), checkin_paused_until (an ISO time with its zone''s offset, or infinity), preferred_channel, preferences (an object, which replaces the old one) and location (1 to 500 characters). Workers, for anyone: these, onboarding_completed_at and app_data (an object as well). Admins: also email, telegram_user_id (a number, or a text of its digits), telegram_username, telegram_linked_at, whatsapp_number, subscription_status, subscription_expires_at and suspended_until. Workers and admins make a user of this id where there is none. With NULL for user_id they name telegram_user_id or whatsapp_number (and telegram_username): that says who the user is, if anybody has it as an address on whichever bot, Telegram''s account before the number; else a new user is made who has it. So one call again makes no second user. One who is known gets no other account by a worker; an address that was disabled is usable again. With another telegram_user_id come telegram_linked_at, which is now, and telegram_username. Error 22023 for settings that are no object, an unknown field and a value that is none of its field, 23514 for a user of another shard, 42501 for a field or a user that is not the caller''s to set (the field is in the message and in the error''s column name), 22023 for NULL where no account is named, 22004 for NULL by an end user, 23503 where there is no such user for an end user and where they were erased, 55000 on a shard for a new user whose account is not reserved, or is for somebody who is there or was erased, 09000 where a trigger suppresses a row or changes what it is found by. After an error nothing has changed.';

ALTER TABLE companion.users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_row ON companion.users TO companion_user
USING (id = companion.current_user_id()) WITH CHECK (id = companion.current_user_id());
COMMENT ON POLICY own_row ON companion.users IS 'An end user sees and changes their own row only.';
CREATE POLICY every_row ON companion.users TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.users IS 'Workers and admins act for every user.';

-- An end user changes what concerns them, not who they are or what they pay.

SELECT pg_catalog.pg_extension_config_dump('companion.users', '');
