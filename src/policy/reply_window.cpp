// A channel on which a user may be written to freely only for a while after they have written.
#include "policy/reply_window.hpp"

#include "policy/kind.hpp"
#include "postgres/arguments.hpp"
#include "postgres/lookup.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "sending/notify.hpp"

namespace companion {

// When a message last came from where a message of ours goes; long ago: none has.
static TimestampTz last_incoming(const pg_uuid_t &user_id, std::string_view channel,
                                 const Destination &to)
{
    Lookup addresses("addresses", "addresses_pkey", Lookup::Seen::newest);
    const Datum key[] = {UUIDPGetDatum(&user_id), to_text(channel), to.bot.value, to.address.value};
    TimestampTz last = DT_NOBEGIN;
    if (addresses.find(key, lengthof(key))) {
        const NullableDatum at = addresses.get(addresses.column("last_incoming_at"));
        last = at.isnull ? DT_NOBEGIN : DatumGetTimestampTz(at.value);
    }
    addresses.close();
    return last;
}

bool is_window_closed(const pg_uuid_t &user_id, std::string_view channel,
                      const UsableAddresses &usable, std::string_view kind, TimestampTz at)
{
    const Channel *known = find_channel(channel);
    if (known == nullptr || known->reply_window == 0 || !known->needs_address ||
        kind_of(kind).is_template)
        return false;
    const int64 window = known->reply_window;
    const Destination to = usable.on(channel, user_id);
    return !to.address.isnull && last_incoming(user_id, channel, to) <= at - window;
}

Datum window_reason(std::string_view channel)
{
    return CStringGetTextDatum(psprintf("outside the reply window of %.*s",
                                        static_cast<int>(channel.size()), channel.data()));
}

// What waits for a reply, on whatever channel: it may fall back to this one.
static Statement release{R"sql(
    UPDATE companion.dispatch_queue AS q SET visible_at = companion.now(), waits_for = NULL
    WHERE user_id = $1 AND NOT sending AND visible_at > companion.now()
        AND waits_for LIKE 'outside the reply window of %'
    RETURNING q.user_id = $1 AND q.visible_at = companion.now()
)sql",
                         UUIDOID};

void release_waiting(const pg_uuid_t &user_id, const Channel &channel)
{
    if (channel.reply_window == 0)
        return;
    const uint64 rows = release.execute_newest({UUIDPGetDatum(&user_id)});
    for (uint64 row = 0; row < rows; row++)
        if (bool is_null; !DatumGetBool(result_field(row, 1, &is_null)) || is_null)
            refuse_changed("dispatch_queue", "user_id or visible_at");
    if (rows > 0)
        notify_workers();
}

} // namespace companion
