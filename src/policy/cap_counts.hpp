// What has been counted by the caps: the rows of companion.cap_starts.
#pragma once

#include "policy/cap_periods.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/lookup.hpp"
#include "postgres/row_updates.hpp"
#include "postgres/uuid.hpp"
#include "scheduling/time_zone.hpp"

#include <algorithm>

namespace companion {

// A row of cap_starts: what has been counted for a user and group, in ascending order of time.
class Counts {
  public:
    // What two columns say, and room for some more. Where somebody has made them of different
    // lengths, what has both.
    Counts(NullableDatum started_at, NullableDatum message_ids, int more)
    {
        int ids_count = 0;
        Datum *times = elements_of(started_at, TIMESTAMPTZOID, sizeof(TimestampTz), &count_);
        Datum *ids = elements_of(message_ids, UUIDOID, sizeof(pg_uuid_t), &ids_count);
        count_ = Min(count_, ids_count);
        times_ = static_cast<std::int64_t *>(palloc((count_ + more + 1) * sizeof(std::int64_t)));
        ids_ = static_cast<pg_uuid_t *>(palloc((count_ + more + 1) * sizeof(pg_uuid_t)));
        for (int place = 0; place < count_; place++) {
            times_[place] = to_instant(DatumGetTimestampTz(times[place]));
            ids_[place] = *DatumGetUUIDP(ids[place]);
        }
    }

    std::optional<std::int64_t> full_until(const CapWindow &window, int most) const
    {
        return window.full_until(most, times_, count_);
    }

    void add(std::int64_t time, const pg_uuid_t &message_id)
    {
        int place = count_++;
        for (; place > 0 && times_[place - 1] > time; place--) {
            times_[place] = times_[place - 1];
            ids_[place] = ids_[place - 1];
        }
        times_[place] = time;
        ids_[place] = message_id;
    }

    // Take the last start of a message away; false where there is none.
    bool remove(const pg_uuid_t &message_id)
    {
        for (int place = count_; place-- > 0;) {
            if (!is_same_uuid(ids_[place], message_id))
                continue;
            drop(place, place + 1);
            return true;
        }
        return false;
    }

    // Keep the last ones, and of these what is not before a time.
    void prune(int most, std::int64_t since)
    {
        const auto *first = std::lower_bound(times_, times_ + count_, since);
        drop(0, Max(static_cast<int>(first - times_), count_ - most));
    }

    int size() const { return count_; }

    // The two columns.
    Datum times() const
    {
        ArrayBuilder array(TIMESTAMPTZOID);
        for (int place = 0; place < count_; place++)
            array.add(TimestampTzGetDatum(from_instant(times_[place])));
        return array.finish();
    }

    Datum ids() const
    {
        ArrayBuilder array(UUIDOID);
        for (int place = 0; place < count_; place++)
            array.add(UUIDPGetDatum(&ids_[place]));
        return array.finish();
    }

  private:
    static Datum *elements_of(NullableDatum array, Oid type, int length, int *count)
    {
        Datum *elements = nullptr;
        if (array.isnull || ARR_HASNULL(DatumGetArrayTypeP(array.value)))
            *count = 0;
        else
            deconstruct_array(DatumGetArrayTypeP(array.value), type, length, type != UUIDOID,
                              type == UUIDOID ? TYPALIGN_CHAR : TYPALIGN_DOUBLE, &elements, nullptr,
                              count);
        return elements;
    }

    void drop(int from, int to)
    {
        std::copy(times_ + to, times_ + count_, times_ + from);
        std::copy(ids_ + to, ids_ + count_, ids_ + from);
        count_ -= to - from;
    }

    std::int64_t *times_;
    pg_uuid_t *ids_;
    int count_ = 0;
};

// What a trigger must leave as it is written.
inline constexpr char counted_columns[] = "user_id, cap_group, started_at or message_ids";

// The rows of cap_starts, open from construction to close().
class CountedRows {
  public:
    CountedRows()
        : rows_("cap_starts", "cap_starts_pkey", Lookup::Seen::newest),
          started_at_(rows_.column("started_at")), message_ids_(rows_.column("message_ids")),
          updates_(rows_, {started_at_, message_ids_}, counted_columns)
    {
    }
    void close()
    {
        updates_.close();
        rows_.close();
    }

    Lookup &rows() { return rows_; }

    // What the row come to says, and room for some more.
    Counts counts(int more = 0) const
    {
        return {rows_.get(started_at_), rows_.get(message_ids_), more};
    }

    // Change the row come to as change(counts), with room for some more, does, which returns
    // whether it has. It is asked of the version that was found, and, where somebody has touched
    // that or it changes nothing, once more of the row as locked. Not held where it is another's,
    // or gone.
    template <class Change>
    Locking change(LockWaitPolicy wait, int more, Change change)
    {
        Counts found = counts(more);
        if (change(found) && updates_.try_update({found.times(), found.ids()}))
            return Locking::held;
        const Locking locking = rows_.lock(LockTupleNoKeyExclusive, wait);
        if (locking != Locking::held)
            return locking;
        Counts locked = counts(more);
        if (change(locked))
            updates_.update_locked({locked.times(), locked.ids()});
        return locking;
    }

  private:
    Lookup rows_;
    AttrNumber started_at_, message_ids_;
    RowUpdates updates_;
};

} // namespace companion
