// Texts as they are compared: without the white space around them, in Unicode's normal form C and,
// where case does not count, folded. In a server that is not UTF8 only ASCII is: what lies beyond
// is compared byte by byte.
#pragma once

#include <string_view>

namespace companion {

// The part of a text between the white space around it.
std::string_view trimmed(std::string_view text);

// A text in normal form C: itself where it is, else a copy in the current memory context.
std::string_view normalized(std::string_view text);

// The same with each character without its case.
std::string_view folded(std::string_view text);

// Whether two texts are the same but for white space around them and normal form.
bool is_same_text(std::string_view a, std::string_view b);

} // namespace companion
