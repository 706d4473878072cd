// Cuts a text into parts that a messenger takes.
#pragma once

#include <string>
#include <vector>

constexpr const char *white_space = " \t\r\n";

inline std::string trimmed(std::string text)
{
    text.erase(text.find_last_not_of(white_space) + 1);
    return text.erase(0, text.find_first_not_of(white_space));
}

// How many bytes of UTF-8 make up to so many UTF-16 units, which is how Telegram counts at its strictest
inline size_t bytes_of(const std::string &text, size_t units)
{
    size_t bytes = 0;
    for (size_t used = 0; bytes < text.size();) {
        const auto lead = static_cast<unsigned char>(text[bytes]);
        used += lead >= 0xF0 ? 2 : 1;
        if (used > units)
            break;
        bytes += lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    }
    return std::min(bytes, text.size());
}

// Where to cut a text of which so many bytes fit: after a paragraph, else a line, a sentence, a word, else
// a character; not in the first half, which would make many small parts
inline size_t place_to_cut(const std::string &text, size_t fitting)
{
    for (const std::string end : {"\n\n", "\n", ". ", "! ", "? ", " "}) {
        const size_t place = text.rfind(end, fitting - end.size());
        if (place != std::string::npos && place >= fitting / 2)
            return place + end.size();
    }
    return fitting;
}

inline std::vector<std::string> parts_of(const std::string &text, size_t longest)
{
    std::vector<std::string> parts;
    std::string rest = text;
    for (size_t fitting; (fitting = bytes_of(rest, longest)) < rest.size();) {
        const size_t cut = place_to_cut(rest, fitting);
        parts.push_back(trimmed(rest.substr(0, cut)));
        rest = trimmed(rest.substr(cut));
    }
    parts.push_back(rest);
    return parts;
}
