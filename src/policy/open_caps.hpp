// Caps as they are at a time, and where a user is.
#pragma once

#include "policy/cap_counts.hpp"
#include "policy/caps.hpp"
#include "postgres/arguments.hpp"

namespace companion {

// The caps of a group, with what they count at a time in a zone.
class OpenCaps {
  public:
    explicit OpenCaps(TimestampTz at) : at_(to_instant(at)) {}

    // Come to a group.
    void come_to(const NameData &group)
    {
        if (is_there_ && strcmp(NameStr(group_), NameStr(group)) == 0)
            return;
        is_there_ = true;
        group_ = group;
        caps_ = caps_of(NameStr(group));
        windows_ = static_cast<CapWindow *>(palloc(Max(caps_.count, 1) * sizeof(CapWindow)));
        is_open_ = false;
        most_ = 0;
        least_ = INT_MAX;
        for (const Cap &cap : caps_) {
            most_ = Max(most_, cap.max_messages);
            least_ = Min(least_, cap.max_messages);
        }
    }

    bool are_there() const { return caps_.count > 0; }

    // Whether one may be full when so many have been started, whenever that was.
    bool may_be_full(int starts) const { return starts >= least_; }
    bool need_zone() const
    {
        return std::any_of(caps_.begin(), caps_.end(),
                           [](const Cap &cap) { return cap.rolling == 0; });
    }

    // Work out what they count in a zone.
    void open(pg_tz *zone)
    {
        if (is_open_ && zone == zone_)
            return;
        is_open_ = true;
        zone_ = zone;
        since_ = at_;
        for (int index = 0; index < caps_.count; index++) {
            const Cap &cap = caps_.first[index];
            windows_[index] = cap.rolling != 0 ? rolling_window(cap.rolling, at_)
                                               : local_window(ServerZone(zone), cap.period, at_);
            since_ = Min(since_, windows_[index].since);
        }
        since_ -= between_zones;
    }

    // The cap that is full for the longest, if one is; and until when.
    const Cap *full(const Counts &counts, TimestampTz *until) const
    {
        const Cap *full = nullptr;
        std::int64_t last = 0;
        for (int index = 0; index < caps_.count; index++) {
            const auto one = counts.full_until(windows_[index], caps_.first[index].max_messages);
            if (!one || (full != nullptr && *one <= last))
                continue;
            full = &caps_.first[index];
            last = *one;
        }
        *until = from_instant(last);
        return full;
    }

    void add(Counts &counts, const pg_uuid_t &message_id) const { counts.add(at_, message_id); }

    // Once opened: leave out what does not count any more, nor will in another zone. As many again
    // as may count are kept: those of yesterday are of today further west, if later ones have
    // failed.
    void prune(Counts &counts) const { counts.prune(2 * most_, since_); }

  private:
    std::int64_t at_, since_ = 0;
    NameData group_;
    bool is_there_ = false, is_open_ = false;
    Caps caps_{};
    CapWindow *windows_ = nullptr;
    pg_tz *zone_ = nullptr;
    int most_ = 0, least_ = 0;
};

// The zones of users, open from construction to close().
class UsersZones {
  public:
    UsersZones() : users_("users", "users_pkey"), timezone_(users_.column("timezone")) {}
    void close() { users_.close(); }

    // The user's present zone; UTC where the server knows it no more.
    pg_tz *of(const pg_uuid_t &user_id)
    {
        pg_tz *zone = nullptr;
        if (users_.find(UUIDPGetDatum(&user_id)))
            zone = find_zone(text_view(users_.get(timezone_).value));
        return zone == nullptr ? find_zone("UTC") : zone;
    }

  private:
    Lookup users_;
    AttrNumber timezone_;
};

// Why a message does not go: over the cap of 3 a day of group nudges.
Datum reason_of(const Cap &cap);

} // namespace companion
