// Acting for a user: who may.
#include "identity/acting.hpp"

#include "identity/current_user.hpp"
#include "postgres/uuid.hpp"

namespace companion {

// Whether the caller has the rights of a role; superusers have them all. Before 16 a role that
// does not inherit can still take them, and is given what the role is given.
static bool has_role(const char *role)
{
#if PG_VERSION_NUM >= 160000
    return has_privs_of_role(GetUserId(), get_role_oid(role, false));
#else
    return is_member_of_role(GetUserId(), get_role_oid(role, false));
#endif
}

bool acts_for_every_user(Others others)
{
    return has_role("companion_admin") ||
           (others == Others::workers_and_admins && has_role("companion_worker"));
}

bool may_act_for(Datum user_id, Others others)
{
    const pg_uuid_t *identity = current_user_id();
    const bool is_own = identity != nullptr && is_same_uuid(*identity, *DatumGetUUIDP(user_id));
    return is_own || acts_for_every_user(others);
}

void require_right_to_act_for(Datum user_id, Others others)
{
    if (!may_act_for(user_id, others))
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("not allowed to act for user %s",
                       DatumGetCString(DirectFunctionCall1(uuid_out, user_id))),
                errhint("An end user acts for companion.current_user_id() only."));
}

} // namespace companion
