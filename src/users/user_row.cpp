// The user's row as the lock of what belongs to the user.
#include "users/user_row.hpp"

#include "postgres/statement.hpp"

namespace companion {

static Statement lock{"SELECT FROM companion.users WHERE id = $1 FOR NO KEY UPDATE", UUIDOID};

static Statement lock_many{
    "SELECT FROM companion.users WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE", UUIDARRAYOID};

static Statement find{"SELECT FROM companion.users WHERE id = $1", UUIDOID};

void refuse_unknown_user(Datum user_id)
{
    ereport(
        ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
        errmsg("user %s does not exist", DatumGetCString(DirectFunctionCall1(uuid_out, user_id))));
    pg_unreachable();
}

bool try_lock_user(Datum user_id)
{
    return lock.execute({user_id}) > 0;
}

void lock_user(Datum user_id)
{
    if (!try_lock_user(user_id))
        refuse_unknown_user(user_id);
}

void lock_users(Datum user_ids)
{
    lock_many.execute({user_ids});
}

void require_user(Datum user_id)
{
    if (find.execute({user_id}) == 0)
        refuse_unknown_user(user_id);
}

} // namespace companion
