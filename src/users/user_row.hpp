// The user's row as the lock of what belongs to the user.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// Lock the user's row until the transaction ends: whoever changes a user's link tokens
// or onboarding does this first, so that such changes come one after the other. New
// messages and the like do not wait for it. Error 23503 when there is no such user.
// Call within with_spi().
void lock_user(Datum user_id);

// Error 23503.
[[noreturn]] void refuse_unknown_user(Datum user_id);

} // namespace companion
