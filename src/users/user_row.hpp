// The user's row as the lock of what belongs to the user.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// Lock the user's row until the transaction ends; false when there is no such user. Whoever
// changes a user's link tokens, onboarding or several context items, or begins or ends a
// conversation, does this first, so that such changes come one after the other and none
// waits for another in a circle. New messages in an open conversation and the like do not
// wait for it. Call this and the others within with_spi().
bool try_lock_user(Datum user_id);

// The same, but error 23503 when there is no such user.
void lock_user(Datum user_id);

// Lock several users' rows (uuid[]), in one order whatever theirs is; those of no user are
// passed over.
void lock_users(Datum user_ids);

// Error 23503 when there is no such user.
void require_user(Datum user_id);

// Error 23503.
[[noreturn]] void refuse_unknown_user(Datum user_id);

} // namespace companion
