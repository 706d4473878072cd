// Which link tokens are unused.
#pragma once

// used_at IS NULL, in words by which no statement takes the index on unused tokens: had there
// been few when it was planned, it would read all of them to find a user's.
#define IS_UNUSED "coalesce(used_at, 'infinity') = 'infinity'"
