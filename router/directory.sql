
-- What goes by an address, which only the directory knows: it reserves, the user's shard links by the
-- reservation, the directory confirms. What is left between is settled by whoever comes to it next, and by
-- run_maintenance().

CREATE FUNCTION companion_router.set_directory(conninfo text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    theirs record;
    detail text;
    hint text;
BEGIN
    PERFORM companion_router.put_server('companion_directory', conninfo);
    SELECT * INTO theirs FROM companion_router.introduce('companion_directory');
    IF theirs.shards IS NULL OR theirs.shard IS NOT NULL
        OR theirs.shards <> (SELECT c.shards FROM companion_router.shard_count AS c) THEN
        RAISE EXCEPTION 'the database is not the directory of these shards'
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = CASE WHEN theirs.shards IS NULL THEN 'It has not been told so: companion.set_directory().'
                       WHEN theirs.shard IS NOT NULL THEN format('It is shard %s.', theirs.shard)
                       ELSE format('It is that of %s shards.', theirs.shards) END;
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;
COMMENT ON FUNCTION companion_router.set_directory(text) IS
'Says where the directory is, or is now. conninfo as of add_shard(). Error 55000 for another database than the directory of as many shards, 08001 where it does not answer. For superusers.';

CREATE UNLOGGED TABLE companion_router.known_addresses (
    channel text COLLATE "C",
    address text COLLATE "C",
    bot text COLLATE "C",
    user_id uuid NOT NULL,
    PRIMARY KEY (channel, address, bot)
);
COMMENT ON TABLE companion_router.known_addresses IS
'Where messages have come from, as it was named, and whose the directory said that it was: what need not be looked up again, also while the directory is down. Their shard says whether it is so still. Internal.';
COMMENT ON COLUMN companion_router.known_addresses.channel IS 'The channel.';
COMMENT ON COLUMN companion_router.known_addresses.address IS 'The address.';
COMMENT ON COLUMN companion_router.known_addresses.bot IS 'The bot.';
COMMENT ON COLUMN companion_router.known_addresses.user_id IS 'Whose it was.';

-- Tells the directory what has become of one of its entries.
CREATE FUNCTION companion_router.settle(
    user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamptz) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    outcome text;
    owner uuid;
BEGIN
    SELECT s.outcome, s.owner INTO outcome, owner
    FROM companion.settle_reservation(user_id, channel, address, bot, reservation, expires_at) AS s;
    CASE outcome
        WHEN 'linked' THEN
            PERFORM companion.directory_confirm(owner, channel, address, bot, reservation);
        WHEN 'void' THEN
            PERFORM companion.directory_release(channel, address, bot, reservation);
        ELSE
            NULL; -- a newer reservation, which another is seeing to
    END CASE;
    RETURN outcome;
END
$$;
COMMENT ON FUNCTION companion_router.settle(uuid, text, text, text, bigint, timestamptz) IS
'Asks a user''s shard what has become of an entry of the directory, confirms or releases it, and returns the answer: linked, void or newer. Internal.';

-- Who else wants the address may have settled the reservation before it was used, and the shard's clock may be past it.
CREATE FUNCTION companion_router.may_reserve_again(attempt integer, message text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF attempt = 20 OR message !~ '^the (reservation|account is reserved|address is not reserved)' THEN
        RETURN false;
    END IF;
    PERFORM pg_sleep(random() * attempt * 0.002);
    RETURN true;
END
$$;
COMMENT ON FUNCTION companion_router.may_reserve_again(integer, text) IS
'Whether what has failed with this message is to be tried again, with another reservation; waits for some milliseconds. Internal.';

CREATE FUNCTION companion_router.reserve(
    user_id uuid, channel text, address text, bot text, OUT reservation bigint, OUT expires_at timestamptz, OUT owner uuid)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    outcome text;
    entry record;
BEGIN
    FOR attempt IN 1..20 LOOP
        SELECT r.outcome, r.reservation, r.expires_at, r.owner INTO outcome, reservation, expires_at, owner
        FROM companion.directory_reserve(user_id, channel, address, bot) AS r;
        IF outcome = 'reserved' THEN
            owner := NULL;
            PERFORM companion.take_reservation(user_id, channel, address, bot, reservation, expires_at);
            RETURN;
        END IF;
        -- It may have been unlinked, or never linked, and nobody has said so yet
        SELECT * INTO entry FROM companion.directory_lookup(channel, address, bot);
        EXIT WHEN entry.user_id IS NOT NULL AND companion_router.settle(
            entry.user_id, channel, address, entry.found_bot, entry.reservation, entry.expires_at) = 'linked';
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion_router.reserve(uuid, text, text, text) IS
'Reserves an address in the directory and gives the reservation to the user''s shard; where it is another''s, says whose, and no reservation. Internal.';

CREATE FUNCTION companion_router.conclude(
    user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamptz, is_linked boolean)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF is_linked THEN
        PERFORM companion.directory_confirm(user_id, channel, address, bot, reservation);
    ELSE
        PERFORM companion_router.settle(user_id, channel, address, bot, reservation, expires_at);
    END IF;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM,
        DETAIL = 'What a shard has linked will be told the directory by run_maintenance().';
END
$$;
COMMENT ON FUNCTION companion_router.conclude(uuid, text, text, text, bigint, timestamptz, boolean) IS
'Tells the directory what has come of a reservation; where it cannot, run_maintenance() does later. Internal.';

CREATE FUNCTION companion_router.link_once(user_id uuid, channel text, address text, bot text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    given record;
    outcome text;
    detail text;
    hint text;
BEGIN
    given := companion_router.reserve(user_id, channel, address, bot);
    IF given.owner IS NOT NULL THEN
        RETURN 'taken';
    END IF;
    BEGIN
        IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
            outcome := companion_as_admin.link_address(companion_router.number_of(user_id), user_id, channel, address, bot);
        ELSE
            outcome := companion_as_worker.link_address(companion_router.number_of(user_id), user_id, channel, address, bot);
        END IF;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        PERFORM companion_router.conclude(user_id, channel, address, bot, given.reservation, given.expires_at, false);
        PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
    END;
    PERFORM companion_router.conclude(user_id, channel, address, bot, given.reservation, given.expires_at, outcome = 'linked');
    RETURN outcome;
END
$$;
COMMENT ON FUNCTION companion_router.link_once(uuid, text, text, text) IS
'link_address() by one reservation. Internal.';

CREATE FUNCTION companion.link_address(user_id uuid, channel text, address text, bot text DEFAULT '') RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    attempt integer := 0;
BEGIN
    LOOP
        attempt := attempt + 1;
        BEGIN
            RETURN companion_router.link_once(user_id, channel, address, bot);
        EXCEPTION WHEN object_not_in_prerequisite_state THEN
            IF NOT companion_router.may_reserve_again(attempt, SQLERRM) THEN
                RAISE;
            END IF;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.link_address(uuid, text, text, text) IS
'As on a shard; run on that of the user, once the directory has reserved the address.';

CREATE FUNCTION companion.link_address(user_id uuid, channel text, address_number bigint, bot text DEFAULT '') RETURNS text
LANGUAGE sql
BEGIN ATOMIC
    SELECT companion.link_address(user_id, channel, address_number::text, bot);
END;
COMMENT ON FUNCTION companion.link_address(uuid, text, bigint, text) IS
'The same for an address that is a number, as on a shard.';

CREATE FUNCTION companion_router.user_at(channel text, address text, bot text) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT l.user_id FROM companion.directory_lookup(channel, address, bot) AS l);
EXCEPTION WHEN data_exception THEN
    RETURN NULL; -- no address, which a shard says as it says it
END
$$;
COMMENT ON FUNCTION companion_router.user_at(text, text, text) IS 'Whose an address is by the directory; NULL: nobody''s. Internal.';

-- The cache is written with the router's rights: nobody else may say whose an address is.
CREATE FUNCTION companion_router.known_address(channel text, address text, bot text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT k.user_id FROM companion_router.known_addresses AS k
    WHERE k.channel = known_address.channel AND k.address = known_address.address AND k.bot = known_address.bot;
END;
COMMENT ON FUNCTION companion_router.known_address(text, text, text) IS 'Reads known_addresses. Internal.';

CREATE FUNCTION companion_router.know_address(channel text, address text, bot text, user_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO companion_router.known_addresses AS k (channel, address, bot, user_id)
    VALUES (channel, address, bot, user_id)
    ON CONFLICT ON CONSTRAINT known_addresses_pkey DO UPDATE SET user_id = excluded.user_id
    WHERE k.user_id <> excluded.user_id;
END;
COMMENT ON FUNCTION companion_router.know_address(text, text, text, uuid) IS 'Writes known_addresses. Internal.';

CREATE FUNCTION companion.record_incoming(
    channel text, channel_user_id text, content text, telegram_message_id bigint DEFAULT NULL,
    reply_to_telegram_id bigint DEFAULT NULL, metadata jsonb DEFAULT NULL, idle interval DEFAULT '24:00:00',
    bot text DEFAULT '', external_id text DEFAULT NULL, reply_to_external_id text DEFAULT NULL)
RETURNS TABLE (user_id uuid, conversation_id uuid, message_id uuid, is_new boolean, cancelled integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known uuid := CASE $1 WHEN 'web' THEN companion_router.uuid_in($2) ELSE companion_router.known_address($1, $2, $8) END;
    owner uuid := known;
    shard integer;
    detail text;
    hint text;
BEGIN
    LOOP
        IF owner IS NULL AND $1 <> 'web' THEN
            owner := companion_router.user_at($1, $2, $8);
        END IF;
        -- A channel that needs no address has the user's id for one; what is nobody's, any shard says so of
        shard := companion_router.number_of(coalesce(owner, companion_router.uuid_in($2)));
        IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
            RETURN QUERY SELECT * FROM companion_as_admin.record_incoming(shard, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10);
        ELSE
            RETURN QUERY SELECT * FROM companion_as_worker.record_incoming(shard, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10);
        END IF;
        EXIT WHEN FOUND OR known IS NULL OR $1 = 'web';
        known := NULL;
        owner := NULL;
    END LOOP;
    IF owner IS NOT NULL AND known IS NULL THEN
        PERFORM companion_router.know_address($1, $2, $8, owner);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;
COMMENT ON FUNCTION companion.record_incoming(text, text, text, bigint, bigint, jsonb, interval, text, text, text) IS
'As on a shard; run on that of the user who has the address, by the directory, which is asked for an address that no message came from before.';

CREATE FUNCTION companion.record_incoming(
    channel text, channel_user_number bigint, content text, telegram_message_id bigint DEFAULT NULL,
    reply_to_telegram_id bigint DEFAULT NULL, metadata jsonb DEFAULT NULL, idle interval DEFAULT '24:00:00',
    bot text DEFAULT '', external_id text DEFAULT NULL, reply_to_external_id text DEFAULT NULL)
RETURNS TABLE (user_id uuid, conversation_id uuid, message_id uuid, is_new boolean, cancelled integer)
LANGUAGE plpgsql ROWS 1 SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF channel_user_number IS NULL THEN
        RAISE EXCEPTION 'argument "channel_user_number" must not be null' USING ERRCODE = '22004';
    END IF;
    RETURN QUERY SELECT * FROM companion.record_incoming($1, $2::text, $3, $4, $5, $6, $7, $8, $9, $10);
END
$$;
COMMENT ON FUNCTION companion.record_incoming(text, bigint, text, bigint, bigint, jsonb, interval, text, text, text) IS
'The same for an address that is a number, as on a shard.';

CREATE FUNCTION companion.link_token_owner(token text, bot text DEFAULT '') RETURNS TABLE (user_id uuid, for_bot text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shard integer := companion_router.shard_of_token(token, 0);
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.link_token_owner(shard, token, bot);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_worker.link_token_owner(shard, token, bot);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;
COMMENT ON FUNCTION companion.link_token_owner(text, text) IS 'As on a shard; run on the one that the token names.';

CREATE FUNCTION companion_router.shard_of_token(token text, account bigint) RETURNS integer
LANGUAGE sql STABLE
BEGIN ATOMIC
    -- What is no token goes always to the same shard for an account, which counts its failures
    SELECT coalesce((SELECT s.number FROM companion_router.shards AS s WHERE s.number = companion.link_token_shard(token)),
                    abs(account % c.shards)::integer)
    FROM companion_router.shard_count AS c;
END;
COMMENT ON FUNCTION companion_router.shard_of_token(text, bigint) IS
'The shard that a link token names; for another text, one of them. Internal.';

CREATE FUNCTION companion_router.redeem_once(
    token text, telegram_user_id bigint, telegram_username text, bot text, OUT outcome text, OUT user_id uuid)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner record;
    given record;
    detail text;
    hint text;
BEGIN
    SELECT o.user_id, o.for_bot INTO owner FROM companion.link_token_owner($1, $4) AS o;
    IF owner.user_id IS NOT NULL THEN
        given := companion_router.reserve(owner.user_id, 'telegram', $2::text, owner.for_bot);
        IF given.owner IS NOT NULL THEN
            outcome := 'taken';
            RETURN;
        END IF;
    END IF;
    BEGIN
        SELECT r.outcome, r.user_id INTO outcome, user_id
        FROM companion_as_worker.redeem_telegram_link_token(companion_router.shard_of_token($1, $2), $1, $2, $3, $4) AS r;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        IF owner.user_id IS NOT NULL THEN
            PERFORM companion_router.conclude(owner.user_id, 'telegram', $2::text, owner.for_bot, given.reservation, given.expires_at, false);
        END IF;
        PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
    END;
    IF owner.user_id IS NOT NULL THEN
        PERFORM companion_router.conclude(owner.user_id, 'telegram', $2::text, owner.for_bot, given.reservation, given.expires_at, outcome = 'linked');
    END IF;
END
$$;
COMMENT ON FUNCTION companion_router.redeem_once(text, bigint, text, text) IS
'redeem_telegram_link_token() by one reservation. Internal.';

CREATE FUNCTION companion.redeem_telegram_link_token(
    token text, telegram_user_id bigint, telegram_username text DEFAULT NULL, bot text DEFAULT '')
RETURNS TABLE (outcome text, user_id uuid)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    attempt integer := 0;
BEGIN
    LOOP
        attempt := attempt + 1;
        BEGIN
            RETURN QUERY SELECT * FROM companion_router.redeem_once($1, $2, $3, $4);
            RETURN;
        EXCEPTION WHEN object_not_in_prerequisite_state THEN
            IF NOT companion_router.may_reserve_again(attempt, SQLERRM) THEN
                RAISE;
            END IF;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.redeem_telegram_link_token(text, bigint, text, text) IS
'As on a shard; run on the one that the token names, once the directory has reserved the account.';

CREATE FUNCTION companion_router.put_user_on(shard integer, user_id uuid, settings jsonb) RETURNS companion.users
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.put_user(shard, user_id, settings);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.put_user(shard, user_id, settings);
    ELSE
        RETURN companion_as_user.put_user(shard, user_id, settings, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;
COMMENT ON FUNCTION companion_router.put_user_on(integer, uuid, jsonb) IS 'put_user() on a shard. Internal.';

CREATE FUNCTION companion_router.settle_entry(channel text, address text, bot text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM companion_router.settle(l.user_id, channel, address, l.found_bot, l.reservation, l.expires_at)
    FROM companion.directory_lookup(channel, address, bot) AS l WHERE NOT l.is_confirmed;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM,
        DETAIL = 'What a shard has linked will be told the directory by run_maintenance().';
END
$$;
COMMENT ON FUNCTION companion_router.settle_entry(text, text, text) IS
'Settles what the directory has of an address and is not confirmed. Internal.';

CREATE FUNCTION companion_router.settle_accounts(accounts jsonb) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT companion_router.settle_entry(a.key, a.value, '') FROM jsonb_each_text(accounts) AS a;
END;
COMMENT ON FUNCTION companion_router.settle_accounts(jsonb) IS
'Settles what the directory has of these accounts and is not confirmed. Internal.';

CREATE FUNCTION companion_router.put_user_once(accounts jsonb, settings jsonb) RETURNS companion.users
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner uuid;
    is_known boolean;
    account record;
    given record;
    row companion.users;
BEGIN
    SELECT a.owner INTO owner
    FROM (SELECT e.key, companion_router.user_at(e.key, e.value, NULL) AS owner FROM jsonb_each_text(accounts) AS e) AS a
    WHERE a.owner IS NOT NULL ORDER BY a.key LIMIT 1;
    is_known := owner IS NOT NULL;
    owner := coalesce(owner, companion.new_user_id());
    FOR account IN SELECT a.key AS channel, a.value AS address FROM jsonb_each_text(accounts) AS a ORDER BY a.key LOOP
        BEGIN
            given := companion_router.reserve(owner, account.channel, account.address, '');
            IF NOT is_known AND given.owner IS NOT NULL THEN
                owner := given.owner;
                is_known := true;
            END IF;
        EXCEPTION WHEN data_exception THEN
            NULL; -- no account, which the shard says as it says it
        END;
    END LOOP;
    BEGIN
        row := companion_router.put_user_on(companion_router.number_of(owner), NULL, settings);
    EXCEPTION WHEN OTHERS THEN
        PERFORM companion_router.settle_accounts(accounts);
        RAISE;
    END;
    PERFORM companion_router.settle_accounts(accounts);
    RETURN row;
END
$$;
COMMENT ON FUNCTION companion_router.put_user_once(jsonb, jsonb) IS
'put_user() of whoever has these accounts, or of a new user who gets them, by one reservation each. Internal.';

CREATE FUNCTION companion.put_user(user_id uuid, settings jsonb) RETURNS companion.users
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts constant jsonb := CASE WHEN user_id IS NULL AND jsonb_typeof(settings) = 'object'
            AND (pg_catalog.pg_has_role('companion_worker', 'usage') OR pg_catalog.pg_has_role('companion_admin', 'usage'))
        THEN jsonb_strip_nulls(jsonb_build_object('telegram', settings -> 'telegram_user_id', 'whatsapp', settings -> 'whatsapp_number'))
        ELSE '{}' END;
    attempt integer := 0;
BEGIN
    IF accounts = '{}' THEN
        RETURN companion_router.put_user_on(companion_router.number_of(user_id), user_id, settings);
    END IF;
    LOOP
        attempt := attempt + 1;
        BEGIN
            RETURN companion_router.put_user_once(accounts, settings);
        EXCEPTION WHEN object_not_in_prerequisite_state THEN
            IF NOT companion_router.may_reserve_again(attempt, SQLERRM) THEN
                RAISE;
            END IF;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.put_user(uuid, jsonb) IS
'As on a shard; run on that of the user, whom with NULL the directory knows by their account, or has a new one reserved for.';

-- What is left to settle: for run_maintenance(), an admin's.
CREATE FUNCTION companion_as_admin.unconfirmed(max_rows integer)
RETURNS TABLE (user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamptz)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
AS $$
    CLUSTER 'companion_directory';
    SELECT d.user_id, d.channel, d.address, d.bot, d.reservation, d.expires_at FROM companion.directory AS d
    WHERE d.confirmed_at IS NULL AND d.expires_at < companion.now() ORDER BY d.expires_at LIMIT $1::integer;
$$;
COMMENT ON FUNCTION companion_as_admin.unconfirmed(integer) IS 'Goes to the directory as companion_admin: entries that nobody has confirmed in time. Internal.';

CREATE FUNCTION companion_as_admin.directory_changes(shard integer, max_rows integer)
RETURNS TABLE (user_id uuid, id uuid, channel text, address text, bot text, is_wanted boolean)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
AS $$
    CLUSTER companion_router.server($1);
    SELECT c.user_id, c.id, c.channel, c.address, c.bot, c.is_wanted FROM companion.directory_changes AS c
    ORDER BY c.since, c.id LIMIT $2::integer;
$$;
COMMENT ON FUNCTION companion_as_admin.directory_changes(integer, integer) IS 'Goes to a shard as companion_admin: what it has for the directory. Internal.';

CREATE FUNCTION companion_router.see_to(change record) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    given record;
    outcome text;
BEGIN
    IF change.is_wanted THEN
        SELECT * INTO given FROM companion.directory_reserve(change.user_id, change.channel, change.address, change.bot);
        IF given.outcome = 'reserved' THEN
            outcome := companion.link_wanted_address(change.user_id, change.id, given.reservation, given.expires_at);
            PERFORM companion_router.settle(change.user_id, change.channel, change.address, change.bot, given.reservation, given.expires_at);
        END IF;
    ELSE
        PERFORM companion_router.settle(l.user_id, change.channel, change.address, l.found_bot, l.reservation, l.expires_at)
        FROM companion.directory_lookup(change.channel, change.address, change.bot) AS l;
    END IF;
    IF outcome IS DISTINCT FROM 'linked' THEN
        PERFORM companion.directory_change_done(change.user_id, change.id);
    END IF;
END
$$;
COMMENT ON FUNCTION companion_router.see_to(record) IS
'Sees to a row of a shard''s directory_changes: reserves what is wanted and links it, settles what was unlinked. Internal.';

CREATE FUNCTION companion_router.warn_of_left(state text, message text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE WARNING USING ERRCODE = state, MESSAGE = message, DETAIL = 'The next run_maintenance() goes on.';
END
$$;
COMMENT ON FUNCTION companion_router.warn_of_left(text, text) IS
'Says in a WARNING what the directory''s maintenance has left. Internal.';

-- A shard that fails is not asked again, and named once.
CREATE FUNCTION companion_router.maintain_directory(max_rows integer DEFAULT 1000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shard integer;
    entry record;
    failed integer[] := '{}';
    settled bigint := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_foreign_server WHERE srvname = 'companion_directory') THEN
        RETURN NULL;
    END IF;
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            FOR entry IN SELECT * FROM companion_as_admin.directory_changes(shard, max_rows) LOOP
                PERFORM companion_router.see_to(entry);
                settled := settled + 1;
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            PERFORM companion_router.warn_of_left(SQLSTATE, SQLERRM);
            failed := failed || shard;
        END;
    END LOOP;
    FOR entry IN SELECT u.*, companion_router.number_of(u.user_id) AS shard FROM companion_as_admin.unconfirmed(max_rows) AS u LOOP
        CONTINUE WHEN entry.shard = ANY (failed);
        BEGIN
            PERFORM companion_router.settle(entry.user_id, entry.channel, entry.address, entry.bot, entry.reservation, entry.expires_at);
            settled := settled + 1;
        EXCEPTION WHEN OTHERS THEN
            PERFORM companion_router.warn_of_left(SQLSTATE, SQLERRM);
            failed := failed || entry.shard;
        END;
    END LOOP;
    RETURN settled;
EXCEPTION WHEN OTHERS THEN
    PERFORM companion_router.warn_of_left(SQLSTATE, SQLERRM);
    RETURN settled;
END
$$;
COMMENT ON FUNCTION companion_router.maintain_directory(integer) IS
'Settles what linking and unlinking have left between the shards and the directory, and passes over a shard that fails, with a WARNING; returns how much, NULL without a directory. Part of run_maintenance(). Internal.';
