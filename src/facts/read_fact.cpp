// Reading a fact from JSON.
#include "facts/read_fact.hpp"

#include "users/wall_time.hpp"

#include <algorithm>
#include <cmath>

namespace companion {

static std::string_view view(const JsonbValue &json)
{
    return {json.val.string.val, static_cast<std::size_t>(json.val.string.len)};
}

static char *to_cstring(const JsonbValue &json)
{
    return pnstrdup(json.val.string.val, json.val.string.len);
}

static Fact::Field field_named(const JsonbValue &name, int index)
{
    for (int field = 0; field < Fact::field_count; field++)
        if (view(name) == Fact::names[field])
            return static_cast<Fact::Field>(field);
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("facts[%d] has an unknown field \"%s\"", index, to_cstring(name)),
            errhint("The fields are the arguments of upsert_user_context() after user_id."));
    pg_unreachable();
}

static void require_type(const Fact &fact, Fact::Field field, const JsonbValue &json, jbvType type,
                         const char *expected)
{
    if (json.type != type)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s must be %s", fact.place(field), expected));
}

// A number, or in a lenient reading a text that is one.
static double to_double(const Fact &fact, Fact::Field field, const JsonbValue &json,
                        OnInvalid on_invalid)
{
    if (on_invalid == OnInvalid::skip && json.type == jbvString)
        return DatumGetFloat8(DirectFunctionCall1(float8in, CStringGetDatum(to_cstring(json))));
    require_type(fact, field, json, jbvNumeric, "a number");
    return DatumGetFloat8(
        DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(json.val.numeric)));
}

static Datum to_valence(const Fact &fact, double valence)
{
    if (valence != std::clamp(std::nearbyint(valence), -1e6, 1e6))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s must be a whole number", fact.place(Fact::emotional_valence)));
    return Int32GetDatum(static_cast<int>(valence));
}

// A text, or in a lenient reading a number's or a boolean's.
static Datum to_value(const Fact &fact, const JsonbValue &json, OnInvalid on_invalid)
{
    if (on_invalid == OnInvalid::skip && json.type == jbvBool)
        return CStringGetTextDatum(json.val.boolean ? "true" : "false");
    if (on_invalid == OnInvalid::skip && json.type == jbvNumeric)
        return CStringGetTextDatum(
            DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(json.val.numeric))));
    require_type(fact, Fact::value, json, jbvString, "a string");
    return to_text(view(json));
}

static Datum to_expiry(Fact &fact, const JsonbValue &json)
{
    require_type(fact, Fact::expires_at, json, jbvString, "a string");
    fact.expires_on_date = is_iso_date(view(json));
    const Datum text = CStringGetDatum(to_cstring(json));
    if (fact.expires_on_date)
        return DirectFunctionCall1(date_in, text);
    return DirectFunctionCall3(timestamptz_in, text, ObjectIdGetDatum(InvalidOid),
                               Int32GetDatum(-1));
}

static Datum to_metadata(const Fact &fact, JsonbValue &json)
{
    require_type(fact, Fact::metadata, json, jbvBinary, "an object");
    return JsonbPGetDatum(JsonbValueToJsonb(&json));
}

static Datum to_datum(Fact &fact, Fact::Field field, JsonbValue &json, OnInvalid on_invalid)
{
    switch (field) {
    case Fact::importance:
        return Float8GetDatum(to_double(fact, field, json, on_invalid));
    case Fact::emotional_valence:
        return to_valence(fact, to_double(fact, field, json, on_invalid));
    case Fact::value:
        return to_value(fact, json, on_invalid);
    case Fact::expires_at:
        return to_expiry(fact, json);
    case Fact::metadata:
        return to_metadata(fact, json);
    case Fact::source_message_id:
        require_type(fact, field, json, jbvString, "a string");
        return DirectFunctionCall1(uuid_in, CStringGetDatum(to_cstring(json)));
    case Fact::pinned:
        require_type(fact, field, json, jbvBool, "true or false");
        return BoolGetDatum(json.val.boolean);
    default:
        require_type(fact, field, json, jbvString, "a string");
        return to_text(view(json));
    }
}

// Where in the facts a value is being read, for the errors of the server's own types.
struct Place {
    const Fact *fact;
    Fact::Field field;
};

static void name_place(void *argument)
{
    const auto *place = static_cast<const Place *>(argument);
    errcontext("%s", place->fact->place(place->field));
}

static void read_field(Fact &fact, Fact::Field field, JsonbValue &json, OnInvalid on_invalid)
{
    Place place{&fact, field};
    ErrorContextCallback context{error_context_stack, name_place, &place};
    error_context_stack = &context;
    fact.is_null[field] = json.type == jbvNull;
    if (!fact.is_null[field])
        fact.values[field] = to_datum(fact, field, json, on_invalid);
    error_context_stack = context.previous;
}

static void read_fields(ListedFact &fact, JsonbContainer *object, OnInvalid on_invalid)
{
    std::fill_n(fact.is_null, static_cast<int>(Fact::field_count), true);
    Fact::Field field{};
    JsonbValue json;
    JsonbIterator *iterator = JsonbIteratorInit(object);
    for (;;) {
        const JsonbIteratorToken token = JsonbIteratorNext(&iterator, &json, true);
        if (token == WJB_DONE)
            break;
        if (token == WJB_KEY)
            field = field_named(json, fact.index);
        else if (token == WJB_VALUE)
            read_field(fact, field, json, on_invalid);
    }
    fact.complete();
}

void read_fact(ListedFact &fact, JsonbContainer *object, OnInvalid on_invalid)
{
    if (object == nullptr)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("facts[%d] is not an object", fact.index));
    read_fields(fact, object, on_invalid);
}

} // namespace companion
