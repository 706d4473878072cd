// Addresses as rows: who has one, linking it, and taking it away.
//
// No lock but those of the rows and of the index of what is linked: one transaction may link any
// number of addresses.
#include "channels/address.hpp"

#include "channels/number_forms.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"
#include "sharding/reservations.hpp"

namespace companion {

// Returns whether the row is the one that was meant. None where somebody has the address.
static Statement insert_linked{R"sql(
    INSERT INTO companion.addresses AS a (user_id, channel, bot, address, last_incoming_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING
    RETURNING a.user_id = $1 AND a.channel = $2 AND a.bot = $3 AND a.address = $4
        AND a.unlinked_at IS NULL
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};

// What the user had before makes room.
static Statement delete_unlinked{R"sql(
    DELETE FROM companion.addresses AS a
    WHERE a.user_id = $1 AND a.channel = $2 AND a.bot = $3 AND a.address = $4
        AND a.unlinked_at IS NOT NULL
    RETURNING a.last_incoming_at
)sql",
                                 UUIDOID, TEXTOID, TEXTOID, TEXTOID};

// What of the user's is linked already, for one bot or, with none ($4), for all.
static Statement link_again{R"sql(
    UPDATE companion.addresses AS a
    SET linked_at = companion.now(), disabled_at = NULL, disabled_reason = NULL
    WHERE a.user_id = $1 AND a.channel = $2 AND a.unlinked_at IS NULL AND $4 IN ('', a.bot)
        AND companion.address_key(a.channel, a.address) = companion.address_key($2, $3)
    RETURNING a.user_id = $1 AND a.channel = $2 AND a.unlinked_at IS NULL
)sql",
                            UUIDOID, TEXTOID, TEXTOID, TEXTOID};

// The row with a bot, which takes the place of the one that was found without.
static Statement insert_with_bot{R"sql(
    INSERT INTO companion.addresses AS a
        (user_id, channel, bot, address, linked_at, disabled_at, disabled_reason, last_incoming_at)
    SELECT user_id, channel, $4, address, linked_at, disabled_at, disabled_reason, last_incoming_at
    FROM companion.addresses
    WHERE user_id = $1 AND channel = $2 AND bot = '' AND address = $3 AND unlinked_at IS NULL
    ON CONFLICT DO NOTHING
    RETURNING a.user_id = $1 AND a.channel = $2 AND a.bot = $4 AND a.address = $3
        AND a.unlinked_at IS NULL
)sql",
                                 UUIDOID, TEXTOID, TEXTOID, TEXTOID};

static Statement delete_without_bot{R"sql(
    DELETE FROM companion.addresses
    WHERE user_id = $1 AND channel = $2 AND bot = '' AND address = $3 AND unlinked_at IS NULL
)sql",
                                    UUIDOID, TEXTOID, TEXTOID};

static Statement unlink_rows{R"sql(
    UPDATE companion.addresses AS a SET unlinked_at = companion.now()
    WHERE a.user_id = $1 AND a.channel = $2 AND a.unlinked_at IS NULL
        AND companion.address_key(a.channel, a.address) = companion.address_key($2, $3)
        AND ($4 IS NULL OR a.bot = $4)
    RETURNING a.unlinked_at IS NOT NULL
)sql",
                             UUIDOID, TEXTOID, TEXTOID, TEXTOID};

static Statement disable_rows{R"sql(
    UPDATE companion.addresses AS a SET disabled_at = companion.now(), disabled_reason = $5
    WHERE a.user_id = $1 AND a.channel = $2 AND a.unlinked_at IS NULL AND a.disabled_at IS NULL
        AND companion.address_key(a.channel, a.address) = companion.address_key($2, $3)
        AND ($4 IS NULL OR a.bot = $4)
    RETURNING a.disabled_at IS NOT NULL
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};

// Whether a user has it, or, $5, it is usable.
static Statement find_rows{R"sql(
    SELECT FROM companion.addresses AS a
    WHERE a.user_id = $1 AND a.channel = $2 AND a.unlinked_at IS NULL
        AND companion.address_key(a.channel, a.address) = companion.address_key($2, $3)
        AND ($4 IS NULL OR a.bot = $4) AND (NOT $5 OR a.disabled_at IS NULL)
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID};

Datum address_key(Datum channel, Datum address)
{
    if (text_view(channel) != "whatsapp")
        return address;
    const PhoneNumber other = other_form(text_view(address));
    return other.size > text_view(address).size() ? to_text(other.view()) : address;
}

Address key_of(const Address &address)
{
    return {address.channel, address.bot, address_key(address.channel, address.address)};
}

Address given_address(const Arguments &arguments, int position)
{
    const Channel channel = require_channel(arguments.text(position, "channel"));
    if (!channel.needs_address)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("channel \"%s\" needs no address", NameStr(channel.name)));
    const Datum text = canonical_address(channel, arguments.text(position + 1, "address"));
    if (!arguments.is_null(position + 2))
        check_bot(arguments.text(position + 2, "bot"));
    return {arguments.optional(position), arguments.optional(position + 2), text};
}

static Datum copied(NullableDatum value)
{
    return PointerGetDatum(DatumGetTextPCopy(value.value));
}

LinkedAddress read_address(const Lookup &rows)
{
    const auto value = [&](const char *column) { return rows.get(rows.column(column)); };
    const NullableDatum linked_at = value("linked_at");
    return {*DatumGetUUIDP(value("user_id").value),
            {copied(value("channel")), copied(value("bot")), copied(value("address"))},
            linked_at.isnull ? DT_NOBEGIN : DatumGetTimestampTz(linked_at.value),
            value("unlinked_at").isnull,
            !value("disabled_at").isnull,
            rows.place()};
}

static bool find_for_bot(const Address &address, LinkedAddress *linked)
{
    const Datum key[] = {address.channel, address_key(address.channel, address.address),
                         address.bot};
    Lookup rows("addresses", "addresses_linked");
    const bool is_found = rows.find(key, 3);
    if (is_found)
        *linked = read_address(rows);
    rows.close();
    return is_found;
}

static bool comes_before(const LinkedAddress &one, const LinkedAddress &other)
{
    const bool has_bot = !text_view(one.stored.bot).empty(),
               other_has_bot = !text_view(other.stored.bot).empty();
    return has_bot != other_has_bot ? other_has_bot : one.linked_at > other.linked_at;
}

static bool find_for_whichever_bot(const Address &address, LinkedAddress *linked)
{
    const Datum key[] = {address.channel, address_key(address.channel, address.address)};
    Lookup rows("addresses", "addresses_linked");
    bool is_found = false;
    for (bool is_there = rows.find(key, 2); is_there; is_there = rows.next()) {
        const LinkedAddress row = read_address(rows);
        if (!is_found || comes_before(row, *linked))
            *linked = row;
        is_found = true;
    }
    rows.close();
    return is_found;
}

static Address without_bot(const Address &address)
{
    return {address.channel, to_text(""), address.address};
}

bool find_linked(const Address &address, LinkedAddress *linked)
{
    if (address.bot == 0)
        return find_for_whichever_bot(address, linked);
    return find_for_bot(address, linked) ||
           (!text_view(address.bot).empty() && find_for_bot(without_bot(address), linked));
}

static int add_unlinked(const Address &address, LinkedAddress *rows, int count, int room)
{
    const Datum key[] = {address.channel, address_key(address.channel, address.address),
                         address.bot};
    Lookup found("addresses", "addresses_unlinked");
    for (bool is_there = found.find(key, 3); is_there && count < room; is_there = found.next())
        rows[count++] = read_address(found);
    found.close();
    return count;
}

int find_unlinked(const Address &address, LinkedAddress *rows, int room)
{
    const int count = add_unlinked(address, rows, 0, room);
    return text_view(address.bot).empty() ? count
                                          : add_unlinked(without_bot(address), rows, count, room);
}

// Refuse what a trigger has made of the rows of the last result, whose first column is to be true.
// Error 09000. Returns whether there are any.
static bool require_as_written(uint64 rows)
{
    for (uint64 row = 0; row < rows; row++) {
        bool is_null;
        if (!DatumGetBool(result_field(row, 1, &is_null)) || is_null)
            refuse_changed("addresses",
                           "user_id, channel, bot, address, unlinked_at or disabled_at");
    }
    return rows > 0;
}

// Remove what the user had of it before; returns when a message last came from it then.
static NullableDatum forget_unlinked(Datum user_id, const Address &address)
{
    NullableDatum last_incoming_at{0, true};
    if (delete_unlinked.execute({user_id, address.channel, address.bot, address.address}) > 0)
        last_incoming_at.value = result_field(0, 1, &last_incoming_at.isnull);
    return last_incoming_at;
}

static bool insert(Datum user_id, const Address &address, NullableDatum last_incoming_at)
{
    const char nulls[] = {' ', ' ', ' ', ' ', null_flag(last_incoming_at)};
    return require_as_written(insert_linked.execute(
        {user_id, address.channel, address.bot, address.address, last_incoming_at.value}, nulls));
}

bool adopt(const LinkedAddress &linked, Datum bot)
{
    const Datum user_id = UUIDPGetDatum(&linked.user_id);
    const Address &stored = linked.stored;
    forget_unlinked(user_id, {stored.channel, bot, stored.address});
    if (!require_as_written(
            insert_with_bot.execute({user_id, stored.channel, stored.address, bot})))
        return false;
    if (delete_without_bot.execute({user_id, stored.channel, stored.address}) == 0)
        refuse_suppressed("addresses");
    return true;
}

// What an attempt to link an address has come to.
enum class Linking { linked, taken, raced };

static Linking try_link(Datum user_id, const Address &address)
{
    LinkedAddress present;
    const bool is_there = find_linked(address, &present);
    if (is_there && !is_same_uuid(present.user_id, *DatumGetUUIDP(user_id)))
        return Linking::taken;
    if (is_there && text_view(present.stored.bot) != text_view(address.bot) &&
        !adopt(present, address.bot))
        return Linking::raced;
    if (require_as_written(
            link_again.execute({user_id, address.channel, address.address, address.bot})) ||
        insert(user_id, address, forget_unlinked(user_id, address)))
        return Linking::linked;
    return Linking::raced;
}

// Whether the user has it linked, for this bot or, where it has none, for whichever.
static bool has_linked(Datum user_id, const Address &address)
{
    const bool has_no_bot = text_view(address.bot).empty();
    const char nulls[] = {' ', ' ', ' ', has_no_bot ? 'n' : ' ', ' '};
    return find_rows.execute(
               {user_id, address.channel, address.address, address.bot, BoolGetDatum(false)},
               nulls) > 0;
}

// On a shard: refuse to link what another shard's user may have. Error 55000.
static void require_permission(Datum user_id, const Address &address)
{
    LinkedAddress present;
    const bool is_there = find_linked(address, &present);
    const bool is_taken = is_there && !is_same_uuid(present.user_id, *DatumGetUUIDP(user_id));
    if (!is_taken && !has_linked(user_id, address))
        require_reservation(user_id, address);
}

bool link(Datum user_id, const Address &address)
{
    if (needs_directory())
        require_permission(user_id, address);
    constexpr int attempts = 3;
    for (int attempt = 0; attempt < attempts; attempt++)
        if (const Linking linking = try_link(user_id, address); linking != Linking::raced)
            return linking == Linking::linked;
    refuse_suppressed("addresses");
}

// The null flag of an address's bot.
static char bot_flag(const Address &address)
{
    return address.bot == 0 ? 'n' : ' ';
}

// Refuse to leave rows unchanged that are there: a trigger has suppressed it. Error 09000.
static bool is_changed(uint64 rows, Datum user_id, const Address &address, bool only_usable)
{
    if (require_as_written(rows))
        return true;
    const char nulls[] = {' ', ' ', ' ', bot_flag(address), ' '};
    if (find_rows.execute(
            {user_id, address.channel, address.address, address.bot, BoolGetDatum(only_usable)},
            nulls) > 0)
        refuse_suppressed("addresses");
    return false;
}

bool unlink(Datum user_id, const Address &address)
{
    const char nulls[] = {' ', ' ', ' ', bot_flag(address)};
    const uint64 rows =
        unlink_rows.execute({user_id, address.channel, address.address, address.bot}, nulls);
    return is_changed(rows, user_id, address, false);
}

bool disable(Datum user_id, const Address &address, NullableDatum reason)
{
    const char nulls[] = {' ', ' ', ' ', bot_flag(address), null_flag(reason)};
    const uint64 rows = disable_rows.execute(
        {user_id, address.channel, address.address, address.bot, reason.value}, nulls);
    return is_changed(rows, user_id, address, true);
}

} // namespace companion

using namespace companion;

COMPANION_FUNCTION(address_key)
{
    const Arguments arguments(fcinfo);
    return address_key(arguments.required(0, "channel"), arguments.required(1, "address"));
}
