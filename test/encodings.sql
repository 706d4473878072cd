-- Texts with letters beyond ASCII: which are the same, and what a search finds.
SET client_min_messages = warning;
CREATE EXTENSION companion;
SET client_encoding = 'UTF8';
\set ECHO all
INSERT INTO companion.users (id) VALUES (:maya);
SELECT companion.open_conversation(:maya, 'web') AS conversation \gset
SELECT count(companion.add_message(:maya, :'conversation', 'user', content)) AS added FROM (VALUES ('ÜBER den Fluss'), ('DÉJÀ Vu')) AS v (content);
SELECT q, (SELECT string_agg(excerpt, ' | ') FROM companion.search_messages(:maya, q)) AS found FROM unnest(ARRAY['über', 'ÜBER', 'FLUSS', 'déjà', 'VU']) AS q;
SELECT key, (companion.upsert_user_context(:maya, 'c', key, E'\n v')).confirmations FROM unnest(ARRAY['Äpfel', 'äpfel', 'TEA', ' tea ']) AS key;
SELECT companion.folded(' ÄÖß X '), companion.normalized(' é '), companion.is_same_text('é', E'\té');
