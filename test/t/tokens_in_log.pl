# The server's log holds no link token, nor its hash, however much is logged, as long as tokens are
# bound parameters and these are not logged.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('log');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
log_statement = all
log_min_duration_statement = 0
log_parameter_max_length = 0
log_min_messages = debug1
log_min_error_statement = debug1
log_error_verbosity = verbose
log_lock_waits = on
companion.redeem_failures_per_minute = 1
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION companion;
CREATE TABLE seen (token text);
INSERT INTO companion.users (id) VALUES
    ('00000000-0000-0000-0000-000000000001'), ('00000000-0000-0000-0000-000000000002');
SQL

# pgbench binds its variables in extended mode: tokens made, linked to, redeemed, refused.
my $script = $node->basedir . '/flow.sql';
append_to_file($script, <<'SQL');
\set account random(1, 1000000000)
SELECT companion.create_telegram_link_token('00000000-0000-0000-0000-000000000001') AS token \gset
INSERT INTO seen VALUES (:token);
SELECT companion.telegram_deep_link('my_bot', :token);
SELECT companion.redeem_telegram_link_token(:token, :account);
SELECT companion.redeem_telegram_link_token(:token, :account);
SELECT companion.create_telegram_link_token('00000000-0000-0000-0000-000000000002') AS other \gset
INSERT INTO seen VALUES (:other);
SELECT companion.redeem_telegram_link_token(:other, :account);
SELECT companion.expire_telegram_link_tokens();
SQL
$node->run_log([ 'pgbench', '--no-vacuum', '--protocol=extended', '--transactions=5', '--file', $script,
    $node->connstr('postgres') ]);

# Errors are logged with their statement.
my $errors = $node->basedir . '/errors.sql';
append_to_file($errors, <<'SQL');
SELECT companion.create_telegram_link_token('00000000-0000-0000-0000-000000000001') AS token \gset
INSERT INTO seen VALUES (:token);
SELECT companion.redeem_telegram_link_token(:token, 0);
SQL
$node->run_log([ 'pgbench', '--no-vacuum', '--protocol=extended', '--transactions=1', '--file', $errors,
    $node->connstr('postgres') ]);

my @tokens = split /\n/, $node->safe_psql('postgres', 'SELECT token FROM seen');
my @hashes = split /\n/, $node->safe_psql('postgres', "SELECT encode(sha256(token::bytea), 'hex') FROM seen");
my $log = slurp_file($node->logfile);
is(scalar @tokens, 11, 'tokens were made');
like($log, qr/redeem_telegram_link_token\(\$1, \$2\)/, 'the calls are in the log');
like($log, qr/ERROR:  22023: telegram_user_id is 0/, 'so are the errors');
is_deeply([ grep { index($log, $_) >= 0 } @tokens ], [], 'no token is in the log');
is_deeply([ grep { index($log, $_) >= 0 } @hashes ], [], 'no hash is in the log');
is($node->safe_psql('postgres', <<'SQL'), '0', 'no token is in pg_stat_activity');
SELECT count(*) FROM pg_stat_activity JOIN seen ON position(token in query) > 0
SQL

$node->stop;
done_testing();
