# The functions that change what is a user's, all of them called for the same four users at once: no
# call fails, be it by a deadlock, and nothing is sent twice or lost.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nmax_connections = 30");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION companion;
INSERT INTO companion.users (id, onboarding_completed_at, telegram_user_id)
SELECT lpad(i::text, 32, '0')::uuid, '2025-01-01', i FROM generate_series(1, 4) AS i;
CREATE TABLE started (message_id uuid, attempt integer);
SQL

my $begin = '\set u random(1, 4)
\set n random(1, 1000000)
';
my $user = "lpad(:u::text, 32, '0')::uuid";
my $claimed = "':users'::uuid[], ':messages'::uuid[], ':attempts'::integer[]";

# A worker that claims up to so many messages, and a report on those that it has started
sub worker
{
    my ($most, $report) = @_;
    return <<"SQL";
SELECT array_agg(user_id) AS users, array_agg(message_id) AS messages, array_agg(attempt) AS attempts, count(*)
FROM companion.claim_messages('worker ' || :client_id, 1 + :n % $most) \\gset
\\if :count
INSERT INTO started SELECT * FROM unnest(':messages'::uuid[], ':attempts'::integer[]);
SELECT companion.start_send_many($claimed);
SELECT $report;
\\endif
SQL
}

# By name and, after the @, how often each is called
my %calls = (
    'schedule@8' => <<"SQL",
SELECT companion.schedule_message($user, now(), 'hello', 'custom', (ARRAY['web', 'telegram'])[1 + :n % 2]);
SELECT companion.schedule_message($user, now(), 'hello', 'custom', 'web', 'key ' || :n % 50);
SQL
    'send@6' => worker(6, "companion.mark_sent_many($claimed, array_fill('hello'::text, ARRAY[:count]), NULL)"),
    'fail' => worker(2, "companion.mark_failed_many($claimed, array_fill('no'::text, ARRAY[:count]), '0 s')"),
    'dispatch' => <<"SQL",
UPDATE companion.users SET checkin_time = (now() AT TIME ZONE timezone)::time WHERE id = $user;
SELECT companion.rewind_dispatch(now() - interval '2 minutes');
SELECT companion.dispatch();
SQL
    'settings' => "UPDATE companion.users SET timezone = (ARRAY['Asia/Tokyo', 'UTC'])[1 + :n % 2] WHERE id = $user",
    'put_user@2' => <<"SQL",
SELECT companion.put_user($user, jsonb_build_object('checkin_days', jsonb_build_array(1 + :n % 7), 'app_data', jsonb_build_object('n', :n)));
SELECT companion.put_user(NULL, jsonb_build_object('telegram_user_id', :u, 'timezone', (ARRAY['Asia/Tokyo', 'UTC'])[1 + :n % 2]));
SQL
    'start@2' => "SELECT companion.put_user(NULL, jsonb_build_object('telegram_user_id', 10 + :n % 3, 'display_name', 'A'))",
    'link' => "SELECT companion.link_address($user, 'telegram', (10 + :n % 3)::text)",
    'unlink' => <<"SQL",
SELECT companion.unlink_address(user_id, channel, address) FROM companion.addresses
WHERE channel = 'telegram' AND address = (10 + :n % 3)::text AND unlinked_at IS NULL
SQL
    'incoming@3' => "SELECT companion.record_incoming('telegram', :u::text, 'hello', 1 + :n % 100)",
    'new_conversation@2' => "SELECT companion.record_incoming('web', $user ::text, 'hello', idle => '0')",
    'message@3' => <<"SQL",
SELECT companion.add_message(user_id, id, (ARRAY['user', 'assistant'])[1 + :n % 2], 'hello')
FROM companion.conversations WHERE user_id = $user ORDER BY id DESC LIMIT 1
SQL
    'edit' => <<"SQL",
SELECT companion.edit_message(user_id, id, 'hello ' || :n)
FROM companion.messages WHERE user_id = $user ORDER BY id DESC LIMIT 1
SQL
    'search' => "SELECT companion.search_messages($user, 'hello')",
    'close' => <<"SQL",
SELECT companion.close_conversation(user_id, id)
FROM companion.conversations WHERE user_id = $user ORDER BY id DESC LIMIT 1
SQL
    'upsert@4' => <<"SQL",
SELECT companion.upsert_user_context($user, 'a', (:n % 10)::text, (:n % 3)::text,
    source => (ARRAY['user', 'extracted'])[1 + :n % 2], expires_at => CASE WHEN :n % 7 = 0 THEN now() END)
SQL
    'upsert_many@3' => <<"SQL",
SELECT companion.upsert_user_context_many($user, jsonb_agg(
    jsonb_build_object('category', 'a', 'key', k::text, 'value', (:n % 3)::text) ORDER BY random()))
FROM generate_series(0, 9) AS k
SQL
    'touch@2' => <<"SQL",
SELECT companion.touch_user_context($user, coalesce(array_agg(id ORDER BY random()), '{}'))
FROM companion.user_context WHERE user_id = $user
SQL
    'forget' => "SELECT companion.forget_user_context($user, 'a', CASE WHEN :n % 2 = 0 THEN (:n % 10)::text END)",
    'resolve' => "SELECT companion.resolve_user_context($user, 'a', (:n % 10)::text)",
    'token@2' => "SELECT companion.create_telegram_link_token($user)",
    'revoke' => "SELECT companion.revoke_telegram_link_tokens($user)",
    'onboard' => "SELECT companion.start_onboarding($user)",
    'maintain' => "SELECT companion.run_maintenance()",
);
my %scripts = map { my ($name, $weight) = split /@/; ("$name@" . ($weight // 1) => "$begin$calls{$_}") } keys %calls;

$node->pgbench('--no-vacuum --client=8 --jobs=2 --transactions=1000', 0,
    [qr/processed: 8000\/8000/], [qr/^$/], 'no call fails', \%scripts);

is($node->safe_psql('postgres', <<'SQL'), 't|t|t|t|t|t', 'and what there is at the end is right');
SELECT count(*) > 0 AND count(message_id) = count(*) AND count(DISTINCT message_id) = count(*) AS each_sent_is_filed_once,
       (SELECT count(*) = count(DISTINCT (message_id, attempt)) FROM started) AS no_attempt_twice,
       bool_and(EXISTS (SELECT FROM started WHERE started.message_id = m.id)) AS none_sent_unstarted,
       (SELECT count(*) FROM companion.dispatch_queue) = (SELECT count(*) FROM companion.pending_messages)
           AND (SELECT count(*) FROM companion.dispatch_queue)
             = (SELECT count(*) FROM companion.scheduled_messages WHERE status = 'pending') AS none_lost,
       (SELECT coalesce(max(tokens), 0) <= 5 FROM (SELECT count(*) FILTER (WHERE used_at IS NULL) AS tokens
            FROM companion.telegram_link_tokens GROUP BY user_id) AS live) AS at_most_five_tokens,
       (SELECT count(*) = count(DISTINCT (user_id, idempotency_key)) FROM companion.scheduled_messages) AS one_a_key
FROM companion.scheduled_messages AS m WHERE status = 'sent'
SQL

done_testing();
