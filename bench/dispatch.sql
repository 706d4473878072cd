-- :users users over all zones, :due of them due in the minute before :at, and each one's last check-in
-- before that.
CREATE TABLE zones AS
SELECT row_number() OVER (ORDER BY name) - 1 AS number, name,
       (timestamptz :'at' AT TIME ZONE name)::date AS local_date,
       (timestamptz :'at' AT TIME ZONE name)::time AS local_time
FROM pg_timezone_names WHERE name ~ '^[A-Z][A-Za-z]+/';

-- Check-in times at the quarter hours around half past eight, one in five in the evening; none at
-- the tick's minute but those that are due
INSERT INTO companion.users (id, email, display_name, companion_name, timezone, checkin_time,
                             telegram_user_id, onboarding_completed_at)
SELECT gen_random_uuid(), 'user' || i || '@example.com', 'User ' || i, 'Robin', z.name,
       CASE WHEN i <= :due THEN z.local_time
            WHEN chosen.checkin_time = z.local_time THEN chosen.checkin_time + interval '5 minutes'
            ELSE chosen.checkin_time END,
       100000000 + i, timestamptz :'at' - interval '30 days'
FROM generate_series(1, :users) AS i
JOIN zones AS z ON z.number = i % (SELECT count(*) FROM zones)
CROSS JOIN LATERAL (
    SELECT time '06:30' + interval '15 minutes' * ((random() + random()) * 8)::integer
           + CASE WHEN i % 5 = 0 THEN interval '12 hours' ELSE interval '0' END AS checkin_time
) AS chosen;

SET session_replication_role = replica; -- no foreign key checks: the users are there
INSERT INTO companion.scheduled_messages
    (user_id, kind, idempotency_key, local_date, timezone, scheduled_for, send_before, channel, status,
     attempts, sent_at, finished_at)
SELECT u.id, 'checkin', 'checkin:' || last.date, last.date, u.timezone, due.at,
       due.at + interval '4 hours', 'telegram', 'sent', 1, due.at + interval '5 seconds',
       due.at + interval '5 seconds'
FROM companion.users AS u
JOIN zones AS z ON z.name = u.timezone
CROSS JOIN LATERAL (
    SELECT z.local_date - CASE WHEN u.checkin_time < z.local_time THEN 0 ELSE 1 END AS date) AS last
CROSS JOIN LATERAL (
    SELECT companion.checkin_instant(u.timezone, last.date, u.checkin_time) AS at) AS due;
RESET session_replication_role;

SET companion.clock = :'at';
SELECT companion.rewind_dispatch(timestamptz :'at' - interval '1 minute') \g /dev/null
VACUUM ANALYZE;
CHECKPOINT;
