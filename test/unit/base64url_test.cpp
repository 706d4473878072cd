// Base64url against the vectors of RFC 4648, without their padding.
#include "linking/base64url.hpp"

#include "catch2.hpp"

#include <string>

using companion::base64url;
using companion::is_base64url;

namespace {

template <std::size_t size>
std::string text_of(const std::array<unsigned char, size> &bytes)
{
    const auto text = base64url(bytes);
    return {text.data(), text.size()};
}

} // namespace

TEST_CASE("bytes become text, six bits a character")
{
    CHECK(text_of<1>({'f'}) == "Zg");
    CHECK(text_of<2>({'f', 'o'}) == "Zm8");
    CHECK(text_of<3>({'f', 'o', 'o'}) == "Zm9v");
    CHECK(text_of<6>({'f', 'o', 'o', 'b', 'a', 'r'}) == "Zm9vYmFy");
    CHECK(text_of<3>({0xFB, 0xFF, 0xBF}) == "-_-_");
    CHECK(text_of<0>({}).empty());
}

TEST_CASE("32 bytes are 43 characters of the alphabet")
{
    std::array<unsigned char, 32> bytes;
    for (int value = 0; value < 256; value++) {
        bytes.fill(static_cast<unsigned char>(value));
        const std::string text = text_of(bytes);
        CHECK(text.size() == 43);
        CHECK(is_base64url(text));
    }
    bytes.fill(0xFF);
    CHECK(text_of(bytes) == std::string(42, '_') + '8');
}

TEST_CASE("other characters are not of the alphabet")
{
    for (const char *text : {"+", "/", "a=", " ", "a b", "\n", "Zoë", "a.b"})
        CHECK_FALSE(is_base64url(text));
    CHECK_FALSE(is_base64url(std::string_view("a\0b", 3)));
    CHECK(is_base64url(""));
}
