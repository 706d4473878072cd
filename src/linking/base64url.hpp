// Base64url without padding (RFC 4648, section 5): what a link token is written in, and
// what Telegram takes as a start parameter.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace companion {

inline constexpr std::string_view base64url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// The text of some bytes, six bits a character.
template <std::size_t size>
constexpr auto base64url(const std::array<unsigned char, size> &bytes)
{
    std::array<char, (size * 8 + 5) / 6> text{};
    for (std::size_t index = 0; index < text.size(); index++) {
        const std::size_t bit = index * 6, byte = bit / 8;
        const unsigned pair = bytes[byte] << 8 | (byte + 1 < size ? bytes[byte + 1] : 0);
        text[index] = base64url_alphabet[pair >> (10 - bit % 8) & 63];
    }
    return text;
}

constexpr bool is_base64url(std::string_view text)
{
    return text.find_first_not_of(base64url_alphabet) == text.npos;
}

} // namespace companion
