// Rows that a Lookup has found, updated without a plan, as the server's executor would.
#include "postgres/row_updates.hpp"

#include "postgres/triggered.hpp"

namespace companion {

RowUpdates::RowUpdates(const Lookup &rows, std::initializer_list<AttrNumber> columns,
                       const char *watched)
    : rows_(rows), table_(rows.table()), watched_(watched)
{
    LockRelationOid(RelationGetRelid(table_), RowExclusiveLock);
    for (const AttrNumber column : columns)
        columns_[column_count_++] = column;
    changed_ = MakeSingleTupleTableSlot(RelationGetDescr(table_), &TTSOpsVirtual);
}

void RowUpdates::close()
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
    ExecDropSingleTupleTableSlot(changed_);
}

// Tell the executor which table is updated, and which columns of it: triggers for some columns and
// generated columns go by that.
void RowUpdates::add_range_table()
{
    RangeTblEntry *entry = makeNode(RangeTblEntry);
    entry->rtekind = RTE_RELATION;
    entry->relid = RelationGetRelid(table_);
    entry->relkind = table_->rd_rel->relkind;
    entry->rellockmode = RowExclusiveLock;
    Bitmapset *columns = nullptr;
    for (int index = 0; index < column_count_; index++)
        columns = bms_add_member(columns, columns_[index] - FirstLowInvalidHeapAttributeNumber);
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

// Make what the first update needs, and a version of the row with the columns replaced, in
// changed_.
void RowUpdates::begin_update(std::initializer_list<Datum> values)
{
    if (estate_ == nullptr) {
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
    // A trigger's own statements move it on
    estate_->es_output_cid = GetCurrentCommandId(true);
    TupleTableSlot *present = rows_.slot();
    slot_getallattrs(present);
    ExecClearTuple(changed_);
    const int columns = RelationGetDescr(table_)->natts;
    memcpy(changed_->tts_values, present->tts_values, columns * sizeof(Datum));
    memcpy(changed_->tts_isnull, present->tts_isnull, columns * sizeof(bool));
    const AttrNumber *column = columns_;
    for (const Datum value : values) {
        changed_->tts_values[*column - 1] = value;
        changed_->tts_isnull[*column++ - 1] = false;
    }
    ExecStoreVirtualTuple(changed_);
}

// Whether something looks at a row before it is changed, and so has to see its newest version: a
// trigger, a constraint, what a column is generated from.
bool RowUpdates::is_looked_at() const
{
    const TriggerDesc *triggers = table_->trigdesc;
    const TupleConstr *constraints = RelationGetDescr(table_)->constr;
    return (triggers != nullptr && triggers->trig_update_before_row) ||
           constraints->num_check > 0 || constraints->has_generated_stored ||
           table_->rd_rel->relispartition;
}

static bool is_touched(TupleTableSlot *version)
{
    bool is_null;
    return DatumGetTransactionId(slot_getsysattr(version, MaxTransactionIdAttributeNumber,
                                                 &is_null)) != InvalidTransactionId;
}

#if PG_VERSION_NUM >= 160000
using IndicesToUpdate = TU_UpdateIndexes;
#else
using IndicesToUpdate = bool;
#endif

static List *insert_index_entries(ResultRelInfo *target, EState *estate, TupleTableSlot *row,
                                  [[maybe_unused]] IndicesToUpdate which)
{
    if (target->ri_IndexRelationDescs == nullptr)
        ExecOpenIndices(target, false);
#if PG_VERSION_NUM >= 160000
    return ExecInsertIndexTuples(target, row, estate, true, false, nullptr, NIL,
                                 which == TU_Summarizing);
#else
    return ExecInsertIndexTuples(target, row, estate, true, false, nullptr, NIL);
#endif
}

bool RowUpdates::try_update(std::initializer_list<Datum> values)
{
    TupleTableSlot *present = rows_.slot();
    if (is_looked_at() || is_touched(present))
        return false;
    begin_update(values);
    CheckCmdReplicaIdentity(table_, CMD_UPDATE);
    TM_FailureData failure;
    LockTupleMode mode;
    IndicesToUpdate which;
    ExecConstraints(target_, changed_, estate_);
    const TM_Result result =
        table_tuple_update(table_, &present->tts_tid, changed_, GetActiveSnapshot()->curcid,
                           GetActiveSnapshot(), InvalidSnapshot, false, &failure, &mode, &which);
    if (result == TM_Ok) {
        List *to_recheck = which ? insert_index_entries(target_, estate_, changed_, which) : NIL;
        ExecARUpdateTriggers(estate_, target_, nullptr, nullptr, &present->tts_tid, nullptr,
                             changed_, to_recheck, nullptr, false);
    }
    ResetPerTupleExprContext(estate_);
    return result == TM_Ok;
}

bool RowUpdates::is_as_it_was(AttrNumber column, Datum value) const
{
    const FormData_pg_attribute *attribute = TupleDescAttr(RelationGetDescr(table_), column - 1);
    return !changed_->tts_isnull[column - 1] &&
           datum_image_eq(changed_->tts_values[column - 1], value, attribute->attbyval,
                          attribute->attlen);
}

void RowUpdates::check_stored(std::initializer_list<Datum> values) const
{
    slot_getallattrs(changed_);
    bool is_same = true;
    for (int place = 0; place < rows_.key_columns(); place++) {
        const AttrNumber column = rows_.key_column(place);
        is_same &= is_as_it_was(column, rows_.get(column).value);
    }
    const AttrNumber *column = columns_;
    for (const Datum value : values)
        is_same &= is_as_it_was(*column++, value);
    if (!is_same)
        refuse_changed(RelationGetRelationName(table_), watched_);
}

void RowUpdates::update_locked(std::initializer_list<Datum> values)
{
    begin_update(values);
    if (target_->ri_IndexRelationDescs == nullptr)
        ExecOpenIndices(target_, false);
    ExecSimpleRelationUpdate(target_, estate_, &recheck_, rows_.slot(), changed_);
    if (!ItemPointerIsValid(&changed_->tts_tid)) // it has no place
        refuse_suppressed(RelationGetRelationName(table_));
    check_stored(values);
    ResetPerTupleExprContext(estate_);
}

} // namespace companion
