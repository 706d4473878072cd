// Deleting dead link tokens in bounded batches.
//
// It walks an index and deletes from the table directly: a statement would have to lock
// each row with SKIP LOCKED before it deletes it, and so would write every row twice.
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/relations.hpp"
#include "postgres/settings.hpp"

using namespace companion;

namespace {

// Delete a row; false when another transaction holds it or has changed it.
bool try_delete(Relation table, TupleTableSlot *slot)
{
    TM_FailureData failure;
    return table_tuple_delete(table, &slot->tts_tid, GetCurrentCommandId(true), GetActiveSnapshot(),
                              InvalidSnapshot, false, &failure, false) == TM_Ok;
}

// Delete up to so many of the tokens that stand in an index on a time up to the given one, the
// oldest first; returns how many.
int64 delete_oldest(Relation table, const char *index_name, TimestampTz until, int64 max_rows)
{
    Relation index = index_open(relation_id(index_name), AccessShareLock);
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    ScanKeyData key;
    ScanKeyInit(&key, 1, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE, TimestampTzGetDatum(until));
    IndexScanDesc scan = begin_index_scan(table, index, &key, 1);
    int64 deleted = 0;
    while (deleted < max_rows && index_getnext_slot(scan, ForwardScanDirection, slot)) {
        CHECK_FOR_INTERRUPTS();
        deleted += try_delete(table, slot);
    }
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    index_close(index, NoLock);
    return deleted;
}

} // namespace

COMPANION_FUNCTION(expire_telegram_link_tokens)
{
    const int64 max_rows = batch_size(Arguments(fcinfo), 0);
    const TimestampTz used_until = now() - settings::token_retention * USECS_PER_SEC;
    PreventCommandIfReadOnly("expire_telegram_link_tokens()");
    CommandCounterIncrement();
    PushActiveSnapshot(GetTransactionSnapshot());
    Relation table = table_open(relation_id("telegram_link_tokens"), RowExclusiveLock);
    int64 deleted = delete_oldest(table, "telegram_link_tokens_unused", now(), max_rows);
    deleted += delete_oldest(table, "telegram_link_tokens_used", used_until, max_rows - deleted);
    table_close(table, NoLock);
    PopActiveSnapshot();
    CommandCounterIncrement();
    PG_RETURN_INT64(deleted);
}
