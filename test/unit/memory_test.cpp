// Half-lives and the ranking of what is recalled.

#include "memory/half_lives.hpp"
#include "memory/ranking.hpp"

#include "catch2.hpp"

using companion::HalfLives;
using companion::recall_score;

TEST_CASE("half-lives are read by category")
{
    const auto half_lives = HalfLives::parse(" mood = 3,identity=3650, *=90");
    REQUIRE(half_lives);
    CHECK(half_lives->of("mood") == 3);
    CHECK(half_lives->of("identity") == 3650);
    CHECK(half_lives->of("moo") == 90);
    CHECK(half_lives->of("") == 90);
}

TEST_CASE("half-lives that cannot be read are refused")
{
    for (const char *text : {"", "mood=3", "*", "*=", "*=0", "*=-1", "*=x", "*=inf", "*=nan",
                             "*=1e9", "*=90 days", "=3,*=90", "mood,*=90", "*=90,,"})
        CHECK_FALSE(HalfLives::parse(text));
    CHECK_FALSE(HalfLives::parse(std::string(101, 'a') + "=1,*=90"));
    std::string many = "*=90";
    for (int index = 0; index < HalfLives::most; index++)
        many += ",c" + std::to_string(index) + "=1";
    CHECK(HalfLives::parse(many));
    CHECK_FALSE(HalfLives::parse(many + ",one_more=1"));
}

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
