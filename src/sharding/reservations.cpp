// What a shard knows of the directory's reservations.
//
// A reservation's row is what linking and settling meet at: who links uses it up, who settles puts
// a void one in its place, and each waits there for the other. A void one stays for as long as
// somebody may come with it.
#include "sharding/reservations.hpp"

#include "postgres/arguments.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "postgres/relations.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"
#include "sharding/shard.hpp"
#include "sharding/shard_of.hpp"
#include "users/user_row.hpp"

namespace companion {

static Statement use_up{R"sql(
    DELETE FROM companion.address_reservations
    WHERE user_id = $1 AND channel = $2 AND address = $3 AND bot = $4 AND NOT is_void
)sql",
                        UUIDOID, TEXTOID, TEXTOID, TEXTOID};

static Statement find_taken{R"sql(
    SELECT user_id FROM companion.address_reservations
    WHERE channel = $1 AND address = $2 AND bot = $3 AND NOT is_void
)sql",
                            TEXTOID, TEXTOID, TEXTOID};

// $5 what is noted.
static Statement add_change{R"sql(
    INSERT INTO companion.directory_changes (user_id, channel, address, bot, is_wanted)
    VALUES ($1, $2, $3, $4, $5)
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID};

static Statement drop_wanted{R"sql(
    DELETE FROM companion.directory_changes
    WHERE user_id = $1 AND channel = $2 AND is_wanted
        AND companion.address_key(channel, address) = companion.address_key($2, $3)
)sql",
                             UUIDOID, TEXTOID, TEXTOID};

bool needs_directory()
{
    return is_one_of_shards() && this_shard()->shards > 1;
}

bool use_reservation(Datum user_id, const Address &address)
{
    const Address key = key_of(address);
    return use_up.execute({user_id, key.channel, key.address, key.bot}) > 0;
}

[[noreturn]] static void refuse_unreserved()
{
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("the address is not reserved for the user"),
            errhint("Reserve it by companion.directory_reserve() on the directory, and give this "
                    "shard what it answers: companion.take_reservation()."));
    pg_unreachable();
}

void require_reservation(Datum user_id, const Address &address)
{
    if (!use_reservation(user_id, address))
        refuse_unreserved();
}

static bool find_reserved_user(const Address &address, pg_uuid_t *user_id)
{
    const Address key = key_of(address);
    if (find_taken.execute({key.channel, key.address, key.bot}) == 0)
        return false;
    *user_id = *DatumGetUUIDP(result_field(0, 1));
    return true;
}

bool is_reserved(Datum user_id, const Address &address)
{
    pg_uuid_t reserved;
    return find_reserved_user(address, &reserved) &&
           is_same_uuid(reserved, *DatumGetUUIDP(user_id));
}

pg_uuid_t reserved_user(const Address &address)
{
    pg_uuid_t user_id;
    if (!find_reserved_user(address, &user_id))
        refuse_unreserved();
    return user_id;
}

static void note(Datum user_id, const Address &address, bool is_wanted)
{
    if (add_change.execute(
            {user_id, address.channel, address.address, address.bot, BoolGetDatum(is_wanted)}) == 0)
        refuse_suppressed("directory_changes");
}

void want_address(Datum user_id, const Address &address)
{
    note(user_id, address, true);
}

void want_no_more(Datum user_id, const Address &address)
{
    drop_wanted.execute({user_id, address.channel, address.address});
}

// A row of addresses, as far as it says who has what. What a restore has made of a column, and
// replaces, nobody has been told of.
struct Link {
    Datum user_id;
    Address address;
    bool is_linked;
};

static Link read_link(Relation table, HeapTuple row)
{
    const auto value = [&](const char *column) {
        NullableDatum field;
        field.value =
            heap_getattr(row, column_number(table, column), RelationGetDescr(table), &field.isnull);
        return field;
    };
    return {value("user_id").value,
            {value("channel").value, value("bot").value, value("address").value},
            value("unlinked_at").isnull && !value("linked_at").isnull};
}

static bool is_same_link(const Link &one, const Link &other)
{
    const Address a = key_of(one.address), b = key_of(other.address);
    return one.is_linked == other.is_linked && is_same_uuid(one.user_id, other.user_id) &&
           text_view(a.channel) == text_view(b.channel) && text_view(a.bot) == text_view(b.bot) &&
           text_view(a.address) == text_view(b.address);
}

void note_freed(const TriggerData *trigger)
{
    if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
        return;
    const Link before = read_link(trigger->tg_relation, trigger->tg_trigtuple);
    const bool is_kept =
        TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) &&
        is_same_link(before, read_link(trigger->tg_relation, trigger->tg_newtuple));
    if (before.is_linked && !is_kept)
        note(before.user_id, before.address, false);
}

} // namespace companion

using namespace companion;

namespace {

// $1 to $4 for whom and what, $5 the number, $6 until when. No row where it is void, or another is
// newer.
Statement take{R"sql(
    INSERT INTO companion.address_reservations AS r
        (user_id, channel, address, bot, reservation, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (channel, address, bot) DO UPDATE
    SET user_id = excluded.user_id, reservation = excluded.reservation,
        expires_at = excluded.expires_at, is_void = false
    WHERE r.reservation < excluded.reservation
        OR (r.reservation = excluded.reservation AND NOT r.is_void)
    RETURNING r.user_id = $1 AND r.channel = $2 AND r.address = $3 AND r.bot = $4
        AND r.reservation = $5 AND NOT r.is_void
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID};

// The same where it is declared void. No row where a newer one was taken.
Statement declare_void{R"sql(
    INSERT INTO companion.address_reservations AS r
        (user_id, channel, address, bot, reservation, expires_at, is_void)
    VALUES ($1, $2, $3, $4, $5, $6, true)
    ON CONFLICT (channel, address, bot) DO UPDATE
    SET user_id = excluded.user_id, reservation = excluded.reservation,
        expires_at = greatest(excluded.expires_at, r.expires_at), is_void = true
    WHERE r.reservation <= excluded.reservation
    RETURNING r.channel = $2 AND r.address = $3 AND r.bot = $4 AND r.reservation = $5
        AND r.is_void
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID};

// What keeps one from being taken.
Statement find_obstacle{R"sql(
    SELECT FROM companion.address_reservations
    WHERE channel = $1 AND address = $2 AND bot = $3
        AND (reservation > $4 OR (reservation = $4 AND is_void))
)sql",
                        TEXTOID, TEXTOID, TEXTOID, INT8OID};

Statement find_newer{R"sql(
    SELECT FROM companion.address_reservations
    WHERE channel = $1 AND address = $2 AND bot = $3 AND reservation > $4
)sql",
                     TEXTOID, TEXTOID, TEXTOID, INT8OID};

Statement drop_void{R"sql(
    DELETE FROM companion.address_reservations
    WHERE channel = $1 AND address = $2 AND bot = $3
)sql",
                    TEXTOID, TEXTOID, TEXTOID};

// Whose it is here, for this bot.
Statement find_link{R"sql(
    SELECT user_id FROM companion.addresses AS a
    WHERE a.channel = $1 AND companion.address_key(a.channel, a.address) COLLATE "C" = $2
        AND a.bot = $3 AND a.unlinked_at IS NULL
)sql",
                    TEXTOID, TEXTOID, TEXTOID};

Statement find_wanted{R"sql(
    SELECT channel, address, bot FROM companion.directory_changes
    WHERE user_id = $1 AND id = $2 AND is_wanted FOR UPDATE
)sql",
                      UUIDOID, UUIDOID};

Statement drop_change{R"sql(
    DELETE FROM companion.directory_changes WHERE user_id = $1 AND id = $2
    RETURNING is_wanted, channel, address
)sql",
                      UUIDOID, UUIDOID};

// That it is another's, as where a user here has it.
Statement note_taken{R"sql(
    INSERT INTO companion.addresses (user_id, channel, address, unlinked_at)
    VALUES ($1, $2, $3, companion.now()) ON CONFLICT DO NOTHING
)sql",
                     UUIDOID, TEXTOID, TEXTOID};

Statement expire{R"sql(
    DELETE FROM companion.address_reservations WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM companion.address_reservations
        WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))
)sql",
                 TIMESTAMPTZOID, INT8OID};

// What directory_reserve() has answered.
struct Reservation {
    Datum user_id;
    Address key;
    Datum number, expires_at;
};

// The time at which a reservation is judged: a transaction may be older than what has been declared
// void, and forgotten, meanwhile.
TimestampTz time_of_judging()
{
    return clock_is_set() ? now() : GetCurrentTimestamp();
}

// Error 55000 where the database is no shard of several, 23514 for a user of another.
void require_shard_of(Datum user_id)
{
    if (!needs_directory())
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("this database is not one of several shards"),
                errhint("What is linked here needs no reservation."));
    const Shard shard = *this_shard();
    const pg_uuid_t &id = *DatumGetUUIDP(user_id);
    if (!shard.has(id))
        ereport(ERROR, errcode(ERRCODE_CHECK_VIOLATION),
                errmsg("user %s belongs to shard %d, this is %s",
                       DatumGetCString(DirectFunctionCall1(uuid_out, user_id)),
                       shard_of(id.data, shard.shards), name_of(shard)));
}

Reservation read_reservation(const Arguments &arguments)
{
    const Datum user_id = arguments.required(0, "user_id");
    require_shard_of(user_id);
    arguments.required(3, "bot");
    return {user_id, key_of(given_address(arguments, 1)), arguments.required(4, "reservation"),
            TimestampTzGetDatum(arguments.timestamp(5, "expires_at"))};
}

[[noreturn]] void refuse_reservation(const char *what)
{
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("the reservation %s", what),
            errhint("Settle it, and reserve the address again."));
    pg_unreachable();
}

uint64 execute(Statement &statement, const Reservation &reservation)
{
    const auto &[user_id, key, number, expires_at] = reservation;
    return statement.execute({user_id, key.channel, key.address, key.bot, number, expires_at});
}

void take_reservation(const Reservation &reservation)
{
    if (DatumGetTimestampTz(reservation.expires_at) <= time_of_judging())
        refuse_reservation("has expired");
    try_lock_user(reservation.user_id);
    const Address &key = reservation.key;
    if (execute(take, reservation) == 0) {
        if (find_obstacle.execute_newest({key.channel, key.address, key.bot, reservation.number}) ==
            0)
            refuse_suppressed("address_reservations");
        refuse_reservation("is void, or older than another");
    }
    require_written(1, "address_reservations", "columns");
}

struct Settled {
    const char *outcome;
    pg_uuid_t owner;
};

// Whoever has begun to link it holds the user's row, or, of a user whom they are making, that of
// the reservation.
Settled settle(const Reservation &reservation)
{
    const Address &key = reservation.key;
    try_lock_user(reservation.user_id);
    if (execute(declare_void, reservation) == 0) {
        if (find_newer.execute_newest({key.channel, key.address, key.bot, reservation.number}) == 0)
            refuse_suppressed("address_reservations");
        return {"newer", {}};
    }
    require_written(1, "address_reservations", "columns");
    if (find_link.execute_newest({key.channel, key.address, key.bot}) == 0)
        return {"void", {}};
    const pg_uuid_t owner = *DatumGetUUIDP(result_field(0, 1));
    drop_void.execute({key.channel, key.address, key.bot});
    return {"linked", owner};
}

// The address that a change wants; false where it is not wanted any more.
bool find_wanted_address(Datum user_id, Datum id, Address *address)
{
    if (!try_lock_user(user_id) || find_wanted.execute({user_id, id}) == 0)
        return false;
    *address = {result_field(0, 1), result_field(0, 3), result_field(0, 2)};
    return true;
}

const char *link_wanted(Datum user_id, Datum id, Datum number, Datum expires_at)
{
    Address address;
    if (!find_wanted_address(user_id, id, &address))
        return "gone";
    take_reservation({user_id, key_of(address), number, expires_at});
    if (!link(user_id, address))
        return "taken";
    if (drop_change.execute({user_id, id}) == 0)
        refuse_suppressed("directory_changes");
    return "linked";
}

bool finish_change(Datum user_id, Datum id)
{
    const bool is_user = try_lock_user(user_id);
    if (drop_change.execute({user_id, id}) == 0)
        return false;
    if (is_user && DatumGetBool(result_field(0, 1)))
        note_taken.execute({user_id, result_field(0, 2), result_field(0, 3)});
    return true;
}

} // namespace

COMPANION_FUNCTION(take_reservation)
{
    PreventCommandIfReadOnly("take_reservation()");
    const Reservation reservation = read_reservation(Arguments(fcinfo));
    with_spi([&] { take_reservation(reservation); });
    PG_RETURN_VOID();
}

COMPANION_FUNCTION(settle_reservation)
{
    PreventCommandIfReadOnly("settle_reservation()");
    const Reservation reservation = read_reservation(Arguments(fcinfo));
    const Settled settled = with_spi([&] { return settle(reservation); });
    return as_only_row(fcinfo,
                       {{CStringGetTextDatum(settled.outcome), false},
                        {UUIDPGetDatum(&settled.owner), strcmp(settled.outcome, "linked") != 0}});
}

COMPANION_FUNCTION(link_wanted_address)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id"), id = arguments.required(1, "id"),
                number = arguments.required(2, "reservation"),
                expires_at = TimestampTzGetDatum(arguments.timestamp(3, "expires_at"));
    PreventCommandIfReadOnly("link_wanted_address()");
    require_shard_of(user_id);
    PG_RETURN_DATUM(CStringGetTextDatum(
        with_spi([&] { return link_wanted(user_id, id, number, expires_at); })));
}

COMPANION_FUNCTION(directory_change_done)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id"), id = arguments.required(1, "id");
    PreventCommandIfReadOnly("directory_change_done()");
    PG_RETURN_BOOL(with_spi([&] { return finish_change(user_id, id); }));
}

COMPANION_FUNCTION(expire_reservations)
{
    const int64 max_rows = batch_size(Arguments(fcinfo), 0);
    PreventCommandIfReadOnly("expire_reservations()");
    const Datum at = TimestampTzGetDatum(time_of_judging());
    PG_RETURN_INT64(with_spi([&] {
        return static_cast<int64>(expire.execute({at, Int64GetDatum(max_rows)}));
    }));
}
