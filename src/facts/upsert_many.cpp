// Remembering many facts in one call: all of them or none, or those that are valid.
#include "identity/acting.hpp"
#include "facts/facts.hpp"
#include "facts/taking.hpp"
#include "facts/upserting.hpp"
#include "postgres/attempt.hpp"
#include "postgres/entry.hpp"
#include "postgres/lookup.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

Statement find_end_of_day{"SELECT companion.end_of_day($1, $2)", UUIDOID, DATEOID};

void forget_outcomes(const Facts &facts)
{
    for (int index = 0; index < facts.distinct_count; index++) {
        ListedFact &fact = *facts.distinct[index];
        if (fact.reason == nullptr)
            fact.outcome = nullptr;
    }
}

// The same, but that a fact which fails is refused: where all together fail, each by itself.
void upsert_valid(Datum user_id, const Facts &facts)
{
    if (fault_of([&] { upsert_facts(user_id, facts); }) == nullptr)
        return;
    forget_outcomes(facts);
    for (int index = 0; index < facts.distinct_count; index++) {
        ListedFact *fact = facts.distinct[index];
        if (fact->outcome != nullptr)
            continue;
        const Facts alone{fact, 1, &fact, 1};
        if (const char *fault = fault_of([&] { upsert_facts(user_id, alone); }))
            fact->refuse(fault);
    }
}

// Turn a local date into the instant at which it ends.
void resolve_expiry_date(Datum user_id, ListedFact &fact)
{
    if (!fact.expires_on_date)
        return;
    const Datum date = fact.values[Fact::expires_at];
    if (find_end_of_day.execute({user_id, date}) > 0)
        fact.values[Fact::expires_at] = result_field(0, 1, &fact.is_null[Fact::expires_at]);
}

// What is to be said of a fact that names a message which the user does not have; null otherwise.
const char *missing_message(Datum user_id, const ListedFact &fact)
{
    if (fact.message().isnull)
        return nullptr;
    const Datum key[] = {user_id, fact.message().value};
    Lookup messages("messages", "messages_pkey");
    const bool is_there = messages.find(key, 2);
    messages.close();
    return is_there
               ? nullptr
               : psprintf("%s: the user has no message %s", fact.place(Fact::source_message_id),
                          DatumGetCString(DirectFunctionCall1(uuid_out, key[1])));
}

// Error 23503, or the fact alone is refused.
void require_message(Datum user_id, ListedFact &fact, OnInvalid on_invalid)
{
    const char *fault = missing_message(user_id, fact);
    if (fault == nullptr)
        return;
    if (on_invalid == OnInvalid::error)
        ereport(ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION), errmsg("%s", fault));
    fact.refuse(fault);
}

// What is to be known of the facts before they are upserted. The user's row is locked.
void prepare(Datum user_id, const Facts &facts, OnInvalid on_invalid)
{
    for (int index = 0; index < facts.distinct_count; index++) {
        ListedFact &fact = *facts.distinct[index];
        const auto resolve = [&] { resolve_expiry_date(user_id, fact); };
        if (on_invalid == OnInvalid::error)
            resolve();
        else if (const char *fault = fact.expires_on_date ? fault_of(resolve) : nullptr)
            fact.refuse(fault);
        if (fact.outcome == nullptr)
            require_message(user_id, fact, on_invalid);
        if (fact.outcome == nullptr && is_forgotten(user_id, fact))
            fact.refuse(forgotten_reason);
    }
}

// The columns of an item, or as many nulls.
void read_item(Datum item, Datum *values, bool *nulls, int columns)
{
    std::fill_n(nulls, columns, true);
    if (item == 0)
        return;
    HeapTupleHeader header = DatumGetHeapTupleHeader(item);
    TupleDesc descriptor =
        lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(header);
    tuple.t_data = header;
    heap_deform_tuple(&tuple, descriptor, values, nulls);
    ReleaseTupleDesc(descriptor);
}

void return_facts(const Facts &facts, ReturnSetInfo *result)
{
    const int item_columns = result->setDesc->natts - 2;
    Datum values[MaxHeapAttributeNumber];
    bool nulls[MaxHeapAttributeNumber];
    for (int index = 0; index < facts.count; index++) {
        const ListedFact &fact = *facts.begin[index].counts;
        read_item(fact.item, values, nulls, item_columns);
        values[item_columns] = CStringGetTextDatum(fact.outcome);
        nulls[item_columns] = false;
        nulls[item_columns + 1] = fact.reason == nullptr;
        if (fact.reason != nullptr)
            values[item_columns + 1] = CStringGetTextDatum(fact.reason);
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
}

void remember(Datum user_id, const Facts &facts, OnInvalid on_invalid, ReturnSetInfo *result)
{
    lock_user(user_id);
    prepare(user_id, facts, on_invalid);
    if (on_invalid == OnInvalid::skip)
        upsert_valid(user_id, facts);
    else
        upsert_facts(user_id, facts);
    return_facts(facts, result);
}

} // namespace

COMPANION_FUNCTION(upsert_user_context_many)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const OnInvalid on_invalid = read_on_invalid(arguments.text(2, "on_invalid"));
    const Facts facts = read_facts(DatumGetJsonbP(arguments.required(1, "facts")), on_invalid);
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    act_for(user_id, [&] { remember(user_id, facts, on_invalid, result); });
    return Datum{0};
}

COMPANION_FUNCTION(upsert_user_context_text)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const Datum json = arguments.required(1, "facts_text");
    const OnInvalid on_invalid = read_on_invalid(arguments.text(2, "on_invalid"));
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    act_for(user_id, [&] {
        const Facts facts =
            on_invalid == OnInvalid::skip
                ? read_facts(json)
                : read_facts(DatumGetJsonbP(DirectFunctionCall1(
                                 jsonb_in, CStringGetDatum(TextDatumGetCString(json)))),
                             on_invalid);
        remember(user_id, facts, on_invalid, result);
    });
    return Datum{0};
}
