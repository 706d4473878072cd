// The conversation that a message goes into.
#include "conversations/open.hpp"

#include "identity/uuid_v7.hpp"
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/interval_length.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"
#include "users/user_row.hpp"

namespace companion {

// For each pair of user ($1) and channel ($2) the conversation that is open, and whether it
// is over, as of $3. LIMIT keeps this a lookup for each pair, however small the table was
// when planned.
static Statement find_not_by_companion{R"sql(
    SELECT w.user_id, w.channel, c.id, c.initiated_by <> 'companion' OR c.started_at < $3
    FROM unnest($1, $2) WITH ORDINALITY AS w (user_id, channel, position)
    LEFT JOIN LATERAL (SELECT o.id, o.initiated_by, o.started_at FROM companion.conversations AS o
                       WHERE o.user_id = w.user_id AND o.channel = w.channel
                           AND o.ended_at IS NULL LIMIT 1) AS c ON true
    ORDER BY w.position)sql",
                                       UUIDARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID};

static Statement find_idle{R"sql(
    SELECT w.user_id, w.channel, c.id,
           greatest(c.started_at, (SELECT m.created_at FROM companion.messages AS m
                                   WHERE m.user_id = c.user_id AND m.conversation_id = c.id
                                   ORDER BY m.id DESC LIMIT 1)) <= $3
    FROM unnest($1, $2) WITH ORDINALITY AS w (user_id, channel, position)
    LEFT JOIN LATERAL (SELECT o.user_id, o.id, o.started_at FROM companion.conversations AS o
                       WHERE o.user_id = w.user_id AND o.channel = w.channel
                           AND o.ended_at IS NULL LIMIT 1) AS c ON true
    ORDER BY w.position)sql",
                           UUIDARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID};

// One that another session changes meanwhile is looked up again.
static Statement end_those{R"sql(
    UPDATE companion.conversations AS c SET ended_at = greatest(c.started_at, companion.now())
    FROM unnest($1, $2) AS o (user_id, id)
    CROSS JOIN LATERAL (SELECT p.ctid AS place FROM companion.conversations AS p
                        WHERE p.user_id = o.user_id AND p.id = o.id LIMIT 1) AS p
    WHERE c.ctid = p.place AND c.ended_at IS NULL)sql",
                           UUIDARRAYOID, UUIDARRAYOID};

// A user who has been deleted meanwhile gets none.
static Statement begin{R"sql(
    INSERT INTO companion.conversations AS c (user_id, channel, id, initiated_by)
    SELECT w.user_id, w.channel, w.id, $4
    FROM unnest($1, $2, $3) AS w (user_id, channel, id)
    CROSS JOIN LATERAL (SELECT FROM companion.users AS u WHERE u.id = w.user_id LIMIT 1) AS u
    ON CONFLICT (user_id, channel) WHERE ended_at IS NULL DO NOTHING
    RETURNING c.user_id, c.channel, c.id)sql",
                       UUIDARRAYOID, TEXTARRAYOID, UUIDARRAYOID, TEXTOID};

static Statement find_users{R"sql(
    SELECT FROM unnest($1) AS w (user_id) JOIN companion.users AS u ON u.id = w.user_id LIMIT 1)sql",
                            UUIDARRAYOID};

// What there is for every pair: the ids, new ones where none is open, and what is to be
// ended and begun for that.
struct OpenConversations {
    ArrayBuilder ids{UUIDOID};
    ArrayBuilder over_users{UUIDOID}, over_ids{UUIDOID};
    ArrayBuilder new_users{UUIDOID}, new_channels{TEXTOID}, new_ids{UUIDOID};

    // Take in a row of what was found; where nothing more is to be begun, what is missing is null.
    void add(uint64 row, bool may_begin)
    {
        bool is_missing, is_null;
        const Datum user_id = result_field(row, 1), id = result_field(row, 3, &is_missing);
        const bool is_over = DatumGetBool(result_field(row, 4, &is_null)) && !is_missing;
        if (!is_missing && !is_over) {
            ids.add(id);
            return;
        }
        const Datum new_id = UUIDPGetDatum(uuid_v7());
        ids.add(new_id, !may_begin);
        new_users.add(user_id);
        new_channels.add(result_field(row, 2));
        new_ids.add(new_id);
        if (is_over) {
            over_users.add(user_id);
            over_ids.add(id);
        }
    }

    // End and begin what is to be; whether all could be begun. Error 09000 where a trigger has
    // changed what one is found by.
    bool begin_missing(Datum initiated_by) const
    {
        if (over_ids.size() > 0)
            end_those.execute({over_users.finish(), over_ids.finish()});
        const uint64 begun = begin.execute(
            {new_users.finish(), new_channels.finish(), new_ids.finish(), initiated_by});
        if (begun < static_cast<uint64>(new_ids.size()))
            return false;
        for (int index = 0; index < new_ids.size(); index++)
            require_as_written(index);
        return true;
    }

  private:
    void require_as_written(int index) const
    {
        const auto is_same = [index](int column, const ArrayBuilder &builder) {
            return is_same_uuid(result_field(index, column), builder.at(index).value);
        };
        if (!is_same(1, new_users) || !is_same(3, new_ids) ||
            text_view(result_field(index, 2)) != text_view(new_channels.at(index).value))
            refuse_changed("conversations", "user_id, id or channel");
    }
};

// Refuse where a conversation of a user who is there can neither be found nor begun. Error 09000.
static void require_gone(Datum user_ids)
{
    if (find_users.execute({user_ids}) > 0)
        refuse_suppressed("conversations");
}

// Look up every pair, with the users locked before any of their conversations is changed.
// Fewer begun than were missing: one stood twice in the arrays, or another session was
// faster, which a second look shows; or a user is gone.
template <class LockUsers>
static Datum find_or_begin(Statement &find, Datum user_ids, Datum channels, Datum initiated_by,
                           int64 age, LockUsers lock_users)
{
    constexpr int looks = 3;
    const Datum over_before = TimestampTzGetDatum(now() - age);
    for (int look = 1;; look++) {
        OpenConversations open;
        const uint64 rows = find.execute({user_ids, channels, over_before});
        for (uint64 row = 0; row < rows; row++)
            open.add(row, look < looks);
        if (look == looks)
            require_gone(open.new_users.finish());
        if (look == looks || open.new_ids.size() == 0)
            return open.ids.finish();
        lock_users();
        if (open.begin_missing(initiated_by))
            return open.ids.finish();
    }
}

Datum open_companion_conversations(Datum user_ids, Datum channels)
{
    return find_or_begin(find_not_by_companion, user_ids, channels, to_text("companion"),
                         static_cast<int64>(settings::min_gap) * USECS_PER_SEC, [] {});
}

pg_uuid_t open_conversation(Datum user_id, Datum channel, Datum initiated_by, int64 idle)
{
    ArrayType *ids = DatumGetArrayTypeP(find_or_begin(find_idle, array_of_one(UUIDOID, user_id),
                                                      array_of_one(TEXTOID, channel), initiated_by,
                                                      idle, [user_id] { try_lock_user(user_id); }));
    if (array_contains_nulls(ids))
        refuse_unknown_user(user_id);
    return *reinterpret_cast<pg_uuid_t *>(ARR_DATA_PTR(ids));
}

int64 idle_length(Datum idle)
{
    return interval_between(idle, "idle", 0, 36000 * USECS_PER_DAY, "zero to 100 years");
}

} // namespace companion
