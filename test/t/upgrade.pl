# ALTER EXTENSION companion UPDATE from every version that was published: the rows stay, and the
# extension is what a fresh installation makes, in every definition, right, comment, and in what
# pg_dump keeps. First, with a version made up for the purpose, that this comparison sees whatever an
# update script forgets.
use strict;
use warnings;

use File::Basename qw(basename dirname);
use lib dirname(__FILE__);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RichData;
use Test::More;

# A copy of the server, in whose folder of extensions versions may be added: it finds its folders by
# where its programs are.
my $root = PostgreSQL::Test::Utils::tempdir;
my %folder = map { $_ => config("--$_") } qw(bindir sharedir pkglibdir);
for my $folder (values %folder)
{
    system_or_bail('mkdir', '-p', $root . dirname($folder));
    system_or_bail('cp', '-RL', $folder, $root . dirname($folder));
}
my $extensions = "$root$folder{sharedir}/extension";
my $node = PostgreSQL::Test::Cluster->new('main', install_path => $root . dirname($folder{bindir}));
$node->init;
$node->start;
is($node->safe_psql('postgres', q{SELECT setting FROM pg_config() WHERE name = 'SHAREDIR'}),
    $root . $folder{sharedir}, 'the server is the copy');

sub config
{
    my ($option) = @_;
    my ($folder) = run_command([ 'pg_config', $option ]);
    return $folder;
}

my $current = $node->safe_psql('postgres',
    q{SELECT default_version FROM pg_available_extensions WHERE name = 'companion'});

# A library serves the SQL of its own version. One of another version is, for this, the same but for
# that; its name is as long. A new file, since a session that is ending may have the old one mapped.
my $library = slurp_file("$root$folder{pkglibdir}/companion.so");
sub install_library
{
    my ($version) = @_;
    my $file = "$root$folder{pkglibdir}/companion.so";
    write_file("$file.new", $library =~ s/\Q$current\E(?=\0)/$version/gr);
    rename "$file.new", $file or die "$file: $!";
}

# Make a database with the extension in a version, and return its name
my $databases = 0;
sub create_database
{
    my ($version) = @_;
    my $database = 'test_' . ++$databases;
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    $node->safe_psql($database, "CREATE EXTENSION companion VERSION '$version'");
    return $database;
}

# Update a database's extension; returns the error where there is one
sub update
{
    my ($database, $version) = @_;
    return error_of($database, "ALTER EXTENSION companion UPDATE TO '$version'");
}

# What a statement fails with
sub error_of
{
    my ($database, $statement) = @_;
    my ($status, $output, $error) = $node->psql($database, $statement);
    return $error;
}

# All that the extension consists of. Set free from it, which spoils the database, its objects are
# dumped as any others are.
sub definition
{
    my ($database) = @_;
    my $members = $node->safe_psql($database, <<'SQL');
SELECT pg_describe_object(d.classid, d.objid, 0)
FROM pg_extension AS e JOIN pg_depend AS d
    ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
WHERE e.extname = 'companion' ORDER BY 1;
SELECT 'rows dumped', relid::regclass, condition
FROM pg_extension AS e CROSS JOIN LATERAL unnest(extconfig, extcondition) AS dump (relid, condition)
WHERE e.extname = 'companion' ORDER BY 2;
SQL
    $node->safe_psql($database, <<'SQL');
DELETE FROM pg_depend AS d USING pg_extension AS e
WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
    AND e.extname = 'companion';
DELETE FROM pg_init_privs WHERE privtype = 'e';
SQL
    my ($dump) = run_command([ $node->installed_command('pg_dump'), '--schema-only',
        '--schema=companion', '--dbname=' . $node->connstr($database) ]);
    $dump =~ s/^\\(un)?restrict .*\n//mg;
    $members =~ s/^/--\n-- /mg;
    return "$members\n$dump";
}

# What distinguishes the extension, updated, from one that was installed in that version; the error
# where the update fails
my %installed;
sub forgotten
{
    my ($from, $to) = @_;
    my $database = create_database($from);
    my $error = update($database, $to);
    return $error if $error;
    $installed{$to} //= definition(create_database($to));
    return differences($installed{$to}, definition($database), qr/^--\n(?=-- )/m);
}

# Of all rights those that the app of rich_data.sql has granted, without the grantor
sub granted_by_app
{
    my ($rights) = @_;
    return join "\n", sort map { s/^([^|]*)\|[^|]*/$1/r } grep { /^[^|]*\|[^|]*\|(analyst|-)\|/ } split /\n/, $rights;
}

# What pg_dump writes of the rights on the extension's objects, without who owns them
sub dumped_rights
{
    my ($database) = @_;
    my ($dump) = run_command([ $node->installed_command('pg_dump'), '--schema-only',
        '--dbname=' . $node->connstr($database) ]);
    return join '', sort grep { /^(GRANT|REVOKE|ALTER .* OWNER) / && /companion/ } split /^/, $dump;
}

# A database in use is updated without a loss
sub is_upgraded
{
    my ($from, $to, $data, $next) = @_;
    my $database = create_database($from);
    load_rich_data($node, $database, $data);
    my $before = describe($node, $database, $next);
    # The addresses say it since
    $before->{tables}{users} =~ s/disabled_channels, //;
    $before->{digests} = digests($node, $database, $before->{tables});
    install_library($to);
    my $call = 'SELECT companion.now()';
    like(error_of($database, $call), qr/ERROR: +extension companion is of version \Q$from\E in this database.*HINT: +ALTER EXTENSION companion UPDATE$/s,
        "the library of $to does not serve $from, and says what to do");
    is(error_of($database, "DO \$\$ BEGIN BEGIN $call; EXCEPTION WHEN OTHERS THEN END; END \$\$;"
            . "ALTER EXTENSION companion UPDATE TO '$to'; $call"), '', "$from in use is updated to $to");
    is_deeply(digests($node, $database, $before->{tables}), $before->{digests}, 'its rows are as they were');
    my $rights = rights($node, $database);
    is(granted_by_app($rights), granted_by_app($before->{rights}), 'and what the app has granted');
    unlike($rights, qr/^companion\.users\|\w+\|companion_admin\|DELETE/m, 'and revoked');
    is(dumped_rights($database), <<'SQL', 'which is what pg_dump keeps of the rights');
GRANT ALL ON FUNCTION companion.canonical_timezone(timezone text) TO PUBLIC;
GRANT SELECT ON TABLE companion.scheduled_messages TO analyst WITH GRANT OPTION;
GRANT SELECT(checkin_time) ON TABLE companion.users TO analyst;
GRANT SELECT(id) ON TABLE companion.users TO analyst;
GRANT SELECT(timezone) ON TABLE companion.users TO analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE companion.users TO companion_admin;
GRANT USAGE ON SCHEMA companion TO analyst;
REVOKE SELECT,INSERT,DELETE,UPDATE ON TABLE companion.users FROM companion_admin;
SQL
    is(differences($before->{next}, go_on($node, $database)), '', 'it goes on');
    is($node->safe_psql($database, <<'SQL'), '1|Maya', 'and follows a changed id');
UPDATE auth.users SET id = '00000000-0000-0000-0000-000000000020' WHERE email = 'user12@example.org';
SELECT count(*), max(onboarding.data ->> 'name') FROM companion.users JOIN companion.onboarding ON user_id = id
WHERE id = '00000000-0000-0000-0000-000000000020';
SQL
    $node->safe_psql('postgres', "DROP DATABASE $database");
    $node->safe_psql('postgres', 'DROP ROLE analyst');
}

# Ids that are not of version 7 are made anew, and all that refers to them goes along; a foreign key
# that would be broken is named, and nothing happens.
sub is_rekeyed
{
    my ($from) = @_;
    my $folder = dirname(__FILE__);
    my $database = create_database($from);
    install_library($from);
    $node->safe_psql($database, slurp_file("$folder/other_ids--$from.sql"));
    install_library($current);
    my $bookmark = q{INSERT INTO "App".bookmarks SELECT user_id, id FROM companion.messages WHERE content IN ('four', 'dos')};
    my $name = '"of a message"';
    $node->safe_psql($database, $bookmark);
    like(update($database, $current), qr/ids that are not of version 7 are to be made anew, and foreign keys refer to some: $name of "App"\.bookmarks\nHINT: +Give each ON UPDATE CASCADE/,
        'a foreign key that refers to an id that goes is named');
    is($node->safe_psql($database, q{SELECT extversion FROM pg_extension WHERE extname = 'companion'}),
        $from, 'and the version stays');
    $node->safe_psql($database, <<"SQL");
ALTER TABLE "App".bookmarks DROP CONSTRAINT $name, ADD CONSTRAINT $name
FOREIGN KEY (user_id, message_id) REFERENCES companion.messages (user_id, id) ON UPDATE CASCADE;
SQL
    is(update($database, $current), '', "with other ids $from is updated");
    is($node->safe_psql($database, slurp_file("$folder/rekeyed--$from.sql")) . "\n",
        slurp_file("$folder/rekeyed--$from.out"), 'all is in the order of time, and nothing is lost');
}

# What the users' columns say of where they are becomes rows of addresses, and Telegram's ids belong to a chat.
sub is_addressed
{
    my ($from) = @_;
    my $folder = dirname(__FILE__);
    my $database = create_database($from);
    install_library($from);
    $node->safe_psql($database, slurp_file("$folder/own_accounts--$from.sql"));
    install_library($current);
    is(update($database, $current), '', "with accounts $from is updated");
    is($node->safe_psql($database, slurp_file("$folder/own_accounts.sql")) . "\n",
        slurp_file("$folder/own_accounts.out"), 'each is an address, of the first who had it');
}

# The next version, by what it changes.
my $next = $current =~ s/.$/x/r;
my @changes = map { "$_;\n" } split /;\n/, <<'SQL';
ALTER TABLE companion.users ADD COLUMN next_column text CHECK (length(next_column) < 50);
ALTER TABLE companion.users ALTER COLUMN next_column SET DEFAULT 'a';
COMMENT ON COLUMN companion.users.next_column IS 'A new column.';
GRANT UPDATE (next_column) ON companion.users TO companion_user;
ALTER TABLE companion.users ALTER COLUMN preferences SET STORAGE EXTERNAL;
CREATE INDEX next_index ON companion.users (next_column) WHERE next_column <> 'a';
ALTER TABLE companion.messages SET (fillfactor = 95);
ALTER TABLE companion.messages ADD CHECK (length(content) < 1000000);
ALTER TABLE companion.dispatch_queue REPLICA IDENTITY FULL;
CREATE TABLE companion.next_table (
    user_id uuid PRIMARY KEY REFERENCES companion.users ON DELETE CASCADE,
    mood text NOT NULL,
    updated_at timestamptz);
ALTER TABLE companion.next_table OWNER TO companion_owner;
COMMENT ON TABLE companion.next_table IS 'A new table.';
ALTER TABLE companion.next_table ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.next_table TO companion_user USING (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.next_table IS 'An end user sees their own row only.';
CREATE POLICY every_row ON companion.next_table TO companion_runtime USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.next_table IS 'The functions act for every user.';
GRANT SELECT ON companion.next_table TO companion_user, companion_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON companion.next_table TO companion_runtime;
REVOKE SELECT ON companion.dispatch_queue FROM companion_admin;
CREATE TRIGGER set_updated_at BEFORE UPDATE ON companion.next_table
FOR EACH ROW EXECUTE FUNCTION companion.set_updated_at();
ALTER TABLE companion.next_table ENABLE ALWAYS TRIGGER set_updated_at;
SELECT pg_catalog.pg_extension_config_dump('companion.next_table', '');
SELECT pg_catalog.pg_extension_config_dump('companion.search_chunks', '');
CREATE FUNCTION companion.next_function(user_id uuid) RETURNS text LANGUAGE sql STABLE
RETURN (SELECT m.mood FROM companion.next_table AS m WHERE m.user_id = next_function.user_id);
REVOKE ALL ON FUNCTION companion.next_function(uuid) FROM PUBLIC;
CREATE OR REPLACE FUNCTION companion.sent_today(
    user_id uuid, kind text DEFAULT 'checkin', at timestamptz DEFAULT companion.now()) RETURNS boolean
LANGUAGE sql STABLE RETURN true;
ALTER FUNCTION companion.dispatch(timestamptz, integer) SET work_mem = '64MB';
ALTER VIEW companion.pending_messages SET (security_barrier = true);
SQL

# Write the scripts of that version
sub next_version
{
    my (@update) = @_;
    my $install = slurp_file("$extensions/companion--$current.sql");
    write_file("$extensions/companion--$next.sql", $install, @changes);
    write_file("$extensions/companion--$current--$next.sql", @update);
}

sub write_file
{
    my ($file, @text) = @_;
    open my $handle, '>', $file or die "$file: $!";
    binmode $handle;
    print $handle @text;
    close $handle;
}

next_version(@changes);
is(forgotten($current, $next), '', 'an update script that does everything');
is_upgraded($current, $next, 'rich_data');
install_library($current);
for my $change (@changes)
{
    next_version(grep { $_ ne $change } @changes);
    my ($line) = split /\n/, $change;
    isnt(forgotten($current, $next), '', "one that forgets: $line");
}

# A library that is older than the script.
next_version(@changes, <<'SQL');
CREATE FUNCTION companion.newer() RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'companion_newer';
SQL
my $database = create_database($current);
like(update($database, $next), qr/could not find function "companion_newer" in file ".*companion\.so"/,
    'an older library is named');
is($node->safe_psql($database, q{SELECT extversion FROM pg_extension WHERE extname = 'companion'}),
    $current, 'and the version stays');
unlink "$extensions/companion--$next.sql", "$extensions/companion--$current--$next.sql";

# The versions that were published, with the library of now.
for my $script (glob "$extensions/companion--*.sql")
{
    my ($version) = basename($script) =~ /^companion--((?:(?!--).)+)\.sql$/ or next;
    next if $version eq $current;
    is(forgotten($version, $current), '', "updated from $version is as installed");
    is_upgraded($version, $current, "rich_data--$version",
        slurp_file(dirname(__FILE__) . "/goes_on--$version.out"));
    is_rekeyed($version);
    is_addressed($version);
}

done_testing();
