// Whom the caller of a function may act for.
#include "identity/access.hpp"

#include "identity/current_user.hpp"

namespace companion {

static bool has_role(const char *name)
{
    return has_privs_of_role(GetUserId(), get_role_oid(name, true));
}

bool acts_for_every_user()
{
    return has_role("companion_worker") || has_role("companion_admin");
}

bool may_act_for(Datum user_id)
{
    if (acts_for_every_user())
        return true;
    const pg_uuid_t *own = current_user_id();
    return own != nullptr && memcmp(own, DatumGetUUIDP(user_id), UUID_LEN) == 0;
}

void require_access(Datum user_id)
{
    if (!may_act_for(user_id))
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("permission denied to act for user %s",
                       DatumGetCString(DirectFunctionCall1(uuid_out, user_id))),
                errhint("An end user acts for themselves only: the session's identity."));
}

Oid function_owner(FunctionCallInfo fcinfo)
{
    HeapTuple function = SearchSysCache1(PROCOID, ObjectIdGetDatum(fcinfo->flinfo->fn_oid));
    if (!HeapTupleIsValid(function))
        elog(ERROR, "cache lookup failed for function %u", fcinfo->flinfo->fn_oid);
    const Oid owner = reinterpret_cast<Form_pg_proc>(GETSTRUCT(function))->proowner;
    ReleaseSysCache(function);
    return owner;
}

} // namespace companion
