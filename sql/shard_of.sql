-- Which shard a user belongs to.
\i test/fresh.sql

-- As an independent implementation has it.
CREATE TEMP TABLE vectors (user_id uuid, shards integer, shard integer);
\copy vectors FROM 'test/data/shard_of.tsv' WITH (FORMAT csv, DELIMITER E'\t', HEADER)
SELECT *, companion.shard_of(user_id, shards) AS found FROM vectors
WHERE companion.shard_of(user_id, shards) IS DISTINCT FROM shard;
SELECT count(*) FROM vectors;

-- Ids of one second, by whatever makes them, spread evenly over any number of shards: chi-square lies
-- under what random numbers exceed once in a thousand million times.
CREATE TEMP TABLE ids AS
SELECT 'drawn' AS made_as, overlay(overlay(md5('id ' || n) PLACING '019f0c71a' FROM 1 FOR 9) PLACING '7' FROM 13 FOR 1)::uuid AS id
FROM generate_series(1, 20000) AS n
UNION ALL
SELECT 'in one second', companion.uuid_v7(timestamptz '2026-03-02 09:00+00' + n % 1000 * interval '1 ms')
FROM generate_series(1, 20000) AS n
UNION ALL
SELECT 'in one instant', companion.uuid_v7(timestamptz '2026-03-02 09:00+00') FROM generate_series(1, 20000)
UNION ALL
SELECT 'now', companion.uuid_v7() FROM generate_series(1, 20000)
UNION ALL
SELECT 'version 4', gen_random_uuid() FROM generate_series(1, 20000)
UNION ALL
SELECT 'counted', lpad(n::text, 32, '0')::uuid FROM generate_series(1, 20000) AS n
UNION ALL
SELECT 'one machine''s version 1', overlay('00000000-71a2-11f1-8123-0242ac110002' PLACING to_hex(n * 1237 + 268435456) FROM 1)::uuid
FROM generate_series(1, 20000) AS n;
WITH counted AS (
    SELECT made_as, shards, companion.shard_of(id, shards), count(*) AS found, 20000.0 / shards AS expected
    FROM ids CROSS JOIN unnest(ARRAY[2, 3, 7, 10, 64, 100, 1000]) AS shards
    GROUP BY 1, 2, 3),
measured AS (
    -- a shard without any counts as it should
    SELECT made_as, shards, shards - 1.0 AS freedom,
           sum((found - expected) ^ 2 / expected) + (shards - count(*)) * min(expected) AS chi_square
    FROM counted GROUP BY 1, 2)
SELECT made_as, shards, chi_square FROM measured
WHERE chi_square > freedom * (1 - 2 / (9 * freedom) + 6 * sqrt(2 / (9 * freedom))) ^ 3;

-- Bounds.
SELECT shards, pg_temp.error_of(format('SELECT companion.shard_of(companion.uuid_v7(), %s)', shards)) AS outcome
FROM unnest(ARRAY['1', '4096', '0', '-1', '4097', 'NULL']) AS shards;
SELECT companion.shard_of(NULL, 3) IS NULL AS null_in_null_out;
