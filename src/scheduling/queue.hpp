// The dispatch queue as a table: its rows by key and in order, locked and changed.
//
// Claims and reports go to the table directly, not through a plan: whatever the
// statistics say, claiming walks the index from its head, and a lease or a start is one
// row lock and one HOT update.
#pragma once

#include "postgres/lookup.hpp"

namespace companion {

// A row of companion.dispatch_queue, less the name of the worker.
struct QueueRow {
    TimestampTz visible_at;
    TimestampTz leased_until;
    TimestampTz send_before;
    pg_uuid_t user_id;
    pg_uuid_t message_id;
    int attempt;
    bool sending;
    Datum channel; // text
    Datum worker;  // text, or zero

    // Whether a worker has claimed it and has not given it back.
    bool is_claimed() const { return !TIMESTAMP_IS_NOBEGIN(leased_until); }
};

// Where in the queue a walk begins.
struct QueuePosition {
    TimestampTz visible_at;
    pg_uuid_t message_id;
};

// The queue, open from construction to close(). One row at a time is locked; its texts
// are valid until the next is. Triggers for each row that an operator has added are fired as
// by an UPDATE of what update() replaces, and a DELETE; those for each statement are not.
class Queue {
  public:
    Queue();

    // Must be called unless an error ends the transaction.
    void close();

    // Come to a message's row, not locked yet; false when it is not on the queue.
    bool find(const pg_uuid_t &user_id, const pg_uuid_t &message_id);

    // Where the row come to is, and to come there again: by another Queue, too, within the
    // same call.
    ItemPointerData place() const { return found_->tts_tid; }
    void come_to(const ItemPointerData &place) { found_->tts_tid = place; }

    // Lock the newest version of the row, waiting for whoever holds it if that is allowed.
    Locking lock(bool may_wait);

    // Lock the row; false when another transaction holds it or has changed it.
    bool try_lock();

    // Begin to walk over the rows that are visible by a time, in order of visible_at and
    // message, from the head or a position.
    void begin_walk(TimestampTz visible_by, const QueuePosition *from = nullptr);

    // Advance the walk to its next row, not locked yet; false at the end.
    bool next();

    // How many index entries the walk has gone past, dead ones included.
    int entries_passed() const { return entries_passed_; }

    void end_walk();

    // The row last locked or come to.
    const QueueRow &row() const { return row_; }

    // Replace the locked row's lease, attempt, worker, visible_at and sending. Error 09000
    // where a trigger prevents it.
    void update(const QueueRow &changed);

    // Delete the locked row. Error 09000 where a trigger prevents it.
    void remove();

  private:
    TM_Result lock(LockWaitPolicy wait, uint8 flags);
    void begin_change();
    void end_changes();
    void set_changed(const QueueRow &row);

    Relation table_;
    Relation by_key_;
    Relation by_time_;         // while walking
    EState *estate_ = nullptr; // from the first change on, as are the two below
    ResultRelInfo *target_;
    EPQState recheck_;
    TupleTableSlot *found_;
    TupleTableSlot *locked_;
    TupleTableSlot *changed_;
    IndexScanDesc walk_;
    ScanKeyData position_[2]; // where the walk began; the scan points into it
    QueueRow row_;
    int entries_passed_;
};

} // namespace companion
