// Taking over rows: in blocks or, where that makes a difference, element by element.
#include "moving/import.hpp"

#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/attempt.hpp"
#include "postgres/triggered.hpp"

namespace companion {

namespace {

// What became of an element.
struct Imported {
    NullableDatum id{0, true}, outcome{0, true}, reason{0, true};
    Datum user_id = 0;
    bool is_taken = false;

    bool is(std::string_view word) const
    {
        return !outcome.isnull && text_view(outcome.value) == word;
    }

    static Imported refused(const char *reason)
    {
        Imported imported;
        imported.outcome = {CStringGetTextDatum("refused"), false};
        imported.reason = {CStringGetTextDatum(reason), false};
        return imported;
    }
};

// A field of the last result, which stays when that has gone.
NullableDatum kept_field(uint64 row, int column, int16 length)
{
    NullableDatum value;
    value.value = result_field(row, column, &value.isnull);
    if (!value.isnull)
        value.value = datumCopy(value.value, false, length);
    return value;
}

// What the last result says of an element.
Imported result_of(const Import &import, uint64 row)
{
    Imported imported;
    imported.id = kept_field(row, 1, UUID_LEN);
    imported.outcome = kept_field(row, 2, -1);
    imported.reason = kept_field(row, 3, -1);
    imported.user_id = kept_field(row, 5, UUID_LEN).value;
    imported.is_taken = imported.is("taken");
    if (imported.is_taken)
        require_written(4, import.table, "user_id or id", row);
    return imported;
}

// The elements of a range as an array of their own.
Datum elements(const Import &import, Jsonb *rows, int first, int last)
{
    JsonbParseState *state = nullptr;
    pushJsonbValue(&state, WJB_BEGIN_ARRAY, nullptr);
    for (int index = first; index < last; index++) {
        JsonbValue *element = getIthJsonbValueFromContainer(&rows->root, index);
        if (element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
            ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("it is no object"));
        check_fields(import.table, import.fields, element->val.binary.data);
        pushJsonbValue(&state, WJB_ELEM, element);
    }
    return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, nullptr)));
}

// Refuse a block where what became of one may be another thing after those before it.
void require_independent(const Imported &imported, uint64 row)
{
    bool is_null;
    const bool depends = DatumGetBool(result_field(row, 6, &is_null));
    if (depends || !(imported.is_taken || imported.is("there already")))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("they are taken one by one"));
}

void take_range(const Import &import, Jsonb *rows, Imported *results, int first, int last)
{
    import.take->execute({elements(import, rows, first, last)});
    for (int index = first; index < last; index++) {
        results[index] = result_of(import, index - first);
        if (last - first > 1)
            require_independent(results[index], index - first);
    }
    SPI_freetuptable(SPI_tuptable);
    for (int index = first; index < last && import.check != nullptr; index++)
        if (results[index].is_taken)
            import.check(results[index].user_id);
}

// Take a block all at once or, where one of it is not taken so, each by itself.
void take_block(const Import &import, Jsonb *rows, Imported *results, int first, int last)
{
    if (fault_of([&] { take_range(import, rows, results, first, last); }) == nullptr)
        return;
    for (int index = first; index < last; index++)
        if (const char *fault =
                fault_of([&] { take_range(import, rows, results, index, index + 1); }))
            results[index] = Imported::refused(fault);
}

void finish(const Import &import, const Imported *results, int count)
{
    ArrayBuilder user_ids(UUIDOID), ids(UUIDOID);
    for (int index = 0; index < count; index++) {
        if (!results[index].is_taken)
            continue;
        user_ids.add(results[index].user_id);
        ids.add(results[index].id);
    }
    if (import.finish != nullptr && ids.size() > 0)
        import.finish(user_ids.finish(), ids.finish());
}

void return_results(const Imported *results, int count, ReturnSetInfo *out)
{
    for (int index = 0; index < count; index++) {
        const Imported &imported = results[index];
        Datum values[] = {Int32GetDatum(index), imported.id.value, imported.outcome.value,
                          imported.reason.value};
        bool nulls[] = {false, imported.id.isnull, imported.outcome.isnull, imported.reason.isnull};
        tuplestore_putvalues(out->setResult, out->setDesc, values, nulls);
    }
}

void import_all(const Import &import, Jsonb *rows, ReturnSetInfo *out)
{
    constexpr int block = 100;
    const int count = static_cast<int>(JsonContainerSize(&rows->root));
    auto *results = static_cast<Imported *>(palloc((count + 1) * sizeof(Imported)));
    for (int first = 0; first < count; first += block)
        take_block(import, rows, results, first, Min(first + block, count));
    finish(import, results, count);
    return_results(results, count, out);
}

} // namespace

Datum import_rows(FunctionCallInfo fcinfo, const Import &import)
{
    PreventCommandIfReadOnly("an import");
    Jsonb *rows = DatumGetJsonbP(Arguments(fcinfo).required(0, "rows"));
    if (!JB_ROOT_IS_ARRAY(rows) || JB_ROOT_IS_SCALAR(rows))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("argument \"rows\" must be a JSON array"));
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *out = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    with_spi([&] { import_all(import, rows, out); });
    return Datum{0};
}

} // namespace companion
