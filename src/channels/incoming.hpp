// What a message that comes from an address says of the address.
#pragma once

#include "channels/address.hpp"

namespace companion {

// Note that a message has come from an address: it is usable, whatever was said of it before, and
// where it had no bot it has this one from now on. Within with_spi(), with the row of its user
// locked. False where the row is not as it was found, and where it has only just got its bot: look
// for it again.
bool note_incoming(const LinkedAddress &linked, Datum bot);

} // namespace companion
