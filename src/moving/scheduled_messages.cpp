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
    WITH g AS MATERIALIZED (
        SELECT r.user_id, nullif(r.id, '') AS id, coalesce(r.kind, 'custom') AS kind,
               r.idempotency_key, r.local_date, r.timezone, r.scheduled_for, r.status,
               coalesce(r.attempts, 1) AS attempts, r.channel, r.content, r.generation_context,
               r.priority_level, r.topic_key, nullif(r.failure_reason, '') AS failure_reason,
               CASE WHEN r.status = 'sent' THEN coalesce(r.sent_at, r.scheduled_for) END AS sent_at,
               coalesce(r.finished_at, r.sent_at,
                        CASE WHEN r.status IN ('skipped', 'cancelled')
                             THEN least(r.scheduled_for, companion.now())
                             ELSE r.scheduled_for END) AS finished_at,
               r.conversation_id, r.message_id,
               CASE WHEN companion.is_time_ordered(companion.old_id(r.conversation_id))
                    THEN companion.old_id(r.conversation_id) ELSE in_conversation.new_id END AS known_conversation,
               CASE WHEN companion.is_time_ordered(companion.old_id(r.message_id))
                    THEN companion.old_id(r.message_id) ELSE filed.new_id END AS known_message,
               r.telegram_message_id, r.worker, r.created_at, own.new_id AS noted_id,
               CASE WHEN companion.is_time_ordered(companion.old_id(r.id))
                    THEN companion.old_id(r.id) ELSE own.new_id END AS known_id,
               coalesce(r.kind = 'checkin', false) AND r.idempotency_key IS NULL AS is_of_day
        FROM jsonb_to_record($1) AS r (
            user_id uuid, id text, kind text, idempotency_key text, local_date date, timezone text,
            scheduled_for timestamptz, status text, attempts integer, channel text, content text,
            generation_context jsonb, priority_level smallint, topic_key text, failure_reason text,
            sent_at timestamptz, finished_at timestamptz, conversation_id text, message_id text,
            telegram_message_id bigint, worker text, created_at timestamptz)
        LEFT JOIN companion.rekeyed_ids AS in_conversation
            ON in_conversation.user_id = r.user_id AND in_conversation.table_name = 'conversations' AND in_conversation.old_id = companion.old_id(r.conversation_id)
        LEFT JOIN companion.rekeyed_ids AS filed
            ON filed.user_id = r.user_id AND filed.table_name = 'messages' AND filed.old_id = companion.old_id(r.message_id)
        LEFT JOIN companion.rekeyed_ids AS own
            ON own.user_id = r.user_id AND own.table_name = 'scheduled_messages' AND own.old_id = companion.old_id(r.id)),
    held AS MATERIALIZED (
        SELECT u.id, u.timezone FROM companion.users AS u
        WHERE u.id = (SELECT g.user_id FROM g)
        FOR NO KEY UPDATE SKIP LOCKED),
    keyed AS MATERIALIZED (
        SELECT z.timezone, d.local_date,
               CASE WHEN g.is_of_day THEN companion.checkin_key(d.local_date)
                    ELSE coalesce(g.idempotency_key, g.id) END AS key
        FROM g CROSS JOIN held
        CROSS JOIN LATERAL (SELECT coalesce(g.timezone, held.timezone)) AS z (timezone)
        CROSS JOIN LATERAL (SELECT coalesce(
            g.local_date, companion.local_timestamp(z.timezone, g.scheduled_for)::date)) AS d (local_date)
        WHERE g.scheduled_for IS NOT NULL),
    met AS MATERIALIZED (
        SELECT CASE WHEN g.user_id IS NULL THEN 'it has no user_id'
                    WHEN g.id IS NULL THEN 'it has no id'
                    WHEN NOT EXISTS (SELECT FROM companion.users AS u WHERE u.id = g.user_id)
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
               held.id IS NULL AS is_busy,
               t.id IS NOT NULL AND t.status NOT IN ('pending', 'sent')
                   AND (g.status = 'sent' OR t.status <> 'unknown'
                        AND (g.status = 'unknown' OR g.scheduled_for >= t.scheduled_for)) AS has_day,
               t.id AS standing_id,
               CASE WHEN known.id IS NULL AND t.id IS NOT NULL AND NOT g.is_of_day THEN t.id
                    ELSE coalesce(g.known_id, CASE WHEN g.scheduled_for IS NOT NULL
                        THEN companion.uuid_v7(g.scheduled_for) END) END AS id,
               c.id AS conversation_id, f.id AS message_id
        FROM g LEFT JOIN held ON true LEFT JOIN keyed AS k ON true
        LEFT JOIN companion.scheduled_messages AS known
            ON known.user_id = g.user_id AND known.id = g.known_id
        LEFT JOIN companion.scheduled_messages AS t
            ON t.user_id = g.user_id AND t.idempotency_key = k.key
        LEFT JOIN companion.conversations AS c
            ON c.user_id = g.user_id AND c.id = g.known_conversation
        LEFT JOIN companion.messages AS f ON f.user_id = g.user_id AND f.id = g.known_message),
    taken AS MATERIALIZED (
        SELECT m.*, CASE WHEN m.standing_id IS NULL OR m.has_day THEN k.key
                         ELSE k.key || '#' || m.id END AS key
        FROM met AS m CROSS JOIN keyed AS k
        WHERE m.fault IS NULL AND NOT m.is_there AND NOT m.is_busy),
    displaced AS (
        UPDATE companion.scheduled_messages AS s
        SET idempotency_key = s.idempotency_key || '#' || s.id
        FROM g CROSS JOIN taken AS t
        WHERE s.user_id = g.user_id AND s.id = t.standing_id AND t.has_day
        RETURNING s.id),
    added AS (
        INSERT INTO companion.scheduled_messages AS s
            (user_id, id, kind, idempotency_key, local_date, timezone, scheduled_for, send_before,
             status, attempts, channel, content, generation_context, priority_level, topic_key,
             failure_reason, sent_at, finished_at, conversation_id, message_id,
             telegram_message_id, worker, created_at)
        SELECT g.user_id, t.id, g.kind, t.key, k.local_date, k.timezone, g.scheduled_for,
               g.scheduled_for, g.status, g.attempts, g.channel, g.content, g.generation_context,
               g.priority_level, g.topic_key, g.failure_reason, g.sent_at, g.finished_at,
               t.conversation_id, t.message_id, g.telegram_message_id, g.worker,
               coalesce(g.created_at, least(g.scheduled_for, g.finished_at))
        FROM g CROSS JOIN keyed AS k CROSS JOIN taken AS t
        -- the key is free before it is taken
        LEFT JOIN displaced AS d ON d.id = t.standing_id
        RETURNING s.user_id, s.id),
    noted AS (
        INSERT INTO companion.rekeyed_ids (user_id, table_name, old_id, new_id)
        SELECT g.user_id, 'scheduled_messages', companion.old_id(g.id), m.id
        FROM g CROSS JOIN met AS m
        WHERE m.fault IS NULL AND NOT m.is_busy AND g.noted_id IS NULL)
    SELECT CASE WHEN m.fault IS NULL AND (m.is_there OR NOT m.is_busy) THEN m.id END,
           CASE WHEN m.fault IS NOT NULL THEN 'refused' WHEN m.is_there THEN 'there already'
                WHEN NOT m.is_busy THEN 'taken' END,
           coalesce(m.fault, CASE
               WHEN m.is_there THEN NULL
               WHEN m.is_busy THEN 'another transaction holds the user: call again'
               ELSE nullif(concat_ws('; ',
                   CASE WHEN g.conversation_id IS NOT NULL AND m.conversation_id IS NULL
                        THEN 'conversation_id is left out, since the user has no such conversation' END,
                   CASE WHEN g.message_id IS NOT NULL AND m.message_id IS NULL
                        THEN 'message_id is left out, since the user has no such message' END), '') END),
           (SELECT a.id = m.id AND a.user_id = g.user_id FROM added AS a), g.user_id
    FROM g CROSS JOIN met AS m)sql",
               JSONBOID};

const Import import{"scheduled_messages", fields, &take};

} // namespace

COMPANION_FUNCTION(import_scheduled_messages)
{
    return import_rows(fcinfo, import);
}
