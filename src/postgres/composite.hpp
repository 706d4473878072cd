// Rows as values of a composite type.
#pragma once

#include "postgres/server.hpp"

#include <cstddef>

namespace companion {

// Add a row to a result set of its type.
inline void put_composite(Tuplestorestate *result, Datum row)
{
    HeapTupleHeader header = DatumGetHeapTupleHeader(row);
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(header);
    tuple.t_data = header;
    tuplestore_puttuple(result, &tuple);
}

// A table's row as clients can read it: a time that is infinite, which most languages have no value
// for, is null.
inline Datum with_finite_times(Datum row)
{
    HeapTupleHeader header = DatumGetHeapTupleHeader(row);
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(header);
    tuple.t_data = header;
    TupleDesc descriptor = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(header),
                                                       HeapTupleHeaderGetTypMod(header));
    auto *values = static_cast<Datum *>(palloc(descriptor->natts * sizeof(Datum)));
    auto *nulls = static_cast<bool *>(palloc(descriptor->natts * sizeof(bool)));
    heap_deform_tuple(&tuple, descriptor, values, nulls);
    for (int index = 0; index < descriptor->natts; index++)
        nulls[index] =
            nulls[index] || (TupleDescAttr(descriptor, index)->atttypid == TIMESTAMPTZOID &&
                             TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(values[index])));
    return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}

// The answer of a function with RETURNS TABLE that always has one row. It is a plain value: of a
// set, the server finds only by looking for another row that this was the last, and evaluates what
// stands beside the call in a SELECT again for that.
template <std::size_t count>
Datum as_only_row(FunctionCallInfo fcinfo, const NullableDatum (&columns)[count])
{
    TupleDesc descriptor;
    get_call_result_type(fcinfo, nullptr, &descriptor);
    Datum values[count];
    bool nulls[count];
    for (std::size_t index = 0; index < count; index++) {
        values[index] = columns[index].value;
        nulls[index] = columns[index].isnull;
    }
    return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}

} // namespace companion
