# The example workers against a local Bot API (../bot_api, whose README says what each is to do): after
# each answer that Telegram may give the outcome, tries, ids and messages are exactly as expected, and when
# they are killed at random nothing is lost, and nothing is sent twice but what the design says may be.
# Each program is run by the same table.
#
# WORKERS=name,... runs some of them.
use strict;
use warnings;

use File::Basename;
use lib dirname(__FILE__);
use POSIX qw(WNOHANG);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use BotApi;

my $folder = dirname(dirname(__FILE__));
my $jar = '/usr/share/java/postgresql.jar';
my $patience = $PostgreSQL::Test::Utils::timeout_default;

# The programs: what each needs to be there (files, or commands); how updates reach it, if they do; whether it has the
# bot's commands and models; in how many seconds it has begun; and whether another entry has tried its sending.
my @programs = (
    { name => 'telegram', command => ["$folder/telegram_bot"], updates => 'polling', has_commands => 1 },
    { name => 'telegram by webhook', command => ["$folder/telegram_bot"], updates => 'webhook', is_tried => 1 },
    { name => 'python', command => ['/usr/bin/python3', '-B', '-X', 'faulthandler', "$folder/examples/python/bot.py"], updates => 'webhook', starts_in => 0.4 },
    { name => 'node', command => ['node', "$folder/examples/node/bot.js"], needs => ["$folder/examples/node/node_modules/pg"],
        updates => 'webhook', starts_in => 0.4 },
    { name => 'java', command => ['java', '-XX:TieredStopAtLevel=1', '-cp', "$folder/java:$jar", 'Worker'], needs => [ 'javac', $jar ],
        prepare => ['javac', '-d', "$folder/java", '-cp', $jar, "$folder/examples/java/Worker.java"], starts_in => 1 },
);
my %wanted = map { $_ => 1 } split /,/, $ENV{WORKERS} // '';
@programs = grep { $wanted{ $_->{name} } } @programs if %wanted;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
my $begin = '2026-03-02 09:00+00';
$node->append_conf('postgresql.conf', <<"CONF");
listen_addresses = '127.0.0.1' # for JDBC
companion.clock = '$begin'
CONF
$node->start;

my ($api, $database);
my %running; # the file of what each process says, by its id

sub query
{
    my ($sql) = @_;
    return $node->safe_psql($database, $sql);
}

# Set the clock of all sessions, and wake the workers
sub set_clock
{
    my ($clock) = @_;
    query("SELECT companion.now(); ALTER SYSTEM SET companion.clock = '$clock'; SELECT pg_reload_conf()");
    wait_for("companion.now() = '$clock'");
    query('NOTIFY companion');
}

sub wait_for
{
    my ($condition) = @_;
    my $end = time + $patience;
    until (query("SELECT $condition") eq 't')
    {
        die "timed out waiting for $condition\n", standstill() if time > $end;
        sleep 0.02;
    }
}

# Where all stand who are waited for in vain: the programs, the database's sessions, the messages
sub standstill
{
    my $sessions = $node->safe_psql('postgres', <<'SQL');
SELECT pid, application_name, state, now() - state_change AS since, wait_event_type, wait_event, pg_blocking_pids(pid), query
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
SQL
    my $messages = query('SELECT chat, status, state, tries, reason FROM outcomes WHERE state IS NOT NULL');
    return join "\n", (map { stand_of($_) } keys %running), 'Sessions:', $sessions, 'Pending:', $messages, 'Requests:',
      join ' ', %{ $api->ask('arrived')->{requests} };
}

# A program's threads, and what it says; python and java say by a signal where they are, of others gdb knows it, if it is there
sub stand_of
{
    my ($pid) = @_;
    my ($command) = split /\0/, slurp_file("/proc/$pid/cmdline");
    return "$pid has ended:\n" . slurp_file($running{$pid}) unless $command;
    my @threads = map { join ' ', 'thread', basename($_), slurp_file("$_/comm") =~ s/\n//r, slurp_file("$_/wchan") } glob "/proc/$pid/task/*";
    my $signal = { java => 'QUIT', python3 => 'ABRT' }->{ basename($command) };
    my $stack = $signal ? kill($signal, $pid) && sleep(1) && '' : `gdb --batch --pid $pid --ex 'thread apply all backtrace' 2>&1`;
    return join "\n", "$pid $command", @threads, $stack // 'no gdb', 'It said:', slurp_file($running{$pid});
}

# A database of its own, a user for each chat
sub begin
{
    my ($name) = @_;
    ($database = "for $name") =~ tr/ /_/;
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    query('CREATE EXTENSION companion');
    query(<<'SQL');
DO $$ BEGIN
    CREATE ROLE worker LOGIN IN ROLE companion_worker, companion_user;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
CREATE FUNCTION add_user(chat bigint) RETURNS uuid LANGUAGE sql AS
'INSERT INTO companion.users (display_name, timezone, onboarding_completed_at, telegram_user_id, preferred_channel)
 VALUES (''user '' || chat, ''UTC'', ''2026-01-01'', chat, ''telegram'') RETURNING id';
CREATE FUNCTION add_message(chat bigint, content text) RETURNS void LANGUAGE sql AS
'SELECT FROM companion.schedule_message(add_user(chat), companion.now() - interval ''1 hour'', content, channel => ''telegram'')';
CREATE VIEW outcomes AS
SELECT u.telegram_user_id AS chat, m.status, m.channel, coalesce(p.tries, 0) AS tries, m.attempts,
    coalesce(p.last_error, m.failure_reason) AS reason, f.telegram_message_id AS id,
    f.metadata ->> 'telegram_message_ids' AS ids, a.disabled_at IS NULL AS is_usable, p.state, m.id AS message_id
FROM companion.scheduled_messages AS m JOIN companion.users AS u ON u.id = m.user_id
LEFT JOIN companion.pending_messages AS p ON p.user_id = m.user_id AND p.message_id = m.id
LEFT JOIN companion.messages AS f ON f.user_id = m.user_id AND f.id = m.message_id
LEFT JOIN companion.addresses AS a ON a.user_id = m.user_id AND a.channel = 'telegram' AND a.unlinked_at IS NULL
SQL
    set_clock($begin);
}

# Nothing is in anybody's hands, or could be, but what is being sent and not reported
sub wait_until_idle
{
    my ($unreported) = @_;
    $unreported //= 0;
    wait_for(<<"SQL");
(SELECT count(*) FILTER (WHERE state IN ('due', 'claimed')) = 0 AND count(*) FILTER (WHERE state = 'sending') = $unreported
FROM companion.pending_messages WHERE channel = 'telegram')
SQL
}

my $started = 0;
my $webhook;

sub start_worker
{
    my ($program, %environment) = @_;
    my $said = "$PostgreSQL::Test::Utils::log_path/" . basename(__FILE__, '.pl') . '_' . ++$started . '.err';
    my $pid = fork // die "fork: $!";
    if (!$pid)
    {
        @ENV{qw(PGHOST PGPORT PGUSER PGDATABASE PGTCPPORT)} = ($node->host, $node->port, 'worker', $database, $node->port);
        @ENV{qw(TELEGRAM_BOT_TOKEN TELEGRAM_API_URL TELEGRAM_TIMEOUT WORKER_NAME)} =
          ($api->token, $api->url, $patience, "worker $started");
        @ENV{qw(TELEGRAM_WEBHOOK TELEGRAM_WEBHOOK_SECRET)} = ($webhook, 'webhook secret') if $webhook;
        @ENV{ keys %environment } = values %environment;
        open STDOUT, '>', $said;
        open STDERR, '>&', \*STDOUT;
        exec @{ $program->{command} } or POSIX::_exit(127);
    }
    $running{$pid} = $said;
    return $pid;
}

END
{
    local $?;
    kill 'KILL', keys %running;
}

# The exit code of a process that is to end
sub exit_code
{
    my ($pid) = @_;
    my $end = time + $patience;
    until (waitpid($pid, WNOHANG) == $pid)
    {
        if (time > $end)
        {
            kill 'KILL', $pid;
            return 'none: it did not end';
        }
        sleep 0.02;
    }
    return $? >> 8 || ($? ? "signal $?" : 0);
}

# What it has said; the token must not be in it
sub said_by
{
    my ($pid) = @_;
    my $said = slurp_file(delete $running{$pid});
    my (undef, $secret) = split /:/, $api->token;
    unlike($said, qr/\Q$secret\E/, 'the token is not in what it says');
    return $said;
}

sub stop_worker
{
    my ($pid) = @_;
    kill 'TERM', $pid;
    my $code = exit_code($pid);
    my $said = said_by($pid);
    is($code, 0, 'SIGTERM ends it in order') or diag($said);
    return $said;
}

sub count_of
{
    my ($method) = @_;
    return $api->ask('arrived')->{requests}{$method} // 0;
}

sub outcome_of
{
    my ($chat, $columns) = @_;
    return query("SELECT concat_ws(' | ', $columns) FROM outcomes WHERE chat = $chat");
}

my $standing = q{status, channel, tries, coalesce(id::text, '-'), CASE WHEN is_usable THEN 'usable' ELSE 'gone' END};
my $long = join "\n\n", map { "Paragraph $_. " . 'word ' x 300 } 1 .. 5;
my $no_spaces = 'x' x 4095 . "\x{1F600}" . 'y' x 10; # the character takes two UTF-16 units

# What is scheduled with a text, and Telegram's answers to it; then what is left, and after how many
# requests; and the same after two hours, and a maintenance. Each chat has one message.
my @sends = (
    [ '200', 'Good morning', [], 'sent | telegram | 0 | 1001 | usable', 1 ],
    [ '400', 'Good morning', [ { status => 400 } ], 'failed | telegram | 0 | - | usable', 1 ],
    [ '400 for Markdown', 'a *b', [], 'sent | telegram | 0 | 1001 | usable', 2 ],
    [ '400 for Markdown, then 502', 'a _b', [ { status => 502 } ], 'pending | telegram | 1 | - | usable', 2,
        'sent | telegram | 0 | 1001 | usable', 4 ],
    [ '403', 'Good morning', [ { status => 403 } ], 'pending | web | 1 | - | gone', 1 ],
    [ '500', 'Good morning', [ { status => 500 } ], 'pending | telegram | 1 | - | usable', 1,
        'sent | telegram | 0 | 1001 | usable', 2 ],
    [ '502 of a proxy', 'Good morning', [ { status => 502, body => '<html>Bad Gateway</html>' } ],
        'pending | telegram | 1 | - | usable', 1, 'sent | telegram | 0 | 1001 | usable', 2 ],
    [ 'closed after the request', 'Good morning', [ { close => \1 } ],
        'pending | telegram | 1 | - | usable', 1, 'unknown | telegram | 0 | - | usable', 1 ],
    [ 'cut in the answer', 'Good morning', [ { cut => \1 } ],
        'pending | telegram | 1 | - | usable', 1, 'unknown | telegram | 0 | - | usable', 1 ],
    [ '200 that is no JSON', 'Good morning', [ { status => 200, body => '<html>' } ],
        'pending | telegram | 1 | - | usable', 1, 'unknown | telegram | 0 | - | usable', 1 ],
    [ '200 that is another JSON', 'Good morning', [ { status => 200, body => '{"result": {"message_id": "x"}}' } ],
        'pending | telegram | 1 | - | usable', 1, 'unknown | telegram | 0 | - | usable', 1 ],
    [ '500 of another JSON', 'Good morning', [ { status => 500, body => '{"description": {}, "parameters": []}' } ],
        'pending | telegram | 1 | - | usable', 1, 'sent | telegram | 0 | 1001 | usable', 2 ],
    [ 'a long text', $long, [], 'sent | telegram | 0 | 1001 | usable', 3 ],
    [ 'a long text without a space', $no_spaces, [], 'sent | telegram | 0 | 1001 | usable', 2 ],
    [ 'a long text, 500 in between', $long, [ { status => 200 }, { status => 500 } ],
        'sent | telegram | 0 | 1001 | usable', 4 ],
    [ 'a long text, broken in between', $long, [ { status => 200 }, { close => \1 } ],
        'sent | telegram | 0 | 1001 | usable', 2 ],
);

sub arrivals_by_chat
{
    my %count;
    $count{ $_->{chat_id} }++ for @{ $api->ask('arrived')->{messages} };
    return \%count;
}

sub check_sends
{
    my ($when, $column) = @_;
    my $arrivals = arrivals_by_chat();
    for my $place (0 .. $#sends)
    {
        my $send = $sends[$place];
        my $chat = 101 + $place;
        is(outcome_of($chat, $standing), $send->[$column] // $send->[3], "$send->[0], $when");
        is($arrivals->{$chat}, $send->[ $column + 1 ] // $send->[4], "$send->[0], $when: requests");
    }
}

sub test_sends
{
    my $unreported = grep { ($_->[5] // '') =~ /^unknown/ } @sends;
    my %answers = map { 101 + $_ => [ @{ $sends[$_][2] } ] } 0 .. $#sends;
    $api->ask('table', sendMessage => \%answers);
    query(join ';', map { 'SELECT add_message(' . (101 + $_) . ", \$text\$$sends[$_][1]\$text\$)" } 0 .. $#sends);
    wait_until_idle($unreported);
    check_sends('at once', 3);
    set_clock('2026-03-02 11:00+00');
    query('SELECT companion.run_maintenance()');
    query('NOTIFY companion');
    wait_until_idle();
    check_sends('after two hours', 5);
    is(query('SELECT count(*) FROM companion.channel_throttles'), '0', 'nothing was throttled');
    is(query(q{SELECT failure_reason LIKE '%400%message is refused%' FROM companion.scheduled_messages WHERE status = 'failed'}),
        't', 'what Telegram said of a text that it refuses is kept');
    check_long_texts();
}

# A connection that broke is nothing to the messages after it, however long it was kept
sub test_broken_connection
{
    $api->ask('table', sendMessage => { 162 => [ { close => \1 } ] });
    for my $chat (161 .. 163)
    {
        query("SELECT add_message($chat, 'one by one')");
        wait_until_idle($chat > 161 ? 1 : 0);
    }
    set_clock(query("SELECT companion.now() + interval '1 hour'"));
    query('SELECT companion.run_maintenance()');
    is(query(q{SELECT string_agg(status, ' ' ORDER BY chat) FROM outcomes WHERE chat BETWEEN 161 AND 163}), 'sent unknown sent',
        'after a connection that broke it goes on with another');
    is(join(' ', @{ arrivals_by_chat() }{161 .. 163}), '1 1 1', 'each is sent once');
}

# No answer in time, for all of the request's
sub test_timeout
{
    my ($program) = @_;
    $api->ask('table', sendMessage => { 151 => [ { hang => \1 } ] });
    query(q{SELECT add_message(151, 'Good morning')});
    my $worker = start_worker($program, TELEGRAM_TIMEOUT => 1);
    wait_for(q{(SELECT state = 'sending' FROM outcomes WHERE chat = 151)});
    stop_worker($worker);
    is(outcome_of(151, "$standing, state"), 'pending | telegram | 1 | - | usable | sending', 'without an answer nothing is reported');
    set_clock(query("SELECT companion.now() + interval '1 hour'"));
    query('SELECT companion.run_maintenance()');
    is(outcome_of(151, $standing), 'unknown | telegram | 0 | - | usable', 'and it is unknown what became of it');
    is(arrivals_by_chat()->{151}, 1, 'it was sent once');
}

sub chat_of { my ($what) = @_; return 101 + (grep { $sends[$_][0] eq $what } 0 .. $#sends)[0]; }

sub check_long_texts
{
    is(outcome_of(chat_of('a long text'), 'ids'), '[1001, 1002, 1003]', 'the ids of all parts are kept');
    is(outcome_of(chat_of('a long text, 500 in between'), 'ids'), '[1001, 1002, 1003]', 'a part that has failed is sent again');
    is(outcome_of(chat_of('a long text, broken in between'), 'ids'), '[1001]', 'of a text that broke off the part that went out is kept');
    is(query("SELECT metadata ->> 'parts_missing' FROM companion.messages WHERE metadata ? 'parts_missing'"), '2',
        'and how many did not');
    my @parts = map { $_->{text} } grep { $_->{chat_id} == chat_of('a long text') } @{ $api->ask('arrived')->{messages} };
    like($parts[1], qr/^Paragraph \d/, 'a long text is cut between paragraphs');
    is(query("SELECT count(*) FROM companion.messages WHERE content = \$text\$$long\$text\$"), '2', 'what is filed is the whole text');
}

sub test_throttle
{
    $api->ask('table', sendMessage => { 201 => [ { status => 429, retry_after => 30 } ] });
    my $before = count_of('sendMessage');
    query(q{SELECT add_message(n, 'in this order') FROM generate_series(201, 203) AS n});
    wait_for(q{EXISTS (SELECT FROM companion.channel_throttles) AND NOT EXISTS
        (SELECT FROM companion.pending_messages WHERE channel = 'telegram' AND state IN ('claimed', 'sending'))});
    is(outcome_of(201, $standing), 'pending | telegram | 0 | - | usable', '429 costs no try');
    is(query(q{SELECT bot, until - companion.now() FROM companion.channel_throttles}), '|00:00:30', '429 throttles the bot');
    is(count_of('sendMessage') - $before, 1, 'nothing else is sent meanwhile');
    set_clock(query(q{SELECT companion.now() + interval '31 seconds'}));
    wait_until_idle();
    is(query(q{SELECT count(*) FROM outcomes WHERE chat BETWEEN 201 AND 203 AND status = 'sent' AND id = 1001}), '3', 'and all of it after that');
}

# start_send is NULL while the channel's rate is used up
sub test_rate
{
    query(q{UPDATE companion.channels SET max_per_second = 1, burst = 1 WHERE channel = 'telegram';
        SELECT add_message(n, 'evenly') FROM generate_series(251, 253) AS n});
    for my $count (1 .. 3)
    {
        wait_for("(SELECT count(*) = $count FROM outcomes WHERE chat BETWEEN 251 AND 253 AND status = 'sent')");
        is(query(q{SELECT count(*) FROM outcomes WHERE chat BETWEEN 251 AND 253 AND tries > 0}), '0', 'no try is lost by it');
        set_clock(query(q{SELECT companion.now() + interval '1 second'}));
    }
    query(q{UPDATE companion.channels SET max_per_second = NULL, burst = NULL WHERE channel = 'telegram'});
}

# No connection: certainly not sent
sub test_no_connection
{
    my $before = count_of('sendMessage');
    query(q{SELECT add_message(301, 'before')});
    wait_until_idle();
    $api->ask('listen', on => \0);
    query(q{SELECT add_message(302, 'while nobody listens')});
    wait_for(q{(SELECT tries = 1 AND state = 'waiting' FROM outcomes WHERE chat = 302)});
    is(outcome_of(302, $standing), 'pending | telegram | 1 | - | usable', 'without a connection: a retry');
    $api->ask('listen', on => \1);
    set_clock(query(q{SELECT companion.now() + interval '10 minutes'}));
    wait_until_idle();
    is(outcome_of(302, $standing), 'sent | telegram | 0 | 1001 | usable', 'and sent when there is one again');
    is(count_of('sendMessage') - $before, 2, 'once');
}

sub test_refused_token
{
    my ($program) = @_;
    for my $status (401, 404)
    {
        my $chat = 400 + $status;
        $api->ask('table', sendMessage => { $chat => [ { status => $status } ] });
        query("SELECT add_message($chat, 'not yet'); SELECT add_message($chat + 1000, 'not yet')");
        my $worker = start_worker($program);
        is(exit_code($worker), 3, "$status ends it with an exit code");
        like(said_by($worker), qr/$status/, 'and it says so');
        is(outcome_of($chat, $standing), 'pending | telegram | 0 | - | usable', "$status uses up nothing");
        is(query(q{SELECT count(*) FROM companion.pending_messages WHERE channel = 'telegram' AND state IN ('claimed', 'sending')}),
            '0', 'and it holds no claim');
    }
    my $next = start_worker($program);
    set_clock(query("SELECT companion.now() + interval '2 minutes'"));
    wait_until_idle();
    is(query(q{SELECT count(*) FROM outcomes WHERE chat IN (801, 804, 1801, 1804) AND status = 'sent' AND id = 1001}), '4',
        'all is sent when the token is right');
    stop_worker($next);
    query(q{SELECT add_message(499, 'not yet')});
    for my $token ('12345:wrong', 'no-token')
    {
        my $worker = start_worker($program, TELEGRAM_BOT_TOKEN => $token);
        is(exit_code($worker), 3, 'a wrong token ends it');
        unlike(said_by($worker), qr/\Q$token\E/, 'which is not said');
        is(outcome_of(499, 'attempts, tries, status'), '0 | 0 | pending', 'before anything is claimed');
    }
    my $worker = start_worker($program, TELEGRAM_BOT_TOKEN => '');
    is(exit_code($worker), 2, 'without a token it does not begin');
    delete $running{$worker};
    return unless $program->{has_commands};
    for ([ TELEGRAM_TIMEOUT => '9' x 30 ], [ TELEGRAM_TIMEOUT => 'soon' ], [ TELEGRAM_WEBHOOK => 'foo' ])
    {
        my $misused = start_worker($program, @$_);
        is(exit_code($misused), 2, "nor with $_->[0]=$_->[1]");
        delete $running{$misused};
    }
}

# What was started is finished, what was not is given back
sub test_term
{
    my ($program) = @_;
    $api->ask('table', sendMessage => { 501 => [ { delay => 0.5 } ] });
    query(q{SELECT add_message(n, 'slowly') FROM generate_series(501, 505) AS n});
    my $worker = start_worker($program);
    wait_for(q{EXISTS (SELECT FROM outcomes WHERE chat = 501 AND state = 'sending')});
    my (undef, $secret) = split /:/, $api->token;
    unlike(slurp_file("/proc/$worker/cmdline"), qr/\Q$secret\E/, 'the token is not in the list of processes');
    unlike(slurp_file("/proc/$worker/environ"), qr/\Q$secret\E/, 'nor in its environment') if $program->{has_commands};
    stop_worker($worker);
    is(outcome_of(501, $standing), 'sent | telegram | 0 | 1001 | usable', 'what was started is reported');
    is(query(q{SELECT count(*) FROM companion.pending_messages WHERE state IN ('claimed', 'sending')}), '0', 'nothing is held');
    is(query(q{SELECT count(*) FROM outcomes WHERE chat BETWEEN 502 AND 505 AND tries = 0 AND status = 'pending'}), '4', 'the rest was given back');
}

sub text_update
{
    my ($chat, $id, $text, %more) = @_;
    return { message => { message_id => $id, date => 0, text => $text, chat => { id => $chat, type => 'private' },
            from => { id => $chat, is_bot => \0, first_name => "Name $chat", username => "user_$chat" }, %more } };
}

sub send_updates
{
    my (@updates) = @_;
    $api->ask('updates', updates => \@updates);
    ok($api->ask('wait', updates_left => 0, seconds => $patience)->{reached}, 'the updates are done with');
}

# The messages of a chat, in order: who, its id, the one that it replies to, the text (of ours only whether there is one)
sub conversation
{
    my ($chat) = @_;
    return query(<<"SQL");
SELECT string_agg(concat_ws(' ', m.role, m.telegram_message_id, 'to ' || r.telegram_message_id,
    CASE WHEN m.role = 'user' THEN m.content END), ', ' ORDER BY m.id)
FROM companion.messages AS m LEFT JOIN companion.messages AS r ON r.user_id = m.user_id AND r.id = m.reply_to_id
WHERE m.address = '$chat'
SQL
}

sub test_updates
{
    my ($program) = @_;
    $api->ask('table', sendMessage => {
            606 => [ { status => 429, retry_after => 1 } ],
            607 => [ { status => 403 } ],
            608 => [ { status => 400 } ],
            609 => [ { status => 500 } ],
            610 => [ { close => \1 } ] });
    query('SELECT add_user(n) FROM generate_series(601, 610) AS n WHERE n <> 605; SELECT add_user(699)');
    # Recorded by a bot that died before it answered
    query(q{SELECT companion.record_incoming('telegram', '604', 'nobody has answered', telegram_message_id => 7)});
    my $token = query(q{SELECT companion.create_telegram_link_token((SELECT id FROM companion.users WHERE telegram_user_id = 699))});
    query(q{SELECT companion.unlink_address((SELECT id FROM companion.users WHERE telegram_user_id = 699), 'telegram', '699')});
    my $worker = start_worker($program);
    send_updates(
        text_update(601, 5, 'I planted tomatoes'),
        { edited_message => text_update(601, 5, 'I planted potatoes')->{message} },
        text_update(602, 5, 'a question'), text_update(602, 6, 'more', reply_to_message => { message_id => 5 }),
        text_update(603, 5, 'twice'), text_update(603, 5, 'twice'),
        text_update(604, 7, 'nobody has answered'),
        text_update(605, 5, "/start $token"), text_update(605, 6, 'hello'),
        text_update(606, 5, 'throttled'), text_update(607, 5, 'blocked'), text_update(608, 5, 'refused'),
        text_update(609, 5, 'failed'), text_update(610, 5, 'closed'),
        text_update(611, 5, 'who am I?'), text_update(612, 5, '/start'), text_update(612, 6, 'hello'),
        text_update(613, 5, '/start no-such-token'),
        { message => { %{ text_update(601, 9, 'in a group')->{message} }, chat => { id => -5, type => 'group' } } },
        { channel_post => {} });
    is(conversation(601), 'user 5 I planted potatoes, assistant 1001 to 5', 'a text is answered, its edit is not');
    is(conversation(602), 'user 5 a question, assistant 1001 to 5, user 6 to 5 more, assistant 1002 to 6', 'a reply says to what');
    is(conversation(603), 'user 5 twice, assistant 1001 to 5', 'what is brought twice is answered once');
    is(conversation(604), 'user 7 nobody has answered, assistant 1001 to 7', 'what was recorded and not answered is answered');
    is(conversation(605), 'user 6 hello, assistant 1002 to 6', 'a link token links, and is not recorded');
    is(query(q{SELECT telegram_user_id FROM companion.users WHERE display_name = 'user 699'}), '605', 'the user of the token');
    is(conversation(606), 'user 5 throttled, assistant 1001 to 5', 'a throttled answer comes');
    is(query(q{SELECT count(*) FROM companion.channel_throttles}), '1', 'and its throttle is for all');
    is(conversation(607), 'user 5 blocked', 'an answer to who has blocked the bot is not recorded');
    is(query(q{SELECT disabled_at IS NOT NULL FROM companion.addresses WHERE address = '607'}), 't', 'and the address is gone');
    is(conversation(608), 'user 5 refused', 'nor one that is refused');
    is(conversation(609), 'user 5 failed, assistant 1001 to 5', 'one that has failed comes');
    is(conversation(610), 'user 5 closed', 'one that may have arrived is not sent again');
    is(conversation(611), '', 'nobody is nobody');
    is(conversation(612), 'user 6 hello, assistant 1002 to 6', 'a first /start makes a user');
    is(query(q{SELECT display_name, timezone, checkin_time, telegram_username, onboarding_completed_at IS NOT NULL FROM companion.users WHERE telegram_user_id = 612}),
        'Name 612|UTC|09:00:00|user_612|t', 'who has all that check-ins need');
    my $arrivals = arrivals_by_chat();
    is(join(' ', map { "$_:" . ($arrivals->{$_} // 0) } 601 .. 613), '601:1 602:2 603:1 604:1 605:2 606:2 607:1 608:1 609:2 610:1 611:1 612:2 613:1',
        'as many requests as answers');
    set_clock(query("SELECT companion.now() + interval '1 minute'"));
    test_unreadable_updates();
    test_coming_back();
    my $said = stop_worker($worker);
    unlike($said, qr/\Q$token\E/, 'the link token is not in what it says');
    like($said, qr/an update that cannot be read|update \d+ cannot be read/, 'what cannot be read is said');
}

# What cannot be read, or stored, is passed over: a lone surrogate, JSON that is none
sub test_unreadable_updates
{
    query('SELECT add_user(621)');
    send_updates(text_update(621, 5, 'before'), text_update(621, 6, "\x{D800}"), text_update(621, 7, 'between'),
        { raw => '{"message": ' }, { raw => 'null' }, { raw => '7' }, { raw => '[]' }, { message => undef },
        { edited_message => undef }, text_update(621, 8, "NUL \0"), text_update(621, 9, 'after'));
    my $conversation = conversation(621);
    like($conversation, qr/user 5 before, assistant \d+ to 5,.* user 7 between, assistant \d+ to 7,.* user 9 after, assistant \d+ to 9$/,
        'an update that cannot be read or stored stops no other');
}

# Who has blocked the bot is written to again after whatever they write
sub test_coming_back
{
    my $is_usable = q{(SELECT disabled_at IS NULL FROM companion.addresses WHERE address = '607')};
    for my $update (text_update(607, 11, '/start'), text_update(607, 12, 'hello'),
        { message => { %{ text_update(607, 13, '')->{message} }, photo => [] } })
    {
        query(q{SELECT companion.disable_address(id, 'telegram', '607') FROM companion.users WHERE telegram_user_id = 607})
          if $update->{message}{message_id} > 11; # a 403 has done it before
        is(query("SELECT $is_usable"), 'f', 'who has blocked the bot is not written to');
        send_updates($update);
        is(query("SELECT $is_usable"), 't', 'who had blocked the bot is back');
    }
    query(q{SELECT FROM companion.users AS u, companion.schedule_message(u.id, companion.now(), 'Welcome back', channel => 'telegram')
        WHERE telegram_user_id = 607});
    wait_for(q{(SELECT status = 'sent' FROM outcomes WHERE chat = 607)});
}

# What may be asked again is, and sending goes on
sub test_polling
{
    my ($program) = @_;
    $api->ask('table', getMe => [ { status => 502 } ], getUpdates => [ { status => 500 }, { close => \1 }, { status => 409 } ]);
    query(q{SELECT add_message(701, 'nevertheless')});
    my ($before, $worker) = (count_of('getUpdates'), start_worker($program));
    ok($api->ask('wait', requests => { getUpdates => $before + 3 }, seconds => $patience)->{reached}, 'it asks again for updates');
    wait_until_idle();
    is(outcome_of(701, 'status'), 'sent', 'while somebody else polls it sends');
    my $said = stop_worker($worker);
    like($said, qr/$_/, "and says '$_'") for 'getMe: 502', 'getUpdates: 500', 'getUpdates: 409';
}

sub user_602
{
    my ($columns) = @_;
    return query("SELECT $columns FROM companion.users WHERE telegram_user_id = 602");
}

sub test_commands
{
    my ($program) = @_;
    my $worker = start_worker($program);
    $api->ask('table', sendMessage => {});
    send_updates(map { text_update(602, 20, $_) } '/time 08:30', '/timezone Europe/Lisbon', '/pause 3', '/time 25:00', '/timezone Mars', '/pause soon', '/pause -5', '/pause 40000');
    is(user_602(q{checkin_time, timezone, checkin_paused_until - companion.now()}), '08:30:00|Europe/Lisbon|3 days', '/time, /timezone, /pause; what is none changes nothing');
    send_updates(text_update(602, 21, '/pause@test_bot'));
    is(user_602('checkin_paused_until'), 'infinity', '/pause without an end');
    send_updates(text_update(602, 22, '/resume'));
    is(user_602('checkin_paused_until IS NULL'), 't', '/resume');
    query(q{SELECT companion.schedule_message(id, companion.now() + interval '1 day', 'later') FROM companion.users WHERE telegram_user_id = 602;
        SELECT companion.upsert_user_context(id, 'preference', 'coffee', 'espresso') FROM companion.users WHERE telegram_user_id = 602});
    query(q{CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE SQLSTATE '22023'; END$$;
        CREATE TRIGGER refuse BEFORE UPDATE ON companion.scheduled_messages FOR EACH ROW EXECUTE FUNCTION refuse()});
    send_updates(text_update(602, 23, '/stop'));
    is(user_602('checkin_time IS NULL'), 'f', '/stop is done whole, or not at all');
    query('DROP TRIGGER refuse ON companion.scheduled_messages');
    send_updates(text_update(602, 23, '/stop'));
    is(user_602('checkin_time IS NULL'), 't', '/stop ends check-ins');
    is(query(q{SELECT count(*) FROM companion.scheduled_messages WHERE status = 'cancelled' AND failure_reason LIKE '%/stop%'}), '1', 'and what was scheduled');
    send_updates(text_update(602, 23, '/start'));
    like($api->ask('arrived')->{messages}[-1]{text}, qr/do not write first/, '/start does not undo it');
    for ([ '/time 8', '08:00:00' ], [ "/time\t8:30", '08:30:00' ])
    {
        send_updates(text_update(602, 23, $_->[0]));
        is(user_602('checkin_time'), $_->[1], $_->[0]);
    }
    send_updates(text_update(602, 24, '/export'));
    my ($export) = grep { $_->{chat_id} == 602 && $_->{text} =~ /espresso/ } @{ $api->ask('arrived')->{messages} };
    like($export->{text} // '', qr/"display_name": "user 602"/, '/export brings all that is stored');
    send_updates(text_update(602, 25, '/forget'), text_update(602, 26, '/forget memories'));
    is(query('SELECT count(*) FROM companion.user_context'), '0', '/forget memories');
    send_updates(text_update(602, 27, '/forget everything'));
    is(user_602('count(*)'), '0', '/forget everything');
    my $log = slurp_file($node->logfile);
    is(conversation(602), '', 'nothing is left');
    stop_worker($worker);
}

sub test_models
{
    my ($program) = @_;
    my $facts = 'How nice! FACTS: [{"category": "identity", "key": "pet", "value": "a cat"}, {"category": "no key"}]';
    my $script = "$PostgreSQL::Test::Utils::tmp_check/model";
    append_to_file($script, "cat >$script.asked; env >$script.environment; printf 'A word from the command.\\377\\000\\n'\n");
    query('SELECT add_user(851); SELECT add_user(852)');
    $api->ask('table', model => [ { status => 500 }, { content => $facts } ]);
    my $worker = start_worker($program, BOT_MODEL_URL => $api->url . '/v1/chat/completions', BOT_MODEL_KEY => 'key');
    send_updates(text_update(851, 5, 'I have a cat'));
    is(query("SELECT category, key, value, confirmations FROM companion.user_context"), 'identity|pet|a cat|1', 'what the model has learned is kept');
    is(query(q{SELECT m.content FROM companion.messages AS m WHERE address = '851' AND role = 'assistant'}), 'How nice!', 'and the text is the model\'s');
    send_updates(text_update(851, 6, 'And what do I have?'));
    my $asked = $api->ask('arrived')->{model}[-1]{messages};
    my $fact = '{"category": "identity", "key": "pet", "value": "a cat"}';
    my @bad = ("NUL \0. FACTS: [" . join(', ', ($fact) x 1001) . ']', 'Unfit. FACTS: [{"category": "identity", "key": "pet", "value": "\\u0000"}]', "\0");
    query('SELECT add_user(n) FROM generate_series(853, 855) AS n');
    $api->ask('table', model => [ map { { content => $_ } } @bad, 'At last.' ]);
    send_updates(map { text_update($_, 5, 'hello') } 853 .. 855);
    is(query(q{SELECT string_agg(content, ' ' ORDER BY address) FROM companion.messages WHERE address BETWEEN '853' AND '855' AND role = 'assistant'}),
        'NUL . Unfit. At last.', 'neither too many facts nor what the database refuses cost an answer');
    like($asked->[1]{content}, qr{- identity/pet: a cat}, 'the model is told what is known');
    is(join(', ', map { "$_->{role}: $_->{content}" } @$asked[2 .. 4]),
        'user: I have a cat, assistant: How nice!, user: And what do I have?', 'and what was said');
    stop_worker($worker);
    query(q{SELECT companion.schedule_message((SELECT id FROM companion.users WHERE telegram_user_id = 852), companion.now(), NULL)});
    $worker = start_worker($program, BOT_COMMAND => "sh $script");
    wait_until_idle();
    is(query(q{SELECT content FROM companion.messages WHERE address = '852'}), "A word from the command.\xEF\xBF\xBD", 'a command writes as well');
    unlike(slurp_file("$script.environment"), qr/the-secret/, 'without the token');
    like(slurp_file("$script.asked"), qr/^\{"messages":.*Write first now/, 'and reads what the endpoint would');
    stop_worker($worker);
    query(q{SELECT companion.upsert_user_context(id, 'follow_up', 'exam', 'the exam', metadata => '{"follow_up_on": "2026-03-02"}') FROM companion.users WHERE telegram_user_id = 852;
        SELECT companion.schedule_message(id, companion.now(), NULL) FROM companion.users WHERE telegram_user_id = 852});
    $worker = start_worker($program);
    wait_until_idle();
    is(query(q{SELECT content LIKE '%the exam%' FROM companion.messages WHERE address = '852' ORDER BY id DESC LIMIT 1}), 't', 'a follow-up is asked about');
    is(query(q{SELECT resolved_at IS NOT NULL FROM companion.user_context WHERE key = 'exam'}), 't', 'once');
    stop_worker($worker);
}

# Workers are killed at random, several at once, while the minutes pass; and once the server ends
sub test_kills
{
    my ($program) = @_;
    my ($messages, $texts) = ($webhook || $program->{starts_in} ? 40 : 250, $program->{updates} ? 30 : 0);
    my $workers = $webhook ? 1 : 3; # there is one socket
    $api->ask('table', sendMessage => { '*' => [ { always => \1, delay => 0.03 } ] });
    my $from = @{ $api->ask('arrived')->{messages} };
    query("SELECT add_message(10000 + n, 'message ' || n) FROM generate_series(1, $messages) AS n");
    query("SELECT add_user(20000 + n) FROM generate_series(1, $texts) AS n");
    $api->ask('updates', updates => [ map { text_update(20000 + $_, 5, "text $_") } 1 .. $texts ]);
    my ($kills, $end) = (0, time + $patience);
    my $is_idle = q{NOT EXISTS (SELECT FROM companion.pending_messages WHERE channel = 'telegram')};
    while (time < $end && (query("SELECT $is_idle") ne 't' || $api->ask('arrived')->{updates_left}))
    {
        start_worker($program) while keys %running < $workers;
        sleep(($program->{starts_in} // 0.05) + rand 0.3);
        my $victim = (keys %running)[ rand keys %running ];
        $kills += kill 'KILL', $victim;
        waitpid $victim, 0;
        delete $running{$victim};
        if ($kills == 5)
        {
            $node->stop('immediate');
            $node->start;
        }
        set_clock(query("SELECT companion.now() + interval '1 minute'"));
        query('SELECT companion.run_maintenance()');
    }
    for my $pid (keys %running) # which may have begun just now
    {
        kill 'KILL', $pid;
        waitpid $pid, 0;
    }
    %running = ();
    my %sent;
    my @arrived = @{ $api->ask('arrived')->{messages} };
    $sent{ $_->{chat_id} }{ $_->{message_id} }++ for grep { $_->{status} } @arrived[ $from .. $#arrived ];
    check_kills($messages, $texts, $kills + $workers, \%sent);
}

sub check_kills
{
    my ($messages, $texts, $deaths, $sent) = @_;
    my @rows = map { [ split /\|/ ] } split /\n/, query('SELECT chat, status, id FROM outcomes WHERE chat BETWEEN 10001 AND 19999');
    my @wrong = grep {
        my ($chat, $status, $id) = @$_;
        my @ids = keys %{ $sent->{$chat} // {} };
        @ids > 1 || $status !~ /^(sent|unknown)$/ || $status eq 'sent' && "@ids" ne ($id // '')
    } @rows;
    my $unknown = grep { $_->[1] eq 'unknown' } @rows;
    is(scalar @rows, $messages, 'no message is lost');
    is_deeply(\@wrong, [], "none is sent twice, or otherwise than it says, by workers that were killed, or lost the server, $deaths times");
    cmp_ok($unknown, '<=', $deaths, 'who is killed leaves one message unknown at most');
    note "$deaths deaths, $unknown unknown";
    return unless $texts;
    is(query(q{SELECT count(*) FROM companion.messages WHERE role = 'user' AND address BETWEEN '20001' AND '29999'}), $texts,
        'each text is recorded once');
    is(query(q{SELECT string_agg(address, ' ') FROM companion.messages AS m
            WHERE role = 'user' AND address BETWEEN '20001' AND '29999' AND NOT EXISTS (
                SELECT FROM companion.messages AS a WHERE a.user_id = m.user_id AND a.reply_to_id = m.id AND a.role = 'assistant')}),
        '', 'and answered');
    my $answers = 0;
    $answers += values %{ $sent->{$_} } for grep { $_ > 20000 } keys %$sent;
    cmp_ok($answers - $texts, '<=', $deaths, 'who is killed repeats one answer at most');
    note $answers - $texts, ' answers twice';
}

# What a program needs and is not there
sub missing_for
{
    my ($program) = @_;
    my ($command, @arguments) = @{ $program->{command} };
    for my $needed ($command, (grep { m{^[^:]*/[^:]*$} } @arguments), @{ $program->{needs} // [] })
    {
        return $needed if $needed =~ m{/} ? !-e $needed : !grep { -x "$_/$needed" } split /:/, $ENV{PATH};
    }
    return;
}

sub test
{
    my ($program) = @_;
    my $updates = $program->{updates} // '';
    begin($program->{name});
    $webhook = $updates eq 'webhook' ? $node->host . '/webhook' : undef;
    $api->ask('webhook', to => $webhook, secret => 'webhook secret') if $webhook;
    test_sending($program) unless $program->{is_tried};
    test_updates($program) if $updates;
    test_commands($program) if $program->{has_commands};
    test_models($program) if $program->{has_commands};
    test_kills($program);
}

sub test_sending
{
    my ($program) = @_;
    my $worker = start_worker($program);
    test_sends();
    test_broken_connection();
    test_throttle();
    test_rate();
    test_no_connection();
    stop_worker($worker);
    test_timeout($program);
    test_refused_token($program);
    test_term($program);
    test_polling($program) if $program->{updates} && $program->{updates} eq 'polling';
}

for my $program (@programs)
{
    if (my $missing = missing_for($program))
    {
        diag("NOT TESTED: $program->{name}: there is no $missing");
        next;
    }
    subtest $program->{name} => sub {
        my $begun = time;
        system_or_bail(@{ $program->{prepare} }) if $program->{prepare};
        $api = BotApi->start("$folder/bot_api/server.py");
        ok(eval { test($program); 1 }, "$program->{name} does what it is to do") or diag($@);
        kill 'KILL', keys %running;
        waitpid $_, 0 for keys %running;
        %running = ();
        note sprintf '%s: %.1f s', $program->{name}, time - $begun;
        $api->stop;
    };
}
ok(1, 'all programs that are there were run');

done_testing();
