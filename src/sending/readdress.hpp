// A user is reached elsewhere: what is pending follows.
#pragma once

#include "postgres/array_builder.hpp"

namespace companion {

// Have what is pending of these users, and not being sent, go to the next usable channel where its
// own does not reach them, or skip it. Whoever holds a user keeps theirs as it is. Within
// with_spi().
void readdress_free(const ArrayBuilder &user_ids);

} // namespace companion
