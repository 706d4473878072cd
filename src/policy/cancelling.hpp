// Taking back what is scheduled.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// The user has written: cancel what is pending for them with cancel_on_reply and is not being sent;
// returns how many. Call it within with_spi().
int cancel_on_reply(Datum user_id);

} // namespace companion
