// What a message that comes from an address says of the address.
#include "channels/incoming.hpp"

#include "postgres/arguments.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "sharding/reservations.hpp"

namespace companion {

// Of the version of the row that was found, if it is the newest. Returns whether it is still found
// by what it was.
static Statement note_last{R"sql(
    UPDATE companion.addresses AS a SET last_incoming_at = greatest(a.last_incoming_at, $6)
    WHERE a.ctid = $5 AND a.user_id = $1 AND a.channel = $2 AND a.bot = $3 AND a.address = $4
        AND a.unlinked_at IS NULL AND a.disabled_at IS NULL
    RETURNING a.user_id = $1 AND a.channel = $2 AND a.bot = $3 AND a.address = $4
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, TIDOID, TIMESTAMPTZOID};

// The same where it is disabled: its triggers have work to do.
static Statement enable{R"sql(
    UPDATE companion.addresses AS a
    SET last_incoming_at = greatest(a.last_incoming_at, $6), disabled_at = NULL,
        disabled_reason = NULL
    WHERE a.ctid = $5 AND a.user_id = $1 AND a.channel = $2 AND a.bot = $3 AND a.address = $4
        AND a.unlinked_at IS NULL
    RETURNING a.user_id = $1 AND a.channel = $2 AND a.bot = $3 AND a.address = $4
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, TIDOID, TIMESTAMPTZOID};

// Whether a row was changed. Error 09000 where it is not found any more by what it was.
static bool require_as_found(uint64 rows)
{
    if (rows > 0 && !DatumGetBool(result_field(0, 1)))
        refuse_changed("addresses", "user_id, channel, bot or address");
    return rows > 0;
}

// Whether an address that was found without a bot is to get this one. On a shard another's user may
// have it for this bot.
static bool is_to_adopt(const LinkedAddress &linked, Datum bot)
{
    if (text_view(linked.stored.bot) == text_view(bot))
        return false;
    return !needs_directory() ||
           use_reservation(UUIDPGetDatum(&linked.user_id),
                           {linked.stored.channel, bot, linked.stored.address});
}

bool note_incoming(const LinkedAddress &linked, Datum bot)
{
    if (is_to_adopt(linked, bot)) {
        adopt(linked, bot);
        return false;
    }
    ItemPointerData place = linked.place;
    Statement &note = linked.is_disabled ? enable : note_last;
    return require_as_found(
        note.execute({UUIDPGetDatum(&linked.user_id), linked.stored.channel, linked.stored.bot,
                      linked.stored.address, PointerGetDatum(&place), TimestampTzGetDatum(now())}));
}

} // namespace companion
