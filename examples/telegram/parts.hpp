// Cuts a text into parts that a messenger takes.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

inline std::string trimmed(const std::string &text) {
    const size_t begin = text.find_first_not_of(" \t\r\n"), end = text.find_last_not_of(" \t\r\n");
    return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

// How many bytes of UTF-8 make up to so many UTF-16 units, which is how Telegram counts at its strictest
inline size_t bytes_of(const std::string &text, size_t units) {
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

// Where to cut a text of which so many bytes fit: after a paragraph, else a line, a sentence, a word, else a
// character; not in the first half, which would make many small parts
inline size_t place_to_cut(const std::string &text, size_t fitting) {
    for (const std::string end : {"\n\n", "\n", ". ", "! ", "? ", " "}) {
        const size_t place = text.rfind(end, fitting - end.size());
        if (place != std::string::npos && place >= fitting / 2)
            return place + end.size();
    }
    return fitting;
}

// Put together they are the text, but for blank parts, which Telegram refuses; it leaves out white space at their ends
inline std::vector<std::string> parts_of(const std::string &text, size_t longest) {
    std::vector<std::string> parts;
    std::string rest = text;
    for (size_t fitting; (fitting = bytes_of(rest, longest)) < rest.size();) {
        const std::string part = rest.substr(0, place_to_cut(rest, fitting));
        rest.erase(0, part.size());
        if (!trimmed(part).empty())
            parts.push_back(part);
    }
    if (parts.empty() || !trimmed(rest).empty())
        parts.push_back(rest);
    return parts;
}
