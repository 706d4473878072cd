// The kinds of messages, as companion.kinds has them.
#pragma once

#include "postgres/server.hpp"

#include <climits>
#include <string_view>

namespace companion {

// What becomes of a message that may not go now.
enum class Otherwise : char { defer, skip, ignore, fall_back };

struct Kind {
    NameData name;
    int head_start;    // seconds
    int64 send_within; // microseconds; PG_INT64_MAX: for ever
    int max_tries;     // INT_MAX: any number
    bool retry_unknown, falls_back, respects_pause, cancel_on_reply;
    NameData cap_group; // empty: none
    Otherwise quiet, over_cap, when_closed;
    bool is_template;

    std::string_view name_view() const { return NameStr(name); }

    // Until when what is due at a time may be sent.
    TimestampTz send_before(TimestampTz due) const
    {
        const bool is_for_ever = send_within == PG_INT64_MAX || due >= END_TIMESTAMP - send_within;
        return is_for_ever ? DT_NOEND : due + send_within;
    }
};

// Whether some kind's messages are counted by caps.
bool have_cap_groups();

// Whether some kind has a head start.
bool have_head_starts();

// Whether messages of some kind do not wait while their channel is closed.
bool do_some_leave_closed();

// The policy of a kind: its own, or that of custom.
Kind kind_of(std::string_view name);

// Whether its messages are not sent while check-ins are paused.
bool respects_pause(std::string_view name);

// How late a check-in may be found, or sent: an interval of the server's.
Interval *checkin_within();

} // namespace companion
