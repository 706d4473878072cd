// The trigger on what is written into users directly.
#include "postgres/entry.hpp"
#include "postgres/written_directly.hpp"

using namespace companion;

namespace {

constexpr int weekdays = 7;

// The weekdays of an array as bits; zero where it holds anything else.
unsigned weekdays_in(ArrayType *array, int count)
{
    if (array_contains_nulls(array))
        return 0;
    const auto *days = reinterpret_cast<const int16 *>(ARR_DATA_PTR(array));
    unsigned found = 0;
    for (int index = 0; index < count; index++) {
        if (days[index] < 1 || days[index] > weekdays)
            return 0;
        found |= 1u << days[index];
    }
    return found;
}

Datum to_array(unsigned found)
{
    Datum days[weekdays];
    int count = 0;
    for (int day = 1; day <= weekdays; day++)
        if (found & 1u << day)
            days[count++] = Int16GetDatum(day);
    return PointerGetDatum(
        construct_array(days, count, INT2OID, sizeof(int16), true, TYPALIGN_SHORT));
}

[[noreturn]] void refuse_days()
{
    ereport(ERROR, errcode(ERRCODE_CHECK_VIOLATION),
            errmsg("checkin_days holds what is no weekday"),
            errhint("Weekdays are 1 (Monday) to 7."),
            err_generic_string(PG_DIAG_COLUMN_NAME, "checkin_days"));
    pg_unreachable();
}

// The row with each weekday once, in order, however many were given.
Datum with_ordered_days(const NewRow &row)
{
    bool is_null;
    const Datum value = row.get("checkin_days", INT2ARRAYOID, &is_null);
    if (is_null)
        return row.unchanged();
    ArrayType *array = DatumGetArrayTypeP(value);
    const int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    const unsigned found = weekdays_in(array, count);
    if (count > 0 && found == 0)
        refuse_days();
    return row.with("checkin_days", INT2ARRAYOID, to_array(found));
}

} // namespace

COMPANION_FUNCTION(check_user)
{
    const NewRow row(fcinfo);
    check_written_size(row, "preferences", JSONBOID);
    return with_ordered_days(row);
}
