# A shard is moved to another server and back, through script/move_shard, while a scheduler, workers and
# webhooks go on through the router: nothing is lost, nothing is done twice, and what is refused meanwhile is
# refused to be called again. MOVES=10 for the percentiles of the pause. Where OLD_BINDIR names an older PostgreSQL,
# which has the extension, too, the shard is there at first, and is moved to the newer one.
use strict;
use warnings;

use DBI;
use File::Basename 'dirname';
use lib dirname(__FILE__);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Routed;
use Test::More;

sub start_older
{
    if (!$ENV{OLD_BINDIR})
    {
        diag 'NOT TESTED: a move to a newer PostgreSQL, since OLD_BINDIR names no older one';
        return;
    }
    my $server = PostgreSQL::Test::Cluster->new('older', install_path => dirname($ENV{OLD_BINDIR}));
    $server->init(allows_streaming => 'logical');
    $server->append_conf('postgresql.conf', "fsync = off\nmax_connections = 100\n");
    $server->start;
    return $server;
}

skip_without_plproxy();
my $script = "$ENV{TESTDIR}/script/move_shard";
my $older = start_older();
my $moves = $ENV{MOVES} // ($older ? 3 : 2);
my $node = start_shards(3, $older ? (1 => $older) : ());
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init(allows_streaming => 'logical');
$other->append_conf("postgresql.conf", "fsync = off\nmax_connections = 100\n");
$other->start;
my $roles = $node->basedir . '/roles.sql';
my @places = ($older // $node, map { $_ % 2 ? $other : $node } 1 .. $moves);
$places[0]->command_ok([ 'pg_dumpall', '--roles-only', "--file=$roles" ], 'the roles are dumped');
$other->psql('postgres', slurp_file($roles), on_error_stop => 0); # of which postgres is there

my $users = $ENV{USERS} // 300;
$node->safe_psql('router', <<"SQL");
CREATE TABLE public.people AS SELECT i, companion.new_user_id() AS id FROM generate_series(1, $users) AS i;
SELECT count(companion.put_user(id, '{"onboarding_completed_at": "2025-01-01T00:00:00Z"}')) FROM people;
SQL
my @people = split /\n/, $node->safe_psql('router', 'SELECT id FROM people');

# A client of the router, in a process of its own: one call after the other until it is told to end, each
# again for as long as it is refused; and what it has done is in a file
my $ended = $node->basedir . '/ended';
sub client
{
    my ($name, $work) = @_;
    my $pid = fork // die;
    return $pid if $pid;
    my $dsn = 'dbi:Pg:' . $node->connstr('router') =~ s/'//gr =~ s/ /;/gr;
    my ($connection, $refused) = (undef, 0);
    $SIG{__WARN__} = sub { };
    my $call = sub {
        my ($sql, @arguments) = @_;
        while (1)
        {
            $connection = DBI->connect($dsn, undef, undef, { PrintError => 0, PrintWarn => 0, pg_server_prepare => 0 }) unless $connection && $connection->ping;
            my $rows = $connection->selectall_arrayref($sql, undef, @arguments);
            return $rows if $rows;
            my $state = $connection->state;
            # Not done: to be called again; a connection that was lost: whether it was is for the caller to know
            return $state if $state =~ /^(08006|57P01)$/;
            exit_client("$state " . $connection->errstr) unless $state =~ /^(57P03|08001)$/;
            $refused++;
        }
    };
    open my $done, '>', $node->basedir . "/$name" or die;
    $done->autoflush;
    $work->($call, sub { print $done "@_\n" }) until -e $ended;
    print $done "refused $refused\n";
    require POSIX;
    POSIX::_exit(0);
}

sub exit_client
{
    print STDERR "client: @_\n";
    require POSIX;
    POSIX::_exit(1);
}

my $turn = 0;
my @clients = (
    client('scheduler', sub { my ($call) = @_; $call->('SELECT companion.dispatch()'); }),
    # A message for each, under a key: called again, it is the same
    client('app', sub {
        my ($call, $done) = @_;
        my $user = $people[ $turn % @people ];
        my $key = 'k' . $turn++;
        my $rows;
        do { $rows = $call->("SELECT message_id FROM companion.schedule_message(?, now(), 'hello', idempotency_key => ?)", $user, $key) } until ref $rows;
        $done->($user, $rows->[0][0]);
    }),
    # A webhook, delivered again while it has no answer
    client('webhook', sub {
        my ($call, $done) = @_;
        my $user = $people[ int rand @people ];
        my $external = 'in' . $turn++;
        my $rows;
        do { $rows = $call->("SELECT user_id, message_id FROM companion.record_incoming('web', ?, ?, external_id => ?)", $user, "text $external", $external) } until ref $rows;
        $done->($user, $external, $rows->[0][1]);
    }),
    # Workers: what start_send says true of is sent
    map { my $worker = "worker_$_"; client($worker, sub {
        my ($call, $done) = @_;
        my $claimed = $call->('SELECT user_id, message_id, attempt FROM companion.claim_messages(?, 10)', $worker);
        return unless ref $claimed;
        for my $message (@$claimed)
        {
            my $started = $call->('SELECT companion.start_send(?, ?, ?)', @$message);
            $done->('unsure', @$message) unless ref $started;
            next unless ref $started && $started->[0][0];
            $done->('sends', @$message);
            my $sent;
            do { $sent = $call->('SELECT companion.mark_sent(?, ?, ?, ?)', @$message, 'hello') } until ref $sent;
            $done->('sent', @$message, $sent->[0][0]);
        }
    }) } 1 .. 2);

# One that fails at the switch
{
    local $ENV{NEW_FOR_ROUTER} = 'host=/nowhere dbname=shard_1';
    my ($output, $error);
    ok(!IPC::Run::run([ 'bash', $script, 1, $places[0]->connstr . ' dbname=shard_1', $other->connstr . ' dbname=failed', $node->connstr('router') ],
        '>', \$output, '2>', \$error), 'a move that fails');
    like($error, qr/shard 1 is where it was/, 'says so');
    is($node->safe_psql('router', 'SELECT state FROM companion_router.shards WHERE number = 1'), 'on', 'and the shard goes on');
    is($places[0]->safe_psql('shard_1', 'SELECT (SELECT count(*) FROM pg_publication), (SELECT count(*) FROM pg_replication_slots)'), '0|0',
        'with nothing left of it');
}

# Back and forth
my @pauses;
for my $move (1 .. $moves)
{
    my ($from, $to) = @places[ $move - 1, $move ];
    my ($old, $new) = map { "$_->[0] dbname=shard_1" . ($_->[1] ? "_$_->[1]" : '') } [ $from->connstr, $move == 1 ? 0 : $move - 1 ], [ $to->connstr, $move ];
    my ($output, $error);
    my $is_moved = IPC::Run::run([ 'bash', $script, 1, $old, $new, $node->connstr('router') ], '>', \$output, '2>', \$error);
    ok($is_moved, "move $move") or diag $error;
    push @pauses, $output =~ /paused for (\d+) ms/;
    $from->safe_psql('postgres', 'DROP DATABASE shard_1' . ($move == 1 ? '' : '_' . ($move - 1)));
}
open my $end, '>', $ended or die;
is((waitpid($_, 0))[0] && $?, 0, 'a client has met nothing but refusals to call again') for @clients;

my $last = "shard_1_$moves";
my %lines = map { $_ => [ map { [ split / / ] } split /\n/, slurp_file($node->basedir . "/$_") ] } qw(app webhook worker_1 worker_2);
my $refused = 0;
for my $lines (values %lines)
{
    $refused += pop(@$lines)->[1];
}

# What the shards hold, of a query
sub everywhere
{
    my ($sql) = @_;
    return map { split /\n/ } $node->safe_psql('shard_0', $sql), $node->safe_psql('shard_2', $sql), $places[$moves]->safe_psql($last, $sql);
}

my %scheduled = map { $_->[1] => 1 } @{ $lines{app} };
my %stored = map { $_ => 1 } everywhere(q{SELECT id FROM companion.scheduled_messages WHERE kind = 'custom'});
is(scalar(grep { !$stored{$_} } keys %scheduled), 0, 'no scheduled message is lost');
is(scalar(keys %stored), scalar(keys %scheduled), 'none was made twice');

my %incoming = map { $_->[1] => $_->[2] } @{ $lines{webhook} };
my @messages = map { [ split /\|/ ] } everywhere(q{SELECT external_id, id FROM companion.messages WHERE role = 'user'});
is(scalar @messages, scalar keys %incoming, 'no incoming message is lost or stored twice');
is(scalar(grep { ($incoming{ $_->[0] } // '') ne $_->[1] } @messages), 0, 'each under the id that was answered');

my (%sends, %marked);
for my $line (@{ $lines{worker_1} }, @{ $lines{worker_2} })
{
    my ($what, $user, $message, $attempt, $sent) = @$line;
    $sends{$message}++ if $what eq 'sends';
    $marked{$message}++ if $what eq 'sent' && $sent;
}
is(scalar(grep { $_ > 1 } values %sends), 0, 'none is sent twice');
my %sent = map { $_ => 1 } everywhere(q{SELECT id FROM companion.scheduled_messages WHERE status = 'sent'});
is(scalar(grep { !$sent{$_} } keys %marked), 0, 'what was reported sent is sent');
is(scalar(grep { !$sends{$_} } keys %sent), 0, 'what is sent was sent');

@pauses = sort { $a <=> $b } @pauses;
is(scalar @pauses, $moves, 'each move has measured its pause');
cmp_ok($places[0]->pg_version, '<', $places[$moves]->pg_version, 'from ' . $places[0]->pg_version . ' to ' . $places[$moves]->pg_version) if $older;
diag sprintf 'pauses of %s ms; %d calls refused, %d messages scheduled, %d came in, %d sent', join(' ', @pauses), $refused,
    scalar keys %scheduled, scalar @messages, scalar keys %sent;

done_testing();
