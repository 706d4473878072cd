
-- What goes by an address, which only the directory knows.

CREATE FUNCTION companion.put_user(user_id uuid, settings jsonb) RETURNS companion.users
LANGUAGE plpgsql
AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.put_user(user_id, settings);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.put_user(user_id, settings);
    ELSE
        RETURN companion_as_user.put_user(user_id, settings, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;
COMMENT ON FUNCTION companion.put_user(uuid, jsonb) IS 'As on a shard; run on that of the user.';

CREATE FUNCTION companion.record_incoming(
    channel text, channel_user_id text, content text, telegram_message_id bigint DEFAULT NULL,
    reply_to_telegram_id bigint DEFAULT NULL, metadata jsonb DEFAULT NULL, idle interval DEFAULT '24:00:00',
    bot text DEFAULT '', external_id text DEFAULT NULL, reply_to_external_id text DEFAULT NULL)
RETURNS TABLE (user_id uuid, conversation_id uuid, message_id uuid, is_new boolean, cancelled integer)
LANGUAGE plpgsql
AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.record_incoming(companion_router.number_of(companion_router.uuid_in($2)), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_worker.record_incoming(companion_router.number_of(companion_router.uuid_in($2)), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.redeem_telegram_link_token(
    token text, telegram_user_id bigint, telegram_username text DEFAULT NULL, bot text DEFAULT '')
RETURNS TABLE (outcome text, user_id uuid)
LANGUAGE plpgsql
AS $$
DECLARE
    named integer := companion.link_token_shard($1);
    detail text;
    hint text;
BEGIN
    -- What is no token goes always to the same shard for an account, which counts its failures
    IF named IS NULL OR NOT EXISTS (SELECT FROM companion_router.shards AS s WHERE s.number = named) THEN
        named := abs($2 % (SELECT c.shards FROM companion_router.shard_count AS c));
    END IF;
    RETURN QUERY SELECT * FROM companion_as_worker.redeem_telegram_link_token(named, $1, $2, $3, $4);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;
COMMENT ON FUNCTION companion.redeem_telegram_link_token(text, bigint, text, text) IS
'As on a shard; run on the one that the token names.';
