// The lanes of the queue. Each session keeps those that it has found, and looks for more with one
// descent of the index for each gap between them.
#include "sending/lanes.hpp"

#include "postgres/arguments.hpp"
#include "postgres/relations.hpp"

#include <algorithm>

namespace companion {

// How long a session goes by the lanes that it knows while they give it enough.
static constexpr int64 lanes_lifetime = USECS_PER_SEC;

static struct {
    MemoryContext context;
    Lane *lanes;
    int count, room;
    TimestampTz until;
} known;

int Lanes::size() const
{
    return known.count;
}

const Lane &Lanes::at(int index) const
{
    return known.lanes[index];
}

void forget_lanes()
{
    known.until = 0;
}

static void begin_anew()
{
    if (known.context == nullptr)
        known.context =
            AllocSetContextCreate(TopMemoryContext, "companion lanes", ALLOCSET_SMALL_SIZES);
    MemoryContextReset(known.context);
    known.count = 0;
    known.room = 8;
    known.lanes = static_cast<Lane *>(MemoryContextAlloc(known.context, known.room * sizeof(Lane)));
}

Lanes known_lanes()
{
    const TimestampTz at = GetCurrentTimestamp();
    if (at >= known.until || at < known.until - lanes_lifetime) {
        begin_anew();
        known.until = 0;
    }
    return {};
}

static void insert_known(int place, Datum channel, int head_start)
{
    const MemoryContext caller = MemoryContextSwitchTo(known.context);
    if (known.count == known.room)
        known.lanes = static_cast<Lane *>(repalloc(known.lanes, (known.room *= 2) * sizeof(Lane)));
    std::copy_backward(known.lanes + place, known.lanes + known.count,
                       known.lanes + known.count + 1);
    known.lanes[place] = {to_text(text_view(channel)), head_start};
    known.count++;
    MemoryContextSwitchTo(caller);
}

// (channel, head_start) above or below a lane, as the row comparison that an index takes.
struct Bound {
    ScanKeyData members[2];

    ScanKeyData key(StrategyNumber strategy, const Lane &lane)
    {
        ScanKeyEntryInitialize(&members[0], SK_ROW_MEMBER, 1, strategy, InvalidOid, C_COLLATION_OID,
                               F_BTTEXTCMP, lane.channel);
        ScanKeyEntryInitialize(&members[1], SK_ROW_MEMBER | SK_ROW_END, 2, strategy, InvalidOid,
                               InvalidOid, F_BTINT4CMP, Int32GetDatum(lane.head_start));
        ScanKeyData key{};
        key.sk_flags = SK_ROW_HEADER;
        key.sk_attno = 1;
        key.sk_strategy = strategy;
        key.sk_argument = PointerGetDatum(members);
        return key;
    }
};

static IndexScanDesc begin_looking(Relation queue, Relation by_time)
{
#if PG_VERSION_NUM >= 180000
    IndexScanDesc scan = index_beginscan(queue, by_time, GetActiveSnapshot(), nullptr, 2, 0);
#else
    IndexScanDesc scan = index_beginscan(queue, by_time, GetActiveSnapshot(), 2, 0);
#endif
    scan->xs_want_itup = true; // what an entry says is enough
    return scan;
}

// Find the first lane after the one before a place, and put it there, if there is one before the
// one at the place.
static void find_at(IndexScanDesc scan, int place)
{
    const Lane lowest{to_text(""), PG_INT32_MIN};
    Bound above, below;
    ScanKeyData keys[2];
    keys[0] = above.key(BTGreaterStrategyNumber, place == 0 ? lowest : known.lanes[place - 1]);
    keys[1] = keys[0];
    if (place < known.count)
        keys[1] = below.key(BTLessStrategyNumber, known.lanes[place]);
    index_rescan(scan, keys, 2, nullptr, 0);
    if (index_getnext_tid(scan, ForwardScanDirection) == nullptr)
        return;
    bool is_null;
    const Datum channel = index_getattr(scan->xs_itup, 1, scan->xs_itupdesc, &is_null);
    insert_known(place, channel,
                 DatumGetInt32(index_getattr(scan->xs_itup, 2, scan->xs_itupdesc, &is_null)));
}

void Lanes::find_new(Relation queue, Relation by_time)
{
    IndexScanDesc scan = begin_looking(queue, by_time);
    for (int place = 0; place <= known.count; place++)
        find_at(scan, place);
    index_endscan(scan);
    if (known.until == 0)
        known.until = GetCurrentTimestamp() + lanes_lifetime;
}

} // namespace companion
