// The ranking of what is recalled, what is near in meaning, and characters without their case.

#include "recall/cosine.hpp"
#include "recall/ranking.hpp"
#include "text/case_folding.hpp"
#include "text/characters.hpp"

#include "catch2.hpp"

#include <limits>
#include <vector>

using companion::cosine;
using companion::fold_case;
using companion::recall_score;

TEST_CASE("an item's score halves with every half-life")
{
    const double long_ago = 1e6;
    CHECK(recall_score({0.8, 1, 0, long_ago}, 30) == Approx(0.8));
    CHECK(recall_score({0.8, 1, 30, long_ago}, 30) == Approx(0.4));
    CHECK(recall_score({0.8, 1, 60, long_ago}, 30) == Approx(0.2));
    CHECK(recall_score({0.8, 1, 60, long_ago}, 60) == Approx(0.4));
    CHECK(recall_score({0, 1, 0, 0}, 30) == 0);
}

TEST_CASE("confirmations and recent use lift an item")
{
    const double long_ago = 1e6;
    CHECK(recall_score({0.8, 2, 0, long_ago}, 30) == Approx(1.0));
    CHECK(recall_score({0.8, 4, 0, long_ago}, 30) == Approx(1.2));
    CHECK(recall_score({0.8, 1, 0, 0}, 30) == Approx(1.2));
    CHECK(recall_score({0.8, 1, 0, 7}, 30) == Approx(1.0));
}

TEST_CASE("a time to come counts as now")
{
    CHECK(recall_score({0.8, 1, -5, -5}, 30) == Approx(1.2));
}

TEST_CASE("what was never used is not lifted")
{
    CHECK(recall_score({0.8, 1, 0, std::numeric_limits<double>::infinity()}, 30) == Approx(0.8));
}

TEST_CASE("the cosine of vectors of any length")
{
    for (int dimensions = 1; dimensions < 70; dimensions++) {
        std::vector<float> a(dimensions), b(dimensions);
        double product = 0, square_a = 0, square_b = 0;
        for (int index = 0; index < dimensions; index++) {
            a[index] = static_cast<float>(std::sin(index + 1));
            b[index] = static_cast<float>(std::cos(index * 3 + 1));
            product += static_cast<double>(a[index]) * b[index];
            square_a += static_cast<double>(a[index]) * a[index];
            square_b += static_cast<double>(b[index]) * b[index];
        }
        CHECK(cosine(a.data(), b.data(), dimensions) ==
              Approx(product / std::sqrt(square_a * square_b)).margin(1e-6));
        CHECK(cosine(a.data(), a.data(), dimensions) == Approx(1));
    }
    const float zero[2]{}, one[2]{1, 0};
    CHECK(std::isnan(cosine(zero, one, 2)));
}

TEST_CASE("case is folded one character by one")
{
    for (const auto &[from, to] :
         std::vector<std::pair<char32_t, char32_t>>{{U'A', U'a'},
                                                    {U'Z', U'z'},
                                                    {U'[', U'['},
                                                    {U'\u00C4', U'\u00E4'},
                                                    {U'\u1E9E', U'\u00DF'},
                                                    {U'\u03A3', U'\u03C3'},
                                                    {U'\u03C2', U'\u03C3'},
                                                    {U'\u0130', U'\u0130'},
                                                    {U'\u00D7', U'\u00D7'},
                                                    {U'\u0101', U'\u0101'},
                                                    {U'\u0100', U'\u0101'},
                                                    {U'\U00010400', U'\U00010428'},
                                                    {U'\u65E5', U'\u65E5'}})
        CHECK(fold_case(from) == to);
    for (char32_t character = 0; character < 0x110000; character++)
        if (fold_case(fold_case(character)) != fold_case(character))
            FAIL("folded twice: " << static_cast<unsigned>(character));
}

TEST_CASE("which characters are blank, and which stand apart")
{
    for (const char32_t blank : {U' ', U'\t', U'\n', U'\u00A0', U'\u3000', U'\uFEFF'})
        CHECK(companion::is_blank(blank));
    for (const char32_t letter : {U'a', U'\u65E5', U'_', U'\u200C'})
        CHECK_FALSE(companion::is_blank(letter));
    for (const char32_t apart :
         {U'\u65E5', U'\u3042', U'\u30A2', U'\uAC00', U'\u0E01', U'\U00020000'})
        CHECK(companion::is_unspaced(apart));
    for (const char32_t spaced : {U'a', U'1', U' ', U'\u00E9', U'\u3002', U'\uFF08', U'\u0E50'})
        CHECK_FALSE(companion::is_unspaced(spaced));
}
