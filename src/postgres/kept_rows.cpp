// Small tables whose rows each session keeps.
#include "postgres/kept_rows.hpp"

#include "postgres/entry.hpp"

namespace companion {

static KeptTable *first_kept = nullptr;

void KeptTable::forget(Oid relation)
{
    if (relation == table_ || relation == InvalidOid)
        is_valid_ = is_unchanged_ = false;
}

void KeptTable::forget_all(Datum, Oid relation)
{
    for (KeptTable *table = first_kept; table != nullptr; table = table->next_)
        table->forget(relation);
}

// One callback for all of them: a session has ten at most, for the server and every extension.
void KeptTable::begin_to_keep()
{
    context_ = AllocSetContextCreate(TopMemoryContext, "companion rows", ALLOCSET_SMALL_SIZES);
    if (first_kept == nullptr)
        CacheRegisterRelcacheCallback(forget_all, Datum{0});
    next_ = first_kept;
    first_kept = this;
}

Relation KeptTable::begin_reading()
{
    if (context_ == nullptr)
        begin_to_keep();
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
