# checkin_instant against an independent implementation: 3,000 cases from 1995 to 2025. They are
# found beside the checkout, or where CHECKIN_INSTANTS says.
use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $cases = $ENV{CHECKIN_INSTANTS} // "$FindBin::Bin/../../../shared/data/checkin_instants.tsv";
plan skip_all => "no file of cases at $cases" unless -r $cases;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $wrong = $node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION companion;
CREATE TABLE cases (timezone text, local_date date, local_time time, due_at_utc text);
\\copy cases FROM '$cases' WITH (FORMAT csv, DELIMITER E'\\t', HEADER)
SELECT c.*, companion.checkin_instant(timezone, local_date, local_time) AT TIME ZONE 'UTC'
FROM cases AS c
WHERE (timezone, local_date) <> ('Europe/Chisinau', '2024-03-31') -- put right in zone data of 2026
  AND companion.checkin_instant(timezone, local_date, local_time)
      IS DISTINCT FROM (nullif(due_at_utc, '')::timestamp AT TIME ZONE 'UTC');
SQL
is($wrong, '', 'every case has its instant');
is($node->safe_psql('postgres', 'SELECT count(*) >= 3000 FROM cases'), 't', 'all cases were there');

done_testing();
