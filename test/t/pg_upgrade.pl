# pg_upgrade from an older PostgreSQL, whose programs are in OLD_BINDIR and which has the extension,
# too: rows, rights, and what happens next are as before.
use strict;
use warnings;

use File::Basename 'dirname';
use lib dirname(__FILE__);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RichData;
use Test::More;

plan skip_all => 'OLD_BINDIR names no older PostgreSQL to upgrade from' unless $ENV{OLD_BINDIR};

my $old = PostgreSQL::Test::Cluster->new('old', install_path => dirname($ENV{OLD_BINDIR}));
my $new = PostgreSQL::Test::Cluster->new('new');
my $new_bindir = $new->config_data('--bindir');
cmp_ok($old->pg_version, '<', $new->pg_version, 'from ' . $old->pg_version . ' to ' . $new->pg_version);

$old->init;
$old->start;
$old->safe_psql('postgres', 'CREATE DATABASE app');
$old->safe_psql('app', 'CREATE EXTENSION companion');
load_rich_data($old, 'app');
my $app = describe($old, 'app');
$old->stop;

# Since 18 initdb turns checksums on, which both clusters must agree on.
$new->init(extra => $new->pg_version >= 18 ? ['--no-data-checksums'] : []);
chdir $new->basedir;
command_ok([ 'pg_upgrade', '--no-sync', '--jobs=2', '--socketdir=' . $new->host,
        '--old-bindir=' . $ENV{OLD_BINDIR}, "--new-bindir=$new_bindir",
        '--old-datadir=' . $old->data_dir, '--new-datadir=' . $new->data_dir,
        '--old-port=' . $old->port, '--new-port=' . $new->port ],
    'pg_upgrade');
$new->start;
is_same($app, $new, 'app', 'true', 'upgraded');

done_testing();
