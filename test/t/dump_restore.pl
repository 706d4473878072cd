# What pg_dump has written, in whichever form and however it is restored, is the database that it was:
# rows, rights, and what happens next.
use strict;
use warnings;

use File::Basename 'dirname';
use lib dirname(__FILE__);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RichData;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE app');
$node->safe_psql('app', 'CREATE EXTENSION companion');
load_rich_data($node, 'app');
$node->safe_psql('postgres', q{ALTER DATABASE app SET companion.min_gap = '5h'});
my $app = describe($node, 'app');

# Telegram accounts that presented unknown tokens, and what searches have read, are not dumped. Whom
# dispatch is to look at again is, and every user comes in addition: to it they are new.
my $is_dumped = q{dump.condition IS DISTINCT FROM 'WHERE false' AND c.relname <> 'dispatch_recheck'};
my $looked_at = q{SELECT count(*) FILTER (WHERE u.checkin_time = '10:00'), count(DISTINCT r.user_id)
    FROM companion.dispatch_recheck AS r JOIN companion.users AS u ON u.id = r.user_id};
is($node->safe_psql('app', $looked_at), '1|1', 'dispatch is to look at one user again');

sub dump_app
{
    my ($name, @options) = @_;
    my $file = $node->basedir . "/$name";
    $node->command_ok([ 'pg_dump', "--file=$file", @options, 'app' ], "dumped: $name");
    return $file;
}

sub new_database
{
    my ($name) = @_;
    $node->safe_psql('postgres', "CREATE DATABASE $name");
    return $name;
}

sub run_sql
{
    my ($database, $file) = @_;
    $node->command_ok([ 'psql', '-Xq', '--set=ON_ERROR_STOP=1', "--file=$file", $database ],
        "$file into $database");
}

sub restore
{
    my ($database, $file, @options) = @_;
    $node->command_ok([ 'pg_restore', '--exit-on-error', "--dbname=$database", @options, $file ],
        "$file into $database");
}

# Without the foreign keys' triggers, which have no table's rows before another's.
sub as_replica
{
    my ($restore) = @_;
    local $ENV{PGOPTIONS} = '-c session_replication_role=replica';
    $restore->();
}

run_sql(new_database('plain'), dump_app('plain.sql'));
is($node->safe_psql('plain', $looked_at), '2|10', '... and once restored, at all who have check-ins');
is_same($app, $node, 'plain', $is_dumped, 'plain');

my $custom = dump_app('app.dump', '--format=custom');
restore(new_database('custom'), $custom);
is_same($app, $node, 'custom', $is_dumped, 'custom');

my $directory = dump_app('app.dir', '--format=directory', '--jobs=2');
as_replica(sub { restore(new_database('directory'), $directory, '--jobs=2'); });
is($node->safe_psql('directory', $looked_at), '1|1', '... but not where it was restored without triggers');
is_same($app, $node, 'directory', $is_dumped, 'directory, two jobs');

my $inserts = dump_app('inserts.sql', '--inserts');
as_replica(sub { run_sql(new_database('inserts'), $inserts); });
is_same($app, $node, 'inserts', $is_dumped, 'INSERT commands');

# Rows alone, into a schema in which CREATE EXTENSION has put the standard steps.
restore(new_database('data_only'), $custom, '--section=pre-data');
run_sql('data_only', dump_app('data.sql', '--data-only'));
restore('data_only', $custom, '--section=post-data');
is_same($app, $node, 'data_only', $is_dumped, 'rows alone');

# The same where the auth table is already followed.
restore(new_database('followed'), $custom, '--schema-only');
as_replica(sub { restore('followed', $custom, '--data-only', '--jobs=2'); });
is_same($app, $node, 'followed', $is_dumped, 'rows alone, while following');

# A backup from before the last messages, restored as docs/moving.md says: nothing is sent again.
restore(new_database('older'), $custom);
is($node->safe_psql('older', <<'SQL'), "0|0\nt", 'an older backup sends nothing again, and goes on');
SET companion.clock = '2026-03-04 15:00+00';
SELECT companion.rewind_dispatch(companion.now()) \g /dev/null
SELECT companion.finish_abandoned() \g /dev/null
SELECT companion.mark_skipped(user_id, message_id, attempt, 'restored from a backup')
FROM companion.claim_messages('restore', 1000) \g /dev/null
SELECT companion.dispatch(), (SELECT count(*) FROM companion.dispatch_queue);
SET companion.clock = '2026-03-05 09:30+00';
SELECT companion.dispatch() > 0;
SQL

# Another cluster, where the roles are not.
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init;
$other->start;
my $globals = $node->basedir . '/globals.sql';
$node->command_ok([ 'pg_dumpall', '--globals-only', "--file=$globals" ], 'roles dumped');
$other->command_ok([ 'psql', '-Xq', "--file=$globals", 'postgres' ], 'roles restored');
$other->command_ok([ 'pg_restore', '--exit-on-error', '--create', '--dbname=postgres', $custom ],
    'restored into another cluster');
is($other->safe_psql('app', 'SHOW companion.min_gap'), '5h', 'with the settings of the database');
is_same($app, $other, 'app', $is_dumped, 'another cluster');

done_testing();
