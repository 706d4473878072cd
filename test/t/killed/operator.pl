# An operator who pauses and resumes sending, all of it or of a kind, and slows channels down.
#
#     operator.pl FOLDER LONGEST SEED
#
# LONGEST is how long a pause lasts at most, in seconds. The folder's file stops gets a line for each
# pause or throttle that was answered: of which kind and channel, empty for all; when it was answered and
# when its end was asked for, by the world's clock; and until when it is by the server's. It connects as
# the role operator.
use strict;
use warnings;

use DBI;
use Time::HiRes qw(sleep time);

my ($folder, $longest, $seed) = @ARGV;
srand $seed;
open my $stops, '>>', "$folder/stops" or die "stops: $!";
my $parent = getppid;
my $is_stopped = 0;
$SIG{TERM} = sub { $is_stopped = 1 };
my $server;

# Nothing where it cannot be known whether it was done
sub ask
{
    my ($sql, @values) = @_;
    my ($value) = eval {
        $server //= DBI->connect('dbi:Pg:user=operator', undef, undef,
            { RaiseError => 1, PrintError => 0, PrintWarn => 0 });
        $server->selectrow_array($sql, undef, @values);
    };
    return $value unless $@;
    my ($error, $sqlstate) = ($@, $server ? $server->state : '');
    die $error if $server && $server->ping && $sqlstate !~ /^(55P03|40P01)$/;
    eval { $server->disconnect };
    undef $server;
    return;
}

# Until it is known to be done
sub insist
{
    my (@question) = @_;
    until (defined ask(@question) || getppid != $parent) { sleep 0.1; }
}

sub pause
{
    my $kind = (undef, 'checkin', 'reminder')[ rand 3 ];
    my $is_paused = ask('SELECT companion.pause_sending(kind => ?)', $kind);
    my $from = time;
    sleep rand $longest;
    my $until = time;
    insist('SELECT companion.resume_sending(kind => ?)', $kind);
    syswrite $stops, join("\t", $kind // '', '', $from, $until, 'infinity') . "\n" if $is_paused;
}

sub throttle
{
    my $until = ask(q{SELECT companion.throttle_channel('telegram', random() * interval '5 minutes')}) // return;
    syswrite $stops, join("\t", '', 'telegram', time, 'infinity', $until) . "\n";
}

until ($is_stopped || getppid != $parent)
{
    rand > 0.3 ? pause() : throttle();
    sleep rand 2 * $longest;
}
