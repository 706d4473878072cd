-- The same on pgmq, which is installed already
SELECT pgmq.create('due') \g /dev/null

CREATE PROCEDURE app.load_pgmq() LANGUAGE plpgsql AS $$
BEGIN
    CALL app.load_occasions();
    PERFORM pgmq.purge_queue('due');
    PERFORM pgmq.send_batch('due', array_agg(payload ORDER BY occasion_id))
    FROM app.jobs GROUP BY occasion_id / 1000 ORDER BY occasion_id / 1000;
END
$$;
