// The periods of caps: on made-up zones by hand and at random, against walking the clock.
#include "policy/cap_periods.hpp"

#include "catch2.hpp"
#include "made_up_zone.hpp"

#include <array>

using namespace companion;

namespace {

// Days since 1970-01-01.
constexpr std::int64_t date(int year, unsigned month, unsigned of_month)
{
    const std::chrono::sys_days midnight =
        std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(of_month);
    return midnight.time_since_epoch().count();
}

constexpr std::int64_t at(std::int64_t date, std::int64_t hours, std::int64_t minutes = 0)
{
    return date * day + hours * hour + minutes * 60 * second;
}

std::pair<std::int64_t, std::int64_t> window(const MadeUpZone &zone, LocalPeriod period,
                                             std::int64_t instant)
{
    const CapWindow found = local_window(zone, period, instant);
    CHECK(found.length == 0);
    return {found.since, found.until};
}

using Window = std::pair<std::int64_t, std::int64_t>;

} // namespace

TEST_CASE("a week begins on Monday, a month on its first")
{
    CHECK(first_date(LocalPeriod::day, date(2026, 3, 4)) == date(2026, 3, 4));
    CHECK(next_first_date(LocalPeriod::day, date(2026, 2, 28)) == date(2026, 3, 1));
    CHECK(first_date(LocalPeriod::week, date(2026, 3, 8)) == date(2026, 3, 2)); // a Sunday
    CHECK(first_date(LocalPeriod::week, date(2026, 3, 9)) == date(2026, 3, 9));
    CHECK(next_first_date(LocalPeriod::week, date(2026, 3, 9)) == date(2026, 3, 16));
    CHECK(first_date(LocalPeriod::week, date(2021, 1, 1)) == date(2020, 12, 28));
    CHECK(first_date(LocalPeriod::month, date(2026, 3, 31)) == date(2026, 3, 1));
    CHECK(first_date(LocalPeriod::month, date(2026, 3, 1)) == date(2026, 3, 1));
    CHECK(next_first_date(LocalPeriod::month, date(2026, 1, 31)) == date(2026, 2, 1));
    CHECK(next_first_date(LocalPeriod::month, date(2026, 2, 1)) == date(2026, 3, 1));
    CHECK(next_first_date(LocalPeriod::month, date(2024, 2, 29)) == date(2024, 3, 1));
    CHECK(next_first_date(LocalPeriod::month, date(2026, 12, 5)) == date(2027, 1, 1));
    CHECK(first_date(LocalPeriod::week, date(1969, 12, 31)) == date(1969, 12, 29));
    CHECK(first_date(LocalPeriod::month, date(1969, 12, 31)) == date(1969, 12, 1));
}

TEST_CASE("a local period is one of the zone's own clock")
{
    const MadeUpZone zone(2 * hour);
    const std::int64_t today = date(2026, 3, 4); // a Wednesday
    CHECK(window(zone, LocalPeriod::day, at(today, 22) - 1) ==
          Window(at(today, -2), at(today, 22)));
    CHECK(window(zone, LocalPeriod::day, at(today, 22)) == Window(at(today, 22), at(today, 46)));
    CHECK(window(zone, LocalPeriod::week, at(today, 22)) ==
          Window(at(date(2026, 3, 2), -2), at(date(2026, 3, 9), -2)));
    CHECK(window(zone, LocalPeriod::month, at(date(2026, 2, 28), 22)) ==
          Window(at(date(2026, 3, 1), -2), at(date(2026, 4, 1), -2)));
}

TEST_CASE("days on which clocks are changed are shorter or longer")
{
    const std::int64_t spring = date(2026, 3, 29), autumn = date(2026, 10, 25);
    const MadeUpZone berlin(hour, {{at(spring, 1), 2 * hour}, {at(autumn, 1), hour}});
    CHECK(window(berlin, LocalPeriod::day, at(spring, 12)) ==
          Window(at(spring, -1), at(spring, 22)));
    CHECK(window(berlin, LocalPeriod::day, at(autumn, 12)) ==
          Window(at(autumn, -2), at(autumn, 23)));
    CHECK(window(berlin, LocalPeriod::week, at(autumn, 12)) ==
          Window(at(date(2026, 10, 19), -2), at(date(2026, 10, 26), -1)));
    CHECK(window(berlin, LocalPeriod::month, at(spring, 12)) ==
          Window(at(date(2026, 3, 1), -1), at(date(2026, 4, 1), -2)));
}

TEST_CASE("a clock that jumps over midnight begins the day with the jump")
{
    const std::int64_t today = date(2026, 9, 6);
    const MadeUpZone santiago(-4 * hour, {{at(today, 4), -3 * hour}});
    CHECK(window(santiago, LocalPeriod::day, at(today, 4) - 1).second == at(today, 4));
    CHECK(window(santiago, LocalPeriod::day, at(today, 4)) == Window(at(today, 4), at(today, 27)));
}

TEST_CASE("a clock that is set back over midnight begins no day anew")
{
    const std::int64_t today = date(2026, 4, 5);
    // At 24:00 it is 23:00 again: the day has an hour more
    const MadeUpZone at_midnight(-3 * hour, {{at(today, 3), -4 * hour}});
    CHECK(window(at_midnight, LocalPeriod::day, at(today, 3, 30)) ==
          Window(at(today, -21), at(today, 4)));
    // At 00:01 it is 23:01 again: the new day has begun, and goes on
    const MadeUpZone later(-3 * hour, {{at(today, 3, 1), -4 * hour}});
    CHECK(window(later, LocalPeriod::day, at(today, 3, 30)) == Window(at(today, 3), at(today, 28)));
    CHECK(window(later, LocalPeriod::day, at(today, 3) - 1) ==
          Window(at(today, -21), at(today, 3)));
}

TEST_CASE("a date that the zone has left out belongs to no period")
{
    const std::int64_t left_out = date(2011, 12, 30); // Samoa's Friday
    const MadeUpZone apia(-10 * hour, {{at(left_out, 10), 14 * hour}});
    CHECK(window(apia, LocalPeriod::day, at(left_out, 10) - 1) ==
          Window(at(left_out, -14), at(left_out, 10)));
    CHECK(window(apia, LocalPeriod::day, at(left_out, 10)) ==
          Window(at(left_out, 10), at(left_out, 34)));
    CHECK(window(apia, LocalPeriod::week, at(left_out, 10)) ==
          Window(at(date(2011, 12, 26), 10), at(date(2012, 1, 2), -14)));
    // Left out on a first, which is a Monday, too
    const std::int64_t first = date(2024, 1, 1);
    const MadeUpZone other(-10 * hour, {{at(first, 10), 14 * hour}});
    for (const LocalPeriod period : {LocalPeriod::week, LocalPeriod::month}) {
        CHECK(window(other, period, at(first, 10) - 1).second == at(first, 10));
        CHECK(window(other, period, at(first, 10)).first == at(first, 10));
    }
}

TEST_CASE("in any zone periods follow upon each other without a gap")
{
    RandomZones random(20260304);
    for (int round = 0; round < 300; round++) {
        const MadeUpZone zone = random.zone(-40 * day, 40 * day);
        for (const LocalPeriod period : {LocalPeriod::day, LocalPeriod::week, LocalPeriod::month}) {
            const std::int64_t instant = random.between(-20 * day, 20 * day);
            const Window one = window(zone, period, instant);
            CAPTURE(round, static_cast<int>(period), instant, one.first, one.second);
            REQUIRE(one.first <= instant);
            REQUIRE(instant < one.second);
            CHECK(window(zone, period, one.first) == one);
            CHECK(window(zone, period, one.second - 1) == one);
            CHECK(window(zone, period, one.second).first == one.second);
            CHECK(window(zone, period, one.first - 1).second == one.first);
        }
    }
}

TEST_CASE("a rolling window ends with the instant, and what is as long ago has left it")
{
    constexpr std::array<std::int64_t, 4> starts{at(5, 8), at(5, 9), at(5, 9), at(5, 11)};
    const auto full_until = [&](std::int64_t instant, int most) {
        return rolling_window(2 * hour, instant).full_until(most, starts.data(), starts.size());
    };
    CHECK(full_until(at(5, 11), 1) == at(5, 13));
    CHECK(full_until(at(5, 11), 2) == std::nullopt);
    CHECK(full_until(at(5, 11) - 1, 2) == at(5, 11)); // 9:00 twice, and what another has begun
    CHECK(full_until(at(5, 11) - 1, 3) == at(5, 11));
    CHECK(full_until(at(5, 11) - 1, 4) == std::nullopt);
    CHECK(full_until(at(5, 10) - 1, 4) == at(5, 10));
    CHECK(full_until(at(5, 10), 4) == std::nullopt);
    CHECK(full_until(at(5, 13), 1) == std::nullopt);
}

TEST_CASE("in a local period there is room when it ends")
{
    constexpr std::array<std::int64_t, 3> starts{at(4, 23), at(5, 0), at(5, 23)};
    const CapWindow today{at(5, 0), at(6, 0), 0};
    CHECK(today.full_until(1, starts.data(), starts.size()) == at(6, 0));
    CHECK(today.full_until(2, starts.data(), starts.size()) == at(6, 0));
    CHECK(today.full_until(3, starts.data(), starts.size()) == std::nullopt);
    CHECK(today.full_until(1, nullptr, 0) == std::nullopt);
    const CapWindow tomorrow{at(6, 0), at(7, 0), 0};
    CHECK(tomorrow.full_until(1, starts.data(), starts.size()) == std::nullopt);
}

TEST_CASE("at any time as many may be started as there is room for, and no earlier")
{
    RandomZones random(7);
    for (int round = 0; round < 2000; round++) {
        std::vector<std::int64_t> starts;
        for (std::int64_t count = random.between(0, 8 * grain) / grain; count > 0; count--)
            starts.push_back(random.between(-2 * day, 0));
        std::sort(starts.begin(), starts.end());
        const std::int64_t length = random.between(grain, day);
        const int most = 1 + static_cast<int>(random.between(0, 4 * grain) / grain);
        const auto counted_at = [&](std::int64_t instant) {
            return std::count_if(starts.begin(), starts.end(),
                                 [&](std::int64_t start) { return start > instant - length; });
        };
        const auto full = rolling_window(length, 0).full_until(most, starts.data(),
                                                               static_cast<int>(starts.size()));
        CHECK(full.has_value() == (counted_at(0) >= most));
        if (full) {
            CHECK(counted_at(*full) < most);
            CHECK(counted_at(*full - 1) >= most);
        }
    }
}
