# A year of irregular ticks for users over all kinds of zones, with companion.clock: every local
# day that has a check-in gets exactly one, at its instant, and skipped just when it was found too
# late. Travellers, who change their zone every now and then, never get two on one local day.
# The fickle change their time, weekdays and pause: what is pending follows, and no day is lost.
# Some ticks go in batches, between which transactions are undone, ticks die, and travellers move.
# YEAR_OF_TICKS_SEED repeats a run.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node;

# What a query returns
sub query
{
    my ($sql) = @_;
    return $node->safe_psql('postgres', $sql);
}

my $seed = $ENV{YEAR_OF_TICKS_SEED} // time ^ $$;
note "YEAR_OF_TICKS_SEED=$seed";
srand $seed;

sub one_of { return $_[ rand @_ ]; }

# Years in which some zone left a date out or jumped over midnight.
my $year = one_of(1993, 2011, 2024);
my @zones = qw(Pacific/Apia Pacific/Kwajalein Australia/Lord_Howe Asia/Gaza Antarctica/Troll
  America/Nuuk America/Havana Europe/Berlin America/New_York Africa/Casablanca Asia/Kathmandu
  Pacific/Kiritimati Pacific/Auckland Pacific/Chatham Africa/Cairo EST5EDT Etc/GMT+5 UTC);

# Times within the usual gaps and overlaps, at midnight and around it, and any other.
sub checkin_time
{
    return one_of('00:00', '00:30', '01:59:59.999999', '02:00', '02:15', '02:30', '03:00', '23:30',
        '23:59:59.999999', '09:00') if rand() < 0.6;
    return sprintf '%02d:%02d:%02d.%06d', rand 24, rand 60, rand 60, rand 1_000_000;
}

sub some_day
{
    return sprintf "'%d-%02d-%02d 12:00'", $year, 1 + rand 12, 1 + rand 28;
}

sub add_users
{
    my ($count) = @_;
    my @values;
    for my $number (1 .. $count)
    {
        my $zone = rand() < 0.6 ? "'" . one_of(@zones) . "'"
          : "(SELECT name FROM zones ORDER BY hashtext(name || '$number $seed') LIMIT 1)";
        my $days = rand() < 0.8 ? '1,2,3,4,5,6,7' : join ',', grep { rand() < 0.5 } 1 .. 7;
        my $onboarded = rand() < 0.9 ? "'$year-01-01'" : some_day();
        my $paused = rand() < 0.9 ? 'NULL' : some_day();
        push @values, "($zone, '" . checkin_time() . "', '{$days}', $onboarded, $paused)";
    }
    query("SET timezone = 'UTC';
        INSERT INTO companion.users
            (timezone, checkin_time, checkin_days, onboarding_completed_at, checkin_paused_until)
        VALUES " . join(",\n", @values));
}

sub add_travellers
{
    my ($count) = @_;
    my @values = map {
        "('traveller', '" . one_of(@zones) . "', '" . checkin_time() . "', '$year-01-01')"
    } 1 .. $count;
    query("INSERT INTO companion.users
            (display_name, timezone, checkin_time, onboarding_completed_at)
        VALUES " . join(",\n", @values));
}

sub add_fickle
{
    my ($count) = @_;
    my @values = map {
        "('fickle', '" . one_of(@zones) . "', '" . checkin_time() . "', '$year-01-01')"
    } 1 .. $count;
    query("INSERT INTO companion.users
            (display_name, timezone, checkin_time, onboarding_completed_at)
        VALUES " . join(",\n", @values));
}

# Minutes between ticks: mostly one to some hours, now and then beyond a check-in's send_within (4 hours).
sub tick_gap
{
    my $chance = rand();
    return 1 if $chance < 0.2;
    return 1 + rand 60 if $chance < 0.4;
    return 60 + rand 180 if $chance < 0.98;
    return 240 + rand 1200;
}

sub add_ticks
{
    my @seconds = (0);
    push @seconds, $seconds[-1] + int(60 * tick_gap()) while $seconds[-1] < 367 * 86400;
    query("INSERT INTO ticks
        SELECT '$year-01-01 00:00+00'::timestamptz + s * interval '1 second'
        FROM unnest('{" . join(',', @seconds) . "}'::integer[]) AS s");
    return scalar @seconds;
}

$node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "synchronous_commit = off\njit = off");
$node->start;
query(<<'SQL');
CREATE EXTENSION companion;
CREATE TABLE ticks (at timestamptz PRIMARY KEY);
CREATE TABLE zones AS
SELECT name FROM pg_timezone_names
WHERE name ~ '/' AND name !~ '^(posix|right|SystemV)/';

-- One traveller in a hundred moves to another's zone. A stay is a stretch of ticks, from one
-- (exclusive) to another, that look for the traveller in one zone.
-- What is pending goes along: it moves to its day as seen there, is skipped, or stays as it is until a
-- later flight moves it; then the day that it was for, of the stays that end, has none. Nothing is ever
-- sent here.
CREATE TABLE stays (user_id uuid, timezone text, since timestamptz, until timestamptz);
CREATE TABLE taken_along (user_id uuid, timezone text, local_date date, at timestamptz);
-- (A queue from which nothing is taken would be read whole each time.)
CREATE PROCEDURE travel(last_tick timestamptz) LANGUAGE sql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    INSERT INTO taken_along
    SELECT m.user_id, u.timezone, CASE WHEN m.timezone = u.timezone THEN m.local_date
        ELSE (m.scheduled_for AT TIME ZONE u.timezone)::date END, companion.now()
    FROM companion.dispatch_queue AS q
    JOIN companion.scheduled_messages AS m ON m.user_id = q.user_id AND m.id = q.message_id
    JOIN companion.users AS u ON u.id = m.user_id AND u.display_name = 'traveller'
    WHERE q.visible_at > companion.now() - interval '4 hours';
    WITH moved AS (
        UPDATE companion.users AS u
        SET timezone = (SELECT z.timezone FROM companion.users AS z WHERE u.id IS NOT NULL
            ORDER BY random() LIMIT 1)
        WHERE display_name = 'traveller' AND random() < 0.01
        RETURNING id, timezone),
    ended AS (
        UPDATE stays AS s SET until = least(last_tick, previous_tick)
        FROM moved, companion.dispatch_state
        WHERE s.user_id = moved.id AND s.until = 'infinity')
    INSERT INTO stays SELECT id, timezone, previous_tick, 'infinity' FROM moved,
        companion.dispatch_state;
    DELETE FROM taken_along AS t USING companion.users AS u
    WHERE t.at = companion.now() AND u.id = t.user_id AND u.timezone = t.timezone
$$;

-- One of the fickle in fifty changes their mind, unless the last tick was not complete, or was undone. By the rules as
-- they are documented, what is pending is then at its time, or that has passed; and it is wanted.
CREATE VIEW fickle AS
SELECT u.id, u.timezone, u.checkin_time, u.checkin_days,
       coalesce(u.checkin_paused_until, '-infinity') AS paused_until
FROM companion.users AS u WHERE u.display_name = 'fickle';
CREATE PROCEDURE change_minds(last_tick timestamptz) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    wrong record;
BEGIN
    UPDATE companion.users SET
        checkin_time = CASE WHEN random() < 0.2 THEN NULL
            WHEN random() < 0.6 THEN time '00:00' + floor(random() * 86400) * interval '1 second'
            ELSE checkin_time END,
        checkin_days = CASE WHEN random() < 0.3
            THEN ARRAY(SELECT d FROM generate_series(1, 7) AS d WHERE d = 1 OR random() < 0.7)
            ELSE checkin_days END,
        checkin_paused_until = CASE WHEN random() < 0.2 THEN companion.now() + random() * interval '3 days'
            WHEN random() < 0.6 THEN NULL ELSE checkin_paused_until END
    WHERE display_name = 'fickle' AND random() < 0.02
        AND (SELECT began_after IS NULL AND previous_tick >= coalesce(last_tick, previous_tick)
             FROM companion.dispatch_state);
    FOR wrong IN
        SELECT f.*, m.local_date, m.scheduled_for
        FROM companion.dispatch_queue AS q
        JOIN companion.scheduled_messages AS m ON m.user_id = q.user_id AND m.id = q.message_id
        JOIN fickle AS f ON f.id = q.user_id
        WHERE q.visible_at > companion.now() - interval '4 hours'
            AND ((f.checkin_time IS NOT NULL AND m.scheduled_for >= f.paused_until
                    AND extract(isodow FROM m.local_date) = ANY (f.checkin_days)) IS NOT TRUE
                OR (companion.checkin_instant(f.timezone, m.local_date, f.checkin_time) > companion.now()
                    AND companion.checkin_instant(f.timezone, m.local_date, f.checkin_time) <> m.scheduled_for))
    LOOP
        RAISE EXCEPTION 'at % pending: %', companion.now(), wrong;
    END LOOP;
END
$$;
-- The days that a tick finds of theirs: those whose instant, as they have it now, lies in its interval.
CREATE TABLE found (user_id uuid, local_date date, PRIMARY KEY (user_id, local_date));
CREATE PROCEDURE find_days() LANGUAGE sql AS $$
    INSERT INTO found
    SELECT f.id, d.day::date
    FROM companion.dispatch_state AS s
    CROSS JOIN LATERAL (SELECT coalesce(s.began_after, s.previous_tick) AS at) AS since
    CROSS JOIN fickle AS f
    CROSS JOIN generate_series(since.at::date - 1, companion.now()::date + 1, '1 day') AS d (day)
    CROSS JOIN LATERAL (SELECT companion.checkin_instant(f.timezone, d.day::date, f.checkin_time) AS at) AS due
    WHERE due.at > since.at AND due.at <= companion.now() AND due.at >= f.paused_until
        AND extract(isodow FROM d.day) = ANY (f.checkin_days)
    ON CONFLICT DO NOTHING
$$;

-- A tick in batches, of which some are undone. One that may die does so now and then before its end.
CREATE PROCEDURE tick_in_batches(tick timestamptz, last_tick timestamptz, may_die boolean)
LANGUAGE plpgsql AS $$
BEGIN
    COMMIT;
    LOOP
        PERFORM companion.dispatch(max_rows => 1 + (random() * 15)::integer);
        IF random() < 0.3 THEN
            ROLLBACK;
        END IF;
        COMMIT;
        EXIT WHEN tick <= (SELECT previous_tick FROM companion.dispatch_state) OR may_die AND random() < 0.1;
        IF random() < 0.1 THEN
            CALL travel(last_tick);
        END IF;
    END LOOP;
END
$$;

-- Run every tick; now and then one twice, one that is in the past, or one after a rewind. One after
-- which the next still comes in time may die.
CREATE PROCEDURE run_ticks() LANGUAGE plpgsql AS $$
DECLARE
    tick record;
BEGIN
    FOR tick IN SELECT at, lag(at) OVER (ORDER BY at) AS last,
        coalesce(lead(at) OVER (ORDER BY at) - lag(at, 2) OVER (ORDER BY at) < '4 hours', false) AS may_die,
        row_number() OVER (ORDER BY at) AS number FROM ticks ORDER BY at LOOP
        PERFORM set_config('companion.clock', tick.at::text, false);
        IF tick.number = 1 THEN
            PERFORM companion.rewind_dispatch(tick.at);
        ELSIF tick.number % 50 = 0 THEN
            PERFORM companion.rewind_dispatch(least(previous_tick, tick.at - interval '3 hours'))
                FROM companion.dispatch_state;
        END IF;
        CALL travel(tick.last);
        -- A rewind may hide that the last tick was not complete
        IF tick.number % 50 > 0 THEN
            CALL change_minds(tick.last);
        END IF;
        CALL find_days();
        IF tick.number % 3 = 0 AND tick.number % 50 <> 25 THEN
            CALL tick_in_batches(tick.at, tick.last, tick.may_die);
        ELSE
            PERFORM companion.dispatch();
        END IF;
        IF tick.number % 50 = 25
            AND companion.dispatch() + companion.dispatch(tick.at - interval '1 day') > 0 THEN
            RAISE EXCEPTION 'the tick at % enqueued again', tick.at;
        END IF;
        IF tick.number % 20 = 0 THEN
            COMMIT;
        END IF;
    END LOOP;
END
$$;

-- What should be there: each user's local days, by checkin_instant alone.
CREATE VIEW expected AS
SELECT u.id AS user_id, 'checkin:' || d.local_date AS key, d.local_date, u.timezone,
    due.at AS scheduled_for,
       CASE WHEN found.at > due.at + interval '4 hours' THEN 'skipped' ELSE 'pending' END AS status
FROM companion.users AS u
CROSS JOIN (SELECT (SELECT min(at)::date - 3 FROM ticks) + n AS local_date
    FROM generate_series(0, 375) AS n) AS d
CROSS JOIN LATERAL (SELECT companion.checkin_instant(u.timezone, d.local_date,
    u.checkin_time) AS at) AS due
CROSS JOIN LATERAL (SELECT at FROM ticks WHERE ticks.at >= due.at ORDER BY at LIMIT 1) AS found
WHERE u.display_name IS NULL AND due.at > (SELECT min(at) FROM ticks)
  AND extract(isodow FROM d.local_date) = ANY (u.checkin_days)
  AND due.at >= u.onboarding_completed_at
      AND due.at >= coalesce(u.checkin_paused_until, '-infinity');
CREATE VIEW actual AS
SELECT m.user_id, m.idempotency_key AS key, m.local_date, m.timezone, m.scheduled_for, m.status
FROM companion.scheduled_messages AS m JOIN companion.users AS u ON u.id = m.user_id
    WHERE u.display_name IS NULL;
CREATE VIEW journey AS
SELECT m.*, u.checkin_time FROM companion.scheduled_messages AS m
    JOIN companion.users AS u ON u.id = m.user_id
WHERE u.display_name = 'traveller';
SQL

add_users(250);
add_travellers(50);
add_fickle(40);
my $ticks = add_ticks();
query(<<'SQL');
CREATE TABLE foretold AS
SELECT id AS user_id, companion.next_checkin(id, (SELECT min(at) FROM ticks)) AS at
FROM companion.users WHERE display_name IS NULL
SQL
note "$ticks ticks from $year on";
query("SET timezone = 'UTC'; SELECT setseed(0.5);
    INSERT INTO stays SELECT id, timezone, (SELECT min(at) FROM ticks), 'infinity'
    FROM companion.users WHERE display_name = 'traveller';
    CALL run_ticks()");

my $context = "YEAR_OF_TICKS_SEED=$seed";
is(query('SELECT * FROM expected EXCEPT ALL SELECT * FROM actual LIMIT 10'),
    '', "no check-in is missing ($context)");
is(query('SELECT * FROM actual EXCEPT ALL SELECT * FROM expected LIMIT 10'),
    '', "there is none too many ($context)");
is(query(<<'SQL'), '', "the first of each user is the one foretold ($context)");
SELECT f.*, first.at
FROM foretold AS f
LEFT JOIN (SELECT user_id, min(scheduled_for) AS at FROM actual GROUP BY 1) AS first USING (user_id)
WHERE first.at IS DISTINCT FROM CASE WHEN f.at <= (SELECT max(at) FROM ticks) THEN f.at END LIMIT 10
SQL
is(query(<<'SQL'), '', "no traveller has two on one local day ($context)");
SELECT a.user_id, a.idempotency_key, a.scheduled_for, b.idempotency_key, b.scheduled_for
FROM journey AS a JOIN journey AS b ON b.user_id = a.user_id AND b.id > a.id
WHERE b.local_date = CASE WHEN a.timezone = b.timezone THEN a.local_date
    ELSE (a.scheduled_for AT TIME ZONE b.timezone)::date END
LIMIT 10
SQL
is(query(<<'SQL'), '', "nor two to be sent within companion.min_gap ($context)");
SELECT user_id, idempotency_key, scheduled_for, previous
FROM (SELECT *, lag(scheduled_for) OVER (PARTITION BY user_id ORDER BY scheduled_for) AS previous
    FROM journey WHERE status = 'pending') AS sent
WHERE scheduled_for - previous < interval '6 hours' LIMIT 10
SQL
is(query(<<'SQL'), '', "each has the instant of its own zone and the key of its date ($context)");
SELECT user_id, idempotency_key, scheduled_for, timezone FROM journey
WHERE scheduled_for <> companion.checkin_instant(timezone, local_date, checkin_time)
   OR idempotency_key NOT IN ('checkin:' || local_date, 'checkin:' || local_date || '@' || timezone)
       LIMIT 10
SQL
# It was made there, or before the stay but on that day as seen from there, or was pending and went along
is(query(<<'SQL'), '', "each local day of a stay has its check-in ($context)");
SELECT s.user_id, s.timezone, d.local_date, due.at
FROM stays AS s JOIN companion.users AS u ON u.id = s.user_id
CROSS JOIN LATERAL (SELECT (s.since AT TIME ZONE 'UTC')::date - 2 + n AS local_date
                    FROM generate_series(0, least(s.until,
                        (SELECT max(at) FROM ticks))::date - s.since::date + 4) AS n) AS d
CROSS JOIN LATERAL (SELECT companion.checkin_instant(s.timezone, d.local_date,
    u.checkin_time) AS at) AS due
WHERE due.at > s.since AND due.at <= least(s.until, (SELECT max(at) FROM ticks))
    AND due.at >= u.onboarding_completed_at
  AND NOT EXISTS (SELECT FROM journey AS j WHERE j.user_id = s.user_id
                  AND d.local_date = CASE WHEN j.timezone = s.timezone THEN j.local_date
                      ELSE (j.scheduled_for AT TIME ZONE s.timezone)::date END)
  AND NOT EXISTS (SELECT FROM taken_along AS t WHERE t.user_id = s.user_id
                  AND t.timezone = s.timezone AND t.local_date = d.local_date)
LIMIT 10
SQL
is(query(<<'SQL'), '', "the fickle lose no day, and have none twice ($context)");
SELECT user_id, local_date, count(f.*), count(m.*)
FROM found AS f FULL JOIN (SELECT m.user_id, m.local_date FROM companion.scheduled_messages AS m
    JOIN fickle ON fickle.id = m.user_id) AS m USING (user_id, local_date)
GROUP BY 1, 2 HAVING count(f.*) <> 1 OR count(m.*) <> 1 LIMIT 10
SQL
is(query(<<'SQL'), 't', 'and change their minds in time');
SELECT count(*) FILTER (WHERE failure_reason IS NULL) > 1000
    AND count(*) FILTER (WHERE failure_reason LIKE 'check-ins are paused until %') > 0
    AND count(*) FILTER (WHERE failure_reason = 'the user has no check-in time') > 0
    AND count(*) FILTER (WHERE failure_reason = 'no check-in on this weekday') > 0
    AND count(*) FILTER (WHERE created_at < scheduled_for) > 0
FROM companion.scheduled_messages AS m JOIN fickle ON fickle.id = m.user_id
SQL
is(query(<<'SQL'), 't', 'they travelled far');
SELECT count(*) > 50 * 300 AND count(*) FILTER (WHERE idempotency_key LIKE '%@%') > 0
   AND count(DISTINCT timezone) > 20
FROM journey
SQL
is(query(<<'SQL'), 't', 'there were many, and some too late');
SELECT count(*) > 30000 AND count(*) FILTER (WHERE status = 'skipped') > 100 FROM actual
SQL
is(query(<<'SQL'), 't', 'the queue holds just the pending ones, each while it may be sent');
SELECT count(*) = (SELECT count(*) FROM companion.scheduled_messages WHERE status = 'pending')
   AND bool_and(q.visible_at = m.scheduled_for
       AND q.send_before = m.scheduled_for + interval '4 hours' AND m.send_before = q.send_before)
FROM companion.dispatch_queue AS q
JOIN companion.scheduled_messages AS m ON m.user_id = q.user_id AND m.id = q.message_id
SQL
is(query(<<'SQL'), '0', 'what was skipped says why');
SELECT count(*) FROM companion.scheduled_messages
WHERE (status = 'skipped') <> coalesce(
    failure_reason LIKE 'found % late, beyond its kind''s send_within'
    OR failure_reason IN ('within companion.min_gap of another check-in',
        'this local day has had its check-in', 'the user has no check-in time',
        'no check-in on this weekday')
    OR failure_reason LIKE 'check-ins are paused until %', false)
SQL

done_testing();
