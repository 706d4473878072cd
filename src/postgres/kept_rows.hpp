// The rows of a small table that is read on every call and hardly ever changed: each session keeps
// them, and reads them anew when somebody has changed them.
#pragma once

#include "postgres/relations.hpp"

#include <algorithm>

namespace companion {

// A row of such a table, as it is stored.
class StoredRow {
  public:
    StoredRow(TupleTableSlot *slot, Relation table) : slot_(slot), table_(table) {}

    NullableDatum nullable(const char *column) const
    {
        NullableDatum value;
        value.value = slot_getattr(slot_, column_number(table_, column), &value.isnull);
        return value;
    }
    Datum get(const char *column) const { return nullable(column).value; }

  private:
    TupleTableSlot *slot_;
    Relation table_;
};

// Rows in their order. Valid until the server is called.
template <class Row>
struct Rows {
    const Row *first;
    int count;

    const Row *begin() const { return first; }
    const Row *end() const { return first + count; }
};

// What a session keeps of a table, without the rows. The table has the trigger reload_rows().
class KeptTable {
  public:
    constexpr explicit KeptTable(const char *name) : name_(name) {}

  protected:
    // Begin to read it; what is allocated from here to end_reading() is kept with the rows. Who
    // changes it while it is read has it read again, and so does an error.
    Relation begin_reading();
    void end_reading(Relation table);

    bool is_valid_ = false;

  private:
    static void forget_all(Datum, Oid relation);
    void forget(Oid relation);
    void begin_to_keep();

    const char *name_;
    bool is_unchanged_ = false; // since it was begun to be read
    MemoryContext context_ = nullptr;
    MemoryContext caller_ = nullptr;
    Oid table_ = InvalidOid;
    KeptTable *next_ = nullptr; // of those that the session keeps
};

// The kept rows of one table. Define as a static object.
template <class Row>
class KeptRows : KeptTable {
  public:
    using Read = Row (*)(const StoredRow &);
    using IsBefore = bool (*)(const Row &, const Row &);

    constexpr KeptRows(const char *name, Read read, IsBefore is_before)
        : KeptTable(name), read_(read), is_before_(is_before)
    {
    }

    Rows<Row> rows()
    {
        while (!is_valid_)
            load();
        return {rows_, count_};
    }

  private:
    void load()
    {
        Relation table = begin_reading();
        rows_ = nullptr;
        count_ = 0;
        Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
        TableScanDesc scan = table_beginscan(table, snapshot, 0, nullptr);
        TupleTableSlot *slot = table_slot_create(table, nullptr);
        for (int room = 16; table_scan_getnextslot(scan, ForwardScanDirection, slot);)
            add(read_(StoredRow(slot, table)), &room);
        ExecDropSingleTupleTableSlot(slot);
        table_endscan(scan);
        UnregisterSnapshot(snapshot);
        std::sort(rows_, rows_ + count_, is_before_);
        end_reading(table);
    }

    void add(const Row &row, int *room)
    {
        if (rows_ == nullptr)
            rows_ = static_cast<Row *>(palloc(*room * sizeof(Row)));
        if (count_ == *room)
            rows_ = static_cast<Row *>(repalloc(rows_, (*room *= 2) * sizeof(Row)));
        rows_[count_++] = row;
    }

    Read read_;
    IsBefore is_before_;
    Row *rows_ = nullptr;
    int count_ = 0;
};

} // namespace companion
