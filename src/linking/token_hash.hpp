// What is stored of a link token.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// The SHA-256 of a token's text, as bytea.
inline Datum token_hash(Datum token)
{
    // A text value is its bytes, as bytea is.
    return DirectFunctionCall1(sha256_bytea, token);
}

} // namespace companion
