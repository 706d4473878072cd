-- Changing what is noted of an item without stating it anew; and all of memory as its user may see it.
\i test/fresh.sql
\pset null -
\set maya '''00000000-0000-7000-8000-00000000000a'''
\set noor '''00000000-0000-7000-8000-00000000000b'''
INSERT INTO companion.users (id) VALUES (:maya), (:noor);
INSERT INTO companion.conversations (user_id, id, channel) VALUES (:maya, :maya, 'web');
INSERT INTO companion.messages (user_id, id, conversation_id, role, content, created_at) VALUES
    (:maya, '01a21c49-0000-7000-8000-000000000001', :maya, 'user', 'Espresso, please. Always.', '2026-03-01 09:00+00'),
    (:maya, '01a21c49-0000-7000-8000-000000000002', :maya, 'assistant', 'You seem tired', '2026-03-01 09:01+00');
SET companion.clock = '2026-03-02 12:00+00';
SELECT id FROM companion.upsert_user_context(:maya, 'preference', 'Coffee', 'espresso', 0.4, 1, 'user', '2026-04-01', '01a21c49-0000-7000-8000-000000000001', '{"tags": ["a", "b"], "n": 1, "in": {"x": 1}}') \gset
SELECT count(*) FROM companion.upsert_user_context(:maya, 'mood', 'now', 'tired', source_message_id => '01a21c49-0000-7000-8000-000000000002');
SELECT count(*) FROM companion.upsert_user_context(:maya, 'mood', 'then', 'gone', expires_at => '2026-03-02');
SET companion.clock = '2026-03-03 12:00+00';

SELECT importance, pinned, expires_at, metadata, confirmations, confirmed_at, value_since, last_used_at, updated_at
FROM companion.update_user_context(:maya, :'id', importance => 0.9);
SELECT importance, pinned, expires_at FROM companion.update_user_context(:maya, category => 'preference ', key => 'COFFEE', pinned => true, expires_at => 'infinity');
SELECT importance, pinned, expires_at FROM companion.update_user_context(:maya, :'id', importance => 0, expires_at => '2026-05-01', pinned => false);
-- Metadata is replaced or merged: objects member by member, and arrays are given what they lack, once.
SELECT metadata FROM companion.update_user_context(:maya, :'id', metadata => '{"tags": ["c", "b", "c"], "n": 2, "in": {"y": [1]}, "new": []}', merge => true);
SELECT metadata FROM companion.update_user_context(:maya, :'id', metadata => '{"tags": ["c", "b", "c"], "n": [2], "in": {"y": [1, 2]}}', merge => true);
SELECT metadata FROM companion.update_user_context(:maya, :'id', metadata => '{}', merge => true);
SELECT metadata FROM companion.update_user_context(:maya, :'id', metadata => '{"only": 1}');
SELECT metadata FROM companion.update_user_context(:maya, :'id', merge => true);
SELECT count(*) FROM companion.user_context_history;
-- No such item, or none any more.
SELECT companion.update_user_context(:maya, category => 'preference', key => 'tea', importance => 1) IS NULL AS none,
       companion.update_user_context(:maya, category => 'mood', key => 'then', importance => 1) IS NULL AS expired,
       companion.update_user_context(:noor, :'id', importance => 1) IS NULL AS anothers;
SELECT pg_temp.error_of(format('SELECT companion.update_user_context(%L, %s)', :maya, arguments)) FROM (VALUES
    (1, 'importance => 1'), (2, 'category => ''mood'''), (3, 'id => ''' || :'id' || ''', category => ''mood'', key => ''now'''),
    (4, 'category => ''mood'', key => ''now'', importance => 2'), (5, 'category => ''mood'', key => ''now'', metadata => ''[]'''),
    (6, 'category => ''mood'', key => ''now'', expires_at => ''-infinity'''), (7, 'category => ''mood'', key => ''now'', merge => NULL'),
    (8, 'category => ''mood'', key => ''now'', metadata => ''{"follow_up_on": "soon"}''')) AS v (n, arguments) ORDER BY n;
SET companion.max_json_size = '1kB';
SELECT count(companion.update_user_context(:maya, :'id', metadata => '{}'));
SELECT pg_temp.error_of(format($$SELECT companion.update_user_context(%L, %L, metadata => jsonb_build_object(n, repeat('x', 600)), merge => true) FROM generate_series(1, 3) AS n$$, :maya, :'id'));
RESET companion.max_json_size;
CREATE FUNCTION pg_temp.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE UPDATE ON companion.user_context FOR EACH ROW EXECUTE FUNCTION pg_temp.keep();
SELECT companion.update_user_context(:maya, :'id', importance => 1);
DROP TRIGGER keep ON companion.user_context;

-- What is remembered, since when, and from which words.
SELECT * FROM companion.memory_report(:maya);
SELECT companion.resolve_user_context(:maya, 'mood', 'now');
SET ROLE companion_user;
SET companion.user_id = :maya;
SELECT category, key, since, words, resolved_at FROM companion.memory_report();
SELECT importance FROM companion.update_user_context(:maya, :'id', importance => 1);
SELECT count(*) FROM companion.memory_report(:noor);
SELECT companion.update_user_context(:noor, :'id', importance => 1);
RESET ROLE;
