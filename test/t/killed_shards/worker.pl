# A worker: it claims, starts, sends, which it notes, and reports until it is answered. By its name it does so singly
# or in bulk. What it was not answered about it does not send.
use strict;
use warnings;

use File::Basename qw(basename dirname);
my $is_bulk;
BEGIN { $is_bulk = basename($ARGV[3]) eq 'bulk' }
use lib dirname(__FILE__);
use Client;
use Time::HiRes 'sleep';

sub columns
{
    my (@messages) = @_;
    return map { my $column = $_; [ map { $_->[$column] } @messages ] } 0 .. 2;
}

# For each message whether it may be sent; NULL is not now
sub start_many
{
    my (@messages) = @_;
    my @rest = @messages;
    my @started;
    while (@rest)
    {
        my $rows = try('SELECT companion.start_send_many(?::uuid[], ?::uuid[], ?::integer[])', columns(@rest));
        if (!$rows) { note_down('unsure', $_->[1]) for @rest; last; }
        my @answers = @{ $rows->[0][0] };
        note_down('unsure', $rest[$_][1]) for grep { !defined $answers[$_] } 0 .. $#rest;
        push @started, map { $rest[$_] } grep { $answers[$_] } 0 .. $#rest;
        @rest = map { $rest[$_] } grep { !defined $answers[$_] } 0 .. $#rest;
        sleep 0.05 if @rest;
    }
    return @started;
}

sub start_singly
{
    my ($message) = @_;
    my $rows = try('SELECT companion.start_send(?, ?, ?)', @$message);
    note_down('unsure', $message->[1]) unless $rows;
    return $rows && $rows->[0][0];
}

sub send_out
{
    my ($message) = @_;
    note_down('sends', $message->[1], $message->[2]);
    return;
}

sub report_many
{
    my (@rest) = @_;
    while (@rest)
    {
        my ($row) = insist('SELECT companion.mark_sent_many(?::uuid[], ?::uuid[], ?::integer[], ?::text[])', columns(@rest), [ map { "text $_->[1]" } @rest ]);
        my @answers = @{ $row->[0] };
        note_down('sent', $rest[$_][1]) for grep { $answers[$_] } 0 .. $#rest;
        @rest = map { $rest[$_] } grep { !defined $answers[$_] } 0 .. $#rest;
        sleep 0.05 if @rest;
    }
    return;
}

sub report_singly
{
    my ($message) = @_;
    my ($row) = insist('SELECT companion.mark_sent(?, ?, ?, ?)', @$message, "text $message->[1]");
    note_down('sent', $message->[1]) if $row->[0];
    return;
}

until (is_stopped())
{
    my $claimed = try(q{SELECT user_id, message_id, attempt FROM companion.claim_messages(?, 10, '20 minutes')}, $is_bulk ? 'bulk' : 'single') // [];
    if ($is_bulk)
    {
        my @started = start_many(@$claimed);
        send_out($_) for @started;
        report_many(@started);
    }
    else
    {
        for my $message (grep { start_singly($_) } @$claimed)
        {
            send_out($message);
            report_singly($message);
        }
    }
    sleep 0.05 unless @$claimed;
}
