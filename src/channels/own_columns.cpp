// The trigger that links and unlinks the addresses which a user's own columns name.
#include "channels/address.hpp"
#include "channels/written.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "postgres/written_row.hpp"
#include "sharding/reservations.hpp"

using namespace companion;

namespace {

Statement note_taken{R"sql(
    INSERT INTO companion.addresses (user_id, channel, address, unlinked_at)
    VALUES ($1, $2, $3, companion.now()) ON CONFLICT DO NOTHING
)sql",
                     UUIDOID, TEXTOID, TEXTOID};

// Of a restore: what it brings takes its place.
Statement link_provisionally{R"sql(
    INSERT INTO companion.addresses (user_id, channel, address, linked_at)
    VALUES ($1, $2, $3, NULL) ON CONFLICT DO NOTHING
)sql",
                             UUIDOID, TEXTOID, TEXTOID};

Statement set_form{R"sql(
    UPDATE companion.addresses SET address = $3
    WHERE user_id = $1 AND channel = $2 AND address <> $3 AND unlinked_at IS NULL
        AND companion.address_key(channel, address) = companion.address_key($2, $3)
)sql",
                   UUIDOID, TEXTOID, TEXTOID};

Statement has_linked{R"sql(
    SELECT FROM companion.addresses AS a
    WHERE a.user_id = $1 AND a.channel = $2 AND a.unlinked_at IS NULL AND a.disabled_at IS NULL
        AND companion.address_key(a.channel, a.address) = companion.address_key($2, $3)
)sql",
                     UUIDOID, TEXTOID, TEXTOID};

// The address that a column's value is; null where it is none.
NullableDatum address_in(NullableDatum value, std::string_view channel)
{
    if (value.isnull)
        return value;
    if (channel == "telegram")
        return {as_text(int8out, value.value), false};
    if (channel == "whatsapp")
        return value;
    const std::string_view email = text_view(value.value);
    if (email.find('@') == email.npos || has_control_character(email))
        return {0, true};
    return {lower_case(email), false};
}

// A column of users that names the user's own account on a channel.
struct OwnColumn {
    const char *name;
    Oid type;
    const char *channel;
};
constexpr OwnColumn own_columns[] = {{"telegram_user_id", INT8OID, "telegram"},
                                     {"whatsapp_number", TEXTOID, "whatsapp"},
                                     {"email", TEXTOID, "email"}};

// A row says that the column's address is not theirs, to a restore as well, which begins with the
// columns.
void leave_taken(Datum user_id, const OwnColumn &column, Datum address)
{
    note_taken.execute({user_id, CStringGetTextDatum(column.channel), address});
    ereport(WARNING,
            errmsg("%s of user %s is another user's address", column.name,
                   DatumGetCString(DirectFunctionCall1(uuid_out, user_id))),
            errdetail("It stays an address of the other one's on channel %s.", column.channel));
}

// On a shard an address that nobody has reserved waits for that. Whose it is here is known here.
bool is_to_wait(Datum user_id, const Address &address)
{
    LinkedAddress present;
    return needs_directory() && !is_reserved(user_id, address) && !find_linked(address, &present);
}

void link_named(Datum user_id, const OwnColumn &column, const Address &address)
{
    if (is_to_wait(user_id, address))
        want_address(user_id, address);
    else if (!link(user_id, address))
        leave_taken(user_id, column, address.address);
}

void unlink_named(Datum user_id, const Address &address)
{
    unlink(user_id, address);
    if (needs_directory())
        want_no_more(user_id, address);
}

// A number may be written in its other form.
bool is_same_address(Datum channel, const NullableDatum &before, const NullableDatum &now)
{
    return !before.isnull && !now.isnull &&
           text_view(address_key(channel, before.value)) ==
               text_view(address_key(channel, now.value));
}

void keep_address(const WrittenRow &row, const OwnColumn &column, bool is_copied)
{
    if (!row.is_changed(column.name, column.type))
        return;
    const Datum user_id = row.nullable("id", UUIDOID).value, channel = to_text(column.channel);
    const NullableDatum before = address_in(row.before(column.name, column.type), column.channel),
                        now = address_in(row.nullable(column.name, column.type), column.channel);
    if (find_channel(column.channel) == nullptr)
        return;
    if (is_same_address(channel, before, now)) {
        set_form.execute({user_id, channel, now.value});
        return;
    }
    // In this order, so that what is pending goes to the new one
    if (!now.isnull && is_copied)
        link_provisionally.execute({user_id, channel, now.value});
    else if (!now.isnull && has_linked.execute({user_id, channel, now.value}) == 0)
        link_named(user_id, column, {channel, to_text(""), now.value});
    if (!before.isnull)
        unlink_named(user_id, {channel, 0, before.value});
}

} // namespace

COMPANION_FUNCTION(keep_addresses)
{
    const WrittenRow row(fcinfo);
    const bool is_copied = is_restored(); // by whom, before we act as another
    with_spi([&] {
        for (const OwnColumn &column : own_columns)
            keep_address(row, column, is_copied);
    });
    return PointerGetDatum(nullptr);
}
