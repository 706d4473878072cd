-- What an operator may add to the queue: triggers, columns, constraints, indexes, foreign keys.
-- Claims and reports go to the table without a plan, and heed all of them.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (id, display_name, telegram_user_id)
VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', 7001);
-- One message, from its claim to its end: each step's outcome.
CREATE FUNCTION pg_temp.step(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message companion.dispatch_queue;
    result text;
BEGIN
    SELECT * INTO message FROM companion.dispatch_queue;
    IF statement LIKE '%^%s%' ESCAPE '^' AND NOT found THEN
        RETURN 'nothing on the queue';
    END IF;
    EXECUTE format(statement, format('%L, %L, %s', message.user_id, message.message_id,
        message.attempt)) INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE FUNCTION pg_temp.schedule() RETURNS boolean
BEGIN ATOMIC
    SELECT (companion.schedule_message(id, companion.now(), 'hello')).created FROM companion.users;
END;
CREATE PROCEDURE pg_temp.walk_through() LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE companion.dispatch_queue, companion.scheduled_messages;
    PERFORM pg_temp.schedule();
    RAISE NOTICE 'claim: %', pg_temp.step('SELECT count(*) FROM companion.claim_messages(''w'')');
    RAISE NOTICE 'extend: %', pg_temp.step('SELECT companion.extend_lease(%s)');
    RAISE NOTICE 'start: %', pg_temp.step('SELECT companion.start_send(%s)');
    RAISE NOTICE 'fail: %', pg_temp.step('SELECT companion.mark_failed(%s, ''busy'', ''0'')');
    RAISE NOTICE 'claim: %', pg_temp.step('SELECT count(*) FROM companion.claim_messages(''w'')');
    RAISE NOTICE 'start: %', pg_temp.step('SELECT companion.start_send(%s)');
    RAISE NOTICE 'sent: %', pg_temp.step('SELECT companion.mark_sent(%s)');
    RAISE NOTICE 'status: %, on the queue: %',
        (SELECT status FROM companion.scheduled_messages),
        (SELECT count(*) FROM companion.dispatch_queue);
END
$$;

-- Triggers for each row, before and after, and for some columns.
CREATE FUNCTION pg_temp.tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '    % % %: attempt %, %', tg_argv[0], tg_when, tg_op,
        coalesce(new.attempt, old.attempt),
        CASE WHEN coalesce(new.sending, old.sending) THEN 'sending' ELSE 'not sending' END;
    RETURN coalesce(new, old);
END
$$;
CREATE TRIGGER tell_before BEFORE INSERT OR UPDATE OR DELETE ON companion.dispatch_queue
FOR EACH ROW EXECUTE FUNCTION pg_temp.tell('row');
CREATE TRIGGER tell_after AFTER INSERT OR UPDATE OR DELETE ON companion.dispatch_queue
FOR EACH ROW EXECUTE FUNCTION pg_temp.tell('row');
CALL pg_temp.walk_through();
DROP TRIGGER tell_before ON companion.dispatch_queue;
DROP TRIGGER tell_after ON companion.dispatch_queue;
CREATE PROCEDURE pg_temp.watch(columns text, condition text DEFAULT 'true') LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER watch BEFORE UPDATE OF %s ON companion.dispatch_queue
        FOR EACH ROW WHEN (%s) EXECUTE FUNCTION pg_temp.tell(%1$L)', columns, condition);
    EXECUTE format('CREATE TRIGGER watch_after AFTER UPDATE OF %s ON companion.dispatch_queue
        FOR EACH ROW WHEN (%s) EXECUTE FUNCTION pg_temp.tell(%1$L)', columns, condition);
    CALL pg_temp.walk_through();
    DROP TRIGGER watch ON companion.dispatch_queue;
    DROP TRIGGER watch_after ON companion.dispatch_queue;
END
$$;
CALL pg_temp.watch('visible_at');
CALL pg_temp.watch('leased_until');
CALL pg_temp.watch('attempt', 'new.attempt <> old.attempt');
CALL pg_temp.watch('sending', 'new.sending AND NOT old.sending');
CALL pg_temp.watch('worker');
-- These are never written.
CALL pg_temp.watch('send_before, user_id, message_id, channel');

-- What looks at a row only after it has changed: triggers, also deferred ones, and a unique index that
-- is checked at the end.
CREATE TRIGGER tell_after AFTER UPDATE OR DELETE ON companion.dispatch_queue
FOR EACH ROW EXECUTE FUNCTION pg_temp.tell('row');
CREATE CONSTRAINT TRIGGER tell_deferred AFTER UPDATE OR DELETE ON companion.dispatch_queue
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.tell('deferred');
CREATE TRIGGER tell_some AFTER UPDATE OF send_before ON companion.dispatch_queue
FOR EACH ROW EXECUTE FUNCTION pg_temp.tell('never');
ALTER TABLE companion.dispatch_queue ADD CONSTRAINT one_lease UNIQUE (worker, leased_until)
DEFERRABLE INITIALLY DEFERRED, ADD COLUMN payload text DEFAULT repeat('long ', 2000);
ALTER TABLE companion.dispatch_queue ALTER COLUMN payload SET STORAGE EXTERNAL;
CALL pg_temp.walk_through();
TRUNCATE companion.dispatch_queue, companion.scheduled_messages;
SELECT pg_temp.schedule() FROM generate_series(1, 2);
-- Two leases that end at once are one too many.
SELECT attempt FROM companion.claim_messages('w');
SELECT attempt FROM companion.claim_messages('w', 1);
SELECT companion.start_send(user_id, message_id, 1) FROM companion.dispatch_queue WHERE worker = 'w';
SELECT attempt, sending, length(payload) FROM companion.dispatch_queue ORDER BY attempt;
SET enable_seqscan = off;
SELECT count(*) AS by_index FROM companion.dispatch_queue WHERE worker = 'w';
RESET enable_seqscan;
ALTER TABLE companion.dispatch_queue DROP CONSTRAINT one_lease, DROP COLUMN payload;
DROP TRIGGER tell_after ON companion.dispatch_queue;
DROP TRIGGER tell_deferred ON companion.dispatch_queue;
DROP TRIGGER tell_some ON companion.dispatch_queue;
-- One that fires before one of them, and not the other.
CREATE TRIGGER tell_update AFTER UPDATE ON companion.dispatch_queue
FOR EACH ROW EXECUTE FUNCTION pg_temp.tell('row');
CREATE TRIGGER tell_delete BEFORE DELETE ON companion.dispatch_queue
FOR EACH ROW EXECUTE FUNCTION pg_temp.tell('row');
CALL pg_temp.walk_through();
DROP TRIGGER tell_update ON companion.dispatch_queue;
DROP TRIGGER tell_delete ON companion.dispatch_queue;

-- In one transaction with what has made the message, too.
CREATE TRIGGER tell_before BEFORE INSERT OR UPDATE OR DELETE ON companion.dispatch_queue
FOR EACH ROW EXECUTE FUNCTION pg_temp.tell('row');
BEGIN;
CALL pg_temp.walk_through();
COMMIT;
DROP TRIGGER tell_before ON companion.dispatch_queue;

-- A trigger that does something of its own: more statements, also on the queue.
CREATE TABLE trigger_log (change text, attempt integer, sending boolean);
CREATE FUNCTION pg_temp.log() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.trigger_log
    VALUES (tg_op, coalesce(new.attempt, old.attempt), coalesce(new.sending, old.sending));
    PERFORM FROM companion.dispatch_queue FOR UPDATE;
    RETURN coalesce(new, old);
END
$$;
CREATE TRIGGER log BEFORE UPDATE OR DELETE ON companion.dispatch_queue
FOR EACH ROW EXECUTE FUNCTION pg_temp.log();
CALL pg_temp.walk_through();
SELECT * FROM trigger_log;
DROP TRIGGER log ON companion.dispatch_queue;
DROP TABLE trigger_log;

-- One that suppresses a row, or changes what keeps a message from being lost or sent twice, is an
-- error at once; nothing has happened then.
CREATE FUNCTION pg_temp.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('test.meddle', true) = tg_op THEN
        RETURN NULL;
    END IF;
    CASE current_setting('test.meddle', true)
        WHEN 'user_id' THEN new.user_id := '00000000-0000-0000-0000-000000000009';
        WHEN 'message_id' THEN new.message_id := '00000000-0000-0000-0000-000000000009';
        WHEN 'leased_until' THEN new.leased_until := new.leased_until + interval '1 second';
        WHEN 'attempt' THEN new.attempt := new.attempt + 1;
        WHEN 'sending' THEN new.sending := NOT new.sending;
        WHEN 'visible_at' THEN new.visible_at := new.visible_at - interval '1 second';
        WHEN 'send_before' THEN new.send_before := '2026-03-05';
        WHEN 'worker' THEN new.worker := NULL;
        WHEN 'channel' THEN new.channel := 'carrier pigeon';
        WHEN 'again' THEN
            IF pg_trigger_depth() = 1 THEN
                UPDATE companion.dispatch_queue SET worker = 'trigger';
            END IF;
        ELSE NULL;
    END CASE;
    RETURN coalesce(new, old);
END
$$;
CREATE TRIGGER meddle BEFORE UPDATE OR DELETE ON companion.dispatch_queue
FOR EACH ROW EXECUTE FUNCTION pg_temp.meddle();
CREATE PROCEDURE pg_temp.meddle_with(what text) LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE companion.dispatch_queue, companion.scheduled_messages;
    PERFORM pg_temp.schedule();
    PERFORM set_config('test.meddle', what, false);
    RAISE NOTICE '% claim: %', what,
        pg_temp.step('SELECT count(*) FROM companion.claim_messages(''w'')');
    PERFORM set_config('test.meddle', '', false);
    PERFORM companion.claim_messages('w');
    PERFORM set_config('test.meddle', what, false);
    RAISE NOTICE '% extend: %', what, pg_temp.step('SELECT companion.extend_lease(%s)');
    RAISE NOTICE '% start: %', what, pg_temp.step('SELECT companion.start_send(%s)');
    PERFORM set_config('test.meddle', '', false);
    UPDATE companion.dispatch_queue SET sending = true, worker = 'w';
    PERFORM set_config('test.meddle', what, false);
    RAISE NOTICE '% fail: %', what,
        pg_temp.step('SELECT companion.mark_failed(%s, ''busy'', ''0'')');
    PERFORM set_config('test.meddle', '', false);
    UPDATE companion.dispatch_queue SET sending = true, leased_until = companion.now();
    PERFORM set_config('test.meddle', what, false);
    RAISE NOTICE '% sent: %', what, pg_temp.step('SELECT companion.mark_sent(%s)');
    RAISE NOTICE '% give up: %', what, pg_temp.step('SELECT companion.finish_abandoned()');
    PERFORM set_config('test.meddle', '', false);
END
$$;
\set VERBOSITY terse
CALL pg_temp.meddle_with('UPDATE');
CALL pg_temp.meddle_with('DELETE');
CALL pg_temp.meddle_with('user_id');
CALL pg_temp.meddle_with('message_id');
CALL pg_temp.meddle_with('leased_until');
CALL pg_temp.meddle_with('attempt');
CALL pg_temp.meddle_with('sending');
-- What else it changes stays.
CALL pg_temp.meddle_with('visible_at');
CALL pg_temp.meddle_with('send_before');
CALL pg_temp.meddle_with('worker');
CALL pg_temp.meddle_with('channel');
-- It cannot change the row by a statement of its own, as nowhere in the server.
CALL pg_temp.meddle_with('again');
DROP TRIGGER meddle ON companion.dispatch_queue;
-- A row that is dropped because its user has gone is dropped, or else.
TRUNCATE companion.dispatch_queue, companion.scheduled_messages;
SELECT pg_temp.schedule();
ALTER TABLE companion.users DISABLE TRIGGER drop_pending;
DELETE FROM companion.users;
ALTER TABLE companion.users ENABLE TRIGGER drop_pending;
SET test.meddle = 'DELETE';
CREATE TRIGGER meddle BEFORE UPDATE OR DELETE ON companion.dispatch_queue
FOR EACH ROW EXECUTE FUNCTION pg_temp.meddle();
SELECT pg_temp.step('SELECT count(*) FROM companion.claim_messages(''w'')');
DROP TRIGGER meddle ON companion.dispatch_queue;
SELECT pg_temp.step('SELECT count(*) FROM companion.claim_messages(''w'')');
SELECT count(*) AS queued FROM companion.dispatch_queue;
INSERT INTO companion.users (id, display_name, telegram_user_id)
VALUES ('00000000-0000-0000-0000-000000000001', 'Maya', 7001);

-- The same on the audit trail and on users: no report is lost in silence.
CREATE FUNCTION pg_temp.suppress() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF tg_argv[0] = 'suppress' THEN
        RETURN NULL;
    ELSIF tg_argv[0] = 'status' THEN
        new.status := old.status;
    ELSIF tg_argv[0] = 'id' THEN
        new.id := companion.uuid_v7();
    END IF;
    RETURN new;
END
$$;
CREATE PROCEDURE pg_temp.suppress(relation text, how text) LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE companion.dispatch_queue, companion.scheduled_messages;
    PERFORM pg_temp.schedule();
    PERFORM companion.claim_messages('w');
    PERFORM pg_temp.step('SELECT companion.start_send(%s)');
    EXECUTE format('CREATE TRIGGER suppress BEFORE UPDATE ON companion.%I
        FOR EACH ROW EXECUTE FUNCTION pg_temp.suppress(%L)', relation, how);
    RAISE NOTICE 'failed: %',
        pg_temp.step('SELECT companion.mark_failed(%s, ''blocked'', NULL, true, true)');
    RAISE NOTICE 'skipped by array: %', pg_temp.step('SELECT companion.mark_skipped_many(
        ARRAY[a::uuid], ARRAY[b::uuid], ARRAY[c], ''{not now}'')
        FROM (VALUES (%s)) AS v (a, b, c)');
    RAISE NOTICE 'sent: %', pg_temp.step('SELECT companion.mark_sent(%s)');
    EXECUTE format('DROP TRIGGER suppress ON companion.%I', relation);
END
$$;
CALL pg_temp.suppress('scheduled_messages', 'suppress');
CALL pg_temp.suppress('scheduled_messages', 'status');
CALL pg_temp.suppress('scheduled_messages', 'id');
CALL pg_temp.suppress('users', 'suppress');

-- Triggers for each statement are not fired by claims and reports, which are none.
CREATE TRIGGER tell_statement AFTER UPDATE OR DELETE ON companion.dispatch_queue
FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.tell('statement');
CALL pg_temp.walk_through();
DROP TRIGGER tell_statement ON companion.dispatch_queue;

-- Columns, also dropped again and generated ones; constraints and indexes.
ALTER TABLE companion.dispatch_queue ADD COLUMN dropped text DEFAULT 'x', ADD COLUMN note text,
    ADD COLUMN tenfold integer GENERATED ALWAYS AS (attempt * 10) STORED,
    ADD COLUMN holder text GENERATED ALWAYS AS (coalesce(worker, 'nobody')) STORED,
    ADD COLUMN payload text DEFAULT repeat('long ', 2000);
ALTER TABLE companion.dispatch_queue ALTER COLUMN payload SET STORAGE EXTERNAL;
ALTER TABLE companion.dispatch_queue DROP COLUMN dropped;
ALTER TABLE companion.scheduled_messages ADD COLUMN dropped text DEFAULT 'x',
    ADD COLUMN user_note text DEFAULT 'kept',
    ADD COLUMN is_over boolean GENERATED ALWAYS AS (status <> 'pending') STORED;
ALTER TABLE companion.scheduled_messages DROP COLUMN dropped;
ALTER TABLE companion.users ADD COLUMN dropped text, ADD COLUMN address text;
UPDATE companion.users SET dropped = 'x', address = 'y';
ALTER TABLE companion.users DROP COLUMN dropped;
CREATE INDEX ON companion.dispatch_queue (attempt) WHERE sending;
CREATE INDEX ON companion.dispatch_queue (length(worker), leased_until);
CREATE UNIQUE INDEX ON companion.dispatch_queue (message_id, attempt);
CALL pg_temp.walk_through();
TRUNCATE companion.dispatch_queue, companion.scheduled_messages;
SELECT pg_temp.schedule();
UPDATE companion.dispatch_queue SET note = 'kept';
SELECT attempt, address, display_name, content FROM companion.claim_messages('w');
SELECT attempt, note, tenfold, holder, length(payload) FROM companion.dispatch_queue;
SELECT pg_temp.step('SELECT companion.start_send(%s)');
SET enable_seqscan = off;
SELECT count(*) AS by_partial_index FROM companion.dispatch_queue WHERE sending AND attempt = 1;
SELECT count(*) AS by_expression FROM companion.dispatch_queue WHERE length(worker) = 1;
RESET enable_seqscan;
SELECT pg_temp.step('SELECT companion.mark_failed(%s, ''busy'', ''0'')');
SELECT sending, note, tenfold, holder, length(payload) FROM companion.dispatch_queue;
SELECT attempt FROM companion.claim_messages('w');
SELECT pg_temp.step('SELECT companion.mark_skipped(%s, ''not now'')');
SELECT status, user_note, is_over FROM companion.scheduled_messages;
ALTER TABLE companion.dispatch_queue ADD CONSTRAINT two_tries CHECK (attempt < 2);
CALL pg_temp.walk_through();
ALTER TABLE companion.dispatch_queue DROP CONSTRAINT two_tries;

-- An app's foreign key on the queue: what it refers to does not go away beneath it.
CREATE TABLE drafts (user_id uuid, message_id uuid, name text);
CREATE PROCEDURE pg_temp.refer(action text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'ALTER TABLE drafts ADD CONSTRAINT draft FOREIGN KEY (user_id, message_id)
        REFERENCES companion.dispatch_queue ' || action;
    TRUNCATE drafts;
    TRUNCATE companion.dispatch_queue, companion.scheduled_messages CASCADE;
    PERFORM pg_temp.schedule();
    INSERT INTO drafts SELECT user_id, message_id, 'draft' FROM companion.dispatch_queue;
    RAISE NOTICE 'claim: %', pg_temp.step('SELECT count(*) FROM companion.claim_messages(''w'')');
    RAISE NOTICE 'start: %', pg_temp.step('SELECT companion.start_send(%s)');
    RAISE NOTICE 'sent: %', pg_temp.step('SELECT companion.mark_sent(%s)');
    RAISE NOTICE 'sent by array: %', pg_temp.step('SELECT companion.mark_sent_many(ARRAY[a::uuid],
        ARRAY[b::uuid], ARRAY[c]) FROM (VALUES (%s)) AS v (a, b, c)');
    SET CONSTRAINTS ALL IMMEDIATE;
    RAISE NOTICE '% drafts, % without a message; % queued',
        (SELECT count(*) FROM drafts WHERE message_id IS NOT NULL),
        (SELECT count(*) FROM drafts WHERE message_id IS NULL),
        (SELECT count(*) FROM companion.dispatch_queue);
    ALTER TABLE drafts DROP CONSTRAINT draft;
END
$$;
CALL pg_temp.refer('');
CALL pg_temp.refer('ON DELETE CASCADE');
CALL pg_temp.refer('ON DELETE SET NULL');
CALL pg_temp.refer('DEFERRABLE INITIALLY DEFERRED');
DROP TABLE drafts;

-- Whatever the owner has written by hand: it is read for what it is.
ALTER TABLE companion.dispatch_queue DROP COLUMN tenfold;
CREATE PROCEDURE pg_temp.by_hand(changes text) LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE companion.dispatch_queue, companion.scheduled_messages;
    PERFORM pg_temp.schedule();
    EXECUTE 'UPDATE companion.dispatch_queue SET ' || changes;
    RAISE NOTICE '% claim: %', changes,
        pg_temp.step('SELECT count(*) FROM companion.claim_messages(''w'')');
    EXECUTE 'UPDATE companion.dispatch_queue SET ' || changes;
    RAISE NOTICE '% extend: %', changes, pg_temp.step('SELECT companion.extend_lease(%s)');
    RAISE NOTICE '% start: %', changes, pg_temp.step('SELECT companion.start_send(%s)');
    EXECUTE 'UPDATE companion.dispatch_queue SET ' || changes;
    RAISE NOTICE '% fail: %', changes,
        pg_temp.step('SELECT companion.mark_failed(%s, ''x'', ''0'')');
    EXECUTE 'UPDATE companion.dispatch_queue SET ' || changes;
    RAISE NOTICE '% give up: %', changes, pg_temp.step('SELECT companion.finish_abandoned()');
    RAISE NOTICE '% status: %, %', changes,
        (SELECT concat_ws(' ', status, attempts, failure_reason, worker)
         FROM companion.scheduled_messages), (SELECT count(*) FROM companion.dispatch_queue);
END
$$;
CALL pg_temp.by_hand('worker = NULL');
CALL pg_temp.by_hand('worker = NULL, sending = true, leased_until = companion.now()');
CALL pg_temp.by_hand('worker = repeat(''w'', 100000)');
CALL pg_temp.by_hand('attempt = -2147483648');
CALL pg_temp.by_hand('attempt = 2147483647');
CALL pg_temp.by_hand('leased_until = ''infinity''');
CALL pg_temp.by_hand('leased_until = ''-infinity'', sending = true');
CALL pg_temp.by_hand('visible_at = ''-infinity''');
CALL pg_temp.by_hand('visible_at = ''infinity''');
CALL pg_temp.by_hand('send_before = ''-infinity''');
CALL pg_temp.by_hand('channel = ''carrier pigeon''');
CALL pg_temp.by_hand('channel = ''''');
-- A report on a message that has lost its worker is filed all the same.
TRUNCATE companion.dispatch_queue, companion.scheduled_messages;
SELECT pg_temp.schedule();
SELECT attempt FROM companion.claim_messages('w');
SELECT pg_temp.step('SELECT companion.start_send(%s)');
UPDATE companion.dispatch_queue SET worker = NULL;
SELECT pg_temp.step('SELECT companion.mark_sent(%s)');
SELECT status, worker FROM companion.scheduled_messages;
