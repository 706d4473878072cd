// The user's row as the lock of what belongs to the user.
#pragma once

#include "postgres/lookup.hpp"

namespace companion {

// Lock the user's row until the transaction ends; false when there is no such user. Whoever
// changes a user's link tokens, onboarding, scheduled messages or several context items, or
// begins or ends a conversation, does this first, so that such changes come one after the
// other and none waits for another in a circle; then comes a row of the queue, then the rest.
// New messages in an open conversation and the like do not wait for it, and the start of a
// message and its lease are on the queue alone. Call this and the others within with_spi().
bool try_lock_user(Datum user_id);

// The same, but error 23503 when there is no such user.
void lock_user(Datum user_id);

// Lock users' rows (uuid[], not empty) without waiting, and say what became of each.
void lock_free_users(Datum user_ids, Locking *lockings);

// Error 23503 when there is no such user.
void require_user(Datum user_id);

// Error 23503.
[[noreturn]] void refuse_unknown_user(Datum user_id);

} // namespace companion
