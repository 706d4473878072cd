# A year of irregular ticks on three shards is that on one database, row for row: for the same users, who come and leave
# meanwhile, travel, and change their check-ins' times, weekdays and pauses; with messages that an app schedules and
# cancels; with ticks in batches, and rewinds. What is by chance is by a hash of the user, the tick and the seed, and
# so the same wherever the user is.
#
# YEAR_ON_SHARDS_SEED for another year.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{YEAR_ON_SHARDS_SEED} // 1;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "synchronous_commit = off\njit = off\nautovacuum_naptime = 5\ntimezone = 'UTC'");
$node->start;
my @shards = map { "shard_$_" } 0 .. 2;
my @databases = ('whole', @shards);

# In 2011 Samoa left a day out.
my $begin = '2010-12-31';
my $life = <<"SQL";
CREATE FUNCTION draw(who uuid, tick integer) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN (uuid_hash_extended(who, ${seed}::bigint * 1000000 + tick) & 9007199254740991) / 9007199254740992.0;

CREATE FUNCTION zone(chance double precision) RETURNS text LANGUAGE sql IMMUTABLE
RETURN ('{Pacific/Apia,Australia/Lord_Howe,Asia/Gaza,Antarctica/Troll,America/Nuuk,America/Havana,Europe/Berlin,America/New_York,Africa/Casablanca,
          Asia/Kathmandu,Pacific/Kiritimati,Pacific/Auckland,Pacific/Chatham,Africa/Cairo,EST5EDT,Etc/GMT+5,UTC}'::text[])[1 + floor(chance * 17)::integer];

CREATE FUNCTION at_time(chance double precision) RETURNS time LANGUAGE sql IMMUTABLE
RETURN CASE WHEN chance < 0.3 THEN ('{00:00,00:30,02:00,02:30,23:30,23:59:59.999999,09:00}'::time[])[1 + floor(chance / 0.3 * 7)::integer]
       ELSE time '00:00' + floor(chance * 86400) * interval '1 second' END;

-- Half of them are there from the first tick.
CREATE TABLE people AS
SELECT n, md5('$seed ' || n)::uuid AS id, greatest(1, 30 * (n - 150)) AS comes_at FROM generate_series(1, 250) AS n;

CREATE TABLE ticks AS
SELECT n::integer, sum(CASE WHEN chance < 0.2 THEN 1 WHEN chance < 0.4 THEN 1 + 290 * (chance - 0.2)
                            WHEN chance < 0.98 THEN 60 + 310 * (chance - 0.4) ELSE 240 + 60000 * (chance - 0.98) END * interval '1 minute')
                   OVER (ORDER BY n) + timestamptz '$begin 00:00+00' AS at
FROM generate_series(1, 5500) AS n CROSS JOIN LATERAL (SELECT draw('00000000-0000-0000-0000-000000000000', n) AS chance) AS c;

CREATE PROCEDURE live(tick integer) LANGUAGE plpgsql AS \$\$
BEGIN
    INSERT INTO companion.users (id, timezone, checkin_time, checkin_days, onboarding_completed_at)
    SELECT id, zone(draw(id, -1)), at_time(draw(id, -2)),
           ARRAY(SELECT d FROM generate_series(1, 7) AS d WHERE draw(id, -3) < 0.8 OR d % 2 = 1), companion.now()
    FROM people WHERE comes_at = tick AND companion.shard_of(id, SHARDS) = SHARD;
    UPDATE companion.users AS u SET
        timezone = CASE WHEN chance < 0.003 THEN zone(draw(id, -tick)) ELSE timezone END,
        checkin_time = CASE WHEN chance BETWEEN 0.003 AND 0.0035 THEN at_time(draw(id, -tick))
                            WHEN chance BETWEEN 0.0035 AND 0.0037 THEN NULL ELSE checkin_time END,
        checkin_days = CASE WHEN chance BETWEEN 0.0037 AND 0.004
                            THEN ARRAY(SELECT d FROM generate_series(1, 7) AS d WHERE d = 1 OR draw(id, -tick - d) < 0.7) ELSE checkin_days END,
        checkin_paused_until = CASE WHEN chance BETWEEN 0.004 AND 0.0043 THEN companion.now() + draw(id, -tick) * interval '9 days'
                                    WHEN chance BETWEEN 0.0043 AND 0.0045 THEN NULL ELSE checkin_paused_until END
    FROM (SELECT id AS drawn, draw(id, tick) AS chance FROM companion.users) AS d
    WHERE d.drawn = u.id AND chance < 0.0045;
    PERFORM companion.schedule_message(id, companion.now() + (draw(id, -tick) - 0.1) * interval '5 days', 'hello', idempotency_key => 'key ' || tick)
    FROM companion.users WHERE draw(id, tick) BETWEEN 0.0045 AND 0.0055;
    PERFORM companion.cancel_message(q.user_id, q.message_id) FROM companion.dispatch_queue AS q
    WHERE q.visible_at > companion.now() - interval '1 day'
        AND q.user_id IN (SELECT id FROM companion.users WHERE draw(id, tick) BETWEEN 0.0055 AND 0.007);
    PERFORM companion.erase_user(id) FROM companion.users WHERE draw(id, tick) > 0.99998;
END
\$\$;

CREATE PROCEDURE live_a_year() LANGUAGE plpgsql AS \$\$
DECLARE
    tick record;
BEGIN
    FOR tick IN SELECT * FROM ticks WHERE at < timestamptz '$begin 00:00+00' + interval '366 days' ORDER BY n LOOP
        PERFORM set_config('companion.clock', tick.at::text, false);
        IF tick.n = 1 THEN
            PERFORM companion.rewind_dispatch(tick.at);
        ELSIF tick.n % 50 = 0 THEN
            PERFORM companion.rewind_dispatch(least(previous_tick, tick.at - interval '3 hours')) FROM companion.dispatch_state;
        END IF;
        CALL live(tick.n);
        -- One database and a shard divide a tick's work each in its way
        WHILE tick.n % 3 = 0 AND tick.at > (SELECT previous_tick FROM companion.dispatch_state) LOOP
            PERFORM companion.dispatch(max_rows => 1 + tick.n % 5);
            COMMIT;
        END LOOP;
        PERFORM companion.dispatch();
        COMMIT;
    END LOOP;
END
\$\$;
SQL

# Of each a session that lives its year
my @years;
for my $database (@databases)
{
    my ($number, $shards) = $database =~ /_(\d)/ ? ($1, 3) : (0, 1);
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    $node->safe_psql($database, 'CREATE EXTENSION companion;' . ($shards > 1 ? "SELECT companion.set_shard($number, $shards);" : '')
          . $life =~ s/SHARDS/$shards/r =~ s/SHARD/$number/r);
    push @years, IPC::Run::start([ 'psql', '-Xq', '--set=ON_ERROR_STOP=1', "--dbname=$database", '--host=' . $node->host, '--port=' . $node->port,
            '--command=CALL live_a_year()' ]);
}
ok($years[$_]->finish, "a year on $databases[$_]") for 0 .. $#years;

# The rows of databases, in one order
sub rows
{
    my ($sql, @of) = @_;
    return [ sort map { split /\n/, $node->safe_psql($_, $sql) } @of ];
}

my %same = (
    'users' => q{SELECT to_jsonb(u) FROM companion.users AS u},
    'erased users' => q{SELECT user_id FROM companion.erased_users},
    'scheduled messages' => q{SELECT to_jsonb(m) - 'id' FROM companion.scheduled_messages AS m},
    'queued messages' => q{SELECT to_jsonb(q) - 'message_id', m.idempotency_key FROM companion.dispatch_queue AS q
        JOIN companion.scheduled_messages AS m ON m.user_id = q.user_id AND m.id = q.message_id},
    'ticks' => q{SELECT DISTINCT previous_tick, began_after FROM companion.dispatch_state},
    'rechecks' => q{SELECT to_jsonb(r) FROM companion.dispatch_recheck AS r});
for my $what (sort keys %same)
{
    my ($whole, $parts) = (rows($same{$what}, 'whole'), rows($same{$what}, @shards));
    my %seen;
    $parts = [ grep { !$seen{$_}++ } @$parts ] if $what eq 'ticks';
    my %count;
    $count{$_}++ for @$whole;
    $count{$_}-- for @$parts;
    my @other = grep { $count{$_} } sort keys %count;
    is(join("\n", map { ($count{$_} > 0 ? 'whole only: ' : 'shards only: ') . $_ } @other[ 0 .. ($#other < 5 ? $#other : 5) ]), '',
        scalar @$whole . " rows, $what: the same (YEAR_ON_SHARDS_SEED=$seed)");
}

my @kinds = split /\|/, $node->safe_psql('whole', <<'SQL');
SELECT count(*), count(*) FILTER (WHERE kind <> 'checkin'), count(*) FILTER (WHERE status = 'cancelled'),
    count(*) FILTER (WHERE failure_reason LIKE 'found % late%'),
    count(*) FILTER (WHERE failure_reason = 'within companion.min_gap of another check-in'),
    count(*) FILTER (WHERE failure_reason LIKE 'check-ins are paused%'),
    count(DISTINCT timezone), (SELECT count(*) FROM companion.erased_users)
FROM companion.scheduled_messages
SQL
is(scalar(grep { $_ == 0 } @kinds), 0, "there is what there may be: @kinds");
is(scalar(grep { $node->safe_psql($_, 'SELECT count(*) FROM companion.users') > 50 } @shards), 3, 'on every shard');

done_testing();
