// How near the meanings of a user's items are to one that is given: exactly, over all of them. An
// approximate index would lose hits under a policy and a filter by user.
#include "recall/meaning.hpp"

#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "recall/cosine.hpp"

namespace companion {

// In the order of the primary key. What cannot be compared is null.
static Statement compare{R"sql(
    SELECT e.item_id, companion.cosine_similarity(e.embedding, $2)
    FROM companion.context_embeddings AS e
    WHERE e.user_id = $1 AND ($3 IS NULL OR e.model = $3)
    ORDER BY e.item_id)sql",
                         UUIDOID, FLOAT4ARRAYOID, TEXTOID};

static const float *elements_of(ArrayType *embedding)
{
    return reinterpret_cast<const float *>(ARR_DATA_PTR(embedding));
}

static int dimensions_of(ArrayType *embedding)
{
    return ARR_NDIM(embedding) == 0 ? 0 : ARR_DIMS(embedding)[0];
}

static void refuse_embedding(const char *fault)
{
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("embedding %s", fault));
}

Datum read_embedding(const Arguments &arguments, int position)
{
    ArrayType *embedding = arguments.array(position, "embedding");
    const int dimensions = dimensions_of(embedding);
    const float *elements = elements_of(embedding);
    if (dimensions < 1 || dimensions > most_dimensions)
        refuse_embedding(
            psprintf("has %d dimensions, expected 1 to %d", dimensions, most_dimensions));
    if (!std::all_of(elements, elements + dimensions, [](float x) { return std::isfinite(x); }))
        refuse_embedding("has an element that is not finite");
    if (std::isnan(cosine(elements, elements, dimensions)))
        refuse_embedding("has no length that can be reckoned with");
    return PointerGetDatum(embedding);
}

static bool is_before(const pg_uuid_t &a, const pg_uuid_t &b)
{
    return memcmp(a.data, b.data, UUID_LEN) < 0;
}

double Meanings::of(const pg_uuid_t &item_id) const
{
    const Entry *begin = entries, *end = entries + count;
    const Entry *found =
        std::lower_bound(begin, end, item_id, [](const Entry &entry, const pg_uuid_t &id) {
            return is_before(entry.item_id, id);
        });
    return found != end && !is_before(item_id, found->item_id) ? found->cosine : 0;
}

Meanings compare_meanings(Datum user_id, Datum embedding, NullableDatum model)
{
    const char nulls[] = {' ', ' ', null_flag(model)};
    const uint64 rows = compare.execute({user_id, embedding, model.value}, nulls);
    Meanings meanings{
        static_cast<Meanings::Entry *>(palloc(Max(rows, 1) * sizeof(Meanings::Entry))), 0};
    for (uint64 row = 0; row < rows; row++) {
        bool is_null;
        const Datum cosine = result_field(row, 2, &is_null);
        const pg_uuid_t *item_id = DatumGetUUIDP(result_field(row, 1));
        if (is_null)
            continue;
        Meanings::Entry *last = meanings.entries + meanings.count - 1;
        if (meanings.count > 0 && memcmp(last->item_id.data, item_id->data, UUID_LEN) == 0)
            last->cosine = Max(last->cosine, DatumGetFloat8(cosine));
        else
            meanings.entries[meanings.count++] = {*item_id, DatumGetFloat8(cosine)};
    }
    return meanings;
}

} // namespace companion

COMPANION_FUNCTION(cosine_similarity)
{
    using namespace companion;
    const Arguments arguments(fcinfo);
    ArrayType *a = DatumGetArrayTypeP(arguments.required(0, "a")),
              *b = DatumGetArrayTypeP(arguments.required(1, "b"));
    const int dimensions = dimensions_of(a);
    if (dimensions == 0 || dimensions != dimensions_of(b) || ARR_NDIM(a) > 1 || ARR_NDIM(b) > 1 ||
        array_contains_nulls(a) || array_contains_nulls(b))
        PG_RETURN_NULL();
    const double result = cosine(elements_of(a), elements_of(b), dimensions);
    if (std::isnan(result))
        PG_RETURN_NULL();
    PG_RETURN_FLOAT8(std::clamp(result, -1.0, 1.0));
}
