// Messages that no worker will finish.
#pragma once

#include "postgres/array_builder.hpp"
#include "sending/finish.hpp"

namespace companion {

// Whether the locked or visited message can only be given up: it was started and its
// lease ran out, it is too late to send it, or it has been claimed in vain
// too often.
bool is_abandoned(const QueueRow &row, TimestampTz at);

// Abandoned messages that a walk has come to.
class Abandoned {
  public:
    void add(const QueueRow &row);

    int size() const { return user_ids_.size(); }

    // Take them off the queue, with what became of each: unknown if sending had started,
    // skipped if it is too late, else failed. What another transaction holds, the user or
    // the message, stays for later. Returns how many were finished. Call within with_spi().
    int give_up(TimestampTz at) const;

  private:
    ArrayBuilder user_ids_{UUIDOID}, message_ids_{UUIDOID};
};

} // namespace companion
