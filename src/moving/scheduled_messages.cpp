// What an app's own scheduler has sent.
#include "moving/import.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"

using namespace companion;

namespace {

constexpr ImportedField fields[] = {{"user_id"},
                                    {"id"},
                                    {"kind"},
                                    {"idempotency_key"},
                                    {"local_date", nullptr, check_date},
                                    {"timezone"},
                                    {"scheduled_for", nullptr, check_id_time},
                                    {"status"},
                                    {"attempts"},
                                    {"channel"},
                                    {"content", &settings::max_message_length},
                                    {"generation_context"},
                                    {"priority_level"},
                                    {"topic_key"},
                                    {"failure_reason"},
                                    {"sent_at", nullptr, check_past_time},
                                    {"finished_at", nullptr, check_past_time},
                                    {"conversation_id"},
                                    {"message_id"},
                                    {"telegram_message_id"},
                                    {"worker"},
                                    {"created_at", nullptr, check_past_time}};

// A check-in's key is its day's. Of several of one day the one that was sent has it, else the last;
// the others have their ids after it. send_before is when it was due: no time is left to send it.
Statement take{R"sql(
    WITH given AS MATERIALIZED (
        SELECT r.ordinality AS place, r.user_id, nullif(r.id, '') AS id,
               companion.old_id(r.id) AS old_id, coalesce(r.kind, 'custom') AS kind,
               r.idempotency_key, r.local_date, r.timezone, r.scheduled_for, r.status,
               coalesce(r.attempts, 1) AS attempts, r.channel, r.content, r.generation_context,
               r.priority_level, r.topic_key, nullif(r.failure_reason, '') AS failure_reason,
               CASE WHEN r.status = 'sent' THEN coalesce(r.sent_at, r.scheduled_for) END AS sent_at,
               coalesce(r.finished_at, r.sent_at,
                        CASE WHEN r.status IN ('skipped', 'cancelled')
                             THEN least(r.scheduled_for, companion.now())
                             ELSE r.scheduled_for END) AS finished_at,
               r.conversation_id, companion.old_id(r.conversation_id) AS old_conversation,
               r.message_id, companion.old_id(r.message_id) AS old_message,
               r.telegram_message_id, r.worker, r.created_at,
               coalesce(r.kind = 'checkin', false) AND r.idempotency_key IS NULL AS is_of_day
        FROM ROWS FROM (jsonb_to_recordset($1) AS (
            user_id uuid, id text, kind text, idempotency_key text, local_date date, timezone text,
            scheduled_for timestamptz, status text, attempts integer, channel text, content text,
            generation_context jsonb, priority_level smallint, topic_key text, failure_reason text,
            sent_at timestamptz, finished_at timestamptz, conversation_id text, message_id text,
            telegram_message_id bigint, worker text, created_at timestamptz)) WITH ORDINALITY AS r),
    known AS MATERIALIZED (
        SELECT given.*, own.new_id AS noted_id,
               CASE WHEN companion.is_time_ordered(given.old_id) THEN given.old_id
                    ELSE own.new_id END AS known_id,
               CASE WHEN companion.is_time_ordered(given.old_conversation)
                    THEN given.old_conversation ELSE in_conversation.new_id END AS known_conversation,
               CASE WHEN companion.is_time_ordered(given.old_message) THEN given.old_message
                    ELSE filed.new_id END AS known_message
        FROM given LEFT JOIN LATERAL (
            SELECT k.new_id FROM companion.rekeyed_ids AS k
            WHERE k.user_id = given.user_id AND k.table_name = 'conversations'
                AND k.old_id = given.old_conversation LIMIT 1) AS in_conversation ON true
        LEFT JOIN LATERAL (
            SELECT k.new_id FROM companion.rekeyed_ids AS k
            WHERE k.user_id = given.user_id AND k.table_name = 'messages'
                AND k.old_id = given.old_message LIMIT 1) AS filed ON true
        LEFT JOIN LATERAL (
            SELECT k.new_id FROM companion.rekeyed_ids AS k
            WHERE k.user_id = given.user_id AND k.table_name = 'scheduled_messages'
                AND k.old_id = given.old_id LIMIT 1) AS own ON true),
    held AS MATERIALIZED (
        SELECT known.*, u.id AS held_id, coalesce(known.timezone, u.timezone) AS own_timezone
        FROM known LEFT JOIN LATERAL (
            SELECT u.id, u.timezone FROM companion.users AS u WHERE u.id = known.user_id
            FOR NO KEY UPDATE SKIP LOCKED) AS u ON true),
    dated AS MATERIALIZED (
        SELECT held.*,
               CASE WHEN held.held_id IS NOT NULL AND held.scheduled_for IS NOT NULL
                    THEN coalesce(held.local_date, companion.local_timestamp(
                        held.own_timezone, held.scheduled_for)::date) END AS own_date
        FROM held),
    g AS MATERIALIZED (
        SELECT dated.*,
               CASE WHEN dated.held_id IS NULL OR dated.scheduled_for IS NULL THEN NULL
                    WHEN dated.is_of_day THEN companion.checkin_key(dated.own_date)
                    ELSE coalesce(dated.idempotency_key, dated.id) END AS key
        FROM dated),
    met AS MATERIALIZED (
        SELECT g.place, g.user_id, g.old_id, g.noted_id, g.kind, g.key, g.own_date, g.own_timezone,
               g.scheduled_for, g.status, g.attempts, g.channel, g.content, g.generation_context,
               g.priority_level, g.topic_key, g.failure_reason, g.sent_at, g.finished_at,
               g.conversation_id, g.message_id, g.telegram_message_id, g.worker, g.created_at,
               CASE WHEN g.user_id IS NULL THEN 'it has no user_id'
                    WHEN g.id IS NULL THEN 'it has no id'
                    WHEN NOT EXISTS (
                        SELECT FROM companion.users AS u WHERE u.id = g.user_id OFFSET 0)
                        THEN 'there is no such user'
                    WHEN known.id IS NOT NULL THEN NULL
                    WHEN g.noted_id IS NOT NULL THEN 'it was deleted since'
                    WHEN length(g.id) > 200
                        THEN format('id has %s characters, expected at most 200', length(g.id))
                    WHEN g.scheduled_for IS NULL THEN 'it has no scheduled_for'
                    WHEN g.status IS NULL THEN 'it has no status'
                    WHEN g.status = 'pending' THEN 'it is pending: call schedule_message()'
                    WHEN g.status IN ('sent', 'failed', 'unknown')
                        AND g.scheduled_for > companion.now() + interval '1 day'
                        THEN format('scheduled_for is in the future, and it is %s', g.status)
                    WHEN g.attempts < 0 THEN format('attempts is %s, expected at least 0', g.attempts)
                    WHEN g.telegram_message_id < 1
                        THEN format('telegram_message_id is %s, expected at least 1', g.telegram_message_id)
                    WHEN length(g.failure_reason) > 1000
                        THEN format('failure_reason has %s characters, expected at most 1000', length(g.failure_reason))
                    WHEN length(g.topic_key) > 200
                        THEN format('topic_key has %s characters, expected at most 200', length(g.topic_key))
               END AS fault,
               known.id IS NOT NULL OR t.id IS NOT NULL AND NOT g.is_of_day AS is_there,
               g.held_id IS NULL AS is_busy,
               t.id IS NOT NULL AND t.status NOT IN ('pending', 'sent')
                   AND (g.status = 'sent' OR t.status <> 'unknown'
                        AND (g.status = 'unknown' OR g.scheduled_for >= t.scheduled_for)) AS has_day,
               t.id AS standing_id,
               CASE WHEN known.id IS NULL AND t.id IS NOT NULL AND NOT g.is_of_day THEN t.id
                    ELSE coalesce(g.known_id, CASE WHEN g.scheduled_for IS NOT NULL
                        THEN companion.uuid_v7(g.scheduled_for) END) END AS id,
               c.id AS known_conversation, f.id AS known_message
        FROM g LEFT JOIN LATERAL (
            SELECT s.id FROM companion.scheduled_messages AS s
            WHERE s.user_id = g.user_id AND s.id = g.known_id LIMIT 1) AS known ON true
        LEFT JOIN LATERAL (
            SELECT s.id, s.status, s.scheduled_for FROM companion.scheduled_messages AS s
            WHERE s.user_id = g.user_id AND s.idempotency_key = g.key LIMIT 1) AS t ON true
        LEFT JOIN LATERAL (
            SELECT c.id FROM companion.conversations AS c
            WHERE c.user_id = g.user_id AND c.id = g.known_conversation LIMIT 1) AS c ON true
        LEFT JOIN LATERAL (
            SELECT m.id FROM companion.messages AS m
            WHERE m.user_id = g.user_id AND m.id = g.known_message LIMIT 1) AS f ON true),
    taken AS MATERIALIZED (
        SELECT m.*, CASE WHEN m.standing_id IS NULL OR m.has_day THEN m.key
                         ELSE m.key || '#' || m.id END AS own_key
        FROM met AS m
        WHERE m.fault IS NULL AND m.key IS NOT NULL AND NOT m.is_there AND NOT m.is_busy),
    displaced AS (
        UPDATE companion.scheduled_messages AS s
        SET idempotency_key = s.idempotency_key || '#' || s.id
        FROM taken AS t CROSS JOIN LATERAL (
            SELECT s.ctid FROM companion.scheduled_messages AS s
            WHERE s.user_id = t.user_id AND s.id = t.standing_id LIMIT 1) AS found
        WHERE t.has_day AND s.ctid = found.ctid
        RETURNING s.user_id, s.id),
    added AS (
        INSERT INTO companion.scheduled_messages AS s
            (user_id, id, kind, idempotency_key, local_date, timezone, scheduled_for, send_before,
             status, attempts, channel, content, generation_context, priority_level, topic_key,
             failure_reason, sent_at, finished_at, conversation_id, message_id,
             telegram_message_id, worker, created_at)
        SELECT t.user_id, t.id, t.kind, t.own_key, t.own_date, t.own_timezone, t.scheduled_for,
               t.scheduled_for, t.status, t.attempts, t.channel, t.content, t.generation_context,
               t.priority_level, t.topic_key, t.failure_reason, t.sent_at, t.finished_at,
               t.known_conversation, t.known_message, t.telegram_message_id, t.worker,
               coalesce(t.created_at, least(t.scheduled_for, t.finished_at))
        FROM taken AS t
        -- the key is free before it is taken
        LEFT JOIN displaced AS d ON d.user_id = t.user_id AND d.id = t.standing_id
        RETURNING s.user_id, s.id),
    noted AS (
        INSERT INTO companion.rekeyed_ids (user_id, table_name, old_id, new_id)
        SELECT m.user_id, 'scheduled_messages', m.old_id, m.id FROM met AS m
        WHERE m.fault IS NULL AND NOT m.is_busy AND m.noted_id IS NULL)
    SELECT CASE WHEN m.fault IS NULL AND (m.is_there OR NOT m.is_busy) THEN m.id END,
           CASE WHEN m.fault IS NOT NULL THEN 'refused' WHEN m.is_there THEN 'there already'
                WHEN NOT m.is_busy THEN 'taken' END,
           coalesce(m.fault, CASE
               WHEN m.is_there THEN NULL
               WHEN m.is_busy THEN 'another transaction holds the user: call again'
               ELSE nullif(concat_ws('; ',
                   CASE WHEN m.conversation_id IS NOT NULL AND m.known_conversation IS NULL
                        THEN 'conversation_id is left out, since the user has no such conversation' END,
                   CASE WHEN m.message_id IS NOT NULL AND m.known_message IS NULL
                        THEN 'message_id is left out, since the user has no such message' END), '') END),
           CASE WHEN EXISTS (SELECT FROM added)
                THEN (m.user_id, m.id) IN (SELECT a.user_id, a.id FROM added AS a) END,
           m.user_id, m.has_day AND NOT m.is_there
    FROM met AS m ORDER BY m.place)sql",
               JSONBOID};

const Import import{"scheduled_messages", fields, &take};

} // namespace

COMPANION_FUNCTION(import_scheduled_messages)
{
    return import_rows(fcinfo, import);
}
