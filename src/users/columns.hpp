// What columns of users may hold, wherever it is written.
#pragma once

#include "postgres/server.hpp"

#include <initializer_list>
#include <string_view>

namespace companion {

inline constexpr int longest_name = 200, longest_email = 320, longest_username = 64,
                     longest_location = 500, weekdays = 7;

extern const std::initializer_list<std::string_view> subscription_statuses;

// What a text is to be like, and how a message says it.
struct TextRule {
    bool (*accepts)(std::string_view);
    const char *expected;
};
extern const TextRule short_text_rule, zone_rule, wall_time_rule, channel_rule;

// Say of an error that is being raised that a value, an answer or a field, is not valid. Error
// 22023, with the value's name also as the error's column name.
int describe_invalid(const char *what, const char *name, const char *expected);

} // namespace companion
