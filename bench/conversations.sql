-- What bench/conversations measures on: users with a hundred messages each, written in turn, and
-- one of them with one message in every thousand; and the same in the usual schema.
CREATE FUNCTION user_id(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN ('00000000-0000-7000-8000-000000' || 100000 + n)::uuid;
CREATE FUNCTION conversation_id(n integer, round integer) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN ('0000000' || round || '-0000-7000-8000-000000' || 100000 + n)::uuid;

CREATE TABLE sentences AS
SELECT n, (SELECT string_agg(substr(md5(((random() ^ 2) * 5000)::integer::text), 1, 3 + k % 6), ' ')
           FROM generate_series(1, 16) AS k WHERE n IS NOT NULL) AS content
FROM generate_series(0, 19999) AS n;

INSERT INTO companion.users (id, display_name)
SELECT user_id(n), 'user ' || n FROM generate_series(0, :users - 1) AS n;
INSERT INTO companion.conversations (user_id, id, channel, started_at, ended_at)
SELECT user_id(n), conversation_id(n, round), 'web', '2026-01-01', CASE WHEN round < 9 THEN timestamptz '2026-01-02' END
FROM generate_series(0, :users - 1) AS n, generate_series(0, 9) AS round;

-- The indexes are built after the rows.
SET session_replication_role = replica;
UPDATE pg_index SET indisready = false WHERE indrelid = 'companion.messages'::regclass;
INSERT INTO companion.messages (user_id, conversation_id, role, content, created_at)
SELECT user_id(m.n), conversation_id(m.n, i / (10 * :users)), CASE i % 2 WHEN 0 THEN 'user' ELSE 'assistant' END,
       s.content, '2026-01-01'::timestamptz + i * interval '1 second'
FROM (SELECT i, CASE WHEN i % 1000 = 0 THEN 0 ELSE i % :users END AS n
      FROM generate_series(0, 100 * :users - 1) AS i) AS m
JOIN sentences AS s ON s.n = m.i % 20000;
REINDEX TABLE companion.messages;
-- The texts that are hardest to make an excerpt of, of a user who has no others
INSERT INTO companion.users (id) VALUES (:'hard');
INSERT INTO companion.conversations (user_id, id, channel) VALUES (:'hard', :'hard', 'web');
INSERT INTO companion.messages (user_id, conversation_id, role, content)
SELECT :'hard', :'hard', 'user', repeat('a b ', 16000) FROM generate_series(1, 100);
VACUUM ANALYZE companion.users, companion.conversations, companion.messages;

-- An end user whom no policy holds
CREATE ROLE unheld BYPASSRLS IN ROLE companion_user;

CREATE SCHEMA usual;
CREATE TABLE usual.conversations (id uuid PRIMARY KEY, user_id uuid NOT NULL);
INSERT INTO usual.conversations SELECT id, user_id FROM companion.conversations;
CREATE INDEX ON usual.conversations (user_id);
CREATE TABLE usual.messages AS
SELECT id, conversation_id, role, content, created_at FROM companion.messages;
ALTER TABLE usual.messages ADD PRIMARY KEY (id);
CREATE INDEX ON usual.messages (conversation_id, created_at);
CREATE INDEX ON usual.messages (created_at);
ALTER TABLE usual.conversations ENABLE ROW LEVEL SECURITY;
ALTER TABLE usual.messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON usual.conversations USING (user_id = companion.current_user_id());
CREATE POLICY own ON usual.messages
USING (conversation_id IN (SELECT id FROM usual.conversations WHERE user_id = companion.current_user_id()));
GRANT USAGE ON SCHEMA usual TO companion_user;
GRANT SELECT ON usual.conversations, usual.messages TO companion_user;
VACUUM ANALYZE usual.conversations, usual.messages;
CHECKPOINT;
