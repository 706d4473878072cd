// What becomes of facts that are taken together.
#pragma once

#include "facts/facts.hpp"

namespace companion {

// Upsert the facts that nothing has become of yet, or none of them: each has its item and outcome
// then. Within with_spi(), with the user's row locked. Errors as of upsert_user_context_many().
void upsert_facts(Datum user_id, const Facts &facts);

} // namespace companion
