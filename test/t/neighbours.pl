# The neighbours that need a server of their own: roles of the extension's names that somebody has made
# before, logins that would become more, what runs at COMMIT, pg_cron, Supabase's roles that do not
# inherit, databases that share the roles, what pg_dump keeps, and a library that is newer than its SQL.
# What may be planted within a database is tried in sql/neighbours.sql.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

eval { require DBD::Pg } or plan skip_all => 'DBD::Pg is not installed';

my ($sharedir) = run_command([ 'pg_config', '--sharedir' ]);
my $has_pg_cron = -e "$sharedir/extension/pg_cron.control";
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->append_conf('postgresql.conf', <<'CONF') if $has_pg_cron;
shared_preload_libraries = 'pg_cron'
cron.use_background_workers = on
cron.database_name = 'app'
CONF
$node->start;

# What a query returns, to a login
sub query
{
    my ($database, $sql, $login) = @_;
    return $node->safe_psql($database, $sql, extra_params => [ '--username', $login // 'postgres' ]);
}

# The SQLSTATE, message and hint of what a script fails with
sub error_of
{
    my ($database, $sql, $login) = @_;
    my ($status, $output, $error) = $node->psql($database, "\\set VERBOSITY verbose\n$sql",
        extra_params => [ '--username', $login // 'postgres' ]);
    return $error;
}

# A session that stays
sub connect_to
{
    my ($database, $login) = @_;
    my $dsn = sprintf 'dbi:Pg:host=%s;port=%s;dbname=%s', $node->host, $node->port, $database;
    return DBI->connect($dsn, $login // 'postgres', undef, { RaiseError => 0, PrintError => 0 });
}

# Roles that were made before, and could do more than the extension's may.
my $roles = q{SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'companion%'};

sub is_refused
{
    my ($made, $role, $fault, $remedy) = @_;
    query('postgres', $made);
    like(error_of('postgres', 'CREATE EXTENSION companion'),
        qr/55000: role $role stands already, with $fault\nHINT:.*: $remedy\./s, "refused: $made");
    is(query('postgres', $roles), $role, '... and nothing is made');
    query('postgres', "DROP OWNED BY $role CASCADE; DROP ROLE $role");
}

query('postgres', 'CREATE ROLE somebody');
for my $role (map { "companion_$_" } qw(user worker admin monitor owner runtime))
{
    is_refused("CREATE ROLE $role $_", $role, $_, "ALTER ROLE $role NO$_")
      for qw(SUPERUSER BYPASSRLS CREATEROLE CREATEDB REPLICATION);
}
query('postgres', 'CREATE ROLE strong BYPASSRLS');
for my $role (map { "companion_$_" } qw(user worker admin monitor))
{
    is_refused("CREATE ROLE $role IN ROLE $_", $role, "membership in $_", "REVOKE $_ FROM $role")
      for qw(strong pg_read_server_files);
}
query('postgres', 'DROP ROLE strong');
for my $role ('companion_owner', 'companion_runtime')
{
    is_refused("CREATE ROLE $role LOGIN", $role, 'LOGIN', "ALTER ROLE $role NOLOGIN");
    is_refused("CREATE ROLE $role ROLE somebody", $role, 'member somebody', "REVOKE $role FROM somebody");
    is_refused("CREATE ROLE $role IN ROLE somebody", $role, 'membership in somebody', "REVOKE somebody FROM $role");
    is_refused("CREATE ROLE $role; CREATE TABLE theirs (); ALTER TABLE theirs OWNER TO $role",
        $role, 'object table public.theirs', "DROP OWNED BY $role, or REASSIGN OWNED");
}
query('postgres', 'CREATE ROLE companion_user LOGIN; CREATE ROLE companion_owner; CREATE EXTENSION companion');
is(query('postgres', $roles), 'companion_admin companion_monitor companion_owner companion_runtime companion_user companion_worker',
    'roles without anything are taken');
query('postgres', 'DROP EXTENSION companion; DROP ROLE companion_admin, companion_monitor, companion_owner, companion_runtime, companion_user, companion_worker');

# A database whose owner is an operator, an app that may reference users, an end user, a worker, and
# a login for jobs; none of them is a superuser.
query('postgres', <<'SQL');
CREATE ROLE owner LOGIN;
CREATE ROLE app LOGIN;
CREATE ROLE end_user LOGIN;
CREATE ROLE worker LOGIN;
CREATE ROLE jobs LOGIN;
CREATE DATABASE app OWNER owner;
SQL
query('app', <<'SQL');
CREATE EXTENSION companion;
GRANT companion_admin TO owner, jobs;
GRANT companion_user TO end_user;
GRANT companion_worker TO worker;
GRANT USAGE ON SCHEMA companion TO app;
GRANT REFERENCES ON ALL TABLES IN SCHEMA companion TO app;
CREATE SCHEMA app AUTHORIZATION app;
GRANT USAGE ON SCHEMA app TO PUBLIC;
INSERT INTO companion.users (id) SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid FROM generate_series(1, 5) AS n;
SELECT companion.schedule_message(id, '2020-01-01', 'hello') FROM companion.users;
SQL

# The app's table follows erased users and retention; its triggers, at once and at COMMIT, note who
# they run as and of whom they can make themselves by every way out.
query('app', <<'SQL', 'app');
CREATE TABLE app.seen (moment text, as_role name, session name, became text);
GRANT INSERT ON app.seen TO PUBLIC;
CREATE TABLE app.notes (user_id uuid REFERENCES companion.users ON DELETE CASCADE);
CREATE TABLE app.messages (user_id uuid, id uuid, FOREIGN KEY (user_id, id) REFERENCES companion.scheduled_messages ON DELETE CASCADE);
CREATE FUNCTION app.escape() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    way text;
    became text := '';
    was name := current_user;
BEGIN
    FOREACH way IN ARRAY ARRAY['RESET ROLE', 'SET ROLE NONE', 'SET ROLE postgres', 'SET ROLE companion_owner', 'SET ROLE companion_runtime',
        'RESET SESSION AUTHORIZATION', 'SET SESSION AUTHORIZATION DEFAULT', 'SET SESSION AUTHORIZATION postgres',
        'SELECT set_config(''role'', ''none'', false)', 'SELECT set_config(''session_authorization'', ''postgres'', false)',
        'RESET ALL', 'SET LOCAL ROLE postgres', 'ALTER ROLE app SUPERUSER'] LOOP
        BEGIN
            EXECUTE way;
            became := became || CASE WHEN current_user <> was THEN format(' %s by %s', current_user, way) ELSE '' END;
            RAISE EXCEPTION USING ERRCODE = 'P0000';
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
    INSERT INTO app.seen VALUES (TG_ARGV[0], current_user, session_user, became);
    RETURN NULL;
END
$$;
CREATE TRIGGER at_once AFTER DELETE ON app.notes FOR EACH ROW EXECUTE FUNCTION app.escape('at once');
CREATE CONSTRAINT TRIGGER at_commit AFTER DELETE ON app.notes DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION app.escape('at COMMIT');
CREATE TRIGGER at_once AFTER DELETE ON app.messages FOR EACH ROW EXECUTE FUNCTION app.escape('at once');
CREATE CONSTRAINT TRIGGER at_commit AFTER DELETE ON app.messages DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION app.escape('at COMMIT');
SQL
query('app', <<'SQL');
INSERT INTO app.notes SELECT id FROM companion.users;
INSERT INTO app.messages SELECT user_id, id FROM companion.scheduled_messages;
SQL

# Who the triggers were when a login had done something
sub seen
{
    my ($login, $sql) = @_;
    query('app', $sql, $login);
    return query('app', <<'SQL');
WITH gone AS (DELETE FROM app.seen RETURNING *)
SELECT DISTINCT moment, as_role, session, became FROM gone ORDER BY moment DESC;
SQL
}

# Since 18 a trigger after a change runs as who made it, and that is, in a cascade, the table's owner.
my $is_18 = $node->pg_version >= 18;
sub seen_as
{
    my ($session, $at_once) = @_;
    $at_once = $is_18 ? 'app' : $at_once // 'companion_runtime';
    my $at_commit = $is_18 ? 'app' : $session;
    return "at once|$at_once|$session|\nat COMMIT|$at_commit|$session|";
}

is(seen('end_user', "SET companion.user_id = '00000000-0000-0000-0000-000000000001'; SELECT FROM companion.erase_user()"),
    seen_as('end_user'), 'within an end user\'s call a trigger is companion_runtime, at COMMIT no more than the end user');
is(seen('owner', "SELECT FROM companion.erase_user('00000000-0000-0000-0000-000000000002')"),
    seen_as('owner'), 'an admin\'s');
query('app', <<'SQL');
UPDATE companion.scheduled_messages SET status = 'skipped', created_at = '2020-01-01', finished_at = '2020-01-01'
WHERE user_id = '00000000-0000-0000-0000-000000000003';
SQL
is(seen('jobs', 'SELECT companion.apply_retention()'), seen_as('jobs'), 'a job\'s');
is(seen('jobs', q{DELETE FROM companion.users WHERE id = '00000000-0000-0000-0000-000000000003'}),
    seen_as('jobs', 'jobs'), 'a statement of one\'s own runs triggers as oneself');
like(seen('postgres', "SELECT FROM companion.erase_user('00000000-0000-0000-0000-000000000004')"),
    $is_18 ? qr/^\Q@{[ seen_as('postgres') ]}\E$/ : qr/^at once\|companion_runtime\|postgres\|\nat COMMIT\|postgres\|postgres\|/,
    'a superuser\'s call is safe; a superuser\'s COMMIT is before 18 what docs/security.md says');

# What a trigger leaves in the session would run later with the caller's rights; what it makes within
# a call would be our roles'. It can leave and make nothing.
query('app', <<'SQL', 'app');
GRANT CREATE ON SCHEMA app TO PUBLIC;
CREATE TABLE app.planted (way text);
GRANT INSERT ON app.planted TO PUBLIC;
CREATE FUNCTION app.seen_as() RETURNS void LANGUAGE sql AS $$ INSERT INTO app.seen VALUES ('later', current_user, session_user) $$;
CREATE FUNCTION app.leave() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    way text;
BEGIN
    FOREACH way IN ARRAY ARRAY['DECLARE held CURSOR WITH HOLD FOR SELECT app.seen_as()', 'PREPARE victim AS SELECT app.seen_as()',
        'DEALLOCATE ALL', 'CREATE TEMP VIEW pg_roles AS SELECT app.seen_as()', 'CREATE TEMP TABLE pg_class (oid oid)',
        'LISTEN evil', 'UNLISTEN companion', 'ALTER ROLE companion_runtime SET search_path = app',
        'DO $do$ BEGIN CREATE TEMP TABLE pg_class (oid oid); END $do$']
        || CASE WHEN current_user = 'app' THEN ARRAY[]::text[] ELSE ARRAY[
        'CREATE FUNCTION app.door() RETURNS SETOF companion.users LANGUAGE sql SECURITY DEFINER AS $q$SELECT * FROM companion.users$q$',
        'CREATE TABLE app.ours ()'] END LOOP
        BEGIN
            EXECUTE way;
            INSERT INTO app.planted VALUES (way);
        EXCEPTION WHEN insufficient_privilege THEN
            INSERT INTO app.planted VALUES ('refused');
        END;
    END LOOP;
    RETURN OLD;
END
$$;
CREATE TABLE app.followers (user_id uuid REFERENCES companion.users ON DELETE CASCADE);
CREATE TRIGGER before BEFORE DELETE ON app.followers FOR EACH ROW EXECUTE FUNCTION app.leave();
CREATE TRIGGER after AFTER DELETE ON app.followers FOR EACH ROW EXECUTE FUNCTION app.leave();
SQL
for my $login ('owner', 'postgres')
{
    query('app', <<'SQL');
INSERT INTO companion.users (id) VALUES ('00000000-0000-0000-0000-000000000009');
INSERT INTO app.followers VALUES ('00000000-0000-0000-0000-000000000009');
TRUNCATE app.seen, app.planted;
SQL
    query('app', "SELECT FROM companion.erase_user('00000000-0000-0000-0000-000000000009')", $login);
    is(query('app', 'SELECT DISTINCT way FROM app.planted'), 'refused', "a trigger within a call of $login plants nothing");
    is(query('app', 'SELECT * FROM app.seen'), '', '... and nothing of it runs at COMMIT');
}
is(query('app', q{SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND refobjid = 'companion_runtime'::regrole}),
    '0', 'companion_runtime owns nothing');

# Every neighbour, logged in: none becomes another.
my @roles = qw(companion_owner companion_runtime postgres);
for my $login (qw(owner app end_user worker jobs))
{
    like(error_of('app', $_, $login), qr/ 42501: /, "$login: $_")
      for map { ("SET ROLE $_", "SET SESSION AUTHORIZATION $_", "GRANT $_ TO $login", "ALTER ROLE $_ LOGIN") } @roles;
}

# What docs/security.md says of a role that may make roles.
query('postgres', 'CREATE ROLE maker LOGIN CREATEROLE');
my $error = error_of('app', 'GRANT companion_owner TO maker', 'maker');
$node->pg_version < 16 ? is($error, '', 'before 16 it is given any role') : like($error, qr/ 42501: /, 'a role that may make roles is given none');
query('postgres', 'REVOKE companion_owner FROM maker');

# A setting of ours that is made before the library is loaded counts as little as after it.
is(query('app', <<'SQL', 'end_user'), 't', 'an end user does not set the clock before the library is loaded');
SET companion.clock = '2020-01-01';
SELECT companion.now() > '2021-01-01';
SQL
like(error_of('app', 'SHOW companion.catch_up', 'end_user'), qr/42704/, 'a setting is unknown before the first call');
is(query('app', "SELECT companion.now() \\g /dev/null\nSHOW companion.catch_up", 'end_user'), '4h', 'and known after it');

query('postgres', "ALTER DATABASE app SET session_preload_libraries = 'companion'");
is(query('app', 'SHOW companion.catch_up', 'end_user'), '4h', 'or from the start');
query('postgres', 'ALTER DATABASE app RESET session_preload_libraries');

# pg_cron's own functions are called, whatever else is in its schema.
SKIP:
{
    skip 'pg_cron is not installed', 3 unless $has_pg_cron;
    query('app', 'CREATE EXTENSION pg_cron; GRANT ALL ON SCHEMA cron TO app');
    query('app', <<'SQL', 'app');
CREATE FUNCTION app.plant() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO app.seen VALUES ('planted', current_user, session_user);
    RETURN 1;
END
$$;
CREATE FUNCTION cron.schedule(name, text, text) RETURNS bigint LANGUAGE sql AS 'SELECT app.plant()';
CREATE FUNCTION cron.unschedule(integer) RETURNS boolean LANGUAGE sql AS 'SELECT app.plant() > 0';
CREATE FUNCTION cron.schedule_in_database(name, text, text, name, name, boolean) RETURNS bigint LANGUAGE sql AS 'SELECT app.plant()';
SQL
    is(query('app', "SELECT job FROM companion.schedule_jobs('jobs'); SELECT companion.unschedule_jobs()"),
        "companion_dispatch\ncompanion_maintenance\ncompanion_retention\n3", 'jobs are made and removed');
    is(query('app', 'SELECT * FROM app.seen'), '', 'by pg_cron alone');
    like(error_of('app', 'SELECT companion.schedule_jobs()'), qr/22023: jobs cannot run as role "postgres".*HINT:/s,
        'and not as a superuser');
}
query('app', 'DROP SCHEMA app CASCADE');

# Supabase's roles, which have what ours have, although they do not inherit it.
query('postgres', <<'SQL');
CREATE ROLE authenticator LOGIN NOINHERIT;
CREATE ROLE anon NOINHERIT;
CREATE ROLE authenticated NOINHERIT;
CREATE ROLE service_role NOINHERIT;
GRANT anon, authenticated, service_role TO authenticator;
CREATE DATABASE supabase;
SQL
query('supabase', <<'SQL');
CREATE EXTENSION companion;
INSERT INTO companion.users (id) SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid FROM generate_series(1, 2) AS n;
SELECT companion.schedule_message(id, '2020-01-01', 'hello') FROM companion.users;
SQL
my $own = q{'00000000-0000-0000-0000-000000000001'};
my $other = q{'00000000-0000-0000-0000-000000000002'};
my $claims = q{SET request.jwt.claims = '{"sub": "00000000-0000-0000-0000-000000000001"}';};
is(query('supabase', <<"SQL", 'authenticator'), "1\n1\nt", 'authenticated reads, writes and calls for itself');
SET ROLE authenticated; $claims
SELECT count(*) FROM companion.users;
WITH changed AS (UPDATE companion.users SET display_name = 'Maya' RETURNING 1) SELECT count(*) FROM changed;
SELECT (companion.upsert_user_context($own, 'a', 'b', 'c')).value = 'c' AND companion.next_checkin($own) IS NULL
    AND companion.export_user()::text LIKE '%Maya%';
SQL
is(query('supabase', <<"SQL", 'authenticator'), "2\n2\nt", 'service_role does so for everybody');
SET ROLE service_role;
SELECT count(*) FROM companion.users;
SELECT count(*) FROM companion.claim_messages('w');
SELECT companion.finish_abandoned() = 0 AND companion.export_user($other)::text LIKE '%hello%';
SQL
for ("SET ROLE authenticated; $claims SELECT companion.export_user($other)",
    'SET ROLE authenticated; SELECT companion.claim_messages($$w$$)',
    'SET ROLE anon; SELECT FROM companion.users', 'SET ROLE anon; SELECT companion.now()',
    'SELECT FROM companion.users', "SELECT companion.export_user($other)")
{
    like(error_of('supabase', $_, 'authenticator'), qr/ 42501: /, "not theirs: $_");
}

# Two databases share the roles. What is dropped in one is there in the other.
query('supabase', 'DROP EXTENSION companion');
is(query('app', "SELECT count(*) > 0 FROM companion.claim_messages('w')", 'worker'), 't',
    'dropped in one database, the extension works in another');
query('supabase', 'CREATE EXTENSION companion');
is(query('supabase', 'SELECT companion.dispatch()', 'worker'), '0', 'and is made again');

# What default privileges would have given is given to nobody, in whatever order, and pg_dump writes
# no right of the extension's but those that the app has granted.
sub dumped
{
    my ($database) = @_;
    my ($dump) = run_command([ 'pg_dump', '--schema-only', '--dbname=' . $node->connstr($database) ]);
    return join '', sort grep { /^(GRANT|REVOKE|ALTER .* OWNER) / && /companion/ } split /^/, $dump;
}

sub anyones
{
    my ($database) = @_;
    return query($database, <<'SQL');
SELECT 'function', proname FROM pg_proc
WHERE pronamespace = 'companion'::regnamespace AND has_function_privilege('anon', oid, 'EXECUTE')
UNION ALL SELECT 'table', relname FROM pg_class
WHERE relnamespace = 'companion'::regnamespace AND relkind IN ('r', 'v') AND has_any_column_privilege('anon', oid, 'SELECT, INSERT, UPDATE')
UNION ALL SELECT 'schema', nspname FROM pg_namespace
WHERE nspname = 'companion' AND has_schema_privilege('anon', oid, 'USAGE, CREATE')
SQL
}

my $default_privileges = join '', map { "ALTER DEFAULT PRIVILEGES GRANT ALL ON $_ TO anon, PUBLIC;\n" }
  qw(FUNCTIONS TABLES SEQUENCES SCHEMAS);
query('postgres', "CREATE DATABASE $_") for qw(fresh updated granted);
query('fresh', "$default_privileges CREATE EXTENSION companion");
query('updated', "$default_privileges CREATE EXTENSION companion VERSION '0.1.0'; ALTER EXTENSION companion UPDATE");
query('granted', <<'SQL');
CREATE EXTENSION companion VERSION '0.1.0';
CREATE ROLE analyst;
GRANT SELECT ON companion.users TO analyst;
GRANT EXECUTE ON FUNCTION companion.checkin_instant(text, date, time) TO analyst;
GRANT EXECUTE ON FUNCTION companion.recent_messages TO analyst;
REVOKE EXECUTE ON FUNCTION companion.recent_messages FROM companion_user;
GRANT EXECUTE ON FUNCTION companion.schedule_jobs TO analyst WITH GRANT OPTION;
GRANT EXECUTE ON FUNCTION companion.unschedule_jobs TO PUBLIC;
ALTER EXTENSION companion UPDATE;
GRANT USAGE ON SCHEMA companion TO analyst;
SQL
for my $database ('fresh', 'updated')
{
    is(anyones($database), '', "$database: default privileges open nothing");
    is(dumped($database), '', '... and nothing of the rights is dumped');
}
is(dumped('granted'), <<'SQL', 'what the app has granted and revoked is kept and dumped');
GRANT ALL ON FUNCTION companion.checkin_instant(timezone text, local_date date, local_time time without time zone) TO analyst;
GRANT ALL ON FUNCTION companion.recent_messages(user_id uuid, max_messages integer, conversation_id uuid, before_id uuid) TO analyst;
GRANT ALL ON FUNCTION companion.schedule_jobs(run_as name, every interval, databases name[]) TO analyst WITH GRANT OPTION;
GRANT ALL ON FUNCTION companion.unschedule_jobs(databases name[]) TO PUBLIC;
GRANT SELECT ON TABLE companion.users TO analyst;
GRANT USAGE ON SCHEMA companion TO analyst;
REVOKE ALL ON FUNCTION companion.recent_messages(user_id uuid, max_messages integer, conversation_id uuid, before_id uuid) FROM companion_user;
SQL

# A library that is newer than the SQL refuses every function, in each database by its own, and as soon
# and as long as they differ.
query('postgres', 'CREATE DATABASE older');
query('older', "CREATE EXTENSION companion VERSION '0.1.0'");
my $session = connect_to('older');
my @calls = split /\n/, query('older', <<'SQL');
SELECT format('SELECT companion.%I(%s)', p.proname, (
    SELECT string_agg('NULL::' || format_type(a.type, NULL), ', ' ORDER BY a.n)
    FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, n)))
FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
WHERE p.pronamespace = 'companion'::regnamespace AND l.lanname = 'c' AND NOT p.proisstrict
    AND p.prorettype <> 'trigger'::regtype
SQL
my %states;
for my $call (@calls)
{
    $session->do($call);
    push @{ $states{ $session->state } }, $call;
}
is(join(' ', sort keys %states), '55000', 'each of ' . @calls . ' functions of 0.1.0 is refused');
like(error_of('older', 'SELECT companion.now()'), qr/55000: .*HINT:  ALTER EXTENSION companion UPDATE/s, 'with the hint');
like(error_of('older', 'INSERT INTO companion.users DEFAULT VALUES'), qr/55000: /, 'a default and a trigger, too');
is(query('app', 'SELECT companion.dispatch()', 'worker'), '0', 'where the SQL is of now, all works');
query('older', 'ALTER EXTENSION companion UPDATE');
is_deeply($session->selectrow_arrayref('SELECT companion.finish_abandoned()'), [0],
    'updated, a session that was refused before is served');
query('older', "DROP EXTENSION companion; CREATE EXTENSION companion VERSION '0.1.0'");
for my $call (grep { /mark_failed|claim_messages|schedule_message|finish_abandoned/ } @calls)
{
    $session->do($call);
    is($session->state, '55000', "made in 0.1.0 again, a session that was served is refused: $call");
}
ok($session->ping, 'and the server has not crashed');
$session->disconnect;

# Dropped everywhere, nothing holds the roles.
query($_, 'DROP EXTENSION companion') for qw(app supabase fresh updated granted older);
query('postgres', "DROP DATABASE $_") for qw(fresh updated granted older);
query('postgres', 'DROP ROLE companion_admin, companion_monitor, companion_owner, companion_runtime, companion_user, companion_worker');
is(query('postgres', $roles), '', 'dropped everywhere, the roles can be dropped');

done_testing();
