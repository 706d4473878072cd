// The user whose Telegram account or number it is.
#include "users/account.hpp"

#include "postgres/arguments.hpp"
#include "postgres/uuid.hpp"
#include "sharding/reservations.hpp"
#include "sharding/shard.hpp"
#include "users/user_row.hpp"

namespace companion {

static bool is_named(const Field *field)
{
    return field != nullptr && !field->value.isnull;
}

NamedAccounts::NamedAccounts(const Fields &fields)
{
    if (const Field *account = fields.find("telegram_user_id"); is_named(account))
        addresses_[count_++] = {to_text("telegram"), 0, as_text(int8out, account->value.value)};
    if (const Field *number = fields.find("whatsapp_number"); is_named(number))
        addresses_[count_++] = {to_text("whatsapp"), 0, number->value.value};
}

bool NamedAccounts::find(LinkedAddress *linked) const
{
    for (int index = 0; index < count_; index++)
        if (find_linked(addresses_[index], linked))
            return true;
    return false;
}

bool NamedAccounts::lock_user(LinkedAddress *linked) const
{
    LinkedAddress found;
    return find(&found) && try_lock_user(UUIDPGetDatum(&found.user_id)) && find(linked) &&
           is_same_uuid(linked->user_id, found.user_id);
}

// The first, for no bot.
Address NamedAccounts::first() const
{
    return {addresses_[0].channel, to_text(""), addresses_[0].address};
}

pg_uuid_t NamedAccounts::new_user_id() const
{
    return needs_directory() ? reserved_user(first()) : *companion::new_user_id();
}

bool NamedAccounts::link_first(const pg_uuid_t &user_id) const
{
    return link(UUIDPGetDatum(&user_id), first());
}

const char *account_column(const Address &address)
{
    return text_view(address.channel) == "telegram" ? "telegram_user_id" : "whatsapp_number";
}

} // namespace companion
