// The dispatch queue as a table: its rows by key and in order, locked and changed.
#include "scheduling/queue.hpp"

#include "postgres/relations.hpp"

namespace companion {

// Columns of companion.dispatch_queue, in order.
enum Column {
    visible_at = 1,
    leased_until,
    send_before,
    user_id,
    message_id,
    attempt,
    sending,
    channel,
    worker,
};

static Datum value_of(const TupleTableSlot *slot, Column column)
{
    return slot->tts_values[column - 1];
}

static void set_value(TupleTableSlot *slot, Column column, Datum value)
{
    slot->tts_values[column - 1] = value;
    slot->tts_isnull[column - 1] = false;
}

Queue::Queue()
{
    PreventCommandIfReadOnly("a change of companion.dispatch_queue");
    // See what this transaction has done so far, as any new statement does.
    CommandCounterIncrement();
    PushActiveSnapshot(GetTransactionSnapshot());

    table_ = table_open(relation_id("dispatch_queue"), RowExclusiveLock);
    by_key_ = index_open(relation_id("dispatch_queue_pkey"), RowExclusiveLock);
    by_time_ = index_open(relation_id("dispatch_queue_visible"), RowExclusiveLock);
    found_ = table_slot_create(table_, nullptr);
    locked_ = table_slot_create(table_, nullptr);
    changed_ = MakeSingleTupleTableSlot(RelationGetDescr(table_), &TTSOpsVirtual);

    estate_ = CreateExecutorState();
    estate_->es_snapshot = GetActiveSnapshot();
    AfterTriggerBeginQuery(); // for triggers that an operator may have added
    target_ = makeNode(ResultRelInfo);
    InitResultRelInfo(target_, table_, 0, nullptr, 0);
    ExecOpenIndices(target_, false);
#if PG_VERSION_NUM >= 160000
    EvalPlanQualInit(&recheck_, estate_, nullptr, NIL, -1, NIL);
#else
    EvalPlanQualInit(&recheck_, estate_, nullptr, NIL, -1);
#endif
}

void Queue::close()
{
    AfterTriggerEndQuery(estate_);
    ExecResetTupleTable(estate_->es_tupleTable, false);
    ExecCloseResultRelations(estate_);
    EvalPlanQualEnd(&recheck_);
    ExecCloseIndices(target_);
    FreeExecutorState(estate_);
    ExecDropSingleTupleTableSlot(changed_);
    ExecDropSingleTupleTableSlot(locked_);
    ExecDropSingleTupleTableSlot(found_);
    index_close(by_time_, NoLock);
    index_close(by_key_, NoLock);
    table_close(table_, NoLock);
    PopActiveSnapshot();
    CommandCounterIncrement();
}

void Queue::read_row(TupleTableSlot *slot)
{
    slot_getallattrs(slot);
    row_ = {DatumGetTimestampTz(value_of(slot, visible_at)),
            DatumGetTimestampTz(value_of(slot, leased_until)),
            DatumGetTimestampTz(value_of(slot, send_before)),
            *DatumGetUUIDP(value_of(slot, user_id)),
            *DatumGetUUIDP(value_of(slot, message_id)),
            DatumGetInt32(value_of(slot, attempt)),
            DatumGetBool(value_of(slot, sending)),
            value_of(slot, channel),
            slot->tts_isnull[worker - 1] ? Datum{0} : value_of(slot, worker)};
}

bool Queue::find(const pg_uuid_t &user, const pg_uuid_t &message)
{
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(&user));
    ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(&message));
    IndexScanDesc scan = begin_index_scan(table_, by_key_, keys, 2);
    const bool found = index_getnext_slot(scan, ForwardScanDirection, found_);
    index_endscan(scan);
    if (found)
        read_row(found_);
    return found;
}

bool Queue::lock(LockWaitPolicy wait, uint8 flags)
{
    TM_FailureData failure;
    if (table_tuple_lock(table_, &found_->tts_tid, GetActiveSnapshot(), locked_,
                         GetCurrentCommandId(true), LockTupleNoKeyExclusive, wait, flags,
                         &failure) != TM_Ok)
        return false;
    read_row(locked_);
    return true;
}

bool Queue::lock()
{
    return lock(LockWaitBlock, TUPLE_LOCK_FLAG_FIND_LAST_VERSION);
}

bool Queue::try_lock()
{
    return lock(LockWaitSkip, 0);
}

// visible_at <= visible_by and (visible_at, message_id) >= from, the latter as the row
// comparison that an index takes.
void Queue::begin_walk(TimestampTz visible_by, const QueuePosition *from)
{
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], 1, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE,
                TimestampTzGetDatum(visible_by));
    if (from != nullptr) {
        ScanKeyEntryInitialize(&position_[0], SK_ROW_MEMBER, 1, BTGreaterEqualStrategyNumber,
                               InvalidOid, InvalidOid, F_TIMESTAMPTZ_CMP,
                               TimestampTzGetDatum(from->visible_at));
        ScanKeyEntryInitialize(&position_[1], SK_ROW_MEMBER | SK_ROW_END, 2,
                               BTGreaterEqualStrategyNumber, InvalidOid, InvalidOid, F_UUID_CMP,
                               UUIDPGetDatum(&from->message_id));
        keys[1] = {};
        keys[1].sk_flags = SK_ROW_HEADER;
        keys[1].sk_attno = 1;
        keys[1].sk_strategy = BTGreaterEqualStrategyNumber;
        keys[1].sk_argument = PointerGetDatum(position_);
    }
    entries_passed_ = 0;
    walk_ = begin_index_scan(table_, by_time_, keys, from != nullptr ? 2 : 1);
}

bool Queue::next()
{
    while (index_getnext_tid(walk_, ForwardScanDirection) != nullptr) {
        CHECK_FOR_INTERRUPTS();
        entries_passed_++;
        if (index_fetch_heap(walk_, found_)) {
            read_row(found_);
            return true;
        }
    }
    return false;
}

void Queue::end_walk()
{
    index_endscan(walk_);
}

void Queue::update(const QueueRow &row)
{
    const int columns = RelationGetDescr(table_)->natts;
    ExecClearTuple(changed_);
    memcpy(changed_->tts_values, locked_->tts_values, columns * sizeof(Datum));
    memcpy(changed_->tts_isnull, locked_->tts_isnull, columns * sizeof(bool));
    set_value(changed_, visible_at, TimestampTzGetDatum(row.visible_at));
    set_value(changed_, leased_until, TimestampTzGetDatum(row.leased_until));
    set_value(changed_, attempt, Int32GetDatum(row.attempt));
    set_value(changed_, sending, BoolGetDatum(row.sending));
    set_value(changed_, worker, row.worker);
    ExecStoreVirtualTuple(changed_);
    ExecSimpleRelationUpdate(target_, estate_, &recheck_, locked_, changed_);
    ResetPerTupleExprContext(estate_);
    row_ = row;
}

void Queue::remove()
{
    ExecSimpleRelationDelete(target_, estate_, &recheck_, locked_);
}

} // namespace companion
