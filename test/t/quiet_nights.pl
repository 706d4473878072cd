# Two weeks around the nights of clock changes: users in all kinds of zones, with quiet hours and
# pauses that they change; workers that claim, start, report, give back and die at random times. After
# each step the queue, and what was finished, is what a model here says, which is written from
# docs/policy.md and reads the users' wall clocks by the C library. Nothing is started in quiet hours.
# QUIET_NIGHTS_SEED repeats a run.
use strict;
use warnings;

use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{QUIET_NIGHTS_SEED} // time ^ $$;
note "QUIET_NIGHTS_SEED=$seed";
srand $seed;

sub one_of { return $_[ rand @_ ]; }
sub chance { return rand() < $_[0]; }

my @zones = qw(Europe/Berlin America/New_York Africa/Casablanca Asia/Gaza Antarctica/Troll Pacific/Auckland
  Australia/Lord_Howe America/Santiago America/Havana Asia/Kathmandu Pacific/Chatham Africa/Cairo UTC);
# What becomes of it in quiet hours, within how many hours it is sent, whether it respects pauses.
my %kinds = (note => [ 'defer', undef, 0 ], letter => [ 'defer', 6, 0 ], nudge => [ 'defer', 12, 1 ],
    chat => [ 'skip', undef, 1 ], alarm => [ 'ignore', undef, 0 ]);
my $send_timeout = 300;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\njit = off\ncompanion.max_claims = 1000\n"
      . "companion.send_timeout = '5min'\ntimezone = 'UTC'");
$node->start;

my $now = POSIX::mktime(0, 0, 12, 20, one_of(2, 9), 126);
my $first = $now;

# What a query returns at this time, as rows of fields
sub query
{
    my ($sql) = @_;
    my $rows = $node->safe_psql('postgres', "SET companion.clock = '" . stamp($now) . "'; $sql");
    return map { [ split /\|/, $_, -1 ] } split /\n/, $rows;
}

sub stamp { return POSIX::strftime('%Y-%m-%d %H:%M:%S+00', gmtime $_[0]); }

# The model. Users: zone, quiet_from and quiet_until in minutes, paused_until. Messages by key.
my (@users, %messages);

sub is_quiet
{
    my ($user, $at) = @_;
    return 0 unless defined $user->{from} && defined $user->{until};
    local $ENV{TZ} = $user->{zone};
    POSIX::tzset();
    my (undef, $minute, $hour) = localtime $at;
    my ($time, $from, $until) = ($hour * 60 + $minute, $user->{from}, $user->{until});
    return $from <= $until ? $from <= $time && $time < $until : $time >= $from || $time < $until;
}

sub quiet_end
{
    my ($user, $at) = @_;
    $at += 60 - $at % 60;
    $at += 60 while is_quiet($user, $at);
    return $at;
}

sub is_stopped
{
    my ($user, $message) = @_;
    return is_quiet($user, $now) && $kinds{ $message->{kind} }[0] ne 'ignore';
}

sub is_paused
{
    my ($user, $message) = @_;
    return $kinds{ $message->{kind} }[2] && $user->{paused} > $now;
}

sub finish
{
    my ($message, $status, $reason) = @_;
    $reason .= "; last: $message->{failed}" if defined $message->{failed} && $reason !~ /^(check-ins|no report)/;
    @$message{ 'status', 'reason' } = ($status, $reason);
}

sub too_late
{
    my ($message) = @_;
    my $last = defined $message->{failed} ? '' : defined $message->{waited} ? "; last: $message->{waited}" : '';
    finish($message, defined $message->{failed} ? 'failed' : 'skipped',
        'not sent before ' . stamp($message->{before}) . $last);
}

sub pause_message
{
    my ($user, $message) = @_;
    finish($message, 'skipped', 'check-ins are paused until ' . stamp($user->{paused}));
}

# It is quiet and this message does not ignore it.
sub hold_back
{
    my ($user, $message) = @_;
    return pause_message($user, $message) if is_paused($user, $message);
    my $end = quiet_end($user, $now);
    my $reason = 'quiet hours until ' . stamp($end);
    $message->{claimed} = 0;
    return finish($message, 'skipped', $reason) if $kinds{ $message->{kind} }[0] eq 'skip';
    return finish($message, 'skipped', "$reason, past its send_before") if $end >= $message->{before};
    $message->{waited} = $reason unless defined $message->{failed};
    $message->{visible} = $message->{quiet_end} = $end;
}

sub pending { return grep { $_->{status} eq 'pending' } @messages{ sort keys %messages }; }

# What a claim or maintenance gives up on
sub is_given_up
{
    my ($message) = @_;
    return 0 if $message->{visible} > $now || ($message->{claimed} && $message->{lease} > $now);
    if ($message->{sending})
    {
        finish($message, 'unknown', 'no report after start_send');
        return 1;
    }
    return 0 if $message->{before} > $now;
    too_late($message);
    return 1;
}

# A user's settings have changed
sub follow
{
    my ($user, $is_quiet_changed) = @_;
    for my $message (grep { $_->{user} == $user->{number} } pending())
    {
        if ($is_quiet_changed)
        {
            $message->{visible} = $now
              if defined $message->{quiet_end} && $message->{visible} > $now && $message->{visible} == $message->{quiet_end};
            $message->{claimed} = 0 if !$message->{sending} && is_stopped($user, $message);
        }
        pause_message($user, $message)
          if !$message->{sending} && $message->{before} > $now && $message->{visible} <= $now && is_paused($user, $message);
    }
}

# The steps. Each changes the model, and returns the SQL that does so with the database, and what it is to return.
sub minutes_as_time
{
    my ($minutes) = @_;
    return defined $minutes ? sprintf("'%02d:%02d'", int $minutes / 60, $minutes % 60) : 'NULL';
}

sub some_time { return chance(0.15) ? undef : chance(0.3) ? 60 * int rand 24 : int rand 1440; }

sub change_user
{
    my $user = one_of(@users);
    my %before = %$user;
    $user->{zone} = one_of(@zones) if chance(0.3);
    @$user{ 'from', 'until' } = (some_time(), some_time()) if chance(0.5);
    $user->{paused} = chance(0.5) ? 0 : $now + 3600 * int rand 30 if chance(0.4);
    my $is_changed = sub {
        return grep { ($before{$_} // '') ne ($user->{$_} // '') } @_;
    };
    follow($user, scalar $is_changed->(qw(zone from until))) if $is_changed->(qw(zone from until paused));
    my $paused = $user->{paused} ? "'" . stamp($user->{paused}) . "'" : 'NULL';
    return "UPDATE companion.users SET timezone = '$user->{zone}', checkin_paused_until = $paused,
        quiet_from = @{[minutes_as_time($user->{from})]}, quiet_until = @{[minutes_as_time($user->{until})]}
        WHERE telegram_user_id = $user->{number} + 1;";
}

my $key = 0;

sub schedule
{
    my $sql = '';
    for (1 .. 1 + rand 12)
    {
        my ($user, $kind) = (one_of(@users), one_of(sort keys %kinds));
        my $due = $now - 1800 + 60 * int rand 600;
        my $within = $kinds{$kind}[1];
        my $from = $due > $now ? $due : $now;
        $key++;
        $messages{$key} = { key => $key, user => $user->{number}, kind => $kind, visible => $due, attempt => 0, claimed => 0,
            sending => 0, status => 'pending', reason => '', before => defined $within ? $from + 3600 * $within : 9e12 };
        $sql .= "SELECT FROM companion.users AS u, companion.schedule_message(u.id, '" . stamp($due) . "', 'hello', '$kind',
            idempotency_key => '$key') WHERE telegram_user_id = $user->{number} + 1;";
    }
    return $sql;
}

sub claim
{
    my $lease = 60 + int rand 7200;
    my @claimed;
    for my $message (pending())
    {
        next if $message->{visible} > $now || $message->{sending} || $message->{claimed} && $message->{lease} > $now;
        next if is_given_up($message);
        my $user = $users[ $message->{user} ];
        if (is_stopped($user, $message)) { hold_back($user, $message); next; }
        $message->{attempt}++;
        if (is_paused($user, $message)) { pause_message($user, $message); next; }
        @$message{ 'claimed', 'lease' } = (1, $now + $lease);
        push @claimed, "$message->{key}|$message->{attempt}";
    }
    return ("SELECT m.idempotency_key, c.attempt FROM companion.claim_messages('w', 10000, '$lease seconds') AS c
        JOIN companion.scheduled_messages AS m ON m.user_id = c.user_id AND m.id = c.message_id
        ORDER BY m.idempotency_key::integer;",
        sort { ($a =~ /(\d+)/)[0] <=> ($b =~ /(\d+)/)[0] } @claimed);
}

my (@started, $in_quiet_hours);

# Some that a worker holds, or has held, with the attempt of a claim
sub some_held
{
    my ($is_sending) = @_;
    return grep { $_->{attempt} > 0 && $_->{sending} == $is_sending && chance(0.6) } pending();
}

sub names
{
    my ($function, $rest, @messages) = @_;
    return join '', map { "SELECT $_->{key}, companion.$function(user_id, id, $_->{attempt}$rest)
        FROM companion.scheduled_messages WHERE idempotency_key = '$_->{key}';" } @messages;
}

sub start
{
    my (@held, @answers) = some_held(0);
    for my $message (@held)
    {
        my $user = $users[ $message->{user} ];
        my $may = $message->{claimed} && $message->{before} > $now;
        if ($may && is_stopped($user, $message)) { hold_back($user, $message); $may = 0; }
        if ($may)
        {
            $message->{sending} = 1;
            $message->{lease} = $now + $send_timeout if $message->{lease} < $now + $send_timeout;
            push @started, $message->{key};
        }
        push @answers, "$message->{key}|" . ($may ? 't' : 'f');
    }
    return (names('start_send', '', @held), @answers) if chance(0.5) || !@held;
    my $keys = join ',', map { $_->{key} } @held;
    my $attempts = join ',', map { $_->{attempt} } @held;
    return ("SELECT m.key, answer FROM unnest('{$keys}'::integer[],
        (SELECT companion.start_send_many(array_agg(user_id ORDER BY place), array_agg(id ORDER BY place), '{$attempts}')
        FROM unnest('{$keys}'::text[]) WITH ORDINALITY AS k (key, place)
        JOIN companion.scheduled_messages ON idempotency_key = key)) AS m (key, answer);", @answers);
}

sub report_sent
{
    my @sending = some_held(1);
    finish($_, 'sent', '') for @sending;
    delete $_->{failed} for @sending;
    $_->{reason} = '' for @sending;
    return (names('mark_sent', ", 'hello'", @sending), map { "$_->{key}|t" } @sending);
}

sub report_failed
{
    my @sending = some_held(1);
    my $wait = 1 + int rand 10000;
    for my $message (@sending)
    {
        @$message{ 'failed', 'visible', 'claimed', 'sending' } = ('502', $now + $wait, 0, 0);
        too_late($message) if $message->{visible} >= $message->{before};
    }
    return (names('mark_failed', ", '502', '$wait seconds'", @sending), map { "$_->{key}|t" } @sending);
}

sub release
{
    my @held = some_held(0);
    my @answers = map { "$_->{key}|" . ($_->{claimed} ? 't' : 'f') } @held;
    $_->{claimed} = 0 for @held;
    return (names('release_message', '', @held), @answers);
}

sub maintain
{
    my $count = grep { is_given_up($_) } pending();
    return ('SELECT companion.finish_abandoned();', $count);
}

# How the database stands; what is finished, when it has just become so
sub standing
{
    return "SELECT m.idempotency_key, m.status, coalesce(m.failure_reason, ''),
            extract(epoch FROM q.visible_at)::bigint, q.attempt, q.leased_until > '-infinity', q.sending
        FROM companion.scheduled_messages AS m
        LEFT JOIN companion.dispatch_queue AS q ON q.user_id = m.user_id AND q.message_id = m.id
        WHERE m.status = 'pending' OR m.finished_at = companion.now() ORDER BY m.idempotency_key::integer;";
}

sub as_standing
{
    my ($message) = @_;
    my @queue = $message->{status} eq 'pending'
      ? (@$message{ 'visible', 'attempt' }, $message->{claimed} ? 't' : 'f', $message->{sending} ? 't' : 'f') : ('') x 4;
    return join '|', @$message{ 'key', 'status', 'reason' }, @queue;
}

query('CREATE EXTENSION companion; ' . join '', map {
    my ($quiet, $within, $respects) = @{ $kinds{$_} };
    "INSERT INTO companion.kinds (kind, quiet, send_within, respects_pause) VALUES ('$_', '$quiet', "
      . (defined $within ? "'$within hours'" : 'NULL') . ", $respects = 1);"
} sort keys %kinds);
for my $number (0 .. 39)
{
    push @users, { number => $number, zone => one_of(@zones), from => undef, until => undef, paused => 0 };
    @{ $users[-1] }{ 'from', 'until' } = chance(0.5) ? (22 * 60, 7 * 60) : (some_time(), some_time()) if chance(0.8);
}
query(join '', map {
    "INSERT INTO companion.users (telegram_user_id, timezone, quiet_from, quiet_until)
     VALUES ($_->{number} + 1, '$_->{zone}', @{[minutes_as_time($_->{from})]}, @{[minutes_as_time($_->{until})]});"
} @users);

my @steps = ((\&claim) x 5, (\&start) x 5, (\&report_sent) x 3, \&report_failed, \&release, (\&schedule) x 3, (\&change_user) x 3, \&maintain);
my %became;
my $count = 0;
while ($now < $first + 14 * 86400)
{
    # A second, minutes or hours; now and then to the very end of quiet hours
    my $user = one_of(@users);
    $now += 1 + (chance(0.3) ? 0 : chance(0.7) ? int rand 900 : int rand 6000);
    $now = quiet_end($user, $now) if chance(0.2) && is_quiet($user, $now);
    @started = ();
    my ($sql, @answers) = one_of(@steps)->();
    my @rows = map { join '|', @$_ } query($sql . standing());
    my @expected = (@answers, map { as_standing($_) } sort { $a->{key} <=> $b->{key} } values %messages);
    if ("@rows" ne "@expected")
    {
        is_deeply(\@rows, \@expected, 'at ' . stamp($now) . " after: $sql (QUIET_NIGHTS_SEED=$seed)");
        last;
    }
    $in_quiet_hours += grep { is_stopped($users[ $messages{$_}{user} ], $messages{$_}) } @started;
    for my $message (grep { $_->{status} ne 'pending' } values %messages)
    {
        $became{ $message->{status} . ($message->{reason} =~ /^(quiet hours|check-ins|not sent)/ ? ": $1" : '') }++;
        delete $messages{ $message->{key} };
    }
    $count++;
}
is($in_quiet_hours, 0, "nothing was started in quiet hours (QUIET_NIGHTS_SEED=$seed)");
note "$count steps: ", join ', ', map { "$became{$_} $_" } sort keys %became;
ok($now >= $first + 14 * 86400, 'two weeks have passed');
ok($became{$_}, "some $_") for 'sent', 'unknown', 'skipped: quiet hours', 'skipped: check-ins', 'skipped: not sent';

done_testing();
