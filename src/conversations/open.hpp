// The conversation that a message goes into.
#pragma once

#include "postgres/statement.hpp"

namespace companion {

struct Missing;

// The open conversations of pairs of user and channel. One that is over is ended, and where none
// is open one is begun. Race-free. Use within with_spi(). Error 09000 where a trigger suppresses
// one or changes what it is found by.
class WantedConversations {
  public:
    WantedConversations();

    void add(Datum user_id, Datum channel);

    // For messages that the companion starts: a conversation is over unless the companion began
    // it, within companion.min_gap. The users are there, and their rows locked by the caller.
    void open_for_companion();

    // The id of one of them, in the order in which they were added.
    NullableDatum id(int index) const;

  private:
    friend pg_uuid_t open_conversation(Datum, Datum, Datum, int64, bool);

    template <class LockUsers>
    void find_or_begin(Statement &find, Datum initiated_by, int64 age, LockUsers lock_users,
                       bool is_none_open = false);
    void take_found(uint64 rows, Missing &missing);
    void name_missing(Missing &missing);

    Given wanted_;
};

// The one for a message that continues what goes on, in which case a conversation is over when its
// last message is as old as idle (microseconds). Error 23503 for an unknown user, whose row is
// locked already or is locked by this.
pg_uuid_t open_conversation(Datum user_id, Datum channel, Datum initiated_by, int64 idle,
                            bool is_locked = false);

// How long a conversation may be idle, in microseconds: zero to 100 years. Error 22023.
int64 idle_length(Datum idle);

} // namespace companion
