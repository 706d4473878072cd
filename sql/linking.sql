-- Link tokens: one-time secrets that tie a Telegram account to a user.
\i test/fresh.sql
SET companion.clock = '2026-03-02 09:00+00';
INSERT INTO companion.users (id, display_name) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya'),
    ('00000000-0000-0000-0000-000000000002', 'Diego'),
    ('00000000-0000-0000-0000-000000000003', 'Sita');
\set maya '00000000-0000-0000-0000-000000000001'
\set diego '00000000-0000-0000-0000-000000000002'
\set sita '00000000-0000-0000-0000-000000000003'
CREATE TEMP VIEW linked AS
SELECT display_name, telegram_user_id, telegram_username, telegram_linked_at, usable_addresses
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

-- What an operator's triggers do to the rows is said at once, and nothing is half done then.
CREATE FUNCTION pg_temp.suppress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION pg_temp.change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN jsonb_populate_record(NEW, TG_ARGV[0]::jsonb);
END
$$;
-- The outcome of a statement with a trigger before an operation on a table.
CREATE FUNCTION pg_temp.with_trigger(tablename text, operation text, action text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    EXECUTE format('CREATE TRIGGER operators BEFORE %s ON companion.%I FOR EACH ROW EXECUTE FUNCTION pg_temp.%s',
                   operation, tablename, action);
    outcome := regexp_replace(pg_temp.error_of(statement), ' \| A trigger.*', '');
    EXECUTE format('DROP TRIGGER operators ON companion.%I', tablename);
    RETURN outcome;
END
$$;
UPDATE companion.users SET telegram_user_id = NULL;
DELETE FROM companion.telegram_link_tokens;
SET companion.clock = '2026-05-01 09:00+00';
INSERT INTO companion.telegram_link_tokens (user_id, token_hash, expires_at) VALUES
    (:'maya', sha256('maya'), 'infinity'), (:'maya', sha256('second'), 'infinity');
SELECT tablename, operation, left(action, 50) AS action, left(call, 30) AS call, pg_temp.with_trigger(tablename, operation, action, 'SELECT companion.' || call) AS outcome
FROM (VALUES
    ('telegram_link_tokens', 'INSERT', 'suppress()', 'create_telegram_link_token(''00000000-0000-0000-0000-000000000001'')'),
    ('telegram_link_tokens', 'INSERT', 'suppress()', 'create_telegram_link_token(''00000000-0000-0000-0000-000000000009'')'),
    ('telegram_link_tokens', 'INSERT', format($$change('{"token_hash": "\\x%s"}')$$, repeat('00', 32)), 'create_telegram_link_token(''00000000-0000-0000-0000-000000000001'')'),
    ('telegram_link_tokens', 'INSERT', $$change('{"user_id": "00000000-0000-0000-0000-000000000002"}')$$, 'create_telegram_link_token(''00000000-0000-0000-0000-000000000001'')'),
    ('telegram_link_tokens', 'INSERT', $$change('{"expires_at": "2026-05-01 09:01+00"}')$$, 'create_telegram_link_token(''00000000-0000-0000-0000-000000000001'')'),
    ('telegram_link_tokens', 'DELETE', 'suppress()', 'revoke_telegram_link_tokens(''00000000-0000-0000-0000-000000000001'')'),
    ('telegram_link_tokens', 'DELETE', 'suppress()', 'revoke_telegram_link_tokens(''00000000-0000-0000-0000-000000000002'')'),
    ('telegram_link_tokens', 'UPDATE', 'suppress()', 'redeem_telegram_link_token(''maya'', 101)'),
    ('telegram_link_tokens', 'UPDATE', $$change('{"used_at": null, "used_by": null}')$$, 'redeem_telegram_link_token(''maya'', 101)'),
    ('users', 'UPDATE', 'suppress()', 'redeem_telegram_link_token(''maya'', 101)'),
    ('users', 'UPDATE', $$change('{"telegram_user_id": null}')$$, 'redeem_telegram_link_token(''maya'', 101)'),
    ('telegram_redeem_failures', 'INSERT', 'suppress()', 'redeem_telegram_link_token(''no token'', 101)')) AS v (tablename, operation, action, call);
SELECT * FROM linked;
-- Only some suppressed: the user's other token would stay live.
CREATE TRIGGER operators BEFORE UPDATE ON companion.telegram_link_tokens
FOR EACH ROW WHEN (NEW.used_by IS NULL) EXECUTE FUNCTION pg_temp.suppress();
SELECT pg_temp.error_of('SELECT companion.redeem_telegram_link_token(''maya'', 101)') AS outcome;
DROP TRIGGER operators ON companion.telegram_link_tokens;
-- More live tokens than companion.tokens_per_user would stay.
SELECT count(companion.create_telegram_link_token(:'maya')) AS made FROM generate_series(1, 2);
SELECT pg_temp.with_trigger('telegram_link_tokens', 'DELETE', 'suppress()',
    'SELECT companion.create_telegram_link_token(''00000000-0000-0000-0000-000000000001'')') AS outcome;
SELECT outcome FROM companion.redeem_telegram_link_token('maya', 101);
SELECT action, right(call, 3) AS call, pg_temp.with_trigger('users', 'UPDATE', action, 'SELECT companion.unlink_telegram(' || call || ')') AS outcome
FROM (VALUES
    ('suppress()', '''00000000-0000-0000-0000-000000000001'''),
    ($$change('{"telegram_user_id": 102}')$$, '''00000000-0000-0000-0000-000000000001'''),
    ($$change('{"telegram_username": "stays"}')$$, '''00000000-0000-0000-0000-000000000001'''),
    ('suppress()', '''00000000-0000-0000-0000-000000000002'''),
    ('suppress()', '''00000000-0000-0000-0000-000000000009''')) AS v (action, call);
SELECT display_name, telegram_user_id, telegram_username FROM linked;

-- With columns that an operator has added and dropped.
ALTER TABLE companion.telegram_link_tokens ADD COLUMN dropped text DEFAULT 'x', ADD COLUMN made_in text DEFAULT 'Lisbon';
ALTER TABLE companion.telegram_link_tokens DROP COLUMN dropped;
ALTER TABLE companion.telegram_redeem_failures ADD COLUMN notes text NOT NULL DEFAULT '';
SELECT count(companion.create_telegram_link_token(:'diego')) AS made FROM generate_series(1, 6);
SELECT companion.revoke_telegram_link_tokens(:'diego') AS revoked;
SELECT outcome FROM companion.redeem_telegram_link_token(companion.create_telegram_link_token(:'diego'), 102);
SELECT outcome FROM companion.redeem_telegram_link_token('no token', 103);

-- Expiry fires what stands on the rows: an app's foreign keys, and triggers. What a trigger keeps
-- is passed over.
DELETE FROM companion.telegram_link_tokens;
CREATE TABLE invitations (
    user_id uuid, token_id uuid, number integer,
    FOREIGN KEY (user_id, token_id) REFERENCES companion.telegram_link_tokens (user_id, id) ON DELETE CASCADE);
INSERT INTO companion.telegram_link_tokens (user_id, id, token_hash, expires_at, used_at)
SELECT :'maya', lpad(n::text, 32, '0')::uuid, sha256(n::text::bytea), '2026-05-01 09:00+00'::timestamptz + n * interval '1 minute',
       CASE WHEN n > 4 THEN '2026-05-01 09:00+00'::timestamptz END
FROM generate_series(1, 6) AS n;
INSERT INTO invitations SELECT user_id, id, right(id::text, 1)::integer FROM companion.telegram_link_tokens;
SET companion.clock = '2026-05-01 09:03+00';
SELECT companion.expire_telegram_link_tokens(1) AS one, companion.expire_telegram_link_tokens(1) AS another;
SELECT array_agg(number ORDER BY number) AS invitations, (SELECT count(*) FROM companion.telegram_link_tokens) AS tokens FROM invitations;
CREATE FUNCTION pg_temp.log_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% % of %', TG_WHEN, TG_OP, right(OLD.id::text, 1);
    RETURN CASE WHEN right(OLD.id::text, 1) = '3' THEN NULL ELSE OLD END;
END
$$;
CREATE TRIGGER keep BEFORE DELETE ON companion.telegram_link_tokens FOR EACH ROW EXECUTE FUNCTION pg_temp.log_token();
CREATE TRIGGER log AFTER DELETE ON companion.telegram_link_tokens FOR EACH ROW EXECUTE FUNCTION pg_temp.log_token();
SET companion.clock = '2026-06-01 09:00+00';
SELECT companion.expire_telegram_link_tokens(2) AS expired;
SELECT array_agg(number ORDER BY number) AS invitations, (SELECT count(*) FROM companion.telegram_link_tokens) AS tokens FROM invitations;
DROP TRIGGER keep ON companion.telegram_link_tokens;
DROP TRIGGER log ON companion.telegram_link_tokens;
ALTER TABLE invitations DROP CONSTRAINT invitations_user_id_token_id_fkey;
ALTER TABLE invitations ADD FOREIGN KEY (user_id, token_id) REFERENCES companion.telegram_link_tokens (user_id, id);
SELECT pg_temp.error_of('SELECT companion.expire_telegram_link_tokens()') AS outcome;
DROP TABLE invitations;
SELECT companion.expire_telegram_link_tokens() AS expired;

-- Several bots: a token may be for one; the account is linked for the bot that it came to.
RESET ROLE;
DELETE FROM companion.telegram_link_tokens;
SELECT companion.unlink_telegram(id) FROM companion.users ORDER BY id;
DELETE FROM companion.addresses;
SELECT companion.create_telegram_link_token(:'maya', bot => 'a_bot') AS token \gset
SELECT outcome FROM companion.redeem_telegram_link_token(:'token', 201, bot => 'b_bot');
SELECT outcome FROM companion.redeem_telegram_link_token(:'token', 201);
SELECT outcome FROM companion.redeem_telegram_link_token(:'token', 201, bot => 'a_bot') AS again;
SELECT companion.create_telegram_link_token(:'maya') AS token \gset
SELECT outcome FROM companion.redeem_telegram_link_token(:'token', 201, bot => 'b_bot');
SELECT companion.create_telegram_link_token(:'diego') AS token \gset
SELECT outcome FROM companion.redeem_telegram_link_token(:'token', 201, bot => 'b_bot');
SELECT outcome FROM companion.redeem_telegram_link_token(:'token', 201, bot => 'c_bot');
SELECT u.display_name, a.bot, a.address, u.telegram_user_id FROM companion.addresses AS a JOIN companion.users AS u ON u.id = a.user_id
WHERE unlinked_at IS NULL ORDER BY 1, 2;
-- Another account instead: the one before is the user's no more, for whichever bot.
SELECT companion.create_telegram_link_token(:'maya') AS token \gset
SELECT outcome FROM companion.redeem_telegram_link_token(:'token', 202);
SELECT bot, address, unlinked_at IS NULL AS is_linked FROM companion.addresses WHERE user_id = :'maya' ORDER BY 1, 2;
-- Blocked, and linked again with a new token.
SELECT companion.disable_address(:'maya', 'telegram', '202');
SELECT companion.create_telegram_link_token(:'maya') AS token \gset
SELECT outcome FROM companion.redeem_telegram_link_token(:'token', 202);
SELECT usable_addresses FROM companion.users WHERE id = :'maya';
SELECT pg_temp.error_of(format('SELECT companion.create_telegram_link_token(%L, bot => repeat(''b'', 65))', :'maya'));
SELECT pg_temp.error_of('SELECT companion.redeem_telegram_link_token(''x'', 1, bot => NULL)');
