-- :users users with :tokens link tokens, theirs in turn; the first :live of these are live, the others
-- used. The text of token n is 'token-<n>'.
SELECT format('ALTER DATABASE %I SET companion.tokens_per_user = 100', current_database()) \gexec

CREATE TABLE numbered_users AS SELECT n, gen_random_uuid() AS id FROM generate_series(0, :users - 1) AS n;
ALTER TABLE numbered_users ADD PRIMARY KEY (n);
INSERT INTO companion.users (id, display_name, onboarding_completed_at)
SELECT id, 'User ' || n, now() FROM numbered_users;

-- As a restore does: the foreign key is known to hold
SET session_replication_role = replica;
INSERT INTO companion.telegram_link_tokens (user_id, token_hash, expires_at, used_at)
SELECT u.id, sha256(('token-' || t)::bytea), now() + interval '20 days' + t * interval '1 ms',
       CASE WHEN t >= :live THEN now() - t * interval '100 ms' END
FROM generate_series(0, :tokens - 1) AS t JOIN numbered_users AS u ON u.n = t % :users;
RESET session_replication_role;

VACUUM ANALYZE companion.users, companion.telegram_link_tokens, numbered_users;
CHECKPOINT;
