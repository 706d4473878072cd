
-- Dispatch: one tick finds who is due and enqueues their messages.
CREATE TABLE companion.dispatch_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    previous_tick timestamptz NOT NULL CHECK (isfinite(previous_tick))
);
COMMENT ON TABLE companion.dispatch_state IS 'How far dispatch has come: one row, made by the first tick. Internal.';
COMMENT ON COLUMN companion.dispatch_state.only_row IS 'Always true.';
COMMENT ON COLUMN companion.dispatch_state.previous_tick IS 'The time of the last tick; the next one covers what is due after it.';
ALTER TABLE companion.dispatch_state ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.dispatch_state TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.dispatch_state IS 'Workers and admins read it.';
SELECT pg_catalog.pg_extension_config_dump('companion.dispatch_state', '');

-- The planner settings keep the tick an index walk whatever the statistics say; compiling it anew
-- each time would take longer than the tick.
CREATE FUNCTION companion.dispatch(at timestamptz DEFAULT companion.now()) RETURNS integer
LANGUAGE c SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS 'MODULE_PATHNAME', 'companion_dispatch';
COMMENT ON FUNCTION companion.dispatch(timestamptz) IS
'One tick: enqueues the check-ins that are due after the previous tick and up to at, and returns how many. What is found later than companion.catch_up is recorded as skipped. The first tick ever covers the minute before it. An at before the previous tick does nothing. Error 22008 for an infinite at.';

CREATE FUNCTION companion.rewind_dispatch(to_at timestamptz) RETURNS void
LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'companion_rewind_dispatch';
COMMENT ON FUNCTION companion.rewind_dispatch(timestamptz) IS
'Sets the previous tick, so that the next one covers what is due after to_at. What was enqueued already is not enqueued again. Error 22008 for an infinite time.';

CREATE FUNCTION companion.schedule_message(
    user_id uuid, scheduled_for timestamptz, content text, kind text DEFAULT 'custom',
    channel text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    generation_context jsonb DEFAULT NULL, OUT message_id uuid, OUT created boolean)
LANGUAGE c SET search_path = pg_catalog, pg_temp
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

