// companion.shard_of(): where a user's shard is told by their id.
#include "sharding/shard_of.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"

COMPANION_FUNCTION(shard_of)
{
    const companion::Arguments arguments(fcinfo);
    const int shards = arguments.integer(1, "shards", 1, companion::most_shards);
    PG_RETURN_INT32(companion::shard_of(DatumGetUUIDP(arguments.optional(0))->data, shards));
}
