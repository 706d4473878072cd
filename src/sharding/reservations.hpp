// On a shard of several, what is linked needs the directory's reservation, and what is unlinked is
// the directory's to free.
#pragma once

#include "channels/address.hpp"

namespace companion {

// Whether addresses need the directory's word. All that follows is for where they do, and within
// with_spi().
bool needs_directory();

// Use up a reservation of an address for a user; false where there is none.
bool use_reservation(Datum user_id, const Address &address);

// The same, but error 55000 where there is none.
void require_reservation(Datum user_id, const Address &address);

// Whether there is one.
bool is_reserved(Datum user_id, const Address &address);

// For whom an address is reserved. Error 55000 where it is not.
pg_uuid_t reserved_user(const Address &address);

// Note that a column of a user names an address that is not reserved, or that it does no more.
void want_address(Datum user_id, const Address &address);
void want_no_more(Datum user_id, const Address &address);

// Of a row of addresses that a trigger was fired for: note that its address is free, if it is.
void note_freed(const TriggerData *trigger);

} // namespace companion
