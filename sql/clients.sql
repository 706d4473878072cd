-- What clients pass: drivers that say a parameter's type say the type of their language's value, and no cast is
-- to be needed. double precision for a number with a fraction, bigint for one without, text or unknown for a text.
\i test/fresh.sql
SET companion.clock = '2026-03-04 09:00+00';
\set maya '''00000000-0000-0000-0000-000000000001'''
INSERT INTO companion.users (id, timezone, telegram_user_id, onboarding_completed_at)
VALUES (:maya, 'UTC', 5000000000, '2026-01-01');

-- An importance is a double precision, and comes back as it was given.
PREPARE upsert (uuid, text, text, text, double precision) AS
SELECT importance, importance = $5 AS same FROM companion.upsert_user_context($1, $2, $3, $4, $5);
EXECUTE upsert (:maya, 'fact', 'sum', 'v', 0.1::double precision + 0.2);
EXECUTE upsert (:maya, 'fact', 'sum', 'v', 0.7);
EXECUTE upsert (:maya, 'fact', 'least', 'v', 5e-324);
EXECUTE upsert (:maya, 'fact', 'beyond', 'v', 1.0000000000000002);
PREPARE update (uuid, double precision) AS
SELECT importance FROM companion.update_user_context($1, category => 'fact', key => 'sum', importance => $2);
EXECUTE update (:maya, 0.12345678901234567);
SELECT importance, outcome FROM companion.upsert_user_context_many(:maya,
    '[{"category": "fact", "key": "sum", "value": "v", "importance": 0.30000000000000004}]');
SELECT sum(importance) = 0.1::double precision + 0.2 + 5e-324 AS exact FROM companion.user_context;
SELECT (data -> 'user_context' -> 0 ->> 'importance') AS exported FROM companion.export_user(:maya) AS data;

-- An embedding and its weight as well; a real[], which pgvector's type casts to, is taken as before.
PREPARE embed (uuid, double precision[]) AS
SELECT companion.set_embedding($1, id, 'm', $2) FROM companion.user_context WHERE key = 'sum';
EXECUTE embed (:maya, '{0.1,0.2}');
SELECT embedding FROM companion.context_embeddings;
PREPARE recall (uuid, double precision[], double precision) AS
SELECT key FROM companion.recall_user_context($1, embedding => $2, meaning_weight => $3);
EXECUTE recall (:maya, '{0.1,0.2}', 2.5);
SELECT key FROM companion.recall_user_context(:maya, embedding => '{0.1,0.2}'::real[], meaning_weight => 2.5::real);
EXECUTE embed (:maya, '{1e39}');
EXECUTE embed (:maya, '{1e-46}');

-- A Telegram id is a number or a text, of whatever type a driver says.
PREPARE incoming_number (text, bigint, text, integer) AS
SELECT user_id, is_new FROM companion.record_incoming($1, $2, $3, telegram_message_id => $4);
EXECUTE incoming_number ('telegram', 5000000000, 'hello', 1);
PREPARE incoming_text (text, varchar, text, bigint) AS
SELECT user_id, is_new FROM companion.record_incoming($1, $2, $3, telegram_message_id => $4);
EXECUTE incoming_text ('telegram', '5000000000', 'hello', 1);
SELECT user_id, is_new FROM companion.record_incoming('telegram', '5000000000', 'hello', 1);
SELECT user_id, is_new FROM companion.record_incoming('telegram', 5000000000, 'hello', 1);
SELECT count(*) AS unknown FROM companion.record_incoming('telegram', 7::smallint, 'hello', 1);
SELECT companion.record_incoming('telegram', -7::bigint, 'hello', 1);
SELECT companion.record_incoming('telegram', NULL::bigint, 'hello', 1);
SELECT companion.record_incoming('telegram', NULL, 'hello', 1);
SELECT companion.record_incoming('web', 7, 'hello');
SELECT companion.link_address(:maya, 'telegram', 6000000000, 'other_bot'), companion.link_address(:maya, 'telegram', 7),
    companion.link_address(:maya, 'telegram', '7', 'other_bot');
SELECT bot, address FROM companion.addresses ORDER BY bot, address;
SELECT companion.link_address(:maya, 'telegram', 0);
SELECT telegram_user_id FROM companion.put_user(NULL, '{"telegram_user_id": "8000000000"}');
SELECT telegram_user_id FROM companion.put_user(NULL, '{"telegram_user_id": 8000000000}');
SELECT companion.put_user(NULL, '{"telegram_user_id": "8e9"}');
SELECT count(*) AS users FROM companion.users;
SELECT outcome FROM companion.redeem_telegram_link_token('no token', 7);

-- Seconds as they stand in a 429's retry_after.
PREPARE failed (uuid, uuid, integer, double precision) AS
SELECT companion.mark_failed($1, $2, $3, 'too many requests', retry_after_seconds => $4);
SELECT created FROM companion.schedule_message(:maya, companion.now(), 'hello');
SELECT message_id, attempt FROM companion.claim_messages('w') \gset
SELECT companion.start_send(:maya, :'message_id', :attempt);
EXECUTE failed (:maya, :'message_id', :attempt, 17);
SELECT visible_at - companion.now() AS wait, tries FROM companion.dispatch_queue;
SET companion.clock = '2026-03-04 09:00:17+00';
SELECT attempt FROM companion.claim_messages('w') \gset
SELECT companion.mark_failed_many(ARRAY[:maya]::uuid[], ARRAY[:'message_id']::uuid[], ARRAY[:attempt], '{busy}', retry_after_seconds => 0.25);
SELECT visible_at - companion.now() AS wait FROM companion.dispatch_queue;
SELECT companion.throttle_channel('telegram', retry_after_seconds => 17) - companion.now() < '18 seconds' AS throttled,
    companion.throttle_channel('telegram', bot => 'b', retry_after_seconds => 0.5::real) IS NOT NULL AS bot,
    companion.throttle_channel('telegram', '1 second') IS NOT NULL AS interval;
SELECT companion.throttle_channel('telegram');
SELECT companion.throttle_channel('telegram', '1 second', retry_after_seconds => 1);
SELECT companion.throttle_channel('telegram', retry_after_seconds => -1);
SELECT companion.throttle_channel('telegram', retry_after_seconds => 2592001);
SELECT companion.throttle_channel('telegram', retry_after_seconds => 'NaN');
SELECT companion.mark_failed(:maya, :'message_id', 1, 'busy', '1 second', retry_after_seconds => 1);

-- What calls by name, as PostgREST does, chooses between functions of one name by the arguments' names alone.
SELECT a.oid::regprocedure, b.oid::regprocedure
FROM pg_proc AS a JOIN pg_proc AS b ON b.pronamespace = a.pronamespace AND b.proname = a.proname AND b.oid > a.oid
WHERE a.pronamespace = 'companion'::regnamespace
    AND a.proargnames[1:a.pronargs - a.pronargdefaults] <@ b.proargnames[1:b.pronargs]
    AND b.proargnames[1:b.pronargs - b.pronargdefaults] <@ a.proargnames[1:a.pronargs];
-- No argument of what is called is of a type that a driver's number is not cast to.
SELECT p.oid::regprocedure, type::regtype FROM pg_proc AS p, unnest(proargtypes::oid[]) AS type
WHERE pronamespace = 'companion'::regnamespace AND type IN ('real'::regtype, 'smallint'::regtype, 'numeric'::regtype)
    AND obj_description(p.oid, 'pg_proc') NOT LIKE '%Internal.%';
