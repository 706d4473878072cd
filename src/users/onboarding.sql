
-- Onboarding: what a new user is asked, and has answered so far.
CREATE TABLE companion.onboarding_steps (
    step text PRIMARY KEY CHECK (length(step) BETWEEN 1 AND 100),
    position integer,
    asks_for text[] NOT NULL DEFAULT '{}' CHECK (array_position(asks_for, NULL) IS NULL),
    required boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE companion.onboarding_steps IS
'The steps of onboarding, the same for every user. An app adds its own; inserting a step that is there replaces it, so that what an app has changed survives a restore over the standard steps.';
COMMENT ON COLUMN companion.onboarding_steps.step IS 'The step''s name.';
COMMENT ON COLUMN companion.onboarding_steps.position IS 'The order of the steps; NULL leaves the step out.';
COMMENT ON COLUMN companion.onboarding_steps.asks_for IS 'The answers that it asks for. name, companion_name, timezone, checkin_time, support_style and channel are checked and copied to users; any other is the app''s own.';
COMMENT ON COLUMN companion.onboarding_steps.required IS 'Whether all that it asks for must be answered, and not with null.';

CREATE FUNCTION companion.replace_onboarding_step() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM companion.onboarding_steps WHERE step = NEW.step;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION companion.replace_onboarding_step() IS
'Trigger, BEFORE INSERT: the new row takes the place of the step''s old one.';
CREATE TRIGGER replace_step BEFORE INSERT ON companion.onboarding_steps
FOR EACH ROW EXECUTE FUNCTION companion.replace_onboarding_step();
-- A logical subscriber, and a restore as one, come upon the standard steps, too.
ALTER TABLE companion.onboarding_steps ENABLE ALWAYS TRIGGER replace_step;
COMMENT ON TRIGGER replace_step ON companion.onboarding_steps IS 'Inserting a step that is there replaces it.';

INSERT INTO companion.onboarding_steps (step, position, asks_for, required) VALUES
    ('name', 10, '{name}', true),
    ('companion', 20, '{companion_name}', false),
    ('timezone', 30, '{timezone}', true),
    ('checkin', 40, '{checkin_time}', false),
    ('style', 50, '{support_style}', false),
    ('channel', 60, '{channel}', false);

ALTER TABLE companion.onboarding_steps ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON companion.onboarding_steps FOR SELECT
TO companion_user, companion_worker, companion_runtime USING (true);
COMMENT ON POLICY read ON companion.onboarding_steps IS 'Everyone reads the steps.';
CREATE POLICY every_row ON companion.onboarding_steps TO companion_admin
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.onboarding_steps IS 'Admins change the steps.';

SELECT pg_catalog.pg_extension_config_dump('companion.onboarding_steps', '');

CREATE TABLE companion.onboarding (
    user_id uuid PRIMARY KEY REFERENCES companion.users ON DELETE CASCADE,
    current_step text CHECK (length(current_step) BETWEEN 1 AND 100),
    data jsonb NOT NULL DEFAULT '{}'
        CHECK (jsonb_typeof(data) = 'object' AND octet_length(data::text) <= 65536),
    completed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT companion.now(),
    updated_at timestamptz NOT NULL DEFAULT companion.now()
);
COMMENT ON TABLE companion.onboarding IS 'Where each user stands in onboarding; at most one row a user.';
COMMENT ON COLUMN companion.onboarding.user_id IS 'The user.';
COMMENT ON COLUMN companion.onboarding.current_step IS 'The step that comes next; NULL: none.';
COMMENT ON COLUMN companion.onboarding.data IS 'The answers so far, a JSON object of at most 64 kB.';
COMMENT ON COLUMN companion.onboarding.completed_at IS 'When it was completed.';
COMMENT ON COLUMN companion.onboarding.created_at IS 'When onboarding began.';
COMMENT ON COLUMN companion.onboarding.updated_at IS 'When the row last changed; kept by a trigger.';

CREATE TRIGGER set_updated_at BEFORE UPDATE ON companion.onboarding
FOR EACH ROW EXECUTE FUNCTION companion.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON companion.onboarding IS 'Keeps updated_at.';

ALTER TABLE companion.onboarding ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON companion.onboarding TO companion_user
USING (user_id = companion.current_user_id()) WITH CHECK (user_id = companion.current_user_id());
COMMENT ON POLICY own_rows ON companion.onboarding IS 'An end user sees their own row only.';
CREATE POLICY every_row ON companion.onboarding TO companion_worker, companion_admin, companion_runtime
USING (true) WITH CHECK (true);
COMMENT ON POLICY every_row ON companion.onboarding IS 'Workers and admins act for every user.';

SELECT pg_catalog.pg_extension_config_dump('companion.onboarding', '');

CREATE FUNCTION companion.start_onboarding(
    user_id uuid DEFAULT companion.current_user_id()) RETURNS text
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_start_onboarding';
COMMENT ON FUNCTION companion.start_onboarding(uuid) IS
'Begins a user''s onboarding, unless it has begun, and returns the step that comes next; NULL when none does. For the user''s own, or workers and admins, else error 42501. Error 23503 for an unknown user, 09000 where a trigger suppresses the row.';

CREATE FUNCTION companion.advance_onboarding(user_id uuid, step text, answers jsonb) RETURNS text
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_advance_onboarding';
COMMENT ON FUNCTION companion.advance_onboarding(uuid, text, jsonb) IS
'Adds the answers of a step to the user''s, and returns the step that comes after it; NULL after the last. A step may be answered again. name, companion_name and support_style: 1 to 200 characters; timezone: an IANA name; checkin_time: HH:MM, null opts out; channel: one of the table channels; null leaves one open; any other answer is the app''s own. For the user''s own, or workers and admins, else error 42501. Error 22023 for a wrong or missing answer (the field is in the message and in the error''s column name), for answers that are no object and for an unknown step, 23514 for answers of more than 64 kB in all, 55000 before start_onboarding and after complete_onboarding, 23503 for an unknown user, 09000 where a trigger suppresses the row. After an error nothing has changed.';

CREATE FUNCTION companion.complete_onboarding(
    user_id uuid DEFAULT companion.current_user_id()) RETURNS boolean
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_complete_onboarding';
COMMENT ON FUNCTION companion.complete_onboarding(uuid) IS
'Copies the answers to users and sets onboarding_completed_at, so that check-ins due from now on are sent: all or nothing. True once; false, and nothing changes, when it was complete. For the user''s own, or workers and admins, else error 42501. Error 55000 before start_onboarding and while a required step lacks an answer, 22023 for an answer that is no longer valid, 23503 for an unknown user, 09000 where a trigger suppresses a row.';

