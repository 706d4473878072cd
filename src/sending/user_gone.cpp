// The trigger by which what is pending, and what caps have counted, goes with its user: the queue
// and that have no foreign key.
#include "postgres/entry.hpp"
#include "postgres/relations.hpp"
#include "postgres/statement.hpp"

using namespace companion;

namespace {

Statement drop_pending{"DELETE FROM companion.dispatch_queue WHERE user_id = $1", UUIDOID};

// By a statement of its own, that sees what a start was about to count for which the one before has
// waited.
Statement drop_counted{"DELETE FROM companion.cap_starts WHERE user_id = $1", UUIDOID};

Statement drop_all_counted{R"sql(
    DELETE FROM companion.cap_starts AS s
    WHERE NOT EXISTS (SELECT FROM companion.users AS u WHERE u.id = s.user_id)
)sql"};

Statement drop_all_pending{R"sql(
    DELETE FROM companion.dispatch_queue AS q
    WHERE NOT EXISTS (SELECT FROM companion.users AS u WHERE u.id = q.user_id)
)sql"};

Datum deleted_user(const TriggerData *trigger)
{
    bool is_null;
    return heap_getattr(trigger->tg_trigtuple, column_number(trigger->tg_relation, "id"),
                        RelationGetDescr(trigger->tg_relation), &is_null);
}

} // namespace

COMPANION_FUNCTION(drop_pending)
{
    const auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
        !(TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ||
          TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event)))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("this function must be called as a trigger after a deletion"));
    with_spi([trigger] {
        if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event)) {
            drop_all_pending.execute_newest({});
            drop_all_counted.execute_newest({});
        } else {
            drop_pending.execute_newest({deleted_user(trigger)});
            drop_counted.execute_newest({deleted_user(trigger)});
        }
    });
    return PointerGetDatum(nullptr);
}
