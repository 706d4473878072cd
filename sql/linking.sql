-- Link tokens: one-time secrets that tie a Telegram account to a user.
\i test/fresh.sql
SET companion.clock = '2026-03-02 09:00+00';
INSERT INTO companion.users (id, display_name, disabled_channels) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya', '{telegram}'),
    ('00000000-0000-0000-0000-000000000002', 'Diego', '{}'),
    ('00000000-0000-0000-0000-000000000003', 'Sita', '{}');
\set maya '00000000-0000-0000-0000-000000000001'
\set diego '00000000-0000-0000-0000-000000000002'
\set sita '00000000-0000-0000-0000-000000000003'
CREATE TEMP VIEW linked AS
SELECT display_name, telegram_user_id, telegram_username, telegram_linked_at, disabled_channels
FROM companion.users ORDER BY display_name;
CREATE TEMP VIEW tokens AS
SELECT u.display_name, t.expires_at, t.used_at, t.used_by
FROM companion.telegram_link_tokens AS t JOIN companion.users AS u ON u.id = t.user_id
ORDER BY u.display_name, t.id;

-- A token is 43 characters that Telegram takes as a start parameter, never the same twice;
-- its SHA-256 is all that is stored.
SELECT companion.create_telegram_link_token(:'maya') AS token \gset
SELECT :'token' ~ '^[A-Za-z0-9_-]{43}$' AS well_formed,
       replace(companion.telegram_deep_link('my_companion_bot', :'token'), :'token', '<token>') AS link,
       (SELECT token_hash = sha256(:'token') FROM companion.telegram_link_tokens) AS only_its_hash,
       companion.create_telegram_link_token(:'maya') <> :'token' AS another;

-- It is valid for companion.token_ttl, or as long as it is told to be.
SET companion.token_ttl = '1h';
SELECT length(companion.create_telegram_link_token(:'maya')) AS length,
       length(companion.create_telegram_link_token(:'maya', '1 microsecond')) AS length,
       length(companion.create_telegram_link_token(:'maya', '30 days')) AS length;
RESET companion.token_ttl;
SELECT expires_at FROM tokens;

-- At most companion.tokens_per_user live ones: the oldest gives way, what has expired before it.
SELECT length(companion.create_telegram_link_token(:'maya')) AS length FROM generate_series(1, 4);
SELECT expires_at FROM tokens;
SET companion.clock = '2026-03-02 09:15+00';
SELECT length(companion.create_telegram_link_token(:'maya')) AS length;
SELECT expires_at FROM tokens;
SET companion.tokens_per_user = 1;
SELECT length(companion.create_telegram_link_token(:'maya', '1 hour')) AS length;
RESET companion.tokens_per_user;
SELECT expires_at FROM tokens;
SELECT companion.revoke_telegram_link_tokens(:'maya') AS revoked, companion.revoke_telegram_link_tokens(:'maya') AS again;

-- Redeeming links the account, re-enables the channel and uses up the user's other tokens.
SELECT companion.create_telegram_link_token(:'maya') AS token \gset
SELECT companion.create_telegram_link_token(:'maya') AS other \gset
SELECT * FROM companion.redeem_telegram_link_token(:'token', 101, 'maya_r');
SELECT * FROM linked;
SELECT * FROM tokens;
-- A redelivered update gives the same answer and changes nothing, also when the token's time is over.
SET companion.clock = '2026-03-02 10:00+00';
SELECT * FROM companion.redeem_telegram_link_token(:'token', 101, 'renamed');
SELECT * FROM linked WHERE display_name = 'Maya';
-- For another account it is used, and so is what was used up.
SELECT outcome, user_id FROM companion.redeem_telegram_link_token(:'token', 102);
SELECT outcome, user_id FROM companion.redeem_telegram_link_token(:'other', 101);

-- An account that is another user's is refused; the token stays live for a free one.
SELECT companion.create_telegram_link_token(:'diego') AS token \gset
SELECT * FROM companion.redeem_telegram_link_token(:'token', 101);
SELECT * FROM companion.redeem_telegram_link_token(:'token', 102);
-- A user may move to another account; the first is free again.
SELECT companion.create_telegram_link_token(:'diego') AS token \gset
SELECT * FROM companion.redeem_telegram_link_token(:'token', 103, 'diego');
SELECT companion.create_telegram_link_token(:'sita') AS token \gset
SELECT * FROM companion.redeem_telegram_link_token(:'token', 102);
SELECT * FROM linked;

-- Once unlinked, the token that had linked the account is a used one.
SELECT companion.unlink_telegram(:'sita') AS unlinked, companion.unlink_telegram(:'sita') AS again;
SELECT * FROM companion.redeem_telegram_link_token(:'token', 102);
SELECT * FROM linked WHERE display_name = 'Sita';

-- A token lives until its very end, and not at it.
SELECT companion.create_telegram_link_token(:'sita', '1 minute') AS token \gset
SET companion.clock = '2026-03-02 10:01+00';
SELECT * FROM companion.redeem_telegram_link_token(:'token', 102);
SET companion.clock = '2026-03-02 10:00:59.999999+00';
SELECT * FROM companion.redeem_telegram_link_token(:'token', 102);

-- Whatever is no token is unknown.
SELECT DISTINCT outcome, user_id
FROM (VALUES (''), ('x'), (repeat('A', 43)), (repeat('A', 44)), (repeat('A', 1000000)), ('+/='), ('Zoë'),
             (:'token' || ' '), ('x'' OR true --'), ('\x00')) AS v (text),
     companion.redeem_telegram_link_token(text, 200);
SELECT failures, window_ends_at FROM companion.telegram_redeem_failures;

-- After companion.redeem_failures_per_minute of them the account is refused, whatever it
-- presents, until its minute ends; others are not.
SET companion.redeem_failures_per_minute = 12;
SELECT companion.create_telegram_link_token(:'sita') AS token \gset
SELECT pg_temp.error_of('SELECT companion.redeem_telegram_link_token(''x'', 200)') AS outcome FROM generate_series(1, 4);
SELECT pg_temp.error_of(format('SELECT companion.redeem_telegram_link_token(%L, 200)', :'token')) AS outcome;
SELECT outcome FROM companion.redeem_telegram_link_token('x', 201);
SET companion.clock = '2026-03-02 10:01:59.999998+00';
SELECT pg_temp.error_of('SELECT companion.redeem_telegram_link_token(''x'', 200)') AS outcome;
SET companion.clock = '2026-03-02 10:01:59.999999+00';
SELECT outcome FROM companion.redeem_telegram_link_token('x', 200);
SELECT outcome FROM companion.redeem_telegram_link_token(:'token', 200);
SELECT * FROM companion.telegram_redeem_failures ORDER BY telegram_user_id;
RESET companion.redeem_failures_per_minute;

-- Maintenance deletes unused tokens past their time, used ones after companion.token_retention,
-- and the counts of a minute that is over; each step is bounded.
DELETE FROM companion.telegram_link_tokens;
SET companion.clock = '2026-03-03 09:00+00';
SELECT companion.create_telegram_link_token(:'maya') AS used \gset
SELECT outcome FROM companion.redeem_telegram_link_token(:'used', 101);
SELECT length(companion.create_telegram_link_token(:'maya', '1 minute')) AS "over at 09:01",
       length(companion.create_telegram_link_token(:'maya', '2 minutes')) AS "over at 09:02",
       length(companion.create_telegram_link_token(:'maya', '3 minutes')) AS "over at 09:03";
SET companion.clock = '2026-03-03 09:02+00';
SELECT companion.expire_telegram_link_tokens(1) AS expired;
SELECT * FROM tokens;
SELECT * FROM companion.run_maintenance() WHERE task IN ('link tokens', 'redeem failures');
SELECT * FROM tokens;
SET companion.clock = '2026-04-02 08:59:59.999999+00';
SELECT companion.expire_telegram_link_tokens() AS "the unused one";
SET companion.clock = '2026-04-02 09:00+00';
SELECT companion.expire_telegram_link_tokens() AS "the used one, 30 days later";
SELECT * FROM tokens;

-- An end user makes, sees, revokes and unlinks their own only, and sees no hash.
SET ROLE companion_user;
SET companion.user_id = :'maya';
SELECT length(companion.create_telegram_link_token()) AS length;
SELECT expires_at FROM companion.telegram_link_tokens;
SELECT attempt, pg_temp.error_of(statement) AS outcome FROM (VALUES
    ('a hash', $$SELECT token_hash FROM companion.telegram_link_tokens$$),
    ('all columns', $$SELECT * FROM companion.telegram_link_tokens$$),
    ('failures', $$SELECT FROM companion.telegram_redeem_failures$$),
    ('a token for another', $$SELECT companion.create_telegram_link_token('00000000-0000-0000-0000-000000000002')$$),
    ('a token for nobody', $$SELECT companion.create_telegram_link_token('00000000-0000-0000-0000-000000000009')$$),
    ('to revoke another''s', $$SELECT companion.revoke_telegram_link_tokens('00000000-0000-0000-0000-000000000002')$$),
    ('to unlink another', $$SELECT companion.unlink_telegram('00000000-0000-0000-0000-000000000002')$$),
    ('to redeem', $$SELECT companion.redeem_telegram_link_token('x', 1)$$),
    ('to expire', $$SELECT companion.expire_telegram_link_tokens()$$)) AS v (attempt, statement);
SELECT companion.revoke_telegram_link_tokens() AS revoked, companion.unlink_telegram() AS unlinked;
RESET companion.user_id;
SELECT pg_temp.error_of('SELECT companion.create_telegram_link_token()') AS "without an identity";
SET ROLE companion_worker;
SELECT length(companion.create_telegram_link_token(:'diego')) AS length;
SELECT attempt, pg_temp.error_of(statement) AS outcome FROM (VALUES
    ('a hash', $$SELECT token_hash FROM companion.telegram_link_tokens$$),
    ('that there are some', $$SELECT FROM companion.telegram_link_tokens$$),
    ('failures', $$SELECT FROM companion.telegram_redeem_failures$$),
    ('to expire', $$SELECT companion.expire_telegram_link_tokens()$$)) AS v (attempt, statement);
-- The rights that a function takes for itself end with it, also when it fails.
SELECT pg_temp.error_of('SELECT companion.create_telegram_link_token(''00000000-0000-0000-0000-000000000009'')') AS outcome,
       current_user;
RESET ROLE;

-- No call looks for a user's tokens among all users' unused ones, even if there were next to none
-- of these when it was planned.
UPDATE companion.telegram_link_tokens SET used_at = companion.now() WHERE used_at IS NULL;
INSERT INTO companion.telegram_link_tokens (user_id, token_hash, expires_at, used_at)
SELECT :'sita', sha256(n::text::bytea), companion.now(), companion.now() FROM generate_series(1, 2000) AS n;
ANALYZE companion.telegram_link_tokens;
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT idx_scan AS scans FROM pg_stat_user_indexes WHERE indexrelname = 'telegram_link_tokens_unused' \gset
SELECT count(companion.create_telegram_link_token(:'maya')) AS made FROM generate_series(1, 6);
SELECT outcome FROM companion.redeem_telegram_link_token(companion.create_telegram_link_token(:'maya'), 501);
SELECT companion.revoke_telegram_link_tokens(:'maya') AS revoked;
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT idx_scan - :scans AS scans FROM pg_stat_user_indexes WHERE indexrelname = 'telegram_link_tokens_unused';
DELETE FROM companion.telegram_link_tokens WHERE user_id = :'sita';

-- Bad arguments are errors, and change nothing.
SELECT pg_temp.error_of('SELECT companion.' || call) AS outcome FROM (VALUES
    ('create_telegram_link_token(NULL)'),
    ('create_telegram_link_token(''00000000-0000-0000-0000-000000000009'')'),
    ('create_telegram_link_token(''00000000-0000-0000-0000-000000000001'', ''0'')'),
    ('create_telegram_link_token(''00000000-0000-0000-0000-000000000001'', ''-1 minute'')'),
    ('create_telegram_link_token(''00000000-0000-0000-0000-000000000001'', ''30 days 1 microsecond'')'),
    ('create_telegram_link_token(''00000000-0000-0000-0000-000000000001'', ''100 years'')'),
    ('redeem_telegram_link_token(NULL, 1)'), ('redeem_telegram_link_token(''x'', NULL)'),
    ('redeem_telegram_link_token(''x'', 0)'), ('redeem_telegram_link_token(''x'', -5)'),
    ('redeem_telegram_link_token(''x'', 1, '''')'), ('redeem_telegram_link_token(''x'', 1, repeat(''x'', 65))'),
    ('redeem_telegram_link_token(E''\u0000'', 1)'), ('redeem_telegram_link_token(E''\000'', 1)'),
    ('revoke_telegram_link_tokens(NULL)'),
    ('revoke_telegram_link_tokens(''00000000-0000-0000-0000-000000000009'')'),
    ('unlink_telegram(NULL)'), ('unlink_telegram(''00000000-0000-0000-0000-000000000009'')'),
    ('expire_telegram_link_tokens(NULL)'), ('expire_telegram_link_tokens(0)'), ('expire_telegram_link_tokens(-1)'),
    ('telegram_deep_link(NULL, ''x'')'), ('telegram_deep_link(''my_bot'', NULL)'),
    ('telegram_deep_link(''bot'', ''x'')'), ('telegram_deep_link(repeat(''b'', 33), ''x'')'),
    ('telegram_deep_link(''@my_bot'', ''x'')'), ('telegram_deep_link(''my-bot'', ''x'')'), ('telegram_deep_link(''bötchen'', ''x'')'),
    ('telegram_deep_link(''my_bot'', '''')'), ('telegram_deep_link(''my_bot'', repeat(''x'', 65))'),
    ('telegram_deep_link(''my_bot'', ''a&b'')')) AS v (call);
SELECT count(*) AS tokens FROM companion.telegram_link_tokens;
SELECT pg_temp.error_of('SET companion.' || setting) AS outcome FROM (VALUES
    ('token_ttl = 0'), ('token_ttl = ''31d'''), ('tokens_per_user = 0'), ('token_retention = -1'),
    ('redeem_failures_per_minute = 0')) AS v (setting);
