// What stands of an item, found without a plan.
#pragma once

#include "facts/fact.hpp"

namespace companion {

struct StandingItem {
    bool is_there;
    bool is_users;     // stated or pinned by the user
    bool is_triggered; // what is written may be changed by an operator's trigger
    ItemPointerData place;
    std::string_view value;
};

// The item that a fact is about, as this transaction sees it. Within with_spi().
StandingItem find_item(Datum user_id, const Fact &fact);

// Whether an item has an embedding. Within with_spi().
bool is_embedded(Datum user_id, Datum item_id);

} // namespace companion
