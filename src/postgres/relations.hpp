// The extension's tables and indexes, for code that goes to them without a plan.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// The Oid of one of the extension's tables or indexes. The name lives as long as the session.
Oid relation_id(const char *name);

// The number of a table's column. Error 42703 where it has none of this name.
inline AttrNumber column_number(Relation table, const char *name)
{
    const AttrNumber number = get_attnum(RelationGetRelid(table), name);
    if (number <= 0)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                errmsg("table \"%s\" has no column \"%s\"", RelationGetRelationName(table), name));
    return number;
}

// Begin to scan an index of a table by the active snapshot. The keys are copied.
inline IndexScanDesc begin_index_scan(Relation table, Relation index, ScanKey keys, int count)
{
#if PG_VERSION_NUM >= 180000
    IndexScanDesc scan = index_beginscan(table, index, GetActiveSnapshot(), nullptr, count, 0);
#else
    IndexScanDesc scan = index_beginscan(table, index, GetActiveSnapshot(), count, 0);
#endif
    index_rescan(scan, keys, count, nullptr, 0);
    return scan;
}

} // namespace companion
