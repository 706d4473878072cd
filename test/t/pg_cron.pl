# A real pg_cron: schedule_jobs makes jobs that fire, and unschedule_jobs removes them.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($sharedir) = PostgreSQL::Test::Utils::run_command([ 'pg_config', '--sharedir' ]);
plan skip_all => 'pg_cron is not installed' unless -e "$sharedir/extension/pg_cron.control";

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pg_cron'
cron.use_background_workers = on
cron.database_name = 'postgres'
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION companion');

# What a query returns
sub query
{
    my ($sql) = @_;
    return $node->safe_psql('postgres', $sql);
}

# The SQLSTATE, message and hint with which a statement fails
sub error_of
{
    my ($statement) = @_;
    my ($status, $output, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\n$statement");
    return $error;
}

query(<<'SQL');
CREATE ROLE jobs LOGIN IN ROLE companion_admin;
CREATE ROLE stranger LOGIN;
CREATE ROLE nobody IN ROLE companion_admin;
SQL
like(error_of("SELECT companion.schedule_jobs('jobs')"),
    qr/55000: pg_cron is not installed in this database.*HINT: .*CREATE EXTENSION pg_cron/s,
    'without the extension the error says how to install it');
like(error_of('SELECT companion.unschedule_jobs()'), qr/55000/, 'nor are there jobs to remove');

query('CREATE EXTENSION pg_cron');
for my $login ('postgres', 'stranger', 'nobody')
{
    like(error_of("SELECT companion.schedule_jobs('$login')"),
        qr/22023: jobs cannot run as role "$login"\nDETAIL:  Expected a login that is no superuser and inherits companion_admin.\nHINT:  CREATE ROLE/,
        "jobs cannot run as $login");
}
like(error_of('SELECT companion.schedule_jobs()'), qr/22023: jobs cannot run as role "postgres"/,
    'nor as the superuser who names nobody');
like(error_of("SELECT companion.schedule_jobs('missing')"), qr/42704: role "missing" does not exist/,
    'nor as nobody');
is(query('SELECT count(*) FROM cron.job'), '0', 'and there are none');

is(query("SELECT * FROM companion.schedule_jobs('jobs')"),
    join("\n", 'companion_dispatch|* * * * *', 'companion_maintenance|*/5 * * * *',
        'companion_retention|17 3 * * *'),
    'three jobs');
my $jobs = 'SELECT jobid, jobname, schedule, command, username, active FROM cron.job ORDER BY jobid';
my $before = query($jobs);
unlike($before, qr/postgres/, 'none runs as the superuser');
like($before, qr/companion_dispatch\|\* \* \* \* \*\|CALL companion.run_dispatch\(\)/,
    'dispatch runs in batches');
query("SELECT companion.schedule_jobs('jobs')");
is(query($jobs), $before, 'scheduled twice they are the same three');
query("SELECT companion.schedule_jobs('jobs', '5 minutes'); SELECT companion.schedule_jobs('jobs')");
is(query($jobs), $before, 'and can be changed, and changed back');

my $knows_seconds = query(<<'SQL');
SELECT string_to_array(substring(extversion FROM '^[0-9.]+'), '.')::integer[] >= '{1,5}'
FROM pg_extension WHERE extname = 'pg_cron'
SQL
if ($knows_seconds eq 't')
{
    like(query("SELECT schedule FROM companion.schedule_jobs('jobs', '10 seconds')"),
        qr/^10 seconds$/m, 'every ten seconds');
}
else
{
    like(error_of("SELECT companion.schedule_jobs('jobs', '10 seconds')"),
        qr/0A000: pg_cron .* cannot run a job every 10 seconds.*HINT:/s,
        'every ten seconds is too much for this pg_cron');
    is(query($jobs), $before, 'and changes nothing');
}

# pg_cron was off for a day; somebody was due ten minutes ago, and somebody ten hours.
query(<<'SQL');
SELECT companion.rewind_dispatch(now() - interval '1 day');
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at)
SELECT name, 'UTC', (now() AT TIME ZONE 'UTC' - ago)::time, '2020-01-01'
FROM (VALUES ('Maya', interval '10 minutes'), ('Noor', '10 hours')) AS due (name, ago);
SQL
ok($node->poll_query_until('postgres',
        'SELECT EXISTS (SELECT FROM companion.scheduled_messages)'),
    'pg_cron fires, and dispatch enqueues');
is(query(<<'SQL'), <<'RESULT' =~ s/\n$//r, 'the late is caught up with, the too late says so');
SELECT display_name, kind, status, scheduled_for < now() - interval '9 minutes',
    regexp_replace(failure_reason, '[0-9:.]+', '...')
FROM companion.scheduled_messages JOIN companion.users ON users.id = user_id ORDER BY 1
SQL
Maya|checkin|pending|t|
Noor|checkin|skipped|t|found ... late, beyond its kind's send_within
RESULT
ok($node->poll_query_until('postgres', <<'SQL'), 'the run succeeded');
SELECT EXISTS (SELECT FROM cron.job_run_details AS r JOIN cron.job AS j USING (jobid)
               WHERE j.jobname = 'companion_dispatch' AND r.status = 'succeeded')
SQL

# Health sees the jobs, with the rights of who asks.
my $health = q{SELECT h."check", h.ok, h.detail FROM companion.health() AS h WHERE h."check" ~ '^job' ORDER BY 1};
like(query($health), qr/^job companion_dispatch\|t\|succeeded.*^job companion_maintenance\|t\|.*^job companion_retention\|t\|/ms,
    'health says that the jobs run');
query("UPDATE cron.job SET active = false WHERE jobname = 'companion_maintenance'");
query(<<'SQL');
INSERT INTO cron.job_run_details (jobid, runid, status, return_message, start_time)
SELECT jobid, (SELECT max(runid) + 1000000 FROM cron.job_run_details), 'failed', 'no space', now()
FROM cron.job WHERE jobname = 'companion_retention';
SQL
like(query($health), qr/^job companion_maintenance\|f\|off\n.*^job companion_retention\|f\|failed: no space$/ms,
    'and which one is off, or fails');
query("UPDATE cron.job SET active = true; DELETE FROM cron.job_run_details WHERE status = 'failed'");
is(query("SET ROLE companion_monitor; $health"), 'jobs||you may not see them: GRANT USAGE ON SCHEMA cron',
    'who may not look is told so');
query('GRANT USAGE ON SCHEMA cron TO companion_monitor');
like(query("SET ROLE companion_monitor; $health"),
    qr/^job companion_dispatch\|\|not scheduled, or by a login whose jobs you may not see$/m, 'or see them');
query(<<'SQL');
CREATE POLICY monitored ON cron.job FOR SELECT TO companion_monitor USING (true);
CREATE POLICY monitored ON cron.job_run_details FOR SELECT TO companion_monitor USING (true);
SQL
like(query("SET ROLE companion_monitor; $health"), qr/^job companion_dispatch\|t\|/m, 'who may, sees');

# Retention takes pg_cron's own rows along, as far as the login may by itself.
query("UPDATE cron.job_run_details SET end_time = now() - interval '91 days' WHERE status = 'succeeded'");
my $old = "SELECT count(*) > 0 FROM cron.job_run_details WHERE end_time < now() - interval '90 days'";
is(query("SET ROLE jobs; SELECT FROM companion.apply_retention(); RESET ROLE; $old"), 't',
    'a login that may not use the schema cron leaves its log');
is(query("GRANT USAGE ON SCHEMA cron TO jobs; SET ROLE jobs; SELECT FROM companion.apply_retention();
    RESET ROLE; $old"), 'f', 'one that may deletes old runs');

# Jobs of another login, as the superuser's that an older version has made, give way.
query(<<'SQL');
CREATE ROLE other_jobs LOGIN IN ROLE companion_admin;
SELECT cron.schedule('companion_dispatch', '* * * * *', 'SELECT companion.dispatch()');
SELECT companion.schedule_jobs('other_jobs');
SQL
is(query('SELECT DISTINCT username FROM cron.job'), 'other_jobs', 'the jobs of another login give way');

# A login that has access to pg_cron makes its own.
query('GRANT USAGE ON SCHEMA cron TO jobs');
is(query("SET SESSION AUTHORIZATION jobs; SELECT count(*) FROM companion.schedule_jobs()"), '3',
    'a login makes jobs of its own');
is(query("SET SESSION AUTHORIZATION jobs; SELECT companion.unschedule_jobs()"), '3', 'and removes them');

is(query('SELECT companion.unschedule_jobs()'), '3', 'all three are removed');
is(query('SELECT count(*) FROM cron.job'), '0', 'none is left');
like(query($health), qr/^job companion_dispatch\|f\|not scheduled: companion.schedule_jobs\(\)$/m, 'health misses them');
is(query('SELECT companion.unschedule_jobs()'), '0', 'and there is none to remove again');

# From pg_cron's database for others of the server, which say so.
for my $database ('shard_0', 'shard-1')
{
    query(qq{CREATE DATABASE "$database"});
    $node->safe_psql($database, 'CREATE EXTENSION companion');
}
my ($status, $output, $error) = $node->psql('shard_0', "\\set VERBOSITY verbose\nSELECT companion.schedule_jobs('jobs')");
like($error, qr/55000: pg_cron is in another database.*HINT:  In database "postgres", .*: (SELECT companion.schedule_jobs\('companion_jobs', databases => '\{shard_0\}'\);)/s,
    'elsewhere the error says where to call it');
($status, $output, $error) = $node->psql('shard-1', "\\set VERBOSITY verbose\nSELECT companion.unschedule_jobs()");
like($error, qr/55000: pg_cron is in another database.*'\{"shard-1"\}'/s, '... and how');
for my $case ([ "'{shard_0, missing}'", qr/3D000: database "missing" does not exist/ ], [ 'NULL', qr/22004: argument "databases"/ ],
    [ "'{NULL}'", qr/3D000: database "NULL"/ ], [ "'{template0}'", qr/3D000: database "template0"/ ])
{
    like(error_of("SELECT companion.schedule_jobs('jobs', databases => $case->[0])"), $case->[1], "not in $case->[0]");
}
is(query('SELECT count(*) FROM cron.job'), '0', 'and nothing is scheduled then');
like(error_of("SET SESSION AUTHORIZATION jobs; SELECT companion.schedule_jobs(databases => '{shard_0}')"), qr/42501/,
    'a login that is no superuser schedules nothing elsewhere');
my $for_all = q{SELECT companion.schedule_jobs('jobs', databases => '{postgres, shard_0, shard-1}')};
query($for_all);
is(query('SELECT jobname, schedule, command, database FROM cron.job ORDER BY database, jobname'), <<'JOBS' =~ s/\n$//r, 'three databases\' jobs, a minute apart');
companion_dispatch|* * * * *|CALL companion.run_dispatch()|postgres
companion_maintenance|*/5 * * * *|SELECT companion.run_maintenance()|postgres
companion_retention|17 3 * * *|SELECT companion.apply_retention()|postgres
companion_dispatch in shard-1|* * * * *|CALL companion.run_dispatch()|shard-1
companion_maintenance in shard-1|2-59/5 * * * *|SELECT companion.run_maintenance()|shard-1
companion_retention in shard-1|19 3 * * *|SELECT companion.apply_retention()|shard-1
companion_dispatch in shard_0|* * * * *|CALL companion.run_dispatch()|shard_0
companion_maintenance in shard_0|1-59/5 * * * *|SELECT companion.run_maintenance()|shard_0
companion_retention in shard_0|18 3 * * *|SELECT companion.apply_retention()|shard_0
JOBS
query($for_all);
is(query('SELECT count(*) FROM cron.job'), '9', 'scheduled again they are the same');
query("SELECT companion.schedule_jobs('other_jobs', databases => '{shard_0}')");
is(query('SELECT database, count(*) FROM cron.job WHERE username = $$other_jobs$$ GROUP BY 1'), 'shard_0|3', 'another login takes over one');
is(query('SELECT count(*) FROM cron.job'), '9', '... and its jobs there are gone');
$node->safe_psql('shard_0', <<'SQL');
SELECT companion.rewind_dispatch(now() - interval '1 day');
INSERT INTO companion.users (timezone, checkin_time, onboarding_completed_at)
VALUES ('UTC', (now() AT TIME ZONE 'UTC' - interval '10 minutes')::time, '2020-01-01');
SQL
ok($node->poll_query_until('shard_0', 'SELECT EXISTS (SELECT FROM companion.scheduled_messages)'), 'they run there');
query("UPDATE cron.job_run_details SET end_time = now() - interval '91 days' WHERE status = 'succeeded'");
is(query("SET ROLE other_jobs; SELECT FROM companion.apply_retention(); RESET ROLE; $old"), 't', 'whose login may not see the log leaves it');
is(query("SELECT companion.apply_retention() \\g /dev/null\n$old"), 'f', 'the old runs of all of them go');
is(query("SELECT companion.unschedule_jobs('{shard_0, shard-1}'), companion.unschedule_jobs()"), '6|3', 'and all are removed');

done_testing();
