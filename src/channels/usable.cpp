// Which of a user's addresses a message goes to.
#include "channels/usable.hpp"

#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/lookup.hpp"

namespace companion {

// The texts of each address.
enum { channel_of, bot_of, address_of, texts_of_each };

UsableAddresses::UsableAddresses(NullableDatum usable_addresses)
{
    if (usable_addresses.isnull)
        return;
    int texts;
    deconstruct_array(DatumGetArrayTypeP(usable_addresses.value), TEXTOID, -1, false, TYPALIGN_INT,
                      &texts_, nullptr, &texts);
    count_ = texts / texts_of_each;
}

std::string_view UsableAddresses::text(int index) const
{
    return text_view(texts_[index]);
}

bool UsableAddresses::is_reachable(const Channel &channel) const
{
    if (!channel.needs_address)
        return true;
    for (int place = 0; place < count_; place++)
        if (text(place * texts_of_each + channel_of) == channel.name_view())
            return true;
    return false;
}

const Channel *UsableAddresses::choose(NullableDatum preferred) const
{
    const Channel *wanted = preferred.isnull ? nullptr : find_channel(text_view(preferred.value));
    if (wanted != nullptr && is_reachable(*wanted))
        return wanted;
    for (const Channel &channel : channels())
        if (!channel.only_if_preferred && is_reachable(channel))
            return &channel;
    return nullptr;
}

static Destination at_user(const pg_uuid_t &user_id)
{
    const Datum id = as_text(uuid_out, UUIDPGetDatum(&user_id));
    return {{to_text(""), false}, {id, false}, {array_of_one(TEXTOID, id), false}};
}

Destination UsableAddresses::on(std::string_view channel, const pg_uuid_t &user_id) const
{
    const Channel *known = find_channel(channel);
    Destination destination;
    if (known == nullptr)
        return destination;
    if (!known->needs_address)
        return at_user(user_id);
    ArrayBuilder addresses(TEXTOID);
    for (int place = 0; place < count_; place++) {
        const Datum *texts = texts_ + place * texts_of_each;
        if (text_view(texts[channel_of]) != channel)
            continue;
        if (destination.bot.isnull)
            destination = {{texts[bot_of], false}, {texts[address_of], false}, {0, true}};
        if (text_view(texts[bot_of]) == text_view(destination.bot.value))
            addresses.add(texts[address_of]);
    }
    if (!destination.bot.isnull)
        destination.addresses = {addresses.finish(), false};
    return destination;
}

Reach reach_of(const pg_uuid_t &user_id)
{
    Lookup users("users", "users_pkey", Lookup::Seen::newest);
    NullableDatum usable{0, true}, preferred{0, true};
    if (users.find(UUIDPGetDatum(&user_id))) {
        usable = users.get(users.column("usable_addresses"));
        preferred = users.get(users.column("preferred_channel"));
    }
    if (!usable.isnull)
        usable.value = PointerGetDatum(DatumGetArrayTypePCopy(usable.value));
    if (!preferred.isnull)
        preferred.value = to_text(text_view(preferred.value));
    users.close();
    return {UsableAddresses(usable), preferred};
}

} // namespace companion

using namespace companion;

COMPANION_FUNCTION(choose_channel)
{
    const Arguments arguments(fcinfo);
    const Channel *channel = UsableAddresses(arguments.nullable(0)).choose(arguments.nullable(1));
    if (channel == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_DATUM(to_text(channel->name_view()));
}

COMPANION_FUNCTION(channel_address)
{
    const Arguments arguments(fcinfo);
    HeapTupleHeader user = DatumGetHeapTupleHeader(arguments.required(0, "u"));
    const auto column = [user](const char *name) {
        NullableDatum value;
        value.value = GetAttributeByName(user, name, &value.isnull);
        return value;
    };
    const Destination destination =
        UsableAddresses(column("usable_addresses"))
            .on(arguments.text(1, "channel"), *DatumGetUUIDP(column("id").value));
    if (destination.address.isnull)
        PG_RETURN_NULL();
    PG_RETURN_DATUM(destination.address.value);
}
