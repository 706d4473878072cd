\echo Use "ALTER EXTENSION companion UPDATE TO '0.2.0'" to load this file. \quit
SET LOCAL search_path TO pg_catalog, pg_temp;
SET LOCAL standard_conforming_strings TO on;

-- What the app has granted and revoked on functions, for those that are dropped and made anew.
DO $$
BEGIN
    PERFORM set_config('update_of_companion.rights', coalesce((
        SELECT jsonb_agg(to_jsonb(r))::text FROM (
            SELECT p.oid, p.proname AS name, c.grantee, c.is_given, c.is_grantable
            FROM pg_proc AS p
            JOIN pg_init_privs AS i ON i.objoid = p.oid AND i.classoid = 'pg_proc'::regclass AND i.privtype = 'e'
            CROSS JOIN LATERAL (
                SELECT grantee, made.grantor IS NULL AS is_given, now.is_grantable
                FROM aclexplode(p.proacl) AS now FULL JOIN aclexplode(i.initprivs) AS made USING (grantee)
                WHERE now.grantor IS NULL OR made.grantor IS NULL) AS c
            WHERE p.pronamespace = 'companion'::regnamespace) AS r), '[]'), true);
END
$$;

-- The roles that own and act. A role belongs to the cluster, so it may be there already, from
-- another database or another installation; one that could do more than we give it is refused.
DO $$
DECLARE
    wanted text;
    purpose text;
    is_internal boolean;
    fault text;
    remedy text;
BEGIN
    FOR wanted, is_internal, purpose IN VALUES
        ('companion_owner', true, 'Owns the tables and functions of the extension companion. Nobody acts as it.'),
        ('companion_runtime', true, 'What the functions of the extension companion act as. Owns nothing.'),
        ('companion_user', false, 'The requests of an end user: their own rows only.'),
        ('companion_worker', false, 'Workers and webhooks: claim, send, report and record, for every user.'),
        ('companion_admin', false, 'Operators: users, maintenance and jobs.'),
        ('companion_monitor', false, 'Watches: health, metrics and counts, and nobody''s text.')
    LOOP
        IF to_regrole(wanted) IS NULL THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXECUTE format('COMMENT ON ROLE %I IS %L', wanted, purpose);
        END IF;

        SELECT x.fault, x.remedy INTO fault, remedy
        FROM pg_roles AS r
        CROSS JOIN LATERAL (
            SELECT a.name AS fault, format('ALTER ROLE %I NO%s', wanted, a.name) AS remedy
            FROM (VALUES (r.rolsuper, 'SUPERUSER'), (r.rolbypassrls, 'BYPASSRLS'),
                         (r.rolcreaterole, 'CREATEROLE'), (r.rolcreatedb, 'CREATEDB'),
                         (r.rolreplication, 'REPLICATION'), (is_internal AND r.rolcanlogin, 'LOGIN')
                 ) AS a (has, name)
            WHERE a.has
            UNION ALL
            SELECT format('member %I', m.member::regrole::text),
                   format('REVOKE %I FROM %s', wanted, m.member::regrole)
            FROM pg_auth_members AS m
            WHERE is_internal AND m.roleid = r.oid
            UNION ALL
            SELECT format('membership in %s', m.roleid::regrole),
                   format('REVOKE %s FROM %I', m.roleid::regrole, wanted)
            FROM pg_auth_members AS m
            WHERE is_internal AND m.member = r.oid
            UNION ALL
            SELECT format('object %s',
                                     pg_describe_object(d.classid, d.objid, d.objsubid)),
                   format('DROP OWNED BY %I, or REASSIGN OWNED', wanted)
            FROM pg_shdepend AS d
            WHERE is_internal AND d.deptype = 'o'
                AND d.refclassid = 'pg_authid'::regclass
                AND d.refobjid = r.oid
                AND d.dbid IN (0, (SELECT oid FROM pg_database
                                   WHERE datname = current_database()))
        ) AS x
        WHERE r.rolname = wanted
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'role % stands already, with %', wanted, fault
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('It would have more rights than companion gives it: %s.', remedy);
        END IF;
    END LOOP;
END
$$;
GRANT companion_monitor TO pg_monitor;

-- Policies
ALTER POLICY every_row ON companion.users
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY read ON companion.onboarding_steps
TO companion_user, companion_worker, companion_runtime;
ALTER POLICY every_row ON companion.onboarding
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.conversations
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.messages
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.search_chunks
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.user_context
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.user_context_history
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.scheduled_messages
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.dispatch_queue
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.dispatch_state
TO companion_worker, companion_admin, companion_runtime;
ALTER POLICY every_row ON companion.telegram_link_tokens
TO companion_admin, companion_runtime;
DROP POLICY every_row ON companion.telegram_redeem_failures;
CREATE POLICY every_row ON companion.telegram_redeem_failures TO companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.telegram_redeem_failures IS 'Admins read it.';

-- Functions act as companion_runtime, are SECURITY DEFINER no more, and set within the call what
-- they need to.
DO $$
DECLARE
    existing regprocedure;
BEGIN
    FOR existing IN
        SELECT p.oid FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
        WHERE p.pronamespace = 'companion'::regnamespace AND (l.lanname = 'c' OR p.prosecdef)
    LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY INVOKER RESET search_path RESET enable_seqscan'
                       ' RESET enable_hashjoin RESET enable_mergejoin RESET enable_bitmapscan RESET jit', existing);
    END LOOP;
END
$$;

-- A trigger checks what a row may hold.
ALTER TABLE companion.users
    DROP CONSTRAINT IF EXISTS users_checkin_days_check,
    DROP CONSTRAINT IF EXISTS users_checkin_time_check,
    DROP CONSTRAINT IF EXISTS users_companion_name_check,
    DROP CONSTRAINT IF EXISTS users_disabled_channels_check,
    DROP CONSTRAINT IF EXISTS users_display_name_check,
    DROP CONSTRAINT IF EXISTS users_email_check,
    DROP CONSTRAINT IF EXISTS users_location_check,
    DROP CONSTRAINT IF EXISTS users_preferences_check,
    DROP CONSTRAINT IF EXISTS users_preferred_channel_check,
    DROP CONSTRAINT IF EXISTS users_subscription_status_check,
    DROP CONSTRAINT IF EXISTS users_support_style_check,
    DROP CONSTRAINT IF EXISTS users_telegram_user_id_check,
    DROP CONSTRAINT IF EXISTS users_telegram_username_check,
    DROP CONSTRAINT IF EXISTS users_whatsapp_number_check;
ALTER TABLE companion.conversations
    DROP CONSTRAINT IF EXISTS conversations_channel_check,
    DROP CONSTRAINT IF EXISTS conversations_check,
    DROP CONSTRAINT IF EXISTS conversations_initiated_by_check;
ALTER TABLE companion.messages
    DROP CONSTRAINT IF EXISTS messages_content_check,
    DROP CONSTRAINT IF EXISTS messages_metadata_check,
    DROP CONSTRAINT IF EXISTS messages_role_check,
    DROP CONSTRAINT IF EXISTS messages_telegram_message_id_check;
ALTER TABLE companion.user_context
    DROP CONSTRAINT IF EXISTS user_context_category_check,
    DROP CONSTRAINT IF EXISTS user_context_confirmations_check,
    DROP CONSTRAINT IF EXISTS user_context_emotional_valence_check,
    DROP CONSTRAINT IF EXISTS user_context_importance_check,
    DROP CONSTRAINT IF EXISTS user_context_key_check,
    DROP CONSTRAINT IF EXISTS user_context_metadata_check,
    DROP CONSTRAINT IF EXISTS user_context_source_check,
    DROP CONSTRAINT IF EXISTS user_context_value_check;
ALTER TABLE companion.scheduled_messages
    DROP CONSTRAINT IF EXISTS scheduled_messages_channel_check,
    DROP CONSTRAINT IF EXISTS scheduled_messages_check,
    DROP CONSTRAINT IF EXISTS scheduled_messages_content_check,
    DROP CONSTRAINT IF EXISTS scheduled_messages_idempotency_key_check,
    DROP CONSTRAINT IF EXISTS scheduled_messages_kind_check,
    DROP CONSTRAINT IF EXISTS scheduled_messages_status_check;

-- Dispatch in batches.
ALTER TABLE companion.dispatch_state ADD COLUMN reached_reading bigint, ADD COLUMN reached_user uuid,
    ADD COLUMN began_after timestamptz;
COMMENT ON COLUMN companion.dispatch_state.reached_reading IS 'Of who is due in the microsecond after previous_tick, those whose reading is up to so many microseconds beyond the first one due then have been enqueued; NULL between ticks.';
COMMENT ON COLUMN companion.dispatch_state.reached_user IS 'Of those at reached_reading, the users up to this one have been enqueued; NULL between ticks.';
COMMENT ON COLUMN companion.dispatch_state.began_after IS 'Where the tick began that is not complete: what its first batch found previous_tick to be; NULL between ticks.';
DROP INDEX companion.users_checkin;
CREATE INDEX users_checkin ON companion.users (timezone, checkin_time, id)
WHERE checkin_time IS NOT NULL AND onboarding_completed_at IS NOT NULL;
COMMENT ON INDEX companion.users_checkin IS 'Who is due: one zone, a stretch of wall time, in order.';

-- A page is left room for all of its rows, finished; pages that are there stay as they are.
ALTER TABLE companion.scheduled_messages SET (fillfactor = 40);

-- Following an auth table: who is suspended, and ids that change.
ALTER TABLE companion.users ADD COLUMN suspended_until timestamptz;
COMMENT ON COLUMN companion.users.suspended_until IS 'No check-in that is due before this time, and what is claimed before it is skipped; infinity: for good. What a followed auth table says of deleted and banned users, else an admin''s to set.';
DO $$
DECLARE
    followed record;
BEGIN
    FOR followed IN
        SELECT t.tgrelid::regclass AS relation, email.attname AS email
        FROM pg_trigger AS t
        JOIN pg_attribute AS email ON email.attrelid = t.tgrelid AND email.attnum = t.tgattr[0]
        JOIN pg_attribute AS id ON id.attrelid = t.tgrelid AND id.attname = 'id'
            AND NOT id.attisdropped AND id.attnum <> email.attnum
        WHERE t.tgfoid = 'companion.follow_auth_user()'::regprocedure AND t.tgparentid = 0
            AND t.tgname = 'companion_follow' AND t.tgnargs = 0 AND t.tgenabled = 'O'
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER companion_follow'
                       ' AFTER INSERT OR DELETE OR UPDATE OF id, %I ON %s'
                       ' FOR EACH ROW EXECUTE FUNCTION companion.follow_auth_user(''id'', ''email'')',
                       followed.email, followed.relation);
    END LOOP;
END
$$;

-- Channels and addresses are rows, an app has data of its own on its users.
ALTER TABLE companion.users DROP CONSTRAINT users_telegram_user_id_key,
    ADD COLUMN usable_addresses text[], ADD COLUMN app_data jsonb,
    ADD COLUMN quiet_from time, ADD COLUMN quiet_until time;
ALTER TABLE companion.users ALTER COLUMN app_data SET DEFAULT '{}';
DROP INDEX companion.users_whatsapp;
ALTER TABLE companion.messages ADD COLUMN external_id text COLLATE "C", ADD COLUMN channel text COLLATE "C",
    ADD COLUMN bot text COLLATE "C", ADD COLUMN address text COLLATE "C";
DROP INDEX companion.messages_telegram;
CREATE INDEX messages_telegram ON companion.messages (user_id, telegram_message_id)
WHERE telegram_message_id IS NOT NULL;
ALTER TABLE companion.dispatch_queue ADD COLUMN bot text, ADD COLUMN addresses text[],
    ADD COLUMN kind text NOT NULL DEFAULT 'custom', ADD COLUMN tries integer NOT NULL DEFAULT 0,
    ADD COLUMN claims integer NOT NULL DEFAULT 0, ADD COLUMN last_error text,
    ADD COLUMN last_failed_at timestamptz, ADD COLUMN head_start integer NOT NULL DEFAULT 0,
    ADD COLUMN start_before timestamptz, ADD COLUMN waits_for text;
DROP INDEX companion.dispatch_queue_visible;
CREATE INDEX dispatch_queue_visible ON companion.dispatch_queue
    (channel COLLATE "C", head_start, visible_at, message_id);
ALTER TABLE companion.scheduled_messages ALTER COLUMN channel DROP NOT NULL,
    ADD COLUMN bot text, ADD COLUMN addresses text[], ADD COLUMN tries integer NOT NULL DEFAULT 0,
    ADD COLUMN wanted_channel text, ADD COLUMN cancel_on_reply boolean, ADD COLUMN metadata jsonb;
ALTER TABLE companion.telegram_link_tokens ADD COLUMN bot text COLLATE "C" NOT NULL DEFAULT '';
DROP TRIGGER set_updated_at ON companion.users;
GRANT UPDATE (external_id, channel, bot, address) ON companion.messages TO companion_worker, companion_admin;
GRANT UPDATE (quiet_from, quiet_until) ON companion.users TO companion_user;
GRANT SELECT (bot) ON companion.telegram_link_tokens TO companion_user, companion_admin;

-- What is made anew.
DROP FUNCTION
    companion.redeem_telegram_link_token(text,bigint,text),
    companion.follow_auth_users(regclass,name),
    companion.add_message(uuid,uuid,text,text,bigint,uuid,jsonb,bigint),
    companion.edit_message(uuid,uuid,text,bigint),
    companion.record_incoming(text,text,text,bigint,bigint,jsonb,interval),
    companion.dispatch(timestamp with time zone),
    companion.mark_sent(uuid,uuid,integer,text,bigint),
    companion.mark_sent_many(uuid[],uuid[],integer[],text[],bigint[]),
    companion.mark_failed(uuid,uuid,integer,text,interval,boolean),
    companion.mark_failed_many(uuid[],uuid[],integer[],text[],interval,boolean),
    companion.create_telegram_link_token(uuid,interval),
    companion.apply_retention(),
    companion.schedule_jobs(interval),
    companion.usable_channel(companion.users),
    companion.channel_address(companion.users,text),
    companion.sent_today(uuid,text,timestamp with time zone),
    companion.recent_messages(uuid,integer,uuid,uuid),
    companion.upsert_user_context(uuid,text,text,text,real,integer,text,timestamp with time zone,uuid,jsonb,boolean),
    companion.upsert_user_context_many(uuid,jsonb),
    companion.recall_user_context(uuid,integer,integer,text[]),
    companion.user_context_prompt(uuid,integer,integer,text[]),
    companion.recall_score(text,real,integer,timestamp with time zone,timestamp with time zone,timestamp with time zone),
    companion.due_follow_ups(uuid,date),
    companion.claim_messages(text,integer,interval,text[]),
    companion.run_maintenance(),
    companion.forget_redeem_failures(),
    companion.unfollow_auth_users(regclass),
    companion.require_pg_cron(),
    companion.unschedule_jobs(),
    companion.forget_user_context(uuid,text,text),
    companion.next_checkin(uuid,timestamptz),
    companion.schedule_message(uuid,timestamptz,text,text,text,text,jsonb);
DROP VIEW companion.personal_tables;

-- What clients pass: an importance comes back as it was given.
ALTER TABLE companion.user_context
    ALTER COLUMN importance TYPE double precision USING importance::text::double precision;

-- Types that functions return.
CREATE TYPE companion.stored_message AS (
    user_id uuid,
    id uuid,
    conversation_id uuid,
    role text,
    content text,
    telegram_message_id bigint,
    reply_to_id uuid,
    edited_at timestamptz,
    metadata jsonb,
    created_at timestamptz,
    external_id text,
    channel text,
    bot text,
    address text
);
COMMENT ON TYPE companion.stored_message IS 'A message as functions return it: the columns of messages, in its order.';
COMMENT ON COLUMN companion.stored_message.user_id IS 'Whose conversation it is in.';
COMMENT ON COLUMN companion.stored_message.id IS 'Time-ordered id: a UUID of version 7.';
COMMENT ON COLUMN companion.stored_message.conversation_id IS 'The conversation, one of the same user''s.';
COMMENT ON COLUMN companion.stored_message.role IS 'Who wrote it: user, assistant or system.';
COMMENT ON COLUMN companion.stored_message.content IS 'The text.';
COMMENT ON COLUMN companion.stored_message.telegram_message_id IS 'Telegram''s id of the message, within its chat (channel, bot, address); of several messages with one it is the newest''s.';
COMMENT ON COLUMN companion.stored_message.reply_to_id IS 'The message that this one answers, one of the same user''s.';
COMMENT ON COLUMN companion.stored_message.edited_at IS 'When the text was last edited; to be set by whoever changes content, as edit_message does.';
COMMENT ON COLUMN companion.stored_message.metadata IS 'The app''s own data, a JSON object; edits, where the message was edited, is an array of its earlier texts: content and written_at; cut_from, where what was sent was cut, is how many characters it had.';
COMMENT ON COLUMN companion.stored_message.created_at IS 'When it was written.';
COMMENT ON COLUMN companion.stored_message.external_id IS 'Another messenger''s id of the message (WhatsApp''s wamid), within its chat, as telegram_message_id; 1 to 512 characters, none of them a control character.';
COMMENT ON COLUMN companion.stored_message.channel IS 'The channel of the chat that telegram_message_id or external_id is of; NULL where the message has neither, or is of an unknown chat.';
COMMENT ON COLUMN companion.stored_message.bot IS 'The bot of that chat; empty where none was named.';
COMMENT ON COLUMN companion.stored_message.address IS 'The address of that chat; empty where none was known.';

CREATE TYPE companion.context_item AS (
    user_id uuid,
    id uuid,
    category text COLLATE "C",
    key text COLLATE "C",
    value text,
    importance double precision,
    emotional_valence smallint,
    source text,
    source_message_id uuid,
    metadata jsonb,
    pinned boolean,
    expires_at timestamptz,
    resolved_at timestamptz,
    confirmations integer,
    confirmed_at timestamptz,
    last_referenced_at timestamptz,
    value_since timestamptz,
    previous_value text,
    previous_source text,
    previous_since timestamptz,
    contradicted_by text,
    created_at timestamptz,
    updated_at timestamptz,
    last_used_at timestamptz
);
COMMENT ON TYPE companion.context_item IS 'An item as functions return it: columns of user_context, in its order.';
COMMENT ON COLUMN companion.context_item.user_id IS 'Whom it is about.';
COMMENT ON COLUMN companion.context_item.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.context_item.category IS 'What kind of fact it is; the app''s own words. context_categories says how it is treated; follow_up is read by due_follow_ups().';
COMMENT ON COLUMN companion.context_item.key IS 'Which fact within the category.';
COMMENT ON COLUMN companion.context_item.value IS 'The fact.';
COMMENT ON COLUMN companion.context_item.importance IS 'From 0 to 1.';
COMMENT ON COLUMN companion.context_item.emotional_valence IS 'From -2 (painful) to 2 (joyful).';
COMMENT ON COLUMN companion.context_item.source IS 'Where the value comes from: user (the user said so), pinned, extracted (by a model), or the app''s own word.';
COMMENT ON COLUMN companion.context_item.source_message_id IS 'The message that it was learned from, one of the same user''s.';
COMMENT ON COLUMN companion.context_item.metadata IS 'The app''s own data, a JSON object. follow_up_on is the local date, YYYY-MM-DD, on which to ask about it.';
COMMENT ON COLUMN companion.context_item.pinned IS 'Whether it always comes first.';
COMMENT ON COLUMN companion.context_item.expires_at IS 'When it stops being true; NULL: never.';
COMMENT ON COLUMN companion.context_item.resolved_at IS 'When an open thread was settled or a follow-up asked; no longer recalled.';
COMMENT ON COLUMN companion.context_item.confirmations IS 'How often the value was stated, the first time included.';
COMMENT ON COLUMN companion.context_item.confirmed_at IS 'When the value was last stated.';
COMMENT ON COLUMN companion.context_item.last_referenced_at IS 'When it was last used or stated: the later of last_used_at and confirmed_at.';
COMMENT ON COLUMN companion.context_item.value_since IS 'Since when this value has held.';
COMMENT ON COLUMN companion.context_item.previous_value IS 'The value that the last upsert superseded; NULL: none, it stated the same or a new item.';
COMMENT ON COLUMN companion.context_item.previous_source IS 'The source before the last upsert.';
COMMENT ON COLUMN companion.context_item.previous_since IS 'value_since before the last upsert.';
COMMENT ON COLUMN companion.context_item.contradicted_by IS 'The value that the last upsert gave and that was not taken, because the user''s word stands; NULL: the last upsert was taken.';
COMMENT ON COLUMN companion.context_item.created_at IS 'When it was first learned.';
COMMENT ON COLUMN companion.context_item.updated_at IS 'When the row last changed.';
COMMENT ON COLUMN companion.context_item.last_used_at IS 'When the value was last used, by touch_user_context(); NULL: never.';

-- A new table.
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
ALTER TABLE companion.channels ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.channels FOR SELECT
TO companion_user, companion_worker, companion_runtime USING (true);
COMMENT ON POLICY read ON companion.channels IS 'Everyone reads the channels.';
CREATE POLICY every_row ON companion.channels TO companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.channels IS 'Admins change the channels.';
SELECT pg_catalog.pg_extension_config_dump('companion.channels', '');

-- A new table.
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
ALTER TABLE companion.addresses ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.addresses TO companion_user
USING (user_id = companion.current_user_id() AND unlinked_at IS NULL) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.addresses IS 'An end user sees what is linked of their own only.';
CREATE POLICY every_row ON companion.addresses TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.addresses IS 'Workers and admins act for every user.';
SELECT pg_catalog.pg_extension_config_dump('companion.addresses', '');

-- A new table.
CREATE TABLE companion.rekeyed_ids (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    table_name text NOT NULL,
    old_id uuid NOT NULL,
    new_id uuid NOT NULL,
    PRIMARY KEY (user_id, table_name, old_id)
);
COMMENT ON TABLE companion.rekeyed_ids IS
'The ids, not of version 7, that the update from 0.1.0 or an import has replaced, for an app that has kept such ids elsewhere, and what an import has met besides. Imports read it, so that they can be repeated, and take nothing that was deleted since; an admin may delete its rows after the last.';
COMMENT ON COLUMN companion.rekeyed_ids.user_id IS 'Whose row it is.';
COMMENT ON COLUMN companion.rekeyed_ids.table_name IS 'conversations, messages, scheduled_messages or user_context.';
COMMENT ON COLUMN companion.rekeyed_ids.old_id IS 'The id that the row had; of one that was no UUID, and of a fact''s category and key, what old_id() makes of it: a part of its SHA-256.';
COMMENT ON COLUMN companion.rekeyed_ids.new_id IS 'The id that it has: the same where that is of version 7, else uuid_v7() of its started_at, created_at or scheduled_for.';
ALTER TABLE companion.rekeyed_ids ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.rekeyed_ids TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.rekeyed_ids IS 'An end user sees their own only.';
CREATE POLICY every_row ON companion.rekeyed_ids TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.rekeyed_ids IS 'Workers and admins act for every user.';
SELECT pg_catalog.pg_extension_config_dump('companion.rekeyed_ids', '');

-- A new table.
CREATE TABLE companion.early_edits (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    external_id text COLLATE "C" NOT NULL,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    channel text COLLATE "C" NOT NULL,
    bot text COLLATE "C" NOT NULL,
    address text COLLATE "C" NOT NULL,
    content text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT companion.now(),
    PRIMARY KEY (user_id, external_id, id)
);
COMMENT ON TABLE companion.early_edits IS
'Edits that have come before their messages, the last of each: edit_message() keeps it, and it is applied when the message comes. One that is older than 7 days is deleted by run_maintenance(): its message was never stored.';
COMMENT ON COLUMN companion.early_edits.user_id IS 'Whose chat it is in.';
COMMENT ON COLUMN companion.early_edits.external_id IS 'The messenger''s id of the message; Telegram''s in decimal digits.';
COMMENT ON COLUMN companion.early_edits.id IS 'What tells the ids of different chats apart.';
COMMENT ON COLUMN companion.early_edits.channel IS 'The channel of the chat.';
COMMENT ON COLUMN companion.early_edits.bot IS 'The bot of the chat.';
COMMENT ON COLUMN companion.early_edits.address IS 'The address of the chat.';
COMMENT ON COLUMN companion.early_edits.content IS 'The text after the edit.';
COMMENT ON COLUMN companion.early_edits.received_at IS 'When it came.';
ALTER TABLE companion.early_edits ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.early_edits TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.early_edits IS 'An end user sees their own only.';
CREATE POLICY every_row ON companion.early_edits TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.early_edits IS 'Workers and admins act for every user.';
SELECT pg_catalog.pg_extension_config_dump('companion.early_edits', '');

-- A new table.
CREATE TABLE companion.dispatch_recheck (
    user_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    since timestamptz NOT NULL CHECK (isfinite(since)),
    PRIMARY KEY (user_id, id)
);
COMMENT ON TABLE companion.dispatch_recheck IS
'Users at whom dispatch is to look again: locked when a tick came to them, or changed in a transaction that it could not see into. Internal.';
COMMENT ON COLUMN companion.dispatch_recheck.user_id IS 'Whom to look at; it may be gone.';
COMMENT ON COLUMN companion.dispatch_recheck.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.dispatch_recheck.since IS 'Check-ins that are due after this time are still to be found.';
ALTER TABLE companion.dispatch_recheck ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.dispatch_recheck
TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.dispatch_recheck IS 'Workers and admins read it.';
SELECT pg_catalog.pg_extension_config_dump('companion.dispatch_recheck', '');

-- A new table.
CREATE TABLE companion.erased_users (
    user_id uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL DEFAULT companion.now()
);
COMMENT ON TABLE companion.erased_users IS
'One row for each user whom erase_user() has erased, so that follow_auth_users() does not bring them back. It goes with the auth table''s row, and when they sign up again; delete it to have them taken over. It says nothing of an id that is a user''s.';
COMMENT ON COLUMN companion.erased_users.user_id IS 'The id that the user had.';
COMMENT ON COLUMN companion.erased_users.erased_at IS 'When they were erased.';
ALTER TABLE companion.erased_users ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.erased_users TO companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.erased_users IS 'Admins read and delete.';
SELECT pg_catalog.pg_extension_config_dump('companion.erased_users', '');

-- A new table.
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
ALTER TABLE companion.kinds ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.kinds FOR SELECT
TO companion_user, companion_worker, companion_runtime, companion_monitor USING (true);
COMMENT ON POLICY read ON companion.kinds IS 'Everyone reads the kinds.';
CREATE POLICY every_row ON companion.kinds TO companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.kinds IS 'Admins change the kinds.';
SELECT pg_catalog.pg_extension_config_dump('companion.kinds', '');

-- A new table.
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
COMMENT ON TABLE companion.caps IS
'At most so many messages of a group to one user, in a local day, week or month, or within any stretch of some length. A group may have several: 3 a day and 10 a week. The kinds of a group say so in kinds.cap_group. Counted are sends that were started, but for those that certainly failed.';
COMMENT ON COLUMN companion.caps.cap_group IS 'The group''s name: 1 to 63 lower-case letters, digits and _, a letter first.';
COMMENT ON COLUMN companion.caps.local_period IS 'In which they are counted, by the clock of the zone that the user is in when a message is to be started: day, week (from Monday) or month; NULL: rolling says.';
COMMENT ON COLUMN companion.caps.rolling IS 'Within any stretch of which length they are counted, a day of it having 24 hours and a month 30 days: up to 366 days; NULL: local_period says.';
COMMENT ON COLUMN companion.caps.max_messages IS 'How many there may be, 1 to 1000.';
ALTER TABLE companion.caps REPLICA IDENTITY FULL;
ALTER TABLE companion.caps ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.caps FOR SELECT
TO companion_user, companion_worker, companion_runtime, companion_monitor USING (true);
COMMENT ON POLICY read ON companion.caps IS 'Everyone reads the caps.';
CREATE POLICY every_row ON companion.caps TO companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.caps IS 'Admins change the caps.';
SELECT pg_catalog.pg_extension_config_dump('companion.caps', '');

-- A new table.
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

-- A new table.
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
ALTER TABLE companion.sending_pauses ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.sending_pauses FOR SELECT
TO companion_worker, companion_monitor USING (true);
COMMENT ON POLICY read ON companion.sending_pauses IS 'Workers, and who watches, see what is paused.';
CREATE POLICY every_row ON companion.sending_pauses TO companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.sending_pauses IS 'Admins pause.';
SELECT pg_catalog.pg_extension_config_dump('companion.sending_pauses', '');

-- A new table.
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

-- A new table.
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
ALTER TABLE companion.channel_throttles ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.channel_throttles FOR SELECT
TO companion_worker, companion_monitor USING (true);
COMMENT ON POLICY read ON companion.channel_throttles IS 'Workers, and who watches, see what is throttled.';
CREATE POLICY every_row ON companion.channel_throttles TO companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.channel_throttles IS 'Admins can take a throttle away.';

-- A new table.
CREATE TABLE companion.shard (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    number integer CHECK (number >= 0 AND number < shards),
    shards integer NOT NULL CHECK (shards BETWEEN 1 AND 4096),
    since timestamptz NOT NULL DEFAULT companion.now()
);
COMMENT ON TABLE companion.shard IS
'What this database is among those that the users are spread over: one row, made by set_shard() or set_directory(). None where it stands for itself.';
COMMENT ON COLUMN companion.shard.only_row IS 'Always true.';
COMMENT ON COLUMN companion.shard.number IS 'Which shard it is, from 0; NULL: the directory.';
COMMENT ON COLUMN companion.shard.shards IS 'How many shards there are.';
COMMENT ON COLUMN companion.shard.since IS 'When it was set.';
ALTER TABLE companion.shard ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.shard FOR SELECT
TO companion_worker, companion_admin, companion_monitor USING (true);
COMMENT ON POLICY read ON companion.shard IS 'Workers, admins and who watches see which shard it is.';
CREATE POLICY every_row ON companion.shard TO companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.shard IS 'The functions set it.';
SELECT pg_catalog.pg_extension_config_dump('companion.shard', '');

-- A new table.
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
ALTER TABLE companion.address_reservations ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.address_reservations TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.address_reservations IS 'Workers and admins read it.';
SELECT pg_catalog.pg_extension_config_dump('companion.address_reservations', '');

-- A new table.
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
ALTER TABLE companion.directory_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.directory_changes TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.directory_changes IS 'Workers and admins read it.';
SELECT pg_catalog.pg_extension_config_dump('companion.directory_changes', '');

-- A new table.
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
ALTER TABLE companion.directory ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.directory TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.directory IS 'Workers and admins read it.';
SELECT pg_catalog.pg_extension_config_dump('companion.directory', '');

-- Functions, views and triggers.
CREATE FUNCTION companion.uuid_v7(at timestamptz) RETURNS uuid
LANGUAGE c VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'companion_uuid_v7_at';
COMMENT ON FUNCTION companion.uuid_v7(timestamptz) IS
'A new id, UUID version 7, for a given time: for rows that are older than themselves, as those of an import. Ids ascend with the time and, for equal times, with a session''s calls. Error 22008 for a time that is infinite, before 1970 or after August 10889.';

CREATE FUNCTION companion.replace_row() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('DELETE FROM %1$s WHERE %2$I = ($1).%2$I', TG_RELID::regclass, TG_ARGV[0])
    USING NEW;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION companion.replace_row() IS
'Trigger, BEFORE INSERT: the new row takes the place of the one that has the same value in the column that is its argument.';
CREATE TRIGGER replace_kind BEFORE INSERT ON companion.kinds
FOR EACH ROW EXECUTE FUNCTION companion.replace_row('kind');
COMMENT ON TRIGGER replace_kind ON companion.kinds IS 'Inserting a kind that is there replaces it.';
ALTER TABLE companion.kinds ENABLE ALWAYS TRIGGER replace_kind;

CREATE FUNCTION companion.reload_rows() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_reload_rows';
COMMENT ON FUNCTION companion.reload_rows() IS
'Trigger, AFTER INSERT, UPDATE, DELETE or TRUNCATE: every session reads the table anew.';
CREATE TRIGGER reload_no_shard AFTER TRUNCATE ON companion.shard
FOR EACH STATEMENT EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_no_shard ON companion.shard IS 'Every session reads it anew.';
ALTER TABLE companion.shard ENABLE ALWAYS TRIGGER reload_no_shard;
CREATE TRIGGER reload_shard AFTER INSERT OR UPDATE OR DELETE ON companion.shard
FOR EACH ROW EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_shard ON companion.shard IS 'Every session reads it anew.';
ALTER TABLE companion.shard ENABLE ALWAYS TRIGGER reload_shard;

CREATE FUNCTION companion.shard_of(user_id uuid, shards integer) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_shard_of';
COMMENT ON FUNCTION companion.shard_of(uuid, integer) IS
'Which of so many shards, 0 to shards - 1, a user belongs to: from the bits of their id alone, the same in every version; docs/scaling.md has it in other languages. Error 22023 for shards outside 1 to 4096.';

CREATE FUNCTION companion.set_shard(number integer, shards integer) RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_set_shard';
COMMENT ON FUNCTION companion.set_shard(integer, integer) IS
'Makes this database one of so many shards, 0 to shards - 1, for good: from now on only users whose id belongs to it, by shard_of(), are taken, new ids belong to it, and an address is linked with a reservation of the directory only. Returns whether it was not so before. Error 22023 for shards outside 1 to 4096 and a number outside of them, 55000 where it is another shard or the directory already and where there are users of other shards.';

CREATE FUNCTION companion.set_directory(shards integer) RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_set_directory';
COMMENT ON FUNCTION companion.set_directory(integer) IS
'Makes this database the directory of so many shards, which says which user has an address and has no users itself. Returns whether it was not so before. Errors as of set_shard().';

CREATE FUNCTION companion.new_user_id() RETURNS uuid
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_new_user_id';
COMMENT ON FUNCTION companion.new_user_id() IS
'An id for a new user: uuid_v7(), and of a shard, one that belongs to it. Error 55000 on the directory.';
ALTER TABLE companion.users ALTER COLUMN id SET DEFAULT companion.new_user_id();

CREATE FUNCTION companion.link_token_shard(token text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN substring(token FROM '^(0|[1-9][0-9]{0,3})-[A-Za-z0-9_-]{43}$')::integer;
COMMENT ON FUNCTION companion.link_token_shard(text) IS
'The shard that a link token names, the number before its first -; NULL for what is no token of a shard. It says nothing of whether the shard knows the token.';
CREATE TRIGGER reload_no_throttles AFTER TRUNCATE ON companion.channel_throttles
FOR EACH STATEMENT EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_no_throttles ON companion.channel_throttles IS 'Every session reads the throttles anew.';
ALTER TABLE companion.channel_throttles ENABLE ALWAYS TRIGGER reload_no_throttles;
CREATE TRIGGER reload_throttles AFTER INSERT OR UPDATE OR DELETE ON companion.channel_throttles
FOR EACH ROW EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_throttles ON companion.channel_throttles IS 'Every session reads the throttles anew.';
ALTER TABLE companion.channel_throttles ENABLE ALWAYS TRIGGER reload_throttles;
CREATE TRIGGER reload_no_pauses AFTER TRUNCATE ON companion.sending_pauses
FOR EACH STATEMENT EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_no_pauses ON companion.sending_pauses IS 'Every session reads the pauses anew.';
ALTER TABLE companion.sending_pauses ENABLE ALWAYS TRIGGER reload_no_pauses;
CREATE TRIGGER reload_pauses AFTER INSERT OR UPDATE OR DELETE ON companion.sending_pauses
FOR EACH ROW EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_pauses ON companion.sending_pauses IS 'Every session reads the pauses anew.';
ALTER TABLE companion.sending_pauses ENABLE ALWAYS TRIGGER reload_pauses;
CREATE TRIGGER reload_no_caps AFTER TRUNCATE ON companion.caps
FOR EACH STATEMENT EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_no_caps ON companion.caps IS 'Every session reads the caps anew.';
ALTER TABLE companion.caps ENABLE ALWAYS TRIGGER reload_no_caps;
CREATE TRIGGER reload_caps AFTER INSERT OR UPDATE OR DELETE ON companion.caps
FOR EACH ROW EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_caps ON companion.caps IS 'Every session reads the caps anew.';
ALTER TABLE companion.caps ENABLE ALWAYS TRIGGER reload_caps;
CREATE TRIGGER reload_no_kinds AFTER TRUNCATE ON companion.kinds
FOR EACH STATEMENT EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_no_kinds ON companion.kinds IS 'Every session reads the kinds anew.';
ALTER TABLE companion.kinds ENABLE ALWAYS TRIGGER reload_no_kinds;
CREATE TRIGGER reload_kinds AFTER INSERT OR UPDATE OR DELETE ON companion.kinds
FOR EACH ROW EXECUTE FUNCTION companion.reload_rows();
COMMENT ON TRIGGER reload_kinds ON companion.kinds IS 'Every session reads the kinds anew.';
ALTER TABLE companion.kinds ENABLE ALWAYS TRIGGER reload_kinds;

CREATE FUNCTION companion.local_timestamp(timezone text, at timestamptz) RETURNS timestamp
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_local_timestamp';
COMMENT ON FUNCTION companion.local_timestamp(text, timestamptz) IS
'What a clock in the zone reads at a time: as AT TIME ZONE, but that a name is always the IANA zone''s, as everywhere here, and never an abbreviation: CET has summer time. NULL for a time that is infinite. Error 22023 for an unknown zone, 22008 for a time out of range.';

CREATE FUNCTION companion.quiet_until(
    timezone text, quiet_from time, quiet_until time, at timestamptz) RETURNS timestamptz
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_quiet_until';
COMMENT ON FUNCTION companion.quiet_until(text, time, time, timestamptz) IS
'When the quiet time ends that at lies in; NULL where it is not quiet then, and where an argument is NULL. It is quiet whenever a clock in the zone shows a time from quiet_from up to quiet_until, without it: from a later time to an earlier one over midnight, from one to the same never. What the clock shows twice is quiet both times; where it jumps over quiet_until, quiet time ends with the jump. Error 22023 for an unknown zone and for 24:00, 22008 for an infinite at, and one after the year 294246.';

CREATE FUNCTION companion.unknown_start(quiet_from time, quiet_until time) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN quiet_from <> quiet_until THEN timestamptz '-infinity' END;
COMMENT ON FUNCTION companion.unknown_start(time, time) IS
'dispatch_queue.start_before of what is not claimed: -infinity for a user who has quiet hours, else NULL. Internal.';

CREATE TRIGGER replace_channel BEFORE INSERT ON companion.channels
FOR EACH ROW EXECUTE FUNCTION companion.replace_row('channel');
ALTER TABLE companion.channels ENABLE ALWAYS TRIGGER replace_channel;
COMMENT ON TRIGGER replace_channel ON companion.channels IS 'Inserting a channel that is there replaces it.';

CREATE TRIGGER reload_channels AFTER INSERT OR UPDATE OR DELETE ON companion.channels
FOR EACH ROW EXECUTE FUNCTION companion.reload_rows();
ALTER TABLE companion.channels ENABLE ALWAYS TRIGGER reload_channels;
COMMENT ON TRIGGER reload_channels ON companion.channels IS 'Every session reads the channels anew.';

CREATE TRIGGER reload_no_channels AFTER TRUNCATE ON companion.channels
FOR EACH STATEMENT EXECUTE FUNCTION companion.reload_rows();
ALTER TABLE companion.channels ENABLE ALWAYS TRIGGER reload_no_channels;
COMMENT ON TRIGGER reload_no_channels ON companion.channels IS 'Every session reads the channels anew.';

CREATE FUNCTION companion.choose_channel(usable_addresses text[], preferred_channel text) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_choose_channel';
COMMENT ON FUNCTION companion.choose_channel(text[], text) IS
'Which channel a message goes to: of a user''s columns of these names the preferred one if it is usable, else by channels.rank; NULL where none is. Internal: usable_channel() is for others.';

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

CREATE FUNCTION companion.throttle_channel(
    channel text, retry_after interval DEFAULT NULL, bot text DEFAULT NULL,
    retry_after_seconds double precision DEFAULT NULL)
RETURNS timestamptz
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_throttle_channel';
COMMENT ON FUNCTION companion.throttle_channel(text, interval, text, double precision) IS
'Says that a messenger has asked a bot, or with NULL the whole channel, to send nothing for so long (a 429 that is not about one message). No start_send that begins after this has committed is true before; it is NULL: not now, the claim stays. Claims leave what is throttled. A shorter one ends none. Returns when this one ends. Waits for nobody. retry_after, or retry_after_seconds, one of the two: zero to 30 days. Error 22023 for another, for both, an unknown channel and a bot''s name of more than 64 characters.';

CREATE FUNCTION companion.cap_full(user_id uuid, kind text, at timestamptz)
RETURNS TABLE (until timestamptz, reason text)
LANGUAGE c STABLE ROWS 1
AS 'MODULE_PATHNAME', 'companion_cap_full';
COMMENT ON FUNCTION companion.cap_full(uuid, text, timestamptz) IS
'Which cap a message of this kind would be over at a time, by what has been started so far, in words; and until when it is full. Both NULL: none. Internal.';

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

CREATE FUNCTION companion.address_key(channel text, address text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_address_key';
COMMENT ON FUNCTION companion.address_key(text, text) IS
'What addresses are compared by: the address, or for WhatsApp the one of a number''s forms that stands for both: Brazil''s with the 9, Mexico''s with the 1, Argentina''s with the 9. Internal: an index is made of it.';

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

CREATE FUNCTION companion.adopt_users(
    auth_table regclass, email_column name, deleted_column name, banned_column name) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_adopt_users';
COMMENT ON FUNCTION companion.adopt_users(regclass, name, name, name) IS
'Takes over the rows of an auth table, which it locks against writes, as follow_auth_users() does, without following it. Returns how many users were new or changed. Errors as there. Internal.';

CREATE FUNCTION companion.follow_auth_users(
    auth_table regclass DEFAULT to_regclass('auth.users'), email_column name DEFAULT 'email',
    deleted_column name DEFAULT NULL, banned_column name DEFAULT NULL, on_replica boolean DEFAULT false)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken_over bigint;
    columns text;
    purposes text;
BEGIN
    IF auth_table IS NULL THEN
        RAISE EXCEPTION 'there is no auth table to follow'
        USING ERRCODE = 'undefined_table', HINT = 'Name it: companion.follow_auth_users(''app.accounts'').';
    END IF;
    taken_over := companion.adopt_users(auth_table, email_column, deleted_column, banned_column);
    IF EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = auth_table AND t.tgname = 'companion_follow'
               AND t.tgfoid <> 'companion.follow_auth_user()'::regprocedure) THEN
        RAISE EXCEPTION 'table % has another trigger companion_follow', auth_table
        USING ERRCODE = 'duplicate_object', HINT = 'Rename it: ALTER TRIGGER companion_follow ON ... RENAME TO ...';
    END IF;
    SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.number),
           string_agg(quote_literal(c.purpose), ', ' ORDER BY c.number)
    INTO columns, purposes
    FROM (VALUES (1, 'id', 'id'), (2, email_column, 'email'), (3, deleted_column, 'deleted'),
                 (4, banned_column, 'banned')) AS c (number, name, purpose)
    WHERE c.name IS NOT NULL;
    EXECUTE format('CREATE OR REPLACE TRIGGER companion_follow'
                   ' AFTER INSERT OR DELETE OR UPDATE OF %s ON %s'
                   ' FOR EACH ROW EXECUTE FUNCTION companion.follow_auth_user(%s)',
                   columns, auth_table, purposes);
    IF on_replica THEN
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER companion_follow', auth_table);
    END IF;
    RETURN taken_over;
END
$$;
COMMENT ON FUNCTION companion.follow_auth_users(regclass, name, name, name, boolean) IS
'Puts the trigger companion_follow on an auth table, so that companion.users gains, changes the id and the e-mail address of, and loses a user with it, and takes over the rows that are there, but for users whom erase_user() has erased. A shard passes over the rows of other shards'' users. deleted_column (timestamptz, timestamp or boolean): a user where it holds a time, or true, is suspended for good, until it is cleared; banned_column (timestamptz or boolean): until then, or while it is true; NULL: none. Both are kept in users.suspended_until, which stays as it is where neither is named. on_replica: the rows are written by a subscription, too, and the trigger fires for these as well, for which the caller must own the table. Returns how many of the rows were new or changed. Calling it again is harmless, and names other columns. The column id is a uuid, the address text, varchar, char, name or citext, or a domain over one of them; a partitioned table is partitioned by id. The caller needs the TRIGGER and SELECT privileges on the table. Error 42P01 where there is no such table, 42703 where it lacks a column, 42804 for one of another type or a virtual one, 42809 for a view, a foreign table, a partition and another partitioning, 42701 where a column is named twice, 42710 where it has another trigger of that name, 42501 where row-level security may hide some of its rows, 23502 for a row without an id.';

CREATE FUNCTION companion.unfollow_auth_users(
    auth_table regclass DEFAULT to_regclass('auth.users')) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger AS t
                   WHERE t.tgrelid = auth_table AND t.tgname = 'companion_follow'
                       AND t.tgfoid = 'companion.follow_auth_user()'::regprocedure) THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TRIGGER companion_follow ON %s', auth_table);
    RETURN true;
END
$$;
COMMENT ON FUNCTION companion.unfollow_auth_users(regclass) IS
'Takes the trigger off an auth table; the users stay. Returns whether it was followed. The caller must own the table.';

CREATE VIEW companion.personal_tables WITH (security_invoker = true) AS
WITH RECURSIVE personal AS (
    SELECT c.oid, c.relname AS name, c.relpersistence, k.names, k.columns AS key, a.readable
    FROM pg_extension AS e
    JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
        AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
    JOIN pg_class AS c ON c.oid = d.objid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    CROSS JOIN LATERAL (
        SELECT array_agg(key.attname) AS names,
               string_agg(quote_ident(key.attname), ', ' ORDER BY key.attnum) AS columns
        FROM pg_index AS i
        JOIN pg_attribute AS key ON key.attrelid = c.oid AND key.attnum = ANY (i.indkey)
        WHERE i.indrelid = c.oid AND i.indisprimary) AS k
    CROSS JOIN LATERAL (
        SELECT string_agg(quote_ident(column_of.attname), ', ' ORDER BY column_of.attnum)
               FILTER (WHERE has_column_privilege('companion_admin', c.oid, column_of.attnum, 'SELECT'))
               AS readable
        FROM pg_attribute AS column_of
        WHERE column_of.attrelid = c.oid AND column_of.attnum > 0 AND NOT column_of.attisdropped) AS a
    WHERE e.extname = 'companion' AND c.relname NOT IN ('erased_users', 'directory', 'address_reservations', 'directory_changes')
        AND (c.relname = 'users' OR k.names && '{user_id,telegram_user_id}')
), referring (oid, depth) AS (
    SELECT oid, 0 FROM personal
    UNION
    SELECT k.confrelid, r.depth + 1
    FROM referring AS r
    JOIN pg_constraint AS k ON k.conrelid = r.oid AND k.contype = 'f' AND k.confrelid <> k.conrelid
    WHERE r.depth < 20 AND k.confrelid IN (SELECT oid FROM personal)
)
SELECT p.name, p.oid::regclass::text AS relation,
       CASE WHEN p.name = 'users' THEN 'id = $1'
            WHEN 'user_id' = ANY (p.names) THEN 'user_id = $1'
            ELSE 'telegram_user_id = (SELECT telegram_user_id FROM companion.users WHERE id = $1)'
       END AS condition,
       p.readable AS columns, p.key,
       NOT (p.relpersistence = 'u' AND pg_is_in_recovery()) AS is_readable,
       (SELECT max(r.depth) FROM referring AS r WHERE r.oid = p.oid) AS erasure_order
FROM personal AS p;
COMMENT ON VIEW companion.personal_tables IS
'The extension''s tables that hold rows of a user, erased_users and what the directory of shards needs apart: how a user''s are found ($1 is the user''s id), the columns that an admin may read (a secret is one that nobody may), the primary key, and in which order they are erased. Internal.';
COMMENT ON COLUMN companion.personal_tables.name IS 'The table''s name.';
COMMENT ON COLUMN companion.personal_tables.relation IS 'The table, qualified and quoted.';
COMMENT ON COLUMN companion.personal_tables.condition IS 'Which rows are the user''s; $1 is the user''s id.';
COMMENT ON COLUMN companion.personal_tables.columns IS 'The columns that an admin may read, quoted.';
COMMENT ON COLUMN companion.personal_tables.key IS 'The primary key''s columns, quoted.';
COMMENT ON COLUMN companion.personal_tables.is_readable IS 'False for an unlogged table on a standby, which has no rows there and cannot be named in a query.';
COMMENT ON COLUMN companion.personal_tables.erasure_order IS 'A table that refers to another has the lower number: its rows go first, so that no foreign key has anything to do.';

CREATE FUNCTION companion.check_conversation() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_conversation';
COMMENT ON FUNCTION companion.check_conversation() IS
'Trigger, AFTER INSERT OR UPDATE: id is of version 7, but for what a superuser restores; channel is a row of channels, initiated_by user or companion, ended_at not before started_at; what a grant lets one write into mood_summary and topics has at most companion.max_json_size. Error 23514, with the column''s name.';

CREATE TRIGGER check_conversation AFTER INSERT OR UPDATE ON companion.conversations
FOR EACH ROW EXECUTE FUNCTION companion.check_conversation();
COMMENT ON TRIGGER check_conversation ON companion.conversations IS 'Refuses what a row may not hold.';

CREATE FUNCTION companion.check_message() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_message';
COMMENT ON FUNCTION companion.check_message() IS
'Trigger, AFTER INSERT OR UPDATE: id is of version 7, but for what a superuser restores; role is user, assistant or system, content not empty, telegram_message_id at least 1, external_id of 1 to 512 characters without control characters, metadata an object; else error 23514, with the column''s name. What a grant lets one write is bounded as what a function takes is: error 22023 for content over companion.max_message_length and for metadata over companion.max_json_size.';

CREATE TRIGGER check_message AFTER INSERT OR UPDATE ON companion.messages
FOR EACH ROW EXECUTE FUNCTION companion.check_message();
COMMENT ON TRIGGER check_message ON companion.messages IS 'Refuses what a row may not hold.';

CREATE FUNCTION companion.add_message(
    user_id uuid, conversation_id uuid, role text, content text,
    telegram_message_id bigint DEFAULT NULL, reply_to_id uuid DEFAULT NULL,
    metadata jsonb DEFAULT NULL, reply_to_telegram_id bigint DEFAULT NULL, bot text DEFAULT '',
    address text DEFAULT NULL, external_id text DEFAULT NULL,
    reply_to_external_id text DEFAULT NULL)
RETURNS uuid
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_add_message';
COMMENT ON FUNCTION companion.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint, text, text, text, text) IS
'Adds a message to a conversation and returns its id. A message may be added to a conversation that has ended: an answer belongs where the question is. telegram_message_id is Telegram''s id of it, external_id that of the messenger of the conversation''s channel; each is one within a chat: that of bot with address, or with NULL the user''s address there that was linked last. A message with the chat, id, role and text of one that is stored, or with a text that it had before an edit, was delivered again: nothing is stored, and the id of the first is returned; with another role or text it is stored, and the id is the newer one''s from then on. What it replies to is named by reply_to_id or by the messenger''s id in the chat, not both; one that is not stored leaves reply_to_id NULL. role user sets users.last_user_message_at, and cancels what is pending for the user with cancel_on_reply. End users add their own, with role user and without a messenger''s id. Error 22023 for an unknown role, for content that is empty or over companion.max_message_length, for two ids or two replies, for metadata that is not an object or over companion.max_json_size, for a Telegram id below 1, for an external id that has not 1 to 512 characters or has control characters, and for an id of another messenger''s than the channel''s; 23503 for a conversation or a message replied to that is not the user''s; 42501 for another''s, another role or a messenger''s id as an end user; 09000 where a trigger suppresses the row or changes user_id, id, conversation_id, telegram_message_id or external_id.';

CREATE FUNCTION companion.edit_message(
    user_id uuid, message_id uuid, content text, telegram_message_id bigint DEFAULT NULL,
    bot text DEFAULT '', address text DEFAULT NULL, external_id text DEFAULT NULL,
    channel text DEFAULT NULL)
RETURNS uuid
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_edit_message';
COMMENT ON FUNCTION companion.edit_message(uuid, uuid, text, bigint, text, text, text, text) IS
'Replaces a message''s text and returns its id. The earlier text and when it was written are added to metadata, in the array edits, of which the oldest are dropped where companion.max_json_size leaves no room for all. The same text again changes nothing. The message is named by its id or, with message_id NULL, by the messenger''s in a chat: telegram_message_id, or external_id with its channel; of several the newest. bot and address say which chat, as for add_message. One that is not stored gives NULL, and the edit is kept for 7 days, to be applied when the message comes. Error 23503 when the user has no such message, 22023 for content that is empty or over companion.max_message_length, unless exactly one id is given, and for ids as add_message; 22004 for external_id without channel; 09000 where a trigger suppresses the change or changes user_id or id.';

CREATE FUNCTION companion.record_incoming(
    channel text, channel_user_id text, content text, telegram_message_id bigint DEFAULT NULL,
    reply_to_telegram_id bigint DEFAULT NULL, metadata jsonb DEFAULT NULL,
    idle interval DEFAULT '24 hours', bot text DEFAULT '', external_id text DEFAULT NULL,
    reply_to_external_id text DEFAULT NULL)
RETURNS TABLE (user_id uuid, conversation_id uuid, message_id uuid, is_new boolean, cancelled integer)
LANGUAGE c ROWS 1
AS 'MODULE_PATHNAME', 'companion_record_incoming';
COMMENT ON FUNCTION companion.record_incoming(text, text, text, bigint, bigint, jsonb, interval, text, text, text) IS
'What a channel''s webhook brings, in one call: finds the user who has this address, opens or continues their conversation there, and adds the message. channel_user_id is the address: Telegram''s user id, the WhatsApp number with or without +, for web the user''s id. bot is the app''s account that was written to; an address that was linked without one has this from then on. addresses.last_incoming_at is set, and an address that was disabled is usable again. A message that is delivered again (see add_message) stores nothing and returns the first, with is_new false; if the address has changed hands within the last 7 days, the one that its former user wrote. What is pending for the user with cancel_on_reply is cancelled, unless it is being sent; cancelled says how many. No row for an address that no user has. Errors as of open_conversation, add_message and link_address; 22P02 for an id that is none, 22003 for one beyond bigint.';

CREATE FUNCTION companion.record_incoming(
    channel text, channel_user_number bigint, content text, telegram_message_id bigint DEFAULT NULL,
    reply_to_telegram_id bigint DEFAULT NULL, metadata jsonb DEFAULT NULL,
    idle interval DEFAULT '24 hours', bot text DEFAULT '', external_id text DEFAULT NULL,
    reply_to_external_id text DEFAULT NULL)
RETURNS TABLE (user_id uuid, conversation_id uuid, message_id uuid, is_new boolean, cancelled integer)
LANGUAGE c ROWS 1
AS 'MODULE_PATHNAME', 'companion_record_incoming_from_number';
COMMENT ON FUNCTION companion.record_incoming(text, bigint, text, bigint, bigint, jsonb, interval, text, text, text) IS
'The same for an address that is a number, as Telegram''s user id is: from clients that say a number''s type.';

CREATE FUNCTION companion.recent_messages(
    user_id uuid, max_messages integer DEFAULT 20, conversation_id uuid DEFAULT NULL,
    before_id uuid DEFAULT NULL)
RETURNS SETOF companion.stored_message
LANGUAGE sql STABLE ROWS 20
BEGIN ATOMIC
    (SELECT m.user_id, m.id, m.conversation_id, m.role, m.content, m.telegram_message_id,
            m.reply_to_id, CASE WHEN isfinite(m.edited_at) THEN m.edited_at END AS edited_at, m.metadata,
            CASE WHEN isfinite(m.created_at) THEN m.created_at END AS created_at, m.external_id,
            m.channel, m.bot, m.address
     FROM companion.messages AS m
     WHERE recent_messages.conversation_id IS NULL AND m.user_id = recent_messages.user_id
         AND m.id < CASE WHEN before_id IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE before_id END
     ORDER BY m.id DESC LIMIT max_messages)
    UNION ALL
    (SELECT m.user_id, m.id, m.conversation_id, m.role, m.content, m.telegram_message_id,
            m.reply_to_id, CASE WHEN isfinite(m.edited_at) THEN m.edited_at END AS edited_at, m.metadata,
            CASE WHEN isfinite(m.created_at) THEN m.created_at END AS created_at, m.external_id,
            m.channel, m.bot, m.address
     FROM companion.messages AS m
     WHERE m.user_id = recent_messages.user_id
         AND m.conversation_id = recent_messages.conversation_id
         AND m.id < CASE WHEN before_id IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE before_id END
     ORDER BY m.id DESC LIMIT max_messages)
    ORDER BY id DESC;
END;
COMMENT ON FUNCTION companion.recent_messages(uuid, integer, uuid, uuid) IS
'A user''s messages, or those of one conversation, the latest first. before_id is the id of the last message of the page before; NULL begins with the latest. max_messages NULL: all of them. For the user''s own, or workers and admins; others get no row. Error 2201W for a negative max_messages.';

CREATE FUNCTION companion.search_rank(document tsvector, query tsquery) RETURNS real
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_search_rank';
COMMENT ON FUNCTION companion.search_rank(tsvector, tsquery) IS
'ts_rank() within bounds: of each word of the query 512 positions count, divided by how many words it has. Internal.';

CREATE FUNCTION companion.search_excerpt(config regconfig, content text, query tsquery) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_search_excerpt';
COMMENT ON FUNCTION companion.search_excerpt(regconfig, text, tsquery) IS
'The part of a text that matches a query, in bounded time: what search_messages() says of excerpt. Internal.';

CREATE OR REPLACE VIEW companion.conversation_starts WITH (security_invoker = true) AS
SELECT c.user_id, companion.local_timestamp(u.timezone, c.started_at)::date AS local_date,
       count(*) FILTER (WHERE c.initiated_by = 'user') AS by_user,
       count(*) FILTER (WHERE c.initiated_by = 'companion') AS by_companion
FROM companion.conversations AS c
JOIN companion.users AS u ON u.id = c.user_id
GROUP BY c.user_id, companion.local_timestamp(u.timezone, c.started_at)::date;
COMMENT ON VIEW companion.conversation_starts IS
'How often the user and how often the companion began a conversation: one row a user and local day on which either did, in the user''s present zone.';
COMMENT ON COLUMN companion.conversation_starts.user_id IS 'The user.';
COMMENT ON COLUMN companion.conversation_starts.local_date IS 'The user''s local day.';
COMMENT ON COLUMN companion.conversation_starts.by_user IS 'How many conversations the user began.';
COMMENT ON COLUMN companion.conversation_starts.by_companion IS 'How many the companion began.';

CREATE OR REPLACE VIEW companion.companion_starts WITH (security_invoker = true) AS
SELECT c.user_id, c.id AS conversation_id, c.channel,
       CASE WHEN isfinite(c.started_at) THEN c.started_at END AS started_at,
       companion.local_timestamp(u.timezone, c.started_at)::date AS local_date,
       CASE WHEN isfinite(reply.created_at) THEN reply.created_at END AS replied_at,
       CASE WHEN isfinite(reply.created_at) AND isfinite(c.started_at)
            THEN reply.created_at - c.started_at END AS reply_delay
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
COMMENT ON COLUMN companion.companion_starts.channel IS 'A row of channels.';
COMMENT ON COLUMN companion.companion_starts.started_at IS 'When the companion began it.';
COMMENT ON COLUMN companion.companion_starts.local_date IS 'The user''s local day of started_at.';
COMMENT ON COLUMN companion.companion_starts.replied_at IS 'When the user first wrote in it; NULL: never.';
COMMENT ON COLUMN companion.companion_starts.reply_delay IS 'From started_at to replied_at.';

CREATE FUNCTION companion.check_context_item() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_context_item';
COMMENT ON FUNCTION companion.check_context_item() IS
'Trigger, AFTER INSERT OR UPDATE: category, key, value and source are not empty, importance is 0 to 1, emotional_valence -2 to 2, confirmations at least 1, metadata an object. Error 23514, with the column''s name.';

CREATE TRIGGER check_context_item AFTER INSERT OR UPDATE ON companion.user_context
FOR EACH ROW EXECUTE FUNCTION companion.check_context_item();
COMMENT ON TRIGGER check_context_item ON companion.user_context IS 'Refuses what a row may not hold.';

CREATE FUNCTION companion.check_context_history() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_context_history';
COMMENT ON FUNCTION companion.check_context_history() IS
'Trigger, AFTER INSERT: the user is there. Error 23503.';

CREATE TRIGGER check_context_history AFTER INSERT ON companion.user_context_history
FOR EACH ROW EXECUTE FUNCTION companion.check_context_history();
COMMENT ON TRIGGER check_context_history ON companion.user_context_history IS 'Refuses what a row may not hold.';

CREATE FUNCTION companion.check_scheduled_message() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_check_scheduled_message';
COMMENT ON FUNCTION companion.check_scheduled_message() IS
'Trigger, AFTER INSERT OR UPDATE: kind is a word, idempotency_key has 1 to 200 characters and begins with checkin: where the kind is checkin and nowhere else, status and channel are as their comments say, content is not empty. Error 23514, with the column''s name.';

CREATE TRIGGER check_scheduled_message AFTER INSERT OR UPDATE ON companion.scheduled_messages
FOR EACH ROW EXECUTE FUNCTION companion.check_scheduled_message();
COMMENT ON TRIGGER check_scheduled_message ON companion.scheduled_messages IS 'Refuses what a row may not hold.';

CREATE FUNCTION companion.readdress_messages() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_readdress_messages';
COMMENT ON FUNCTION companion.readdress_messages() IS
'Trigger, AFTER UPDATE OF usable_addresses on users: what is pending on a channel that reaches the user no more goes to the next that does, or is skipped where none is left; a claim of what goes to another address, and was not started, is given back; of what is being sent it is kept where it was to go. Waits for who holds one of them, at most companion.lock_wait, then error 55P03; 09000 where a trigger suppresses or changes one.';

CREATE TRIGGER readdress_messages AFTER UPDATE OF usable_addresses ON companion.users
FOR EACH ROW WHEN (old.usable_addresses IS DISTINCT FROM new.usable_addresses)
EXECUTE FUNCTION companion.readdress_messages();
COMMENT ON TRIGGER readdress_messages ON companion.users IS 'What is pending goes where the user is reached now.';

CREATE FUNCTION companion.drop_pending() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_drop_pending';
COMMENT ON FUNCTION companion.drop_pending() IS
'Trigger, AFTER DELETE or TRUNCATE on users: what is pending, and what caps have counted, goes with its user, so that no worker can start it any more. Waits for who holds it, at most companion.lock_wait, then error 55P03.';
CREATE TRIGGER drop_pending AFTER DELETE ON companion.users
FOR EACH ROW EXECUTE FUNCTION companion.drop_pending();
COMMENT ON TRIGGER drop_pending ON companion.users IS 'What is pending goes with its user.';
CREATE TRIGGER drop_all_pending AFTER TRUNCATE ON companion.users
FOR EACH STATEMENT EXECUTE FUNCTION companion.drop_pending();
COMMENT ON TRIGGER drop_all_pending ON companion.users IS 'What is pending goes with its user.';

CREATE FUNCTION companion.recheck_user() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_recheck_user';
COMMENT ON FUNCTION companion.recheck_user() IS
'Trigger, AFTER INSERT OR UPDATE on users: notes a user whose check-ins have changed in dispatch_recheck, as from the last tick that the statement sees.';

CREATE TRIGGER recheck_new_user AFTER INSERT ON companion.users
FOR EACH ROW WHEN (new.checkin_time IS NOT NULL AND new.onboarding_completed_at IS NOT NULL)
EXECUTE FUNCTION companion.recheck_user();
COMMENT ON TRIGGER recheck_new_user ON companion.users IS
'Has dispatch look at a new user whose check-in may be due before the row is committed.';

CREATE TRIGGER recheck_changed_user AFTER UPDATE ON companion.users
FOR EACH ROW EXECUTE FUNCTION companion.recheck_user();
COMMENT ON TRIGGER recheck_changed_user ON companion.users IS
'Has dispatch look again at a user whose check-in may be due before its change is committed.';

CREATE FUNCTION companion.checkin_key(local_date date) RETURNS text
LANGUAGE sql STABLE
RETURN 'checkin:' || to_char(local_date, 'YYYY-MM-DD');
COMMENT ON FUNCTION companion.checkin_key(date) IS
'The idempotency key of a local day''s check-in. Internal.';

CREATE FUNCTION companion.checkins_due(
    timezone text, checkin_time time, checkin_days smallint[], since timestamptz, until timestamptz)
RETURNS TABLE (local_date date, scheduled_for timestamptz)
LANGUAGE c STABLE STRICT ROWS 1
AS 'MODULE_PATHNAME', 'companion_checkins_due';
COMMENT ON FUNCTION companion.checkins_due(text, time, smallint[], timestamptz, timestamptz) IS
'The local dates, of these weekdays, whose check-in at this time is due after since and up to until, and its instant. None in an unknown zone. Internal. Error 22008 for an infinite time.';

CREATE FUNCTION companion.suspended_reason(suspended_until timestamptz, at timestamptz) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN at < suspended_until THEN 'the user is suspended until ' || suspended_until END;
COMMENT ON FUNCTION companion.suspended_reason(timestamptz, timestamptz) IS
'Why nothing is sent to a user at a time who is suspended then; NULL where they are not. Internal.';

CREATE FUNCTION companion.paused_reason(checkin_paused_until timestamptz, at timestamptz)
RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN at < checkin_paused_until THEN 'check-ins are paused until ' || checkin_paused_until END;
COMMENT ON FUNCTION companion.paused_reason(timestamptz, timestamptz) IS
'Why a user gets nothing at a time, of a kind that respects pauses, who is paused then; NULL where they are not. Internal.';

CREATE FUNCTION companion.not_onboarded_reason(onboarding_completed_at timestamptz, at timestamptz)
RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN onboarding_completed_at IS NULL OR at < onboarding_completed_at
    THEN 'onboarding was not completed by then' END;
COMMENT ON FUNCTION companion.not_onboarded_reason(timestamptz, timestamptz) IS
'Why a user gets no check-in at a time who was not onboarded by then; NULL where they were. Internal.';

CREATE FUNCTION companion.opted_out_reason(checkin_time time) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN checkin_time IS NULL THEN 'the user has no check-in time' END;
COMMENT ON FUNCTION companion.opted_out_reason(time) IS
'Why a user without a check-in time gets no check-in; NULL where they have one. Internal.';

CREATE FUNCTION companion.weekday_reason(checkin_days smallint[], weekday smallint) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN NOT weekday = ANY (checkin_days) THEN 'no check-in on this weekday' END;
COMMENT ON FUNCTION companion.weekday_reason(smallint[], smallint) IS
'Why a user gets no check-in on an ISO weekday that is none of theirs; NULL where it is, or is not known. Internal.';

CREATE FUNCTION companion.checkin_refused(
    checkin_time time, checkin_days smallint[], onboarding_completed_at timestamptz,
    checkin_paused_until timestamptz, suspended_until timestamptz, weekday smallint,
    scheduled_for timestamptz) RETURNS text
LANGUAGE sql STABLE
RETURN coalesce(companion.suspended_reason(suspended_until, scheduled_for),
    companion.paused_reason(checkin_paused_until, scheduled_for),
    companion.not_onboarded_reason(onboarding_completed_at, scheduled_for),
    companion.opted_out_reason(checkin_time),
    companion.weekday_reason(checkin_days, weekday));
COMMENT ON FUNCTION companion.checkin_refused(time, smallint[], timestamptz, timestamptz, timestamptz, smallint, timestamptz) IS
'Why a user of these settings gets no check-in that is due at this time, on this ISO weekday, which may be NULL where it is known to be one of theirs; NULL where they get it. Internal.';

CREATE FUNCTION companion.day_as_seen(
    timezone text, made_in text, local_date date, scheduled_for timestamptz) RETURNS date
LANGUAGE sql STABLE
RETURN CASE WHEN made_in = timezone THEN local_date
    ELSE companion.local_timestamp(timezone, scheduled_for)::date END;
COMMENT ON FUNCTION companion.day_as_seen(text, text, date, timestamptz) IS
'The local day, as seen in a zone, of a check-in that was made in this or another one: its own date in the same, else that of its instant. Internal.';

CREATE FUNCTION companion.is_too_close(
    scheduled_for timestamptz, near_scheduled_for timestamptz, near_sent_at timestamptz,
    min_gap interval) RETURNS boolean
LANGUAGE sql STABLE
RETURN min_gap > '0' AND scheduled_for < coalesce(near_sent_at, near_scheduled_for) + min_gap
    AND scheduled_for > near_scheduled_for - min_gap;
COMMENT ON FUNCTION companion.is_too_close(timestamptz, timestamptz, timestamptz, interval) IS
'Whether a check-in would be due within min_gap of another one, which was sent then or, where that is NULL, is to be. Internal.';

CREATE FUNCTION companion.checkins_nearby(
    user_id uuid, timezone text, local_date date, scheduled_for timestamptz,
    key text, key_from text, key_until text, min_gap interval, apart_from uuid)
RETURNS TABLE (day_is_taken boolean, key_is_used boolean, is_too_close boolean)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT
        coalesce(bool_or(companion.day_as_seen(checkins_nearby.timezone, near.timezone,
            near.local_date, near.scheduled_for) = checkins_nearby.local_date), false),
        coalesce(bool_or(near.idempotency_key = key), false),
        coalesce(bool_or(near.status IN ('pending', 'sent', 'unknown')
            AND companion.is_too_close(checkins_nearby.scheduled_for, near.scheduled_for,
                near.sent_at, min_gap)), false)
    FROM companion.scheduled_messages AS near
    WHERE near.user_id = checkins_nearby.user_id
        AND near.idempotency_key >= key_from AND near.idempotency_key < key_until
        AND (apart_from IS NULL OR near.id <> apart_from);
END;
COMMENT ON FUNCTION companion.checkins_nearby(uuid, text, date, timestamptz, text, text, text, interval, uuid) IS
'Of one possible check-in, what the user''s check-ins of the days around it say, whose keys lie within [key_from, key_until), but for the one of this id: day_is_taken: one stands already for this local day, as now seen (day_as_seen). key_is_used: one stands under this key, made in another zone. is_too_close: one that was or may be sent lies within min_gap. Internal.';

CREATE FUNCTION companion.is_overtaken(
    timezone text, checkin_time time, checkin_days smallint[], scheduled_for timestamptz,
    found_at timestamptz, min_gap interval) RETURNS boolean
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'companion_is_overtaken';
COMMENT ON FUNCTION companion.is_overtaken(text, time, smallint[], timestamptz, timestamptz, interval) IS
'Whether a check-in that is found more than min_gap late is followed by another that is due by then: of what a tick finds of a user at once only the latest is sent. Internal.';

CREATE FUNCTION companion.checkin_skipped(
    scheduled_for timestamptz, found_at timestamptz, send_within interval, is_too_close boolean,
    channel text) RETURNS text
LANGUAGE sql STABLE
RETURN CASE
    WHEN scheduled_for + send_within < found_at
        THEN 'found ' || (found_at - scheduled_for) || ' late, beyond its kind''s send_within'
    WHEN is_too_close THEN 'within companion.min_gap of another check-in'
    WHEN channel IS NULL THEN 'no channel reaches the user' END;
COMMENT ON FUNCTION companion.checkin_skipped(timestamptz, timestamptz, interval, boolean, text) IS
'Why a check-in that a user gets, found by a tick of this time, is recorded as skipped; NULL where it is enqueued. Internal.';

CREATE FUNCTION companion.dispatch(
    at timestamptz DEFAULT companion.now(), max_rows integer DEFAULT NULL) RETURNS integer
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_dispatch';
COMMENT ON FUNCTION companion.dispatch(timestamptz, integer) IS
'One tick: enqueues the check-ins that are due after the previous tick and up to at, in the order in which they are due, and returns how many. max_rows: only those of so many users, the first batch of a tick, which the next call goes on with; NULL: all. It waits for another tick, but for no user: whoever is locked is left to the next one. What is found later than its kind''s send_within, and of what a user is due at once all but the latest, is recorded as skipped. The first tick ever covers the minute before it. An at that is not after the previous tick only looks again at whom that one had to leave. Error 22008 for an infinite at; 22023 for one in the future, unless companion.clock is set, and for a max_rows below 1; 09000 where a trigger suppresses a row of dispatch_queue.';

CREATE FUNCTION companion.dispatch_batch(at timestamptz, max_rows integer) RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_dispatch_batch';
COMMENT ON FUNCTION companion.dispatch_batch(timestamptz, integer) IS
'What dispatch(at, max_rows) does; returns whether all that is due up to at has been enqueued. Internal: run_dispatch() goes on until it has.';

CREATE PROCEDURE companion.run_dispatch(
    at timestamptz DEFAULT companion.now(), max_rows integer DEFAULT 10000)
LANGUAGE plpgsql
AS $$
BEGIN
    LOOP
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        EXIT WHEN companion.dispatch_batch(run_dispatch.at, run_dispatch.max_rows);
    END LOOP;
END
$$;
COMMENT ON PROCEDURE companion.run_dispatch(timestamptz, integer) IS
'One tick in batches: does what dispatch(at, max_rows) does until all that is due up to at is enqueued, and commits after each, so that the first messages can be claimed while the rest are being enqueued. One that breaks off has kept its batches; the next goes on from there. What a scheduler calls every minute. Errors as dispatch(); 2D000 within a transaction or a function.';

CREATE FUNCTION companion.schedule_message(
    user_id uuid, scheduled_for timestamptz, content text, kind text DEFAULT 'custom',
    channel text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    generation_context jsonb DEFAULT NULL, send_before timestamptz DEFAULT NULL,
    replace boolean DEFAULT false, cancel_on_reply boolean DEFAULT NULL,
    priority_level integer DEFAULT NULL, topic_key text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS TABLE (message_id uuid, created boolean)
LANGUAGE c ROWS 1
AS 'MODULE_PATHNAME', 'companion_schedule_message';
COMMENT ON FUNCTION companion.schedule_message(uuid, timestamptz, text, text, text, text, jsonb, timestamptz, boolean, boolean, integer, text, jsonb) IS
'Enqueues a message for a user; a time in the past is due at once. Returns its id, and whether it was created now or stood already under its idempotency key. content may be NULL: the worker writes it. kind checkin takes the key of its local day. Under the key of one that was cancelled it is scheduled anew, under its id, and created is true; a check-in stays cancelled for its day. replace: one that stands under the key, is pending and not being sent becomes this one, and a claim of it is given back; created is false. send_before: skipped rather than sent from this time on. cancel_on_reply: whether it is cancelled when the user writes before it is sent; NULL: as its kind says. priority_level, topic_key and metadata are the app''s own: see annotate_message. Waits for whoever holds the user''s row, at most companion.lock_wait. Error 23503 for an unknown user, 22023 for a content that is empty or over companion.max_message_length, a generation_context over companion.max_json_size, a kind, channel or key that is not valid, a send_before that is not after scheduled_for, and what annotate_message refuses, 22008 for an infinite time, 09000 where a trigger suppresses a row or changes what it is found by.';

CREATE FUNCTION companion.next_checkin(user_id uuid, at timestamptz DEFAULT companion.now()) RETURNS timestamptz
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'companion_next_checkin';
COMMENT ON FUNCTION companion.next_checkin(uuid, timestamptz) IS
'When the user''s next check-in after at is due, as the user''s settings and past check-ins now stand; NULL when there will be none. For the user''s own, or workers and admins.';

CREATE FUNCTION companion.sent_today(
    user_id uuid, kind text DEFAULT 'checkin', at timestamptz DEFAULT companion.now()) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT FROM companion.scheduled_messages AS m
        JOIN companion.users AS u ON u.id = m.user_id
        WHERE m.user_id = sent_today.user_id AND m.kind = sent_today.kind AND m.status = 'sent'
            AND companion.day_as_seen(u.timezone, m.timezone, m.local_date, m.scheduled_for)
                = companion.local_timestamp(u.timezone, at)::date);
END;
COMMENT ON FUNCTION companion.sent_today(uuid, text, timestamptz) IS
'Whether a message of this kind that was for the local day of at, in the user''s present zone, was sent: one for yesterday that went out after midnight does not count for today. For the user''s own, or workers and admins.';

CREATE FUNCTION companion.mark_sent(
    user_id uuid, message_id uuid, attempt integer, content text DEFAULT NULL,
    telegram_message_id bigint DEFAULT NULL, external_id text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, resolves uuid[] DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_mark_sent';
COMMENT ON FUNCTION companion.mark_sent(uuid, uuid, integer, text, bigint, text, jsonb, uuid[]) IS
'Reports that the message was sent after start_send: files content (or the text given when it was scheduled) as an assistant message in the user''s companion-initiated conversation and finishes the message, all at once. telegram_message_id or external_id is the messenger''s id of it, in the chat that it was sent to; it is filed whatever message has that id already, and the id is the newer one''s from then on. metadata is the message''s. resolves are ids of items of the user''s that it asks about, follow-ups or open threads: they are resolved in the same moment, and one that is none of theirs, or resolved already, is passed over. Still accepted when the message has become unknown meanwhile. Error 22023 when there is no text at all, for two ids, a telegram_message_id below 1, an external_id that has not 1 to 512 characters or has control characters, and metadata that is not an object or over companion.max_json_size; 55000 for a message that start_send did not succeed for. Returns false, and changes nothing, for an older attempt or a message that is not pending. Waits for who holds the user or the message, at most companion.lock_wait, then error 55P03: call again.';

CREATE FUNCTION companion.mark_sent_many(
    user_ids uuid[], message_ids uuid[], attempts integer[], contents text[] DEFAULT NULL,
    telegram_message_ids bigint[] DEFAULT NULL, external_ids text[] DEFAULT NULL,
    metadata jsonb[] DEFAULT NULL, resolves uuid[] DEFAULT NULL)
RETURNS boolean[]
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_mark_sent_many';
COMMENT ON FUNCTION companion.mark_sent_many(uuid[], uuid[], integer[], text[], bigint[], text[], jsonb[], uuid[]) IS
'mark_sent for many messages: one result for each, in input order. It waits for nobody: NULL for one whose user or message another transaction holds, which means not now, call again; the others are finished. resolves has for each message the id of one item, or a row of ids; NULL counts for nothing. What mark_sent would refuse by an error is false here, with a WARNING that says why. Error 2202E when the arrays differ in length.';

CREATE FUNCTION companion.mark_failed(
    user_id uuid, message_id uuid, attempt integer, reason text, retry_after interval DEFAULT NULL, permanent boolean DEFAULT false,
    address_gone boolean DEFAULT false, retry_after_seconds double precision DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_mark_failed';
COMMENT ON FUNCTION companion.mark_failed(uuid, uuid, integer, text, interval, boolean, boolean, double precision) IS
'Reports that the message was not sent. It comes back after retry_after, or retry_after_seconds, which costs no try, or after a backoff that doubles with each failure, until its kind''s max_tries or its send_before; then it has failed. Without a start_send before it, it counts as a claim that was not started. permanent (a text that the messenger refuses): failed at once; the address stays. address_gone (a blocked bot, an account that is no more): the addresses that the worker was told are disabled, and the message, where it has a try left, is not permanent and its kind falls back, goes to the next usable channel at once, or is skipped where none is left. Error 22023 for a wait that is negative or over 30 days, and for both. The report counts also where the message was given up as unknown meanwhile. Returns false, and changes nothing, for another attempt or a message that is finished. Waits for who holds the user or the message, at most companion.lock_wait, then error 55P03: call again.';

CREATE FUNCTION companion.mark_failed_many(
    user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[], retry_after interval DEFAULT NULL, permanent boolean DEFAULT false,
    address_gone boolean DEFAULT false, retry_after_seconds double precision DEFAULT NULL)
RETURNS boolean[]
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_mark_failed_many';
COMMENT ON FUNCTION companion.mark_failed_many(uuid[], uuid[], integer[], text[], interval, boolean, boolean, double precision) IS
'mark_failed for many messages: one result for each, in input order. It waits for nobody: NULL for one whose user or message another transaction holds, which means not now, call again; the others are finished. Error 2202E when the arrays differ in length.';

CREATE FUNCTION companion.release_message(user_id uuid, message_id uuid, attempt integer)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_release_message';
COMMENT ON FUNCTION companion.release_message(uuid, uuid, integer) IS
'Gives a claim back, which costs nothing: the message can be claimed at once. Returns false, and changes nothing, for a message that was started (mark_failed is for that), an older attempt or a message that is not pending. Waits for who holds the message, at most companion.lock_wait, then error 55P03: call again.';

CREATE FUNCTION companion.release_message_many(
    user_ids uuid[], message_ids uuid[], attempts integer[])
RETURNS boolean[]
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_release_message_many';
COMMENT ON FUNCTION companion.release_message_many(uuid[], uuid[], integer[]) IS
'release_message for many messages: one result for each, in input order. It waits for nobody: NULL for one that another transaction holds, which means not now, call again. Error 2202E when the arrays differ in length.';

CREATE FUNCTION companion.retry_message(
    user_id uuid, message_id uuid, send_before timestamptz DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_retry_message';
COMMENT ON FUNCTION companion.retry_message(uuid, uuid, timestamptz) IS
'Brings back a message that has failed, was skipped, or is unknown, which may send it twice: due at once, with all its tries, to be sent before this time; NULL: for as long as its kind''s send_within says, from now. It goes to its own channel, or where that is not usable to another. Returns false, and changes nothing, for another message and where no channel reaches the user. A late report of an earlier attempt counts no more. Error 22023 for a send_before that is not in the future. Waits for who holds the user, at most companion.lock_wait, then error 55P03: call again.';

CREATE FUNCTION companion.retry_failed(
    since timestamptz, reason_pattern text DEFAULT NULL, kinds text[] DEFAULT NULL)
RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_retry_failed';
COMMENT ON FUNCTION companion.retry_failed(timestamptz, text, text[]) IS
'retry_message for every message that has failed since a time, for a reason that is LIKE the pattern (NULL: any), of these kinds (NULL: all). Reads all messages. Passes over users whom another transaction holds, so call again until it returns 0: how many it has brought back.';

CREATE FUNCTION companion.apply_change_of_mind() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_apply_change_of_mind';
COMMENT ON FUNCTION companion.apply_change_of_mind() IS
'Trigger, AFTER UPDATE on users: a pending check-in that is not being sent is skipped where the user has opted out, is paused, suspended, or has no check-in on that weekday any more, with the reason; it moves to a changed check-in time or zone, if its new instant has not come yet, and stays else. What is pending goes to a changed preferred_channel; what is due to a suspended user, or a paused one by its kind, is skipped. Changed quiet hours give back what is claimed and not started where it is quiet now, and what waited for their end is due. A claim of what was moved and not started is given back. Waits for who holds one of them, at most companion.lock_wait, then error 55P03; 09000 where a trigger suppresses or changes one.';
CREATE TRIGGER apply_change_of_mind AFTER UPDATE ON companion.users
FOR EACH ROW EXECUTE FUNCTION companion.apply_change_of_mind();
COMMENT ON TRIGGER apply_change_of_mind ON companion.users IS 'What is pending follows what the user wants now.';

CREATE FUNCTION companion.cancel_message(
    user_id uuid, message_id uuid DEFAULT NULL, reason text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS text
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_cancel_message';
COMMENT ON FUNCTION companion.cancel_message(uuid, uuid, text, text) IS
'Takes a scheduled message back, named by its id or its idempotency_key. Returns cancelled: it is not sent, whoever has claimed it, or was cancelled before; sending: start_send has succeeded; finished: it was sent, has failed, was skipped or is unknown; not found. Against a start_send at the same moment one wins. reason: 1 to 1000 characters. Scheduling again under its key revives it; a check-in stays cancelled for its day. For the user''s own, or workers and admins: error 42501 for others. Error 22023 unless one of message_id and idempotency_key is given. Waits for who holds the user or the message, at most companion.lock_wait, then error 55P03: call again. Error 09000 where a trigger suppresses or changes a row.';

CREATE FUNCTION companion.cancel_messages(
    user_id uuid, kind text DEFAULT NULL, reason text DEFAULT NULL)
RETURNS integer
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_cancel_messages';
COMMENT ON FUNCTION companion.cancel_messages(uuid, text, text) IS
'Takes back all that is pending for a user, of one kind or, with NULL, of all, but for what is being sent; returns how many. Rights and errors as of cancel_message.';

CREATE FUNCTION companion.reschedule_message(
    user_id uuid, message_id uuid, scheduled_for timestamptz)
RETURNS text
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_reschedule_message';
COMMENT ON FUNCTION companion.reschedule_message(uuid, uuid, timestamptz) IS
'Moves a pending message to another time; one in the past is due at once. Its send_before moves along, as far after the new time, or after now, as it was after the old. A claim that was not started is given back. Returns rescheduled; sending: start_send has succeeded; finished: it was sent, has failed, was skipped or cancelled, or is unknown; not found. Error 22023 for a check-in that would leave its local day, 22008 for an infinite time. Waits and fails as cancel_message.';

CREATE FUNCTION companion.annotate_message(
    user_id uuid, message_id uuid, priority_level integer DEFAULT NULL,
    topic_key text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_annotate_message';
COMMENT ON FUNCTION companion.annotate_message(uuid, uuid, integer, text, jsonb) IS
'Sets what the app notes of a scheduled message, pending or finished; NULL leaves it as it is. Returns false where there is no such message. Error 22023 for a priority_level that is no smallint, a topic_key that has not 1 to 200 characters, and metadata that is no object or over companion.max_json_size. Waits and fails as cancel_message.';

CREATE FUNCTION companion.after_quiet_hours(
    kind text, timezone text, quiet_from time, quiet_until time, at timestamptz,
    send_before timestamptz)
RETURNS TABLE (goes_at timestamptz, reason text)
LANGUAGE c STABLE ROWS 1
AS 'MODULE_PATHNAME', 'companion_after_quiet_hours';
COMMENT ON FUNCTION companion.after_quiet_hours(text, text, time, time, timestamptz, timestamptz) IS
'When a message of this kind that is due at a time goes by its user''s quiet hours: then, at their end, or, where it is skipped, NULL; and why not at once. Nothing where at is NULL. Internal.';

CREATE FUNCTION companion.after_policy(
    user_id uuid, kind text, channel text, at timestamptz, send_before timestamptz)
RETURNS TABLE (goes_at timestamptz, reason text)
LANGUAGE c STABLE ROWS 1
AS 'MODULE_PATHNAME', 'companion_after_policy';
COMMENT ON FUNCTION companion.after_policy(uuid, text, text, timestamptz, timestamptz) IS
'When a message that may go on a channel at a time goes by pauses of sending and the user''s caps, as they are now: NULL where it is skipped, or waits for somebody to resume sending; and why not at once. Internal.';

CREATE FUNCTION companion.not_covered_since(user_id uuid, at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN least(
    coalesce((SELECT s.previous_tick FROM companion.dispatch_state AS s), at - interval '1 minute'),
    (SELECT min(r.since) FROM companion.dispatch_recheck AS r
     WHERE r.user_id = not_covered_since.user_id));
COMMENT ON FUNCTION companion.not_covered_since(uuid, timestamptz) IS
'After when a user''s check-ins are still to be found by the tick that runs at a time, or the next one. Internal.';

CREATE FUNCTION companion.checkins_foretold(
    user_id uuid, since timestamptz, until timestamptz, found_at timestamptz,
    send_within interval, min_gap interval)
RETURNS TABLE (local_date date, scheduled_for timestamptz, goes_at timestamptz, channel text, reason text)
LANGUAGE sql STABLE ROWS 10
BEGIN ATOMIC
    WITH RECURSIVE due AS MATERIALIZED (
        SELECT row_number() OVER (ORDER BY d.scheduled_for) AS number, d.local_date, d.scheduled_for,
            greatest(d.scheduled_for, checkins_foretold.found_at) AS found_at,
            companion.choose_channel(u.usable_addresses, u.preferred_channel) AS channel,
            nearby.is_too_close OR companion.is_overtaken(u.timezone, u.checkin_time, u.checkin_days,
                d.scheduled_for, greatest(d.scheduled_for, checkins_foretold.found_at), min_gap)
                AS is_too_close,
            quiet.goes_at, quiet.reason
        FROM companion.users AS u
        CROSS JOIN LATERAL companion.checkins_due(u.timezone, u.checkin_time, u.checkin_days,
            since, until) AS d
        CROSS JOIN LATERAL companion.checkins_nearby(u.id, u.timezone, d.local_date, d.scheduled_for,
            companion.checkin_key(d.local_date), companion.checkin_key(d.local_date - 2),
            companion.checkin_key(d.local_date + 3), min_gap, NULL) AS nearby
        CROSS JOIN LATERAL companion.after_quiet_hours('checkin', u.timezone, u.quiet_from,
            u.quiet_until, greatest(d.scheduled_for, checkins_foretold.found_at),
            d.scheduled_for + send_within) AS quiet
        WHERE u.id = checkins_foretold.user_id AND NOT nearby.day_is_taken
            AND companion.checkin_refused(u.checkin_time, u.checkin_days, u.onboarding_completed_at,
                u.checkin_paused_until, u.suspended_until, NULL, d.scheduled_for) IS NULL),
    foretold AS (
        SELECT 0::bigint AS number, NULL::date AS local_date, NULL::timestamptz AS scheduled_for,
            NULL::timestamptz AS goes_at, NULL::text AS channel, NULL::text AS reason,
            NULL::date AS last_date, NULL::timestamptz AS last_due, NULL::timestamptz AS last_goes
        UNION ALL
        SELECT due.number, due.local_date, due.scheduled_for, going.at, due.channel,
            coalesce(skip.reason, due.reason),
            CASE WHEN going.at IS NULL THEN f.last_date ELSE due.local_date END,
            CASE WHEN going.at IS NULL THEN f.last_due ELSE due.scheduled_for END,
            coalesce(going.at, f.last_goes)
        FROM foretold AS f
        JOIN due ON due.number = f.number + 1
        CROSS JOIN LATERAL (
            SELECT companion.checkin_skipped(due.scheduled_for, due.found_at, send_within,
                due.is_too_close
                    OR coalesce(f.last_date >= due.local_date - 2 AND companion.is_too_close(
                        due.scheduled_for, f.last_due, f.last_goes, min_gap), false),
                due.channel) AS reason) AS skip
        CROSS JOIN LATERAL (
            SELECT CASE WHEN skip.reason IS NULL THEN due.goes_at END AS at) AS going)
    SELECT f.local_date, f.scheduled_for, f.goes_at, f.channel, f.reason
    FROM foretold AS f WHERE f.number > 0;
END;
COMMENT ON FUNCTION companion.checkins_foretold(uuid, timestamptz, timestamptz, timestamptz, interval, interval) IS
'The check-ins of a user that are due after since and up to until, which ticks at found_at and later will record, as the user''s settings and past check-ins now stand; goes_at is NULL for those that will be skipped, and reason says why, or why one waits. Internal.';

CREATE FUNCTION companion.upcoming(user_id uuid, until timestamptz)
RETURNS TABLE (message_id uuid, kind text, local_date date, scheduled_for timestamptz,
               goes_at timestamptz, channel text, address text, reason text)
LANGUAGE c STABLE ROWS 10
AS 'MODULE_PATHNAME', 'companion_upcoming';
COMMENT ON FUNCTION companion.upcoming(uuid, timestamptz) IS
'What is to go to a user, in the order in which it is due, up to and with until: the messages that are pending, and the check-ins that ticks will find, whose message_id is NULL, as the user''s settings, addresses, caps and past check-ins, and pauses of sending, now stand. goes_at: when it may go, after quiet hours, a pause of sending, and when its cap has room, at the earliest now; NULL: it would be skipped, or waits for resume_sending(). address: where it goes on its channel, of several the one that was linked last. reason: why it waits, or would be skipped, or what is being done with it. No row for an until in the past, or an unknown user. For the user''s own, or workers and admins: error 42501 for others. Error 22008 for an infinite until, 22023 for one more than 400 days from now.';

CREATE FUNCTION companion.clock_reading(timezone text, at timestamptz) RETURNS text
LANGUAGE sql STABLE
RETURN to_char(companion.local_timestamp(timezone, at), 'YYYY-MM-DD HH24:MI') || ' ' || timezone;
COMMENT ON FUNCTION companion.clock_reading(text, timestamptz) IS
'A time in words, as a clock in the zone shows it. Internal.';

CREATE FUNCTION companion.checkin_outcome(user_id uuid, message_id uuid, at timestamptz)
RETURNS TABLE (holds boolean, detail text)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT CASE WHEN m.status = 'sent' THEN true
            WHEN m.status NOT IN ('pending', 'unknown') THEN false END,
        CASE
        WHEN m.status = 'sent' THEN 'sent on ' || m.channel || ' at '
            || coalesce(companion.clock_reading(m.timezone, m.sent_at), 'a time that is not known')
        WHEN m.status = 'unknown' THEN 'it may have been sent: its worker was not heard of again'
        WHEN m.status <> 'pending' THEN m.status || coalesce(': ' || m.failure_reason, '')
        WHEN q.sending THEN 'being sent by ' || q.worker
        WHEN q.send_before <= at
            THEN 'will be skipped: not sent before ' || companion.clock_reading(m.timezone, q.send_before)
        WHEN q.leased_until > at THEN 'claimed by ' || q.worker || ', which has not started to send it'
        WHEN q.visible_at > at
            THEN 'waits until ' || companion.clock_reading(m.timezone, q.visible_at)
                || coalesce(': ' || q.waits_for, '')
        ELSE 'due, and waits for a worker to claim it' END
        || CASE WHEN m.status = 'pending' THEN coalesce('; last: ' || q.last_error, '') ELSE '' END
    FROM companion.scheduled_messages AS m
    LEFT JOIN companion.dispatch_queue AS q ON q.user_id = m.user_id AND q.message_id = m.id
    WHERE m.user_id = checkin_outcome.user_id AND m.id = checkin_outcome.message_id;
END;
COMMENT ON FUNCTION companion.checkin_outcome(uuid, uuid, timestamptz) IS
'What became of a message by a time: whether it was sent, NULL where that is open, and in words. Internal.';

CREATE FUNCTION companion.explain_checkin(user_id uuid, local_date date DEFAULT NULL)
RETURNS TABLE (rule text, holds boolean, detail text)
LANGUAGE c STABLE ROWS 10
AS 'MODULE_PATHNAME', 'companion_explain_checkin';
COMMENT ON FUNCTION companion.explain_checkin(uuid, date) IS
'Why a user gets, got or did not get the check-in of a local day, NULL: of today on their clock. One row a rule, in this order: eligible, weekday, paused, guard, min_gap, channel, quiet, caps, sending, outcome. holds: false where the rule stands in its way, by the user''s settings as they are now; of outcome, whether it was sent; NULL where that is open, or there is nothing to judge. detail says so in words, with the values. For the user''s own, or workers and admins: error 42501 for others. Error 22008 for a date out of range.';

CREATE FUNCTION companion.create_telegram_link_token(
    user_id uuid DEFAULT companion.current_user_id(), valid_for interval DEFAULT NULL,
    bot text DEFAULT '') RETURNS text
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_create_telegram_link_token';
COMMENT ON FUNCTION companion.create_telegram_link_token(uuid, interval, text) IS
'A new link token for a user: 32 random bytes as 43 characters of base64url, valid as a Telegram start parameter; on a shard its number and a - stand in front, and are part of what is redeemed. This is the only time that it is seen; only its SHA-256 is stored. valid_for: above zero, at most 30 days; NULL means companion.token_ttl. bot: where the app has several, the one that may redeem it; empty: any. A user has at most companion.tokens_per_user live tokens: the oldest gives way. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user, 22023 for a valid_for out of bounds and a bot''s name over 64 characters, 09000 where a trigger suppresses the token or keeps one that is to give way.';

CREATE FUNCTION companion.redeem_telegram_link_token(
    token text, telegram_user_id bigint, telegram_username text DEFAULT NULL, bot text DEFAULT '')
RETURNS TABLE (outcome text, user_id uuid)
LANGUAGE c ROWS 1
AS 'MODULE_PATHNAME', 'companion_redeem_telegram_link_token';
COMMENT ON FUNCTION companion.redeem_telegram_link_token(text, bigint, text, text) IS
'Ties a Telegram account to the user of a link token, as users.telegram_user_id and as their usable address for the bot, and uses up the user''s other tokens, in one step. The account that they had before is unlinked. bot: which of the app''s bots the token came to. outcome: linked, and then user_id says to whom (again for the same token and account while they are linked, as when an update is redelivered); expired; used; unknown (any text that is no token, or one of another bot); taken (the account is another user''s, and the token stays live). Pass the token as a bound parameter, so that no log shows it. Error 53400 from an account that has presented companion.redeem_failures_per_minute unknown tokens within a minute, 22023 for a telegram_user_id below 1 or a telegram_username that has not 1 to 64 characters or a bot''s name over 64, 55000 on a shard where the account is not reserved for the user (link_token_owner), 09000 where a trigger suppresses a row.';

CREATE FUNCTION companion.link_token_owner(token text, bot text DEFAULT '')
RETURNS TABLE (user_id uuid, for_bot text)
LANGUAGE c STABLE ROWS 1
AS 'MODULE_PATHNAME', 'companion_link_token_owner';
COMMENT ON FUNCTION companion.link_token_owner(text, text) IS
'Of which user a live link token is, and for which bot redeeming it would link the account: for whom to reserve it in the directory first. Both NULL for a token that cannot be redeemed now; redeem_telegram_link_token() says why, and counts it. Error 22004 without a token, 22023 for a bot''s name over 64 characters.';

CREATE FUNCTION companion.forget_redeem_failures() RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_forget_redeem_failures';
COMMENT ON FUNCTION companion.forget_redeem_failures() IS
'Deletes the counts of unknown link tokens whose minute is over, up to 10,000 at once; passes over what others hold, and returns how many. Part of run_maintenance().';

CREATE FUNCTION companion.expire_messages(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_expire_messages';
COMMENT ON FUNCTION companion.expire_messages(integer) IS
'Deletes messages finished longer than companion.retention ago, which counts as nine days at least: no catch-up reaches further back. Passes over what somebody else has locked. Returns how many. Error 22023 for a bound below 1.';

CREATE FUNCTION companion.expire_addresses(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_expire_addresses';
COMMENT ON FUNCTION companion.expire_addresses(integer) IS
'Deletes addresses unlinked longer than companion.retention ago, which counts as nine days at least: no message is delivered again so late. Passes over what somebody else has locked. Returns how many. Error 22023 for a bound below 1.';

CREATE FUNCTION companion.expire_early_edits(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_expire_early_edits';
COMMENT ON FUNCTION companion.expire_early_edits(integer) IS
'Deletes edits whose messages have not come within 7 days, for as long as messengers deliver again. Passes over what somebody else has locked. Returns how many. Error 22023 for a bound below 1.';

CREATE FUNCTION companion.expire_cap_starts(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_expire_cap_starts';
COMMENT ON FUNCTION companion.expire_cap_starts(integer) IS
'Deletes what caps have counted of users whose last start is longer ago than any cap reaches back, and two days more. It reads the whole table. Passes over what somebody else has locked. Returns how many rows. Error 22023 for a bound below 1.';

CREATE FUNCTION companion.run_maintenance() RETURNS TABLE (task text, affected bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    FOREACH task IN ARRAY ARRAY['abandoned messages', 'expired context items', 'link tokens',
                                'redeem failures', 'old messages', 'unlinked addresses', 'reservations', 'early edits'] LOOP
        BEGIN
            affected := CASE task
                WHEN 'abandoned messages' THEN companion.finish_abandoned()
                WHEN 'expired context items' THEN companion.expire_user_context()
                WHEN 'link tokens' THEN companion.expire_telegram_link_tokens()
                WHEN 'redeem failures' THEN companion.forget_redeem_failures()
                WHEN 'old messages' THEN companion.expire_messages()
                WHEN 'unlinked addresses' THEN companion.expire_addresses()
                WHEN 'reservations' THEN companion.expire_reservations()
                ELSE companion.expire_early_edits() END;
        EXCEPTION WHEN lock_not_available OR deadlock_detected OR integrity_constraint_violation
                OR triggered_action_exception OR plpgsql_error THEN
            RAISE WARNING 'maintenance has left out "%": %', task, SQLERRM
            USING ERRCODE = SQLSTATE;
            affected := NULL;
        END;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.run_maintenance() IS
'What is to be done every few minutes, each step bounded: how many rows each has finished or deleted; NULL, with a WARNING, for a step that somebody''s lock, foreign key or trigger has stopped. Rows that somebody has locked are passed over.';

CREATE FUNCTION companion.expire_job_runs(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    finished_before timestamptz := companion.now() - current_setting('companion.retention')::interval;
    deleted bigint;
BEGIN
    IF 2 > (SELECT count(*) FROM pg_class AS c
            JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'cron'
            WHERE c.relname IN ('job', 'job_run_details') AND companion.is_pg_crons('pg_class', c.oid)
                AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
                AND (c.relname = 'job' OR has_table_privilege(c.oid, 'DELETE'))) THEN
        RETURN 0;
    END IF;
    DELETE FROM cron.job_run_details WHERE runid IN (
        SELECT run.runid FROM cron.job_run_details AS run JOIN cron.job ON job.jobid = run.jobid
        WHERE run.end_time < finished_before AND companion.job_command(job.jobname::text) IS NOT NULL
        LIMIT max_rows);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
$$;
COMMENT ON FUNCTION companion.expire_job_runs(integer) IS
'Deletes what pg_cron has logged, longer than companion.retention ago, of companion''s jobs in whichever database, as far as the caller may: with the caller''s rights. Returns how many rows; 0 where there is no pg_cron.';

CREATE FUNCTION companion.apply_retention(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    deleted bigint := companion.expire_messages(max_rows);
BEGIN
    PERFORM companion.expire_cap_starts(max_rows);
    PERFORM companion.expire_job_runs(max_rows);
    RETURN deleted;
END
$$;
COMMENT ON FUNCTION companion.apply_retention(integer) IS
'What is to be done every day: expire_messages(max_rows), expire_cap_starts(max_rows) and expire_job_runs(max_rows). Returns how many messages were deleted. Error 22023 for a bound below 1.';

CREATE FUNCTION companion.is_pg_crons(catalog regclass, object oid) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
        WHERE d.classid = catalog AND d.objid = object AND d.deptype = 'e'
            AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'pg_cron');
END;
COMMENT ON FUNCTION companion.is_pg_crons(regclass, oid) IS
'Whether an object of a catalog (pg_proc, pg_class) belongs to the extension pg_cron, rather than to whoever has made a schema of that name. Internal.';

CREATE FUNCTION companion.require_pg_cron() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    called text;
    home text;
BEGIN
    IF to_regprocedure('cron.schedule(text, text, text)') IS NULL
        AND pg_has_role('pg_read_all_settings', 'USAGE') THEN
        home := nullif(current_setting('cron.database_name', true), current_database());
    END IF;
    IF home IS NOT NULL THEN
        RAISE EXCEPTION 'pg_cron is in another database'
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = format('In database "%s", where companion is needed, too: SELECT companion.schedule_jobs(''companion_jobs'', databases => ''{%s}'');',
                            home, quote_ident(current_database()));
    END IF;
    FOREACH called IN ARRAY ARRAY['cron.schedule(text, text, text)', 'cron.unschedule(bigint)',
        'cron.schedule_in_database(text, text, text, text, text, boolean)']
    LOOP
        IF to_regprocedure(called) IS NULL THEN
            RAISE EXCEPTION 'pg_cron is not installed in this database'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('Install it (Debian: postgresql-%s-cron), set shared_preload_libraries = ''pg_cron'' and cron.database_name = ''%s'', restart, and CREATE EXTENSION pg_cron. Or let any scheduler CALL companion.run_dispatch() every minute and SELECT companion.run_maintenance() every five.',
                                current_setting('server_version_num')::integer / 10000, current_database());
        ELSIF NOT companion.is_pg_crons('pg_proc', to_regprocedure(called)) THEN
            RAISE EXCEPTION '% is not pg_cron''s', called
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'It does not belong to the extension pg_cron. Find out who has made the schema cron.';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.require_pg_cron() IS
'Error 55000, with how to install it, where pg_cron (1.4 or later) is missing, or with what to call where it is in another database, and where what stands in its place is not its own. Internal.';

CREATE FUNCTION companion.job_command(job text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE split_part(job, ' in ', 1)
    WHEN 'companion_dispatch' THEN 'CALL companion.run_dispatch()'
    WHEN 'companion_maintenance' THEN 'SELECT companion.run_maintenance()'
    WHEN 'companion_retention' THEN 'SELECT companion.apply_retention()' END;
COMMENT ON FUNCTION companion.job_command(text) IS 'What a pg_cron job of companion runs. Internal.';

CREATE FUNCTION companion.require_databases(databases name[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing text := (SELECT coalesce(d, 'NULL') FROM unnest(databases) AS d
                     WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = d AND datallowconn) LIMIT 1);
BEGIN
    IF databases IS NULL THEN
        RAISE EXCEPTION 'argument "databases" must not be null' USING ERRCODE = '22004';
    ELSIF missing IS NOT NULL THEN
        RAISE EXCEPTION 'database "%" does not exist', missing USING ERRCODE = 'invalid_catalog_name';
    END IF;
END
$$;
COMMENT ON FUNCTION companion.require_databases(name[]) IS
'Error 3D000 where one of some databases is none that can be connected to. Internal.';

CREATE FUNCTION companion.require_job_login(login name) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    role pg_roles;
BEGIN
    SELECT * INTO role FROM pg_roles WHERE rolname = login;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'role "%" does not exist', login USING ERRCODE = 'undefined_object';
    ELSIF role.rolsuper OR NOT role.rolcanlogin OR NOT pg_has_role(login, 'companion_admin', 'USAGE') THEN
        RAISE EXCEPTION 'jobs cannot run as role "%"', login
        USING ERRCODE = 'invalid_parameter_value',
              DETAIL = 'Expected a login that is no superuser and inherits companion_admin.',
              HINT = 'CREATE ROLE companion_jobs LOGIN IN ROLE companion_admin; SELECT companion.schedule_jobs(''companion_jobs'');';
    END IF;
END
$$;
COMMENT ON FUNCTION companion.require_job_login(name) IS
'Error 22023 unless a role can run the jobs: a login that is no superuser, since whatever an app has attached to a commit runs as it, and in companion_admin; 42704 where there is none. Internal.';

CREATE FUNCTION companion.schedule_jobs(
    run_as name DEFAULT current_user, every interval DEFAULT '1 minute',
    databases name[] DEFAULT ARRAY[current_database()])
RETURNS TABLE (job text, schedule text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target name;
    place integer;
BEGIN
    PERFORM companion.require_pg_cron();
    PERFORM companion.require_job_login(run_as);
    PERFORM companion.require_databases(databases);
    PERFORM cron.unschedule(j.jobid) FROM cron.job AS j
    WHERE j.database = ANY (databases) AND j.username <> run_as
        AND companion.job_command(j.jobname::text) IS NOT NULL;
    FOR target, place IN SELECT d, (n - 1)::integer FROM unnest(databases) WITH ORDINALITY AS u (d, n) LOOP
        FOR job, schedule IN VALUES
            ('companion_dispatch', companion.cron_schedule(every)),
            ('companion_maintenance', CASE place % 5 WHEN 0 THEN '*/5' ELSE format('%s-59/5', place % 5) END || ' * * * *'),
            ('companion_retention', format('%s 3 * * *', (17 + place) % 60))
        LOOP
            job := job || CASE WHEN target <> current_database() THEN ' in ' || target ELSE '' END;
            IF run_as = current_user AND target = current_database() THEN
                PERFORM cron.schedule(job, schedule, companion.job_command(job));
            ELSE
                PERFORM cron.schedule_in_database(
                    job, schedule, companion.job_command(job), target::text, run_as::text, true);
            END IF;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.schedule_jobs(name, interval, name[]) IS
'Creates the pg_cron jobs companion_dispatch, companion_maintenance and companion_retention, or sets them right where they exist; those of another login in these databases go. run_as: the login that they run as, no superuser and in companion_admin; another than the caller needs a superuser. every: how often to dispatch. databases: in which databases of the server, this one or others, which needs a superuser; their jobs are called "companion_dispatch in <database>" and so on, and begin a minute apart, but for dispatch. Error 55000 where pg_cron is not in this database, 0A000 for seconds before pg_cron 1.5, 22023 for an interval that cron cannot keep and for a login that cannot run them, 42704 for one that does not exist, 3D000 for a database that does not.';

CREATE FUNCTION companion.unschedule_jobs(databases name[] DEFAULT ARRAY[current_database()]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed integer;
BEGIN
    PERFORM companion.require_pg_cron();
    PERFORM cron.unschedule(j.jobid) FROM cron.job AS j
    WHERE j.database = ANY (databases) AND companion.job_command(j.jobname::text) IS NOT NULL;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
COMMENT ON FUNCTION companion.unschedule_jobs(name[]) IS
'Removes these databases'' companion jobs from pg_cron, those of the caller or, as a superuser, of everybody; returns how many there were. Error 55000 where pg_cron is not in this database.';

CREATE OR REPLACE VIEW companion.pending_messages WITH (security_invoker = true) AS
SELECT m.user_id, m.id AS message_id, m.kind, m.idempotency_key, m.local_date, m.scheduled_for,
       q.visible_at, CASE WHEN isfinite(q.send_before) THEN q.send_before END AS send_before,
       q.channel, q.attempt, q.worker,
       CASE WHEN isfinite(q.leased_until) THEN q.leased_until END AS leased_until,
       CASE WHEN q.sending THEN 'sending'
            WHEN q.leased_until > companion.now() THEN 'claimed'
            WHEN q.visible_at > companion.now() THEN 'waiting'
            ELSE 'due' END AS state,
       q.tries, q.last_error, q.last_failed_at, q.waits_for
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
COMMENT ON COLUMN companion.pending_messages.send_before IS 'Skipped rather than sent from this time on; NULL: never.';
COMMENT ON COLUMN companion.pending_messages.channel IS 'A row of channels.';
COMMENT ON COLUMN companion.pending_messages.attempt IS 'How many times it was claimed.';
COMMENT ON COLUMN companion.pending_messages.worker IS 'The worker of the last claim.';
COMMENT ON COLUMN companion.pending_messages.leased_until IS 'When that claim''s lease ends; NULL where nobody has it.';
COMMENT ON COLUMN companion.pending_messages.state IS 'waiting (for visible_at), due, claimed (leased) or sending (start_send has succeeded).';
COMMENT ON COLUMN companion.pending_messages.tries IS 'How many sends of it were started.';
COMMENT ON COLUMN companion.pending_messages.last_error IS 'Why it failed the last time; NULL: it has not.';
COMMENT ON COLUMN companion.pending_messages.last_failed_at IS 'When that was.';
COMMENT ON COLUMN companion.pending_messages.waits_for IS 'Why it was put off to visible_at: quiet hours, a cap, a reply window or a throttle; NULL: it was not.';

-- New indexes.
CREATE UNIQUE INDEX addresses_linked
ON companion.addresses (channel, companion.address_key(channel, address) COLLATE "C", bot)
WHERE unlinked_at IS NULL;
COMMENT ON INDEX companion.addresses_linked IS 'An address is one user''s.';

CREATE INDEX addresses_unlinked
ON companion.addresses (channel, companion.address_key(channel, address) COLLATE "C", bot, unlinked_at)
WHERE unlinked_at IS NOT NULL;
COMMENT ON INDEX companion.addresses_unlinked IS 'Who had an address before.';

CREATE INDEX addresses_unlinked_at ON companion.addresses (unlinked_at)
WHERE unlinked_at IS NOT NULL;
CREATE INDEX addresses_disabled ON companion.addresses (disabled_at)
WHERE disabled_at IS NOT NULL;
COMMENT ON INDEX companion.addresses_unlinked_at IS 'Which were unlinked first.';
COMMENT ON INDEX companion.addresses_disabled IS 'Which were disabled last.';

CREATE INDEX messages_external ON companion.messages (user_id, external_id)
WHERE external_id IS NOT NULL;
COMMENT ON INDEX companion.messages_external IS 'Which messages have an id of another messenger''s.';

CREATE INDEX early_edits_received ON companion.early_edits (received_at);
COMMENT ON INDEX companion.early_edits_received IS 'Which are the oldest.';

CREATE INDEX scheduled_messages_created ON companion.scheduled_messages (created_at);
COMMENT ON INDEX companion.scheduled_messages_created IS 'Which messages retention looks at: the oldest.';

-- What is said of the rest.
COMMENT ON COLUMN companion.users.usable_addresses IS 'Channel, bot and address of each usable row of addresses, the one that was linked last first; kept by a trigger, for whoever decides where a message goes.';
COMMENT ON COLUMN companion.users.app_data IS 'What the app keeps of a user that they may read and not change, a payment provider''s id for one: a JSON object of at most companion.max_json_size, which workers and admins set by put_user().';
COMMENT ON COLUMN companion.messages.external_id IS 'Another messenger''s id of the message (WhatsApp''s wamid), within its chat, as telegram_message_id; 1 to 512 characters, none of them a control character.';
COMMENT ON COLUMN companion.messages.channel IS 'The channel of the chat that telegram_message_id or external_id is of; NULL where the message has neither, or is of an unknown chat.';
COMMENT ON COLUMN companion.messages.bot IS 'The bot of that chat; empty where none was named.';
COMMENT ON COLUMN companion.messages.address IS 'The address of that chat; empty where none was known.';
COMMENT ON COLUMN companion.scheduled_messages.bot IS 'The bot that goes with addresses.';
COMMENT ON COLUMN companion.scheduled_messages.addresses IS 'Of what is unknown: where its worker was told to send it, for a report that comes late.';
COMMENT ON COLUMN companion.dispatch_queue.bot IS 'The bot that goes with addresses.';
COMMENT ON COLUMN companion.dispatch_queue.addresses IS 'Where the worker that is sending it was told to, where the user is reached elsewhere now; else NULL.';
COMMENT ON COLUMN companion.telegram_link_tokens.bot IS 'The bot for which it was made; empty: any.';
COMMENT ON FUNCTION companion.start_onboarding(uuid) IS
'Begins a user''s onboarding, unless it has begun, and returns the step that comes next; NULL when none does. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user, 09000 where a trigger suppresses the row.';
COMMENT ON FUNCTION companion.advance_onboarding(uuid,text,jsonb) IS
'Adds the answers of a step to the user''s, and returns the step that comes after it; NULL after the last. A step may be answered again. name, companion_name and support_style: 1 to 200 characters; timezone: an IANA name; checkin_time: HH:MM, null opts out; channel: one of the table channels; null leaves one open; any other answer is the app''s own. For the user''s own, or workers and admins, else error 42501. Error 22023 for a wrong or missing answer (the field is in the message and in the error''s column name), for answers that are no object and for an unknown step, 23514 for answers of more than 64 kB in all, 55000 before start_onboarding and after complete_onboarding, 23503 for an unknown user, 09000 where a trigger suppresses the row. After an error nothing has changed.';
COMMENT ON FUNCTION companion.complete_onboarding(uuid) IS
'Copies the answers to users and sets onboarding_completed_at, so that check-ins due from now on are sent: all or nothing. True once; false, and nothing changes, when it was complete. For the user''s own, or workers and admins, else error 42501. Error 55000 before start_onboarding and while a required step lacks an answer, 22023 for an answer that is no longer valid, 23503 for an unknown user, 09000 where a trigger suppresses a row.';
COMMENT ON FUNCTION companion.follow_auth_user() IS
'Trigger that follow_auth_users() puts on an auth table, AFTER INSERT OR DELETE OR UPDATE OF id, the e-mail column and those of deleted and banned users, whose names are not its arguments, but which of these each is: creates the user, erases them, moves all that is theirs to their new id, or copies the address and until when they are suspended. Error 39P01 when it is called in any other way, 42703 and 42804 where the table has no columns to follow any more, 23502 for a row without an id, 23503 where a foreign key of an app''s keeps a user from getting another id, 23505 where the new id is another user''s, 09000 where a trigger on one of companion''s tables suppresses a row or changes what it is found by.';
COMMENT ON FUNCTION companion.export_user(uuid) IS
'All that is stored of a user: for each table an array of its rows, in the order of the primary key, without secrets. Empty arrays for an unknown user, and on a standby for telegram_redeem_failures, which is not replicated. For the user''s own, or admins, else error 42501.';
COMMENT ON FUNCTION companion.erase_user(uuid) IS
'Deletes all that is stored of a user, the audit trail included, and returns for each table how many rows; all zero for an unknown user. The auth system''s row is left: delete it there, too. That the user was erased is noted in erased_users. For the user''s own, or admins, else error 42501. Error 09000 where a trigger keeps a row, 23503 where a foreign key of an app''s does; nothing is deleted then.';
COMMENT ON FUNCTION companion.open_conversation(uuid,text,text,interval) IS
'The open conversation of a user on a channel, if its last message (or, without one, its start) is younger than idle; else that one is ended and a new one begun. Two calls at once get the same. initiated_by, user or companion, counts for a new one. idle: zero to 100 years. For the user''s own, then initiated by user, or workers and admins. Error 22023 for an unknown channel or initiator or another idle, 23503 for an unknown user, 42501 for another''s or as the companion, 09000 where a trigger suppresses a row or changes user_id, id or channel.';
COMMENT ON FUNCTION companion.close_conversation(uuid,uuid,text,text[]) IS
'Ends a conversation and says how the user felt and what it was about; NULL leaves that as it stands. Returns whether it was open; one that had ended keeps its end and takes the summary. Error 23503 when the user has no such conversation, 2202E or 22004 for topics that are not a plain list, 22023 for a summary or topics over companion.max_json_size, 09000 where a trigger suppresses the change.';
COMMENT ON FUNCTION companion.search_messages(uuid,text,integer) IS
'The user''s messages that match a query, the best first, of equals the latest. The query is as on the web: words, "a phrase", or, -not; any text is one, and one without words finds nothing. excerpt is the part that matches, up to 35 words, the words found between two asterisks on each side; a search looks for it in the first 4000 bytes of each message and, as long as they make no more than 2 MB in all, further on. Words are compared under companion.text_search_config. query: up to 1000 characters; max_results: 1 to 1000; error 22023 otherwise. For the user''s own, or workers and admins; error 42501 for another''s, 42704 for a setting that names no configuration.';
COMMENT ON FUNCTION companion.expire_user_context(integer) IS
'Deletes expired items, which no read returns any more; their values stay in user_context_history. It passes over rows that are locked, and the items of users who are. Returns how many. Error 22023 for a bound below 1.';
COMMENT ON FUNCTION companion.rewind_dispatch(timestamp with time zone) IS
'Sets the previous tick, so that the next one covers what is due after to_at, and nothing before. What was enqueued already is not enqueued again. Error 22008 for an infinite time; 22023 for one in the future, unless companion.clock is set, and for one before what companion.retention keeps.';
COMMENT ON FUNCTION companion.start_send(uuid, uuid, integer) IS
'The point of no return, called right before sending: true once for each attempt, for the newest only, and only before its send_before. It is a try, and leaves companion.send_timeout at least of the lease. After false, do not send. Where quiet hours have begun since the claim, or a cap of its kind''s group is full, it returns false and puts the message off, or skips it, as its kind says, and the claim is given back, as it is where sending is paused or outside the channel''s reply_window. NULL where the channel''s rate or a throttle does not let it go yet: the claim stays, call again. Returns false, and changes nothing, for an older attempt or a message that is not pending. Waits for who holds the message, at most companion.lock_wait, then error 55P03: call again.';
COMMENT ON FUNCTION companion.start_send_many(uuid[], uuid[], integer[]) IS
'start_send for many messages: one result for each, in input order. It waits for nobody: NULL for one that another transaction holds, or that the channel''s rate does not let go yet, which means not now, call again. Do not send after NULL. Error 2202E when the arrays differ in length.';
COMMENT ON FUNCTION companion.mark_skipped(uuid,uuid,integer,text) IS
'Reports that the message is not to be sent after all, and why. Returns false, and changes nothing, for an older attempt or a message that is not pending. Waits for who holds the user or the message, at most companion.lock_wait, then error 55P03: call again.';
COMMENT ON FUNCTION companion.mark_skipped_many(uuid[],uuid[],integer[],text[]) IS
'mark_skipped for many messages: one result for each, in input order. It waits for nobody: NULL for one whose user or message another transaction holds, which means not now, call again; the others are finished. Error 2202E when the arrays differ in length.';
COMMENT ON FUNCTION companion.extend_lease(uuid,uuid,integer,interval) IS
'Moves the end of the lease to this long from now: above zero, at most a day, else error 22023. Returns false, and changes nothing, for an older attempt or a message that is not pending. Waits for who holds the message, at most companion.lock_wait, then error 55P03: call again.';
COMMENT ON FUNCTION companion.extend_lease_many(uuid[],uuid[],integer[],interval) IS
'extend_lease for many messages: one result for each, in input order. It waits for nobody: NULL for one that another transaction holds, which means not now, call again. Error 2202E when the arrays differ in length.';
COMMENT ON FUNCTION companion.revoke_telegram_link_tokens(uuid) IS
'Deletes a user''s unused link tokens and returns how many there were. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user, 09000 where a trigger keeps one.';
COMMENT ON FUNCTION companion.unlink_telegram(uuid) IS
'Unties the user''s Telegram account; returns whether there was one. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user, 09000 where a trigger suppresses the change.';
COMMENT ON FUNCTION companion.expire_telegram_link_tokens(integer) IS
'Deletes up to max_rows link tokens, the oldest first: unused ones past their time, and used ones after companion.token_retention. Passes over what others hold, and what a trigger keeps; returns how many. Part of run_maintenance(). Error 22023 for a bound below 1, 23503 where an app''s foreign key keeps one.';
COMMENT ON FUNCTION companion.finish_abandoned(integer) IS
'Finishes pending messages that no worker will: unknown where start_send was followed by no report (or claimable again, for kinds with retry_unknown), skipped past send_before, or failed where a try has, and failed after companion.max_claims claims in a row that were not started. What others hold, the user or the message, is passed over for later. Returns how many. Error 22023 for a bound below 1.';
COMMENT ON COLUMN companion.pending_messages.channel IS 'A row of channels.';
COMMENT ON COLUMN companion.users.checkin_days IS 'ISO weekdays, 1 (Monday) to 7, on which the check-in comes; stored in order, each once.';
COMMENT ON COLUMN companion.users.preferred_channel IS 'Where the companion writes first, if it can; NULL, or where it cannot: the first that is usable by channels.rank.';
COMMENT ON COLUMN companion.users.telegram_user_id IS 'The user''s own Telegram account. It, whatsapp_number and email are addresses of theirs as well, which a trigger links and unlinks; where another user has it as an address, it stays theirs, with a WARNING.';
COMMENT ON COLUMN companion.users.preferences IS 'The app''s own settings, a JSON object; up to companion.max_json_size.';
COMMENT ON COLUMN companion.users.last_user_message_at IS 'When the user last wrote, on whichever channel.';
COMMENT ON COLUMN companion.users.updated_at IS 'When the row last changed, usable_addresses apart; kept by a trigger.';
COMMENT ON COLUMN companion.messages.id IS 'Time-ordered id: a UUID of version 7.';
COMMENT ON COLUMN companion.messages.telegram_message_id IS 'Telegram''s id of the message, within its chat (channel, bot, address); of several messages with one it is the newest''s.';
COMMENT ON COLUMN companion.messages.metadata IS 'The app''s own data, a JSON object; edits, where the message was edited, is an array of its earlier texts: content and written_at; cut_from, where what was sent was cut, is how many characters it had.';
COMMENT ON COLUMN companion.conversations.id IS 'Time-ordered id: a UUID of version 7.';
COMMENT ON COLUMN companion.conversations.channel IS 'A row of channels.';
COMMENT ON COLUMN companion.conversations.mood_summary IS 'How the user felt, in the app''s words; up to companion.max_json_size.';
COMMENT ON COLUMN companion.conversations.topics IS 'What it was about; up to companion.max_json_size.';
COMMENT ON COLUMN companion.scheduled_messages.channel IS 'A row of channels; NULL where none reached the user.';
COMMENT ON COLUMN companion.dispatch_queue.channel IS 'A row of channels.';
COMMENT ON COLUMN companion.dispatch_queue.worker IS 'Who holds the lease, or held the last; NULL until it is claimed.';
COMMENT ON COLUMN companion.dispatch_state.previous_tick IS 'Until when all that was due has been enqueued: the time of the last tick, or within one, of its last batch. The next covers what is due after it.';
COMMENT ON INDEX companion.messages_telegram IS
'Which messages have an id of Telegram''s.';
COMMENT ON INDEX companion.users_checkin IS
'Who is due: one zone, a stretch of wall time, in order.';

COMMENT ON COLUMN companion.users.quiet_from IS 'Wall time from which the user''s quiet hours last, every local day; no quiet hours where it or quiet_until is NULL, or both are the same.';
COMMENT ON COLUMN companion.users.quiet_until IS 'Wall time up to which quiet hours last, without it; of an earlier one than quiet_from, that of the next local day.';
COMMENT ON COLUMN companion.scheduled_messages.status IS 'pending until finished; then sent, failed, skipped, cancelled, or unknown: its worker died after start_send.';
COMMENT ON COLUMN companion.scheduled_messages.tries IS 'How many sends of it were started; set when it is finished.';
COMMENT ON COLUMN companion.scheduled_messages.wanted_channel IS 'The channel that schedule_message was given; NULL: the one that the user prefers.';
COMMENT ON COLUMN companion.scheduled_messages.cancel_on_reply IS 'Whether it is cancelled when the user writes; NULL: as its kind says.';
COMMENT ON COLUMN companion.scheduled_messages.metadata IS 'The app''s own, a JSON object; up to companion.max_json_size.';
COMMENT ON COLUMN companion.dispatch_queue.kind IS 'The message''s kind, whose policy it follows.';
COMMENT ON COLUMN companion.dispatch_queue.tries IS 'How many sends of it were started; one that a retry_after put off is not counted.';
COMMENT ON COLUMN companion.dispatch_queue.claims IS 'How many claims in a row were not started; companion.max_claims is the end.';
COMMENT ON COLUMN companion.dispatch_queue.last_error IS 'Why the last report of a failure said that it failed, its first 500 bytes; NULL: it has not failed.';
COMMENT ON COLUMN companion.dispatch_queue.last_failed_at IS 'When it failed the last time; NULL: it has not.';
COMMENT ON COLUMN companion.dispatch_queue.head_start IS 'By how many seconds it goes ahead of others: kinds.head_start when it was enqueued.';
COMMENT ON INDEX companion.dispatch_queue_visible IS 'For each channel and head start, the order in which messages are claimed.';
COMMENT ON COLUMN companion.dispatch_queue.start_before IS 'NULL: its user has no quiet hours. Of what is claimed: when the next begin, and it is looked at again before it is started; -infinity: whenever it is. Of what waits for their end: visible_at.';
COMMENT ON COLUMN companion.dispatch_queue.waits_for IS 'Why it was put off to visible_at, by quiet hours, a cap, a reply window or a throttle; NULL: it was not.';
COMMENT ON COLUMN companion.users.id IS 'The auth system''s user id; a new_user_id() where there is none.';
COMMENT ON INDEX companion.address_reservations_expired IS 'The first to be forgotten.';
COMMENT ON INDEX companion.directory_changes_since IS 'The order in which they are worked off.';
COMMENT ON INDEX companion.directory_reserved IS 'What nobody has confirmed, the oldest first.';
-- Operations.
CREATE FUNCTION companion.role_faults(role name) RETURNS TABLE (fault text, remedy text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH r AS (
        SELECT *, rolname IN ('companion_owner', 'companion_runtime') AS is_internal
        FROM pg_roles WHERE rolname = role_faults.role)
    SELECT a.name, format('ALTER ROLE %I NO%s', r.rolname, a.name)
    FROM r CROSS JOIN LATERAL (
        VALUES (r.rolsuper, 'SUPERUSER'), (r.rolbypassrls, 'BYPASSRLS'),
               (r.rolcreaterole, 'CREATEROLE'), (r.rolcreatedb, 'CREATEDB'),
               (r.rolreplication, 'REPLICATION'), (r.is_internal AND r.rolcanlogin, 'LOGIN')
    ) AS a (has, name)
    WHERE a.has
    UNION ALL
    SELECT format('member %I', m.member::regrole::text),
           format('REVOKE %I FROM %s', r.rolname, m.member::regrole)
    FROM r JOIN pg_auth_members AS m ON m.roleid = r.oid
    WHERE r.is_internal
    UNION ALL
    SELECT format('membership in %s', m.roleid::regrole),
           format('REVOKE %s FROM %I', m.roleid::regrole, r.rolname)
    FROM r JOIN pg_auth_members AS m ON m.member = r.oid
    WHERE r.is_internal OR EXISTS (
        SELECT FROM pg_roles AS reached
        WHERE pg_has_role(m.roleid, reached.oid, 'MEMBER')
            AND (reached.rolsuper OR reached.rolbypassrls OR reached.rolcreaterole
                 OR reached.rolcreatedb OR reached.rolreplication
                 OR reached.rolname IN ('companion_owner', 'companion_runtime', 'companion_admin',
                        'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
                 OR (reached.rolname = 'companion_worker'
                     AND r.rolname IN ('companion_user', 'companion_monitor'))));
END;
COMMENT ON FUNCTION companion.role_faults(name) IS
'What one of the extension''s roles has beyond what it should, and the command against it. Internal.';

CREATE POLICY monitored ON companion.dispatch_queue FOR SELECT TO companion_monitor USING (true);
COMMENT ON POLICY monitored ON companion.dispatch_queue IS 'Who watches sees the whole queue.';
CREATE POLICY monitored ON companion.dispatch_state FOR SELECT TO companion_monitor USING (true);
COMMENT ON POLICY monitored ON companion.dispatch_state IS 'Who watches sees how far dispatch has come.';
CREATE POLICY monitored ON companion.dispatch_recheck FOR SELECT TO companion_monitor USING (true);
COMMENT ON POLICY monitored ON companion.dispatch_recheck IS 'Who watches sees how many are to be looked at.';
CREATE POLICY monitored ON companion.scheduled_messages FOR SELECT TO companion_monitor USING (true);
COMMENT ON POLICY monitored ON companion.scheduled_messages IS 'Who watches sees what became of every message, in the columns without a text.';
CREATE POLICY monitored ON companion.addresses FOR SELECT TO companion_monitor USING (true);
COMMENT ON POLICY monitored ON companion.addresses IS 'Who watches sees how many are disabled, on which channel, and no address.';
CREATE POLICY monitored ON companion.directory_changes FOR SELECT TO companion_monitor USING (true);
COMMENT ON POLICY monitored ON companion.directory_changes IS 'Who watches sees how many there are and since when, and nobody''s address.';

-- Bounded, so that a look costs the same whatever waits.
CREATE VIEW companion.queue_head WITH (security_invoker = true) AS
WITH RECURSIVE lanes AS (
    (SELECT channel, head_start FROM companion.dispatch_queue
     ORDER BY channel COLLATE "C", head_start LIMIT 1)
    UNION ALL
    SELECT after.channel, after.head_start FROM lanes CROSS JOIN LATERAL (
        SELECT q.channel, q.head_start FROM companion.dispatch_queue AS q
        WHERE (q.channel COLLATE "C", q.head_start) > (lanes.channel COLLATE "C", lanes.head_start)
        ORDER BY q.channel COLLATE "C", q.head_start LIMIT 1) AS after)
SELECT h.user_id, h.message_id, h.visible_at,
       CASE WHEN isfinite(h.leased_until) THEN h.leased_until END AS leased_until, h.attempt, h.channel, h.worker,
       CASE WHEN h.sending THEN 'sending'
            WHEN h.leased_until > companion.now() THEN 'claimed'
            WHEN h.visible_at > companion.now() THEN 'waiting'
            ELSE 'due' END AS state
FROM lanes CROSS JOIN LATERAL (
    SELECT * FROM companion.dispatch_queue AS q
    WHERE q.channel COLLATE "C" = lanes.channel COLLATE "C" AND q.head_start = lanes.head_start
    ORDER BY q.visible_at, q.message_id LIMIT 10000) AS h
ORDER BY h.visible_at, h.message_id LIMIT 10000;
COMMENT ON VIEW companion.queue_head IS 'For operators: the 10,000 messages that are claimed next, or are claimed already.';
COMMENT ON COLUMN companion.queue_head.user_id IS 'To whom.';
COMMENT ON COLUMN companion.queue_head.message_id IS 'scheduled_messages.id.';
COMMENT ON COLUMN companion.queue_head.visible_at IS 'Not claimed before this time.';
COMMENT ON COLUMN companion.queue_head.leased_until IS 'Not claimed by another before this time; NULL where nobody has it.';
COMMENT ON COLUMN companion.queue_head.attempt IS 'How many times it was claimed.';
COMMENT ON COLUMN companion.queue_head.channel IS 'Its channel.';
COMMENT ON COLUMN companion.queue_head.worker IS 'Who holds the lease, or held the last.';
COMMENT ON COLUMN companion.queue_head.state IS 'waiting (for visible_at), due, claimed (leased) or sending (start_send has succeeded).';

-- No index covers finished_at, so that to finish is HOT. What was finished lately was made lately, or
-- before the oldest that waits.
CREATE VIEW companion.recently_finished WITH (security_invoker = true) AS
WITH newest AS MATERIALIZED (
    SELECT user_id, id, kind, channel, timezone, status, failure_reason, attempts, scheduled_for, sent_at,
           finished_at, worker, created_at
    FROM companion.scheduled_messages ORDER BY created_at DESC LIMIT 5000),
before_these AS (
    SELECT user_id, id, kind, channel, timezone, status, failure_reason, attempts, scheduled_for, sent_at,
           finished_at, worker, created_at
    FROM companion.scheduled_messages
    WHERE created_at < least(
        (SELECT min(created_at) FROM newest),
        (SELECT waiting.created_at
         FROM (SELECT user_id, message_id FROM companion.queue_head LIMIT 1) AS head
         JOIN companion.scheduled_messages AS waiting
             ON waiting.user_id = head.user_id AND waiting.id = head.message_id))
    ORDER BY created_at DESC LIMIT 5000)
SELECT user_id, id, kind, channel, timezone, status, failure_reason, attempts, scheduled_for,
       CASE WHEN isfinite(sent_at) THEN sent_at END AS sent_at, finished_at, worker
FROM (TABLE newest UNION ALL TABLE before_these) AS looked_at
WHERE finished_at > (SELECT companion.now()) - interval '1 hour' AND finished_at <= (SELECT companion.now());
COMMENT ON VIEW companion.recently_finished IS
'For operators: messages that were finished in the last hour, of the 5,000 newest and the 5,000 before these and the oldest that waits.';
COMMENT ON COLUMN companion.recently_finished.user_id IS 'To whom.';
COMMENT ON COLUMN companion.recently_finished.id IS 'scheduled_messages.id.';
COMMENT ON COLUMN companion.recently_finished.kind IS 'checkin, or the app''s own.';
COMMENT ON COLUMN companion.recently_finished.channel IS 'Its channel.';
COMMENT ON COLUMN companion.recently_finished.timezone IS 'The user''s zone when it was enqueued.';
COMMENT ON COLUMN companion.recently_finished.status IS 'sent, failed, skipped or unknown.';
COMMENT ON COLUMN companion.recently_finished.failure_reason IS 'Why it failed or was skipped.';
COMMENT ON COLUMN companion.recently_finished.attempts IS 'How many times it was claimed.';
COMMENT ON COLUMN companion.recently_finished.scheduled_for IS 'When it was due.';
COMMENT ON COLUMN companion.recently_finished.sent_at IS 'When it was reported sent.';
COMMENT ON COLUMN companion.recently_finished.finished_at IS 'When it left pending.';
COMMENT ON COLUMN companion.recently_finished.worker IS 'The worker of the last attempt.';

CREATE FUNCTION companion.check_dispatch(max_lag interval)
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 'dispatch', coalesce(s.lag <= max_lag, false), extract(epoch FROM s.lag)::double precision,
           CASE WHEN s.lag IS NULL THEN 'no tick yet: nothing calls companion.run_dispatch()'
                WHEN s.began_after IS NOT NULL THEN 'within a tick, at what was due at ' || s.previous_tick
                ELSE 'the last tick covered what was due until ' || s.previous_tick END
    FROM (VALUES (1)) AS once (one)
    LEFT JOIN (SELECT companion.now() - previous_tick AS lag, * FROM companion.dispatch_state) AS s ON true
    UNION ALL
    SELECT 'users held', coalesce(max(companion.now() - since) <= greatest(max_lag, interval '1 hour'), true),
           count(*), 'users at whom dispatch looks again, since a transaction holds or held them'
               || coalesce('; the oldest from ' || min(since), '')
    FROM (SELECT since FROM companion.dispatch_recheck LIMIT 10000) AS held;
END;
COMMENT ON FUNCTION companion.check_dispatch(interval) IS 'What health() says of dispatch. Internal.';

CREATE FUNCTION companion.check_queue(max_lag interval)
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH head AS (
        SELECT count(*) AS rows,
               min(visible_at) FILTER (WHERE state = 'due') AS due_since,
               count(*) FILTER (WHERE state = 'due') AS due,
               count(*) FILTER (WHERE leased_until > companion.now()) AS leased,
               string_agg(DISTINCT worker, ', ') FILTER (WHERE leased_until > companion.now()) AS workers,
               count(*) FILTER (WHERE state = 'sending'
                                AND leased_until < companion.now() - interval '10 minutes') AS abandoned,
               count(*) FILTER (WHERE attempt > 0 AND state IN ('due', 'waiting')) AS retries
        FROM companion.queue_head)
    SELECT checked.* FROM head CROSS JOIN LATERAL (VALUES
        ('due messages', coalesce(companion.now() - due_since <= max_lag, true),
         coalesce(extract(epoch FROM companion.now() - due_since)::double precision, 0),
         format('seconds that the oldest of %s has waited, of %s looked at; %s', due, rows,
                CASE leased WHEN 0 THEN 'no worker holds a lease'
                     ELSE format('%s leases are held, by %s', leased, left(workers, 200)) END)),
        ('abandoned sends', abandoned = 0, abandoned::double precision,
         'started, and not reported ten minutes after their leases: run_maintenance() makes them unknown'),
        ('retries', retries < 100 OR retries < rows / 10, retries::double precision,
         'messages that were claimed, and wait to be claimed again')
    ) AS checked ("check", ok, value, detail)
    UNION ALL
    SELECT 'paused', coalesce(bool_and(still.ends), true), count(*)::double precision,
           coalesce(left(string_agg(still.what, '; ' ORDER BY still.what COLLATE "C"), 1000), 'nothing is paused or throttled')
    FROM (
        SELECT concat_ws(' ', 'sending', 'of ' || nullif(kind, ''), 'on ' || nullif(channel, ''), 'is paused since',
                         since, 'until ' || until) || coalesce(': ' || reason, '') AS what,
               until IS NOT NULL AS ends
        FROM companion.sending_pauses WHERE until IS NULL OR until > companion.now()
        UNION ALL
        SELECT concat_ws(' ', channel, 'is throttled', 'for ' || nullif(bot, ''), 'until', max(until)), true
        FROM companion.channel_throttles WHERE until > companion.now() GROUP BY channel, bot
    ) AS still (what);
END;
COMMENT ON FUNCTION companion.check_queue(interval) IS 'What health() says of the queue. Internal.';

CREATE FUNCTION companion.check_outcomes()
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH finished AS MATERIALIZED (SELECT status, failure_reason FROM companion.recently_finished),
    reasons AS (
        SELECT left(coalesce(failure_reason, 'no reason'), 100) AS reason, count(*) AS failures
        FROM finished WHERE status = 'failed' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5)
    SELECT 'unknown', count(*) FILTER (WHERE status = 'unknown') = 0,
           (count(*) FILTER (WHERE status = 'unknown'))::double precision,
           'messages in the last hour whose worker ended after start_send: sent or not, nobody knows'
    FROM finished
    UNION ALL
    SELECT 'failures', count(*) FILTER (WHERE status = 'failed') < greatest(10, count(*) / 20),
           (count(*) FILTER (WHERE status = 'failed'))::double precision,
           format('in the last hour, of %s', count(*))
               || coalesce('; ' || (SELECT string_agg(failures || ' ' || reason, ', ') FROM reasons), '')
    FROM finished;
END;
COMMENT ON FUNCTION companion.check_outcomes() IS 'What health() says of what became of messages. Internal.';

CREATE FUNCTION companion.check_addresses()
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH disabled AS (
        SELECT channel, count(*) AS addresses
        FROM (SELECT channel FROM companion.addresses
              WHERE disabled_at > (SELECT companion.now()) - interval '1 day' AND disabled_at <= (SELECT companion.now())
              ORDER BY disabled_at DESC LIMIT 10000) AS latest
        GROUP BY channel)
    SELECT 'disabled addresses',
           coalesce(sum(addresses), 0) < greatest(100, pg_stat_get_live_tuples('companion.addresses'::regclass) / 100),
           coalesce(sum(addresses), 0)::double precision,
           'in the last day' || coalesce(': ' || string_agg(addresses || ' on ' || channel, ', ' ORDER BY channel), '')
    FROM disabled;
END;
COMMENT ON FUNCTION companion.check_addresses() IS 'What health() says of addresses that messengers call gone. Internal.';

CREATE FUNCTION companion.check_directory(max_lag interval)
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 'directory changes', coalesce(companion.now() - oldest.since <= max_lag, true),
           coalesce(extract(epoch FROM companion.now() - oldest.since)::double precision, 0),
           format('seconds that the oldest of %s has waited%s', waiting.changes,
                  CASE WHEN waiting.changes > 0 THEN ': the router''s run_maintenance() tells the directory' ELSE '' END)
    FROM companion.shard AS s
    CROSS JOIN LATERAL (SELECT count(*) AS changes FROM (SELECT FROM companion.directory_changes LIMIT 10000) AS first) AS waiting
    LEFT JOIN LATERAL (SELECT since FROM companion.directory_changes ORDER BY since, id LIMIT 1) AS oldest ON true
    WHERE s.number IS NOT NULL AND s.shards > 1;
END;
COMMENT ON FUNCTION companion.check_directory(interval) IS
'What health() says, on a shard, of what the directory has not been told. Nothing elsewhere. Internal.';

-- With the caller's rights, who may be unable to see another's jobs.
CREATE FUNCTION companion.check_jobs()
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    obstacle text := CASE
        WHEN NOT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                         WHERE n.nspname = 'cron' AND c.relname = 'job' AND companion.is_pg_crons('pg_class', c.oid))
        THEN 'pg_cron is not in this database'
        WHEN NOT has_schema_privilege('cron', 'USAGE') THEN 'you may not see them: GRANT USAGE ON SCHEMA cron' END;
BEGIN
    IF obstacle IS NOT NULL THEN
        RETURN QUERY SELECT 'jobs', NULL::boolean, NULL::double precision, obstacle;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT 'job ' || wanted.name,
           CASE WHEN job.jobid IS NOT NULL THEN job.active AND run.status IS DISTINCT FROM 'failed'
                WHEN NOT row_security_active('cron.job') THEN false END,
           extract(epoch FROM companion.now() - run.start_time)::double precision,
           CASE WHEN job.jobid IS NULL AND row_security_active('cron.job')
                THEN 'not scheduled, or by a login whose jobs you may not see'
                WHEN job.jobid IS NULL THEN 'not scheduled: companion.schedule_jobs()'
                WHEN NOT job.active THEN 'off'
                WHEN run.status IS NULL THEN 'has not run yet'
                ELSE concat_ws(': ', run.status, left(run.return_message, 200)) END
    FROM (VALUES ('companion_dispatch'), ('companion_maintenance'), ('companion_retention')) AS wanted (name)
    LEFT JOIN cron.job ON job.jobname = wanted.name AND job.database = current_database()
    LEFT JOIN LATERAL (
        SELECT * FROM (SELECT * FROM cron.job_run_details ORDER BY runid DESC LIMIT 5000) AS latest
        WHERE latest.jobid = job.jobid AND latest.start_time IS NOT NULL ORDER BY runid DESC LIMIT 1
    ) AS run ON true;
END
$$;
COMMENT ON FUNCTION companion.check_jobs() IS 'What health() says of pg_cron''s jobs. Internal.';

CREATE FUNCTION companion.check_server()
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 'old snapshots', CASE WHEN sees_all THEN oldest <= interval '10 minutes' END,
           extract(epoch FROM oldest)::double precision,
           CASE WHEN sees_all THEN 'seconds that the oldest transaction is open, which keeps dead rows in the queue'
                ELSE 'you see your own transactions only: GRANT pg_monitor' END
    FROM (
        SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all,
               coalesce(companion.now() - least(
                   (SELECT min(xact_start) FROM pg_stat_activity
                    WHERE (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
                        AND backend_type IN ('client backend', 'pg_cron launcher', 'pg_cron')),
                   (SELECT min(prepared) FROM pg_prepared_xacts)), interval '0') AS oldest) AS seen
    UNION ALL
    SELECT 'dead rows', dead <= 100000 + 2 * live, dead::double precision,
           format('in dispatch_queue, beside %s, of %s bytes', live, pg_relation_size(relation))
    FROM (SELECT 'companion.dispatch_queue'::regclass AS relation,
                 pg_stat_get_dead_tuples('companion.dispatch_queue'::regclass) AS dead,
                 pg_stat_get_live_tuples('companion.dispatch_queue'::regclass) AS live) AS queue;
END;
COMMENT ON FUNCTION companion.check_server() IS 'What health() says of what slows the queue down. Internal.';

CREATE FUNCTION companion.check_definition()
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH faults ("check", fault) AS (
        SELECT 'settings', fault FROM (VALUES
            (nullif(current_setting('companion.clock'), '') IS NOT NULL, 'companion.clock is set: time stands still'),
            (current_setting('companion.lock_wait')::interval = interval '0',
             'companion.lock_wait is 0: one open transaction can hold a worker for ever')
        ) AS s (is_wrong, fault) WHERE is_wrong
        UNION ALL
        SELECT 'kinds', format('%s is counted by caps of %s, of which there are none', k.kind, k.cap_group)
        FROM companion.kinds AS k
        WHERE NOT EXISTS (SELECT FROM companion.caps AS c WHERE c.cap_group = k.cap_group) AND k.cap_group IS NOT NULL
        UNION ALL
        SELECT 'kinds', format('there is no kind %s: what is built in holds', standard.kind)
        FROM unnest('{checkin,custom}'::text[]) AS standard (kind)
        WHERE NOT EXISTS (SELECT FROM companion.kinds AS k WHERE k.kind = standard.kind)
        UNION ALL
        SELECT 'added columns', format('%s.%I', c.oid::regclass, a.attname)
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'companion'::regnamespace AND c.relkind = 'r'
            AND col_description(c.oid, a.attnum) IS NULL
        UNION ALL
        SELECT 'roles', format('%s has %s: %s', r.rolname, f.fault, f.remedy)
        FROM pg_roles AS r CROSS JOIN LATERAL companion.role_faults(r.rolname) AS f
        WHERE r.rolname IN ('companion_owner', 'companion_runtime', 'companion_user', 'companion_worker',
                            'companion_admin', 'companion_monitor')
        UNION ALL
        SELECT 'triggers', format('%I on %s', t.tgname, t.tgrelid::regclass)
        FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
        WHERE NOT t.tgisinternal AND p.pronamespace = 'companion'::regnamespace AND t.tgenabled IN ('D', 'R')
        UNION ALL
        SELECT 'update', format('version %s is installed on the server, and %s here: ALTER EXTENSION companion UPDATE',
                                default_version, installed_version)
        FROM pg_available_extensions WHERE name = 'companion' AND default_version <> installed_version)
    SELECT known."check", count(fault) = 0, count(fault)::double precision,
           coalesce(left(string_agg(fault, '; ' ORDER BY fault COLLATE "C"), 1000), known.wish)
    FROM (VALUES
        (1, 'settings', 'none contradicts another'),
        (2, 'kinds', 'none contradicts its caps, and the standard ones are there'),
        (3, 'added columns', 'none: a dump of these tables can be restored'),
        (4, 'roles', 'none can do more than it should'),
        (5, 'triggers', 'none is off'),
        (6, 'update', 'none waits')) AS known (number, "check", wish)
    LEFT JOIN faults ON faults."check" = known."check"
    GROUP BY known.number, known."check", known.wish ORDER BY known.number;
END;
COMMENT ON FUNCTION companion.check_definition() IS
'What health() says of settings, kinds, roles, and what somebody has done to the extension''s objects. A column that has no comment is somebody else''s. Internal.';

CREATE FUNCTION companion.health(max_lag interval DEFAULT '5 minutes')
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET jit = off -- compiling them takes longer than all that is read
AS $$
BEGIN
    BEGIN
        PERFORM companion.now();
    EXCEPTION WHEN object_not_in_prerequisite_state THEN
        RETURN QUERY SELECT 'version', false, NULL::double precision, SQLERRM;
        RETURN;
    END;
    RETURN QUERY
    SELECT 'version', true, NULL::double precision, extversion FROM pg_extension WHERE extname = 'companion'
    UNION ALL SELECT * FROM companion.check_dispatch(max_lag)
    UNION ALL SELECT * FROM companion.check_jobs()
    UNION ALL SELECT * FROM companion.check_queue(max_lag)
    UNION ALL SELECT * FROM companion.check_outcomes()
    UNION ALL SELECT * FROM companion.check_addresses()
    UNION ALL SELECT * FROM companion.check_directory(max_lag)
    UNION ALL SELECT * FROM companion.check_server()
    UNION ALL SELECT * FROM companion.check_definition();
END
$$;
COMMENT ON FUNCTION companion.health(interval) IS
'Is it well: one row a check, whose ok is true, false, or NULL where the caller cannot tell; value is what was measured, detail says of what, and what to do. max_lag: how far dispatch may be behind, and how long a due message may wait for a worker, and on a shard a change for the directory. It reads the head of the queue and the newest messages, 10,000 at most, so it costs the same whatever waits. For companion_monitor and companion_admin; what each check means is in docs/operations.md.';

CREATE FUNCTION companion.metrics()
RETURNS TABLE (name text, labels jsonb, value double precision)
LANGUAGE sql STABLE SET jit = off -- as health()
BEGIN ATOMIC
    WITH head AS MATERIALIZED (SELECT * FROM companion.queue_head),
    finished AS MATERIALIZED (
        SELECT * FROM companion.recently_finished WHERE finished_at > companion.now() - interval '5 minutes'),
    lateness AS (
        SELECT channel, timezone,
               percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
                   ORDER BY extract(epoch FROM sent_at - scheduled_for)::double precision) AS seconds
        FROM finished WHERE status = 'sent' GROUP BY channel, timezone)
    SELECT 'companion_dispatch_lag_seconds', '{}'::jsonb,
           extract(epoch FROM companion.now() - previous_tick)::double precision
    FROM companion.dispatch_state
    UNION ALL
    SELECT 'companion_users_held', '{}', count(*)
    FROM (SELECT FROM companion.dispatch_recheck LIMIT 10000) AS held
    UNION ALL
    SELECT 'companion_pending_messages', '{}', pg_stat_get_live_tuples('companion.dispatch_queue'::regclass)
    UNION ALL
    SELECT 'companion_due_messages', jsonb_build_object('channel', channel), count(*)
    FROM head WHERE state = 'due' GROUP BY channel
    UNION ALL
    SELECT 'companion_oldest_due_seconds', jsonb_build_object('channel', channel),
           extract(epoch FROM companion.now() - min(visible_at))::double precision
    FROM head WHERE state = 'due' GROUP BY channel
    UNION ALL
    SELECT 'companion_leased_messages', jsonb_build_object('worker', worker, 'sending', (state = 'sending')::text), count(*)
    FROM head WHERE leased_until > companion.now() GROUP BY worker, state = 'sending'
    UNION ALL
    SELECT 'companion_retries', '{}', count(*)
    FROM head WHERE attempt > 0 AND state IN ('due', 'waiting')
    UNION ALL
    SELECT 'companion_finished_messages',
           jsonb_build_object('channel', channel, 'kind', kind, 'status', status,
                              'reason', left(coalesce(failure_reason, ''), 100)), count(*)
    FROM finished GROUP BY channel, kind, status, left(coalesce(failure_reason, ''), 100)
    UNION ALL
    SELECT 'companion_worker_finished_messages', jsonb_build_object('worker', worker), count(*)
    FROM finished WHERE worker IS NOT NULL GROUP BY worker
    UNION ALL
    SELECT 'companion_due_to_sent_seconds',
           jsonb_build_object('channel', channel, 'timezone', timezone, 'quantile', q.quantile), seconds[q.number]
    FROM lateness CROSS JOIN (VALUES (1, '0.5'), (2, '0.99')) AS q (number, quantile)
    UNION ALL
    SELECT 'companion_disabled_addresses', jsonb_build_object('channel', channel), count(*)
    FROM (SELECT channel FROM companion.addresses
          WHERE disabled_at > (SELECT companion.now()) - interval '1 day' AND disabled_at <= (SELECT companion.now())
          ORDER BY disabled_at DESC LIMIT 10000) AS disabled
    GROUP BY channel
    UNION ALL
    SELECT 'companion_health_ok', jsonb_build_object('check', "check"), ok::integer
    FROM companion.health();
END;
COMMENT ON FUNCTION companion.metrics() IS
'What an exporter shows, by Prometheus'' conventions: gauges, their labels, and values. Counts of what is due, claimed or to be claimed again are of the head of the queue, 10,000 at most; finished messages are those of the last five minutes. No label is anybody''s text or id. A check of health() is 1, 0, or NULL. For companion_monitor and companion_admin; the list is in docs/operations.md.';

-- Import.
-- Moving in: what an app has already, row by row.
CREATE FUNCTION companion.is_time_ordered(id uuid) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_is_time_ordered';
COMMENT ON FUNCTION companion.is_time_ordered(uuid) IS 'Whether an id is a UUID of version 7. Internal.';

CREATE FUNCTION companion.old_id(id text) RETURNS uuid
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_old_id';
COMMENT ON FUNCTION companion.old_id(text) IS
'By what rekeyed_ids knows an app''s own id: itself where it is a UUID, else one of version 8 that is made of it. Internal.';

CREATE FUNCTION companion.imported_id(user_id uuid, table_name text, old_id text) RETURNS uuid
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN companion.is_time_ordered(companion.old_id(imported_id.old_id))
        THEN companion.old_id(imported_id.old_id)
        ELSE (SELECT r.new_id FROM companion.rekeyed_ids AS r
              WHERE r.user_id = imported_id.user_id AND r.table_name = imported_id.table_name
                  AND r.old_id = companion.old_id(imported_id.old_id)) END;
END;
COMMENT ON FUNCTION companion.imported_id(uuid, text, text) IS
'The id that an imported row of a user''s in conversations, messages or scheduled_messages has, by the id that it had in the app''s own tables, of whatever type, as a text: the same where that is a UUID of version 7; else what rekeyed_ids says, and NULL where it has no such id.';

CREATE FUNCTION companion.import_users(rows jsonb)
RETURNS TABLE (element integer, id uuid, outcome text, reason text)
LANGUAGE c ROWS 1000
AS 'MODULE_PATHNAME', 'companion_import_users';
COMMENT ON FUNCTION companion.import_users(jsonb) IS
'Takes users over: an array of objects whose fields are columns of users, with their ids and times; one row for each, in order: element counts from 0, outcome is taken, there already (an id that is a user''s, who stays as they are), or refused, with the reason; the others are taken all the same. id and timezone must be there; what else is left out has its default, and null is null. With taken a reason says which of the user''s own addresses is another''s, and stays so. Dispatch does not look back for them: what is due from now on is dispatched. Refused are also users who were erased, unknown fields, objects of more than companion.max_json_size, and times of what has been that are infinite or more than a day from now. Error 22023 for what is no array; 55P03, and nothing is taken, where another transaction that has not ended inserts the same user or address.';

CREATE FUNCTION companion.import_conversations(rows jsonb)
RETURNS TABLE (element integer, id uuid, outcome text, reason text)
LANGUAGE c ROWS 1000
AS 'MODULE_PATHNAME', 'companion_import_conversations';
COMMENT ON FUNCTION companion.import_conversations(jsonb) IS
'Takes conversations over, as import_users() users: user_id, id, channel and started_at must be there, and ended_at for all but one of a user''s on a channel. Taken is also the end of one that is there already and open: ended_at, and a mood_summary and topics that it does not have. id may be of any type: one that is no UUID of version 7 becomes one of started_at, which is returned. rekeyed_ids keeps it, so that the same id is there already the next time, messages may name the conversation by it, and what was deleted since is refused. outcome is NULL where another transaction holds the user: not now, call again.';

CREATE FUNCTION companion.import_messages(rows jsonb)
RETURNS TABLE (element integer, id uuid, outcome text, reason text)
LANGUAGE c ROWS 1000
AS 'MODULE_PATHNAME', 'companion_import_messages';
COMMENT ON FUNCTION companion.import_messages(jsonb) IS
'Takes messages over, as import_conversations() conversations: user_id, id, conversation_id, role, content and created_at must be there. conversation_id and reply_to_id are the app''s own ids or ours; what is answered comes before its answer. For equal times ids ascend in the order of the elements. An answer to what was deleted since is taken as one to nothing. telegram_message_id is for channel telegram, external_id for the others; a messenger''s id without its chat is of the conversation''s channel and the user''s own address there. Sets users.last_user_message_at, where a message of theirs is later.';

CREATE FUNCTION companion.import_user_context(rows jsonb)
RETURNS TABLE (element integer, id uuid, outcome text, reason text)
LANGUAGE c ROWS 1000
AS 'MODULE_PATHNAME', 'companion_import_user_context';
COMMENT ON FUNCTION companion.import_user_context(jsonb) IS
'Takes facts over, as import_conversations() conversations: user_id, category, key, value, and one of value_since, confirmed_at and created_at must be there: what is left out of these is taken from the others, so that a fact is as old as it is. There already is an item with the same category and key; the reason says whether it has another value. source_message_id is the app''s own id or ours. history is an array of objects, the values that held before: value, held_from, held_until, and source; the times of no two overlap, nor that of the item''s own. Refused is also what was taken once, or was there already, and was forgotten, has expired or made room since (rekeyed_ids knows it by a hash), what its message must not teach again, and what is beyond companion.max_context_items. Where the category has max_items, what matters least makes room at the end of the call, be it new or not.';

CREATE FUNCTION companion.import_scheduled_messages(rows jsonb)
RETURNS TABLE (element integer, id uuid, outcome text, reason text)
LANGUAGE c ROWS 1000
AS 'MODULE_PATHNAME', 'companion_import_scheduled_messages';
COMMENT ON FUNCTION companion.import_scheduled_messages(jsonb) IS
'Takes over what was sent, as import_conversations() conversations: user_id, id, scheduled_for and status (sent, failed, skipped, cancelled or unknown) must be there; what is pending is for schedule_message(). kind is custom where none is given; local_date is that of scheduled_for in timezone, or in the user''s; send_before is scheduled_for; sent_at and finished_at are, too, unless it was skipped or cancelled before; created_at, which retention goes by, is the earlier of scheduled_for and finished_at. idempotency_key is the id, which has at most 200 characters; a check-in''s is its local day: of several of a day the one that was sent has it, or may have been, else the last, and the others # and their ids here after it. There already is also another message with the same key, where it is no check-in or the key is given. conversation_id and message_id are the app''s own ids or ours; one that is nobody''s, or another user''s, is left out, and the reason says so.';

-- Weekdays that stand more than once stand once. Nobody's triggers are fired for that: they would
-- have the rights of whoever updates.
DO $$
DECLARE
    role_before text := current_setting('session_replication_role');
BEGIN
    PERFORM set_config('session_replication_role', 'replica', true);
    UPDATE companion.users SET checkin_days = ARRAY(SELECT DISTINCT day FROM unnest(checkin_days) AS d (day) ORDER BY day)
    WHERE cardinality(checkin_days) <> (SELECT count(DISTINCT day) FROM unnest(checkin_days) AS d (day));
    PERFORM set_config('session_replication_role', role_before, true);
END
$$;

-- Ids that are not of version 7, which 0.1.0 took, are made anew, by the times of their rows, and all
-- that refers to them goes along. Nobody's triggers are fired for that, nor what foreign keys do: so
-- an app's own with ON UPDATE CASCADE are followed here; another that refers to such an id is named
-- before anything changes.
DO $$
DECLARE
    role_before text := current_setting('session_replication_role');
    reference record;
    refused text[] := '{}';
    updates text[] := '{}';
    is_concerned boolean;
BEGIN
    PERFORM set_config('session_replication_role', 'replica', true);
    INSERT INTO companion.rekeyed_ids (user_id, table_name, old_id, new_id)
    SELECT user_id, table_name, id,
           companion.uuid_v7(least(greatest(at, '1970-01-01 00:00:00+00'), '10889-08-01 00:00:00+00'))
    FROM (SELECT user_id, 'conversations', id, started_at FROM companion.conversations
          UNION ALL
          SELECT user_id, 'messages', id, created_at FROM companion.messages) AS r (user_id, table_name, id, at)
    WHERE get_byte(uuid_send(id), 6) >> 4 <> 7 OR get_byte(uuid_send(id), 8) >> 6 <> 2
    ORDER BY at, id;
    IF NOT FOUND THEN
        PERFORM set_config('session_replication_role', role_before, true);
        RETURN;
    END IF;
    ANALYZE companion.rekeyed_ids;

    -- Columns that hold such ids: ours, and those of an app's that refer to one, or to one that does.
    FOR reference IN
        WITH RECURSIVE ours AS (
            SELECT held.relation, held.table_name, id.attnum AS id, of_user.attnum AS user_id
            FROM (VALUES
                ('companion.conversations'::regclass, 'id', 'conversations'),
                ('companion.messages', 'id', 'messages'),
                ('companion.messages', 'conversation_id', 'conversations'),
                ('companion.messages', 'reply_to_id', 'messages'),
                ('companion.user_context', 'source_message_id', 'messages'),
                ('companion.scheduled_messages', 'conversation_id', 'conversations'),
                ('companion.scheduled_messages', 'message_id', 'messages')
            ) AS held (relation, name, table_name)
            JOIN pg_attribute AS id ON id.attrelid = held.relation AND id.attname = held.name
            JOIN pg_attribute AS of_user ON of_user.attrelid = held.relation AND of_user.attname = 'user_id'
        ), holding AS (
            SELECT relation, table_name, id, user_id, NULL::oid AS foreign_key FROM ours
            UNION
            SELECT k.conrelid::regclass, h.table_name, k.conkey[array_position(k.confkey, h.id)],
                   k.conkey[array_position(k.confkey, h.user_id)], k.oid
            FROM holding AS h
            JOIN pg_constraint AS k ON k.contype = 'f' AND k.confrelid = h.relation
                AND k.conparentid = 0 AND h.id = ANY (k.confkey)
        )
        SELECT k.conname AS name, h.relation, k.confupdtype = 'c' AS cascades,
               format('%s%s', CASE c.relkind WHEN 'r' THEN 'ONLY ' END, h.relation) AS target,
               quote_ident(id.attname) AS id,
               format('r.table_name = %L AND r.old_id = t.%I', h.table_name, id.attname)
               || CASE WHEN h.user_id IS NULL THEN '' ELSE format(' AND r.user_id = t.%I', of_user.attname) END AS condition
        FROM holding AS h
        JOIN pg_constraint AS k ON k.oid = h.foreign_key
        JOIN pg_class AS c ON c.oid = h.relation
        JOIN pg_attribute AS id ON id.attrelid = h.relation AND id.attnum = h.id
        LEFT JOIN pg_attribute AS of_user ON of_user.attrelid = h.relation AND of_user.attnum = h.user_id
        WHERE NOT EXISTS (SELECT FROM ours AS o WHERE o.relation = h.relation AND o.id = h.id)
        ORDER BY h.relation::text, k.conname
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s AS t JOIN companion.rekeyed_ids AS r ON %s)',
                       reference.target, reference.condition) INTO is_concerned;
        CONTINUE WHEN NOT is_concerned;
        IF reference.cascades THEN
            updates := updates || format('UPDATE %s AS t SET %s = r.new_id FROM companion.rekeyed_ids AS r WHERE %s',
                                         reference.target, reference.id, reference.condition);
        ELSE
            refused := refused || format('%I of %s', reference.name, reference.relation);
        END IF;
    END LOOP;
    IF refused <> '{}' THEN
        RAISE EXCEPTION 'ids that are not of version 7 are to be made anew, and foreign keys refer to some: %',
            array_to_string(refused, ', ')
        USING ERRCODE = 'foreign_key_violation',
              HINT = 'Give each ON UPDATE CASCADE (ALTER TABLE ... DROP CONSTRAINT ..., ADD CONSTRAINT ...), and update again.';
    END IF;

    UPDATE companion.conversations AS c SET id = r.new_id
    FROM companion.rekeyed_ids AS r
    WHERE r.user_id = c.user_id AND r.table_name = 'conversations' AND r.old_id = c.id;
    UPDATE companion.messages AS m
    SET id = coalesce(n.id, m.id),
        conversation_id = coalesce(n.conversation_id, m.conversation_id),
        reply_to_id = coalesce(n.reply_to_id, m.reply_to_id)
    FROM (SELECT o.user_id, o.id AS old_id, i.new_id, c.new_id, a.new_id
          FROM companion.messages AS o
          LEFT JOIN companion.rekeyed_ids AS i
              ON i.user_id = o.user_id AND i.table_name = 'messages' AND i.old_id = o.id
          LEFT JOIN companion.rekeyed_ids AS c
              ON c.user_id = o.user_id AND c.table_name = 'conversations' AND c.old_id = o.conversation_id
          LEFT JOIN companion.rekeyed_ids AS a
              ON a.user_id = o.user_id AND a.table_name = 'messages' AND a.old_id = o.reply_to_id
          WHERE num_nonnulls(i.new_id, c.new_id, a.new_id) > 0
         ) AS n (user_id, old_id, id, conversation_id, reply_to_id)
    WHERE n.user_id = m.user_id AND n.old_id = m.id;
    UPDATE companion.user_context AS u SET source_message_id = r.new_id
    FROM companion.rekeyed_ids AS r
    WHERE r.user_id = u.user_id AND r.table_name = 'messages' AND r.old_id = u.source_message_id;
    UPDATE companion.scheduled_messages AS s SET conversation_id = r.new_id
    FROM companion.rekeyed_ids AS r
    WHERE r.user_id = s.user_id AND r.table_name = 'conversations' AND r.old_id = s.conversation_id;
    UPDATE companion.scheduled_messages AS s SET message_id = r.new_id
    FROM companion.rekeyed_ids AS r
    WHERE r.user_id = s.user_id AND r.table_name = 'messages' AND r.old_id = s.message_id;
    DELETE FROM companion.search_chunks
    WHERE user_id IN (SELECT r.user_id FROM companion.rekeyed_ids AS r WHERE r.table_name = 'messages');
    FOR i IN 1 .. cardinality(updates) LOOP
        EXECUTE updates[i];
    END LOOP;
    PERFORM set_config('session_replication_role', role_before, true);
END
$$;

-- The standard channels.
INSERT INTO companion.channels (channel, rank, needs_address, only_if_preferred, longest_text) VALUES
    ('telegram', 10, true, false, 4096),
    ('whatsapp', 20, true, false, 4096),
    ('push', 30, true, false, 1000),
    ('email', 40, true, true, NULL),
    ('web', 1000, false, false, NULL);

-- The standard kinds, and the settings that they replace, as this session has them.
INSERT INTO companion.kinds (kind, send_within, max_tries, respects_pause) VALUES
    ('checkin', '4 hours', NULL, true),
    ('custom', NULL, 20, false);
DO $$
DECLARE
    within interval := nullif(current_setting('companion.catch_up', true), '')::interval;
    tries integer := nullif(current_setting('companion.max_attempts', true), '')::integer;
    again text[] := string_to_array(replace(current_setting('companion.retry_unknown', true), ' ', ''), ',');
BEGIN
    UPDATE companion.kinds SET send_within = least(within, '7 days')
    WHERE kind = 'checkin' AND within <> '4 hours';
    UPDATE companion.kinds SET max_tries = tries WHERE tries <> 5;
    INSERT INTO companion.kinds (kind, max_tries)
    SELECT DISTINCT a.kind, c.max_tries FROM unnest(again) AS a (kind), companion.kinds AS c
    WHERE c.kind = 'custom' AND a.kind ~ '^[a-z][a-z0-9_]{0,62}$' AND a.kind NOT IN ('checkin', 'custom');
    UPDATE companion.kinds SET retry_unknown = true WHERE kind = ANY (again);
END
$$;

-- The users' own accounts are addresses: disabled where their channel was. Of several users with one
-- the first has it. What is pending on a channel that does not reach the user goes to one that does;
-- Telegram's ids of messages since the account was linked are of its chat. Nobody's triggers are
-- fired for that.
DO $$
DECLARE
    role_before text := current_setting('session_replication_role');
BEGIN
    PERFORM set_config('session_replication_role', 'replica', true);
    INSERT INTO companion.addresses
        (user_id, channel, address, linked_at, unlinked_at, disabled_at, disabled_reason, last_incoming_at)
    SELECT user_id, channel, address, linked_at,
           CASE WHEN row_number() OVER same > 1 THEN companion.now() END,
           CASE WHEN is_disabled THEN companion.now() END,
           CASE WHEN is_disabled THEN 'the channel was disabled before the update to 0.2.0' END,
           CASE WHEN channel <> 'email' AND is_only THEN last_user_message_at END
    FROM (
        SELECT u.id AS user_id, a.channel, a.address, a.linked_at, a.channel = ANY (u.disabled_channels) AS is_disabled,
               u.last_user_message_at, u.created_at,
               num_nonnulls(u.telegram_user_id, u.whatsapp_number) = 1 AS is_only
        FROM companion.users AS u
        CROSS JOIN LATERAL (VALUES
            ('telegram', u.telegram_user_id::text, coalesce(u.telegram_linked_at, u.created_at)),
            ('whatsapp', u.whatsapp_number, u.created_at),
            ('email', lower(u.email COLLATE "C"), u.created_at)) AS a (channel, address, linked_at)
        WHERE a.address IS NOT NULL
            AND (a.channel <> 'email' OR (position('@' IN a.address) > 0 AND a.address !~ '[\x01-\x1F\x7F]'))) AS own
    WINDOW same AS (PARTITION BY channel, companion.address_key(channel, address) ORDER BY created_at, user_id);

    UPDATE companion.users AS u
    SET app_data = '{}',
        usable_addresses = (
            SELECT array_agg(t.value ORDER BY a.linked_at DESC, a.channel, a.bot, a.address, t.place)
            FROM companion.addresses AS a
            CROSS JOIN LATERAL (VALUES (1, a.channel), (2, a.bot), (3, a.address)) AS t (place, value)
            WHERE a.user_id = u.id AND a.disabled_at IS NULL AND a.unlinked_at IS NULL);

    WITH moved AS (
        UPDATE companion.dispatch_queue AS q
        SET channel = companion.choose_channel(u.usable_addresses, u.preferred_channel), leased_until = '-infinity'
        FROM companion.users AS u
        WHERE u.id = q.user_id AND NOT q.sending AND companion.channel_address(u, q.channel) IS NULL
        RETURNING q.user_id, q.message_id, q.channel)
    UPDATE companion.scheduled_messages AS m SET channel = moved.channel
    FROM moved WHERE m.user_id = moved.user_id AND m.id = moved.message_id;
    UPDATE companion.dispatch_queue AS q SET kind = m.kind, tries = q.sending::integer
    FROM companion.scheduled_messages AS m WHERE m.user_id = q.user_id AND m.id = q.message_id;

    UPDATE companion.messages AS m SET channel = 'telegram', bot = '', address = u.telegram_user_id::text
    FROM companion.users AS u
    WHERE u.id = m.user_id AND m.telegram_message_id IS NOT NULL AND u.telegram_user_id IS NOT NULL
        AND (u.telegram_linked_at IS NULL OR m.created_at >= u.telegram_linked_at);
    PERFORM set_config('session_replication_role', role_before, true);
END
$$;
ALTER TABLE companion.users ALTER COLUMN app_data SET NOT NULL, DROP COLUMN disabled_channels;

-- Of an insert into these tables it is their own trigger that checks the foreign key, at a fraction
-- of the cost (reference.hpp); an update, and what is referred to, stays the server's to check.
DO $$
DECLARE
    checks record;
BEGIN
    FOR checks IN
        SELECT t.tgrelid::regclass AS relation, t.tgname AS name
        FROM pg_constraint AS c
        JOIN pg_trigger AS t ON t.tgconstraint = c.oid AND t.tgrelid = c.conrelid
        JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.proname = 'RI_FKey_check_ins'
        WHERE c.connamespace = 'companion'::regnamespace
            AND c.conname IN ('conversations_user_id_fkey', 'messages_user_id_conversation_id_fkey',
                              'scheduled_messages_user_id_fkey', 'user_context_user_id_fkey',
                              'user_context_history_user_id_fkey')
    LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', checks.relation, checks.name);
    END LOOP;
END
$$;

-- Memory: categories, comparison of texts, meaning.
-- Texts as they are compared. None of this depends on a collation or on a library that may be updated.
CREATE FUNCTION companion.normalized(value text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_normalized';
COMMENT ON FUNCTION companion.normalized(text) IS
'A text without the white space around it, in Unicode''s normal form C; in a server that is not UTF8 as it is but for the white space.';

CREATE FUNCTION companion.folded(value text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_folded';
COMMENT ON FUNCTION companion.folded(text) IS
'A text without the white space around it, in Unicode''s normal form C and without case, by Unicode''s simple case folding; in a server that is not UTF8 ASCII alone loses its case. What user_context.folded_key holds of key.';

CREATE FUNCTION companion.is_same_text(a text, b text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_is_same_text';
COMMENT ON FUNCTION companion.is_same_text(text, text) IS
'Whether two texts are the same but for white space around them and Unicode''s normal form: case counts. How values of context items are compared.';

CREATE FUNCTION companion.search_text(content text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_search_text';
COMMENT ON FUNCTION companion.search_text(text) IS
'A text as it is searched: in Unicode''s normal form C, without case, each character apart of scripts that put no spaces between words. Internal.';

-- What holds for the facts of a category.
CREATE TABLE companion.context_categories (
    category text COLLATE "C" PRIMARY KEY
        CHECK (category <> '' AND length(category) <= 100 AND category = companion.normalized(category)),
    half_life interval CHECK (half_life > '0'),
    keep_history boolean NOT NULL DEFAULT true,
    in_prompt boolean NOT NULL DEFAULT true,
    max_items integer CHECK (max_items > 0),
    expires_after interval CHECK (expires_after > '0'),
    CHECK (category <> '*' OR half_life IS NOT NULL)
);
COMMENT ON TABLE companion.context_categories IS
'One row a category that is treated in its own way; * is for every other. An app adds its own; inserting a category that is there replaces it, so that what an app has changed survives a restore over the standard rows. A change holds from the next call on, and for what is written from then on.';
COMMENT ON COLUMN companion.context_categories.category IS 'The category, without white space around it and in Unicode''s normal form C; * for every other.';
COMMENT ON COLUMN companion.context_categories.half_life IS 'In what time an item''s importance halves for recall; a day is 24 hours, a month 30 days. NULL: that of *.';
COMMENT ON COLUMN companion.context_categories.keep_history IS 'Whether values that are superseded, expire or make room go to user_context_history. False for what is computed anew again and again.';
COMMENT ON COLUMN companion.context_categories.in_prompt IS 'Whether user_context_prompt() shows it; where not, it does when categories names it.';
COMMENT ON COLUMN companion.context_categories.max_items IS 'How many items of it a user has at most: of others that are not pinned, those that matter least make room for a new one. NULL: no limit of its own.';
COMMENT ON COLUMN companion.context_categories.expires_after IS 'How long after it was last stated a value expires to which the call gives no expires_at. NULL: never.';

CREATE TRIGGER replace_category BEFORE INSERT ON companion.context_categories
FOR EACH ROW EXECUTE FUNCTION companion.replace_row('category');
-- A logical subscriber, and a restore as one, come upon the standard rows, too.
ALTER TABLE companion.context_categories ENABLE ALWAYS TRIGGER replace_category;
COMMENT ON TRIGGER replace_category ON companion.context_categories IS 'Inserting a category that is there replaces it.';

CREATE TRIGGER note_categories AFTER INSERT OR UPDATE OR DELETE ON companion.context_categories
FOR EACH STATEMENT EXECUTE FUNCTION companion.reload_rows();
ALTER TABLE companion.context_categories ENABLE ALWAYS TRIGGER note_categories;
COMMENT ON TRIGGER note_categories ON companion.context_categories IS 'Sessions keep the categories that they have read.';

INSERT INTO companion.context_categories (category, half_life, keep_history) VALUES
    ('*', '90 days', true), ('mood', '3 days', true), ('follow_up', '14 days', true),
    ('open_thread', '30 days', true), ('event', '30 days', true), ('preference', '365 days', true),
    ('identity', '3650 days', true), ('pattern', NULL, false);

ALTER TABLE companion.context_categories ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.context_categories FOR SELECT
TO companion_user, companion_worker, companion_runtime USING (true);
COMMENT ON POLICY read ON companion.context_categories IS 'Everyone reads the categories.';
CREATE POLICY every_row ON companion.context_categories TO companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.context_categories IS 'Admins change the categories.';

SELECT pg_catalog.pg_extension_config_dump('companion.context_categories', '');

CREATE FUNCTION companion.keeps_history(category text) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_keeps_history';
COMMENT ON FUNCTION companion.keeps_history(text) IS
'Whether a category''s values go to user_context_history. Internal.';

-- The setting that they replace, as this session has it.
DO $$
DECLARE
    entry text[];
BEGIN
    FOR entry IN
        SELECT regexp_match(part, '^[[:space:]]*(.*[^[:space:]])[[:space:]]*=[[:space:]]*([0-9.eE+-]+)[[:space:]]*$')
        FROM regexp_split_to_table(coalesce(current_setting('companion.half_lives', true), ''), ',') AS part
    LOOP
        CONTINUE WHEN entry IS NULL;
        UPDATE companion.context_categories SET half_life = entry[2]::double precision * interval '1 day'
        WHERE category = companion.normalized(entry[1]);
        CONTINUE WHEN FOUND;
        INSERT INTO companion.context_categories (category, half_life)
        VALUES (companion.normalized(entry[1]), entry[2]::double precision * interval '1 day');
    END LOOP;
END
$$;

ALTER TABLE companion.user_context
    DROP CONSTRAINT user_context_user_id_category_key_key,
    ADD COLUMN folded_key text COLLATE "C",
    ADD COLUMN last_used_at timestamptz,
    ADD COLUMN stated_in uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN earlier_stated_in uuid[] NOT NULL DEFAULT '{}';
-- Where several keys are the same now, all but one are marked until they are merged, at the end. Nobody's
-- triggers are fired for that.
DO $$
DECLARE
    role_before text := current_setting('session_replication_role');
BEGIN
    PERFORM set_config('session_replication_role', 'replica', true);
    UPDATE companion.user_context AS c
    SET category = f.category,
        folded_key = f.folded_key || CASE WHEN f.number > 1 THEN chr(1) || c.id ELSE '' END,
        last_used_at = CASE WHEN c.last_referenced_at > c.confirmed_at THEN c.last_referenced_at END,
        stated_in = CASE WHEN c.source_message_id IS NULL THEN '{NULL}'
                         WHEN c.confirmations = 1 THEN ARRAY[c.source_message_id]
                         ELSE ARRAY[NULL, c.source_message_id] END
    FROM (SELECT n.user_id, n.id, n.category, n.folded_key,
                 row_number() OVER (PARTITION BY n.user_id, n.category, n.folded_key ORDER BY n.id) AS number
          FROM (SELECT i.user_id, i.id, coalesce(nullif(companion.normalized(i.category), ''), i.category) AS category,
                       companion.folded(i.key) AS folded_key
                FROM companion.user_context AS i) AS n) AS f
    WHERE c.user_id = f.user_id AND c.id = f.id;
    PERFORM set_config('session_replication_role', role_before, true);
END
$$;
ALTER TABLE companion.user_context
    ALTER COLUMN folded_key SET NOT NULL,
    ADD UNIQUE (user_id, category, folded_key);
COMMENT ON COLUMN companion.user_context.category IS 'What kind of fact it is; the app''s own words. context_categories says how it is treated; follow_up is read by due_follow_ups().';
COMMENT ON COLUMN companion.user_context.key IS 'Which fact within the category, as it was first said.';
COMMENT ON COLUMN companion.user_context.last_referenced_at IS 'When it was last used or stated: the later of last_used_at and confirmed_at.';
COMMENT ON COLUMN companion.user_context.folded_key IS 'companion.folded(key): of keys that differ in case, in white space around them or in Unicode''s normal form there is one.';
COMMENT ON COLUMN companion.user_context.last_used_at IS 'When the value was last used, by touch_user_context(); NULL: never.';
COMMENT ON COLUMN companion.user_context.stated_in IS 'The messages that have stated the value, the last 100; a NULL among them: it was stated without one. Empty: not known.';
COMMENT ON COLUMN companion.user_context.earlier_stated_in IS 'The same of the values that it had before, and of those that were not taken.';
COMMENT ON COLUMN companion.user_context_history.replaced_by IS 'The value that superseded it; NULL: none, it expired or made room in its category.';

CREATE FUNCTION companion.fold_context_item() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_fold_context_item';
COMMENT ON FUNCTION companion.fold_context_item() IS
'Trigger, BEFORE INSERT: gives a row without folded_key, from a dump of 0.1.0, its own, and its category as it is compared. Where another row has that key, the row is marked for merge_context_items().';
CREATE TRIGGER fold_context_item BEFORE INSERT ON companion.user_context
FOR EACH ROW WHEN (new.folded_key IS NULL) EXECUTE FUNCTION companion.fold_context_item();
-- A logical subscriber, and a restore as one, may bring rows of 0.1.0, too.
ALTER TABLE companion.user_context ENABLE ALWAYS TRIGGER fold_context_item;
COMMENT ON TRIGGER fold_context_item ON companion.user_context IS 'Rows of 0.1.0 have no folded_key.';

CREATE TABLE companion.forgotten_facts (
    user_id uuid NOT NULL,
    message_id uuid NOT NULL,
    fact bytea NOT NULL,
    PRIMARY KEY (user_id, message_id, fact),
    FOREIGN KEY (user_id, message_id) REFERENCES companion.messages (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE companion.forgotten_facts IS
'One row for each message that had stated a fact which was forgotten: what is extracted from that message again is not taken. It goes with the message.';
COMMENT ON COLUMN companion.forgotten_facts.user_id IS 'Whose message it is.';
COMMENT ON COLUMN companion.forgotten_facts.message_id IS 'The message.';
COMMENT ON COLUMN companion.forgotten_facts.fact IS 'The SHA-256 of the message''s id, the category and the folded key: neither these nor a value stand in it.';
ALTER TABLE companion.forgotten_facts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.forgotten_facts TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.forgotten_facts IS 'An end user''s own only.';
CREATE POLICY every_row ON companion.forgotten_facts TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.forgotten_facts IS 'Workers and admins act for every user.';
SELECT pg_catalog.pg_extension_config_dump('companion.forgotten_facts', '');

-- Recall: what of memory matters now.
-- What items mean, as a model of the app's has it: for recall by meaning. Nothing here depends on
-- an extension; pgvector's type casts to and from real[].
CREATE TABLE companion.context_embeddings (
    user_id uuid NOT NULL,
    item_id uuid NOT NULL,
    model text COLLATE "C" NOT NULL,
    embedding real[] NOT NULL,
    PRIMARY KEY (user_id, item_id, model),
    FOREIGN KEY (user_id, item_id) REFERENCES companion.user_context (user_id, id) ON DELETE CASCADE
);
ALTER TABLE companion.context_embeddings ALTER COLUMN embedding SET STORAGE EXTERNAL;
COMMENT ON TABLE companion.context_embeddings IS
'One row an item and model: the embedding of its present value. Written by set_embedding() only; another value, and forgetting, deletes it.';
COMMENT ON COLUMN companion.context_embeddings.user_id IS 'Whom the item is about.';
COMMENT ON COLUMN companion.context_embeddings.item_id IS 'The item.';
COMMENT ON COLUMN companion.context_embeddings.model IS 'The model that made it; the app''s own word.';
COMMENT ON COLUMN companion.context_embeddings.embedding IS 'The embedding: finite, not all zero.';
ALTER TABLE companion.context_embeddings ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.context_embeddings TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.context_embeddings IS 'An end user''s own only.';
CREATE POLICY every_row ON companion.context_embeddings TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.context_embeddings IS 'Workers and admins act for every user.';
SELECT pg_catalog.pg_extension_config_dump('companion.context_embeddings', '');

CREATE FUNCTION companion.cosine_similarity(a real[], b real[]) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_cosine_similarity';
COMMENT ON FUNCTION companion.cosine_similarity(real[], real[]) IS
'The cosine of two embeddings, -1 to 1; NULL where they differ in dimensions, have none, a null or only zeros.';

CREATE FUNCTION companion.meaning_of(item_id uuid, meanings bytea) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_meaning_of';
COMMENT ON FUNCTION companion.meaning_of(uuid, bytea) IS
'How near an item''s meaning is to one that is given, as recall has compared them. Internal.';

CREATE FUNCTION companion.set_embedding(
    user_id uuid, item_id uuid, model text, embedding double precision[], value text DEFAULT NULL)
RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_set_embedding';
COMMENT ON FUNCTION companion.set_embedding(uuid, uuid, text, double precision[], text) IS
'Stores the embedding of an item''s value under a model; false where the item is gone, or where value, what the embedding was made of, is not its value any more. Error 22023 for a model of no or more than 100 characters and for an embedding of no or more than 16000 dimensions, with an element that is not finite or with only zeros; 22004 for one missing, 2202E for more than one dimension, 09000 where a trigger suppresses the row.';

CREATE FUNCTION companion.items_without_embedding(
    model text, max_rows integer DEFAULT 100, for_user uuid DEFAULT NULL)
RETURNS TABLE (user_id uuid, item_id uuid, category text, key text, value text)
LANGUAGE sql STABLE ROWS 100
BEGIN ATOMIC
    SELECT c.user_id, c.id, c.category, c.key, c.value
    FROM companion.user_context AS c
    WHERE (for_user IS NULL OR c.user_id = for_user)
        AND (c.expires_at IS NULL OR c.expires_at > companion.now()) AND c.resolved_at IS NULL
        AND NOT EXISTS (
            SELECT FROM companion.context_embeddings AS e
            WHERE e.user_id = c.user_id AND e.item_id = c.id
                AND e.model = items_without_embedding.model)
    ORDER BY c.user_id, c.id
    LIMIT max_rows;
END;
COMMENT ON FUNCTION companion.items_without_embedding(text, integer, uuid) IS
'Items that may be recalled and have no embedding of this model: for the worker that makes them and gives them to set_embedding(), with the value. for_user: of this user only, which is quick however many there are; else all users are gone through. A model of NULL: all that may be recalled; max_rows NULL: all of them. Error 2201W for a negative max_rows.';

CREATE FUNCTION companion.with_statement(stated_in uuid[], message_id uuid) RETURNS uuid[]
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_with_statement';
COMMENT ON FUNCTION companion.with_statement(uuid[], uuid) IS
'stated_in of a value that a message states; NULL: that is stated without one. Of more than 100 the latest. Internal.';

CREATE FUNCTION companion.joined_statements(earlier uuid[], stated_in uuid[]) RETURNS uuid[]
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_joined_statements';
COMMENT ON FUNCTION companion.joined_statements(uuid[], uuid[]) IS
'earlier_stated_in of an item whose value, stated in these messages, is superseded or not taken. Of more than 100 the latest. Internal.';

CREATE FUNCTION companion.upsert_user_context(
    user_id uuid, category text, key text, value text, importance double precision DEFAULT NULL,
    emotional_valence integer DEFAULT NULL, source text DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, source_message_id uuid DEFAULT NULL,
    metadata jsonb DEFAULT NULL, pinned boolean DEFAULT NULL)
RETURNS companion.context_item
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_upsert_user_context';
COMMENT ON FUNCTION companion.upsert_user_context(uuid, text, text, text, double precision, integer, text, timestamptz, uuid, jsonb, boolean) IS
'Remembers a fact and returns its row. The same value again confirms it; another supersedes it, and the former goes to user_context_history, if its category keeps one. Keys are the same but for case, and texts but for white space around them and Unicode''s normal form. What a user said or pinned gives way only to source user or pinned: else it stands as it was, and contradicted_by holds the value that was not taken. NULL for an optional argument keeps what was there where the value is confirmed; one that is new or supersedes another starts with importance 0.5, emotional_valence 0, source extracted, {} for metadata, not pinned, and expires as its category says. expires_at: infinity is never; a past one stores an item that no read returns; end_of_day() makes one of a local date. source pinned pins. metadata replaces what was there. NULL where the fact was forgotten and had been stated by this source_message_id. Error 22023 for an argument out of bounds, 22008 for -infinity, 22004 for a missing one, 23503 for an unknown user or message, 42501 for another''s item, 54000 beyond companion.max_context_items, 09000 where a trigger suppresses the row or changes user_id, category or key.';

CREATE FUNCTION companion.fact_hash(message_id uuid, category text, folded_key text) RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_fact_hash';
COMMENT ON FUNCTION companion.fact_hash(uuid, text, text) IS
'By what forgotten_facts knows a fact. Internal.';

CREATE FUNCTION companion.upsert_user_context_many(
    user_id uuid, facts jsonb, on_invalid text DEFAULT 'error')
RETURNS TABLE (
    user_id uuid, id uuid, category text, key text, value text, importance double precision,
    emotional_valence smallint, source text, source_message_id uuid, metadata jsonb,
    pinned boolean, expires_at timestamptz, resolved_at timestamptz, confirmations integer,
    confirmed_at timestamptz, last_referenced_at timestamptz, value_since timestamptz,
    previous_value text, previous_source text, previous_since timestamptz,
    contradicted_by text, created_at timestamptz, updated_at timestamptz,
    last_used_at timestamptz, outcome text, reason text)
LANGUAGE c ROWS 50
AS 'MODULE_PATHNAME', 'companion_upsert_user_context_many';
COMMENT ON FUNCTION companion.upsert_user_context_many(uuid, jsonb, text) IS
'upsert_user_context for an array of at most companion.max_facts objects with its arguments'' names: one row for each element, in input order: the item, and in outcome what became of the element: added, confirmed, superseded, held (the user''s word stands) or refused, with the reason and without an item. on_invalid: error, all or nothing; skip: an element that is not valid or cannot be stored is refused, and the others are taken; then, too, a number or a boolean is taken as a value by its text, and a text that is a number as a number. A field left out, or null, is NULL. expires_at may be a local date, YYYY-MM-DD: the end of that day in the user''s zone. Of elements with the same category and key the last counts. A fact that its source_message_id must not teach again is refused either way. Errors as there, and 22007, 22008 or 22P02 for a time or id that cannot be read; one about an element names it, counting from 0, and its field. Error 54000 for more objects.';

CREATE FUNCTION companion.upsert_user_context_many(
    user_id uuid, facts_text text, on_invalid text)
RETURNS TABLE (
    user_id uuid, id uuid, category text, key text, value text, importance double precision,
    emotional_valence smallint, source text, source_message_id uuid, metadata jsonb,
    pinned boolean, expires_at timestamptz, resolved_at timestamptz, confirmations integer,
    confirmed_at timestamptz, last_referenced_at timestamptz, value_since timestamptz,
    previous_value text, previous_source text, previous_since timestamptz,
    contradicted_by text, created_at timestamptz, updated_at timestamptz,
    last_used_at timestamptz, outcome text, reason text)
LANGUAGE c ROWS 50
AS 'MODULE_PATHNAME', 'companion_upsert_user_context_text';
COMMENT ON FUNCTION companion.upsert_user_context_many(uuid, text, text) IS
'The same for JSON as a text. With on_invalid skip an element is refused that jsonb does not take, as one with a zero character. Error 22P02 for a text that is no JSON.';

CREATE FUNCTION companion.recall_score(
    category text, importance double precision, confirmations integer, confirmed_at timestamptz,
    last_used_at timestamptz, at timestamptz)
RETURNS double precision
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_recall_score';
COMMENT ON FUNCTION companion.recall_score(text, double precision, integer, timestamptz, timestamptz, timestamptz) IS
'How much an item matters at a time: importance, halved for every half-life of its category (context_categories) since it was last stated, a quarter more for every doubling of confirmations, and half as much again when used just now, fading over weeks. last_used_at NULL: never used; NULL for another: NULL.';

CREATE FUNCTION companion.recall_user_context(
    user_id uuid, max_items integer DEFAULT 20, max_chars integer DEFAULT NULL,
    categories text[] DEFAULT NULL, exclude text[] DEFAULT NULL, embedding double precision[] DEFAULT NULL,
    meaning_weight double precision DEFAULT 3, model text DEFAULT NULL)
RETURNS SETOF companion.context_item
LANGUAGE c STABLE ROWS 20
AS 'MODULE_PATHNAME', 'companion_recall_user_context';
COMMENT ON FUNCTION companion.recall_user_context(uuid, integer, integer, text[], text[], double precision[], double precision, text) IS
'The items that matter most now: pinned ones first, then by recall_score(), then by category and key; no expired and no resolved one. max_items: 1 to 10000. max_chars: the most characters that user_context_prompt() makes of them; an item that does not fit is passed over. categories: only these; exclude: not these. embedding: of what is being talked about; an item''s score is then recall_score() + meaning_weight * the cosine of its embedding and this one, of the same number of dimensions, and of this model unless that is NULL; of several the closest counts, and an item without one counts as 0. meaning_weight: 0 to 100. Error 22023 otherwise, 42501 for another''s.';

CREATE FUNCTION companion.user_context_prompt(
    user_id uuid, max_items integer DEFAULT 20, max_chars integer DEFAULT NULL,
    categories text[] DEFAULT NULL, exclude text[] DEFAULT NULL, embedding double precision[] DEFAULT NULL,
    meaning_weight double precision DEFAULT 3, model text DEFAULT NULL)
RETURNS text
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'companion_user_context_prompt';
COMMENT ON FUNCTION companion.user_context_prompt(uuid, integer, integer, text[], text[], double precision[], double precision, text) IS
'What recall_user_context() returns as lines for a prompt, "- category/key: value", each ended by a line feed; line breaks within them become spaces. A category whose in_prompt is false is left out, unless categories names it. Empty where nothing is recalled.';

CREATE FUNCTION companion.merged_json(old jsonb, new jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF jsonb_typeof(old) = 'object' AND jsonb_typeof(new) = 'object' THEN
        RETURN (
            SELECT coalesce(jsonb_object_agg(key, CASE
                       WHEN o.value IS NULL THEN n.value WHEN n.value IS NULL THEN o.value
                       ELSE companion.merged_json(o.value, n.value) END), '{}')
            FROM jsonb_each(old) AS o FULL JOIN jsonb_each(new) AS n USING (key));
    ELSIF jsonb_typeof(old) = 'array' AND jsonb_typeof(new) = 'array' THEN
        RETURN old || (
            SELECT coalesce(jsonb_agg(d.value ORDER BY d.position), '[]')
            FROM (SELECT DISTINCT ON (a.value) a.value, a.position
                  FROM jsonb_array_elements(new) WITH ORDINALITY AS a (value, position)
                  WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(old) AS o (value)
                                    WHERE o.value = a.value)
                  ORDER BY a.value, a.position) AS d);
    END IF;
    RETURN new;
END
$$;
COMMENT ON FUNCTION companion.merged_json(jsonb, jsonb) IS
'Two objects as one, member by member; of two arrays the first and what the second has in addition, each once; of anything else the second. Internal.';

CREATE FUNCTION companion.update_user_context(
    user_id uuid, id uuid DEFAULT NULL, category text DEFAULT NULL, key text DEFAULT NULL,
    importance double precision DEFAULT NULL, pinned boolean DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, metadata jsonb DEFAULT NULL,
    merge boolean DEFAULT false)
RETURNS companion.context_item
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_update_user_context';
COMMENT ON FUNCTION companion.update_user_context(uuid, uuid, text, text, double precision, boolean, timestamptz, jsonb, boolean) IS
'Changes what is noted of an item, by its id or its category and key, without stating the fact anew, and returns its row; NULL where there is no such item, or it has expired. NULL for an argument keeps what was there; expires_at infinity clears an expiry. metadata replaces what was there or, with merge, is merged into it: objects member by member, and an array is given what it lacks. Error 22023 for an argument out of bounds, for a metadata over companion.max_json_size, also when merged, and unless the item is named in one way; 22008 for -infinity, 22004 for merge NULL, 42501 for another''s, 09000 where a trigger suppresses the change.';

CREATE FUNCTION companion.memory_report(user_id uuid DEFAULT companion.current_user_id())
RETURNS TABLE (
    category text, key text, value text, since timestamptz, source text, words text,
    said_at timestamptz, pinned boolean, expires_at timestamptz, resolved_at timestamptz)
LANGUAGE sql STABLE ROWS 100
BEGIN ATOMIC
    SELECT c.category, c.key, c.value, c.value_since, c.source, left(m.content, 1000),
           m.created_at, c.pinned, c.expires_at, c.resolved_at
    FROM companion.user_context AS c
    LEFT JOIN companion.messages AS m
        ON m.user_id = c.user_id AND m.id = c.source_message_id AND m.role = 'user'
    WHERE c.user_id = memory_report.user_id
        AND (c.expires_at IS NULL OR c.expires_at > companion.now())
    ORDER BY c.category, c.key;
END;
COMMENT ON FUNCTION companion.memory_report(uuid) IS
'All that is remembered of a user, for the user: grouped by category, with since when, and from which words of theirs: the first 1000 characters of the message of theirs that last stated it, and when they wrote it; NULL where it was another''s, or none. What has expired is not among it, what was settled is. No rows for another''s.';

CREATE FUNCTION companion.forget_user_context(
    user_id uuid, category text DEFAULT NULL, key text DEFAULT NULL)
RETURNS TABLE (items bigint, history bigint)
LANGUAGE c ROWS 1
AS 'MODULE_PATHNAME', 'companion_forget_user_context';
COMMENT ON FUNCTION companion.forget_user_context(uuid, text, text) IS
'Deletes one item, a category''s or all of a user''s, their history with them; returns how many of each. The messages that had stated an item must not teach it again (forgotten_facts). Error 22023 for a key without a category, 42501 for another''s.';

CREATE FUNCTION companion.merge_context_items() RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_merge_context_items';
COMMENT ON FUNCTION companion.merge_context_items() IS
'Makes one item of those whose keys 0.1.0 took for different and that are the same now; the update from 0.1.0 has done so, after a restore of a dump of 0.1.0 an admin does. One that has not expired stays before one that has, the user''s word before another''s, then the latest stated; another value of the others goes to the history. It takes the greatest importance, the sum of the confirmations of the same value, and is pinned if one was. Returns how many were merged into another. Error 09000 where a trigger suppresses a change.';

COMMENT ON FUNCTION companion.forget_user_context(uuid, text, text) IS
'Deletes one item, a category''s or all of a user''s, their history with them; returns how many of each. The messages that had stated an item must not teach it again (forgotten_facts). Error 22023 for a key without a category, 42501 for another''s.';

-- What to ask about again: of one user, and of all.
CREATE FUNCTION companion.due_follow_ups(user_id uuid, on_date date DEFAULT NULL)
RETURNS SETOF companion.context_item
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.user_id, c.id, c.category, c.key, c.value, c.importance, c.emotional_valence,
           c.source, c.source_message_id, c.metadata, c.pinned, c.expires_at, c.resolved_at,
           c.confirmations, c.confirmed_at, c.last_referenced_at, c.value_since,
           c.previous_value, c.previous_source, c.previous_since, c.contradicted_by,
           c.created_at, c.updated_at, c.last_used_at
    FROM companion.user_context AS c
    JOIN companion.users AS u ON u.id = c.user_id
    WHERE c.user_id = due_follow_ups.user_id AND c.category = 'follow_up'
        AND c.resolved_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > companion.now())
        AND (c.metadata ->> 'follow_up_on') COLLATE "C"
            <= to_char(coalesce(on_date, companion.local_timestamp(u.timezone, companion.now())::date), 'YYYY-MM-DD')
    ORDER BY (c.metadata ->> 'follow_up_on') COLLATE "C", c.key;
END;
COMMENT ON FUNCTION companion.due_follow_ups(uuid, date) IS
'The user''s items of category follow_up whose metadata has a follow_up_on of this date or before, and that resolve_user_context() has not marked as asked; the oldest first. on_date: NULL for the user''s local today. No rows for another''s.';

CREATE INDEX user_context_follow_ups ON companion.user_context ((metadata ->> 'follow_up_on') COLLATE "C")
WHERE category = 'follow_up' AND resolved_at IS NULL;
COMMENT ON INDEX companion.user_context_follow_ups IS 'What is to be asked, by its date.';

CREATE FUNCTION companion.due_follow_ups_all(max_rows integer DEFAULT 100)
RETURNS SETOF companion.context_item
LANGUAGE sql STABLE ROWS 100
BEGIN ATOMIC
    SELECT c.user_id, c.id, c.category, c.key, c.value, c.importance, c.emotional_valence,
           c.source, c.source_message_id, c.metadata, c.pinned, c.expires_at, c.resolved_at,
           c.confirmations, c.confirmed_at, c.last_referenced_at, c.value_since,
           c.previous_value, c.previous_source, c.previous_since, c.contradicted_by,
           c.created_at, c.updated_at, c.last_used_at
    FROM companion.user_context AS c
    JOIN companion.users AS u ON u.id = c.user_id
    CROSS JOIN LATERAL (SELECT companion.local_timestamp(u.timezone, companion.now()) AS at) AS local
    WHERE c.category = 'follow_up' AND c.resolved_at IS NULL
        AND (c.expires_at IS NULL OR c.expires_at > companion.now())
        -- what may be due anywhere, by the index
        AND (c.metadata ->> 'follow_up_on') COLLATE "C"
            <= to_char((companion.now() AT TIME ZONE 'UTC') + interval '14 hours', 'YYYY-MM-DD')
        AND (c.metadata ->> 'follow_up_on') COLLATE "C" <= to_char(local.at, 'YYYY-MM-DD')
        AND local.at::time >= coalesce(u.checkin_time, '09:00')
        AND NOT EXISTS (  -- dispatch has yet to come to today's check-in
            SELECT FROM companion.dispatch_state AS s
            WHERE s.previous_tick
                < companion.checkin_instant(u.timezone, local.at::date, u.checkin_time))
        AND (u.suspended_until IS NULL OR u.suspended_until <= companion.now())
        AND (u.checkin_paused_until IS NULL OR u.checkin_paused_until <= companion.now())
        AND NOT EXISTS (
            SELECT FROM companion.scheduled_messages AS m
            WHERE m.user_id = c.user_id
                AND m.idempotency_key = companion.checkin_key(local.at::date)
                AND m.status IN ('pending', 'sent', 'unknown'))
    ORDER BY (c.metadata ->> 'follow_up_on') COLLATE "C", c.user_id, c.key
    LIMIT max_rows;
END;
COMMENT ON FUNCTION companion.due_follow_ups_all(integer) IS
'due_follow_ups() over all users, for a worker that asks them by a message of its own: the oldest first, from each user''s check-in time on their own wall clock, 09:00 where there is none, until midnight. Left out are users who are paused or suspended, and those whom today''s check-in asks: one is pending or was sent, or dispatch has yet to come to it. mark_sent(resolves) marks what was asked. max_rows NULL: all of them. Error 2201W for a negative one.';

CREATE FUNCTION companion.claim_messages(
    worker text, max_messages integer DEFAULT 50, lease interval DEFAULT '5 minutes',
    channels text[] DEFAULT NULL, kinds text[] DEFAULT NULL)
RETURNS TABLE (
    user_id uuid, message_id uuid, attempt integer, kind text, local_date date,
    scheduled_for timestamptz, late_by interval, channel text, address text, display_name text,
    companion_name text, support_style text, timezone text, content text, generation_context jsonb,
    bot text, addresses text[], longest_text integer, send_before timestamptz, tries integer,
    location text, preferences jsonb, email text, priority_level smallint, topic_key text)
LANGUAGE c ROWS 50
AS 'MODULE_PATHNAME', 'companion_claim_messages';
COMMENT ON FUNCTION companion.claim_messages(text, integer, interval, text[], text[]) IS
'Leases due messages to a worker, the oldest first, by when they are due less their kinds'' head_start, passing over what others hold, and waits for nobody. Each row carries the attempt that the worker must report with. bot and address say where it goes: of several addresses there the one that was linked last, and addresses has them all, for a channel on which every device is written to; on a channel that needs none it is the user''s id. longest_text is channels.longest_text; send_before is NULL where there is no such time; tries is how many sends of it were started before. A message past its send_before is recorded as skipped instead, or as failed where a try of it has, and so is one that was claimed companion.max_claims times in a row without a start. In its user''s quiet hours a message is put off until they end, or skipped, as its kind says; while check-ins are paused, one whose kind respects pauses is skipped. worker: 1 to 200 characters. max_messages: 1 to 10000. lease: above zero, at most a day. channels: NULL for all. kinds: NULL for all; one that no message is of brings none. Error 22023 otherwise.';

CREATE FUNCTION companion.delete_message(
    user_id uuid, message_id uuid, forget_facts boolean DEFAULT false) RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_delete_message';
COMMENT ON FUNCTION companion.delete_message(uuid, uuid, boolean) IS
'Deletes a message; false where the user has none of this id. What replied to it loses its reply_to_id, and what searches have kept of its words goes. forget_facts: what was remembered from this message alone goes, too, with its history. End users delete what they wrote, role user. Error 42501 for another''s, and as an end user for another role; 09000 where a trigger suppresses it.';

-- Every privilege on an object of the extension that is not its owner's.
CREATE VIEW companion.privileges WITH (security_invoker = true) AS
SELECT o.object, acl.privilege_type || coalesce(' (' || quote_ident(o.column_name) || ')', '') AS privilege,
       CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END AS grantee
FROM (
    SELECT format('SCHEMA %I', nspname), NULL, nspacl, nspowner
    FROM pg_namespace WHERE nspname = 'companion'
    UNION ALL
    SELECT format('TABLE %s', oid::regclass), NULL, relacl, relowner
    FROM pg_class WHERE relnamespace = 'companion'::regnamespace AND relkind IN ('r', 'v')
    UNION ALL
    SELECT format('TABLE %s', c.oid::regclass), a.attname, a.attacl, c.relowner
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND NOT a.attisdropped
    WHERE c.relnamespace = 'companion'::regnamespace
    UNION ALL
    SELECT format('%s %s', CASE prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, oid::regprocedure), NULL, coalesce(proacl, acldefault('f', proowner)), proowner
    FROM pg_proc WHERE pronamespace = 'companion'::regnamespace
) AS o (object, column_name, acl, owner)
CROSS JOIN LATERAL aclexplode(o.acl) AS acl
WHERE acl.grantee <> o.owner;
COMMENT ON VIEW companion.privileges IS
'For operators: every privilege on the extension''s schema, tables, views, functions and procedures, but for the owner''s.';
COMMENT ON COLUMN companion.privileges.object IS 'SCHEMA, TABLE (or view), FUNCTION or PROCEDURE, and its name.';
COMMENT ON COLUMN companion.privileges.privilege IS 'The privilege; with a column''s name where it is for that alone.';
COMMENT ON COLUMN companion.privileges.grantee IS 'The role that has it, or PUBLIC.';

-- Rights: what is new only, so that what the app has granted and revoked since stays. What
-- the extension gives is noted anew, for pg_dump: with its new owner and the new grants, and
-- without what default privileges gave when it was installed, which goes.
DO $$
DECLARE
    noted jsonb := (
        SELECT jsonb_agg(to_jsonb(i) - 'initprivs' || jsonb_build_object('items', i.initprivs::text[]))
        FROM pg_init_privs AS i JOIN pg_depend AS d ON d.classid = i.classoid AND d.objid = i.objoid
        JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'companion'
        WHERE i.privtype = 'e' AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e');
    old_owner text := (SELECT extowner::regrole FROM pg_extension WHERE extname = 'companion');
    member record;
    relation regclass;
    callers text;
    functions text;
    callable text;
    theirs text;
    ours text[];
    given record;
    made jsonb;
BEGIN
    FOR member IN
        SELECT i.type, i.identity FROM pg_depend AS d
        JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'companion'
        CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) AS i
        WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
            AND i.type IN ('schema', 'table', 'view', 'function', 'procedure')
        UNION ALL
        SELECT 'type', oid::regclass::text FROM pg_class
        WHERE relnamespace = 'companion'::regnamespace AND relkind = 'c'
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO companion_owner', member.type, member.identity);
    END LOOP;

    FOR member IN
        SELECT DISTINCT replace(upper(o.type), 'VIEW', 'TABLE') AS type, o.identity,
               CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END AS grantee
        FROM pg_init_privs AS i CROSS JOIN LATERAL aclexplode(i.initprivs) AS acl
        CROSS JOIN LATERAL pg_identify_object(i.classoid, i.objoid, 0) AS o
        WHERE (o.schema = 'companion' OR o.identity = 'companion')
            AND o.type IN ('schema', 'table', 'view', 'function')
            AND acl.grantee::regrole::text <> ALL (ARRAY['companion_user', 'companion_worker',
                                                         'companion_admin', old_owner])
        UNION
        SELECT replace(upper(o.type), 'VIEW', 'TABLE'), o.identity,
               CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END
        FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'companion'
        CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) AS o
        LEFT JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
        LEFT JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
        CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, p.proacl, acldefault('f', p.proowner))) AS acl
        WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
            AND acl.grantee <> coalesce(c.relowner, p.proowner)
            AND NOT EXISTS (SELECT FROM jsonb_array_elements(noted) AS n
                            WHERE (n ->> 'objoid')::oid = d.objid AND (n ->> 'classoid')::oid = d.classid)
    LOOP
        EXECUTE format('REVOKE ALL ON %s %s FROM %s', member.type, member.identity, member.grantee);
    END LOOP;

    GRANT USAGE ON SCHEMA companion TO companion_runtime, companion_monitor;
    GRANT SELECT ON companion.channels TO companion_user, companion_worker;
    GRANT SELECT, INSERT, UPDATE, DELETE ON companion.channels TO companion_admin;
    GRANT SELECT ON companion.kinds TO companion_user, companion_worker, companion_monitor;
    GRANT SELECT, INSERT, UPDATE, DELETE ON companion.kinds TO companion_admin;
    GRANT SELECT ON companion.caps TO companion_user, companion_worker, companion_monitor;
    GRANT SELECT, INSERT, UPDATE, DELETE ON companion.caps TO companion_admin;
    GRANT SELECT ON companion.cap_starts TO companion_worker, companion_admin;
    GRANT SELECT ON companion.shard TO companion_worker, companion_admin, companion_monitor;
    GRANT SELECT ON companion.directory, companion.address_reservations, companion.directory_changes
    TO companion_worker, companion_admin;
    GRANT SELECT ON companion.sending_pauses, companion.channel_throttles TO companion_worker, companion_monitor;
    GRANT SELECT, DELETE ON companion.channel_throttles TO companion_admin;
    GRANT SELECT ON companion.send_rates TO companion_admin, companion_monitor;
    GRANT SELECT, DELETE ON companion.sending_pauses TO companion_admin;
    GRANT SELECT ON companion.addresses TO companion_user, companion_worker;
    GRANT SELECT, INSERT, UPDATE, DELETE ON companion.addresses TO companion_admin;
    GRANT SELECT ON companion.rekeyed_ids TO companion_user, companion_worker, companion_admin;
    GRANT DELETE ON companion.rekeyed_ids TO companion_admin;
    GRANT SELECT ON companion.early_edits TO companion_user, companion_worker, companion_admin;
    GRANT DELETE ON companion.early_edits TO companion_admin;
    GRANT SELECT ON companion.dispatch_recheck TO companion_worker, companion_admin;
    GRANT SELECT, DELETE ON companion.erased_users TO companion_admin;
    GRANT SELECT ON companion.dispatch_queue, companion.dispatch_state, companion.dispatch_recheck
    TO companion_monitor;
    GRANT SELECT (user_id, id, kind, local_date, timezone, scheduled_for, send_before, status, attempts, channel,
                  failure_reason, sent_at, finished_at, worker, created_at)
    ON companion.scheduled_messages TO companion_monitor;
    GRANT SELECT (channel, disabled_at) ON companion.addresses TO companion_monitor;
    GRANT SELECT (id, since) ON companion.directory_changes TO companion_monitor;
    GRANT SELECT ON companion.queue_head, companion.recently_finished TO companion_admin, companion_monitor;
    GRANT SELECT ON companion.context_embeddings, companion.forgotten_facts
    TO companion_user, companion_worker, companion_admin;
    GRANT SELECT ON companion.context_categories TO companion_user, companion_worker;
    GRANT SELECT, INSERT, UPDATE, DELETE ON companion.context_categories TO companion_admin;
    FOR relation IN SELECT oid FROM pg_class
        WHERE relnamespace = 'companion'::regnamespace AND relkind = 'r'
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO companion_runtime', relation);
    END LOOP;
    GRANT SELECT ON companion.personal_tables TO companion_runtime;
    GRANT SELECT ON companion.privileges TO companion_admin;
    FOR callers, functions IN VALUES
        ('companion_user, companion_worker, companion_admin, companion_runtime',
         'uuid_v7(timestamptz) new_user_id local_timestamp quiet_until choose_channel
          usable_channel address_key channel_address recall_score normalized folded
          is_same_text cosine_similarity day_as_seen'),
        ('companion_runtime',
         'current_user_id now uuid_v7() checkin_instant end_of_day'),
        ('companion_user, companion_worker, companion_admin, companion_monitor, companion_runtime',
         'shard_of'),
        ('companion_worker, companion_admin',
         'link_token_shard link_token_owner take_reservation settle_reservation
          link_wanted_address directory_change_done directory_reserve directory_confirm
          directory_release directory_lookup'),
        ('companion_monitor',
         'now is_pg_crons'),
        ('companion_admin, companion_monitor',
         'health metrics check_dispatch check_jobs check_queue check_outcomes
          check_addresses check_directory check_server check_definition role_faults'),
        ('companion_runtime',
         'search_rank search_excerpt search_text checkin_key checkins_due checkins_nearby
          checkin_refused suspended_reason unknown_start paused_reason
          not_onboarded_reason opted_out_reason weekday_reason is_too_close is_overtaken
          checkin_skipped after_quiet_hours not_covered_since checkins_foretold
          checkin_outcome clock_reading cap_full sending_paused after_policy
          with_statement joined_statements fact_hash merged_json keeps_history meaning_of'),
        ('companion_worker, companion_admin, companion_runtime',
         'imported_id is_time_ordered old_id'),
        ('companion_user, companion_worker, companion_admin',
         'next_checkin sent_today put_user cancel_message cancel_messages upcoming
          explain_checkin add_message delete_message recent_messages upsert_user_context
          upsert_user_context_many(uuid,jsonb,text)
          upsert_user_context_many(uuid,text,text) update_user_context recall_user_context
          user_context_prompt memory_report due_follow_ups forget_user_context
          create_telegram_link_token unlink_address'),
        ('companion_worker, companion_admin',
         'link_address(uuid,text,text,text) link_address(uuid,text,bigint,text)
          record_incoming(text,text,text,bigint,bigint,jsonb,interval,text,text,text)
          record_incoming(text,bigint,text,bigint,bigint,jsonb,interval,text,text,text)
          disable_address edit_message schedule_message reschedule_message
          annotate_message retry_message dispatch dispatch_batch run_dispatch
          due_follow_ups_all set_embedding items_without_embedding checkin_key'),
        ('companion_worker',
         'claim_messages mark_sent mark_sent_many mark_failed mark_failed_many
          release_message release_message_many redeem_telegram_link_token'),
        ('companion_admin',
         'pause_sending resume_sending'),
        ('companion_worker, companion_admin',
         'throttle_channel'),
        ('companion_admin',
         'set_shard set_directory retry_failed run_maintenance apply_retention
          expire_messages expire_addresses expire_reservations expire_early_edits
          expire_cap_starts expire_job_runs merge_context_items forget_redeem_failures
          follow_auth_users unfollow_auth_users adopt_users import_users
          import_conversations import_messages import_user_context
          import_scheduled_messages is_pg_crons require_pg_cron require_databases
          require_job_login job_command schedule_jobs unschedule_jobs')
    LOOP
        FOREACH callable IN ARRAY regexp_split_to_array(functions, '[[:space:]]+') LOOP
            EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %s',
                           CASE WHEN callable LIKE '%(%' THEN ('companion.' || callable)::regprocedure
                                ELSE ('companion.' || callable)::regproc::regprocedure END, callers);
        END LOOP;
    END LOOP;

    -- Supabase's roles. Before PostgreSQL 16 a role that does not inherit has what is granted to
    -- itself only, and a policy is for it only if it names it.
    FOR theirs, ours IN VALUES
        ('authenticated', ARRAY['companion_user']),
        ('service_role', ARRAY['companion_worker', 'companion_admin'])
    LOOP
        CONTINUE WHEN to_regrole(theirs) IS NULL;
        IF current_setting('server_version_num')::integer >= 160000 THEN
            EXECUTE format('GRANT %s TO %I WITH INHERIT TRUE', array_to_string(ours, ', '), theirs);
            CONTINUE;
        END IF;
        EXECUTE format('GRANT %s TO %I', array_to_string(ours, ', '), theirs);
        FOR given IN SELECT DISTINCT object, privilege FROM companion.privileges WHERE grantee = ANY (ours)
        LOOP
            EXECUTE format('GRANT %s ON %s TO %I', given.privilege, given.object, theirs);
        END LOOP;
        FOR given IN
            SELECT p.polname AS policy, p.polrelid::regclass AS relation,
                   string_agg(r.role::regrole::text, ', ') AS roles
            FROM pg_policy AS p CROSS JOIN LATERAL unnest(p.polroles) AS r (role)
            JOIN pg_class AS c ON c.oid = p.polrelid AND c.relnamespace = 'companion'::regnamespace
            GROUP BY p.oid, p.polname, p.polrelid
            HAVING bool_or(r.role::regrole::text = ANY (ours))
        LOOP
            EXECUTE format('ALTER POLICY %I ON %s TO %s, %I',
                           given.policy, given.relation, given.roles, theirs);
        END LOOP;
    END LOOP;

    made := (
        SELECT jsonb_object_agg(objoid, initprivs::text[]) FROM pg_init_privs
        WHERE privtype = 'e' AND classoid = 'pg_proc'::regclass);
    FOR given IN
        SELECT p.oid::regprocedure AS function, r.is_given,
               CASE r.grantee WHEN 0 THEN 'PUBLIC' ELSE r.grantee::regrole::text END AS grantee,
               CASE WHEN r.is_grantable THEN 'WITH GRANT OPTION' END AS option
        FROM jsonb_to_recordset(current_setting('update_of_companion.rights')::jsonb)
            AS r (oid oid, name name, grantee oid, is_given boolean, is_grantable boolean)
        JOIN pg_proc AS p ON p.proname = r.name AND p.pronamespace = 'companion'::regnamespace AND p.oid <> r.oid
    LOOP
        IF given.is_given THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s %s', given.function, given.grantee, given.option);
        ELSE
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM %s', given.function, given.grantee);
        END IF;
    END LOOP;
    UPDATE pg_init_privs SET initprivs = ARRAY(SELECT jsonb_array_elements_text(made -> objoid::text)::aclitem)
    WHERE privtype = 'e' AND classoid = 'pg_proc'::regclass AND made ? objoid::text;

    UPDATE pg_init_privs AS i SET initprivs = (
        SELECT array_agg(format('%s=%s/companion_owner',
                                CASE item[1] WHEN old_owner THEN 'companion_owner' ELSE item[1] END,
                                item[2])::aclitem)
        FROM jsonb_array_elements_text(n -> 'items')
        CROSS JOIN LATERAL regexp_match(value, '^(.*)=([a-zA-Z*]*)/') AS item
        WHERE item[1] IN (old_owner, 'companion_user', 'companion_worker', 'companion_admin'))
        || ARRAY(SELECT item FROM unnest(i.initprivs) AS item
                 WHERE split_part(item::text, '=', 1) IN ('companion_runtime', 'companion_monitor', 'authenticated', 'service_role'))
    FROM jsonb_array_elements(noted) AS n
    WHERE i.privtype = 'e' AND i.objoid = (n ->> 'objoid')::oid
        AND i.classoid = (n ->> 'classoid')::oid AND i.objsubid = (n ->> 'objsubid')::integer;
END
$$;

-- Memory: items whose keys 0.1.0 took for different, and that are the same now. Of several the user's word
-- stays, else the latest stated; another value of the others goes to the history.
SELECT companion.merge_context_items();
