// Time-ordered ids.
#include "identity/uuid_v7.hpp"

#include "postgres/entry.hpp"
#include "postgres/random.hpp"

namespace companion {

// The time in steps of 1/4096 ms since 1970, always later than at the last call.
static uint64 next_step()
{
    static uint64 last;
    constexpr uint64 epoch_difference =
        static_cast<uint64>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
    uint64 microseconds = static_cast<uint64>(GetCurrentTimestamp()) + epoch_difference;
    uint64 step = (microseconds / 1000 << 12) | (microseconds % 1000 * 4096 / 1000);
    last = step > last ? step : last + 1;
    return last;
}

pg_uuid_t *uuid_v7()
{
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    take_random(id->data + 8, 8);
    uint64 step = next_step();
    uint64 head = (step >> 12) << 16 | 0x7000 | (step & 0xFFF);
    for (int byte = 0; byte < 8; byte++)
        id->data[byte] = static_cast<unsigned char>(head >> (56 - 8 * byte));
    id->data[8] = static_cast<unsigned char>((id->data[8] & 0x3F) | 0x80);
    return id;
}

} // namespace companion

COMPANION_FUNCTION(uuid_v7)
{
    PG_RETURN_UUID_P(companion::uuid_v7());
}
