// The conversation that a message goes into.
#include "conversations/open.hpp"

#include "identity/uuid_v7.hpp"
#include "postgres/arguments.hpp"
#include "postgres/interval_length.hpp"
#include "postgres/settings.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"
#include "users/user_row.hpp"

#include <algorithm>
#include <numeric>

namespace companion {

// For each pair of user and channel the conversation that is open, and whether it is over, as of
// $1. LIMIT keeps this a lookup for each pair, however small the table was when planned.
static Statement find_not_by_companion{R"sql(
    SELECT w.position, c.id, c.initiated_by <> 'companion' OR c.started_at < $1
    FROM given AS w
    CROSS JOIN LATERAL (SELECT o.id, o.initiated_by, o.started_at
                        FROM companion.conversations AS o
                        WHERE o.user_id = w.user_id AND o.channel = w.channel
                            AND o.ended_at IS NULL LIMIT 1) AS c)sql",
                                       TIMESTAMPTZOID};

static Statement find_idle{R"sql(
    SELECT w.position, c.id,
           greatest(c.started_at, (SELECT m.created_at FROM companion.messages AS m
                                   WHERE m.user_id = w.user_id AND m.conversation_id = c.id
                                   ORDER BY m.id DESC LIMIT 1)) <= $1
    FROM given AS w
    CROSS JOIN LATERAL (SELECT o.id, o.started_at FROM companion.conversations AS o
                        WHERE o.user_id = w.user_id AND o.channel = w.channel
                            AND o.ended_at IS NULL LIMIT 1) AS c)sql",
                           TIMESTAMPTZOID};

// One that another session changes meanwhile is looked up again.
static Statement end_those{R"sql(
    UPDATE companion.conversations AS c SET ended_at = greatest(c.started_at, companion.now())
    FROM given AS o
    CROSS JOIN LATERAL (SELECT p.ctid AS place FROM companion.conversations AS p
                        WHERE p.user_id = o.user_id AND p.id = o.id LIMIT 1) AS p
    WHERE c.ctid = p.place AND c.ended_at IS NULL)sql"};

static Statement begin{R"sql(
    INSERT INTO companion.conversations AS c (user_id, channel, id, initiated_by)
    SELECT user_id, channel, id, $1 FROM given
    ON CONFLICT (user_id, channel) WHERE ended_at IS NULL DO NOTHING
    RETURNING c.user_id, c.channel, c.id)sql",
                       TEXTOID};

// Where others would have to write past the user's lock to be faster.
static Statement begin_many{R"sql(
    INSERT INTO companion.conversations AS c (user_id, channel, id, initiated_by)
    SELECT user_id, channel, id, $1 FROM given
    RETURNING c.user_id, c.channel, c.id)sql",
                            TEXTOID};

// What is to be ended and begun, so that every pair has an open conversation.
struct Missing {
    Given over{{"user_id", UUIDOID}, {"id", UUIDOID}};
    Given begun{{"user_id", UUIDOID}, {"channel", TEXTOID}, {"id", UUIDOID}};

    // End and begin it; whether all could be begun. Error 09000 where a trigger has changed what
    // one is found by.
    bool begin_all(Datum initiated_by) const
    {
        if (over.size() > 0)
            end_those.execute(over, {});
        Statement &insert = begun.size() > 1 && is_each_once() ? begin_many : begin;
        if (insert.execute(begun, {initiated_by}) < static_cast<uint64>(begun.size()))
            return false;
        for (int index = 0; index < begun.size(); index++)
            require_as_written(index);
        return true;
    }

  private:
    // Whether no user and channel stand twice among those to be begun.
    bool is_each_once() const
    {
        auto *order = static_cast<int *>(palloc(begun.size() * sizeof(int)));
        std::iota(order, order + begun.size(), 0);
        std::sort(order, order + begun.size(), [this](int a, int b) { return compare(a, b) < 0; });
        for (int place = 1; place < begun.size(); place++)
            if (compare(order[place - 1], order[place]) == 0)
                return false;
        return true;
    }

    int compare(int a, int b) const
    {
        const int users = memcmp(DatumGetUUIDP(begun.at(a, 0).value),
                                 DatumGetUUIDP(begun.at(b, 0).value), UUID_LEN);
        return users != 0
                   ? users
                   : text_view(begun.at(a, 1).value).compare(text_view(begun.at(b, 1).value));
    }

    void require_as_written(int index) const
    {
        const auto is_same = [&](int column) {
            return is_same_uuid(result_field(index, column), begun.at(index, column - 1).value);
        };
        if (!is_same(1) || !is_same(3) ||
            text_view(result_field(index, 2)) != text_view(begun.at(index, 1).value))
            refuse_changed("conversations", "user_id, id or channel");
    }
};

// The columns of the wanted ones; the last is what is looked for.
enum { position, user, channel, conversation };

WantedConversations::WantedConversations()
    : wanted_{{"position", INT4OID}, {"user_id", UUIDOID}, {"channel", TEXTOID}, {"id", UUIDOID}}
{
}

void WantedConversations::add(Datum user_id, Datum channel_name)
{
    wanted_.add({{Int32GetDatum(wanted_.size())}, {user_id}, {channel_name}, {0, true}});
}

NullableDatum WantedConversations::id(int index) const
{
    return wanted_.at(index, conversation);
}

// Take in the rows of what was found open; where one is over, it is to be ended.
void WantedConversations::take_found(uint64 rows, Missing &missing)
{
    for (int index = 0; index < wanted_.size(); index++)
        wanted_.set(index, conversation, {0, true});
    for (uint64 row = 0; row < rows; row++) {
        const int index = DatumGetInt32(result_field(row, 1));
        const NullableDatum id{result_field(row, 2)};
        bool is_null;
        if (DatumGetBool(result_field(row, 3, &is_null)))
            missing.over.add({wanted_.at(index, user), id});
        else
            wanted_.set(index, conversation, id);
    }
}

// Give new ids to those that have none.
void WantedConversations::name_missing(Missing &missing)
{
    for (int index = 0; index < wanted_.size(); index++) {
        if (!id(index).isnull)
            continue;
        missing.begun.add(
            {wanted_.at(index, user), wanted_.at(index, channel), {UUIDPGetDatum(uuid_v7())}});
        wanted_.set(index, conversation, missing.begun.at(missing.begun.size() - 1, 2));
    }
}

// Look up every pair, with the users locked before any of their conversations is changed.
// Fewer begun than were missing: one was wanted twice, or another session was faster, which a
// second look shows; or a trigger suppresses them, which is error 09000. Where a look has shown
// already that none is open, that is the first.
template <class LockUsers>
void WantedConversations::find_or_begin(Statement &find, Datum initiated_by, int64 age,
                                        LockUsers lock_users, bool is_none_open)
{
    constexpr int looks = 3;
    const Datum over_before = TimestampTzGetDatum(now() - age);
    for (int look = 1;; look++) {
        Missing missing;
        take_found(look == 1 && is_none_open ? 0 : find.execute(wanted_, {over_before}), missing);
        name_missing(missing);
        if (missing.begun.size() == 0)
            return;
        if (look == looks)
            refuse_suppressed("conversations");
        lock_users();
        if (missing.begin_all(initiated_by))
            return;
    }
}

void WantedConversations::open_for_companion()
{
    find_or_begin(find_not_by_companion, to_text("companion"),
                  static_cast<int64>(settings::min_gap) * USECS_PER_SEC, [] {});
}

// Whether a conversation's last message is newer than a time.
static bool has_newer_message(Datum user_id, Datum conversation_id, TimestampTz than)
{
    const Datum key[] = {user_id, conversation_id};
    Lookup messages("messages", "messages_conversation");
    const bool is_newer =
        messages.find_last(key, 2) &&
        DatumGetTimestampTz(messages.get(messages.column("created_at")).value) > than;
    messages.close();
    return is_newer;
}

enum class Open { none, over, current };

// Whether a conversation of a user is open on a channel, and which, found without a plan; and
// whether it is over, as of a time.
static Open find_current(Datum user_id, Datum channel, TimestampTz over_before, pg_uuid_t *id)
{
    const Datum key[] = {user_id, channel};
    Lookup conversations("conversations", "conversations_open");
    const bool is_there = conversations.find(key, 2);
    TimestampTz started_at = DT_NOBEGIN;
    if (is_there) {
        *id = *DatumGetUUIDP(conversations.get(conversations.column("id")).value);
        started_at =
            DatumGetTimestampTz(conversations.get(conversations.column("started_at")).value);
    }
    conversations.close();
    if (!is_there)
        return Open::none;
    return started_at > over_before || has_newer_message(user_id, UUIDPGetDatum(id), over_before)
               ? Open::current
               : Open::over;
}

pg_uuid_t open_conversation(Datum user_id, Datum channel, Datum initiated_by, int64 idle,
                            bool is_locked)
{
    pg_uuid_t id;
    const Open open = find_current(user_id, channel, now() - idle, &id);
    if (open == Open::current)
        return id;
    WantedConversations wanted;
    wanted.add(user_id, channel);
    const auto lock = [=] {
        if (!is_locked)
            lock_user(user_id);
    };
    wanted.find_or_begin(find_idle, initiated_by, idle, lock, open == Open::none);
    return *DatumGetUUIDP(wanted.id(0).value);
}

int64 idle_length(Datum idle)
{
    return interval_between(idle, "idle", 0, 36000 * USECS_PER_DAY, "zero to 100 years");
}

} // namespace companion
