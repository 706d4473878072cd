# Copies that replication makes: a base backup, and a logical subscriber with an extension of its own.
# Rows and rights are the same, and after the switch-over dispatch goes on without a double.
use strict;
use warnings;

use File::Basename 'dirname';
use lib dirname(__FILE__);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RichData;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 'logical');
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE app');
$node->safe_psql('app', 'CREATE EXTENSION companion');
load_rich_data($node, 'app');
my $app = describe($node, 'app');

# Unlogged tables are left out of both.
my $is_logged = q{c.relpersistence = 'p'};

$node->backup('base');
my $copy = PostgreSQL::Test::Cluster->new('copy');
$copy->init_from_backup($node, 'base');
$copy->start;
is_same($app, $copy, 'app', $is_logged, 'base backup');

# UPDATE and DELETE are replicated by key.
is($node->safe_psql('app', <<'SQL'), 'companion.send_rates', 'every table but one, whose rows are written in place, has a replica identity');
SELECT c.oid::regclass FROM pg_class AS c
WHERE c.relnamespace = 'companion'::regnamespace AND c.relkind = 'r'
    AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)
    AND c.relreplident IN ('d', 'n')
SQL

my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init(allows_streaming => 'logical');
$subscriber->start;
my $schema = $node->basedir . '/schema.sql';
$node->command_ok([ 'pg_dumpall', '--schema-only', "--file=$schema" ], 'roles and schema dumped');
$subscriber->command_ok([ 'psql', '-Xq', "--file=$schema", 'postgres' ], 'roles and schema restored');
isnt($subscriber->safe_psql('app', 'SELECT count(*) FROM companion.onboarding_steps'), '0',
    'the subscriber has the standard steps already');

$node->safe_psql('app', 'CREATE PUBLICATION everything FOR ALL TABLES');
my $connection = $node->connstr . ' dbname=app';
$subscriber->safe_psql('app', "CREATE SUBSCRIPTION moving CONNECTION '$connection' PUBLICATION everything");
$subscriber->wait_for_subscription_sync($node, 'moving', 'app');

# That the rows, and the rights, of the subscriber are the publisher's
sub is_replicated
{
    my ($name) = @_;
    my $tables = tables($node, 'app', $is_logged);
    is_deeply(digests($subscriber, 'app', $tables), digests($node, 'app', $tables), "$name: rows");
    is(differences(rights($node, 'app'), rights($subscriber, 'app')), '', "$name: rights");
}
is_replicated('first copy');

# What happens next on the publisher is streamed: every kind of change, in every table.
is(differences($app->{next}, go_on($node, 'app')), '', 'the publisher goes on');
$node->wait_for_catchup('moving');
is_replicated('changes');

# The switch-over: from here each of the two goes on alone.
$subscriber->safe_psql('app', 'DROP SUBSCRIPTION moving');
my $next_day = <<'SQL';
SET companion.clock = '2026-03-06 09:30+00';
SELECT companion.rewind_dispatch('2026-03-02 00:00+00');
SELECT 'enqueued', companion.dispatch();
SELECT task, affected FROM companion.run_maintenance() WHERE task <> 'redeem failures';
SELECT 'claimed', user_id, attempt, local_date, address FROM companion.claim_messages('worker E', 100)
ORDER BY scheduled_for, user_id;
SELECT 'twice on a local day', user_id, local_date FROM companion.scheduled_messages
WHERE kind = 'checkin' GROUP BY user_id, local_date HAVING count(*) > 1;
SQL
my $expected = $node->safe_psql('app', $next_day);
is($subscriber->safe_psql('app', $next_day), $expected, 'the subscriber goes on as the publisher would have');
like($expected, qr/^enqueued\|[1-9].*^claimed\|/ms, 'with new check-ins');
unlike($expected, qr/^twice/m, 'and no double');

# It follows the auth table, too.
is($subscriber->safe_psql('app', <<'SQL'), 'next@example.org', 'users follow the auth table');
INSERT INTO auth.users VALUES ('00000000-0000-0000-0000-000000000014', 'next@example.org');
SELECT email FROM companion.users WHERE id = '00000000-0000-0000-0000-000000000014';
SQL

done_testing();
