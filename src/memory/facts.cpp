// Reading facts from JSON.
#include "memory/facts.hpp"

#include "users/wall_time.hpp"

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

static double to_double(const JsonbValue &json)
{
    return DatumGetFloat8(
        DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(json.val.numeric)));
}

static Datum to_importance(const Fact &fact, const JsonbValue &json)
{
    require_type(fact, Fact::importance, json, jbvNumeric, "a number");
    constexpr double furthest = std::numeric_limits<float>::max();
    return Float4GetDatum(static_cast<float>(std::clamp(to_double(json), -furthest, furthest)));
}

static Datum to_valence(const Fact &fact, const JsonbValue &json)
{
    require_type(fact, Fact::emotional_valence, json, jbvNumeric, "a number");
    const double valence = to_double(json);
    if (valence != std::clamp(std::nearbyint(valence), -1e6, 1e6))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s must be a whole number", fact.place(Fact::emotional_valence)));
    return Int32GetDatum(static_cast<int>(valence));
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

static Datum to_datum(Fact &fact, Fact::Field field, JsonbValue &json)
{
    switch (field) {
    case Fact::importance:
        return to_importance(fact, json);
    case Fact::emotional_valence:
        return to_valence(fact, json);
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

static void read_field(Fact &fact, Fact::Field field, JsonbValue &json)
{
    Place place{&fact, field};
    ErrorContextCallback context{error_context_stack, name_place, &place};
    error_context_stack = &context;
    fact.is_null[field] = json.type == jbvNull;
    if (!fact.is_null[field])
        fact.values[field] = to_datum(fact, field, json);
    error_context_stack = context.previous;
}

// Give a fact the defaults of upsert_user_context's arguments.
static void set_defaults(Fact &fact)
{
    std::fill_n(fact.is_null, static_cast<int>(Fact::field_count), true);
    fact.set(Fact::importance, Float4GetDatum(0.5f));
    fact.set(Fact::emotional_valence, Int32GetDatum(0));
    fact.set(Fact::source, CStringGetTextDatum("extracted"));
}

static void read_fact(ListedFact &fact, JsonbContainer *object)
{
    set_defaults(fact);
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
            read_field(fact, field, json);
    }
    fact.complete();
}

static bool is_before(const ListedFact *a, const ListedFact *b)
{
    return std::tuple(a->text(Fact::category), a->text(Fact::key), a->index) <
           std::tuple(b->text(Fact::category), b->text(Fact::key), b->index);
}

static bool is_same_item(const ListedFact *a, const ListedFact *b)
{
    return a->text(Fact::category) == b->text(Fact::category) &&
           a->text(Fact::key) == b->text(Fact::key);
}

// Order the facts, which also is the order in which their rows are locked, and let the
// last of those with the same category and key count.
static void find_distinct(Facts &facts)
{
    facts.distinct = static_cast<ListedFact **>(palloc(Max(facts.count, 1) * sizeof(ListedFact *)));
    for (int index = 0; index < facts.count; index++)
        facts.distinct[index] = &facts.begin[index];
    std::sort(facts.distinct, facts.distinct + facts.count, is_before);
    facts.distinct_count = 0;
    for (int first = 0, next; first < facts.count; first = next) {
        for (next = first + 1; next < facts.count; next++)
            if (!is_same_item(facts.distinct[first], facts.distinct[next]))
                break;
        ListedFact *last = facts.distinct[next - 1];
        for (int index = first; index < next; index++)
            facts.distinct[index]->counts = last;
        facts.distinct[facts.distinct_count++] = last;
    }
}

ListedFact *Facts::find(std::string_view category, std::string_view key) const
{
    const auto identity = [](const ListedFact *fact) {
        return std::tuple(fact->text(Fact::category), fact->text(Fact::key));
    };
    const auto wanted = std::tuple(category, key);
    ListedFact **end = distinct + distinct_count;
    ListedFact **found =
        std::lower_bound(distinct, end, wanted, [&](const ListedFact *fact, const auto &wanted) {
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

static ListedFact *allocate_facts(int count)
{
    return static_cast<ListedFact *>(palloc0(Max(count, 1) * sizeof(ListedFact)));
}

Facts read_facts(Jsonb *array)
{
    if (!JB_ROOT_IS_ARRAY(array) || JB_ROOT_IS_SCALAR(array))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("facts must be a JSON array of objects"));
    const int count = static_cast<int>(JB_ROOT_COUNT(array));
    check_count(count);
    Facts facts{allocate_facts(count), 0, nullptr, 0};
    JsonbValue json;
    JsonbIterator *iterator = JsonbIteratorInit(&array->root);
    for (;;) {
        const JsonbIteratorToken token = JsonbIteratorNext(&iterator, &json, true);
        if (token == WJB_DONE)
            break;
        if (token != WJB_ELEM)
            continue;
        ListedFact &fact = facts.begin[facts.count];
        fact.index = facts.count++;
        if (json.type != jbvBinary || !JsonContainerIsObject(json.val.binary.data))
            ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("facts[%d] is not an object", fact.index));
        read_fact(fact, json.val.binary.data);
    }
    find_distinct(facts);
    return facts;
}

} // namespace companion
