// The conversation that a message goes into.
#include "conversations/open.hpp"

#include "identity/uuid_v7.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"

namespace companion {

// LIMIT keeps this a lookup for each pair, however small the table was when planned.
static Statement find_open{
    "SELECT c.id, c.initiated_by <> 'companion' OR c.started_at < $3 AS is_over"
    " FROM unnest($1, $2) WITH ORDINALITY AS w (user_id, channel, position)"
    " LEFT JOIN LATERAL (SELECT * FROM companion.conversations AS c"
    "                    WHERE c.user_id = w.user_id AND c.channel = w.channel"
    "                      AND c.ended_at IS NULL LIMIT 1) AS c ON true"
    " ORDER BY w.position",
    UUIDARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID};

// One that another session ends or changes meanwhile is looked up again.
static Statement end_others{
    "UPDATE companion.conversations AS c SET ended_at = greatest(c.started_at, companion.now())"
    " FROM unnest($1, $2) AS w (user_id, channel)"
    " CROSS JOIN LATERAL (SELECT ctid FROM companion.conversations AS c"
    "                     WHERE c.user_id = w.user_id AND c.channel = w.channel"
    "                       AND c.ended_at IS NULL LIMIT 1) AS row"
    " WHERE c.ctid = row.ctid AND (c.initiated_by <> 'companion' OR c.started_at < $3)",
    UUIDARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID};

// A user who has been deleted meanwhile gets none.
static Statement begin{
    "INSERT INTO companion.conversations (user_id, channel, id, initiated_by)"
    " SELECT w.user_id, w.channel, w.id, 'companion'"
    " FROM unnest($1, $2, $3) AS w (user_id, channel, id)"
    " CROSS JOIN LATERAL (SELECT FROM companion.users WHERE id = w.user_id LIMIT 1"
    "                     FOR KEY SHARE) AS u"
    " WHERE w.id IS NOT NULL"
    " ON CONFLICT (user_id, channel) WHERE ended_at IS NULL DO NOTHING",
    UUIDARRAYOID, TEXTARRAYOID, UUIDARRAYOID};

// What find_open found for every pair. Where there is none, a new id stands ready.
struct OpenConversations {
    ArrayBuilder ids{UUIDOID};
    ArrayBuilder new_ids{UUIDOID};
    uint64 missing = 0;
    bool any_over = false;
};

static OpenConversations look_up(Datum user_ids, Datum channels, Datum begun_after)
{
    OpenConversations found;
    uint64 rows = find_open.execute({user_ids, channels, begun_after});
    for (uint64 row = 0; row < rows; row++) {
        bool is_missing;
        Datum id = result_field(row, 1, &is_missing);
        if (is_missing)
            id = UUIDPGetDatum(uuid_v7());
        found.ids.add(id);
        found.new_ids.add(id, !is_missing);
        found.missing += is_missing;
        found.any_over = found.any_over || (!is_missing && DatumGetBool(result_field(row, 2)));
    }
    return found;
}

Datum open_companion_conversations(Datum user_ids, Datum channels)
{
    const Datum begun_after =
        TimestampTzGetDatum(now() - static_cast<int64>(settings::min_gap) * USECS_PER_SEC);
    for (bool is_second_look = false;;) {
        const OpenConversations found = look_up(user_ids, channels, begun_after);
        if (found.any_over) {
            end_others.execute({user_ids, channels, begun_after});
            continue;
        }
        if (found.missing == 0 || is_second_look ||
            begin.execute({user_ids, channels, found.new_ids.finish()}) == found.missing)
            return found.ids.finish();
        // Fewer begun than were missing: one stood twice in the arrays, or another session
        // was faster, which a second look shows; or a user is gone.
        is_second_look = true;
    }
}

} // namespace companion
