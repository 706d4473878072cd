// The channels, as companion.channels has them.
#include "channels/channel.hpp"

#include "channels/number_forms.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/relations.hpp"

#include <algorithm>

namespace companion {

// What this session has read of them; nothing where it has to read them anew.
static struct {
    MemoryContext context;
    Channels channels;
    Oid table;
    bool is_valid;
} kept;

static void forget_channels(Datum, Oid relation)
{
    if (relation == kept.table || relation == InvalidOid)
        kept.is_valid = false;
}

static Channel read_channel(TupleTableSlot *slot, Relation table)
{
    const auto value = [&](const char *column) {
        NullableDatum result;
        result.value = slot_getattr(slot, column_number(table, column), &result.isnull);
        return result;
    };
    const NullableDatum longest = value("longest_text");
    Channel channel{{},
                    DatumGetInt32(value("rank").value),
                    DatumGetBool(value("needs_address").value),
                    DatumGetBool(value("only_if_preferred").value),
                    longest.isnull ? 0 : DatumGetInt32(longest.value)};
    namestrcpy(&channel.name, TextDatumGetCString(value("channel").value));
    return channel;
}

// Append a row to those read so far.
static void add(Channels *read, const Channel &channel, int *room)
{
    auto *rows = const_cast<Channel *>(read->first);
    if (read->count == *room) {
        *room *= 2;
        rows = static_cast<Channel *>(repalloc(rows, *room * sizeof(Channel)));
    }
    rows[read->count] = channel;
    *read = {rows, read->count + 1};
}

static Channels read_channels(Relation table)
{
    int room = 16;
    Channels read{static_cast<Channel *>(palloc(room * sizeof(Channel))), 0};
    Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
    TableScanDesc scan = table_beginscan(table, snapshot, 0, nullptr);
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
        add(&read, read_channel(slot, table), &room);
    ExecDropSingleTupleTableSlot(slot);
    table_endscan(scan);
    UnregisterSnapshot(snapshot);
    std::sort(const_cast<Channel *>(read.begin()), const_cast<Channel *>(read.end()),
              [](const Channel &a, const Channel &b) {
                  return a.rank != b.rank ? a.rank < b.rank : a.name_view() < b.name_view();
              });
    return read;
}

// Who changes them while they are read has them read again.
static void load()
{
    if (kept.context == nullptr) {
        kept.context =
            AllocSetContextCreate(TopMemoryContext, "companion channels", ALLOCSET_SMALL_SIZES);
        CacheRegisterRelcacheCallback(forget_channels, Datum{0});
    }
    MemoryContextReset(kept.context);
    Relation table = table_open(relation_id("channels"), AccessShareLock);
    kept.table = RelationGetRelid(table);
    kept.is_valid = true;
    MemoryContext caller = MemoryContextSwitchTo(kept.context);
    kept.channels = {};
    kept.channels = read_channels(table);
    MemoryContextSwitchTo(caller);
    table_close(table, NoLock);
}

Channels channels()
{
    while (!kept.is_valid)
        load();
    return kept.channels;
}

const Channel *find_channel(std::string_view name)
{
    for (const Channel &channel : channels())
        if (channel.name_view() == name)
            return &channel;
    return nullptr;
}

const Channel &require_channel(std::string_view name)
{
    if (const Channel *channel = find_channel(name))
        return *channel;
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("unknown channel \"%s\"", excerpt(name)),
            errhint("The channels are the rows of companion.channels."));
    pg_unreachable();
}

bool has_control_character(std::string_view text)
{
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

static void refuse_control_characters(const char *name, std::string_view text)
{
    if (has_control_character(text))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s has a control character", name));
}

void check_bot(std::string_view bot)
{
    const int length = character_count(bot);
    if (length > longest_bot_name)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("bot has %d characters, expected up to %d", length, longest_bot_name));
    refuse_control_characters("bot", bot);
}

[[noreturn]] static void refuse_address(std::string_view address, const char *expected)
{
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("address is \"%s\", expected %s", excerpt(address), expected));
    pg_unreachable();
}

static Datum telegram_id(std::string_view address)
{
    char *text = pnstrdup(address.data(), address.size());
    const Datum id = DirectFunctionCall1(int8in, CStringGetDatum(text));
    return CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(int8out, id)));
}

// WhatsApp's own ids are the number without the +.
static Datum phone_number(std::string_view address)
{
    const char *number = psprintf("%s%.*s", address[0] == '+' ? "" : "+",
                                  static_cast<int>(address.size()), address.data());
    if (!is_phone_number(number))
        refuse_address(address, "a number in E.164 form");
    return CStringGetTextDatum(number);
}

// Of ASCII's letters only, so that what is one address does not depend on a locale.
Datum lower_case(std::string_view address)
{
    char *lower = pnstrdup(address.data(), address.size());
    std::transform(lower, lower + address.size(), lower, pg_ascii_tolower);
    return CStringGetTextDatum(lower);
}

static Datum email_address(std::string_view address)
{
    if (address.find('@') == address.npos)
        refuse_address(address, "an e-mail address");
    return lower_case(address);
}

static Datum id_of_user(std::string_view address)
{
    char *text = pnstrdup(address.data(), address.size());
    const Datum id = DirectFunctionCall1(uuid_in, CStringGetDatum(text));
    return CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(uuid_out, id)));
}

Datum canonical_address(const Channel &channel, std::string_view address)
{
    check_length("address", address, 512);
    refuse_control_characters("address", address);
    const std::string_view name = channel.name_view();
    if (!channel.needs_address)
        return id_of_user(address);
    if (name == "telegram")
        return telegram_id(address);
    if (name == "whatsapp")
        return phone_number(address);
    if (name == "email")
        return email_address(address);
    return to_text(address);
}

} // namespace companion

using namespace companion;

COMPANION_FUNCTION(reload_channels)
{
    auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("this function must be called as a trigger after a change"));
    CacheInvalidateRelcache(trigger->tg_relation);
    return PointerGetDatum(nullptr);
}
