// Users who are taken over.
#include "moving/import.hpp"
#include "postgres/entry.hpp"

using namespace companion;

namespace {

constexpr ImportedField fields[] = {{"id"},
                                    {"email"},
                                    {"display_name"},
                                    {"companion_name"},
                                    {"support_style"},
                                    {"timezone"},
                                    {"checkin_time"},
                                    {"checkin_days"},
                                    {"checkin_paused_until", nullptr, check_time},
                                    {"preferred_channel"},
                                    {"telegram_user_id"},
                                    {"telegram_username"},
                                    {"telegram_linked_at", nullptr, check_past_time},
                                    {"whatsapp_number"},
                                    {"subscription_status"},
                                    {"subscription_expires_at", nullptr, check_time},
                                    {"preferences"},
                                    {"location"},
                                    {"onboarding_completed_at", nullptr, check_past_time},
                                    {"last_user_message_at", nullptr, check_past_time},
                                    {"created_at", nullptr, check_past_time},
                                    {"updated_at", nullptr, check_past_time},
                                    {"suspended_until", nullptr, check_time},
                                    {"app_data"}};

// Of an address that is another's the user's trigger warns; here it is said in the result, too.
Statement take{R"sql(
    WITH g AS MATERIALIZED (
        SELECT r.ordinality AS place, r.id, r.email, r.display_name, r.companion_name, r.support_style, r.timezone,
               CASE WHEN $1 -> (r.ordinality - 1)::integer ? 'checkin_time' THEN r.checkin_time ELSE '09:00' END AS checkin_time,
               coalesce(r.checkin_days, '{1,2,3,4,5,6,7}') AS checkin_days,
               r.checkin_paused_until, r.preferred_channel, r.telegram_user_id,
               r.telegram_username, r.telegram_linked_at,
               CASE WHEN r.whatsapp_number ~ '^[1-9][0-9]+$' THEN '+' || r.whatsapp_number
                    ELSE r.whatsapp_number END AS whatsapp_number,
               coalesce(r.subscription_status, 'free') AS subscription_status,
               r.subscription_expires_at, coalesce(r.preferences, '{}') AS preferences, r.location,
               r.onboarding_completed_at, r.last_user_message_at,
               coalesce(r.created_at, companion.now()) AS created_at,
               coalesce(r.updated_at, r.created_at, companion.now()) AS updated_at,
               r.suspended_until, coalesce(r.app_data, '{}') AS app_data
        FROM ROWS FROM (jsonb_to_recordset($1) AS (
            id uuid, email text, display_name text, companion_name text, support_style text,
            timezone text, checkin_time time, checkin_days smallint[],
            checkin_paused_until timestamptz, preferred_channel text, telegram_user_id bigint,
            telegram_username text, telegram_linked_at timestamptz, whatsapp_number text,
            subscription_status text, subscription_expires_at timestamptz, preferences jsonb,
            location text, onboarding_completed_at timestamptz, last_user_message_at timestamptz,
            created_at timestamptz, updated_at timestamptz, suspended_until timestamptz,
            app_data jsonb)) WITH ORDINALITY AS r),
    -- whose address each is; of two of these who have the same one the second is told by itself
    own AS MATERIALIZED (
        SELECT g.place, o.name, o.channel, o.address,
               row_number() OVER (
                   PARTITION BY o.channel, companion.address_key(o.channel, o.address)
                   ORDER BY g.place) > 1 AS is_shared
        FROM g CROSS JOIN LATERAL (
            VALUES ('telegram_user_id', 'telegram', g.telegram_user_id::text),
                   ('whatsapp_number', 'whatsapp', g.whatsapp_number),
                   ('email', 'email', lower(g.email COLLATE "C"))) AS o (name, channel, address)
        WHERE o.address IS NOT NULL),
    theirs AS MATERIALIZED (
        SELECT o.place, bool_or(o.is_shared) AS is_shared,
               string_agg(o.name || ' is another user''s address', ', ' ORDER BY o.name)
                   FILTER (WHERE linked.is_linked) AS named
        FROM own AS o LEFT JOIN LATERAL (
            SELECT true AS is_linked FROM companion.addresses AS a
            WHERE a.channel = o.channel AND a.bot = '' AND a.unlinked_at IS NULL
                AND companion.address_key(a.channel, a.address) COLLATE "C"
                    = companion.address_key(o.channel, o.address) COLLATE "C" LIMIT 1) AS linked ON true
        GROUP BY o.place),
    met AS MATERIALIZED (
        SELECT g.*, t.named, coalesce(t.is_shared, false) AS is_shared,
               CASE WHEN g.id IS NULL THEN 'it has no id'
                    WHEN g.timezone IS NULL THEN 'it has no timezone'
                    WHEN EXISTS (
                        SELECT FROM companion.erased_users AS e WHERE e.user_id = g.id OFFSET 0)
                        AND u.id IS NULL THEN 'the user was erased' END AS fault,
               u.id IS NOT NULL AS is_there
        FROM g LEFT JOIN theirs AS t ON t.place = g.place
        LEFT JOIN LATERAL (
            SELECT u.id FROM companion.users AS u WHERE u.id = g.id LIMIT 1) AS u ON true),
    added AS (
        INSERT INTO companion.users AS u
            (id, email, display_name, companion_name, support_style, timezone, checkin_time,
             checkin_days, checkin_paused_until, preferred_channel, telegram_user_id,
             telegram_username, telegram_linked_at, whatsapp_number, subscription_status,
             subscription_expires_at, preferences, location, onboarding_completed_at,
             last_user_message_at, created_at, updated_at, suspended_until, app_data)
        SELECT g.id, g.email, g.display_name, g.companion_name, g.support_style, g.timezone,
               g.checkin_time, g.checkin_days, g.checkin_paused_until, g.preferred_channel,
               g.telegram_user_id, g.telegram_username, g.telegram_linked_at, g.whatsapp_number,
               g.subscription_status, g.subscription_expires_at, g.preferences, g.location,
               g.onboarding_completed_at, g.last_user_message_at, g.created_at, g.updated_at,
               g.suspended_until, g.app_data
        FROM met AS g WHERE g.fault IS NULL AND NOT g.is_there
        RETURNING u.id)
    SELECT m.id,
           CASE WHEN m.fault IS NOT NULL THEN 'refused'
                WHEN m.is_there THEN 'there already' ELSE 'taken' END,
           coalesce(m.fault, CASE WHEN NOT m.is_there THEN m.named END),
           CASE WHEN EXISTS (SELECT FROM added) THEN m.id IN (SELECT a.id FROM added AS a) END,
           m.id, m.is_shared AND NOT m.is_there
    FROM met AS m ORDER BY m.place)sql",
               JSONBOID};

// The tick that covers the time before was the app's own.
Statement look_no_more{R"sql(
    DELETE FROM companion.dispatch_recheck AS r WHERE r.user_id = ANY ($1)
)sql",
                       UUIDARRAYOID};

const Import import{"users", fields, &take, [](Datum, Datum ids) { look_no_more.execute({ids}); }};

} // namespace

COMPANION_FUNCTION(import_users)
{
    return import_rows(fcinfo, import);
}
