# A year of irregular ticks for users over all kinds of zones, with companion.clock: every local
# day that has a check-in gets exactly one, at its instant, and skipped just when it was found too
# late. YEAR_OF_TICKS_SEED repeats a run.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

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

sub add_users
{
	my ($node, $count) = @_;
	my @values;
	for my $number (1 .. $count)
	{
		my $zone = rand() < 0.6 ? "'" . one_of(@zones) . "'"
		  : "(SELECT name FROM zones ORDER BY hashtext(name || '$number $seed') LIMIT 1)";
		my $days = rand() < 0.8 ? '1,2,3,4,5,6,7' : join ',', grep { rand() < 0.5 } 1 .. 7;
		my $onboarded = rand() < 0.9 ? "$year-01-01" : sprintf '%d-%02d-%02d', $year, 1 + rand 12, 1 + rand 28;
		my $paused = rand() < 0.9 ? 'NULL' : sprintf "'%d-%02d-%02d 12:00'", $year, 1 + rand 12, 1 + rand 28;
		push @values, "($zone, '" . checkin_time() . "', '{$days}', '$onboarded', $paused)";
	}
	$node->safe_psql('postgres', "SET timezone = 'UTC';
		INSERT INTO companion.users (timezone, checkin_time, checkin_days, onboarding_completed_at, checkin_paused_until)
		VALUES " . join(",\n", @values));
}

# Minutes between ticks: mostly one to some hours, now and then beyond companion.catch_up (4 hours).
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
	my ($node) = @_;
	my @seconds = (0);
	push @seconds, $seconds[-1] + int(60 * tick_gap()) while $seconds[-1] < 367 * 86400;
	$node->safe_psql('postgres', "INSERT INTO ticks SELECT '$year-01-01 00:00+00'::timestamptz + s * interval '1 second'
		FROM unnest('{" . join(',', @seconds) . "}'::integer[]) AS s");
	return scalar @seconds;
}

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'synchronous_commit = off');
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION companion;
CREATE TABLE ticks (at timestamptz PRIMARY KEY);
CREATE TABLE zones AS
SELECT name FROM pg_timezone_names
WHERE name ~ '/' AND name !~ '^(posix|right|SystemV)/';

-- Run every tick; now and then one twice, one that is in the past, or one after a rewind.
CREATE PROCEDURE run_ticks() LANGUAGE plpgsql AS $$
DECLARE
	tick record;
BEGIN
	FOR tick IN SELECT at, row_number() OVER (ORDER BY at) AS number FROM ticks ORDER BY at LOOP
		PERFORM set_config('companion.clock', tick.at::text, false);
		IF tick.number = 1 THEN
			PERFORM companion.rewind_dispatch(tick.at);
		ELSIF tick.number % 50 = 0 THEN
			PERFORM companion.rewind_dispatch(least(previous_tick, tick.at - interval '3 hours')) FROM companion.dispatch_state;
		END IF;
		PERFORM companion.dispatch();
		IF tick.number % 50 = 25 AND companion.dispatch() + companion.dispatch(tick.at - interval '1 day') > 0 THEN
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
SELECT u.id AS user_id, 'checkin:' || d.local_date AS key, d.local_date, u.timezone, due.at AS scheduled_for,
       CASE WHEN found.at > due.at + interval '4 hours' THEN 'skipped' ELSE 'pending' END AS status
FROM companion.users AS u
CROSS JOIN (SELECT (SELECT min(at)::date - 3 FROM ticks) + n AS local_date FROM generate_series(0, 375) AS n) AS d
CROSS JOIN LATERAL (SELECT companion.checkin_instant(u.timezone, d.local_date, u.checkin_time) AS at) AS due
CROSS JOIN LATERAL (SELECT at FROM ticks WHERE ticks.at >= due.at ORDER BY at LIMIT 1) AS found
WHERE due.at > (SELECT min(at) FROM ticks)
  AND extract(isodow FROM d.local_date) = ANY (u.checkin_days)
  AND due.at >= u.onboarding_completed_at AND due.at >= coalesce(u.checkin_paused_until, '-infinity');
CREATE VIEW actual AS
SELECT user_id, idempotency_key AS key, local_date, timezone, scheduled_for, status
FROM companion.scheduled_messages WHERE kind = 'checkin';
SQL

add_users($node, 250);
my $ticks = add_ticks($node);
note "$ticks ticks from $year on";
$node->safe_psql('postgres', "SET timezone = 'UTC'; CALL run_ticks()");

my $context = "YEAR_OF_TICKS_SEED=$seed";
is($node->safe_psql('postgres', 'SELECT * FROM expected EXCEPT ALL SELECT * FROM actual LIMIT 10'),
	'', "no check-in is missing ($context)");
is($node->safe_psql('postgres', 'SELECT * FROM actual EXCEPT ALL SELECT * FROM expected LIMIT 10'),
	'', "there is none too many ($context)");
is($node->safe_psql('postgres', "SELECT count(*) > 30000 AND count(*) FILTER (WHERE status = 'skipped') > 100 FROM actual"),
	't', 'there were many, and some too late');
is($node->safe_psql('postgres', <<'SQL'), 't', 'the queue holds just the pending ones, each from its instant to the end of companion.catch_up');
SELECT count(*) = (SELECT count(*) FROM actual WHERE status = 'pending')
   AND bool_and(q.visible_at = m.scheduled_for AND q.send_before = m.scheduled_for + interval '4 hours' AND m.send_before = q.send_before)
FROM companion.dispatch_queue AS q
JOIN companion.scheduled_messages AS m ON m.user_id = q.user_id AND m.id = q.message_id
SQL
is($node->safe_psql('postgres', "SELECT count(*) FROM companion.scheduled_messages WHERE (status = 'skipped') <> coalesce(failure_reason LIKE 'found % late, beyond companion.catch_up', false)"),
	'0', 'what was skipped says why');

done_testing();
