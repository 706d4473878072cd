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

static void insert_known(int place, const Lane &lane)
{
    const MemoryContext caller = MemoryContextSwitchTo(known.context);
    if (known.count == known.room)
        known.lanes = static_cast<Lane *>(repalloc(known.lanes, (known.room *= 2) * sizeof(Lane)));
    std::copy_backward(known.lanes + place, known.lanes + known.count,
                       known.lanes + known.count + 1);
    known.lanes[place] = {to_text(text_view(lane.channel)), lane.head_start};
    known.count++;
    MemoryContextSwitchTo(caller);
}

// (channel, head_start) above a lane, as the row comparison that an index takes.
struct Above {
    ScanKeyData members[2];

    ScanKeyData key(const Lane &lane)
    {
        constexpr StrategyNumber above = BTGreaterStrategyNumber;
        ScanKeyEntryInitialize(&members[0], SK_ROW_MEMBER, 1, above, InvalidOid, C_COLLATION_OID,
                               F_BTTEXTCMP, lane.channel);
        ScanKeyEntryInitialize(&members[1], SK_ROW_MEMBER | SK_ROW_END, 2, above, InvalidOid,
                               InvalidOid, F_BTINT4CMP, Int32GetDatum(lane.head_start));
        ScanKeyData key{};
        key.sk_flags = SK_ROW_HEADER;
        key.sk_attno = 1;
        key.sk_strategy = above;
        key.sk_argument = PointerGetDatum(members);
        return key;
    }
};

static IndexScanDesc begin_looking(Relation queue, Relation by_time)
{
#if PG_VERSION_NUM >= 180000
    IndexScanDesc scan = index_beginscan(queue, by_time, GetActiveSnapshot(), nullptr, 1, 0);
#else
    IndexScanDesc scan = index_beginscan(queue, by_time, GetActiveSnapshot(), 1, 0);
#endif
    scan->xs_want_itup = true; // what an entry says is enough
    return scan;
}

static bool is_before(const Lane &a, const Lane &b)
{
    const int order = text_view(a.channel).compare(text_view(b.channel));
    return order < 0 || (order == 0 && a.head_start < b.head_start);
}

// The lane of the entry that a scan has come to.
static Lane lane_of(IndexScanDesc scan)
{
    bool is_null;
    const Datum channel = index_getattr(scan->xs_itup, 1, scan->xs_itupdesc, &is_null);
    const Datum head_start = index_getattr(scan->xs_itup, 2, scan->xs_itupdesc, &is_null);
    return {channel, DatumGetInt32(head_start)};
}

// Find the first lane after the one before a place, and put it there, if it is before the one at
// the place. An upper bound of the scan would not end it at its first entry of that lane.
static void find_at(IndexScanDesc scan, int place)
{
    const Lane lowest{to_text(""), PG_INT32_MIN};
    Above above;
    ScanKeyData key = above.key(place == 0 ? lowest : known.lanes[place - 1]);
    index_rescan(scan, &key, 1, nullptr, 0);
    if (index_getnext_tid(scan, ForwardScanDirection) == nullptr)
        return;
    const Lane lane = lane_of(scan);
    if (place == known.count || is_before(lane, known.lanes[place]))
        insert_known(place, lane);
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
