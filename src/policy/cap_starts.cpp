// Counting starts by the caps of their kinds' groups: companion.cap_starts.
#include "policy/cap_starts.hpp"

#include "policy/kind.hpp"
#include "policy/open_caps.hpp"
#include "postgres/arguments.hpp"
#include "postgres/flags.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "sending/finish.hpp"
#include "users/user_row.hpp"

#include <algorithm>

namespace companion {

// Returns those that were not there, in the order in which they are given.
static Statement insert_counted{R"sql(
    INSERT INTO companion.cap_starts (user_id, cap_group, started_at, message_ids)
    SELECT user_id, cap_group, started_at, message_ids FROM given
    ON CONFLICT (user_id, cap_group) DO NOTHING
    RETURNING user_id, cap_group, started_at, message_ids
)sql"};

namespace {

// Add an element to an array of our own that grows.
template <class Element>
void append(Element *&elements, int &size, int &room, const Element &element)
{
    if (size == room) {
        room = room == 0 ? 8 : room * 2;
        const auto bytes = room * sizeof(Element);
        elements =
            static_cast<Element *>(elements == nullptr ? palloc(bytes) : repalloc(elements, bytes));
    }
    elements[size++] = element;
}

Given given_counts()
{
    return Given{{"user_id", UUIDOID},
                 {"cap_group", TEXTOID},
                 {"started_at", TIMESTAMPTZARRAYOID},
                 {"message_ids", UUIDARRAYOID}};
}

// Whether a column of a row of the last result is as it was given.
bool is_as_given(uint64 row, const Given &counts, int place, int column)
{
    return datum_image_eq(result_field(row, column + 1), counts.at(place, column).value, false,
                          column == 0 ? UUID_LEN : -1);
}

// Write rows that were not there, and tell insert(place) of each that is now; the others somebody
// else has written meanwhile.
template <class Insert>
void insert_all(const Given &counts, Insert insert)
{
    const uint64 rows = counts.size() == 0 ? 0 : insert_counted.execute(counts, {});
    int place = 0;
    for (uint64 row = 0; row < rows; row++, place++) {
        while (place < counts.size() &&
               !(is_as_given(row, counts, place, 0) && is_as_given(row, counts, place, 1)))
            place++;
        if (place == counts.size() || !is_as_given(row, counts, place, 2) ||
            !is_as_given(row, counts, place, 3))
            refuse_changed("cap_starts", counted_columns);
        insert(place);
    }
}

using Start = CappedStarts::Start;
using Counted = CappedStarts::Counted;

// Which comes first by user and group, as memcmp() says it.
int compare_rows(const Start &a, const Start &b)
{
    const int users = memcmp(&a.user_id, &b.user_id, sizeof(pg_uuid_t));
    return users != 0 ? users : strcmp(NameStr(a.group), NameStr(b.group));
}

// Of one user and group as the caller has numbered them.
bool is_before(const Start &a, const Start &b)
{
    const int rows = compare_rows(a, b);
    return rows != 0 ? rows < 0 : a.index < b.index;
}

// One look at the starts that are still to be counted.
class Round {
  public:
    explicit Round(TimestampTz at, Contended contended)
        : caps_(at), wait_(contended == Contended::wait ? LockWaitBlock : LockWaitSkip)
    {
    }

    // Those of one user and group.
    void take(Start *first, Start *last)
    {
        caps_.come_to(first->group);
        if (!caps_.are_there())
            return set(first, last, Counted::counted);
        const int more = static_cast<int>(last - first);
        const Datum key[] = {UUIDPGetDatum(&first->user_id), to_text(NameStr(first->group))};
        Locking locking = Locking::gone;
        if (counted_.rows().find(key, 2))
            locking = counted_.change(
                wait_, more, [=, this](Counts &counts) { return count(first, last, counts); });
        if (locking == Locking::busy)
            set(first, last, Counted::busy);
        if (locking == Locking::gone)
            take_absent(first, last, key[1]);
    }

    // Write what they have come to. What others have written meanwhile is to be counted anew.
    void end()
    {
        counted_.close();
        zones_.close();
        bool *are_written = make_flags(absent_count_);
        insert_all(absent_, [=](int place) { are_written[place] = true; });
        for (int place = 0; place < absent_count_; place++)
            if (!are_written[place])
                set(absent_starts_[place].first, absent_starts_[place].last, Counted::waiting);
    }

  private:
    struct Starts {
        Start *first, *last;
    };

    // Those of a user and group that has no row.
    void take_absent(Start *first, Start *last, Datum group)
    {
        Counts counts({0, true}, {0, true}, static_cast<int>(last - first));
        count(first, last, counts);
        absent_.add({{UUIDPGetDatum(&first->user_id)}, {group}, {counts.times()}, {counts.ids()}});
        append(absent_starts_, absent_count_, absent_room_, {first, last});
    }

    static void set(Start *first, Start *last, Counted outcome)
    {
        for (Start *start = first; start < last; start++)
            start->outcome = outcome;
    }

    // Look at each; returns whether one is counted.
    bool count(Start *first, Start *last, Counts &counts)
    {
        const bool may_be_full =
            caps_.may_be_full(counts.size() + static_cast<int>(last - first) - 1);
        if (may_be_full)
            caps_.open(caps_.need_zone() ? zones_.of(first->user_id) : nullptr);
        bool is_one = false;
        for (Start *start = first; start < last; start++) {
            const Cap *full = may_be_full ? caps_.full(counts, &start->full_until) : nullptr;
            start->outcome = full == nullptr ? Counted::counted : Counted::over;
            if (full != nullptr) {
                start->reason = reason_of(*full);
                continue;
            }
            caps_.add(counts, start->message_id);
            is_one = true;
        }
        if (may_be_full)
            caps_.prune(counts);
        return is_one;
    }

    OpenCaps caps_;
    LockWaitPolicy wait_;
    UsersZones zones_;
    CountedRows counted_; // the last that is opened is the first that is closed
    Given absent_ = given_counts();
    Starts *absent_starts_ = nullptr; // as the rows of absent_
    int absent_count_ = 0, absent_room_ = 0;
};

} // namespace

CappedStarts::CappedStarts(TimestampTz at, Contended contended)
    : at_(at), contended_(contended), are_groups_(have_cap_groups())
{
}

void CappedStarts::add(int index, const QueueRow &before)
{
    if (!are_groups_)
        return;
    const Kind kind = kind_of(text_view(before.kind));
    if (NameStr(kind.cap_group)[0] == '\0')
        return;
    append(starts_, size_, room_,
           Start{index, before.user_id, before.message_id, kind.cap_group,
                 kind.over_cap == Otherwise::defer, before.claims, before.leased_until,
                 before.send_before, Counted::waiting, 0, 0});
}

// Count what is still to be counted; returns how much is left, since others have written its rows
// at the same moment.
int CappedStarts::count_round()
{
    Round round(at_, contended_);
    for (Start *first = starts_, *end = starts_ + size_, *last; first < end; first = last) {
        for (last = first + 1; last < end && compare_rows(*first, *last) == 0;)
            last++;
        if (first->outcome == Counted::waiting)
            round.take(first, last);
    }
    round.end();
    return static_cast<int>(std::count_if(starts_, starts_ + size_, [](const Start &start) {
        return start.outcome == Counted::waiting;
    }));
}

static bool lock_if_free(const pg_uuid_t &user_id)
{
    Locking locking;
    lock_free_users(array_of_one(UUIDOID, UUIDPGetDatum(&user_id)), &locking);
    return locking != Locking::busy;
}

// Have the row as if it had not been started: still claimed where somebody was in the way, else to
// be claimed again when there is room. That it was claimed does not count.
static void undo_start(QueueRow &row, const Start &start)
{
    row.sending = false;
    row.tries--;
    row.claims = start.claims;
    row.leased_until = start.leased_until;
    if (start.outcome == Counted::busy)
        return;
    row.uncount();
    row.give_back();
    row.waits_for = start.reason;
    if (row.start_before != DT_NOEND)
        row.start_before = DT_NOBEGIN; // it is not for quiet hours that it waits
    if (!start.is_skipped())
        row.visible_at = start.full_until;
}

// Why it is skipped; with the last failure, if it has failed before.
static Datum skip_reason(const QueueRow &row, const Start &start)
{
    return row.last_failed_at == DT_NOBEGIN
               ? start.reason
               : with_last_error(row, TextDatumGetCString(start.reason));
}

// What is to be skipped changes the user's messages, whose lock comes first in the lock order, and
// so is not waited for: where it is not had, the message is claimed and found to be over again.
void CappedStarts::give_back()
{
    Unsent unsent;
    Queue queue;
    for (const Start *start = starts_; start < starts_ + size_; start++) {
        if (start->outcome == Counted::counted || !queue.find(start->user_id, start->message_id))
            continue;
        const bool is_finished = start->is_skipped() && lock_if_free(start->user_id);
        QueueRow left;
        queue.change(Contended::wait, [&](QueueRow &row) {
            undo_start(row, *start);
            left = row;
            return is_finished ? Outcome::removed : Outcome::updated;
        });
        if (is_finished)
            unsent.add(left, "skipped", skip_reason(left, *start));
    }
    queue.close();
    unsent.record();
}

void CappedStarts::count_all()
{
    std::sort(starts_, starts_ + size_, is_before);
    if (count_round() > 0 && count_round() > 0)
        refuse_suppressed("cap_starts");
    if (std::any_of(starts_, starts_ + size_,
                    [](const Start &start) { return start.outcome != Counted::counted; }))
        give_back();
}

UnsentStarts::UnsentStarts() : are_caps_(have_caps()) {}

void UnsentStarts::add(const QueueRow &row)
{
    if (are_caps_ && row.sending)
        append(starts_, size_, room_, Start{row.user_id, row.message_id});
}

// Take the starts of one user's messages, [first, last), away; false where none was counted.
static bool remove_from(Counts &counts, const UnsentStarts::Start *first,
                        const UnsentStarts::Start *last)
{
    bool is_removed = false;
    for (const auto *start = first; start < last; start++)
        is_removed |= counts.remove(start->message_id);
    return is_removed;
}

// The same in all rows of the user.
static void remove_from_all(CountedRows &counted, const UnsentStarts::Start *first,
                            const UnsentStarts::Start *last)
{
    const auto remove = [=](Counts &counts) { return remove_from(counts, first, last); };
    Lookup &rows = counted.rows();
    for (bool is_there = rows.find(UUIDPGetDatum(&first->user_id)); is_there;
         is_there = rows.next()) {
        Counts counts = counted.counts();
        if (remove(counts))
            counted.change(LockWaitBlock, 0, remove);
    }
}

void UnsentStarts::discount()
{
    if (size_ == 0)
        return;
    std::sort(starts_, starts_ + size_, [](const Start &a, const Start &b) {
        return memcmp(&a.user_id, &b.user_id, sizeof(pg_uuid_t)) < 0;
    });
    CountedRows counted;
    for (const Start *first = starts_, *end = starts_ + size_, *last; first < end; first = last) {
        for (last = first + 1; last < end && is_same_uuid(first->user_id, last->user_id);)
            last++;
        remove_from_all(counted, first, last);
    }
    counted.close();
}

} // namespace companion
