// Telling the workers that a message is due.
#include "sending/notify.hpp"

#include "sending/lanes.hpp"

namespace companion {

// Others may notify as well before this transaction commits.
static constexpr double nearly_full = 0.9;

void notify_workers()
{
    forget_lanes();
    if (DatumGetFloat8(OidFunctionCall0(F_PG_NOTIFICATION_QUEUE_USAGE)) < nearly_full)
        Async_Notify("companion", "");
    else
        ereport(WARNING, errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
                errmsg("the queue of notifications is nearly full; workers are not notified"),
                errhint("A session listens and does not read: see pg_notification_queue_usage()."
                        " Workers find what is due when they poll."));
}

} // namespace companion
