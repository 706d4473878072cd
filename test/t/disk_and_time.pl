# Ticks that break off in the middle, for want of disk space or of time, and clocks that jump:
# no check-in twice, none lost within its send_within, and the reason recorded beyond it.
use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

eval { require DBD::Pg } or plan skip_all => 'DBD::Pg is not installed';

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;
@ENV{qw(PGHOST PGPORT PGDATABASE)} = ($node->host, $node->port, 'postgres');

# What a query returns
sub query
{
    my ($sql) = @_;
    return $node->safe_psql('postgres', $sql);
}

# The errors of a script that is run to its end
sub errors_of
{
    my ($sql) = @_;
    my ($status, $output, $error) = $node->psql('postgres', $sql, on_error_stop => 0);
    return $error;
}

sub set_clock
{
    my ($clock) = @_;
    query("ALTER DATABASE postgres SET companion.clock = '$clock'");
}

# How many check-ins a tick enqueues
sub tick_at
{
    my ($clock) = @_;
    set_clock($clock);
    return query('SELECT companion.dispatch()');
}

# A tick that fails leaves nothing behind, and the next one covers its interval as well.
sub tick_breaks_off
{
    my ($sql, $error, $name) = @_;
    my $state = 'SELECT previous_tick, (SELECT count(*) FROM companion.scheduled_messages),
        (SELECT count(*) FROM companion.dispatch_queue) FROM companion.dispatch_state';
    my $before = query($state);
    like(errors_of($sql), $error, $name);
    $node->poll_query_until('postgres', 'SELECT true');
    is(query($state), $before, '... which leaves nothing behind');
}

# Send all that can be claimed; returns how many
sub send_all
{
    return query(<<'SQL');
CREATE TEMPORARY TABLE claimed AS SELECT * FROM companion.claim_messages('worker', 10000);
DELETE FROM claimed WHERE NOT companion.start_send(user_id, message_id, attempt);
SELECT count(*) FROM claimed
WHERE companion.mark_sent(user_id, message_id, attempt, 'Good morning!');
SQL
}

# A user is due every 36 seconds, a hundred in an hour.
query('CREATE EXTENSION companion');
query(slurp_file(dirname(__FILE__) . '/occasions.sql'));
set_clock('2026-03-01 08:00+00');
query(<<'SQL');
SELECT companion.rewind_dispatch('2026-03-01 08:00+00');
INSERT INTO companion.users (timezone, checkin_time, onboarding_completed_at)
SELECT 'UTC', time '00:00' + n * interval '36 seconds', '2026-01-01'
FROM generate_series(0, 2399) AS n;
SQL
is(tick_at('2026-03-01 09:00+00'), 100, 'a tick enqueues who is due');

# One and the same tick breaks off in every way.
set_clock('2026-03-01 12:00+00');

# The limit stands for a full disk: no file grows beyond it
my $limit_files = <<'SQL';
SELECT pg_backend_pid() AS pid,
    pg_relation_size('companion.scheduled_messages') + 4096 AS size \gset
\setenv PID :pid
\setenv SIZE :size
SQL
tick_breaks_off(<<"SQL", qr/could not extend file/, 'no space for the messages');
$limit_files
\\! prlimit --pid=\$PID --fsize=\$SIZE
SELECT companion.dispatch();
SQL
tick_breaks_off(<<"SQL", qr/server closed the connection/, 'no space for the WAL');
$limit_files
BEGIN;
SELECT companion.dispatch();
\\! prlimit --pid=\$PID --fsize=1
COMMIT;
SQL
like(slurp_file($node->logfile), qr/terminated by signal 6/, '... and so the server has crashed');

my $other = DBI->connect('dbi:Pg:', undef, undef, { RaiseError => 1, AutoCommit => 0 });
# A tick waits for no user; a trigger of an operator's has it wait half-way
query(<<'SQL');
CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1);
    RETURN new;
END
$$;
CREATE TRIGGER stall BEFORE INSERT ON companion.scheduled_messages
FOR EACH ROW WHEN (new.scheduled_for = '2026-03-01 10:30+00') EXECUTE FUNCTION stall();
SQL
$other->do('SELECT pg_advisory_xact_lock(1)');
tick_breaks_off("SET statement_timeout = '1s'; SELECT companion.dispatch()",
    qr/canceling statement due to statement timeout/, 'no time, half-way');
tick_breaks_off("SET lock_timeout = '1s'; SELECT companion.dispatch()",
    qr/canceling statement due to lock timeout/, 'no time to wait for a lock');
like(errors_of("SET lock_timeout = '1s'; CALL companion.run_dispatch(max_rows => 40)"),
    qr/canceling statement due to lock timeout/, 'the same in batches');
is(query("SELECT count(*) FROM companion.dispatch_queue WHERE visible_at > '2026-03-01 09:00+00'"),
    120, '... which keeps those that it had finished');
$other->rollback;
query('DROP TRIGGER stall ON companion.scheduled_messages');
$other->do('SELECT companion.dispatch()');
tick_breaks_off("SET lock_timeout = '1s'; SELECT companion.dispatch()",
    qr/canceling statement due to lock timeout/, 'no time to wait for another tick');
$other->disconnect;

is(query('SELECT companion.dispatch()'), 180, 'the next tick enqueues the rest');

# The clock jumps back an hour.
query("CREATE TABLE held AS SELECT * FROM companion.claim_messages('slow worker', 2)");
is(query('SELECT companion.start_send(user_id, message_id, attempt) FROM held'),
    "t\nt", 'a worker starts to send');
is(tick_at('2026-03-01 11:00+00'), 0, 'an hour back nobody is due again');
is(send_all(), 298, '... what waits is sent, but for what another worker holds');
is(tick_at('2026-03-01 11:30+00'), 0, '... and nobody is until the hour has passed');
is(tick_at('2026-03-01 12:30+00'), 50, '... then dispatch goes on');

# It jumps ahead a day.
is(tick_at('2026-03-02 12:30+00'), 401, 'a day ahead, the last four hours are caught up with');
query('SELECT companion.run_maintenance()');
is(query('SELECT companion.mark_sent(user_id, message_id, attempt, $$Hello!$$) FROM held'),
    "t\nt", '... a report that comes a day late still counts');
is(tick_at('2026-03-01 13:00+00'), 0, '... and when the clock is set right again, nobody is due');
is(send_all(), 0, '... nor is anything sent');
is(tick_at('2026-03-02 13:00+00'), 50, '... until the day has passed');
is(send_all(), 400, '... and what is not four hours late by now is sent');

is(query(<<'SQL'), '', 'each occasion has one message');
WITH occasions AS (SELECT * FROM occasions('2026-03-01 08:00+00', '2026-03-02 13:00+00')),
messages AS (SELECT user_id, local_date, scheduled_for FROM companion.scheduled_messages)
(TABLE occasions EXCEPT ALL TABLE messages) UNION ALL (TABLE messages EXCEPT ALL TABLE occasions)
SQL
is(query(<<'SQL'), <<'RESULT' =~ s/\n$//r, 'which was sent, or says why it was not');
SET timezone = 'UTC';
SELECT status, regexp_replace(failure_reason, '[0-9].*[0-9+](?= |$)', '...') AS reason, count(*),
       min(scheduled_for), max(scheduled_for)
FROM companion.scheduled_messages GROUP BY 1, 2 ORDER BY 4
SQL
sent||700|2026-03-01 08:00:36+00|2026-03-02 13:00:00+00
skipped|not sent before ...|201|2026-03-01 11:00:36+00|2026-03-02 09:00:00+00
skipped|found ... late, beyond its kind's send_within|1999|2026-03-01 12:30:36+00|2026-03-02 08:29:24+00
RESULT
is(query('SELECT count(*) FROM companion.messages'), '700', 'each that was sent is filed once');
is(query('SELECT count(*) FROM companion.dispatch_queue'), '0', 'none is left on the queue');

done_testing();
