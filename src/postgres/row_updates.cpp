// Rows that a Lookup has found, updated without a plan.
#include "postgres/row_updates.hpp"

#include "postgres/triggered.hpp"

#include <algorithm>

namespace companion {

RowUpdates::RowUpdates(const Lookup &rows, std::initializer_list<AttrNumber> columns,
                       const char *watched)
    : rows_(rows), watched_(watched), changes_(rows.table(), {columns_, columns.size()})
{
    LockRelationOid(RelationGetRelid(rows.table()), RowExclusiveLock);
    std::copy(columns.begin(), columns.end(), columns_);
}

void RowUpdates::set_version(std::initializer_list<Datum> values)
{
    changes_.begin_version(rows_.slot());
    const AttrNumber *column = columns_;
    for (const Datum value : values)
        changes_.set(*column++, value);
}

bool RowUpdates::try_update(std::initializer_list<Datum> values)
{
    if (!changes_.may_try(CMD_UPDATE, rows_.slot()))
        return false;
    set_version(values);
    return changes_.try_update(rows_.slot());
}

static bool is_as_it_was(const TupleTableSlot *stored, AttrNumber column, Datum value)
{
    const FormData_pg_attribute *attribute = TupleDescAttr(stored->tts_tupleDescriptor, column - 1);
    return !stored->tts_isnull[column - 1] &&
           datum_image_eq(stored->tts_values[column - 1], value, attribute->attbyval,
                          attribute->attlen);
}

void RowUpdates::check_stored(TupleTableSlot *stored, std::initializer_list<Datum> values) const
{
    slot_getallattrs(stored);
    bool is_same = true;
    for (int place = 0; place < rows_.key_columns(); place++) {
        const AttrNumber column = rows_.key_column(place);
        is_same &= is_as_it_was(stored, column, rows_.get(column).value);
    }
    const AttrNumber *column = columns_;
    for (const Datum value : values)
        is_same &= is_as_it_was(stored, *column++, value);
    if (!is_same)
        refuse_changed(RelationGetRelationName(rows_.table()), watched_);
}

void RowUpdates::update_locked(std::initializer_list<Datum> values)
{
    set_version(values);
    check_stored(changes_.update_locked(rows_.slot()), values);
}

} // namespace companion
