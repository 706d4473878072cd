# A hot standby, as an end user, a worker and an admin: every function and view is tried. What reads
# works, and what writes ends with 25006.
use strict;
use warnings;

use File::Basename 'dirname';
use lib dirname(__FILE__);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RichData;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->safe_psql('postgres', 'CREATE DATABASE app');
$primary->safe_psql('app', 'CREATE EXTENSION companion');
load_rich_data($primary, 'app');
$primary->safe_psql('app', <<'SQL');
CREATE ROLE maya LOGIN IN ROLE companion_user;
CREATE ROLE worker LOGIN IN ROLE companion_worker;
CREATE ROLE admin LOGIN IN ROLE companion_admin;
GRANT USAGE ON SCHEMA auth TO admin;
GRANT SELECT, TRIGGER ON auth.users TO admin;
ALTER TABLE auth.users OWNER TO admin;
SQL
my $user = '00000000-0000-0000-0000-000000000002';
$primary->safe_psql('postgres', "ALTER DATABASE app SET companion.user_id = '$user'");

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('flush'));

# A statement for every function that a role may call, with arguments that it takes, and for every
# view and table that it may read
my $statements = <<"SQL";
SELECT p.oid::regprocedure || '|' || (p.provolatile <> 'v')::integer || '|' ||
       CASE WHEN p.prokind = 'p' THEN 'CALL' ELSE 'SELECT' END ||
       format(' companion.%I(%s)', p.proname, coalesce(string_agg(CASE
           WHEN a.name IN ('reply_to_id', 'retry_after_seconds') THEN 'NULL'
           WHEN a.type = 'uuid'::regtype AND a.name = 'user_id' THEN '''$user'''
           WHEN a.type = 'uuid'::regtype AND a.name = 'conversation_id' THEN
               (SELECT quote_literal(id) FROM companion.conversations WHERE user_id = '$user' LIMIT 1)
           WHEN a.type = 'uuid'::regtype THEN
               (SELECT quote_literal(id) FROM companion.messages WHERE user_id = '$user' LIMIT 1)
           WHEN a.type = 'uuid[]'::regtype THEN '''{$user}'''
           WHEN a.type = 'companion.users'::regtype THEN
               '(SELECT u FROM companion.users AS u WHERE u.id = ''$user'')'
           WHEN a.name = 'valid_for' OR a.name LIKE 'telegram_message_id%' OR a.name LIKE '%external_id%' THEN 'NULL'
           WHEN a.name = 'bot' THEN ''''''
           WHEN a.name = 'address' THEN '''1002'''
           WHEN a.name = 'channel' THEN '''telegram'''
           WHEN a.name IN ('role', 'initiated_by') THEN '''user'''
           WHEN a.name = 'timezone' THEN '''europe/berlin'''
           WHEN a.name IN ('channel_user_id', 'channel_user_number') THEN '''1002'''
           WHEN a.name = 'bot_username' THEN '''my_bot'''
           WHEN a.name = 'answers' THEN '''{"name": "Maya"}'''
           WHEN a.name = 'facts' THEN '''[{"category": "a", "key": "b", "value": "c"}]'''
           WHEN a.name = 'local_date' OR a.type = 'date'::regtype THEN '''2026-03-02'''
           WHEN a.name = 'auth_table' THEN '''auth.users'''
           WHEN a.name = 'on_invalid' THEN '''skip'''
           WHEN a.name = 'facts_text' THEN '''[]'''
           WHEN p.proname = 'update_user_context' AND a.name IN ('category', 'key') THEN 'NULL'
           WHEN a.type = 'text'::regtype THEN '''name'''
           WHEN a.type = 'name'::regtype THEN '''email'''
           WHEN a.type IN ('integer'::regtype, 'bigint'::regtype, 'double precision'::regtype) THEN '1'
           WHEN a.type IN ('integer[]'::regtype, 'double precision[]'::regtype) THEN '''{1}'''
           WHEN a.type = 'bigint[]'::regtype THEN '''{1}'''
           WHEN a.name = 'channels' THEN '''{telegram}'''
           WHEN a.type = 'text[]'::regtype THEN '''{name}'''
           WHEN a.type = 'interval'::regtype THEN '''1 hour'''
           WHEN a.type = 'timestamptz'::regtype THEN 'companion.now()'
           WHEN a.type = 'time'::regtype THEN '''09:00'''
           WHEN a.type = 'boolean'::regtype THEN 'true'
           WHEN a.type = 'jsonb'::regtype THEN '''{}'''
           ELSE 'NULL' END, ', ' ORDER BY a.position) FILTER (WHERE a.position > 0), ''))
FROM pg_proc AS p
LEFT JOIN LATERAL (SELECT t.type::regtype, coalesce(p.proargnames[t.position], '') AS name, t.position
                   FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS t (type, position)) AS a ON true
WHERE p.pronamespace = 'companion'::regnamespace AND p.prorettype <> 'trigger'::regtype
    AND has_function_privilege(p.oid, 'EXECUTE')
GROUP BY p.oid
UNION ALL
SELECT c.oid::regclass || '|' || (c.relpersistence <> 'u')::integer || '|SELECT count(*) FROM ' || c.oid::regclass
FROM pg_class AS c
WHERE c.relnamespace = 'companion'::regnamespace AND c.relkind IN ('r', 'v')
    AND has_any_column_privilege(c.oid, 'SELECT')
SQL

# What each statement of a role ends with, by what it tries
sub outcomes
{
    my ($role, @statements) = @_;
    my $script = join '', map { "$_->{statement} \\g /dev/null\n\\echo $_->{name}|:SQLSTATE|:LAST_ERROR_MESSAGE\n" } @statements;
    my ($out, $errors);
    IPC::Run::run([ 'psql', '-XqAt', '--dbname=' . $standby->connstr('app') . " user=$role" ], '<', \$script, '>', \$out, '2>', \$errors);
    return { map { my ($name, @outcome) = split /\|/, $_, 3; ($name => \@outcome) } split /\n/, $out };
}

# Volatile, but only by what they return, or by what they keep where they can
my $reads = qr/^companion\.(uuid_v7|new_user_id|search_messages)\(/;
# This database is not the directory
my $is_elsewhere = qr/^companion\.directory_lookup\(/;
# pg_cron is not installed here
my $of_cron = qr/^companion\.\w*(cron|schedule_jobs|job_login|job_runs|require_databases)/;

for my $role (qw(maya worker admin))
{
    my @statements =
      map { my %s; @s{qw(name reads statement)} = split /\|/, $_, 3; \%s }
      grep { !/$of_cron/ } split /\n/, $primary->safe_psql('app', "SET ROLE $role; $statements");
    cmp_ok(scalar(@statements), '>', 20, "$role: functions and tables");
    my $outcomes = outcomes($role, @statements);
    for (@statements)
    {
        my ($name, $state) = ($_->{name}, $outcomes->{ $_->{name} }[0]);
        my $expected = $name =~ $is_elsewhere ? '55000' : $_->{reads} || $name =~ $reads ? '00000'
          : $name =~ /\(/ ? '25006' : '0A000'; # an unlogged table itself
        is($state, $expected, "$role: $name") or diag "$_->{statement}: $outcomes->{$name}[1]";
    }
}

# The export is as on the primary, but for what is not replicated.
sub export
{
    my ($node) = @_;
    return $node->safe_psql('app', <<"SQL");
SELECT key, CASE WHEN key <> 'telegram_redeem_failures' THEN value END
FROM jsonb_each(companion.export_user('$user')) ORDER BY key
SQL
}
is(export($standby), export($primary), 'the export is as on the primary');

# Promoted, it is a primary.
$standby->promote;
is($standby->safe_psql('app', "SELECT companion.erase_user('$user')->>'users'"), '1', 'promoted, it erases');

done_testing();
