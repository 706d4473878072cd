// Finishing messages: taking them off the queue and completing the audit trail.
#pragma once

#include "channels/usable.hpp"
#include "conversations/messages.hpp"
#include "conversations/open.hpp"
#include "postgres/given.hpp"
#include "sending/queue.hpp"

namespace companion {

// Lock what finishing each message changes beside its user and the queue, without waiting, and
// flag those of which another transaction holds it. Call within with_spi().
void flag_held(Datum user_ids, Datum message_ids, bool *are_held);

// Messages that have left the queue unsent, and why.
class Unsent {
  public:
    Unsent();

    // Of what is unknown it is kept where its worker was told to send it.
    void add(const QueueRow &row, const char *status, Datum reason, const Destination &told = {});

    int size() const { return messages_.size(); }

    // Complete their rows in scheduled_messages. Call within with_spi(), with the users' rows
    // locked. Error 09000 where a trigger prevents it.
    void record() const;

  private:
    Given messages_;
};

// What a message has become that may go no more: failed where a try of it has, else skipped.
const char *status_of_unsent(const QueueRow &row);

// A reason why a message was not sent, with that of its last failure, if there was one.
Datum with_last_error(const QueueRow &row, const char *reason);

// The reason of a message whose send_before came first.
Datum too_late(const QueueRow &row);

// A message that was given up as unknown, and was not sent: back on the queue as the row says, or
// failed. Call within with_spi(), with the user's row locked. Error 09000 where a trigger prevents
// it.
void put_back_unknown(const QueueRow &row);
void fail_unknown(const QueueRow &row, Datum reason);

// Error 22023, of a message without a text.
[[noreturn]] void refuse_without_text(Datum message_id);

// What a worker says of a message that it has sent: the text, null for the one that was given when
// it was scheduled; the messenger's id; and metadata, which may be null.
struct SentReport {
    NullableDatum content;
    MessengerId messenger_id;
    NullableDatum metadata;

    // Whether there is something whose form can be wrong.
    bool has_form() const { return messenger_id.is_given() || !metadata.isnull; }
};

// Messages that were sent, as many as room at most.
class Sent {
  public:
    explicit Sent(int room);

    // A message that was on the queue as row says, or was unknown; at is the caller's number for
    // it. The user's row is locked.
    void add(int at, const QueueRow &row, const SentReport &report);

    int size() const { return messages_.size(); }

    // File them as messages of companion-initiated conversations and complete their rows
    // in scheduled_messages. Sets recorded[at] for each that was there; a deleted
    // user's is not. Error 22023 where there is no text, 09000 where a trigger prevents it.
    // Call within with_spi(), with the users' rows locked.
    void record(bool *recorded);

  private:
    // What recording a message does not need.
    struct Detail {
        int at;
        SentReport report;
        Chat chat; // where it has a messenger's id
    };

    void file(uint64 rows, bool *recorded) const;

    Given messages_;
    Detail *details_;
    WantedConversations conversations_;
};

} // namespace companion
