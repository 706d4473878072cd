// Rows found by a key and locked, without a plan: where a statement would cost ten times as much.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// What became of an attempt to lock a row.
enum class Locking {
    held,
    busy, // another transaction holds it
    gone, // deleted meanwhile, or its key was changed
};

// The rows of one of the extension's tables by the first columns of an index, each of them uuid,
// bigint or text. Within with_spi(), or in a trigger.
class Lookup {
  public:
    static constexpr int max_columns = 4;

    // Of which version of the table: what the transaction sees, or what has been committed by now.
    enum class Seen { by_transaction, newest };

    Lookup(const char *table, const char *index, Seen seen = Seen::by_transaction);
    void close();

    // Come to the row with this key; false where there is none.
    bool find(const Datum *key, int columns);
    bool find(Datum key) { return find(&key, 1); }

    // Go on to the next row with the same key; false where there is none.
    bool next();

    // Come to the last row whose key begins like this.
    bool find_last(const Datum *key, int columns);

    // Lock it until the transaction ends, in its newest version. Error 40001 where a transaction
    // of a higher isolation level cannot see that, 55P03 after lock_timeout.
    Locking lock(LockTupleMode mode, LockWaitPolicy wait);

    // Where the row is.
    ItemPointerData place() const { return slot_->tts_tid; }

    // A column of the row, by number. Valid until the next row is found.
    NullableDatum get(AttrNumber column) const
    {
        NullableDatum value;
        value.value = slot_getattr(slot_, column, &value.isnull);
        return value;
    }

    // The number of a column. Error 42703 where there is none of this name.
    AttrNumber column(const char *name) const;

    // For who changes the row come to: the table, the row, and the columns of the index.
    Relation table() const { return table_; }
    TupleTableSlot *slot() const { return slot_; }
    int key_columns() const { return index_->rd_index->indnkeyatts; }
    AttrNumber key_column(int place) const { return index_->rd_index->indkey.values[place]; }

  private:
    void begin(const Datum *key, int columns);
    bool has_key() const;

    Relation table_, index_;
    TupleTableSlot *slot_;
    IndexScanDesc scan_ = nullptr;
    ScanKeyData keys_[max_columns];
    int key_columns_ = 0;
};

} // namespace companion
