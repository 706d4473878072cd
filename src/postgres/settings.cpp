// The extension's settings (companion.*) and its clock.
#include "postgres/settings.hpp"

#include "postgres/entry.hpp"

namespace companion::settings {

char *user_id;
int lock_wait;
int min_gap;
int max_claims;
int send_timeout;
int retry_backoff;
int retention;
int max_message_length;
char *text_search_config;
int max_context_items;
int max_context_key_length;
int max_context_value_length;
int max_facts;
int max_json_size;
int token_ttl;
int tokens_per_user;
int token_retention;
int redeem_failures_per_minute;

static char *half_lives_text;

// Deprecated: columns of companion.kinds have taken their places.
static int catch_up, max_attempts;
static char *retry_unknown;

static char *clock_text;
static bool has_clock;
static TimestampTz clock_time;

// Allocate what a check hook hands to its assign hook.
static void *allocate_extra(std::size_t size)
{
#if PG_VERSION_NUM >= 160000
    return guc_malloc(LOG, size);
#else
    return malloc(size);
#endif
}

// Read a timestamp as timestamptz's input does, without raising an error.
static bool parse_timestamp(const char *text, TimestampTz *result)
{
    char work[MAXDATELEN + MAXDATEFIELDS];
    char *fields[MAXDATEFIELDS];
    int types[MAXDATEFIELDS];
    int count, kind, zone;
    struct pg_tm parts;
    fsec_t fraction;

    if (ParseDateTime(text, work, sizeof work, fields, types, MAXDATEFIELDS, &count) != 0)
        return false;
#if PG_VERSION_NUM >= 160000
    DateTimeErrorExtra extra;
    int error = DecodeDateTime(fields, types, count, &kind, &parts, &fraction, &zone, &extra);
#else
    int error = DecodeDateTime(fields, types, count, &kind, &parts, &fraction, &zone);
#endif
    return error == 0 && kind == DTK_DATE && tm2timestamp(&parts, fraction, &zone, result) == 0;
}

// Write a time as any session reads it: without a zone's name or abbreviation, and not before
// the year 1, which takes a word. A null pointer where it cannot be.
static char *write_timestamp(TimestampTz time)
{
    char text[MAXDATELEN + 1];
    struct pg_tm parts;
    fsec_t fraction;
    if (timestamp2tm(time, nullptr, &parts, &fraction, nullptr, nullptr) != 0 || parts.tm_year < 1)
        return nullptr;
    parts.tm_isdst = 0; // the offset is known: none
    EncodeDateTime(&parts, fraction, true, 0, nullptr, USE_ISO_DATES, text);
    auto *copy = static_cast<char *>(allocate_extra(strlen(text) + 1));
    return copy == nullptr ? nullptr : strcpy(copy, text);
}

static void free_value(char *value)
{
#if PG_VERSION_NUM >= 160000
    guc_free(value);
#else
    free(value);
#endif
}

// Accept an empty string or a finite timestamp for companion.clock. A parallel worker reads it
// before it has the session's zone, or any zone's abbreviations: so what is kept needs neither.
static bool check_clock(char **value, void **extra, GucSource)
{
    if (*value == nullptr || **value == '\0')
        return true;
    TimestampTz time;
    char *text = parse_timestamp(*value, &time) ? write_timestamp(time) : nullptr;
    if (text == nullptr) {
        GUC_check_errdetail("Expected a timestamp such as 2026-01-31 09:00:00+00.");
        return false;
    }
    auto *slot = static_cast<TimestampTz *>(allocate_extra(sizeof(TimestampTz)));
    if (slot == nullptr) {
        free_value(text);
        return false;
    }
    *slot = time;
    *extra = slot;
    free_value(*value);
    *value = text;
    return true;
}

static void assign_clock(const char *, void *extra)
{
    has_clock = extra != nullptr;
    if (has_clock)
        clock_time = *static_cast<TimestampTz *>(extra);
}

constexpr int minute = 60, hour = 60 * minute, day = 24 * hour;

static void define_seconds(const char *name, const char *description, int *variable, int boot,
                           int least, int most)
{
    DefineCustomIntVariable(name, description, nullptr, variable, boot, least, most, PGC_SUSET,
                            GUC_UNIT_S, nullptr, nullptr, nullptr);
}

static void define_count(const char *name, const char *description, int *variable, int boot,
                         int least, int most)
{
    DefineCustomIntVariable(name, description, nullptr, variable, boot, least, most, PGC_SUSET, 0,
                            nullptr, nullptr, nullptr);
}

static void define_identity()
{
    DefineCustomStringVariable("companion.user_id",
                               "The user that the session acts for where no JWT claims are set.",
                               nullptr, &user_id, "", PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("companion.clock",
                               "The time that companion.now() returns instead of the real one.",
                               "For tests; empty means the real time.", &clock_text, "", PGC_SUSET,
                               0, check_clock, assign_clock, nullptr);
}

static void define_waiting()
{
    DefineCustomIntVariable(
        "companion.lock_wait",
        "The longest that a call waits for a lock; zero waits as long as lock_timeout "
        "allows.",
        nullptr, &lock_wait, 5000, 0, 1000 * hour, PGC_SUSET, GUC_UNIT_MS, nullptr, nullptr,
        nullptr);
}

static void define_scheduling()
{
    define_seconds("companion.min_gap", "The least time between two check-ins of one user.",
                   &min_gap, 6 * hour, 0, 20 * hour);
    define_count(
        "companion.max_claims",
        "How often in a row a message is claimed without being started before it has failed.",
        &max_claims, 20, 1, 1000);
    define_seconds("companion.send_timeout",
                   "How long a send may take: the least that is left of a lease after start_send.",
                   &send_timeout, 5 * minute, 1, day);
    define_seconds("companion.retry_backoff",
                   "The longest wait after a first failure; it doubles with each attempt, up to an "
                   "hour, and half of it to all is waited, at random.",
                   &retry_backoff, 30, 1, hour);
    define_seconds("companion.retention", "How long finished messages are kept.", &retention,
                   90 * day, day, 3650 * day);
}

static void define_deprecated()
{
    define_seconds("companion.catch_up", "Deprecated, without effect: see kinds.send_within.",
                   &catch_up, 4 * hour, 0, longest_catch_up);
    define_count("companion.max_attempts", "Deprecated, without effect: see kinds.max_tries.",
                 &max_attempts, 5, 1, 100);
    DefineCustomStringVariable("companion.retry_unknown",
                               "Deprecated, without effect: see kinds.retry_unknown.", nullptr,
                               &retry_unknown, "", PGC_SUSET, 0, nullptr, nullptr, nullptr);
}

static void define_limits()
{
    constexpr int most = 64 * 1024;
    DefineCustomIntVariable("companion.max_json_size",
                            "The largest JSON that a function takes, or a grant lets one write.",
                            "Its size is that of the value as jsonb, not compressed.",
                            &max_json_size, 64, 1, most, PGC_SUSET, GUC_UNIT_KB, nullptr, nullptr,
                            nullptr);
}

static void define_conversations()
{
    define_count("companion.max_message_length", "The most characters that a message may have.",
                 &max_message_length, 65536, 1, 100000);
    DefineCustomStringVariable("companion.text_search_config",
                               "The text search configuration that messages are searched with.",
                               "With its schema, unless that is pg_catalog.", &text_search_config,
                               "simple", PGC_SUSET, 0, nullptr, nullptr, nullptr);
}

static void define_memory()
{
    define_count("companion.max_context_items", "How many context items a user may have.",
                 &max_context_items, 10000, 1, 1000000);
    define_count("companion.max_context_key_length",
                 "The most characters that a context item's key may have.", &max_context_key_length,
                 200, 1, 500);
    define_count("companion.max_context_value_length",
                 "The most characters that a context item's value may have.",
                 &max_context_value_length, 4000, 1, 100000);
    define_count("companion.max_facts", "The most facts that one call may bring.", &max_facts, 1000,
                 1, 100000);
    DefineCustomStringVariable(
        "companion.half_lives",
        "Deprecated and without effect: companion.context_categories has its place.", nullptr,
        &half_lives_text, "", PGC_SUSET, 0, nullptr, nullptr, nullptr);
}

static void define_linking()
{
    define_seconds("companion.token_ttl", "How long a link token is valid.", &token_ttl,
                   15 * minute, 1, 30 * day);
    define_count("companion.tokens_per_user",
                 "How many live link tokens a user may have; the oldest gives way.",
                 &tokens_per_user, 5, 1, 100);
    define_seconds("companion.token_retention", "How long used link tokens are kept.",
                   &token_retention, 30 * day, 0, 3650 * day);
    define_count("companion.redeem_failures_per_minute",
                 "How many unknown link tokens a Telegram account may present in a minute.",
                 &redeem_failures_per_minute, 30, 1, 10000);
}

void define()
{
    define_identity();
    define_waiting();
    define_scheduling();
    define_deprecated();
    define_limits();
    define_conversations();
    define_memory();
    define_linking();
    MarkGUCPrefixReserved("companion");
}

} // namespace companion::settings

namespace companion {

TimestampTz now()
{
    return settings::has_clock ? settings::clock_time : GetCurrentTransactionStartTimestamp();
}

bool clock_is_set()
{
    return settings::has_clock;
}

} // namespace companion

COMPANION_FUNCTION(now)
{
    PG_RETURN_TIMESTAMPTZ(companion::now());
}
