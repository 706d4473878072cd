-- What a scheduler does every minute. The minutes pass as fast as the workers can follow, so that
-- leases run out soon, or while sending is throttled; dispatch goes no further than :until.
SELECT format('ALTER SYSTEM SET companion.clock = %L', companion.now() + :'step')
WHERE (SELECT count(*) FROM companion.pending_messages WHERE state = 'due') < 50
    OR EXISTS (SELECT FROM companion.channel_throttles WHERE until > companion.now()) \gexec
SELECT pg_reload_conf();
CALL companion.run_dispatch(least(companion.now(), :'until'), 20);
SELECT companion.run_maintenance();
