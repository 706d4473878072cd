// What was forgotten, without its content.
#pragma once

#include "postgres/server.hpp"

#include <string_view>

namespace companion {

// By what a fact is known that a message must not teach again: a bytea.
Datum fact_hash(Datum message_id, std::string_view category, std::string_view folded_key);

// Forget the items whose value a message alone has stated, and their history; the others forget
// the message. Within with_spi(), with the user's row locked.
void forget_facts_of(Datum user_id, Datum message_id);

} // namespace companion
