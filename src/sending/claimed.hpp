// The messages that a worker has claimed.
#pragma once

#include "postgres/given.hpp"
#include "sending/queue.hpp"
#include "sending/unwanted.hpp"

namespace companion {

class Claimed {
  public:
    void add(const QueueRow &row);
    int size() const { return messages_.size(); }

    // Hand them to the caller's result set, with all that the worker needs to write and send them,
    // skip what is unwanted and those whose user is suspended or paused, and drop from the queue
    // those whose message or user is gone. Call within with_spi().
    void return_to(ReturnSetInfo *result, Unwanted &unwanted) const;

  private:
    Given messages_{{"user_id", UUIDOID},
                    {"message_id", UUIDOID},
                    {"attempt", INT4OID},
                    {"send_before", TIMESTAMPTZOID},
                    {"tries", INT4OID}};
};

} // namespace companion
