# A worker as an app would write it: claims, starts, sends and reports, and outlasts the server's
# restarts. With a seed, it kills itself when it comes to some point for the n-th time.
#
#     worker.pl NAME MESSENGER JOURNAL [SEED]
#
# The journal gets a line for each start_send that was refused or not answered, for each mark_sent
# that succeeded, and for the worker's death. It connects as libpq does, as the role worker.
use strict;
use warnings;

use DBI;
use HTTP::Tiny;
use Time::HiRes qw(sleep);

my ($name, $messenger, $journal_file, $seed) = @ARGV;
srand($seed // 0);
my @points = ('before claim_messages commits', 'after the claim', 'before start_send commits',
    'after start_send', 'after the send', 'before mark_sent commits', 'after mark_sent');
my $deadly_point = defined $seed ? $points[ rand @points ] : '';
my $times = 1 + int rand 40;

open my $journal, '>>', $journal_file or die "$journal_file: $!";
my $http = HTTP::Tiny->new(keep_alive => 0);
my $parent = getppid;
my $is_stopped = 0;
$SIG{TERM} = sub { $is_stopped = 1 };
my $server;

sub note_down
{
    my ($event, $message) = @_;
    my @values = ($event, map { $_ // '\N' } @$message{qw(message_id attempt)});
    syswrite $journal, join("\t", @values) . "\n";
}

sub pass
{
    my ($point) = @_;
    return unless $point eq $deadly_point && --$times == 0;
    note_down("died $point", {});
    kill 'KILL', $$;
}

sub connect_to_server
{
    return DBI->connect('dbi:Pg:user=worker', undef, undef,
        { RaiseError => 1, PrintError => 0, PrintWarn => 0 });
}

# Call one of the extension's functions in a transaction of its own, and return its rows; nothing
# when the server went away before it answered.
sub call
{
    my ($function, @arguments) = @_;
    my $rows = eval {
        $server //= connect_to_server();
        $server->begin_work;
        my $rows = $server->selectall_arrayref("SELECT * FROM companion.$function("
              . join(',', ('?') x @arguments) . ') AS result', { Slice => {} }, @arguments);
        pass("before $function commits");
        $server->commit;
        $rows;
    };
    return $rows if $rows;
    die "$name: $function: $@" if $server && $server->ping;
    eval { $server->disconnect };
    undef $server;
    sleep 0.1;
    return;
}

# Report, as often as it takes to get an answer.
sub report
{
    while (getppid == $parent)
    {
        my $rows = call(@_);
        return $rows->[0]{result} if $rows;
    }
}

sub deliver
{
    my ($message) = @_;
    my @key = @$message{qw(user_id message_id attempt)};
    my $answer = call('start_send', @key);
    if (!$answer || !$answer->[0]{result})
    {
        note_down($answer ? 'refused' : 'unanswered', $message);
        return;
    }
    pass('after start_send');
    my $response = $http->post("http://127.0.0.1:$messenger/$message->{message_id}");
    pass('after the send');
    if ($response->{status} == 503)
    {
        report('mark_failed', @key, $response->{content});
        return;
    }
    die "$name: $response->{content}" unless $response->{success};
    note_down('reported', $message)
      if report('mark_sent', @key, 'Good morning!', $response->{content});
    pass('after mark_sent');
}

until ($is_stopped || getppid != $parent)
{
    my $messages = call('claim_messages', $name, 5) // [];
    pass('after the claim') if @$messages;
    deliver($_) for @$messages;
    sleep 0.05 unless @$messages;
}
