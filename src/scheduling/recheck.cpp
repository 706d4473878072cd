// The trigger that has dispatch look again at a user whose check-ins have changed.
//
// A tick that runs before the change is committed cannot see it, and covers an interval in
// which the check-in may be due by then.
#include "postgres/entry.hpp"
#include "postgres/relations.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "scheduling/checkin_changed.hpp"

using namespace companion;

namespace {

Statement note{R"sql(
    INSERT INTO companion.dispatch_recheck (user_id, since) VALUES ($1, $2)
)sql",
               UUIDOID, TIMESTAMPTZOID};

// Whether the user has check-ins, and they may be due before the row is committed.
bool may_be_due(const UpdatedRow &row)
{
    return !row.now("checkin_time", TIMEOID).isnull &&
           !row.now("onboarding_completed_at", TIMESTAMPTZOID).isnull &&
           (is_checkin_changed(row) || row.is_changed("id", UUIDOID));
}

// The time of the last tick that the statement which fired the trigger sees, or a minute ago,
// where the first tick begins. A newer one would be too late: that tick may have run while
// the statement did, without seeing the change. Of a tick that is not complete it is where that
// began: a user may be changed to be due where its batches have been.
TimestampTz last_tick_seen()
{
    Relation table = table_open(relation_id("dispatch_state"), AccessShareLock);
    TableScanDesc scan = table_beginscan(table, GetActiveSnapshot(), 0, nullptr);
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    TimestampTz last = now() - USECS_PER_MINUTE;
    if (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
        bool is_complete, is_null;
        const Datum began = slot_getattr(slot, column_number(table, "began_after"), &is_complete);
        const Datum previous = slot_getattr(slot, column_number(table, "previous_tick"), &is_null);
        last = DatumGetTimestampTz(is_complete ? previous : began);
    }
    ExecDropSingleTupleTableSlot(slot);
    table_endscan(scan);
    table_close(table, NoLock);
    return last;
}

} // namespace

// A WHEN of the trigger's would be parsed anew for every statement, and cost more than this look.
COMPANION_FUNCTION(recheck_user)
{
    const UpdatedRow row(fcinfo);
    if (may_be_due(row))
        with_spi([&row] {
            if (note.execute(
                    {row.now("id", UUIDOID).value, TimestampTzGetDatum(last_tick_seen())}) == 0)
                refuse_suppressed("dispatch_recheck");
        });
    return PointerGetDatum(nullptr);
}
