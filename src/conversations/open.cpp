// The conversation that a message goes into.
#include "conversations/open.hpp"

#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/interval_length.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"

#include <algorithm>

namespace companion {

// What is open for each pair of user ($1) and channel ($2), and whether it is over, as of $3.
#define FIND_OPEN(is_over)                                                                         \
    "SELECT w.user_id, w.channel, c.id, c.id IS NOT NULL AND " is_over                             \
    " FROM unnest($1, $2) WITH ORDINALITY AS w (user_id, channel, position)"                       \
    " LEFT JOIN companion.conversations AS c"                                                      \
    "      ON c.user_id = w.user_id AND c.channel = w.channel AND c.ended_at IS NULL"              \
    " ORDER BY w.position"

static Statement find_idle{
    FIND_OPEN("greatest(c.started_at, (SELECT m.created_at FROM companion.messages AS m"
              " WHERE m.user_id = c.user_id AND m.conversation_id = c.id"
              " ORDER BY m.id DESC LIMIT 1)) <= $3"),
    UUIDARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID};

static Statement find_not_by_companion{
    FIND_OPEN("(c.initiated_by <> 'companion' OR c.started_at <= $3)"), UUIDARRAYOID, TEXTARRAYOID,
    TIMESTAMPTZOID};

// In the order of users, so that two calls at once cannot wait for each other.
static Statement end_those{
    "UPDATE companion.conversations AS c SET ended_at = greatest(c.started_at, companion.now())"
    " FROM (SELECT * FROM unnest($1, $2) AS o (user_id, id) ORDER BY o.user_id, o.id) AS o"
    " WHERE c.user_id = o.user_id AND c.id = o.id AND c.ended_at IS NULL",
    UUIDARRAYOID, UUIDARRAYOID};

static Statement begin_missing{
    "INSERT INTO companion.conversations (user_id, channel, initiated_by)"
    " SELECT w.user_id, w.channel, $3 FROM unnest($1, $2) AS w (user_id, channel)"
    " ORDER BY w.user_id, w.channel"
    " ON CONFLICT (user_id, channel) WHERE ended_at IS NULL DO NOTHING",
    UUIDARRAYOID, TEXTARRAYOID, TEXTOID};

// What stands for every pair: the ids, and which conversations to end and to begin.
struct OpenConversations {
    ArrayBuilder ids{UUIDOID};
    ArrayBuilder over_users{UUIDOID}, over_ids{UUIDOID};
    ArrayBuilder missing_users{UUIDOID}, missing_channels{TEXTOID};

    // Take in one row of FIND_OPEN.
    void add(uint64 row)
    {
        bool has_no_channel, has_none;
        const Datum user_id = result_field(row, 1);
        const Datum channel = result_field(row, 2, &has_no_channel);
        const Datum id = result_field(row, 3, &has_none);
        const bool is_over = DatumGetBool(result_field(row, 4));
        ids.add(id, has_none);
        if (is_over) {
            over_users.add(user_id);
            over_ids.add(id);
        }
        if (!has_no_channel && (has_none || is_over)) {
            missing_users.add(user_id);
            missing_channels.add(channel);
        }
    }
};

static Datum find_or_begin(Statement &find, Datum user_ids, Datum channels, Datum initiated_by,
                           TimestampTz over_since)
{
    for (;;) {
        OpenConversations open;
        const uint64 rows = find.execute({user_ids, channels, TimestampTzGetDatum(over_since)});
        for (uint64 row = 0; row < rows; row++)
            open.add(row);
        if (open.missing_users.size() == 0)
            return open.ids.finish();
        if (open.over_users.size() > 0)
            end_those.execute({open.over_users.finish(), open.over_ids.finish()});
        begin_missing.execute(
            {open.missing_users.finish(), open.missing_channels.finish(), initiated_by});
    }
}

// What happens at this very moment is never over, even where no age is allowed.
static TimestampTz ago(int64 age)
{
    return now() - std::max<int64>(age, 1);
}

Datum open_conversations(Datum user_ids, Datum channels, Datum initiated_by, int64 idle)
{
    return find_or_begin(find_idle, user_ids, channels, initiated_by, ago(idle));
}

pg_uuid_t open_conversation(Datum user_id, Datum channel, Datum initiated_by, int64 idle)
{
    const Datum ids = open_conversations(array_of_one(UUIDOID, user_id),
                                         array_of_one(TEXTOID, channel), initiated_by, idle);
    return *reinterpret_cast<pg_uuid_t *>(ARR_DATA_PTR(DatumGetArrayTypeP(ids)));
}

int64 idle_length(Datum idle)
{
    return interval_between(idle, "idle", 0, 36500 * USECS_PER_DAY, "zero to 100 years");
}

Datum open_companion_conversations(Datum user_ids, Datum channels)
{
    return find_or_begin(find_not_by_companion, user_ids, channels, to_text("companion"),
                         ago(static_cast<int64>(settings::min_gap) * USECS_PER_SEC));
}

} // namespace companion
