-- Users, the same job by hand, and a cohort of users who are all due at one minute. :users is how many.
\ir ../drain.sql
\set app by_hand
\ir ../peers/app.sql
RESET search_path;

CREATE TABLE cohort AS SELECT date_trunc('minute', at) AS due FROM started;

CREATE PROCEDURE make_cohort() LANGUAGE plpgsql AS $$
BEGIN
    UPDATE companion.users SET checkin_time = (due AT TIME ZONE timezone)::time FROM cohort;
    TRUNCATE companion.dispatch_recheck; -- as if they had been so for long
END
$$;

CREATE PROCEDURE empty_queue() LANGUAGE plpgsql SET client_min_messages = warning AS $$
BEGIN
    TRUNCATE companion.scheduled_messages, companion.dispatch_queue, companion.messages,
        companion.conversations CASCADE;
    PERFORM companion.rewind_dispatch(due - interval '1 minute') FROM cohort;
END
$$;
