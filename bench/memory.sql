-- :users users with :items items each, in the order in which such rows come to lie: every user's
-- spread over the whole table. A tenth of the users, at least one, is for the upserts.
INSERT INTO companion.users (id, display_name)
SELECT md5(i::text)::uuid, 'User ' || i FROM generate_series(1, :users) AS i;

SET session_replication_role = replica; -- no foreign key checks: the users are there
SET synchronous_commit = off;
INSERT INTO companion.user_context
    (user_id, category, key, folded_key, value, importance, source, confirmations, confirmed_at)
SELECT md5(u::text)::uuid,
       (ARRAY['preference', 'identity', 'event', 'mood', 'relationship', 'work'])[1 + k % 6],
       'key ' || k, 'key ' || k, 'what was said about number ' || k || ', in about as many words as people use',
       (k * 7 % 100) / 100.0, 'extracted', 1 + k % 5, now() - k % 300 * interval '1 day'
FROM generate_series(1, :items) AS k, generate_series(1, :users) AS u;

-- What the items of the last users mean, in 384 dimensions, in the order in which a worker goes about it;
-- and what is being talked about
INSERT INTO companion.context_embeddings (user_id, item_id, model, embedding)
SELECT c.user_id, c.id, 'bench', ARRAY(
    SELECT sin(d * (1 + substr(c.key, 5)::integer))::real FROM generate_series(1, 384) AS d)
FROM companion.user_context AS c
WHERE c.user_id IN (SELECT id FROM companion.users ORDER BY id DESC LIMIT 50)
ORDER BY c.user_id, c.id;
CREATE FUNCTION talk() RETURNS real[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN ARRAY(SELECT sin(d * 7.5)::real FROM generate_series(1, 384) AS d);
END
$$;
RESET session_replication_role;
VACUUM ANALYZE;
CHECKPOINT;
