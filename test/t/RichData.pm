# A database that has been in use, and what must be the same of it after a move: its rows, its rights,
# and what it does next.
package RichData;
use strict;
use warnings;

use Exporter 'import';
use File::Basename 'dirname';
use File::Spec;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(load_rich_data describe is_same go_on tables digests rights differences);

my $folder = File::Spec->rel2abs(dirname(__FILE__));
sub sql_file { return slurp_file("$folder/$_[0].sql"); }

# Fill a database in which the extension was just made. A table that is left empty fails.
sub load_rich_data
{
    my ($node, $database, $file) = @_;
    $node->safe_psql($database, sql_file($file // 'rich_data'));
    my $digests = digests($node, $database, tables($node, $database));
    my %is_of_the_moment = map { $_ => 1 } qw(channel_throttles send_rates); # and in no dump
    is(join(' ', grep { $digests->{$_} eq '0 rows' && !$is_of_the_moment{$_} } sort keys %$digests), '',
        'every table has rows');
}

# The extension's tables with their columns; condition chooses among them by pg_class and by what
# pg_dump keeps of their rows
sub tables
{
    my ($node, $database, $condition) = @_;
    $condition //= 'true';
    my $tables = $node->safe_psql($database, <<"SQL");
SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
FROM pg_extension AS e
JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
JOIN pg_class AS c ON c.oid = d.objid AND c.relkind IN ('r', 'p')
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN unnest(e.extconfig, e.extcondition) AS dump (relid, condition) ON dump.relid = c.oid
WHERE e.extname = 'companion' AND $condition
GROUP BY c.oid, c.relname
SQL
    return { map { split /\|/, $_, 2 } split /\n/, $tables };
}

# For each table the number of its rows, and a digest of them
sub digests
{
    my ($node, $database, $tables) = @_;
    my $query = join ' UNION ALL ', map { <<"SQL" } sort keys %$tables;
SELECT '$_', concat_ws(' ', count(*), 'rows', md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE "C")))
FROM (SELECT $tables->{$_} FROM companion.$_) AS t
SQL
    return { map { split /\|/, $_, 2 } split /\n/, $node->safe_psql($database, $query) };
}

# The lines, or what a separator separates, that were there before only (-) or are there after only (+)
sub differences
{
    my ($before, $after, $separator) = @_;
    my %count;
    $count{$_}-- for split $separator // qr/\n/, $before;
    $count{$_}++ for split $separator // qr/\n/, $after;
    return join "\n", map { ($count{$_} < 0 ? '- ' : '+ ') . $_ } grep { $count{$_} } sort keys %count;
}

# Every right on the extension's objects that the owner has granted, and every policy
sub rights
{
    my ($node, $database) = @_;
    return $node->safe_psql($database, <<'SQL');
WITH acls AS (
    SELECT nspname::text AS object, nspacl AS acl FROM pg_namespace WHERE nspname = 'companion'
    UNION ALL
    SELECT oid::regclass::text, relacl FROM pg_class
    WHERE relnamespace = 'companion'::regnamespace AND relkind IN ('r', 'v')
    UNION ALL
    SELECT attrelid::regclass || '.' || attname, attacl FROM pg_attribute
    JOIN pg_class AS c ON c.oid = attrelid WHERE relnamespace = 'companion'::regnamespace
    UNION ALL
    SELECT oid::regprocedure::text, proacl FROM pg_proc WHERE pronamespace = 'companion'::regnamespace)
SELECT object, grantor::regrole, grantee::regrole, privilege_type, is_grantable
FROM acls CROSS JOIN LATERAL aclexplode(acl) WHERE grantee <> grantor;
SELECT tablename, policyname, permissive, (SELECT array_agg(role ORDER BY role) FROM unnest(roles) AS role),
    cmd, qual, with_check
FROM pg_policies WHERE schemaname = 'companion';
SELECT oid::regclass, relrowsecurity FROM pg_class
WHERE relnamespace = 'companion'::regnamespace AND relkind = 'r';
SQL
}

# Let a database go on, and return what it does
sub go_on
{
    my ($node, $database) = @_;
    return $node->safe_psql($database, sql_file('goes_on'));
}

# What a database does next, tried on a copy
sub try_to_go_on
{
    my ($node, $database) = @_;
    $node->safe_psql('postgres', "CREATE DATABASE copy TEMPLATE $database");
    my $next = go_on($node, 'copy');
    $node->safe_psql('postgres', 'DROP DATABASE copy');
    return $next;
}

# What a database is like before it is moved; what it does next is tried, unless it is known
sub describe
{
    my ($node, $database, $next) = @_;
    $next //= try_to_go_on($node, $database);
    like($next, qr/^enqueued again\|0$/m, 'nothing is enqueued again');
    like($next, qr/^claimed\|.*^started\|t$/ms, 'the rest is sent');
    unlike($next, qr/^twice on a local day/m, 'no double');
    my $tables = tables($node, $database);
    return {
        tables => $tables,
        digests => digests($node, $database, $tables),
        rights => rights($node, $database),
        next => $next,
    };
}

# That a database is as one was described before, in the rows of the tables under a condition
sub is_same
{
    my ($before, $node, $database, $condition, $name) = @_;
    subtest $name => sub {
        my @moved = keys %{ tables($node, $database, $condition) };
        my (%tables, %digests);
        @tables{@moved} = @{ $before->{tables} }{@moved};
        @digests{@moved} = @{ $before->{digests} }{@moved};
        is_deeply(digests($node, $database, \%tables), \%digests, 'rows');
        is(differences($before->{rights}, rights($node, $database)), '', 'rights');
        is(differences($before->{next}, go_on($node, $database)), '', 'what happens next');
    };
}

1;
