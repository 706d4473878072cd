// The user's row as the lock of what belongs to the user.
#include "users/user_row.hpp"

#include "postgres/array_builder.hpp"

namespace companion {

// The users' rows by id.
static Lookup users_by_id()
{
    return Lookup("users", "users_pkey");
}

void refuse_unknown_user(Datum user_id)
{
    ereport(
        ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
        errmsg("user %s does not exist", DatumGetCString(DirectFunctionCall1(uuid_out, user_id))));
    pg_unreachable();
}

bool try_lock_user(Datum user_id)
{
    Lookup users = users_by_id();
    const bool is_locked =
        users.find(user_id) && users.lock(LockTupleNoKeyExclusive, LockWaitBlock) == Locking::held;
    users.close();
    return is_locked;
}

void lock_user(Datum user_id)
{
    if (!try_lock_user(user_id))
        refuse_unknown_user(user_id);
}

void lock_free_users(Datum user_ids, Locking *lockings)
{
    const pg_uuid_t *ids = uuids_of(user_ids);
    const int count = ARR_DIMS(DatumGetArrayTypeP(user_ids))[0];
    Lookup users = users_by_id();
    for (int index = 0; index < count; index++)
        lockings[index] = users.find(UUIDPGetDatum(&ids[index]))
                              ? users.lock(LockTupleNoKeyExclusive, LockWaitSkip)
                              : Locking::gone;
    users.close();
}

void require_user(Datum user_id)
{
    Lookup users = users_by_id();
    const bool is_there = users.find(user_id);
    users.close();
    if (!is_there)
        refuse_unknown_user(user_id);
}

} // namespace companion
