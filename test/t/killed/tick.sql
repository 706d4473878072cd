-- What a scheduler does every minute. The minutes pass as fast as the workers can follow, so that
-- leases run out soon; dispatch goes no further than :until.
SELECT format('ALTER SYSTEM SET companion.clock = %L', companion.now() + interval '2 minutes')
WHERE (SELECT count(*) FROM companion.pending_messages WHERE state = 'due') < 50 \gexec
SELECT pg_reload_conf();
CALL companion.run_dispatch(least(companion.now(), :'until'), 20);
SELECT companion.run_maintenance();
