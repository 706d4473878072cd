// Rows found by a key and locked, without a plan.
#include "postgres/lookup.hpp"

#include "postgres/relations.hpp"
#include "postgres/uuid.hpp"

namespace companion {

Lookup::Lookup(const char *table, const char *index)
{
    // See what this transaction has done so far, as any new statement does.
    CommandCounterIncrement();
    PushActiveSnapshot(GetTransactionSnapshot());
    table_ = table_open(relation_id(table), RowShareLock);
    index_ = index_open(relation_id(index), RowShareLock);
    slot_ = table_slot_create(table_, nullptr);
}

void Lookup::close()
{
    if (scan_ != nullptr)
        index_endscan(scan_);
    ExecDropSingleTupleTableSlot(slot_);
    index_close(index_, NoLock);
    table_close(table_, NoLock);
    PopActiveSnapshot();
}

// What says that two values of a key's type are equal.
static RegProcedure equality(Oid type)
{
    return type == UUIDOID ? F_UUID_EQ : type == INT8OID ? F_INT8EQ : F_TEXTEQ;
}

// Begin to look for a key.
void Lookup::begin(const Datum *key, int columns)
{
    key_columns_ = columns;
    for (int column = 0; column < columns; column++)
        ScanKeyEntryInitialize(&keys_[column], 0, static_cast<AttrNumber>(column + 1),
                               BTEqualStrategyNumber, InvalidOid, index_->rd_indcollation[column],
                               equality(TupleDescAttr(RelationGetDescr(index_), column)->atttypid),
                               key[column]);
    if (scan_ == nullptr)
        scan_ = begin_index_scan(table_, index_, keys_, columns);
    else
        index_rescan(scan_, keys_, columns, nullptr, 0);
}

bool Lookup::find(const Datum *key, int columns)
{
    begin(key, columns);
    return next();
}

bool Lookup::find_last(const Datum *key, int columns)
{
    begin(key, columns);
    return index_getnext_slot(scan_, BackwardScanDirection, slot_);
}

bool Lookup::next()
{
    return index_getnext_slot(scan_, ForwardScanDirection, slot_);
}

// Whether what was locked, which may be a newer version than was found, has the key.
bool Lookup::has_key() const
{
    for (int column = 0; column < key_columns_; column++) {
        ScanKeyData key = keys_[column];
        const NullableDatum value = get(index_->rd_index->indkey.values[column]);
        const bool is_same =
            !value.isnull && (key.sk_func.fn_oid == F_UUID_EQ
                                  ? is_same_uuid(value.value, key.sk_argument)
                                  : DatumGetBool(FunctionCall2Coll(&key.sk_func, key.sk_collation,
                                                                   value.value, key.sk_argument)));
        if (!is_same)
            return false;
    }
    return true;
}

Locking Lookup::lock(LockTupleMode mode, LockWaitPolicy wait)
{
    PreventCommandIfReadOnly("SELECT FOR UPDATE or SHARE");
    const bool is_newest_seen = IsolationUsesXactSnapshot();
    const uint8 flags = TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS |
                        (is_newest_seen ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION);
    ItemPointerData place = slot_->tts_tid;
    TM_FailureData failure;
    const TM_Result result =
        table_tuple_lock(table_, &place, GetActiveSnapshot(), slot_, GetCurrentCommandId(false),
                         mode, wait, flags, &failure);
    if (is_newest_seen && (result == TM_Updated || result == TM_Deleted))
        ereport(ERROR, errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                errmsg("could not serialize access due to concurrent update"));
    return result == TM_WouldBlock        ? Locking::busy
           : result == TM_Ok && has_key() ? Locking::held
                                          : Locking::gone;
}

AttrNumber Lookup::column(const char *name) const
{
    return column_number(table_, name);
}

} // namespace companion
