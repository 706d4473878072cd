// What kind of character one is.
#pragma once

#include <algorithm>
#include <iterator>

namespace companion {

struct CharacterRange {
    char32_t first, last;
};

template <class Ranges>
constexpr bool is_among(char32_t character, const Ranges &ranges)
{
    return std::any_of(std::begin(ranges), std::end(ranges), [=](const CharacterRange &range) {
        return character >= range.first && character <= range.last;
    });
}

// White space, and what has no width.
constexpr bool is_blank(char32_t character)
{
    constexpr CharacterRange blanks[] = {{0x09, 0x0D},     {0x20, 0x20},     {0x85, 0x85},
                                         {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200B},
                                         {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                                         {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
    return is_among(character, blanks);
}

// Of a script that does not put spaces between words, or, as Korean, between a word and what is
// added to it: Thai, Lao, Myanmar, Khmer, Chinese, Japanese, Korean.
constexpr bool is_unspaced(char32_t character)
{
    constexpr CharacterRange unspaced[] = {
        {0x0E01, 0x0E3A},  {0x0E40, 0x0E4E}, {0x0E81, 0x0ECD}, {0x1000, 0x109F}, {0x1100, 0x11FF},
        {0x1780, 0x17D3},  {0x19E0, 0x19FF}, {0x2E80, 0x2FDF}, {0x3005, 0x3007}, {0x3021, 0x3029},
        {0x3031, 0x3035},  {0x3038, 0x303C}, {0x3041, 0x3096}, {0x309D, 0x309F}, {0x30A1, 0x30FA},
        {0x30FC, 0x31FF},  {0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xA960, 0xA97F}, {0xA9E0, 0xA9FE},
        {0xAA60, 0xAA7F},  {0xAC00, 0xD7FF}, {0xF900, 0xFAFF}, {0xFF66, 0xFF9D}, {0x1AFF0, 0x1B16F},
        {0x20000, 0x3FFFD}};
    return character >= unspaced[0].first && is_among(character, unspaced);
}

} // namespace companion
