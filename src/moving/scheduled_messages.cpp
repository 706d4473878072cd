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
                                    {"local_date"},
                                    {"timezone"},
                                    {"scheduled_for"},
                                    {"status"},
                                    {"attempts"},
                                    {"channel"},
                                    {"content", &settings::max_message_length},
                                    {"generation_context"},
                                    {"priority_level"},
                                    {"topic_key"},
                                    {"failure_reason"},
                                    {"sent_at"},
                                    {"finished_at"},
                                    {"conversation_id"},
                                    {"message_id"},
                                    {"telegram_message_id"},
                                    {"worker"},
                                    {"created_at"}};

// A check-in's key is its day's, unless another of that day has it.
Statement take{R"sql(
    WITH g AS MATERIALIZED (
        SELECT r.user_id, r.id, coalesce(r.kind, 'custom') AS kind, r.idempotency_key,
               r.local_date, r.timezone, r.scheduled_for, r.status,
               coalesce(r.attempts, 1) AS attempts, r.channel, r.content, r.generation_context,
               r.priority_level, r.topic_key, r.failure_reason,
               CASE WHEN r.status = 'sent' THEN coalesce(r.sent_at, r.scheduled_for) END AS sent_at,
               coalesce(r.finished_at, r.sent_at, r.scheduled_for) AS finished_at,
               CASE WHEN companion.is_time_ordered(companion.old_id(r.conversation_id))
                    THEN companion.old_id(r.conversation_id) ELSE in_conversation.new_id END AS conversation_id,
               CASE WHEN companion.is_time_ordered(companion.old_id(r.message_id))
                    THEN companion.old_id(r.message_id) ELSE filed.new_id END AS message_id,
               r.telegram_message_id, r.worker, r.created_at,
               CASE WHEN companion.is_time_ordered(companion.old_id(r.id))
                    THEN companion.old_id(r.id) ELSE own.new_id END AS known_id
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
               coalesce(g.idempotency_key, CASE WHEN g.kind = 'checkin'
                   THEN companion.checkin_key(d.local_date) ELSE g.id END) AS key
        FROM g CROSS JOIN held
        CROSS JOIN LATERAL (SELECT coalesce(g.timezone, held.timezone)) AS z (timezone)
        CROSS JOIN LATERAL (SELECT coalesce(
            g.local_date, companion.local_timestamp(z.timezone, g.scheduled_for)::date)) AS d (local_date)
        WHERE isfinite(g.scheduled_for)),
    met AS MATERIALIZED (
        SELECT CASE WHEN g.user_id IS NULL THEN 'it has no user_id'
                    WHEN g.id IS NULL THEN 'it has no id'
                    WHEN NOT EXISTS (SELECT FROM companion.users AS u WHERE u.id = g.user_id)
                        THEN 'there is no such user'
                    WHEN g.scheduled_for IS NULL THEN 'it has no scheduled_for'
                    WHEN NOT isfinite(g.scheduled_for) THEN 'scheduled_for is not finite'
                    WHEN g.status IS NULL THEN 'it has no status'
                    WHEN g.status = 'pending' THEN 'it is pending: call schedule_message()'
               END AS fault,
               EXISTS (SELECT FROM companion.scheduled_messages AS s
                       WHERE s.user_id = g.user_id AND s.id = g.known_id) AS is_known,
               t.id IS NOT NULL AS is_taken, held.id IS NULL AS is_busy,
               coalesce(g.known_id, CASE WHEN isfinite(g.scheduled_for)
                   THEN companion.uuid_v7(g.scheduled_for) END) AS id, t.id AS standing_id
        FROM g LEFT JOIN held ON true LEFT JOIN keyed AS k ON true
        LEFT JOIN companion.scheduled_messages AS t
            ON t.user_id = g.user_id AND t.idempotency_key = k.key),
    decided AS MATERIALIZED (
        SELECT m.fault, m.is_busy,
               m.is_known OR m.is_taken AND (g.kind <> 'checkin' OR g.idempotency_key IS NOT NULL)
                   AS is_there,
               CASE WHEN m.is_known OR NOT m.is_taken
                    OR g.kind = 'checkin' AND g.idempotency_key IS NULL THEN m.id
                    ELSE m.standing_id END AS id,
               CASE WHEN m.is_taken AND g.kind = 'checkin' AND g.idempotency_key IS NULL
                    THEN k.key || '#' || g.id ELSE k.key END AS key
        FROM g CROSS JOIN met AS m LEFT JOIN keyed AS k ON true),
    added AS (
        INSERT INTO companion.scheduled_messages AS s
            (user_id, id, kind, idempotency_key, local_date, timezone, scheduled_for, status,
             attempts, channel, content, generation_context, priority_level, topic_key,
             failure_reason, sent_at, finished_at, conversation_id, message_id,
             telegram_message_id, worker, created_at)
        SELECT g.user_id, d.id, g.kind, d.key, k.local_date, k.timezone, g.scheduled_for,
               g.status, g.attempts, g.channel, g.content, g.generation_context, g.priority_level,
               g.topic_key, g.failure_reason, g.sent_at, g.finished_at, g.conversation_id,
               g.message_id, g.telegram_message_id, g.worker,
               coalesce(g.created_at, least(g.scheduled_for, g.finished_at))
        FROM g CROSS JOIN keyed AS k CROSS JOIN decided AS d
        WHERE d.fault IS NULL AND NOT d.is_there AND NOT d.is_busy
        RETURNING s.user_id, s.id),
    noted AS (
        INSERT INTO companion.rekeyed_ids (user_id, table_name, old_id, new_id)
        SELECT a.user_id, 'scheduled_messages', companion.old_id(g.id), a.id
        FROM added AS a CROSS JOIN g WHERE g.known_id IS NULL)
    SELECT CASE WHEN d.fault IS NULL AND (d.is_there OR NOT d.is_busy) THEN d.id END,
           CASE WHEN d.fault IS NOT NULL THEN 'refused' WHEN d.is_there THEN 'there already'
                WHEN NOT d.is_busy THEN 'taken' END,
           coalesce(d.fault, CASE WHEN NOT d.is_there AND d.is_busy
               THEN 'another transaction holds the user: call again' END),
           (SELECT a.id = d.id AND a.user_id = g.user_id FROM added AS a), g.user_id
    FROM g CROSS JOIN decided AS d)sql",
               JSONBOID};

const Import import{"scheduled_messages", fields, &take};

} // namespace

COMPANION_FUNCTION(import_scheduled_messages)
{
    return import_rows(fcinfo, import);
}
