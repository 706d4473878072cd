# Shards and their directory, each a server of its own, and a router on another: one that is killed harms no other, and
# comes back to sessions that stand; without the directory, only what needs it stands still; without the router,
# the shards go on.
use strict;
use warnings;

use DBI;
use File::Basename 'dirname';
use lib dirname(__FILE__);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Routed;
use Test::More;

skip_without_plproxy();
my @shards;
my $router = PostgreSQL::Test::Cluster->new('router');
$router->init;
$router->append_conf('postgresql.conf', "fsync = off\n");
$router->start;
make_router($router);
for my $number (0 .. 2)
{
    my $shard = PostgreSQL::Test::Cluster->new("shard_$number");
    $shard->init;
    $shard->start;
    make_shard($shard, $number, 3);
    add_shard($router, $number, $shard);
    push @shards, $shard;
}

my $directory = PostgreSQL::Test::Cluster->new('directory');
$directory->init;
$directory->start;
make_directory($directory, $router, 3);

# SIGKILL, and gone
sub kill_server
{
    my ($server) = @_;
    my $postmaster = $server->{_pid};
    $server->kill9;
    select undef, undef, undef, 0.02 while kill 0, $postmaster;
    return;
}

sub ask
{
    my ($sql) = @_;
    my ($status, $output, $error) = $router->psql('router', "\\set VERBOSITY verbose\nSET ROLE companion_worker;\n$sql");
    return ($output, $error);
}

sub answer { return (ask(@_))[0]; }

my $names = answer(<<'SQL');
SELECT string_agg(companion.new_user_id()::text, ' ') FROM generate_series(1, 30);
SQL
my @users = split / /, $names;
my @of = ([], [], []);
for my $user (@users)
{
    push @{ $of[answer("SELECT companion.shard_of('$user', 3)")] }, $user;
}
answer("SELECT companion.put_user('$_', '{}'); SELECT companion.schedule_message('$_', now(), 'one'); SELECT companion.schedule_message('$_', now(), 'two')") for @users;

# Killed in the middle of things
kill_server($shards[1]);
my ($output, $error) = ask("SELECT companion.sent_today('$of[1][0]')");
like($error, qr/0800[16]: .*(cannot be reached|was lost)/, 'a call for a user of the shard that is down');
($output, $error) = ask("SELECT companion.sent_today('$of[1][0]')");
like($error, qr/08001: a database behind the router cannot be reached\nDETAIL: .*\nHINT:  Nothing was done there\. Call again\./s, 'and the next');
is(answer("SELECT companion.sent_today('$_')"), 'f', 'a call for another\'s user') for $of[0][0], $of[2][0];

($output, $error) = ask('SELECT user_id, message_id, attempt FROM companion.claim_messages($$w$$, 100)');
my @claimed = map { [ split /\|/ ] } split /\n/, $output;
is(scalar @claimed, 2 * (@{ $of[0] } + @{ $of[2] }), 'a claim takes from the shards that are up');
like($error, qr/WARNING:  08001: shard 1: a database behind the router cannot be reached/, 'and says which is not');

my $down = "$of[1][0]";
my @batch = ([ $down, $down, 1 ], @claimed[0 .. 3], [ $down, $down, 1 ]);
my $arrays = join ', ', map { my $i = $_; "'{" . join(',', map { $_->[$i] } @batch) . "}'" } 0 .. 2;
($output, $error) = ask("SELECT companion.start_send_many($arrays)");
is($output, '{NULL,t,t,t,t,NULL}', 'of many messages, those of the shard that is down are NULL, and the others start');
($output, $error) = ask('SELECT companion.dispatch()');
is($output, '0', 'dispatch goes on with the others');
like($error, qr/WARNING:  08001: shard 1/, 'and says which it has passed over');
is($router->safe_psql('router', q{SELECT ok FROM companion.health() WHERE "check" LIKE '%: reachable' ORDER BY "check"}), "t\nf\nt", 'health says which');
is($router->safe_psql('router', q{SELECT value FROM companion.metrics() WHERE name = 'companion_shard_up' ORDER BY labels ->> 'shard'}), "1\n0\n1", 'metrics, too');
($output, $error) = ask('SELECT count(*) FROM (SELECT companion.new_user_id() FROM generate_series(1, 9)) AS x');
is($output, '9', 'what any shard answers, another answers');

# What the directory has of each shard's users and nobody has confirmed, that of the one that is down first
my $reserved = join ', ', map { "('telegram', '99$_', '$of[$_][0]', 1, now() - interval '1 hour' * (1 + ($_ % 2)))" } 0 .. 2;
$directory->safe_psql('directory', "INSERT INTO companion.directory (channel, address, user_id, reservation, expires_at) VALUES $reserved");
my $left = q{SELECT string_agg(address, ' ') FROM companion.directory};
is($router->safe_psql('router', q{SELECT affected FROM companion.run_maintenance() WHERE task = 'directory'}), '2', 'the others\' reservations are settled');
is($directory->safe_psql('directory', $left), '991', 'and its own waits');

$shards[1]->start;
is(answer("SELECT companion.sent_today('$of[1][0]')"), 'f', 'the shard is back');
$router->safe_psql('router', 'SELECT * FROM companion.run_maintenance()');
is($directory->safe_psql('directory', $left), '', 'and so is what waited for it');
is(answer('SELECT count(*) FROM companion.claim_messages($$w$$, 100)'), 2 * @{ $of[1] }, 'with what was due there');

# A session whose connection to the shard has broken
my $session = DBI->connect('dbi:Pg:' . $router->connstr('router') =~ s/'//gr =~ s/ /;/gr, undef, undef, { PrintError => 0, PrintWarn => 0 });
$session->do('SET ROLE companion_worker');
my $sent_today = 'SELECT companion.sent_today(?)';
is($session->selectrow_array($sent_today, undef, $of[2][0]), 0, 'a session');
kill_server($shards[2]);
is($session->selectrow_array($sent_today, undef, $of[2][0]), undef, 'the shard is killed under it');
like($session->state, qr/0800[16]/, 'it says so');
is($session->selectrow_array($sent_today, undef, $of[0][0]), 0, 'the others answer it');
$shards[2]->start;
is($session->selectrow_array($sent_today, undef, $of[2][0]), 0, 'and the shard, when it is back');

# Ended there in the middle of a call
my $holder = DBI->connect('dbi:Pg:' . $shards[2]->connstr('shard_2') =~ s/'//gr =~ s/ /;/gr, undef, undef, { AutoCommit => 0 });
$holder->do('SELECT FROM companion.users WHERE id = ? FOR UPDATE', undef, $of[2][0]);
my ($answer, $complaint);
my $call = IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $router->connstr('router'), '-c', 'SET ROLE companion_worker',
        '-c', "SELECT companion.put_user('$of[2][0]', '{}')" ], '>', \$answer, '2>', \$complaint);
$shards[2]->poll_query_until('shard_2', q{SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'});
$call->finish;
like($complaint, qr/08006: the connection to a database behind the router was lost/, 'a call whose session on the shard is ended: nobody knows');
$holder->disconnect;
$session->disconnect;

# The directory
is(answer("SELECT companion.link_address('$of[0][0]', 'telegram', '111')"), 'linked', 'an address is linked');
is(answer("SELECT companion.link_address('$of[1][0]', 'telegram', '112')"), 'linked', 'another');
my $incoming = "SELECT user_id FROM companion.record_incoming('telegram', '%s', 'hello')";
is(answer(sprintf $incoming, 111), $of[0][0], 'a message comes from it');
my $token = answer("SELECT companion.create_telegram_link_token('$of[2][0]')");
kill_server($directory);
is(answer(sprintf $incoming, 111), $of[0][0], 'the directory is killed: messages from an address that was seen come in');
is(answer("SELECT user_id FROM companion.record_incoming('web', '$of[1][0]', 'hello')"), $of[1][0], 'and from the web');
for my $call ((sprintf $incoming, 112), "SELECT companion.link_address('$of[1][0]', 'telegram', '113')",
    "SELECT companion.redeem_telegram_link_token('$token', 114)", q{SELECT companion.put_user(NULL, '{"telegram_user_id": 115}')})
{
    like((ask($call))[1], qr/08001: a database behind the router cannot be reached/, "waits for it: $call");
}
is(answer("SELECT companion.unlink_address('$of[0][0]', 'telegram', '111')"), 't', 'an address is unlinked');
is(answer("SELECT message_id IS NOT NULL FROM companion.schedule_message('$of[1][0]', now(), 'three')"), 't', 'messages are scheduled');
is(answer("SELECT count(*) FILTER (WHERE content = 'three') FROM companion.claim_messages('w', 100)"), '1', 'and claimed');
is($router->safe_psql('router', q{SELECT count(*) FROM companion.run_maintenance() WHERE task LIKE 'shard %'}) > 3, 1, 'shards are maintained');
$directory->start;
is(answer("SELECT * FROM companion.redeem_telegram_link_token('$token', 114)"), "linked|$of[2][0]", 'it is back: the token is redeemed');
is(answer("SELECT companion.link_address('$of[1][0]', 'telegram', '111')"), 'linked', 'and what was unlinked meanwhile is free');
is(answer(sprintf $incoming, 111), $of[1][0], 'its messages are the other user\'s, whatever the router had known');

kill_server($router);
is($shards[0]->safe_psql('shard_0', "SET ROLE companion_worker; SELECT companion.sent_today('$of[0][0]')"), 'f',
    'the router is killed: who connects to a shard goes on');
$router->start;
is(answer("SELECT companion.sent_today('$of[0][0]')"), 'f', 'and the router is back');

done_testing();
