// Foreign keys of rows that are inserted one by one and often.
#include "postgres/reference.hpp"

#include "postgres/lookup.hpp"

namespace companion {

// How many columns a reference has.
static int width(const Reference &reference)
{
    return reference.columns[1] == nullptr ? 1 : 2;
}

// Whether there is what the row refers to; it is locked.
static bool is_there(const Reference &reference, const Datum *key)
{
    Lookup lookup(reference.table, reference.index);
    const bool is_there = lookup.find(key, width(reference)) &&
                          lookup.lock(LockTupleKeyShare, LockWaitBlock) == Locking::held;
    lookup.close();
    return is_there;
}

// As the server says it.
[[noreturn]] static void refuse(const WrittenRow &row, const Reference &reference, const Datum *key)
{
    const auto text = [key](int column) {
        return DatumGetCString(DirectFunctionCall1(uuid_out, key[column]));
    };
    const char *detail = width(reference) == 1
                             ? psprintf("(%s)=(%s)", reference.columns[0], text(0))
                             : psprintf("(%s, %s)=(%s, %s)", reference.columns[0],
                                        reference.columns[1], text(0), text(1));
    ereport(ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
            errmsg("insert or update on table \"%s\" violates foreign key constraint \"%s\"",
                   row.table_name(), reference.constraint),
            errdetail("Key %s is not present in table \"%s\".", detail, reference.table),
            row.at_constraint(reference.constraint));
    pg_unreachable();
}

void check_reference(const WrittenRow &row, const Reference &reference)
{
    if (!row.is_inserted())
        return;
    Datum key[2];
    for (int column = 0; column < width(reference); column++) {
        const NullableDatum value = row.nullable(reference.columns[column], UUIDOID);
        if (value.isnull)
            return;
        key[column] = value.value;
    }
    if (!is_there(reference, key))
        refuse(row, reference, key);
}

} // namespace companion
