
-- Dispatch: one tick finds who is due and enqueues their messages.
CREATE TABLE companion.dispatch_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    previous_tick timestamptz NOT NULL CHECK (isfinite(previous_tick)),
    reached_reading bigint,
    reached_user uuid,
    began_after timestamptz
);
COMMENT ON TABLE companion.dispatch_state IS 'How far dispatch has come: one row, made by the first tick. Internal.';
COMMENT ON COLUMN companion.dispatch_state.only_row IS 'Always true.';
COMMENT ON COLUMN companion.dispatch_state.previous_tick IS 'Until when all that was due has been enqueued: the time of the last tick, or within one, of its last batch. The next covers what is due after it.';
COMMENT ON COLUMN companion.dispatch_state.reached_reading IS 'Of who is due in the microsecond after previous_tick, those whose reading is up to so many microseconds beyond the first one due then have been enqueued; NULL between ticks.';
COMMENT ON COLUMN companion.dispatch_state.reached_user IS 'Of those at reached_reading, the users up to this one have been enqueued; NULL between ticks.';
COMMENT ON COLUMN companion.dispatch_state.began_after IS 'Where the tick began that is not complete: what its first batch found previous_tick to be; NULL between ticks.';
ALTER TABLE companion.dispatch_state ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.dispatch_state TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.dispatch_state IS 'Workers and admins read it.';
SELECT pg_catalog.pg_extension_config_dump('companion.dispatch_state', '');

-- Neither a tick nor an end user's transaction may wait here: there is no foreign key, whose check
-- would wait for the user's row, and no key that two of them could both write.
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
-- Not UPDATE OF: a trigger of the app's may change these columns, too.
CREATE TRIGGER recheck_changed_user AFTER UPDATE ON companion.users
FOR EACH ROW EXECUTE FUNCTION companion.recheck_user();
COMMENT ON TRIGGER recheck_changed_user ON companion.users IS
'Has dispatch look again at a user whose check-in may be due before its change is committed.';

-- The rules of check-ins, as dispatch and next_checkin name them.
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

-- What commits can pin no setting, so every name is qualified. Its first command commits, so that
-- within a transaction it fails before it has done anything; and a batch sees what others have
-- committed, whatever the session's isolation level is.
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

CREATE FUNCTION companion.rewind_dispatch(to_at timestamptz) RETURNS void
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_rewind_dispatch';
COMMENT ON FUNCTION companion.rewind_dispatch(timestamptz) IS
'Sets the previous tick, so that the next one covers what is due after to_at, and nothing before. What was enqueued already is not enqueued again. Error 22008 for an infinite time; 22023 for one in the future, unless companion.clock is set, and for one before what companion.retention keeps.';

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

