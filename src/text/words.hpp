// Texts as they are searched. A script that does not put spaces between its words is searched for
// substrings: each of its characters stands apart, as a word of its own, so that a substring is a
// phrase of them.
#pragma once

#include <string_view>

namespace companion {

// What stands between such characters: no letter, no text's own.
inline constexpr char separator = '\x1f';

// A text in normal form C with such characters apart; itself where it has none.
std::string_view with_words_apart(std::string_view text);

// A query as on the web in the same form, without case: what is one word in it, and has such
// characters, becomes a phrase.
std::string_view query_with_words_apart(std::string_view query);

} // namespace companion
