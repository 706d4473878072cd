// The trigger that keeps users.usable_addresses as their addresses are.
#include "channels/address.hpp"
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/relations.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"
#include "sharding/reservations.hpp"
#include "users/user_row.hpp"

#include <algorithm>
#include <tuple>

using namespace companion;

namespace {

Statement set_usable{R"sql(
    UPDATE companion.users SET usable_addresses = $2
    WHERE id = $1 AND usable_addresses IS DISTINCT FROM $2
    RETURNING usable_addresses IS NOT DISTINCT FROM $2
)sql",
                     UUIDOID, TEXTARRAYOID};

Statement set_none_usable{R"sql(
    UPDATE companion.users SET usable_addresses = NULL WHERE usable_addresses IS NOT NULL
)sql"};

Statement find_stale{R"sql(
    SELECT FROM companion.users WHERE id = $1 AND usable_addresses IS DISTINCT FROM $2
)sql",
                     UUIDOID, TEXTARRAYOID};

// The one that was linked last comes first.
bool comes_before(const LinkedAddress &a, const LinkedAddress &b)
{
    const auto key = [](TimestampTz other_linked_at, const Address &address) {
        return std::tuple(other_linked_at, text_view(address.channel), text_view(address.bot),
                          text_view(address.address));
    };
    return key(b.linked_at, a.stored) < key(a.linked_at, b.stored);
}

Datum to_texts(const LinkedAddress *usable, int count)
{
    ArrayBuilder texts(TEXTOID);
    for (const LinkedAddress *row = usable; row < usable + count; row++)
        for (const Datum part : {row->stored.channel, row->stored.bot, row->stored.address})
            texts.add(part);
    return texts.finish();
}

// What is usable of a user's addresses, as users.usable_addresses has it. Without a plan, which
// might be one that looks at everybody's.
NullableDatum usable_texts(Datum user_id)
{
    int count = 0, room = 8;
    auto *usable = static_cast<LinkedAddress *>(palloc(room * sizeof(LinkedAddress)));
    Lookup rows("addresses", "addresses_pkey");
    for (bool is_there = rows.find(user_id); is_there; is_there = rows.next()) {
        if (count == room)
            usable =
                static_cast<LinkedAddress *>(repalloc(usable, (room *= 2) * sizeof(LinkedAddress)));
        usable[count] = read_address(rows);
        count += usable[count].is_linked && !usable[count].is_disabled;
    }
    rows.close();
    std::sort(usable, usable + count, comes_before);
    return {count == 0 ? Datum{0} : to_texts(usable, count), count == 0};
}

// The user's row first: what is read of addresses that somebody else is changing would be old by
// the time that it is had. Error 09000 where a trigger keeps the user's row from being changed, or
// changes it otherwise.
void keep_usable_of(Datum user_id)
{
    if (!try_lock_user(user_id))
        return;
    const NullableDatum texts = usable_texts(user_id);
    const char nulls[] = {' ', null_flag(texts)};
    const bool is_set = set_usable.execute({user_id, texts.value}, nulls) > 0;
    if (is_set ? !DatumGetBool(result_field(0, 1))
               : find_stale.execute({user_id, texts.value}, nulls) > 0)
        refuse_suppressed("users");
}

// A row of addresses that has been written or deleted: whose it was, and whose it is.
struct Owners {
    NullableDatum before{0, true}, now{0, true};
};

bool is_truncated(FunctionCallInfo fcinfo)
{
    return CALLED_AS_TRIGGER(fcinfo) &&
           TRIGGER_FIRED_BY_TRUNCATE(reinterpret_cast<TriggerData *>(fcinfo->context)->tg_event);
}

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
    if (is_truncated(fcinfo)) {
        with_spi([] { set_none_usable.execute({}); });
        return PointerGetDatum(nullptr);
    }
    const Owners whose = owners(fcinfo);
    with_spi([&] {
        keep_usable_of(whose.before.value);
        if (!whose.now.isnull && !is_same_uuid(whose.before.value, whose.now.value))
            keep_usable_of(whose.now.value);
        if (needs_directory())
            note_freed(reinterpret_cast<TriggerData *>(fcinfo->context));
    });
    return PointerGetDatum(nullptr);
}
