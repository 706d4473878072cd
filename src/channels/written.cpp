// What a row of addresses may hold, and in which form.
#include "channels/written.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"

using namespace companion;

namespace {

// Of what a restore puts back: whoever was given the address meanwhile, and what the user's columns
// have made, loses it to the row ($1 to $4).
Statement make_room{R"sql(
    DELETE FROM companion.addresses
    WHERE channel = $1 AND companion.address_key(channel, address) COLLATE "C" = companion.address_key($1, $3)
        AND bot = $2 AND unlinked_at IS NULL
)sql",
                    TEXTOID, TEXTOID, TEXTOID};

Statement remove_provisional{R"sql(
    DELETE FROM companion.addresses
    WHERE user_id = $1 AND channel = $2 AND (linked_at IS NULL OR (bot = $3 AND address = $4))
)sql",
                             UUIDOID, TEXTOID, TEXTOID, TEXTOID};

// The row with its address in its channel's form. Errors 22023.
Datum with_canonical_address(const NewRow &row)
{
    const auto text = [&](const char *column) {
        bool is_null;
        const Datum value = row.get(column, TEXTOID, &is_null);
        return is_null ? std::string_view() : text_view(value);
    };
    const Channel channel = require_channel(text("channel"));
    check_bot(text("bot"));
    return row.with("address", TEXTOID, canonical_address(channel, text("address")));
}

// Make room for a row that is restored.
void take_place(const NewRow &row)
{
    bool is_null, is_linked;
    const auto value = [&](const char *column) { return row.get(column, TEXTOID, &is_null); };
    row.get("unlinked_at", TIMESTAMPTZOID, &is_linked);
    const Datum user_id = row.get("user_id", UUIDOID, &is_null), channel = value("channel"),
                bot = value("bot"), address = value("address");
    if (is_linked)
        make_room.execute({channel, bot, address});
    remove_provisional.execute({user_id, channel, bot, address});
}

} // namespace

COMPANION_FUNCTION(check_address)
{
    const NewRow row(fcinfo);
    if (row.is_inserted() && is_restored())
        with_spi([&] { take_place(row); });
    return is_restored() ? row.unchanged() : with_canonical_address(row);
}
