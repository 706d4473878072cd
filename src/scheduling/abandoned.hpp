// Messages that no worker will finish.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// Take messages (arrays of their users and ids) off the queue and record what became
// of them: unknown if sending had started, skipped if it is too late, else failed.
// Returns how many. Call within with_spi().
uint64 give_up(Datum user_ids, Datum message_ids, TimestampTz at);

} // namespace companion
