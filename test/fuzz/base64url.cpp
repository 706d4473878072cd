// Any bytes: their text is of the alphabet and reads back as them; any text is of the alphabet just
// when each of its characters is.
#include "linking/base64url.hpp"

#include <algorithm>
#include <cctype>

using namespace companion;

namespace {

using Token = std::array<unsigned char, 32>;

void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

Token read_back(std::string_view text)
{
    Token token{};
    for (std::size_t bit = 0; bit < token.size() * 8; bit++)
        if (base64url_alphabet.find(text[bit / 6]) >> (5 - bit % 6) & 1)
            token[bit / 8] |= 0x80 >> bit % 8;
    return token;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *bytes, std::size_t size)
{
    Token token{};
    std::copy_n(bytes, std::min(size, token.size()), token.begin());
    const auto encoded = base64url(token);
    const std::string_view text(encoded.data(), encoded.size());
    require(is_base64url(text) && read_back(text) == token);

    const auto is_ours = [](unsigned char c) {
        return c < 0x80 && (std::isalnum(c) || c == '-' || c == '_');
    };
    require(is_base64url({reinterpret_cast<const char *>(bytes), size}) ==
            std::all_of(bytes, bytes + size, is_ours));
    return 0;
}
