// What a row of users may hold, and in which form.
#include "channels/number_forms.hpp"
#include "channels/written.hpp"
#include "postgres/entry.hpp"
#include "postgres/written_row.hpp"
#include "sharding/shard.hpp"
#include "sharding/shard_of.hpp"
#include "users/columns.hpp"

#include <algorithm>

using namespace companion;

namespace {

int item_count(const ArrayType *array)
{
    return ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
}

// The weekdays of an array as bits; zero where it holds none, or anything else.
unsigned weekdays_in(ArrayType *array)
{
    if (array_contains_nulls(array))
        return 0;
    const int count = item_count(array);
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

// The row with each weekday once, in order, however many were given.
Datum with_ordered_days(const NewRow &row)
{
    bool is_null;
    const Datum value = row.get("checkin_days", INT2ARRAYOID, &is_null);
    const unsigned found = is_null ? 0 : weekdays_in(DatumGetArrayTypeP(value));
    return found == 0 ? row.unchanged() : row.with("checkin_days", INT2ARRAYOID, to_array(found));
}

void check_days(const WrittenRow &row)
{
    const NullableDatum days = row.nullable("checkin_days", INT2ARRAYOID);
    if (days.isnull)
        return;
    ArrayType *array = DatumGetArrayTypeP(days.value);
    if (item_count(array) > 0 && weekdays_in(array) == 0)
        row.refuse("checkin_days", INT2ARRAYOID, "checkin_days holds what is no weekday",
                   "Weekdays are 1 (Monday) to 7.");
}

void check_time(const WrittenRow &row, const char *column)
{
    const NullableDatum time = row.nullable(column, TIMEOID);
    if (!time.isnull && DatumGetTimeADT(time.value) >= USECS_PER_DAY)
        row.refuse(column, TIMEOID, psprintf("%s is 24:00, expected less", column));
}

// It is the addresses' to say.
void check_usable(const WrittenRow &row)
{
    const NullableDatum usable = row.nullable("usable_addresses", TEXTARRAYOID);
    if (row.is_changed("usable_addresses", TEXTARRAYOID) && is_by_grant() &&
        !(row.is_inserted() && usable.isnull))
        row.refuse("usable_addresses", TEXTARRAYOID, "usable_addresses is kept by a trigger",
                   "Write companion.addresses.");
}

void check_whatsapp_number(const WrittenRow &row)
{
    const NullableDatum number = row.nullable("whatsapp_number", TEXTOID);
    if (!number.isnull && !is_phone_number(text_view(number.value)))
        row.refuse("whatsapp_number", TEXTOID, "whatsapp_number is not in E.164 form",
                   "Write it as +491511234567.");
}

// Refuse a user who belongs into another database.
void check_shard(const WrittenRow &row)
{
    const Shard *shard = this_shard();
    if (shard == nullptr || !row.is_changed("id", UUIDOID))
        return;
    const Datum id = row.nullable("id", UUIDOID).value;
    if (shard->has(*DatumGetUUIDP(id)))
        return;
    const int number = shard_of(DatumGetUUIDP(id)->data, shard->shards);
    row.refuse("id", UUIDOID,
               psprintf("user %s belongs to shard %d, this is %s",
                        DatumGetCString(DirectFunctionCall1(uuid_out, id)), number,
                        name_of(*shard)),
               "companion.shard_of() says where a user belongs.");
}

} // namespace

COMPANION_FUNCTION(order_checkin_days)
{
    return with_ordered_days(NewRow(fcinfo));
}

COMPANION_FUNCTION(check_user)
{
    static constexpr struct {
        const char *column;
        int most;
    } texts[] = {{"email", longest_email},
                 {"display_name", longest_name},
                 {"companion_name", longest_name},
                 {"support_style", longest_name},
                 {"telegram_username", longest_username},
                 {"location", longest_location}};
    const WrittenRow row(fcinfo);
    check_shard(row);
    for (const auto &[column, most] : texts)
        row.check_length(column, 0, most);
    for (const char *column : {"checkin_time", "quiet_from", "quiet_until"})
        check_time(row, column);
    check_days(row);
    check_channel(row, "preferred_channel");
    check_usable(row);
    row.check_number("telegram_user_id", INT8OID, 1);
    check_whatsapp_number(row);
    row.check_one_of("subscription_status", subscription_statuses);
    for (const char *column : {"preferences", "app_data"}) {
        row.check_object(column);
        row.check_size(column, JSONBOID);
    }
    return row.unchanged();
}
