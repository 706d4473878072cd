// Rows that a Lookup has found, updated without a plan, as the server's executor would: where a
// statement would find them once more, and cost twice as much.
#pragma once

#include "postgres/lookup.hpp"

#include <initializer_list>

namespace companion {

// Updates of some columns, open from construction to close(), which comes before that of the
// Lookup. An operator's triggers for each row are fired as by an UPDATE of these columns; those for
// each statement are not.
class RowUpdates {
  public:
    RowUpdates(const Lookup &rows, std::initializer_list<AttrNumber> columns, const char *watched);

    // Must be called unless an error ends the transaction.
    void close();

    // Replace the columns of the row that was found, in one step and without a lock before; false
    // where nothing has happened, since somebody has touched it, or something of an operator's
    // looks at rows before they change. Lock it then, and look again.
    bool try_update(std::initializer_list<Datum> values);

    // The same of the row as it was locked. Error 09000 where a trigger suppresses it, or changes
    // its key or these columns.
    void update_locked(std::initializer_list<Datum> values);

  private:
    void begin_update(std::initializer_list<Datum> values);
    bool is_looked_at() const;
    void add_range_table();
    void check_stored(std::initializer_list<Datum> values) const;
    bool is_as_it_was(AttrNumber column, Datum value) const;

    const Lookup &rows_;
    Relation table_;
    const char *watched_; // the key and these columns, for an error
    static constexpr int most_columns = 4;
    AttrNumber columns_[most_columns];
    int column_count_ = 0;
    EState *estate_ = nullptr; // from the first update on, as are the two below
    ResultRelInfo *target_;
    EPQState recheck_;
    TupleTableSlot *changed_;
};

} // namespace companion
