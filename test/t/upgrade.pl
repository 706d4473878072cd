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
    my ($status, $output, $error) =
      $node->psql($database, "ALTER EXTENSION companion UPDATE TO '$version'");
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

# A database in use is updated without a loss
sub is_upgraded
{
    my ($from, $to, $data) = @_;
    my $database = create_database($from);
    load_rich_data($node, $database, $data);
    my $before = describe($node, $database);
    is(update($database, $to), '', "$from in use is updated to $to");
    is_deeply(digests($node, $database, $before->{tables}), $before->{digests}, 'its rows are as they were');
    unlike(differences($before->{rights}, rights($node, $database)), qr/analyst/,
        'and what the app has granted');
    is(differences($before->{next}, go_on($node, $database)), '', 'it goes on');
    $node->safe_psql('postgres', "DROP DATABASE $database");
    $node->safe_psql('postgres', 'DROP ROLE analyst');
}

# The next version, by what it changes.
my $next = "$current-next";
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
COMMENT ON TABLE companion.next_table IS 'A new table.';
ALTER TABLE companion.next_table ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.next_table TO companion_user USING (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.next_table IS 'An end user sees their own row only.';
GRANT SELECT ON companion.next_table TO companion_user, companion_worker;
REVOKE SELECT ON companion.scheduled_messages FROM companion_admin;
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
ALTER FUNCTION companion.dispatch(timestamptz) SET work_mem = '64MB';
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
    print $handle @text;
    close $handle;
}

next_version(@changes);
is(forgotten($current, $next), '', 'an update script that does everything');
is_upgraded($current, $next, 'rich_data');
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
    is_upgraded($version, $current, "rich_data--$version");
}

done_testing();
