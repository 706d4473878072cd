// Rows as values of a composite type.
#pragma once

#include "postgres/server.hpp"

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

} // namespace companion
