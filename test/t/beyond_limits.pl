# Rows of 0.1.0 beyond the limits of now survive ALTER EXTENSION UPDATE and a dump's restore: what has
# a rule is repaired, and the rest stays as it was.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE app');
$node->safe_psql('app', q{CREATE EXTENSION companion VERSION '0.1.0'});

# As 0.1.0 has left them there: its functions are served no more.
$node->safe_psql('app', <<'SQL');
SET session_replication_role = replica;
INSERT INTO companion.users (id, checkin_days, preferences, created_at, updated_at) VALUES
    ('00000000-0000-0000-0000-000000000001', '{7,1,1,3}', jsonb_build_object('x', repeat('x', 100000)), '2026-01-01', '2026-01-02'),
    ('00000000-0000-0000-0000-000000000002', array_fill(5::smallint, ARRAY[100000]), '{}', '2026-01-01', '2026-01-02'),
    ('00000000-0000-0000-0000-000000000003', '{}', '{}', '2026-01-01', '2026-01-02');
INSERT INTO companion.conversations (user_id, id, channel, mood_summary, topics, started_at) VALUES
    ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000001', 'web', repeat('x', 100000), array_fill('x'::text, ARRAY[20000]), '2026-01-01');
SQL
my $dump = $node->basedir . '/dump';
$node->command_ok([ 'pg_dump', '--format=custom', "--file=$dump", 'app' ], '0.1.0 dumped');

# Somebody's trigger, which must not run as whoever updates.
$node->safe_psql('app', <<'SQL');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'ran as %', current_user; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON companion.users FOR EACH ROW EXECUTE FUNCTION refuse();
ALTER EXTENSION companion UPDATE;
DROP FUNCTION refuse() CASCADE;
SQL
$node->safe_psql('postgres', 'CREATE DATABASE restored');
# A dump of 0.1.0 is restored into 0.1.0, whose functions the library does not serve, and updated then.
$node->safe_psql('restored', q{CREATE EXTENSION companion VERSION '0.1.0'});
{
    local $ENV{PGOPTIONS} = '-c session_replication_role=replica';
    $node->command_ok([ 'pg_restore', '--exit-on-error', '--dbname=restored', $dump ], 'and restored');
}
$node->safe_psql('restored', 'ALTER EXTENSION companion UPDATE');

for my $database (qw(app restored))
{
    is($node->safe_psql($database, <<'SQL'), <<"EXPECTED" =~ s/\n$//r, "$database: repaired, or as it was");
SELECT right(id::text, 1), checkin_days, octet_length(preferences::text), updated_at = '2026-01-02' FROM companion.users ORDER BY id;
SELECT length(mood_summary), cardinality(topics) FROM companion.conversations;
SQL
1|{1,3,7}|100009|t
2|{5}|2|t
3|{}|2|t
100000|20000
EXPECTED

    # Who has such a row may change all the rest of it.
    is($node->safe_psql($database, <<'SQL'), "1\n100000", "$database: and in nobody's way");
SET companion.user_id = '00000000-0000-0000-0000-000000000001';
SET ROLE companion_user;
UPDATE companion.users SET display_name = 'Maya', checkin_days = '{1}', preferences = preferences RETURNING cardinality(checkin_days);
SET ROLE companion_worker;
UPDATE companion.conversations SET mood_summary = mood_summary, topics = topics, ended_at = '2026-01-02' RETURNING length(mood_summary);
SQL
}

done_testing();
