// The conversation that a message goes into.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// The open conversations for pairs of user and channel (arrays of uuid and text, same
// length): one array of conversation ids, aligned with them, null where the channel is
// null. A conversation that is over is ended, and where none is open one is begun.
// Race-free. Call within with_spi().

// For a message that continues what goes on: a conversation is over when its last
// message is as old as idle (microseconds).
Datum open_conversations(Datum user_ids, Datum channels, Datum initiated_by, int64 idle);

// The same for one user and channel.
pg_uuid_t open_conversation(Datum user_id, Datum channel, Datum initiated_by, int64 idle);

// How long a conversation may be idle, in microseconds: zero to 100 years. Error 22023.
int64 idle_length(Datum idle);

// For a message that the companion starts: a conversation is over unless the companion
// began it, less than companion.min_gap ago.
Datum open_companion_conversations(Datum user_ids, Datum channels);

} // namespace companion
