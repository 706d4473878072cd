# Every SQL block of the README and the guides runs, in order, in a database for each file: what a reader
# copies works. Those of moving_in.md are run by moving_in.pl, on the tables that they move.
use strict;
use warnings;

use File::Basename qw(basename dirname);
use lib dirname(__FILE__);
use Documents;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'wal_level = logical');
my $has_pg_cron = -e (grep { chomp; 1 } `pg_config --sharedir`)[0] . '/extension/pg_cron.control';
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'readme'") if $has_pg_cron;
$node->start;

# Who the guides speak of.
my $user = '00000000-0000-4000-8000-000000000001';
my $extension = 'CREATE EXTENSION companion;';
my $ada = "$extension INSERT INTO companion.users (id, display_name, timezone, telegram_user_id, whatsapp_number, onboarding_completed_at)
    VALUES ('$user', 'Ada', 'Europe/London', 123456789, '+14155550100', '2026-01-01');";
my $auth = "$ada CREATE SCHEMA auth; CREATE TABLE auth.users (id uuid PRIMARY KEY, email text, deleted_at timestamptz, banned_until timestamptz);
    CREATE SCHEMA app;";

# What stands before a file's blocks, its parameters by line or for the whole file, and what is to be
# left out where pg_cron is not installed.
my %of = (
    'README.md' => { before => '', parameters => {} },
    'operations.md' => { before => $ada },
    'onboarding.md' => { before => "$auth CREATE TABLE app.logins (id uuid PRIMARY KEY, login_email text); SET companion.user_id = '$user';", parameters => { 1 => "'$user'" } },
    'managed.md' => { before => $ada, variables => { id => $user, email => 'ada@example.org' } },
    'moving.md' => { before => "$auth CREATE TABLE app.notes (user_id uuid, message_id uuid);" },
    'linking.md' => { before => "$ada SET companion.user_id = '$user';", parameters => { 1 => "'a token'", 2 => 7, 3 => "'ada'" } },
    'security.md' => { before => "$auth CREATE ROLE web; CREATE DATABASE app; CREATE TABLE app.audit_log (operation text, id uuid);" },
    'conversations.md' => { before => $ada, parameters => { 1 => "'$user'", 2 => "companion.open_conversation('$user', 'telegram')",
        3 => '(SELECT id FROM companion.messages ORDER BY id DESC LIMIT 1)' } },
    'policy.md' => { before => $ada, parameters => { 1 => "'$user'", 2 => 'companion.uuid_v7()' } },
    'scaling.md' => { before => $extension },
    'install.md' => { before => "$auth SELECT companion.follow_auth_users();" },
);
my %done_elsewhere = map { $_ => 1 } qw(moving_in.md reference.md);

# Whether a block needs pg_cron in its database
sub needs_pg_cron { return shift->[1] =~ /\bcron\.|pg_cron|schedule_jobs/ }

# A block with its parameters bound; in the body of a function they are its own.
sub bound
{
    my ($text, $parameters) = @_;
    return $text if $text =~ /\$\$/;
    return $text =~ s/\$(\d)/$parameters->{$1} \/\/ "\$$1"/ger;
}

my $count = 0;
for my $file ('README.md', sort glob('docs/*.md'))
{
    my $name = basename($file);
    next if $done_elsewhere{$name};
    my @blocks = sql_blocks($file) or next;
    my $of = $of{$name} // { before => $ada };
    my $database = lc $name =~ s/\.md$//r;
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    my $script = $of->{before};
    for my $block (@blocks)
    {
        next if needs_pg_cron($block) && !($has_pg_cron && $name eq 'README.md');
        $script .= "\n\\echo line $block->[0]\n" . bound($block->[1], $of->{parameters} // {});
        $count++;
    }
    my ($status, $stdout, $stderr) = $node->psql($database, $script,
        extra_params => [ '--set=ON_ERROR_STOP=1', map { "--set=$_=$of->{variables}{$_}" } keys %{ $of->{variables} // {} } ]);
    is($status, 0, "$file runs") or diag("after $file, " . ($stdout =~ /.*(line \d+)/s ? $1 : 'nothing') . ": $stderr");
    check_readme($stdout) if $name eq 'README.md';
    check_dispatch($stdout) if $name eq 'dispatch.md';
}
cmp_ok($count, '>=', 20, "$count blocks were run");

# What the comments say comes true
sub check_readme
{
    my ($stdout) = @_;
    my ($first) = $stdout =~ /(.*?)(?:line \d+\n(?!1\n)|$)/s;
    like($stdout, qr/^1\nAda\|web\|\d{4}-\d\d-\d\d\nt\nt\n0\n\d{4}-/m, 'the first result is as its comments say');
}

sub check_dispatch
{
    my ($stdout) = @_;
    like($stdout, qr/^0\n1\n1\n0$/m, 'a year in seconds is as its comments say');
}

done_testing();
