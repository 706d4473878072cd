
-- Onboarding: what a new user has been asked and has answered so far.
CREATE TABLE companion.onboarding (
    user_id uuid PRIMARY KEY REFERENCES companion.users ON DELETE CASCADE,
    current_step text NOT NULL DEFAULT 'start' CHECK (length(current_step) BETWEEN 1 AND 100),
    data jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(data) = 'object'),
    completed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    updated_at timestamptz NOT NULL DEFAULT companion.now()
);
COMMENT ON TABLE companion.onboarding IS 'Where each user stands in onboarding; at most one row a user.';
COMMENT ON COLUMN companion.onboarding.user_id IS 'The user.';
COMMENT ON COLUMN companion.onboarding.current_step IS 'The step that comes next.';
COMMENT ON COLUMN companion.onboarding.data IS 'The answers so far, a JSON object.';
COMMENT ON COLUMN companion.onboarding.completed_at IS 'When the last step was done.';
COMMENT ON COLUMN companion.onboarding.created_at IS 'When onboarding began.';
COMMENT ON COLUMN companion.onboarding.updated_at IS 'When the row last changed; kept by a trigger.';

CREATE TRIGGER set_updated_at BEFORE UPDATE ON companion.onboarding
FOR EACH ROW EXECUTE FUNCTION companion.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON companion.onboarding IS 'Keeps updated_at.';

ALTER TABLE companion.onboarding ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.onboarding TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.onboarding IS 'An end user sees their own row only.';
CREATE POLICY every_row ON companion.onboarding TO companion_worker, companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.onboarding IS 'Workers and admins act for every user.';

GRANT SELECT ON companion.onboarding TO companion_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON companion.onboarding TO companion_worker, companion_admin;

SELECT pg_catalog.pg_extension_config_dump('companion.onboarding', '');
