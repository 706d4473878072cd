// The directory: which user has an address, across all shards.
//
// A row says whose an address is, or that it is reserved: never that it is free. It goes when the
// shard has said that nothing is linked by its reservation, or will be.
#include "channels/address.hpp"
#include "postgres/arguments.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "sharding/shard.hpp"
#include "sharding/shard_of.hpp"

using namespace companion;

namespace {

// For how long a shard takes a reservation: time enough for one call there.
constexpr int64 reservation_time = 60 * USECS_PER_SEC;

// $1 user, $2 channel, $3 address, $4 bot, $5 a number, $6 when it expires. No row where it is
// another's. The numbers of an address ascend while it has a row, whatever the clock does.
Statement reserve{R"sql(
    INSERT INTO companion.directory AS d (user_id, channel, address, bot, reservation, expires_at)
    SELECT $1, $2, $3, $4, $5, $6
    WHERE NOT EXISTS (
        SELECT FROM companion.directory AS o
        WHERE o.channel = $2 AND o.address = $3 AND o.bot IN ($4, '') AND o.user_id <> $1)
    ON CONFLICT (channel, address, bot) DO UPDATE
    SET reservation = greatest(excluded.reservation, d.reservation + 1),
        expires_at = greatest(excluded.expires_at, d.expires_at), confirmed_at = NULL
    WHERE d.user_id = excluded.user_id
    RETURNING d.user_id = $1 AND d.channel = $2 AND d.address = $3 AND d.bot = $4
            AND d.reservation >= $5 AND d.confirmed_at IS NULL,
        d.reservation, d.expires_at
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID};

Statement find_owner{R"sql(
    SELECT user_id FROM companion.directory
    WHERE channel = $2 AND address = $3 AND bot IN ($4, '') AND user_id <> $1
    ORDER BY bot DESC LIMIT 1
)sql",
                     UUIDOID, TEXTOID, TEXTOID, TEXTOID};

// $5 the reservation, $6 of how many shards the user is to stay in theirs.
Statement confirm{R"sql(
    UPDATE companion.directory AS d
    SET confirmed_at = coalesce(confirmed_at, companion.now()), user_id = $1
    WHERE channel = $2 AND address = $3 AND bot = $4 AND reservation = $5
        AND companion.shard_of(user_id, $6) = companion.shard_of($1, $6)
    RETURNING d.user_id = $1 AND d.confirmed_at IS NOT NULL
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, INT4OID};

Statement find_confirmable{R"sql(
    SELECT FROM companion.directory
    WHERE channel = $2 AND address = $3 AND bot = $4 AND reservation = $5
        AND companion.shard_of(user_id, $6) = companion.shard_of($1, $6)
)sql", UUIDOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, INT4OID};

Statement release{R"sql(
    DELETE FROM companion.directory
    WHERE channel = $1 AND address = $2 AND bot = $3 AND reservation = $4
)sql",
                  TEXTOID, TEXTOID, TEXTOID, INT8OID};

Statement find_reservation{R"sql(
    SELECT FROM companion.directory
    WHERE channel = $1 AND address = $2 AND bot = $3 AND reservation = $4
)sql",
                           TEXTOID, TEXTOID, TEXTOID, INT8OID};

// For the bot, else for none; where it is null, for whichever.
Statement look_up{R"sql(
    SELECT user_id, bot, reservation, expires_at, confirmed_at IS NOT NULL
    FROM companion.directory
    WHERE channel = $1 AND address = $2 AND ($3 IS NULL OR bot IN ($3, ''))
    ORDER BY bot = coalesce($3, '') DESC, confirmed_at DESC NULLS LAST, bot LIMIT 1
)sql",
                  TEXTOID, TEXTOID, TEXTOID};

// How many shards it is the directory of. Error 55000 where it is none.
int require_directory()
{
    const Shard *shard = this_shard();
    if (shard == nullptr || !shard->is_directory())
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("this database is %s",
                       shard == nullptr ? "not the directory of shards"
                                        : psprintf("%s, not their directory", name_of(*shard))),
                errhint("companion.set_directory() makes a database the directory."));
    return shard->shards;
}

// What a call answers of an address.
struct Reserved {
    const char *outcome;
    pg_uuid_t owner;
    int64 reservation;
    TimestampTz expires_at;
};

// False where it is another's, or was until just now.
bool try_reserve(Datum user_id, const Address &key, Reserved *reserved)
{
    const TimestampTz until = now() + reservation_time;
    if (reserve.execute({user_id, key.channel, key.address, key.bot,
                         Int64GetDatum(GetCurrentTimestamp()), TimestampTzGetDatum(until)}) == 0)
        return false;
    require_written(1, "directory", "columns");
    *reserved = {"reserved", *DatumGetUUIDP(user_id), DatumGetInt64(result_field(0, 2)),
                 DatumGetTimestampTz(result_field(0, 3))};
    return true;
}

Reserved reserve_or_tell(Datum user_id, const Address &key)
{
    constexpr int attempts = 3;
    for (int attempt = 0; attempt < attempts; attempt++) {
        if (Reserved reserved; try_reserve(user_id, key, &reserved))
            return reserved;
        if (find_owner.execute_newest({user_id, key.channel, key.address, key.bot}) > 0)
            return {"taken", *DatumGetUUIDP(result_field(0, 1)), 0, 0};
    }
    refuse_suppressed("directory");
}

bool confirm_reservation(Datum user_id, const Address &key, Datum reservation, int shards)
{
    const std::initializer_list<Datum> values{user_id, key.channel, key.address,
                                              key.bot, reservation, Int32GetDatum(shards)};
    if (confirm.execute(values) > 0) {
        require_written(1, "directory", "user_id or confirmed_at");
        return true;
    }
    if (find_confirmable.execute(values) > 0)
        refuse_suppressed("directory");
    return false;
}

bool release_reservation(const Address &key, Datum reservation)
{
    if (release.execute({key.channel, key.address, key.bot, reservation}) > 0)
        return true;
    if (find_reservation.execute({key.channel, key.address, key.bot, reservation}) > 0)
        refuse_suppressed("directory");
    return false;
}

// The columns of look_up, with the shard.
struct Found {
    pg_uuid_t user_id;
    Datum bot;
    int64 reservation;
    TimestampTz expires_at;
    bool is_confirmed;
};

bool find(const Address &key, Found *found)
{
    const char nulls[] = {' ', ' ', key.bot == 0 ? 'n' : ' '};
    if (look_up.execute({key.channel, key.address, key.bot}, nulls) == 0)
        return false;
    *found = {*DatumGetUUIDP(result_field(0, 1)), SPI_datumTransfer(result_field(0, 2), false, -1),
              DatumGetInt64(result_field(0, 3)), DatumGetTimestampTz(result_field(0, 4)),
              DatumGetBool(result_field(0, 5))};
    return true;
}

} // namespace

COMPANION_FUNCTION(directory_reserve)
{
    const Arguments arguments(fcinfo);
    PreventCommandIfReadOnly("directory_reserve()");
    require_directory();
    const Datum user_id = arguments.required(0, "user_id");
    arguments.required(3, "bot");
    const Address key = key_of(given_address(arguments, 1));
    const Reserved reserved = with_spi([&] { return reserve_or_tell(user_id, key); });
    const bool is_taken = reserved.reservation == 0;
    return as_only_row(fcinfo, {{CStringGetTextDatum(reserved.outcome), false},
                                {UUIDPGetDatum(&reserved.owner), false},
                                {Int64GetDatum(reserved.reservation), is_taken},
                                {TimestampTzGetDatum(reserved.expires_at), is_taken}});
}

COMPANION_FUNCTION(directory_confirm)
{
    const Arguments arguments(fcinfo);
    PreventCommandIfReadOnly("directory_confirm()");
    const int shards = require_directory();
    const Datum user_id = arguments.required(0, "user_id");
    arguments.required(3, "bot");
    const Address key = key_of(given_address(arguments, 1));
    const Datum reservation = arguments.required(4, "reservation");
    PG_RETURN_BOOL(
        with_spi([&] { return confirm_reservation(user_id, key, reservation, shards); }));
}

COMPANION_FUNCTION(directory_release)
{
    const Arguments arguments(fcinfo);
    PreventCommandIfReadOnly("directory_release()");
    require_directory();
    arguments.required(2, "bot");
    const Address key = key_of(given_address(arguments, 0));
    const Datum reservation = arguments.required(3, "reservation");
    PG_RETURN_BOOL(with_spi([&] { return release_reservation(key, reservation); }));
}

COMPANION_FUNCTION(directory_lookup)
{
    const Arguments arguments(fcinfo);
    const int shards = require_directory();
    const Address key = key_of(given_address(arguments, 0));
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    Found found;
    if (with_spi([&] { return find(key, &found); })) {
        Datum values[] = {UUIDPGetDatum(&found.user_id),
                          Int32GetDatum(shard_of(found.user_id.data, shards)),
                          found.bot,
                          Int64GetDatum(found.reservation),
                          TimestampTzGetDatum(found.expires_at),
                          BoolGetDatum(found.is_confirmed)};
        bool nulls[] = {false, false, false, false, false, false};
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
    return Datum{0};
}
