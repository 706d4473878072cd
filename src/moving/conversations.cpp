// Conversations and messages that are taken over.
#include "moving/import.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"

using namespace companion;

namespace {

constexpr ImportedField conversation_fields[] = {{"user_id"},
                                                 {"id"},
                                                 {"channel"},
                                                 {"initiated_by"},
                                                 {"started_at", nullptr, check_past_id_time},
                                                 {"ended_at", nullptr, check_past_time},
                                                 {"mood_summary"},
                                                 {"topics"}};

// One that is there, and open, is ended by the element that ends it.
Statement take_conversation{R"sql(
    WITH given AS MATERIALIZED (
        SELECT r.ordinality AS place, r.user_id, nullif(r.id, '') AS given_id,
               companion.old_id(r.id) AS old_id, r.channel,
               coalesce(r.initiated_by, 'user') AS initiated_by, r.started_at, r.ended_at,
               r.mood_summary, coalesce(r.topics, '{}') AS topics
        FROM ROWS FROM (jsonb_to_recordset($1) AS (
            user_id uuid, id text, channel text, initiated_by text, started_at timestamptz,
            ended_at timestamptz, mood_summary text, topics text[])) WITH ORDINALITY AS r),
    g AS MATERIALIZED (
        SELECT given.*, own.new_id AS noted_id,
               CASE WHEN companion.is_time_ordered(given.old_id) THEN given.old_id
                    ELSE own.new_id END AS known_id
        FROM given LEFT JOIN LATERAL (
            SELECT k.new_id FROM companion.rekeyed_ids AS k
            WHERE k.user_id = given.user_id AND k.table_name = 'conversations'
                AND k.old_id = given.old_id LIMIT 1) AS own ON true),
    met AS MATERIALIZED (
        SELECT g.*,
               CASE WHEN g.user_id IS NULL THEN 'it has no user_id'
                    WHEN g.given_id IS NULL THEN 'it has no id'
                    WHEN NOT EXISTS (
                        SELECT FROM companion.users AS u WHERE u.id = g.user_id OFFSET 0)
                        THEN 'there is no such user'
                    WHEN standing.id IS NOT NULL THEN NULL
                    WHEN g.noted_id IS NOT NULL THEN 'it was deleted since'
                    WHEN g.channel IS NULL THEN 'it has no channel'
                    WHEN g.started_at IS NULL THEN 'it has no started_at'
                    WHEN g.ended_at IS NULL AND EXISTS (
                        SELECT FROM companion.conversations AS c
                        WHERE c.user_id = g.user_id AND c.channel = g.channel
                            AND c.ended_at IS NULL OFFSET 0)
                        THEN 'another is open on this channel: it needs an ended_at' END AS fault,
               standing.id IS NOT NULL AS is_there,
               standing.id IS NOT NULL AND standing.ended_at IS NULL AND g.ended_at IS NOT NULL
                   AS is_ended,
               held.id IS NULL AS is_busy,
               coalesce(g.known_id, CASE WHEN g.started_at IS NOT NULL
                   THEN companion.uuid_v7(g.started_at) END) AS id
        FROM g LEFT JOIN LATERAL (
            SELECT c.id, c.ended_at FROM companion.conversations AS c
            WHERE c.user_id = g.user_id AND c.id = g.known_id LIMIT 1) AS standing ON true
        LEFT JOIN LATERAL (
            SELECT u.id FROM companion.users AS u WHERE u.id = g.user_id
            FOR NO KEY UPDATE SKIP LOCKED) AS held ON true),
    added AS (
        INSERT INTO companion.conversations AS c
            (user_id, id, channel, initiated_by, started_at, ended_at, mood_summary, topics)
        SELECT m.user_id, m.id, m.channel, m.initiated_by, m.started_at, m.ended_at,
               m.mood_summary, m.topics
        FROM met AS m WHERE m.fault IS NULL AND NOT m.is_there AND NOT m.is_busy
        RETURNING c.user_id, c.id),
    ended AS (
        UPDATE companion.conversations AS c
        SET ended_at = m.ended_at, mood_summary = coalesce(c.mood_summary, m.mood_summary),
            topics = CASE WHEN c.topics = '{}' THEN m.topics ELSE c.topics END
        FROM met AS m CROSS JOIN LATERAL (
            SELECT s.ctid FROM companion.conversations AS s
            WHERE s.user_id = m.user_id AND s.id = m.id LIMIT 1) AS found
        WHERE c.ctid = found.ctid AND c.ended_at IS NULL
            AND m.fault IS NULL AND m.is_ended AND NOT m.is_busy
        RETURNING c.user_id, c.id),
    written AS (SELECT * FROM added UNION ALL SELECT * FROM ended),
    noted AS (
        INSERT INTO companion.rekeyed_ids (user_id, table_name, old_id, new_id)
        SELECT m.user_id, 'conversations', m.old_id, m.id FROM met AS m
        WHERE m.fault IS NULL AND NOT m.is_busy AND m.noted_id IS NULL)
    SELECT CASE WHEN m.fault IS NULL AND (m.is_there OR NOT m.is_busy) THEN m.id END,
           CASE WHEN m.fault IS NOT NULL THEN 'refused'
                WHEN m.is_there AND NOT m.is_ended THEN 'there already'
                WHEN NOT m.is_busy THEN 'taken' END,
           coalesce(m.fault, CASE WHEN (m.is_ended OR NOT m.is_there) AND m.is_busy
               THEN 'another transaction holds the user: call again' END),
           CASE WHEN EXISTS (SELECT FROM written)
                THEN (m.user_id, m.id) IN (SELECT w.user_id, w.id FROM written AS w) END,
           m.user_id,
           m.is_ended AND EXISTS (
               SELECT FROM met AS other
               WHERE other.user_id = m.user_id AND other.id = m.id AND other.place < m.place)
    FROM met AS m ORDER BY m.place)sql",
                            JSONBOID};

constexpr ImportedField message_fields[] = {{"user_id"},
                                            {"id"},
                                            {"conversation_id"},
                                            {"role"},
                                            {"content", &settings::max_message_length},
                                            {"telegram_message_id"},
                                            {"reply_to_id"},
                                            {"edited_at", nullptr, check_past_time},
                                            {"metadata"},
                                            {"created_at", nullptr, check_past_id_time},
                                            {"external_id"},
                                            {"channel"},
                                            {"bot"},
                                            {"address"}};

Statement take_message{R"sql(
    WITH given AS MATERIALIZED (
        SELECT r.ordinality AS place, r.user_id, nullif(r.id, '') AS given_id,
               companion.old_id(r.id) AS old_id, r.conversation_id,
               companion.old_id(r.conversation_id) AS old_conversation, r.role, r.content,
               r.telegram_message_id, r.reply_to_id, companion.old_id(r.reply_to_id) AS old_reply,
               r.edited_at, coalesce(r.metadata, '{}') AS metadata, r.created_at,
               r.external_id, r.channel, r.bot, r.address
        FROM ROWS FROM (jsonb_to_recordset($1) AS (
            user_id uuid, id text, conversation_id text, role text, content text,
            telegram_message_id bigint, reply_to_id text, edited_at timestamptz, metadata jsonb,
            created_at timestamptz, external_id text, channel text, bot text, address text))
            WITH ORDINALITY AS r),
    known AS MATERIALIZED (
        SELECT given.*, own.new_id AS noted_id, in_conversation.new_id AS noted_conversation,
               answered.new_id AS noted_reply,
               CASE WHEN companion.is_time_ordered(given.old_id) THEN given.old_id
                    ELSE own.new_id END AS known_id,
               CASE WHEN companion.is_time_ordered(given.old_conversation)
                    THEN given.old_conversation ELSE in_conversation.new_id END AS known_conversation,
               CASE WHEN companion.is_time_ordered(given.old_reply) THEN given.old_reply
                    ELSE answered.new_id END AS known_reply
        FROM given LEFT JOIN LATERAL (
            SELECT k.new_id FROM companion.rekeyed_ids AS k
            WHERE k.user_id = given.user_id AND k.table_name = 'messages'
                AND k.old_id = given.old_id LIMIT 1) AS own ON true
        LEFT JOIN LATERAL (
            SELECT k.new_id FROM companion.rekeyed_ids AS k
            WHERE k.user_id = given.user_id AND k.table_name = 'conversations'
                AND k.old_id = given.old_conversation LIMIT 1) AS in_conversation ON true
        LEFT JOIN LATERAL (
            SELECT k.new_id FROM companion.rekeyed_ids AS k
            WHERE k.user_id = given.user_id AND k.table_name = 'messages'
                AND k.old_id = given.old_reply LIMIT 1) AS answered ON true),
    g AS MATERIALIZED (
        SELECT known.*,
               coalesce(known.known_id, CASE WHEN known.created_at IS NOT NULL
                   THEN companion.uuid_v7(known.created_at) END) AS id
        FROM known),
    met AS MATERIALIZED (
        SELECT g.place, g.user_id, g.old_id, g.noted_id, g.id, g.known_conversation, g.role, g.content,
               g.telegram_message_id, g.edited_at, g.metadata, g.created_at, g.external_id, g.bot,
               CASE WHEN g.user_id IS NULL THEN 'it has no user_id'
                    WHEN g.given_id IS NULL THEN 'it has no id'
                    WHEN standing.id IS NOT NULL THEN NULL
                    WHEN g.noted_id IS NOT NULL THEN 'it was deleted since'
                    WHEN g.conversation_id IS NULL THEN 'it has no conversation_id'
                    WHEN c.id IS NULL AND g.noted_conversation IS NOT NULL
                        THEN 'its conversation was deleted since'
                    WHEN c.id IS NULL THEN 'there is no such conversation of the user''s'
                    WHEN g.role IS NULL THEN 'it has no role'
                    WHEN g.content IS NULL THEN 'it has no content'
                    WHEN g.created_at IS NULL THEN 'it has no created_at'
                    WHEN g.reply_to_id IS NOT NULL AND coalesce(answered.id, earlier.id) IS NULL
                        AND g.noted_reply IS NULL
                        THEN 'the message that it answers is not there'
                    WHEN num_nonnulls(g.telegram_message_id, g.external_id) > 1
                        THEN 'expected either telegram_message_id or external_id, got both'
                    WHEN g.external_id IS NOT NULL AND coalesce(g.channel, c.channel) = 'telegram'
                        THEN 'channel "telegram" has no external_id'
                    WHEN g.telegram_message_id IS NOT NULL
                        AND coalesce(g.channel, c.channel) <> 'telegram'
                        THEN format('channel "%s" has no telegram_message_id', coalesce(g.channel, c.channel))
               END AS fault,
               standing.id IS NOT NULL AS is_there,
               held.id IS NULL AS is_busy,
               coalesce(answered.id, earlier.id) AS reply_to_id,
               CASE WHEN num_nonnulls(g.telegram_message_id, g.external_id) > 0
                    THEN coalesce(g.channel, c.channel) END AS channel,
               held.address
        FROM g LEFT JOIN LATERAL (
            SELECT c.id, c.channel FROM companion.conversations AS c
            WHERE c.user_id = g.user_id AND c.id = g.known_conversation LIMIT 1) AS c ON true
        LEFT JOIN LATERAL (
            SELECT m.id FROM companion.messages AS m
            WHERE m.user_id = g.user_id AND m.id = g.known_id LIMIT 1) AS standing ON true
        LEFT JOIN LATERAL (
            SELECT m.id FROM companion.messages AS m
            WHERE m.user_id = g.user_id AND m.id = g.known_reply LIMIT 1) AS answered ON true
        LEFT JOIN LATERAL (
            SELECT e.id FROM g AS e
            WHERE g.reply_to_id IS NOT NULL AND answered.id IS NULL AND e.place < g.place
                AND e.user_id = g.user_id AND e.old_id = g.old_reply LIMIT 1) AS earlier ON true
        LEFT JOIN LATERAL (
            SELECT u.id,
                   CASE WHEN g.address IS NULL AND num_nonnulls(g.telegram_message_id, g.external_id) > 0
                        THEN companion.channel_address(u, coalesce(g.channel, c.channel))
                        ELSE g.address END AS address
            FROM companion.users AS u WHERE u.id = g.user_id
            FOR NO KEY UPDATE SKIP LOCKED) AS held ON true),
    added AS (
        INSERT INTO companion.messages AS m
            (user_id, id, conversation_id, role, content, telegram_message_id, reply_to_id,
             edited_at, metadata, created_at, external_id, channel, bot, address)
        SELECT n.user_id, n.id, n.known_conversation, n.role, n.content, n.telegram_message_id,
               n.reply_to_id, n.edited_at, n.metadata, n.created_at, n.external_id, n.channel,
               CASE WHEN n.channel IS NOT NULL THEN coalesce(n.bot, '') END,
               CASE WHEN n.channel IS NOT NULL THEN coalesce(n.address, '') END
        FROM met AS n WHERE n.fault IS NULL AND NOT n.is_there AND NOT n.is_busy
        RETURNING m.user_id, m.id),
    noted AS (
        INSERT INTO companion.rekeyed_ids (user_id, table_name, old_id, new_id)
        SELECT m.user_id, 'messages', m.old_id, m.id FROM met AS m
        WHERE m.fault IS NULL AND NOT m.is_busy AND m.noted_id IS NULL)
    SELECT CASE WHEN m.fault IS NULL AND (m.is_there OR NOT m.is_busy) THEN m.id END,
           CASE WHEN m.fault IS NOT NULL THEN 'refused' WHEN m.is_there THEN 'there already'
                WHEN NOT m.is_busy THEN 'taken' END,
           coalesce(m.fault, CASE WHEN NOT m.is_there AND m.is_busy
               THEN 'another transaction holds the user: call again' END),
           CASE WHEN EXISTS (SELECT FROM added)
                THEN (m.user_id, m.id) IN (SELECT a.user_id, a.id FROM added AS a) END,
           m.user_id, false
    FROM met AS m ORDER BY m.place)sql",
                       JSONBOID};

Statement set_last_user_messages{R"sql(
    UPDATE companion.users AS u SET last_user_message_at = m.last_at
    FROM (SELECT m.user_id, max(m.created_at) AS last_at
          FROM unnest($1, $2) AS taken (user_id, id)
          CROSS JOIN LATERAL (
              SELECT m.user_id, m.role, m.created_at FROM companion.messages AS m
              WHERE m.user_id = taken.user_id AND m.id = taken.id LIMIT 1) AS m
          WHERE m.role = 'user' GROUP BY m.user_id) AS m
    CROSS JOIN LATERAL (
        SELECT t.ctid FROM companion.users AS t WHERE t.id = m.user_id LIMIT 1) AS found
    WHERE u.ctid = found.ctid
        AND (u.last_user_message_at IS NULL OR u.last_user_message_at < m.last_at)
)sql",
                                 UUIDARRAYOID, UUIDARRAYOID};

const Import conversations{"conversations", conversation_fields, &take_conversation},
    messages{"messages", message_fields, &take_message, [](Datum user_ids, Datum ids) {
                 set_last_user_messages.execute({user_ids, ids});
             }};

} // namespace

COMPANION_FUNCTION(import_conversations)
{
    return import_rows(fcinfo, conversations);
}

COMPANION_FUNCTION(import_messages)
{
    return import_rows(fcinfo, messages);
}
