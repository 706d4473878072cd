# A client of a router that is killed now and then, and what is behind it: it calls again what is refused to be
# called again, and knows of what was lost on the way that nobody knows.
package Client;

use strict;
use warnings;

use DBI;
use Exporter 'import';
use Time::HiRes 'sleep';

our @EXPORT = qw(try insist note_down is_stopped one_of);

my ($host, $port, $role, $file, $seed);
my ($connection, $is_stopped, $parent) = (undef, 0, getppid);
$SIG{TERM} = sub { $is_stopped = 1 };

open my $notes, '>>', ($file = $ARGV[3]) or die "$ARGV[3]: $!";
($host, $port, $role, $file, $seed) = splice @ARGV, 0, 5;
srand $seed;

# It has gone on for as long as it was not told to stop, and its parent is there
sub is_stopped { return $is_stopped || getppid != $parent; }

sub note_down { syswrite $notes, join("\t", map { $_ // '' } @_) . "\n"; return; }

sub one_of { return $_[ rand @_ ]; }

sub connected
{
    return $connection //= DBI->connect("dbi:Pg:dbname=router;host=$host;port=$port", $role, '',
        { RaiseError => 1, PrintError => 0, PrintWarn => 0, pg_server_prepare => 0 });
}

# The rows of a call; nothing where it is not known whether it was done. What was not done is called again.
sub try
{
    my ($sql, @values) = @_;
    while (1)
    {
        exit 1 if getppid != $parent;
        my $is_sent = 0;
        my $rows = eval {
            my $server = connected();
            $is_sent = 1;
            $server->selectall_arrayref($sql, undef, @values);
        };
        return $rows if $rows;
        my ($error, $state) = ($@, $connection ? $connection->state : '');
        if ($connection && $connection->ping)
        {
            note_down('lost', $sql) if $state eq '08006';
            return if $state eq '08006';
            die "$sql (@values): $state $error" if $state !~ /^(08001|57P03)$/;
            note_down('refused', $state);
        }
        else
        {
            # The router has gone, with what it was asked or before
            undef $connection;
            note_down('lost', $sql) if $is_sent;
            return if $is_sent;
        }
        sleep 0.05;
    }
}

# The first row, however often it takes, and whether it took more than once
sub insist
{
    my ($sql, @values) = @_;
    my $rows;
    my $again = -1;
    until ($rows) { $rows = try($sql, @values); $again++; }
    return ($rows->[0] // [], $again);
}

1;
