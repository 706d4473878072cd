// Where a worker was told to send the message that it holds.
#pragma once

#include "channels/usable.hpp"
#include "postgres/array_builder.hpp"
#include "sending/queue.hpp"

namespace companion {

// What claim_messages said of a message on the queue, or given up as unknown: what its row says,
// where the user is reached elsewhere since; else what is usable now. Within with_spi(), with the
// user's row locked.
Destination told(const QueueRow &row);

// Addresses that messengers have said to be gone, of messages that are claimed or unknown.
class GoneAddresses {
  public:
    void add(const QueueRow &row, Datum reason);

    // Disable them. Within with_spi(), with the users' rows locked. Error 09000.
    void disable() const;

  private:
    ArrayBuilder user_ids_{UUIDOID}, channels_{TEXTOID}, bots_{TEXTOID}, addresses_{TEXTOID},
        reasons_{TEXTOID};
};

} // namespace companion
