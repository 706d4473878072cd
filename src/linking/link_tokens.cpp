// Link tokens: made for a user, shown once, and gone.
#include "channels/channel.hpp"
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
#include "postgres/triggered.hpp"
#include "sharding/shard.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

// Locks the user's row first, so that a user's tokens are made one after the other; adds
// nothing for an unknown user. Returns the column of the row's identity that a trigger changed.
Statement add_token{R"sql(
    INSERT INTO companion.telegram_link_tokens AS t (user_id, id, token_hash, expires_at, bot)
    SELECT id, $2, $3, $4, $5 FROM companion.users WHERE id = $1 FOR NO KEY UPDATE
    RETURNING CASE WHEN t.user_id <> $1 THEN 'user_id' WHEN t.id <> $2 THEN 'id'
                   WHEN t.token_hash <> $3 THEN 'token_hash' END
)sql", UUIDOID, UUIDOID, BYTEAOID, TIMESTAMPTZOID, TEXTOID};

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

Statement find_tied{R"sql(
    SELECT telegram_user_id IS NOT NULL FROM companion.users WHERE id = $1 FOR NO KEY UPDATE
)sql",
                    UUIDOID};

Statement untie_account{R"sql(
    UPDATE companion.users
    SET telegram_user_id = NULL, telegram_username = NULL, telegram_linked_at = NULL
    WHERE id = $1 RETURNING telegram_user_id IS NULL
)sql",
                        UUIDOID};

// How many unused tokens a user has. Read without a plan: a statement would cost a fifth of
// the whole call.
int unused_tokens(Datum user_id)
{
    Relation table = table_open(relation_id("telegram_link_tokens"), AccessShareLock);
    Relation by_user = index_open(relation_id("telegram_link_tokens_pkey"), AccessShareLock);
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    const AttrNumber used_at = column_number(table, "used_at");
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

// Add a token. Error 23503 for an unknown user.
void insert(Datum user_id, Datum id, Datum hash, Datum expires_at, Datum bot)
{
    if (add_token.execute({user_id, id, hash, expires_at, bot}) == 0) {
        require_user(user_id);
        refuse_suppressed("telegram_link_tokens");
    }
    bool is_unchanged;
    const Datum changed = result_field(0, 1, &is_unchanged);
    if (!is_unchanged)
        refuse_changed("telegram_link_tokens", TextDatumGetCString(changed));
}

// Add a token, and let the oldest give way where that is one too many.
void add(Datum user_id, Datum hash, Datum expires_at, Datum bot)
{
    const Datum id = UUIDPGetDatum(uuid_v7());
    insert(user_id, id, hash, expires_at, bot);
    if (unused_tokens(user_id) <= settings::tokens_per_user)
        return;
    give_way.execute({user_id, id, Int64GetDatum(settings::tokens_per_user - 1)});
    if (unused_tokens(user_id) > settings::tokens_per_user)
        refuse_suppressed("telegram_link_tokens");
}

int64 revoke(Datum user_id)
{
    lock_user(user_id);
    const int64 revoked = delete_unused.execute({user_id});
    if (unused_tokens(user_id) > 0)
        refuse_suppressed("telegram_link_tokens");
    return revoked;
}

// Whether there was an account to untie.
bool unlink(Datum user_id)
{
    if (find_tied.execute({user_id}) == 0)
        refuse_unknown_user(user_id);
    if (!DatumGetBool(result_field(0, 1)))
        return false;
    if (untie_account.execute({user_id}) == 0)
        refuse_suppressed("users");
    if (!DatumGetBool(result_field(0, 1)))
        refuse_changed("users", "telegram_user_id");
    return true;
}

// What a shard's tokens begin with, so that whoever gets one knows whom to ask.
const char *token_prefix()
{
    return is_one_of_shards() ? psprintf("%d-", this_shard()->number) : "";
}

// A new token: 32 random bytes, 43 characters.
Datum random_token()
{
    std::array<unsigned char, 32> bytes;
    take_random(bytes.data(), bytes.size());
    const auto text = base64url(bytes);
    return CStringGetTextDatum(
        psprintf("%s%.*s", token_prefix(), static_cast<int>(text.size()), text.data()));
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
    check_bot(arguments.text(2, "bot"));
    const Datum bot = arguments.optional(2), token = random_token();
    return act_for(user_id, [&] {
        add(user_id, token_hash(token), expires_at, bot);
        return token;
    });
}

COMPANION_FUNCTION(revoke_telegram_link_tokens)
{
    const Datum user_id = Arguments(fcinfo).required(0, "user_id");
    PG_RETURN_INT64(act_for(user_id, [&] { return revoke(user_id); }));
}

COMPANION_FUNCTION(unlink_telegram)
{
    const Datum user_id = Arguments(fcinfo).required(0, "user_id");
    PG_RETURN_BOOL(act_for(user_id, [&] { return unlink(user_id); }));
}
