
-- What is asked of every shard, and put together by hand.

CREATE FUNCTION companion.claim_messages(
    worker text, max_messages integer DEFAULT 50, lease interval DEFAULT '00:05:00', channels text[] DEFAULT NULL,
    kinds text[] DEFAULT NULL)
RETURNS TABLE (
    user_id uuid, message_id uuid, attempt integer, kind text, local_date date, scheduled_for timestamptz,
    late_by interval, channel text, address text, display_name text, companion_name text, support_style text,
    timezone text, content text, generation_context jsonb, bot text, addresses text[], longest_text integer,
    send_before timestamptz, tries integer, location text, preferences jsonb, email text,
    priority_level smallint, topic_key text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shard integer;
    room integer := max_messages;
    taken integer;
    answered boolean := false;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            RETURN QUERY SELECT * FROM companion_as_worker.claim_messages(shard, worker, room, lease, channels, kinds);
            GET DIAGNOSTICS taken = ROW_COUNT;
            room := room - taken;
            answered := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            PERFORM companion_router.pass_over(shard, SQLSTATE, SQLERRM, detail, hint);
            failed := ARRAY[SQLSTATE, SQLERRM, detail, hint];
        END;
        EXIT WHEN room <= 0;
    END LOOP;
    IF NOT answered THEN
        PERFORM companion_router.fail_all(failed);
    END IF;
END
$$;
COMMENT ON FUNCTION companion.claim_messages(text, integer, interval, text[], text[]) IS
'As on a shard. Each call begins with the next shard and takes from the others what it had too few of; within a shard the oldest go first. One that fails is passed over with a WARNING, unless they all do.';

CREATE PROCEDURE companion.run_dispatch(at timestamptz DEFAULT NULL, max_rows integer DEFAULT 10000)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shard integer;
    is_complete boolean;
    answered boolean := false;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            LOOP
                IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                    is_complete := companion_as_admin.dispatch_batch(shard, at, max_rows);
                ELSE
                    is_complete := companion_as_worker.dispatch_batch(shard, at, max_rows);
                END IF;
                answered := true;
                EXIT WHEN is_complete;
            END LOOP;
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
COMMENT ON PROCEDURE companion.run_dispatch(timestamptz, integer) IS
'As on a shard; one shard after the other. Rather let each shard''s own pg_cron dispatch. One that fails is passed over with a WARNING, unless they all do.';

CREATE FUNCTION companion.run_maintenance() RETURNS TABLE (task text, affected bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shard integer;
    answered boolean := false;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            RETURN QUERY SELECT format('shard %s: %s', shard, m.task), m.affected
                         FROM companion_as_admin.run_maintenance(shard) AS m;
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
    RETURN QUERY SELECT 'directory', companion_router.maintain_directory();
END
$$;
COMMENT ON FUNCTION companion.run_maintenance() IS
'As on a shard; the task has its number in front: shard 2: expired messages. One that fails is passed over with a WARNING, unless they all do.';

CREATE FUNCTION companion.health(max_lag interval DEFAULT '00:05:00')
RETURNS TABLE ("check" text, ok boolean, value double precision, detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shard companion_router.shards;
BEGIN
    FOR shard IN SELECT s.* FROM companion_router.shards AS s ORDER BY s.number LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN QUERY SELECT format('shard %s: %s', shard.number, h."check"), h.ok, h.value, h.detail
                             FROM companion_as_admin.health(shard.number, max_lag) AS h;
            ELSE
                RETURN QUERY SELECT format('shard %s: %s', shard.number, h."check"), h.ok, h.value, h.detail
                             FROM companion_as_monitor.health(shard.number, max_lag) AS h;
            END IF;
            RETURN QUERY SELECT format('shard %s: reachable', shard.number), true, NULL::double precision, NULL::text;
        EXCEPTION WHEN OTHERS THEN
            RETURN QUERY SELECT format('shard %s: reachable', shard.number), false, NULL::double precision, SQLERRM;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.health(interval) IS
'As on a shard; the check has its number in front: shard 2: dispatch. Another, shard 2: reachable, is false for one that is not on or does not answer.';

CREATE FUNCTION companion.metrics() RETURNS TABLE (name text, labels jsonb, value double precision)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shard companion_router.shards;
    label jsonb;
BEGIN
    FOR shard IN SELECT s.* FROM companion_router.shards AS s ORDER BY s.number LOOP
        label := jsonb_build_object('shard', shard.number::text);
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN QUERY SELECT m.name, coalesce(m.labels, '{}') || label, m.value
                             FROM companion_as_admin.metrics(shard.number) AS m;
            ELSE
                RETURN QUERY SELECT m.name, coalesce(m.labels, '{}') || label, m.value
                             FROM companion_as_monitor.metrics(shard.number) AS m;
            END IF;
            RETURN QUERY SELECT 'companion_shard_up', label, 1::double precision;
        EXCEPTION WHEN OTHERS THEN
            RETURN QUERY SELECT 'companion_shard_up', label, 0::double precision;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION companion.metrics() IS
'As on a shard, with the label shard. companion_shard_up is 0 for one that is not on or does not answer.';

CREATE FUNCTION companion.due_follow_ups_all(max_rows integer DEFAULT 100) RETURNS SETOF companion.context_item
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shard integer;
    room integer := max_rows;
    taken integer;
    answered boolean := false;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOREACH shard IN ARRAY companion_router.in_turn() LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN QUERY SELECT * FROM companion_as_admin.due_follow_ups_all(shard, room);
            ELSE
                RETURN QUERY SELECT * FROM companion_as_worker.due_follow_ups_all(shard, room);
            END IF;
            GET DIAGNOSTICS taken = ROW_COUNT;
            room := room - taken;
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
COMMENT ON FUNCTION companion.due_follow_ups_all(integer) IS
'As on a shard; the oldest first within each. Each call begins with the next shard.';

CREATE FUNCTION companion.items_without_embedding(model text, max_rows integer DEFAULT 100, for_user uuid DEFAULT NULL)
RETURNS TABLE (user_id uuid, item_id uuid, category text, key text, value text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shard integer;
    room integer := max_rows;
    taken integer;
    answered boolean := false;
    failed text[];
    detail text;
    hint text;
BEGIN
    FOR shard IN SELECT s FROM unnest(companion_router.in_turn()) AS s
        WHERE for_user IS NULL OR s = companion_router.number_of(for_user)
    LOOP
        BEGIN
            IF pg_catalog.pg_has_role('companion_admin', 'usage') THEN
                RETURN QUERY SELECT * FROM companion_as_admin.items_without_embedding(shard, model, room, for_user);
            ELSE
                RETURN QUERY SELECT * FROM companion_as_worker.items_without_embedding(shard, model, room, for_user);
            END IF;
            GET DIAGNOSTICS taken = ROW_COUNT;
            room := room - taken;
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
COMMENT ON FUNCTION companion.items_without_embedding(text, integer, uuid) IS
'As on a shard; each call begins with the next shard, and with for_user it is that user''s alone.';
