// Finishing messages: taking them off the queue and completing the audit trail.
#pragma once

#include "postgres/array_builder.hpp"
#include "scheduling/queue.hpp"

namespace companion {

// Lock what finishing each message changes beside its user and the queue, without waiting, and
// flag those of which another transaction holds it. Call within with_spi().
void flag_held(Datum user_ids, Datum message_ids, bool *are_held);

// Messages that have left the queue unsent, and why.
class Unsent {
  public:
    void add(const QueueRow &row, const char *status, Datum reason);

    int size() const { return user_ids_.size(); }

    // Complete their rows in scheduled_messages. Call within with_spi(), with the users' rows
    // locked. Error 09000 where a trigger prevents it.
    void record() const;

  private:
    ArrayBuilder user_ids_{UUIDOID}, message_ids_{UUIDOID}, attempts_{INT4OID}, workers_{TEXTOID},
        statuses_{TEXTOID}, reasons_{TEXTOID};
};

// Disable the message's channel for its user, web excepted. Call within with_spi(). Error
// 09000 where a trigger prevents it.
void disable(const QueueRow &row);

// Messages that were sent.
class Sent {
  public:
    // place is the caller's number for it. A null content stands for the text that was
    // given when it was scheduled; the worker may be zero, for none.
    void add(int place, const pg_uuid_t &user_id, const pg_uuid_t &message_id, int attempt,
             Datum channel, Datum worker, const NullableDatum &content,
             const NullableDatum &telegram_message_id);

    int size() const { return user_ids_.size(); }

    // File them as messages of companion-initiated conversations and complete their rows
    // in scheduled_messages. Sets recorded[place] for each that was there; a deleted
    // user's is not. Error 22023 where there is no text, 09000 where a trigger prevents it.
    // Call within with_spi(), with the users' rows locked.
    void record(bool *recorded) const;

  private:
    ArrayBuilder places_{INT4OID}, user_ids_{UUIDOID}, message_ids_{UUIDOID}, attempts_{INT4OID},
        workers_{TEXTOID}, channels_{TEXTOID}, contents_{TEXTOID}, telegram_message_ids_{INT8OID};
};

} // namespace companion
