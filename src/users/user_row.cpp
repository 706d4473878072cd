// The user's row as the lock of what belongs to the user.
#include "users/user_row.hpp"

#include "postgres/flags.hpp"

namespace companion {

static Statement lock{"SELECT FROM companion.users WHERE id = $1 FOR NO KEY UPDATE", UUIDOID};

static Statement lock_free{R"sql(
SELECT FROM companion.users WHERE id = ANY ($1) FOR NO KEY UPDATE SKIP LOCKED)sql",
                           UUIDARRAYOID};

// Which of the users, by position, are there and cannot be locked.
static Statement find_busy{R"sql(
WITH locked AS MATERIALIZED (
    SELECT id FROM companion.users WHERE id = ANY ($1) FOR NO KEY UPDATE SKIP LOCKED)
SELECT w.position FROM unnest($1) WITH ORDINALITY AS w (user_id, position)
CROSS JOIN LATERAL (SELECT FROM companion.users WHERE id = w.user_id LIMIT 1) AS u
WHERE w.user_id NOT IN (SELECT id FROM locked))sql",
                           UUIDARRAYOID};

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

// Mostly each is another user, and free.
void lock_free_users(Datum user_ids, int count, bool *are_busy)
{
    if (lock_free.execute({user_ids}) < static_cast<uint64>(count))
        set_flags(are_busy, find_busy.execute({user_ids}));
}

void require_user(Datum user_id)
{
    if (find.execute({user_id}) == 0)
        refuse_unknown_user(user_id);
}

} // namespace companion
