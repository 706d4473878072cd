# Two weeks around the nights of clock changes: users in all kinds of zones, with check-ins, quiet hours
# and pauses that they change; kinds with caps; apps that schedule, cancel and reschedule, users who
# reply, an operator who pauses and resumes sending; workers that claim, start, report, give back and die
# at random times; and times without any worker, or without dispatch. After each step the queue, and what
# was finished, is what a model here says, which is written from docs/policy.md and reads the users' wall
# clocks by the C library. Beside that, what was started is judged by itself: nothing in quiet hours, nor
# while sending is paused, nor after a cancel that was answered; no cap was passed by what was sent; and in
# the end nothing is lost. TWO_WEEKS_SEED repeats a run.
use strict;
use warnings;

use File::Basename;
use lib dirname(__FILE__);

use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::Local 'timegm_modern';
use WallClock qw(day_of weekday_of first_instant is_in_window window_end is_same_period period_end);

my $seed = $ENV{TWO_WEEKS_SEED} // time ^ $$;
my $context = "TWO_WEEKS_SEED=$seed";
note $context;
srand $seed;

sub one_of { return $_[ rand @_ ]; }
sub chance { return rand() < $_[0]; }

my @zones = qw(Europe/Berlin America/New_York Africa/Casablanca Asia/Gaza Antarctica/Troll Pacific/Auckland
  Australia/Lord_Howe America/Santiago America/Havana Asia/Kathmandu Pacific/Chatham Africa/Cairo UTC);

# How each kind is. within: how many hours it may be late.
my %kinds = (
    note => { quiet => 'defer', group => 'talk' },
    letter => { quiet => 'ignore', within => 6, group => 'talk', over => 'skip' },
    nudge => { quiet => 'defer', within => 12, respects_pause => 1, group => 'talk', on_reply => 1 },
    chat => { quiet => 'skip', respects_pause => 1, group => 'chats' },
    ad => { quiet => 'defer', within => 30, group => 'chats', closed => 'skip', on_reply => 1 },
    alarm => { quiet => 'ignore', closed => 'skip' },
    checkin => { quiet => 'defer', within => 10, respects_pause => 1, group => 'talk' });
my @scheduled_kinds = grep { $_ ne 'checkin' } sort keys %kinds;
# The caps of each group: a local period or seconds, and how many
my %caps = (talk => [ [ 'day', 2 ], [ 'week', 9 ], [ 5400, 1 ] ], chats => [ [ 5 * 3600, 2 ], [ 'month', 8 ] ]);
my $send_timeout = 300;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nlog_statement = none\ncompanion.max_claims = 1000\n"
      . "companion.send_timeout = '5min'\ncompanion.min_gap = 0\ntimezone = 'UTC'");
$node->start;

my $now = timegm_modern(0, 0, 12, 20, one_of(2, 9), 2026);
my $first = $now;

sub stamp { return POSIX::strftime('%Y-%m-%d %H:%M:%S+00', gmtime $_[0]); }

# The model. Users: zone, quiet_from and quiet_until in minutes, paused_until, time and days of the
# check-in, and what counts for each group of caps. Messages by the user's number and the key. Pauses of
# sending by kind.
my (@users, %messages, %pauses);
my %became; # how many, by what became of them

sub user_of { return $users[ $_[0]{user} ]; }
sub kind_of { return $kinds{ $_[0]{kind} }; }

sub is_quiet
{
    my ($user, $at) = @_;
    return is_in_window(@$user{qw(zone from until)}, $at);
}

sub is_stopped
{
    my ($user, $message) = @_;
    return is_quiet($user, $now) && kind_of($message)->{quiet} ne 'ignore';
}

sub is_paused
{
    my ($user, $message) = @_;
    return kind_of($message)->{respects_pause} && $user->{paused} > $now;
}

# Whether sending is, of a kind or, without one, all of it
sub is_sending_paused
{
    my ($kind) = @_;
    return grep { $pauses{$_} > $now && ($_ eq '' || $_ eq $kind) } keys %pauses;
}

sub finish
{
    my ($message, $status, $reason) = @_;
    @$message{ 'status', 'reason' } = ($status, $reason);
}

# With the last failure, if there was one
sub refuse
{
    my ($message, $reason) = @_;
    $message->{claimed} = 0;
    finish($message, 'skipped', $reason . (defined $message->{failed} ? "; last: $message->{failed}" : ''));
}

# With what it still waited for, and its last failure, if there were any
sub too_late
{
    my ($message) = @_;
    my $waited = defined $message->{waited} && $message->{visible} >= $message->{before}
      ? "; $message->{waited}" : '';
    my $last = defined $message->{failed} ? "; last: $message->{failed}" : '';
    finish($message, defined $message->{failed} ? 'failed' : 'skipped',
        'not sent before ' . stamp($message->{before}) . $waited . $last);
}

sub pause_message
{
    my ($user, $message) = @_;
    finish($message, 'skipped', 'check-ins are paused until ' . stamp($user->{paused}));
}

sub put_off
{
    my ($message, $until, $reason) = @_;
    @$message{ 'visible', 'claimed' } = ($until, 0);
    $message->{waited} = $reason;
}

# It is quiet and this message does not ignore it.
sub hold_back
{
    my ($user, $message) = @_;
    return pause_message($user, $message) if is_paused($user, $message);
    my $end = window_end(@$user{qw(zone from until)}, $now);
    my $reason = 'quiet hours until ' . stamp($end);
    return refuse($message, $reason) if kind_of($message)->{quiet} eq 'skip';
    return refuse($message, "$reason, past its send_before") if $end >= $message->{before};
    put_off($message, $end, $reason);
    $message->{quiet_end} = $end;
}

# Until when a cap has no room, by when its messages were started; 0 where it has
sub full_until
{
    my ($zone, $period, $most, @starts) = @_;
    return 0 if @starts < $most;
    if ($period =~ /\d/)
    {
        my $until = (sort { $b <=> $a } @starts)[ $most - 1 ] + $period;
        return $until > $now ? $until : 0;
    }
    my $count = grep { is_same_period($period, $zone, $_, $now) } @starts;
    return $count < $most ? 0 : period_end($period, $zone, $now);
}

# Until when one of a message's caps has no room
sub capped_until
{
    my ($user, $message) = @_;
    my $group = kind_of($message)->{group} // return 0;
    my @starts = map { $_->{at} } @{ $user->{starts}{$group} };
    my ($last) = sort { $b <=> $a } map { full_until($user->{zone}, @$_, @starts) } @{ $caps{$group} };
    return $last;
}

# It is over a cap.
sub hold_over
{
    my ($message, $until) = @_;
    my $reason = 'over the cap of group ' . kind_of($message)->{group};
    $became{'over a cap'}++;
    return refuse($message, $reason) if (kind_of($message)->{over} // '') eq 'skip' || $until >= $message->{before};
    put_off($message, $until, $reason);
}

# Its last start certainly failed.
sub uncount
{
    my ($message) = @_;
    my $starts = user_of($message)->{starts}{ kind_of($message)->{group} // return };
    my ($last) = grep { $starts->[$_]{name} eq $message->{name} } reverse 0 .. $#$starts;
    splice @$starts, $last, 1;
}

sub pending { return grep { $_->{status} eq 'pending' } @messages{ sort keys %messages }; }
sub is_due { return $_[0]{visible} <= $now && !($_[0]{claimed} && $_[0]{lease} > $now); }

# What a claim or maintenance gives up on
sub is_given_up
{
    my ($message) = @_;
    return 0 unless is_due($message);
    if ($message->{sending})
    {
        finish($message, 'unknown', 'no report after start_send');
        return 1;
    }
    return 0 if $message->{before} > $now;
    too_late($message);
    return 1;
}

# Why a check-in is not wanted any more, by the settings that have changed
sub refused_by
{
    my ($user, $before, $message, $due) = @_;
    my $is_paused_anew = $user->{paused} != $before->{paused} || $message->{due} >= $before->{paused};
    return 'check-ins are paused until ' . stamp($user->{paused}) if $user->{paused} > $due && $is_paused_anew;
    return 'the user has no check-in time' if !defined $user->{time} && defined $before->{time};
    return 'no check-in on this weekday'
      if $user->{days} ne $before->{days} && $user->{days} !~ weekday_of($message->{day});
    return;
}

sub follow_checkin
{
    my ($user, $before, $message) = @_;
    my $due = $message->{due};
    if (defined $user->{time} && $user->{time} != ($before->{time} // -1))
    {
        my $instant = first_instant($user->{zone}, $message->{day}, $user->{time});
        $due = $instant if $instant > $now;
    }
    if (my $reason = refused_by($user, $before, $message, $due)) { return finish($message, 'skipped', $reason); }
    return if $due == $message->{due};
    @$message{qw(due visible before claimed)} = ($due, $due, $due + 3600 * $kinds{checkin}{within}, 0);
}

# What is put off for quiet hours is due, and what is claimed given back, where they have changed
sub follow_quiet
{
    my ($user, $message) = @_;
    $message->{visible} = $now
      if defined $message->{quiet_end} && $message->{visible} > $now && $message->{visible} == $message->{quiet_end};
    $message->{claimed} = 0 if !$message->{sending} && is_stopped($user, $message);
}

# A user's settings have changed
sub follow
{
    my ($user, $before) = @_;
    my $is_changed = sub { return grep { ($before->{$_} // '') ne ($user->{$_} // '') } @_; };
    return unless $is_changed->(qw(zone from until paused time days));
    for my $message (grep { $_->{user} == $user->{number} } pending())
    {
        follow_quiet($user, $message) if $is_changed->(qw(zone from until));
        next if $message->{sending} || $message->{before} <= $now;
        if ($message->{kind} eq 'checkin') { follow_checkin($user, $before, $message); }
        elsif ($message->{visible} <= $now && is_paused($user, $message)) { pause_message($user, $message); }
    }
}

# The steps. Each changes the model, and returns the SQL that does so with the database, and what it is to return.
sub minutes_as_time
{
    my ($minutes) = @_;
    return defined $minutes ? sprintf("'%02d:%02d'", int $minutes / 60, $minutes % 60) : 'NULL';
}

sub some_time { return chance(0.15) ? undef : chance(0.3) ? 60 * int rand 24 : int rand 1440; }
sub some_days { return chance(0.5) ? '1,2,3,4,5,6,7' : join ',', grep { $_ == 1 || chance(0.7) } 1 .. 7; }
sub is_traveller { return $_[0]{number} % 2; }

# Who has check-ins stays in their zone.
sub change_checkin
{
    my ($user) = @_;
    $user->{time} = some_time() if chance(0.4);
    $user->{days} = some_days() if chance(0.2);
}

sub change_user
{
    my $user = one_of(@users);
    my %before = %$user;
    if (!is_traveller($user)) { change_checkin($user); }
    elsif (chance(0.5)) { $user->{zone} = one_of(@zones); }
    @$user{ 'from', 'until' } = (some_time(), some_time()) if chance(0.3);
    $user->{paused} = chance(0.4) ? 0 : $now + 3600 * int rand 30 if chance(0.4);
    follow($user, \%before);
    my $paused = $user->{paused} ? "'" . stamp($user->{paused}) . "'" : 'NULL';
    return "UPDATE companion.users SET timezone = '$user->{zone}', checkin_paused_until = $paused,
        quiet_from = @{[minutes_as_time($user->{from})]}, quiet_until = @{[minutes_as_time($user->{until})]},
        checkin_time = @{[minutes_as_time($user->{time})]}, checkin_days = '{$user->{days}}'
        WHERE telegram_user_id = $user->{number} + 1;";
}

my %enqueued; # the kinds of all that should be there, by name

sub enqueue
{
    my ($user, $key, $kind, $due, $before, @more) = @_;
    my $name = "$user->{number}/$key";
    $enqueued{$name} = $kind;
    return $messages{$name} = { name => $name, user => $user->{number}, key => $key, kind => $kind, due => $due,
        visible => $due, before => $before, attempt => 0, claimed => 0, sending => 0, status => 'pending', created => $now,
        reason => '', @more };
}

my $key = 0;

sub schedule
{
    my $sql = '';
    for (1 .. 1 + rand 10)
    {
        my ($user, $kind) = (one_of(@users), one_of(@scheduled_kinds));
        my $due = $now - 1800 + 60 * int rand 600;
        my $within = $kinds{$kind}{within};
        my $from = $due > $now ? $due : $now;
        my $on_reply = one_of(undef, undef, 0, 1);
        $key++;
        enqueue($user, $key, $kind, $due, defined $within ? $from + 3600 * $within : 9e12,
            on_reply => $on_reply // $kinds{$kind}{on_reply});
        $sql .= "SELECT FROM companion.users AS u, companion.schedule_message(u.id, '" . stamp($due) . "', 'hello',
            '$kind', idempotency_key => '$key', cancel_on_reply => @{[ ('false', 'true', 'NULL')[ $on_reply // 2 ] ]})
            WHERE telegram_user_id = $user->{number} + 1;";
    }
    return $sql;
}

my $last_tick = $now;

# A user's check-ins that are due since the last tick
sub find_checkins
{
    my ($user) = @_;
    for my $day (day_of($user->{zone}, $last_tick) .. day_of($user->{zone}, $now))
    {
        my $due = first_instant($user->{zone}, $day, $user->{time});
        my $key = 'checkin:' . POSIX::strftime('%Y-%m-%d', gmtime $day * 86400);
        next if $due <= $last_tick || $due > $now || $due < $user->{paused} || $user->{days} !~ weekday_of($day)
          || $enqueued{"$user->{number}/$key"};
        my $before = $due + 3600 * $kinds{checkin}{within};
        my $message = enqueue($user, $key, 'checkin', $due, $before, day => $day);
        finish($message, 'skipped', 'found late') if $before < $now;
    }
}

sub tick
{
    find_checkins($_) for grep { defined $_->{time} } @users;
    $last_tick = $now;
    return 'SELECT FROM companion.dispatch();';
}

# What is due and paused, of kinds that do not wait
sub skip_paused
{
    finish($_, 'skipped', 'sending is paused')
      for grep { is_due($_) && !$_->{sending} && $_->{before} > $now && (kind_of($_)->{closed} // '') eq 'skip'
          && is_sending_paused($_->{kind}) } pending();
}

sub claim
{
    my $lease = 60 + int rand 7200;
    my @claimed;
    skip_paused();
    for my $message (pending())
    {
        next if !is_due($message) || $message->{sending} || is_sending_paused($message->{kind});
        next if is_given_up($message);
        my $user = user_of($message);
        if (is_stopped($user, $message)) { hold_back($user, $message); next; }
        $message->{attempt}++;
        delete @$message{qw(quiet_end waited)};
        if (is_paused($user, $message)) { pause_message($user, $message); next; }
        @$message{ 'claimed', 'lease' } = (1, $now + $lease);
        push @claimed, "$message->{name}|$message->{attempt}";
    }
    return ("SELECT u.telegram_user_id - 1 || '/' || m.idempotency_key, c.attempt
        FROM companion.claim_messages('w', 10000, '$lease seconds') AS c
        JOIN companion.scheduled_messages AS m ON m.user_id = c.user_id AND m.id = c.message_id
        JOIN companion.users AS u ON u.id = m.user_id
        ORDER BY (u.telegram_user_id - 1 || '/' || m.idempotency_key || '|' || c.attempt) COLLATE \"C\";",
        sort @claimed);
}

my $share = 0.6; # of what is held, in a step

# Some that a worker holds, or has held, with the attempt of a claim
sub some_held
{
    my ($is_sending) = @_;
    return grep { $_->{attempt} > 0 && $_->{sending} == $is_sending && chance($share) } pending();
}

# A call for each of some messages
sub calls
{
    my ($function, $arguments, @messages) = @_;
    return join '', map { "SELECT '$function', '$_->{name}', companion.$function(u.id, m.id"
          . ($arguments =~ s/:attempt/$_->{attempt}/r) . ") FROM companion.users AS u
        JOIN companion.scheduled_messages AS m ON m.user_id = u.id AND m.idempotency_key = '$_->{key}'
        WHERE u.telegram_user_id = $_->{user} + 1;\n" } @messages;
}

# Whether a message starts
sub starts
{
    my ($message) = @_;
    my $user = user_of($message);
    return 0 unless $message->{claimed} && $message->{before} > $now;
    if (is_stopped($user, $message)) { hold_back($user, $message); return 0; }
    if (is_sending_paused($message->{kind})) { $message->{claimed} = 0; return 0; }
    if (my $until = capped_until($user, $message)) { hold_over($message, $until); return 0; }
    $message->{sending} = 1;
    $message->{lease} = $now + $send_timeout if $message->{lease} < $now + $send_timeout;
    my $group = kind_of($message)->{group};
    push @{ $user->{starts}{$group} }, { at => $now, name => $message->{name} } if defined $group;
    return 1;
}

# All in one call
sub start_at_once
{
    my (@held) = @_;
    my $place = 0;
    my $held = join ', ', map { $place++; "($place, $_->{user}, '$_->{key}', $_->{attempt})" } @held;
    return "WITH held AS (
            SELECT place, number || '/' || key AS name, m.user_id, m.id, attempt
            FROM (VALUES $held) AS h (place, number, key, attempt)
            JOIN companion.users AS u ON u.telegram_user_id = number + 1
            JOIN companion.scheduled_messages AS m ON m.user_id = u.id AND m.idempotency_key = key),
        at_once AS (
            SELECT array_agg(name ORDER BY place) AS names, companion.start_send_many(
                array_agg(user_id ORDER BY place), array_agg(id ORDER BY place), array_agg(attempt ORDER BY place))
                AS answers
            FROM held)
        SELECT 'start_send', a.* FROM at_once CROSS JOIN unnest(names, answers) AS a (name, answer);\n";
}

sub start
{
    my @held = some_held(0);
    my @answers = map { "start_send|$_->{name}|" . (starts($_) ? 't' : 'f') } @held;
    return (calls('start_send', ', :attempt', @held), @answers) if chance(0.5) || !@held;
    return (start_at_once(@held), @answers);
}

sub report_sent
{
    my @sending = some_held(1);
    finish($_, 'sent', '') for @sending;
    return (calls('mark_sent', ", :attempt, 'hello'", @sending), map { "mark_sent|$_->{name}|t" } @sending);
}

# Its send has failed, and it comes back after some seconds.
sub fail_message
{
    my ($message, $wait) = @_;
    uncount($message);
    @$message{qw(status reason failed visible claimed sending)} = ('pending', '', '502', $now + $wait, 0, 0);
    too_late($message) if $message->{visible} >= $message->{before};
}

sub failures
{
    my (@failed) = @_;
    my $wait = 1 + int rand 10000;
    fail_message($_, $wait) for @failed;
    return (calls('mark_failed', ", :attempt, '502', '$wait seconds'", @failed),
        map { "mark_failed|$_->{name}|t" } @failed);
}

sub report_failed { return failures(some_held(1)); }

sub report_failed_late
{
    return failures(grep { $_->{status} eq 'unknown' && chance(0.3) } @messages{ sort keys %messages });
}

sub release
{
    my @held = some_held(0);
    my @answers = map { "release_message|$_->{name}|" . ($_->{claimed} ? 't' : 'f') } @held;
    $_->{claimed} = 0 for @held;
    return (calls('release_message', ', :attempt', @held), @answers);
}

sub maintain
{
    my $count = grep { is_given_up($_) } pending();
    return ('SELECT companion.finish_abandoned();', $count);
}

# Some to cancel or to reschedule, also what is finished
sub some_messages { return grep { chance(0.04) } @messages{ sort keys %messages }; }

sub answer_of
{
    my ($message, $answer) = @_;
    return $message->{status} ne 'pending' ? 'finished' : $message->{sending} ? 'sending' : $answer;
}

sub cancel
{
    my @asked = some_messages();
    my @answers = map { "cancel_message|$_->{name}|"
          . ($_->{status} eq 'cancelled' ? 'cancelled' : answer_of($_, 'cancelled')) } @asked;
    finish($_, 'cancelled', 'not any more') for grep { answer_of($_, 'cancelled') eq 'cancelled' } @asked;
    return (calls('cancel_message', ", 'not any more'", @asked), @answers);
}

sub cancel_all
{
    my ($user, $kind) = (one_of(@users), one_of(sort keys %kinds));
    my @cancelled = grep { $_->{user} == $user->{number} && $_->{kind} eq $kind && !$_->{sending} } pending();
    finish($_, 'cancelled', 'none of them') for @cancelled;
    return ("SELECT companion.cancel_messages(id, '$kind', 'none of them') FROM companion.users
        WHERE telegram_user_id = $user->{number} + 1;", scalar @cancelled);
}

sub reply
{
    my $user = one_of(@users);
    my @cancelled = grep { $_->{user} == $user->{number} && $_->{on_reply} && !$_->{sending} } pending();
    finish($_, 'cancelled', 'the user has written') for @cancelled;
    return ("SELECT cancelled FROM companion.record_incoming('telegram', '@{[$user->{number} + 1]}', 'Hi');",
        scalar @cancelled);
}

sub reschedule
{
    my @asked = grep { $_->{kind} ne 'checkin' } some_messages();
    my $to = $now - 3600 + 60 * int rand 600;
    my @answers = map { "reschedule_message|$_->{name}|" . answer_of($_, 'rescheduled') } @asked;
    my $at = $to > $now ? $to : $now;
    for my $message (grep { answer_of($_, '') eq '' } @asked)
    {
        my $since = $message->{due} > $message->{created} ? $message->{due} : $message->{created};
        $message->{before} += $at - $since if $message->{before} < 9e12;
        @$message{qw(due visible claimed)} = ($at, $at, 0);
    }
    return (calls('reschedule_message', ", '" . stamp($to) . "'", @asked), @answers);
}

sub pause_sending
{
    my $kind = one_of('', '', @scheduled_kinds, 'checkin');
    my $until = chance(0.3) ? 9e12 : $now - 600 + int rand 20000;
    my $until_text = $until == 9e12 ? 'NULL' : "'" . stamp($until) . "'";
    $pauses{$kind} = $until;
    return ("SELECT companion.pause_sending('telegram', nullif('$kind', ''), $until_text, 'too many');",
        $until > $now ? 't' : 'f');
}

sub resume_sending
{
    my $kind = (grep { $pauses{$_} > $now && chance(0.5) } sort keys %pauses)[0] // one_of('', @scheduled_kinds);
    my $was_paused = ($pauses{$kind} // 0) > $now;
    delete $pauses{$kind};
    return ("SELECT companion.resume_sending('telegram', nullif('$kind', ''));", $was_paused ? 't' : 'f');
}

# How the database stands; what is finished, when it has just become so. Some words are the extension's own.
my $standing = <<'SQL';
SELECT u.telegram_user_id - 1 || '/' || m.idempotency_key, m.status,
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(coalesce(m.failure_reason, ''),
        'over the cap of [^;]* of group', 'over the cap of group'),
        '^sending.* is paused.*', 'sending is paused'), '^found .* late,.*', 'found late'),
        '^(check-ins.*|no report.*); last: .*', '\1'),
    extract(epoch FROM q.visible_at)::bigint, q.attempt, q.leased_until > '-infinity', q.sending
FROM companion.scheduled_messages AS m
JOIN companion.users AS u ON u.id = m.user_id
LEFT JOIN companion.dispatch_queue AS q ON q.user_id = m.user_id AND q.message_id = m.id
WHERE m.status = 'pending' OR m.finished_at = companion.now();
SQL

sub as_standing
{
    my ($message) = @_;
    my @queue = $message->{status} ne 'pending' ? ('') x 4
      : (@$message{ 'visible', 'attempt' }, map { $message->{$_} ? 't' : 'f' } 'claimed', 'sending');
    return join '|', @$message{ 'name', 'status', 'reason' }, @queue;
}

# What has changed or is pending; those with the status that they had before the step are not looked at.
sub standing
{
    my (%before) = @_;
    return grep { $_->{status} eq 'pending' || $_->{status} ne ($before{ $_->{name} } // '') } values %messages;
}

sub count_outcome
{
    my ($message) = @_;
    my ($reason) = $message->{reason} =~ /^(\w+(?:-\w+)? \w+)/;
    $became{ $message->{status} . ($reason ? ": $reason" : '') }++;
}

# A step as it is to be, with the world that it happens in
sub step
{
    my ($do) = @_;
    my @world = map { { %$_{qw(zone from until)} } } @users;
    my %before = map { $_->{name} => $_->{status} } values %messages;
    my ($sql, @answers) = $do->();
    my @standing = standing(%before);
    count_outcome($_) for grep { $_->{status} ne 'pending' } @standing;
    return { at => $now, sql => $sql, expected => [ @answers, sort map { as_standing($_) } @standing ],
        answers => scalar @answers, users => \@world, pauses => {%pauses} };
}

# Some of what is finished stays, to be asked about.
sub forget
{
    delete @messages{ grep { $messages{$_}{status} ne 'pending' && chance(0.02) } sort keys %messages };
}

my (@starts, %is_cancelled, %wrong);

# Judge what the database has started, by the step's own world alone
sub judge_start
{
    my ($step, $name) = @_;
    my $kind = $enqueued{$name};
    my ($number) = $name =~ /^(\d+)/;
    my $user = $step->{users}[$number];
    push @starts, { name => $name, at => $step->{at}, zone => $user->{zone}, group => $kinds{$kind}{group},
        user => $number };
    $wrong{"$name was started in quiet hours"} = 1
      if $kinds{$kind}{quiet} ne 'ignore' && is_in_window(@$user{qw(zone from until)}, $step->{at});
    $wrong{"$name was started after its cancel"} = 1 if $is_cancelled{$name};
    $wrong{"$name was started while paused"} = 1
      if grep { $step->{pauses}{$_} > $step->{at} && ($_ eq '' || $_ eq $kind) } keys %{ $step->{pauses} };
}

sub judge
{
    my ($step, @answers) = @_;
    for (@answers)
    {
        $is_cancelled{$1} = 1 if /^cancel_message\|(.*)\|cancelled$/;
        judge_start($step, $1) if /^start_send\|(.*)\|t$/;
    }
}

sub rows_without
{
    my ($rows, $others) = @_;
    my %others = map { $_ => 1 } @$others;
    return grep { !$others{$_} } @$rows;
}

# Whether a step's rows are as they are to be
sub is_as_expected
{
    my ($step, @rows) = @_;
    judge($step, @rows);
    my $answers = $step->{answers};
    @rows = (@rows[ 0 .. $answers - 1 ], sort @rows[ $answers .. $#rows ]);
    return 1 if "@rows" eq "@{ $step->{expected} }";
    diag('at ' . stamp($step->{at}) . " after: $step->{sql}");
    diag('is: ', join ' ', rows_without(\@rows, $step->{expected}));
    diag('should be: ', join ' ', rows_without($step->{expected}, \@rows));
    return 0;
}

# Do steps, in one session
sub are_as_expected
{
    my (@steps) = @_;
    my $sql = join '', map { "SELECT '== step'; SET companion.clock = '" . stamp($_->{at}) . "';\n$_->{sql}$standing" }
      @steps;
    my (undef, @rows) = split /^== step\n/m, $node->safe_psql('postgres', $sql) . "\n";
    for my $place (0 .. $#steps)
    {
        return 0 unless is_as_expected($steps[$place], split /\n/, $rows[$place]);
    }
    return 1;
}

my $settings = join '', map {
    my $kind = $kinds{$_};
    "INSERT INTO companion.kinds (kind, quiet, send_within, max_tries, respects_pause, cancel_on_reply,
        cap_group, over_cap, when_closed)
    VALUES ('$_', '$kind->{quiet}', " . (defined $kind->{within} ? "'$kind->{within} hours'" : 'NULL') . ", 1000,
        @{[ $kind->{respects_pause} // 0 ]} = 1, @{[ $kind->{on_reply} // 0 ]} = 1,
        nullif('@{[ $kind->{group} // '' ]}', ''),
        '@{[ $kind->{over} // 'defer' ]}', '@{[ $kind->{closed} // 'wait' ]}');\n"
} sort keys %kinds;
for my $group (sort keys %caps)
{
    $settings .= "INSERT INTO companion.caps (cap_group, local_period, rolling, max_messages) VALUES ('$group', "
      . ($_->[0] =~ /\d/ ? "NULL, '$_->[0] seconds'" : "'$_->[0]', NULL") . ", $_->[1]);\n" for @{ $caps{$group} };
}
for my $number (0 .. 39)
{
    my $user = { number => $number, zone => one_of(@zones), paused => 0, days => some_days(), starts => {} };
    @$user{ 'from', 'until' } = chance(0.5) ? (22 * 60, 7 * 60) : (some_time(), some_time()) if chance(0.8);
    $user->{time} = some_time() unless is_traveller($user);
    push @users, $user;
    $settings .= "INSERT INTO companion.users
            (telegram_user_id, timezone, quiet_from, quiet_until, checkin_time, checkin_days, onboarding_completed_at)
        VALUES ($number + 1, '$user->{zone}', @{[minutes_as_time($user->{from})]}, @{[minutes_as_time($user->{until})]},
            @{[minutes_as_time($user->{time})]}, '{$user->{days}}', '2026-01-01');\n";
}
$node->safe_psql('postgres', "CREATE EXTENSION companion; SET companion.clock = '" . stamp($now) . "';
    $settings SELECT companion.rewind_dispatch('" . stamp($now) . "');");

my @of_workers = ((\&claim) x 6, (\&start) x 6, (\&report_sent) x 3, \&report_failed, \&release, \&report_failed_late);
my @of_others = ((\&schedule) x 3, (\&change_user) x 4, \&maintain, \&cancel, \&cancel_all, \&reschedule, (\&reply) x 3,
    \&pause_sending, (\&resume_sending) x 2);
my %down_until = (workers => 0, dispatch => 0);

sub some_step
{
    my @steps = @of_others;
    push @steps, @of_workers if $down_until{workers} < $now;
    push @steps, (\&tick) x 6 if $down_until{dispatch} < $now;
    $down_until{ one_of('workers', 'dispatch') } = $now + 3600 * (1 + rand 20) if chance(0.003);
    return one_of(@steps);
}

# A second, minutes or hours; now and then to the very end of quiet hours
sub pass_time
{
    my $user = one_of(@users);
    $now += 1 + (chance(0.3) ? 0 : chance(0.7) ? int rand 600 : int rand 3600);
    $now = window_end(@$user{qw(zone from until)}, $now) if chance(0.04) && is_quiet($user, $now);
}

my $count = 0;
my $is_well = 1;
while ($is_well && $now < $first + 14 * 86400)
{
    my @steps;
    for (1 .. 30)
    {
        pass_time();
        push @steps, step(some_step());
        forget();
    }
    $is_well = are_as_expected(@steps);
    $count += @steps;
}
ok($is_well, "all is as the model says ($context)");

# In peace: what can be sent is sent
sub work_off
{
    $now += 5 * 3600 + int rand 3600;
    my @steps;
    for my $do (\&tick, \&claim, \&start, \&report_sent, \&maintain)
    {
        $now++;
        push @steps, step($do);
    }
    return @steps;
}

sub resume_all
{
    %pauses = ();
    return 'UPDATE companion.sending_pauses SET until = companion.now()
        WHERE until IS NULL OR until > companion.now();';
}

$share = 1;
$now++;
$is_well &&= are_as_expected(step(\&resume_all));
for (1 .. 8)
{
    last unless $is_well && pending();
    $is_well = are_as_expected(map { work_off() } 1 .. 10);
}
ok($is_well, "what is left is worked off as the model says ($context)");

is_deeply([ sort keys %wrong ], [], "nothing was started that may not ($context)");

# What was sent, by its last start, has passed no cap by the clock of the zone at that time.
my %status = map { split /\|/ } split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT u.telegram_user_id - 1 || '/' || m.idempotency_key, m.status
FROM companion.scheduled_messages AS m JOIN companion.users AS u ON u.id = m.user_id
SQL
my %sent = map { $_->{name} => $_ } grep { defined $_->{group} && $status{ $_->{name} } =~ /sent|unknown/ } @starts;
my %sent_to;
push @{ $sent_to{"$_->{user} $_->{group}"} }, $_ for sort { $a->{at} <=> $b->{at} } values %sent;

sub number_within
{
    my ($period, $start, @until_then) = @_;
    return scalar grep { $period =~ /\d/ ? $_->{at} > $start->{at} - $period
        : is_same_period($period, $start->{zone}, $_->{at}, $start->{at}) } @until_then;
}

my @passed;
for my $to (sort keys %sent_to)
{
    my @until_then;
    for my $start (@{ $sent_to{$to} })
    {
        push @until_then, $start;
        push @passed, map { "$start->{name}: $to, $_->[1] by $_->[0]" }
          grep { number_within($_->[0], $start, @until_then) > $_->[1] } @{ $caps{ $start->{group} } };
    }
}
is_deeply(\@passed, [], "no cap was passed ($context)");
is_deeply([ sort keys %status ], [ sort keys %enqueued ], "nothing is lost or came from nowhere ($context)");
is_deeply([ grep { $status{$_} ne 'cancelled' } sort keys %is_cancelled ], [],
    "what was cancelled stays so ($context)");
is_deeply([ grep { $status{$_} eq 'pending' && $messages{$_}{visible} <= $now } sort keys %status ], [],
    "nothing that may go is left ($context)");

note "$count steps: ", join ', ', map { "$became{$_} $_" } sort keys %became;
ok($became{$_}, "some $_") for 'sent', 'unknown: no report', 'cancelled: not any', 'cancelled: the user',
  'skipped: quiet hours', 'skipped: check-ins are', 'skipped: not sent', 'over a cap', 'skipped: sending is',
  'failed: not sent';

done_testing();
