// What a fact must be like.
#include "facts/fact.hpp"

#include "postgres/settings.hpp"
#include "text/folding.hpp"
#include "users/wall_time.hpp"

#include <algorithm>

namespace companion {

const char *const Fact::names[] = {"category",          "key",    "value",      "importance",
                                   "emotional_valence", "source", "expires_at", "source_message_id",
                                   "metadata",          "pinned"};

const char *Fact::place(Field field) const
{
    return index < 0 ? names[field] : psprintf("facts[%d].%s", index, names[field]);
}

bool Fact::is_users_word() const
{
    return !is_null[source] && (text(source) == "user" || text(source) == "pinned");
}

// Refuse a text that is missing, empty or longer than so many characters.
static void check_text(const Fact &fact, Fact::Field field, int longest)
{
    if (fact.is_null[field])
        refuse_null(fact.place(field));
    check_length(fact.place(field), fact.text(field), longest);
}

static void check_source(const Fact &fact)
{
    if (!is_short_word(fact.text(Fact::source)))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s is not a valid source", fact.place(Fact::source)),
                errhint("A source is user, pinned, extracted or the app's own word: 1 to 63 "
                        "lower-case letters, digits and _, a letter first."));
}

static void check_importance(const Fact &fact)
{
    const double importance = DatumGetFloat8(fact.values[Fact::importance]);
    if (!(importance >= 0 && importance <= 1))
        ereport(
            ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("%s is %s, expected 0 to 1", fact.place(Fact::importance),
                   DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(importance)))));
}

static void check_valence(const Fact &fact)
{
    const int valence = DatumGetInt32(fact.values[Fact::emotional_valence]);
    if (valence < -2 || valence > 2)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s is %d, expected -2 to 2", fact.place(Fact::emotional_valence), valence));
}

static void check_expiry(const Fact &fact)
{
    if (!fact.expires_on_date &&
        TIMESTAMP_IS_NOBEGIN(DatumGetTimestampTz(fact.values[Fact::expires_at])))
        ereport(ERROR, errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                errmsg("%s must not be -infinity", fact.place(Fact::expires_at)),
                errhint("Use infinity to clear an expiry."));
}

// Refuse metadata that is no object or too large, or whose follow_up_on is no date.
static void check_metadata(const Fact &fact)
{
    Jsonb *metadata = DatumGetJsonbP(fact.values[Fact::metadata]);
    if (!JB_ROOT_IS_OBJECT(metadata))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s must be a JSON object", fact.place(Fact::metadata)));
    check_json_size(fact.place(Fact::metadata), metadata);
    JsonbValue date;
    if (getKeyJsonValueFromContainer(&metadata->root, "follow_up_on", 12, &date) == nullptr)
        return;
    if (date.type != jbvString ||
        !is_iso_date({date.val.string.val, static_cast<std::size_t>(date.val.string.len)}))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s: follow_up_on must be a date", fact.place(Fact::metadata)),
                errhint("Write it as YYYY-MM-DD."));
    DirectFunctionCall1(date_in, CStringGetDatum(pnstrdup(date.val.string.val, 10)));
}

// A category is a name and stands in its normal form; of what was said the white space around it
// alone goes.
void Fact::trim()
{
    for (const Field field : {category, key, value}) {
        if (is_null[field])
            continue;
        const std::string_view given = text(field), kept = trimmed(given);
        const std::string_view stored = field == category ? normalized(kept) : kept;
        if (stored.data() != given.data() || stored.size() != given.size())
            set(field, to_text(stored));
    }
}

void Fact::check_options() const
{
    static constexpr struct {
        Field field;
        void (*check)(const Fact &);
    } options[] = {{importance, check_importance},
                   {emotional_valence, check_valence},
                   {source, check_source},
                   {expires_at, check_expiry},
                   {metadata, check_metadata}};
    for (const auto &[field, check] : options)
        if (!is_null[field])
            check(*this);
}

void Fact::complete()
{
    constexpr int longest_category = 100;
    trim();
    check_text(*this, category, longest_category);
    check_text(*this, key, settings::max_context_key_length);
    check_text(*this, value, settings::max_context_value_length);
    check_options();
    folded_key = to_text(folded(text(key)));
    if (is_null[pinned] && !is_null[source] && text(source) == "pinned")
        set(pinned, BoolGetDatum(true));
}

} // namespace companion
