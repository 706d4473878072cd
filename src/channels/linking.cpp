// Linking addresses, taking them away, and saying that they are gone.
#include "channels/address.hpp"
#include "identity/acting.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/triggered.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

// Clear the columns that name an address ($2, $3) which the user has for no bot any more.
Statement clear_columns{R"sql(
    WITH named AS (
        SELECT u.telegram_user_id::text = $3 AND $2 = 'telegram' AS is_telegram,
               companion.address_key($2, u.whatsapp_number) = companion.address_key($2, $3)
                   AND $2 = 'whatsapp' AS is_whatsapp
        FROM companion.users AS u WHERE u.id = $1)
    UPDATE companion.users AS u
    SET telegram_user_id = CASE WHEN n.is_telegram THEN NULL ELSE u.telegram_user_id END,
        telegram_username = CASE WHEN n.is_telegram THEN NULL ELSE u.telegram_username END,
        telegram_linked_at = CASE WHEN n.is_telegram THEN NULL ELSE u.telegram_linked_at END,
        whatsapp_number = CASE WHEN n.is_whatsapp THEN NULL ELSE u.whatsapp_number END
    FROM named AS n
    WHERE u.id = $1 AND (n.is_telegram OR n.is_whatsapp) AND NOT EXISTS (
        SELECT FROM companion.addresses AS a
        WHERE a.user_id = $1 AND a.channel = $2 AND a.unlinked_at IS NULL
            AND companion.address_key(a.channel, a.address) = companion.address_key($2, $3))
)sql",
                        UUIDOID, TEXTOID, TEXTOID};

bool unlink_and_clear(Datum user_id, const Address &address)
{
    lock_user(user_id);
    const bool is_unlinked = unlink(user_id, address);
    clear_columns.execute({user_id, address.channel, address.address});
    return is_unlinked;
}

} // namespace

COMPANION_FUNCTION(link_address)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    arguments.required(3, "bot");
    const Address address = given_address(arguments, 1);
    const bool is_linked = with_spi([&] {
        lock_user(user_id);
        return link(user_id, address);
    });
    PG_RETURN_DATUM(to_text(is_linked ? "linked" : "taken"));
}

COMPANION_FUNCTION(unlink_address)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const Address address = given_address(arguments, 1);
    PG_RETURN_BOOL(act_for(user_id, [&] { return unlink_and_clear(user_id, address); }));
}

COMPANION_FUNCTION(disable_address)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const Address address = given_address(arguments, 1);
    const NullableDatum reason = arguments.nullable(4);
    check_size("reason", reason);
    PG_RETURN_BOOL(with_spi([&] {
        lock_user(user_id);
        return disable(user_id, address, reason);
    }));
}
