// How fast messages are started on a channel, by each bot, over all workers together.
#pragma once

#include "sending/queue.hpp"

namespace companion {

// The starts of one call.
class Starts {
  public:
    Starts(int count, TimestampTz at);

    // Whether the message may be started now, as far as its channel's rate and throttles go. What
    // it takes of the rate is taken at once, and once for each index.
    bool may_start(const QueueRow &row, int index);

  private:
    bool may_start_there(const QueueRow &row);

    bool *taken_ = nullptr; // null: nothing is limited
    TimestampTz at_;
};

} // namespace companion
