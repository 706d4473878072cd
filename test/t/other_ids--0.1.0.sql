-- Conversations and messages of 0.1.0 with ids that are not of version 7, out of order, all that refers
-- to them, and an app's tables that do.
SET session_replication_role = replica;
INSERT INTO companion.users (id, display_name) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Maya'), ('00000000-0000-0000-0000-000000000002', 'Diego'),
    ('00000000-0000-0000-0000-000000000003', 'Nobody''s');

-- Maya's are all of other versions. Diego's are of version 7, but for a message in between; the same id
-- stands for one of Maya's, and for a conversation.
INSERT INTO companion.conversations (user_id, id, channel, started_at, ended_at) VALUES
    ('00000000-0000-0000-0000-000000000001', 'f0000000-0000-4000-8000-000000000001', 'web', '2026-01-01', '2026-01-02'),
    ('00000000-0000-0000-0000-000000000001', 'b0000000-0000-4000-8000-000000000002', 'web', '2026-01-03', NULL),
    ('00000000-0000-0000-0000-000000000002', '019bb273-eb60-7000-8000-000000000001', 'web', '2026-01-12', NULL);
INSERT INTO companion.messages (user_id, id, conversation_id, role, content, reply_to_id, created_at) VALUES
    ('00000000-0000-0000-0000-000000000001', 'f0000000-0000-1000-8000-000000000001', 'f0000000-0000-4000-8000-000000000001', 'user', 'one', NULL, '-infinity'),
    ('00000000-0000-0000-0000-000000000001', 'e0000000-0000-4000-8000-000000000001', 'f0000000-0000-4000-8000-000000000001', 'assistant', 'two', 'f0000000-0000-1000-8000-000000000001', '1969-12-31 12:00+00'),
    ('00000000-0000-0000-0000-000000000001', 'd0000000-0000-4000-8000-000000000001', 'f0000000-0000-4000-8000-000000000001', 'user', 'three', 'e0000000-0000-4000-8000-000000000001', '2026-01-01 00:00+00'),
    ('00000000-0000-0000-0000-000000000001', 'b0000000-0000-4000-8000-000000000001', 'b0000000-0000-4000-8000-000000000002', 'user', 'four', NULL, '2026-01-03 00:00+00'),
    ('00000000-0000-0000-0000-000000000001', 'b0000000-0000-4000-8000-000000000002', 'b0000000-0000-4000-8000-000000000002', 'assistant', 'five', NULL, '2026-01-03 00:00+00'),
    ('00000000-0000-0000-0000-000000000001', 'b0000000-0000-4000-8000-000000000003', 'b0000000-0000-4000-8000-000000000002', 'user', 'six', 'a0000000-0000-4000-8000-000000000001', '2026-01-03 00:00+00'),
    ('00000000-0000-0000-0000-000000000001', 'a0000000-0000-4000-8000-000000000001', 'b0000000-0000-4000-8000-000000000002', 'user', 'seven', NULL, '2026-01-03 00:00:00.000001+00'),
    ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000000', 'b0000000-0000-4000-8000-000000000002', 'user', 'eight', NULL, 'infinity'),
    ('00000000-0000-0000-0000-000000000002', '019bb274-9b28-7000-8000-000000000001', '019bb273-eb60-7000-8000-000000000001', 'user', 'uno', NULL, '2026-01-12 13:45:45+00'),
    ('00000000-0000-0000-0000-000000000002', 'b0000000-0000-4000-8000-000000000001', '019bb273-eb60-7000-8000-000000000001', 'user', 'dos', '019bb274-9b28-7000-8000-000000000001', '2026-01-12 13:46:00+00'),
    ('00000000-0000-0000-0000-000000000002', '019bb275-9910-7000-8000-000000000001', '019bb273-eb60-7000-8000-000000000001', 'assistant', 'tres', 'b0000000-0000-4000-8000-000000000001', '2026-01-12 13:46:50+00');
INSERT INTO companion.user_context (user_id, category, key, value, source_message_id, updated_at) VALUES
    ('00000000-0000-0000-0000-000000000001', 'family', 'sister', 'Ana', 'd0000000-0000-4000-8000-000000000001', '2026-01-01'),
    ('00000000-0000-0000-0000-000000000002', 'family', 'sister', 'Eva', '019bb274-9b28-7000-8000-000000000001', '2026-01-01');
INSERT INTO companion.scheduled_messages (user_id, kind, idempotency_key, local_date, timezone, scheduled_for, send_before, status, channel, sent_at, finished_at, conversation_id, message_id) VALUES
    ('00000000-0000-0000-0000-000000000001', 'custom', 'a', '2026-01-01', 'UTC', '2026-01-01', '2026-01-02', 'sent', 'web', '2026-01-01', '2026-01-01',
     'f0000000-0000-4000-8000-000000000001', 'e0000000-0000-4000-8000-000000000001');
INSERT INTO companion.search_chunks
SELECT user_id, id, 'simple', 1, 0, ARRAY[id], ARRAY[to_tsvector('simple', content)] FROM companion.messages WHERE content IN ('one', 'uno');
INSERT INTO companion.search_chunks
SELECT id, id, 'simple', 1, 0, ARRAY[id], ARRAY[''::tsvector] FROM companion.users WHERE display_name LIKE 'Nobody%';

-- The app's: along by ON UPDATE CASCADE, at one remove, by an id alone, from a partition; and one that
-- would refuse, with rows of version 7 so far.
CREATE SCHEMA "App";
CREATE TABLE "App"."My notes" (user_id uuid, "of" uuid, note text, PRIMARY KEY (user_id, "of"),
    FOREIGN KEY (user_id, "of") REFERENCES companion.messages (user_id, id) ON UPDATE CASCADE);
CREATE TABLE "App".tags (tag text, note uuid, user_id uuid,
    FOREIGN KEY (note, user_id) REFERENCES "App"."My notes" ("of", user_id) ON UPDATE CASCADE);
CREATE UNIQUE INDEX of_app ON companion.conversations (id);
CREATE TABLE "App".ratings (conversation uuid REFERENCES companion.conversations (id) ON UPDATE CASCADE, rating integer) PARTITION BY LIST (rating);
CREATE TABLE "App".good PARTITION OF "App".ratings FOR VALUES IN (5);
CREATE TABLE "App".bookmarks (user_id uuid, message_id uuid,
    CONSTRAINT "of a message" FOREIGN KEY (user_id, message_id) REFERENCES companion.messages (user_id, id));
ALTER TABLE companion.scheduled_messages ADD CONSTRAINT of_app
FOREIGN KEY (user_id, message_id) REFERENCES companion.messages (user_id, id);
INSERT INTO "App"."My notes" SELECT user_id, id, content FROM companion.messages WHERE content IN ('four', 'dos', 'tres');
INSERT INTO "App".tags SELECT 'of ' || note, "of", user_id FROM "App"."My notes";
INSERT INTO "App".ratings SELECT id, 5 FROM companion.conversations;
INSERT INTO "App".bookmarks SELECT user_id, id FROM companion.messages WHERE content = 'tres';
CREATE FUNCTION "App".refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a trigger on %', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON companion.conversations FOR EACH ROW EXECUTE FUNCTION "App".refuse();
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON companion.messages FOR EACH ROW EXECUTE FUNCTION "App".refuse();
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON companion.user_context FOR EACH ROW EXECUTE FUNCTION "App".refuse();
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON companion.scheduled_messages FOR EACH ROW EXECUTE FUNCTION "App".refuse();
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON companion.search_chunks FOR EACH ROW EXECUTE FUNCTION "App".refuse();
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON "App"."My notes" FOR EACH ROW EXECUTE FUNCTION "App".refuse();
