// Reading facts from JSON.
#include "memory/facts.hpp"

#include "users/wall_time.hpp"
#include "postgres/attempt.hpp"
#include "postgres/statement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

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

static Datum to_importance(double importance)
{
    constexpr double furthest = std::numeric_limits<float>::max();
    return Float4GetDatum(static_cast<float>(std::clamp(importance, -furthest, furthest)));
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
        return to_importance(to_double(fact, field, json, on_invalid));
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

static void read_fact(ListedFact &fact, JsonbContainer *object, OnInvalid on_invalid)
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

// What a fact's item is found by.
static std::tuple<std::string_view, std::string_view> identity(const ListedFact *fact)
{
    return {fact->text(Fact::category), text_view(fact->folded_key)};
}

static bool is_before(const ListedFact *a, const ListedFact *b)
{
    return std::tuple(identity(a), a->index) < std::tuple(identity(b), b->index);
}

// Order the facts that are valid, which also is the order in which their rows are locked, and let
// the last of those with the same category and key count.
static void find_distinct(Facts &facts)
{
    facts.distinct = static_cast<ListedFact **>(palloc(Max(facts.count, 1) * sizeof(ListedFact *)));
    for (int index = 0; index < facts.count; index++)
        facts.distinct[index] = &facts.begin[index];
    ListedFact **end =
        std::copy_if(facts.distinct, facts.distinct + facts.count, facts.distinct,
                     [](const ListedFact *fact) { return fact->outcome == nullptr; });
    const int count = static_cast<int>(end - facts.distinct);
    std::sort(facts.distinct, end, is_before);
    facts.distinct_count = 0;
    for (int first = 0, next; first < count; first = next) {
        for (next = first + 1; next < count; next++)
            if (identity(facts.distinct[first]) != identity(facts.distinct[next]))
                break;
        ListedFact *last = facts.distinct[next - 1];
        for (int index = first; index < next; index++)
            facts.distinct[index]->counts = last;
        facts.distinct[facts.distinct_count++] = last;
    }
}

ListedFact *Facts::find(std::string_view category, std::string_view folded_key) const
{
    const auto wanted = std::tuple(category, folded_key);
    ListedFact **end = distinct + distinct_count;
    ListedFact **found =
        std::lower_bound(distinct, end, wanted, [](const ListedFact *fact, const auto &wanted) {
            return identity(fact) < wanted;
        });
    return found != end && identity(*found) == wanted ? *found : nullptr;
}

// Refuse more facts than companion.max_facts. Error 54000.
static void check_count(int count)
{
    if (count > settings::max_facts)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("facts has %d elements, expected at most %d", count, settings::max_facts),
                errhint("Split them, or raise companion.max_facts."));
}

static Facts allocate_facts(int count)
{
    check_count(count);
    return {static_cast<ListedFact *>(palloc0(Max(count, 1) * sizeof(ListedFact))), 0, nullptr, 0};
}

static ListedFact &add_fact(Facts &facts)
{
    ListedFact &fact = facts.begin[facts.count];
    fact.index = facts.count++;
    fact.counts = &fact;
    return fact;
}

static void read_element(ListedFact &fact, const JsonbContainer *element, bool is_object,
                         OnInvalid on_invalid)
{
    if (!is_object)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("facts[%d] is not an object", fact.index));
    read_fact(fact, const_cast<JsonbContainer *>(element), on_invalid);
}

// Read an element by a body, which may fail; where that is to be skipped, the fact is refused.
template <class Body>
static void read_or_refuse(ListedFact &fact, OnInvalid on_invalid, Body body)
{
    if (on_invalid == OnInvalid::error)
        body();
    else if (const char *fault = fault_of(body))
        fact.refuse(fault);
}

OnInvalid read_on_invalid(std::string_view word)
{
    if (word == "error")
        return OnInvalid::error;
    if (word != "skip")
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("on_invalid is \"%s\", expected error or skip", excerpt(word)));
    return OnInvalid::skip;
}

Facts read_facts(Jsonb *array, OnInvalid on_invalid)
{
    if (!JB_ROOT_IS_ARRAY(array) || JB_ROOT_IS_SCALAR(array))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("facts must be a JSON array of objects"));
    Facts facts = allocate_facts(static_cast<int>(JB_ROOT_COUNT(array)));
    JsonbValue json;
    JsonbIterator *iterator = JsonbIteratorInit(&array->root);
    for (;;) {
        const JsonbIteratorToken token = JsonbIteratorNext(&iterator, &json, true);
        if (token == WJB_DONE)
            break;
        if (token != WJB_ELEM)
            continue;
        ListedFact &fact = add_fact(facts);
        const bool is_object =
            json.type == jbvBinary && JsonContainerIsObject(json.val.binary.data);
        read_or_refuse(fact, on_invalid, [&] {
            read_element(fact, is_object ? json.val.binary.data : nullptr, is_object, on_invalid);
        });
    }
    find_distinct(facts);
    return facts;
}

static Statement split{R"sql(
    SELECT e.value::text FROM json_array_elements($1::json) WITH ORDINALITY AS e (value, position)
    ORDER BY e.position)sql",
                       TEXTOID};

Facts read_facts(Datum json)
{
    const uint64 count = split.execute({json});
    const SPITupleTable *elements = SPI_tuptable;
    Facts facts = allocate_facts(static_cast<int>(Min(count, PG_INT32_MAX)));
    for (uint64 row = 0; row < count; row++) {
        ListedFact &fact = add_fact(facts);
        read_or_refuse(fact, OnInvalid::skip, [&] {
            const char *text = SPI_getvalue(elements->vals[row], elements->tupdesc, 1);
            Jsonb *element = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
            read_element(fact, &element->root, JB_ROOT_IS_OBJECT(element), OnInvalid::skip);
        });
    }
    find_distinct(facts);
    return facts;
}

} // namespace companion
