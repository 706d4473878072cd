# What an operator does to a router, a shard and the directory, and what somebody tries who has a login on the router
# only: dumped and restored they are what they were, dropped and made again a router holds nothing that is missed, and
# nobody gets more from it than from one database.
use strict;
use warnings;

use DBI;
use File::Basename 'dirname';
use lib dirname(__FILE__);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Routed;
use Test::More;

skip_without_plproxy();
my $node = start_shards(3);

sub query { return $node->safe_psql(@_); }

# A database's answer, or its error
sub answer
{
    my ($database, $sql) = @_;
    my ($status, $output, $error) = $node->psql($database, "\\set VERBOSITY verbose\n$sql");
    return $output ne '' ? $output : $error;
}

sub as_worker { return answer($_[1] // 'router', "SET ROLE companion_worker;\n$_[0]"); }

my %of = map { $_ => query('router', "SELECT id FROM (SELECT companion.new_user_id() AS id FROM generate_series(1, 30)) AS x WHERE companion.shard_of(id, 3) = $_ LIMIT 1") } 0 .. 2;
as_worker("SELECT companion.put_user('$of{$_}', '{}'); SELECT companion.link_address('$of{$_}', 'telegram', '10$_')") for 0 .. 2;
as_worker("SELECT companion.schedule_message('$of{1}', now(), 'hello')");

# Dumped and restored
sub restored
{
    my ($database) = @_;
    my $dump = $node->basedir . "/$database.sql";
    $node->command_ok([ 'pg_dump', "--file=$dump", $database ], "$database is dumped");
    query('postgres', "CREATE DATABASE restored_$database");
    $node->command_ok([ 'psql', '-Xq', '--set=ON_ERROR_STOP=1', "--file=$dump", '--output=/dev/null', "restored_$database" ], '... and restored');
    return "restored_$database";
}

my $incoming = q{SELECT user_id FROM companion.record_incoming('telegram', '%s', 'hello')};
query('router', q{SELECT companion_router.alter_shard(1, '} . $node->connstr('shard_1') =~ s/'/''/gr . q{ user=companion_router password=secret')});
my $router = restored('router');
is(as_worker(sprintf($incoming, '101'), $router), $of{1}, 'a router that is restored knows its shards and its directory');
is(answer($router, 'SELECT count(*) FROM companion_router.shards'), '3', '... all of them');
is(answer($router, "SELECT umoptions::text ~ 'password=secret' FROM pg_user_mappings WHERE srvname = 'companion_shard_1'"), 't', '... and its logins');
my $directory = restored('directory');
is(answer($directory, q{SELECT string_agg(address, ' ' ORDER BY address) FROM companion.directory}), '100 101 102', 'a directory has its entries');
sub set_directory { return answer('router', "SELECT companion_router.set_directory('" . $node->connstr($_[0]) =~ s/'/''/gr . "')"); }
set_directory($directory);
is(as_worker("SELECT companion.link_address('$of{2}', 'telegram', '101')"), 'taken', '... by which an address is taken');
my $shard = restored('shard_1');
my $session = DBI->connect('dbi:Pg:' . $node->connstr('router') =~ s/'//gr =~ s/ /;/gr, undef, undef, { PrintError => 0, PrintWarn => 0 });
$session->do('SET ROLE companion_worker');
$session->do('SELECT companion.sent_today(?)', undef, $of{$_}) for 0 .. 2;
sub alter_shard { return answer('router', "SELECT companion_router.alter_shard($_[0], '" . $node->connstr($_[1]) =~ s/'/''/gr . "')"); }
is(alter_shard(1, $shard), '', 'a shard that is restored is that shard');
is(as_worker(q{SELECT user_id, content FROM companion.claim_messages('w')}), "$of{1}|hello", '... and goes on');
is($session->selectrow_array('SELECT companion.sent_today(?)', undef, $of{1}), 0, '... for a session that was there before, too');
$session->do('SELECT companion.schedule_message(?, now(), ?)', undef, $of{1}, 'again');
is(answer($shard, q{SELECT count(*) FROM companion.scheduled_messages WHERE content = 'again'}), '1', '... which writes to no other');
like(alter_shard(2, $shard), qr/55000: the database is not shard 2\nDETAIL:  it is shard 1/, '... for no other');

# A call that takes too long is given up on its shard as well
my $holder = DBI->connect('dbi:Pg:' . $node->connstr('shard_0') =~ s/'//gr =~ s/ /;/gr, undef, undef, { AutoCommit => 0 });
$holder->do('SELECT FROM companion.users WHERE id = ? FOR UPDATE', undef, $of{0});
$session->do(q{SET statement_timeout = '200ms'});
is($session->do(q{SELECT companion.put_user(?, '{"location": "Lima"}')}, undef, $of{0}), undef, 'a call that takes too long');
is($session->state, '57014', '... is cancelled');
$session->do('SET statement_timeout = 0');
$holder->rollback;
$node->poll_query_until('shard_0', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'shard_0' AND query LIKE '%Lima%' AND state = 'active' AND pid <> pg_backend_pid()});
is(answer('shard_0', "SELECT location FROM companion.users WHERE id = '$of{0}'") =~ s/\n//r, '', '... and was not done');
is($session->selectrow_array('SELECT companion.sent_today(?)', undef, $of{0}), 0, '... and the session goes on');

# A shard's number
query('restored_shard_1', 'BEGIN; DELETE FROM companion.users; DELETE FROM companion.shard; SELECT companion.set_shard(2, 3); COMMIT');
like(alter_shard(1, $shard), qr/55000: the database is not shard 1\nDETAIL:  it is shard 2/, 'one whose number was changed is not taken for it');
like(as_worker("SELECT companion.put_user('$of{1}', '{}')"), qr/23514: user \S+ belongs to shard 1, this is shard 2 of 3/, '... and takes none of its users');
alter_shard(1, 'shard_1');
like(answer('shard_1', 'SELECT companion.set_shard(1, 4)'), qr/55000/, 'the number of shards is set once');
like(answer('shard_1', 'BEGIN; DELETE FROM companion.shard; SELECT companion.set_shard(0, 3); COMMIT'), qr/55000/, 'a shard that has users does not get another number');
like(as_worker("SELECT companion.put_user('$of{0}', '{}')", 'shard_1'), qr/23514: user \S+ belongs to shard 0/, 'nor users of another');
is(as_worker("SELECT companion.sent_today('$of{0}')", 'shard_1'), 'f', 'of whom it knows nothing');

# Dropped and made again
query('router', 'DROP EXTENSION companion_router; CREATE EXTENSION companion_router CASCADE');
like(as_worker("SELECT companion.sent_today('$of{0}')"), qr/55000: the router has no shard/, 'a router that was made again has no shard');
add_shard($node, $_, $node) for 0 .. 2;
set_directory('directory');
is(as_worker("SELECT companion.sent_today('$of{0}')"), 'f', '... until it is told of them');
is(as_worker(sprintf $incoming, '102'), $of{2}, '... and holds nothing that is missed');

# A reservation is used once: what is void, and what another took later, links nothing
sub reserve { return split /\|/, answer('directory', "SET ROLE companion_worker; SELECT reservation, expires_at FROM companion.directory_reserve('$of{1}', 'telegram', '200')"); }
sub take
{
    my ($user, $number, @reservation) = @_;
    my $answer = as_worker("SELECT companion.take_reservation('$user', 'telegram', '200', '', $reservation[0], '$reservation[1]'); SELECT companion.link_address('$user', 'telegram', '200')", "shard_$number");
    return $answer =~ s/^\n//r;
}
my @reservation = reserve();
like(take($of{2}, 1, @reservation), qr/23514/, 'a reservation is no other shard\'s user\'s');
is(take($of{1}, 1, @reservation), 'linked', 'a reservation is used');
as_worker("SELECT companion.unlink_address('$of{1}', 'telegram', '200')", 'shard_1');
answer('router', 'SELECT * FROM companion.run_maintenance()');
like(take($of{1}, 1, @reservation), qr/55000: the reservation is void, or older than another/, '... and not again once it is settled');
is(answer('directory', "SELECT count(*) FROM companion.directory WHERE address = '200'"), '0', 'the address is free');

# Who has a login on the router only
query('router', q{CREATE ROLE intruder LOGIN IN ROLE companion_user});
sub as_intruder { return answer('router', "SET SESSION AUTHORIZATION intruder;\n$_[0]"); }
is(as_intruder("SET companion.user_id = '$of{0}'; SELECT id FROM companion.put_user('$of{0}', '{\"location\": \"Nairobi\"}')"), $of{0}, 'an end user is who they are');
like(as_intruder("SET companion.user_id = '$of{0}'; SELECT id FROM companion.put_user('$of{1}', '{}')"), qr/42501|23503/, '... and nobody else');
like(as_intruder("SET request.jwt.claims = '{\"sub\": \"$of{0}\"}'; SELECT id FROM companion.put_user('$of{1}', '{}')"), qr/42501|23503/, '... by their claims');
for my $forged ('[]', '{"sub": 7}', '{"sub": "x"}', "{\"sub\": \"$of{0}'; RESET ROLE; --\"}", 'x')
{
    like(as_intruder("SET request.jwt.claims = \$f\$$forged\$f\$; SELECT companion.put_user('$of{0}', '{}')"), qr/22P02/, "claims of $forged");
}
my @forbidden = ("companion_as_worker.claim_messages(0, 'w', 9, '1 hour', NULL, NULL)", "companion.claim_messages('w')", "companion.link_address('$of{0}', 'telegram', '9')",
    "companion_router.link_once('$of{0}', 'telegram', '9', '')", "companion_router.reserve('$of{0}', 'telegram', '9', '')",
    "companion_router.settle('$of{0}', 'telegram', '100', '', 1, now())", "companion_router.redeem_once('x', 9, NULL, '')",
    "companion_router.put_user_once('{\"telegram\": 9}', '{\"telegram_user_id\": 9}')", 'companion_router.maintain_directory()',
    "companion_router.know_address('telegram', '100', '', '$of{1}')", "companion_router.known_address('telegram', '100', '')",
    "companion_router.introduce('companion_shard_0')", "companion_router.put_server('x', 'dbname=x')", "companion_router.set_state(0, 'off')",
    "companion_router.user_at('telegram', '100', '')", "companion.directory_lookup('telegram', '100')", 'companion.run_maintenance()',
    "companion_router.put_user_on(0, NULL, '{\"telegram_user_id\": 9}')");
like(as_intruder("SELECT $_"), qr/42501|22004/, "not for an end user: $_") for @forbidden;
like(as_intruder('TABLE companion_router.known_addresses'), qr/42501/, 'nor a table of addresses');
like(as_intruder(q{CREATE FUNCTION pg_temp.f(integer) RETURNS text LANGUAGE plproxy AS $$ CLUSTER 'companion_shard_0'; SELECT $1::text; $$}), qr/42501/, 'nor a function of PL/Proxy');
is(as_intruder(q{SELECT count(*) FROM pg_user_mappings WHERE umoptions IS NOT NULL}), '0', 'nor a password');
# With names of their own in front of those of the system
is(as_intruder(<<"SQL"), $of{0}, 'what stands in their own schema is not called');
CREATE FUNCTION pg_temp.coalesce(text, text) RETURNS text LANGUAGE sql AS \$\$ SELECT '$of{1}' \$\$;
CREATE FUNCTION pg_temp.current_user_id() RETURNS uuid LANGUAGE sql AS \$\$ SELECT '$of{1}'::uuid \$\$;
CREATE TEMP TABLE shards (number integer, state text); CREATE TEMP TABLE shard_count (shards integer);
SET search_path = pg_temp, companion, pg_catalog;
SET companion.user_id = '$of{0}';
SELECT id FROM companion.put_user('$of{0}', '{}')
SQL

query('router', 'CREATE SCHEMA theirs AUTHORIZATION intruder; GRANT USAGE ON SCHEMA theirs TO PUBLIC');
as_intruder(<<'SQL');
CREATE FUNCTION theirs.run() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'run as %', current_user; END $$;
DO $$
DECLARE
    type text;
    name text;
BEGIN
    FOREACH type IN ARRAY '{integer,bigint,text,uuid}'::text[] LOOP
        FOREACH name IN ARRAY '{=,<>,+,-,*,%,||}'::text[] LOOP
            EXECUTE format('CREATE FUNCTION theirs.%I(%s, %2$s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN PERFORM theirs.run(); RETURN NULL; END $f$',
                           'operator' || name, type, CASE WHEN name IN ('=', '<>') THEN 'boolean' ELSE type END);
            EXECUTE format('CREATE OPERATOR theirs.%s (FUNCTION = theirs.%I, LEFTARG = %s, RIGHTARG = %3$s)', name, 'operator' || name, type);
        END LOOP;
    END LOOP;
    FOREACH name IN ARRAY '{"mod(bigint, bigint)","get_byte(bytea, integer)","uuid_send(uuid)","concat(text, integer)","set_config(text, text, boolean)"}'::text[] LOOP
        EXECUTE format('CREATE FUNCTION theirs.%s RETURNS bytea LANGUAGE plpgsql AS $f$ BEGIN PERFORM theirs.run(); RETURN NULL; END $f$', name);
    END LOOP;
    FOREACH name IN ARRAY '{text,bytea,uuid,int4,int8,bool}'::text[] LOOP
        EXECUTE format('CREATE DOMAIN theirs.%I AS pg_catalog.%1$I CHECK (theirs.run())', name);
    END LOOP;
END
$$
SQL
my $with_theirs = "SET search_path = theirs, pg_catalog; SET companion.user_id = '$of{0}';";
is(as_intruder("$with_theirs SELECT companion_as_user.sent_today('$of{0}', 'checkin', NULL, '$of{0}')"), 'f', 'nor are their operators, functions and types');
unlike(as_intruder("$with_theirs SELECT $_"), qr/run as (?!intruder)/, "... but as themselves: $_") for "companion.sent_today('$of{0}')", 'companion.new_user_id()';
like(as_intruder("SET search_path = theirs, pg_catalog; SELECT 1 + 1"), qr/run as intruder/, '... which are there');

# A secret in a place where everybody reads it
for my $setting ('sslpassword=hush', "password = 'hush' sslpassword='hu sh'")
{
    my $error = answer('router', "SELECT companion_router.add_shard(3, 'dbname=x " . $setting =~ s/'/''/gr . "')");
    like($error, qr/22023/, 'a password that anybody could read is refused');
    unlike($error, qr/hu ?sh/, '... without naming it');
}

done_testing();
