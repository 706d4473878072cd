// What a row of addresses may hold, and in which form.
#include "channels/written.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"

using namespace companion;

namespace {

Statement take_over{R"sql(
    DELETE FROM companion.addresses AS a
    WHERE (a.channel = $2 AND a.bot = $3 AND a.unlinked_at IS NULL AND $5
            AND companion.address_key(a.channel, a.address) COLLATE "C" = companion.address_key($2, $4))
        OR (a.user_id = $1 AND a.channel = $2 AND a.bot = $3 AND a.address = $4)
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID};

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
    const Datum user_id = row.get("user_id", UUIDOID, &is_null);
    take_over.execute(
        {user_id, value("channel"), value("bot"), value("address"), BoolGetDatum(is_linked)});
}

} // namespace

COMPANION_FUNCTION(check_address)
{
    const NewRow row(fcinfo);
    if (row.is_inserted() && has_bypassrls_privilege(GetUserId()))
        with_spi([&] { take_place(row); });
    return is_restored() ? row.unchanged() : with_canonical_address(row);
}
