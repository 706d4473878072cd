// Small tables whose rows each session keeps.
#include "postgres/kept_rows.hpp"

#include "postgres/entry.hpp"

namespace companion {

void KeptTable::forget(Datum kept, Oid relation)
{
    auto *table = reinterpret_cast<KeptTable *>(DatumGetPointer(kept));
    if (relation == table->table_ || relation == InvalidOid)
        table->is_valid_ = table->is_unchanged_ = false;
}

Relation KeptTable::begin_reading()
{
    if (context_ == nullptr) {
        context_ = AllocSetContextCreate(TopMemoryContext, "companion rows", ALLOCSET_SMALL_SIZES);
        CacheRegisterRelcacheCallback(forget, PointerGetDatum(this));
    }
    MemoryContextReset(context_);
    MemoryContextSetIdentifier(context_, name_);
    Relation table = table_open(relation_id(name_), AccessShareLock);
    table_ = RelationGetRelid(table);
    is_unchanged_ = true;
    caller_ = MemoryContextSwitchTo(context_);
    return table;
}

void KeptTable::end_reading(Relation table)
{
    MemoryContextSwitchTo(caller_);
    table_close(table, NoLock);
    is_valid_ = is_unchanged_;
}

} // namespace companion

using namespace companion;

COMPANION_FUNCTION(reload_rows)
{
    auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("this function must be called as a trigger after a change"));
    CacheInvalidateRelcache(trigger->tg_relation);
    return PointerGetDatum(nullptr);
}
