// Counting starts by the caps of their kinds' groups: companion.cap_starts.
//
// Its row of a user and group is locked after the message's row on the queue, and held until the
// transaction ends: two starts at once come one after the other.
#pragma once

#include "sending/queue.hpp"

namespace companion {

// Messages that have just been started. Make and use it within with_spi().
class CappedStarts {
  public:
    // Of starts at a time. Those whose row is another transaction's are waited for, or passed over.
    CappedStarts(TimestampTz at, Contended contended);

    // A message that was started, the caller's number for it, and its row as it was before.
    void add(int index, const QueueRow &before);

    // Count them; give back what is over a cap, or was passed over, and hand it to
    // turn_down(index, is_busy): those that are over have been deferred or skipped, those passed
    // over are as they were before. Error 09000 where a trigger prevents it.
    template <class TurnDown>
    void count(TurnDown turn_down)
    {
        if (size_ == 0)
            return;
        count_all();
        for (int place = 0; place < size_; place++)
            if (starts_[place].outcome != Counted::counted)
                turn_down(starts_[place].index, starts_[place].outcome == Counted::busy);
    }

    enum class Counted : char { waiting, counted, over, busy };

    struct Start {
        int index;
        pg_uuid_t user_id, message_id;
        NameData group;
        bool is_deferrable;
        int claims;
        TimestampTz leased_until, send_before;
        Counted outcome;
        TimestampTz full_until; // if over
        Datum reason;           // text, if over

        bool is_skipped() const
        {
            return outcome == Counted::over && (!is_deferrable || full_until >= send_before);
        }
    };

  private:
    void count_all();
    int count_round();
    void give_back();

    TimestampTz at_;
    Contended contended_;
    bool are_groups_;
    Start *starts_ = nullptr;
    int size_ = 0, room_ = 0;
};

// Messages that were started and certainly not sent. Make and use it within with_spi().
class UnsentStarts {
  public:
    UnsentStarts();

    void add(const QueueRow &row);

    // Count their last starts no more, in whatever group they were counted. Waits for their rows.
    // Error 09000 where a trigger prevents it.
    void discount();

    struct Start {
        pg_uuid_t user_id, message_id;
    };

  private:
    bool are_caps_;
    Start *starts_ = nullptr;
    int size_ = 0, room_ = 0;
};

} // namespace companion
