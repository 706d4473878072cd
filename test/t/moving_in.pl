# An app moves in: 1,000 users of tables of its own, with the traps that docs/moving_in.md names, by the SQL
# that stands there; then the switch, without a double or a miss.
use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Documents;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $clock = "SET companion.clock = '2026-03-02 08:00+00';";

# Of every ten users one has each fault. User n is called for n minutes past... the hour n mod 24 of their day.
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION companion;
CREATE SCHEMA old;
CREATE FUNCTION old.user_id(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN overlay(md5('user ' || n) PLACING '4' FROM 13)::uuid;
CREATE TABLE old.profiles (user_id uuid PRIMARY KEY, name text, tz text, phone text, tg_id bigint, hour integer, created_at timestamptz NOT NULL);
INSERT INTO old.profiles
SELECT old.user_id(n), 'User ' || n,
    (ARRAY['Europe/Berlin', 'America/New York', NULL, 'GMT+2', 'asia/tokyo', '', 'UTC-03:00', 'Mars', ' Europe/London ', 'UTC'])[n % 10 + 1],
    (ARRAY['+49 151 ', '0049151', '+49(151)', '+49-151-', '0151 '])[n % 5 + 1] || to_char(1000000 + n, 'FM0000000'),
    CASE WHEN n % 100 = 99 THEN 7000000 + n - 1 ELSE 7000000 + n END,
    CASE WHEN n % 20 <> 13 THEN n % 24 END, timestamptz '2025-01-01 00:00+00' + n * interval '1 hour'
FROM generate_series(1, 1000) AS n;
-- Three chats each, the first two never ended; the ids are of no order.
CREATE TABLE old.chats (id uuid PRIMARY KEY, user_id uuid NOT NULL, platform text NOT NULL, began_at timestamptz NOT NULL, ended_at timestamptz);
INSERT INTO old.chats
SELECT overlay(md5('chat ' || n || ' ' || c) PLACING '4' FROM 13)::uuid, old.user_id(n), CASE n % 2 WHEN 0 THEN 'telegram' ELSE 'web' END,
    timestamptz '2026-01-01 00:00+00' + c * interval '10 days' + n * interval '1 second', CASE WHEN c = 2 AND n % 3 = 0 THEN timestamptz '2026-01-30 00:00+00' END
FROM generate_series(1, 1000) AS n, generate_series(0, 2) AS c;
-- Two at each time, in the order of their numbers, which fall with time; some answer what is gone.
CREATE TABLE old.messages (id bigint PRIMARY KEY, chat_id uuid NOT NULL, sender text NOT NULL, text text NOT NULL, sent_at timestamp NOT NULL, reply_to bigint, tg_message_id bigint);
INSERT INTO old.messages
SELECT 2 * number + m % 2, chat_id, CASE m % 2 WHEN 0 THEN 'user' ELSE 'bot' END, 'text ' || 2 * number + m % 2, sent_at,
    CASE WHEN m % 2 = 1 THEN CASE WHEN number % 50 = 0 THEN -1 ELSE 2 * number END END, CASE platform WHEN 'telegram' THEN 2 * number + m % 2 END
FROM (SELECT c.id AS chat_id, c.platform, c.began_at AT TIME ZONE 'UTC' + m / 2 * interval '1 minute' AS sent_at, m,
          100000 - dense_rank() OVER (ORDER BY c.began_at, c.id) * 3 - m / 2 AS number
      FROM old.chats AS c, generate_series(0, 5) AS m) AS g;
CREATE TABLE old.memories (user_id uuid, topic text, name text, body text, learned_at timestamptz);
INSERT INTO old.memories
SELECT old.user_id(n), m.topic, m.name, m.body, m.learned_at FROM generate_series(1, 1000) AS n, (VALUES
    ('mood', 'now', 'sad', timestamptz '2025-06-01 10:00+00'),
    ('Job', 'Employer', 'the first', '2020-01-01 00:00+00'), ('Job ', 'employer', 'the second', '2023-01-01 00:00+00'), ('Job', 'EMPLOYER', 'the third', '2026-02-01 00:00+00')) AS m (topic, name, body, learned_at);
-- What was sent: today what was due before 08:00, two years ago and, for some, twice a day.
CREATE TABLE old.sends (id bigserial PRIMARY KEY, user_id uuid, type text, sent_at timestamptz, ok boolean, error text);
INSERT INTO old.sends (user_id, type, sent_at, ok, error)
SELECT old.user_id(n), 'daily', s.at, s.ok, CASE WHEN NOT s.ok THEN 'blocked' END
FROM generate_series(1, 1000) AS n, (VALUES
    (timestamptz '2024-06-01 12:00+00', true), ('2026-02-20 12:00+00', false), ('2026-02-20 12:05+00', true)) AS s (at, ok);
SQL

my @blocks = sql_blocks('docs/moving_in.md');
my ($steps, $last) = (join("\n", map { $_->[1] } @blocks[ 0 .. $#blocks - 1 ]), $blocks[-1][1]);
my ($status, $stdout, $stderr) = $node->psql('postgres', $steps, extra_params => [ '--set=ON_ERROR_STOP=1' ]);
is($status, 0, 'the steps of the guide run') or diag($stderr);

sub value { return $node->safe_psql('postgres', $clock . shift) }

# What is not taken, or not as it was, is said.
is(value('SELECT what, outcome, reason, count(*) FROM old.not_taken GROUP BY 1, 2, 3 ORDER BY 1, 2, 3'),
    "users|taken|telegram_user_id is another user's address|10", 'all is taken, and what is to be minded is said');
is(value('SELECT count(*) FROM companion.users AS u JOIN old.profiles AS p ON p.user_id = u.id AND p.name = u.display_name AND p.created_at = u.created_at'),
    1000, 'users keep their ids, names and times');
is(value(q{SELECT p.tz, u.timezone, count(*), count(u.checkin_time) FROM companion.users AS u JOIN old.profiles AS p ON p.user_id = u.id GROUP BY 1, 2 ORDER BY p.tz COLLATE "C"}),
    <<'EOT' =~ s/\n$//r, 'zones are what was meant, or nobody is woken');
|UTC|100|0
 Europe/London |Europe/London|100|100
America/New York|America/New_York|100|100
Europe/Berlin|Europe/Berlin|100|100
GMT+2|Etc/GMT-2|100|50
Mars|UTC|100|0
UTC|UTC|100|100
UTC-03:00|Etc/GMT+3|100|100
asia/tokyo|Asia/Tokyo|100|100
|UTC|100|0
EOT
is(value(q{SELECT count(whatsapp_number), count(*) FILTER (WHERE whatsapp_number = '+49151' || to_char(1000000 + right(display_name, -5)::integer, 'FM0000000')) FROM companion.users}),
    '800|800', 'numbers are in one form');
is(value('SELECT count(*), count(*) FILTER (WHERE ended_at IS NULL), count(DISTINCT user_id) FILTER (WHERE ended_at IS NULL) FROM companion.conversations'),
    '3000|667|667', 'the last conversation alone may be open');
is(value(<<'SQL'), '18000|18000|0', 'messages are as they were');
SELECT count(*), count(*) FILTER (WHERE m.content = o.text AND m.created_at = o.sent_at AT TIME ZONE 'UTC'
        AND m.conversation_id = companion.imported_id(m.user_id, 'conversations', o.chat_id::text)
        AND m.telegram_message_id IS NOT DISTINCT FROM o.tg_message_id),
    count(*) FILTER (WHERE m.reply_to_id IS DISTINCT FROM CASE WHEN o.reply_to > 0 THEN companion.imported_id(m.user_id, 'messages', o.reply_to::text) END)
FROM old.messages AS o JOIN old.chats AS c ON c.id = o.chat_id
JOIN companion.messages AS m ON m.user_id = c.user_id AND m.id = companion.imported_id(c.user_id, 'messages', o.id::text)
SQL
is(value(<<'SQL'), 0, 'and in their order');
SELECT count(*) FROM (
    SELECT row_number() OVER (PARTITION BY c.user_id ORDER BY o.sent_at, o.id) AS was,
           row_number() OVER (PARTITION BY c.user_id ORDER BY companion.imported_id(c.user_id, 'messages', o.id::text)) AS is_now
    FROM old.messages AS o JOIN old.chats AS c ON c.id = o.chat_id) AS places WHERE was <> is_now
SQL
is(value('SELECT count(*) FROM companion.users AS u WHERE last_user_message_at = (SELECT max(created_at) FROM companion.messages AS m WHERE m.user_id = u.id AND m.role = $$user$$)'),
    1000, 'when they last wrote is known');
is(value(q{SELECT c.category, c.key, c.value, c.value_since AT TIME ZONE 'UTC', (SELECT string_agg(h.value, ', ' ORDER BY held_from) FROM companion.user_context_history AS h WHERE h.user_id = c.user_id), count(*)
    FROM companion.user_context AS c WHERE c.category = 'Job' GROUP BY 1, 2, 3, 4, 5}),
    'Job|employer|the third|2026-02-01 00:00:00|the first, the second|1000', 'a fact of several rows is one, with its history');
is(value(q{SELECT value FROM companion.recall_user_context(old.user_id(1), 1)}), 'the third', 'a mood of June is not of today');
is(value(q{SELECT idempotency_key ~ '#', status, count(*) FROM companion.scheduled_messages GROUP BY 1, 2 ORDER BY 1, 2}),
    "f|sent|2000\nt|failed|1000", 'several sends of a day are all kept, and the one that was sent is the day\'s');
is(value('SELECT count(*) FROM companion.dispatch_queue') . value('SELECT count(*) FROM companion.dispatch_recheck'), '00', 'nothing is to be sent');
is(value(q{SELECT affected FROM companion.run_maintenance() WHERE task = 'old messages'}), 0, 'retention leaves the old audit');

# The old app goes on until 08:00, and the import is called again.
$node->safe_psql('postgres', <<'SQL');
INSERT INTO old.chats SELECT md5('chat ' || n || ' 3')::uuid, old.user_id(n), CASE n % 2 WHEN 0 THEN 'telegram' ELSE 'web' END, '2026-03-01 00:00+00', NULL
FROM generate_series(1, 1000) AS n;
INSERT INTO old.messages SELECT 1000000 + n, md5('chat ' || n || ' 3')::uuid, 'user', 'new', '2026-03-01 00:00', NULL, NULL FROM generate_series(1, 1000) AS n;
INSERT INTO old.memories SELECT old.user_id(n), 'Job', 'employer', 'the fourth', '2026-03-01 00:00+00' FROM generate_series(1, 10) AS n;
DELETE FROM old.profiles WHERE user_id = old.user_id(1000);
SQL
my @due = map { value("SELECT count(*) FROM companion.users AS u, LATERAL companion.next_checkin(u.id, '$_->[0]') AS n WHERE n <= '$_->[1]'") }
    [ '2026-03-01 23:00+00', '2026-03-02 08:00+00' ], [ '2026-03-02 08:00+00', '2026-03-02 09:30+00' ];
cmp_ok($due[0], '>', 100, 'many were due before the switch');
value(<<'SQL');
INSERT INTO old.sends (user_id, type, sent_at, ok)
SELECT u.id, 'daily', n, true FROM companion.users AS u, LATERAL companion.next_checkin(u.id, '2026-03-01 23:00+00') AS n WHERE n <= '2026-03-02 08:00+00'
SQL
my @fills = $steps =~ /^INSERT INTO old\.to_import\n.*?;$/msg;
is(scalar @fills, 5, 'each table is mapped');
$node->safe_psql('postgres', join("\n", 'TRUNCATE old.to_import;', @fills));
value('DELETE FROM companion.messages WHERE id = (SELECT id FROM companion.messages ORDER BY id LIMIT 1)');
$node->safe_psql('postgres', 'CALL old.move()');
is(value('SELECT what, outcome, reason, count(*) FROM old.not_taken GROUP BY 1, 2, 3 ORDER BY 1, 2, 3'),
    "messages|refused|it was deleted since|1\nuser_context|there already|it has another value|10", 'the second import takes what is new, and brings nothing back');
is(value('SELECT count(*), count(*) FILTER (WHERE content = $$new$$) FROM companion.messages'), '18999|1000', 'no message is lost');
is(value('SELECT count(*), count(DISTINCT user_id) FROM companion.conversations WHERE ended_at IS NULL'), '1000|1000', 'the conversations that were open are ended');
my ($changes) = $blocks[-2][1];
$node->safe_psql('postgres', $changes);
is(value('SELECT count(*), count(*) FILTER (WHERE value = $$the fourth$$) FROM companion.user_context WHERE category = $$Job$$'), '999|10', 'what has changed, and who is gone, follows');
is(value(q{SELECT count(*) FROM companion.scheduled_messages WHERE created_at > '2026-03-01'}), $due[0], 'and only what is new is taken');

# The first tick comes an hour and a half late.
$node->psql('postgres', $clock . $last, extra_params => [ '--set=sent_until=2026-03-02 08:00+00', '--set=ON_ERROR_STOP=1' ]);
$clock = "SET companion.clock = '2026-03-02 09:30+00';";
is(value('SELECT companion.dispatch()'), $due[1], 'the first tick finds what the old one has left');
is(value(q{SELECT count(*) FROM (SELECT user_id, local_date FROM companion.scheduled_messages WHERE kind = 'checkin' AND created_at > '2026-03-01' GROUP BY 1, 2 HAVING count(*) > 1) AS double}),
    0, 'and nobody gets a second one');

done_testing();
