# Months of irregular ticks for users who change their minds, their zones and their addresses: what
# companion.upcoming foretold, at random moments, is what ticks then recorded of who has changed nothing
# meanwhile, and nothing else was; when it may go by quiet hours is what the wall clocks say, read a minute
# at a time; and at a check-in's instant all rules of companion.explain_checkin hold just if it is enqueued.
# FORETOLD_SEED repeats a run.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{FORETOLD_SEED} // time ^ $$;
note "FORETOLD_SEED=$seed";
srand $seed;

sub one_of { return $_[ rand @_ ]; }

# Months in which some zone left a date out, jumped over midnight, or the clocks were changed.
my $first_day = one_of('1993-07-10', '2011-10-10', '2024-02-20', '2024-09-10');
my $send_within = one_of('4 hours', '3 days');
my $fraction = ($seed % 1000) / 1000;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "synchronous_commit = off\njit = off\ntimezone = 'UTC'");
$node->start;

# What a query returns
sub query
{
    my ($sql) = @_;
    return $node->safe_psql('postgres', $sql);
}

query(<<"SQL");
CREATE EXTENSION companion;
DELETE FROM companion.channels WHERE channel = 'web';
UPDATE companion.kinds SET send_within = '$send_within' WHERE kind = 'checkin';
CREATE TABLE zones AS SELECT row_number() OVER () AS number, name FROM unnest('{Pacific/Apia,Pacific/Kwajalein,
    Australia/Lord_Howe,Asia/Gaza,Antarctica/Troll,America/Nuuk,America/Havana,Europe/Berlin,America/New_York,
    Africa/Casablanca,Asia/Kathmandu,Pacific/Kiritimati,Pacific/Chatham,Africa/Cairo,UTC}'::text[]) AS name;
SQL
query(<<'SQL');
CREATE FUNCTION a_zone() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT name FROM zones ORDER BY random() LIMIT 1
$$;
CREATE FUNCTION a_time() RETURNS time LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN random() < 0.4
        THEN ('{00:00,00:30,02:00,02:30,03:00,23:30,23:59:59.999999}'::time[])[1 + floor(random() * 7)]
        ELSE time '00:00' + floor(random() * 86400) * interval '1 second' END
$$;
CREATE FUNCTION some_days() RETURNS smallint[] LANGUAGE sql VOLATILE AS $$
    SELECT ARRAY(SELECT d FROM generate_series(1, 7) AS d WHERE random() < 0.8)
$$;
CREATE FUNCTION a_minute() RETURNS time LANGUAGE sql VOLATILE AS $$
    SELECT time '00:00' + floor(random() * 1440) * interval '1 minute'
$$;

-- What is foretold is that each is sent as soon as it may: what was found late is, and some of the rest, which is as far
-- from the next check-in unsent, quiet hours being short enough.
CREATE PROCEDURE send() LANGUAGE sql AS $$
    WITH sent AS (
        UPDATE companion.scheduled_messages AS m SET status = 'sent', finished_at = companion.now(),
            sent_at = coalesce(companion.quiet_until(u.timezone, u.quiet_from, u.quiet_until, companion.now()), companion.now())
        FROM companion.users AS u
        WHERE u.id = m.user_id AND m.created_at = companion.now() AND m.status = 'pending' AND m.content IS NULL
            AND (m.scheduled_for < companion.now() - interval '4 hours' OR u.quiet_from IS NULL AND random() < 0.5)
        RETURNING m.user_id, m.id)
    DELETE FROM companion.dispatch_queue AS q USING sent WHERE q.user_id = sent.user_id AND q.message_id = sent.id
$$;

-- Who was asked about, from which tick on, and up to when nothing was changed; what was said then; and what a
-- tick did.
CREATE TABLE asks (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id uuid, first_tick integer,
    asked_at timestamptz, until timestamptz);
CREATE INDEX ON asks (user_id, until);
CREATE TABLE told (ask integer, message_id uuid, timezone text, quiet_from time, quiet_until time, local_date date,
    scheduled_for timestamptz, goes_at timestamptz, channel text, address text, reason text);
CREATE TABLE happened (user_id uuid, tick integer, at timestamptz, local_date date, scheduled_for timestamptz,
    channel text, status text, failure_reason text);
CREATE INDEX ON happened (user_id, scheduled_for);
CREATE TABLE explained (tick integer, at timestamptz, user_id uuid, all_hold boolean, was_finished boolean, is_pending boolean);

CREATE PROCEDURE ask(number integer) LANGUAGE sql AS $$
    WITH asked AS (
        INSERT INTO asks (user_id, first_tick, asked_at, until)
        SELECT someone.id, number, companion.now(), companion.now() + random() * random() * interval '60 days'
        FROM (SELECT u.id FROM companion.users AS u ORDER BY random() LIMIT 1) AS someone
        RETURNING id, user_id, until)
    INSERT INTO told
    SELECT a.id, t.message_id, u.timezone, u.quiet_from, u.quiet_until, t.local_date, t.scheduled_for, t.goes_at,
        t.channel, t.address, t.reason
    FROM asked AS a JOIN companion.users AS u ON u.id = a.user_id
    CROSS JOIN LATERAL companion.upcoming(a.user_id, a.until) AS t
    WHERE t.message_id IS NULL OR t.scheduled_for > companion.now() - interval '1 day'
$$;

-- Somebody changes something: what was foretold is for what ticks have covered.
CREATE PROCEDURE change() LANGUAGE plpgsql AS $$
DECLARE
    who uuid := (SELECT id FROM companion.users ORDER BY random() LIMIT 1);
    what float := random();
BEGIN
    UPDATE asks SET until = previous_tick FROM companion.dispatch_state
    WHERE asks.user_id = who AND until > previous_tick;
    IF what < 0.2 THEN
        UPDATE companion.users SET checkin_time = CASE WHEN random() < 0.9 THEN a_time() END WHERE id = who;
    ELSIF what < 0.4 THEN
        UPDATE companion.users SET timezone = a_zone() WHERE id = who;
    ELSIF what < 0.5 THEN
        UPDATE companion.users SET checkin_days = some_days() WHERE id = who;
    ELSIF what < 0.65 THEN
        UPDATE companion.users SET checkin_paused_until = companion.now() + (random() * 6 - 1) * interval '1 day' WHERE id = who;
    ELSIF what < 0.7 THEN
        UPDATE companion.users SET suspended_until = companion.now() + random() * interval '4 days' WHERE id = who;
    ELSIF what < 0.8 THEN
        UPDATE companion.users SET preferred_channel = CASE WHEN random() < 0.7 THEN 'whatsapp' END,
            telegram_user_id = CASE WHEN random() < 0.8 THEN floor(random() * 1e15) END,
            whatsapp_number = CASE WHEN random() < 0.5 THEN '+49' || floor(1e9 + random() * 1e9) END
        WHERE id = who;
    ELSIF what < 0.9 THEN
        UPDATE companion.users SET quiet_from = q.start, quiet_until = q.start + floor(random() * 720) * interval '1 minute'
        FROM (SELECT CASE WHEN random() < 0.7 THEN a_minute() END AS start OFFSET 0) AS q WHERE id = who;
    ELSE
        PERFORM companion.schedule_message(who, companion.now() + random() * interval '2 days', 'hello', 'checkin');
    END IF;
END
$$;

-- The instant at which somebody's check-in of today would be, whatever else is wanted, if it is still to come.
CREATE FUNCTION somebodys_instant(OUT user_id uuid, OUT at timestamptz) LANGUAGE sql VOLATILE AS $$
    SELECT u.id, companion.checkin_instant(u.timezone, companion.local_timestamp(u.timezone, companion.now())::date,
        u.checkin_time)
    FROM companion.users AS u WHERE u.checkin_time IS NOT NULL ORDER BY random() LIMIT 1
$$;

CREATE PROCEDURE explain(number integer, who uuid) LANGUAGE sql AS $$
    INSERT INTO explained
    SELECT number, companion.now(), who, bool_and(e.holds),
        EXISTS (SELECT FROM companion.scheduled_messages AS m
            WHERE m.user_id = who AND m.scheduled_for = companion.now() AND m.status <> 'pending')
    FROM companion.explain_checkin(who) AS e WHERE e.rule NOT IN ('quiet', 'outcome')
$$;

CREATE PROCEDURE run(first_day timestamptz, ticks integer) LANGUAGE plpgsql AS $$
DECLARE
    clock timestamptz := first_day;
    next record;
    explained_one boolean;
BEGIN
    PERFORM set_config('companion.clock', clock::text, false);
    PERFORM companion.rewind_dispatch(clock);
    FOR number IN 1 .. ticks LOOP
        next := somebodys_instant();
        explained_one := next.at > clock AND next.at < clock + interval '4 hours';
        clock := CASE WHEN explained_one THEN next.at
            WHEN random() < 0.02 THEN clock + random() * interval '30 hours'
            ELSE clock + random() * interval '3 hours 30 minutes' END;
        PERFORM set_config('companion.clock', clock::text, false);
        IF NOT explained_one AND random() < 0.4 THEN
            CALL change();
        END IF;
        IF random() < 0.5 THEN
            CALL ask(number);
        END IF;
        IF explained_one THEN
            CALL explain(number, next.user_id);
        END IF;
        PERFORM companion.dispatch();
        INSERT INTO happened
        SELECT m.user_id, number, clock, m.local_date, m.scheduled_for, m.channel, m.status, m.failure_reason
        FROM companion.scheduled_messages AS m WHERE m.created_at = clock AND m.content IS NULL;
        UPDATE explained AS e SET is_pending = EXISTS (
            SELECT FROM companion.scheduled_messages AS m WHERE m.user_id = e.user_id AND m.scheduled_for = e.at
                AND m.kind = 'checkin' AND m.status = 'pending')
        WHERE e.tick = number;
        CALL send();
        IF random() < 0.5 THEN
            CALL ask(number + 1);
        END IF;
        IF number % 20 = 0 THEN
            COMMIT;
        END IF;
    END LOOP;
    UPDATE asks SET until = least(until, clock);
END
$$;

-- Of each answer, what was due up to when something was changed; and what ticks recorded for the same user.
CREATE VIEW foretold AS
SELECT a.id AS ask, t.local_date, t.scheduled_for, t.channel,
    CASE WHEN t.reason LIKE 'quiet hours until %' THEN NULL ELSE t.reason END AS reason
FROM asks AS a JOIN told AS t ON t.ask = a.id AND t.message_id IS NULL AND t.scheduled_for <= a.until;
CREATE VIEW recorded AS
SELECT a.id AS ask, h.local_date, h.scheduled_for, h.channel, h.failure_reason AS reason,
    NOT EXISTS (SELECT FROM happened AS l WHERE l.user_id = h.user_id AND l.at > l.scheduled_for + interval '4 hours'
        AND l.at > a.asked_at AND l.scheduled_for BETWEEN h.scheduled_for - interval '2 days' AND h.scheduled_for) AS is_in_time
FROM asks AS a JOIN happened AS h ON h.user_id = a.user_id AND h.tick >= a.first_tick AND h.scheduled_for <= a.until;
SQL

query(<<"SQL");
SELECT setseed($fraction);
INSERT INTO companion.users (timezone, checkin_time, checkin_days, onboarding_completed_at, checkin_paused_until,
    telegram_user_id, whatsapp_number, preferred_channel, quiet_from, quiet_until)
SELECT a_zone(), a_time(), CASE WHEN random() < 0.5 THEN '{1,2,3,4,5,6,7}' ELSE some_days() END,
    timestamptz '$first_day' + (random() * 40 - 30) * interval '1 day',
    CASE WHEN random() < 0.2 THEN timestamptz '$first_day' + random() * interval '30 days' END,
    CASE WHEN number % 10 > 0 THEN number END, CASE WHEN number % 4 = 1 THEN '+49' || 1000000000 + number END,
    CASE WHEN number % 5 = 1 THEN 'whatsapp' END,
    q.start, q.start + floor(random() * 720) * interval '1 minute'
FROM generate_series(1, 60) AS number
CROSS JOIN LATERAL (SELECT CASE WHEN number % 3 = 0 THEN a_minute() END AS start OFFSET 0) AS q;
SQL
query("SELECT setseed($fraction); CALL run('$first_day', 1500)");

my $context = "FORETOLD_SEED=$seed";
my $days = 'SELECT ask, local_date, scheduled_for, channel FROM';
is(query("$days foretold EXCEPT ALL $days recorded LIMIT 10"), '', "what was foretold was recorded ($context)");
is(query("$days recorded EXCEPT ALL $days foretold LIMIT 10"), '', "and nothing else was ($context)");
is(query(<<'SQL'), '', "enqueued, or skipped with the same reason ($context)");
SELECT f.*, r.reason FROM foretold AS f JOIN recorded AS r USING (ask, scheduled_for)
WHERE r.is_in_time AND f.reason IS DISTINCT FROM r.reason LIMIT 10
SQL
is(query(<<"SQL"), '', "it may go when the user's clock says so ($context)");
SELECT t.timezone, t.quiet_from, t.quiet_until, t.scheduled_for, t.goes_at, t.reason, expected.at
FROM told AS t JOIN asks AS a ON a.id = t.ask
CROSS JOIN LATERAL (
    SELECT n.at FROM (
        SELECT t.scheduled_for UNION ALL
        SELECT date_trunc('minute', t.scheduled_for) + n * interval '1 minute' FROM generate_series(1, 2880) AS n) AS n (at)
    CROSS JOIN LATERAL (SELECT (n.at AT TIME ZONE t.timezone)::time AS clock) AS c
    WHERE (CASE WHEN t.quiet_from < t.quiet_until THEN c.clock >= t.quiet_from AND c.clock < t.quiet_until
        WHEN t.quiet_from > t.quiet_until THEN c.clock >= t.quiet_from OR c.clock < t.quiet_until END) IS NOT TRUE
    ORDER BY n.at LIMIT 1) AS expected
WHERE t.message_id IS NULL AND t.scheduled_for > a.asked_at AND (t.reason IS NULL OR t.reason LIKE 'quiet%')
    AND t.goes_at IS DISTINCT FROM CASE WHEN expected.at = t.scheduled_for OR expected.at < t.scheduled_for + interval '$send_within'
        THEN expected.at END
LIMIT 10
SQL
is(query(<<'SQL'), '', "every rule holds just where it was enqueued ($context)");
SELECT * FROM explained WHERE NOT was_finished AND all_hold IS DISTINCT FROM is_pending LIMIT 10
SQL
is(query(<<'SQL'), 't', 'much was asked, and much came of it');
SELECT (SELECT count(*) FROM foretold) > 2000
    AND (SELECT count(*) FROM foretold WHERE reason IS NOT NULL) > 100
    AND (SELECT count(*) FROM told WHERE goes_at > scheduled_for AND message_id IS NULL) > 50
    AND (SELECT count(*) FROM told WHERE message_id IS NOT NULL) > 20
    AND (SELECT count(*) FILTER (WHERE all_hold) FROM explained WHERE NOT was_finished) > 50
    AND (SELECT count(*) FILTER (WHERE NOT all_hold) FROM explained WHERE NOT was_finished) > 20
SQL

done_testing();
