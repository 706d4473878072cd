// The dispatch queue as a table: walking it in order and leasing its rows.
#include "scheduling/queue.hpp"

#include "postgres/arguments.hpp"
#include "scheduling/channels.hpp"

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

static Relation open_relation(const char *name, Relation (*open)(Oid, LOCKMODE), LOCKMODE mode)
{
    return open(get_relname_relid(name, get_namespace_oid("companion", false)), mode);
}

static Datum value_of(const TupleTableSlot *slot, Column column)
{
    return slot->tts_values[column - 1];
}

static void set_value(TupleTableSlot *slot, Column column, Datum value)
{
    slot->tts_values[column - 1] = value;
    slot->tts_isnull[column - 1] = false;
}

static QueueRow read_row(const TupleTableSlot *slot)
{
    return {DatumGetTimestampTz(value_of(slot, visible_at)),
            DatumGetTimestampTz(value_of(slot, leased_until)),
            DatumGetTimestampTz(value_of(slot, send_before)),
            *DatumGetUUIDP(value_of(slot, user_id)),
            *DatumGetUUIDP(value_of(slot, message_id)),
            DatumGetInt32(value_of(slot, attempt)),
            DatumGetBool(value_of(slot, sending)),
            channel_bit(text_view(value_of(slot, channel)))};
}

QueueWalk::QueueWalk(TimestampTz visible_by, const QueuePosition *from)
{
    // See what this transaction has done so far, as any new statement does.
    CommandCounterIncrement();
    PushActiveSnapshot(GetTransactionSnapshot());

    table_ = open_relation("dispatch_queue", table_open, RowExclusiveLock);
    index_ = open_relation("dispatch_queue_visible", index_open, RowExclusiveLock);
    found_ = table_slot_create(table_, nullptr);
    locked_ = table_slot_create(table_, nullptr);
    changed_ = MakeSingleTupleTableSlot(RelationGetDescr(table_), &TTSOpsVirtual);

    estate_ = CreateExecutorState();
    estate_->es_snapshot = GetActiveSnapshot();
    target_ = makeNode(ResultRelInfo);
    InitResultRelInfo(target_, table_, 0, nullptr, 0);
    ExecOpenIndices(target_, false);
#if PG_VERSION_NUM >= 160000
    EvalPlanQualInit(&recheck_, estate_, nullptr, NIL, -1, NIL);
#else
    EvalPlanQualInit(&recheck_, estate_, nullptr, NIL, -1);
#endif
    begin_scan(visible_by, from);
}

// visible_at <= visible_by and (visible_at, message_id) >= from, the latter as the
// row comparison that an index takes.
void QueueWalk::begin_scan(TimestampTz visible_by, const QueuePosition *from)
{
    int keys = 0;
    ScanKeyInit(&keys_[keys++], 1, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE,
                TimestampTzGetDatum(visible_by));
    if (from != nullptr) {
        ScanKeyEntryInitialize(&position_[0], SK_ROW_MEMBER, 1, BTGreaterEqualStrategyNumber,
                               InvalidOid, InvalidOid, F_TIMESTAMPTZ_CMP,
                               TimestampTzGetDatum(from->visible_at));
        ScanKeyEntryInitialize(&position_[1], SK_ROW_MEMBER | SK_ROW_END, 2,
                               BTGreaterEqualStrategyNumber, InvalidOid, InvalidOid, F_UUID_CMP,
                               UUIDPGetDatum(&from->message_id));
        keys_[keys] = {};
        keys_[keys].sk_flags = SK_ROW_HEADER;
        keys_[keys].sk_attno = 1;
        keys_[keys].sk_strategy = BTGreaterEqualStrategyNumber;
        keys_[keys].sk_argument = PointerGetDatum(position_);
        keys++;
    }
#if PG_VERSION_NUM >= 180000
    scan_ = index_beginscan(table_, index_, GetActiveSnapshot(), nullptr, keys, 0);
#else
    scan_ = index_beginscan(table_, index_, GetActiveSnapshot(), keys, 0);
#endif
    index_rescan(scan_, keys_, keys, nullptr, 0);
}

bool QueueWalk::next()
{
    while (index_getnext_tid(scan_, ForwardScanDirection) != nullptr) {
        CHECK_FOR_INTERRUPTS();
        entries_passed_++;
        if (index_fetch_heap(scan_, found_)) {
            slot_getallattrs(found_);
            row_ = read_row(found_);
            return true;
        }
    }
    return false;
}

bool QueueWalk::lock()
{
    TM_FailureData failure;
    return table_tuple_lock(table_, &found_->tts_tid, GetActiveSnapshot(), locked_,
                            GetCurrentCommandId(true), LockTupleNoKeyExclusive, LockWaitSkip, 0,
                            &failure) == TM_Ok;
}

void QueueWalk::lease(TimestampTz until, Datum to_worker)
{
    slot_getallattrs(locked_);
    ExecClearTuple(changed_);
    const int columns = RelationGetDescr(table_)->natts;
    memcpy(changed_->tts_values, locked_->tts_values, columns * sizeof(Datum));
    memcpy(changed_->tts_isnull, locked_->tts_isnull, columns * sizeof(bool));
    set_value(changed_, leased_until, TimestampTzGetDatum(until));
    set_value(changed_, attempt, Int32GetDatum(++row_.attempt));
    set_value(changed_, worker, to_worker);
    ExecStoreVirtualTuple(changed_);
    ExecSimpleRelationUpdate(target_, estate_, &recheck_, locked_, changed_);
    ResetPerTupleExprContext(estate_);
}

void QueueWalk::close()
{
    index_endscan(scan_);
    EvalPlanQualEnd(&recheck_);
    ExecCloseIndices(target_);
    FreeExecutorState(estate_);
    ExecDropSingleTupleTableSlot(changed_);
    ExecDropSingleTupleTableSlot(locked_);
    ExecDropSingleTupleTableSlot(found_);
    index_close(index_, NoLock);
    table_close(table_, NoLock);
    PopActiveSnapshot();
    CommandCounterIncrement();
}

} // namespace companion
