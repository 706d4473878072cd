// Acting for a user: who may, and with whose rights it is done.
#include "identity/acting.hpp"

#include "identity/current_user.hpp"

namespace companion {

// Whether the caller has the rights of a role; superusers have them all.
static bool has_role(const char *role)
{
    return has_privs_of_role(GetUserId(), get_role_oid(role, false));
}

bool acts_for_every_user()
{
    return has_role("companion_worker") || has_role("companion_admin");
}

void require_right_to_act_for(Datum user_id)
{
    const pg_uuid_t *identity = current_user_id();
    if (identity != nullptr && memcmp(identity, DatumGetUUIDP(user_id), sizeof *identity) == 0)
        return;
    if (acts_for_every_user())
        return;
    ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
            errmsg("not allowed to act for user %s",
                   DatumGetCString(DirectFunctionCall1(uuid_out, user_id))),
            errhint("An end user acts for companion.current_user_id() only."));
}

static Oid owner_of_function(Oid function)
{
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        // Unreached: only if the function were dropped while it runs
        elog(ERROR, "cache lookup failed for function %u", function);
    const Oid owner = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->proowner;
    ReleaseSysCache(tuple);
    return owner;
}

OwnerRights::OwnerRights(FunctionCallInfo fcinfo)
{
    GetUserIdAndSecContext(&caller_, &context_);
    SetUserIdAndSecContext(owner_of_function(fcinfo->flinfo->fn_oid),
                           context_ | SECURITY_LOCAL_USERID_CHANGE);
}

} // namespace companion
