// Link tokens: made for a user, shown once, and gone.
#include "identity/acting.hpp"
#include "linking/base64url.hpp"
#include "linking/locks.hpp"
#include "linking/token_hash.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/interval_length.hpp"
#include "postgres/random.hpp"
#include "postgres/relations.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

Statement add_token{"INSERT INTO companion.telegram_link_tokens (user_id, token_hash, expires_at)"
                    " VALUES ($1, $2, $3)",
                    UUIDOID, BYTEAOID, TIMESTAMPTZOID};

// Delete all unused tokens but $2: live ones stay rather than expired, newer rather than
// older.
Statement give_way{"DELETE FROM companion.telegram_link_tokens WHERE ctid = ANY (ARRAY ("
                   " SELECT ctid FROM companion.telegram_link_tokens"
                   " WHERE user_id = $1 AND used_at IS NULL"
                   " ORDER BY expires_at > companion.now() DESC, id DESC OFFSET $2))",
                   UUIDOID, INT8OID};

Statement delete_unused{"DELETE FROM companion.telegram_link_tokens"
                        " WHERE user_id = $1 AND used_at IS NULL",
                        UUIDOID};

Statement untie_account{
    "UPDATE companion.users SET telegram_user_id = NULL, telegram_username = NULL,"
    " telegram_linked_at = NULL"
    " WHERE id = $1 AND telegram_user_id IS NOT NULL",
    UUIDOID};

// Let a user's tokens be made one after the other, so that their number is known. Neither
// the user's row nor what else is done with the tokens waits for it.
void lock_tokens_of(Datum user_id)
{
    const Datum key = DirectFunctionCall2(uuid_hash_extended, user_id, Int64GetDatum(0));
    acquire(LinkingLock::tokens_of_user, DatumGetUInt64(key));
}

// How many unused tokens a user has. Read without a plan: a statement would cost a fifth of
// the whole call.
int unused_tokens(Datum user_id)
{
    Relation table = table_open(relation_id("telegram_link_tokens"), AccessShareLock);
    Relation by_user = index_open(relation_id("telegram_link_tokens_pkey"), AccessShareLock);
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    constexpr AttrNumber used_at = 5;
    ScanKeyData key;
    ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_UUID_EQ, user_id);
    PushActiveSnapshot(GetTransactionSnapshot());
    IndexScanDesc scan = begin_index_scan(table, by_user, &key, 1);
    int unused = 0;
    while (index_getnext_slot(scan, ForwardScanDirection, slot))
        unused += slot_attisnull(slot, used_at);
    index_endscan(scan);
    PopActiveSnapshot();
    ExecDropSingleTupleTableSlot(slot);
    index_close(by_user, NoLock);
    table_close(table, NoLock);
    return unused;
}

// Let the oldest give way where one more token would be too many. The user's row is locked
// before a token, as a redemption locks them.
void make_room(Datum user_id)
{
    if (unused_tokens(user_id) < settings::tokens_per_user)
        return;
    lock_user(user_id);
    give_way.execute({user_id, Int64GetDatum(settings::tokens_per_user - 1)});
}

// A new token: 32 random bytes, 43 characters.
Datum random_token()
{
    std::array<unsigned char, 32> bytes;
    take_random(bytes.data(), bytes.size());
    const auto text = base64url(bytes);
    return to_text({text.data(), text.size()});
}

// When a token that is made now ends; companion.token_ttl from now where nothing else
// is given.
TimestampTz token_end(const Arguments &arguments, int position)
{
    if (arguments.is_null(position))
        return now() + settings::token_ttl * USECS_PER_SEC;
    return now() + interval_between(arguments.optional(position), "valid_for", 1,
                                    30 * USECS_PER_DAY, "above zero and at most 30 days");
}

} // namespace

COMPANION_FUNCTION(create_telegram_link_token)
{
    Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    const Datum expires_at = TimestampTzGetDatum(token_end(arguments, 1));
    const Datum token = random_token();
    return act_for(fcinfo, user_id, [&] {
        lock_tokens_of(user_id);
        make_room(user_id);
        add_token.execute({user_id, token_hash(token), expires_at});
        return token;
    });
}

COMPANION_FUNCTION(revoke_telegram_link_tokens)
{
    const Datum user_id = Arguments(fcinfo).required(0, "user_id");
    PG_RETURN_INT64(act_for(fcinfo, user_id, [&] {
        lock_user(user_id);
        return delete_unused.execute({user_id});
    }));
}

COMPANION_FUNCTION(unlink_telegram)
{
    const Datum user_id = Arguments(fcinfo).required(0, "user_id");
    PG_RETURN_BOOL(act_for(fcinfo, user_id, [&] {
        const bool was_tied = untie_account.execute({user_id}) > 0;
        if (!was_tied)
            lock_user(user_id); // refuses an unknown one
        return was_tied;
    }));
}
