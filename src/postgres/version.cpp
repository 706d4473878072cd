// The library serves the SQL that it belongs to, and no other.
#include "postgres/version.hpp"

#include "postgres/server.hpp"

namespace companion {

bool version_is_checked = false;

static constexpr char library_version[] = COMPANION_VERSION;

static void forget_check(Datum, int, uint32)
{
    version_is_checked = false;
}

void watch_version()
{
    CacheRegisterSyscacheCallback(PROCOID, forget_check, Datum{0});
}

// The version of a row of pg_extension.
static char *version_of(Relation catalog, HeapTuple row)
{
    bool is_null;
    return TextDatumGetCString(
        heap_getattr(row, Anum_pg_extension_extversion, RelationGetDescr(catalog), &is_null));
}

// The version that is installed in this database, or null.
static const char *installed_version()
{
    Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
                CStringGetDatum("companion"));
    SysScanDesc scan = systable_beginscan(catalog, ExtensionNameIndexId, true, nullptr, 1, &key);
    const HeapTuple row = systable_getnext(scan);
    const char *version = HeapTupleIsValid(row) ? version_of(catalog, row) : nullptr;
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return version;
}

static bool is_in_own_script()
{
    return creating_extension && CurrentExtensionObject == get_extension_oid("companion", true);
}

void check_version()
{
    if (is_in_own_script())
        return;
    const char *installed = installed_version();
    if (installed == nullptr)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("extension companion is not installed in this database"),
                errhint("CREATE EXTENSION companion"));
    if (strcmp(installed, library_version) != 0)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("extension companion is of version %s in this database, its library of %s",
                       installed, library_version),
                errhint("ALTER EXTENSION companion UPDATE"));
    version_is_checked = true;
}

} // namespace companion
