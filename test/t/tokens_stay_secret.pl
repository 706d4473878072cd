# A link token, and the hash that is kept of it, show nowhere as long as tokens are bound parameters:
# not in the server's log, however much is logged, as long as parameters are not; not in
# pg_stat_activity or pg_stat_statements; and in no table or view that an end user or a worker reads.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('secret');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
companion.lock_wait = '1h'
shared_preload_libraries = 'pg_stat_statements, auto_explain'
pg_stat_statements.track = all
auto_explain.log_min_duration = 0
auto_explain.log_nested_statements = on
auto_explain.log_analyze = on
log_statement = all
log_min_duration_statement = 0
log_parameter_max_length = 0
log_min_messages = debug1
log_min_error_statement = debug1
log_error_verbosity = verbose
log_lock_waits = on
deadlock_timeout = 10ms
max_prepared_transactions = 1
companion.redeem_failures_per_minute = 1
CONF
$node->append_conf('postgresql.conf', 'auto_explain.log_parameter_max_length = 0')
    if $node->pg_version >= 16;
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION companion;
CREATE EXTENSION pg_stat_statements;
CREATE TABLE seen (token text);
INSERT INTO companion.users (id) VALUES
    ('00000000-0000-0000-0000-000000000001'), ('00000000-0000-0000-0000-000000000002');
SQL

# pgbench binds its variables in extended mode.
sub pgbench
{
    my ($name, $script) = @_;
    my $file = $node->basedir . "/$name.sql";
    append_to_file($file, $script);
    return ('pgbench', '--no-vacuum', '--protocol=extended', '--transactions=1', '--file', $file,
        $node->connstr('postgres'));
}

# Tokens made, linked to, redeemed, refused.
$node->run_log([ pgbench('flow', <<'SQL') ]);
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

# Errors are logged with their statement.
$node->run_log([ pgbench('error', <<'SQL') ]);
SELECT companion.create_telegram_link_token('00000000-0000-0000-0000-000000000001') AS token \gset
INSERT INTO seen VALUES (:token);
SELECT companion.redeem_telegram_link_token(:token, 0);
SQL

# A redemption that waits for another's transaction, so that others see its statement run.
$node->run_log([ pgbench('make', <<'SQL') ]);
SELECT companion.create_telegram_link_token('00000000-0000-0000-0000-000000000002') AS token \gset
INSERT INTO seen VALUES (:token);
SQL
$node->safe_psql('postgres', <<'SQL');
ANALYZE companion.telegram_link_tokens;
BEGIN;
UPDATE companion.users SET location = 'Lima' WHERE id = '00000000-0000-0000-0000-000000000002';
PREPARE TRANSACTION 'hold';
SQL
my $waiting = IPC::Run::start([ pgbench('redeem', <<'SQL') ], '>', '/dev/null', '2>&1');
SELECT token FROM seen ORDER BY ctid DESC LIMIT 1 \gset
SELECT companion.redeem_telegram_link_token(:token, 7);
SQL
ok($node->poll_query_until('postgres', <<'SQL'), 'a redemption waits');
SELECT EXISTS (SELECT FROM pg_stat_activity
               WHERE wait_event_type = 'Lock' AND query LIKE '%redeem_telegram_link_token($1, 7)%')
SQL

# What a role can read of all tables and views, as text; not of the information schema, which holds
# nothing else than the catalog.
sub readable
{
    my ($role) = @_;
    my $reads = $node->safe_psql('postgres', <<"SQL");
SET ROLE $role;
SELECT format('SELECT r FROM (SELECT %s FROM %s) AS r;', string_agg(quote_ident(a.attname), ', '), c.oid::regclass)
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'v', 'm') AND c.relname <> 'seen'
    AND c.relnamespace <> 'information_schema'::regnamespace
    AND has_schema_privilege(c.relnamespace, 'USAGE')
    AND has_column_privilege(c.oid, a.attnum, 'SELECT')
GROUP BY c.oid;
SQL
    my $text = '';
    $node->psql('postgres', "SET auto_explain.log_min_duration = -1; SET ROLE $role;\n$reads", stdout => \$text, on_error_stop => 0);
    return $text;
}

my %found = map { $_ => readable($_) } qw(companion_user companion_worker companion_admin companion_monitor);
my $monitored = $node->safe_psql('postgres',
    'SELECT a FROM pg_stat_activity AS a; SELECT s FROM pg_stat_statements AS s');
$node->safe_psql('postgres', "COMMIT PREPARED 'hold'");
$waiting->finish;

my @tokens = split /\n/, $node->safe_psql('postgres', 'SELECT token FROM seen');
my @hashes = split /\n/, $node->safe_psql('postgres', <<'SQL');
SET bytea_output = 'escape';
SELECT unnest(ARRAY[encode(hash, 'hex'), encode(hash, 'base64'), hash::text])
FROM seen, sha256(token::bytea) AS hash;
SQL

sub secrets_in
{
    my ($text) = @_;
    return [ grep { index($text, $_) >= 0 } @tokens, @hashes ];
}

is(scalar @tokens, 4, 'tokens were made');
is(scalar @hashes, 12, 'and their hashes');
my $log = slurp_file($node->logfile);
like($log, qr/redeem_telegram_link_token\(\$1, \$2\)/, 'the calls are in the log');
like($log, qr/ERROR:  22023: telegram_user_id is 0/, 'so are the errors');
like($log, qr/still waiting for ShareLock/, 'and who waits');
like($log, qr/Index Cond: \(token_hash = /, 'and the plans');
is_deeply(secrets_in($log), [], 'no token or hash is in the log');
like($monitored, qr/redeem_telegram_link_token\(\$1, 7\)/, 'a running call is in pg_stat_activity');
like($monitored, qr/redeem_telegram_link_token\(\$1, \$2\)/, 'the calls are in pg_stat_statements');
like($monitored, qr/token_hash = /, 'so are those within them');
is_deeply(secrets_in($monitored), [], 'no token or hash is in either');
like($found{companion_user}, qr/pg_read_all_data/, 'an end user reads the catalog');
like($found{companion_worker}, qr/00000000-0000-0000-0000-000000000002/, 'a worker reads the users');
is_deeply(secrets_in($found{$_}), [], "$_ reads no token or hash anywhere") for sort keys %found;
is_deeply(secrets_in(readable('postgres')), [ grep { /^[0-9a-f]{64}$/ } @hashes ],
    'only a superuser reads the hashes');

$node->stop;
done_testing();
