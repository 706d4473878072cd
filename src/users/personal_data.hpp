// A person's rights over their data.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// Delete all that is stored of a user; returns how many rows of which table, as jsonb in
// the memory outside SPI. Call within with_spi().
Datum erase_user(Datum user_id);

// Let a user who was erased be one again. Within with_spi().
void forget_erasure(Datum user_id);

// Make all that is stored of a user another id's, or, of one who was erased, that they were.
// Error 23505 where the other id is a user's, 09000 where a trigger keeps a row. Within with_spi().
void move_user(Datum from, Datum to);

} // namespace companion
