-- Who got what, who got nothing and why, and the proof from the tables; fails unless each due user got exactly one.

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset null ''

SELECT display_name AS "got it", u.timezone AS "time zone", m.channel,
       to_char(f.created_at AT TIME ZONE u.timezone, 'HH24:MI') AS "at", f.telegram_message_id AS "id in the chat",
       CASE WHEN f.created_at - m.scheduled_for > interval '1 minute'
            THEN 'was due at ' || to_char(m.scheduled_for AT TIME ZONE u.timezone, 'HH24:MI') END AS "late"
  FROM companion.users AS u
  JOIN companion.scheduled_messages AS m ON m.user_id = u.id
  JOIN companion.messages AS f ON f.user_id = u.id AND f.id = m.message_id
 ORDER BY m.channel, f.created_at AT TIME ZONE u.timezone DESC;

SELECT display_name AS "got nothing", u.timezone AS "time zone",
       CASE
           WHEN m.status = 'skipped' THEN m.failure_reason
           WHEN onboarding_completed_at IS NULL THEN 'has not completed onboarding'
           WHEN checkin_time IS NULL THEN 'has opted out of check-ins'
           WHEN checkin_paused_until > now()
           THEN 'has paused until ' || to_char(checkin_paused_until AT TIME ZONE u.timezone, 'FMDy FMDD FMMon HH24:MI')
           WHEN to_char(to_timestamp(:minute) AT TIME ZONE u.timezone, 'ID')::smallint <> ALL (checkin_days)
           THEN 'has no check-in on ' || to_char(to_timestamp(:minute) AT TIME ZONE u.timezone, 'FMDay') || 's'
           ELSE 'is next due ' || to_char(companion.next_checkin(u.id) AT TIME ZONE u.timezone, 'FMDy FMDD FMMon HH24:MI')
       END AS "why"
  FROM companion.users AS u
  LEFT JOIN companion.scheduled_messages AS m ON m.user_id = u.id
 WHERE m.status IS DISTINCT FROM 'sent'
 ORDER BY 3;

\echo 'pg_cron ran:'
SELECT jobname AS "job", to_char(start_time, 'HH24:MI:SS') AS "at", d.status, return_message AS "answer"
  FROM cron.job_run_details AS d JOIN cron.job USING (jobid)
 ORDER BY start_time;

-- The same six hours once more: the guard refuses what it has seen
SELECT companion.rewind_dispatch(to_timestamp(:minute) - interval '6 hours') \g /dev/null
SELECT companion.dispatch() AS enqueued_again \gset
\echo 'Dispatched the same six hours again:' :enqueued_again 'messages.'

CREATE VIEW demo_outcome AS
SELECT p.display_name, p.expected,
       (p.expected IN ('on time', 'late'))::int AS due,
       (SELECT count(*) FROM companion.scheduled_messages AS m
         WHERE m.user_id = u.id AND m.status = 'sent') AS sent,
       (SELECT count(*) FROM companion.messages AS m
         WHERE m.user_id = u.id AND m.role = 'assistant') AS received,
       (SELECT count(*) FROM companion.scheduled_messages AS m
         WHERE m.user_id = u.id AND m.status NOT IN ('sent', 'skipped')) AS unfinished
  FROM demo_users AS p JOIN companion.users AS u USING (display_name);

DO $$
DECLARE
    outcome demo_outcome;
BEGIN
    FOR outcome IN
        SELECT * FROM demo_outcome WHERE sent <> due OR received <> due OR unfinished <> 0
    LOOP
        RAISE WARNING '% (%): % sent, % received, % unfinished', outcome.display_name,
            outcome.expected, outcome.sent, outcome.received, outcome.unfinished;
    END LOOP;
    IF FOUND THEN
        RAISE EXCEPTION 'not every due user got exactly one check-in';
    END IF;
END
$$;

SELECT sum(due) AS due, count(*) - sum(due) AS others FROM demo_outcome \gset
\echo 'Each of the' :due 'due users got exactly one check-in, the' :others 'others got none.'
