# Somebody's report that never ends: reads the queue and the audit trail over and over on one snapshot,
# which keeps what is finished from being removed, for up to some seconds at a time.
#
#     reader.pl SECONDS
use strict;
use warnings;

use DBI;
use Time::HiRes qw(sleep time);

my ($seconds) = @ARGV;
my $parent = getppid;

sub read_for
{
    my ($end) = @_;
    my $connection = DBI->connect('dbi:Pg:user=worker', undef, undef,
        { RaiseError => 1, PrintError => 0, PrintWarn => 0 });
    $connection->begin_work;
    $connection->do('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    while (time < $end && getppid == $parent)
    {
        $connection->do('SELECT count(*) FROM companion.pending_messages');
        $connection->do('SELECT status, count(*) FROM companion.scheduled_messages GROUP BY 1');
        sleep 0.2;
    }
    $connection->commit;
    $connection->disconnect;
}

while (getppid == $parent)
{
    eval { read_for(time + rand $seconds) };
    sleep 0.1;
}
