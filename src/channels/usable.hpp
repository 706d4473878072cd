// Which of a user's addresses a message goes to.
#pragma once

#include "channels/channel.hpp"

namespace companion {

// Where a message goes on a channel: the bot, and every usable address that the user has there for
// it, the one that was linked last first. Null where the user has none.
struct Destination {
    NullableDatum bot{0, true};       // text
    NullableDatum address{0, true};   // text, the first
    NullableDatum addresses{0, true}; // text[]
};

// The value of users.usable_addresses, null for none.
class UsableAddresses {
  public:
    explicit UsableAddresses(NullableDatum usable_addresses);

    bool is_reachable(const Channel &channel) const;

    // The channel that a message goes out on: the preferred one (text) if it reaches the user,
    // else by rank; null where none does. Valid until the server is called.
    const Channel *choose(NullableDatum preferred) const;

    // Where it goes there. On a channel that needs no address that is the user's id.
    Destination on(std::string_view channel, const pg_uuid_t &user_id) const;

  private:
    std::string_view text(int index) const;

    Datum *texts_ = nullptr; // channel, bot and address of each
    int count_ = 0;          // of addresses
};

// How a user is reached: what their row says, in its newest version.
struct Reach {
    UsableAddresses usable;
    NullableDatum preferred;
};

// None of it for who is no user. Within with_spi().
Reach reach_of(const pg_uuid_t &user_id);

} // namespace companion
