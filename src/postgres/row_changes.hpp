// Rows changed without a plan, as the server's executor would: where a statement would find them
// once more, and cost twice as much.
#pragma once

#include "postgres/server.hpp"

#include <span>

namespace companion {

// Changes of the rows of an open table, from construction to close(). An operator's triggers for
// each row are fired as by an UPDATE of some columns, and a DELETE; those for each statement are
// not.
class RowChanges {
  public:
    // The columns' numbers outlive it.
    RowChanges(Relation table, std::span<const AttrNumber> updated);

    // Must be called unless an error ends the transaction.
    void close();

    // Whether something looks at a row before it is updated (CMD_UPDATE) or deleted (CMD_DELETE),
    // and so has to see its newest version: a trigger, a constraint, what a column is generated
    // from.
    bool is_looked_at(CmdType change) const;

    // Whether a version of a row can be changed without a lock before: nothing looks at it, and no
    // transaction has touched it. Workers that claim at once meet many that have been, and to lock
    // one in vain costs less than to change it in vain.
    bool may_try(CmdType change, TupleTableSlot *found) const;

    // Begin the row's new version as a copy of the present one; set its columns then.
    void begin_version(TupleTableSlot *present);
    void set(AttrNumber column, Datum value, bool is_null = false)
    {
        version_->tts_values[column - 1] = value;
        version_->tts_isnull[column - 1] = is_null;
    }

    // Put the new version in the place of the one that was found, or remove that, without waiting;
    // false where somebody has touched it, and nothing has happened.
    bool try_update(TupleTableSlot *found);
    bool try_remove(TupleTableSlot *found);

    // Put the new version in the place of the one that is locked; returns it as triggers left it.
    // Error 09000 where one suppresses it.
    TupleTableSlot *update_locked(TupleTableSlot *locked);

    // Remove the one that is locked, if no trigger prevents it.
    void remove_locked(TupleTableSlot *locked);

  private:
    void begin();
    void begin_executor();
    void add_range_table();
    void open_indices();

    Relation table_;
    std::span<const AttrNumber> updated_;
    TupleTableSlot *version_;
    EState *estate_ = nullptr; // from the first change on, as are the two below
    ResultRelInfo *target_;
    EPQState recheck_;
};

} // namespace companion
