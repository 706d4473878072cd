// What a row of scheduled_messages may hold.
#include "channels/written.hpp"
#include "postgres/entry.hpp"
#include "postgres/reference.hpp"

using namespace companion;

namespace {

void check_kind(const WrittenRow &row)
{
    const NullableDatum kind = row.nullable("kind", TEXTOID);
    if (!kind.isnull && !is_short_word(text_view(kind.value)))
        row.refuse("kind", TEXTOID, psprintf("kind is \"%s\"", excerpt(text_view(kind.value))),
                   "A kind is 1 to 63 lower-case letters, digits and _, a letter first.");
}

// A check-in's key is of its local day, and no other kind's is: that is what the guard goes by.
void check_key(const WrittenRow &row)
{
    row.check_length("idempotency_key", 1, 200);
    const NullableDatum kind = row.nullable("kind", TEXTOID),
                        key = row.nullable("idempotency_key", TEXTOID);
    if (kind.isnull || key.isnull)
        return;
    const bool is_checkin = text_view(kind.value) == "checkin";
    if (is_checkin != text_view(key.value).starts_with("checkin:"))
        row.refuse("idempotency_key", TEXTOID,
                   is_checkin ? "a check-in's idempotency_key does not begin with checkin:"
                              : "another kind's idempotency_key begins with checkin:");
}

} // namespace

COMPANION_FUNCTION(check_scheduled_message)
{
    const WrittenRow row(fcinfo);
    check_reference(row, {"scheduled_messages_user_id_fkey", "users", "users_pkey", {"user_id"}});
    check_kind(row);
    check_key(row);
    row.check_one_of("status", {"pending", "sent", "failed", "skipped", "unknown", "cancelled"});
    check_channel(row, "channel");
    row.check_not_empty("content");
    row.check_object("metadata");
    return row.unchanged();
}
