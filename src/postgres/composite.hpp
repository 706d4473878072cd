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
