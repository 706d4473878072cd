#include "telegram/parts.hpp"

#include "catch2.hpp"

namespace {

std::string joined(const std::vector<std::string> &parts)
{
    std::string text;
    for (const std::string &part : parts)
        text += part;
    return text;
}

std::string without_space(std::string text)
{
    std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
    return text;
}

std::string repeated(const std::string &text, int times)
{
    std::string all;
    for (int i = 0; i < times; ++i)
        all += text;
    return all;
}

} // namespace

TEST_CASE("a text that fits is one part")
{
    CHECK(parts_of("", 10) == std::vector<std::string>{""});
    CHECK(parts_of("0123456789", 10) == std::vector<std::string>{"0123456789"});
}

TEST_CASE("a text is cut after a paragraph, else a line, a sentence, a word, a character")
{
    CHECK(parts_of("one two.\n\nthree\nfour", 16).front() == "one two.\n\n");
    CHECK(parts_of("one two. 3\nfour five", 16).front() == "one two. 3\n");
    CHECK(parts_of("one or two? three", 16).front() == "one or two? ");
    CHECK(parts_of("one two three four", 16).front() == "one two three ");
    CHECK(parts_of("onetwothreefourfive", 16).front() == "onetwothreefourf");
}

TEST_CASE("not in the first half, which would make many small parts")
{
    CHECK(parts_of("a\n\nbcdefghijklmnopqrs", 16).front() == "a\n\nbcdefghijklmn");
}

TEST_CASE("no character is cut, and one beyond the first 65,536 counts as two")
{
    const std::string flower = "\xF0\x9F\x8C\xBB", e_acute = "\xC3\xA9", cat = "\xE7\x8C\xAB";
    CHECK(parts_of(repeated(flower, 5), 4) ==
          std::vector<std::string>{flower + flower, flower + flower, flower});
    CHECK(parts_of(repeated(flower, 3), 5).front() == flower + flower);
    CHECK(parts_of(repeated(e_acute, 5), 4).front() == repeated(e_acute, 4));
    CHECK(parts_of(repeated(cat, 5), 4).front() == repeated(cat, 4));
}

TEST_CASE("a part that would be blank is left out")
{
    CHECK(parts_of("0123456789" + repeated(" ", 30), 10) == std::vector<std::string>{"0123456789"});
    CHECK(parts_of(repeated("\n", 10) + "0123456789", 10) ==
          std::vector<std::string>{"0123456789"});
    CHECK(parts_of(repeated(" ", 25), 10).size() == 1);
}

TEST_CASE("put together the parts are the text but for blank ones, whatever is in it")
{
    unsigned state = 1;
    for (int i = 0; i < 2000; ++i) {
        std::string text;
        for (int length = i % 100; length > 0; --length) {
            state = state * 1664525 + 1013904223;
            const char *const pieces[] = {" ",    "\n",  "\n\n", ". ", "a", "\xF0\x9F\x8C\xBB",
                                          "\xFF", "\xC3"};
            text += pieces[state >> 29];
        }
        const std::vector<std::string> parts = parts_of(text, 2 + i % 17);
        REQUIRE(without_space(joined(parts)) == without_space(text));
        for (const std::string &part : parts)
            REQUIRE((parts.size() == 1 || !trimmed(part).empty()));
        REQUIRE(parts.size() <= text.size() + 1);
    }
}
