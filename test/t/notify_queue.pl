# A session that listens and never reads lets the queue of notifications fill up, until no transaction
# commits that notifies. Dispatch goes on, without notifying, and says so.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
plan skip_all => 'a queue this long takes too long to fill before PostgreSQL 17'
  if $node->pg_version < 17;
$node->append_conf('postgresql.conf', "max_notify_queue_pages = 64\ncompanion.clock = '2026-03-04 09:00+00'");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION companion;
INSERT INTO companion.users (id, checkin_time, onboarding_completed_at)
VALUES ('00000000-0000-0000-0000-000000000001', '09:00', '2026-01-01');
SQL

# What a statement returns, and what it warns of
sub outcome
{
    my ($statement) = @_;
    my ($status, $output, $warnings) = $node->psql('postgres', "\\set VERBOSITY verbose\n$statement");
    return ($output, $warnings);
}
my $warning = qr/WARNING: +53400: the queue of notifications is nearly full; workers are not notified/;

my ($enqueued, $warnings) = outcome('SELECT companion.dispatch()');
is($enqueued, 1, 'a tick enqueues');
is($warnings, '', 'and notifies');

my $listener = $node->background_psql('postgres');
$listener->query_safe('LISTEN companion; BEGIN');
for my $page (1 .. 70)
{
    my ($status) = $node->psql('postgres', "SELECT pg_notify('other', repeat('x', 7900))");
    last if $status != 0;
}
cmp_ok($node->safe_psql('postgres', 'SELECT pg_notification_queue_usage() > 0.9'), 'eq', 't',
    'the queue is full');

$node->safe_psql('postgres', "UPDATE companion.users SET checkin_time = '09:01'; DELETE FROM companion.scheduled_messages");
($enqueued, $warnings) = outcome("SELECT companion.dispatch('2026-03-04 09:01+00')");
is($enqueued, 1, 'the next tick enqueues as well');
like($warnings, $warning, 'and warns');
(my $created, $warnings) = outcome(q{SELECT created
    FROM companion.schedule_message('00000000-0000-0000-0000-000000000001', companion.now(), 'now')});
is($created, 't', 'so does who schedules a message');
like($warnings, $warning, 'and is warned');

$listener->query_safe('COMMIT');
$listener->quit;
($created, $warnings) = outcome(q{SELECT created
    FROM companion.schedule_message('00000000-0000-0000-0000-000000000001', companion.now(), 'now')});
is($warnings, '', 'once the listener has read, or gone, workers are notified again');

done_testing();
