// Redeeming a link token: one atomic step that ties a Telegram account to a user.
//
// Two locks, always in this order, keep redemptions apart: the Telegram account's, so
// that its failures are counted exactly; then the user's row, so that the user is tied to one
// account only. That an address is one user's only the index of addresses sees to.
#include "channels/address.hpp"
#include "linking/token_hash.hpp"
#include "linking/unused.hpp"
#include "postgres/arguments.hpp"
#include "postgres/composite.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"

using namespace companion;

namespace {

// What a token stands for, with its user's row and its own locked, as they are once
// others that held them have ended, and for which bot it links. $1 hash, $2 Telegram account, $3
// now, $4 the bound on failures, $5 the bot.
Statement look_up{R"sql(
    SELECT t.user_id,
           CASE WHEN EXISTS (SELECT FROM companion.telegram_redeem_failures AS f
                             WHERE f.telegram_user_id = $2 AND f.window_ends_at > $3
                               AND f.failures >= $4) THEN 'refused'
                WHEN t.used_by = $2 AND u.telegram_user_id = $2 THEN 'linked'
                WHEN t.used_at IS NOT NULL THEN 'used'
                WHEN t.expires_at <= $3 THEN 'expired'
                ELSE 'live' END,
           coalesce(nullif($5, ''), t.bot)
    FROM companion.telegram_link_tokens AS t JOIN companion.users AS u ON u.id = t.user_id
    WHERE t.token_hash = $1 AND (t.bot = '' OR $5 IN ('', t.bot))
    FOR NO KEY UPDATE OF u FOR NO KEY UPDATE OF t
)sql", BYTEAOID, INT8OID, TIMESTAMPTZOID, INT4OID, TEXTOID};

Statement find_owner{R"sql(
    SELECT user_id, coalesce(nullif($2, ''), bot) FROM companion.telegram_link_tokens
    WHERE token_hash = $1 AND (bot = '' OR $2 IN ('', bot)) AND used_at IS NULL AND expires_at > $3
)sql",
                     BYTEAOID, TEXTOID, TIMESTAMPTZOID};

// Tie the account to the user ($4; $5 is its name) and use up the user's live tokens. Returns
// whether the token is used and the account tied, and how many tokens were left unused; null
// where there is no such row.
Statement tie_account{R"sql(
    WITH live AS (
        SELECT id FROM companion.telegram_link_tokens
        WHERE user_id = $4 AND )sql" IS_UNUSED R"sql( AND expires_at > $3),
    used_up AS (
        UPDATE companion.telegram_link_tokens
        SET used_at = $3, used_by = CASE WHEN token_hash = $1 THEN $2 END
        WHERE user_id = $4 AND )sql" IS_UNUSED R"sql( AND expires_at > $3
        RETURNING token_hash, used_at),
    tied AS (
        UPDATE companion.users
        SET telegram_user_id = $2, telegram_username = $5, telegram_linked_at = $3
        WHERE id = $4 RETURNING telegram_user_id)
    SELECT (SELECT used_at IS NOT NULL FROM used_up WHERE token_hash = $1),
           (SELECT telegram_user_id IS NOT DISTINCT FROM $2 FROM tied),
           (SELECT count(*) FROM live) - (SELECT count(*) FROM used_up)
)sql",
                      BYTEAOID,
                      INT8OID,
                      TIMESTAMPTZOID,
                      UUIDOID,
                      TEXTOID};

Statement find_live{"SELECT FROM companion.telegram_link_tokens"
                    " WHERE user_id = $1 AND " IS_UNUSED " AND expires_at > $2",
                    UUIDOID, TIMESTAMPTZOID};

// Count an unknown token; no row when the account has used up its bound.
Statement count_failure{R"sql(
    INSERT INTO companion.telegram_redeem_failures AS f
        (telegram_user_id, failures, window_ends_at) VALUES ($1, 1, $2 + '1 minute')
    ON CONFLICT (telegram_user_id) DO UPDATE
    SET failures = CASE WHEN f.window_ends_at > $2 THEN f.failures ELSE 0 END + 1,
        window_ends_at = CASE WHEN f.window_ends_at > $2 THEN f.window_ends_at
                              ELSE excluded.window_ends_at END
    WHERE f.failures < $3 OR f.window_ends_at <= $2
)sql",
                        INT8OID, TIMESTAMPTZOID, INT4OID};

Statement find_guessing{R"sql(
    SELECT FROM companion.telegram_redeem_failures
    WHERE telegram_user_id = $1 AND window_ends_at > $2 AND failures >= $3
)sql",
                        INT8OID, TIMESTAMPTZOID, INT4OID};

struct Redemption {
    Datum token_hash;
    int64 account;
    NullableDatum username;
    Datum bot;
};

struct Outcome {
    char name[8];
    pg_uuid_t user_id;
    Datum bot; // for which the token is redeemed

    bool is(const char *other) const { return strcmp(name, other) == 0; }
};

// Locks of our own, apart from those of SQL's pg_advisory_lock, which are 1 and 2.
constexpr uint16 account_lock = 0x7467;

void lock_account(int64 account)
{
    LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, static_cast<uint32>(account >> 32),
                         static_cast<uint32>(account), account_lock);
    LockAcquire(&tag, ExclusiveLock, false, false);
}

[[noreturn]] void refuse_guessing(int64 account)
{
    ereport(ERROR, errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
            errmsg("Telegram account " INT64_FORMAT " has presented too many unknown link tokens",
                   account),
            errhint("It may try again in a minute; companion.redeem_failures_per_minute is %d.",
                    settings::redeem_failures_per_minute));
    pg_unreachable();
}

Outcome unknown(const Redemption &redemption)
{
    const Datum account = Int64GetDatum(redemption.account), at = TimestampTzGetDatum(now()),
                most = Int32GetDatum(settings::redeem_failures_per_minute);
    if (count_failure.execute({account, at, most}) == 0) {
        if (find_guessing.execute({account, at, most}) == 0)
            refuse_suppressed("telegram_redeem_failures");
        refuse_guessing(redemption.account);
    }
    return {"unknown", {}, 0};
}

void tie(const Redemption &redemption, TimestampTz at, const pg_uuid_t &user_id)
{
    const Datum user = UUIDPGetDatum(&user_id), time = TimestampTzGetDatum(at);
    const char nulls[] = {' ', ' ', ' ', ' ', null_flag(redemption.username)};
    tie_account.execute({redemption.token_hash, Int64GetDatum(redemption.account), time, user,
                         redemption.username.value},
                        nulls);
    require_written(1, "telegram_link_tokens", "used_at");
    require_written(2, "users", "telegram_user_id");
    // A token may also have been deleted meanwhile
    if (DatumGetInt64(result_field(0, 3)) > 0 && find_live.execute({user, time}) > 0)
        refuse_suppressed("telegram_link_tokens");
}

// False where the account is another user's for the bot, and nothing has changed.
bool tie_unless_taken(const Redemption &redemption, TimestampTz at, const Outcome &outcome)
{
    const Datum account = as_text(int8out, Int64GetDatum(redemption.account));
    if (!link(UUIDPGetDatum(&outcome.user_id), {to_text("telegram"), outcome.bot, account}))
        return false;
    tie(redemption, at, outcome.user_id);
    return true;
}

// What look_up found.
Outcome read_outcome()
{
    Outcome outcome{{}, *DatumGetUUIDP(result_field(0, 1)), result_field(0, 3)};
    strlcpy(outcome.name, TextDatumGetCString(result_field(0, 2)), sizeof outcome.name);
    return outcome;
}

Outcome redeem(const Redemption &redemption)
{
    const TimestampTz at = now();
    lock_account(redemption.account);
    if (look_up.execute({redemption.token_hash, Int64GetDatum(redemption.account),
                         TimestampTzGetDatum(at),
                         Int32GetDatum(settings::redeem_failures_per_minute), redemption.bot}) == 0)
        return unknown(redemption);

    Outcome outcome = read_outcome();
    if (outcome.is("refused"))
        refuse_guessing(redemption.account);
    if (outcome.is("live")) {
        const bool is_tied = tie_unless_taken(redemption, at, outcome);
        strlcpy(outcome.name, is_tied ? "linked" : "taken", sizeof outcome.name);
    }
    return outcome;
}

Redemption read_redemption(const Arguments &arguments)
{
    const int64 account = DatumGetInt64(arguments.required(1, "telegram_user_id"));
    check_telegram_id("telegram_user_id", account);
    if (!arguments.is_null(2))
        check_length("telegram_username", arguments.text(2, "telegram_username"), 64);
    check_bot(arguments.text(3, "bot"));
    return {token_hash(arguments.required(0, "token")), account, arguments.nullable(2),
            arguments.optional(3)};
}

} // namespace

COMPANION_FUNCTION(redeem_telegram_link_token)
{
    const Redemption redemption = read_redemption(Arguments(fcinfo));
    PreventCommandIfReadOnly("redeem_telegram_link_token()");
    const Outcome outcome = with_spi([&] { return redeem(redemption); });
    return as_only_row(fcinfo, {{CStringGetTextDatum(outcome.name), false},
                                {UUIDPGetDatum(&outcome.user_id), !outcome.is("linked")}});
}

COMPANION_FUNCTION(link_token_owner)
{
    const Arguments arguments(fcinfo);
    const Datum hash = token_hash(arguments.required(0, "token"));
    check_bot(arguments.text(1, "bot"));
    return with_spi([&] {
        const bool is_live =
            find_owner.execute({hash, arguments.optional(1), TimestampTzGetDatum(now())}) > 0;
        const Datum user_id = is_live ? result_field(0, 1) : Datum{0},
                    bot = is_live ? result_field(0, 2) : Datum{0};
        return SPI_datumTransfer(as_only_row(fcinfo, {{user_id, !is_live}, {bot, !is_live}}), false,
                                 -1);
    });
}
