// Time-ordered ids.
#include "identity/uuid_v7.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/random.hpp"

namespace companion {

constexpr int64 epoch_difference =
    static_cast<int64>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

// A time, of 1970 or later, in steps of 1/4096 ms since then.
static uint64 step_of(TimestampTz at)
{
    const uint64 microseconds = static_cast<uint64>(at) + epoch_difference;
    return (microseconds / 1000 << 12) | (microseconds % 1000 * 4096 / 1000);
}

// The time now, always later than at the last call.
static uint64 next_step()
{
    static uint64 last;
    const uint64 step = step_of(GetCurrentTimestamp());
    last = step > last ? step : last + 1;
    return last;
}

static void write_bytes(unsigned char *bytes, uint64 value)
{
    for (int byte = 0; byte < 8; byte++)
        bytes[byte] = static_cast<unsigned char>(value >> (56 - 8 * byte));
}

// The first half of an id: its time and version.
static void write_step(pg_uuid_t *id, uint64 step)
{
    write_bytes(id->data, (step >> 12) << 16 | 0x7000 | (step & 0xFFF));
}

pg_uuid_t *uuid_v7()
{
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    take_random(id->data + 8, 8);
    write_step(id, next_step());
    id->data[8] = static_cast<unsigned char>((id->data[8] & 0x3F) | 0x80);
    return id;
}

static uint64 random_bits(int count)
{
    uint64 bits;
    take_random(reinterpret_cast<unsigned char *>(&bits), sizeof bits);
    return bits >> (64 - count);
}

// Which call it is, in 32 bits. The first is one of the lower half at random, so that two sessions'
// ids for one time differ.
static uint32 next_call()
{
    static uint32 calls;
    if (calls == 0)
        calls = static_cast<uint32>(random_bits(31));
    return ++calls;
}

// Refuse a time that 48 bits of milliseconds since 1970 do not hold. Error 22008.
static void check_time(TimestampTz at)
{
    constexpr int64 end = (int64{1} << 48) * 1000;
    if (at < -epoch_difference || at >= end - epoch_difference)
        ereport(
            ERROR, errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
            errmsg("at is %s, expected a time from 1970 to August 10889", timestamptz_to_str(at)));
}

pg_uuid_t *uuid_v7(TimestampTz at)
{
    check_time(at);
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    write_step(id, step_of(at));
    constexpr uint64 variant = uint64{1} << 63;
    write_bytes(id->data + 8, variant | static_cast<uint64>(next_call()) << 30 | random_bits(30));
    return id;
}

bool is_version_7(const pg_uuid_t *id)
{
    return id->data[6] >> 4 == 7 && id->data[8] >> 6 == 2;
}

} // namespace companion

COMPANION_FUNCTION(uuid_v7)
{
    PG_RETURN_UUID_P(companion::uuid_v7());
}

COMPANION_FUNCTION(uuid_v7_at)
{
    PG_RETURN_UUID_P(companion::uuid_v7(companion::Arguments(fcinfo).timestamp(0, "at")));
}
