# Takes every connection that the server gives to anybody, and keeps them for some seconds.
#
#     crowd.pl SECONDS
use strict;
use warnings;

use DBI;

my ($seconds) = @ARGV;
my @connections;
while (my $connection = DBI->connect('dbi:Pg:user=person', undef, undef, { PrintError => 0 }))
{
    push @connections, $connection;
}
sleep $seconds;
