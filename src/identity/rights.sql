
-- Who owns what, and who may do what with it: all of it here, after everything has been made.
-- The order, owner, then revoke, then grant, is what keeps pg_dump from writing a line for each.
DO $$
DECLARE
    member record;
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
END
$$;

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
ALTER VIEW companion.privileges OWNER TO companion_owner;
COMMENT ON VIEW companion.privileges IS
'For operators: every privilege on the extension''s schema, tables, views, functions and procedures, but for the owner''s.';
COMMENT ON COLUMN companion.privileges.object IS 'SCHEMA, TABLE (or view), FUNCTION or PROCEDURE, and its name.';
COMMENT ON COLUMN companion.privileges.privilege IS 'The privilege; with a column''s name where it is for that alone.';
COMMENT ON COLUMN companion.privileges.grantee IS 'The role that has it, or PUBLIC.';

-- Nothing, whatever default privileges have given.
DO $$
DECLARE
    given record;
BEGIN
    FOR given IN SELECT DISTINCT object, grantee FROM companion.privileges LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', given.object, given.grantee);
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA companion
TO companion_user, companion_worker, companion_admin, companion_runtime, companion_monitor;

-- An end user changes what concerns them, not who they are or what they pay.
GRANT SELECT ON companion.users TO companion_user, companion_worker;
GRANT UPDATE (display_name, companion_name, support_style, timezone, checkin_time, checkin_days,
              checkin_paused_until, preferred_channel, preferences, location, quiet_from, quiet_until)
ON companion.users TO companion_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON companion.users TO companion_admin;

GRANT SELECT ON companion.shard TO companion_worker, companion_admin, companion_monitor;
GRANT SELECT ON companion.directory, companion.address_reservations, companion.directory_changes
TO companion_worker, companion_admin;
GRANT SELECT ON companion.channels TO companion_user, companion_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON companion.channels TO companion_admin;
GRANT SELECT ON companion.kinds TO companion_user, companion_worker, companion_monitor;
GRANT SELECT, INSERT, UPDATE, DELETE ON companion.kinds TO companion_admin;
GRANT SELECT ON companion.caps TO companion_user, companion_worker, companion_monitor;
GRANT SELECT, INSERT, UPDATE, DELETE ON companion.caps TO companion_admin;
GRANT SELECT ON companion.cap_starts TO companion_worker, companion_admin;
GRANT SELECT ON companion.sending_pauses, companion.channel_throttles TO companion_worker, companion_monitor;
GRANT SELECT, DELETE ON companion.channel_throttles TO companion_admin;
GRANT SELECT ON companion.send_rates TO companion_admin, companion_monitor;
GRANT SELECT, DELETE ON companion.sending_pauses TO companion_admin;
GRANT SELECT ON companion.addresses TO companion_user, companion_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON companion.addresses TO companion_admin;

GRANT SELECT ON companion.onboarding_steps TO companion_user, companion_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON companion.onboarding_steps TO companion_admin;
GRANT SELECT ON companion.onboarding TO companion_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON companion.onboarding TO companion_worker, companion_admin;

-- An end user adds messages through companion.add_message() only; a text is replaced through
-- companion.edit_message() only.
GRANT SELECT ON companion.conversations, companion.messages TO companion_user;
GRANT SELECT, INSERT, DELETE ON companion.conversations, companion.messages
TO companion_worker, companion_admin;
GRANT UPDATE ON companion.conversations TO companion_worker, companion_admin;
GRANT UPDATE (telegram_message_id, reply_to_id, metadata, external_id, channel, bot, address)
ON companion.messages TO companion_worker, companion_admin;
GRANT SELECT ON companion.conversation_starts, companion.companion_starts, companion.reply_rates
TO companion_user, companion_worker, companion_admin;
GRANT SELECT, DELETE ON companion.search_chunks TO companion_admin;
GRANT SELECT ON companion.rekeyed_ids TO companion_user, companion_worker, companion_admin;
GRANT DELETE ON companion.rekeyed_ids TO companion_admin;
GRANT SELECT ON companion.early_edits TO companion_user, companion_worker, companion_admin;
GRANT DELETE ON companion.early_edits TO companion_admin;

-- Written by the functions only: else a write could leave out the history or pass the limits.
GRANT SELECT ON companion.user_context, companion.user_context_history, companion.context_embeddings,
    companion.forgotten_facts
TO companion_user, companion_worker, companion_admin;
GRANT SELECT ON companion.context_categories TO companion_user, companion_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON companion.context_categories TO companion_admin;

-- Written by the functions only.
GRANT SELECT ON companion.scheduled_messages TO companion_user, companion_worker, companion_admin;
GRANT SELECT ON companion.dispatch_queue, companion.pending_messages, companion.dispatch_state,
    companion.dispatch_recheck
TO companion_worker, companion_admin;

-- Nobody but the functions reads token_hash.
GRANT SELECT (user_id, id, expires_at, used_at, used_by, created_at, bot)
ON companion.telegram_link_tokens TO companion_user, companion_admin;
GRANT DELETE ON companion.telegram_link_tokens TO companion_admin;
GRANT SELECT ON companion.telegram_redeem_failures, companion.privileges TO companion_admin;
GRANT SELECT, DELETE ON companion.erased_users TO companion_admin;

-- Who watches sees what happens, and nobody's text.
GRANT SELECT ON companion.dispatch_queue, companion.dispatch_state, companion.dispatch_recheck
TO companion_monitor;
GRANT SELECT (user_id, id, kind, local_date, timezone, scheduled_for, send_before, status, attempts, channel,
              failure_reason, sent_at, finished_at, worker, created_at)
ON companion.scheduled_messages TO companion_monitor;
GRANT SELECT (channel, disabled_at) ON companion.addresses TO companion_monitor;
GRANT SELECT (id, since) ON companion.directory_changes TO companion_monitor;
GRANT SELECT ON companion.queue_head, companion.recently_finished TO companion_admin, companion_monitor;

-- The functions act as companion_runtime.
DO $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN SELECT oid FROM pg_class
        WHERE relnamespace = 'companion'::regnamespace AND relkind = 'r'
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO companion_runtime', relation);
    END LOOP;
END
$$;
GRANT SELECT ON companion.personal_tables TO companion_runtime;

-- Who may call what; trigger functions, nobody. The runtime calls what its statements name. Of two
-- functions of one name each is named with its arguments.
DO $$
DECLARE
    callers text;
    functions text;
    callable text;
BEGIN
    FOR callers, functions IN VALUES
        ('companion_user, companion_worker, companion_admin, companion_runtime',
         'current_user_id now uuid_v7() uuid_v7(timestamptz) new_user_id checkin_instant local_timestamp
          quiet_until end_of_day choose_channel usable_channel address_key channel_address recall_score normalized folded
          is_same_text cosine_similarity
          day_as_seen'),
        ('companion_user, companion_worker, companion_admin, companion_monitor, companion_runtime', 'shard_of'),
        ('companion_worker, companion_admin',
         'link_token_shard link_token_owner take_reservation settle_reservation link_wanted_address
          directory_change_done directory_reserve directory_confirm directory_release directory_lookup'),
        ('companion_monitor', 'now is_pg_crons'),
        ('companion_admin, companion_monitor',
         'health metrics check_dispatch check_jobs check_queue check_outcomes check_addresses check_directory
          check_server check_definition role_faults'),
        ('companion_runtime',
         'search_rank search_excerpt search_text checkin_key checkins_due checkins_nearby
          checkin_refused suspended_reason unknown_start
          paused_reason not_onboarded_reason opted_out_reason weekday_reason is_too_close
          is_overtaken checkin_skipped after_quiet_hours not_covered_since checkins_foretold
          checkin_outcome clock_reading cap_full sending_paused after_policy
          with_statement joined_statements fact_hash merged_json
          keeps_history meaning_of'),
        ('companion_worker, companion_admin, companion_runtime', 'imported_id is_time_ordered old_id'),
        ('companion_user, companion_worker, companion_admin',
         'canonical_timezone next_checkin sent_today put_user cancel_message cancel_messages
          upcoming explain_checkin
          start_onboarding advance_onboarding complete_onboarding
          open_conversation add_message delete_message recent_messages search_messages
          upsert_user_context upsert_user_context_many(uuid,jsonb,text)
          upsert_user_context_many(uuid,text,text) update_user_context
          recall_user_context user_context_prompt memory_report
          touch_user_context due_follow_ups resolve_user_context user_context_as_of
          forget_user_context
          create_telegram_link_token telegram_deep_link revoke_telegram_link_tokens
          unlink_telegram unlink_address'),
        ('companion_user, companion_admin', 'export_user erase_user'),
        ('companion_worker, companion_admin',
         'link_address(uuid,text,text,text) link_address(uuid,text,bigint,text)
          record_incoming(text,text,text,bigint,bigint,jsonb,interval,text,text,text)
          record_incoming(text,bigint,text,bigint,bigint,jsonb,interval,text,text,text)
          disable_address close_conversation edit_message schedule_message
          reschedule_message annotate_message retry_message dispatch
          dispatch_batch run_dispatch due_follow_ups_all set_embedding items_without_embedding
          checkin_key'),
        ('companion_worker',
         'claim_messages start_send start_send_many mark_sent mark_sent_many mark_failed
          mark_failed_many mark_skipped mark_skipped_many release_message release_message_many
          extend_lease extend_lease_many
          redeem_telegram_link_token'),
        ('companion_admin', 'pause_sending resume_sending'),
        ('companion_worker, companion_admin', 'throttle_channel'),
        ('companion_admin',
         'set_shard set_directory rewind_dispatch retry_failed finish_abandoned run_maintenance apply_retention expire_messages
          expire_addresses expire_reservations expire_early_edits
          expire_cap_starts
          expire_job_runs expire_user_context merge_context_items
          expire_telegram_link_tokens forget_redeem_failures
          follow_auth_user follow_auth_users unfollow_auth_users adopt_users
          import_users import_conversations import_messages import_user_context
          import_scheduled_messages
          cron_schedule is_pg_crons require_pg_cron require_databases require_job_login job_command schedule_jobs
          unschedule_jobs')
    LOOP
        FOREACH callable IN ARRAY regexp_split_to_array(functions, '[[:space:]]+') LOOP
            EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %s',
                           CASE WHEN callable LIKE '%(%' THEN ('companion.' || callable)::regprocedure
                                ELSE ('companion.' || callable)::regproc::regprocedure END, callers);
        END LOOP;
    END LOOP;
END
$$;

-- Supabase's roles. Before PostgreSQL 16 a role that does not inherit has what is granted to
-- itself only, and a policy is for it only if it names it.
DO $$
DECLARE
    theirs text;
    ours text[];
    given record;
BEGIN
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
END
$$;
