# Who opens a transaction as an end user or as the bot, locks what they may, and sits there: an app
# that has forgotten to commit. It commits in the end, or rolls back, or goes away.
#
#     squatter.pl FOLDER LONGEST SEED
#
# LONGEST is how long it sits there, in seconds. The folder's file held gets a line for each
# transaction when it begins, and another when it has ended: whose, from when, until when. It
# connects as the roles person and worker.
use strict;
use warnings;

use DBI;
use Time::HiRes qw(sleep time);

my ($folder, $longest, $seed) = @ARGV;
srand $seed;
open my $held, '>>', "$folder/held" or die "held: $!";
my $parent = getppid;

sub connect_as
{
    my ($role) = @_;
    my $connection = DBI->connect("dbi:Pg:user=$role", undef, undef,
        { RaiseError => 1, PrintError => 0, PrintWarn => 0 });
    $connection->do(q{SET lock_timeout = '1s'});
    return $connection;
}

# Some user with a message that will be claimed at once, or soon: the user's id, and the Telegram account
# that they had first
my $due = <<'SQL';
SELECT a.user_id, a.account
FROM companion.pending_messages AS m JOIN accounts AS a ON a.user_id = m.user_id
ORDER BY m.state = 'due' DESC, random() LIMIT 1
SQL
my $soon = <<'SQL';
SELECT u.id, a.account FROM companion.users AS u JOIN accounts AS a ON a.user_id = u.id
WHERE checkin_time BETWEEN (companion.now() AT TIME ZONE timezone)::time
    AND (companion.now() AT TIME ZONE timezone)::time + interval '6 minutes'
ORDER BY random() LIMIT 1
SQL

# What they do, as whom, and whether it may be committed
my @acts = (
    [ 'person', 1, 'SELECT FROM companion.users FOR UPDATE' ],
    [ 'person', 1, q{UPDATE companion.users SET display_name = 'still here'} ],
    [ 'person', 0, 'SELECT companion.erase_user(companion.current_user_id())' ],
    [ 'person', 1, 'SELECT companion.unlink_telegram()' ],
    [ 'person', 1, q{SELECT companion.unlink_address(companion.current_user_id(), 'telegram', ':account')} ],
    [ 'worker', 1, q{SELECT companion.link_address(:user, 'telegram', ':account')} ],
    [ 'worker', 1, q{SELECT companion.link_address(:user, 'telegram', (:account + 1)::text)} ],
    [ 'worker', 1, q{SELECT companion.disable_address(:user, 'telegram', ':account')} ],
    [ 'person', 1, 'SELECT companion.create_telegram_link_token()' ],
    [ 'worker', 1, q{SELECT FROM companion.record_incoming('telegram', ':account', 'Oh')} ],
    [ 'worker', 1, <<'SQL' ],
SELECT FROM companion.create_telegram_link_token(:user) AS token,
    companion.redeem_telegram_link_token(token, :account)
SQL
    [ 'worker', 1, <<'SQL' ],
SELECT companion.close_conversation(user_id, id) FROM companion.conversations
WHERE user_id = :user AND ended_at IS NULL
SQL
    [ 'worker', 1, 'SELECT FROM companion.conversations WHERE user_id = :user FOR UPDATE' ]);

my $connection;

sub squat
{
    my ($user_id, $account) = connect_as('worker')->selectrow_array(rand > 0.3 ? $due : $soon);
    return unless $user_id;
    my ($role, $may_commit, $act) = @{ $acts[ rand @acts ] };
    $connection = connect_as($role);
    $connection->do('SELECT set_config(?, ?, false)', undef, 'companion.user_id', $user_id)
      if $role eq 'person';
    my $from = time;
    syswrite $held, "$user_id\t$from\t\\N\n";
    $connection->begin_work;
    $connection->do($act =~ s/:user/$connection->quote($user_id)/er =~ s/:account/$account/r);
    sleep rand $longest;
    if ($may_commit && rand > 0.3) { $connection->commit }
    elsif (rand > 0.3) { $connection->rollback }
    else { $connection->disconnect }
    syswrite $held, join("\t", $user_id, $from, time) . "\n";
}

# What may fail is the server, or another squatter holds it
while (getppid == $parent)
{
    undef $connection;
    my $is_done = eval { squat(); 1 };
    my ($error, $sqlstate) = ($@, $connection ? $connection->state : '');
    die $error if !$is_done && $connection && $connection->ping && $sqlstate ne '55P03';
    eval { $connection->disconnect };
    sleep 0.1;
}
