// Whom the caller of a function may act for, and acting with the owner's rights once
// that is settled. Unlike SECURITY DEFINER, this leaves the caller known.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// Whether the caller is a worker or an admin.
bool acts_for_every_user();

// Whether the caller may act for a user: a worker or an admin for any, an end user for
// themselves.
bool may_act_for(Datum user_id);

// Refuse a caller who may not act for a user, whether or not there is such a user.
// Error 42501.
void require_access(Datum user_id);

// The owner of the SQL function that is being called.
Oid function_owner(FunctionCallInfo fcinfo);

// Run a body with the rights of the function's owner. The server takes them back by
// itself when an error ends the transaction or its part.
template <class Body>
auto as_owner(FunctionCallInfo fcinfo, Body body) -> decltype(body())
{
    Oid caller;
    int context;
    GetUserIdAndSecContext(&caller, &context);
    SetUserIdAndSecContext(function_owner(fcinfo), context | SECURITY_LOCAL_USERID_CHANGE);
    auto result = body();
    SetUserIdAndSecContext(caller, context);
    return result;
}

} // namespace companion
