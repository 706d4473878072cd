// Build an array of a built-in type, one element after the other.
#pragma once

#include "postgres/server.hpp"

namespace companion {

class ArrayBuilder {
  public:
    explicit ArrayBuilder(Oid element_type)
        : type_(element_type), state_(initArrayResult(element_type, CurrentMemoryContext, false))
    {
    }

    void add(Datum value, bool is_null = false)
    {
        state_ = accumArrayResult(state_, value, is_null, type_, context());
    }
    void add(NullableDatum value) { add(value.value, value.isnull); }

    int size() const { return state_->nelems; }
    NullableDatum at(int index) const { return {state_->dvalues[index], state_->dnulls[index]}; }

    // The array, in the context in which the builder was made.
    Datum finish() const { return makeArrayResult(state_, context()); }

  private:
    MemoryContext context() const { return state_->mcontext; }

    Oid type_;
    ArrayBuildState *state_;
};

// An array of one element, which may be null.
inline Datum array_of_one(Oid element_type, NullableDatum value)
{
    ArrayBuilder builder(element_type);
    builder.add(value.value, value.isnull);
    return builder.finish();
}

inline Datum array_of_one(Oid element_type, Datum value)
{
    return array_of_one(element_type, NullableDatum{value, false});
}

// The elements of a uuid[] without nulls.
inline const pg_uuid_t *uuids_of(Datum array)
{
    return reinterpret_cast<pg_uuid_t *>(ARR_DATA_PTR(DatumGetArrayTypeP(array)));
}

} // namespace companion
