// The triggers that keep users' own columns, their addresses and what is usable of these in step.
#include "channels/address.hpp"
#include "channels/written.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/relations.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"

using namespace companion;

namespace {

// What is usable of a user's addresses ($1), the one that was linked last first.
#define USABLE_TEXTS                                                                               \
    "(SELECT array_agg(t.value ORDER BY a.linked_at DESC, a.channel, a.bot, a.address, t.place)"   \
    " FROM companion.addresses AS a"                                                               \
    " CROSS JOIN LATERAL (VALUES (1, a.channel), (2, a.bot), (3, a.address)) AS t (place, value)"  \
    " WHERE a.user_id = $1 AND a.disabled_at IS NULL AND a.unlinked_at IS NULL)"

Statement set_usable{"UPDATE companion.users AS u SET usable_addresses = usable.texts"
                     " FROM (SELECT " USABLE_TEXTS " AS texts) AS usable"
                     " WHERE u.id = $1 AND u.usable_addresses IS DISTINCT FROM usable.texts",
                     UUIDOID};

Statement find_stale{"SELECT FROM companion.users AS u"
                     " WHERE u.id = $1 AND u.usable_addresses IS DISTINCT FROM " USABLE_TEXTS,
                     UUIDOID};

Statement take_over{R"sql(
    DELETE FROM companion.addresses AS a
    WHERE (a.channel = $2 AND a.bot = $3 AND a.unlinked_at IS NULL AND $5
            AND companion.address_key(a.channel, a.address) COLLATE "C" = companion.address_key($2, $4))
        OR (a.user_id = $1 AND a.channel = $2 AND a.bot = $3 AND a.address = $4)
)sql",
                    UUIDOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID};

Statement note_taken{R"sql(
    INSERT INTO companion.addresses (user_id, channel, address, unlinked_at)
    VALUES ($1, $2, $3, companion.now()) ON CONFLICT DO NOTHING
)sql",
                     UUIDOID, TEXTOID, TEXTOID};

Statement has_linked{R"sql(
    SELECT FROM companion.addresses AS a
    WHERE a.user_id = $1 AND a.channel = $2 AND a.unlinked_at IS NULL AND a.disabled_at IS NULL
        AND companion.address_key(a.channel, a.address) = companion.address_key($2, $3)
)sql",
                     UUIDOID, TEXTOID, TEXTOID};

// Error 09000 where a trigger keeps the user's row from being changed, or changes it otherwise.
void keep_usable_of(Datum user_id)
{
    set_usable.execute({user_id});
    if (find_stale.execute({user_id}) > 0)
        refuse_suppressed("users");
}

// The address that a column's value is; null where it is none.
NullableDatum address_in(NullableDatum value, std::string_view channel)
{
    if (value.isnull)
        return value;
    if (channel == "telegram")
        return {CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(int8out, value.value))),
                false};
    if (channel == "whatsapp")
        return value;
    const std::string_view email = text_view(value.value);
    if (email.find('@') == email.npos || has_control_character(email))
        return {0, true};
    return {lower_case(email), false};
}

// A column of users that names the user's own account on a channel.
struct OwnColumn {
    const char *name;
    Oid type;
    const char *channel;
};
constexpr OwnColumn own_columns[] = {{"telegram_user_id", INT8OID, "telegram"},
                                     {"whatsapp_number", TEXTOID, "whatsapp"},
                                     {"email", TEXTOID, "email"}};

// A row says that the column's address is not theirs, to a restore as well, which begins with the
// columns.
void leave_taken(Datum user_id, const OwnColumn &column, Datum address)
{
    note_taken.execute({user_id, CStringGetTextDatum(column.channel), address});
    ereport(WARNING, errmsg("%s of user %s is another user's address", column.name,
                            DatumGetCString(DirectFunctionCall1(uuid_out, user_id))),
            errdetail("It stays an address of the other one's on channel %s.", column.channel));
}

void keep_address(const WrittenRow &row, const OwnColumn &column)
{
    if (!row.is_changed(column.name, column.type))
        return;
    const Datum user_id = row.nullable("id", UUIDOID).value, channel = to_text(column.channel);
    const NullableDatum before = address_in(row.before(column.name, column.type), column.channel),
                        now = address_in(row.nullable(column.name, column.type), column.channel);
    const bool is_same = !before.isnull && !now.isnull &&
                         text_view(before.value) == text_view(now.value);
    if (is_same)
        return;
    // In this order, so that what is pending goes to the new one
    if (!now.isnull && has_linked.execute({user_id, channel, now.value}) == 0 &&
        !link(user_id, {channel, to_text(""), now.value}))
        leave_taken(user_id, column, now.value);
    if (!before.isnull)
        unlink(user_id, {channel, 0, before.value});
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

// The row with its address in its channel's form. Errors 22023.
Datum with_canonical_address(const NewRow &row)
{
    const auto text = [&](const char *column) {
        bool is_null;
        const Datum value = row.get(column, TEXTOID, &is_null);
        return is_null ? std::string_view() : text_view(value);
    };
    const Channel channel = require_channel(text("channel"));
    check_bot(text("bot"));
    return row.with("address", TEXTOID, canonical_address(channel, text("address")));
}

// Make room for a row that is restored.
void take_place(const NewRow &row)
{
    bool is_null, is_linked;
    const auto value = [&](const char *column) { return row.get(column, TEXTOID, &is_null); };
    row.get("unlinked_at", TIMESTAMPTZOID, &is_linked);
    const Datum user_id = row.get("user_id", UUIDOID, &is_null);
    take_over.execute(
        {user_id, value("channel"), value("bot"), value("address"), BoolGetDatum(is_linked)});
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

COMPANION_FUNCTION(keep_addresses)
{
    const WrittenRow row(fcinfo);
    with_spi([&] {
        for (const OwnColumn &column : own_columns)
            keep_address(row, column);
    });
    return PointerGetDatum(nullptr);
}

COMPANION_FUNCTION(check_address)
{
    const NewRow row(fcinfo);
    if (row.is_inserted() && has_bypassrls_privilege(GetUserId()))
        with_spi([&] { take_place(row); });
    return is_restored() ? row.unchanged() : with_canonical_address(row);
}
