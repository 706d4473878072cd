# Workers whose backends are killed at random, and who die before or after they send: every
# message is sent once or is unknown, none is sent twice, none is lost.
use strict;
use warnings;

use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $workers = 4;
my $messages = 200;
my $kills = 6;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "restart_after_crash = on\ncompanion.max_attempts = 100");
$node->start;
$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION companion;
INSERT INTO companion.users (display_name) SELECT 'user ' || n FROM generate_series(1, 20) AS n;
SELECT FROM (SELECT companion.schedule_message(id, now(), NULL) FROM companion.users,
    generate_series(1, $messages / 20)) AS made;
SQL
my $sent_log = $node->basedir . '/sent';

# Run a statement; nothing when the server went away meanwhile. The statement is an argument, for
# a psql that cannot connect does not read its input.
sub try
{
    my ($statement) = @_;
    my ($output) = run_command([ 'psql', '-XAtq', '-d',
        $node->connstr('postgres') . ' application_name=worker', '-c', $statement ]);
    return $? == 0 ? $output : undef;
}

# Sending leaves one line for the message, whatever becomes of the report.
sub deliver
{
    my ($message) = @_;
    open my $log, '>>', $sent_log or die "$sent_log: $!";
    syswrite $log, "$message\n";
    close $log;
}

# Claim, start, send, report; now and then die in between, as a process does.
sub work
{
    my ($name) = @_;
    my $messages = try("SELECT user_id, message_id, attempt
        FROM companion.claim_messages('$name', 3, '3 seconds')");
    for my $claimed (split /\n/, $messages // '')
    {
        my ($user, $message, $attempt) = split /\|/, $claimed;
        my $key = "'$user', '$message', $attempt";
        return if rand() < 0.05;
        next unless (try("SELECT companion.start_send($key)") // '') eq 't';
        return if rand() < 0.05;
        deliver($message);
        return if rand() < 0.05;
        try("SELECT companion.mark_sent($key, 'hello')");
    }
}

sub start_worker
{
    my ($name) = @_;
    my $process = fork // die "fork: $!";
    return $process if $process;
    srand $$;
    while (1)
    {
        eval { work($name) }; # must not end in this file's own end, which stops the server
        sleep 0.05;
        POSIX::_exit(0) if -e "$sent_log.stop";
    }
}

my @processes = map { start_worker("worker $_") } 1 .. $workers;

# Kill a worker's backend in the middle of a statement, if there is one; the server starts anew.
sub kill_backend
{
    my $backend = try("SELECT pid FROM pg_stat_activity
        WHERE application_name = 'worker' AND pid <> pg_backend_pid() LIMIT 1");
    return 0 unless $backend;
    return kill 'KILL', $backend;
}

my $killed = 0;
my $deadline = time + 180;
while (time < $deadline)
{
    sleep 0.5;
    $killed += kill_backend() if $killed < $kills;
    try('SELECT companion.finish_abandoned()');
    my $is_done = try("SELECT NOT EXISTS
        (SELECT FROM companion.scheduled_messages WHERE status = 'pending')");
    last if $killed >= $kills && ($is_done // '') eq 't';
}
open my $stop, '>', "$sent_log.stop" or die $!;
close $stop;
waitpid $_, 0 for @processes;

is($killed, $kills, "$kills backends were killed");
$node->poll_query_until('postgres', 'SELECT true');
open my $log, '<', $sent_log or die "$sent_log: $!";
chomp(my @sent = <$log>);
my %times;
$times{$_}++ for @sent;
my %status = map { split /\|/ } split /\n/,
    $node->safe_psql('postgres', 'SELECT id, status FROM companion.scheduled_messages');

is(scalar(keys %status), $messages, 'every message is there');
is_deeply([ grep { $times{$_} > 1 } keys %times ], [], 'none was sent twice');
is_deeply([ grep { !/^(sent|unknown)$/ } values %status ], [], 'each is sent or unknown');
is_deeply([ grep { $status{$_} eq 'sent' && !$times{$_} } keys %status ],
    [], 'what counts as sent was sent');
cmp_ok(scalar(@sent), '>', $messages / 2, 'most were sent');
is($node->safe_psql('postgres', 'SELECT count(*) FROM companion.dispatch_queue'),
    '0', 'the queue is empty');
is($node->safe_psql('postgres', <<'SQL'), '0', 'each sent message is filed once');
SELECT count(*) FROM companion.scheduled_messages AS m
WHERE (m.status = 'sent') <> EXISTS (SELECT FROM companion.messages AS f WHERE f.user_id = m.user_id
    AND f.id = m.message_id)
   OR (SELECT count(*) FROM companion.messages) <> (SELECT count(*)
       FROM companion.scheduled_messages WHERE status = 'sent')
SQL
note scalar(grep { $_ eq 'unknown' } values %status) . " of $messages are unknown";

done_testing();
