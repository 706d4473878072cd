// Who is due within an interval, in the order of the instants at which they are.
#pragma once

#include "postgres/server.hpp"
#include "scheduling/time_zone.hpp"

namespace companion {

// How far dispatch has come. Many can be due at one instant; they come in the order of how far
// their reading lies beyond the first that is due then (zero, but where a clock jumps forward), and
// of their ids.
struct Progress {
    TimestampTz previous; // all that is due until then has been enqueued
    bool is_within;       // and of the microsecond after it, up to
    std::int64_t reading; // this, in microseconds,
    pg_uuid_t user;       // and this

    // Until when somebody may have been enqueued.
    TimestampTz reached() const { return previous + (is_within ? 1 : 0); }
};

// Somebody who may be due, and what they are taken in the order of.
struct Candidate {
    std::int64_t instant, reading;
    pg_uuid_t user;
};

// One zone's stretch of wall time on one date, and those of its users who were read and not taken.
struct Window {
    bool is_used_up() const { return next == count; }
    const Candidate &first() const { return candidates[next]; }

    Datum timezone;
    ServerZone zone;
    std::int64_t date;
    TimeADT after_time;   // who is still to be read comes after this,
    pg_uuid_t after_user; // and this,
    TimeADT last_time;    // up to and with this
    Candidate *candidates;
    int next, count;
    int limit, were_read; // how many were asked for, and read
};

// Walks the zones in use, reads of each a few users at a time, and merges them. To be used within
// one with_spi().
class DueUsers {
  public:
    // Who is due after where dispatch has come, and until then. About so many will be taken.
    DueUsers(const Progress &progress, TimestampTz until, int expected);

    bool is_empty() const { return heap_size_ == 0; }

    // The date for which somebody is next, and who; then on to who comes after.
    std::int64_t date() const { return heap_[0]->date; }
    const Candidate &first() const { return heap_[0]->first(); }
    void pop();

  private:
    void add_zones(const Progress &progress, TimestampTz until);
    void add_zone(Datum name, ServerZone zone, const Progress &progress, TimestampTz until);
    void add(const Window &window);

    Window *windows_ = nullptr;
    int count_ = 0, capacity_ = 0;
    Window **heap_ = nullptr;
    int heap_size_ = 0;
};

} // namespace companion
