\echo Use "CREATE EXTENSION companion" to load this file. \quit

-- The schema and the three roles. A role belongs to the cluster, so it may be
-- there already, from another database or another installation.
CREATE SCHEMA companion;
COMMENT ON SCHEMA companion IS
'Everything under a push-based companion app: users, conversations, memory, check-ins, link tokens.';

DO $$
DECLARE
    wanted text;
    purpose text;
BEGIN
    FOR wanted, purpose IN VALUES
        ('companion_user', 'The requests of an end user: their own rows only.'),
        ('companion_worker', 'Workers and webhooks: claim, send, report and record, for every user.'),
        ('companion_admin', 'Operators: users, maintenance and jobs.')
    LOOP
        IF pg_catalog.to_regrole(wanted) IS NULL THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
            EXECUTE pg_catalog.format('COMMENT ON ROLE %I IS %L', wanted, purpose);
        END IF;
    END LOOP;
    IF pg_catalog.to_regrole('authenticated') IS NOT NULL THEN
        GRANT companion_user TO authenticated;
    END IF;
    IF pg_catalog.to_regrole('service_role') IS NOT NULL THEN
        GRANT companion_worker, companion_admin TO service_role;
    END IF;
END
$$;

GRANT USAGE ON SCHEMA companion TO companion_user, companion_worker, companion_admin;


-- Who the session acts for, the clock, and ids.
CREATE FUNCTION companion.current_user_id() RETURNS uuid
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_current_user_id';
COMMENT ON FUNCTION companion.current_user_id() IS
'The user that the session acts for. Read from request.jwt.claims ("sub"), else request.jwt.claim.sub, else companion.user_id; NULL when none is set, or when the claims hold no "sub" (an anonymous request). Error 22P02 when it is malformed.';

CREATE FUNCTION companion.now() RETURNS timestamptz
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_now';
COMMENT ON FUNCTION companion.now() IS
'The time that every function goes by: the setting companion.clock where it is set (for tests; superuser), else the start of the transaction.';

CREATE FUNCTION companion.uuid_v7() RETURNS uuid
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_uuid_v7';
COMMENT ON FUNCTION companion.uuid_v7() IS
'A new time-ordered id, UUID version 7 (RFC 9562): milliseconds and their fraction from the real clock, 62 random bits. Ids of one session ascend.';

CREATE FUNCTION companion.set_updated_at() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_set_updated_at';
COMMENT ON FUNCTION companion.set_updated_at() IS
'Trigger, BEFORE UPDATE: sets updated_at to companion.now().';

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA companion FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companion.current_user_id(), companion.now(), companion.uuid_v7()
TO companion_user, companion_worker, companion_admin;

-- Users: the tenants.
CREATE FUNCTION companion.canonical_timezone(timezone text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_canonical_timezone';
COMMENT ON FUNCTION companion.canonical_timezone(text) IS
'The IANA name of a time zone in its own spelling ("europe/berlin" gives "Europe/Berlin"). Error 22023 for a name that the server does not know and for a POSIX specification.';

CREATE TABLE companion.users (
    id uuid DEFAULT companion.uuid_v7() PRIMARY KEY,
    email text CHECK (length(email) <= 320),
    display_name text CHECK (length(display_name) <= 200),
    companion_name text CHECK (length(companion_name) <= 200),
    support_style text CHECK (length(support_style) <= 200),
    timezone text COLLATE "C" NOT NULL DEFAULT 'UTC',
    checkin_time time DEFAULT '09:00' CHECK (checkin_time < '24:00'),
    checkin_days smallint[] NOT NULL DEFAULT '{1,2,3,4,5,6,7}'
        CHECK (checkin_days <@ '{1,2,3,4,5,6,7}' AND array_position(checkin_days, NULL) IS NULL),
    checkin_paused_until timestamptz,
    preferred_channel text CHECK (preferred_channel IN ('web', 'telegram', 'whatsapp')),
    disabled_channels text[] NOT NULL DEFAULT '{}'
        CHECK (disabled_channels <@ '{telegram,whatsapp}'
               AND array_position(disabled_channels, NULL) IS NULL),
    telegram_user_id bigint UNIQUE CHECK (telegram_user_id > 0),
    telegram_username text CHECK (length(telegram_username) <= 64),
    telegram_linked_at timestamptz,
    whatsapp_number text CHECK (whatsapp_number ~ '^\+[1-9][0-9]{6,14}$'),
    subscription_status text NOT NULL DEFAULT 'free'
        CHECK (subscription_status IN ('free', 'trial', 'active', 'past_due', 'canceled')),
    subscription_expires_at timestamptz,
    preferences jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(preferences) = 'object'),
    location text CHECK (length(location) <= 500),
    onboarding_completed_at timestamptz,
    last_user_message_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    updated_at timestamptz NOT NULL DEFAULT companion.now()
) WITH (fillfactor = 85);

-- Dispatch walks this: for one zone and one stretch of wall time, who is due.
CREATE INDEX users_checkin ON companion.users (timezone, checkin_time)
WHERE checkin_time IS NOT NULL AND onboarding_completed_at IS NOT NULL;

-- Not unique: a number moves on to another account before the old one is cleared.
CREATE INDEX users_whatsapp ON companion.users (whatsapp_number)
WHERE whatsapp_number IS NOT NULL;

COMMENT ON TABLE companion.users IS
'One row a user, the tenant. Its id is the auth system''s user id.';
COMMENT ON COLUMN companion.users.id IS 'The auth system''s user id; a new uuid_v7() where there is none.';
COMMENT ON COLUMN companion.users.email IS 'E-mail address, as the auth system has it.';
COMMENT ON COLUMN companion.users.display_name IS 'What the companion calls the user.';
COMMENT ON COLUMN companion.users.companion_name IS 'What the user calls the companion.';
COMMENT ON COLUMN companion.users.support_style IS 'How the user wants to be spoken to; the app''s own words.';
COMMENT ON COLUMN companion.users.timezone IS 'IANA time zone name; checked, and stored in its own spelling.';
COMMENT ON COLUMN companion.users.checkin_time IS 'Wall time of the daily check-in; NULL opts out.';
COMMENT ON COLUMN companion.users.checkin_days IS 'ISO weekdays, 1 (Monday) to 7, on which the check-in comes.';
COMMENT ON COLUMN companion.users.checkin_paused_until IS 'No check-in that is due before this time.';
COMMENT ON COLUMN companion.users.preferred_channel IS 'Where the companion writes first, if it can; NULL: telegram, whatsapp, web, the first that is usable.';
COMMENT ON COLUMN companion.users.disabled_channels IS 'Channels that failed for good (a blocked bot); not used until linked again.';
COMMENT ON COLUMN companion.users.telegram_user_id IS 'The Telegram account linked to this user.';
COMMENT ON COLUMN companion.users.telegram_username IS 'Telegram''s @name at the time of linking, without the @.';
COMMENT ON COLUMN companion.users.telegram_linked_at IS 'When the Telegram account was linked.';
COMMENT ON COLUMN companion.users.whatsapp_number IS 'Phone number in E.164 form, with the +.';
COMMENT ON COLUMN companion.users.subscription_status IS 'free, trial, active, past_due or canceled.';
COMMENT ON COLUMN companion.users.subscription_expires_at IS 'When the subscription ends.';
COMMENT ON COLUMN companion.users.preferences IS 'The app''s own settings, a JSON object.';
COMMENT ON COLUMN companion.users.location IS 'Where the user lives, in the user''s words.';
COMMENT ON COLUMN companion.users.onboarding_completed_at IS 'No check-in that is due before this time; NULL: none at all.';
COMMENT ON COLUMN companion.users.last_user_message_at IS 'When the user last wrote.';
COMMENT ON COLUMN companion.users.created_at IS 'When the row was made.';
COMMENT ON COLUMN companion.users.updated_at IS 'When the row last changed; kept by a trigger.';
COMMENT ON INDEX companion.users_whatsapp IS 'Who has a WhatsApp number.';
COMMENT ON INDEX companion.users_checkin IS 'Who is due: one zone, a stretch of wall time.';

CREATE FUNCTION companion.canonicalize_timezone() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_canonicalize_timezone';
COMMENT ON FUNCTION companion.canonicalize_timezone() IS
'Trigger, BEFORE INSERT OR UPDATE OF timezone: stores the zone''s own spelling. Error 22023 for an unknown zone.';
REVOKE ALL ON FUNCTION companion.canonical_timezone(text), companion.canonicalize_timezone() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companion.canonical_timezone(text)
TO companion_user, companion_worker, companion_admin;

CREATE TRIGGER canonicalize_timezone BEFORE INSERT OR UPDATE OF timezone ON companion.users
FOR EACH ROW EXECUTE FUNCTION companion.canonicalize_timezone();
COMMENT ON TRIGGER canonicalize_timezone ON companion.users IS 'Checks the zone and stores its own spelling.';
CREATE TRIGGER set_updated_at BEFORE UPDATE ON companion.users
FOR EACH ROW EXECUTE FUNCTION companion.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON companion.users IS 'Keeps updated_at.';

CREATE FUNCTION companion.usable_channel(u companion.users) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN u.preferred_channel = 'web' THEN 'web'
    WHEN u.preferred_channel = 'whatsapp'
        AND u.whatsapp_number IS NOT NULL AND 'whatsapp' <> ALL (u.disabled_channels) THEN 'whatsapp'
    WHEN u.telegram_user_id IS NOT NULL AND 'telegram' <> ALL (u.disabled_channels) THEN 'telegram'
    WHEN u.whatsapp_number IS NOT NULL AND 'whatsapp' <> ALL (u.disabled_channels) THEN 'whatsapp'
    ELSE 'web'
END;
COMMENT ON FUNCTION companion.usable_channel(companion.users) IS
'Where the companion writes to this user first: preferred_channel if its address is known and it is not disabled, else the first such of telegram, whatsapp, web. web always is.';

CREATE FUNCTION companion.channel_address(u companion.users, channel text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE channel
    WHEN 'telegram' THEN u.telegram_user_id::text
    WHEN 'whatsapp' THEN u.whatsapp_number
    WHEN 'web' THEN u.id::text
END;
COMMENT ON FUNCTION companion.channel_address(companion.users, text) IS
'The user''s address on a channel: Telegram''s user id, the WhatsApp number, or for web the user''s id. NULL when there is none.';
REVOKE ALL ON FUNCTION companion.usable_channel(companion.users), companion.channel_address(companion.users, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companion.usable_channel(companion.users), companion.channel_address(companion.users, text)
TO companion_user, companion_worker, companion_admin;

ALTER TABLE companion.users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_row ON companion.users TO companion_user
USING (id = companion.current_user_id()) WITH CHECK (id = companion.current_user_id());
COMMENT ON POLICY own_row ON companion.users IS 'An end user sees and changes their own row only.';
CREATE POLICY every_row ON companion.users TO companion_worker, companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.users IS 'Workers and admins act for every user.';

-- An end user changes what concerns them, not who they are or what they pay.
GRANT SELECT ON companion.users TO companion_user, companion_worker;
GRANT UPDATE (display_name, companion_name, support_style, timezone, checkin_time, checkin_days,
              checkin_paused_until, preferred_channel, preferences, location)
ON companion.users TO companion_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON companion.users TO companion_admin;

SELECT pg_catalog.pg_extension_config_dump('companion.users', '');

-- Onboarding: what a new user is asked, and has answered so far.
CREATE TABLE companion.onboarding_steps (
    step text PRIMARY KEY CHECK (length(step) BETWEEN 1 AND 100),
    position integer,
    asks_for text[] NOT NULL DEFAULT '{}' CHECK (array_position(asks_for, NULL) IS NULL),
    required boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE companion.onboarding_steps IS
'The steps of onboarding, the same for every user. An app adds its own; inserting a step that is there replaces it, so that what an app has changed survives a restore over the standard steps.';
COMMENT ON COLUMN companion.onboarding_steps.step IS 'The step''s name.';
COMMENT ON COLUMN companion.onboarding_steps.position IS 'The order of the steps; NULL leaves the step out.';
COMMENT ON COLUMN companion.onboarding_steps.asks_for IS 'The answers that it asks for. name, companion_name, timezone, checkin_time, support_style and channel are checked and copied to users; any other is the app''s own.';
COMMENT ON COLUMN companion.onboarding_steps.required IS 'Whether all that it asks for must be answered, and not with null.';

CREATE FUNCTION companion.replace_onboarding_step() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM companion.onboarding_steps WHERE step = NEW.step;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION companion.replace_onboarding_step() IS
'Trigger, BEFORE INSERT: the new row takes the place of the step''s old one.';
CREATE TRIGGER replace_step BEFORE INSERT ON companion.onboarding_steps
FOR EACH ROW EXECUTE FUNCTION companion.replace_onboarding_step();
-- A logical subscriber, and a restore as one, come upon the standard steps, too.
ALTER TABLE companion.onboarding_steps ENABLE ALWAYS TRIGGER replace_step;
COMMENT ON TRIGGER replace_step ON companion.onboarding_steps IS 'Inserting a step that is there replaces it.';

INSERT INTO companion.onboarding_steps (step, position, asks_for, required) VALUES
    ('name', 10, '{name}', true),
    ('companion', 20, '{companion_name}', false),
    ('timezone', 30, '{timezone}', true),
    ('checkin', 40, '{checkin_time}', false),
    ('style', 50, '{support_style}', false),
    ('channel', 60, '{channel}', false);

ALTER TABLE companion.onboarding_steps ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.onboarding_steps FOR SELECT
TO companion_user, companion_worker USING (true);
COMMENT ON POLICY read ON companion.onboarding_steps IS 'Everyone reads the steps.';
CREATE POLICY every_row ON companion.onboarding_steps TO companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.onboarding_steps IS 'Admins change the steps.';
GRANT SELECT ON companion.onboarding_steps TO companion_user, companion_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON companion.onboarding_steps TO companion_admin;

SELECT pg_catalog.pg_extension_config_dump('companion.onboarding_steps', '');

CREATE TABLE companion.onboarding (
    user_id uuid PRIMARY KEY REFERENCES companion.users ON DELETE CASCADE,
    current_step text CHECK (length(current_step) BETWEEN 1 AND 100),
    data jsonb NOT NULL DEFAULT '{}'
        CHECK (jsonb_typeof(data) = 'object' AND octet_length(data::text) <= 65536),
    completed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    updated_at timestamptz NOT NULL DEFAULT companion.now()
);
COMMENT ON TABLE companion.onboarding IS 'Where each user stands in onboarding; at most one row a user.';
COMMENT ON COLUMN companion.onboarding.user_id IS 'The user.';
COMMENT ON COLUMN companion.onboarding.current_step IS 'The step that comes next; NULL: none.';
COMMENT ON COLUMN companion.onboarding.data IS 'The answers so far, a JSON object of at most 64 kB.';
COMMENT ON COLUMN companion.onboarding.completed_at IS 'When it was completed.';
COMMENT ON COLUMN companion.onboarding.created_at IS 'When onboarding began.';
COMMENT ON COLUMN companion.onboarding.updated_at IS 'When the row last changed; kept by a trigger.';

CREATE TRIGGER set_updated_at BEFORE UPDATE ON companion.onboarding
FOR EACH ROW EXECUTE FUNCTION companion.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON companion.onboarding IS 'Keeps updated_at.';

ALTER TABLE companion.onboarding ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.onboarding TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.onboarding IS 'An end user sees their own row only.';
CREATE POLICY every_row ON companion.onboarding TO companion_worker, companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.onboarding IS 'Workers and admins act for every user.';

GRANT SELECT ON companion.onboarding TO companion_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON companion.onboarding TO companion_worker, companion_admin;

SELECT pg_catalog.pg_extension_config_dump('companion.onboarding', '');

CREATE FUNCTION companion.start_onboarding(
    user_id uuid DEFAULT companion.current_user_id()) RETURNS text
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_start_onboarding';
COMMENT ON FUNCTION companion.start_onboarding(uuid) IS
'Begins a user''s onboarding, unless it has begun, and returns the step that comes next; NULL when none does. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user.';

CREATE FUNCTION companion.advance_onboarding(user_id uuid, step text, answers jsonb) RETURNS text
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_advance_onboarding';
COMMENT ON FUNCTION companion.advance_onboarding(uuid, text, jsonb) IS
'Adds the answers of a step to the user''s, and returns the step that comes after it; NULL after the last. A step may be answered again. name, companion_name and support_style: 1 to 200 characters; timezone: an IANA name; checkin_time: HH:MM, null opts out; channel: web, telegram or whatsapp; null leaves one open; any other answer is the app''s own. For the user''s own, or workers and admins, else error 42501. Error 22023 for a wrong or missing answer (the field is in the message and in the error''s column name), for answers that are no object and for an unknown step, 23514 for answers of more than 64 kB in all, 55000 before start_onboarding and after complete_onboarding, 23503 for an unknown user. After an error nothing has changed.';

CREATE FUNCTION companion.complete_onboarding(
    user_id uuid DEFAULT companion.current_user_id()) RETURNS boolean
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_complete_onboarding';
COMMENT ON FUNCTION companion.complete_onboarding(uuid) IS
'Copies the answers to users and sets onboarding_completed_at, so that check-ins due from now on are sent: all or nothing. True once; false, and nothing changes, when it was complete. For the user''s own, or workers and admins, else error 42501. Error 55000 before start_onboarding and while a required step lacks an answer, 22023 for an answer that is no longer valid, 23503 for an unknown user.';

REVOKE ALL ON FUNCTION companion.replace_onboarding_step(), companion.start_onboarding(uuid),
    companion.advance_onboarding(uuid, text, jsonb), companion.complete_onboarding(uuid)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companion.start_onboarding(uuid),
    companion.advance_onboarding(uuid, text, jsonb), companion.complete_onboarding(uuid)
TO companion_user, companion_worker, companion_admin;

-- Following an auth table: users appear, change their e-mail address and vanish with it.
CREATE FUNCTION companion.follow_auth_user() RETURNS trigger
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_follow_auth_user';
COMMENT ON FUNCTION companion.follow_auth_user() IS
'Trigger that follow_auth_users() puts on an auth table, AFTER INSERT OR DELETE OR UPDATE OF the e-mail column: creates the user, erases them, or copies the address. Error 39P01 when it is called in any other way.';

CREATE FUNCTION companion.follow_auth_users(
    auth_table regclass DEFAULT to_regclass('auth.users'), email_column name DEFAULT 'email')
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken_over bigint;
BEGIN
    IF auth_table IS NULL THEN
        RAISE EXCEPTION 'there is no auth table to follow'
        USING ERRCODE = 'undefined_table', HINT = 'Name it: companion.follow_auth_users(''app.accounts'').';
    ELSIF NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = auth_table
                      AND a.attname = 'id' AND a.atttypid = 'uuid'::regtype) THEN
        RAISE EXCEPTION 'table % has no column "id" of type uuid', auth_table
        USING ERRCODE = 'undefined_column';
    ELSIF row_security_active(auth_table) THEN
        RAISE EXCEPTION 'row-level security may hide rows of table % from you', auth_table
        USING ERRCODE = 'insufficient_privilege', HINT = 'Call this as a role with BYPASSRLS, or as the table''s owner.';
    END IF;
    EXECUTE format('CREATE OR REPLACE TRIGGER companion_follow'
                   ' AFTER INSERT OR DELETE OR UPDATE OF %I ON %s'
                   ' FOR EACH ROW EXECUTE FUNCTION companion.follow_auth_user()',
                   email_column, auth_table);
    EXECUTE format('INSERT INTO companion.users AS u (id, email) SELECT id, %I FROM %s'
                   ' ON CONFLICT (id) DO UPDATE SET email = excluded.email'
                   ' WHERE u.email IS DISTINCT FROM excluded.email',
                   email_column, auth_table);
    GET DIAGNOSTICS taken_over = ROW_COUNT;
    RETURN taken_over;
END
$$;
COMMENT ON FUNCTION companion.follow_auth_users(regclass, name) IS
'Puts the trigger companion_follow on an auth table (uuid column id), so that companion.users gains, changes the e-mail address of, and loses a user with it, and takes over the rows that are there. Returns how many of these were new or changed. Calling it again is harmless, and names another e-mail column. The caller needs the TRIGGER and SELECT privileges on the table. Error 42P01 where there is no such table, 42703 where it lacks a column, 42501 where row-level security may hide some of its rows.';

CREATE FUNCTION companion.unfollow_auth_users(
    auth_table regclass DEFAULT to_regclass('auth.users')) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger AS t
                   WHERE t.tgrelid = auth_table AND t.tgname = 'companion_follow') THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TRIGGER companion_follow ON %s', auth_table);
    RETURN true;
END
$$;
COMMENT ON FUNCTION companion.unfollow_auth_users(regclass) IS
'Takes the trigger off an auth table; the users stay. Returns whether it was followed. The caller must own the table.';

REVOKE ALL ON FUNCTION companion.follow_auth_user(),
    companion.follow_auth_users(regclass, name), companion.unfollow_auth_users(regclass)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companion.follow_auth_user(),
    companion.follow_auth_users(regclass, name), companion.unfollow_auth_users(regclass)
TO companion_admin;

-- A person's rights over their data. Both functions go by the catalog, so that no table
-- is forgotten.
CREATE VIEW companion.personal_tables WITH (security_invoker = true) AS
SELECT c.relname AS name, c.oid::regclass::text AS relation,
       CASE WHEN c.relname = 'users' THEN 'id = $1'
            WHEN 'user_id' = ANY (a.names) THEN 'user_id = $1'
            ELSE 'telegram_user_id = (SELECT telegram_user_id FROM companion.users WHERE id = $1)'
       END AS condition,
       a.readable AS columns,
       (SELECT string_agg(quote_ident(key.attname), ', ' ORDER BY key.attnum)
        FROM pg_index AS i
        JOIN pg_attribute AS key ON key.attrelid = c.oid AND key.attnum = ANY (i.indkey)
        WHERE i.indrelid = c.oid AND i.indisprimary) AS key
FROM pg_extension AS e
JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
JOIN pg_class AS c ON c.oid = d.objid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
CROSS JOIN LATERAL (
    SELECT array_agg(column_of.attname) AS names,
           string_agg(quote_ident(column_of.attname), ', ' ORDER BY column_of.attnum)
           FILTER (WHERE has_column_privilege('companion_admin', c.oid, column_of.attnum, 'SELECT'))
           AS readable
    FROM pg_attribute AS column_of
    WHERE column_of.attrelid = c.oid AND column_of.attnum > 0 AND NOT column_of.attisdropped) AS a
WHERE e.extname = 'companion' AND a.names && '{user_id,telegram_user_id}';
COMMENT ON VIEW companion.personal_tables IS
'The extension''s tables that hold rows of a user: how a user''s are found ($1 is the user''s id), the columns that an admin may read (a secret is one that nobody may), and the primary key. Internal.';
COMMENT ON COLUMN companion.personal_tables.name IS 'The table''s name.';
COMMENT ON COLUMN companion.personal_tables.relation IS 'The table, qualified and quoted.';
COMMENT ON COLUMN companion.personal_tables.condition IS 'Which rows are the user''s; $1 is the user''s id.';
COMMENT ON COLUMN companion.personal_tables.columns IS 'The columns that an admin may read, quoted.';
COMMENT ON COLUMN companion.personal_tables.key IS 'The primary key''s columns, quoted.';

CREATE FUNCTION companion.export_user(user_id uuid DEFAULT companion.current_user_id()) RETURNS jsonb
LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_export_user';
COMMENT ON FUNCTION companion.export_user(uuid) IS
'All that is stored of a user: for each table an array of its rows, in the order of the primary key, without secrets. Empty arrays for an unknown user. For the user''s own, or admins, else error 42501.';

CREATE FUNCTION companion.erase_user(user_id uuid DEFAULT companion.current_user_id()) RETURNS jsonb
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_erase_user';
COMMENT ON FUNCTION companion.erase_user(uuid) IS
'Deletes all that is stored of a user, the audit trail included, and returns for each table how many rows; all zero for an unknown user. The auth system''s row is left: delete it there, too. For the user''s own, or admins, else error 42501.';

REVOKE ALL ON FUNCTION companion.export_user(uuid), companion.erase_user(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companion.export_user(uuid), companion.erase_user(uuid)
TO companion_user, companion_admin;

-- Conversations and their messages.
CREATE TABLE companion.conversations (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    channel text NOT NULL CHECK (channel IN ('web', 'telegram', 'whatsapp')),
    initiated_by text NOT NULL DEFAULT 'user' CHECK (initiated_by IN ('user', 'companion')),
    started_at timestamptz NOT NULL DEFAULT companion.now(),
    ended_at timestamptz CHECK (ended_at >= started_at),
    mood_summary text,
    topics text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (user_id, id)
) WITH (fillfactor = 85);

-- One open conversation for a user and channel.
CREATE UNIQUE INDEX conversations_open ON companion.conversations (user_id, channel)
WHERE ended_at IS NULL;

COMMENT ON TABLE companion.conversations IS
'One row a conversation. Ids ascend with time, so the primary key read backwards gives a user''s conversations, most recent first.';
COMMENT ON COLUMN companion.conversations.user_id IS 'Whose conversation it is.';
COMMENT ON COLUMN companion.conversations.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.conversations.channel IS 'web, telegram or whatsapp.';
COMMENT ON COLUMN companion.conversations.initiated_by IS 'Who wrote first: user or companion.';
COMMENT ON COLUMN companion.conversations.started_at IS 'When it began.';
COMMENT ON COLUMN companion.conversations.ended_at IS 'When it ended; NULL while it is open.';
COMMENT ON COLUMN companion.conversations.mood_summary IS 'How the user felt, in the app''s words.';
COMMENT ON COLUMN companion.conversations.topics IS 'What it was about.';
COMMENT ON INDEX companion.conversations_open IS 'At most one open conversation for a user and channel.';

CREATE TABLE companion.messages (
    user_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    conversation_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
    content text NOT NULL CHECK (content <> ''),
    telegram_message_id bigint CHECK (telegram_message_id > 0),
    reply_to_id uuid,
    edited_at timestamptz,
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, conversation_id)
        REFERENCES companion.conversations (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, reply_to_id)
        REFERENCES companion.messages (user_id, id) ON DELETE SET NULL (reply_to_id)
);

CREATE INDEX messages_conversation ON companion.messages (user_id, conversation_id, id);
CREATE UNIQUE INDEX messages_telegram ON companion.messages (user_id, telegram_message_id)
WHERE telegram_message_id IS NOT NULL;
CREATE INDEX messages_edited ON companion.messages (user_id, edited_at)
WHERE edited_at IS NOT NULL;
CREATE INDEX messages_reply ON companion.messages (user_id, reply_to_id)
WHERE reply_to_id IS NOT NULL;

COMMENT ON TABLE companion.messages IS
'One row a message. Ids ascend with time, so the primary key read backwards gives a user''s messages, most recent first.';
COMMENT ON COLUMN companion.messages.user_id IS 'Whose conversation it is in.';
COMMENT ON COLUMN companion.messages.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.messages.conversation_id IS 'The conversation, one of the same user''s.';
COMMENT ON COLUMN companion.messages.role IS 'Who wrote it: user, assistant or system.';
COMMENT ON COLUMN companion.messages.content IS 'The text.';
COMMENT ON COLUMN companion.messages.telegram_message_id IS 'Telegram''s id within the chat with this user; a redelivered update is stored once.';
COMMENT ON COLUMN companion.messages.reply_to_id IS 'The message that this one answers, one of the same user''s.';
COMMENT ON COLUMN companion.messages.edited_at IS 'When the text was last edited; to be set by whoever changes content, as edit_message does.';
COMMENT ON COLUMN companion.messages.metadata IS 'The app''s own data, a JSON object; edits, where the message was edited, is an array of its earlier texts: content and written_at.';
COMMENT ON COLUMN companion.messages.created_at IS 'When it was written.';
COMMENT ON INDEX companion.messages_conversation IS 'A conversation''s messages in order.';
COMMENT ON INDEX companion.messages_telegram IS 'A redelivered Telegram update is refused.';
COMMENT ON INDEX companion.messages_edited IS 'The messages whose text is another than a search has kept.';
COMMENT ON INDEX companion.messages_reply IS 'The answers to a message.';

ALTER TABLE companion.conversations ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.conversations TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.conversations IS 'An end user sees their own conversations only.';
CREATE POLICY every_row ON companion.conversations TO companion_worker, companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.conversations IS 'Workers and admins act for every user.';

ALTER TABLE companion.messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.messages TO companion_user
USING (user_id = companion.current_user_id())
WITH CHECK (user_id = companion.current_user_id() AND role = 'user');
COMMENT ON POLICY own_rows ON companion.messages IS
'An end user sees their own messages only, and writes as themselves only.';
CREATE POLICY every_row ON companion.messages TO companion_worker, companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.messages IS 'Workers and admins act for every user.';

-- An end user adds messages through companion.add_message() only.
GRANT SELECT ON companion.conversations, companion.messages TO companion_user;
GRANT SELECT, INSERT, DELETE ON companion.conversations, companion.messages
TO companion_worker, companion_admin;
GRANT UPDATE ON companion.conversations TO companion_worker, companion_admin;
-- A text is replaced through companion.edit_message() only.
GRANT UPDATE (telegram_message_id, reply_to_id, metadata) ON companion.messages
TO companion_worker, companion_admin;

SELECT pg_catalog.pg_extension_config_dump('companion.conversations', '');
SELECT pg_catalog.pg_extension_config_dump('companion.messages', '');

-- Opening conversations, and what is written into them.
CREATE FUNCTION companion.open_conversation(
    user_id uuid, channel text, initiated_by text DEFAULT 'user',
    idle interval DEFAULT '24 hours')
RETURNS uuid
LANGUAGE c SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS 'MODULE_PATHNAME', 'companion_open_conversation';
COMMENT ON FUNCTION companion.open_conversation(uuid, text, text, interval) IS
'The open conversation of a user on a channel, if its last message (or, without one, its start) is younger than idle; else that one is ended and a new one begun. Two calls at once get the same. initiated_by, user or companion, counts for a new one. idle: zero to 100 years. For the user''s own, then initiated by user, or workers and admins. Error 22023 for an unknown channel or initiator or another idle, 23503 for an unknown user, 42501 for another''s or as the companion.';

CREATE FUNCTION companion.close_conversation(
    user_id uuid, conversation_id uuid, mood_summary text DEFAULT NULL, topics text[] DEFAULT NULL)
RETURNS boolean
LANGUAGE c SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS 'MODULE_PATHNAME', 'companion_close_conversation';
COMMENT ON FUNCTION companion.close_conversation(uuid, uuid, text, text[]) IS
'Ends a conversation and says how the user felt and what it was about; NULL leaves that as it stands. Returns whether it was open; one that had ended keeps its end and takes the summary. Error 23503 when the user has no such conversation, 2202E or 22004 for topics that are not a plain list.';

CREATE FUNCTION companion.add_message(
    user_id uuid, conversation_id uuid, role text, content text,
    telegram_message_id bigint DEFAULT NULL, reply_to_id uuid DEFAULT NULL,
    metadata jsonb DEFAULT NULL, reply_to_telegram_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE c SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS 'MODULE_PATHNAME', 'companion_add_message';
COMMENT ON FUNCTION companion.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint) IS
'Adds a message to a conversation and returns its id. A Telegram update delivered again stores nothing and returns the id of the first. A message may be added to a conversation that has ended: an answer belongs where the question is. What it replies to is named by reply_to_id or by Telegram''s id, not both; a Telegram id that is not stored leaves reply_to_id NULL. role user sets users.last_user_message_at. End users add their own, with role user and without telegram_message_id. Error 22023 for an unknown role, for content that is empty or over companion.max_message_length, for two replies, for metadata that is not an object and for a Telegram id below 1; 23503 for a conversation or a message replied to that is not the user''s; 42501 for another''s, another role or a Telegram id as an end user.';

CREATE FUNCTION companion.edit_message(
    user_id uuid, message_id uuid, content text, telegram_message_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS 'MODULE_PATHNAME', 'companion_edit_message';
COMMENT ON FUNCTION companion.edit_message(uuid, uuid, text, bigint) IS
'Replaces a message''s text and returns its id. The earlier text and when it was written are added to metadata, in the array edits. The same text again changes nothing. The message is named by its id or, with message_id NULL, by Telegram''s; a Telegram id that is not stored gives NULL. Error 23503 when the user has no such message, 22023 for content that is empty or over companion.max_message_length, and unless exactly one id is given.';

CREATE FUNCTION companion.record_incoming(
    channel text, channel_user_id text, content text, telegram_message_id bigint DEFAULT NULL,
    reply_to_telegram_id bigint DEFAULT NULL, metadata jsonb DEFAULT NULL,
    idle interval DEFAULT '24 hours')
RETURNS TABLE (user_id uuid, conversation_id uuid, message_id uuid, is_new boolean)
LANGUAGE c SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS 'MODULE_PATHNAME', 'companion_record_incoming';
COMMENT ON FUNCTION companion.record_incoming(text, text, text, bigint, bigint, jsonb, interval) IS
'What a channel''s webhook brings, in one call: finds the user who has this address, opens or continues their conversation there, and adds the message. channel_user_id is Telegram''s user id, the WhatsApp number with or without +, or for web the user''s id. A Telegram update delivered again stores nothing and returns the first, with is_new false. No row for an address that no user has. Errors as of open_conversation and add_message; 22P02 for an id that is none, 22003 for one beyond bigint; 21000 for a WhatsApp number that several users have.';

REVOKE ALL ON FUNCTION
    companion.open_conversation(uuid, text, text, interval),
    companion.close_conversation(uuid, uuid, text, text[]),
    companion.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint),
    companion.edit_message(uuid, uuid, text, bigint),
    companion.record_incoming(text, text, text, bigint, bigint, jsonb, interval)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    companion.open_conversation(uuid, text, text, interval),
    companion.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint)
TO companion_user, companion_worker, companion_admin;
GRANT EXECUTE ON FUNCTION
    companion.close_conversation(uuid, uuid, text, text[]),
    companion.edit_message(uuid, uuid, text, bigint),
    companion.record_incoming(text, text, text, bigint, bigint, jsonb, interval)
TO companion_worker, companion_admin;

-- Reading messages, the latest first. Of the two halves one is empty before it starts. A CASE,
-- unlike coalesce, does not keep a condition from the index under a policy.
CREATE FUNCTION companion.recent_messages(
    user_id uuid, max_messages integer DEFAULT 20, conversation_id uuid DEFAULT NULL,
    before uuid DEFAULT NULL)
RETURNS SETOF companion.messages
LANGUAGE sql STABLE ROWS 20
BEGIN ATOMIC
    (SELECT m.* FROM companion.messages AS m
     WHERE recent_messages.conversation_id IS NULL AND m.user_id = recent_messages.user_id
         AND m.id < CASE WHEN before IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE before END
     ORDER BY m.id DESC LIMIT max_messages)
    UNION ALL
    (SELECT m.* FROM companion.messages AS m
     WHERE m.user_id = recent_messages.user_id
         AND m.conversation_id = recent_messages.conversation_id
         AND m.id < CASE WHEN before IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE before END
     ORDER BY m.id DESC LIMIT max_messages)
    ORDER BY id DESC;
END;
COMMENT ON FUNCTION companion.recent_messages(uuid, integer, uuid, uuid) IS
'A user''s messages, or those of one conversation, the latest first. before is the id of the last message of the page before; NULL begins with the latest. max_messages NULL: all of them. For the user''s own, or workers and admins; others get no row. Error 2201W for a negative max_messages.';
REVOKE ALL ON FUNCTION companion.recent_messages(uuid, integer, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companion.recent_messages(uuid, integer, uuid, uuid)
TO companion_user, companion_worker, companion_admin;

-- Searching a user's messages. What a search has read it keeps, a user's messages in
-- chunks: so writing a message costs nothing for it, and no index mixes users' words.
CREATE TABLE companion.search_chunks (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    last_message_id uuid NOT NULL,
    config text NOT NULL,
    message_count integer NOT NULL,
    message_ids_hash bigint NOT NULL,
    message_ids uuid[] NOT NULL,
    documents tsvector[] NOT NULL,
    PRIMARY KEY (user_id, last_message_id)
);
ALTER TABLE companion.search_chunks
    ALTER COLUMN message_ids SET STORAGE EXTERNAL, ALTER COLUMN documents SET STORAGE EXTERNAL;
COMMENT ON TABLE companion.search_chunks IS
'What searches have read, kept ready for the next search: the chunks of a user cover their messages up to the last chunk''s last. Internal, and made anew when needed, so it is not dumped; DELETE its rows after changing the text search configuration itself.';
COMMENT ON COLUMN companion.search_chunks.user_id IS 'Whose messages.';
COMMENT ON COLUMN companion.search_chunks.last_message_id IS 'The last message of the chunk.';
COMMENT ON COLUMN companion.search_chunks.config IS 'The text search configuration that made the documents.';
COMMENT ON COLUMN companion.search_chunks.message_count IS 'How many messages.';
COMMENT ON COLUMN companion.search_chunks.message_ids_hash IS 'The exclusive or of their ids'' hashes: tells when messages have gone or come since.';
COMMENT ON COLUMN companion.search_chunks.message_ids IS 'The messages, in order.';
COMMENT ON COLUMN companion.search_chunks.documents IS 'Their texts as text search documents, in the same order; of a message that was edited the text is read from messages.';

ALTER TABLE companion.search_chunks ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.search_chunks TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.search_chunks IS 'An end user''s own chunks only.';
CREATE POLICY every_row ON companion.search_chunks TO companion_worker, companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.search_chunks IS 'Workers and admins act for every user.';
GRANT SELECT, DELETE ON companion.search_chunks TO companion_admin;
SELECT pg_catalog.pg_extension_config_dump('companion.search_chunks', 'WHERE false');

CREATE FUNCTION companion.search_messages(
    user_id uuid, query text, max_results integer DEFAULT 20)
RETURNS TABLE (
    message_id uuid, conversation_id uuid, role text, excerpt text, rank real,
    created_at timestamptz)
LANGUAGE c ROWS 20 SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS 'MODULE_PATHNAME', 'companion_search_messages';
COMMENT ON FUNCTION companion.search_messages(uuid, text, integer) IS
'The user''s messages that match a query, the best first, of equals the latest. The query is as on the web: words, "a phrase", or, -not; any text is one, and one without words finds nothing. excerpt is the part that matches, the words found between two asterisks on each side. Words are compared under companion.text_search_config. query: up to 1000 characters; max_results: 1 to 1000; error 22023 otherwise. For the user''s own, or workers and admins; error 42501 for another''s, 42704 for a setting that names no configuration.';

REVOKE ALL ON FUNCTION companion.search_messages(uuid, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companion.search_messages(uuid, text, integer)
TO companion_user, companion_worker, companion_admin;

-- Who starts, and whether the companion is answered.
CREATE VIEW companion.conversation_starts WITH (security_invoker = true) AS
SELECT c.user_id, (c.started_at AT TIME ZONE u.timezone)::date AS local_date,
       count(*) FILTER (WHERE c.initiated_by = 'user') AS by_user,
       count(*) FILTER (WHERE c.initiated_by = 'companion') AS by_companion
FROM companion.conversations AS c
JOIN companion.users AS u ON u.id = c.user_id
GROUP BY c.user_id, (c.started_at AT TIME ZONE u.timezone)::date;
COMMENT ON VIEW companion.conversation_starts IS
'How often the user and how often the companion began a conversation: one row a user and local day on which either did, in the user''s present zone.';
COMMENT ON COLUMN companion.conversation_starts.user_id IS 'The user.';
COMMENT ON COLUMN companion.conversation_starts.local_date IS 'The user''s local day.';
COMMENT ON COLUMN companion.conversation_starts.by_user IS 'How many conversations the user began.';
COMMENT ON COLUMN companion.conversation_starts.by_companion IS 'How many the companion began.';

CREATE VIEW companion.companion_starts WITH (security_invoker = true) AS
SELECT c.user_id, c.id AS conversation_id, c.channel, c.started_at,
       (c.started_at AT TIME ZONE u.timezone)::date AS local_date,
       reply.created_at AS replied_at, reply.created_at - c.started_at AS reply_delay
FROM companion.conversations AS c
JOIN companion.users AS u ON u.id = c.user_id
LEFT JOIN LATERAL (
    SELECT m.created_at FROM companion.messages AS m
    WHERE m.user_id = c.user_id AND m.conversation_id = c.id AND m.role = 'user'
    ORDER BY m.id LIMIT 1) AS reply ON true
WHERE c.initiated_by = 'companion';
COMMENT ON VIEW companion.companion_starts IS
'Every conversation that the companion began, and when the user first answered in it; NULL where they did not.';
COMMENT ON COLUMN companion.companion_starts.user_id IS 'The user.';
COMMENT ON COLUMN companion.companion_starts.conversation_id IS 'conversations.id.';
COMMENT ON COLUMN companion.companion_starts.channel IS 'web, telegram or whatsapp.';
COMMENT ON COLUMN companion.companion_starts.started_at IS 'When the companion began it.';
COMMENT ON COLUMN companion.companion_starts.local_date IS 'The user''s local day of started_at.';
COMMENT ON COLUMN companion.companion_starts.replied_at IS 'When the user first wrote in it; NULL: never.';
COMMENT ON COLUMN companion.companion_starts.reply_delay IS 'From started_at to replied_at.';

CREATE VIEW companion.reply_rates WITH (security_invoker = true) AS
SELECT user_id, local_date, count(*) AS started, count(replied_at) AS replied,
       count(replied_at)::double precision / count(*) AS reply_rate,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY reply_delay) AS median_reply_delay
FROM companion.companion_starts
GROUP BY user_id, local_date;
COMMENT ON VIEW companion.reply_rates IS
'How the user answers conversations that the companion began: one row a user and local day with any; reply_rate from 0 to 1, median_reply_delay NULL where none was answered.';
COMMENT ON COLUMN companion.reply_rates.user_id IS 'The user.';
COMMENT ON COLUMN companion.reply_rates.local_date IS 'The user''s local day.';
COMMENT ON COLUMN companion.reply_rates.started IS 'How many conversations the companion began.';
COMMENT ON COLUMN companion.reply_rates.replied IS 'In how many of them the user answered.';
COMMENT ON COLUMN companion.reply_rates.reply_rate IS 'replied / started, from 0 to 1.';
COMMENT ON COLUMN companion.reply_rates.median_reply_delay IS 'The median of reply_delay; NULL where none was answered.';

GRANT SELECT ON companion.conversation_starts, companion.companion_starts, companion.reply_rates
TO companion_user, companion_worker, companion_admin;

-- Memory: what the companion knows about its user.
CREATE TABLE companion.user_context (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    category text COLLATE "C" NOT NULL CHECK (category <> ''),
    key text COLLATE "C" NOT NULL CHECK (key <> ''),
    value text NOT NULL CHECK (value <> ''),
    importance real NOT NULL DEFAULT 0.5 CHECK (importance BETWEEN 0 AND 1),
    emotional_valence smallint NOT NULL DEFAULT 0 CHECK (emotional_valence BETWEEN -2 AND 2),
    source text NOT NULL DEFAULT 'extracted' CHECK (source <> ''),
    source_message_id uuid,
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    pinned boolean NOT NULL DEFAULT false,
    expires_at timestamptz,
    resolved_at timestamptz,
    confirmations integer NOT NULL DEFAULT 1 CHECK (confirmations > 0),
    confirmed_at timestamptz NOT NULL DEFAULT companion.now(),
    last_referenced_at timestamptz NOT NULL DEFAULT companion.now(),
    value_since timestamptz NOT NULL DEFAULT companion.now(),
    previous_value text,
    previous_source text,
    previous_since timestamptz,
    contradicted_by text,
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    updated_at timestamptz NOT NULL DEFAULT companion.now(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, category, key),
    FOREIGN KEY (user_id, source_message_id)
        REFERENCES companion.messages (user_id, id) ON DELETE SET NULL (source_message_id)
) WITH (fillfactor = 85);

CREATE INDEX user_context_source ON companion.user_context (user_id, source_message_id)
WHERE source_message_id IS NOT NULL;
CREATE INDEX user_context_expiry ON companion.user_context (expires_at)
WHERE expires_at IS NOT NULL;

COMMENT ON TABLE companion.user_context IS
'One row a context item, a remembered fact: (category, key) -> value. Written by the functions only.';
COMMENT ON COLUMN companion.user_context.user_id IS 'Whom it is about.';
COMMENT ON COLUMN companion.user_context.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.user_context.category IS 'What kind of fact it is; the app''s own words. follow_up is read by due_follow_ups().';
COMMENT ON COLUMN companion.user_context.key IS 'Which fact within the category.';
COMMENT ON COLUMN companion.user_context.value IS 'The fact.';
COMMENT ON COLUMN companion.user_context.importance IS 'From 0 to 1.';
COMMENT ON COLUMN companion.user_context.emotional_valence IS 'From -2 (painful) to 2 (joyful).';
COMMENT ON COLUMN companion.user_context.source IS 'Where the value comes from: user (the user said so), pinned, extracted (by a model), or the app''s own word.';
COMMENT ON COLUMN companion.user_context.source_message_id IS 'The message that it was learned from, one of the same user''s.';
COMMENT ON COLUMN companion.user_context.metadata IS 'The app''s own data, a JSON object. follow_up_on is the local date, YYYY-MM-DD, on which to ask about it.';
COMMENT ON COLUMN companion.user_context.pinned IS 'Whether it always comes first.';
COMMENT ON COLUMN companion.user_context.expires_at IS 'When it stops being true; NULL: never.';
COMMENT ON COLUMN companion.user_context.resolved_at IS 'When an open thread was settled or a follow-up asked; no longer recalled.';
COMMENT ON COLUMN companion.user_context.confirmations IS 'How often the value was stated, the first time included.';
COMMENT ON COLUMN companion.user_context.confirmed_at IS 'When the value was last stated.';
COMMENT ON COLUMN companion.user_context.last_referenced_at IS 'When it was last used or stated.';
COMMENT ON COLUMN companion.user_context.value_since IS 'Since when this value has held.';
COMMENT ON COLUMN companion.user_context.previous_value IS 'The value that the last upsert superseded; NULL: none, it stated the same or a new item.';
COMMENT ON COLUMN companion.user_context.previous_source IS 'The source before the last upsert.';
COMMENT ON COLUMN companion.user_context.previous_since IS 'value_since before the last upsert.';
COMMENT ON COLUMN companion.user_context.contradicted_by IS 'The value that the last upsert gave and that was not taken, because the user''s word stands; NULL: the last upsert was taken.';
COMMENT ON COLUMN companion.user_context.created_at IS 'When it was first learned.';
COMMENT ON COLUMN companion.user_context.updated_at IS 'When the row last changed.';
COMMENT ON INDEX companion.user_context_source IS 'What was learned from a message.';
COMMENT ON INDEX companion.user_context_expiry IS 'What has expired.';

CREATE TABLE companion.user_context_history (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    category text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    value text NOT NULL,
    source text NOT NULL,
    held_from timestamptz NOT NULL,
    held_until timestamptz NOT NULL,
    replaced_by text,
    PRIMARY KEY (user_id, category, key, id)
);
COMMENT ON TABLE companion.user_context_history IS
'One row a value that no longer holds: it was superseded or has expired. It held from held_from, inclusive, to held_until, exclusive.';
COMMENT ON COLUMN companion.user_context_history.user_id IS 'Whom it was about.';
COMMENT ON COLUMN companion.user_context_history.category IS 'The item''s category.';
COMMENT ON COLUMN companion.user_context_history.key IS 'The item''s key.';
COMMENT ON COLUMN companion.user_context_history.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.user_context_history.value IS 'What was believed.';
COMMENT ON COLUMN companion.user_context_history.source IS 'Where it came from.';
COMMENT ON COLUMN companion.user_context_history.held_from IS 'Since when.';
COMMENT ON COLUMN companion.user_context_history.held_until IS 'Until when.';
COMMENT ON COLUMN companion.user_context_history.replaced_by IS 'The value that superseded it; NULL: none, it expired.';

ALTER TABLE companion.user_context ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.user_context TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.user_context IS 'An end user sees their own items only.';
CREATE POLICY every_row ON companion.user_context TO companion_worker, companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.user_context IS 'Workers and admins see every user''s.';

ALTER TABLE companion.user_context_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.user_context_history TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.user_context_history IS 'An end user sees their own history only.';
CREATE POLICY every_row ON companion.user_context_history TO companion_worker, companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.user_context_history IS 'Workers and admins see every user''s.';

-- Written by the functions only: else a write could leave out the history or pass the limits.
GRANT SELECT ON companion.user_context, companion.user_context_history
TO companion_user, companion_worker, companion_admin;

SELECT pg_catalog.pg_extension_config_dump('companion.user_context', '');
SELECT pg_catalog.pg_extension_config_dump('companion.user_context_history', '');

-- Local time.
CREATE FUNCTION companion.checkin_instant(timezone text, local_date date, local_time time) RETURNS timestamptz
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_checkin_instant';
COMMENT ON FUNCTION companion.checkin_instant(text, date, time) IS
'When a clock in the zone first reads the time on the date. A time that the clock jumps over: the instant of the jump. A time that comes twice: the first. A date that the zone has left out: NULL. Error 22023 for an unknown zone, 22008 for a date out of range.';
REVOKE ALL ON FUNCTION companion.checkin_instant(text, date, time) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companion.checkin_instant(text, date, time)
TO companion_user, companion_worker, companion_admin;

-- Memory: what may be done with context items.
CREATE FUNCTION companion.upsert_user_context(
    user_id uuid, category text, key text, value text, importance real DEFAULT 0.5,
    emotional_valence integer DEFAULT 0, source text DEFAULT 'extracted',
    expires_at timestamptz DEFAULT NULL, source_message_id uuid DEFAULT NULL,
    metadata jsonb DEFAULT NULL, pinned boolean DEFAULT NULL)
RETURNS companion.user_context
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_upsert_user_context';
COMMENT ON FUNCTION companion.upsert_user_context(uuid, text, text, text, real, integer, text, timestamptz, uuid, jsonb, boolean) IS
'Remembers a fact and returns its row. The same value again confirms it; another supersedes it, and the former goes to user_context_history. What a user said or pinned gives way only to source user or pinned: else it stands as it was, and contradicted_by holds the value that was not taken. NULL for an optional argument keeps what was there (on a new item: the default). expires_at: infinity clears an expiry; a past one stores an item that no read returns; end_of_day() makes one of a local date. source pinned pins. metadata replaces what was there. Error 22023 for an argument out of bounds, 22008 for -infinity, 22004 for a missing one, 23503 for an unknown user or message, 42501 for another''s item, 54000 beyond companion.max_context_items.';

CREATE FUNCTION companion.upsert_user_context_many(user_id uuid, facts jsonb)
RETURNS SETOF companion.user_context
LANGUAGE c ROWS 50 SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_upsert_user_context_many';
COMMENT ON FUNCTION companion.upsert_user_context_many(uuid, jsonb) IS
'upsert_user_context for an array of objects with its arguments'' names: one row for each element, in input order, all or nothing. A field left out has the argument''s default, null is NULL. expires_at may be a local date, YYYY-MM-DD: the end of that day in the user''s zone. Of elements with the same category and key the last counts. Errors as there, and 22007, 22008 or 22P02 for a time or id that cannot be read; one about an element names it, counting from 0, and its field.';

CREATE FUNCTION companion.end_of_day(user_id uuid, local_date date) RETURNS timestamptz
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(companion.checkin_instant(u.timezone, local_date + 1, '00:00'),
                    companion.checkin_instant(u.timezone, local_date + 2, '00:00'))
    FROM companion.users AS u WHERE u.id = end_of_day.user_id;
END;
COMMENT ON FUNCTION companion.end_of_day(uuid, date) IS
'When the local date ends, and the next begins, in the user''s present zone: for expires_at. NULL for a user that is unknown, or not the end user''s own. Error 22008 for a date out of range.';

CREATE FUNCTION companion.recall_score(
    category text, importance real, confirmations integer, confirmed_at timestamptz,
    last_referenced_at timestamptz, at timestamptz)
RETURNS double precision
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_recall_score';
COMMENT ON FUNCTION companion.recall_score(text, real, integer, timestamptz, timestamptz, timestamptz) IS
'How much an item matters at a time: importance, halved for every half-life of its category (companion.half_lives) since it was last stated, a quarter more for every doubling of confirmations, and half as much again when referenced just now, fading over weeks.';

-- The planner settings keep recall a read of one user's rows whatever the statistics say.
CREATE FUNCTION companion.recall_user_context(
    user_id uuid, max_items integer DEFAULT 20, max_chars integer DEFAULT NULL,
    categories text[] DEFAULT NULL)
RETURNS SETOF companion.user_context
LANGUAGE c STABLE ROWS 20 SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_recall_user_context';
COMMENT ON FUNCTION companion.recall_user_context(uuid, integer, integer, text[]) IS
'The items that matter most now: pinned ones first, then by recall_score(), then by category and key; no expired and no resolved one. max_items: 1 to 10000. max_chars: the most characters that user_context_prompt() makes of them; an item that does not fit is passed over. categories: only these. Error 22023 otherwise, 42501 for another''s.';

CREATE FUNCTION companion.user_context_prompt(
    user_id uuid, max_items integer DEFAULT 20, max_chars integer DEFAULT NULL,
    categories text[] DEFAULT NULL)
RETURNS text
LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_user_context_prompt';
COMMENT ON FUNCTION companion.user_context_prompt(uuid, integer, integer, text[]) IS
'What recall_user_context() returns as lines for a prompt, "- category/key: value", each ended by a line feed; line breaks within them become spaces. Empty where nothing is recalled.';

CREATE FUNCTION companion.touch_user_context(user_id uuid, ids uuid[]) RETURNS bigint
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_touch_user_context';
COMMENT ON FUNCTION companion.touch_user_context(uuid, uuid[]) IS
'Records that items were used, which lifts them in recall for a while; returns how many of the ids are items of the user. Error 42501 for another''s.';

CREATE FUNCTION companion.due_follow_ups(user_id uuid, on_date date DEFAULT NULL)
RETURNS SETOF companion.user_context
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.* FROM companion.user_context AS c
    JOIN companion.users AS u ON u.id = c.user_id
    WHERE c.user_id = due_follow_ups.user_id AND c.category = 'follow_up'
        AND c.resolved_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > companion.now())
        AND (c.metadata ->> 'follow_up_on') COLLATE "C"
            <= to_char(coalesce(on_date, (companion.now() AT TIME ZONE u.timezone)::date), 'YYYY-MM-DD')
    ORDER BY (c.metadata ->> 'follow_up_on') COLLATE "C", c.key;
END;
COMMENT ON FUNCTION companion.due_follow_ups(uuid, date) IS
'The user''s items of category follow_up whose metadata has a follow_up_on of this date or before, and that resolve_user_context() has not marked as asked; the oldest first. on_date: NULL for the user''s local today. No rows for another''s.';

CREATE FUNCTION companion.resolve_user_context(user_id uuid, category text, key text) RETURNS boolean
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_resolve_user_context';
COMMENT ON FUNCTION companion.resolve_user_context(uuid, text, text) IS
'Marks an open thread as settled or a follow-up as asked: it is no longer recalled, until it is given another value. False when there is no such item, or it is resolved already. Error 42501 for another''s.';

CREATE FUNCTION companion.user_context_as_of(user_id uuid, at timestamptz)
RETURNS TABLE (category text, key text, value text, source text, held_from timestamptz, held_until timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.category, c.key, c.value, c.source, c.value_since, c.expires_at
    FROM companion.user_context AS c
    WHERE c.user_id = user_context_as_of.user_id
        AND c.value_since <= at AND (c.expires_at IS NULL OR c.expires_at > at)
    UNION ALL
    SELECT h.category, h.key, h.value, h.source, h.held_from, h.held_until
    FROM companion.user_context_history AS h
    WHERE h.user_id = user_context_as_of.user_id AND h.held_from <= at AND h.held_until > at
    ORDER BY 1, 2;
END;
COMMENT ON FUNCTION companion.user_context_as_of(uuid, timestamptz) IS
'What was believed about the user at a time, by category and key: the values that held then, with since when and until when (NULL: it holds still). What was forgotten since is not among them. No rows for another''s.';

CREATE FUNCTION companion.forget_user_context(
    user_id uuid, category text DEFAULT NULL, key text DEFAULT NULL,
    OUT items bigint, OUT history bigint)
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_forget_user_context';
COMMENT ON FUNCTION companion.forget_user_context(uuid, text, text) IS
'Deletes one item, a category''s or all of a user''s, their history with them; returns how many of each. Error 22023 for a key without a category, 42501 for another''s.';

CREATE FUNCTION companion.expire_user_context(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_expire_user_context';
COMMENT ON FUNCTION companion.expire_user_context(integer) IS
'Deletes expired items, which no read returns any more; their values stay in user_context_history. It passes over rows that are locked. Returns how many. Error 22023 for a bound below 1.';

REVOKE ALL ON FUNCTION
    companion.upsert_user_context(uuid, text, text, text, real, integer, text, timestamptz, uuid, jsonb, boolean),
    companion.upsert_user_context_many(uuid, jsonb), companion.end_of_day(uuid, date),
    companion.recall_score(text, real, integer, timestamptz, timestamptz, timestamptz),
    companion.recall_user_context(uuid, integer, integer, text[]),
    companion.user_context_prompt(uuid, integer, integer, text[]),
    companion.touch_user_context(uuid, uuid[]), companion.due_follow_ups(uuid, date),
    companion.resolve_user_context(uuid, text, text),
    companion.user_context_as_of(uuid, timestamptz),
    companion.forget_user_context(uuid, text, text), companion.expire_user_context(integer)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    companion.upsert_user_context(uuid, text, text, text, real, integer, text, timestamptz, uuid, jsonb, boolean),
    companion.upsert_user_context_many(uuid, jsonb), companion.end_of_day(uuid, date),
    companion.recall_score(text, real, integer, timestamptz, timestamptz, timestamptz),
    companion.recall_user_context(uuid, integer, integer, text[]),
    companion.user_context_prompt(uuid, integer, integer, text[]),
    companion.touch_user_context(uuid, uuid[]), companion.due_follow_ups(uuid, date),
    companion.resolve_user_context(uuid, text, text),
    companion.user_context_as_of(uuid, timestamptz),
    companion.forget_user_context(uuid, text, text)
TO companion_user, companion_worker, companion_admin;
GRANT EXECUTE ON FUNCTION companion.expire_user_context(integer) TO companion_admin;

-- Scheduled messages: the audit trail, and the slim queue that workers claim from.
CREATE TABLE companion.scheduled_messages (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    kind text NOT NULL CHECK (kind = 'checkin' OR kind ~ '^[a-z][a-z0-9_]{0,62}$'),
    idempotency_key text COLLATE "C" NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 200),
    local_date date NOT NULL,
    timezone text NOT NULL,
    scheduled_for timestamptz NOT NULL,
    send_before timestamptz NOT NULL DEFAULT 'infinity',
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'sent', 'failed', 'skipped', 'unknown')),
    attempts integer NOT NULL DEFAULT 0,
    channel text NOT NULL CHECK (channel IN ('web', 'telegram', 'whatsapp')),
    content text CHECK (content <> ''),
    generation_context jsonb,
    priority_level smallint,
    topic_key text,
    failure_reason text,
    sent_at timestamptz,
    finished_at timestamptz,
    conversation_id uuid,
    message_id uuid,
    telegram_message_id bigint,
    worker text,
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    PRIMARY KEY (user_id, id),
    -- The guard: whoever inserts, by whatever path, a second one is refused.
    UNIQUE (user_id, idempotency_key),
    CHECK ((kind = 'checkin') = starts_with(idempotency_key, 'checkin:'))
) WITH (fillfactor = 50);
-- Half of each page is left free, so that finishing a whole batch is HOT: no index
-- covers a column that changes, and old and new rows fit side by side.

COMMENT ON TABLE companion.scheduled_messages IS
'One row a message that the companion starts, and what became of it. Rows are finished, not deleted, until companion.retention has passed.';
COMMENT ON COLUMN companion.scheduled_messages.user_id IS 'To whom.';
COMMENT ON COLUMN companion.scheduled_messages.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.scheduled_messages.kind IS 'checkin, or the app''s own: lower-case letters, digits and _.';
COMMENT ON COLUMN companion.scheduled_messages.idempotency_key IS 'One message a user and key. A check-in''s is checkin:<local date>, with @<zone> after it where travel brings the same date again.';
COMMENT ON COLUMN companion.scheduled_messages.local_date IS 'The local day that it is for.';
COMMENT ON COLUMN companion.scheduled_messages.timezone IS 'The user''s zone when it was enqueued.';
COMMENT ON COLUMN companion.scheduled_messages.scheduled_for IS 'The instant at which it was due, whenever it was found.';
COMMENT ON COLUMN companion.scheduled_messages.send_before IS 'Skipped rather than sent from this time on.';
COMMENT ON COLUMN companion.scheduled_messages.status IS 'pending until finished; then sent, failed, skipped, or unknown: its worker died after start_send.';
COMMENT ON COLUMN companion.scheduled_messages.attempts IS 'How many times it was claimed; set when it is finished.';
COMMENT ON COLUMN companion.scheduled_messages.channel IS 'web, telegram or whatsapp.';
COMMENT ON COLUMN companion.scheduled_messages.content IS 'The text, where it was given beforehand; what was sent is in messages.';
COMMENT ON COLUMN companion.scheduled_messages.generation_context IS 'What the app''s model needs to write it.';
COMMENT ON COLUMN companion.scheduled_messages.priority_level IS 'The app''s own.';
COMMENT ON COLUMN companion.scheduled_messages.topic_key IS 'The app''s own.';
COMMENT ON COLUMN companion.scheduled_messages.failure_reason IS 'Why it failed or was skipped.';
COMMENT ON COLUMN companion.scheduled_messages.sent_at IS 'When it was reported sent.';
COMMENT ON COLUMN companion.scheduled_messages.finished_at IS 'When it left pending.';
COMMENT ON COLUMN companion.scheduled_messages.conversation_id IS 'The conversation that the sent message is filed in.';
COMMENT ON COLUMN companion.scheduled_messages.message_id IS 'The sent message in messages.';
COMMENT ON COLUMN companion.scheduled_messages.telegram_message_id IS 'Telegram''s id of the sent message.';
COMMENT ON COLUMN companion.scheduled_messages.worker IS 'The worker of the last attempt.';
COMMENT ON COLUMN companion.scheduled_messages.created_at IS 'When it was enqueued.';

CREATE TABLE companion.dispatch_queue (
    visible_at timestamptz NOT NULL,
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    send_before timestamptz NOT NULL,
    user_id uuid NOT NULL,
    message_id uuid NOT NULL,
    attempt integer NOT NULL DEFAULT 0,
    sending boolean NOT NULL DEFAULT false,
    channel text NOT NULL,
    worker text,
    PRIMARY KEY (user_id, message_id)
) WITH (fillfactor = 40);
-- A lease is not indexed, so claiming and starting are HOT: each page keeps room
-- for the two new versions of every row that it takes.
CREATE INDEX dispatch_queue_visible ON companion.dispatch_queue (visible_at, message_id);

COMMENT ON TABLE companion.dispatch_queue IS
'One narrow row a pending message: what workers claim from. Internal. It has no foreign key, so that it can stay on one node; a row whose message is gone is dropped when it is next claimed.';
COMMENT ON COLUMN companion.dispatch_queue.visible_at IS 'Not claimed before this time.';
COMMENT ON COLUMN companion.dispatch_queue.leased_until IS 'Not claimed by another before this time.';
COMMENT ON COLUMN companion.dispatch_queue.send_before IS 'Skipped rather than claimed from this time on.';
COMMENT ON COLUMN companion.dispatch_queue.user_id IS 'To whom.';
COMMENT ON COLUMN companion.dispatch_queue.message_id IS 'scheduled_messages.id.';
COMMENT ON COLUMN companion.dispatch_queue.attempt IS 'The fencing number: how many times it was claimed.';
COMMENT ON COLUMN companion.dispatch_queue.sending IS 'Whether start_send has succeeded: past the point of no return.';
COMMENT ON COLUMN companion.dispatch_queue.channel IS 'web, telegram or whatsapp.';
COMMENT ON COLUMN companion.dispatch_queue.worker IS 'Who holds the lease.';
COMMENT ON INDEX companion.dispatch_queue_visible IS 'The order in which messages are claimed.';

CREATE VIEW companion.pending_messages WITH (security_invoker = true) AS
SELECT m.user_id, m.id AS message_id, m.kind, m.idempotency_key, m.local_date, m.scheduled_for,
       q.visible_at, q.send_before, q.channel, q.attempt, q.worker, q.leased_until,
       CASE WHEN q.sending THEN 'sending'
            WHEN q.leased_until > companion.now() THEN 'claimed'
            WHEN q.visible_at > companion.now() THEN 'waiting'
            ELSE 'due' END AS state
FROM companion.dispatch_queue AS q
JOIN companion.scheduled_messages AS m ON m.user_id = q.user_id AND m.id = q.message_id;
COMMENT ON VIEW companion.pending_messages IS
'For operators: every pending message and its state: waiting, due, claimed or sending.';
COMMENT ON COLUMN companion.pending_messages.user_id IS 'To whom.';
COMMENT ON COLUMN companion.pending_messages.message_id IS 'scheduled_messages.id.';
COMMENT ON COLUMN companion.pending_messages.kind IS 'checkin, or the app''s own.';
COMMENT ON COLUMN companion.pending_messages.idempotency_key IS 'One message a user and key.';
COMMENT ON COLUMN companion.pending_messages.local_date IS 'The local day that it is for.';
COMMENT ON COLUMN companion.pending_messages.scheduled_for IS 'When it was due.';
COMMENT ON COLUMN companion.pending_messages.visible_at IS 'Not claimed before this time.';
COMMENT ON COLUMN companion.pending_messages.send_before IS 'Skipped rather than sent from this time on.';
COMMENT ON COLUMN companion.pending_messages.channel IS 'web, telegram or whatsapp.';
COMMENT ON COLUMN companion.pending_messages.attempt IS 'How many times it was claimed.';
COMMENT ON COLUMN companion.pending_messages.worker IS 'The worker of the last claim.';
COMMENT ON COLUMN companion.pending_messages.leased_until IS 'When that claim''s lease ends.';
COMMENT ON COLUMN companion.pending_messages.state IS 'waiting (for visible_at), due, claimed (leased) or sending (start_send has succeeded).';

ALTER TABLE companion.scheduled_messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.scheduled_messages TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.scheduled_messages IS 'An end user reads their own messages only.';
CREATE POLICY every_row ON companion.scheduled_messages TO companion_worker, companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.scheduled_messages IS 'Workers and admins read every user''s.';
ALTER TABLE companion.dispatch_queue ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.dispatch_queue TO companion_worker, companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.dispatch_queue IS 'Workers and admins read the whole queue.';

-- Written by the functions below only.
GRANT SELECT ON companion.scheduled_messages TO companion_user, companion_worker, companion_admin;
GRANT SELECT ON companion.dispatch_queue, companion.pending_messages TO companion_worker, companion_admin;

SELECT pg_catalog.pg_extension_config_dump('companion.scheduled_messages', '');
SELECT pg_catalog.pg_extension_config_dump('companion.dispatch_queue', '');

-- Dispatch: one tick finds who is due and enqueues their messages.
CREATE TABLE companion.dispatch_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    previous_tick timestamptz NOT NULL CHECK (isfinite(previous_tick))
);
COMMENT ON TABLE companion.dispatch_state IS 'How far dispatch has come: one row, made by the first tick. Internal.';
COMMENT ON COLUMN companion.dispatch_state.only_row IS 'Always true.';
COMMENT ON COLUMN companion.dispatch_state.previous_tick IS 'The time of the last tick; the next one covers what is due after it.';
ALTER TABLE companion.dispatch_state ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.dispatch_state TO companion_worker, companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.dispatch_state IS 'Workers and admins read it.';
GRANT SELECT ON companion.dispatch_state TO companion_worker, companion_admin;
SELECT pg_catalog.pg_extension_config_dump('companion.dispatch_state', '');

-- The planner settings keep the tick an index walk whatever the statistics say; compiling it anew
-- each time would take longer than the tick.
CREATE FUNCTION companion.dispatch(at timestamptz DEFAULT companion.now()) RETURNS integer
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_dispatch';
COMMENT ON FUNCTION companion.dispatch(timestamptz) IS
'One tick: enqueues the check-ins that are due after the previous tick and up to at, and returns how many. What is found later than companion.catch_up is recorded as skipped. The first tick ever covers the minute before it. An at before the previous tick does nothing. Error 22008 for an infinite at.';

CREATE FUNCTION companion.rewind_dispatch(to_at timestamptz) RETURNS void
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_rewind_dispatch';
COMMENT ON FUNCTION companion.rewind_dispatch(timestamptz) IS
'Sets the previous tick, so that the next one covers what is due after to_at. What was enqueued already is not enqueued again. Error 22008 for an infinite time.';

CREATE FUNCTION companion.schedule_message(
    user_id uuid, scheduled_for timestamptz, content text, kind text DEFAULT 'custom',
    channel text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    generation_context jsonb DEFAULT NULL, OUT message_id uuid, OUT created boolean)
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_schedule_message';
COMMENT ON FUNCTION companion.schedule_message(uuid, timestamptz, text, text, text, text, jsonb) IS
'Enqueues a message for a user; a time in the past is due at once. Returns its id, and whether it was created now or stood already under its idempotency key. content may be NULL: the worker writes it. kind checkin takes the key of its local day. Error 23503 for an unknown user, 22023 for an empty content and for a kind, channel or key that is not valid, 22008 for an infinite time.';

CREATE FUNCTION companion.next_checkin(user_id uuid, after timestamptz DEFAULT companion.now()) RETURNS timestamptz
LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_next_checkin';
COMMENT ON FUNCTION companion.next_checkin(uuid, timestamptz) IS
'When the user''s next check-in after a time is due, as the user''s settings and past check-ins now stand; NULL when there will be none. For the user''s own, or workers and admins.';

CREATE FUNCTION companion.sent_today(
    user_id uuid, kind text DEFAULT 'checkin', at timestamptz DEFAULT companion.now()) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT FROM companion.scheduled_messages AS m
        JOIN companion.users AS u ON u.id = m.user_id
        WHERE m.user_id = sent_today.user_id AND m.kind = sent_today.kind AND m.status = 'sent'
            AND (m.sent_at AT TIME ZONE u.timezone)::date = (at AT TIME ZONE u.timezone)::date);
END;
COMMENT ON FUNCTION companion.sent_today(uuid, text, timestamptz) IS
'Whether a message of this kind was sent to the user on the local day of at, in the user''s present zone. For the user''s own, or workers and admins.';

REVOKE ALL ON FUNCTION companion.dispatch(timestamptz), companion.rewind_dispatch(timestamptz),
    companion.schedule_message(uuid, timestamptz, text, text, text, text, jsonb),
    companion.next_checkin(uuid, timestamptz), companion.sent_today(uuid, text, timestamptz)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companion.dispatch(timestamptz),
    companion.schedule_message(uuid, timestamptz, text, text, text, text, jsonb)
TO companion_worker, companion_admin;
GRANT EXECUTE ON FUNCTION companion.rewind_dispatch(timestamptz) TO companion_admin;
GRANT EXECUTE ON FUNCTION companion.next_checkin(uuid, timestamptz),
    companion.sent_today(uuid, text, timestamptz)
TO companion_user, companion_worker, companion_admin;

-- What a worker calls: claim, start, report. The planner settings keep lookups in the
-- wide tables lookups, whatever the statistics say.
CREATE FUNCTION companion.claim_messages(
    worker text, max_messages integer DEFAULT 50, lease interval DEFAULT '5 minutes',
    channels text[] DEFAULT NULL)
RETURNS TABLE (
    user_id uuid, message_id uuid, attempt integer, kind text, local_date date,
    scheduled_for timestamptz, late_by interval, channel text, address text, display_name text,
    companion_name text, support_style text, timezone text, content text, generation_context jsonb)
LANGUAGE c SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_claim_messages';
COMMENT ON FUNCTION companion.claim_messages(text, integer, interval, text[]) IS
'Leases due messages to a worker, the oldest first, passing over what others hold. Each row carries the attempt that the worker must report with. address is NULL when the user has unlinked the channel meanwhile. A message past its send_before is recorded as skipped instead, one that used up companion.max_attempts as failed. worker: 1 to 200 characters. max_messages: 1 to 10000. lease: above zero, at most a day. channels: NULL for all. Error 22023 otherwise.';

CREATE FUNCTION companion.start_send(
    user_id uuid, message_id uuid, attempt integer)
RETURNS boolean
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_start_send';
COMMENT ON FUNCTION companion.start_send(uuid, uuid, integer) IS
'The point of no return, called right before sending: true once per message, for the newest attempt only, and only before its send_before. After false, do not send. Returns false, and changes nothing, for an older attempt or a message that is not pending.';
CREATE FUNCTION companion.start_send_many(
    user_ids uuid[], message_ids uuid[], attempts integer[])
RETURNS boolean[]
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_start_send_many';
COMMENT ON FUNCTION companion.start_send_many(uuid[], uuid[], integer[]) IS
'start_send for many messages: one result for each, in input order. Error 2202E when the arrays differ in length.';

CREATE FUNCTION companion.mark_sent(
    user_id uuid, message_id uuid, attempt integer, content text DEFAULT NULL, telegram_message_id bigint DEFAULT NULL)
RETURNS boolean
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_mark_sent';
COMMENT ON FUNCTION companion.mark_sent(uuid, uuid, integer, text, bigint) IS
'Reports that the message was sent after start_send: files content (or the text given when it was scheduled) as an assistant message in the user''s companion-initiated conversation and finishes the message, all at once. Still accepted when the message has become unknown meanwhile. Error 22023 when there is no text at all and for a telegram_message_id below 1. Returns false, and changes nothing, for an older attempt or a message that is not pending.';
CREATE FUNCTION companion.mark_sent_many(
    user_ids uuid[], message_ids uuid[], attempts integer[], contents text[] DEFAULT NULL, telegram_message_ids bigint[] DEFAULT NULL)
RETURNS boolean[]
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_mark_sent_many';
COMMENT ON FUNCTION companion.mark_sent_many(uuid[], uuid[], integer[], text[], bigint[]) IS
'mark_sent for many messages: one result for each, in input order. Errors as of mark_sent; 2202E when the arrays differ in length.';

CREATE FUNCTION companion.mark_failed(
    user_id uuid, message_id uuid, attempt integer, reason text, retry_after interval DEFAULT NULL, permanent boolean DEFAULT false)
RETURNS boolean
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_mark_failed';
COMMENT ON FUNCTION companion.mark_failed(uuid, uuid, integer, text, interval, boolean) IS
'Reports that the message was not sent. It comes back after retry_after, or after a backoff that doubles with each attempt, until companion.max_attempts or send_before; then it has failed. permanent (a blocked bot): failed at once, and the channel is disabled for the user. Error 22023 for a negative retry_after or one over 30 days. Returns false, and changes nothing, for an older attempt or a message that is not pending.';
CREATE FUNCTION companion.mark_failed_many(
    user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[], retry_after interval DEFAULT NULL, permanent boolean DEFAULT false)
RETURNS boolean[]
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_mark_failed_many';
COMMENT ON FUNCTION companion.mark_failed_many(uuid[], uuid[], integer[], text[], interval, boolean) IS
'mark_failed for many messages: one result for each, in input order. Error 2202E when the arrays differ in length.';

CREATE FUNCTION companion.mark_skipped(
    user_id uuid, message_id uuid, attempt integer, reason text)
RETURNS boolean
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_mark_skipped';
COMMENT ON FUNCTION companion.mark_skipped(uuid, uuid, integer, text) IS
'Reports that the message is not to be sent after all, and why. Returns false, and changes nothing, for an older attempt or a message that is not pending.';
CREATE FUNCTION companion.mark_skipped_many(
    user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[])
RETURNS boolean[]
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_mark_skipped_many';
COMMENT ON FUNCTION companion.mark_skipped_many(uuid[], uuid[], integer[], text[]) IS
'mark_skipped for many messages: one result for each, in input order. Error 2202E when the arrays differ in length.';

CREATE FUNCTION companion.extend_lease(
    user_id uuid, message_id uuid, attempt integer, lease interval DEFAULT '5 minutes')
RETURNS boolean
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_extend_lease';
COMMENT ON FUNCTION companion.extend_lease(uuid, uuid, integer, interval) IS
'Moves the end of the lease to this long from now: above zero, at most a day, else error 22023. Returns false, and changes nothing, for an older attempt or a message that is not pending.';
CREATE FUNCTION companion.extend_lease_many(
    user_ids uuid[], message_ids uuid[], attempts integer[], lease interval DEFAULT '5 minutes')
RETURNS boolean[]
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_extend_lease_many';
COMMENT ON FUNCTION companion.extend_lease_many(uuid[], uuid[], integer[], interval) IS
'extend_lease for many messages: one result for each, in input order. Error 2202E when the arrays differ in length.';

REVOKE ALL ON FUNCTION
    companion.claim_messages(text, integer, interval, text[]),
    companion.start_send(uuid, uuid, integer),
    companion.start_send_many(uuid[], uuid[], integer[]),
    companion.mark_sent(uuid, uuid, integer, text, bigint),
    companion.mark_sent_many(uuid[], uuid[], integer[], text[], bigint[]),
    companion.mark_failed(uuid, uuid, integer, text, interval, boolean),
    companion.mark_failed_many(uuid[], uuid[], integer[], text[], interval, boolean),
    companion.mark_skipped(uuid, uuid, integer, text),
    companion.mark_skipped_many(uuid[], uuid[], integer[], text[]),
    companion.extend_lease(uuid, uuid, integer, interval),
    companion.extend_lease_many(uuid[], uuid[], integer[], interval)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    companion.claim_messages(text, integer, interval, text[]),
    companion.start_send(uuid, uuid, integer),
    companion.start_send_many(uuid[], uuid[], integer[]),
    companion.mark_sent(uuid, uuid, integer, text, bigint),
    companion.mark_sent_many(uuid[], uuid[], integer[], text[], bigint[]),
    companion.mark_failed(uuid, uuid, integer, text, interval, boolean),
    companion.mark_failed_many(uuid[], uuid[], integer[], text[], interval, boolean),
    companion.mark_skipped(uuid, uuid, integer, text),
    companion.mark_skipped_many(uuid[], uuid[], integer[], text[]),
    companion.extend_lease(uuid, uuid, integer, interval),
    companion.extend_lease_many(uuid[], uuid[], integer[], interval)
TO companion_worker;

-- Link tokens: one-time secrets that tie a Telegram account to a user.
CREATE TABLE companion.telegram_link_tokens (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    used_by bigint,
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    PRIMARY KEY (user_id, id),
    CHECK (used_by IS NULL OR used_at IS NOT NULL)
);

CREATE INDEX telegram_link_tokens_unused ON companion.telegram_link_tokens (expires_at)
WHERE used_at IS NULL;
CREATE INDEX telegram_link_tokens_used ON companion.telegram_link_tokens (used_at)
WHERE used_at IS NOT NULL;

COMMENT ON TABLE companion.telegram_link_tokens IS
'One row a link token. The token itself is never stored, and nobody is granted its hash.';
COMMENT ON COLUMN companion.telegram_link_tokens.user_id IS 'Whom the token links.';
COMMENT ON COLUMN companion.telegram_link_tokens.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.telegram_link_tokens.token_hash IS 'SHA-256 of the token, 32 bytes.';
COMMENT ON COLUMN companion.telegram_link_tokens.expires_at IS 'When it stops being valid.';
COMMENT ON COLUMN companion.telegram_link_tokens.used_at IS 'When it was redeemed, or used up by the redemption of another of the same user''s.';
COMMENT ON COLUMN companion.telegram_link_tokens.used_by IS 'The Telegram account that redeemed it.';
COMMENT ON COLUMN companion.telegram_link_tokens.created_at IS 'When it was made.';
COMMENT ON INDEX companion.telegram_link_tokens_unused IS 'Unused tokens, the next to expire first.';
COMMENT ON INDEX companion.telegram_link_tokens_used IS 'Used tokens, the next to be deleted first.';

ALTER TABLE companion.telegram_link_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.telegram_link_tokens TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.telegram_link_tokens IS
'An end user sees that they have tokens, and until when; no grant shows a hash.';
CREATE POLICY every_row ON companion.telegram_link_tokens TO companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.telegram_link_tokens IS 'Admins act for every user.';

-- Nobody but the owner reads token_hash.
GRANT SELECT (user_id, id, expires_at, used_at, used_by, created_at)
ON companion.telegram_link_tokens TO companion_user, companion_admin;
GRANT DELETE ON companion.telegram_link_tokens TO companion_admin;

SELECT pg_catalog.pg_extension_config_dump('companion.telegram_link_tokens', '');

-- What a minute's limit needs: not worth a crash's recovery, nor a place in a dump.
CREATE UNLOGGED TABLE companion.telegram_redeem_failures (
    telegram_user_id bigint PRIMARY KEY,
    failures integer NOT NULL,
    window_ends_at timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE companion.telegram_redeem_failures IS
'One row a Telegram account that presented an unknown link token within the last minutes. Internal.';
COMMENT ON COLUMN companion.telegram_redeem_failures.telegram_user_id IS 'The Telegram account.';
COMMENT ON COLUMN companion.telegram_redeem_failures.failures IS 'How many unknown tokens it has presented in its minute.';
COMMENT ON COLUMN companion.telegram_redeem_failures.window_ends_at IS 'When its minute ends; the row means nothing from then on.';
ALTER TABLE companion.telegram_redeem_failures ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.telegram_redeem_failures FOR SELECT TO companion_admin
USING (true);
COMMENT ON POLICY every_row ON companion.telegram_redeem_failures IS 'Admins read it.';
GRANT SELECT ON companion.telegram_redeem_failures TO companion_admin;

SELECT pg_catalog.pg_extension_config_dump('companion.telegram_redeem_failures', 'WHERE false');

-- The planner setting keeps each of these an index lookup whatever the statistics say.
CREATE FUNCTION companion.create_telegram_link_token(
    user_id uuid DEFAULT companion.current_user_id(), valid_for interval DEFAULT NULL) RETURNS text
LANGUAGE c SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS 'MODULE_PATHNAME', 'companion_create_telegram_link_token';
COMMENT ON FUNCTION companion.create_telegram_link_token(uuid, interval) IS
'A new link token for a user: 32 random bytes as 43 characters of base64url, valid as a Telegram start parameter. This is the only time that it is seen; only its SHA-256 is stored. valid_for: above zero, at most 30 days; NULL means companion.token_ttl. A user has at most companion.tokens_per_user live tokens: the oldest gives way. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user, 22023 for a valid_for out of bounds.';

CREATE FUNCTION companion.telegram_deep_link(bot_username text, token text) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_telegram_deep_link';
COMMENT ON FUNCTION companion.telegram_deep_link(text, text) IS
'The link that opens a bot in Telegram with a start parameter: https://t.me/<bot>?start=<token>. Error 22023 unless the bot''s name has 5 to 32 characters of A-Z a-z 0-9 _ and the token 1 to 64 of A-Z a-z 0-9 _ -.';

CREATE FUNCTION companion.redeem_telegram_link_token(
    token text, telegram_user_id bigint, telegram_username text DEFAULT NULL,
    OUT outcome text, OUT user_id uuid)
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS 'MODULE_PATHNAME', 'companion_redeem_telegram_link_token';
COMMENT ON FUNCTION companion.redeem_telegram_link_token(text, bigint, text) IS
'Ties a Telegram account to the user of a link token, re-enables the telegram channel and uses up the user''s other tokens, in one step. outcome: linked, and then user_id says to whom (again for the same token and account while they are linked, as when an update is redelivered); expired; used; unknown (any text that is no token); taken (the account is another user''s, and the token stays live). Pass the token as a bound parameter, so that no log shows it. Error 53400 from an account that has presented companion.redeem_failures_per_minute unknown tokens within a minute, 22023 for a telegram_user_id below 1 or a telegram_username that has not 1 to 64 characters.';

CREATE FUNCTION companion.revoke_telegram_link_tokens(
    user_id uuid DEFAULT companion.current_user_id()) RETURNS bigint
LANGUAGE c SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS 'MODULE_PATHNAME', 'companion_revoke_telegram_link_tokens';
COMMENT ON FUNCTION companion.revoke_telegram_link_tokens(uuid) IS
'Deletes a user''s unused link tokens and returns how many there were. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user.';

CREATE FUNCTION companion.unlink_telegram(
    user_id uuid DEFAULT companion.current_user_id()) RETURNS boolean
LANGUAGE c SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS 'MODULE_PATHNAME', 'companion_unlink_telegram';
COMMENT ON FUNCTION companion.unlink_telegram(uuid) IS
'Unties the user''s Telegram account; returns whether there was one. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user.';

CREATE FUNCTION companion.expire_telegram_link_tokens(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
AS 'MODULE_PATHNAME', 'companion_expire_telegram_link_tokens';
COMMENT ON FUNCTION companion.expire_telegram_link_tokens(integer) IS
'Deletes up to max_rows link tokens, the oldest first: unused ones past their time, and used ones after companion.token_retention. Passes over what others hold; returns how many. Part of run_maintenance(). Error 22023 for a bound below 1.';

CREATE FUNCTION companion.forget_redeem_failures() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH forgotten AS (
        DELETE FROM companion.telegram_redeem_failures
        WHERE window_ends_at <= companion.now() RETURNING 1)
    SELECT count(*) FROM forgotten;
END;
COMMENT ON FUNCTION companion.forget_redeem_failures() IS
'Deletes the counts of unknown link tokens whose minute is over; returns how many. Part of run_maintenance().';

REVOKE ALL ON FUNCTION companion.create_telegram_link_token(uuid, interval),
    companion.telegram_deep_link(text, text),
    companion.redeem_telegram_link_token(text, bigint, text),
    companion.revoke_telegram_link_tokens(uuid), companion.unlink_telegram(uuid),
    companion.expire_telegram_link_tokens(integer), companion.forget_redeem_failures()
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companion.create_telegram_link_token(uuid, interval),
    companion.telegram_deep_link(text, text),
    companion.revoke_telegram_link_tokens(uuid), companion.unlink_telegram(uuid)
TO companion_user, companion_worker, companion_admin;
GRANT EXECUTE ON FUNCTION companion.redeem_telegram_link_token(text, bigint, text) TO companion_worker;
GRANT EXECUTE ON FUNCTION companion.expire_telegram_link_tokens(integer),
    companion.forget_redeem_failures()
TO companion_admin;

-- pg_cron drives dispatch and maintenance. It is a soft dependency: any scheduler may
-- call the same functions.
CREATE FUNCTION companion.finish_abandoned(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_finish_abandoned';
COMMENT ON FUNCTION companion.finish_abandoned(integer) IS
'Finishes pending messages that no worker will: unknown where start_send was followed by no report (or claimable again, for the kinds in companion.retry_unknown), skipped past send_before, failed after companion.max_attempts. Returns how many. Error 22023 for a bound below 1.';

CREATE FUNCTION companion.run_maintenance() RETURNS TABLE (task text, affected bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'abandoned messages', companion.finish_abandoned()
    UNION ALL SELECT 'expired context items', companion.expire_user_context()
    UNION ALL SELECT 'link tokens', companion.expire_telegram_link_tokens()
    UNION ALL SELECT 'redeem failures', companion.forget_redeem_failures();
END;
COMMENT ON FUNCTION companion.run_maintenance() IS
'What is to be done every few minutes, each step bounded: how many rows each has finished or deleted.';

CREATE FUNCTION companion.apply_retention() RETURNS bigint
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_apply_retention';
COMMENT ON FUNCTION companion.apply_retention() IS
'Deletes messages finished longer than companion.retention ago, and what pg_cron has logged of this database''s companion jobs before then. Returns how many messages.';

CREATE FUNCTION companion.cron_schedule(every interval) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seconds numeric := extract(epoch FROM every);
    version text := (SELECT extversion FROM pg_extension WHERE extname = 'pg_cron');
BEGIN
    IF seconds IN (60, 120, 180, 240, 300, 600, 720, 900, 1200, 1800) THEN
        RETURN CASE seconds WHEN 60 THEN '* * * * *' ELSE format('*/%s * * * *', seconds::integer / 60) END;
    ELSIF seconds BETWEEN 1 AND 59 AND seconds = trunc(seconds) THEN
        IF string_to_array(substring(version FROM '^[0-9.]+'), '.')::integer[] < '{1,5}' THEN
            RAISE EXCEPTION 'pg_cron % cannot run a job every % seconds', version, seconds::integer
            USING ERRCODE = 'feature_not_supported', HINT = 'pg_cron 1.5 can; before it, use whole minutes.';
        END IF;
        RETURN format('%s seconds', seconds::integer);
    END IF;
    RAISE EXCEPTION 'dispatch cannot run every %', coalesce(every::text, 'NULL')
    USING ERRCODE = 'invalid_parameter_value',
          HINT = 'Use 1 to 59 seconds, or minutes that divide an hour, up to 30.';
END
$$;
COMMENT ON FUNCTION companion.cron_schedule(interval) IS
'pg_cron''s schedule for an interval. Internal. Error 22023 for one it cannot keep, 0A000 for seconds before pg_cron 1.5.';

CREATE FUNCTION companion.require_pg_cron() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regprocedure('cron.schedule(text, text, text)') IS NULL THEN
        RAISE EXCEPTION 'pg_cron is not installed in this database'
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = format('Install it (Debian: postgresql-%s-cron), set shared_preload_libraries = ''pg_cron'' and cron.database_name = ''%s'', restart, and CREATE EXTENSION pg_cron. Or let any scheduler call companion.dispatch() every minute and companion.run_maintenance() every five.',
                            current_setting('server_version_num')::integer / 10000, current_database());
    END IF;
END
$$;
COMMENT ON FUNCTION companion.require_pg_cron() IS
'Error 55000, with how to install it, where pg_cron is missing. Internal.';

CREATE FUNCTION companion.schedule_jobs(every interval DEFAULT '1 minute')
RETURNS TABLE (job text, schedule text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM companion.require_pg_cron();
    FOR job, schedule IN VALUES
        ('companion_dispatch', companion.cron_schedule(every)),
        ('companion_maintenance', '*/5 * * * *'),
        ('companion_retention', '17 3 * * *')
    LOOP
        PERFORM cron.schedule(job, schedule, CASE job
            WHEN 'companion_dispatch' THEN 'SELECT companion.dispatch()'
            WHEN 'companion_maintenance' THEN 'SELECT companion.run_maintenance()'
            ELSE 'SELECT companion.apply_retention()' END);
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.schedule_jobs(interval) IS
'Creates the pg_cron jobs companion_dispatch, companion_maintenance and companion_retention, or sets them right where they exist. every: how often to dispatch. Error 55000 without pg_cron, 0A000 for seconds before pg_cron 1.5, 22023 for an interval that cron cannot keep.';

CREATE FUNCTION companion.unschedule_jobs() RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed integer;
BEGIN
    PERFORM companion.require_pg_cron();
    PERFORM cron.unschedule(j.jobid) FROM cron.job AS j
    WHERE j.jobname IN ('companion_dispatch', 'companion_maintenance', 'companion_retention')
        AND j.database = current_database() AND j.username = current_user;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
COMMENT ON FUNCTION companion.unschedule_jobs() IS
'Removes the caller''s companion jobs from pg_cron; returns how many there were. Error 55000 without pg_cron.';

REVOKE ALL ON FUNCTION companion.finish_abandoned(integer), companion.run_maintenance(),
    companion.apply_retention(), companion.cron_schedule(interval), companion.require_pg_cron(),
    companion.schedule_jobs(interval), companion.unschedule_jobs()
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companion.finish_abandoned(integer), companion.run_maintenance(),
    companion.apply_retention(), companion.cron_schedule(interval), companion.require_pg_cron(),
    companion.schedule_jobs(interval), companion.unschedule_jobs()
TO companion_admin;

