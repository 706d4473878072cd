// The dispatch queue as a table: its rows by key and in order, locked and changed.
//
// Claims and reports go to the table directly, not through a plan: whatever the
// statistics say, claiming walks the index from its head, and a lease or a start is one
// HOT update.
#pragma once

#include "postgres/lookup.hpp"
#include "postgres/row_changes.hpp"
#include "sending/lanes.hpp"

namespace companion {

// A row of companion.dispatch_queue.
struct QueueRow {
    TimestampTz visible_at;
    TimestampTz leased_until;
    TimestampTz send_before;
    pg_uuid_t user_id;
    pg_uuid_t message_id;
    int attempt;
    bool sending;
    Datum channel;        // text
    Datum worker;         // text, or zero
    Datum bot, addresses; // text and text[], or zero: see told.hpp
    Datum kind;           // text
    int tries, claims;
    Datum last_error; // text, or zero
    TimestampTz last_failed_at;
    int head_start;           // seconds; is not changed
    TimestampTz start_before; // DT_NOEND: null, of a user without quiet hours
    Datum waits_for;          // text, or zero

    // Whether a worker has claimed it and has not given it back.
    bool is_claimed() const { return !TIMESTAMP_IS_NOBEGIN(leased_until); }

    // Have it claimed anew.
    void give_back()
    {
        leased_until = DT_NOBEGIN;
        sending = false;
        bot = addresses = 0;
    }

    // What has been counted for this claim, or its start, was none of the message's fault.
    void uncount()
    {
        int &counted = sending ? tries : claims;
        counted = Max(counted - 1, 0);
    }

    // Give a claim back, which costs nothing.
    void unclaim()
    {
        uncount();
        give_back();
    }
};

// Where in the queue a walk begins; with a head start only if it is of all lanes.
struct QueuePosition {
    TimestampTz visible_at;
    pg_uuid_t message_id;
    bool is_of_all = false;
};

// Which of the lanes a walk has, by their channels. It goes by those that the session knows of
// until they are at their end, and by new ones then.
class WantedLanes {
  public:
    virtual bool have(std::string_view channel) const { return true; }
};

// What becomes of a row, or why nothing does: another transaction holds it, or it is no more.
enum class Outcome { kept, updated, removed, busy, gone };

inline bool is_changed(Outcome outcome)
{
    return outcome == Outcome::updated || outcome == Outcome::removed;
}

// What to do about a row that another transaction holds: wait for it, or pass over the row; or
// pass over it, too, where that transaction has changed it since it was found.
enum class Contended { wait, pass, pass_changed };

// The queue, open from construction to close(). One row at a time is come to and changed; its
// texts are valid until the next is. An operator's triggers are fired as RowChanges says.
class Queue {
  public:
    Queue();

    // Must be called unless an error ends the transaction.
    void close();

    // Come to a message's row; false when it is not on the queue.
    bool find(const pg_uuid_t &user_id, const pg_uuid_t &message_id);

    // Where the row come to is, and to come there again: by another Queue, too, within the
    // same call.
    ItemPointerData place() const { return found_->tts_tid; }
    void come_to(const ItemPointerData &place);

    // Begin to walk over the rows of some lanes that are visible by a time, in order of visible_at
    // less their head start, from the head or a position.
    void begin_walk(TimestampTz visible_by, const WantedLanes &wanted,
                    const QueuePosition *from = nullptr);

    // Advance the walk to its next row; false at the end.
    bool next();

    // How many index entries the walk has gone past, dead ones included.
    int entries_passed() const { return entries_passed_; }

    void end_walk();

    // The row come to, and after change() as it was left, or removed.
    const QueueRow &row() const { return row_; }

    // Change the row come to as decide(row) says, which replaces what is the worker's of the row
    // and visible_at, and returns updated, or returns removed, kept, or busy: not now. It is
    // asked of the version that was found, and what it says is done in one step if nobody has
    // touched that version. Otherwise, and where it would keep the row or something of an
    // operator's looks at rows before they change, the row is locked, in its newest version
    // unless changed ones are passed over, and it is asked again. Error 09000 where a trigger
    // prevents it.
    template <class Decide>
    Outcome change(Contended contended, Decide decide)
    {
        QueueRow wanted = row_;
        Outcome outcome = is_read_ ? decide(wanted) : Outcome::kept;
        if (outcome == Outcome::busy || (is_changed(outcome) && try_change(outcome, wanted)))
            return outcome;
        const TM_Result result = lock(contended);
        if (result != TM_Ok)
            return result == TM_WouldBlock ? Outcome::busy : Outcome::gone;
        wanted = row_;
        outcome = decide(wanted);
        if (is_changed(outcome))
            change_locked(outcome, wanted);
        return outcome;
    }

  private:
    // A lane that is walked.
    struct OpenLane {
        Lane lane;
        IndexScanDesc scan;
        TupleTableSlot *slot; // the row that it has come to
        TimestampTz order;    // of that row
        bool is_read, is_over;
    };

    void open_lanes();
    void open_new_lanes();
    void open_lane(const Lane &lane);
    bool is_open(const Lane &lane) const;
    void advance(OpenLane &lane);
    OpenLane *first_lane();
    TM_Result lock(Contended contended);
    bool try_change(Outcome wanted, const QueueRow &row);
    void change_locked(Outcome wanted, const QueueRow &row);
    void update_locked(const QueueRow &row);
    void remove_locked();
    void set_version(TupleTableSlot *present, const QueueRow &row);

    Relation table_;
    RowChanges changes_;
    Relation by_key_; // from the first find() on, as is the scan
    IndexScanDesc finding_ = nullptr;
    Relation by_time_; // while walking
    const WantedLanes *wanted_;
    TimestampTz visible_by_;
    const QueuePosition *from_;
    bool is_all_open_;
    ScanKeyData position_[2]; // where the walk began; the scans point into it
    OpenLane *lanes_ = nullptr;
    int lane_count_ = 0;
    int entries_passed_;
    TupleTableSlot *found_;
    TupleTableSlot *locked_ = nullptr; // from the first lock on
    bool is_read_ = false;             // whether row_ is of the version in found_
    QueueRow row_;
};

} // namespace companion
