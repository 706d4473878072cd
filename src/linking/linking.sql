
-- Link tokens: one-time secrets that tie a Telegram account to a user.
CREATE TABLE companion.telegram_link_tokens (
    user_id uuid NOT NULL REFERENCES companion.users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT companion.uuid_v7(),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    PRIMARY KEY (user_id, id)
);
COMMENT ON TABLE companion.telegram_link_tokens IS
'One row a link token. The token itself is never stored.';
COMMENT ON COLUMN companion.telegram_link_tokens.user_id IS 'Whom the token links.';
COMMENT ON COLUMN companion.telegram_link_tokens.id IS 'Time-ordered id.';
COMMENT ON COLUMN companion.telegram_link_tokens.token_hash IS 'SHA-256 of the token, 32 bytes.';
COMMENT ON COLUMN companion.telegram_link_tokens.expires_at IS 'When it stops being valid.';
COMMENT ON COLUMN companion.telegram_link_tokens.used_at IS 'When it was used; it cannot be used again.';
COMMENT ON COLUMN companion.telegram_link_tokens.created_at IS 'When it was made.';

ALTER TABLE companion.telegram_link_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.telegram_link_tokens TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.telegram_link_tokens IS
'An end user sees that they have tokens, and until when; no grant shows a hash.';
CREATE POLICY every_row ON companion.telegram_link_tokens TO companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.telegram_link_tokens IS 'Admins act for every user.';

-- Nobody but the owner reads token_hash.
GRANT SELECT (user_id, id, expires_at, used_at, created_at)
ON companion.telegram_link_tokens TO companion_user, companion_admin;
GRANT DELETE ON companion.telegram_link_tokens TO companion_admin;

SELECT pg_catalog.pg_extension_config_dump('companion.telegram_link_tokens', '');
