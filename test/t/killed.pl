# Everything is killed at random for some time: workers at every point between claim and mark, or
# stalled until their leases have run out, the server's backends, one or all, the whole server, which
# may stay down; or every connection is taken. Beside them sit squatters, who hold what belongs to
# users whose messages are in hand, and a reader, who keeps old rows from being removed. In the end
# each check-in was sent once, or is unknown because its worker died after start_send; none was sent
# twice, and none is lost. Users link, unlink and block Telegram meanwhile: none went to an address
# that its user never had. Some change their minds about their check-ins, an app schedules reminders,
# of which there is a cap, and cancels, an operator pauses and slows down sending: what was started
# was not cancelled, paused, opted out of, in quiet hours or over the cap. And no message took longer
# from its claim to the answer to mark_sent than the bound below, but for those whose user was held or
# whose worker was stalled, and while the server was down.
#
# KILLED_SECONDS sets for how long, KILLED_SEED repeats the choices (not the machine's timing).
use strict;
use warnings;

use File::Basename;
use List::Util qw(max shuffle);
use POSIX qw(WNOHANG);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

eval { require DBD::Pg } or plan skip_all => 'DBD::Pg is not installed';

my $seconds = $ENV{KILLED_SECONDS} // 30;
my $seed = $ENV{KILLED_SEED} // time ^ $$;
my $context = "KILLED_SECONDS=$seconds KILLED_SEED=$seed";
note $context;
srand $seed;

my $workers = 4;
my $squatters = 10;
my $longest_squat = max(15, $seconds / 6);
my $longest_pause = 1;
my $kills_in_storm = max(10, $seconds / 15);
my $is_soak = $seconds > 60; # which has all that can happen
my $latency_bound = 10; # seconds; generous, since the machine is slow at times, but below a squat
my $users = 20000;
my $begin = '2026-03-01 00:00+00';

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<"CONF");
restart_after_crash = on
log_statement = none
companion.clock = '$begin'
companion.max_claims = 1000
companion.send_timeout = 1s
companion.min_gap = 0
CONF
$node->start;
@ENV{qw(PGHOST PGPORT PGDATABASE)} = ($node->host, $node->port, 'postgres');

# What a query returns
sub query
{
    my ($sql) = @_;
    return $node->safe_psql('postgres', $sql);
}

query('CREATE EXTENSION companion');
query(<<'SQL');
UPDATE companion.kinds SET send_within = '7 days' WHERE kind = 'checkin';
INSERT INTO companion.kinds (kind, send_within, respects_pause, cap_group)
VALUES ('reminder', '3 hours', true, 'reminders');
INSERT INTO companion.caps (cap_group, rolling, max_messages)
VALUES ('reminders', '4 hours', 3), ('reminders', '30 minutes', 1);
SQL
query(slurp_file(dirname(__FILE__) . '/occasions.sql'));
query(<<"SQL");
CREATE ROLE worker LOGIN IN ROLE companion_worker;
CREATE ROLE person LOGIN IN ROLE companion_user;
CREATE ROLE operator LOGIN IN ROLE companion_admin;
SELECT companion.rewind_dispatch('$begin');
INSERT INTO companion.users
    (timezone, checkin_time, onboarding_completed_at, telegram_user_id, preferred_channel)
SELECT ('{UTC,Europe/Berlin,America/New_York,Asia/Kathmandu,Pacific/Apia}'::text[])[1 + n % 5],
    time '00:00' + n * interval '1 day' / $users, '2026-01-01', n, 'telegram'
FROM generate_series(1, $users) AS n;
-- One in seven has quiet hours around the check-in, a few are fickle.
UPDATE companion.users
SET quiet_from = checkin_time - interval '10 minutes', quiet_until = checkin_time + interval '15 minutes'
WHERE telegram_user_id % 7 = 0;
CREATE TABLE accounts AS
SELECT id AS user_id, telegram_user_id AS account, telegram_user_id % 400 = 1 AS is_fickle FROM companion.users;
ALTER TABLE accounts ADD PRIMARY KEY (user_id);
GRANT SELECT ON accounts TO worker
SQL

my $folder = $node->basedir;
my $programs = dirname(__FILE__) . '/killed';
my $messenger_process = open my $messenger, '-|', $^X, "$programs/messenger.pl", "$folder/sent"
  or die "messenger: $!";
chomp(my $messenger_port = <$messenger>);

# A deck of cards that is shuffled anew when it has been dealt.
sub deck
{
    my @cards = @_;
    my @rest;
    return sub { @rest = shuffle(@cards) unless @rest; return shift @rest; };
}

my %running; # the name of each process, by its id
my ($workers_started, $squatters_started) = (0, 0);
my %dead_workers; # by name
my @failed;
my %killed; # how many, by kind
my $apps = 2;

sub start_process
{
    my ($name, @command) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid)
    {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', "$folder/said by $name";
        exec @command or POSIX::_exit(127);
    }
    $running{$pid} = $name;
}

sub processes
{
    my ($pattern) = @_;
    return grep { $running{$_} =~ $pattern } sort keys %running;
}

# With a seed the worker will kill itself.
sub start_worker
{
    my @seed = @_;
    my $name = 'worker ' . ++$workers_started;
    start_process($name, $^X, "$programs/worker.pl", $name, $messenger_port, $folder, @seed);
}

sub start_mortal_workers
{
    start_worker($seed + $workers_started) while processes(qr/^worker/) < $workers;
}

sub start_immortal_workers
{
    start_worker() while processes(qr/^worker/) < $workers;
}

sub start_squatters
{
    while (processes(qr/^squatter/) < $squatters)
    {
        my $name = 'squatter ' . ++$squatters_started;
        start_process($name, $^X, "$programs/squatter.pl", $folder, $longest_squat,
            $seed + $squatters_started);
    }
}

sub start_others
{
    for my $part (0 .. $apps - 1)
    {
        start_process("app $part", $^X, "$programs/app.pl", $folder, $part, $apps, $seed + $part);
    }
    start_process('operator', $^X, "$programs/operator.pl", $folder, $longest_pause, $seed);
}

# They end what they have begun.
sub stop_others
{
    kill 'TERM', processes(qr/^(app|operator)/);
    keep_on(sub { }, sub { !processes(qr/^(app|operator)/) });
}

sub start_reader
{
    start_process('reader', $^X, "$programs/reader.pl", $longest_squat) unless processes(qr/^reader/);
}

# A tick of the scheduler, unless the one before is still running
sub start_tick
{
    my ($until, $step) = @_;
    return if processes(qr/^tick/);
    start_process('tick', 'psql', '-Xq', '--variable', "until=$until", '--variable', "step=$step",
        '--file', "$programs/tick.sql");
}

END
{
    local $?;
    kill 'KILL', keys %running, $messenger_process;
    close $messenger;
}

# Take note of a process that has ended: killed, or because it was told to stop
sub note_death
{
    my ($name, $status) = @_;
    return if $status == 0;
    # By TERM only who had not begun: who has, finishes
    push @failed, "$name: status $status: " . slurp_file("$folder/said by $name")
      if $status != 9 && $status != 15;
    $dead_workers{$name} = 1 if $name =~ /^worker/;
}

sub reap
{
    for my $pid (keys %running)
    {
        next unless waitpid($pid, WNOHANG) == $pid;
        my $name = delete $running{$pid};
        note_death($name, $?) if $name =~ /^(worker|squatter|app|operator)/;
    }
}

# Keep doing something until a condition holds, or for the server's usual timeout
sub keep_on
{
    my ($work, $is_done) = @_;
    my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;
    until ($is_done->())
    {
        die 'timed out' if time > $deadline;
        $work->();
        reap();
        sleep 0.05;
    }
}

# Some worker's process id; nothing when all are dead
sub pick_worker
{
    my @pids = processes(qr/^worker/);
    return $pids[ rand @pids ];
}

sub kill_worker
{
    my $pid = pick_worker();
    $killed{'worker at any time'} += kill 'KILL', $pid if $pid;
}

# Until the next kill: its leases run out, and it does not know
my %stalled; # since when, by name
my @stalls;  # whose, from when, until when
sub stall_worker
{
    my $pid = pick_worker() or return;
    $stalled{ $running{$pid} } = time;
    $killed{'worker, stalled only'} += kill 'STOP', $pid;
}

sub resume_workers
{
    kill 'CONT', processes(qr/^worker/);
    push @stalls, map { [ $_, $stalled{$_}, time ] } keys %stalled;
    %stalled = ();
}

sub kill_squatter
{
    my @pids = processes(qr/^squatter/);
    $killed{squatter} += kill 'KILL', $pids[ rand @pids ] if @pids;
}

# Somebody's transaction that does nothing
sub end_transaction
{
    my ($pid) = run_command([ 'psql', '-XAtq', '-c', <<'SQL' ]);
SELECT pid FROM pg_stat_activity
WHERE state = 'idle in transaction' AND pg_terminate_backend(pid) ORDER BY random() LIMIT 1
SQL
    $killed{'backend, by pg_terminate_backend'}++ if $pid;
}

# All that do something, the workers' too; each of these finds its connection gone
sub end_all_transactions
{
    my ($ended) = run_command([ 'psql', '-XAtq', '-c', <<'SQL' ]);
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND state IN ('active', 'idle in transaction')
    AND pid <> pg_backend_pid()
SQL
    $killed{'backend, by pg_terminate_backend'} += $ended || 0;
}

# Who has to connect anew cannot, for some seconds
sub crowd_out
{
    return if processes(qr/^crowd/);
    start_process('crowd', $^X, "$programs/crowd.pl", 1 + int rand 3);
    $killed{'connections, all taken'}++;
}

my @downtimes; # from when, until when

sub wait_for_server
{
    keep_on(sub { }, sub { system_log('psql', '-Xq', '-c', 'SELECT') == 0 });
}

# A backend in the middle of a statement, if there is one
sub kill_backend
{
    my ($pid) = run_command([ 'psql', '-XAtq', '-c', <<'SQL' ]);
SELECT pid FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
ORDER BY state = 'active' DESC, random() LIMIT 1
SQL
    my $from = time;
    return unless $pid && kill 'KILL', $pid;
    $killed{backend}++;
    sleep 0.2; # until the postmaster knows
    wait_for_server();
    push @downtimes, [ $from, time ];
}

# The backends of a postmaster that was killed may be there still
sub start_server
{
    my $is_started;
    keep_on(sub { $is_started = $node->start(fail_ok => 1) }, sub { $is_started });
}

sub stop_server
{
    my $from = time;
    $node->stop('immediate');
    $killed{'server, by immediate stop'}++;
    start_server();
    push @downtimes, [ $from, time ];
}

sub keep_server_down
{
    my $from = time;
    $node->stop('fast');
    $killed{'server, stopped and down for seconds'}++;
    sleep 1 + rand 4;
    start_server();
    push @downtimes, [ $from, time ];
}

sub kill_postmaster
{
    my ($from, $postmaster) = (time, $node->{_pid});
    $node->kill9;
    keep_on(sub { }, sub { !kill 0, $postmaster });
    $killed{'server, by SIGKILL'}++;
    start_server();
    push @downtimes, [ $from, time ];
}

# Storms, in which neither the server nor a worker lasts; and after each a time when they mostly do,
# which the longest transaction of a squatter fits into.
my $next_kill = deck((\&kill_worker) x 2, (\&stall_worker) x 3, (\&kill_backend) x 3,
    \&stop_server, \&kill_postmaster,
    $is_soak ? ((\&end_all_transactions) x 2, \&crowd_out, \&keep_server_down) : ());
my $next_small_kill = deck(\&kill_worker, \&stall_worker, \&kill_squatter, \&end_transaction);
my $end = time + $seconds;

sub kill_after
{
    my ($longest_pause, $start_workers, $next) = @_;
    my $pause_end = time + rand $longest_pause;
    keep_on(
        sub { $start_workers->(); start_squatters(); start_reader() if $is_soak;
            start_tick('infinity', '2 minutes') },
        sub { time > $pause_end });
    resume_workers();
    $next->()->();
}

# They finish what they have begun, however long a squatter holds it
sub stop_workers
{
    kill 'TERM', processes(qr/^worker/);
    keep_on(sub { }, sub { !processes(qr/^worker/) });
}

start_others();
while (time < $end)
{
    kill_after(1.5, \&start_mortal_workers, $next_kill) for 1 .. $kills_in_storm;
    my $calm_end = time + $longest_squat * 1.5;
    kill_after($longest_squat / 3, \&start_immortal_workers, $next_small_kill)
      while time < $calm_end;
    resume_workers();
    stop_workers();
}

# In peace: workers that live, and a scheduler that goes no further.
stop_others();
kill 'KILL', processes(qr/^(squatter|reader|crowd)/);
keep_on(sub { }, sub { !%running });
$node->poll_query_until('postgres', 'SELECT true');
my $until = query('SELECT companion.now()');
my $is_drained = <<"SQL";
SELECT previous_tick = '$until' AND NOT EXISTS (SELECT FROM companion.dispatch_queue)
    AND NOT EXISTS (SELECT FROM companion.dispatch_recheck)
FROM companion.dispatch_state
SQL
keep_on(sub { start_immortal_workers(); start_tick($until, '20 minutes') },
    sub { query($is_drained) eq 't' });
stop_workers();
keep_on(sub { }, sub { !%running });

sub find_none
{
    my ($what, $sql) = @_;
    is(query($sql), '', "no $what ($context)");
}

# What the outside and the workers remember, beside what the database does.
my $dead_workers = join ',', map { "('$_')" } sort keys %dead_workers;
query(<<"SQL");
CREATE TABLE delivered (place bigint, message_id uuid, address text);
COPY delivered FROM '$folder/sent';
CREATE TABLE journal (event text, message_id uuid, attempt integer);
COPY journal FROM '$folder/journal';
CREATE TABLE latencies
    (user_id uuid, message_id uuid, worker text, from_at numeric, until_at numeric);
COPY latencies FROM '$folder/latencies';
CREATE TABLE starts (message_id uuid, channel text, asked numeric, answered numeric, clock timestamptz);
COPY starts FROM '$folder/starts';
CREATE TABLE answers (answer text, subject uuid, from_at numeric, until_at numeric);
COPY answers FROM '$folder/answers';
CREATE TABLE stops (kind text, channel text, from_at numeric, until_at numeric, until timestamptz);
COPY stops FROM '$folder/stops';
CREATE VIEW started AS
SELECT s.*, m.user_id, m.kind, u.timezone, a.is_fickle, u.quiet_from, u.quiet_until
FROM starts AS s JOIN companion.scheduled_messages AS m ON m.id = s.message_id
JOIN companion.users AS u ON u.id = m.user_id JOIN accounts AS a ON a.user_id = m.user_id;
CREATE TABLE held (user_id uuid, from_at numeric, until_at numeric);
COPY held FROM '$folder/held';
CREATE TABLE dead_workers (name) AS VALUES $dead_workers;
CREATE TABLE stalls (worker text, from_at numeric, until_at numeric);
CREATE TABLE downtimes (from_at numeric, until_at numeric);
SQL
query("INSERT INTO stalls VALUES ('$_->[0]', $_->[1], $_->[2])") for @stalls;
query("INSERT INTO downtimes VALUES ($_->[0], $_->[1])") for @downtimes;
# Of a squatter that was killed nobody knows when its transaction ended
query(<<"SQL");
CREATE VIEW squats AS
SELECT user_id, from_at, coalesce(max(until_at), from_at + $longest_squat + 5) AS until_at
FROM held GROUP BY user_id, from_at;
CREATE VIEW undisturbed AS
SELECT l.*, until_at - from_at AS seconds FROM latencies AS l
WHERE NOT EXISTS (SELECT FROM squats AS s WHERE s.user_id = l.user_id
        AND s.from_at < l.until_at AND s.until_at > l.from_at)
    AND NOT EXISTS (SELECT FROM stalls AS s WHERE s.worker = l.worker
        AND s.from_at < l.until_at AND s.until_at > l.from_at)
    AND NOT EXISTS (SELECT FROM downtimes AS d
        WHERE d.from_at < l.until_at AND d.until_at > l.from_at);
SQL

is_deeply(\@failed, [], "no worker, squatter or app had an error ($context)");
isnt(query('SELECT count(*) FROM delivered'), '0', "messages were sent ($context)");
isnt(query(q{SELECT count(*) FROM started WHERE kind = 'reminder'}), '0', "reminders among them ($context)");
find_none('occasion without its one message', <<"SQL");
WITH steady AS (SELECT user_id FROM accounts WHERE NOT is_fickle),
occasions AS (SELECT o.* FROM occasions('$begin', '$until') AS o JOIN steady USING (user_id)),
messages AS (SELECT user_id, local_date, scheduled_for FROM companion.scheduled_messages JOIN steady USING (user_id))
(TABLE occasions EXCEPT ALL TABLE messages) UNION ALL (TABLE messages EXCEPT ALL TABLE occasions)
SQL
find_none('message that was sent twice', <<'SQL');
SELECT message_id, count(*) FROM delivered GROUP BY 1 HAVING count(*) > 1
SQL
find_none('message that went where its user never was', <<'SQL');
SELECT d.* FROM delivered AS d JOIN companion.scheduled_messages AS m ON m.id = d.message_id
WHERE d.address <> m.user_id::text
  AND NOT EXISTS (SELECT FROM companion.addresses AS a WHERE a.user_id = m.user_id AND a.address = d.address)
SQL
find_none('message that is neither sent nor unknown, but for those of the fickle', <<'SQL');
SELECT m.id, m.kind, status, failure_reason FROM companion.scheduled_messages AS m JOIN accounts AS a USING (user_id)
WHERE status NOT IN ('sent', 'unknown') AND NOT (is_fickle AND status IN ('skipped', 'cancelled')
    OR kind = 'reminder' AND status = 'failed' AND failure_reason LIKE 'not sent before %')
SQL
find_none('reminder that is lost', <<'SQL');
SELECT subject FROM answers
WHERE answer = 'scheduled' AND subject NOT IN (SELECT id FROM companion.scheduled_messages WHERE kind = 'reminder')
SQL
find_none('message that was sent, or is said to be, and whose cancel was answered', <<'SQL');
SELECT m.id, m.status, d.place FROM answers AS a JOIN companion.scheduled_messages AS m ON m.id = a.subject
LEFT JOIN delivered AS d ON d.message_id = m.id
WHERE answer = 'cancelled' AND (m.status <> 'cancelled' OR d.place IS NOT NULL)
SQL
# A check-in that was started before, and failed, comes back.
find_none('check-in that was started while its user had opted out, or message in a pause', <<'SQL');
SELECT s.* FROM started AS s
JOIN answers AS a ON a.subject = s.user_id AND (a.answer = 'paused' OR a.answer = 'opted out' AND s.kind = 'checkin')
WHERE s.asked > a.from_at AND s.answered < a.until_at
    AND NOT EXISTS (SELECT FROM starts AS e
        WHERE a.answer = 'opted out' AND e.message_id = s.message_id AND e.asked < a.from_at)
SQL
find_none('message that was started while sending was paused or throttled', <<'SQL');
SELECT s.*, p.from_at FROM started AS s JOIN stops AS p
ON p.kind IN ('', s.kind) AND p.channel IN ('', s.channel) AND s.asked > p.from_at AND s.answered < p.until_at
    AND s.clock < p.until
SQL
find_none('message that was started in quiet hours', <<'SQL');
SELECT s.*, shown.at FROM started AS s
CROSS JOIN LATERAL (SELECT (s.clock AT TIME ZONE s.timezone)::time AS at) AS shown
WHERE NOT is_fickle AND CASE WHEN quiet_from <= quiet_until THEN shown.at >= quiet_from AND shown.at < quiet_until
    ELSE shown.at >= quiet_from OR shown.at < quiet_until END
SQL
find_none('user to whom more was sent than the caps allow', <<'SQL');
WITH sent AS (
    SELECT user_id, message_id, max(clock) AS at FROM started JOIN delivered USING (message_id)
    WHERE kind = 'reminder' GROUP BY 1, 2)
SELECT s.user_id, s.at, count(*) FILTER (WHERE e.at > s.at - interval '30 minutes'), count(*)
FROM sent AS s JOIN sent AS e ON e.user_id = s.user_id AND e.at > s.at - interval '4 hours' AND e.at <= s.at
GROUP BY 1, 2, s.message_id HAVING count(*) > 3 OR count(*) FILTER (WHERE e.at > s.at - interval '30 minutes') > 1
SQL
find_none('message that counts as sent and was not, or was sent and does not count', <<'SQL');
SELECT m.id, m.status, d.place
FROM companion.scheduled_messages AS m FULL JOIN delivered AS d ON d.message_id = m.id
WHERE m.status IS DISTINCT FROM 'unknown'
  AND (m.status = 'sent') IS DISTINCT FROM (d.place IS NOT NULL)
SQL
find_none('unknown message of a worker that lived and had an answer to start_send', <<'SQL');
SELECT m.id, m.worker FROM companion.scheduled_messages AS m
WHERE m.status = 'unknown' AND m.worker NOT IN (SELECT name FROM dead_workers)
  AND NOT EXISTS (SELECT FROM journal AS j WHERE j.event = 'unanswered' AND j.message_id = m.id
                  AND j.attempt = m.attempts)
SQL
find_none('message whose mark_sent has succeeded and that is not sent', <<'SQL');
SELECT id, status FROM companion.scheduled_messages
WHERE status <> 'sent' AND id IN (SELECT message_id FROM journal WHERE event = 'reported')
SQL
find_none('sent message that is not filed, or filed one that was not sent', <<'SQL');
SELECT m.id, f.id
FROM (SELECT m.*, d.place
      FROM companion.scheduled_messages AS m JOIN delivered AS d ON d.message_id = m.id
      WHERE m.status = 'sent') AS m
FULL JOIN (companion.messages AS f JOIN companion.conversations AS c
    ON c.user_id = f.user_id AND c.id = f.conversation_id AND c.initiated_by = 'companion'
        AND f.role = 'assistant')
ON f.user_id = m.user_id AND f.id = m.message_id AND c.id = m.conversation_id
    AND f.telegram_message_id = m.place
WHERE m.id IS NULL OR f.id IS NULL
SQL

isnt(query(q{SELECT count(*) FROM journal WHERE event = 'held'}), '0',
    "reports met what squatters held ($context)");
find_none("message that took over $latency_bound s to mark_sent while nothing held it up",
    "SELECT * FROM undisturbed WHERE seconds > $latency_bound");

note "$context: " . query(<<'SQL');
SELECT format('%s to %s: %s occasions, %s sent, %s unknown of which %s went out; '
        '%s further attempts, %s times start_send refused',
    min(scheduled_for), max(scheduled_for), count(*),
    count(*) FILTER (WHERE status = 'sent'), count(*) FILTER (WHERE status = 'unknown'),
    count(*) FILTER (WHERE status = 'unknown' AND id IN (SELECT message_id FROM delivered)),
    sum(attempts - 1), (SELECT count(*) FROM journal WHERE event = 'refused'))
FROM companion.scheduled_messages
SQL
note 'claim to mark_sent: ' . query(<<'SQL');
SELECT format('%s of %s messages were undisturbed; half took up to %s s, 99 of 100 up to %s s, '
        'all up to %s s; %s transactions of squatters held up to %s s, and %s times a report',
    count(*), (SELECT count(*) FROM latencies),
    round(percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds), 3),
    round(percentile_disc(0.99) WITHIN GROUP (ORDER BY seconds), 3), round(max(seconds), 3),
    (SELECT count(*) FROM squats), (SELECT round(max(until_at - from_at), 1) FROM held),
    (SELECT count(*) FROM journal WHERE event = 'held'))
FROM undisturbed
SQL
note 'meanwhile: ' . query(<<'SQL');
SELECT format('%s answers cancelled, %s users opted out or paused, %s reminders of which %s were sent and %s had met a '
        'cap in vain; %s pauses and %s throttles; %s check-ins were skipped',
    (SELECT count(*) FROM answers WHERE answer = 'cancelled'),
    (SELECT count(*) FROM answers WHERE answer IN ('opted out', 'paused')),
    count(*) FILTER (WHERE kind = 'reminder'), count(*) FILTER (WHERE kind = 'reminder' AND status = 'sent'),
    count(*) FILTER (WHERE kind = 'reminder' AND failure_reason LIKE '%over the cap%'),
    (SELECT count(*) FROM stops WHERE channel = ''), (SELECT count(*) FROM stops WHERE channel <> ''),
    count(*) FILTER (WHERE kind = 'checkin' AND status = 'skipped'))
FROM companion.scheduled_messages
SQL
note "killed: $_ $killed{$_}" for sort keys %killed;
note query(<<'SQL');
SELECT event, count(*) FROM journal WHERE event LIKE 'died %' GROUP BY 1 ORDER BY 1
SQL

done_testing();
