// Link tokens: made for a user, shown once, and gone.
#include "identity/acting.hpp"
#include "identity/uuid_v7.hpp"
#include "linking/base64url.hpp"
#include "linking/token_hash.hpp"
#include "linking/unused.hpp"
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

// Locks the user's row first, so that a user's tokens are made one after the other; adds
// nothing for an unknown user.
Statement add_token{
    "INSERT INTO companion.telegram_link_tokens (user_id, id, token_hash, expires_at)"
    " SELECT id, $2, $3, $4 FROM companion.users WHERE id = $1 FOR NO KEY UPDATE",
    UUIDOID, UUIDOID, BYTEAOID, TIMESTAMPTZOID};

// Delete all unused tokens but the new one, $2, and $3 others: live ones stay rather than
// expired, newer rather than older.
Statement give_way{"DELETE FROM companion.telegram_link_tokens WHERE ctid = ANY (ARRAY ("
                   " SELECT ctid FROM companion.telegram_link_tokens"
                   " WHERE user_id = $1 AND " IS_UNUSED " AND id <> $2"
                   " ORDER BY expires_at > companion.now() DESC, id DESC OFFSET $3))",
                   UUIDOID, UUIDOID, INT8OID};

Statement delete_unused{"DELETE FROM companion.telegram_link_tokens"
                        " WHERE user_id = $1 AND " IS_UNUSED,
                        UUIDOID};

Statement untie_account{
    "UPDATE companion.users SET telegram_user_id = NULL, telegram_username = NULL,"
    " telegram_linked_at = NULL"
    " WHERE id = $1 AND telegram_user_id IS NOT NULL",
    UUIDOID};

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

// Add a token, and let the oldest give way where that is one too many.
void add(Datum user_id, Datum hash, Datum expires_at)
{
    const Datum id = UUIDPGetDatum(uuid_v7());
    if (add_token.execute({user_id, id, hash, expires_at}) == 0)
        refuse_unknown_user(user_id);
    if (unused_tokens(user_id) > settings::tokens_per_user)
        give_way.execute({user_id, id, Int64GetDatum(settings::tokens_per_user - 1)});
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
    return act_for(user_id, [&] {
        add(user_id, token_hash(token), expires_at);
        return token;
    });
}

COMPANION_FUNCTION(revoke_telegram_link_tokens)
{
    const Datum user_id = Arguments(fcinfo).required(0, "user_id");
    PG_RETURN_INT64(act_for(user_id, [&] {
        lock_user(user_id);
        return delete_unused.execute({user_id});
    }));
}

COMPANION_FUNCTION(unlink_telegram)
{
    const Datum user_id = Arguments(fcinfo).required(0, "user_id");
    PG_RETURN_BOOL(act_for(user_id, [&] {
        const bool was_tied = untie_account.execute({user_id}) > 0;
        if (!was_tied)
            require_user(user_id);
        return was_tied;
    }));
}
