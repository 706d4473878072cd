// Link tokens: made for a user, shown once, and gone.
#include "identity/acting.hpp"
#include "linking/base64url.hpp"
#include "linking/token_hash.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/interval_length.hpp"
#include "postgres/random.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

// $4 is how many older tokens may stay: live ones rather than expired, newer rather
// than older.
Statement add_token{
    "WITH given_way AS ("
    " DELETE FROM companion.telegram_link_tokens WHERE ctid = ANY (ARRAY ("
    "   SELECT ctid FROM companion.telegram_link_tokens WHERE user_id = $1 AND used_at IS NULL"
    "   ORDER BY expires_at > companion.now() DESC, id DESC OFFSET $4)))"
    "INSERT INTO companion.telegram_link_tokens (user_id, token_hash, expires_at)"
    " VALUES ($1, $2, $3)",
    UUIDOID, BYTEAOID, TIMESTAMPTZOID, INT8OID};

Statement delete_unused{"DELETE FROM companion.telegram_link_tokens"
                        " WHERE user_id = $1 AND used_at IS NULL",
                        UUIDOID};

Statement untie_account{
    "UPDATE companion.users SET telegram_user_id = NULL, telegram_username = NULL,"
    " telegram_linked_at = NULL"
    " WHERE id = $1 AND telegram_user_id IS NOT NULL",
    UUIDOID};

// A new token: 32 random bytes, 43 characters.
Datum random_token()
{
    std::array<unsigned char, 32> bytes;
    fill_with_random(bytes.data(), bytes.size());
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
        lock_user(user_id);
        add_token.execute(
            {user_id, token_hash(token), expires_at, Int64GetDatum(settings::tokens_per_user - 1)});
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
        lock_user(user_id);
        return untie_account.execute({user_id}) > 0;
    }));
}
