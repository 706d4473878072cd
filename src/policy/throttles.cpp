// What a messenger has asked to wait with: a channel, or a bot there.
#include "policy/throttles.hpp"

#include "channels/channel.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/kept_rows.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "sending/retry_after.hpp"

namespace companion {

struct Throttle {
    NameData channel;
    const char *bot; // null: all
    TimestampTz until;

    bool is_on(std::string_view name) const { return name == NameStr(channel); }
    bool covers(std::string_view name) const { return bot == nullptr || name == bot; }
};

static Throttle read_throttle(const StoredRow &row)
{
    const NullableDatum bot = row.nullable("bot");
    Throttle throttle{{},
                      bot.isnull ? nullptr : TextDatumGetCString(bot.value),
                      DatumGetTimestampTz(row.get("until"))};
    namestrcpy(&throttle.channel, TextDatumGetCString(row.get("channel")));
    return throttle;
}

static KeptRows<Throttle> kept{
    "channel_throttles", read_throttle,
    [](const Throttle &a, const Throttle &b) { return a.until > b.until; }};

template <class Is>
static bool is_some(TimestampTz at, Is is)
{
    const Rows<Throttle> rows = kept.rows();
    return std::any_of(rows.begin(), rows.end(), [&](const Throttle &throttle) {
        return throttle.until > at && is(throttle);
    });
}

bool have_throttles()
{
    return kept.rows().count > 0;
}

bool is_channel_throttled(std::string_view channel, TimestampTz at)
{
    return is_some(at, [=](const Throttle &throttle) {
        return throttle.bot == nullptr && throttle.is_on(channel);
    });
}

bool is_some_bot_throttled(std::string_view channel, TimestampTz at)
{
    return is_some(at, [=](const Throttle &throttle) {
        return throttle.bot != nullptr && throttle.is_on(channel);
    });
}

bool is_bot_throttled(std::string_view channel, std::string_view bot, TimestampTz at)
{
    return last_throttle_end(channel, bot) > at;
}

TimestampTz last_throttle_end(std::string_view channel, std::string_view bot)
{
    for (const Throttle &throttle : kept.rows()) // the last first
        if (throttle.is_on(channel) && throttle.covers(bot))
            return throttle.until;
    return DT_NOBEGIN;
}

static Statement replace_throttles{R"sql(
    WITH shorter AS MATERIALIZED (
        SELECT id FROM companion.channel_throttles
        WHERE channel = $1 AND bot IS NOT DISTINCT FROM $2 AND until <= $3
        FOR UPDATE SKIP LOCKED),
    deleted AS (
        DELETE FROM companion.channel_throttles AS t USING shorter WHERE t.id = shorter.id)
    INSERT INTO companion.channel_throttles AS t (channel, bot, until)
    VALUES ($1, $2, $3) RETURNING t.channel = $1 AND t.until = $3
)sql",
                                   TEXTOID, TEXTOID, TIMESTAMPTZOID};

static TimestampTz throttle_channel(const Arguments &arguments)
{
    require_channel(arguments.text(0, "channel"));
    const std::optional<int64> wait = read_retry_after(arguments, 1, 3);
    if (!wait)
        refuse_null("retry_after");
    if (!arguments.is_null(2))
        check_bot(arguments.text(2, "bot"));
    // Not from when the transaction began, which may have been before the messenger was asked
    const TimestampTz until = (clock_is_set() ? now() : GetCurrentTimestamp()) + *wait;
    const char nulls[] = {' ', arguments.null_flag(2), ' '};
    if (replace_throttles.execute_newest(
            {arguments.optional(0), arguments.optional(2), TimestampTzGetDatum(until)}, nulls) == 0)
        refuse_suppressed("channel_throttles");
    if (!DatumGetBool(result_field(0, 1)))
        refuse_changed("channel_throttles", "channel or until");
    return until;
}

} // namespace companion

using namespace companion;

COMPANION_FUNCTION(throttle_channel)
{
    const Arguments arguments(fcinfo);
    PG_RETURN_TIMESTAMPTZ(with_spi([&] { return throttle_channel(arguments); }));
}
