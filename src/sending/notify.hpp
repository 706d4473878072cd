// Telling the workers that a message is due.
#pragma once

namespace companion {

// Notify whoever listens to the channel companion, when this transaction commits. Where the
// queue of notifications is nearly full, because a session listens and never reads, there is
// a WARNING (53400) instead: a full queue would let no transaction commit that notifies.
void notify_workers();

} // namespace companion
