// What this database is among the shards that the users are spread over.
#pragma once

#include "postgres/server.hpp"

namespace companion {

struct Shard {
    static constexpr int directory = -1;

    int number; // or that it is the directory
    int shards;

    bool is_directory() const { return number == directory; }
    bool has(const pg_uuid_t &user_id) const;
};

// Null where nothing is set: the database stands for itself. Valid until the server is called.
const Shard *this_shard();

// Whether it is a shard, where what is unique across all of them needs the directory's word.
bool is_one_of_shards();

// Whether a user of this id belongs into another database.
bool is_elsewhere(const pg_uuid_t &user_id);

// An id for a new user, one that belongs here. Error 55000 on the directory.
pg_uuid_t *new_user_id();

// What a message calls it: "shard 3 of 8", "the directory of 8 shards".
const char *name_of(const Shard &shard);

} // namespace companion
