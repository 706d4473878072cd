// Addresses as rows: who has one, linking it, and taking it away.
#include "channels/address.hpp"

#include "channels/number_forms.hpp"
#include "postgres/arguments.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"

namespace companion {

static Statement find_by_address{R"sql(
    SELECT user_id, bot, address, linked_at, disabled_at IS NOT NULL FROM companion.addresses
    WHERE channel = $1 AND bot = $2 AND address = $3 AND unlinked_at IS NULL
)sql",
                                 TEXTOID, TEXTOID, TEXTOID};

static Statement find_for_whichever_bot{R"sql(
    SELECT user_id, bot, address, linked_at, disabled_at IS NOT NULL FROM companion.addresses
    WHERE channel = $1 AND address = $2 AND unlinked_at IS NULL
    ORDER BY bot <> '', linked_at DESC, bot LIMIT 1
)sql",
                                        TEXTOID, TEXTOID};

// Returns whether the row is the one that was meant.
static Statement link_anew{R"sql(
    INSERT INTO companion.addresses AS a (user_id, channel, bot, address)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id, channel, bot, address) DO UPDATE
    SET linked_at = companion.now(), unlinked_at = NULL, disabled_at = NULL, disabled_reason = NULL
    RETURNING a.user_id = $1 AND a.channel = $2 AND a.bot = $3 AND a.address = $4
        AND a.unlinked_at IS NULL
)sql",
                           UUIDOID, TEXTOID, TEXTOID, TEXTOID};

// Those of the user's that are linked, for a bot ($4) or none, which then get it, or with no bot
// given for every one.
static Statement link_again{R"sql(
    UPDATE companion.addresses AS a
    SET linked_at = companion.now(), disabled_at = NULL, disabled_reason = NULL,
        bot = CASE WHEN $4 = '' THEN bot ELSE $4 END
    WHERE a.user_id = $1 AND a.channel = $2 AND a.address = $3 AND a.unlinked_at IS NULL
        AND ($4 = '' OR a.bot = $4 OR (a.bot = '' AND NOT EXISTS (
            SELECT FROM companion.addresses AS b
            WHERE b.user_id = $1 AND b.channel = $2 AND b.bot = $4 AND b.address = $3)))
    RETURNING a.user_id = $1 AND a.channel = $2 AND a.address = $3 AND a.unlinked_at IS NULL
)sql",
                            UUIDOID, TEXTOID, TEXTOID, TEXTOID};

static Statement unlink_rows{R"sql(
    UPDATE companion.addresses AS a SET unlinked_at = companion.now()
    WHERE a.user_id = $1 AND a.channel = $2 AND a.address = $3 AND a.unlinked_at IS NULL
        AND ($4 IS NULL OR a.bot = $4)
    RETURNING a.unlinked_at IS NOT NULL
)sql",
                             UUIDOID, TEXTOID, TEXTOID, TEXTOID};

static Statement disable_rows{R"sql(
    UPDATE companion.addresses AS a SET disabled_at = companion.now(), disabled_reason = $5
    WHERE a.user_id = $1 AND a.channel = $2 AND a.address = $3 AND a.unlinked_at IS NULL
        AND a.disabled_at IS NULL AND ($4 IS NULL OR a.bot = $4)
    RETURNING a.disabled_at IS NOT NULL
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};

static Statement find_rows{R"sql(
    SELECT FROM companion.addresses AS a
    WHERE a.user_id = $1 AND a.channel = $2 AND a.address = $3 AND a.unlinked_at IS NULL
        AND (NOT $5 OR a.disabled_at IS NULL) AND ($4 IS NULL OR a.bot = $4)
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID};

static bool find_as_it_is(const Address &address, LinkedAddress *linked)
{
    const uint64 rows =
        address.bot == 0 ? find_for_whichever_bot.execute({address.channel, address.address})
                         : find_by_address.execute({address.channel, address.bot, address.address});
    if (rows == 0)
        return false;
    *linked = {*DatumGetUUIDP(result_field(0, 1)),
               {address.channel, result_field(0, 2), result_field(0, 3)},
               DatumGetTimestampTz(result_field(0, 4)),
               DatumGetBool(result_field(0, 5))};
    return true;
}

// The address in the other form that WhatsApp may have of a number; false where there is none.
static bool in_other_form(const Address &address, Address *other)
{
    if (text_view(address.channel) != "whatsapp")
        return false;
    const PhoneNumber number = other_form(text_view(address.address));
    *other = {address.channel, address.bot, to_text(number.view())};
    return number.size > 0;
}

static bool find_for_bot_or_none(const Address &address, LinkedAddress *linked)
{
    return find_as_it_is(address, linked) ||
           (address.bot != 0 && !text_view(address.bot).empty() &&
            find_as_it_is({address.channel, to_text(""), address.address}, linked));
}

bool find_linked(const Address &address, LinkedAddress *linked)
{
    Address other;
    return find_for_bot_or_none(address, linked) ||
           (in_other_form(address, &other) && find_for_bot_or_none(other, linked));
}

// Locks of our own, apart from those of SQL's pg_advisory_lock, which are 1 and 2.
constexpr uint16 address_lock = 0x6164;

static LOCKTAG lock_of(const Address &address)
{
    Address other;
    const std::string_view text = text_view(address.address);
    const std::string_view form =
        in_other_form(address, &other) ? std::min(text, text_view(other.address)) : text;
    const std::string_view channel = text_view(address.channel);
    const uint32 high = hash_bytes(reinterpret_cast<const unsigned char *>(channel.data()),
                                   static_cast<int>(channel.size())),
                 low = hash_bytes(reinterpret_cast<const unsigned char *>(form.data()),
                                  static_cast<int>(form.size()));
    LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, high, low, address_lock);
    return tag;
}

void lock_address(const Address &address)
{
    const LOCKTAG tag = lock_of(address);
    LockAcquire(&tag, ExclusiveLock, false, false);
}

void unlock_address(const Address &address)
{
    const LOCKTAG tag = lock_of(address);
    LockRelease(&tag, ExclusiveLock, false);
}

// Refuse what a trigger has made of the rows of the last result, whose first column is to be true.
// Error 09000.
static void require_as_written(uint64 rows)
{
    for (uint64 row = 0; row < rows; row++) {
        bool is_null;
        if (!DatumGetBool(result_field(row, 1, &is_null)) || is_null)
            refuse_changed("addresses",
                           "user_id, channel, bot, address, unlinked_at or disabled_at");
    }
}

bool link(Datum user_id, const Address &wanted)
{
    lock_address(wanted);
    Address address = wanted;
    if (LinkedAddress linked; find_linked(wanted, &linked)) {
        if (!is_same_uuid(linked.user_id, *DatumGetUUIDP(user_id)))
            return false;
        address.address = linked.stored.address;
    }
    uint64 rows = link_again.execute({user_id, address.channel, address.address, address.bot});
    if (rows == 0)
        rows = link_anew.execute({user_id, address.channel, address.bot, address.address});
    if (rows == 0)
        refuse_suppressed("addresses");
    require_as_written(rows);
    return true;
}

// Change a user's rows of an address by a statement, or else those of its other form. Error 09000
// where there are such and none is changed.
template <class Change>
static bool change_rows(Datum user_id, const Address &address, bool only_usable, Change change)
{
    const char nulls[] = {' ', ' ', ' ', address.bot == 0 ? 'n' : ' ', ' '};
    Address forms[2] = {address};
    const int count = in_other_form(address, &forms[1]) ? 2 : 1;
    for (int form = 0; form < count; form++) {
        const Address &tried = forms[form];
        if (const uint64 rows = change(tried, nulls)) {
            require_as_written(rows);
            return true;
        }
        if (find_rows.execute(
                {user_id, tried.channel, tried.address, tried.bot, BoolGetDatum(only_usable)},
                nulls) > 0)
            refuse_suppressed("addresses");
    }
    return false;
}

bool unlink(Datum user_id, const Address &address)
{
    return change_rows(user_id, address, false, [&](const Address &form, const char *nulls) {
        return unlink_rows.execute({user_id, form.channel, form.address, form.bot}, nulls);
    });
}

bool disable(Datum user_id, const Address &address, NullableDatum reason)
{
    return change_rows(user_id, address, true, [&](const Address &form, const char *nulls) {
        const char with_reason[] = {' ', ' ', ' ', nulls[3], null_flag(reason)};
        return disable_rows.execute({user_id, form.channel, form.address, form.bot, reason.value},
                                    with_reason);
    });
}

} // namespace companion
