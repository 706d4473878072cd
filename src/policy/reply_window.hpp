// A channel on which a user may be written to freely only for a while after they have written.
#pragma once

#include "channels/usable.hpp"

namespace companion {

// Whether a message of a kind may not go to a user on a channel at a time, since they have not
// written from there within its reply_window. Within with_spi().
bool is_window_closed(const pg_uuid_t &user_id, std::string_view channel,
                      const UsableAddresses &usable, std::string_view kind, TimestampTz at);

// The reason for that.
Datum window_reason(std::string_view channel);

// Until when a message that waits for it is put off, unless the user writes. Once a day it is
// looked at again, since an admin may have changed the window.
inline TimestampTz wait_for_reply(TimestampTz send_before, TimestampTz at)
{
    return Min(send_before, at + USECS_PER_DAY);
}

// The user has written on a channel: have what waits for that claimed. Within with_spi(), with the
// user's row locked.
void release_waiting(const pg_uuid_t &user_id, const Channel &channel);

} // namespace companion
