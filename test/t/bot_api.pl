# Our Bot API server and our bot with those that others wrote, so that they do not only agree with each other:
# Debian's python3-python-telegram-bot as a client of the server, and npm's telegram-test-api as a server for the bot
# (which script/test --clients fetches).
use strict;
use warnings;

use File::Basename;
use lib dirname(__FILE__);
use IPC::Open2;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use BotApi;

my $folder = dirname(dirname(__FILE__));

sub is_missing
{
    my ($what, @command) = @_;
    return 0 if system("@command >/dev/null 2>&1") == 0;
    diag("NOT TESTED: $what is not there");
    return 1;
}

sub test_client
{
    my $api = BotApi->start("$folder/bot_api/server.py");
    $api->ask('table',
        sendMessage => { 111 => [ { status => 200 }, { status => 400 }, { status => 403 }, { status => 429, retry_after => 17 }, { status => 502 } ] },
        getUpdates => [ { status => 409 } ]);
    $api->ask('updates', updates => [ { message => { message_id => 5, date => 0, text => 'hello', chat => { id => 111, type => 'private' },
                    from => { id => 111, is_bot => \0, first_name => 'Ada' } } } ]);
    my ($printed) = run_command([ "$folder/bot_api/others/client.py", $api->url, $api->token ]);
    my @lines = split /\n/, $printed;
    # The errors' names differ a little between its versions
    my @expected = (
        [ 'getMe', qr/^test_bot$/ ],
        [ 'sendMessage', qr/^1001 Good morning 111$/ ],
        [ 'an answer of 400', qr/^BadRequest: / ],
        [ 'an answer of 403', qr/^(Unauthorized|Forbidden): .*blocked/ ],
        [ 'an answer of 429', qr/^RetryAfter: .*\b17\b/ ],
        [ 'an answer of 502', qr/^NetworkError: / ],
        [ 'an answer of 409', qr/^Conflict: / ],
        [ 'getUpdates', qr/^hello 111$/ ],
        [ 'getUpdates with an offset', qr/^(\[\]|\(\))$/ ],
        [ 'a wrong token', qr/^(Unauthorized|InvalidToken): / ]);
    like(shift @lines // '', $_->[1], $_->[0]) for @expected;
    $api->stop;
}

sub test_server
{
    my $node = PostgreSQL::Test::Cluster->new('main');
    $node->init;
    $node->start;
    $node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION companion;
CREATE ROLE bot LOGIN IN ROLE companion_worker;
INSERT INTO companion.users (timezone, onboarding_completed_at, telegram_user_id) VALUES ('UTC', now(), 111);
SELECT companion.schedule_message(id, now(), 'Good morning') FROM companion.users;
SQL
    my $server = open2(my $output, my $input, 'node', "$folder/bot_api/others/server.mjs",
        PostgreSQL::Test::Cluster::get_free_port());
    $input->autoflush;
    chomp(my $url = <$output> // die 'telegram-test-api does not start');
    my $ask = sub { print $input encode_json([ $_[0] ]) =~ s/^\[(.*)\]$/$1/r, "\n"; return decode_json(scalar <$output>) };
    my $bot = fork // die "fork: $!";
    if (!$bot)
    {
        @ENV{qw(PGHOST PGPORT PGUSER PGDATABASE)} = ($node->host, $node->port, 'bot', 'postgres');
        @ENV{qw(TELEGRAM_BOT_TOKEN TELEGRAM_API_URL)} = ('12345:test', $url);
        exec "$folder/telegram_bot" or POSIX::_exit(127);
    }
    ok($node->poll_query_until('postgres', q{SELECT status = 'sent' FROM companion.scheduled_messages}), 'a message is sent');
    $ask->({ chat => 111, text => 'hello' });
    ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM companion.messages WHERE reply_to_id IS NOT NULL}), 'a text is answered');
    is($node->safe_psql('postgres', q{SELECT string_agg(role || ': ' || content, ', ' ORDER BY id) FROM companion.messages}),
        'assistant: Good morning, user: hello, assistant: Thank you for telling me.', 'what is filed');
    my $sent = $ask->(undef);
    is(join(', ', map { "$_->{chat}: $_->{text}" } @$sent), '111: Good morning, 111: Thank you for telling me.', 'is what has arrived');
    is($node->safe_psql('postgres', q{SELECT string_agg(telegram_message_id::text, ' ' ORDER BY id) FROM companion.messages WHERE role = 'assistant'}),
        join(' ', map { $_->{id} } @$sent), 'under its ids');
    kill 'TERM', $bot;
    waitpid $bot, 0;
    is($?, 0, 'SIGTERM ends it in order');
    close $input;
    waitpid $server, 0;
}

subtest 'python-telegram-bot as a client' => \&test_client
  unless is_missing('python3-python-telegram-bot', "/usr/bin/python3 -c 'import telegram'");
subtest 'telegram-test-api as a server' => \&test_server
  unless is_missing('npm\'s telegram-test-api', "test -e $folder/bot_api/others/node_modules/telegram-test-api")
  || is_missing('the bot', "test -x $folder/telegram_bot");
ok(1, 'all that is there was tried');

done_testing();
