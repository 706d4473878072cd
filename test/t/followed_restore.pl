# pg_dump and restore of a database with a followed auth table, link tokens, and changed onboarding
# steps: everything is there, and it goes on being followed.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('restore');
$node->init;
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION companion;
CREATE SCHEMA auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY, email varchar(255), encrypted_password text);
INSERT INTO auth.users (id, email) VALUES ('00000000-0000-0000-0000-000000000001', 'maya@example.org');
SELECT companion.follow_auth_users();
INSERT INTO auth.users (id, email) VALUES ('00000000-0000-0000-0000-000000000002', 'diego@example.org');
SELECT companion.start_onboarding(id) FROM companion.users;
SELECT companion.create_telegram_link_token(id) FROM companion.users;
INSERT INTO companion.telegram_link_tokens (user_id, token_hash, expires_at)
VALUES ('00000000-0000-0000-0000-000000000001', sha256('token'), 'infinity');
SELECT companion.redeem_telegram_link_token('no token', 101);
INSERT INTO companion.onboarding_steps VALUES ('pets', 15, '{pets}', false), ('name', 11, '{name}', true);
UPDATE companion.onboarding_steps SET position = NULL WHERE step = 'style';
SQL

my $everything = <<'SQL';
SELECT to_jsonb(u) - 'updated_at' FROM companion.users AS u ORDER BY id;
SELECT to_jsonb(o) - 'updated_at' FROM companion.onboarding AS o ORDER BY user_id;
SELECT to_jsonb(t) FROM companion.telegram_link_tokens AS t ORDER BY id;
SELECT * FROM companion.onboarding_steps ORDER BY step;
SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'auth.users'::regclass;
SQL

my $dump = $node->basedir . '/dump';
$node->command_ok([ 'pg_dump', '--format=custom', "--file=$dump", 'postgres' ], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--dbname=restored', $dump ], 'restored');
my $before = $node->safe_psql('postgres', $everything);
is($node->safe_psql('restored', $everything), $before, 'every row and the trigger are there');
like($before, qr/companion_follow/, 'the table is followed');

is($node->safe_psql('restored', <<'SQL'), "linked\n1", 'a token made before is redeemed after');
SELECT outcome FROM companion.redeem_telegram_link_token('token', 101);
SELECT count(*) FROM companion.users WHERE telegram_user_id = 101;
SQL
is($node->safe_psql('restored', <<'SQL'), 'm@example.org|new@example.org', 'users follow the restored table');
INSERT INTO auth.users (id, email) VALUES ('00000000-0000-0000-0000-000000000003', 'new@example.org');
UPDATE auth.users SET email = 'm@example.org' WHERE id = '00000000-0000-0000-0000-000000000001';
DELETE FROM auth.users WHERE id = '00000000-0000-0000-0000-000000000002';
SELECT string_agg(email, '|' ORDER BY id) FROM companion.users;
SQL
is($node->safe_psql('restored', 'SELECT companion.follow_auth_users()'), '0', 'following again changes nothing');

# The same as plain SQL, piped into psql.
$node->safe_psql('postgres', 'CREATE DATABASE piped');
my $sql = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', "--file=$sql", 'postgres' ], 'dumped as SQL');
$node->command_ok([ 'psql', '-Xq', '--set=ON_ERROR_STOP=1', '--file', $sql, 'piped' ], 'restored as SQL');
is($node->safe_psql('piped', $everything), $before, 'every row and the trigger are there');

$node->stop;
done_testing();
