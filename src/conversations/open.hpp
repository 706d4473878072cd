// The conversation that a message goes into.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// The open companion-initiated conversations for pairs of user and channel (arrays of
// uuid and text, same length): one array of conversation ids, aligned with them. A
// conversation that the user began, or one begun longer than companion.min_gap ago, is
// ended and a new one opened. Race-free. The id for a deleted user names nothing. Call
// within with_spi().
Datum open_companion_conversations(Datum user_ids, Datum channels);

} // namespace companion
