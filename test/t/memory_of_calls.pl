# Calls leave nothing behind in a backend, whether they fail or succeed: its memory after many of
# them is what it was after the first thousand, to within a megabyte.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
fsync = off
max_prepared_transactions = 1
companion.max_context_items = 2
companion.redeem_failures_per_minute = 1
CONF
$node->start;

my $user = "'00000000-0000-0000-0000-000000000001'";
my $locked = "'00000000-0000-0000-0000-000000000002'";
my $nobody = "'00000000-0000-0000-0000-0000000000ff'";

# repeat_call() makes a call so many times, each of which ends with this SQLSTATE; memory() is what
# the backend has taken for itself, by its own books and by the kernel's, in kilobytes.
$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION companion;
INSERT INTO companion.users (id, onboarding_completed_at, telegram_user_id) VALUES ($user, '2025-01-01', 1), ($locked, NULL, 2);
SELECT companion.upsert_user_context($user, 'family', key, 'Ana') FROM unnest('{sister,mother}'::text[]) AS key;
SELECT companion.open_conversation($user, 'web');
SELECT companion.schedule_message($user, '2026-03-02', NULL);

CREATE PROCEDURE repeat_call(statement text, times integer, expected text) LANGUAGE plpgsql AS \$\$
DECLARE
    outcome text;
BEGIN
    FOR made IN 1..times LOOP
        BEGIN
            EXECUTE statement;
            outcome := '00000';
        EXCEPTION WHEN OTHERS THEN
            outcome := SQLSTATE;
        END;
        ASSERT outcome = expected, format('%s instead of %s', outcome, expected);
        IF made % 100 = 0 THEN
            COMMIT;
        END IF;
    END LOOP;
END
\$\$;
CREATE FUNCTION memory() RETURNS text LANGUAGE sql SECURITY DEFINER RETURN
    (SELECT sum(total_bytes) / 1024 FROM pg_backend_memory_contexts)::integer || ' ' ||
    substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\\s+(\\d+)');
SQL

my $started = $node->safe_psql('postgres', <<'SQL');
SELECT format('%L, %L, %s', user_id, message_id, attempt) FROM companion.claim_messages('w')
WHERE companion.start_send(user_id, message_id, attempt)
SQL

# The memory after the first thousand calls and after all of them differs by less than a megabyte.
sub stays_level
{
    my ($name, $output) = @_;
    my ($first, $last) = grep { /^\d+ \d+$/ } split /\n/, $output;
    my ($books, $kernel) = map { (split / /, $last)[$_] - (split / /, $first)[$_] } 0, 1;
    ok($books < 1024 && $kernel < 1024, "$name: $books kB, $kernel kB more");
}

# As a subtransaction of one backend, again and again.
sub calls_stay_level
{
    my ($name, $sqlstate, $times, $statement, $settings) = @_;
    my $rest = $times - 1000;
    stays_level("$times times $sqlstate, $name", $node->safe_psql('postgres', <<"SQL"));
@{[ $settings // '' ]};
CALL repeat_call(\$call\$$statement\$call\$, 1000, '$sqlstate');
SELECT memory();
CALL repeat_call(\$call\$$statement\$call\$, $rest, '$sqlstate');
SELECT memory();
SQL
}

# As transactions of their own.
sub statements_stay_level
{
    my ($name, $sqlstate, $times, $statement, $settings) = @_;
    my $calls = sub { return "$settings;\n" . "$statement;\n" x $_[0] . "RESET ALL;\nSELECT memory();\n" };
    my ($status, $output, $errors) = $node->psql('postgres',
        "\\set VERBOSITY sqlstate\n" . $calls->(1000) . $calls->($times - 1000), on_error_stop => 0);
    my @failed = $errors =~ /ERROR:  $sqlstate/g;
    is(scalar @failed, $times, "$name: all fail with $sqlstate");
    stays_level("$times statements $sqlstate, $name", $output);
}

calls_stay_level('an argument out of bounds', '22023', 100_000,
    "SELECT companion.upsert_user_context($user, 'family', 'sister', 'Ana', importance => 7)");
calls_stay_level('a foreign key', '23503', 100_000,
    "SELECT companion.add_message($user, $nobody, 'user', 'hello')");
calls_stay_level('an item confirmed', '00000', 100_000,
    "SELECT companion.upsert_user_context($user, 'family', 'sister', 'Ana')");

calls_stay_level('one item too many', '54000', 10_000,
    "SELECT companion.upsert_user_context($user, 'family', 'father', 'Jo')");
calls_stay_level('a bad element among many', '22023', 10_000,
    qq(SELECT companion.upsert_user_context_many($user, '[{"category": "family", "key": "sister", "value": "Ana"}, {"category": ""}]')));
calls_stay_level('another user', '42501', 10_000,
    "SELECT companion.export_user($user)", "SET ROLE companion_user; SET companion.user_id = $nobody");
calls_stay_level('a table of another role', '42501', 10_000,
    'SELECT FROM companion.dispatch_queue', 'SET ROLE companion_user');
calls_stay_level('claims that are none', '22P02', 10_000,
    'SELECT companion.current_user_id()', "SET request.jwt.claims = '{broken'");
calls_stay_level('an unknown zone, in a trigger', '22023', 10_000,
    "UPDATE companion.users SET timezone = 'Mars/Olympus' WHERE id = $user");
calls_stay_level('sent without text, in the open queue', '22023', 10_000,
    "SELECT companion.mark_sent($started)");
calls_stay_level('arrays of different lengths', '2202E', 10_000,
    "SELECT companion.start_send_many(ARRAY[$nobody]::uuid[], '{}', '{}')");
calls_stay_level('tokens tried out', '53400', 10_000,
    "SELECT companion.redeem_telegram_link_token('guess', 7)", "SELECT companion.redeem_telegram_link_token('guess', 7)");
calls_stay_level('a setting that cannot be read', '22023', 10_000, "SET companion.clock = 'noon'",
    'SELECT companion.now()');

calls_stay_level('categories that change', '00000', 3_000,
    q{UPDATE companion.context_categories SET max_items = 9 WHERE category = 'mood'; SELECT companion.keeps_history('mood')});
calls_stay_level('a bad element that is skipped', '00000', 10_000,
    qq(SELECT companion.upsert_user_context_many($user, '[{"category": "family", "key": "sister", "value": "Ana"}, {"category": ""}]', 'skip')));
calls_stay_level('a claim, none being due', '00000', 10_000, "SELECT FROM companion.claim_messages('w')");
calls_stay_level('a search', '00000', 10_000, "SELECT FROM companion.search_messages($user, 'hello')");
calls_stay_level('a recollection', '00000', 10_000, "SELECT companion.user_context_prompt($user)");
calls_stay_level('a next check-in', '00000', 10_000, "SELECT companion.next_checkin($user)");
calls_stay_level('what is upcoming', '00000', 3_000, "SELECT FROM companion.upcoming($user, companion.now() + interval '9 days')");
calls_stay_level('an explanation', '00000', 3_000, "SELECT FROM companion.explain_checkin($user)");
calls_stay_level('an export', '00000', 10_000, "SELECT companion.export_user($user)");

statements_stay_level('a foreign key', '23503', 10_000,
    "SELECT companion.add_message($user, $nobody, 'user', 'hello')", 'SET work_mem = DEFAULT');

# A prepared transaction holds a lock without a session.
$node->safe_psql('postgres', <<"SQL");
BEGIN;
SELECT FROM companion.users WHERE id = $locked FOR UPDATE;
PREPARE TRANSACTION 'lock';
SQL
calls_stay_level('a lock waited for', '55P03', 3_000,
    "SELECT companion.start_onboarding($locked)", "SET lock_timeout = '1ms'");
statements_stay_level('cancelled in the wait for a lock', '57014', 3_000,
    "SELECT companion.start_onboarding($locked)", "SET statement_timeout = '1ms'");

done_testing();
