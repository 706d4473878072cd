// Deleting a message, and what was learned from it alone.
#include "identity/acting.hpp"
#include "memory/forgetting.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/triggered.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

Statement lock_message{R"sql(
    SELECT m.role FROM companion.messages AS m WHERE m.user_id = $1 AND m.id = $2 FOR UPDATE)sql",
                       UUIDOID, UUIDOID};

Statement remove{R"sql(
    DELETE FROM companion.messages AS m WHERE m.user_id = $1 AND m.id = $2)sql",
                 UUIDOID, UUIDOID};

// What searches have kept of the user's messages is made anew by the next.
Statement drop_chunks{R"sql(
    DELETE FROM companion.search_chunks AS c WHERE c.user_id = $1)sql",
                      UUIDOID};

// An end user deletes what they wrote themselves. Error 42501.
void require_own_words(bool is_end_user, std::string_view role)
{
    if (is_end_user && role != "user")
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("not allowed to delete a message of role %s", excerpt(role)),
                errhint("An end user deletes what they wrote."));
}

bool delete_message(Datum user_id, Datum message_id, bool with_facts, bool is_end_user)
{
    if (!try_lock_user(user_id) || lock_message.execute({user_id, message_id}) == 0)
        return false;
    require_own_words(is_end_user, text_view(result_field(0, 1)));
    if (with_facts)
        forget_facts_of(user_id, message_id);
    if (remove.execute({user_id, message_id}) == 0)
        refuse_suppressed("messages");
    drop_chunks.execute({user_id});
    return true;
}

} // namespace

COMPANION_FUNCTION(delete_message)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const Datum message_id = arguments.required(1, "message_id");
    const bool with_facts = DatumGetBool(arguments.required(2, "forget_facts"));
    const bool is_end_user = !acts_for_every_user();
    PG_RETURN_BOOL(act_for(
        user_id, [&] { return delete_message(user_id, message_id, with_facts, is_end_user); }));
}
