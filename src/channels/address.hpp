// Addresses as rows: who has one, linking it, and taking it away.
#pragma once

#include "channels/channel.hpp"
#include "postgres/lookup.hpp"

namespace companion {

// Where somebody is on a channel for a bot; the address is canonical_address()'s.
struct Address {
    Datum channel, bot, address; // text
};

// A row of companion.addresses; of linked_at, where it is not known, long ago.
struct LinkedAddress {
    pg_uuid_t user_id;
    Address stored; // the bot and the address as they are stored
    TimestampTz linked_at;
    bool is_linked, is_disabled;
    ItemPointerData place; // of this version of the row
};

class Arguments;

// The address that three arguments name: channel, address, bot, which may be null. Errors 22023.
Address given_address(const Arguments &arguments, int position);

// What addresses are compared by. It is in an index: what it says of an address cannot change.
Datum address_key(Datum channel, Datum address);

// The address as it is compared.
Address key_of(const Address &address);

// The row that a look-up in addresses has come to.
LinkedAddress read_address(const Lookup &rows);

// Find who has an address, in either form that WhatsApp may have of a number: for the bot, else for
// none; or, where the address has no bot (a zero Datum), for whichever, none before any and the one
// that was linked last before others. False where nobody has. Within with_spi(), as all of these.
bool find_linked(const Address &address, LinkedAddress *linked);

// The rows of those who have had an address and have it no more, for the bot or for none; returns
// how many there are, room at most.
int find_unlinked(const Address &address, LinkedAddress *rows, int room);

// Link it to a user, whose row is locked; one that the user has without a bot gets this bot, and
// one that is disabled is usable again. Waits for whoever is linking it. False where another user
// has it. Errors 09000, and on a shard 55000 where it is not reserved.
bool link(Datum user_id, const Address &address);

// Give an address that was found without a bot this one. False where somebody has linked it for the
// bot meanwhile, and where it is not as it was found. Error 09000.
bool adopt(const LinkedAddress &linked, Datum bot);

// Unlink it, or for every bot where the address has none (a zero Datum); false where the user does
// not have it. Error 09000.
bool unlink(Datum user_id, const Address &address);

// The same for disabling it; false where it is not usable.
bool disable(Datum user_id, const Address &address, NullableDatum reason);

} // namespace companion
