// The values that a fact had before.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// An array of values that upsert_user_context would have taken, each with the time in which it
// held. Errors 22004, 22008, 22023, whose messages begin with the name.
void check_history(const char *name, const JsonbValue &value);

} // namespace companion
