-- Written by script/docs from the catalog of the extension companion: the same functions, each run on the shard
-- that has the user. Change router/generate.sql, not this.

-- Rows as the functions return them.
CREATE TYPE companion.context_item AS (
    user_id uuid,
    id uuid,
    category text,
    key text,
    value text,
    importance double precision,
    emotional_valence smallint,
    source text,
    source_message_id uuid,
    metadata jsonb,
    pinned boolean,
    expires_at timestamp with time zone,
    resolved_at timestamp with time zone,
    confirmations integer,
    confirmed_at timestamp with time zone,
    last_referenced_at timestamp with time zone,
    value_since timestamp with time zone,
    previous_value text,
    previous_source text,
    previous_since timestamp with time zone,
    contradicted_by text,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    last_used_at timestamp with time zone
);
COMMENT ON TYPE companion.context_item IS '    user_id uuid,
    id uuid,
    category text,
    key text,
    value text,
    importance double precision,
    emotional_valence smallint,
    source text,
    source_message_id uuid,
    metadata jsonb,
    pinned boolean,
    expires_at timestamp with time zone,
    resolved_at timestamp with time zone,
    confirmations integer,
    confirmed_at timestamp with time zone,
    last_referenced_at timestamp with time zone,
    value_since timestamp with time zone,
    previous_value text,
    previous_source text,
    previous_since timestamp with time zone,
    contradicted_by text,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    last_used_at timestamp with time zone';
CREATE TYPE companion.stored_message AS (
    user_id uuid,
    id uuid,
    conversation_id uuid,
    role text,
    content text,
    telegram_message_id bigint,
    reply_to_id uuid,
    edited_at timestamp with time zone,
    metadata jsonb,
    created_at timestamp with time zone,
    external_id text,
    channel text,
    bot text,
    address text
);
COMMENT ON TYPE companion.stored_message IS '    user_id uuid,
    id uuid,
    conversation_id uuid,
    role text,
    content text,
    telegram_message_id bigint,
    reply_to_id uuid,
    edited_at timestamp with time zone,
    metadata jsonb,
    created_at timestamp with time zone,
    external_id text,
    channel text,
    bot text,
    address text';
CREATE TYPE companion.users AS (
    id uuid,
    email text,
    display_name text,
    companion_name text,
    support_style text,
    timezone text,
    checkin_time time without time zone,
    checkin_days smallint[],
    checkin_paused_until timestamp with time zone,
    preferred_channel text,
    telegram_user_id bigint,
    telegram_username text,
    telegram_linked_at timestamp with time zone,
    whatsapp_number text,
    subscription_status text,
    subscription_expires_at timestamp with time zone,
    preferences jsonb,
    location text,
    onboarding_completed_at timestamp with time zone,
    last_user_message_at timestamp with time zone,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    suspended_until timestamp with time zone,
    usable_addresses text[],
    app_data jsonb,
    quiet_from time without time zone,
    quiet_until time without time zone
);
COMMENT ON TYPE companion.users IS '    id uuid,
    email text,
    display_name text,
    companion_name text,
    support_style text,
    timezone text,
    checkin_time time without time zone,
    checkin_days smallint[],
    checkin_paused_until timestamp with time zone,
    preferred_channel text,
    telegram_user_id bigint,
    telegram_username text,
    telegram_linked_at timestamp with time zone,
    whatsapp_number text,
    subscription_status text,
    subscription_expires_at timestamp with time zone,
    preferences jsonb,
    location text,
    onboarding_completed_at timestamp with time zone,
    last_user_message_at timestamp with time zone,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    suspended_until timestamp with time zone,
    usable_addresses text[],
    app_data jsonb,
    quiet_from time without time zone,
    quiet_until time without time zone';

-- Calls to a shard, as a role. What PL/Proxy runs here is server() alone, and a SET would cost each call something.
CREATE FUNCTION companion_as_admin.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint, text, text, text, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.add_message(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);
$$;
CREATE FUNCTION companion_as_worker.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint, text, text, text, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.add_message(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);
$$;
CREATE FUNCTION companion_as_user.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint, text, text, text, text, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.add_message(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $13, true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);
$$;
CREATE FUNCTION companion_as_admin.advance_onboarding(uuid, text, jsonb) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.advance_onboarding(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.advance_onboarding(uuid, text, jsonb) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.advance_onboarding(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_user.advance_onboarding(uuid, text, jsonb, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.advance_onboarding(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_admin.annotate_message(uuid, uuid, integer, text, jsonb) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.annotate_message(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_worker.annotate_message(uuid, uuid, integer, text, jsonb) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.annotate_message(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_admin.apply_retention(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.apply_retention(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.cancel_message(uuid, uuid, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cancel_message(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_worker.cancel_message(uuid, uuid, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cancel_message(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_user.cancel_message(uuid, uuid, text, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cancel_message(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $5, true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_admin.cancel_messages(uuid, text, text) RETURNS integer
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cancel_messages(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.cancel_messages(uuid, text, text) RETURNS integer
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cancel_messages(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_user.cancel_messages(uuid, text, text, text) RETURNS integer
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cancel_messages(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_admin.canonical_timezone(integer, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.canonical_timezone(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_worker.canonical_timezone(integer, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.canonical_timezone(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_user.canonical_timezone(integer, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.canonical_timezone(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $3, true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.checkin_instant(integer, text, date, time without time zone) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.checkin_instant(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3, $4);
$$;
CREATE FUNCTION companion_as_worker.checkin_instant(integer, text, date, time without time zone) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.checkin_instant(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4);
$$;
CREATE FUNCTION companion_as_user.checkin_instant(integer, text, date, time without time zone, text) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.checkin_instant(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $5, true) IS NOT NULL THEN $2 END, $3, $4);
$$;
CREATE FUNCTION companion_as_worker.claim_messages(integer, text, integer, interval, text[], text[]) RETURNS TABLE(user_id uuid, message_id uuid, attempt integer, kind text, local_date date, scheduled_for timestamp with time zone, late_by interval, channel text, address text, display_name text, companion_name text, support_style text, timezone text, content text, generation_context jsonb, bot text, addresses text[], longest_text integer, send_before timestamp with time zone, tries integer, location text, preferences jsonb, email text, priority_level smallint, topic_key text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.claim_messages(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4, $5, $6);
$$;
CREATE FUNCTION companion_as_admin.close_conversation(uuid, uuid, text, text[]) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.close_conversation(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_worker.close_conversation(uuid, uuid, text, text[]) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.close_conversation(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_admin.complete_onboarding(uuid) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.complete_onboarding(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_worker.complete_onboarding(uuid) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.complete_onboarding(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_user.complete_onboarding(uuid, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.complete_onboarding(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $2, true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_admin.cosine_similarity(integer, real[], real[]) RETURNS double precision
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cosine_similarity(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_worker.cosine_similarity(integer, real[], real[]) RETURNS double precision
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cosine_similarity(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_user.cosine_similarity(integer, real[], real[], text) RETURNS double precision
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.cosine_similarity(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_admin.create_telegram_link_token(uuid, interval, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.create_telegram_link_token(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.create_telegram_link_token(uuid, interval, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.create_telegram_link_token(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_user.create_telegram_link_token(uuid, interval, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.create_telegram_link_token(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_admin.delete_message(uuid, uuid, boolean) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.delete_message(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.delete_message(uuid, uuid, boolean) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.delete_message(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_user.delete_message(uuid, uuid, boolean, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.delete_message(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_admin.directory_change_done(uuid, uuid) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.directory_change_done(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_worker.directory_change_done(uuid, uuid) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.directory_change_done(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_admin.directory_confirm(uuid, text, text, text, bigint) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER 'companion_directory';
    SELECT companion.directory_confirm(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_worker.directory_confirm(uuid, text, text, text, bigint) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER 'companion_directory';
    SELECT companion.directory_confirm(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_admin.directory_lookup(text, text, text) RETURNS TABLE(user_id uuid, shard integer, found_bot text, reservation bigint, expires_at timestamp with time zone, is_confirmed boolean)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER 'companion_directory';
    SELECT * FROM companion.directory_lookup(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.directory_lookup(text, text, text) RETURNS TABLE(user_id uuid, shard integer, found_bot text, reservation bigint, expires_at timestamp with time zone, is_confirmed boolean)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER 'companion_directory';
    SELECT * FROM companion.directory_lookup(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_admin.directory_release(text, text, text, bigint) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER 'companion_directory';
    SELECT companion.directory_release(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_worker.directory_release(text, text, text, bigint) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER 'companion_directory';
    SELECT companion.directory_release(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_admin.directory_reserve(uuid, text, text, text) RETURNS TABLE(outcome text, owner uuid, reservation bigint, expires_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER 'companion_directory';
    SELECT * FROM companion.directory_reserve(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_worker.directory_reserve(uuid, text, text, text) RETURNS TABLE(outcome text, owner uuid, reservation bigint, expires_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER 'companion_directory';
    SELECT * FROM companion.directory_reserve(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_admin.disable_address(uuid, text, text, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.disable_address(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_worker.disable_address(uuid, text, text, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.disable_address(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_admin.dispatch(integer, timestamp with time zone, integer) RETURNS integer
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.dispatch(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN coalesce($2, companion.now()) END, $3);
$$;
CREATE FUNCTION companion_as_worker.dispatch(integer, timestamp with time zone, integer) RETURNS integer
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.dispatch(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN coalesce($2, companion.now()) END, $3);
$$;
CREATE FUNCTION companion_as_admin.dispatch_batch(integer, timestamp with time zone, integer) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.dispatch_batch(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN coalesce($2, companion.now()) END, $3);
$$;
CREATE FUNCTION companion_as_worker.dispatch_batch(integer, timestamp with time zone, integer) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.dispatch_batch(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN coalesce($2, companion.now()) END, $3);
$$;
CREATE FUNCTION companion_as_admin.due_follow_ups(uuid, date) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.due_follow_ups(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_worker.due_follow_ups(uuid, date) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.due_follow_ups(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_user.due_follow_ups(uuid, date, text) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.due_follow_ups(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $3, true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_admin.due_follow_ups_all(integer, integer) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.due_follow_ups_all(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_worker.due_follow_ups_all(integer, integer) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.due_follow_ups_all(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.edit_message(uuid, uuid, text, bigint, text, text, text, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.edit_message(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8);
$$;
CREATE FUNCTION companion_as_worker.edit_message(uuid, uuid, text, bigint, text, text, text, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.edit_message(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8);
$$;
CREATE FUNCTION companion_as_admin.end_of_day(uuid, date) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.end_of_day(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_worker.end_of_day(uuid, date) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.end_of_day(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_user.end_of_day(uuid, date, text) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.end_of_day(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $3, true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_admin.erase_user(uuid) RETURNS jsonb
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.erase_user(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_user.erase_user(uuid, text) RETURNS jsonb
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.erase_user(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $2, true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_admin.expire_addresses(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_addresses(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.expire_cap_starts(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_cap_starts(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.expire_early_edits(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_early_edits(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.expire_job_runs(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_job_runs(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.expire_messages(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_messages(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.expire_reservations(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_reservations(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.expire_telegram_link_tokens(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_telegram_link_tokens(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.expire_user_context(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.expire_user_context(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.explain_checkin(uuid, date) RETURNS TABLE(rule text, holds boolean, detail text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.explain_checkin(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_worker.explain_checkin(uuid, date) RETURNS TABLE(rule text, holds boolean, detail text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.explain_checkin(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_user.explain_checkin(uuid, date, text) RETURNS TABLE(rule text, holds boolean, detail text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.explain_checkin(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $3, true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_admin.export_user(uuid) RETURNS jsonb
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.export_user(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_user.export_user(uuid, text) RETURNS jsonb
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.export_user(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $2, true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_worker.extend_lease(uuid, uuid, integer, interval) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.extend_lease(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_worker.extend_lease_many(integer, uuid[], uuid[], integer[], interval) RETURNS boolean[]
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.extend_lease_many(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_admin.finish_abandoned(integer, integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.finish_abandoned(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.folded(integer, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.folded(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_worker.folded(integer, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.folded(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_user.folded(integer, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.folded(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $3, true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.forget_redeem_failures(integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN companion.forget_redeem_failures() END;
$$;
CREATE FUNCTION companion_as_admin.forget_user_context(uuid, text, text) RETURNS TABLE(items bigint, history bigint)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.forget_user_context(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.forget_user_context(uuid, text, text) RETURNS TABLE(items bigint, history bigint)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.forget_user_context(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_user.forget_user_context(uuid, text, text, text) RETURNS TABLE(items bigint, history bigint)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.forget_user_context(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_admin.health(integer, interval) RETURNS TABLE("check" text, ok boolean, value double precision, detail text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.health(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_monitor.health(integer, interval) RETURNS TABLE("check" text, ok boolean, value double precision, detail text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.health(CASE WHEN set_config('role', 'companion_monitor', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.import_conversations(integer, jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.import_conversations(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.import_messages(integer, jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.import_messages(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.import_scheduled_messages(integer, jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.import_scheduled_messages(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.import_user_context(integer, jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.import_user_context(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.import_users(integer, jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.import_users(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.imported_id(uuid, text, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.imported_id(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.imported_id(uuid, text, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.imported_id(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_admin.is_same_text(integer, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.is_same_text(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_worker.is_same_text(integer, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.is_same_text(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_user.is_same_text(integer, text, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.is_same_text(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_admin.items_without_embedding(integer, text, integer, uuid) RETURNS TABLE(user_id uuid, item_id uuid, category text, key text, value text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.items_without_embedding(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3, $4);
$$;
CREATE FUNCTION companion_as_worker.items_without_embedding(integer, text, integer, uuid) RETURNS TABLE(user_id uuid, item_id uuid, category text, key text, value text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.items_without_embedding(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4);
$$;
CREATE FUNCTION companion_as_admin.link_address(integer, uuid, text, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.link_address(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_worker.link_address(integer, uuid, text, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.link_address(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_admin.link_token_owner(integer, text, text) RETURNS TABLE(user_id uuid, for_bot text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.link_token_owner(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_worker.link_token_owner(integer, text, text) RETURNS TABLE(user_id uuid, for_bot text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.link_token_owner(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_admin.link_wanted_address(uuid, uuid, bigint, timestamp with time zone) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.link_wanted_address(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_worker.link_wanted_address(uuid, uuid, bigint, timestamp with time zone) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.link_wanted_address(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_admin.local_timestamp(integer, text, timestamp with time zone) RETURNS timestamp without time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.local_timestamp(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_worker.local_timestamp(integer, text, timestamp with time zone) RETURNS timestamp without time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.local_timestamp(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_user.local_timestamp(integer, text, timestamp with time zone, text) RETURNS timestamp without time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.local_timestamp(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_worker.mark_failed(uuid, uuid, integer, text, interval, boolean, boolean, double precision) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.mark_failed(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8);
$$;
CREATE FUNCTION companion_as_worker.mark_failed_many(integer, uuid[], uuid[], integer[], text[], interval, boolean, boolean, double precision) RETURNS boolean[]
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.mark_failed_many(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4, $5, $6, $7, $8, $9);
$$;
CREATE FUNCTION companion_as_worker.mark_sent(uuid, uuid, integer, text, bigint, text, jsonb, uuid[]) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.mark_sent(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8);
$$;
CREATE FUNCTION companion_as_worker.mark_sent_many(integer, uuid[], uuid[], integer[], text[], bigint[], text[], jsonb[], uuid[]) RETURNS boolean[]
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.mark_sent_many(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4, $5, $6, $7, $8, $9);
$$;
CREATE FUNCTION companion_as_worker.mark_skipped(uuid, uuid, integer, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.mark_skipped(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_worker.mark_skipped_many(integer, uuid[], uuid[], integer[], text[]) RETURNS boolean[]
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.mark_skipped_many(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_admin.memory_report(uuid) RETURNS TABLE(category text, key text, value text, since timestamp with time zone, source text, words text, said_at timestamp with time zone, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.memory_report(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_worker.memory_report(uuid) RETURNS TABLE(category text, key text, value text, since timestamp with time zone, source text, words text, said_at timestamp with time zone, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.memory_report(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_user.memory_report(uuid, text) RETURNS TABLE(category text, key text, value text, since timestamp with time zone, source text, words text, said_at timestamp with time zone, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.memory_report(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $2, true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_admin.merge_context_items(integer) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN companion.merge_context_items() END;
$$;
CREATE FUNCTION companion_as_admin.metrics(integer) RETURNS TABLE(name text, labels jsonb, value double precision)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT r.* FROM (SELECT set_config('role', 'companion_admin', true) IS NOT NULL) AS a (acts) CROSS JOIN LATERAL (SELECT * FROM companion.metrics() WHERE a.acts OFFSET 0) AS r;
$$;
CREATE FUNCTION companion_as_monitor.metrics(integer) RETURNS TABLE(name text, labels jsonb, value double precision)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT r.* FROM (SELECT set_config('role', 'companion_monitor', true) IS NOT NULL) AS a (acts) CROSS JOIN LATERAL (SELECT * FROM companion.metrics() WHERE a.acts OFFSET 0) AS r;
$$;
CREATE FUNCTION companion_as_admin.new_user_id(integer) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN companion.new_user_id() END;
$$;
CREATE FUNCTION companion_as_worker.new_user_id(integer) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN companion.new_user_id() END;
$$;
CREATE FUNCTION companion_as_user.new_user_id(integer, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $2, true) IS NOT NULL THEN companion.new_user_id() END;
$$;
CREATE FUNCTION companion_as_admin.next_checkin(uuid, timestamp with time zone) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.next_checkin(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, coalesce($2, companion.now()));
$$;
CREATE FUNCTION companion_as_worker.next_checkin(uuid, timestamp with time zone) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.next_checkin(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, coalesce($2, companion.now()));
$$;
CREATE FUNCTION companion_as_user.next_checkin(uuid, timestamp with time zone, text) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.next_checkin(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $3, true) IS NOT NULL THEN $1 END, coalesce($2, companion.now()));
$$;
CREATE FUNCTION companion_as_admin.normalized(integer, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.normalized(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_worker.normalized(integer, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.normalized(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_user.normalized(integer, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.normalized(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $3, true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.open_conversation(uuid, text, text, interval) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.open_conversation(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_worker.open_conversation(uuid, text, text, interval) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.open_conversation(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_user.open_conversation(uuid, text, text, interval, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.open_conversation(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $5, true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_admin.pause_sending(integer, text, text, timestamp with time zone, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.pause_sending(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_admin.put_user(integer, uuid, jsonb) RETURNS companion.users
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.put_user(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_worker.put_user(integer, uuid, jsonb) RETURNS companion.users
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.put_user(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_user.put_user(integer, uuid, jsonb, text) RETURNS companion.users
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.put_user(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_admin.quiet_until(integer, text, time without time zone, time without time zone, timestamp with time zone) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.quiet_until(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_worker.quiet_until(integer, text, time without time zone, time without time zone, timestamp with time zone) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.quiet_until(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_user.quiet_until(integer, text, time without time zone, time without time zone, timestamp with time zone, text) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.quiet_until(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $6, true) IS NOT NULL THEN $2 END, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_admin.recall_score(integer, text, double precision, integer, timestamp with time zone, timestamp with time zone, timestamp with time zone) RETURNS double precision
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.recall_score(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3, $4, $5, $6, $7);
$$;
CREATE FUNCTION companion_as_worker.recall_score(integer, text, double precision, integer, timestamp with time zone, timestamp with time zone, timestamp with time zone) RETURNS double precision
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.recall_score(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4, $5, $6, $7);
$$;
CREATE FUNCTION companion_as_user.recall_score(integer, text, double precision, integer, timestamp with time zone, timestamp with time zone, timestamp with time zone, text) RETURNS double precision
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.recall_score(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $8, true) IS NOT NULL THEN $2 END, $3, $4, $5, $6, $7);
$$;
CREATE FUNCTION companion_as_admin.recall_user_context(uuid, integer, integer, text[], text[], double precision[], double precision, text) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.recall_user_context(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8);
$$;
CREATE FUNCTION companion_as_worker.recall_user_context(uuid, integer, integer, text[], text[], double precision[], double precision, text) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.recall_user_context(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8);
$$;
CREATE FUNCTION companion_as_user.recall_user_context(uuid, integer, integer, text[], text[], double precision[], double precision, text, text) RETURNS SETOF companion.context_item
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.recall_user_context(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $9, true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8);
$$;
CREATE FUNCTION companion_as_admin.recent_messages(uuid, integer, uuid, uuid) RETURNS SETOF companion.stored_message
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.recent_messages(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_worker.recent_messages(uuid, integer, uuid, uuid) RETURNS SETOF companion.stored_message
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.recent_messages(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_user.recent_messages(uuid, integer, uuid, uuid, text) RETURNS SETOF companion.stored_message
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.recent_messages(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $5, true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_admin.record_incoming(integer, text, text, text, bigint, bigint, jsonb, interval, text, text, text) RETURNS TABLE(user_id uuid, conversation_id uuid, message_id uuid, is_new boolean, cancelled integer)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.record_incoming(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3, $4, $5, $6, $7, $8, $9, $10, $11);
$$;
CREATE FUNCTION companion_as_worker.record_incoming(integer, text, text, text, bigint, bigint, jsonb, interval, text, text, text) RETURNS TABLE(user_id uuid, conversation_id uuid, message_id uuid, is_new boolean, cancelled integer)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.record_incoming(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4, $5, $6, $7, $8, $9, $10, $11);
$$;
CREATE FUNCTION companion_as_worker.redeem_telegram_link_token(integer, text, bigint, text, text) RETURNS TABLE(outcome text, user_id uuid)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.redeem_telegram_link_token(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_worker.release_message(uuid, uuid, integer) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.release_message(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.release_message_many(integer, uuid[], uuid[], integer[]) RETURNS boolean[]
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.release_message_many(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4);
$$;
CREATE FUNCTION companion_as_admin.reschedule_message(uuid, uuid, timestamp with time zone) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.reschedule_message(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.reschedule_message(uuid, uuid, timestamp with time zone) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.reschedule_message(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_admin.resolve_user_context(uuid, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.resolve_user_context(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.resolve_user_context(uuid, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.resolve_user_context(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_user.resolve_user_context(uuid, text, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.resolve_user_context(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_admin.resume_sending(integer, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.resume_sending(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_admin.retry_failed(integer, timestamp with time zone, text, text[]) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.retry_failed(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3, $4);
$$;
CREATE FUNCTION companion_as_admin.retry_message(uuid, uuid, timestamp with time zone) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.retry_message(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.retry_message(uuid, uuid, timestamp with time zone) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.retry_message(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_admin.revoke_telegram_link_tokens(uuid) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.revoke_telegram_link_tokens(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_worker.revoke_telegram_link_tokens(uuid) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.revoke_telegram_link_tokens(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_user.revoke_telegram_link_tokens(uuid, text) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.revoke_telegram_link_tokens(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $2, true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_admin.rewind_dispatch(integer, timestamp with time zone) RETURNS void
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.rewind_dispatch(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_admin.run_maintenance(integer) RETURNS TABLE(task text, affected bigint)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT r.* FROM (SELECT set_config('role', 'companion_admin', true) IS NOT NULL) AS a (acts) CROSS JOIN LATERAL (SELECT * FROM companion.run_maintenance() WHERE a.acts OFFSET 0) AS r;
$$;
CREATE FUNCTION companion_as_admin.schedule_message(uuid, timestamp with time zone, text, text, text, text, jsonb, timestamp with time zone, boolean, boolean, integer, text, jsonb) RETURNS TABLE(message_id uuid, created boolean)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.schedule_message(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);
$$;
CREATE FUNCTION companion_as_worker.schedule_message(uuid, timestamp with time zone, text, text, text, text, jsonb, timestamp with time zone, boolean, boolean, integer, text, jsonb) RETURNS TABLE(message_id uuid, created boolean)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.schedule_message(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);
$$;
CREATE FUNCTION companion_as_admin.search_messages(uuid, text, integer) RETURNS TABLE(message_id uuid, conversation_id uuid, role text, excerpt text, rank real, created_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.search_messages(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.search_messages(uuid, text, integer) RETURNS TABLE(message_id uuid, conversation_id uuid, role text, excerpt text, rank real, created_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.search_messages(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_user.search_messages(uuid, text, integer, text) RETURNS TABLE(message_id uuid, conversation_id uuid, role text, excerpt text, rank real, created_at timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.search_messages(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_admin.sent_today(uuid, text, timestamp with time zone) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.sent_today(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, coalesce($3, companion.now()));
$$;
CREATE FUNCTION companion_as_worker.sent_today(uuid, text, timestamp with time zone) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.sent_today(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, coalesce($3, companion.now()));
$$;
CREATE FUNCTION companion_as_user.sent_today(uuid, text, timestamp with time zone, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.sent_today(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $1 END, $2, coalesce($3, companion.now()));
$$;
CREATE FUNCTION companion_as_admin.set_embedding(uuid, uuid, text, double precision[], text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.set_embedding(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_worker.set_embedding(uuid, uuid, text, double precision[], text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.set_embedding(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_admin.settle_reservation(uuid, text, text, text, bigint, timestamp with time zone) RETURNS TABLE(outcome text, owner uuid)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.settle_reservation(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6);
$$;
CREATE FUNCTION companion_as_worker.settle_reservation(uuid, text, text, text, bigint, timestamp with time zone) RETURNS TABLE(outcome text, owner uuid)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.settle_reservation(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6);
$$;
CREATE FUNCTION companion_as_admin.start_onboarding(uuid) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.start_onboarding(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_worker.start_onboarding(uuid) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.start_onboarding(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_user.start_onboarding(uuid, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.start_onboarding(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $2, true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_worker.start_send(uuid, uuid, integer) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.start_send(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.start_send_many(integer, uuid[], uuid[], integer[]) RETURNS boolean[]
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.start_send_many(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4);
$$;
CREATE FUNCTION companion_as_admin.take_reservation(uuid, text, text, text, bigint, timestamp with time zone) RETURNS void
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.take_reservation(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6);
$$;
CREATE FUNCTION companion_as_worker.take_reservation(uuid, text, text, text, bigint, timestamp with time zone) RETURNS void
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.take_reservation(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6);
$$;
CREATE FUNCTION companion_as_admin.telegram_deep_link(integer, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.telegram_deep_link(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_worker.telegram_deep_link(integer, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.telegram_deep_link(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_user.telegram_deep_link(integer, text, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.telegram_deep_link(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $2 END, $3);
$$;
CREATE FUNCTION companion_as_admin.throttle_channel(integer, text, interval, text, double precision) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.throttle_channel(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_worker.throttle_channel(integer, text, interval, text, double precision) RETURNS timestamp with time zone
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.throttle_channel(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END, $3, $4, $5);
$$;
CREATE FUNCTION companion_as_admin.touch_user_context(uuid, uuid[]) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.touch_user_context(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_worker.touch_user_context(uuid, uuid[]) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.touch_user_context(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_user.touch_user_context(uuid, uuid[], text) RETURNS bigint
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.touch_user_context(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $3, true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_admin.unlink_address(uuid, text, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.unlink_address(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_worker.unlink_address(uuid, text, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.unlink_address(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_user.unlink_address(uuid, text, text, text, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.unlink_address(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $5, true) IS NOT NULL THEN $1 END, $2, $3, $4);
$$;
CREATE FUNCTION companion_as_admin.unlink_telegram(uuid) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.unlink_telegram(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_worker.unlink_telegram(uuid) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.unlink_telegram(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_user.unlink_telegram(uuid, text) RETURNS boolean
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.unlink_telegram(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $2, true) IS NOT NULL THEN $1 END);
$$;
CREATE FUNCTION companion_as_admin.upcoming(uuid, timestamp with time zone) RETURNS TABLE(message_id uuid, kind text, local_date date, scheduled_for timestamp with time zone, goes_at timestamp with time zone, channel text, address text, reason text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upcoming(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_worker.upcoming(uuid, timestamp with time zone) RETURNS TABLE(message_id uuid, kind text, local_date date, scheduled_for timestamp with time zone, goes_at timestamp with time zone, channel text, address text, reason text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upcoming(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_user.upcoming(uuid, timestamp with time zone, text) RETURNS TABLE(message_id uuid, kind text, local_date date, scheduled_for timestamp with time zone, goes_at timestamp with time zone, channel text, address text, reason text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upcoming(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $3, true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_admin.update_user_context(uuid, uuid, text, text, double precision, boolean, timestamp with time zone, jsonb, boolean) RETURNS companion.context_item
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.update_user_context(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8, $9);
$$;
CREATE FUNCTION companion_as_worker.update_user_context(uuid, uuid, text, text, double precision, boolean, timestamp with time zone, jsonb, boolean) RETURNS companion.context_item
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.update_user_context(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8, $9);
$$;
CREATE FUNCTION companion_as_user.update_user_context(uuid, uuid, text, text, double precision, boolean, timestamp with time zone, jsonb, boolean, text) RETURNS companion.context_item
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.update_user_context(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $10, true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8, $9);
$$;
CREATE FUNCTION companion_as_admin.upsert_user_context(uuid, text, text, text, double precision, integer, text, timestamp with time zone, uuid, jsonb, boolean) RETURNS companion.context_item
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
$$;
CREATE FUNCTION companion_as_worker.upsert_user_context(uuid, text, text, text, double precision, integer, text, timestamp with time zone, uuid, jsonb, boolean) RETURNS companion.context_item
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
$$;
CREATE FUNCTION companion_as_user.upsert_user_context(uuid, text, text, text, double precision, integer, text, timestamp with time zone, uuid, jsonb, boolean, text) RETURNS companion.context_item
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $12, true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
$$;
CREATE FUNCTION companion_as_admin.upsert_user_context_many(uuid, jsonb, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance double precision, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context_many(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.upsert_user_context_many(uuid, jsonb, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance double precision, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context_many(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_user.upsert_user_context_many(uuid, jsonb, text, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance double precision, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context_many(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_admin.upsert_user_context_many(uuid, text, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance double precision, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context_many(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_worker.upsert_user_context_many(uuid, text, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance double precision, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context_many(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_user.upsert_user_context_many(uuid, text, text, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance double precision, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.upsert_user_context_many(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $4, true) IS NOT NULL THEN $1 END, $2, $3);
$$;
CREATE FUNCTION companion_as_admin.user_context_as_of(uuid, timestamp with time zone) RETURNS TABLE(category text, key text, value text, source text, held_from timestamp with time zone, held_until timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.user_context_as_of(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_worker.user_context_as_of(uuid, timestamp with time zone) RETURNS TABLE(category text, key text, value text, source text, held_from timestamp with time zone, held_until timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.user_context_as_of(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_user.user_context_as_of(uuid, timestamp with time zone, text) RETURNS TABLE(category text, key text, value text, source text, held_from timestamp with time zone, held_until timestamp with time zone)
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT * FROM companion.user_context_as_of(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $3, true) IS NOT NULL THEN $1 END, $2);
$$;
CREATE FUNCTION companion_as_admin.user_context_prompt(uuid, integer, integer, text[], text[], double precision[], double precision, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.user_context_prompt(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8);
$$;
CREATE FUNCTION companion_as_worker.user_context_prompt(uuid, integer, integer, text[], text[], double precision[], double precision, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.user_context_prompt(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8);
$$;
CREATE FUNCTION companion_as_user.user_context_prompt(uuid, integer, integer, text[], text[], double precision[], double precision, text, text) RETURNS text
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.user_context_prompt(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $9, true) IS NOT NULL THEN $1 END, $2, $3, $4, $5, $6, $7, $8);
$$;
CREATE FUNCTION companion_as_admin.uuid_v7(integer) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN companion.uuid_v7() END;
$$;
CREATE FUNCTION companion_as_worker.uuid_v7(integer) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN companion.uuid_v7() END;
$$;
CREATE FUNCTION companion_as_user.uuid_v7(integer, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $2, true) IS NOT NULL THEN companion.uuid_v7() END;
$$;
CREATE FUNCTION companion_as_admin.uuid_v7(integer, timestamp with time zone) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.uuid_v7(CASE WHEN set_config('role', 'companion_admin', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_worker.uuid_v7(integer, timestamp with time zone) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.uuid_v7(CASE WHEN set_config('role', 'companion_worker', true) IS NOT NULL THEN $2 END);
$$;
CREATE FUNCTION companion_as_user.uuid_v7(integer, timestamp with time zone, text) RETURNS uuid
LANGUAGE plproxy SECURITY DEFINER AS $$
    CLUSTER companion_router.server($1);
    SELECT companion.uuid_v7(CASE WHEN set_config('role', 'companion_user', true) IS NOT NULL AND set_config('companion.user_id', $3, true) IS NOT NULL THEN $2 END);
$$;

-- On the shard of the user, or on the directory.
CREATE FUNCTION companion.add_message(user_id uuid, conversation_id uuid, role text, content text, telegram_message_id bigint DEFAULT NULL::bigint, reply_to_id uuid DEFAULT NULL::uuid, metadata jsonb DEFAULT NULL::jsonb, reply_to_telegram_id bigint DEFAULT NULL::bigint, bot text DEFAULT ''::text, address text DEFAULT NULL::text, external_id text DEFAULT NULL::text, reply_to_external_id text DEFAULT NULL::text) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.add_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.add_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);
    ELSE
        RETURN companion_as_user.add_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.advance_onboarding(user_id uuid, step text, answers jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.advance_onboarding($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.advance_onboarding($1, $2, $3);
    ELSE
        RETURN companion_as_user.advance_onboarding($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.annotate_message(user_id uuid, message_id uuid, priority_level integer DEFAULT NULL::integer, topic_key text DEFAULT NULL::text, metadata jsonb DEFAULT NULL::jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.annotate_message($1, $2, $3, $4, $5);
    ELSE
        RETURN companion_as_worker.annotate_message($1, $2, $3, $4, $5);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.cancel_message(user_id uuid, message_id uuid DEFAULT NULL::uuid, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.cancel_message($1, $2, $3, $4);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.cancel_message($1, $2, $3, $4);
    ELSE
        RETURN companion_as_user.cancel_message($1, $2, $3, $4, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.cancel_messages(user_id uuid, kind text DEFAULT NULL::text, reason text DEFAULT NULL::text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.cancel_messages($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.cancel_messages($1, $2, $3);
    ELSE
        RETURN companion_as_user.cancel_messages($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.close_conversation(user_id uuid, conversation_id uuid, mood_summary text DEFAULT NULL::text, topics text[] DEFAULT NULL::text[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.close_conversation($1, $2, $3, $4);
    ELSE
        RETURN companion_as_worker.close_conversation($1, $2, $3, $4);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.complete_onboarding(user_id uuid DEFAULT companion.current_user_id()) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.complete_onboarding($1);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.complete_onboarding($1);
    ELSE
        RETURN companion_as_user.complete_onboarding($1, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.create_telegram_link_token(user_id uuid DEFAULT companion.current_user_id(), valid_for interval DEFAULT NULL::interval, bot text DEFAULT ''::text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.create_telegram_link_token($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.create_telegram_link_token($1, $2, $3);
    ELSE
        RETURN companion_as_user.create_telegram_link_token($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.delete_message(user_id uuid, message_id uuid, forget_facts boolean DEFAULT false) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.delete_message($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.delete_message($1, $2, $3);
    ELSE
        RETURN companion_as_user.delete_message($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.directory_change_done(user_id uuid, id uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.directory_change_done($1, $2);
    ELSE
        RETURN companion_as_worker.directory_change_done($1, $2);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.directory_confirm(user_id uuid, channel text, address text, bot text, reservation bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.directory_confirm($1, $2, $3, $4, $5);
    ELSE
        RETURN companion_as_worker.directory_confirm($1, $2, $3, $4, $5);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.directory_lookup(channel text, address text, bot text DEFAULT ''::text) RETURNS TABLE(user_id uuid, shard integer, found_bot text, reservation bigint, expires_at timestamp with time zone, is_confirmed boolean)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.directory_lookup($1, $2, $3);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_worker.directory_lookup($1, $2, $3);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.directory_release(channel text, address text, bot text, reservation bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.directory_release($1, $2, $3, $4);
    ELSE
        RETURN companion_as_worker.directory_release($1, $2, $3, $4);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.directory_reserve(user_id uuid, channel text, address text, bot text DEFAULT ''::text) RETURNS TABLE(outcome text, owner uuid, reservation bigint, expires_at timestamp with time zone)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.directory_reserve($1, $2, $3, $4);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_worker.directory_reserve($1, $2, $3, $4);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.disable_address(user_id uuid, channel text, address text, bot text DEFAULT NULL::text, reason text DEFAULT NULL::text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.disable_address($1, $2, $3, $4, $5);
    ELSE
        RETURN companion_as_worker.disable_address($1, $2, $3, $4, $5);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.due_follow_ups(user_id uuid, on_date date DEFAULT NULL::date) RETURNS SETOF companion.context_item
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.due_follow_ups($1, $2);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.due_follow_ups($1, $2);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.due_follow_ups($1, $2, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.edit_message(user_id uuid, message_id uuid, content text, telegram_message_id bigint DEFAULT NULL::bigint, bot text DEFAULT ''::text, address text DEFAULT NULL::text, external_id text DEFAULT NULL::text, channel text DEFAULT NULL::text) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.edit_message($1, $2, $3, $4, $5, $6, $7, $8);
    ELSE
        RETURN companion_as_worker.edit_message($1, $2, $3, $4, $5, $6, $7, $8);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.end_of_day(user_id uuid, local_date date) RETURNS timestamp with time zone
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.end_of_day($1, $2);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.end_of_day($1, $2);
    ELSE
        RETURN companion_as_user.end_of_day($1, $2, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.erase_user(user_id uuid DEFAULT companion.current_user_id()) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.erase_user($1);
    ELSE
        RETURN companion_as_user.erase_user($1, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.explain_checkin(user_id uuid, local_date date DEFAULT NULL::date) RETURNS TABLE(rule text, holds boolean, detail text)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.explain_checkin($1, $2);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.explain_checkin($1, $2);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.explain_checkin($1, $2, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.export_user(user_id uuid DEFAULT companion.current_user_id()) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.export_user($1);
    ELSE
        RETURN companion_as_user.export_user($1, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.extend_lease(user_id uuid, message_id uuid, attempt integer, lease interval DEFAULT '00:05:00'::interval) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN companion_as_worker.extend_lease($1, $2, $3, $4);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.forget_user_context(user_id uuid, category text DEFAULT NULL::text, key text DEFAULT NULL::text) RETURNS TABLE(items bigint, history bigint)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.forget_user_context($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.forget_user_context($1, $2, $3);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.forget_user_context($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.imported_id(user_id uuid, table_name text, old_id text) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.imported_id($1, $2, $3);
    ELSE
        RETURN companion_as_worker.imported_id($1, $2, $3);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.link_wanted_address(user_id uuid, id uuid, reservation bigint, expires_at timestamp with time zone) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.link_wanted_address($1, $2, $3, $4);
    ELSE
        RETURN companion_as_worker.link_wanted_address($1, $2, $3, $4);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.mark_failed(user_id uuid, message_id uuid, attempt integer, reason text, retry_after interval DEFAULT NULL::interval, permanent boolean DEFAULT false, address_gone boolean DEFAULT false, retry_after_seconds double precision DEFAULT NULL::double precision) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN companion_as_worker.mark_failed($1, $2, $3, $4, $5, $6, $7, $8);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.mark_sent(user_id uuid, message_id uuid, attempt integer, content text DEFAULT NULL::text, telegram_message_id bigint DEFAULT NULL::bigint, external_id text DEFAULT NULL::text, metadata jsonb DEFAULT NULL::jsonb, resolves uuid[] DEFAULT NULL::uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN companion_as_worker.mark_sent($1, $2, $3, $4, $5, $6, $7, $8);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.mark_skipped(user_id uuid, message_id uuid, attempt integer, reason text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN companion_as_worker.mark_skipped($1, $2, $3, $4);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.memory_report(user_id uuid DEFAULT companion.current_user_id()) RETURNS TABLE(category text, key text, value text, since timestamp with time zone, source text, words text, said_at timestamp with time zone, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.memory_report($1);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.memory_report($1);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.memory_report($1, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.next_checkin(user_id uuid, at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS timestamp with time zone
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.next_checkin($1, $2);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.next_checkin($1, $2);
    ELSE
        RETURN companion_as_user.next_checkin($1, $2, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.open_conversation(user_id uuid, channel text, initiated_by text DEFAULT 'user'::text, idle interval DEFAULT '24:00:00'::interval) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.open_conversation($1, $2, $3, $4);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.open_conversation($1, $2, $3, $4);
    ELSE
        RETURN companion_as_user.open_conversation($1, $2, $3, $4, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.recall_user_context(user_id uuid, max_items integer DEFAULT 20, max_chars integer DEFAULT NULL::integer, categories text[] DEFAULT NULL::text[], exclude text[] DEFAULT NULL::text[], embedding double precision[] DEFAULT NULL::double precision[], meaning_weight double precision DEFAULT 3, model text DEFAULT NULL::text) RETURNS SETOF companion.context_item
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.recall_user_context($1, $2, $3, $4, $5, $6, $7, $8);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.recall_user_context($1, $2, $3, $4, $5, $6, $7, $8);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.recall_user_context($1, $2, $3, $4, $5, $6, $7, $8, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.recent_messages(user_id uuid, max_messages integer DEFAULT 20, conversation_id uuid DEFAULT NULL::uuid, before_id uuid DEFAULT NULL::uuid) RETURNS SETOF companion.stored_message
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.recent_messages($1, $2, $3, $4);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.recent_messages($1, $2, $3, $4);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.recent_messages($1, $2, $3, $4, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.release_message(user_id uuid, message_id uuid, attempt integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN companion_as_worker.release_message($1, $2, $3);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.reschedule_message(user_id uuid, message_id uuid, scheduled_for timestamp with time zone) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.reschedule_message($1, $2, $3);
    ELSE
        RETURN companion_as_worker.reschedule_message($1, $2, $3);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.resolve_user_context(user_id uuid, category text, key text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.resolve_user_context($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.resolve_user_context($1, $2, $3);
    ELSE
        RETURN companion_as_user.resolve_user_context($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.retry_message(user_id uuid, message_id uuid, send_before timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.retry_message($1, $2, $3);
    ELSE
        RETURN companion_as_worker.retry_message($1, $2, $3);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.revoke_telegram_link_tokens(user_id uuid DEFAULT companion.current_user_id()) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.revoke_telegram_link_tokens($1);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.revoke_telegram_link_tokens($1);
    ELSE
        RETURN companion_as_user.revoke_telegram_link_tokens($1, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.schedule_message(user_id uuid, scheduled_for timestamp with time zone, content text, kind text DEFAULT 'custom'::text, channel text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text, generation_context jsonb DEFAULT NULL::jsonb, send_before timestamp with time zone DEFAULT NULL::timestamp with time zone, replace boolean DEFAULT false, cancel_on_reply boolean DEFAULT NULL::boolean, priority_level integer DEFAULT NULL::integer, topic_key text DEFAULT NULL::text, metadata jsonb DEFAULT NULL::jsonb) RETURNS TABLE(message_id uuid, created boolean)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.schedule_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_worker.schedule_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.search_messages(user_id uuid, query text, max_results integer DEFAULT 20) RETURNS TABLE(message_id uuid, conversation_id uuid, role text, excerpt text, rank real, created_at timestamp with time zone)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.search_messages($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.search_messages($1, $2, $3);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.search_messages($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.sent_today(user_id uuid, kind text DEFAULT 'checkin'::text, at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.sent_today($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.sent_today($1, $2, $3);
    ELSE
        RETURN companion_as_user.sent_today($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.set_embedding(user_id uuid, item_id uuid, model text, embedding double precision[], value text DEFAULT NULL::text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.set_embedding($1, $2, $3, $4, $5);
    ELSE
        RETURN companion_as_worker.set_embedding($1, $2, $3, $4, $5);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.settle_reservation(user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamp with time zone) RETURNS TABLE(outcome text, owner uuid)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.settle_reservation($1, $2, $3, $4, $5, $6);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_worker.settle_reservation($1, $2, $3, $4, $5, $6);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.start_onboarding(user_id uuid DEFAULT companion.current_user_id()) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.start_onboarding($1);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.start_onboarding($1);
    ELSE
        RETURN companion_as_user.start_onboarding($1, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.start_send(user_id uuid, message_id uuid, attempt integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN companion_as_worker.start_send($1, $2, $3);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.take_reservation(user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamp with time zone) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        PERFORM companion_as_admin.take_reservation($1, $2, $3, $4, $5, $6);
    ELSE
        PERFORM companion_as_worker.take_reservation($1, $2, $3, $4, $5, $6);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.touch_user_context(user_id uuid, ids uuid[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.touch_user_context($1, $2);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.touch_user_context($1, $2);
    ELSE
        RETURN companion_as_user.touch_user_context($1, $2, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.unlink_address(user_id uuid, channel text, address text, bot text DEFAULT NULL::text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.unlink_address($1, $2, $3, $4);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.unlink_address($1, $2, $3, $4);
    ELSE
        RETURN companion_as_user.unlink_address($1, $2, $3, $4, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.unlink_telegram(user_id uuid DEFAULT companion.current_user_id()) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.unlink_telegram($1);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.unlink_telegram($1);
    ELSE
        RETURN companion_as_user.unlink_telegram($1, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.upcoming(user_id uuid, until timestamp with time zone) RETURNS TABLE(message_id uuid, kind text, local_date date, scheduled_for timestamp with time zone, goes_at timestamp with time zone, channel text, address text, reason text)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.upcoming($1, $2);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.upcoming($1, $2);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.upcoming($1, $2, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.update_user_context(user_id uuid, id uuid DEFAULT NULL::uuid, category text DEFAULT NULL::text, key text DEFAULT NULL::text, importance double precision DEFAULT NULL::double precision, pinned boolean DEFAULT NULL::boolean, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, metadata jsonb DEFAULT NULL::jsonb, merge boolean DEFAULT false) RETURNS companion.context_item
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.update_user_context($1, $2, $3, $4, $5, $6, $7, $8, $9);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.update_user_context($1, $2, $3, $4, $5, $6, $7, $8, $9);
    ELSE
        RETURN companion_as_user.update_user_context($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.upsert_user_context(user_id uuid, category text, key text, value text, importance double precision DEFAULT NULL::double precision, emotional_valence integer DEFAULT NULL::integer, source text DEFAULT NULL::text, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, source_message_id uuid DEFAULT NULL::uuid, metadata jsonb DEFAULT NULL::jsonb, pinned boolean DEFAULT NULL::boolean) RETURNS companion.context_item
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.upsert_user_context($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.upsert_user_context($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
    ELSE
        RETURN companion_as_user.upsert_user_context($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion_router.upsert_user_context_many(uuid, jsonb, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance double precision, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.upsert_user_context_many($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.upsert_user_context_many($1, $2, $3);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.upsert_user_context_many($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;
CREATE FUNCTION companion.upsert_user_context_many(user_id uuid, facts jsonb, on_invalid text DEFAULT 'error'::text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance double precision, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE sql AS $$
    SELECT * FROM companion_router.upsert_user_context_many($1, $2, $3);
$$;

CREATE FUNCTION companion_router.upsert_user_context_many(uuid, text, text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance double precision, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.upsert_user_context_many($1, $2, $3);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.upsert_user_context_many($1, $2, $3);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.upsert_user_context_many($1, $2, $3, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;
CREATE FUNCTION companion.upsert_user_context_many(user_id uuid, facts_text text, on_invalid text) RETURNS TABLE(user_id uuid, id uuid, category text, key text, value text, importance double precision, emotional_valence smallint, source text, source_message_id uuid, metadata jsonb, pinned boolean, expires_at timestamp with time zone, resolved_at timestamp with time zone, confirmations integer, confirmed_at timestamp with time zone, last_referenced_at timestamp with time zone, value_since timestamp with time zone, previous_value text, previous_source text, previous_since timestamp with time zone, contradicted_by text, created_at timestamp with time zone, updated_at timestamp with time zone, last_used_at timestamp with time zone, outcome text, reason text)
LANGUAGE sql AS $$
    SELECT * FROM companion_router.upsert_user_context_many($1, $2, $3);
$$;

CREATE FUNCTION companion.user_context_as_of(user_id uuid, at timestamp with time zone) RETURNS TABLE(category text, key text, value text, source text, held_from timestamp with time zone, held_until timestamp with time zone)
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_admin.user_context_as_of($1, $2);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN QUERY SELECT * FROM companion_as_worker.user_context_as_of($1, $2);
    ELSE
        RETURN QUERY SELECT * FROM companion_as_user.user_context_as_of($1, $2, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.user_context_prompt(user_id uuid, max_items integer DEFAULT 20, max_chars integer DEFAULT NULL::integer, categories text[] DEFAULT NULL::text[], exclude text[] DEFAULT NULL::text[], embedding double precision[] DEFAULT NULL::double precision[], meaning_weight double precision DEFAULT 3, model text DEFAULT NULL::text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
        RETURN companion_as_admin.user_context_prompt($1, $2, $3, $4, $5, $6, $7, $8);
    ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
        RETURN companion_as_worker.user_context_prompt($1, $2, $3, $4, $5, $6, $7, $8);
    ELSE
        RETURN companion_as_user.user_context_prompt($1, $2, $3, $4, $5, $6, $7, $8, coalesce(companion.current_user_id()::text, ''));
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;


-- On any shard, or on all of them; one that fails is passed over with a warning, unless they all do.
CREATE FUNCTION companion.apply_retention(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.apply_retention(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.canonical_timezone(timezone text) RETURNS text
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.canonical_timezone(shard, $1);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.canonical_timezone(shard, $1);
            ELSE
                RETURN companion_as_user.canonical_timezone(shard, $1, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.checkin_instant(timezone text, local_date date, local_time time without time zone) RETURNS timestamp with time zone
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.checkin_instant(shard, $1, $2, $3);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.checkin_instant(shard, $1, $2, $3);
            ELSE
                RETURN companion_as_user.checkin_instant(shard, $1, $2, $3, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.cosine_similarity(a real[], b real[]) RETURNS double precision
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.cosine_similarity(shard, $1, $2);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.cosine_similarity(shard, $1, $2);
            ELSE
                RETURN companion_as_user.cosine_similarity(shard, $1, $2, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.dispatch(at timestamp with time zone DEFAULT NULL::timestamp with time zone, max_rows integer DEFAULT NULL::integer) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined integer;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                joined := coalesce(joined, 0) + companion_as_admin.dispatch(shard, $1, $2);
            ELSE
                joined := coalesce(joined, 0) + companion_as_worker.dispatch(shard, $1, $2);
            END IF;
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_addresses(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_addresses(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_cap_starts(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_cap_starts(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_early_edits(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_early_edits(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_job_runs(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_job_runs(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_messages(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_messages(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_reservations(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_reservations(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_telegram_link_tokens(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_telegram_link_tokens(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.expire_user_context(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.expire_user_context(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.finish_abandoned(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.finish_abandoned(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.folded(value text) RETURNS text
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.folded(shard, $1);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.folded(shard, $1);
            ELSE
                RETURN companion_as_user.folded(shard, $1, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.forget_redeem_failures() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.forget_redeem_failures(shard);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.is_same_text(a text, b text) RETURNS boolean
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.is_same_text(shard, $1, $2);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.is_same_text(shard, $1, $2);
            ELSE
                RETURN companion_as_user.is_same_text(shard, $1, $2, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.local_timestamp(timezone text, at timestamp with time zone) RETURNS timestamp without time zone
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.local_timestamp(shard, $1, $2);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.local_timestamp(shard, $1, $2);
            ELSE
                RETURN companion_as_user.local_timestamp(shard, $1, $2, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.merge_context_items() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.merge_context_items(shard);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.new_user_id() RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.new_user_id(shard);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.new_user_id(shard);
            ELSE
                RETURN companion_as_user.new_user_id(shard, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.normalized(value text) RETURNS text
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.normalized(shard, $1);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.normalized(shard, $1);
            ELSE
                RETURN companion_as_user.normalized(shard, $1, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.pause_sending(channel text DEFAULT NULL::text, kind text DEFAULT NULL::text, until timestamp with time zone DEFAULT NULL::timestamp with time zone, reason text DEFAULT NULL::text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined boolean;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, true) AND companion_as_admin.pause_sending(shard, $1, $2, $3, $4);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.quiet_until(timezone text, quiet_from time without time zone, quiet_until time without time zone, at timestamp with time zone) RETURNS timestamp with time zone
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.quiet_until(shard, $1, $2, $3, $4);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.quiet_until(shard, $1, $2, $3, $4);
            ELSE
                RETURN companion_as_user.quiet_until(shard, $1, $2, $3, $4, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.recall_score(category text, importance double precision, confirmations integer, confirmed_at timestamp with time zone, last_used_at timestamp with time zone, at timestamp with time zone) RETURNS double precision
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.recall_score(shard, $1, $2, $3, $4, $5, $6);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.recall_score(shard, $1, $2, $3, $4, $5, $6);
            ELSE
                RETURN companion_as_user.recall_score(shard, $1, $2, $3, $4, $5, $6, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.resume_sending(channel text DEFAULT NULL::text, kind text DEFAULT NULL::text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined boolean;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, false) OR companion_as_admin.resume_sending(shard, $1, $2);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.retry_failed(since timestamp with time zone, reason_pattern text DEFAULT NULL::text, kinds text[] DEFAULT NULL::text[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined bigint;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            joined := coalesce(joined, 0) + companion_as_admin.retry_failed(shard, $1, $2, $3);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.rewind_dispatch(to_at timestamp with time zone) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            PERFORM companion_as_admin.rewind_dispatch(shard, $1);
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
END
$$;

CREATE FUNCTION companion.telegram_deep_link(bot_username text, token text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.telegram_deep_link(shard, $1, $2);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.telegram_deep_link(shard, $1, $2);
            ELSE
                RETURN companion_as_user.telegram_deep_link(shard, $1, $2, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.throttle_channel(channel text, retry_after interval DEFAULT NULL::interval, bot text DEFAULT NULL::text, retry_after_seconds double precision DEFAULT NULL::double precision) RETURNS timestamp with time zone
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
    joined timestamp with time zone;
    answered boolean := false;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                joined := greatest(joined, companion_as_admin.throttle_channel(shard, $1, $2, $3, $4));
            ELSE
                joined := greatest(joined, companion_as_worker.throttle_channel(shard, $1, $2, $3, $4));
            END IF;
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
    RETURN joined;
END
$$;

CREATE FUNCTION companion.uuid_v7() RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.uuid_v7(shard);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.uuid_v7(shard);
            ELSE
                RETURN companion_as_user.uuid_v7(shard, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;

CREATE FUNCTION companion.uuid_v7(at timestamp with time zone) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shard integer;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN companion_as_admin.uuid_v7(shard, $1);
            ELSIF pg_catalog.pg_has_role('companion_worker', 'usage') THEN
                RETURN companion_as_worker.uuid_v7(shard, $1);
            ELSE
                RETURN companion_as_user.uuid_v7(shard, $1, coalesce(companion.current_user_id()::text, ''));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
    END LOOP;
    PERFORM companion_router.fail_all(failed);
END
$$;


-- Many messages: each shard gets those of its users, and the results are put together in input order. Those of a
-- shard that cannot be reached are NULL: not now, call again.
CREATE FUNCTION companion.extend_lease_many(user_ids uuid[], message_ids uuid[], attempts integer[], lease interval DEFAULT '00:05:00'::interval) RETURNS boolean[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shards constant integer := (SELECT c.shards FROM companion_router.shard_count AS c);
    part record;
    results boolean[];
    answer boolean[];
    detail text;
    hint text;
BEGIN
    IF NOT (coalesce(array_ndims($1) = 1 AND array_position($1, NULL) IS NULL, false)
            AND coalesce(array_ndims($2) = 1 AND cardinality($2) = cardinality($1), false)
            AND coalesce(array_ndims($3) = 1 AND cardinality($3) = cardinality($1), false)) THEN
        PERFORM companion_as_worker.extend_lease_many(0, $1, $2, $3, $4); -- which says what is wrong with them
    END IF;
    results := array_fill(NULL::boolean, ARRAY[coalesce(cardinality($1), 0)]);
    FOR part IN
        SELECT companion_router.shard_of(e.a1, shards) AS shard, array_agg(e.place ORDER BY e.place) AS places,
               CASE WHEN $1 IS NOT NULL THEN array_agg(e.a1 ORDER BY e.place) END AS p1,
               CASE WHEN $2 IS NOT NULL THEN array_agg(e.a2 ORDER BY e.place) END AS p2,
               CASE WHEN $3 IS NOT NULL THEN array_agg(e.a3 ORDER BY e.place) END AS p3
        FROM unnest($1, $2, $3) WITH ORDINALITY AS e (a1, a2, a3, place)
        GROUP BY 1
    LOOP
        BEGIN
            answer := companion_as_worker.extend_lease_many(part.shard, part.p1, part.p2, part.p3, $4);
            FOR i IN 1..cardinality(answer) LOOP
                results[part.places[i]] := answer[i];
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(part.shard, SQLSTATE, SQLERRM, detail, hint);
        END;
    END LOOP;
    RETURN results;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.mark_failed_many(user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[], retry_after interval DEFAULT NULL::interval, permanent boolean DEFAULT false, address_gone boolean DEFAULT false, retry_after_seconds double precision DEFAULT NULL::double precision) RETURNS boolean[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shards constant integer := (SELECT c.shards FROM companion_router.shard_count AS c);
    part record;
    results boolean[];
    answer boolean[];
    detail text;
    hint text;
BEGIN
    IF NOT (coalesce(array_ndims($1) = 1 AND array_position($1, NULL) IS NULL, false)
            AND coalesce(array_ndims($2) = 1 AND cardinality($2) = cardinality($1), false)
            AND coalesce(array_ndims($3) = 1 AND cardinality($3) = cardinality($1), false)
            AND coalesce(array_ndims($4) = 1 AND cardinality($4) = cardinality($1), false)) THEN
        PERFORM companion_as_worker.mark_failed_many(0, $1, $2, $3, $4, $5, $6, $7, $8); -- which says what is wrong with them
    END IF;
    results := array_fill(NULL::boolean, ARRAY[coalesce(cardinality($1), 0)]);
    FOR part IN
        SELECT companion_router.shard_of(e.a1, shards) AS shard, array_agg(e.place ORDER BY e.place) AS places,
               CASE WHEN $1 IS NOT NULL THEN array_agg(e.a1 ORDER BY e.place) END AS p1,
               CASE WHEN $2 IS NOT NULL THEN array_agg(e.a2 ORDER BY e.place) END AS p2,
               CASE WHEN $3 IS NOT NULL THEN array_agg(e.a3 ORDER BY e.place) END AS p3,
               CASE WHEN $4 IS NOT NULL THEN array_agg(e.a4 ORDER BY e.place) END AS p4
        FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS e (a1, a2, a3, a4, place)
        GROUP BY 1
    LOOP
        BEGIN
            answer := companion_as_worker.mark_failed_many(part.shard, part.p1, part.p2, part.p3, part.p4, $5, $6, $7, $8);
            FOR i IN 1..cardinality(answer) LOOP
                results[part.places[i]] := answer[i];
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(part.shard, SQLSTATE, SQLERRM, detail, hint);
        END;
    END LOOP;
    RETURN results;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.mark_sent_many(user_ids uuid[], message_ids uuid[], attempts integer[], contents text[] DEFAULT NULL::text[], telegram_message_ids bigint[] DEFAULT NULL::bigint[], external_ids text[] DEFAULT NULL::text[], metadata jsonb[] DEFAULT NULL::jsonb[], resolves uuid[] DEFAULT NULL::uuid[]) RETURNS boolean[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shards constant integer := (SELECT c.shards FROM companion_router.shard_count AS c);
    part record;
    results boolean[];
    answer boolean[];
    detail text;
    hint text;
BEGIN
    IF NOT (coalesce(array_ndims($1) = 1 AND array_position($1, NULL) IS NULL, false)
            AND coalesce(array_ndims($2) = 1 AND cardinality($2) = cardinality($1), false)
            AND coalesce(array_ndims($3) = 1 AND cardinality($3) = cardinality($1), false)
            AND coalesce(array_ndims($4) = 1 AND cardinality($4) = cardinality($1), $4 IS NULL)
            AND coalesce(array_ndims($5) = 1 AND cardinality($5) = cardinality($1), $5 IS NULL)
            AND coalesce(array_ndims($6) = 1 AND cardinality($6) = cardinality($1), $6 IS NULL)
            AND coalesce(array_ndims($7) = 1 AND cardinality($7) = cardinality($1), $7 IS NULL)
            AND coalesce(array_length($8, 1) = cardinality($1), $8 IS NULL)) THEN
        PERFORM companion_as_worker.mark_sent_many(0, $1, $2, $3, $4, $5, $6, $7, $8); -- which says what is wrong with them
    END IF;
    results := array_fill(NULL::boolean, ARRAY[coalesce(cardinality($1), 0)]);
    FOR part IN
        SELECT companion_router.shard_of(e.a1, shards) AS shard, array_agg(e.place ORDER BY e.place) AS places,
               CASE WHEN $1 IS NOT NULL THEN array_agg(e.a1 ORDER BY e.place) END AS p1,
               CASE WHEN $2 IS NOT NULL THEN array_agg(e.a2 ORDER BY e.place) END AS p2,
               CASE WHEN $3 IS NOT NULL THEN array_agg(e.a3 ORDER BY e.place) END AS p3,
               CASE WHEN $4 IS NOT NULL THEN array_agg(e.a4 ORDER BY e.place) END AS p4,
               CASE WHEN $5 IS NOT NULL THEN array_agg(e.a5 ORDER BY e.place) END AS p5,
               CASE WHEN $6 IS NOT NULL THEN array_agg(e.a6 ORDER BY e.place) END AS p6,
               CASE WHEN $7 IS NOT NULL THEN array_agg(e.a7 ORDER BY e.place) END AS p7,
               coalesce(array_agg(($8[:])[e.place] ORDER BY e.place) FILTER (WHERE array_ndims($8) = 1),
                        array_agg(ARRAY(SELECT unnest(($8[:][:])[e.place:e.place])) ORDER BY e.place)
                            FILTER (WHERE array_ndims($8) = 2)) AS p8
        FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY AS e (a1, a2, a3, a4, a5, a6, a7, place)
        GROUP BY 1
    LOOP
        BEGIN
            answer := companion_as_worker.mark_sent_many(part.shard, part.p1, part.p2, part.p3, part.p4, part.p5, part.p6, part.p7, part.p8);
            FOR i IN 1..cardinality(answer) LOOP
                results[part.places[i]] := answer[i];
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(part.shard, SQLSTATE, SQLERRM, detail, hint);
        END;
    END LOOP;
    RETURN results;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.mark_skipped_many(user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[]) RETURNS boolean[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shards constant integer := (SELECT c.shards FROM companion_router.shard_count AS c);
    part record;
    results boolean[];
    answer boolean[];
    detail text;
    hint text;
BEGIN
    IF NOT (coalesce(array_ndims($1) = 1 AND array_position($1, NULL) IS NULL, false)
            AND coalesce(array_ndims($2) = 1 AND cardinality($2) = cardinality($1), false)
            AND coalesce(array_ndims($3) = 1 AND cardinality($3) = cardinality($1), false)
            AND coalesce(array_ndims($4) = 1 AND cardinality($4) = cardinality($1), false)) THEN
        PERFORM companion_as_worker.mark_skipped_many(0, $1, $2, $3, $4); -- which says what is wrong with them
    END IF;
    results := array_fill(NULL::boolean, ARRAY[coalesce(cardinality($1), 0)]);
    FOR part IN
        SELECT companion_router.shard_of(e.a1, shards) AS shard, array_agg(e.place ORDER BY e.place) AS places,
               CASE WHEN $1 IS NOT NULL THEN array_agg(e.a1 ORDER BY e.place) END AS p1,
               CASE WHEN $2 IS NOT NULL THEN array_agg(e.a2 ORDER BY e.place) END AS p2,
               CASE WHEN $3 IS NOT NULL THEN array_agg(e.a3 ORDER BY e.place) END AS p3,
               CASE WHEN $4 IS NOT NULL THEN array_agg(e.a4 ORDER BY e.place) END AS p4
        FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS e (a1, a2, a3, a4, place)
        GROUP BY 1
    LOOP
        BEGIN
            answer := companion_as_worker.mark_skipped_many(part.shard, part.p1, part.p2, part.p3, part.p4);
            FOR i IN 1..cardinality(answer) LOOP
                results[part.places[i]] := answer[i];
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(part.shard, SQLSTATE, SQLERRM, detail, hint);
        END;
    END LOOP;
    RETURN results;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.release_message_many(user_ids uuid[], message_ids uuid[], attempts integer[]) RETURNS boolean[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shards constant integer := (SELECT c.shards FROM companion_router.shard_count AS c);
    part record;
    results boolean[];
    answer boolean[];
    detail text;
    hint text;
BEGIN
    IF NOT (coalesce(array_ndims($1) = 1 AND array_position($1, NULL) IS NULL, false)
            AND coalesce(array_ndims($2) = 1 AND cardinality($2) = cardinality($1), false)
            AND coalesce(array_ndims($3) = 1 AND cardinality($3) = cardinality($1), false)) THEN
        PERFORM companion_as_worker.release_message_many(0, $1, $2, $3); -- which says what is wrong with them
    END IF;
    results := array_fill(NULL::boolean, ARRAY[coalesce(cardinality($1), 0)]);
    FOR part IN
        SELECT companion_router.shard_of(e.a1, shards) AS shard, array_agg(e.place ORDER BY e.place) AS places,
               CASE WHEN $1 IS NOT NULL THEN array_agg(e.a1 ORDER BY e.place) END AS p1,
               CASE WHEN $2 IS NOT NULL THEN array_agg(e.a2 ORDER BY e.place) END AS p2,
               CASE WHEN $3 IS NOT NULL THEN array_agg(e.a3 ORDER BY e.place) END AS p3
        FROM unnest($1, $2, $3) WITH ORDINALITY AS e (a1, a2, a3, place)
        GROUP BY 1
    LOOP
        BEGIN
            answer := companion_as_worker.release_message_many(part.shard, part.p1, part.p2, part.p3);
            FOR i IN 1..cardinality(answer) LOOP
                results[part.places[i]] := answer[i];
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(part.shard, SQLSTATE, SQLERRM, detail, hint);
        END;
    END LOOP;
    RETURN results;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.start_send_many(user_ids uuid[], message_ids uuid[], attempts integer[]) RETURNS boolean[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shards constant integer := (SELECT c.shards FROM companion_router.shard_count AS c);
    part record;
    results boolean[];
    answer boolean[];
    detail text;
    hint text;
BEGIN
    IF NOT (coalesce(array_ndims($1) = 1 AND array_position($1, NULL) IS NULL, false)
            AND coalesce(array_ndims($2) = 1 AND cardinality($2) = cardinality($1), false)
            AND coalesce(array_ndims($3) = 1 AND cardinality($3) = cardinality($1), false)) THEN
        PERFORM companion_as_worker.start_send_many(0, $1, $2, $3); -- which says what is wrong with them
    END IF;
    results := array_fill(NULL::boolean, ARRAY[coalesce(cardinality($1), 0)]);
    FOR part IN
        SELECT companion_router.shard_of(e.a1, shards) AS shard, array_agg(e.place ORDER BY e.place) AS places,
               CASE WHEN $1 IS NOT NULL THEN array_agg(e.a1 ORDER BY e.place) END AS p1,
               CASE WHEN $2 IS NOT NULL THEN array_agg(e.a2 ORDER BY e.place) END AS p2,
               CASE WHEN $3 IS NOT NULL THEN array_agg(e.a3 ORDER BY e.place) END AS p3
        FROM unnest($1, $2, $3) WITH ORDINALITY AS e (a1, a2, a3, place)
        GROUP BY 1
    LOOP
        BEGIN
            answer := companion_as_worker.start_send_many(part.shard, part.p1, part.p2, part.p3);
            FOR i IN 1..cardinality(answer) LOOP
                results[part.places[i]] := answer[i];
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(part.shard, SQLSTATE, SQLERRM, detail, hint);
        END;
    END LOOP;
    RETURN results;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;


-- Rows to import: each shard gets those of its users; what is no user's, any, which says so.
CREATE FUNCTION companion.import_conversations(rows jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN QUERY
    SELECT part.places[i.element + 1]::integer - 1, i.id, i.outcome, i.reason
    FROM (SELECT companion_router.number_of(companion_router.uuid_in(e.value ->> 'user_id')) AS shard,
                 jsonb_agg(e.value ORDER BY e.place) AS elements, array_agg(e.place ORDER BY e.place) AS places
          FROM jsonb_array_elements(CASE jsonb_typeof($1) WHEN 'array' THEN $1 ELSE '[]' END)
              WITH ORDINALITY AS e (value, place)
          GROUP BY 1) AS part
    CROSS JOIN LATERAL companion_as_admin.import_conversations(part.shard, part.elements) AS i
    ORDER BY 1;
    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM companion_as_admin.import_conversations(0, $1); -- which says what is wrong with it
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.import_messages(rows jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN QUERY
    SELECT part.places[i.element + 1]::integer - 1, i.id, i.outcome, i.reason
    FROM (SELECT companion_router.number_of(companion_router.uuid_in(e.value ->> 'user_id')) AS shard,
                 jsonb_agg(e.value ORDER BY e.place) AS elements, array_agg(e.place ORDER BY e.place) AS places
          FROM jsonb_array_elements(CASE jsonb_typeof($1) WHEN 'array' THEN $1 ELSE '[]' END)
              WITH ORDINALITY AS e (value, place)
          GROUP BY 1) AS part
    CROSS JOIN LATERAL companion_as_admin.import_messages(part.shard, part.elements) AS i
    ORDER BY 1;
    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM companion_as_admin.import_messages(0, $1); -- which says what is wrong with it
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.import_scheduled_messages(rows jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN QUERY
    SELECT part.places[i.element + 1]::integer - 1, i.id, i.outcome, i.reason
    FROM (SELECT companion_router.number_of(companion_router.uuid_in(e.value ->> 'user_id')) AS shard,
                 jsonb_agg(e.value ORDER BY e.place) AS elements, array_agg(e.place ORDER BY e.place) AS places
          FROM jsonb_array_elements(CASE jsonb_typeof($1) WHEN 'array' THEN $1 ELSE '[]' END)
              WITH ORDINALITY AS e (value, place)
          GROUP BY 1) AS part
    CROSS JOIN LATERAL companion_as_admin.import_scheduled_messages(part.shard, part.elements) AS i
    ORDER BY 1;
    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM companion_as_admin.import_scheduled_messages(0, $1); -- which says what is wrong with it
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.import_user_context(rows jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN QUERY
    SELECT part.places[i.element + 1]::integer - 1, i.id, i.outcome, i.reason
    FROM (SELECT companion_router.number_of(companion_router.uuid_in(e.value ->> 'user_id')) AS shard,
                 jsonb_agg(e.value ORDER BY e.place) AS elements, array_agg(e.place ORDER BY e.place) AS places
          FROM jsonb_array_elements(CASE jsonb_typeof($1) WHEN 'array' THEN $1 ELSE '[]' END)
              WITH ORDINALITY AS e (value, place)
          GROUP BY 1) AS part
    CROSS JOIN LATERAL companion_as_admin.import_user_context(part.shard, part.elements) AS i
    ORDER BY 1;
    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM companion_as_admin.import_user_context(0, $1); -- which says what is wrong with it
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;

CREATE FUNCTION companion.import_users(rows jsonb) RETURNS TABLE(element integer, id uuid, outcome text, reason text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    RETURN QUERY
    SELECT part.places[i.element + 1]::integer - 1, i.id, i.outcome, i.reason
    FROM (SELECT companion_router.number_of(companion_router.uuid_in(e.value ->> 'id')) AS shard,
                 jsonb_agg(e.value ORDER BY e.place) AS elements, array_agg(e.place ORDER BY e.place) AS places
          FROM jsonb_array_elements(CASE jsonb_typeof($1) WHEN 'array' THEN $1 ELSE '[]' END)
              WITH ORDINALITY AS e (value, place)
          GROUP BY 1) AS part
    CROSS JOIN LATERAL companion_as_admin.import_users(part.shard, part.elements) AS i
    ORDER BY 1;
    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM companion_as_admin.import_users(0, $1); -- which says what is wrong with it
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM companion_router.fail(SQLSTATE, SQLERRM, detail, hint);
END
$$;


-- What a router cannot do.
CREATE FUNCTION companion.channel_address(u companion.users, channel text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM companion_router.refuse('channel_address');
END
$$;

CREATE FUNCTION companion.follow_auth_users(auth_table regclass DEFAULT to_regclass('auth.users'::text), email_column name DEFAULT 'email'::name, deleted_column name DEFAULT NULL::name, banned_column name DEFAULT NULL::name, on_replica boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM companion_router.refuse('follow_auth_users');
END
$$;

CREATE FUNCTION companion.schedule_jobs(run_as name DEFAULT CURRENT_USER, every interval DEFAULT '00:01:00'::interval, databases name[] DEFAULT ARRAY[current_database()]) RETURNS TABLE(job text, schedule text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM companion_router.refuse('schedule_jobs');
END
$$;

CREATE FUNCTION companion.set_directory(shards integer) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM companion_router.refuse('set_directory');
END
$$;

CREATE FUNCTION companion.set_shard(number integer, shards integer) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM companion_router.refuse('set_shard');
END
$$;

CREATE FUNCTION companion.unfollow_auth_users(auth_table regclass DEFAULT to_regclass('auth.users'::text)) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM companion_router.refuse('unfollow_auth_users');
END
$$;

CREATE FUNCTION companion.unschedule_jobs(databases name[] DEFAULT ARRAY[current_database()]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM companion_router.refuse('unschedule_jobs');
END
$$;

CREATE FUNCTION companion.usable_channel(u companion.users) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM companion_router.refuse('usable_channel');
END
$$;


-- The comments.
COMMENT ON FUNCTION companion.add_message(user_id uuid, conversation_id uuid, role text, content text, telegram_message_id bigint, reply_to_id uuid, metadata jsonb, reply_to_telegram_id bigint, bot text, address text, external_id text, reply_to_external_id text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.advance_onboarding(user_id uuid, step text, answers jsonb) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.annotate_message(user_id uuid, message_id uuid, priority_level integer, topic_key text, metadata jsonb) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.apply_retention(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.cancel_message(user_id uuid, message_id uuid, reason text, idempotency_key text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.cancel_messages(user_id uuid, kind text, reason text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.canonical_timezone(timezone text) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.channel_address(u companion.users, channel text) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.checkin_instant(timezone text, local_date date, local_time time without time zone) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.close_conversation(user_id uuid, conversation_id uuid, mood_summary text, topics text[]) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.complete_onboarding(user_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.cosine_similarity(a real[], b real[]) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.create_telegram_link_token(user_id uuid, valid_for interval, bot text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.delete_message(user_id uuid, message_id uuid, forget_facts boolean) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.directory_change_done(user_id uuid, id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.directory_confirm(user_id uuid, channel text, address text, bot text, reservation bigint) IS 'As on the directory.';
COMMENT ON FUNCTION companion.directory_lookup(channel text, address text, bot text) IS 'As on the directory.';
COMMENT ON FUNCTION companion.directory_release(channel text, address text, bot text, reservation bigint) IS 'As on the directory.';
COMMENT ON FUNCTION companion.directory_reserve(user_id uuid, channel text, address text, bot text) IS 'As on the directory.';
COMMENT ON FUNCTION companion.disable_address(user_id uuid, channel text, address text, bot text, reason text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.dispatch(at timestamp with time zone, max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.due_follow_ups(user_id uuid, on_date date) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.edit_message(user_id uuid, message_id uuid, content text, telegram_message_id bigint, bot text, address text, external_id text, channel text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.end_of_day(user_id uuid, local_date date) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.erase_user(user_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.expire_addresses(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.expire_cap_starts(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.expire_early_edits(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.expire_job_runs(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.expire_messages(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.expire_reservations(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.expire_telegram_link_tokens(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.expire_user_context(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.explain_checkin(user_id uuid, local_date date) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.export_user(user_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.extend_lease(user_id uuid, message_id uuid, attempt integer, lease interval) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.extend_lease_many(user_ids uuid[], message_ids uuid[], attempts integer[], lease interval) IS 'As on a shard; each gets those of its users. NULL, with a WARNING, for those of one that cannot be reached: not now, call again.';
COMMENT ON FUNCTION companion.finish_abandoned(max_rows integer) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.folded(value text) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.follow_auth_users(auth_table regclass, email_column name, deleted_column name, banned_column name, on_replica boolean) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.forget_redeem_failures() IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.forget_user_context(user_id uuid, category text, key text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.import_conversations(rows jsonb) IS 'As on a shard; each gets the rows of its users. Where one cannot be reached, error 08001; call again with the same rows.';
COMMENT ON FUNCTION companion.import_messages(rows jsonb) IS 'As on a shard; each gets the rows of its users. Where one cannot be reached, error 08001; call again with the same rows.';
COMMENT ON FUNCTION companion.import_scheduled_messages(rows jsonb) IS 'As on a shard; each gets the rows of its users. Where one cannot be reached, error 08001; call again with the same rows.';
COMMENT ON FUNCTION companion.import_user_context(rows jsonb) IS 'As on a shard; each gets the rows of its users. Where one cannot be reached, error 08001; call again with the same rows.';
COMMENT ON FUNCTION companion.import_users(rows jsonb) IS 'As on a shard; each gets the rows of its users. Where one cannot be reached, error 08001; call again with the same rows.';
COMMENT ON FUNCTION companion.imported_id(user_id uuid, table_name text, old_id text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.is_same_text(a text, b text) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.link_wanted_address(user_id uuid, id uuid, reservation bigint, expires_at timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.local_timestamp(timezone text, at timestamp with time zone) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.mark_failed(user_id uuid, message_id uuid, attempt integer, reason text, retry_after interval, permanent boolean, address_gone boolean, retry_after_seconds double precision) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.mark_failed_many(user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[], retry_after interval, permanent boolean, address_gone boolean, retry_after_seconds double precision) IS 'As on a shard; each gets those of its users. NULL, with a WARNING, for those of one that cannot be reached: not now, call again.';
COMMENT ON FUNCTION companion.mark_sent(user_id uuid, message_id uuid, attempt integer, content text, telegram_message_id bigint, external_id text, metadata jsonb, resolves uuid[]) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.mark_sent_many(user_ids uuid[], message_ids uuid[], attempts integer[], contents text[], telegram_message_ids bigint[], external_ids text[], metadata jsonb[], resolves uuid[]) IS 'As on a shard; each gets those of its users. NULL, with a WARNING, for those of one that cannot be reached: not now, call again.';
COMMENT ON FUNCTION companion.mark_skipped(user_id uuid, message_id uuid, attempt integer, reason text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.mark_skipped_many(user_ids uuid[], message_ids uuid[], attempts integer[], reasons text[]) IS 'As on a shard; each gets those of its users. NULL, with a WARNING, for those of one that cannot be reached: not now, call again.';
COMMENT ON FUNCTION companion.memory_report(user_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.merge_context_items() IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.new_user_id() IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.next_checkin(user_id uuid, at timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.normalized(value text) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.open_conversation(user_id uuid, channel text, initiated_by text, idle interval) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.pause_sending(channel text, kind text, until timestamp with time zone, reason text) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.quiet_until(timezone text, quiet_from time without time zone, quiet_until time without time zone, at timestamp with time zone) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.recall_score(category text, importance double precision, confirmations integer, confirmed_at timestamp with time zone, last_used_at timestamp with time zone, at timestamp with time zone) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.recall_user_context(user_id uuid, max_items integer, max_chars integer, categories text[], exclude text[], embedding double precision[], meaning_weight double precision, model text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.recent_messages(user_id uuid, max_messages integer, conversation_id uuid, before_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.release_message(user_id uuid, message_id uuid, attempt integer) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.release_message_many(user_ids uuid[], message_ids uuid[], attempts integer[]) IS 'As on a shard; each gets those of its users. NULL, with a WARNING, for those of one that cannot be reached: not now, call again.';
COMMENT ON FUNCTION companion.reschedule_message(user_id uuid, message_id uuid, scheduled_for timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.resolve_user_context(user_id uuid, category text, key text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.resume_sending(channel text, kind text) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.retry_failed(since timestamp with time zone, reason_pattern text, kinds text[]) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.retry_message(user_id uuid, message_id uuid, send_before timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.revoke_telegram_link_tokens(user_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.rewind_dispatch(to_at timestamp with time zone) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.schedule_jobs(run_as name, every interval, databases name[]) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.schedule_message(user_id uuid, scheduled_for timestamp with time zone, content text, kind text, channel text, idempotency_key text, generation_context jsonb, send_before timestamp with time zone, replace boolean, cancel_on_reply boolean, priority_level integer, topic_key text, metadata jsonb) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.search_messages(user_id uuid, query text, max_results integer) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.sent_today(user_id uuid, kind text, at timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.set_directory(shards integer) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.set_embedding(user_id uuid, item_id uuid, model text, embedding double precision[], value text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.set_shard(number integer, shards integer) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.settle_reservation(user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.start_onboarding(user_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.start_send(user_id uuid, message_id uuid, attempt integer) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.start_send_many(user_ids uuid[], message_ids uuid[], attempts integer[]) IS 'As on a shard; each gets those of its users. NULL, with a WARNING, for those of one that cannot be reached: not now, call again.';
COMMENT ON FUNCTION companion.take_reservation(user_id uuid, channel text, address text, bot text, reservation bigint, expires_at timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.telegram_deep_link(bot_username text, token text) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.throttle_channel(channel text, retry_after interval, bot text, retry_after_seconds double precision) IS 'As on a shard; run on every one. One that fails is passed over with a WARNING, unless they all do.';
COMMENT ON FUNCTION companion.touch_user_context(user_id uuid, ids uuid[]) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.unfollow_auth_users(auth_table regclass) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.unlink_address(user_id uuid, channel text, address text, bot text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.unlink_telegram(user_id uuid) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.unschedule_jobs(databases name[]) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.upcoming(user_id uuid, until timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.update_user_context(user_id uuid, id uuid, category text, key text, importance double precision, pinned boolean, expires_at timestamp with time zone, metadata jsonb, merge boolean) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.upsert_user_context(user_id uuid, category text, key text, value text, importance double precision, emotional_valence integer, source text, expires_at timestamp with time zone, source_message_id uuid, metadata jsonb, pinned boolean) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.upsert_user_context_many(user_id uuid, facts jsonb, on_invalid text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.upsert_user_context_many(user_id uuid, facts_text text, on_invalid text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.usable_channel(u companion.users) IS 'Not routed: error 0A000.';
COMMENT ON FUNCTION companion.user_context_as_of(user_id uuid, at timestamp with time zone) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.user_context_prompt(user_id uuid, max_items integer, max_chars integer, categories text[], exclude text[], embedding double precision[], meaning_weight double precision, model text) IS 'As on a shard; run on that of the user.';
COMMENT ON FUNCTION companion.uuid_v7() IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion.uuid_v7(at timestamp with time zone) IS 'As on a shard; run on any.';
COMMENT ON FUNCTION companion_as_admin.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint, text, text, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint, text, text, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.add_message(uuid, uuid, text, text, bigint, uuid, jsonb, bigint, text, text, text, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.advance_onboarding(uuid, text, jsonb) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.advance_onboarding(uuid, text, jsonb) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.advance_onboarding(uuid, text, jsonb, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.annotate_message(uuid, uuid, integer, text, jsonb) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.annotate_message(uuid, uuid, integer, text, jsonb) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.apply_retention(integer, integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.cancel_message(uuid, uuid, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.cancel_message(uuid, uuid, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.cancel_message(uuid, uuid, text, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.cancel_messages(uuid, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.cancel_messages(uuid, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.cancel_messages(uuid, text, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.canonical_timezone(integer, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.canonical_timezone(integer, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.canonical_timezone(integer, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.checkin_instant(integer, text, date, time without time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.checkin_instant(integer, text, date, time without time zone) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.checkin_instant(integer, text, date, time without time zone, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_worker.claim_messages(integer, text, integer, interval, text[], text[]) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.close_conversation(uuid, uuid, text, text[]) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.close_conversation(uuid, uuid, text, text[]) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.complete_onboarding(uuid) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.complete_onboarding(uuid) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.complete_onboarding(uuid, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.cosine_similarity(integer, real[], real[]) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.cosine_similarity(integer, real[], real[]) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.cosine_similarity(integer, real[], real[], text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.create_telegram_link_token(uuid, interval, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.create_telegram_link_token(uuid, interval, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.create_telegram_link_token(uuid, interval, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.delete_message(uuid, uuid, boolean) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.delete_message(uuid, uuid, boolean) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.delete_message(uuid, uuid, boolean, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.directory_change_done(uuid, uuid) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.directory_change_done(uuid, uuid) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.directory_confirm(uuid, text, text, text, bigint) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.directory_confirm(uuid, text, text, text, bigint) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.directory_lookup(text, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.directory_lookup(text, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.directory_release(text, text, text, bigint) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.directory_release(text, text, text, bigint) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.directory_reserve(uuid, text, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.directory_reserve(uuid, text, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.disable_address(uuid, text, text, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.disable_address(uuid, text, text, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.dispatch(integer, timestamp with time zone, integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.dispatch(integer, timestamp with time zone, integer) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.dispatch_batch(integer, timestamp with time zone, integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.dispatch_batch(integer, timestamp with time zone, integer) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.due_follow_ups(uuid, date) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.due_follow_ups(uuid, date) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.due_follow_ups(uuid, date, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.due_follow_ups_all(integer, integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.due_follow_ups_all(integer, integer) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.edit_message(uuid, uuid, text, bigint, text, text, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.edit_message(uuid, uuid, text, bigint, text, text, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.end_of_day(uuid, date) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.end_of_day(uuid, date) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.end_of_day(uuid, date, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.erase_user(uuid) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_user.erase_user(uuid, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.expire_addresses(integer, integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.expire_cap_starts(integer, integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.expire_early_edits(integer, integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.expire_job_runs(integer, integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.expire_messages(integer, integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.expire_reservations(integer, integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.expire_telegram_link_tokens(integer, integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.expire_user_context(integer, integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.explain_checkin(uuid, date) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.explain_checkin(uuid, date) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.explain_checkin(uuid, date, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.export_user(uuid) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_user.export_user(uuid, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_worker.extend_lease(uuid, uuid, integer, interval) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_worker.extend_lease_many(integer, uuid[], uuid[], integer[], interval) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.finish_abandoned(integer, integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.folded(integer, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.folded(integer, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.folded(integer, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.forget_redeem_failures(integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.forget_user_context(uuid, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.forget_user_context(uuid, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.forget_user_context(uuid, text, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.health(integer, interval) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_monitor.health(integer, interval) IS 'Goes to a shard as companion_monitor. Internal.';
COMMENT ON FUNCTION companion_as_admin.import_conversations(integer, jsonb) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.import_messages(integer, jsonb) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.import_scheduled_messages(integer, jsonb) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.import_user_context(integer, jsonb) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.import_users(integer, jsonb) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.imported_id(uuid, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.imported_id(uuid, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.is_same_text(integer, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.is_same_text(integer, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.is_same_text(integer, text, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.items_without_embedding(integer, text, integer, uuid) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.items_without_embedding(integer, text, integer, uuid) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.link_address(integer, uuid, text, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.link_address(integer, uuid, text, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.link_token_owner(integer, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.link_token_owner(integer, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.link_wanted_address(uuid, uuid, bigint, timestamp with time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.link_wanted_address(uuid, uuid, bigint, timestamp with time zone) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.local_timestamp(integer, text, timestamp with time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.local_timestamp(integer, text, timestamp with time zone) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.local_timestamp(integer, text, timestamp with time zone, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_worker.mark_failed(uuid, uuid, integer, text, interval, boolean, boolean, double precision) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_worker.mark_failed_many(integer, uuid[], uuid[], integer[], text[], interval, boolean, boolean, double precision) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_worker.mark_sent(uuid, uuid, integer, text, bigint, text, jsonb, uuid[]) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_worker.mark_sent_many(integer, uuid[], uuid[], integer[], text[], bigint[], text[], jsonb[], uuid[]) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_worker.mark_skipped(uuid, uuid, integer, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_worker.mark_skipped_many(integer, uuid[], uuid[], integer[], text[]) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.memory_report(uuid) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.memory_report(uuid) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.memory_report(uuid, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.merge_context_items(integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.metrics(integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_monitor.metrics(integer) IS 'Goes to a shard as companion_monitor. Internal.';
COMMENT ON FUNCTION companion_as_admin.new_user_id(integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.new_user_id(integer) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.new_user_id(integer, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.next_checkin(uuid, timestamp with time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.next_checkin(uuid, timestamp with time zone) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.next_checkin(uuid, timestamp with time zone, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.normalized(integer, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.normalized(integer, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.normalized(integer, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.open_conversation(uuid, text, text, interval) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.open_conversation(uuid, text, text, interval) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.open_conversation(uuid, text, text, interval, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.pause_sending(integer, text, text, timestamp with time zone, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.put_user(integer, uuid, jsonb) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.put_user(integer, uuid, jsonb) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.put_user(integer, uuid, jsonb, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.quiet_until(integer, text, time without time zone, time without time zone, timestamp with time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.quiet_until(integer, text, time without time zone, time without time zone, timestamp with time zone) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.quiet_until(integer, text, time without time zone, time without time zone, timestamp with time zone, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.recall_score(integer, text, double precision, integer, timestamp with time zone, timestamp with time zone, timestamp with time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.recall_score(integer, text, double precision, integer, timestamp with time zone, timestamp with time zone, timestamp with time zone) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.recall_score(integer, text, double precision, integer, timestamp with time zone, timestamp with time zone, timestamp with time zone, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.recall_user_context(uuid, integer, integer, text[], text[], double precision[], double precision, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.recall_user_context(uuid, integer, integer, text[], text[], double precision[], double precision, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.recall_user_context(uuid, integer, integer, text[], text[], double precision[], double precision, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.recent_messages(uuid, integer, uuid, uuid) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.recent_messages(uuid, integer, uuid, uuid) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.recent_messages(uuid, integer, uuid, uuid, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.record_incoming(integer, text, text, text, bigint, bigint, jsonb, interval, text, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.record_incoming(integer, text, text, text, bigint, bigint, jsonb, interval, text, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_worker.redeem_telegram_link_token(integer, text, bigint, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_worker.release_message(uuid, uuid, integer) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_worker.release_message_many(integer, uuid[], uuid[], integer[]) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.reschedule_message(uuid, uuid, timestamp with time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.reschedule_message(uuid, uuid, timestamp with time zone) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.resolve_user_context(uuid, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.resolve_user_context(uuid, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.resolve_user_context(uuid, text, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.resume_sending(integer, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.retry_failed(integer, timestamp with time zone, text, text[]) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.retry_message(uuid, uuid, timestamp with time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.retry_message(uuid, uuid, timestamp with time zone) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.revoke_telegram_link_tokens(uuid) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.revoke_telegram_link_tokens(uuid) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.revoke_telegram_link_tokens(uuid, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.rewind_dispatch(integer, timestamp with time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.run_maintenance(integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_admin.schedule_message(uuid, timestamp with time zone, text, text, text, text, jsonb, timestamp with time zone, boolean, boolean, integer, text, jsonb) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.schedule_message(uuid, timestamp with time zone, text, text, text, text, jsonb, timestamp with time zone, boolean, boolean, integer, text, jsonb) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.search_messages(uuid, text, integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.search_messages(uuid, text, integer) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.search_messages(uuid, text, integer, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.sent_today(uuid, text, timestamp with time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.sent_today(uuid, text, timestamp with time zone) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.sent_today(uuid, text, timestamp with time zone, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.set_embedding(uuid, uuid, text, double precision[], text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.set_embedding(uuid, uuid, text, double precision[], text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.settle_reservation(uuid, text, text, text, bigint, timestamp with time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.settle_reservation(uuid, text, text, text, bigint, timestamp with time zone) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.start_onboarding(uuid) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.start_onboarding(uuid) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.start_onboarding(uuid, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_worker.start_send(uuid, uuid, integer) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_worker.start_send_many(integer, uuid[], uuid[], integer[]) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.take_reservation(uuid, text, text, text, bigint, timestamp with time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.take_reservation(uuid, text, text, text, bigint, timestamp with time zone) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.telegram_deep_link(integer, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.telegram_deep_link(integer, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.telegram_deep_link(integer, text, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.throttle_channel(integer, text, interval, text, double precision) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.throttle_channel(integer, text, interval, text, double precision) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_admin.touch_user_context(uuid, uuid[]) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.touch_user_context(uuid, uuid[]) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.touch_user_context(uuid, uuid[], text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.unlink_address(uuid, text, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.unlink_address(uuid, text, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.unlink_address(uuid, text, text, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.unlink_telegram(uuid) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.unlink_telegram(uuid) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.unlink_telegram(uuid, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.upcoming(uuid, timestamp with time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.upcoming(uuid, timestamp with time zone) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.upcoming(uuid, timestamp with time zone, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.update_user_context(uuid, uuid, text, text, double precision, boolean, timestamp with time zone, jsonb, boolean) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.update_user_context(uuid, uuid, text, text, double precision, boolean, timestamp with time zone, jsonb, boolean) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.update_user_context(uuid, uuid, text, text, double precision, boolean, timestamp with time zone, jsonb, boolean, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.upsert_user_context(uuid, text, text, text, double precision, integer, text, timestamp with time zone, uuid, jsonb, boolean) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.upsert_user_context(uuid, text, text, text, double precision, integer, text, timestamp with time zone, uuid, jsonb, boolean) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.upsert_user_context(uuid, text, text, text, double precision, integer, text, timestamp with time zone, uuid, jsonb, boolean, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.upsert_user_context_many(uuid, jsonb, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.upsert_user_context_many(uuid, jsonb, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.upsert_user_context_many(uuid, jsonb, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.upsert_user_context_many(uuid, text, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.upsert_user_context_many(uuid, text, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.upsert_user_context_many(uuid, text, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.user_context_as_of(uuid, timestamp with time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.user_context_as_of(uuid, timestamp with time zone) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.user_context_as_of(uuid, timestamp with time zone, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.user_context_prompt(uuid, integer, integer, text[], text[], double precision[], double precision, text) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.user_context_prompt(uuid, integer, integer, text[], text[], double precision[], double precision, text) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.user_context_prompt(uuid, integer, integer, text[], text[], double precision[], double precision, text, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.uuid_v7(integer) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.uuid_v7(integer) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.uuid_v7(integer, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_as_admin.uuid_v7(integer, timestamp with time zone) IS 'Goes to a shard as companion_admin. Internal.';
COMMENT ON FUNCTION companion_as_worker.uuid_v7(integer, timestamp with time zone) IS 'Goes to a shard as companion_worker. Internal.';
COMMENT ON FUNCTION companion_as_user.uuid_v7(integer, timestamp with time zone, text) IS 'Goes to a shard as companion_user. Internal.';
COMMENT ON FUNCTION companion_router.upsert_user_context_many(uuid, jsonb, text) IS 'companion.upsert_user_context_many() in plpgsql, with its arguments by number. Internal.';
COMMENT ON FUNCTION companion_router.upsert_user_context_many(uuid, text, text) IS 'companion.upsert_user_context_many() in plpgsql, with its arguments by number. Internal.';
