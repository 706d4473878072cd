# pg_dump keeps every row, and what is restored goes on where it was.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE before');
$node->safe_psql('postgres', 'CREATE DATABASE after');
$node->safe_psql('before', <<'SQL');
CREATE EXTENSION companion;
SET companion.clock = '2026-03-04 09:00+00';
INSERT INTO companion.users (display_name, timezone, checkin_time, onboarding_completed_at,
    telegram_user_id, preferences)
SELECT 'user ' || n, (ARRAY['UTC', 'Europe/Berlin', 'EST5EDT'])[n % 3 + 1], '09:00', '2026-01-01',
    n, '{"tone": "warm"}'
FROM generate_series(1, 9) AS n;
INSERT INTO companion.onboarding (user_id, data) SELECT id, '{"name": "Maya"}' FROM companion.users;
INSERT INTO companion.conversations (user_id, id, channel) SELECT id, id, 'web'
    FROM companion.users;
INSERT INTO companion.messages (user_id, id, conversation_id, role, content) SELECT id, id, id,
    'user', 'hello' FROM companion.users;
INSERT INTO companion.messages (user_id, conversation_id, role, content, reply_to_id) SELECT id, id,
    'assistant', E'good\tmorning\n', id FROM companion.users;
INSERT INTO companion.user_context (user_id, category, key, value, source_message_id) SELECT id,
    'family', 'sister', 'Ana', id FROM companion.users;
SELECT companion.upsert_user_context(id, 'family', 'sister', 'Anna') FROM companion.users;
INSERT INTO companion.telegram_link_tokens (user_id, token_hash, expires_at) SELECT id,
    sha256(display_name::bytea), '2026-03-05' FROM companion.users;
SELECT companion.rewind_dispatch('2026-03-04 07:59+00');
SELECT companion.dispatch();
SELECT companion.schedule_message(id, companion.now(), 'hi') FROM companion.users;
SELECT companion.start_send(user_id, message_id, attempt)
    FROM companion.claim_messages('w', 4, '1 minute');
SELECT companion.mark_sent(user_id, message_id, attempt, 'sent') FROM companion.dispatch_queue
    WHERE sending ORDER BY message_id LIMIT 2;
SET companion.clock = '2026-03-04 09:30+00';
UPDATE companion.users SET location = 'Lisbon' WHERE display_name = 'user 1';
SQL

my $dump = $node->basedir . '/dump';
command_ok([ 'pg_dump', '-d', $node->connstr('before'), '-Fc', '-f', $dump ], 'dumped');
command_ok([ 'pg_restore', '-d', $node->connstr('after'), '--exit-on-error', $dump ], 'restored');

# All but what searches keep, which is made anew
my @tables = split /\n/, $node->safe_psql('before', <<'SQL');
SELECT relname FROM pg_class
WHERE relnamespace = 'companion'::regnamespace AND relkind = 'r' AND relpersistence = 'p'
    AND relname <> 'search_chunks'
ORDER BY 1
SQL
cmp_ok(@tables, '>=', 9, 'all tables are looked at');
for my $table (@tables)
{
    my $rows = "SELECT t::text FROM companion.$table AS t ORDER BY 1";
    my $before = $node->safe_psql('before', $rows);
    is($node->safe_psql('after', $rows), $before, "$table is as it was");
    isnt($before, '', "$table has rows");
}

is($node->safe_psql('after', <<'SQL'), '0', 'nothing is enqueued again');
SET companion.clock = '2026-03-04 09:30+00';
SELECT companion.dispatch();
SQL
is($node->safe_psql('after', <<'SQL'), "11\n2|0", 'what was started is unknown, the rest goes on');
SET companion.clock = '2026-03-04 09:30+00';
SELECT count(*) FROM companion.claim_messages('w2');
SELECT companion.finish_abandoned(), companion.finish_abandoned();
SQL

done_testing();
