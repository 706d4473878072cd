# What was taken of a channel's rate is taken after a crash, too, and on a standby that takes over.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->start;

sub query
{
    my ($sql, $on) = @_;
    return ($on // $node)->safe_psql('postgres', "SET companion.clock = '2026-03-04 09:00+00'; $sql");
}

my $start = 'SELECT companion.start_send(user_id, message_id, attempt) FROM companion.dispatch_queue
    WHERE NOT sending ORDER BY message_id LIMIT 1';

query(<<'SQL');
CREATE EXTENSION companion;
UPDATE companion.channels SET max_per_second = 2 WHERE channel = 'web';
INSERT INTO companion.users (display_name) VALUES ('Ada');
SELECT count(*) FROM companion.users AS u, generate_series(1, 8) AS n,
    companion.schedule_message(u.id, companion.now(), 'message ' || n);
SELECT count(*) FROM companion.claim_messages('worker');
CHECKPOINT;
SQL
is(query($start), 't', 'the first start');
$node->stop('immediate');
$node->start;
is(query($start), 't', 'after a crash the second');
is(query($start), '', 'and no more');
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
query("SET companion.clock = '2026-03-04 09:00:00.5+00'; $start");
$node->wait_for_catchup($standby);
$node->stop('immediate');
$standby->promote;
$start = "SET companion.clock = '2026-03-04 09:00:00.5+00'; $start";
is(query($start, $standby), '', 'where a standby takes over, none of what was taken there');
is(query($start =~ s/00[.]5/01/r, $standby), 't', 'and then the next');

done_testing();
