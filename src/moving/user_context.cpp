// Facts that are taken over: each as old as it is.
#include "facts/upserting.hpp"
#include "moving/history.hpp"
#include "moving/import.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"

using namespace companion;

namespace {

constexpr int longest_category = 100;
constexpr ImportedField fields[] = {{"user_id"},
                                    {"id"},
                                    {"category", &longest_category, check_words},
                                    {"key", &settings::max_context_key_length, check_words},
                                    {"value", &settings::max_context_value_length, check_words},
                                    {"importance"},
                                    {"emotional_valence"},
                                    {"source"},
                                    {"source_message_id"},
                                    {"metadata"},
                                    {"pinned"},
                                    {"expires_at", nullptr, check_end_time},
                                    {"resolved_at", nullptr, check_past_time},
                                    {"confirmations"},
                                    {"confirmed_at", nullptr, check_past_time},
                                    {"value_since", nullptr, check_past_time},
                                    {"last_used_at", nullptr, check_past_time},
                                    {"created_at", nullptr, check_past_time},
                                    {"updated_at", nullptr, check_past_time},
                                    {"history", nullptr, check_history}};

// By its category and key rekeyed_ids knows what was taken once and has been forgotten since.
Statement take{R"sql(
    WITH given AS MATERIALIZED (
        SELECT r.ordinality AS place, r.user_id, companion.normalized(r.category) AS category, r.key, r.value,
               CASE WHEN companion.is_time_ordered(companion.old_id(r.id))
                    THEN companion.old_id(r.id) END AS given_id,
               companion.folded(r.key) AS folded_key, coalesce(r.importance, 0.5) AS importance,
               coalesce(r.emotional_valence, 0) AS emotional_valence,
               coalesce(r.source, 'extracted') AS source, r.source_message_id,
               companion.old_id(r.source_message_id) AS old_message,
               companion.old_id(companion.normalized(r.category) || chr(1) || companion.folded(r.key)) AS old_id,
               coalesce(r.metadata, '{}') AS metadata, r.metadata ->> 'follow_up_on' AS follow_up_on,
               coalesce(r.pinned, r.source = 'pinned', false) AS pinned, r.expires_at,
               r.resolved_at, coalesce(r.confirmations, 1) AS confirmations,
               coalesce(r.confirmed_at, r.value_since, r.created_at) AS confirmed_at,
               coalesce(r.value_since, r.created_at, r.confirmed_at) AS value_since,
               coalesce(r.created_at, r.value_since, r.confirmed_at) AS created_at,
               coalesce(r.updated_at, r.confirmed_at, r.value_since, r.created_at) AS updated_at,
               r.last_used_at, coalesce(r.history, '[]') AS history
        FROM ROWS FROM (jsonb_to_recordset($1) AS (
            user_id uuid, id text, category text, key text, value text, importance double precision,
            emotional_valence smallint, source text, source_message_id text, metadata jsonb,
            pinned boolean, expires_at timestamptz, resolved_at timestamptz, confirmations integer,
            confirmed_at timestamptz, value_since timestamptz, last_used_at timestamptz,
            created_at timestamptz, updated_at timestamptz, history jsonb)) WITH ORDINALITY AS r),
    g AS MATERIALIZED (
        SELECT given.*, stated.new_id AS noted_message, own.new_id AS noted_id,
               CASE WHEN companion.is_time_ordered(given.old_message) THEN given.old_message
                    ELSE stated.new_id END AS known_message
        FROM given LEFT JOIN LATERAL (
            SELECT k.new_id FROM companion.rekeyed_ids AS k
            WHERE k.user_id = given.user_id AND k.table_name = 'messages'
                AND k.old_id = given.old_message LIMIT 1) AS stated ON true
        LEFT JOIN LATERAL (
            SELECT k.new_id FROM companion.rekeyed_ids AS k
            WHERE k.user_id = given.user_id AND k.table_name = 'user_context'
                AND k.old_id = given.old_id LIMIT 1) AS own ON true),
    met AS MATERIALIZED (
        SELECT g.place, g.user_id, g.category, g.key, g.value, g.importance, g.emotional_valence,
               g.source, g.known_message, g.metadata, g.pinned, g.resolved_at, g.confirmations,
               g.confirmed_at, g.value_since, g.created_at, g.updated_at, g.folded_key,
               g.last_used_at, g.history, g.old_id, g.noted_id,
               CASE WHEN g.user_id IS NULL THEN 'it has no user_id'
                    WHEN num_nulls(g.category, g.key, g.value) > 0 THEN 'it lacks category, key or value'
                    WHEN NOT EXISTS (
                        SELECT FROM companion.users AS u WHERE u.id = g.user_id OFFSET 0)
                        THEN 'there is no such user'
                    WHEN c.id IS NOT NULL THEN NULL
                    WHEN g.noted_id IS NOT NULL THEN 'it was forgotten, or has expired, since'
                    WHEN g.value_since IS NULL
                        THEN 'it has none of value_since, confirmed_at and created_at'
                    WHEN g.source !~ '^[a-z][a-z0-9_]{0,62}$' THEN 'source is no lower-case word'
                    WHEN g.follow_up_on !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
                        OR g.follow_up_on::date IS NULL AND g.follow_up_on IS NOT NULL
                        THEN 'metadata: follow_up_on must be a date, YYYY-MM-DD'
                    WHEN EXISTS (
                        SELECT FROM companion.user_context AS other
                        WHERE other.user_id = g.user_id AND other.id = g.given_id OFFSET 0)
                        THEN 'another fact has its id'
                    WHEN g.source_message_id IS NOT NULL AND stated.id IS NULL
                        THEN CASE WHEN g.noted_message IS NULL
                                  THEN 'the message that it was learned from is not there'
                                  ELSE 'the message that it was learned from was deleted since' END
                    WHEN g.known_message IS NOT NULL AND EXISTS (
                        SELECT FROM companion.forgotten_facts AS f
                        WHERE f.user_id = g.user_id AND f.message_id = g.known_message
                            AND f.fact = companion.fact_hash(g.known_message, g.category, g.folded_key)
                        OFFSET 0)
                        THEN 'it was forgotten, and its message must not teach it again'
                    WHEN EXISTS (
                        SELECT FROM (
                            SELECT h.held_until, coalesce(
                                lead(h.held_from) OVER (ORDER BY h.held_from, h.held_until),
                                g.value_since) AS next_from
                            FROM jsonb_to_recordset(g.history) AS h (
                                held_from timestamptz, held_until timestamptz)) AS former
                        WHERE former.held_until > former.next_from)
                        THEN 'history: a value ends after the next one, or the item''s own, begins'
               END AS fault,
               c.id IS NOT NULL AS is_there, NOT companion.is_same_text(c.value, g.value) AS is_other,
               held.id IS NULL AS is_busy,
               coalesce(c.id, g.given_id, CASE WHEN g.created_at IS NOT NULL
                   THEN companion.uuid_v7(greatest(g.created_at, 'epoch')) END) AS id,
               nullif(coalesce(g.expires_at, g.confirmed_at + (
                   SELECT k.expires_after FROM companion.context_categories AS k
                   WHERE k.category IN (g.category, '*') ORDER BY k.category = '*' LIMIT 1)),
                   'infinity') AS expires_at
        FROM g LEFT JOIN LATERAL (
            SELECT c.id, c.value FROM companion.user_context AS c
            WHERE c.user_id = g.user_id AND c.category = g.category
                AND c.folded_key = g.folded_key LIMIT 1) AS c ON true
        LEFT JOIN LATERAL (
            SELECT m.id FROM companion.messages AS m
            WHERE m.user_id = g.user_id AND m.id = g.known_message LIMIT 1) AS stated ON true
        LEFT JOIN LATERAL (
            SELECT u.id FROM companion.users AS u WHERE u.id = g.user_id
            FOR NO KEY UPDATE SKIP LOCKED) AS held ON true),
    added AS (
        INSERT INTO companion.user_context AS c
            (user_id, id, category, key, value, importance, emotional_valence, source,
             source_message_id, metadata, pinned, expires_at, resolved_at, confirmations,
             confirmed_at, last_referenced_at, value_since, created_at, updated_at, folded_key,
             last_used_at, stated_in)
        SELECT m.user_id, m.id, m.category, m.key, m.value, m.importance, m.emotional_valence,
               m.source, m.known_message, m.metadata, m.pinned, m.expires_at, m.resolved_at,
               m.confirmations, m.confirmed_at, greatest(m.confirmed_at, m.last_used_at),
               m.value_since, m.created_at, m.updated_at, m.folded_key, m.last_used_at,
               CASE WHEN m.known_message IS NULL OR m.confirmations > 1 THEN '{}'
                    ELSE ARRAY[m.known_message] END
        FROM met AS m WHERE m.fault IS NULL AND NOT m.is_there AND NOT m.is_busy
        RETURNING c.user_id, c.id),
    archived AS (
        INSERT INTO companion.user_context_history
            (user_id, category, key, id, value, source, held_from, held_until, replaced_by)
        SELECT m.user_id, m.category, m.key, companion.uuid_v7(greatest(h.held_from, 'epoch')), h.value,
               coalesce(h.source, 'extracted'), h.held_from, h.held_until,
               coalesce(lead(h.value) OVER (PARTITION BY m.place ORDER BY h.held_from), m.value)
        FROM met AS m
        CROSS JOIN jsonb_to_recordset(m.history) AS h (
            value text, source text, held_from timestamptz, held_until timestamptz)
        WHERE m.fault IS NULL AND NOT m.is_there AND NOT m.is_busy
            AND companion.keeps_history(m.category)),
    noted AS (
        INSERT INTO companion.rekeyed_ids (user_id, table_name, old_id, new_id)
        SELECT m.user_id, 'user_context', m.old_id, m.id FROM met AS m
        WHERE m.fault IS NULL AND NOT m.is_busy AND m.noted_id IS NULL)
    SELECT CASE WHEN m.fault IS NULL AND (m.is_there OR NOT m.is_busy) THEN m.id END,
           CASE WHEN m.fault IS NOT NULL THEN 'refused' WHEN m.is_there THEN 'there already'
                WHEN NOT m.is_busy THEN 'taken' END,
           coalesce(m.fault, CASE WHEN m.is_there AND m.is_other THEN 'it has another value'
               WHEN NOT m.is_there AND m.is_busy
               THEN 'another transaction holds the user: call again' END),
           CASE WHEN EXISTS (SELECT FROM added)
                THEN (m.user_id, m.id) IN (SELECT a.user_id, a.id FROM added AS a) END,
           m.user_id, false
    FROM met AS m ORDER BY m.place)sql",
               JSONBOID};

// The categories of items that were taken, by user.
Statement find_categories{R"sql(
    SELECT c.user_id, c.category
    FROM unnest($1, $2) AS taken (user_id, id)
    CROSS JOIN LATERAL (
        SELECT c.user_id, c.category FROM companion.user_context AS c
        WHERE c.user_id = taken.user_id AND c.id = taken.id LIMIT 1) AS c
    GROUP BY c.user_id, c.category ORDER BY c.user_id, c.category)sql",
                          UUIDARRAYOID, UUIDARRAYOID};

// Of a category that has a limit what matters least makes room, be it new or not.
void make_room_for_best(Datum user_ids, Datum ids)
{
    const uint64 count = find_categories.execute({user_ids, ids});
    const SPITupleTable *found = SPI_tuptable;
    for (uint64 row = 0; row < count; row++) {
        bool is_null;
        const auto field = [&](int column) {
            return SPI_getbinval(found->vals[row], found->tupdesc, column, &is_null);
        };
        make_room(field(1), field(2), PointerGetDatum(construct_empty_array(UUIDOID)));
    }
}

const Import import{"user_context", fields, &take, make_room_for_best,
                    [](Datum user_id) { check_item_limit(user_id, 1); }};

} // namespace

COMPANION_FUNCTION(import_user_context)
{
    return import_rows(fcinfo, import);
}
