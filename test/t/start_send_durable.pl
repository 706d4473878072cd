# start_send is on disk before it answers, even where synchronous_commit is off: else a crash could
# forget it, and another worker would send again.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# Nothing else writes the log of what was committed
$node->append_conf('postgresql.conf', "synchronous_commit = off\nwal_writer_delay = 10s");
$node->start;

# What a query returns
sub query
{
    my ($sql) = @_;
    return $node->safe_psql('postgres', $sql);
}

query(<<'SQL');
CREATE EXTENSION companion;
INSERT INTO companion.users (display_name) VALUES ('Ada');
SELECT FROM companion.users AS u, companion.schedule_message(u.id, now(), 'hello');
CREATE TABLE claimed AS SELECT * FROM companion.claim_messages('worker');
CHECKPOINT;
SQL
is(query('SELECT companion.start_send(user_id, message_id, attempt) FROM claimed'),
    't', 'start_send succeeds');
$node->stop('immediate');
$node->start;
is(query('SELECT state FROM companion.pending_messages'),
    'sending', 'and a crash does not forget it');

done_testing();
