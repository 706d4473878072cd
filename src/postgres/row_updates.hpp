// Rows that a Lookup has found, updated without a plan.
#pragma once

#include "postgres/lookup.hpp"
#include "postgres/row_changes.hpp"

#include <initializer_list>

namespace companion {

// Updates of some columns, open from construction to close(), which comes before that of the
// Lookup. An operator's triggers are fired as RowChanges says.
class RowUpdates {
  public:
    RowUpdates(const Lookup &rows, std::initializer_list<AttrNumber> columns, const char *watched);

    // Must be called unless an error ends the transaction.
    void close() { changes_.close(); }

    // Replace the columns of the row that was found, in one step and without a lock before; false
    // where nothing has happened, since somebody has touched it, or something of an operator's
    // looks at rows before they change. Lock it then, and look again.
    bool try_update(std::initializer_list<Datum> values);

    // The same of the row as it was locked. Error 09000 where a trigger suppresses it, or changes
    // its key or these columns.
    void update_locked(std::initializer_list<Datum> values);

  private:
    void set_version(std::initializer_list<Datum> values);
    void check_stored(TupleTableSlot *stored, std::initializer_list<Datum> values) const;

    const Lookup &rows_;
    const char *watched_; // the key and these columns, for an error
    static constexpr int most_columns = 4;
    AttrNumber columns_[most_columns];
    RowChanges changes_;
};

} // namespace companion
