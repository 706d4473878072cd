// A person's rights over their data.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// Delete all that is stored of a user; returns how many rows of which table, as jsonb in
// the memory outside SPI. Call within with_spi().
Datum erase_user(Datum user_id);

} // namespace companion
