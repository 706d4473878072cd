-- What is forgotten does not come back from the message that it came from; what is deleted takes along
-- what rests on it alone.
\i test/fresh.sql
\pset null -
\set maya '''00000000-0000-7000-8000-00000000000a'''
\set noor '''00000000-0000-7000-8000-00000000000b'''
INSERT INTO companion.users (id) VALUES (:maya), (:noor);
INSERT INTO companion.conversations (user_id, id, channel) SELECT id, id, 'web' FROM companion.users;
CREATE FUNCTION pg_temp.message(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN ('01a21c49-0000-7000-8000-00000000000' || n)::uuid;
INSERT INTO companion.messages (user_id, id, conversation_id, role, content)
SELECT :maya, pg_temp.message(n), :maya, CASE WHEN n = 7 THEN 'assistant' ELSE 'user' END, 'message ' || n FROM generate_series(1, 9) AS n;
SET companion.clock = '2026-03-02 12:00+00';
CREATE FUNCTION pg_temp.tell(key text, value text, n integer, source text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(value, 'not taken') FROM companion.upsert_user_context('00000000-0000-7000-8000-00000000000a', 'fact', key, tell.value, source => tell.source, source_message_id => pg_temp.message(n))
$$;

-- An extraction that is run again on the same message teaches nothing that was forgotten.
SELECT pg_temp.tell('ex', 'Anna', 1), pg_temp.tell('ex', 'Anna', 2), pg_temp.tell('ex', 'Bea', 3), pg_temp.tell('pet', 'a cat', 1);
SELECT * FROM companion.forget_user_context(:maya, 'fact', 'EX');
SELECT pg_temp.tell('ex', 'Anna', 1), pg_temp.tell('Ex ', 'Anna', 2, 'user'), pg_temp.tell('ex', 'Bea', 3);
SELECT key, outcome, reason FROM companion.upsert_user_context_many(:maya, jsonb_build_array(
    jsonb_build_object('category', 'fact', 'key', 'ex', 'value', 'Anna', 'source_message_id', pg_temp.message(1)),
    jsonb_build_object('category', 'fact', 'key', 'pet', 'value', 'a cat', 'source_message_id', pg_temp.message(1))));
SELECT key, value FROM companion.user_context;
-- What is not known is its content; another message, and the user by hand, may.
SELECT count(*), bool_and(length(fact) = 32) AS are_hashes FROM companion.forgotten_facts;
SELECT pg_temp.tell('ex', 'Anna', 4);
SELECT * FROM companion.forget_user_context(:maya, 'fact', 'ex');
SELECT value FROM companion.upsert_user_context(:maya, 'fact', 'ex', 'Anna', source => 'user');
SELECT count(*) FROM companion.forgotten_facts;
-- What was said against the user's word taught nothing; forgotten it must not, either.
SELECT pg_temp.tell('ex', 'Cleo', 5);
SELECT * FROM companion.forget_user_context(:maya, 'fact', 'ex');
SELECT pg_temp.tell('ex', 'Cleo', 5);
-- Forgetting all remembers all; the rows go with the message, and with the user.
SELECT items FROM companion.forget_user_context(:maya);
SELECT pg_temp.tell('pet', 'a cat', 1);
DELETE FROM companion.messages WHERE id = pg_temp.message(1);
SELECT count(*) FROM companion.forgotten_facts;

-- Deleting a message leaves its facts, unless it is to take those that rest on it alone.
SELECT pg_temp.tell('left', 'v', 2), pg_temp.tell('alone', 'old', 3), pg_temp.tell('alone', 'v', 2), pg_temp.tell('twice', 'v', 2), pg_temp.tell('twice', 'v', 2),
       pg_temp.tell('both', 'v', 3), pg_temp.tell('both', 'v', 2), pg_temp.tell('earlier', 'v', 2), pg_temp.tell('earlier', 'w', 3);
SELECT value FROM companion.upsert_user_context(:maya, 'fact', 'hand', 'v');
SELECT pg_temp.tell('hand', 'v', 2);
BEGIN;
SELECT companion.delete_message(:maya, pg_temp.message(2));
SELECT key, value, source_message_id FROM companion.user_context ORDER BY key;
ROLLBACK;
SELECT companion.delete_message(:maya, pg_temp.message(2), forget_facts => true), companion.delete_message(:maya, pg_temp.message(2), forget_facts => true) AS again;
SELECT key, value, source_message_id, stated_in FROM companion.user_context ORDER BY key;
SELECT key, value FROM companion.user_context_history ORDER BY key;
-- Of rows of 0.1.0 it is known where they were stated once.
INSERT INTO companion.user_context (user_id, category, key, value, source_message_id, confirmations) VALUES
    (:maya, 'old', 'once', 'v', pg_temp.message(4), 1), (:maya, 'old', 'twice', 'v', pg_temp.message(4), 2);
SELECT companion.delete_message(:maya, pg_temp.message(4), true);
SELECT key, source_message_id FROM companion.user_context WHERE category = 'old';
-- The words are gone from what searches have kept.
INSERT INTO companion.messages (user_id, conversation_id, role, content) SELECT :maya, :maya, 'user', 'a common word' FROM generate_series(1, 70);
SELECT count(*) FROM companion.search_messages(:maya, 'message');
SELECT count(*) FROM companion.search_chunks;
SELECT companion.delete_message(:maya, pg_temp.message(3));
SELECT count(*) FROM companion.search_chunks;
SELECT count(*) FROM companion.search_messages(:maya, 'message');

-- End users delete what they wrote.
SET ROLE companion_user;
SET companion.user_id = :maya;
SELECT companion.delete_message(:maya, pg_temp.message(5), true);
SELECT companion.delete_message(:maya, pg_temp.message(7));
SELECT companion.delete_message(:noor, pg_temp.message(8));
SET companion.user_id = :noor;
SELECT companion.delete_message(:noor, pg_temp.message(8));
SET ROLE companion_worker;
SELECT companion.delete_message(:maya, pg_temp.message(7));
RESET ROLE;
-- A trigger that keeps it ends in an error.
CREATE FUNCTION pg_temp.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE DELETE ON companion.messages FOR EACH ROW EXECUTE FUNCTION pg_temp.keep();
SELECT companion.delete_message(:maya, pg_temp.message(8));
DROP TRIGGER keep ON companion.messages;

-- Many messages: the last hundred are known.
INSERT INTO companion.messages (user_id, id, conversation_id, role, content)
SELECT :maya, ('01a21c49-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid, :maya, 'user', 'again' FROM generate_series(1, 120) AS n;
SELECT count(companion.upsert_user_context(:maya, 'fact', 'often', 'v', source_message_id => id)) FROM companion.messages WHERE content = 'again';
SELECT cardinality(stated_in), right(stated_in[1]::text, 3), right(stated_in[100]::text, 3) FROM companion.user_context WHERE key = 'often';
SELECT count(companion.upsert_user_context(:maya, 'fact', 'changes', id::text, source_message_id => id)) FROM companion.messages WHERE content = 'again';
SELECT cardinality(earlier_stated_in), right(earlier_stated_in[1]::text, 3), right(earlier_stated_in[100]::text, 3) FROM companion.user_context WHERE key = 'changes';
