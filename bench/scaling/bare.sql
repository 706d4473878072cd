-- The least that PL/Proxy costs: the functions of a worker, each one remote statement to the shard whose number is
-- the first argument. No look-up of the shard, no identity, no error made again what it was. :place is the shards'
-- but for their names.
CREATE SCHEMA bare;
SELECT format('CREATE SERVER bare FOREIGN DATA WRAPPER plproxy OPTIONS (modular_mapping ''1'', %s)',
              string_agg(format('p%s %L', shard, format('%s dbname=shard_%s_of_3', :'place', shard)), ', ' ORDER BY shard))
FROM generate_series(0, 2) AS shard \gexec
CREATE USER MAPPING FOR CURRENT_USER SERVER bare OPTIONS (user 'companion_router');
SELECT format('CREATE FUNCTION bare.%1$I(shard integer, %2$s) RETURNS %3$s LANGUAGE plproxy AS $$CLUSTER ''bare''; RUN ON $1; SELECT %4$scompanion.%1$I(%5$s);$$',
              proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), CASE WHEN proretset THEN '* FROM ' ELSE '' END,
              (SELECT string_agg('$' || i + 1, ', ' ORDER BY i) FROM generate_series(1, pronargs) AS i))
FROM pg_proc AS p
WHERE pronamespace = 'companion'::regnamespace AND proname IN ('claim_messages', 'start_send', 'mark_sent') \gexec
