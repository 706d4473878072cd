// Messages that no worker will finish.
#pragma once

#include "scheduling/finish.hpp"

namespace companion {

// Whether the locked or visited message can only be given up: it was started and its
// lease ran out, it is too late to send it, or its attempts are used up.
bool is_abandoned(const QueueRow &row, TimestampTz at);

// Take the locked message off the queue, with what became of it: unknown if sending had
// started, skipped if it is too late, else failed.
void give_up(Queue &queue, TimestampTz at, Unsent &unsent);

} // namespace companion
