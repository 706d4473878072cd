// A user is reached elsewhere: what is pending follows.
//
// In the transaction that changes it, and under the row's lock: either the message is started
// before it, or after it by who was told of the new address.
#include "sending/readdress.hpp"

#include "channels/usable.hpp"
#include "policy/kind.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "postgres/uuid.hpp"
#include "postgres/written_row.hpp"
#include "sending/pending.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

Statement keep_told{R"sql(
    UPDATE companion.dispatch_queue AS q SET bot = $3, addresses = $4
    WHERE user_id = $1 AND message_id = $2
    RETURNING q.user_id = $1 AND q.message_id = $2 AND q.addresses = $4
)sql",
                    UUIDOID, UUIDOID, TEXTOID, TEXTARRAYOID};

// Where a user was reached, and is now.
struct Change {
    pg_uuid_t user_id;
    UsableAddresses before;
    Reach now;
};

bool is_same(const Destination &a, const Destination &b)
{
    return a.addresses.isnull == b.addresses.isnull &&
           (a.addresses.isnull ||
            (text_view(a.bot.value) == text_view(b.bot.value) &&
             datum_image_eq(a.addresses.value, b.addresses.value, false, -1)));
}

void keep(const QueueRow &row, const Destination &told)
{
    require_queue_row_written(
        keep_told.execute_newest({UUIDPGetDatum(&row.user_id), UUIDPGetDatum(&row.message_id),
                                  told.bot.value, told.addresses.value}),
        "user_id, message_id or addresses");
}

// To where it would be put now, if that has changed or its channel reaches the user no more.
void follow_choice(const Pending &pending, const Change &change, bool is_reached)
{
    const QueueRow &row = pending.row;
    const NullableDatum preferred =
        pending.wanted_channel.isnull ? change.now.preferred : pending.wanted_channel;
    const Channel *chosen = change.before.choose(preferred),
                  *next = change.now.usable.choose(preferred);
    if (is_reached && next == chosen)
        return;
    if (next == nullptr)
        finish_pending(row, "skipped", CStringGetTextDatum("no channel reaches the user any more"));
    else if (!is_reached && !kind_of(text_view(row.kind)).falls_back)
        finish_pending(row, "failed", CStringGetTextDatum("its address is gone"));
    else if (next->name_view() != text_view(row.channel))
        move_to_channel(row, to_text(next->name_view()));
}

void follow(const Pending &pending, const Change &change)
{
    const QueueRow &row = pending.row;
    const std::string_view channel = text_view(row.channel);
    const Destination before = change.before.on(channel, change.user_id),
                      now = change.now.usable.on(channel, change.user_id);
    if (row.sending) {
        if (!pending.has_told && !before.addresses.isnull && !is_same(before, now))
            keep(row, before);
        return;
    }
    if (!now.addresses.isnull && !is_same(before, now) && (row.is_claimed() || row.waits_for != 0))
        move_to_channel(row, row.channel);
    follow_choice(pending, change, !now.addresses.isnull);
}

void follow_all(const Change &change)
{
    const PendingMessages pending(change.user_id);
    for (int index = 0; index < pending.size(); index++)
        follow(pending.at(index), change);
}

} // namespace

namespace companion {

void readdress_free(const ArrayBuilder &user_ids)
{
    const int count = user_ids.size();
    if (count == 0)
        return;
    auto *lockings = static_cast<Locking *>(palloc(count * sizeof(Locking)));
    lock_free_users(user_ids.finish(), lockings);
    for (int index = 0; index < count; index++)
        if (lockings[index] == Locking::held) {
            const pg_uuid_t user_id = *DatumGetUUIDP(user_ids.at(index).value);
            const Reach reach = reach_of(user_id);
            follow_all({user_id, reach.usable, reach});
        }
}

} // namespace companion

COMPANION_FUNCTION(readdress_messages)
{
    const WrittenRow row(fcinfo);
    const Change change{*DatumGetUUIDP(row.nullable("id", UUIDOID).value),
                        UsableAddresses(row.before("usable_addresses", TEXTARRAYOID)),
                        {UsableAddresses(row.nullable("usable_addresses", TEXTARRAYOID)),
                         row.nullable("preferred_channel", TEXTOID)}};
    with_spi([&] { follow_all(change); });
    return PointerGetDatum(nullptr);
}
