// The dispatch queue as a table: walking it in order and leasing its rows.
//
// Claiming goes to the table directly, not through a plan: whatever the statistics
// say it is a walk of the index from its head, and each lease is one row lock and one
// HOT update.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// A queue row at the moment of a claim.
struct QueueRow {
    TimestampTz visible_at;
    TimestampTz leased_until;
    TimestampTz send_before;
    pg_uuid_t user_id;
    pg_uuid_t message_id;
    int attempt;
    bool sending;
    unsigned channel;  // channel_bit()
};

// Where in the queue a walk begins.
struct QueuePosition {
    TimestampTz visible_at;
    pg_uuid_t message_id;
};

// One walk over the rows that are visible at a time, the oldest first. It passes over
// rows that another transaction holds.
class QueueWalk {
  public:
    // Begin at the head, or at a position.
    QueueWalk(TimestampTz visible_by, const QueuePosition *from);

    // Advance to the next row; false at the end.
    bool next();

    const QueueRow &row() const { return row_; }

    // How many index entries the walk has gone past, dead ones included.
    int entries_passed() const { return entries_passed_; }

    // Lock the row; false when another transaction holds or has changed it.
    bool lock();

    // Give the locked row to a worker, as its next attempt.
    void lease(TimestampTz until, Datum worker);

    // Must be called at the end of a walk that did not fail.
    void close();

  private:
    void begin_scan(TimestampTz visible_by, const QueuePosition *from);

    Relation table_;
    Relation index_;
    EState *estate_;
    ResultRelInfo *target_;
    EPQState recheck_;
    IndexScanDesc scan_;
    TupleTableSlot *found_;
    TupleTableSlot *locked_;
    TupleTableSlot *changed_;
    ScanKeyData position_[2];
    ScanKeyData keys_[2];
    QueueRow row_;
    int entries_passed_ = 0;
};

} // namespace companion
