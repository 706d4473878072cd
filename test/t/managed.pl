# Beside a managed database, in which companion cannot be: a server with companion subscribes to the
# managed one's users, and follows them.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The managed server has an auth system's table, and no extension.
my $managed = PostgreSQL::Test::Cluster->new('managed');
$managed->init(allows_streaming => 'logical');
$managed->start;
$managed->safe_psql('postgres', <<'SQL');
CREATE SCHEMA auth;
CREATE TABLE auth.users (
    id uuid PRIMARY KEY, email varchar(255), encrypted_password varchar(255),
    deleted_at timestamptz, banned_until timestamptz);
CREATE FUNCTION number(n integer) RETURNS uuid LANGUAGE sql RETURN lpad(n::text, 32, '0')::uuid;
INSERT INTO auth.users SELECT number(n), n || '@example.org', 'secret' FROM generate_series(1, 3) AS n;
CREATE PUBLICATION companion_users FOR TABLE auth.users (id, email, deleted_at, banned_until)
WITH (publish = 'insert, update, delete');
SQL

my $own = PostgreSQL::Test::Cluster->new('own');
$own->init(allows_streaming => 'logical');
$own->start;
my $connection = $managed->connstr . ' dbname=postgres';
$own->safe_psql('postgres', <<"SQL");
CREATE EXTENSION companion;
CREATE SCHEMA auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY, email text, deleted_at timestamptz, banned_until timestamptz);
SELECT companion.follow_auth_users(deleted_column => 'deleted_at', banned_column => 'banned_until', on_replica => true);
CREATE SUBSCRIPTION companion_users CONNECTION '$connection' PUBLICATION companion_users;
SQL
$own->wait_for_subscription_sync($managed, 'companion_users');

# Change the managed server's users, and wait until all of it has arrived
sub change
{
    my ($statement) = @_;
    $managed->safe_psql('postgres', $statement);
    $managed->wait_for_catchup('companion_users');
}

sub users
{
    my ($columns) = @_;
    return $own->safe_psql('postgres', "SELECT right(id::text, 2), $columns FROM companion.users ORDER BY id");
}

is(users('email'), "01|1\@example.org\n02|2\@example.org\n03|3\@example.org", 'who was there is a user');

change(q{INSERT INTO auth.users VALUES (number(4), '4@example.org')});
change(q{UPDATE auth.users SET email = 'new@example.org' WHERE id = number(1)});
change(q{UPDATE auth.users SET id = number(5) WHERE id = number(2)});
change(q{UPDATE auth.users SET banned_until = '2099-01-01 00:00+00' WHERE id = number(3)});
is(users(q{email, suspended_until AT TIME ZONE 'UTC'}), <<'EOT' =~ s/\n$//r, 'who changes there changes here');
01|new@example.org|
03|3@example.org|2099-01-01 00:00:00
04|4@example.org|
05|2@example.org|
EOT

# What fires within the extension fires for them, too, and so does what an app has made: the one who
# moves keeps what is theirs; a check-in comes for who has only just arrived.
$own->safe_psql('postgres', <<'SQL');
CREATE TABLE notes (user_id uuid REFERENCES companion.users ON DELETE CASCADE ON UPDATE CASCADE);
INSERT INTO notes SELECT id FROM companion.users;
SET companion.clock = '2026-03-02 09:00+00';
SELECT companion.dispatch();
UPDATE companion.users SET timezone = 'UTC', checkin_time = '09:30', onboarding_completed_at = companion.now();
SET companion.clock = '2026-03-02 09:31+00';
SELECT companion.dispatch();
SQL
my $waiting = q{SELECT string_agg(right(user_id::text, 2), ' ' ORDER BY user_id) FROM companion.dispatch_queue};
is($own->safe_psql('postgres', $waiting), '01 04 05', 'who is not banned is due');
change('UPDATE auth.users SET id = number(6) WHERE id = number(5)');
is($own->safe_psql('postgres', $waiting), '01 04 06', 'another id takes along what waits');
change('DELETE FROM auth.users WHERE id = number(4)');
is($own->safe_psql('postgres', $waiting), '01 06', 'who goes there goes here');
is($own->safe_psql('postgres', q{SELECT string_agg(right(user_id::text, 2), ' ' ORDER BY user_id) FROM notes}),
    '01 03 06', "with what an app's foreign keys delete and change");

# The app writes to both. Whom it names here first gets the address when they arrive.
$own->safe_psql('postgres', <<'SQL');
INSERT INTO companion.users (id, display_name) VALUES ('00000000-0000-0000-0000-000000000007', 'Ada')
ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name;
SQL
change(q{INSERT INTO auth.users VALUES (number(7), 'ada@example.org')});
is($own->safe_psql('postgres', q{SELECT email, display_name FROM companion.users WHERE id::text ~ '7$'}),
    'ada@example.org|Ada', 'one of whom the app knew first');

# One who was erased here does not come back by a change there.
$own->safe_psql('postgres', q{SELECT companion.erase_user('00000000-0000-0000-0000-000000000007')});
change(q{UPDATE auth.users SET email = 'lovelace@example.org' WHERE id = number(7)});
is($own->safe_psql('postgres', q{SELECT count(*) FROM companion.users WHERE id::text ~ '7$'}), '0', 'erased stays erased');

# A user who is held makes what comes from there wait, and loses nothing of it.
my $holder = $own->background_psql('postgres');
$own->append_conf('postgresql.conf', "companion.lock_wait = 100\nwal_retrieve_retry_interval = 100");
$own->reload;
$own->safe_psql('postgres', 'ALTER SUBSCRIPTION companion_users DISABLE; ALTER SUBSCRIPTION companion_users ENABLE');
$holder->query_safe(q{BEGIN; SELECT FROM companion.users WHERE id::text ~ '1$' FOR UPDATE});
my $log = -s $own->logfile;
$managed->safe_psql('postgres', <<'SQL');
UPDATE auth.users SET email = 'held@example.org' WHERE id = number(1);
INSERT INTO auth.users VALUES (number(8), '8@example.org');
SQL
ok($own->wait_for_log(qr/canceling statement due to lock timeout/, $log), 'the subscription cannot have a user');
$holder->query_safe('COMMIT');
$holder->quit;
$managed->wait_for_catchup('companion_users');
is(users('email'), "01|held\@example.org\n03|3\@example.org\n06|2\@example.org\n08|8\@example.org",
    'and has them when they are free');

# Without on_replica nothing follows that a subscription writes.
$own->safe_psql('postgres', 'SELECT companion.follow_auth_users()');
change(q{INSERT INTO auth.users VALUES (number(9), '9@example.org')});
is(users('email') =~ /^09/m, '', 'not without on_replica');
is($own->safe_psql('postgres', 'SELECT companion.follow_auth_users(on_replica => true)'), '1', 'until it is called again');

# All of it once more, as after a restore: users stay who they were, and the erased are not here.
my $before = users('email, created_at');
$own->safe_psql('postgres', <<"SQL");
DROP SUBSCRIPTION companion_users;
SELECT companion.unfollow_auth_users();
TRUNCATE auth.users;
CREATE SUBSCRIPTION companion_users CONNECTION '$connection' PUBLICATION companion_users;
SQL
$own->wait_for_subscription_sync($managed, 'companion_users');
is($own->safe_psql('postgres', 'SELECT companion.follow_auth_users(on_replica => true)'), '0', 'copied anew, nobody is new');
is(users('email, created_at'), $before, 'and all are as they were');
change(q{INSERT INTO auth.users VALUES (number(10), '10@example.org')});
like(users('email'), qr/^10\|10\@example.org$/m, 'and it goes on');

done_testing();
