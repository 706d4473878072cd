// How fast messages are started on a channel, by each bot, over all workers together.
//
// Each bot has one row, with the time up to which its starts reach if they are spread evenly (the
// generic cell rate algorithm). A row's lock would be held to the end of a worker's transaction,
// however long that is open; so the row is changed in place, under the lock of its page, and
// logged, as a sequence is: it holds at once and for good, whatever becomes of the transaction. A
// start that is rolled back has been taken all the same, so there are never more than the rate
// allows, after a crash and on a standby that takes over, too.
#include "policy/rates.hpp"

#include "channels/usable.hpp"
#include "policy/pauses.hpp"
#include "policy/throttles.hpp"
#include "postgres/arguments.hpp"
#include "postgres/flags.hpp"
#include "postgres/relations.hpp"

namespace companion {

// A bot's rate on a channel.
struct Rate {
    std::string_view channel, bot;
    int64 interval;          // microseconds from one start to the next in the long run
    int64 ahead;             // by how much the starts may be ahead of that
    TimestampTz released_at; // what was not started before is not made up for

    // Whether a start is allowed at a time; if so, next_at is moved on.
    bool take(TimestampTz at, TimestampTz *next_at) const
    {
        TimestampTz next = Max(*next_at, released_at + ahead);
        if (next > at + ahead + interval + USECS_PER_SEC) // the clock has gone back
            next = at + ahead;
        if (at < next - ahead)
            return false;
        *next_at = Max(next, at) + interval;
        return true;
    }
};

// Columns of companion.send_rates.
enum { next_at = 1, channel, bot };

// A row's first column, which has a fixed place in it.
static TimestampTz *next_at_of(Page page, OffsetNumber place)
{
    HeapTupleHeader row =
        reinterpret_cast<HeapTupleHeader>(PageGetItem(page, PageGetItemId(page, place)));
    return reinterpret_cast<TimestampTz *>(reinterpret_cast<char *>(row) + row->t_hoff);
}

// Whether a row is there, whatever transaction has inserted it, and is the bot's.
static bool is_row_of(const Rate &rate, Relation table, Buffer buffer, OffsetNumber place)
{
    const Page page = BufferGetPage(buffer);
    const ItemId item = PageGetItemId(page, place);
    if (!ItemIdIsNormal(item))
        return false;
    HeapTupleData row;
    row.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
    row.t_len = ItemIdGetLength(item);
    row.t_tableOid = RelationGetRelid(table);
    ItemPointerSet(&row.t_self, BufferGetBlockNumber(buffer), place);
    if (!HeapTupleSatisfiesVisibility(&row, SnapshotSelf, buffer))
        return false;
    bool is_null;
    const auto text = [&](int column) {
        return text_view(heap_getattr(&row, column, RelationGetDescr(table), &is_null));
    };
    return text(channel) == rate.channel && text(bot) == rate.bot;
}

// The bot's row on a page; InvalidOffsetNumber: it is not there.
static OffsetNumber find_row(const Rate &rate, Relation table, Buffer buffer)
{
    const OffsetNumber last = PageGetMaxOffsetNumber(BufferGetPage(buffer));
    for (OffsetNumber place = FirstOffsetNumber; place <= last; place = OffsetNumberNext(place))
        if (is_row_of(rate, table, buffer, place))
            return place;
    return InvalidOffsetNumber;
}

static void write_in_place(Relation table, Buffer buffer, OffsetNumber place, TimestampTz next)
{
    GenericXLogState *state = GenericXLogStart(table);
    *next_at_of(GenericXLogRegisterBuffer(state, buffer, 0), place) = next;
    GenericXLogFinish(state);
}

enum class Taken { yes, no, no_row };

static Taken take_on_page(const Rate &rate, Relation table, BlockNumber block, TimestampTz at)
{
    const Buffer buffer = ReadBuffer(table, block);
    LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
    const OffsetNumber place = find_row(rate, table, buffer);
    Taken taken = Taken::no_row;
    if (place != InvalidOffsetNumber) {
        TimestampTz next = *next_at_of(BufferGetPage(buffer), place);
        taken = rate.take(at, &next) ? Taken::yes : Taken::no;
        if (taken == Taken::yes)
            write_in_place(table, buffer, place, next);
    }
    UnlockReleaseBuffer(buffer);
    return taken;
}

static Taken try_take(const Rate &rate, Relation table, TimestampTz at)
{
    Taken taken = Taken::no_row;
    const BlockNumber blocks = RelationGetNumberOfBlocks(table);
    for (BlockNumber block = 0; block < blocks && taken == Taken::no_row; block++)
        taken = take_on_page(rate, table, block, at);
    return taken;
}

// A bot's first row. It is frozen, so that everybody sees it at once.
static void insert_row(const Rate &rate, Relation table, TimestampTz at)
{
    Datum values[] = {TimestampTzGetDatum(at), to_text(rate.channel), to_text(rate.bot)};
    bool nulls[lengthof(values)] = {};
    HeapTuple row = heap_form_tuple(RelationGetDescr(table), values, nulls);
    heap_insert(table, row, GetCurrentCommandId(true), HEAP_INSERT_FROZEN, nullptr);
    heap_freetuple(row);
}

static bool take(const Rate &rate, TimestampTz at)
{
    Relation table = table_open(relation_id("send_rates"), RowExclusiveLock);
    Taken taken = try_take(rate, table, at);
    if (taken == Taken::no_row) {
        LockPage(table, 0, ExclusiveLock); // for this moment: nobody inserts the same
        taken = try_take(rate, table, at);
        if (taken == Taken::no_row) {
            insert_row(rate, table, at);
            taken = try_take(rate, table, at);
        }
        UnlockPage(table, 0, ExclusiveLock);
    }
    table_close(table, NoLock);
    return taken == Taken::yes;
}

// The time of a start: not that of its transaction, which may be open for long.
static TimestampTz time_of_start(TimestampTz at)
{
    return clock_is_set() ? at : GetCurrentTimestamp();
}

static Rate rate_of(const Channel &there, std::string_view bot, TimestampTz at)
{
    const std::string_view channel = there.name_view();
    const int64 ahead = (there.burst - 1) * there.start_interval;
    const TimestampTz released = Max(last_pause_end(channel, at), last_throttle_end(channel, bot));
    return {channel, bot, there.start_interval, ahead, Max(released, at - ahead)};
}

Starts::Starts(int count, TimestampTz at) : at_(at)
{
    if (have_rates() || have_throttles())
        taken_ = make_flags(count);
}

bool Starts::may_start(const QueueRow &row, int index)
{
    if (taken_ == nullptr || taken_[index])
        return true;
    taken_[index] = may_start_there(row);
    return taken_[index];
}

bool Starts::may_start_there(const QueueRow &row)
{
    const TimestampTz at = time_of_start(at_);
    const std::string_view on = text_view(row.channel);
    const Channel *known = find_channel(on);
    const Channel there = known == nullptr ? Channel{} : *known;
    if (is_channel_throttled(on, at))
        return false;
    if (there.start_interval == 0 && !is_some_bot_throttled(on, at))
        return true;
    const NullableDatum bot = reach_of(row.user_id).usable.on(on, row.user_id).bot;
    const std::string_view by = bot.isnull ? "" : text_view(bot.value);
    if (is_bot_throttled(on, by, at))
        return false;
    return there.start_interval == 0 || take(rate_of(there, by, at), at);
}

} // namespace companion
