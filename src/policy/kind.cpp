// The kinds of messages, as companion.kinds has them.
#include "policy/kind.hpp"

#include "postgres/arguments.hpp"
#include "postgres/interval_length.hpp"
#include "postgres/kept_rows.hpp"
#include "postgres/settings.hpp"

namespace companion {

static Otherwise read_otherwise(Datum word)
{
    const std::string_view text = text_view(word);
    return text == "skip"        ? Otherwise::skip
           : text == "ignore"    ? Otherwise::ignore
           : text == "fall_back" ? Otherwise::fall_back
                                 : Otherwise::defer; // or wait
}

static Kind read_kind(const StoredRow &row)
{
    const NullableDatum within = row.nullable("send_within"), tries = row.nullable("max_tries"),
                        group = row.nullable("cap_group");
    Kind kind{{},
              static_cast<int>(interval_length(row.get("head_start")) / USECS_PER_SEC),
              within.isnull ? PG_INT64_MAX : interval_length(within.value),
              tries.isnull ? INT_MAX : DatumGetInt32(tries.value),
              DatumGetBool(row.get("retry_unknown")),
              DatumGetBool(row.get("falls_back")),
              DatumGetBool(row.get("respects_pause")),
              DatumGetBool(row.get("cancel_on_reply")),
              {},
              read_otherwise(row.get("quiet")),
              read_otherwise(row.get("over_cap")),
              read_otherwise(row.get("when_closed")),
              DatumGetBool(row.get("is_template"))};
    namestrcpy(&kind.name, TextDatumGetCString(row.get("kind")));
    if (!group.isnull)
        namestrcpy(&kind.cap_group, TextDatumGetCString(group.value));
    return kind;
}

static KeptRows<Kind> kept{
    "kinds", read_kind, [](const Kind &a, const Kind &b) { return a.name_view() < b.name_view(); }};

bool have_head_starts()
{
    const Rows<Kind> kinds = kept.rows();
    return std::any_of(kinds.begin(), kinds.end(),
                       [](const Kind &kind) { return kind.head_start > 0; });
}

bool have_cap_groups()
{
    const Rows<Kind> kinds = kept.rows();
    return std::any_of(kinds.begin(), kinds.end(),
                       [](const Kind &kind) { return NameStr(kind.cap_group)[0] != '\0'; });
}

bool do_some_leave_closed()
{
    const Rows<Kind> kinds = kept.rows();
    return std::any_of(kinds.begin(), kinds.end(),
                       [](const Kind &kind) { return kind.when_closed != Otherwise::defer; });
}

static const Kind *find_kind(std::string_view name)
{
    for (const Kind &kind : kept.rows())
        if (kind.name_view() == name)
            return &kind;
    return nullptr;
}

Kind kind_of(std::string_view name)
{
    for (std::string_view one : {name, std::string_view("custom")})
        if (const Kind *kind = find_kind(one))
            return *kind;
    return {{},
            0,
            PG_INT64_MAX,
            20,
            false,
            true,
            false,
            false,
            {},
            Otherwise::defer,
            Otherwise::defer,
            Otherwise::defer,
            false}; // somebody has deleted it
}

bool respects_pause(std::string_view name)
{
    return name == "checkin" || kind_of(name).respects_pause;
}

Interval *checkin_within()
{
    auto *within = static_cast<Interval *>(palloc0(sizeof(Interval)));
    within->time = Min(kind_of("checkin").send_within, settings::longest_catch_up * USECS_PER_SEC);
    return within;
}

} // namespace companion
