// Claiming: a worker leases due messages, the oldest first.
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "scheduling/abandoned.hpp"
#include "scheduling/channels.hpp"
#include "scheduling/lease.hpp"
#include "scheduling/queue.hpp"

using namespace companion;

namespace {

// What the worker is told about each message that it has leased.
Statement describe_claimed{
    "SELECT m.user_id, m.id, claimed.attempt, m.kind, m.local_date, m.scheduled_for,"
    "       companion.now() - m.scheduled_for, m.channel,"
    "       companion.channel_address(u, m.channel), u.display_name, u.companion_name,"
    "       u.support_style, u.timezone, m.content, m.generation_context"
    " FROM unnest($1, $2, $3) WITH ORDINALITY AS claimed (user_id, message_id, attempt, position)"
    " JOIN companion.scheduled_messages AS m"
    "      ON m.user_id = claimed.user_id AND m.id = claimed.message_id"
    " JOIN companion.users AS u ON u.id = claimed.user_id"
    " ORDER BY claimed.position",
    UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID};

Statement drop_orphans{
    "DELETE FROM companion.dispatch_queue AS q"
    " USING unnest($1, $2) AS claimed (user_id, message_id)"
    " WHERE q.user_id = claimed.user_id AND q.message_id = claimed.message_id"
    "   AND NOT EXISTS (SELECT FROM companion.scheduled_messages AS m"
    "                   WHERE m.user_id = q.user_id AND m.id = q.message_id)",
    UUIDARRAYOID, UUIDARRAYOID};

// Rows of the queue, as arrays to bind.
struct QueueRows {
    ArrayBuilder user_ids{UUIDOID}, message_ids{UUIDOID}, attempts{INT4OID};

    void add(const QueueRow &row)
    {
        user_ids.add(UUIDPGetDatum(&row.user_id));
        message_ids.add(UUIDPGetDatum(&row.message_id));
        attempts.add(Int32GetDatum(row.attempt));
    }
    int size() const { return user_ids.size(); }
};

struct ClaimRequest {
    Datum worker;
    int max_messages;
    TimestampTz at;
    TimestampTz leased_until;
    unsigned channels;
};

// Past this many entries that gave nothing, the next claim of this session begins
// where this one found its first message. An old snapshot somewhere keeps the entries
// of finished messages in the index, and so would make every claim walk all of them.
constexpr int entries_worth_skipping = 256;

// How long a session begins there before it looks at the head of the queue again.
constexpr std::int64_t skip_lifetime = USECS_PER_SEC;

// Where this session's next claim begins, for each set of channels.
struct Skip {
    QueuePosition position;
    TimestampTz claimed_at;   // by companion.now()
    TimestampTz valid_until;  // by the real clock
};
Skip skips[every_channel + 1];

const QueuePosition *skip_position(const ClaimRequest &request)
{
    const Skip &skip = skips[request.channels];
    const bool is_valid = GetCurrentTimestamp() < skip.valid_until &&
                          request.at >= skip.claimed_at &&
                          request.at < skip.claimed_at + skip_lifetime;
    return is_valid ? &skip.position : nullptr;
}

void remember_skip(const ClaimRequest &request, const QueueRow &first)
{
    skips[request.channels] = {{first.visible_at, first.message_id},
                               request.at,
                               GetCurrentTimestamp() + skip_lifetime};
}

bool is_claimable(const QueueRow &row, const ClaimRequest &request)
{
    return !row.sending && row.leased_until <= request.at && (row.channel & request.channels) != 0;
}

bool is_lost(const QueueRow &row, const ClaimRequest &request)
{
    return row.send_before <= request.at || row.attempt >= settings::max_attempts;
}

// Walk the queue until enough is leased, or as much found that is past sending.
void walk(const ClaimRequest &request, const QueuePosition *from, QueueRows &claimed,
          QueueRows &lost)
{
    constexpr int most_lost = 1000;
    const bool starts_at_head = from == nullptr;
    const int claimed_before = claimed.size();
    QueueWalk walk(request.at, from);
    while (claimed.size() < request.max_messages && lost.size() < most_lost && walk.next()) {
        if (!is_claimable(walk.row(), request) || !walk.lock())
            continue;
        if (is_lost(walk.row(), request)) {
            lost.add(walk.row());
            continue;
        }
        if (starts_at_head && claimed.size() == claimed_before &&
            walk.entries_passed() > entries_worth_skipping)
            remember_skip(request, walk.row());
        walk.lease(request.leased_until, request.worker);
        claimed.add(walk.row());
    }
    walk.close();
}

void finish_lost(const QueueRows &lost, TimestampTz at)
{
    if (lost.size() > 0)
        give_up(lost.user_ids.finish(), lost.message_ids.finish(), at);
}

// Lease up to max_messages; a walk that began further on and found too few is followed
// by one from the head.
QueueRows claim(const ClaimRequest &request)
{
    QueueRows claimed;
    if (const QueuePosition *from = skip_position(request)) {
        QueueRows lost;
        walk(request, from, claimed, lost);
        finish_lost(lost, request.at);
    }
    for (int found = 1; found > 0 && claimed.size() < request.max_messages;) {
        QueueRows lost;
        walk(request, nullptr, claimed, lost);
        finish_lost(lost, request.at);
        found = lost.size();
    }
    return claimed;
}

// Hand the claimed messages to the caller's result set.
void return_claimed(const QueueRows &claimed, ReturnSetInfo *result)
{
    Datum user_ids = claimed.user_ids.finish(), message_ids = claimed.message_ids.finish();
    uint64 rows = describe_claimed.execute({user_ids, message_ids, claimed.attempts.finish()});
    for (uint64 row = 0; row < rows; row++)
        tuplestore_puttuple(result->setResult, SPI_tuptable->vals[row]);
    if (rows < static_cast<uint64>(claimed.size()))
        drop_orphans.execute({user_ids, message_ids});
}

unsigned channels_of(const Arguments &arguments)
{
    if (arguments.is_null(3))
        return every_channel;
    ArrayType *names = arguments.array(3, "channels");
    Datum *values;
    int count;
    deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &values, nullptr, &count);
    if (count == 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("argument \"channels\" must not be empty"),
                errhint("Use NULL for all channels."));
    unsigned channels = 0;
    for (int index = 0; index < count; index++)
        channels |= channel_bit(text_view(values[index]));
    return channels;
}

ClaimRequest read_request(const Arguments &arguments)
{
    std::string_view worker = arguments.text(0, "worker");
    int length = pg_mbstrlen_with_len(worker.data(), static_cast<int>(worker.size()));
    if (length < 1 || length > 200)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("worker's name has %d characters, expected 1 to 200", length));
    int max_messages = DatumGetInt32(arguments.required(1, "max_messages"));
    if (max_messages < 1 || max_messages > 10000)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("max_messages is %d, expected 1 to 10000", max_messages));
    TimestampTz at = now();
    return {arguments.required(0, "worker"), max_messages, at,
            lease_end(at, arguments.required(2, "lease")), channels_of(arguments)};
}

} // namespace

COMPANION_FUNCTION(claim_messages)
{
    const ClaimRequest request = read_request(Arguments(fcinfo));
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    with_spi([&] {
        const QueueRows claimed = claim(request);
        if (claimed.size() > 0)
            return_claimed(claimed, result);
    });
    return Datum{0};
}
