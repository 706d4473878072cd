# A worker as an app would write it: claims, starts, sends and reports, and outlasts the server's
# restarts. With a seed, it kills itself when it comes to some point for the n-th time.
#
#     worker.pl NAME MESSENGER FOLDER [SEED]
#
# By its seed it reports one message after the other, or many at once. What another transaction
# holds, by an error 55P03 of a single form or by NULL from a bulk one, it asks for again later; and so
# where it is the victim of a deadlock with a longer transaction, 40P01.
#
# The folder's journal gets a line for each start_send that was refused or not answered, for each
# report that found its message held, for each mark_sent that succeeded, and for the worker's death;
# its starts one for each start_send that was true: of which message, on which channel, when it was asked
# and answered by the world's clock, and when it was by the server's; its latencies one for each message
# that was sent while the server answered: who, by whom, and when it was claimed and its mark_sent
# answered. It connects as libpq does, as the role worker.
use strict;
use warnings;

use DBI;
use HTTP::Tiny;
use Time::HiRes qw(sleep time);

my ($name, $messenger, $folder, $seed) = @ARGV;
srand($seed // $$);
my $is_bulk = rand > 0.5;
my @points = ('before claim_messages commits', 'after the claim',
    $is_bulk ? 'before start_send_many commits' : 'before start_send commits',
    'after start_send', 'after the send',
    $is_bulk ? 'before mark_sent_many commits' : 'before mark_sent commits', 'after mark_sent');
my $deadly_point = defined $seed ? $points[ rand @points ] : '';
my $times = 1 + int rand 40;

open my $journal, '>>', "$folder/journal" or die "journal: $!";
open my $starts, '>>', "$folder/starts" or die "starts: $!";
open my $latencies, '>>', "$folder/latencies" or die "latencies: $!";
my $http = HTTP::Tiny->new(keep_alive => 0);
my $parent = getppid;
my $is_stopped = 0;
$SIG{TERM} = sub { $is_stopped = 1 };
my $server;
my $times_unanswered = 0;

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
    my $connection = DBI->connect('dbi:Pg:user=worker', undef, undef,
        { RaiseError => 1, PrintError => 0, PrintWarn => 0 });
    $connection->do(q{SET lock_timeout = '500ms'});
    return $connection;
}

my ($asked, $answered); # the last call

# Call one of the extension's functions in a transaction of its own, and return its rows; 'held'
# when another transaction holds what it needs, and nothing has happened; nothing when the server
# went away before it answered.
sub call
{
    my ($function, @arguments) = @_;
    my $rows = eval {
        $server //= connect_to_server();
        $asked = time;
        $server->begin_work;
        my $rows = $server->selectall_arrayref("SELECT *, companion.now() AS clock FROM companion.$function("
              . join(',', ('?') x @arguments) . ') AS result', { Slice => {} }, @arguments);
        pass("before $function commits");
        $server->commit;
        $answered = time;
        $rows;
    };
    return $rows if $rows;
    my ($error, $sqlstate) = ($@, $server ? $server->state : '');
    if ($server && $server->ping)
    {
        die "$name: $function: $error" if $sqlstate !~ /^(55P03|40P01)$/;
        eval { $server->rollback; 1 } or undef $server; # a server that has gone has rolled it back
        return 'held';
    }
    eval { $server->disconnect };
    undef $server;
    $times_unanswered++;
    sleep 0.1;
    return;
}

# What a function's result, true, false or NULL, says about a message
sub answer
{
    my ($result) = @_;
    return defined $result ? $result eq 't' || $result eq '1' : 'held';
}

sub arguments
{
    my ($message, @values) = @_;
    return (@$message{qw(user_id message_id attempt)}, @values);
}

sub ask_one_by_one
{
    my ($function, @reports) = @_;
    return map {
        my $rows = call($function, arguments(@$_));
        note_call($function, $rows, [ $_->[0] ]);
        ref $rows ? answer($rows->[0]{result}) : $rows;
    } @reports;
}

sub ask_at_once
{
    my ($function, @reports) = @_;
    my @rows = map { [ arguments(@$_) ] } @reports;
    my @columns = map { my $column = $_; [ map { $_->[$column] } @rows ] } 0 .. $#{ $rows[0] };
    my $rows = call("${function}_many", @columns);
    note_call($function, $rows, [ map { $_->[0] } @reports ]);
    return map { answer($_) } @{ $rows->[0]{result} } if ref $rows;
    return ($rows) x @reports;
}

# When a call was, as its rows say
sub note_call
{
    my ($function, $rows, $messages) = @_;
    return unless ref $rows && $function eq 'start_send';
    @$_{qw(asked answered clock)} = ($asked, $answered, $rows->[0]{clock}) for @$messages;
}

# Report on messages, each in an array with what the function takes beside it; returns for each
# whether it is accepted, or 'held', or nothing where the server went away.
sub ask
{
    my ($function, @reports) = @_;
    return unless @reports;
    my @answers =
        $function eq 'mark_gone'
      ? ask_one_by_one('mark_failed', map { [ @$_, undef, 'false', 'true' ] } @reports)
      : $is_bulk ? ask_at_once($function, @reports) : ask_one_by_one($function, @reports);
    for my $place (0 .. $#reports)
    {
        note_down('held', $reports[$place][0]) if ($answers[$place] // '') eq 'held';
    }
    return @answers;
}

sub note_start
{
    my ($message) = @_;
    syswrite $starts, join("\t", @$message{qw(message_id channel asked answered clock)}) . "\n";
}

# The messages that may be sent now. What is held is dropped: its lease ends, and it is claimed
# again.
sub start
{
    my (@messages) = @_;
    my @answers = ask('start_send', map { [$_] } @messages);
    my @started;
    for my $message (@messages)
    {
        my $answer = shift @answers;
        if ($answer && $answer ne 'held')
        {
            push @started, $message;
            note_start($message);
            pass('after start_send');
        }
        else
        {
            note_down(defined $answer ? 'refused' : 'unanswered', $message);
        }
    }
    return @started;
}

my %open = (mark_sent => [], mark_failed => [], mark_gone => []); # reports without an answer, the newest first

sub send_out
{
    my ($message) = @_;
    my $response = $http->post("http://127.0.0.1:$messenger/$message->{message_id}/$message->{address}");
    pass('after the send');
    my %refusals = (503 => 'mark_failed', 403 => 'mark_gone');
    if (my $refusal = $refusals{ $response->{status} })
    {
        unshift @{ $open{$refusal} }, [ $message, $response->{content} ];
        return;
    }
    die "$name: $response->{content}" unless $response->{success};
    unshift @{ $open{mark_sent} }, [ $message, 'Good morning!', $response->{content} ];
}

sub note_sent
{
    my ($message) = @_;
    note_down('reported', $message);
    my @values = (@$message{qw(user_id message_id)}, $name, $message->{claimed_at}, time);
    syswrite $latencies, join("\t", @values) . "\n"
      if $message->{times_unanswered} == $times_unanswered;
    pass('after mark_sent');
}

# Ask once about each report that is open
sub report
{
    for my $function (sort keys %open)
    {
        my @reports = @{ $open{$function} };
        my @answers = ask($function, @reports);
        my @rest;
        for my $report (@reports)
        {
            my $answer = shift @answers;
            if (!defined $answer || $answer eq 'held')
            {
                push @rest, $report;
            }
            elsif ($answer && $function eq 'mark_sent')
            {
                note_sent($report->[0]);
            }
        }
        $open{$function} = \@rest;
    }
}

sub claim
{
    my $claimed_at = time;
    my $rows = call('claim_messages', $name, 5);
    my @messages = ref $rows ? @$rows : ();
    pass('after the claim') if @messages;
    @$_{qw(claimed_at times_unanswered)} = ($claimed_at, $times_unanswered) for @messages;
    return @messages;
}

until (getppid != $parent || $is_stopped && !map { @$_ } values %open)
{
    my @messages = $is_stopped ? () : claim();
    send_out($_) for start(@messages);
    report();
    sleep 0.05 unless @messages;
}
