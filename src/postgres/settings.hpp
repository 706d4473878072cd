// The extension's settings (companion.*) and its clock.
#pragma once

#include "postgres/server.hpp"

namespace companion::settings {

// Register every setting with the server. Called once, when the library loads.
void define();

// The most that a check-in's send_within can be, in seconds.
inline constexpr int longest_catch_up = 7 * SECS_PER_DAY;

extern char *user_id;                // companion.user_id: the identity where no JWT is set
extern int lock_wait;                // companion.lock_wait, milliseconds
extern int min_gap;                  // companion.min_gap, seconds
extern int max_claims;               // companion.max_claims
extern int send_timeout;             // companion.send_timeout, seconds
extern int retry_backoff;            // companion.retry_backoff, seconds
extern int retention;                // companion.retention, seconds
extern int max_json_size;            // companion.max_json_size, kB
extern int max_message_length;       // companion.max_message_length, characters
extern char *text_search_config;     // companion.text_search_config
extern int max_context_items;        // companion.max_context_items
extern int max_context_key_length;   // companion.max_context_key_length, characters
extern int max_context_value_length; // companion.max_context_value_length, characters
extern int max_facts;                // companion.max_facts

extern int token_ttl;                  // companion.token_ttl, seconds
extern int tokens_per_user;            // companion.tokens_per_user
extern int token_retention;            // companion.token_retention, seconds
extern int redeem_failures_per_minute; // companion.redeem_failures_per_minute

} // namespace companion::settings

namespace companion {

// The time that every function goes by: companion.clock where it is set, else the
// start of the transaction.
TimestampTz now();

// Whether companion.clock is set.
bool clock_is_set();

inline Interval *seconds_interval(int seconds)
{
    auto *interval = static_cast<Interval *>(palloc0(sizeof(Interval)));
    interval->time = static_cast<TimeOffset>(seconds) * USECS_PER_SEC;
    return interval;
}

} // namespace companion
