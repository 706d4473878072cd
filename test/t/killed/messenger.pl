# The messenger, the world outside: it remembers what it was told to send, whatever dies.
#
#     messenger.pl LOG
#
# Prints its port. A POST to /<message id>/<address> becomes a line of the log, and the answer is the
# line's number; now and then it is refused instead: with 503, or with 403 where it has an address of
# digits, whose user has blocked the bot.
use strict;
use warnings;

use IO::Handle;
use IO::Socket::INET;

my ($log_file) = @ARGV;
open my $log, '>', $log_file or die "$log_file: $!";
$log->autoflush;
my $listener = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1', Timeout => 1)
  or die "listen: $@";
STDOUT->autoflush;
print $listener->sockport, "\n";

# The message that a request is about, and its address; nothing where its sender died before it ended
sub read_request
{
    my ($client) = @_;
    my @request = (<$client> // '') =~ m{^POST /([^/ ]+)/(\S+) };
    while (my $header = <$client>)
    {
        return @request if $header eq "\r\n";
    }
    return;
}

sub answer
{
    my ($client, $status, $text) = @_;
    print $client "HTTP/1.1 $status\r\nConnection: close\r\nContent-Length: ", length $text,
      "\r\n\r\n$text";
}

my ($requests, $sent) = (0, 0);
$SIG{PIPE} = 'IGNORE'; # who asked may be dead before the answer
my $parent = getppid;
while (getppid == $parent)
{
    my $client = $listener->accept or next;
    my ($message, $address) = read_request($client) or next;
    if (++$requests % 20 == 0)
    {
        answer($client, '503 Service Unavailable', 'later');
        next;
    }
    if ($requests % 50 == 7 && $address =~ /^\d+$/)
    {
        answer($client, '403 Forbidden', 'blocked');
        next;
    }
    $sent++;
    print $log "$sent\t$message\t$address\n";
    answer($client, '200 OK', $sent);
}
