// Messages that may not go on their channel now, and what becomes of them by kinds.when_closed:
// they wait, go to the next channel that may be used, or are skipped.
#pragma once

#include "policy/kind.hpp"
#include "postgres/array_builder.hpp"
#include "sending/queue.hpp"

namespace companion {

class Closed {
  public:
    // A message that is not being sent, as it was seen.
    void add(Datum user_id, Datum message_id, Datum attempt, Datum kind, Datum channel,
             Datum reason);

    int size() const { return user_ids_.size(); }

    // Move and skip those that are as they were seen. What another transaction holds, the user or
    // the message, stays as it is; so does what waits, or has nowhere else to go. Within
    // with_spi().
    void settle(TimestampTz at) const;

  private:
    void settle_range(int first, int last, const bool *are_left, TimestampTz at) const;

    ArrayBuilder user_ids_{UUIDOID}, message_ids_{UUIDOID}, attempts_{INT4OID}, kinds_{TEXTOID},
        channels_{TEXTOID}, reasons_{TEXTOID};
};

// Whether a user can be written to on another channel than this now, by a message of a kind.
bool has_next_open(const pg_uuid_t &user_id, std::string_view channel, std::string_view kind,
                   TimestampTz at);

// Before a claim: settle some of what is due and paused, where a kind says that it does not wait.
// Each claim of a session goes on where the last one has come to.
void settle_paused(TimestampTz at);

} // namespace companion
