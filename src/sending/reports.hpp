// What workers report of messages, of one or of arrays of them. For one it waits for whoever holds
// the user or the message; for many it never does, and says so of those that are held.
//
// What changes a user's scheduled messages locks the user's row first, then the message's on the
// queue. A start and a lease are on the queue alone.
#pragma once

#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/flags.hpp"
#include "postgres/statement.hpp"
#include "postgres/uuid.hpp"
#include "postgres/without_waiting.hpp"
#include "sending/finish.hpp"
#include "sending/queue.hpp"
#include "users/user_row.hpp"

namespace companion {

// One argument's values for all the messages, null or not.
struct Column {
    Datum *values;
    bool *nulls;

    NullableDatum at(int index) const { return {values[index], nulls[index]}; }
};

// The messages that a worker reports on, and the answers so far: which are accepted, and
// which are busy, held by another transaction.
class Reports {
  public:
    Reports(const Arguments &arguments, bool is_bulk) : arguments_(arguments), is_bulk_(is_bulk)
    {
        user_ids_ = column(0, is_bulk ? "user_ids" : "user_id", UUIDOID);
        message_ids_ = column(1, is_bulk ? "message_ids" : "message_id", UUIDOID);
        attempts_ = column(2, is_bulk ? "attempts" : "attempt", INT4OID);
        accepted_ = make_flags(count_);
        busy_ = make_flags(count_);
        refused_ = make_flags(count_);
        unstarted_ = make_flags(count_);
        gone_ = make_flags(count_);
    }

    int count() const { return count_; }
    const pg_uuid_t &user_id(int index) const { return *DatumGetUUIDP(user_ids_.values[index]); }
    const pg_uuid_t &message_id(int index) const
    {
        return *DatumGetUUIDP(message_ids_.values[index]);
    }
    int attempt(int index) const { return DatumGetInt32(attempts_.values[index]); }

    // An argument that must be there for every message. Error 22004, 2202E.
    Column column(int position, const char *name, Oid type)
    {
        if (is_bulk_)
            return elements(arguments_.array(position, name), name, type);
        arguments_.required(position, name);
        return optional_column(position, name, type);
    }

    // An argument that may be missing, for some messages or all. Error 2202E.
    Column optional_column(int position, const char *name, Oid type)
    {
        if (is_bulk_ && !arguments_.is_null(position))
            return elements(arguments_.array_with_nulls(position, name), name, type);
        return same_for_all(arguments_.optional(position), arguments_.is_null(position));
    }

    // Come to the message on the queue; false when the report cannot be by the worker that holds
    // it. A stale worker's attempt is an older one, and is refused without a lock that the newer
    // would wait for.
    bool may_be_current(Queue &queue, int index) const
    {
        return queue.find(user_id(index), message_id(index)) &&
               queue.row().attempt <= attempt(index);
    }

    // Whether the report is by the worker that holds the message. One that gave its lease back
    // holds none, and none is held for an id that the user has no more.
    bool is_reported(const QueueRow &row, int index) const
    {
        return is_same_uuid(row.user_id, user_id(index)) && row.attempt == attempt(index) &&
               row.is_claimed();
    }

    // Change the message on the queue as decide(row) says, if the report is by the worker that
    // holds it, and answer whether it was changed.
    template <class Decide>
    Outcome change(Queue &queue, int index, Decide decide)
    {
        Outcome outcome = Outcome::gone;
        if (come_to(queue, index))
            outcome =
                queue.change(is_bulk_ ? Contended::pass : Contended::wait, [&](QueueRow &row) {
                    return is_reported(row, index) ? decide(row) : Outcome::kept;
                });
        busy_[index] = outcome == Outcome::busy;
        answer(index, is_changed(outcome));
        return outcome;
    }

    // Lock the users of those messages that may change: on the queue, or else late(index).
    template <class Late>
    void lock_users(Late late)
    {
        const int room = Max(count_, 1);
        changing_ = static_cast<int *>(palloc(room * sizeof(int)));
        queue_places_ = static_cast<ItemPointerData *>(palloc0(room * sizeof(ItemPointerData)));
        Queue queue;
        for (int index = 0; index < count_; index++) {
            if (may_be_current(queue, index))
                queue_places_[index] = queue.place();
            else if (!late(index))
                continue;
            changing_[changing_users_.size()] = index;
            changing_users_.add(user_ids_.values[index]);
            changing_messages_.add(message_ids_.values[index]);
        }
        queue.close();
        if (changing_users_.size() > 0)
            lock_changing_users();
    }

    // Find out which of those messages other transactions hold in other ways.
    void flag_held()
    {
        bool *are_held = make_flags(changing_users_.size());
        companion::flag_held(changing_users_.finish(), changing_messages_.finish(), are_held);
        for (int place = 0; place < changing_users_.size(); place++)
            busy_[changing_[place]] |= are_held[place];
    }

    // Do the work for every message, as work(first, last) for some of them. In a bulk form
    // it does not wait, and may come to the same message again after what it did was undone.
    // Where it has to, look() may find out for what.
    template <class Work, class Look>
    void for_all(Work work, Look look)
    {
        if (is_bulk_ && count_ > 0)
            do_without_waiting(count_, work, look, [this](int index) { busy_[index] = true; });
        else
            work(0, count_);
    }

    // What was accepted is not, after all, or is busy.
    void turn_down(int index, bool is_busy)
    {
        accepted_[index] = false;
        busy_[index] = is_busy;
    }

    // Whether the message is passed over: it is busy, or its report is refused.
    bool is_passed(int index) const { return busy_[index] || refused_[index]; }

    bool is_bulk() const { return is_bulk_; }
    void refuse(int index) { refused_[index] = true; }
    void note_start(int index, bool is_started) { unstarted_[index] = !is_started; }

    // Say of which messages the worker has reported that they were sent, which it had not started.
    // Error 55000 for one, a warning for each of many.
    void complain_of_unstarted() const
    {
        for (int index = 0; index < count_; index++)
            if (unstarted_[index])
                ereport(is_bulk_ ? WARNING : ERROR,
                        errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("message %s was not started",
                               DatumGetCString(
                                   DirectFunctionCall1(uuid_out, message_ids_.values[index]))),
                        errhint("Call start_send() right before sending, and send only if it"
                                " returns true."));
    }

    // Whether the user was not there any more when it was to be locked.
    bool is_gone(int index) const { return gone_[index]; }
    bool is_accepted(int index) const { return accepted_[index]; }
    void answer(int index, bool is_accepted) { accepted_[index] = is_accepted; }
    bool *accepted() { return accepted_; }

    // boolean for one message, boolean[] for many, null for what is busy, or not to be started yet.
    Datum result() const
    {
        if (!is_bulk_)
            return busy_[0] ? arguments_.null_result() : BoolGetDatum(accepted_[0]);
        ArrayBuilder results(BOOLOID);
        for (int index = 0; index < count_; index++)
            results.add(BoolGetDatum(accepted_[index]), busy_[index]);
        return results.finish();
    }

  private:
    // Come to the message on the queue as before, or find it.
    bool come_to(Queue &queue, int index) const
    {
        if (queue_places_ == nullptr)
            return may_be_current(queue, index);
        if (!ItemPointerIsValid(&queue_places_[index]))
            return false;
        queue.come_to(queue_places_[index]);
        return true;
    }

    void lock_changing_users()
    {
        auto *lockings = static_cast<Locking *>(palloc(changing_users_.size() * sizeof(Locking)));
        if (is_bulk_)
            lock_free_users(changing_users_.finish(), lockings);
        else
            lockings[0] = try_lock_user(user_ids_.values[0]) ? Locking::held : Locking::gone;
        for (int place = 0; place < changing_users_.size(); place++) {
            busy_[changing_[place]] = lockings[place] == Locking::busy;
            gone_[changing_[place]] = lockings[place] == Locking::gone;
        }
    }

    Column same_for_all(Datum value, bool is_null)
    {
        count_ = Max(count_, is_bulk_ ? 0 : 1);
        auto *values = static_cast<Datum *>(palloc0(Max(count_, 1) * sizeof(Datum)));
        auto *nulls = static_cast<bool *>(palloc0(Max(count_, 1) * sizeof(bool)));
        std::fill_n(values, count_, value);
        std::fill_n(nulls, count_, is_null);
        return {values, nulls};
    }

    Column elements(ArrayType *array, const char *name, Oid type)
    {
        int16 length;
        bool by_value;
        char alignment;
        get_typlenbyvalalign(type, &length, &by_value, &alignment);
        Column column;
        int count;
        deconstruct_array(array, type, length, by_value, alignment, &column.values, &column.nulls,
                          &count);
        if (count_ < 0)
            count_ = count;
        if (count != count_)
            ereport(ERROR, errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                    errmsg("argument \"%s\" has %d elements, expected %d", name, count, count_));
        return column;
    }

    Arguments arguments_;
    bool is_bulk_;
    int count_ = -1;
    Column user_ids_, message_ids_, attempts_;
    bool *accepted_, *busy_, *gone_, *refused_, *unstarted_;
    ArrayBuilder changing_users_{UUIDOID}, changing_messages_{UUIDOID};
    int *changing_;                           // which they are
    ItemPointerData *queue_places_ = nullptr; // of all, once known; invalid for the others
};

// Change every message whose report is current as decide(row, index) says, and hand what was
// changed to note(row, index, outcome).
template <class Decide, class Note>
void change_current(Reports &reports, int first, int last, Decide decide, Note note)
{
    Queue queue;
    for (int index = first; index < last; index++) {
        if (reports.is_passed(index))
            continue;
        const Outcome outcome =
            reports.change(queue, index, [&](QueueRow &row) { return decide(row, index); });
        if (is_changed(outcome))
            note(queue.row(), index, outcome);
    }
    queue.close();
}

// The same for all of them, where nothing but the queue changes.
template <class Decide, class Note>
void for_each_current(Reports &reports, Decide decide, Note note)
{
    with_spi([&] {
        reports.for_all(
            [&](int first, int last) { change_current(reports, first, last, decide, note); },
            [] {});
    });
}

} // namespace companion

// Each report as two SQL functions: for one message and for many.
#define REPORT_FUNCTION(name)                                                                      \
    COMPANION_FUNCTION(name)                                                                       \
    {                                                                                              \
        return name(Arguments(fcinfo), false);                                                     \
    }                                                                                              \
    COMPANION_FUNCTION(name##_many)                                                                \
    {                                                                                              \
        return name(Arguments(fcinfo), true);                                                      \
    }
