# A router in front of three shards: every function of it does what it does on one database, for
# whoever calls it, and fails as it fails there.
use strict;
use warnings;

use File::Basename 'dirname';
use lib dirname(__FILE__);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Routed;
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
WHERE p.pronamespace = 'companion'::regnamespace
    AND (obj_description(p.oid, 'pg_proc') ~ 'Internal' OR p.proacl::text !~ 'companion_(user|worker|admin|monitor)')
SQL
my %is_internal = map { $_ => 1 } split / /, $internal;
my @expected = grep { /^(\w+)/ && !$is_internal{$1} } split /\n/, query('one', $functions);
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
my $other_shape = 'health metrics run_maintenance now uuid_v7 new_user_id current_user_id dispatch run_dispatch';
my $refused = 'channel_address follow_auth_users schedule_jobs set_directory set_shard unfollow_auth_users unschedule_jobs usable_channel';
my $by_address = 'redeem_telegram_link_token link_token_owner take_reservation settle_reservation link_wanted_address'
    . ' directory_change_done directory_confirm directory_lookup directory_release directory_reserve';
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
        s/(?<![\w-])(\d-)?[\w-]{43}(?![\w-])/<token>/g;
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

# The SQLSTATE, message, detail and hint with which a statement fails on the router
sub error_of
{
    my ($sql, $settings) = @_;
    my ($status, $output, $error) = $node->psql('router', ($settings // '') . "\\set VERBOSITY verbose\n$sql");
    $error =~ s/^(CONTEXT|LOCATION|PL\/pgSQL|SQL statement|  +).*\n?//mg;
    return $error;
}

for my $function (split / /, $refused)
{
    my $argument = { channel_address => q{NULL, 'web'}, usable_channel => 'NULL', set_shard => '0, 3', set_directory => '3' }->{$function} // '';
    like(error_of("SELECT companion.$function($argument)"), qr/0A000: companion\.$function\(\) is not routed\nHINT:  Call it on each shard\./,
        "$function is not routed");
}

# What many messages get, in input order, from whichever shards
query($_, <<'SQL') for map { "shard_$_" } 0 .. 2;
RESET ALL;
DELETE FROM companion.users;
DELETE FROM companion.dispatch_queue;
SQL
query('router', <<'SQL');
CREATE TABLE public.people AS SELECT i, companion.new_user_id() AS id FROM generate_series(1, 60) AS i;
CREATE TABLE public.claimed (place serial, user_id uuid, message_id uuid, attempt integer, shard integer);
GRANT ALL ON public.people, public.claimed, public.claimed_place_seq TO PUBLIC;
SET ROLE companion_worker;
SELECT companion.put_user(id, format('{"display_name": "user %s"}', i)::jsonb) FROM people;
SELECT companion.schedule_message(id, '2026-03-02 07:00+00', 'hello') FROM people;
SQL
is(query('router', 'SELECT count(DISTINCT companion.shard_of(id, 3)) FROM people'), '3', 'users with new ids are on every shard');
is(join(' ', map { query("shard_$_", 'SELECT count(*) FROM companion.users') } 0 .. 2),
    query('router', "SELECT string_agg(n::text, ' ' ORDER BY s) FROM (SELECT companion.shard_of(id, 3), count(*) FROM people GROUP BY 1) AS x (s, n)"),
    'each on its own');

query('router', <<'SQL');
SET ROLE companion_worker;
INSERT INTO claimed (user_id, message_id, attempt, shard)
SELECT c.user_id, c.message_id, c.attempt, companion.shard_of(c.user_id, 3)
FROM generate_series(1, 12) AS n CROSS JOIN LATERAL companion.claim_messages('worker ' || n, 4) AS c;
SQL
is(query('router', q{SELECT string_agg(n::text, ' ' ORDER BY shard) FROM (SELECT shard, count(*) FROM claimed GROUP BY 1) AS x (shard, n)}),
    '16 16 16', 'twelve claims of four take from three shards in turn');
is(query('router', q{SET ROLE companion_worker; SELECT count(*), count(DISTINCT message_id) FROM companion.claim_messages('worker', 50)}),
    '12|12', 'one of 50 takes what is left, from all of them');

query('router', <<'SQL');
UPDATE claimed SET attempt = 99 WHERE place % 5 = 0;
CREATE TABLE public.answers (step text, place integer, answer boolean);
GRANT ALL ON public.answers TO PUBLIC;
SET ROLE companion_worker;
INSERT INTO answers SELECT 'start', c.place, a.answer
FROM unnest((SELECT companion.start_send_many(array_agg(user_id ORDER BY md5(place::text)), array_agg(message_id ORDER BY md5(place::text)),
                                              array_agg(attempt ORDER BY md5(place::text))) FROM claimed)) WITH ORDINALITY AS a (answer, n)
JOIN (SELECT place, row_number() OVER (ORDER BY md5(place::text)) AS n FROM claimed) AS c USING (n);
INSERT INTO answers SELECT 'sent', c.place, a.answer
FROM unnest((SELECT companion.mark_sent_many(array_agg(user_id ORDER BY place DESC), array_agg(message_id ORDER BY place DESC),
                                             array_agg(attempt ORDER BY place DESC), array_agg('text ' || place ORDER BY place DESC)) FROM claimed))
    WITH ORDINALITY AS a (answer, n)
JOIN (SELECT place, row_number() OVER (ORDER BY place DESC) AS n FROM claimed) AS c USING (n);
SQL
is(query('router', 'SELECT count(*) FROM answers WHERE answer <> (place % 5 <> 0)'), '0', 'each answer is in its place');
is(query('router', 'SELECT count(*) FROM answers WHERE answer'), '78', 'and so many are true');
is(query('router', <<'SQL'), '0', 'each text is with its message');
SET ROLE companion_worker;
SELECT count(*) FROM claimed AS c
WHERE c.attempt = 1 AND (SELECT m.content FROM companion.recent_messages(c.user_id, 1) AS m) IS DISTINCT FROM 'text ' || c.place
SQL
like(error_of("SELECT companion.start_send_many('{}', '{}', '{1}')"), qr/2202E: argument "attempts" has 1 elements, expected 0/,
    'arrays of different lengths');
is(query('router', "SET ROLE companion_worker; SELECT companion.start_send_many('{}', '{}', '{}')"), '{}', 'arrays of nothing');

is(query('router', <<'SQL'), "{f,f}\n" x 7 . '{f,f}', 'called again, in one session and with what they resolve');
SET ROLE companion_worker;
CREATE TEMP TABLE two AS SELECT array_agg(user_id) AS users, array_agg(message_id) AS messages, array_agg(attempt) AS attempts
FROM (SELECT * FROM claimed WHERE attempt = 1 ORDER BY place LIMIT 2) AS c;
SELECT companion.mark_sent_many(users, messages, attempts, '{again,again}') FROM two, generate_series(1, 7);
SELECT companion.mark_sent_many(users, messages, attempts, '{again,again}', resolves => ARRAY[[users[1], users[2]], [users[1], NULL]]) FROM two;
SQL

# All shards
is(query('router', "SELECT companion.dispatch('2026-03-02 07:30+00')"), '0', 'dispatch on every shard');
query('router', 'CALL companion.run_dispatch()');
is(query("shard_$_", "SELECT previous_tick FROM companion.dispatch_state"), '2026-03-02 08:00:00+00', "shard $_ goes by its own clock") for 0 .. 2;
is(query('router', q{SELECT count(DISTINCT split_part("check", ':', 1)) FROM companion.health()}), '3', 'the health of every shard');
is(query('router', q{SELECT string_agg(ok::text, ' ') FROM companion.health() WHERE "check" LIKE 'shard %: directory changes'}), 'true true true', 'and what each has for the directory');
is(query('router', q{SELECT string_agg(labels ->> 'shard', ' ' ORDER BY labels ->> 'shard') FROM companion.metrics() WHERE name = 'companion_shard_up' AND value = 1}),
    '0 1 2', 'metrics of every shard');
is(query('router', q{SELECT count(DISTINCT split_part(task, ':', 1)) FROM companion.run_maintenance() WHERE task <> 'directory'}), '3', 'maintenance on every shard');
is(query('router', q{SELECT companion.pause_sending('telegram')}), 't', 'sending is paused');
is(join(' ', map { query("shard_$_", "SELECT count(*) FROM companion.sending_pauses WHERE channel = 'telegram'") } 0 .. 2), '1 1 1', 'on every shard');
is(query('router', q{SELECT companion.resume_sending('telegram')}), 't', 'and resumed');
my @warnings = split /\n/, error_of(q{SELECT companion.pause_sending('nowhere')});
like("@warnings", qr/^\S+\s+ERROR:  22023: unknown channel "nowhere" HINT:  The channels are the rows of companion.channels.$/,
    'what is wrong with a call is an error, once');

# Addresses, unique across shards by the directory
sub as_worker { return query('router', "SET ROLE companion_worker;\n$_[0]"); }

my ($maya, $sita) = map { query('router', "SELECT id FROM people WHERE companion.shard_of(id, 3) = $_ ORDER BY i LIMIT 1") } 1, 2;
is(as_worker("SELECT companion.link_address('$maya', 'telegram', '111')"), 'linked', 'an address is linked');
is(as_worker("SELECT companion.link_address('$maya', 'telegram', '111')"), 'linked', 'again');
is(as_worker("SELECT companion.link_address('$sita', 'telegram', '0111')"), 'taken', 'for another, on another shard, it is taken');
is(query('directory', 'SELECT user_id, confirmed_at IS NOT NULL FROM companion.directory'), "$maya|t", 'the directory knows whose it is');
is(as_worker("SELECT user_id, is_new FROM companion.record_incoming('telegram', '111', 'hello', telegram_message_id => 7)"), "$maya|t", 'a message from it');
is(as_worker("SELECT user_id, is_new FROM companion.record_incoming('telegram', '111', 'hello', telegram_message_id => 7)"), "$maya|f", 'delivered again');
is(query('router', 'SELECT count(*) FROM companion_router.known_addresses'), '1', 'the router knows where it was from');
is(as_worker("SELECT count(*) FROM companion.record_incoming('telegram', '999', 'hello')"), '0', 'a message from an address that nobody has');
is(as_worker("SELECT user_id FROM companion.record_incoming('web', '$sita', 'hello')"), $sita, 'a message on the web');
like(error_of("SELECT companion.record_incoming('telegram', 'me', 'hello')"), qr/22P02|22023/, 'no address');
like(error_of("SELECT companion.link_address('$sita', 'telegram', 'me')"), qr/22P02/, 'nor is it linked');
like(error_of("SELECT companion.link_address('00000000-0000-0000-0000-0000000000fe', 'telegram', '112')"), qr/23503/, 'nobody gets none');
is(query('directory', 'SELECT count(*) FROM companion.directory'), '1', 'and nothing stays reserved');

is(as_worker("SELECT companion.unlink_address('$maya', 'telegram', '111')"), 't', 'unlinked');
is(as_worker("SELECT companion.link_address('$sita', 'telegram', '111')"), 'linked', 'it is free for another shard\'s user at once');
is(as_worker("SELECT user_id FROM companion.record_incoming('telegram', '111', 'now I am Sita')"), $sita, 'messages from it are theirs');
is(as_worker("SELECT companion.unlink_address('$sita', 'telegram', '111')"), 't', 'unlinked again');
query('router', 'SELECT * FROM companion.run_maintenance()');
is(query('directory', 'SELECT count(*) FROM companion.directory'), '0', 'maintenance frees it in the directory');
is(join(' ', map { query("shard_$_", 'SELECT count(*) FROM companion.directory_changes') } 0 .. 2), '0 0 0', 'and nothing is left on the shards');

my $token = as_worker("SELECT companion.create_telegram_link_token('$maya')");
is(as_worker("SELECT * FROM companion.redeem_telegram_link_token('$token', 222)"), "linked|$maya", 'a token is redeemed');
is(as_worker("SELECT * FROM companion.redeem_telegram_link_token('$token', 222)"), "linked|$maya", 'delivered again');
$token = as_worker("SELECT companion.create_telegram_link_token('$sita')");
is(as_worker("SELECT * FROM companion.redeem_telegram_link_token('$token', 222)"), 'taken|', 'another\'s account is taken');
is(as_worker("SELECT * FROM companion.redeem_telegram_link_token('$token', 223)"), "linked|$sita", 'and the token stays live');
is(as_worker("SELECT * FROM companion.redeem_telegram_link_token('no token', 224)"), 'unknown|', 'no token');
is(as_worker("SELECT * FROM companion.redeem_telegram_link_token('$token', 224)"), 'used|', 'a used one');

my $new = as_worker(q{SELECT id FROM companion.put_user(NULL, '{"telegram_user_id": 333, "display_name": "Noor"}')});
is(as_worker(q{SELECT id FROM companion.put_user(NULL, '{"telegram_user_id": 333}')}), $new, 'one call again makes no second user');
is(as_worker(q{SELECT id FROM companion.put_user(NULL, '{"telegram_user_id": 222}')}), $maya, 'one who is known by their account');
is(as_worker(q{SELECT user_id FROM companion.record_incoming('telegram', '333', 'hello')}), $new, 'and found by it');
as_worker("SELECT companion.unlink_address('$new', 'telegram', '333')");
my $newer = as_worker(q{SELECT id FROM companion.put_user(NULL, '{"telegram_user_id": 333}')});
isnt($newer, $new, 'who had the account before is not who comes with it now');
is(as_worker("SELECT count(*) FROM companion.recent_messages('$newer')"), '0', 'nor are their messages the new one\'s');
query('router', "SELECT companion.erase_user('$newer')");
like(as_worker(q{SELECT id FROM companion.put_user(NULL, '{"telegram_user_id": 333, "display_name": "Noor"}')}), qr/^(?!$newer)[0-9a-f-]{36}$/,
    'an erased user\'s account is for a new user, too');
is(query('router', q{SELECT email FROM companion.put_user('} . $maya . q{', '{"email": "maya@example.org"}')}), 'maya@example.org', 'a column of theirs');
is(query('directory', q{SELECT count(*) FROM companion.directory WHERE channel = 'email'}), '0', 'which the directory is yet to hear of');
query('router', 'SELECT * FROM companion.run_maintenance()');
is(query('directory', q{SELECT user_id FROM companion.directory WHERE channel = 'email'}), $maya, 'it hears of it by maintenance');
is(query('directory', 'SELECT count(*) FROM companion.directory WHERE confirmed_at IS NULL'), '0', 'everything is confirmed');

# Many at once on one address, which settle each other's reservations
$node->pgbench('--no-vacuum --client=4 --jobs=2 --transactions=60', 0, [qr{processed: 240/240}], [qr/^/], 'many at once on one address', {
        'contend' => <<'SQL' }, 'router');
\set who random(1, 6)
\set what random(1, 6)
SELECT id AS user, :what < 4 AS links, :what < 6 AS unlinks FROM people WHERE i = :who \gset
\if :links
SELECT companion.link_address(':user', 'telegram', '555');
\elif :unlinks
SELECT companion.unlink_address(':user', 'telegram', '555');
\else
SELECT id FROM companion.put_user(NULL, '{"telegram_user_id": 555}');
\endif
SQL
is(query('directory', "SELECT count(*) FROM companion.directory WHERE address = '555'") <= 1, 1, 'one has it, or nobody');

# A router without a shard
query('postgres', 'CREATE DATABASE empty');
query('empty', 'CREATE EXTENSION companion_router CASCADE');
for my $call ("sent_today('$maya')", "put_user('$maya', '{}')", 'dispatch()', "link_address('$maya', 'telegram', '1')")
{
    my ($status, $output, $error) = $node->psql('empty', "\\set VERBOSITY verbose\nSELECT companion.$call");
    like($error, $call =~ /dispatch/ ? qr/57P03: no shard is on/ : qr/55000: the router has no (shard|directory)/, "no shard: $call");
}

# Shards that are not on
query('router', "SELECT companion_router.set_state(1, 'moving')");
my $there = query('router', 'SELECT id FROM people WHERE companion.shard_of(id, 3) = 1 LIMIT 1');
my $elsewhere = query('router', 'SELECT id FROM people WHERE companion.shard_of(id, 3) = 2 LIMIT 1');
like(error_of("SELECT companion.next_checkin('$there')"), qr/57P03: shard 1 is moving\nHINT:  Nothing was done\. Call again\./,
    'a call for its user is refused, to be called again');
is(query('router', "SELECT companion.sent_today('$elsewhere')"), 'f', 'one for another shard\'s is not');
is(query('router', "SELECT companion.start_send_many(ARRAY['$elsewhere', '$there', '$elsewhere']::uuid[], array_fill('$there'::uuid, '{3}'), '{1,1,1}')"),
    '{f,NULL,f}', 'of many messages, those of its users are NULL');
is(query('router', q{SELECT ok, detail FROM companion.health() WHERE "check" = 'shard 1: reachable'}), 'f|shard 1 is moving', 'its health');
query('router', "SELECT companion_router.set_state(1, 'off')");
like(error_of("SELECT companion.next_checkin('$there')"), qr/57P03: shard 1 is off/, 'the same where it is off');
query('router', "SELECT companion_router.set_state(n, 'off') FROM generate_series(0, 2) AS n");
like(error_of('SELECT companion.dispatch()'), qr/57P03: no shard is on/, 'no shard is on');
query('router', "SELECT companion_router.set_state(n, 'on') FROM generate_series(0, 2) AS n");

# Bad input
my $place = $node->connstr('shard_1') =~ s/'/''/gr;
my %refusals = (
    "add_shard(-1, '$place')" => qr/22023: invalid number of a shard: -1/,
    "add_shard(4096, '$place')" => qr/22023: invalid number of a shard: 4096/,
    "add_shard(1, '$place')" => qr/42710: shard 1 is there already/,
    "add_shard(3, '$place')" => qr/55000: the database is not shard 3\nDETAIL:  it is shard 1/,
    "add_shard(3, '" . ($place =~ s/shard_1/one/r) . "')" => qr/55000: the database is not shard 3\nDETAIL:  it has not been told its number/,
    "add_shard(3, '" . ($place =~ s/shard_1/postgres/r) . "')" => qr/55000|42P01/,
    "add_shard(3, 'postgresql://a/b')" => qr/22023: invalid connection string/,
    "add_shard(3, 'host=/nowhere dbname=x password=secret')" => qr/08001: a database behind the router cannot be reached/,
    "alter_shard(7, '$place')" => qr/42704: there is no shard 7/,
    "alter_shard(2, '$place')" => qr/55000: the database is not shard 2\nDETAIL:  it is shard 1/,
    "set_directory('$place')" => qr/55000: the database is not the directory of these shards\nDETAIL:  It is shard 1\./,
    "set_state(1, 'open')" => qr/22023: invalid state of a shard: open/,
    "set_state(9, 'on')" => qr/42704: there is no shard 9/);
for my $call (sort keys %refusals)
{
    my $error = error_of("SELECT companion_router.$call");
    like($error, $refusals{$call}, $call =~ s/'host.*//r);
    unlike($error, qr/secret/, 'no password in the error') if $call =~ /secret/;
}
is(query('router', 'SELECT count(*) FROM pg_foreign_server'), '4', 'nothing is half done');
query('shard_1', 'UPDATE companion.shard SET shards = 4');
like(error_of("SELECT companion_router.alter_shard(1, '$place')"), qr/55000: .*\nDETAIL:  it is one of 4, the others are of 3/, 'another count');
query('shard_1', 'UPDATE companion.shard SET shards = 3');
is(query('router', "SELECT companion.sent_today('$there')"), 'f', 'and the shard is where it was');

query('router', "SELECT companion_router.alter_shard(1, '$place user=companion_router password=''se cret''')");
query('router', 'CREATE ROLE reader LOGIN IN ROLE companion_admin, companion_worker, pg_read_all_data');
is(query('router', 'SET ROLE reader; SELECT count(umoptions) FROM pg_user_mappings'), '0', 'nobody else sees a password');
is(query('router', "SET ROLE reader; SELECT count(*) FROM pg_foreign_server WHERE srvoptions::text ~ 'cret'"), '0', 'nor in the server');
like(error_of("SELECT companion_router.add_shard(3, 'dbname=x')", "SET ROLE reader;\n"), qr/42501/, 'nor adds a shard');
like(error_of("SELECT companion_as_admin.dispatch(0, NULL, NULL)", "SET ROLE companion_worker;\n"), qr/42501/, 'nor calls as another role');
like(error_of("SELECT companion_router.introduce('companion_shard_1')", "SET ROLE reader;\n"), qr/42501/, 'nor what is internal');

# Everything says what it is for.
is(query('router', <<'SQL'), '', 'every object of the router has a comment');
SELECT pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'companion_router'
    AND d.classid <> 'pg_type'::regclass AND obj_description(d.objid, d.classid::regclass::name) IS NULL
UNION ALL
SELECT pg_describe_object('pg_class'::regclass, a.attrelid, a.attnum)
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
WHERE c.relnamespace = 'companion_router'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    AND col_description(a.attrelid, a.attnum) IS NULL
SQL

done_testing();
