// Addresses as rows: who has one, linking it, and taking it away.
#pragma once

#include "channels/channel.hpp"

namespace companion {

// Where somebody is on a channel for a bot; the address is canonical_address()'s.
struct Address {
    Datum channel, bot, address; // text
};

// A row of companion.addresses that is linked.
struct LinkedAddress {
    pg_uuid_t user_id;
    Address stored; // the bot and the address as they are stored
    TimestampTz linked_at;
    bool is_disabled;
};

// Find who has an address: for the bot, else for none, or, where the address has no bot (a zero
// Datum), for whichever, none before any and the one that was linked last before others; as it is,
// else in the other form that WhatsApp may have of a number. False where nobody has. Within
// with_spi(), as all of these.
bool find_linked(const Address &address, LinkedAddress *linked);

// Keep everybody else from linking an address, in any form and for any bot, until the transaction
// ends.
void lock_address(const Address &address);

// Let go again of one that was locked, and nothing done since.
void unlock_address(const Address &address);

// Link it to a user, whose row is locked; one that the user has without a bot gets this bot, and
// one that is disabled is usable again. False where another user has it. Error 09000.
bool link(Datum user_id, const Address &address);

// Unlink it, or for every bot where the address has none (a zero Datum); false where the user does
// not have it. Error 09000.
bool unlink(Datum user_id, const Address &address);

// The same for disabling it; false where it is not usable.
bool disable(Datum user_id, const Address &address, NullableDatum reason);

} // namespace companion
