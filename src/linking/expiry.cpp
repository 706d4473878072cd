// Deleting dead link tokens in bounded batches, and counts of failures.
//
// It walks an index and deletes from the table directly: a statement would have to lock
// each row with SKIP LOCKED before it deletes it, and so would write every row twice. That
// it does where there are triggers to be fired, those of an app's foreign keys among them.
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/relations.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"

using namespace companion;

namespace {

Statement delete_with_triggers{R"sql(
    DELETE FROM companion.telegram_link_tokens WHERE ctid = (
        SELECT ctid FROM companion.telegram_link_tokens WHERE ctid = $1 FOR UPDATE SKIP LOCKED)
)sql",
                               TIDOID};

// The most counts that one call forgets are as many as a batch of tokens.
Statement forget_failures{R"sql(
    DELETE FROM companion.telegram_redeem_failures WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM companion.telegram_redeem_failures
        WHERE window_ends_at <= companion.now() LIMIT 10000 FOR UPDATE SKIP LOCKED))
)sql"};

bool has_delete_triggers(Relation table)
{
    const TriggerDesc *triggers = table->trigdesc;
    return triggers != nullptr &&
           (triggers->trig_delete_before_row || triggers->trig_delete_after_row ||
            triggers->trig_delete_before_statement || triggers->trig_delete_after_statement);
}

bool delete_directly(Relation table, ItemPointer row)
{
    TM_FailureData failure;
    return table_tuple_delete(table, row, GetCurrentCommandId(true), GetActiveSnapshot(),
                              InvalidSnapshot, false, &failure, false) == TM_Ok;
}

// Delete a row; false when another transaction holds it or has changed it, or a trigger keeps
// it.
bool try_delete(Relation table, ItemPointer row)
{
    return has_delete_triggers(table) ? delete_with_triggers.execute({PointerGetDatum(row)}) > 0
                                      : delete_directly(table, row);
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
        deleted += try_delete(table, &slot->tts_tid);
    }
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    index_close(index, NoLock);
    return deleted;
}

int64 expire(int64 max_rows)
{
    const TimestampTz used_until = now() - settings::token_retention * USECS_PER_SEC;
    CommandCounterIncrement();
    PushActiveSnapshot(GetTransactionSnapshot());
    Relation table = table_open(relation_id("telegram_link_tokens"), RowExclusiveLock);
    int64 deleted = delete_oldest(table, "telegram_link_tokens_unused", now(), max_rows);
    deleted += delete_oldest(table, "telegram_link_tokens_used", used_until, max_rows - deleted);
    table_close(table, NoLock);
    PopActiveSnapshot();
    CommandCounterIncrement();
    return deleted;
}

} // namespace

COMPANION_FUNCTION(expire_telegram_link_tokens)
{
    const int64 max_rows = batch_size(Arguments(fcinfo), 0);
    PreventCommandIfReadOnly("expire_telegram_link_tokens()");
    PG_RETURN_INT64(with_spi([max_rows] { return expire(max_rows); }));
}

COMPANION_FUNCTION(forget_redeem_failures)
{
    PreventCommandIfReadOnly("forget_redeem_failures()");
    PG_RETURN_INT64(with_spi([] { return forget_failures.execute({}); }));
}
