// What a messenger has asked to wait with: a channel, or a bot there. Each session keeps it.
#pragma once

#include "postgres/server.hpp"

#include <string_view>

namespace companion {

// Whether there is, or was lately, a throttle of anything.
bool have_throttles();

// Whether all of a channel is throttled; some bot there; this bot, or all.
bool is_channel_throttled(std::string_view channel, TimestampTz at);
bool is_some_bot_throttled(std::string_view channel, TimestampTz at);
bool is_bot_throttled(std::string_view channel, std::string_view bot, TimestampTz at);

// When the last throttle of a bot ends or ended; long ago: none.
TimestampTz last_throttle_end(std::string_view channel, std::string_view bot);

} // namespace companion
