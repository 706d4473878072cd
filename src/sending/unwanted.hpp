// Messages that a worker would have, and that are not to go: their user is suspended or paused, or
// it is quiet.
#pragma once

#include "postgres/array_builder.hpp"

namespace companion {

class Unwanted {
  public:
    // A message whose row on the queue this transaction has changed, and why it does not go.
    void add(Datum user_id, Datum message_id, Datum reason);

    int size() const { return user_ids_.size(); }

    // Take them off the queue as skipped. Where another transaction holds the user, it stays as it
    // is. Call within with_spi().
    void skip() const;

  private:
    ArrayBuilder user_ids_{UUIDOID}, message_ids_{UUIDOID}, reasons_{TEXTOID};
};

} // namespace companion
