-- Searching one's messages: queries as on the web, ranked, with an excerpt; and what a search
-- keeps for the next never changes what it finds.
\i test/fresh.sql
\set maya '\'00000000-0000-0000-0000-000000000001\''
\set diego '\'00000000-0000-0000-0000-000000000002\''
SET companion.clock = '2026-03-02 08:00+00';
INSERT INTO companion.users (id, display_name) VALUES (:maya, 'Maya'), (:diego, 'Diego');
SELECT companion.open_conversation(:maya, 'web') AS conversation \gset
SELECT count(companion.add_message(:maya, :'conversation', 'user', content)) AS added FROM (VALUES
    ('I planted tomatoes in the garden'), ('the tomatoes need water, so many tomatoes'),
    ('slept badly, again'), ('my sister Ana called about the garden party'),
    ('Ana''s party was lovely 🎉'), ('C''est déjà l''été à Genève'),
        ('a "quoted" word & an | operator')
) AS v (content);
SELECT companion.add_message(:diego, companion.open_conversation(:diego, 'web'), 'user',
    'tomatoes for Diego') IS NOT NULL AS added;

-- Words, a phrase, or, not; the best first, of equals the latest.
SELECT excerpt FROM companion.search_messages(:maya, 'tomatoes');
SELECT excerpt FROM companion.search_messages(:maya, 'garden');
SELECT excerpt FROM companion.search_messages(:maya, 'garden -party');
SELECT excerpt FROM companion.search_messages(:maya, '"garden party"');
SELECT excerpt FROM companion.search_messages(:maya, '"party garden"');
SELECT excerpt FROM companion.search_messages(:maya, 'slept or lovely');
SELECT excerpt FROM companion.search_messages(:maya, 'DÉJÀ genève');
SELECT count(*) FROM companion.search_messages(:maya, '-tomatoes');
SELECT count(*) FROM companion.search_messages(:maya, 'tomatoes', 1);
SELECT role, rank > 0 AS is_ranked, created_at, conversation_id = :'conversation' AS is_hers,
       (SELECT content FROM companion.messages AS m WHERE m.id = message_id)
FROM companion.search_messages(:maya, 'badly');

-- Whatever is asked is a query; what holds no word finds nothing.
SELECT left(query, 20) AS query, (SELECT count(*)
FROM companion.search_messages(:maya, query)) AS found FROM (VALUES
    (''), ('   '), ('🎉'), ('!'), ('& | ! ( ) <-> :*'), ('"'), ('''; DROP TABLE x; --'), ('-'),
        ('or or or'),
    ('a:b:c*'), ('"quoted" operator'), ('tomatoes & !water'), (E'\\'), ('ana''s'), (repeat('ab',
        500))
) AS v (query);
SELECT pg_temp.error_of(statement) FROM (VALUES
    ('SELECT companion.search_messages(''00000000-0000-0000-0000-000000000001'', repeat(''a'', 1001))'),
    ('SELECT companion.search_messages(''00000000-0000-0000-0000-000000000001'', repeat(''a '', 500000))'),
    ('SELECT companion.search_messages(''00000000-0000-0000-0000-000000000001'', ''a'', 0)'),
    ('SELECT companion.search_messages(''00000000-0000-0000-0000-000000000001'', ''a'', -1)'),
    ('SELECT companion.search_messages(''00000000-0000-0000-0000-000000000001'', ''a'', 1001)'),
    ('SELECT companion.search_messages(NULL, ''a'')'),
    ('SELECT companion.search_messages(''00000000-0000-0000-0000-000000000001'', NULL)'),
    ('SELECT companion.search_messages(''00000000-0000-0000-0000-000000000001'', ''a'', NULL)')
) AS v (statement);

-- The configuration is a setting: one that knows English finds other forms of a word.
SELECT excerpt FROM companion.search_messages(:maya, 'tomato');
SET companion.text_search_config = 'english';
SELECT excerpt FROM companion.search_messages(:maya, 'tomato');
SET companion.text_search_config = 'nonsense';
SELECT pg_temp.error_of('SELECT companion.search_messages(''00000000-0000-0000-0000-000000000001'', ''a'')');
RESET companion.text_search_config;

-- A search finds the same whether it reads the messages or what searches have kept of them.
CREATE FUNCTION pg_temp.differences(config regconfig) RETURNS TABLE (query text,
    only_in text) LANGUAGE sql AS $$
    WITH found AS (
        SELECT q, f.message_id
            FROM unnest(ARRAY['w1', 'w2 w3', '"w2 w3"', 'w4 or w5', '-w1', 'w7 -w8', 'edited',
            'old']) AS q,
            companion.search_messages('00000000-0000-0000-0000-000000000001', q, 1000) AS f),
    wanted AS (
        SELECT q, m.id FROM unnest(ARRAY['w1', 'w2 w3', '"w2 w3"', 'w4 or w5', '-w1', 'w7 -w8',
            'edited', 'old']) AS q, companion.messages AS m
        WHERE m.user_id = '00000000-0000-0000-0000-000000000001'
            AND to_tsvector(config, m.content) @@ websearch_to_tsquery(config, q))
    (SELECT q, 'search' FROM (TABLE found EXCEPT ALL TABLE wanted) AS f)
    UNION ALL (SELECT q, 'messages' FROM (TABLE wanted EXCEPT ALL TABLE found) AS w)
$$;
CREATE FUNCTION pg_temp.kept() RETURNS text LANGUAGE sql AS $$
    SELECT count(*) || ' chunks, ' || coalesce(sum(message_count), 0) || ' messages'
        FROM companion.search_chunks
$$;
SELECT pg_temp.kept();
INSERT INTO companion.messages (user_id, conversation_id, role, content)
SELECT :maya, :'conversation', 'user', format('w%s w%s w%s', n % 7, n % 11, n % 13)
FROM generate_series(1, 300) AS n;
BEGIN READ ONLY;
SELECT * FROM pg_temp.differences('simple');
COMMIT;
SELECT pg_temp.kept();
SELECT * FROM pg_temp.differences('simple');
SELECT pg_temp.kept();
-- Messages that come after it, before it, and go; and one that is edited.
INSERT INTO companion.messages (user_id, conversation_id, role, content)
SELECT :maya, :'conversation', 'user', format('w%s w%s', n % 7, n % 11)
FROM generate_series(1, 100) AS n;
SELECT * FROM pg_temp.differences('simple');
SELECT pg_temp.kept();
INSERT INTO companion.messages (user_id, id, conversation_id, role, content)
VALUES (:maya, '00000000-0000-7000-8000-000000000001', :'conversation', 'user',
    'an old w1 from elsewhere');
SELECT * FROM pg_temp.differences('simple');
DELETE FROM companion.messages WHERE id = '00000000-0000-7000-8000-000000000001';
INSERT INTO companion.messages (user_id, id, conversation_id, role, content)
VALUES (:maya, '00000000-0000-7000-8000-000000000002', :'conversation', 'user', 'another old w1');
SELECT * FROM pg_temp.differences('simple');
DELETE FROM companion.messages WHERE id IN (SELECT id FROM companion.messages
WHERE user_id = :maya ORDER BY id OFFSET 130 LIMIT 2);
SELECT * FROM pg_temp.differences('simple');
SELECT pg_temp.kept();
SELECT companion.edit_message(:maya, id, 'w1 edited') IS NOT NULL AS edited
FROM (SELECT id FROM companion.messages WHERE user_id = :maya ORDER BY id OFFSET 150 LIMIT 1) AS m;
SELECT pg_temp.kept();
BEGIN READ ONLY;
SELECT * FROM pg_temp.differences('simple');
COMMIT;
SELECT * FROM pg_temp.differences('simple');
SELECT pg_temp.kept();
BEGIN ISOLATION LEVEL REPEATABLE READ;
DELETE FROM companion.search_chunks;
SELECT * FROM pg_temp.differences('simple');
SELECT pg_temp.kept();
ROLLBACK;
SET companion.text_search_config = 'english';
SELECT * FROM pg_temp.differences('english');
SELECT DISTINCT config FROM companion.search_chunks;
RESET companion.text_search_config;
-- What was written past the functions and is too long for a document is found by its beginning.
INSERT INTO companion.messages (user_id, conversation_id, role, content)
SELECT :maya, :'conversation', 'user', 'needle ' || string_agg(md5(n::text), ' ') || ' haystack'
FROM generate_series(1, 50000) AS n;
SELECT count(*) FROM companion.search_messages(:maya, 'needle');
SELECT count(*) FROM companion.search_messages(:maya, 'haystack');

-- The excerpt: up to 35 words around what matches best, wherever it is; a phrase rather than its words.
CREATE FUNCTION pg_temp.excerpt(content text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    excerpt text;
BEGIN
    INSERT INTO companion.messages (user_id, conversation_id, role, content)
    SELECT user_id, id, 'user', excerpt.content FROM companion.conversations
    WHERE user_id = '00000000-0000-0000-0000-000000000002';
    SELECT f.excerpt INTO excerpt FROM companion.search_messages('00000000-0000-0000-0000-000000000002', query) AS f;
    DELETE FROM companion.messages WHERE user_id = '00000000-0000-0000-0000-000000000002';
    RETURN excerpt;
END
$$;
SELECT string_agg('word' || n, ' ') AS words FROM generate_series(1, 3000) AS n \gset
SELECT string_agg('rose ' || n, ' ') AS roses FROM generate_series(1, 100) AS n \gset
SELECT pg_temp.excerpt(:'words', 'word2900');
SELECT pg_temp.excerpt(:'words', '"word1 word2"');
SELECT pg_temp.excerpt(:'words', 'word3000');
SELECT pg_temp.excerpt(:'words', 'word1 word2000');
SELECT pg_temp.excerpt(:'words', '-rose');
SELECT pg_temp.excerpt(:'roses' || ' a red rose, blooming. ' || :'roses', '"red rose"');
SELECT pg_temp.excerpt(:'roses' || ' a red rose, blooming. ' || :'roses', '"red rose" or "no such words"');
SELECT pg_temp.excerpt(repeat('日本語', 40000) || ' 花', '花') IS NULL AS beyond_a_document;
SELECT pg_temp.excerpt(repeat('日本語', 10000) || ' 花', '花') LIKE '% **花**' AS found;
SELECT pg_temp.excerpt(content, query) FROM (VALUES
    (1, 'A well-known state-of-the-art park.', 'art'), (2, 'A well-known state-of-the-art park.', 'well-known'),
    (3, 'See (http://example.com/garden?x=1), or write to ana@example.com!', 'example.com'),
    (4, 'See (http://example.com/garden?x=1), or write to ana@example.com!', 'write'),
    (5, '<p>She said "yes"</p>', 'yes'), (6, 'one two one', 'one -three'), (7, 'C''est déjà l''été', 'ÉTÉ'),
    (8, '!! ... no?', 'no'), (9, E'two\nlines and\ttabs', 'lines')) AS v (n, content, query) ORDER BY n;
-- Neither a text nor a query can make a search long: each of these took minutes.
SELECT companion.open_conversation(:diego, 'web') AS conversation \gset
INSERT INTO companion.messages (user_id, conversation_id, role, content)
SELECT :diego, :'conversation', 'user', content FROM
    (VALUES (repeat('a b ', 16000)), ((SELECT string_agg(chr(256 + n % 333), ' ') FROM generate_series(1, 30000) AS n))) AS v (content),
    generate_series(1, 8);
SET statement_timeout = '10min';
SELECT query, (SELECT count(*) FROM companion.search_messages(:diego, v.what)) AS found FROM (VALUES
    (1, 'a phrase', '"a b"'), (2, 'a long phrase', '"' || repeat('a b ', 240) || '"'),
    (3, 'one that does not match', '"' || repeat('a b ', 200) || 'c"'), (4, 'many words', repeat('a b ', 240)),
    (5, 'many phrases', (SELECT string_agg('"a b" or "b a"', ' or ') FROM generate_series(1, 50))),
    (6, 'different words', (SELECT string_agg(chr(256 + n), ' ') FROM generate_series(0, 332) AS n)),
    (7, 'many that are not', 'a ' || repeat('-c ', 300))) AS v (n, query, what) ORDER BY n;
RESET statement_timeout;
-- Texts that are long are kept before they make a chunk, so that they are not read at each search.
SELECT message_count FROM companion.search_chunks WHERE user_id = :diego;
DELETE FROM companion.messages WHERE user_id = :diego;
SELECT companion.add_message(:diego, :'conversation', 'user', 'tomatoes for Diego') IS NOT NULL AS added;

-- Text of a script without spaces between words is searched for substrings; composed and decomposed,
-- and with whatever case, a text is found and shown as it was written.
SELECT count(companion.add_message(:diego, :'conversation', 'user', content)) AS added FROM (VALUES
    ('今天天气很好，我们去公园散步'), ('昨日は京都で美味しい料理を食べました'), ('วันนี้อากาศดีมาก'), ('오늘은 공원에서 산책했어요'),
    (U&'Cafe\0301 DE\0301JA\0300 vu'), ('ÜBER den Fluss'), ('mein Handy ist 手机 neu'), ('ABC日本語DEF')) AS v (content);
SELECT q, (SELECT string_agg(excerpt, ' | ') FROM companion.search_messages(:diego, q)) AS found FROM unnest(ARRAY[
    '天气', '公园', '園', '料理', '京都で', '天好', 'อากาศ', '공원', '산책', U&'caf\00E9', U&'cafe\0301', 'déjà', 'DÉJÀ', 'über', 'FLUSS',
    '手机 neu', '"手机 neu"', '"neu 手机"', '-天气 公园', '公园 or 料理', '公园 -"天气很"', '日本', 'abc日本', '本語def', '（', '天气"', '"']) AS q;
SELECT count(*) FROM companion.search_messages(:diego, '-"天气');
-- What searches have kept finds the same.
INSERT INTO companion.messages (user_id, conversation_id, role, content)
SELECT :diego, :'conversation', 'user', '第' || n || '天' FROM generate_series(1, 70) AS n;
SELECT count(*) FROM companion.search_messages(:diego, '天');
SELECT count(*) FROM companion.search_messages(:diego, '天气');
SELECT excerpt FROM companion.search_messages(:diego, '第7天');
DELETE FROM companion.messages WHERE user_id = :diego AND content <> 'tomatoes for Diego';

-- An end user searches their own; a worker anybody's. What is kept is nobody's to read.
SET ROLE companion_user;
SET companion.user_id = :diego;
SELECT excerpt FROM companion.search_messages(:diego, 'tomatoes');
SELECT companion.search_messages(:maya, 'tomatoes');
SELECT pg_temp.error_of('SELECT FROM companion.search_chunks');
RESET companion.user_id;
SELECT companion.search_messages(:diego, 'tomatoes');
SET ROLE companion_worker;
SELECT count(*) FROM companion.search_messages(:diego, 'tomatoes');
SELECT count(*) FROM companion.search_messages(:maya, 'tomatoes');
RESET ROLE;
