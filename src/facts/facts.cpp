// The facts of one upsert_user_context_many, read from an array.
#include "facts/facts.hpp"

#include "facts/read_fact.hpp"
#include "postgres/attempt.hpp"
#include "postgres/statement.hpp"

#include <algorithm>
#include <tuple>

namespace companion {

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

static void require_array(bool is_array)
{
    if (!is_array)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("facts must be a JSON array of objects"));
}

Facts read_facts(Jsonb *array, OnInvalid on_invalid)
{
    require_array(JB_ROOT_IS_ARRAY(array) && !JB_ROOT_IS_SCALAR(array));
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
            read_fact(fact, is_object ? json.val.binary.data : nullptr, on_invalid);
        });
    }
    find_distinct(facts);
    return facts;
}

static Statement split{R"sql(
    SELECT e.value::text FROM json_array_elements($1) WITH ORDINALITY AS e (value, position)
    ORDER BY e.position)sql",
                       JSONOID};

Facts read_facts(Datum json)
{
    const Datum array = DirectFunctionCall1(json_in, CStringGetDatum(TextDatumGetCString(json)));
    require_array(text_view(DirectFunctionCall1(json_typeof, array)) == "array");
    const uint64 count = split.execute({array});
    const SPITupleTable *elements = SPI_tuptable;
    Facts facts = allocate_facts(static_cast<int>(Min(count, PG_INT32_MAX)));
    for (uint64 row = 0; row < count; row++) {
        ListedFact &fact = add_fact(facts);
        read_or_refuse(fact, OnInvalid::skip, [&] {
            const char *text = SPI_getvalue(elements->vals[row], elements->tupdesc, 1);
            Jsonb *element = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
            read_fact(fact, JB_ROOT_IS_OBJECT(element) ? &element->root : nullptr, OnInvalid::skip);
        });
    }
    find_distinct(facts);
    return facts;
}

} // namespace companion
