// What is paused: of a channel, of a kind, or all sending.
#include "policy/pauses.hpp"

#include "channels/channel.hpp"
#include "postgres/arguments.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "postgres/kept_rows.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "sending/notify.hpp"

namespace companion {

struct Pause {
    NameData channel, kind; // empty: all
    TimestampTz until;
    const char *reason; // null: none

    bool has_kind() const { return NameStr(kind)[0] != '\0'; }
    bool is_on(std::string_view name) const
    {
        return NameStr(channel)[0] == '\0' || name == NameStr(channel);
    }
    bool covers(std::string_view on, std::string_view of) const
    {
        return is_on(on) && (!has_kind() || of == NameStr(kind));
    }
};

static Pause read_pause(const StoredRow &row)
{
    const NullableDatum until = row.nullable("until"), reason = row.nullable("reason");
    Pause pause{{},
                {},
                until.isnull ? DT_NOEND : DatumGetTimestampTz(until.value),
                reason.isnull ? nullptr : TextDatumGetCString(reason.value)};
    namestrcpy(&pause.channel, TextDatumGetCString(row.get("channel")));
    namestrcpy(&pause.kind, TextDatumGetCString(row.get("kind")));
    return pause;
}

static KeptRows<Pause> kept{"sending_pauses", read_pause, [](const Pause &a, const Pause &b) {
                                const int order = strcmp(NameStr(a.channel), NameStr(b.channel));
                                return order < 0 ||
                                       (order == 0 && strcmp(NameStr(a.kind), NameStr(b.kind)) < 0);
                            }};

template <class Is>
static const Pause *find_pause(TimestampTz at, Is is)
{
    for (const Pause &pause : kept.rows())
        if (pause.until > at && is(pause))
            return &pause;
    return nullptr;
}

bool is_something_paused(TimestampTz at)
{
    return find_pause(at, [](const Pause &) { return true; }) != nullptr;
}

bool is_some_kind_paused(TimestampTz at)
{
    return find_pause(at, [](const Pause &pause) { return pause.has_kind(); }) != nullptr;
}

bool is_channel_paused(std::string_view channel, TimestampTz at)
{
    return find_pause(at, [=](const Pause &pause) {
               return !pause.has_kind() && pause.is_on(channel);
           }) != nullptr;
}

static const Pause *pause_of(std::string_view channel, std::string_view kind, TimestampTz at)
{
    return find_pause(at, [=](const Pause &pause) { return pause.covers(channel, kind); });
}

bool is_paused(std::string_view channel, std::string_view kind, TimestampTz at)
{
    return pause_of(channel, kind, at) != nullptr;
}

TimestampTz pause_end(std::string_view channel, std::string_view kind, TimestampTz at)
{
    TimestampTz end = at;
    while (const Pause *pause = end == DT_NOEND ? nullptr : pause_of(channel, kind, end))
        end = pause->until;
    return end;
}

Datum pause_reason(std::string_view channel, std::string_view kind, TimestampTz at)
{
    const Pause *pause = pause_of(channel, kind, at);
    const auto part = [](const char *before, const NameData &name) {
        return NameStr(name)[0] == '\0' ? "" : psprintf("%s%s", before, NameStr(name));
    };
    return CStringGetTextDatum(psprintf(
        "sending%s%s is paused%s%s", part(" of ", pause->kind), part(" on ", pause->channel),
        pause->reason == nullptr ? "" : ": ", pause->reason == nullptr ? "" : pause->reason));
}

TimestampTz last_pause_end(std::string_view channel, TimestampTz at)
{
    TimestampTz last = DT_NOBEGIN;
    for (const Pause &pause : kept.rows())
        if (!pause.has_kind() && pause.is_on(channel) && pause.until <= at)
            last = Max(last, pause.until);
    return last;
}

// Returns whether the row came out as it is written here.
static Statement pause{R"sql(
    INSERT INTO companion.sending_pauses AS p (channel, kind, until, reason)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (channel, kind) DO UPDATE
    SET until = excluded.until, reason = excluded.reason,
        since = CASE WHEN p.until <= companion.now() THEN excluded.since ELSE p.since END
    RETURNING channel = $1 AND kind = $2 AND until IS NOT DISTINCT FROM $3
)sql",
                       TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID};

static Statement resume{R"sql(
    UPDATE companion.sending_pauses SET until = companion.now()
    WHERE channel = $1 AND kind = $2 AND (until IS NULL OR until > companion.now())
    RETURNING until = companion.now()
)sql",
                        TEXTOID, TEXTOID};

// A channel or kind that a pause is of; empty for all.
static Datum text_or_empty(const Arguments &arguments, int position)
{
    return arguments.is_null(position) ? to_text("") : arguments.optional(position);
}

static Datum read_paused_kind(const Arguments &arguments, int position)
{
    const Datum kind = text_or_empty(arguments, position);
    if (!arguments.is_null(position) && !is_short_word(text_view(kind)))
        ereport(
            ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("kind is \"%s\", expected 1 to 63 lower-case letters, digits and _, a letter "
                   "first",
                   excerpt(text_view(kind))));
    return kind;
}

static void require_pause_written(uint64 rows)
{
    if (rows == 0)
        refuse_suppressed("sending_pauses");
    if (!DatumGetBool(result_field(0, 1)))
        refuse_changed("sending_pauses", "channel, kind or until");
}

static bool pause_sending(const Arguments &arguments)
{
    if (!arguments.is_null(0))
        require_channel(arguments.text(0, "channel"));
    if (!arguments.is_null(3))
        check_length("reason", arguments.text(3, "reason"), 500);
    const TimestampTz until = arguments.is_null(2) ? DT_NOEND : arguments.timestamp(2, "until");
    const char nulls[] = {' ', ' ', arguments.null_flag(2), arguments.null_flag(3)};
    require_pause_written(
        pause.execute({text_or_empty(arguments, 0), read_paused_kind(arguments, 1),
                       arguments.optional(2), arguments.optional(3)},
                      nulls));
    return until > now();
}

static bool resume_sending(const Arguments &arguments)
{
    const uint64 rows =
        resume.execute_newest({text_or_empty(arguments, 0), read_paused_kind(arguments, 1)});
    if (rows > 0) {
        require_pause_written(rows);
        notify_workers();
    }
    return rows > 0;
}

} // namespace companion

using namespace companion;

COMPANION_FUNCTION(pause_sending)
{
    const Arguments arguments(fcinfo);
    PG_RETURN_BOOL(with_spi([&] { return pause_sending(arguments); }));
}

COMPANION_FUNCTION(resume_sending)
{
    const Arguments arguments(fcinfo);
    PG_RETURN_BOOL(with_spi([&] { return resume_sending(arguments); }));
}

COMPANION_FUNCTION(sending_paused)
{
    const Arguments arguments(fcinfo);
    if (arguments.is_null(0) || arguments.is_null(2))
        return as_only_row(fcinfo, {{0, true}, {0, true}});
    const std::string_view channel = arguments.text(0, "channel"), kind = arguments.text(1, "kind");
    const TimestampTz at = DatumGetTimestampTz(arguments.optional(2));
    if (!is_paused(channel, kind, at))
        return as_only_row(fcinfo, {{0, true}, {0, true}});
    const TimestampTz until = pause_end(channel, kind, at);
    return as_only_row(fcinfo, {{TimestampTzGetDatum(until), until == DT_NOEND},
                                {pause_reason(channel, kind, at), false}});
}
