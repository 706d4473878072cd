// What is paused: of a channel, of a kind, or all sending. Each session keeps it.
#pragma once

#include "postgres/server.hpp"

#include <string_view>

namespace companion {

// See what others have committed by now, of pauses and throttles.
inline void see_pauses()
{
    AcceptInvalidationMessages();
}

// Whether something is paused at a time; some kind, somewhere; all of a channel; a kind there.
bool is_something_paused(TimestampTz at);
bool is_some_kind_paused(TimestampTz at);
bool is_channel_paused(std::string_view channel, TimestampTz at);
bool is_paused(std::string_view channel, std::string_view kind, TimestampTz at);

// When no pause of messages of a kind is left there that begins before the one ends before;
// DT_NOEND: not before somebody resumes it.
TimestampTz pause_end(std::string_view channel, std::string_view kind, TimestampTz at);

// Why messages of a kind are paused there, which they are.
Datum pause_reason(std::string_view channel, std::string_view kind, TimestampTz at);

// When the last pause that all of the channel had been under ended, by a time; long ago: none.
TimestampTz last_pause_end(std::string_view channel, TimestampTz at);

} // namespace companion
