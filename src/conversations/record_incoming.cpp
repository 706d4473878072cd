// A channel's webhook: who has written, and where it goes, in one call.
#include "channels/incoming.hpp"
#include "conversations/messages.hpp"
#include "conversations/open.hpp"
#include "policy/cancelling.hpp"
#include "policy/reply_window.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

// For how long messengers deliver again what was not acknowledged: WhatsApp for 7 days, Telegram
// for one.
constexpr int64 redelivery = 7 * USECS_PER_DAY;

// The arguments.
struct Delivery {
    Channel channel;
    Address sender; // its bot is the one that the message was written to
    Datum content;
    MessengerId messenger_id, reply_to;
    NullableDatum metadata;
    int64 idle;
};

// What has become of it.
struct Incoming {
    pg_uuid_t user_id, conversation_id;
    FiledMessage message;
    int cancelled; // of what was pending for the user
};

// The message, not yet in a conversation, as one of a user who has this address.
NewMessage message_of(const Delivery &delivery, const LinkedAddress &sender)
{
    return {UUIDPGetDatum(&sender.user_id),
            0,
            to_text("user"),
            delivery.content,
            delivery.messenger_id,
            {0, true},
            delivery.reply_to,
            {delivery.sender.channel, delivery.sender.bot, sender.stored.address},
            delivery.metadata};
}

Delivery read_delivery(const Arguments &arguments, Datum channel_user_id)
{
    const Channel channel = require_channel(arguments.text(0, "channel"));
    const Datum bot = arguments.required(7, "bot");
    check_bot(text_view(bot));
    check_content(arguments.text(2, "content"));
    const Delivery delivery{
        channel,
        {arguments.optional(0), bot, canonical_address(channel, text_view(channel_user_id))},
        arguments.optional(2),
        {arguments.nullable(3), arguments.nullable(8)},
        {arguments.nullable(4), arguments.nullable(9)},
        arguments.nullable(5),
        idle_length(arguments.required(6, "idle"))};
    check_message(message_of(delivery, {}));
    check_id_of_channel(channel.name_view(), delivery.messenger_id);
    check_id_of_channel(channel.name_view(), delivery.reply_to, reply_id_names);
    return delivery;
}

// Who has written: who has the address, or on a channel that needs none the user whose id it is.
// False where there is no such address.
bool find_sender(const Delivery &delivery, LinkedAddress *sender)
{
    if (delivery.channel.needs_address)
        return find_linked(delivery.sender, sender);
    const char *id = TextDatumGetCString(delivery.sender.address);
    *sender = {*DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(id))),
               delivery.sender,
               DT_NOBEGIN,
               true,
               false,
               {}};
    return true;
}

bool find_first(const NewMessage &message, Incoming *incoming)
{
    Delivered first;
    if (!find_delivered(message, &first))
        return false;
    *incoming = {*DatumGetUUIDP(message.user_id), first.conversation_id, {first.id, false}, 0};
    return true;
}

// Whether the message was delivered when the address was another user's: who has it now has not had
// it for longer than messengers deliver again.
bool find_first_of_former(const Delivery &delivery, const LinkedAddress &sender, Incoming *incoming)
{
    if (!delivery.messenger_id.is_given() || sender.linked_at <= now() - redelivery)
        return false;
    constexpr int room = 64;
    LinkedAddress former[room];
    const int count = find_unlinked(delivery.sender, former, room);
    for (int index = 0; index < count; index++) {
        NewMessage message = message_of(delivery, former[index]);
        // Before its row got the bot their messages were of the chat without one
        for (const Datum bot : {former[index].stored.bot, to_text("")}) {
            message.chat.bot = bot;
            if (!is_same_uuid(former[index].user_id, sender.user_id) &&
                find_first(message, incoming))
                return true;
        }
    }
    return false;
}

Incoming file(const Delivery &delivery, const LinkedAddress &sender)
{
    NewMessage message = message_of(delivery, sender);
    Incoming incoming{sender.user_id,
                      open_conversation(message.user_id, delivery.sender.channel, message.role,
                                        delivery.idle, true),
                      {},
                      0};
    message.conversation_id = UUIDPGetDatum(&incoming.conversation_id);
    incoming.message = {store_message(message), true};
    incoming.cancelled = cancel_on_reply(message.user_id);
    release_waiting(sender.user_id, delivery.channel);
    return incoming;
}

// Take a message of a user whose row is locked; false where the address is not theirs any more, or
// not as it was found.
bool take(const Delivery &delivery, const LinkedAddress &sender, Incoming *incoming)
{
    if (find_first(message_of(delivery, sender), incoming) ||
        find_first_of_former(delivery, sender, incoming))
        return true;
    if (delivery.channel.needs_address && !note_incoming(sender, delivery.sender.bot))
        return false;
    *incoming = file(delivery, sender);
    return true;
}

// False where no user has the address. Whose it is, and how, may change until their row is locked.
bool record_incoming(const Delivery &delivery, Incoming *incoming)
{
    constexpr int looks = 4;
    for (int look = 0; look < looks; look++) {
        LinkedAddress sender;
        if (!find_sender(delivery, &sender))
            return false;
        const bool is_there = try_lock_user(UUIDPGetDatum(&sender.user_id));
        if (is_there && take(delivery, sender, incoming))
            return true;
        if (!is_there && !delivery.channel.needs_address)
            return false;
    }
    refuse_suppressed("addresses");
}

Datum record_incoming(FunctionCallInfo fcinfo, Datum channel_user_id)
{
    const Delivery delivery = read_delivery(Arguments(fcinfo), channel_user_id);
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    Incoming incoming;
    if (with_spi([&] { return record_incoming(delivery, &incoming); })) {
        Datum values[] = {UUIDPGetDatum(&incoming.user_id),
                          UUIDPGetDatum(&incoming.conversation_id),
                          UUIDPGetDatum(&incoming.message.id),
                          BoolGetDatum(incoming.message.is_new), Int32GetDatum(incoming.cancelled)};
        bool nulls[] = {false, false, false, false, false};
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
    return Datum{0};
}

} // namespace

COMPANION_FUNCTION(record_incoming)
{
    return record_incoming(fcinfo, Arguments(fcinfo).required(1, "channel_user_id"));
}

COMPANION_FUNCTION(record_incoming_from_number)
{
    const Datum number = Arguments(fcinfo).required(1, "channel_user_number");
    return record_incoming(fcinfo, as_text(int8out, number));
}
