// Messages that no worker will finish.
#include "scheduling/abandoned.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"

namespace companion {

// Let go of what may be sent twice rather than not at all, and has another try left.
static Statement release_unknown{
    "UPDATE companion.dispatch_queue AS q SET sending = false, leased_until = '-infinity'"
    " FROM companion.scheduled_messages AS m"
    " WHERE q.sending AND q.leased_until <= $1 AND q.attempt < $2 AND q.send_before > $1"
    "   AND m.user_id = q.user_id AND m.id = q.message_id"
    "   AND m.kind = ANY (string_to_array(replace($3, ' ', ''), ','))",
    TIMESTAMPTZOID, INT4OID, TEXTOID};

bool is_abandoned(const QueueRow &row, TimestampTz at)
{
    return row.leased_until <= at &&
           (row.sending || row.send_before <= at || row.attempt >= settings::max_attempts);
}

void give_up(Queue &queue, TimestampTz at, Unsent &unsent)
{
    const QueueRow &row = queue.row();
    if (row.sending)
        unsent.add(row, "unknown", CStringGetTextDatum("no report after start_send"));
    else if (row.send_before <= at)
        unsent.add(row, "skipped",
                   CStringGetTextDatum(
                       psprintf("not sent before %s", timestamptz_to_str(row.send_before))));
    else
        unsent.add(
            row, "failed",
            CStringGetTextDatum(psprintf("%d attempts ended without a report", row.attempt)));
    queue.remove();
}

static int finish_abandoned(int64 max_rows)
{
    const TimestampTz at = now();
    if (*settings::retry_unknown != '\0')
        release_unknown.execute({TimestampTzGetDatum(at), Int32GetDatum(settings::max_attempts),
                                 CStringGetTextDatum(settings::retry_unknown)});
    Unsent unsent;
    Queue queue;
    queue.begin_walk(at);
    while (unsent.size() < max_rows && queue.next())
        if (is_abandoned(queue.row(), at) && queue.try_lock())
            give_up(queue, at, unsent);
    queue.end_walk();
    queue.close();
    unsent.record();
    return unsent.size();
}

} // namespace companion

COMPANION_FUNCTION(finish_abandoned)
{
    using namespace companion;
    int64 max_rows = batch_size(Arguments(fcinfo), 0);
    PG_RETURN_INT64(with_spi([max_rows] { return finish_abandoned(max_rows); }));
}
