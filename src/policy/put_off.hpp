// Messages that a claim finds cannot go yet: given back, to be claimed from another time on.
#pragma once

#include "postgres/array_builder.hpp"
#include "sending/queue.hpp"

namespace companion {

class PutOff {
  public:
    // Until a time, for a reason.
    void add(Datum user_id, Datum message_id, TimestampTz until, Datum reason)
    {
        user_ids_.add(user_id);
        message_ids_.add(message_id);
        until_.add(TimestampTzGetDatum(until));
        reasons_.add(reason);
    }

    // This transaction has claimed them; that counts for nothing. Within with_spi().
    void give_back() const
    {
        if (until_.size() == 0)
            return;
        Queue queue;
        for (int index = 0; index < until_.size(); index++)
            if (queue.find(*DatumGetUUIDP(user_ids_.at(index).value),
                           *DatumGetUUIDP(message_ids_.at(index).value)))
                queue.change(Contended::pass_changed, [&](QueueRow &row) {
                    row.unclaim();
                    row.visible_at = DatumGetTimestampTz(until_.at(index).value);
                    row.waits_for = reasons_.at(index).value;
                    return Outcome::updated;
                });
        queue.close();
    }

  private:
    ArrayBuilder user_ids_{UUIDOID}, message_ids_{UUIDOID}, until_{TIMESTAMPTZOID},
        reasons_{TEXTOID};
};

} // namespace companion
