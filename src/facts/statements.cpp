// Which messages have stated a value: arrays of their ids, of which the latest hundred are kept.
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"

using namespace companion;

namespace {

constexpr int most_statements = 100;

// The elements of a uuid[], and room for another's.
struct Statements {
    Datum *ids;
    bool *nulls;
    int count = 0;

    explicit Statements(int room)
        : ids(static_cast<Datum *>(palloc(Max(room, 1) * sizeof(Datum)))),
          nulls(static_cast<bool *>(palloc(Max(room, 1) * sizeof(bool))))
    {
    }

    void add(NullableDatum id)
    {
        ids[count] = id.value;
        nulls[count++] = id.isnull;
    }

    // All of an array, or those that name a message.
    void add_all(ArrayType *statements, bool with_nulls)
    {
        Datum *elements;
        bool *are_null;
        int elements_count;
        deconstruct_array(statements, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, &elements, &are_null,
                          &elements_count);
        for (int index = 0; index < elements_count; index++)
            if (with_nulls || !are_null[index])
                add({elements[index], are_null[index]});
    }

    bool has(NullableDatum id) const
    {
        for (int index = 0; index < count; index++)
            if (nulls[index] == id.isnull &&
                (id.isnull ||
                 memcmp(DatumGetUUIDP(ids[index]), DatumGetUUIDP(id.value), UUID_LEN) == 0))
                return true;
        return false;
    }

    // The latest as an array.
    Datum to_array() const
    {
        const int first = Max(count - most_statements, 0);
        int dimension = count - first, bound = 1;
        return PointerGetDatum(construct_md_array(ids + first, nulls + first, dimension > 0 ? 1 : 0,
                                                  &dimension, &bound, UUIDOID, UUID_LEN, false,
                                                  TYPALIGN_CHAR));
    }
};

int size_of(ArrayType *statements)
{
    return ArrayGetNItems(ARR_NDIM(statements), ARR_DIMS(statements));
}

} // namespace

COMPANION_FUNCTION(with_statement)
{
    const Arguments arguments(fcinfo);
    ArrayType *stated_in = DatumGetArrayTypeP(arguments.required(0, "stated_in"));
    const NullableDatum message_id = arguments.nullable(1);
    Statements statements(size_of(stated_in) + 2);
    statements.add_all(stated_in, true);
    if (statements.has(message_id))
        return PointerGetDatum(stated_in);
    if (statements.count == 0) // who has stated it is not known
        statements.add({0, true});
    if (!statements.has(message_id))
        statements.add(message_id);
    return statements.to_array();
}

COMPANION_FUNCTION(joined_statements)
{
    const Arguments arguments(fcinfo);
    ArrayType *earlier = DatumGetArrayTypeP(arguments.required(0, "earlier")),
              *stated_in = DatumGetArrayTypeP(arguments.required(1, "stated_in"));
    Statements statements(size_of(earlier) + size_of(stated_in));
    statements.add_all(earlier, false);
    statements.add_all(stated_in, false);
    return statements.to_array();
}
