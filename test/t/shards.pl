# Three shards and their directory: an address is one user's across them, however often who links it is cut off
# in between, and none is lost. Every step of every operation is such a place.
use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__);
use POSIX qw(_exit);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shards;
use Test::More;

eval { require DBI; require DBD::Pg } or plan skip_all => 'DBD::Pg is not installed';

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'max_connections = 60');
$node->start;
my @shards = map { "shard$_" } 0 .. 2;
for my $database ('directory', @shards)
{
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    $node->safe_psql($database, 'CREATE EXTENSION companion');
}
$node->safe_psql('directory', 'SELECT companion.set_directory(3)');
$node->safe_psql("shard$_", "SELECT companion.set_shard($_, 3)") for 0 .. 2;

sub connect_to
{
    my ($database) = @_;
    return DBI->connect('dbi:Pg:' . $node->connstr($database) =~ s/dbname='(\w+)'/dbname=$1/r, $ENV{USER}, '',
        { RaiseError => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 1 });
}

sub new_client { return Shards->new(connect => \&connect_to, shards => 3); }

my $client = new_client();

# Two users of each shard
my %users = map { $_ => [] } @shards;
for my $n (1 .. 40)
{
    my $id = sprintf '00000000-0000-4000-8000-%012d', $n;
    my $of = $users{ $client->shard_of($id) };
    push @$of, $id if @$of < 2;
}
sub add_users
{
    for my $shard (@shards)
    {
        $client->ask($shard, 'DELETE FROM companion.erased_users');
        $client->ask($shard, 'INSERT INTO companion.users (id) VALUES (?) ON CONFLICT DO NOTHING', $_) for @{ $users{$shard} };
    }
}
add_users();
is($node->safe_psql($_, 'SELECT count(*) FROM companion.users'), 2, "two users on $_") for @shards;
my @all = map { @{ $users{$_} } } @shards;

# Who has which address by the shards, and by the directory
sub linked
{
    return map { $client->ask($_, "SELECT concat_ws(':', channel, companion.address_key(channel, address), bot) AS address, user_id
        FROM companion.addresses WHERE unlinked_at IS NULL") } @shards;
}

sub entries
{
    return $client->ask('directory', "SELECT concat_ws(':', channel, address, bot) AS address, user_id, confirmed_at IS NOT NULL AS is_confirmed
        FROM companion.directory");
}

sub listed { return [ sort map { "$_->{address} $_->{user_id}" } @_ ]; }

# What holds at any time: no address is two users', and the directory knows whose every one is.
sub has_no_double
{
    my %owners;
    $owners{ $_->{address} }{ $_->{user_id} } = 1 for linked();
    my %known = map { $_->{address} => $_->{user_id} } entries();
    return join ', ', grep { my @of = keys %{ $owners{$_} }; @of > 1 || ($known{$_} // '') ne $of[0] } sort keys %owners;
}

# What holds once what was left is seen to: both say the same, and nothing is left.
sub is_settled
{
    my ($name) = @_;
    for (1 .. 3) { $client->sweep; }
    is_deeply(listed(linked()), listed(entries()), $name);
    is(join(', ', map { $_->{address} } grep { !$_->{is_confirmed} } entries()), '', '... with nothing reserved');
    is(join(' ', map { $client->ask($_, 'SELECT FROM companion.directory_changes') } @shards), '', '... and nothing to do');
}

sub forget_all
{
    for my $shard (@shards)
    {
        $client->ask($shard, $_) for 'DELETE FROM companion.users', 'DELETE FROM companion.directory_changes', 'DELETE FROM companion.address_reservations';
    }
    $client->ask('directory', 'DELETE FROM companion.directory');
    add_users();
}

# Without being cut off
my ($maya, $diego, $sita) = map { $users{$_}[0] } @shards;
is($client->link_address($maya, 'telegram', '1', ''), 'linked', 'an address is linked');
is($client->link_address($diego, 'telegram', '1', ''), 'taken', 'and taken for a user of another shard');
is($client->link_address($users{shard0}[1], 'telegram', '1', ''), 'taken', '... and of its own');
is($client->redeem($diego, 1), 'taken', 'a token does not take it');
is($client->redeem($diego, 2), 'linked', 'but links another');
is($client->sign_up(2), $diego, 'who signs up by it is who has it');
my $noor = $client->sign_up(3);
is($client->sign_up(3), $noor, 'who is new is so once');
$client->ask($client->shard_of($noor), 'SELECT companion.unlink_address(?, ?, ?)', $noor, 'telegram', '3');
isnt($client->sign_up(3), $noor, 'who had it, and not any more, is not who signs up by it');
$client->unlink_address($maya, 'telegram', '1', '');
is($client->link_address($sita, 'telegram', '1', ''), 'linked', 'once unlinked, it is free for another');
$client->ask('shard0', "UPDATE companion.users SET email = 'me\@example.org' WHERE id = ?", $maya);
$client->ask('shard1', "UPDATE companion.users SET email = 'ME\@example.org' WHERE id = ?", $diego);
$client->sweep;
is_deeply([ grep { /email/ } @{ listed(linked()) } ], ["email:me\@example.org: $maya"], 'of two columns the first has it');
is($node->safe_psql('shard1', "SELECT count(*) FROM companion.addresses WHERE channel = 'email' AND unlinked_at IS NOT NULL"), 1,
    '... and of the other it is noted');
is(has_no_double(), '', 'no double');
is_settled('both say the same');

# Cut off at each of its steps, an operation leaves nothing that is not resolved.
my %operations = (
    'linking' => [ sub { }, sub { $_[0]->link_address($maya, 'telegram', '7', 'a_bot') } ],
    'linking what another has' => [ sub { $_[0]->link_address($diego, 'telegram', '7', '') }, sub { $_[0]->link_address($maya, 'telegram', '7', '') } ],
    'linking again' => [ sub { $_[0]->link_address($maya, 'telegram', '7', '') }, sub { $_[0]->link_address($maya, 'telegram', '7', '') } ],
    'naming the bot' => [ sub { $_[0]->link_address($maya, 'telegram', '7', '') }, sub { $_[0]->link_address($maya, 'telegram', '7', 'a_bot') } ],
    'unlinking' => [ sub { $_[0]->link_address($maya, 'telegram', '7', '') }, sub { $_[0]->unlink_address($maya, 'telegram', '7', '') } ],
    'redeeming' => [ sub { }, sub { $_[0]->redeem($maya, 7) } ],
    'redeeming another' => [ sub { $_[0]->redeem($maya, 6) }, sub { $_[0]->redeem($maya, 7) } ],
    'signing up' => [ sub { }, sub { $_[0]->sign_up(7) } ],
    'erasing' => [ sub { $_[0]->link_address($maya, 'telegram', '7', '') },
        sub { $_[0]->ask('shard0', 'SELECT companion.erase_user(?)', $maya); $_[0]->work_off('shard0') } ],
    'a column' => [ sub { $_[0]->ask('shard0', "UPDATE companion.users SET whatsapp_number = '+5531987654321' WHERE id = ?", $maya) },
        sub { $_[0]->work_off('shard0') } ],
    'a column that another has' => [ sub { $_[0]->link_address($diego, 'email', 'me@example.org', '');
            $_[0]->ask('shard0', "UPDATE companion.users SET email = 'me\@example.org' WHERE id = ?", $maya) },
        sub { $_[0]->work_off('shard0') } ]);
my $cuts = 0;
for my $name (sort keys %operations)
{
    my ($before, $do) = @{ $operations{$name} };
    for (my ($step, $is_cut) = (0, 1); $is_cut; $step++)
    {
        forget_all();
        $before->($client);
        $client->{cut} = $step;
        $is_cut = !eval { $do->($client); 1 } && $@ eq "cut off\n";
        die $@ if $@ && !$is_cut;
        $client->{cut} = undef;
        $cuts += $is_cut;
        is(has_no_double(), '', "$name, cut off at step $step: no double");
        is_settled("$name, cut off at step $step: settled");
        my $owner = (grep { $_->{address} eq 'telegram:7:' } linked())[0];
        is($client->link_address($sita, 'telegram', '7', ''), $owner ? 'taken' : 'linked',
            '... and the address is had by whoever may have it');
    }
}
cmp_ok($cuts, '>=', 40, "cut off in $cuts places");

# What one who is slow has in hand when another settles it links nothing any more.
forget_all();
my ($slow) = $client->ask('directory', q{SELECT * FROM companion.directory_reserve(?, 'telegram', '8')}, $maya);
$client->sweep;
is($client->link_address($diego, 'telegram', '8', ''), 'linked', 'settled, an address is free for another');
ok(!eval { $client->ask('shard0', q{SELECT companion.take_reservation(?, 'telegram', '8', '', ?, ?)}, $maya, @$slow{qw(reservation expires_at)}); 1 }
        && $@ =~ /is void, or older/, '... and no longer for who comes late');

# A directory that has come back empty, and a shard that has come back with what is another's by now.
forget_all();
$client->link_address($maya, 'telegram', '1', '');
$client->link_address($diego, 'telegram', '2', 'a_bot');
$client->link_address($sita, 'email', 'sita@example.org', '');
my $before = listed(linked());
$client->ask('directory', 'TRUNCATE companion.directory');
$client->tell_anew($_) for @shards;
is_deeply(listed(entries()), $before, 'a directory is filled anew');
is_settled('... with what the shards have');
$client->unlink_address($maya, 'telegram', '1', '');
$client->link_address($diego, 'telegram', '1', '');
$client->ask('shard0', "UPDATE companion.addresses SET unlinked_at = NULL WHERE user_id = ?", $maya);
$client->settle_entries('companion.shard_of(user_id, 3) = 0');
$client->tell_anew('shard0');
is_settled('a shard that was restored gives way');
is((grep { $_->{address} eq 'telegram:1:' } linked())[0]{user_id}, $diego, '... to who has it by now');

# A shard's dump is the shard: what it has, and whom it takes.
$client->ask('shard1', 'UPDATE companion.users SET telegram_user_id = 2, email = ? WHERE id = ?', 'diego@example.org', $diego);
$client->sweep;
my $dump = $node->basedir . '/shard1.sql';
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_dump', "--file=$dump", 'shard1' ], 'a shard is dumped');
$node->command_ok([ 'psql', '-Xq', '--set=ON_ERROR_STOP=1', "--file=$dump", 'restored' ], '... and restored');
my $what = 'SELECT user_id, channel, bot, address, linked_at, unlinked_at FROM companion.addresses ORDER BY 1, 2, 3, 4';
is($node->safe_psql('restored', $what), $node->safe_psql('shard1', $what), 'with its addresses');
is($node->safe_psql('restored', 'SELECT count(*) FROM companion.directory_changes'), 0, '... and nothing to tell');
my ($status, $stdout, $stderr) = $node->psql('restored', "\\set VERBOSITY verbose\nINSERT INTO companion.users (id) VALUES ('$maya')");
like($stderr, qr/23514: user $maya belongs to shard 0, this is shard 1 of 3/, '... and no other\'s user is taken');
$node->safe_psql('postgres', 'DROP DATABASE restored');

# Many at once on few addresses, killed at random, the server as well; and who resolves what they leave among them.
sub do_something
{
    my ($client) = @_;
    my ($user, $number) = ($all[ rand @all ], 1 + int rand 6);
    my $what = int rand 12;
    return $client->sweep if $what == 0;
    return $client->sign_up($number) if $what == 1;
    return $client->redeem($user, $number) if $what <= 4;
    return $client->unlink_address($user, 'telegram', $number, '') if $what <= 6;
    return $client->ask($client->shard_of($user), 'UPDATE companion.users SET email = ? WHERE id = ?', "$number\@example.org", $user) if $what == 7;
    return $client->ask($client->shard_of($user), 'UPDATE companion.users SET telegram_user_id = NULL WHERE id = ?', $user) if $what == 8;
    return $client->link_address($user, 'telegram', $number, $what == 9 ? 'a_bot' : '');
}

sub start_client
{
    my ($seed) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    srand $seed;
    my $mine = new_client();
    for (1 .. 1000)
    {
        $mine->{cut} = rand() < 0.3 ? int rand 8 : undef;
        eval { do_something($mine) };
        $mine->{connections} = {} if $@ && $@ !~ /cut off/;
    }
    _exit(0);
}

forget_all();
for my $round (1 .. 6)
{
    my @clients = map { start_client(100 * $round + $_) } 1 .. 4;
    my $linked = sub { ($client->ask('directory', 'SELECT coalesce(max(reservation), 0) AS r, count(*) AS n FROM companion.directory'))[0] };
    my ($seen, $last) = (0, '');
    while ($seen < 40)
    {
        my $now = join ' ', %{ $linked->() };
        $seen++ if $now ne $last;
        $last = $now;
        select undef, undef, undef, 0.01;
    }
    $client->{connections} = {} if $round == 3;
    $node->stop('immediate') if $round == 3;
    kill 'KILL', @clients;
    waitpid $_, 0 for @clients;
    $node->start if $round == 3;
    is($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE datname ~ '^(shard|directory)' AND state = 'active'}), 1,
        "round $round: what they have begun is over");
    is(has_no_double(), '', 'no double');
    is_settled('settled');
}

done_testing();
