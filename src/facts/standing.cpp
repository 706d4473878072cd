// What stands of an item, found without a plan.
#include "facts/standing.hpp"

#include "postgres/relations.hpp"

namespace companion {

// The first row of a table that an index has for some keys.
class FirstRow {
  public:
    FirstRow(const char *table, const char *index, ScanKey keys, int count)
    {
        // See what this transaction has done so far, as any new statement does
        CommandCounterIncrement();
        PushActiveSnapshot(GetTransactionSnapshot());
        table_ = table_open(relation_id(table), AccessShareLock);
        index_ = index_open(relation_id(index), AccessShareLock);
        slot_ = table_slot_create(table_, nullptr);
        scan_ = begin_index_scan(table_, index_, keys, count);
        is_there_ = index_getnext_slot(scan_, ForwardScanDirection, slot_);
    }

    void close()
    {
        index_endscan(scan_);
        ExecDropSingleTupleTableSlot(slot_);
        index_close(index_, NoLock);
        table_close(table_, NoLock);
        PopActiveSnapshot();
    }

    bool is_there() const { return is_there_; }
    const ItemPointerData &place() const { return slot_->tts_tid; }

    // Whether the table has triggers that may change what an update writes.
    bool is_triggered() const
    {
        return table_->trigdesc != nullptr && table_->trigdesc->trig_update_before_row;
    }

    // A column that cannot be null. Valid until this is closed.
    Datum get(const char *column) const
    {
        bool is_null;
        return slot_getattr(slot_, column_number(table_, column), &is_null);
    }

  private:
    Relation table_, index_;
    TupleTableSlot *slot_;
    IndexScanDesc scan_;
    bool is_there_;
};

static StandingItem read_item(const FirstRow &row)
{
    const std::string_view source = text_view(row.get("source"));
    const bool is_users = DatumGetBool(row.get("pinned")) || source == "user" || source == "pinned";
    return {true, is_users, row.is_triggered(), row.place(),
            text_view(to_text(text_view(row.get("value"))))};
}

StandingItem find_item(Datum user_id, const Fact &fact)
{
    ScanKeyData keys[3];
    ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_UUID_EQ, user_id);
    ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_TEXTEQ, fact.values[Fact::category]);
    ScanKeyInit(&keys[2], 3, BTEqualStrategyNumber, F_TEXTEQ, fact.folded_key);
    FirstRow row("user_context", "user_context_user_id_category_folded_key_key", keys, 3);
    const StandingItem item = row.is_there() ? read_item(row) : StandingItem{};
    row.close();
    return item;
}

bool is_embedded(Datum user_id, Datum item_id)
{
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_UUID_EQ, user_id);
    ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_UUID_EQ, item_id);
    FirstRow row("context_embeddings", "context_embeddings_pkey", keys, 2);
    const bool is_there = row.is_there();
    row.close();
    return is_there;
}

} // namespace companion
