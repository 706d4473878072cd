// Texts as they are searched.
#include "text/words.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "text/characters.hpp"
#include "text/folding.hpp"

namespace companion {

// The size of the character at the beginning of a text of UTF8, and whether it stands apart.
static std::size_t next_character(std::string_view text, bool *is_apart)
{
    const auto *bytes = reinterpret_cast<const unsigned char *>(text.data());
    *is_apart = IS_HIGHBIT_SET(*bytes) && is_unspaced(utf8_to_unicode(bytes));
    return pg_utf_mblen(bytes);
}

static bool has_characters_apart(std::string_view text)
{
    if (GetDatabaseEncoding() != PG_UTF8)
        return false;
    for (bool is_apart; !text.empty();) {
        text.remove_prefix(next_character(text, &is_apart));
        if (is_apart)
            return true;
    }
    return false;
}

static void append(StringInfo result, std::string_view text)
{
    appendBinaryStringInfo(result, text.data(), static_cast<int>(text.size()));
}

// A character that stands apart has a separator on each side.
static void append_apart(StringInfo result, std::string_view text)
{
    bool was_apart = false;
    for (bool is_apart; !text.empty();) {
        const std::size_t size = next_character(text, &is_apart);
        if (is_apart || was_apart)
            appendStringInfoChar(result, separator);
        append(result, text.substr(0, size));
        was_apart = is_apart;
        text.remove_prefix(size);
    }
}

std::string_view with_words_apart(std::string_view text)
{
    text = normalized(text);
    if (!has_characters_apart(text))
        return text;
    StringInfoData result;
    initStringInfo(&result);
    append_apart(&result, text);
    return {result.data, static_cast<std::size_t>(result.len)};
}

// A word of a query: what has characters that stand apart is a phrase, unless it is within one.
static void append_word(StringInfo result, std::string_view word, bool is_in_phrase)
{
    const bool is_phrase = !is_in_phrase && has_characters_apart(word);
    if (is_phrase && word.front() == '-') {
        appendStringInfoChar(result, '-');
        word.remove_prefix(1);
    }
    append(result, is_phrase ? "\"" : "");
    append_apart(result, word);
    append(result, is_phrase ? "\"" : "");
}

std::string_view query_with_words_apart(std::string_view query)
{
    query = folded(query);
    if (!has_characters_apart(query))
        return query;
    StringInfoData result;
    initStringInfo(&result);
    bool is_in_phrase = false;
    while (!query.empty()) {
        const std::size_t size = Min(query.find_first_of("\" \t\r\n"), query.size());
        if (size > 0)
            append_word(&result, query.substr(0, size), is_in_phrase);
        query.remove_prefix(size);
        if (query.empty())
            break;
        is_in_phrase ^= query.front() == '"';
        append(&result, query.substr(0, 1));
        query.remove_prefix(1);
    }
    return {result.data, static_cast<std::size_t>(result.len)};
}

} // namespace companion

COMPANION_FUNCTION(search_text)
{
    using namespace companion;
    return to_text(folded(with_words_apart(Arguments(fcinfo).text(0, "content"))));
}
