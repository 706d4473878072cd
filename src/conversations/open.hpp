// The conversation that a message goes into.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// Call these within with_spi(). A conversation that is over is ended, and where none is
// open one is begun. Race-free. Error 09000 where a trigger suppresses one or changes what it is
// found by.

// For messages that the companion starts, to pairs of user and channel (arrays of uuid
// and text, same length): one array of conversation ids, aligned with them, null where
// the user is gone. A conversation is over unless the companion began it, within
// companion.min_gap. The users' rows are locked by the caller.
Datum open_companion_conversations(Datum user_ids, Datum channels);

// For a message that continues what goes on: a conversation is over when its last message
// is as old as idle (microseconds). Error 23503 for an unknown user.
pg_uuid_t open_conversation(Datum user_id, Datum channel, Datum initiated_by, int64 idle);

// How long a conversation may be idle, in microseconds: zero to 100 years. Error 22023.
int64 idle_length(Datum idle);

} // namespace companion
