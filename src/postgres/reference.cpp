// Foreign keys of rows that are inserted one by one and often.
#include "postgres/reference.hpp"

#include "postgres/relations.hpp"
#include "postgres/uuid.hpp"

namespace companion {

// How many columns a reference has.
static int width(const Reference &reference)
{
    return reference.columns[1] == nullptr ? 1 : 2;
}

// What the row refers to, as keys of the index.
static void set_keys(const WrittenRow &row, const Reference &reference, ScanKeyData *keys)
{
    for (int column = 0; column < width(reference); column++)
        ScanKeyInit(&keys[column], static_cast<AttrNumber>(column + 1), BTEqualStrategyNumber,
                    F_UUID_EQ, row.nullable(reference.columns[column], UUIDOID).value);
}

[[noreturn]] static void refuse_concurrent()
{
    ereport(ERROR, errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
            errmsg("could not serialize access due to concurrent update"));
    pg_unreachable();
}

// Lock what was found, as its newest version is; false where it is gone.
static bool lock_found(Relation table, TupleTableSlot *slot)
{
    const uint8 flags = TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS |
                        (IsolationUsesXactSnapshot() ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION);
    ItemPointerData place = slot->tts_tid;
    TM_FailureData failure;
    const TM_Result result =
        table_tuple_lock(table, &place, GetActiveSnapshot(), slot, GetCurrentCommandId(false),
                         LockTupleKeyShare, LockWaitBlock, flags, &failure);
    if (result != TM_Ok && IsolationUsesXactSnapshot() && result != TM_SelfModified)
        refuse_concurrent();
    return result == TM_Ok;
}

// Whether what was locked, which may be a newer version than was found, has these keys.
static bool has_keys(TupleTableSlot *slot, Relation index, const ScanKeyData *keys, int count)
{
    for (int column = 0; column < count; column++) {
        bool is_null;
        const Datum value = slot_getattr(slot, index->rd_index->indkey.values[column], &is_null);
        if (!is_same_uuid(value, keys[column].sk_argument))
            return false;
    }
    return true;
}

// Whether there is a row with these keys; it is locked.
static bool find_and_lock(Relation table, Relation index, ScanKeyData *keys, int count)
{
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    IndexScanDesc scan = begin_index_scan(table, index, keys, count);
    const bool is_found = index_getnext_slot(scan, ForwardScanDirection, slot) &&
                          lock_found(table, slot) && has_keys(slot, index, keys, count);
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    return is_found;
}

// The same as the transaction now sees it, with what this command itself has written.
static bool is_there(const Reference &reference, ScanKeyData *keys)
{
    CommandCounterIncrement();
    PushActiveSnapshot(GetTransactionSnapshot());
    Relation table = table_open(relation_id(reference.table), RowShareLock);
    Relation index = index_open(relation_id(reference.index), RowShareLock);
    const bool is_there = find_and_lock(table, index, keys, width(reference));
    index_close(index, NoLock);
    table_close(table, NoLock);
    PopActiveSnapshot();
    return is_there;
}

// As the server says it.
[[noreturn]] static void refuse(const WrittenRow &row, const Reference &reference,
                                const ScanKeyData *keys)
{
    const auto text = [keys](int column) {
        return DatumGetCString(DirectFunctionCall1(uuid_out, keys[column].sk_argument));
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
    ScanKeyData keys[2];
    set_keys(row, reference, keys);
    if (!is_there(reference, keys))
        refuse(row, reference, keys);
}

} // namespace companion
