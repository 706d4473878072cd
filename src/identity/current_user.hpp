// Who the current session acts for.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// The session's identity, or null when it has none. Error 22P02 when it is malformed.
const pg_uuid_t *current_user_id();

} // namespace companion
