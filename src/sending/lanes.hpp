// The lanes of the queue: what is pending on one channel with one head start, in order of time. A
// channel that stands still is in nobody's way.
#pragma once

#include "postgres/server.hpp"

#include <string_view>

namespace companion {

struct Lane {
    Datum channel; // text
    int head_start;
};

// The lanes of which this session knows, in order. Some may have no message any more.
class Lanes {
  public:
    int size() const;
    const Lane &at(int index) const;

    // Find those that have appeared since. The table and the index stay open.
    void find_new(Relation queue, Relation by_time);
};

// Those that this session has found, or none where it was not within a second by the real clock.
Lanes known_lanes();

// Have the next walk of this session look for all of them: it has enqueued a message.
void forget_lanes();

} // namespace companion
