# Clients that Debian has: each program in clients/ makes the main calls with the types that its users pass, and
# looks at what comes back. docs/clients.md says what each minds.
use strict;
use warnings;

use File::Basename qw(dirname);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $programs = dirname(__FILE__) . '/clients';
my $python = '/usr/bin/python3'; # Debian's, which has Debian's drivers
my $jar = '/usr/share/java/postgresql.jar';

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# JDBC knows no sockets but those of TCP
$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION companion');
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN IN ROLE companion_worker, companion_user');
$node->safe_psql('postgres', 'CREATE DATABASE prepared');
$node->safe_psql('prepared', 'CREATE EXTENSION companion');

# Run a program in a database of its own: each line that begins with ok, or not ok, is a test
sub test_client
{
    my ($name, $is_there, @command) = @_;
    subtest $name => sub {
        run_log([@$is_there]) or plan skip_all => "$name is not installed";
        $node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE prepared");
        local @ENV{qw(PGHOST PGPORT PGUSER PGDATABASE)} = ($node->host, $node->port, 'app', $name);
        local $ENV{JDBC_URL} = 'jdbc:postgresql://127.0.0.1:' . $node->port . "/$name?user=app";
        my ($output, $errors) = ('', '');
        my $ends_well = IPC::Run::run(\@command, '<', \'', '>', \$output, '2>', \$errors, IPC::Run::timeout(120));
        note $1 if $output =~ /^# (.*)/;
        ok(!$1, $2) while $output =~ /^(not )?ok - (.*)/mg;
        ok($ends_well, 'it ends well') or diag $errors;
    };
}

for my $module (qw(psycopg psycopg2 asyncpg sqlalchemy)) {
    test_client($module, [$python, '-c', "import $module"], $python, '-B', "$programs/with_$module.py");
}
test_client('jdbc', ['test', '-e', $jar], 'java', '-cp', $jar, "$programs/Jdbc.java");

done_testing;
