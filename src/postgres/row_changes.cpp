// Rows changed without a plan, as the server's executor would.
#include "postgres/row_changes.hpp"

#include "postgres/triggered.hpp"

namespace companion {

RowChanges::RowChanges(Relation table, std::span<const AttrNumber> updated)
    : table_(table), updated_(updated),
      version_(MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsVirtual))
{
}

void RowChanges::close()
{
    if (estate_ != nullptr) {
        AfterTriggerEndQuery(estate_);
        ExecResetTupleTable(estate_->es_tupleTable, false);
        ExecCloseResultRelations(estate_);
        EvalPlanQualEnd(&recheck_);
        if (target_->ri_IndexRelationDescs != nullptr)
            ExecCloseIndices(target_);
        FreeExecutorState(estate_);
    }
    ExecDropSingleTupleTableSlot(version_);
}

// Tell the executor which table is changed, and which columns of it: triggers for some columns and
// generated columns go by that.
void RowChanges::add_range_table()
{
    RangeTblEntry *entry = makeNode(RangeTblEntry);
    entry->rtekind = RTE_RELATION;
    entry->relid = RelationGetRelid(table_);
    entry->relkind = table_->rd_rel->relkind;
    entry->rellockmode = RowExclusiveLock;
    Bitmapset *columns = nullptr;
    for (const AttrNumber column : updated_)
        columns = bms_add_member(columns, column - FirstLowInvalidHeapAttributeNumber);
#if PG_VERSION_NUM >= 160000
    List *permissions = NIL;
    addRTEPermissionInfo(&permissions, entry)->updatedCols = columns;
#else
    entry->updatedCols = columns;
#endif
#if PG_VERSION_NUM >= 180000
    ExecInitRangeTable(estate_, list_make1(entry), permissions, bms_make_singleton(1));
#elif PG_VERSION_NUM >= 160000
    ExecInitRangeTable(estate_, list_make1(entry), permissions);
#else
    ExecInitRangeTable(estate_, list_make1(entry));
#endif
}

void RowChanges::begin_executor()
{
    estate_ = CreateExecutorState();
    estate_->es_snapshot = GetActiveSnapshot();
    add_range_table();
    AfterTriggerBeginQuery();
    target_ = makeNode(ResultRelInfo);
    InitResultRelInfo(target_, table_, 1, nullptr, 0);
#if PG_VERSION_NUM >= 160000
    EvalPlanQualInit(&recheck_, estate_, nullptr, NIL, -1, NIL);
#else
    EvalPlanQualInit(&recheck_, estate_, nullptr, NIL, -1);
#endif
}

// What each change needs of the executor, made for the first.
void RowChanges::begin()
{
    if (estate_ == nullptr)
        begin_executor();
    ResetPerTupleExprContext(estate_);
    // A trigger's own statements move it on
    estate_->es_output_cid = GetCurrentCommandId(true);
}

// A HOT update needs none, nor does a removal.
void RowChanges::open_indices()
{
    if (target_->ri_IndexRelationDescs == nullptr)
        ExecOpenIndices(target_, false);
}

bool RowChanges::is_looked_at(CmdType change) const
{
    const TriggerDesc *triggers = table_->trigdesc;
    if (change == CMD_DELETE)
        return triggers != nullptr && triggers->trig_delete_before_row;
    const TupleConstr *constraints = RelationGetDescr(table_)->constr;
    return (triggers != nullptr && triggers->trig_update_before_row) ||
           constraints->num_check > 0 || constraints->has_generated_stored ||
           table_->rd_rel->relispartition;
}

// Whether a transaction has changed or locked this version, be it over or not.
static bool is_touched(TupleTableSlot *version)
{
    bool is_null;
    return DatumGetTransactionId(slot_getsysattr(version, MaxTransactionIdAttributeNumber,
                                                 &is_null)) != InvalidTransactionId;
}

bool RowChanges::may_try(CmdType change, TupleTableSlot *found) const
{
    return !is_looked_at(change) && !is_touched(found);
}

void RowChanges::begin_version(TupleTableSlot *present)
{
    const int columns = RelationGetDescr(table_)->natts;
    slot_getallattrs(present);
    ExecClearTuple(version_);
    memcpy(version_->tts_values, present->tts_values, columns * sizeof(Datum));
    memcpy(version_->tts_isnull, present->tts_isnull, columns * sizeof(bool));
    ExecStoreVirtualTuple(version_);
}

#if PG_VERSION_NUM >= 160000
using IndicesToUpdate = TU_UpdateIndexes;
#else
using IndicesToUpdate = bool;
#endif

static List *insert_index_entries(ResultRelInfo *target, EState *estate, TupleTableSlot *row,
                                  [[maybe_unused]] IndicesToUpdate which)
{
#if PG_VERSION_NUM >= 160000
    return ExecInsertIndexTuples(target, row, estate, true, false, nullptr, NIL,
                                 which == TU_Summarizing);
#else
    return ExecInsertIndexTuples(target, row, estate, true, false, nullptr, NIL);
#endif
}

// As the server's executor does both of these, but that they do not wait; by the command that the
// snapshot is of, whatever commands triggers on other tables have run since.
bool RowChanges::try_update(TupleTableSlot *found)
{
    begin();
    CheckCmdReplicaIdentity(table_, CMD_UPDATE);
    ExecConstraints(target_, version_, estate_);
    TM_FailureData failure;
    LockTupleMode mode;
    IndicesToUpdate which;
    const Snapshot snapshot = GetActiveSnapshot();
    if (table_tuple_update(table_, &found->tts_tid, version_, snapshot->curcid, snapshot,
                           InvalidSnapshot, false, &failure, &mode, &which) != TM_Ok)
        return false;
    List *to_recheck = NIL;
    if (which) {
        open_indices();
        to_recheck = insert_index_entries(target_, estate_, version_, which);
    }
    ExecARUpdateTriggers(estate_, target_, nullptr, nullptr, &found->tts_tid, nullptr, version_,
                         to_recheck, nullptr, false);
    return true;
}

bool RowChanges::try_remove(TupleTableSlot *found)
{
    begin();
    CheckCmdReplicaIdentity(table_, CMD_DELETE);
    TM_FailureData failure;
    const Snapshot snapshot = GetActiveSnapshot();
    if (table_tuple_delete(table_, &found->tts_tid, snapshot->curcid, snapshot, InvalidSnapshot,
                           false, &failure, false) != TM_Ok)
        return false;
    ExecARDeleteTriggers(estate_, target_, &found->tts_tid, nullptr, nullptr, false);
    return true;
}

TupleTableSlot *RowChanges::update_locked(TupleTableSlot *locked)
{
    begin();
    open_indices();
    ExecSimpleRelationUpdate(target_, estate_, &recheck_, locked, version_);
    if (!ItemPointerIsValid(&version_->tts_tid)) // it has no place
        refuse_suppressed(RelationGetRelationName(table_));
    return version_;
}

void RowChanges::remove_locked(TupleTableSlot *locked)
{
    begin();
    ExecSimpleRelationDelete(target_, estate_, &recheck_, locked);
}

} // namespace companion
