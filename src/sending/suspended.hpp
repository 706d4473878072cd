// Messages that a claim finds whose user is suspended.
#pragma once

#include "postgres/array_builder.hpp"

namespace companion {

class Suspended {
  public:
    // A message that this transaction has leased, and until when its user is suspended.
    void add(Datum user_id, Datum message_id, TimestampTz until);

    // Take them off the queue as skipped. What another transaction holds, the user or the message,
    // stays leased. Call within with_spi().
    void skip() const;

  private:
    ArrayBuilder user_ids_{UUIDOID}, message_ids_{UUIDOID}, reasons_{TEXTOID};
};

} // namespace companion
