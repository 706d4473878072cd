-- What random queries are made of and tried on: five users with rows in every table, of whom the
-- first is the end user; every text and name of the others is a canary.
CREATE EXTENSION companion;
CREATE SCHEMA smith;
CREATE FUNCTION smith.user_id(n integer) RETURNS uuid LANGUAGE sql
RETURN ('00000000-0000-0000-0000-00000000000' || n)::uuid;

INSERT INTO companion.users (id, display_name, email, location, telegram_user_id, onboarding_completed_at)
SELECT smith.user_id(n), text, text, text, n, '2025-01-01'
FROM generate_series(1, 5) AS n, LATERAL (SELECT CASE n WHEN 1 THEN 'own' ELSE 'canary' END || n AS text) AS t;
INSERT INTO companion.conversations (user_id, id, channel, mood_summary)
SELECT id, id, 'web', display_name FROM companion.users;
INSERT INTO companion.messages (user_id, id, conversation_id, role, content, telegram_message_id)
SELECT id, id, id, 'user', display_name || ' family', 7 FROM companion.users;
SELECT companion.upsert_user_context(id, 'family', key, display_name || step)
FROM companion.users, unnest('{sister,web}'::text[]) AS key, generate_series(1, 2) AS step;
INSERT INTO companion.scheduled_messages (user_id, id, kind, idempotency_key, local_date, timezone, scheduled_for,
    channel, content)
SELECT id, id, 'custom', display_name, '2026-03-02', 'UTC', '2026-03-02', 'web', display_name FROM companion.users;
SELECT companion.schedule_message(id, '2026-03-02', display_name || n) FROM companion.users, generate_series(1, 9) AS n;
SELECT companion.start_onboarding(id), companion.create_telegram_link_token(id),
    companion.advance_onboarding(id, 'name', jsonb_build_object('name', display_name)) FROM companion.users;
SELECT count(*) FROM companion.users AS u, companion.search_messages(u.id, 'family');

-- The functions that sqlsmith sees: the extension's, and some that make arguments for them. It
-- calls none that returns rows, so these are views.
CREATE FUNCTION smith.any(choices text[]) RETURNS text LANGUAGE sql
RETURN choices[1 + floor(random() * array_length(choices, 1))];
CREATE FUNCTION smith.some_uuid() RETURNS uuid LANGUAGE sql
RETURN smith.user_id(floor(random() * 6)::integer);
CREATE FUNCTION smith.own_uuid() RETURNS uuid LANGUAGE sql
RETURN smith.user_id(1);
CREATE FUNCTION smith.some_uuids() RETURNS uuid[] LANGUAGE sql
RETURN ARRAY[smith.some_uuid(), smith.some_uuid()];
CREATE FUNCTION smith.some_text() RETURNS text LANGUAGE sql
RETURN smith.any('{family,sister,web,telegram,user,custom,checkin,name,timezone,Europe/Berlin,"",*,1}');
CREATE FUNCTION smith.some_texts() RETURNS text[] LANGUAGE sql
RETURN ARRAY[smith.some_text(), smith.some_text()];
CREATE FUNCTION smith.some_jsonb() RETURNS jsonb LANGUAGE sql
RETURN smith.any(ARRAY['{}', '{"name": "own"}', '[]', 'null', '{"timezone": "UTC"}',
    '[{"category": "family", "key": "sister", "value": "own"}]'])::jsonb;
CREATE FUNCTION smith.some_time() RETURNS timestamptz LANGUAGE sql
RETURN smith.any('{2026-03-02,2026-11-22,infinity,-infinity,294276-12-31,4713-01-01 BC}')::timestamptz;
CREATE FUNCTION smith.some_interval() RETURNS interval LANGUAGE sql
RETURN smith.any('{1 minute,1 day,-1 hour,178000000 years,0}')::interval;
CREATE FUNCTION smith.some_integer() RETURNS integer LANGUAGE sql
RETURN smith.any('{0,1,2,7,100,-1,2147483647,-2147483648}')::integer;
CREATE FUNCTION smith.some_integers() RETURNS integer[] LANGUAGE sql
RETURN ARRAY[smith.some_integer(), smith.some_integer()];
CREATE FUNCTION smith.some_bigint() RETURNS bigint LANGUAGE sql
RETURN smith.any('{0,1,2,7,-9223372036854775808}')::bigint;

CREATE VIEW smith.claimed WITH (security_invoker) AS
SELECT * FROM companion.claim_messages(smith.some_text(), 3, '1 hour');
CREATE VIEW smith.recalled WITH (security_invoker) AS
SELECT * FROM companion.recall_user_context(smith.some_uuid(), 20);
CREATE VIEW smith.recent WITH (security_invoker) AS
SELECT * FROM companion.recent_messages(smith.some_uuid());
CREATE VIEW smith.found WITH (security_invoker) AS
SELECT * FROM companion.search_messages(smith.some_uuid(), 'family');
CREATE VIEW smith.believed WITH (security_invoker) AS
SELECT * FROM companion.user_context_as_of(smith.some_uuid(), now());
CREATE VIEW smith.incoming WITH (security_invoker) AS
SELECT * FROM companion.record_incoming('telegram', smith.some_bigint()::text, 'own words', smith.some_bigint());

CREATE SCHEMA seen;
CREATE VIEW seen.pg_proc AS SELECT * FROM pg_catalog.pg_proc
WHERE pronamespace IN ('smith'::regnamespace, 'companion'::regnamespace) AND proname NOT IN ('any', 'user_id')
        AND has_function_privilege(oid, 'EXECUTE')
    OR pronamespace = 'pg_catalog'::regnamespace AND prokind <> 'f'
        AND (prorettype || proargtypes::oid[])::regtype[]::text !~ 'any';

-- An end user's statement that changes a row of another's is refused here, by whatever path it comes.
CREATE FUNCTION smith.refuse_other() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner text := CASE TG_TABLE_NAME WHEN 'users' THEN 'id' ELSE 'user_id' END;
BEGIN
    IF session_user = 'smith_user' AND (coalesce(to_jsonb(OLD) ->> owner, smith.user_id(1)::text),
        coalesce(to_jsonb(NEW) ->> owner, smith.user_id(1)::text)) <> (smith.user_id(1)::text, smith.user_id(1)::text) THEN
        RAISE EXCEPTION 'a row of another user was changed' USING ERRCODE = 'XX999';
    END IF;
    RETURN NULL;
END
$$;
DO $$
DECLARE
    owned regclass;
BEGIN
    FOR owned IN SELECT attrelid FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'companion'::regnamespace AND relkind = 'r'
            AND (attname = 'user_id' OR relname = 'users' AND attname = 'id')
    LOOP
        EXECUTE format('CREATE TRIGGER smith AFTER INSERT OR UPDATE OR DELETE ON %s
            FOR EACH ROW EXECUTE FUNCTION smith.refuse_other()', owned);
    END LOOP;
END
$$;

-- An operator's habits: columns of their own on every table, one of them gone again, one generated;
-- triggers that now and then change a row, or suppress its change.
CREATE FUNCTION smith.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    chance double precision := random();
BEGIN
    IF chance < 0.05 THEN
        RETURN NULL;
    ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSIF chance < 0.10 AND TG_TABLE_NAME = 'user_context' THEN
        NEW.key := upper(NEW.key);
    ELSIF chance < 0.10 AND TG_TABLE_NAME IN ('messages', 'scheduled_messages') THEN
        NEW.content := '***';
    ELSIF chance < 0.10 AND TG_TABLE_NAME = 'dispatch_queue' THEN
        NEW.attempt := 7;
    ELSIF chance < 0.30 THEN
        NEW.own_note := TG_OP;
    END IF;
    RETURN NEW;
END
$$;
DO $$
DECLARE
    ours regclass;
BEGIN
    FOR ours IN SELECT oid FROM pg_class WHERE relnamespace = 'companion'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %s ADD COLUMN own_flag boolean DEFAULT true, ADD COLUMN own_note text,'
                       ' ADD COLUMN own_length integer GENERATED ALWAYS AS (length(own_note)) STORED', ours);
        EXECUTE format('ALTER TABLE %s DROP COLUMN own_flag', ours);
        EXECUTE format('CREATE TRIGGER meddle BEFORE INSERT OR UPDATE OR DELETE ON %s
            FOR EACH ROW EXECUTE FUNCTION smith.meddle()', ours);
    END LOOP;
END
$$;

CREATE ROLE smith_user LOGIN IN ROLE companion_user;
CREATE ROLE smith_worker LOGIN IN ROLE companion_worker;
GRANT USAGE ON SCHEMA smith, seen TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA smith, seen TO PUBLIC;
ALTER ROLE smith_user SET companion.user_id = '00000000-0000-0000-0000-000000000001';
