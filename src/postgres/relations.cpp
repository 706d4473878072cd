// The extension's tables and indexes, for code that goes to them without a plan.
#include "postgres/relations.hpp"

namespace companion {

// What this session has looked up, by where the name stands; an Oid that is not valid is to be
// looked up anew.
static struct {
    const char *name;
    Oid id;
} known[48];

static void forget(Datum, Oid relation)
{
    for (auto &one : known)
        if (one.id == relation || relation == InvalidOid)
            one.id = InvalidOid;
}

static Oid look_up(const char *name)
{
    return get_relname_relid(name, get_namespace_oid("companion", false));
}

Oid relation_id(const char *name)
{
    if (known[0].name == nullptr)
        CacheRegisterRelcacheCallback(forget, Datum{0});
    for (auto &one : known) {
        if (one.name != nullptr && one.name != name)
            continue;
        if (!OidIsValid(one.id))
            one = {name, look_up(name)};
        return one.id;
    }
    return look_up(name);
}

} // namespace companion
