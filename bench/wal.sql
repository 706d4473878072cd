-- Users who are due, the same job by hand, and what reads the WAL. :users is how many.
\ir drain.sql
\set app by_hand
\ir peers/app.sql
RESET search_path;

CREATE EXTENSION pg_walinspect;

-- How many bytes of WAL lie between two places, and how many of them are images of whole pages, which
-- the first change of each page after a checkpoint writes
CREATE FUNCTION wal_bytes(start pg_lsn, until pg_lsn, OUT bytes numeric, OUT images numeric)
LANGUAGE sql AS $$
    SELECT until - start, coalesce(sum(fpi_length), 0) FROM pg_get_wal_records_info(start, until)
$$;

-- Which records they are: how many, and their bytes without images, for each of so many units
CREATE FUNCTION wal_records(start pg_lsn, until pg_lsn, units integer)
RETURNS TABLE (kind text, relation text, records numeric, bytes numeric, images numeric)
LANGUAGE sql AS $$
    SELECT resource_manager || ' ' || record_type, coalesce(relation, ''),
           round(count(*)::numeric / units, 3), round(sum(record_length - fpi_length)::numeric / units, 1),
           round(sum(fpi_length)::numeric / units, 1)
    FROM pg_get_wal_records_info(start, until)
    CROSS JOIN LATERAL (
        SELECT pg_filenode_relation(0, (regexp_match(block_ref, 'rel \d+/\d+/(\d+)'))[1]::oid)::regclass::text
    ) AS r (relation)
    GROUP BY 1, 2 HAVING sum(record_length - fpi_length) >= units ORDER BY 4 DESC
$$;
