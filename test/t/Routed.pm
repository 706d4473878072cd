# Shards, and a router in front of them: databases of one server, or each of its own.
package Routed;
use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(skip_without_plproxy make_shard make_router make_directory add_shard start_shards);

sub skip_without_plproxy
{
    my ($sharedir) = run_command([ 'pg_config', '--sharedir' ]);
    plan skip_all => 'PL/Proxy is not installed' unless -e "$sharedir/extension/plproxy.control";
    return;
}

# The router's, on each server
my $login = <<'SQL';
DO $$ BEGIN
    IF to_regrole('companion_router') IS NULL THEN
        CREATE ROLE companion_router LOGIN
        IN ROLE companion_user, companion_worker, companion_admin, companion_monitor;
    END IF;
END $$;
SQL

# A database that is one of so many shards, with the router's login
sub make_shard
{
    my ($node, $number, $shards) = @_;
    $node->safe_psql('postgres', "CREATE DATABASE shard_$number");
    $node->safe_psql("shard_$number", <<"SQL");
CREATE EXTENSION companion;
SELECT companion.set_shard($number, $shards);
$login
SQL
    return;
}

sub make_router
{
    my ($node) = @_;
    $node->safe_psql('postgres', 'CREATE DATABASE router');
    $node->safe_psql('router', 'CREATE EXTENSION companion_router CASCADE');
    return;
}

# The directory, which its router knows
sub make_directory
{
    my ($node, $router, $shards) = @_;
    $node->safe_psql('postgres', 'CREATE DATABASE directory');
    $node->safe_psql('directory', "CREATE EXTENSION companion; SELECT companion.set_directory($shards); $login");
    my $conninfo = $node->connstr('directory') =~ s/'/''/gr;
    $router->safe_psql('router', "SELECT companion_router.set_directory('$conninfo')");
    return;
}

# Where a shard is, for the router
sub conninfo
{
    my ($node, $number) = @_;
    return $node->connstr("shard_$number") =~ s/'/''/gr;
}

sub add_shard
{
    my ($router, $number, $node) = @_;
    my $conninfo = conninfo($node, $number);
    $router->safe_psql('router', "SELECT companion_router.add_shard($number, '$conninfo')");
    return;
}

# A server with so many shards and their router, but for those that are to be on another one, by their number
sub start_shards
{
    my ($shards, %elsewhere) = @_;
    my $node = PostgreSQL::Test::Cluster->new('shards');
    $node->init(allows_streaming => 'logical');
    $node->append_conf("postgresql.conf", "fsync = off\nmax_connections = 100\n");
    $node->start;
    make_router($node);
    for my $number (0 .. $shards - 1)
    {
        my $place = $elsewhere{$number} // $node;
        make_shard($place, $number, $shards);
        add_shard($node, $number, $place);
    }
    make_directory($node, $node, $shards);
    return $node;
}

1;
