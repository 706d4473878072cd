// What is pending for a user, locked: whatever is made of it, a start_send at the same moment comes
// before it, or finds it made.
#pragma once

#include "sending/queue.hpp"

namespace companion {

// A message on the queue, whether the queue keeps where its worker was told to send it, and the
// channel that schedule_message() was given, if it was.
struct Pending {
    QueueRow row;
    bool has_told;
    NullableDatum wanted_channel;
};

// Whether anything is pending for a user, be it in transactions that this one's snapshot does not
// see. Needs no with_spi().
bool has_pending(const pg_uuid_t &user_id);

// A user's pending messages, or one of them, locked by ascending id. Call it, and what is below,
// within with_spi(), with the user's row locked; valid as long as that.
class PendingMessages {
  public:
    explicit PendingMessages(const pg_uuid_t &user_id, NullableDatum message_id = {0, true});

    int size() const { return size_; }
    Pending at(int index) const;

  private:
    pg_uuid_t user_id_;
    const SPITupleTable *rows_;
    int size_;
};

// Have it go out on another channel, or on the same to another address: a claim that has not been
// started is given back. Error 09000 where a trigger prevents it, as in what follows.
void move_to_channel(const QueueRow &row, Datum channel);

// Take it off the queue, finished with a status (skipped or cancelled) and a reason.
void finish_pending(const QueueRow &row, const char *status, Datum reason);

// Error 09000 where the last result, of so many rows, is not one of true.
void require_queue_row_written(uint64 rows, const char *columns);

} // namespace companion
