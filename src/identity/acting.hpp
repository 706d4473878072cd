// Acting for a user: who may, and with whose rights it is done.
//
// A function that writes what its caller must not write directly is no SECURITY
// DEFINER: it first asks whether the caller may act for the user, which needs the
// caller's own rights, and only then takes those of its owner.
#pragma once

#include "postgres/statement.hpp"

namespace companion {

// Whether the caller is a worker or an admin.
bool acts_for_every_user();

// Refuse a caller who is neither this user nor one who acts for every user, a worker
// or an admin. Error 42501.
void require_right_to_act_for(Datum user_id);

// Take the rights of the function's owner until restored, or until the transaction or
// subtransaction fails.
class OwnerRights {
  public:
    explicit OwnerRights(FunctionCallInfo fcinfo);
    void restore() const { SetUserIdAndSecContext(caller_, context_); }

  private:
    Oid caller_;
    int context_;
};

// Run a body for a user with SPI connected and the rights of the function's owner, if
// the caller may act for that user.
template <class Body>
auto act_for(FunctionCallInfo fcinfo, Datum user_id, Body body) -> decltype(body())
{
    require_right_to_act_for(user_id);
    const OwnerRights rights(fcinfo);
    const auto result = with_spi(body);
    rights.restore();
    return result;
}

} // namespace companion
