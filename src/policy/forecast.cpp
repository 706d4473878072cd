// When a message may go by what is beside its user's own settings: pauses of sending, and caps.
#include "policy/closed.hpp"
#include "policy/open_caps.hpp"
#include "policy/pauses.hpp"
#include "postgres/arguments.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"

namespace companion {

Datum reason_of(const Cap &cap)
{
    Interval length = cap.length;
    const char *period = cap.rolling != 0
                             ? psprintf("in %s", DatumGetCString(DirectFunctionCall1(
                                                     interval_out, IntervalPGetDatum(&length))))
                         : cap.period == LocalPeriod::day  ? "a day"
                         : cap.period == LocalPeriod::week ? "a week"
                                                           : "a month";
    return CStringGetTextDatum(psprintf("over the cap of %d %s of group %s", cap.max_messages,
                                        period, NameStr(cap.group)));
}

// A cap that is full, null where none is; and until when.
struct Full {
    const Cap *cap;
    TimestampTz until;
};

static Full find_full(const pg_uuid_t &user_id, const Kind &kind, TimestampTz at)
{
    Full full{nullptr, DT_NOEND};
    const NameData &group = kind.cap_group;
    if (NameStr(group)[0] == '\0')
        return full;
    OpenCaps caps(at);
    caps.come_to(group);
    CountedRows counted;
    const Datum key[] = {UUIDPGetDatum(&user_id), to_text(NameStr(group))};
    if (caps.are_there() && counted.rows().find(key, 2)) {
        UsersZones zones;
        caps.open(zones.of(user_id));
        full.cap = caps.full(counted.counts(), &full.until);
        zones.close();
    }
    counted.close();
    return full;
}

// When a message may go, DT_NOEND where it is skipped or nobody knows; and why not at once, zero
// where it may.
struct Forecast {
    TimestampTz at;
    Datum reason;
};

// By pauses of sending.
static Forecast after_pauses(const pg_uuid_t &user_id, std::string_view kind,
                             std::string_view channel, TimestampTz at, TimestampTz send_before)
{
    if (!is_paused(channel, kind, at))
        return {at, 0};
    const Datum reason = pause_reason(channel, kind, at);
    const Otherwise otherwise = kind_of(kind).when_closed;
    if (otherwise == Otherwise::skip)
        return {DT_NOEND, reason};
    if (otherwise == Otherwise::fall_back && has_next_open(user_id, channel, kind, at))
        return {at, reason};
    const TimestampTz end = pause_end(channel, kind, at);
    return {end < send_before ? end : DT_NOEND, reason};
}

// By them, and by the caps as they are now.
static Forecast after_all(const pg_uuid_t &user_id, std::string_view kind, std::string_view channel,
                          TimestampTz at, TimestampTz send_before)
{
    const Forecast going = after_pauses(user_id, kind, channel, at, send_before);
    if (going.at == DT_NOEND)
        return going;
    const Kind of = kind_of(kind);
    const Full full = find_full(user_id, of, going.at);
    if (full.cap == nullptr)
        return going;
    const bool is_deferred = of.over_cap == Otherwise::defer && full.until < send_before;
    return {is_deferred ? full.until : DT_NOEND, reason_of(*full.cap)};
}

} // namespace companion

using namespace companion;

COMPANION_FUNCTION(cap_full)
{
    const Arguments arguments(fcinfo);
    if (arguments.is_null(2))
        return as_only_row(fcinfo, {{0, true}, {0, true}});
    const pg_uuid_t &user_id = *DatumGetUUIDP(arguments.required(0, "user_id"));
    const Full full = with_spi([&] {
        return find_full(user_id, kind_of(arguments.text(1, "kind")),
                         DatumGetTimestampTz(arguments.optional(2)));
    });
    if (full.cap == nullptr)
        return as_only_row(fcinfo, {{0, true}, {0, true}});
    return as_only_row(fcinfo,
                       {{TimestampTzGetDatum(full.until), false}, {reason_of(*full.cap), false}});
}

COMPANION_FUNCTION(after_policy)
{
    const Arguments arguments(fcinfo);
    if (arguments.is_null(2) || arguments.is_null(3) || arguments.is_null(4))
        return as_only_row(fcinfo, {arguments.nullable(3), {0, true}});
    const pg_uuid_t &user_id = *DatumGetUUIDP(arguments.required(0, "user_id"));
    const Forecast going = with_spi([&] {
        return after_all(user_id, arguments.text(1, "kind"), arguments.text(2, "channel"),
                         DatumGetTimestampTz(arguments.optional(3)),
                         DatumGetTimestampTz(arguments.optional(4)));
    });
    return as_only_row(fcinfo, {{TimestampTzGetDatum(going.at), going.at == DT_NOEND},
                                {going.reason, going.reason == 0}});
}
