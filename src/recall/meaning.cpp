// How near the meanings of a user's items are to one that is given: exactly, over all of them. An
// approximate index would lose hits under a policy and a filter by user.
#include "recall/meaning.hpp"

#include "postgres/entry.hpp"
#include "postgres/relations.hpp"
#include "recall/cosine.hpp"

#include <limits>

namespace companion {

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

// As an embedding is stored; what is beyond a real becomes infinite.
static ArrayType *to_reals(ArrayType *given, int dimensions)
{
    const std::size_t size = ARR_OVERHEAD_NONULLS(1) + dimensions * sizeof(float);
    auto *reals = static_cast<ArrayType *>(palloc0(size));
    SET_VARSIZE(reals, size);
    reals->ndim = 1;
    reals->elemtype = FLOAT4OID;
    ARR_DIMS(reals)[0] = dimensions;
    ARR_LBOUND(reals)[0] = 1;
    std::transform(reinterpret_cast<const double *>(ARR_DATA_PTR(given)),
                   reinterpret_cast<const double *>(ARR_DATA_PTR(given)) + dimensions,
                   reinterpret_cast<float *>(ARR_DATA_PTR(reals)),
                   [](double element) { return static_cast<float>(element); });
    return reals;
}

Datum read_embedding(const Arguments &arguments, int position)
{
    ArrayType *given = arguments.array(position, "embedding");
    const int dimensions = dimensions_of(given);
    if (dimensions < 1 || dimensions > most_dimensions)
        refuse_embedding(
            psprintf("has %d dimensions, expected 1 to %d", dimensions, most_dimensions));
    ArrayType *embedding = to_reals(given, dimensions);
    const float *elements = elements_of(embedding);
    if (!std::all_of(elements, elements + dimensions, [](float x) { return std::isfinite(x); }))
        refuse_embedding("has an element that is not finite");
    if (!(length_of(elements, dimensions) > 0))
        refuse_embedding("has no length that can be reckoned with");
    return PointerGetDatum(embedding);
}

// An item's cosine; a bytea of these, in the order of the items' ids, is what their meanings are
// handed on as.
struct Meaning {
    pg_uuid_t item_id;
    double cosine;
};

static bool is_before(const Meaning &meaning, const pg_uuid_t &id)
{
    return memcmp(meaning.item_id.data, id.data, UUID_LEN) < 0;
}

// A user's embeddings in the order of the items' ids, without a plan: to hand on a row for each
// would cost more than to compare it.
class Embeddings {
  public:
    explicit Embeddings(Datum user_id)
    {
        PushActiveSnapshot(GetTransactionSnapshot());
        table_ = table_open(relation_id("context_embeddings"), AccessShareLock);
        index_ = index_open(relation_id("context_embeddings_pkey"), AccessShareLock);
        slot_ = table_slot_create(table_, nullptr);
        ScanKeyInit(&key_, 1, BTEqualStrategyNumber, F_UUID_EQ, user_id);
        scan_ = begin_index_scan(table_, index_, &key_, 1);
        item_id_ = column_number(table_, "item_id");
        model_ = column_number(table_, "model");
        embedding_ = column_number(table_, "embedding");
    }

    void close()
    {
        index_endscan(scan_);
        ExecDropSingleTupleTableSlot(slot_);
        index_close(index_, NoLock);
        table_close(table_, NoLock);
        PopActiveSnapshot();
    }

    bool next() { return index_getnext_slot(scan_, ForwardScanDirection, slot_); }

    pg_uuid_t item_id() const { return *DatumGetUUIDP(get(item_id_)); }
    std::string_view model() const { return text_view(get(model_)); }
    ArrayType *embedding() const { return DatumGetArrayTypeP(get(embedding_)); }

    // Let go of one, which is a copy where the row has it elsewhere.
    void free(ArrayType *embedding) const
    {
        if (PointerGetDatum(embedding) != get(embedding_))
            pfree(embedding);
    }

  private:
    // None of them may be null.
    Datum get(AttrNumber column) const
    {
        bool is_null;
        return slot_getattr(slot_, column, &is_null);
    }

    Relation table_, index_;
    TupleTableSlot *slot_;
    IndexScanDesc scan_;
    ScanKeyData key_;
    AttrNumber item_id_, model_, embedding_;
};

// Meanings in the memory of a bytea, with room for more.
class Meanings {
  public:
    // Take in an item's; of several the greatest cosine counts.
    void add(const pg_uuid_t &item_id, double cosine)
    {
        if (count_ > 0 && !is_before(meanings_[count_ - 1], item_id)) {
            meanings_[count_ - 1].cosine = Max(meanings_[count_ - 1].cosine, cosine);
            return;
        }
        if (count_ == room_) {
            room_ *= 2;
            meanings_ = static_cast<Meaning *>(repalloc(meanings_, room_ * sizeof(Meaning)));
        }
        meanings_[count_++] = {item_id, cosine};
    }

    Datum to_bytea() const
    {
        return to_text({reinterpret_cast<const char *>(meanings_), count_ * sizeof(Meaning)});
    }

  private:
    std::size_t count_ = 0, room_ = 256;
    Meaning *meanings_ = static_cast<Meaning *>(palloc(room_ * sizeof(Meaning)));
};

// The cosine of an embedding and the given one; not a number where they cannot be compared.
static double cosine_of(ArrayType *embedding, ArrayType *given, double length)
{
    const int dimensions = dimensions_of(given);
    if (dimensions_of(embedding) != dimensions || array_contains_nulls(embedding))
        return std::numeric_limits<double>::quiet_NaN();
    return cosine(elements_of(embedding), elements_of(given), length, dimensions);
}

Datum compare_meanings(Datum user_id, Datum embedding, NullableDatum model)
{
    ArrayType *given = DatumGetArrayTypeP(embedding);
    const double length = length_of(elements_of(given), dimensions_of(given));
    Meanings meanings;
    Embeddings embeddings(user_id);
    while (embeddings.next()) {
        CHECK_FOR_INTERRUPTS();
        if (!model.isnull && embeddings.model() != text_view(model.value))
            continue;
        ArrayType *embedding = embeddings.embedding();
        const double cosine = cosine_of(embedding, given, length);
        embeddings.free(embedding);
        if (!std::isnan(cosine))
            meanings.add(embeddings.item_id(), cosine);
    }
    embeddings.close();
    return meanings.to_bytea();
}

// An item's cosine; zero where it has no embedding that can be compared.
static double meaning_of(const pg_uuid_t &item_id, std::string_view bytes)
{
    const auto at = [bytes](std::size_t index) {
        Meaning meaning;
        memcpy(&meaning, bytes.data() + index * sizeof meaning, sizeof meaning);
        return meaning;
    };
    std::size_t first = 0, end = bytes.size() / sizeof(Meaning);
    while (first < end) {
        const std::size_t middle = first + (end - first) / 2;
        is_before(at(middle), item_id) ? first = middle + 1 : end = middle;
    }
    if (first == bytes.size() / sizeof(Meaning))
        return 0;
    const Meaning found = at(first);
    return memcmp(found.item_id.data, item_id.data, UUID_LEN) == 0 ? found.cosine : 0;
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

COMPANION_FUNCTION(meaning_of)
{
    using namespace companion;
    const Arguments arguments(fcinfo);
    // A bytea is read as a text is
    PG_RETURN_FLOAT8(meaning_of(*DatumGetUUIDP(arguments.required(0, "item_id")),
                                arguments.text(1, "meanings")));
}
