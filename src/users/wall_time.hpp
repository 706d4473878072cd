// A time of day, and a date, as a user's answer writes it.
#pragma once

#include <algorithm>
#include <string_view>

namespace companion {

// Whether two characters are a number below a limit.
constexpr bool is_number_below(std::string_view text, int limit)
{
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return text.size() == 2 && is_digit(text[0]) && is_digit(text[1]) &&
           (text[0] - '0') * 10 + (text[1] - '0') < limit;
}

// Whether a text is HH:MM, from 00:00 to 23:59.
constexpr bool is_wall_time(std::string_view text)
{
    return text.size() == 5 && text[2] == ':' && is_number_below(text.substr(0, 2), 24) &&
           is_number_below(text.substr(3), 60);
}

// Whether a text is written as YYYY-MM-DD, be there such a day or not.
constexpr bool is_iso_date(std::string_view text)
{
    return text.size() == 10 && text[4] == '-' && text[7] == '-' &&
           std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }) ==
               8;
}

} // namespace companion
