-- The same on pgmq, which is installed already
SET search_path = on_pgmq, public;
SELECT pgmq.create('due') \g /dev/null

CREATE OR REPLACE PROCEDURE enqueue() LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    CALL add_occasions();
    PERFORM pgmq.purge_queue('due');
    PERFORM pgmq.send_batch('due', array_agg(payload ORDER BY occasion_id))
    FROM jobs GROUP BY occasion_id / 1000 ORDER BY occasion_id / 1000;
END
$$;
