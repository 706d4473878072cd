// The user whose Telegram account or number it is.
#pragma once

#include "channels/address.hpp"
#include "users/fields.hpp"

namespace companion {

// The accounts that fields name, as addresses, Telegram's first.
class NamedAccounts {
  public:
    explicit NamedAccounts(const Fields &fields);

    bool is_empty() const { return count_ == 0; }

    // Find who has the first of them that somebody has, for whichever bot. Within with_spi(), as
    // all of these.
    bool find(LinkedAddress *linked) const;

    // The same, and lock their row until the transaction ends; false, too, where the account has
    // changed hands meanwhile.
    bool lock_user(LinkedAddress *linked) const;

    // An id for a user who is to be made by them: on a shard, that for which the first is reserved.
    // Error 55000 where it is not.
    pg_uuid_t new_user_id() const;

    // Link the first to a user, whose row is locked; false where another has it.
    bool link_first(const pg_uuid_t &user_id) const;

  private:
    Address first() const;

    Address addresses_[2];
    int count_ = 0;
};

// The column of users that names accounts on a channel.
const char *account_column(const Address &address);

} // namespace companion
