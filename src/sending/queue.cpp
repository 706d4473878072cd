// The dispatch queue as a table: its rows by key and in order, locked and changed.
#include "sending/queue.hpp"

#include "policy/kind.hpp"
#include "postgres/arguments.hpp"
#include "postgres/relations.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"

namespace companion {

// Columns of companion.dispatch_queue, in order.
enum Column {
    visible_at = 1,
    leased_until,
    send_before,
    user_id,
    message_id,
    attempt,
    sending,
    channel,
    worker,
    bot,
    addresses,
    kind,
    tries,
    claims,
    last_error,
    last_failed_at,
    head_start,
    start_before,
    waits_for,
};

static Datum value_of(const TupleTableSlot *slot, Column column)
{
    return slot->tts_values[column - 1];
}

static Datum value_or_zero(const TupleTableSlot *slot, Column column)
{
    return slot->tts_isnull[column - 1] ? Datum{0} : value_of(slot, column);
}

static QueueRow read_row(TupleTableSlot *slot)
{
    slot_getallattrs(slot);
    return {DatumGetTimestampTz(value_of(slot, visible_at)),
            DatumGetTimestampTz(value_of(slot, leased_until)),
            DatumGetTimestampTz(value_of(slot, send_before)),
            *DatumGetUUIDP(value_of(slot, user_id)),
            *DatumGetUUIDP(value_of(slot, message_id)),
            DatumGetInt32(value_of(slot, attempt)),
            DatumGetBool(value_of(slot, sending)),
            slot->tts_isnull[channel - 1] ? to_text("") : value_of(slot, channel),
            value_or_zero(slot, worker),
            value_or_zero(slot, bot),
            value_or_zero(slot, addresses),
            slot->tts_isnull[kind - 1] ? to_text("") : value_of(slot, kind),
            DatumGetInt32(value_of(slot, tries)),
            DatumGetInt32(value_of(slot, claims)),
            value_or_zero(slot, last_error),
            slot->tts_isnull[last_failed_at - 1]
                ? DT_NOBEGIN
                : DatumGetTimestampTz(value_of(slot, last_failed_at)),
            DatumGetInt32(value_of(slot, head_start)),
            slot->tts_isnull[start_before - 1] ? DT_NOEND
                                               : DatumGetTimestampTz(value_of(slot, start_before)),
            value_or_zero(slot, waits_for)};
}

// The columns that change() replaces.
static constexpr AttrNumber updated_columns[] = {
    visible_at, leased_until, attempt,    sending,        worker,       bot,      addresses,
    tries,      claims,       last_error, last_failed_at, start_before, waits_for};

static Relation open_queue()
{
    PreventCommandIfReadOnly("a change of companion.dispatch_queue");
    // See what this transaction has done so far, as any new statement does.
    CommandCounterIncrement();
    PushActiveSnapshot(GetTransactionSnapshot());
    return table_open(relation_id("dispatch_queue"), RowExclusiveLock);
}

Queue::Queue()
    : table_(open_queue()), changes_(table_, updated_columns),
      found_(table_slot_create(table_, nullptr))
{
}

void Queue::close()
{
    changes_.close();
    if (finding_ != nullptr) {
        index_endscan(finding_);
        index_close(by_key_, NoLock);
    }
    if (locked_ != nullptr)
        ExecDropSingleTupleTableSlot(locked_);
    ExecDropSingleTupleTableSlot(found_);
    table_close(table_, NoLock);
    PopActiveSnapshot();
    CommandCounterIncrement();
}

bool Queue::find(const pg_uuid_t &user, const pg_uuid_t &message)
{
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(&user));
    ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(&message));
    if (finding_ == nullptr) {
        by_key_ = index_open(relation_id("dispatch_queue_pkey"), RowExclusiveLock);
        finding_ = begin_index_scan(table_, by_key_, keys, 2);
    } else {
        index_rescan(finding_, keys, 2, nullptr, 0);
    }
    is_read_ = index_getnext_slot(finding_, ForwardScanDirection, found_);
    if (is_read_)
        row_ = read_row(found_);
    return is_read_;
}

void Queue::come_to(const ItemPointerData &place)
{
    ItemPointerData there = place;
    is_read_ = table_tuple_fetch_row_version(table_, &there, GetActiveSnapshot(), found_);
    if (is_read_) {
        row_ = read_row(found_);
    } else { // it has been changed since
        ExecClearTuple(found_);
        found_->tts_tid = place;
    }
}

TM_Result Queue::lock(Contended contended)
{
    const LockWaitPolicy wait = contended == Contended::wait ? LockWaitBlock : LockWaitSkip;
    const uint8 flags =
        contended == Contended::pass_changed ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION;
    TM_FailureData failure;
    if (locked_ == nullptr)
        locked_ = table_slot_create(table_, nullptr);
    const TM_Result result =
        table_tuple_lock(table_, &found_->tts_tid, GetActiveSnapshot(), locked_,
                         GetCurrentCommandId(true), LockTupleNoKeyExclusive, wait, flags, &failure);
    if (result == TM_Ok)
        row_ = read_row(locked_);
    return result;
}

// (visible_at, message_id) >= from, as the row comparison that an index takes.
static void set_position(ScanKeyData *position, const QueuePosition &from)
{
    ScanKeyEntryInitialize(&position[0], SK_ROW_MEMBER, 3, BTGreaterEqualStrategyNumber, InvalidOid,
                           InvalidOid, F_TIMESTAMPTZ_CMP, TimestampTzGetDatum(from.visible_at));
    ScanKeyEntryInitialize(&position[1], SK_ROW_MEMBER | SK_ROW_END, 4,
                           BTGreaterEqualStrategyNumber, InvalidOid, InvalidOid, F_UUID_CMP,
                           UUIDPGetDatum(&from.message_id));
}

void Queue::open_lane(const Lane &lane)
{
    ScanKeyData keys[4];
    ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_TEXTEQ, lane.channel);
    ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(lane.head_start));
    ScanKeyInit(&keys[2], 3, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE,
                TimestampTzGetDatum(visible_by_));
    keys[3] = {};
    keys[3].sk_flags = SK_ROW_HEADER;
    keys[3].sk_attno = 3;
    keys[3].sk_strategy = BTGreaterEqualStrategyNumber;
    keys[3].sk_argument = PointerGetDatum(position_);
    const bool is_placed = from_ != nullptr && (from_->is_of_all || lane.head_start == 0);
    const int count = is_placed ? 4 : 3;
    const auto bytes = (lane_count_ + 1) * sizeof(OpenLane);
    lanes_ = static_cast<OpenLane *>(lanes_ == nullptr ? palloc(bytes) : repalloc(lanes_, bytes));
    lanes_[lane_count_++] = {
        lane, begin_index_scan(table_, by_time_, keys, count), nullptr, 0, false, false};
}

bool Queue::is_open(const Lane &lane) const
{
    return std::any_of(lanes_, lanes_ + lane_count_, [&](const OpenLane &open) {
        return open.lane.head_start == lane.head_start &&
               text_view(open.lane.channel) == text_view(lane.channel);
    });
}

// Open those lanes that are known, wanted and not open. Of several each has a slot.
void Queue::open_lanes()
{
    const Lanes lanes = known_lanes();
    const int open_before = lane_count_;
    for (int index = 0; index < lanes.size(); index++)
        if (wanted_->have(text_view(lanes.at(index).channel)) && !is_open(lanes.at(index)))
            open_lane({to_text(text_view(lanes.at(index).channel)), lanes.at(index).head_start});
    for (int lane = open_before; lane < lane_count_; lane++)
        lanes_[lane].slot = lane_count_ == 1 ? found_ : table_slot_create(table_, nullptr);
}

void Queue::open_new_lanes()
{
    known_lanes().find_new(table_, by_time_);
    is_all_open_ = true;
    open_lanes();
}

// A head start that has just appeared is not to wait until those that are known give nothing more.
void Queue::begin_walk(TimestampTz visible_by, const WantedLanes &wanted, const QueuePosition *from)
{
    entries_passed_ = 0;
    wanted_ = &wanted;
    visible_by_ = visible_by;
    from_ = from;
    if (from != nullptr)
        set_position(position_, *from);
    by_time_ = index_open(relation_id("dispatch_queue_visible"), RowExclusiveLock);
    is_all_open_ = false;
    if (have_head_starts() || known_lanes().size() == 0)
        open_new_lanes();
    else
        open_lanes();
}

// Come to the lane's next row, if it has not.
void Queue::advance(OpenLane &lane)
{
    while (!lane.is_read && !lane.is_over) {
        CHECK_FOR_INTERRUPTS();
        lane.is_over = index_getnext_tid(lane.scan, ForwardScanDirection) == nullptr;
        entries_passed_ += lane.is_over ? 0 : 1;
        lane.is_read = !lane.is_over && index_fetch_heap(lane.scan, lane.slot);
    }
    if (!lane.is_read || lane_count_ == 1)
        return;
    slot_getallattrs(lane.slot);
    lane.order =
        DatumGetTimestampTz(value_of(lane.slot, visible_at)) - lane.lane.head_start * USECS_PER_SEC;
}

// Of what is as old the first by id.
static bool is_before(const TupleTableSlot *a, const TupleTableSlot *b)
{
    return memcmp(DatumGetUUIDP(value_of(a, message_id)), DatumGetUUIDP(value_of(b, message_id)),
                  UUID_LEN) < 0;
}

// The lane whose row is next; null where all are at their end.
Queue::OpenLane *Queue::first_lane()
{
    OpenLane *first = nullptr;
    for (OpenLane *lane = lanes_; lane < lanes_ + lane_count_; lane++) {
        advance(*lane);
        if (lane->is_read && (first == nullptr || lane->order < first->order ||
                              (lane->order == first->order && is_before(lane->slot, first->slot))))
            first = lane;
    }
    return first;
}

bool Queue::next()
{
    OpenLane *first = first_lane();
    if (first == nullptr && !is_all_open_) {
        open_new_lanes();
        first = first_lane();
    }
    is_read_ = first != nullptr;
    if (!is_read_)
        return false;
    first->is_read = false;
    if (first->slot != found_)
        ExecCopySlot(found_, first->slot);
    row_ = read_row(found_);
    return true;
}

void Queue::end_walk()
{
    for (OpenLane *lane = lanes_; lane < lanes_ + lane_count_; lane++) {
        index_endscan(lane->scan);
        if (lane->slot != found_)
            ExecDropSingleTupleTableSlot(lane->slot);
    }
    lane_count_ = 0;
    index_close(by_time_, NoLock);
}

void Queue::set_version(TupleTableSlot *present, const QueueRow &row)
{
    changes_.begin_version(present);
    changes_.set(visible_at, TimestampTzGetDatum(row.visible_at));
    changes_.set(leased_until, TimestampTzGetDatum(row.leased_until));
    changes_.set(attempt, Int32GetDatum(row.attempt));
    changes_.set(sending, BoolGetDatum(row.sending));
    changes_.set(worker, row.worker, row.worker == 0);
    changes_.set(bot, row.bot, row.bot == 0);
    changes_.set(addresses, row.addresses, row.addresses == 0);
    changes_.set(tries, Int32GetDatum(row.tries));
    changes_.set(claims, Int32GetDatum(row.claims));
    changes_.set(last_error, row.last_error, row.last_error == 0);
    changes_.set(last_failed_at, TimestampTzGetDatum(row.last_failed_at),
                 row.last_failed_at == DT_NOBEGIN);
    changes_.set(start_before, TimestampTzGetDatum(row.start_before), row.start_before == DT_NOEND);
    changes_.set(waits_for, row.waits_for, row.waits_for == 0);
}

// Change the version that was found, without a lock before; false when that has to be tried with
// one, and nothing has happened.
bool Queue::try_change(Outcome wanted, const QueueRow &row)
{
    const CmdType change = wanted == Outcome::updated ? CMD_UPDATE : CMD_DELETE;
    if (!changes_.may_try(change, found_))
        return false;
    if (change == CMD_DELETE)
        return changes_.try_remove(found_);
    set_version(found_, row);
    if (!changes_.try_update(found_))
        return false;
    row_ = row;
    return true;
}

void Queue::change_locked(Outcome wanted, const QueueRow &row)
{
    if (wanted == Outcome::updated)
        update_locked(row);
    else
        remove_locked();
}

// Refuse a row of which a trigger has changed what keeps messages from being lost or sent
// twice. Error 09000.
static void check_stored(const QueueRow &stored, const QueueRow &written)
{
    if (!is_same_uuid(stored.user_id, written.user_id) ||
        !is_same_uuid(stored.message_id, written.message_id) ||
        stored.leased_until != written.leased_until || stored.attempt != written.attempt ||
        stored.sending != written.sending || stored.tries != written.tries ||
        stored.claims != written.claims)
        refuse_changed("dispatch_queue",
                       "user_id, message_id, leased_until, attempt, sending, tries or claims");
}

void Queue::update_locked(const QueueRow &row)
{
    set_version(locked_, row);
    check_stored(read_row(changes_.update_locked(locked_)), row);
    row_ = row;
}

void Queue::remove_locked()
{
    changes_.remove_locked(locked_);
    if (changes_.is_looked_at(CMD_DELETE) &&
        table_tuple_fetch_row_version(table_, &locked_->tts_tid, SnapshotSelf, found_))
        refuse_suppressed("dispatch_queue");
}

} // namespace companion
