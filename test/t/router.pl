# A router in front of three shards: every function of it does what it does on one database, for
# whoever calls it, and fails as it fails there.
use strict;
use warnings;

use File::Basename 'dirname';
use lib dirname(__FILE__);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shards;
use Test::More;

skip_without_plproxy();
my $node = start_shards(3);
$node->safe_psql('postgres', 'CREATE DATABASE one');
$node->safe_psql('one', 'CREATE EXTENSION companion');

sub query
{
    my ($database, $sql) = @_;
    return $node->safe_psql($database, $sql);
}

# The same functions
my $functions = <<'SQL';
SELECT format('%s(%s) %s [%s]', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
              (SELECT string_agg(a.grantee::regrole::text, ' ' ORDER BY a.grantee::regrole::text)
               FROM aclexplode(p.proacl) AS a WHERE a.grantee <> p.proowner
                   AND a.grantee::regrole::text <> ALL ('{companion_runtime,companion_router_owner}')))
FROM pg_proc AS p
WHERE p.pronamespace = 'companion'::regnamespace AND p.prorettype <> 'trigger'::regtype
ORDER BY p.proname COLLATE "C", pg_get_function_arguments(p.oid)
SQL
my $internal = query('one', <<'SQL');
SELECT string_agg(DISTINCT p.proname, ' ') FROM pg_proc AS p
WHERE p.pronamespace = 'companion'::regnamespace AND p.proname !~ '^directory'
    AND (obj_description(p.oid, 'pg_proc') ~ 'Internal' OR p.proacl::text !~ 'companion_(user|worker|admin|monitor)')
SQL
my %is_internal = map { $_ => 1 } split / /, $internal;
my @expected = grep { /^(\w+)/ && !$is_internal{$1} && $1 !~ /^directory/ } split /\n/, query('one', $functions);
s/DEFAULT companion\.now\(\)/DEFAULT NULL::timestamp with time zone/g for @expected;
is_deeply([ split /\n/, query('router', $functions) ], \@expected,
    'names, arguments, defaults, results and rights are those of the extension, but that the time is the shard\'s own');

# Two worlds: one database, and three shards, with the same users
my ($ada, $ben) = ('00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b');
my %shard_of = map { $_ => query('router', "SELECT companion.shard_of('$_', 3)") } $ada, $ben;
isnt($shard_of{$ada}, $shard_of{$ben}, 'the two users are on two shards');
my $clock = '2026-03-02 08:00+00';
for my $database ('one', map { "shard_$_" } 0 .. 2)
{
    query('postgres', "ALTER DATABASE $database SET companion.clock = '$clock'");
    my $users = join ', ', map { "'$_'" } grep { $database eq 'one' || $database eq "shard_$shard_of{$_}" } $ada, $ben;
    next unless $users;
    query($database, <<"SQL");
INSERT INTO companion.users (id, display_name, onboarding_completed_at, checkin_time)
SELECT id::uuid, right(id, 1), '2025-01-01', '07:59' FROM unnest(ARRAY[$users]) AS id;
INSERT INTO companion.conversations (user_id, id, channel) SELECT id, id, 'web' FROM companion.users;
INSERT INTO companion.messages (user_id, id, conversation_id, role, content, created_at)
SELECT id, id, id, 'user', 'a secret of ' || display_name, '2026-03-02' FROM companion.users;
INSERT INTO companion.user_context (user_id, id, category, key, value)
SELECT id, id, 'family', 'sister', 'Ana of ' || display_name FROM companion.users;
INSERT INTO companion.scheduled_messages (user_id, id, kind, idempotency_key, local_date, timezone, scheduled_for, channel)
SELECT id, id, 'custom', 'k', '2026-03-02', 'UTC', '2026-03-02', 'web' FROM companion.users;
INSERT INTO companion.dispatch_queue (user_id, message_id, visible_at, send_before, channel)
SELECT id, id, '2026-03-02', 'infinity', 'web' FROM companion.users;
SQL
}

# What a statement does: its rows, or its error with all its parts; of new ids and tokens, that they are there
my $helpers = <<"SQL";
CREATE FUNCTION public.outcome(statement text) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE
    result text;
    detail text;
    hint text;
BEGIN
    EXECUTE statement INTO result;
    RETURN coalesce(result, 'nothing');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
\$\$;
CREATE FUNCTION public.value_for(name text, type regtype, id text) RETURNS text LANGUAGE sql AS \$\$
    SELECT CASE
        WHEN type = 'uuid'::regtype THEN quote_nullable(id) || '::uuid'
        WHEN type = 'uuid[]'::regtype THEN 'ARRAY[' || quote_nullable(id) || ', ''$ada'']::uuid[]'
        WHEN type = 'integer[]'::regtype THEN '''{1,1}''::integer[]'
        WHEN name = 'reasons' THEN '''{r,r}''::text[]'
        WHEN type = 'bigint'::regtype THEN 'NULL::bigint'
        WHEN name IN ('channel', 'channel_user_id') THEN '''web'''
        WHEN name = 'role' THEN '''user'''
        WHEN name = 'initiated_by' THEN '''user'''
        WHEN name IN ('external_id', 'reply_to_external_id') THEN 'NULL::text'
        WHEN name = 'timezone' THEN '''UTC'''
        WHEN name = 'kind' THEN '''custom'''
        WHEN name = 'on_invalid' THEN '''skip'''
        WHEN type = 'text'::regtype THEN '''secret'''
        WHEN type IN ('integer'::regtype, 'smallint'::regtype, 'real'::regtype) THEN '1::' || type
        WHEN type = 'interval'::regtype THEN '''1 day''::interval'
        WHEN type = 'date'::regtype THEN '''2026-03-02''::date'
        WHEN type = 'time'::regtype THEN '''08:00''::time'
        WHEN type = 'timestamptz'::regtype THEN '''2026-03-02 07:00+00''::timestamptz'
        WHEN type = 'boolean'::regtype THEN 'false'
        WHEN name IN ('rows', 'facts') THEN format('''[{"user_id": "%s", "id": "%1\$s", "category": "a", "key": "b", "value": "c"}]''::jsonb', id)
        WHEN type = 'jsonb'::regtype THEN '''{}''::jsonb'
        ELSE 'NULL::' || type
    END
\$\$;
SQL
query($_, $helpers) for 'one', 'router';

# Functions that say something of all shards, or of the clock, which is the router's
my $other_shape = 'health metrics run_maintenance now uuid_v7 current_user_id dispatch run_dispatch shard_of';
my $refused = 'channel_address follow_auth_users schedule_jobs unfollow_auth_users unschedule_jobs usable_channel';
my $by_address = 'redeem_telegram_link_token';
my $attempts = query('router', <<"SQL");
SELECT format('SELECT array_agg(x::text ORDER BY x::text) FROM companion.%I(%s) AS x', p.proname,
              (SELECT string_agg(coalesce(g.value, public.value_for(p.proargnames[i], p.proargtypes[i - 1], of_user.id)), ', ' ORDER BY i)
               FROM generate_series(1, p.pronargs) AS i
               CROSS JOIN LATERAL (SELECT CASE WHEN i > 1 AND p.proargtypes[i - 1] = 'uuid'::regtype THEN quote_literal(other.id) || '::uuid' END) AS g (value)
               ))
FROM pg_proc AS p
CROSS JOIN (VALUES ('$ada'), ('$ben'), ('00000000-0000-0000-0000-0000000000ff'), (NULL)) AS of_user (id)
CROSS JOIN (VALUES ('$ada'), ('$ben')) AS other (id)
WHERE p.pronamespace = 'companion'::regnamespace AND p.prokind = 'f'
    AND p.proname <> ALL (string_to_array('$other_shape $refused $by_address', ' '))
    AND (other.id = '$ada' OR 'uuid'::regtype = ANY ((p.proargtypes::oid[])[1:p.pronargs]))
ORDER BY p.proname IN ('erase_user', 'forget_user_context', 'delete_message'), p.proname COLLATE "C", of_user.id, other.id
SQL
my @attempts = split /\n/, $attempts;
cmp_ok(scalar @attempts, '>', 400, 'attempts at every function');

# What becomes of the attempts, as a role and with an identity
sub outcomes
{
    my ($database, $role, $settings) = @_;
    my $script = "SET client_min_messages = error;\n$settings\nGRANT USAGE ON SCHEMA public TO PUBLIC;\nSET ROLE $role;\n"
        . join '', map { "SELECT public.outcome(\$q\$$_\$q\$);\n" } @attempts;
    my @lines = split /\n(?=\S)/, query($database, $script);
    for (@lines)
    {
        s/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/<id>/g;
        s/\b[\w-]{43}\b/<token>/g;
    }
    return \@lines;
}

for my $caller (
    [ 'companion_user', "SET request.jwt.claims = '{\"sub\": \"$ada\"}';", 'an end user' ],
    [ 'companion_user', '', 'an end user without an identity' ],
    [ 'companion_user', "SET companion.user_id = 'x';", 'an end user with an identity that is none' ],
    [ 'companion_worker', '', 'a worker' ],
    [ 'companion_admin', '', 'an admin' ],
    [ 'companion_monitor', '', 'a monitor' ])
{
    my ($role, $settings, $name) = @$caller;
    my ($one, $routed) = (outcomes('one', $role, $settings), outcomes('router', $role, $settings));
    my @differences = grep { $name !~ /none$/ || /one database: 22P02/ } map { $one->[$_] eq ($routed->[$_] // '') ? () : "$attempts[$_]\n   one database: $one->[$_]\n   router:       " . ($routed->[$_] // 'nothing') }
        0 .. $#$one;
    is(scalar @$routed, scalar @$one, "$name: as many outcomes");
    is(join("\n", @differences), '', "$name: the same on the router as on one database");
}

done_testing();
