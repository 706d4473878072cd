# The app around it all: its users change their minds, and it schedules reminders and cancels what it
# has scheduled.
#
#     app.pl FOLDER PART PARTS SEED
#
# It alone changes the users of its part, of so many, of those whom the table accounts calls fickle.
# The folder's file answers gets a line for each answer that binds the workers: what, about which
# message or user, when it was had, and when the next change of that was asked for. It connects as the
# role worker, and for a user's own changes as person.
use strict;
use warnings;

use DBI;
use Time::HiRes qw(sleep time);

my ($folder, $part, $parts, $seed) = @ARGV;
srand $seed;
open my $answers, '>>', "$folder/answers" or die "answers: $!";
my $parent = getppid;
my %servers; # by role

sub note_down
{
    my (@values) = @_;
    syswrite $answers, join("\t", @values) . "\n";
}

sub one_of { return $_[ rand @_ ]; }

# The first column of the first row; nothing where it cannot be known
sub ask_as
{
    my ($role, $sql, @values) = @_;
    my ($value) = eval {
        $servers{$role} //= DBI->connect("dbi:Pg:user=$role", undef, undef,
            { RaiseError => 1, PrintError => 0, PrintWarn => 0 });
        $servers{$role}->selectrow_array($sql, undef, @values);
    };
    return $value unless $@;
    my ($error, $server) = ($@, $servers{$role});
    die $error if $server && $server->ping && $server->state !~ /^(55P03|40P01)$/;
    eval { $server->disconnect };
    delete $servers{$role};
    return;
}

sub ask { return ask_as('worker', @_); }

my $fickle = <<'SQL';
SELECT user_id FROM accounts WHERE is_fickle AND account / 400 % ? = ? ORDER BY random() LIMIT 1
SQL

my %off_since; # in which way users are off, and since when
my @minds = (
    [ '', q{checkin_time =
        (companion.local_timestamp(timezone, companion.now()) + random() * interval '20 minutes')::time} ],
    [ '', q{timezone = (ARRAY['UTC', 'Asia/Kolkata', 'America/Lima', 'Pacific/Apia'])[1 + floor(random() * 4)]} ],
    [ '', q{checkin_days = ARRAY(SELECT d FROM generate_series(1, 7) AS d WHERE d = 1 OR random() < 0.8)} ],
    [ '', q{quiet_from = CASE WHEN random() < 0.5 THEN checkin_time END,
        quiet_until = checkin_time + interval '20 minutes'} ],
    [ 'opted out', 'checkin_time = NULL' ],
    [ 'paused', q{checkin_paused_until = 'infinity'} ]);

# That a user was off until then
sub note_off
{
    my ($user, $until) = @_;
    my ($off, $from) = @{ delete $off_since{$user} // return };
    note_down($off, $user, $from, $until);
}

# Who is off comes back with the next change of mind.
sub change_mind
{
    my $user = ask($fickle, $parts, $part) or return;
    note_off($user, time);
    my ($off, $change) = @{ one_of(@minds) };
    my $back = join ', ', grep { (split)[0] ne (split ' ', $change)[0] } 'checkin_paused_until = NULL',
      q{checkin_time = coalesce(checkin_time, companion.local_timestamp(timezone, companion.now())::time)};
    ask_as('person', 'SELECT set_config(?, ?, false)', 'companion.user_id', $user) or return;
    my $is_done = ask_as('person', "UPDATE companion.users SET $change, $back RETURNING true");
    $off_since{$user} = [ $off, time ] if $off && $is_done;
}

sub schedule
{
    my $user = ask($fickle, $parts, $part) or return;
    my $message = ask(q{SELECT message_id FROM companion.schedule_message(?,
        companion.now() + random() * interval '10 minutes', 'Remember!', 'reminder',
        cancel_on_reply => random() < 0.5)}, $user);
    note_down('scheduled', $message, time, 'infinity') if $message;
}

sub cancel
{
    my ($user, $message) = split / /, ask(q{SELECT q.user_id || ' ' || q.message_id
        FROM companion.dispatch_queue AS q JOIN accounts AS a ON a.user_id = q.user_id
        WHERE is_fickle ORDER BY random() LIMIT 1}) // return;
    my $answer = ask('SELECT companion.cancel_message(?, ?)', $user, $message) // '';
    note_down('cancelled', $message, time, 'infinity') if $answer eq 'cancelled';
}

my @acts = ((\&change_mind) x 3, (\&schedule) x 3, \&cancel);
my $is_stopped = 0;
$SIG{TERM} = sub { $is_stopped = 1 };
while (getppid == $parent && !$is_stopped)
{
    one_of(@acts)->();
    sleep rand 0.1;
}
# Who is off now is so to the end.
note_off($_, 'infinity') for sort keys %off_since;
