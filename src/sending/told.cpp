// Where a worker was told to send the message that it holds.
#include "sending/told.hpp"

#include "channels/address.hpp"
#include "postgres/arguments.hpp"
#include "postgres/lookup.hpp"

namespace companion {

// What is usable of a user's addresses now, in the caller's memory; null for none.
static NullableDatum usable_addresses_of(const pg_uuid_t &user_id)
{
    Lookup users("users", "users_pkey");
    NullableDatum usable{0, true};
    if (users.find(UUIDPGetDatum(&user_id)))
        usable = users.get(users.column("usable_addresses"));
    if (!usable.isnull)
        usable.value = PointerGetDatum(DatumGetArrayTypePCopy(usable.value));
    users.close();
    return usable;
}

// The elements of a text[] that is not empty.
static Datum *texts_of(Datum array, int *count)
{
    Datum *texts;
    deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &texts, nullptr,
                      count);
    return texts;
}

Destination told(const QueueRow &row)
{
    if (row.addresses == 0)
        return UsableAddresses(usable_addresses_of(row.user_id))
            .on(text_view(row.channel), row.user_id);
    int count;
    return {{row.bot, false}, {texts_of(row.addresses, &count)[0], false}, {row.addresses, false}};
}

void GoneAddresses::add(const QueueRow &row, Datum reason)
{
    const Destination gone = told(row);
    const Channel *channel = find_channel(text_view(row.channel));
    if (gone.addresses.isnull || (channel != nullptr && !channel->needs_address))
        return;
    int count;
    const Datum *texts = texts_of(gone.addresses.value, &count);
    for (int index = 0; index < count; index++) {
        user_ids_.add(UUIDPGetDatum(&row.user_id));
        channels_.add(row.channel);
        bots_.add(gone.bot);
        addresses_.add(texts[index]);
        reasons_.add(reason);
    }
}

void GoneAddresses::disable() const
{
    for (int index = 0; index < user_ids_.size(); index++)
        companion::disable(
            user_ids_.at(index).value,
            {channels_.at(index).value, bots_.at(index).value, addresses_.at(index).value},
            reasons_.at(index));
}

} // namespace companion
