// Texts as they are compared.
#include "text/folding.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "text/case_folding.hpp"
#include "text/characters.hpp"

namespace companion {

static bool is_utf8()
{
    return GetDatabaseEncoding() == PG_UTF8;
}

static bool is_ascii(std::string_view text)
{
    return std::none_of(text.begin(), text.end(), [](char c) { return IS_HIGHBIT_SET(c); });
}

static const unsigned char *bytes_of(std::string_view text)
{
    return reinterpret_cast<const unsigned char *>(text.data());
}

static bool is_first_byte(char c)
{
    return (c & 0xC0) != 0x80;
}

// How many bytes the blank has with which a text begins, or zero.
static std::size_t leading_blank(std::string_view text)
{
    if (text.empty())
        return 0;
    if (!is_utf8())
        return is_blank(static_cast<unsigned char>(text[0]) & 0x7F) && !IS_HIGHBIT_SET(text[0]);
    return is_blank(utf8_to_unicode(bytes_of(text))) ? pg_utf_mblen(bytes_of(text)) : 0;
}

// The same of the one with which it ends. Another encoding's last byte may be part of a character,
// but never one of ASCII's white space.
static std::size_t trailing_blank(std::string_view text)
{
    if (text.empty() || !is_utf8())
        return text.empty() ? 0 : leading_blank(text.substr(text.size() - 1));
    std::size_t size = 1;
    while (size < text.size() && !is_first_byte(text[text.size() - size]))
        size++;
    return leading_blank(text.substr(text.size() - size));
}

std::string_view trimmed(std::string_view text)
{
    while (const std::size_t size = leading_blank(text))
        text.remove_prefix(size);
    while (const std::size_t size = trailing_blank(text))
        text.remove_suffix(size);
    return text;
}

// The characters of a text of UTF8, ended by a zero, as the server's normalization takes them.
static pg_wchar *characters_of(std::string_view text)
{
    auto *characters = static_cast<pg_wchar *>(palloc((text.size() + 1) * sizeof(pg_wchar)));
    pg_mb2wchar_with_len(text.data(), characters, static_cast<int>(text.size()));
    return characters;
}

static std::string_view utf8_of(const pg_wchar *characters)
{
    std::size_t count = 0;
    while (characters[count] != 0)
        count++;
    auto *text = static_cast<unsigned char *>(palloc(count * MAX_MULTIBYTE_CHAR_LEN + 1));
    unsigned char *end = text;
    for (; *characters != 0; characters++) {
        unicode_to_utf8(*characters, end);
        end += pg_utf_mblen(end);
    }
    return {reinterpret_cast<char *>(text), static_cast<std::size_t>(end - text)};
}

// The characters in normal form C; whether they were has an answer without a copy, as a rule.
static pg_wchar *normalize(pg_wchar *characters)
{
    if (unicode_is_normalized_quickcheck(UNICODE_NFC, characters) == UNICODE_NORM_QC_YES)
        return characters;
    return unicode_normalize(UNICODE_NFC, characters);
}

std::string_view normalized(std::string_view text)
{
    if (is_ascii(text) || !is_utf8())
        return text;
    pg_wchar *characters = characters_of(text), *normal = normalize(characters);
    return normal == characters ? text : utf8_of(normal);
}

static std::string_view fold_ascii(std::string_view text)
{
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (std::none_of(text.begin(), text.end(), is_upper))
        return text;
    auto *copy = static_cast<char *>(palloc(text.size()));
    std::transform(text.begin(), text.end(), copy,
                   [&](char c) { return is_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c; });
    return {copy, text.size()};
}

std::string_view folded(std::string_view text)
{
    if (is_ascii(text) || !is_utf8())
        return fold_ascii(text);
    pg_wchar *characters = normalize(characters_of(text));
    for (pg_wchar *c = characters; *c != 0; c++)
        *c = fold_case(*c);
    return utf8_of(characters);
}

bool is_same_text(std::string_view a, std::string_view b)
{
    return a == b || normalized(trimmed(a)) == normalized(trimmed(b));
}

} // namespace companion

using namespace companion;

COMPANION_FUNCTION(normalized)
{
    return to_text(normalized(trimmed(Arguments(fcinfo).text(0, "value"))));
}

COMPANION_FUNCTION(folded)
{
    return to_text(folded(trimmed(Arguments(fcinfo).text(0, "value"))));
}

COMPANION_FUNCTION(is_same_text)
{
    const Arguments arguments(fcinfo);
    PG_RETURN_BOOL(is_same_text(arguments.text(0, "a"), arguments.text(1, "b")));
}
