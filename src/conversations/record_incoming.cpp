// A channel's webhook: who has written, and where it goes, in one call.
#include "channels/channel.hpp"
#include "conversations/messages.hpp"
#include "conversations/open.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"

using namespace companion;

namespace {

// Who has this address ($1), and the message if it was delivered before ($2, Telegram's id).
#define FIND_SENDER(address)                                                                       \
    "SELECT u.id, m.conversation_id, m.id FROM companion.users AS u"                               \
    " LEFT JOIN companion.messages AS m ON m.user_id = u.id AND m.telegram_message_id = $2"        \
    " WHERE u." address " = $1"

Statement find_by_telegram{FIND_SENDER("telegram_user_id"), INT8OID, INT8OID};
Statement find_by_whatsapp{FIND_SENDER("whatsapp_number"), TEXTOID, INT8OID};
Statement find_by_id{FIND_SENDER("id"), UUIDOID, INT8OID};

struct Incoming {
    pg_uuid_t user_id, conversation_id;
    FiledMessage message;
};

// WhatsApp's own ids are the number without the +.
Datum whatsapp_number(const char *address)
{
    return CStringGetTextDatum(*address == '+' ? address : psprintf("+%s", address));
}

uint64 find_sender(std::string_view channel, const char *address, NullableDatum telegram_message_id)
{
    const char nulls[] = {' ', null_flag(telegram_message_id)};
    if (channel == "telegram")
        return find_by_telegram.execute(
            {DirectFunctionCall1(int8in, CStringGetDatum(address)), telegram_message_id.value},
            nulls);
    if (channel == "whatsapp")
        return find_by_whatsapp.execute({whatsapp_number(address), telegram_message_id.value},
                                        nulls);
    return find_by_id.execute(
        {DirectFunctionCall1(uuid_in, CStringGetDatum(address)), telegram_message_id.value}, nulls);
}

// Refuse a number that several users have: whose message it is cannot be known. Error 21000.
void require_one(uint64 users)
{
    if (users > 1)
        ereport(ERROR, errcode(ERRCODE_CARDINALITY_VIOLATION),
                errmsg("the sender's address belongs to %d users", static_cast<int>(users)),
                errhint("Remove whatsapp_number from all but one of them."));
}

Incoming file(const Arguments &arguments, pg_uuid_t user_id, int64 idle)
{
    const Datum user = UUIDPGetDatum(&user_id), role = to_text("user");
    Incoming incoming{user_id, open_conversation(user, arguments.optional(0), role, idle), {}};
    incoming.message =
        file_message({user, UUIDPGetDatum(&incoming.conversation_id), role, arguments.optional(2),
                      arguments.nullable(3), NullableDatum{0, true}, arguments.nullable(4),
                      arguments.nullable(5)});
    return incoming;
}

// False where no user has the address.
bool record_incoming(const Arguments &arguments, const char *address, Incoming *incoming)
{
    const int64 idle = idle_length(arguments.required(6, "idle"));
    const uint64 users = find_sender(arguments.text(0, "channel"), address, arguments.nullable(3));
    require_one(users);
    if (users == 0)
        return false;
    const pg_uuid_t user_id = *DatumGetUUIDP(result_field(0, 1));
    bool is_unknown;
    const Datum conversation_id = result_field(0, 2, &is_unknown);
    *incoming = is_unknown ? file(arguments, user_id, idle)
                           : Incoming{user_id,
                                      *DatumGetUUIDP(conversation_id),
                                      {*DatumGetUUIDP(result_field(0, 3)), false}};
    return true;
}

} // namespace

COMPANION_FUNCTION(record_incoming)
{
    const Arguments arguments(fcinfo);
    require_channel(arguments.text(0, "channel"));
    char *address = text_to_cstring(DatumGetTextPP(arguments.required(1, "channel_user_id")));
    check_content(arguments.text(2, "content"));

    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    Incoming incoming;
    if (with_spi([&] { return record_incoming(arguments, address, &incoming); })) {
        Datum values[] = {
            UUIDPGetDatum(&incoming.user_id), UUIDPGetDatum(&incoming.conversation_id),
            UUIDPGetDatum(&incoming.message.id), BoolGetDatum(incoming.message.is_new)};
        bool nulls[] = {false, false, false, false};
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
    return Datum{0};
}
