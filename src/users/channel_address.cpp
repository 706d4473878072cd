// A user's address on a channel.
#include "users/channel_address.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"

namespace companion {

static Datum as_text(PGFunction output, Datum value)
{
    return CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(output, value)));
}

NullableDatum channel_address(const UserAddresses &user, std::string_view channel)
{
    if (channel == "telegram" && !user.telegram_user_id.isnull)
        return {as_text(int8out, user.telegram_user_id.value), false};
    if (channel == "whatsapp")
        return user.whatsapp_number;
    if (channel == "web")
        return {as_text(uuid_out, user.id), false};
    return {0, true};
}

} // namespace companion

using namespace companion;

COMPANION_FUNCTION(channel_address)
{
    const Arguments arguments(fcinfo);
    HeapTupleHeader user = DatumGetHeapTupleHeader(arguments.required(0, "u"));
    const auto column = [user](const char *name) {
        NullableDatum value;
        value.value = GetAttributeByName(user, name, &value.isnull);
        return value;
    };
    const NullableDatum address =
        channel_address({column("id").value, column("telegram_user_id"), column("whatsapp_number")},
                        arguments.text(1, "channel"));
    if (address.isnull)
        PG_RETURN_NULL();
    PG_RETURN_DATUM(address.value);
}
