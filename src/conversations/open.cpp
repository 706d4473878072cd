// The conversation that a message goes into.
#include "conversations/open.hpp"

#include "postgres/array_builder.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"

namespace companion {

static Statement find_open{
    "SELECT c.id, w.channel IS NOT NULL AND c.id IS NULL AS is_missing,"
    "       c.initiated_by <> 'companion' OR c.started_at < $3 AS is_over"
    " FROM unnest($1, $2) WITH ORDINALITY AS w (user_id, channel, position)"
    " LEFT JOIN companion.conversations AS c"
    "      ON c.user_id = w.user_id AND c.channel = w.channel AND c.ended_at IS NULL"
    " ORDER BY w.position",
    UUIDARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID};

static Statement end_others{
    "UPDATE companion.conversations AS c SET ended_at = greatest(c.started_at, companion.now())"
    " FROM unnest($1, $2) AS w (user_id, channel)"
    " WHERE c.user_id = w.user_id AND c.channel = w.channel AND c.ended_at IS NULL"
    "   AND (c.initiated_by <> 'companion' OR c.started_at < $3)",
    UUIDARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID};

static Statement begin_missing{
    "INSERT INTO companion.conversations (user_id, channel, initiated_by)"
    " SELECT w.user_id, w.channel, 'companion' FROM unnest($1, $2) AS w (user_id, channel)"
    " WHERE w.channel IS NOT NULL AND NOT EXISTS (SELECT FROM companion.conversations AS c"
    "                   WHERE c.user_id = w.user_id AND c.channel = w.channel"
    "                     AND c.ended_at IS NULL)"
    " ON CONFLICT (user_id, channel) WHERE ended_at IS NULL DO NOTHING",
    UUIDARRAYOID, TEXTARRAYOID};

// What find_open found for every pair.
struct OpenConversations {
    ArrayBuilder ids{UUIDOID};
    bool any_missing = false;
    bool any_over = false;
};

static OpenConversations look_up(Datum user_ids, Datum channels, Datum begun_after)
{
    OpenConversations found;
    uint64 rows = find_open.execute({user_ids, channels, begun_after});
    for (uint64 row = 0; row < rows; row++) {
        bool has_none;
        Datum id = result_field(row, 1, &has_none);
        found.ids.add(id, has_none);
        found.any_missing = found.any_missing || DatumGetBool(result_field(row, 2));
        found.any_over = found.any_over || (!has_none && DatumGetBool(result_field(row, 3)));
    }
    return found;
}

Datum open_companion_conversations(Datum user_ids, Datum channels)
{
    const Datum begun_after =
        TimestampTzGetDatum(now() - static_cast<int64>(settings::min_gap) * USECS_PER_SEC);
    for (;;) {
        OpenConversations found = look_up(user_ids, channels, begun_after);
        if (!found.any_missing && !found.any_over)
            return found.ids.finish();
        if (found.any_over)
            end_others.execute({user_ids, channels, begun_after});
        begin_missing.execute({user_ids, channels});
    }
}

} // namespace companion
