# Three shards, their directory and a router, each a server of its own, are killed at random for some time, singly
# and together, while workers send, an app's users come, link, unlink, write and leave, and check-ins fall due, all
# through the router. In the end everything is counted: no user, message or address is lost, nothing was sent twice,
# no address is two users', the directory says what the shards say, and nothing is left reserved.
#
# KILLED_SECONDS sets for how long, KILLED_SEED repeats the choices (not the machine's timing).
use strict;
use warnings;

use File::Basename 'dirname';
use lib dirname(__FILE__);
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Routed;
use Test::More;
use Time::HiRes qw(sleep time);

eval { require DBD::Pg } or plan skip_all => 'DBD::Pg is not installed';
skip_without_plproxy();

my $seconds = $ENV{KILLED_SECONDS} // 25;
my $seed = $ENV{KILLED_SEED} // time ^ $$;
my $context = "KILLED_SECONDS=$seconds KILLED_SEED=$seed";
note $context;
srand $seed;

my $users = 50000;
my $begin = 1772323200; # 2026-03-01, in UTC

# All of them go by one clock, in a file.
my $clock = PostgreSQL::Test::Utils::tempdir() . '/clock.conf';

sub set_clock
{
    my ($seconds) = @_;
    open my $file, '>', "$clock.new" or die "$clock: $!";
    print $file "companion.clock = '" . POSIX::strftime('%Y-%m-%d %H:%M:%S+00', gmtime $begin + $seconds) . "'\n";
    close $file;
    rename "$clock.new", $clock or die "$clock: $!";
    return;
}

sub start_server
{
    my ($name) = @_;
    my $node = PostgreSQL::Test::Cluster->new($name);
    $node->init;
    $node->append_conf('postgresql.conf', <<"CONF");
max_connections = 60
companion.max_claims = 1000
companion.send_timeout = 1s
companion.min_gap = 0
include '$clock'
CONF
    $node->start;
    return $node;
}

set_clock(0);
my $router = start_server('router');
make_router($router);
$router->safe_psql('router', 'CREATE ROLE worker LOGIN IN ROLE companion_worker; CREATE ROLE app LOGIN IN ROLE companion_worker, companion_admin; CREATE ROLE admin LOGIN IN ROLE companion_admin');
my @shards = map { start_server("shard_$_") } 0 .. 2;
my $occasions = slurp_file(dirname(__FILE__) . '/occasions.sql');
for my $number (0 .. 2)
{
    make_shard($shards[$number], $number, 3);
    add_shard($router, $number, $shards[$number]);
    # Of so many users a shard has its own
    $shards[$number]->safe_psql("shard_$number", <<"SQL");
UPDATE companion.kinds SET send_within = '7 days';
SELECT companion.rewind_dispatch(to_timestamp($begin));
INSERT INTO companion.users (id, timezone, checkin_time, onboarding_completed_at)
SELECT m.id, ('{UTC,Europe/Berlin,America/New_York,Asia/Kathmandu,Pacific/Apia}'::text[])[1 + n % 5],
    time '00:00' + n * interval '1 day' / $users, '2026-01-01'
FROM generate_series(1, $users) AS n CROSS JOIN LATERAL (SELECT md5(n::text)::uuid AS id) AS m
WHERE companion.shard_of(m.id, 3) = $number;
CREATE TABLE people AS SELECT id FROM companion.users;
$occasions
SQL
}
my $directory = start_server('directory');
make_directory($directory, $router, 3);

# A query on a shard, or on each
sub on_shard
{
    my ($number, $sql) = @_;
    return map { [ split /\|/, $_, -1 ] } split /\n/, $shards[$number]->safe_psql("shard_$number", $sql);
}

sub everywhere
{
    my ($sql) = @_;
    return map { on_shard($_, $sql) } 0 .. 2;
}

# The clients, each a program that connects to the router, with a file of what it was answered
my $folder = PostgreSQL::Test::Utils::tempdir();
my $programs = dirname(__FILE__) . '/killed_shards';
my %running; # by name, its process

sub start_client
{
    my ($name, $program, $role, @more) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid)
    {
        open STDERR, '>', "$folder/$name.errors";
        open STDOUT, '>&', \*STDERR;
        exec $^X, "$programs/$program.pl", $router->host, $router->port, $role, "$folder/$name", $seed + keys %running, @more;
        die;
    }
    $running{$name} = $pid;
    return;
}

END
{
    local $?;
    kill 'KILL', values %running;
}

# Told to stop, a client finishes what it has begun; what it was answered
sub finish
{
    my ($name) = @_;
    kill 'TERM', $running{$name};
    waitpid $running{$name}, 0;
    delete $running{$name};
    is($?, 0, "$name has met nothing but what is to be called again ($context)") or diag slurp_file("$folder/$name.errors");
    return map { [ split /\t/ ] } split /\n/, slurp_file("$folder/$name");
}

my @servers = (@shards, $directory, $router);
my %killed; # how often, by name and signal

sub is_down { return !defined $_[0]{_pid}; }

# At once and by nobody's leave: what a backend does is cut off, or, where the postmaster alone is gone, runs on
sub kill_server
{
    my ($node, $signal) = @_;
    $killed{ $node->name . ", by $signal" }++;
    my $postmaster = $node->{_pid};
    kill $signal, $postmaster or die "$signal: $!";
    $node->{_pid} = undef;
    return $postmaster;
}

sub keep_on
{
    my ($is_done) = @_;
    my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;
    until ($is_done->())
    {
        die 'timed out' if time > $deadline;
        sleep 0.02;
    }
    return;
}

# The backends of a postmaster that was killed may be there still
sub start_again
{
    my ($node) = @_;
    keep_on(sub { $node->start(fail_ok => 1) });
    return;
}

my $passed = 0; # seconds

sub tick
{
    set_clock($passed += $_[0]);
    kill 'HUP', map { $_->{_pid} } grep { !is_down($_) } @servers;
    return;
}

sub live
{
    my ($longest) = @_;
    my $until = time + rand $longest;
    while (time < $until)
    {
        tick(20);
        sleep 0.1;
    }
    return;
}

sub some_of
{
    my (@them) = @_;
    my $chance = rand;
    return $them[ rand @them ] if $chance < 0.55;
    return @them if $chance > 0.9;
    return grep { rand() < 0.5 } @them;
}

start_client($_, 'worker', 'worker') for 'single', 'bulk';
start_client("app $_", 'app', 'app', $_) for 1 .. 3;
start_client('scheduler', 'scheduler', 'admin');
my $end = time + $seconds;
while (time < $end)
{
    live(1.2);
    my @postmasters = map { kill_server($_, rand() < 0.5 ? 'QUIT' : 'KILL') } some_of(@servers);
    live(0.6);
    keep_on(sub { !kill 0, @postmasters });
    start_again($_) for grep { is_down($_) } @servers;
}
note "$context, killed: " . join ', ', map { "$_: $killed{$_}" } sort keys %killed;

# In peace: what falls due until now is all; leases and reservations run out.
my %answers = map { $_ => [ finish($_) ] } 'scheduler', map { "app $_" } 1 .. 3;
my $until = $shards[0]->safe_psql('shard_0', 'SELECT companion.now()');
sub as_admin
{
    my ($sql) = @_;
    return $router->safe_psql('router', "SET ROLE companion_admin;\n$sql");
}
as_admin("CALL companion.run_dispatch('$until', 100)");
keep_on(sub {
    tick(30 * 60);
    as_admin('SELECT * FROM companion.run_maintenance()');
    return !grep { $_->[0] } everywhere('SELECT count(*) FROM companion.dispatch_queue');
});
$answers{$_} = [ finish($_) ] for 'single', 'bulk';
for (1 .. 2)
{
    as_admin('SELECT * FROM companion.run_maintenance()');
    tick(5 * 60);
}
as_admin('SELECT * FROM companion.run_maintenance()');

# What the clients were answered, of a kind
sub answered
{
    my ($what, @names) = @_;
    @names = sort keys %answers unless @names;
    return map { my ($kind, @values) = @$_; $kind eq $what ? [@values] : () } map { @{ $answers{$_} } } @names;
}

sub is_none
{
    my ($what, @found) = @_;
    is(join("\n", map { ref $_ ? "@$_" : $_ } @found[ 0 .. ($#found < 9 ? $#found : 9) ]), '', "no $what ($context)");
    return;
}

is_none('answer that was not as expected', answered('wrong'));

# Check-ins and what was scheduled
my @stored = everywhere('SELECT id, status, worker FROM companion.scheduled_messages');
my %status = map { $_->[0] => $_->[1] } @stored;
is_none('occasion without its one check-in', everywhere(<<"SQL"));
WITH o AS (SELECT o.user_id, o.local_date FROM occasions(to_timestamp($begin), '$until') AS o JOIN people AS p ON p.id = o.user_id),
m AS (SELECT user_id, local_date FROM companion.scheduled_messages WHERE kind = 'checkin')
(TABLE o EXCEPT ALL TABLE m) UNION ALL (TABLE m EXCEPT ALL TABLE o)
SQL
my %erased = map { $_->[0] => 1 } answered('erased');
my @scheduled = grep { !$erased{ $_->[0] } } answered('scheduled');
is_none('scheduled message that is lost', grep { !$status{ $_->[1] } } @scheduled);
is(scalar(map { @$_ } everywhere(q{SELECT id FROM companion.scheduled_messages WHERE kind = 'custom'})), scalar @scheduled,
    "nor one made twice ($context)");

# Sending, by the workers' own notes
my (%sends, %reported, %unsure);
$sends{ $_->[0] }++ for answered('sends');
$reported{ $_->[0] } = 1 for answered('sent');
$unsure{ $_->[0] } = 1 for answered('unsure');
is_none('message that was sent twice', grep { $sends{$_} > 1 } keys %sends);
is_none('message that is neither sent nor unknown', grep { $_->[1] !~ /^(sent|unknown)$/ } @stored);
is_none('unknown message whose start was answered', grep { $_->[1] eq 'unknown' && !$unsure{ $_->[0] } } @stored);
is_none('sent message that nobody sent', grep { $_->[1] eq 'sent' && !$sends{ $_->[0] } } @stored);
is_none('message that was sent and is not', grep { ($status{$_} // 'sent') ne 'sent' } keys %sends, keys %reported);

# What came in
my %text = map { $_->[0] => $_->[1] } everywhere(q{SELECT id, concat_ws(' ', user_id, telegram_message_id, external_id) FROM companion.messages WHERE role = 'user'});
my @incoming = grep { !$erased{ $_->[1] } } answered('incoming');
is_none('incoming message that is lost or another\'s', grep { ($text{ $_->[2] } // '') ne "$_->[1] $_->[0]" } @incoming);
is(scalar keys %text, scalar @incoming, "nor one stored twice ($context)");

# Users
my %made = map { $_->[0] => 1 } map { [ $_->[0] ] } answered('user'), answered('signed up');
my @there = map { $_->[0] } everywhere('SELECT id FROM companion.users WHERE id NOT IN (SELECT id FROM people)');
is_deeply([ sort @there ], [ sort grep { !$erased{$_} } keys %made ], "users are those that were made, but for the erased ($context)");

# Addresses
my @linked = everywhere(q{SELECT concat_ws(':', channel, companion.address_key(channel, address), bot), user_id
    FROM companion.addresses WHERE unlinked_at IS NULL});
my @entries = map { [ split /\|/ ] } split /\n/, $directory->safe_psql('directory', q{
    SELECT concat_ws(':', channel, address, bot), user_id FROM companion.directory});
my %owners;
$owners{ $_->[0] }{ $_->[1] } = 1 for @linked;
is_none('address of two users', grep { keys %{ $owners{$_} } > 1 } keys %owners);
is_deeply([ sort map { "@$_" } @entries ], [ sort map { "@$_" } @linked ], "the directory says what the shards say ($context)");
is_none('address that is lost, or was not given up', grep {
    my ($address, $user) = @$_;
    ($erased{$user} || $user eq 'nobody' ? '' : $user) ne join ' ', keys %{ $owners{"telegram:$address:"} // {} }
} answered('has'));
is_none('address that is reserved still', $directory->safe_psql('directory', 'SELECT d.* FROM companion.directory AS d WHERE confirmed_at IS NULL'));
is_none('reservation on a shard', everywhere('SELECT r.* FROM companion.address_reservations AS r'));
is_none('change for the directory that was not seen to', everywhere('SELECT c.* FROM companion.directory_changes AS c'));

# It was about something
isnt(scalar(answered($_)), 0, "$_ ($context)") for 'scheduled', 'sends', 'sent', 'incoming', 'user', 'signed up', 'has', 'refused';
note "$context: " . join ', ', map { scalar(answered($_)) . " $_" } qw(scheduled incoming sends unsure user has erased refused lost), 'signed up', 'redeemed', 'contended';
note scalar(grep { $_->[1] eq 'unknown' } @stored) . ' of ' . @stored . " messages unknown, " . int($passed / 60) . " minutes";

done_testing();
