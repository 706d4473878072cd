// Acting for a user: who may.
//
// What a caller may not do directly is done as companion_runtime (with_spi), after the
// caller's own rights have been asked. These follow the function, not a role that the login
// happens to have as well.
#pragma once

#include "postgres/statement.hpp"

namespace companion {

// Who may act for every user, besides the user: workers and admins, or admins alone.
enum class Others { workers_and_admins, admins };

// Whether the caller is a worker or an admin, or an admin.
bool acts_for_every_user(Others others = Others::workers_and_admins);

// Whether the caller is this user, or one who acts for every user.
bool may_act_for(Datum user_id, Others others = Others::workers_and_admins);

// Refuse a caller who may not. Error 42501.
void require_right_to_act_for(Datum user_id, Others others = Others::workers_and_admins);

// Run a body for a user within with_spi(), if the caller may act for that user. Error 42501.
template <class Body>
auto act_for(Datum user_id, Body body, Others others = Others::workers_and_admins)
    -> decltype(body())
{
    require_right_to_act_for(user_id, others);
    return with_spi(body);
}

} // namespace companion
