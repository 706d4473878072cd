// Opening and closing conversations.
#include "conversations/open.hpp"
#include "identity/acting.hpp"
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "channels/channel.hpp"

using namespace companion;

namespace {

Statement find_open{R"sql(
    SELECT c.ended_at IS NULL FROM companion.conversations AS c
    WHERE c.user_id = $1 AND c.id = $2 FOR NO KEY UPDATE)sql",
                    UUIDOID, UUIDOID};

// $3 and $4 keep what stands where they are null.
Statement close{R"sql(
    UPDATE companion.conversations AS c
    SET ended_at = coalesce(c.ended_at, greatest(c.started_at, companion.now())),
        mood_summary = coalesce($3, c.mood_summary), topics = coalesce($4, c.topics)
    WHERE c.user_id = $1 AND c.id = $2)sql",
                UUIDOID, UUIDOID, TEXTOID, TEXTARRAYOID};

// Refuse an initiator that is none, and an end user who is not the one. Errors 22023, 42501.
void check_initiator(std::string_view initiated_by)
{
    if (initiated_by == "companion" && !acts_for_every_user())
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("permission denied to open a conversation as the companion"));
    if (initiated_by != "user" && initiated_by != "companion")
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("a conversation cannot be initiated by \"%s\"", excerpt(initiated_by)),
                errhint("It is initiated by user or companion."));
}

// Whether the call has ended the conversation. Error 23503 when there is none, 09000 where a
// trigger suppresses the change.
bool close_conversation(const Arguments &arguments)
{
    const Datum user_id = arguments.required(0, "user_id");
    const Datum id = arguments.required(1, "conversation_id");
    const Datum topics =
        arguments.is_null(3) ? Datum{0} : PointerGetDatum(arguments.array(3, "topics"));
    check_size("mood_summary", arguments.nullable(2));
    check_size("topics", arguments.nullable(3));
    const char nulls[] = {' ', ' ', arguments.null_flag(2), arguments.null_flag(3)};
    if (find_open.execute({user_id, id}) == 0)
        ereport(ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
                errmsg("the user has no conversation %s",
                       DatumGetCString(DirectFunctionCall1(uuid_out, id))));
    const bool was_open = DatumGetBool(result_field(0, 1));
    if (close.execute({user_id, id, arguments.optional(2), topics}, nulls) == 0)
        refuse_suppressed("conversations");
    return was_open;
}

} // namespace

COMPANION_FUNCTION(open_conversation)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const Datum channel = arguments.required(1, "channel");
    const Datum initiated_by = arguments.required(2, "initiated_by");
    const int64 idle = idle_length(arguments.required(3, "idle"));
    require_channel(text_view(channel));
    check_initiator(text_view(initiated_by));

    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    *id = act_for(user_id, [&] { return open_conversation(user_id, channel, initiated_by, idle); });
    PG_RETURN_UUID_P(id);
}

COMPANION_FUNCTION(close_conversation)
{
    const Arguments arguments(fcinfo);
    PG_RETURN_BOOL(with_spi([&] { return close_conversation(arguments); }));
}
