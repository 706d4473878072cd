# The Bot API server of ../bot_api, as a process that answers questions.
package BotApi;

use strict;
use warnings;

use IPC::Open2;
use JSON::PP;

sub token { return '12345:the-secret-of-the-bot'; }

sub start
{
    my ($class, $program) = @_;
    my $pid = open2(my $output, my $input, 'python3', $program, '--token', token());
    $input->autoflush;
    chomp(my $url = <$output>);
    return bless { pid => $pid, output => $output, input => $input, url => $url }, $class;
}

sub url { return $_[0]{url}; }

# One of the commands of its README
sub ask
{
    my ($self, $command, %arguments) = @_;
    print { $self->{input} } JSON::PP->new->ascii->encode({ do => $command, %arguments }), "\n";
    my $answer = readline($self->{output}) // die "the Bot API server has ended";
    return decode_json($answer);
}

sub stop
{
    my ($self) = @_;
    close $self->{input};
    waitpid $self->{pid}, 0;
    return;
}

1;
