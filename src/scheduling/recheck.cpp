// The trigger that has dispatch look again at a user whose check-ins have changed.
//
// A tick that runs before the change is committed cannot see it, and covers an interval in
// which the check-in may be due by then.
#include "postgres/entry.hpp"
#include "postgres/relations.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"

using namespace companion;

namespace {

Statement note{R"sql(
    INSERT INTO companion.dispatch_recheck (user_id, since) VALUES ($1, $2)
)sql",
               UUIDOID, TIMESTAMPTZOID};

// The row's id. Error 39P01 when the function was called in any other way than by its triggers.
Datum changed_user(FunctionCallInfo fcinfo)
{
    auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
        !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
        ereport(
            ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
            errmsg("this function must be called as a trigger after insert or update of a row"));
    const TupleDesc descriptor = RelationGetDescr(trigger->tg_relation);
    const int id = SPI_fnumber(descriptor, "id");
    if (id <= 0 || SPI_gettypeid(descriptor, id) != UUIDOID)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                errmsg("table \"%s\" has no column \"id\" of type uuid",
                       RelationGetRelationName(trigger->tg_relation)));
    bool is_null;
    return SPI_getbinval(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple
                                                                    : trigger->tg_trigtuple,
                         descriptor, id, &is_null);
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

COMPANION_FUNCTION(recheck_user)
{
    const Datum user_id = changed_user(fcinfo);
    with_spi([user_id] {
        if (note.execute({user_id, TimestampTzGetDatum(last_tick_seen())}) == 0)
            refuse_suppressed("dispatch_recheck");
    });
    return PointerGetDatum(nullptr);
}
