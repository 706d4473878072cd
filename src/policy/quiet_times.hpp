// Users' quiet hours, as their messages on the queue go by them.
//
// A row's start_before is null where its user has none, and then nobody is looked up. Else the user
// is, when it is claimed: it waits for the end of quiet time, is skipped, or learns when quiet time
// begins, up to which it may be started. Who changes a user's quiet hours or zone sets it anew in
// all their rows, under these rows' locks.
#pragma once

#include "sending/queue.hpp"

namespace companion {

// What a user's row says of quiet hours.
struct QuietSettings {
    NullableDatum timezone, from, until;

    bool have_window() const;
};

// Whether a message may go.
enum class Going { now, later, never };

// Users of messages that a claim or a start comes to. Within with_spi().
class QuietUsers {
  public:
    // Whether a message may go at a time, by its user's quiet hours or pause. Now: start_before is
    // set. Later: it is given back until quiet time ends. Never: it is given back, too.
    Going judge(QueueRow &row, TimestampTz at);

    // Why the message that was judged last does never go.
    Datum reason() const { return reason_; }

    void close() { users_.close(); }

  private:
    QuietSettings settings() const
    {
        return {users_.get(timezone_), users_.get(from_), users_.get(until_)};
    }

    Going refuse(QueueRow &row, const char *reason);

    Lookup users_{"users", "users_pkey", Lookup::Seen::newest};
    const AttrNumber timezone_ = users_.column("timezone"), from_ = users_.column("quiet_from"),
                     until_ = users_.column("quiet_until"),
                     paused_until_ = users_.column("checkin_paused_until");
    Datum reason_ = 0;
};

// A user's quiet hours or zone have changed; a message of theirs follows. What waits for the end of
// quiet time is due, and a claim that was not started is given back where it is quiet now. Within
// with_spi(), with the rows of both locked. Error 09000 where a trigger prevents it.
void follow_quiet_hours(QueueRow &row, const QuietSettings &settings);

} // namespace companion
