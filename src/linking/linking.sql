
-- Link tokens: one-time secrets that tie a Telegram account to a user.
CREATE TABLE companion.telegram_link_tokens (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    used_by bigint,
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    bot text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (user_id, id),
    CHECK (used_by IS NULL OR used_at IS NOT NULL)
);

CREATE INDEX telegram_link_tokens_unused ON companion.telegram_link_tokens (expires_at)
WHERE used_at IS NULL;
CREATE INDEX telegram_link_tokens_used ON companion.telegram_link_tokens (used_at)
WHERE used_at IS NOT NULL;

COMMENT ON TABLE companion.telegram_link_tokens IS
'One row a link token. The token itself is never stored, and nobody is granted its hash.';
COMMENT ON COLUMN companion.telegram_link_tokens.user_id IS 'Whom the token links.';
COMMENT ON COLUMN companion.telegram_link_tokens.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.telegram_link_tokens.token_hash IS 'SHA-256 of the token, 32 bytes.';
COMMENT ON COLUMN companion.telegram_link_tokens.expires_at IS 'When it stops being valid.';
COMMENT ON COLUMN companion.telegram_link_tokens.used_at IS 'When it was redeemed, or used up by the redemption of another of the same user''s.';
COMMENT ON COLUMN companion.telegram_link_tokens.used_by IS 'The Telegram account that redeemed it.';
COMMENT ON COLUMN companion.telegram_link_tokens.created_at IS 'When it was made.';
COMMENT ON COLUMN companion.telegram_link_tokens.bot IS 'The bot for which it was made; empty: any.';
COMMENT ON INDEX companion.telegram_link_tokens_unused IS 'Unused tokens, the next to expire first.';
COMMENT ON INDEX companion.telegram_link_tokens_used IS 'Used tokens, the next to be deleted first.';

ALTER TABLE companion.telegram_link_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.telegram_link_tokens TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.telegram_link_tokens IS
'An end user sees that they have tokens, and until when; no grant shows a hash.';
CREATE POLICY every_row ON companion.telegram_link_tokens TO companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.telegram_link_tokens IS 'Admins act for every user.';

-- Nobody but the owner reads token_hash.

SELECT pg_catalog.pg_extension_config_dump('companion.telegram_link_tokens', '');

-- What a minute's limit needs: not worth a crash's recovery, nor a place in a dump.
CREATE UNLOGGED TABLE companion.telegram_redeem_failures (
    telegram_user_id bigint PRIMARY KEY,
    failures integer NOT NULL,
    window_ends_at timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE companion.telegram_redeem_failures IS
'One row a Telegram account that presented an unknown link token within the last minutes. Internal.';
COMMENT ON COLUMN companion.telegram_redeem_failures.telegram_user_id IS 'The Telegram account.';
COMMENT ON COLUMN companion.telegram_redeem_failures.failures IS 'How many unknown tokens it has presented in its minute.';
COMMENT ON COLUMN companion.telegram_redeem_failures.window_ends_at IS 'When its minute ends; the row means nothing from then on.';
ALTER TABLE companion.telegram_redeem_failures ENABLE ROW LEVEL SECURITY;
CREATE POLICY every_row ON companion.telegram_redeem_failures TO companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.telegram_redeem_failures IS 'Admins read it.';

SELECT pg_catalog.pg_extension_config_dump('companion.telegram_redeem_failures', 'WHERE false');

CREATE FUNCTION companion.create_telegram_link_token(
    user_id uuid DEFAULT companion.current_user_id(), valid_for interval DEFAULT NULL,
    bot text DEFAULT '') RETURNS text
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_create_telegram_link_token';
COMMENT ON FUNCTION companion.create_telegram_link_token(uuid, interval, text) IS
'A new link token for a user: 32 random bytes as 43 characters of base64url, valid as a Telegram start parameter; on a shard its number and a - stand in front, and are part of what is redeemed. This is the only time that it is seen; only its SHA-256 is stored. valid_for: above zero, at most 30 days; NULL means companion.token_ttl. bot: where the app has several, the one that may redeem it; empty: any. A user has at most companion.tokens_per_user live tokens: the oldest gives way. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user, 22023 for a valid_for out of bounds and a bot''s name over 64 characters, 09000 where a trigger suppresses the token or keeps one that is to give way.';

CREATE FUNCTION companion.telegram_deep_link(bot_username text, token text) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_telegram_deep_link';
COMMENT ON FUNCTION companion.telegram_deep_link(text, text) IS
'The link that opens a bot in Telegram with a start parameter: https://t.me/<bot>?start=<token>. Error 22023 unless the bot''s name has 5 to 32 characters of A-Z a-z 0-9 _ and the token 1 to 64 of A-Z a-z 0-9 _ -.';

CREATE FUNCTION companion.redeem_telegram_link_token(
    token text, telegram_user_id bigint, telegram_username text DEFAULT NULL, bot text DEFAULT '')
RETURNS TABLE (outcome text, user_id uuid)
LANGUAGE c ROWS 1
AS 'MODULE_PATHNAME', 'companion_redeem_telegram_link_token';
COMMENT ON FUNCTION companion.redeem_telegram_link_token(text, bigint, text, text) IS
'Ties a Telegram account to the user of a link token, as users.telegram_user_id and as their usable address for the bot, and uses up the user''s other tokens, in one step. The account that they had before is unlinked. bot: which of the app''s bots the token came to. outcome: linked, and then user_id says to whom (again for the same token and account while they are linked, as when an update is redelivered); expired; used; unknown (any text that is no token, or one of another bot); taken (the account is another user''s, and the token stays live). Pass the token as a bound parameter, so that no log shows it. Error 53400 from an account that has presented companion.redeem_failures_per_minute unknown tokens within a minute, 22023 for a telegram_user_id below 1 or a telegram_username that has not 1 to 64 characters or a bot''s name over 64, 55000 on a shard where the account is not reserved for the user (link_token_owner), 09000 where a trigger suppresses a row.';

CREATE FUNCTION companion.link_token_owner(token text, bot text DEFAULT '')
RETURNS TABLE (user_id uuid, for_bot text)
LANGUAGE c STABLE ROWS 1
AS 'MODULE_PATHNAME', 'companion_link_token_owner';
COMMENT ON FUNCTION companion.link_token_owner(text, text) IS
'Of which user a live link token is, and for which bot redeeming it would link the account: for whom to reserve it in the directory first. Both NULL for a token that cannot be redeemed now; redeem_telegram_link_token() says why, and counts it. Error 22004 without a token, 22023 for a bot''s name over 64 characters.';

CREATE FUNCTION companion.revoke_telegram_link_tokens(
    user_id uuid DEFAULT companion.current_user_id()) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_revoke_telegram_link_tokens';
COMMENT ON FUNCTION companion.revoke_telegram_link_tokens(uuid) IS
'Deletes a user''s unused link tokens and returns how many there were. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user, 09000 where a trigger keeps one.';

CREATE FUNCTION companion.unlink_telegram(
    user_id uuid DEFAULT companion.current_user_id()) RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_unlink_telegram';
COMMENT ON FUNCTION companion.unlink_telegram(uuid) IS
'Unties the user''s Telegram account; returns whether there was one. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user, 09000 where a trigger suppresses the change.';

CREATE FUNCTION companion.expire_telegram_link_tokens(max_rows integer DEFAULT 10000) RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_expire_telegram_link_tokens';
COMMENT ON FUNCTION companion.expire_telegram_link_tokens(integer) IS
'Deletes up to max_rows link tokens, the oldest first: unused ones past their time, and used ones after companion.token_retention. Passes over what others hold, and what a trigger keeps; returns how many. Part of run_maintenance(). Error 22023 for a bound below 1, 23503 where an app''s foreign key keeps one.';

CREATE FUNCTION companion.forget_redeem_failures() RETURNS bigint
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_forget_redeem_failures';
COMMENT ON FUNCTION companion.forget_redeem_failures() IS
'Deletes the counts of unknown link tokens whose minute is over, up to 10,000 at once; passes over what others hold, and returns how many. Part of run_maintenance().';

