// The trigger that keeps users.usable_addresses as their addresses are.
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/lookup.hpp"
#include "postgres/relations.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"

#include <algorithm>
#include <tuple>

using namespace companion;

namespace {

Statement set_usable{R"sql(
    UPDATE companion.users SET usable_addresses = $2
    WHERE id = $1 AND usable_addresses IS DISTINCT FROM $2
)sql",
                     UUIDOID, TEXTARRAYOID};

Statement find_stale{R"sql(
    SELECT FROM companion.users WHERE id = $1 AND usable_addresses IS DISTINCT FROM $2
)sql",
                     UUIDOID, TEXTARRAYOID};

// A usable address, and when it was linked.
struct Usable {
    Datum channel, bot, address;
    TimestampTz linked_at;
};

// The one that was linked last comes first.
bool comes_before(const Usable &a, const Usable &b)
{
    return std::tuple(-a.linked_at, text_view(a.channel), text_view(a.bot), text_view(a.address)) <
           std::tuple(-b.linked_at, text_view(b.channel), text_view(b.bot), text_view(b.address));
}

// The row that is come to, if it is usable.
bool read_usable(const Lookup &rows, Usable *usable)
{
    const auto value = [&](const char *column) { return rows.get(rows.column(column)); };
    const auto copied = [&](const char *column) {
        return PointerGetDatum(DatumGetTextPCopy(value(column).value));
    };
    if (!value("unlinked_at").isnull || !value("disabled_at").isnull)
        return false;
    *usable = {copied("channel"), copied("bot"), copied("address"),
               DatumGetTimestampTz(value("linked_at").value)};
    return true;
}

Datum to_texts(const Usable *usable, int count)
{
    ArrayBuilder texts(TEXTOID);
    for (int place = 0; place < count; place++)
        for (const Datum part : {usable[place].channel, usable[place].bot, usable[place].address})
            texts.add(part);
    return texts.finish();
}

// What is usable of a user's addresses, as users.usable_addresses has it. Without a plan, which
// might be one that looks at everybody's.
NullableDatum usable_texts(Datum user_id)
{
    int count = 0, room = 8;
    auto *usable = static_cast<Usable *>(palloc(room * sizeof(Usable)));
    Lookup rows("addresses", "addresses_pkey");
    for (bool is_there = rows.find(user_id); is_there; is_there = rows.next()) {
        if (count == room)
            usable = static_cast<Usable *>(repalloc(usable, (room *= 2) * sizeof(Usable)));
        count += read_usable(rows, &usable[count]);
    }
    rows.close();
    std::sort(usable, usable + count, comes_before);
    return {count == 0 ? Datum{0} : to_texts(usable, count), count == 0};
}

// Error 09000 where a trigger keeps the user's row from being changed, or changes it otherwise.
void keep_usable_of(Datum user_id)
{
    const NullableDatum texts = usable_texts(user_id);
    const char nulls[] = {' ', null_flag(texts)};
    set_usable.execute({user_id, texts.value}, nulls);
    if (find_stale.execute({user_id, texts.value}, nulls) > 0)
        refuse_suppressed("users");
}

// A row of addresses that has been written or deleted: whose it was, and whose it is.
struct Owners {
    NullableDatum before{0, true}, now{0, true};
};

Owners owners(FunctionCallInfo fcinfo)
{
    auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
        !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("this function must be called as a trigger after a row's change"));
    const AttrNumber number = column_number(trigger->tg_relation, "user_id");
    const auto owner = [&](HeapTuple row) {
        NullableDatum id;
        id.value = heap_getattr(row, number, RelationGetDescr(trigger->tg_relation), &id.isnull);
        return id;
    };
    const NullableDatum first = owner(trigger->tg_trigtuple);
    if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
        return {first, {0, true}};
    return {first, owner(trigger->tg_newtuple)};
}

} // namespace

COMPANION_FUNCTION(keep_usable)
{
    const Owners whose = owners(fcinfo);
    with_spi([&] {
        keep_usable_of(whose.before.value);
        if (!whose.now.isnull && !is_same_uuid(whose.before.value, whose.now.value))
            keep_usable_of(whose.now.value);
    });
    return PointerGetDatum(nullptr);
}
