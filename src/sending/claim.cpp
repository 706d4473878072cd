// Claiming: a worker leases due messages, the oldest first, as their head starts have it.
#include "channels/channel.hpp"
#include "policy/closed.hpp"
#include "policy/pauses.hpp"
#include "policy/quiet_times.hpp"
#include "policy/throttles.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "sending/abandoned.hpp"
#include "sending/claimed.hpp"
#include "sending/lease.hpp"
#include "sending/wanted.hpp"

#include <cstdint>

using namespace companion;

namespace {

struct ClaimRequest {
    Datum worker;
    int max_messages;
    TimestampTz at;
    TimestampTz leased_until;
    Wanted channels, kinds;

    // The same for those that ask for the same messages.
    uint32 hash() const { return hash_combine(channels.hash(), kinds.hash()); }
};

// The lanes of the channels that are asked for.
class ClaimedLanes : public WantedLanes {
  public:
    explicit ClaimedLanes(const ClaimRequest &request) : request_(request) {}
    bool have(std::string_view channel) const override
    {
        return request_.channels.have(channel) && !is_channel_paused(channel, request_.at) &&
               !is_channel_throttled(channel, request_.at);
    }

  private:
    const ClaimRequest &request_;
};

// Past this many entries that gave nothing, the next claim of this session begins
// where this one found its first message. An old snapshot somewhere keeps the entries
// of finished messages in the index, and so would make every claim walk all of them.
constexpr int entries_worth_skipping = 256;

// How long a session begins there before it looks at the head of the queue again.
constexpr std::int64_t skip_lifetime = USECS_PER_SEC;

// Where this session's next claim of the same channels and kinds begins.
struct Skip {
    uint32 wanted; // their hash
    QueuePosition position;
    TimestampTz claimed_at;  // by companion.now()
    TimestampTz valid_until; // by the real clock
};
Skip skip;

const QueuePosition *skip_position(const ClaimRequest &request)
{
    const bool is_valid =
        skip.wanted == request.hash() && GetCurrentTimestamp() < skip.valid_until &&
        request.at >= skip.claimed_at && request.at < skip.claimed_at + skip_lifetime;
    return is_valid ? &skip.position : nullptr;
}

void remember_skip(const ClaimRequest &request, const QueueRow &first)
{
    skip = {request.hash(),
            {first.visible_at, first.message_id},
            request.at,
            GetCurrentTimestamp() + skip_lifetime};
}

bool is_free(const QueueRow &row, const ClaimRequest &request)
{
    return !row.sending && row.leased_until <= request.at &&
           request.kinds.have(text_view(row.kind)) &&
           !is_paused(text_view(row.channel), text_view(row.kind), request.at);
}

// Give the row to the worker, as its next attempt.
Outcome lease(QueueRow &row, const ClaimRequest &request)
{
    row.leased_until = request.leased_until;
    row.attempt++;
    row.claims++;
    row.waits_for = 0;
    row.worker = request.worker;
    return Outcome::updated;
}

// The most that one claim gives up on. Past it, what is abandoned is passed over: after an
// outage a claim finds what can be sent still, however much cannot.
constexpr int most_given_up = 1000;

// The most that one claim holds back for quiet hours. Past it, who has some is passed over.
constexpr int most_held_back = 1000;

// Leases what may go by its user's quiet hours; puts off or refuses what may not.
class Lessor {
  public:
    explicit Lessor(const ClaimRequest &request) : request_(request) {}

    // Whether it is to be passed over.
    bool is_full(const QueueRow &row) const
    {
        return row.start_before != DT_NOEND && held_back_ >= most_held_back;
    }

    // Take the row come to; returns whether it has been leased.
    bool take(Queue &queue)
    {
        Going going = Going::now;
        const auto decide = [&](QueueRow &row) {
            going = row.start_before == DT_NOEND ? Going::now : judge(row);
            return going == Going::now ? lease(row, request_) : Outcome::updated;
        };
        if (!is_changed(queue.change(Contended::pass_changed, decide)))
            return false;
        if (going == Going::never)
            unwanted_.add(UUIDPGetDatum(&queue.row().user_id),
                          UUIDPGetDatum(&queue.row().message_id), users_->reason());
        held_back_ += going == Going::now ? 0 : 1;
        return going == Going::now;
    }

    void close()
    {
        if (users_ != nullptr)
            users_->close();
    }

    Unwanted &unwanted() { return unwanted_; }

  private:
    Going judge(QueueRow &row)
    {
        if (users_ == nullptr)
            users_ = new (palloc(sizeof(QuietUsers))) QuietUsers;
        return users_->judge(row, request_.at);
    }

    const ClaimRequest &request_;
    QuietUsers *users_ = nullptr; // from the first on who has quiet hours
    Unwanted unwanted_;
    int held_back_ = 0;
};

// Walk the queue until enough is leased, and note what is abandoned.
void walk(Queue &queue, const ClaimRequest &request, const QueuePosition *from, Claimed &claimed,
          Abandoned &abandoned, Lessor &lessor)
{
    const int claimed_before = claimed.size();
    const ClaimedLanes lanes(request);
    queue.begin_walk(request.at, lanes, from);
    while (claimed.size() < request.max_messages && queue.next()) {
        if (!is_free(queue.row(), request))
            continue;
        if (is_abandoned(queue.row(), request.at)) {
            if (abandoned.size() < most_given_up)
                abandoned.add(queue.row());
            continue;
        }
        if (lessor.is_full(queue.row()) || !lessor.take(queue))
            continue;
        if (from == nullptr && claimed.size() == claimed_before && queue.row().head_start == 0 &&
            queue.entries_passed() > entries_worth_skipping)
            remember_skip(request, queue.row());
        claimed.add(queue.row());
    }
    queue.end_walk();
}

// Lease up to max_messages; a walk that began further on and found too few is followed
// by one from the head.
Claimed claim(const ClaimRequest &request, Lessor &lessor)
{
    see_pauses();
    settle_paused(request.at);
    Claimed claimed;
    Abandoned abandoned;
    const QueuePosition *from = skip_position(request);
    for (bool is_done = false; !is_done; from = nullptr) {
        Queue queue;
        walk(queue, request, from, claimed, abandoned, lessor);
        queue.close();
        is_done = from == nullptr || claimed.size() >= request.max_messages;
    }
    lessor.close();
    if (abandoned.size() > 0)
        abandoned.give_up(request.at);
    return claimed;
}

ClaimRequest read_request(const Arguments &arguments)
{
    check_length("worker's name", arguments.text(0, "worker"), 200);
    const int max_messages = arguments.integer(1, "max_messages", 1, 10000);
    const TimestampTz at = now();
    const Wanted channels = Wanted::from(arguments, 3, "channels");
    channels.check([](std::string_view name) { require_channel(name); });
    return {arguments.required(0, "worker"),
            max_messages,
            at,
            lease_end(at, arguments.required(2, "lease")),
            channels,
            Wanted::from(arguments, 4, "kinds")};
}

} // namespace

COMPANION_FUNCTION(claim_messages)
{
    const ClaimRequest request = read_request(Arguments(fcinfo));
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    with_spi([&] {
        Lessor lessor(request);
        const Claimed claimed = claim(request, lessor);
        if (claimed.size() > 0 || lessor.unwanted().size() > 0)
            claimed.return_to(result, lessor.unwanted());
    });
    return Datum{0};
}
