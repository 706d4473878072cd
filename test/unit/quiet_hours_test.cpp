// Quiet hours: on made-up zones by hand, and on real ones as an independent implementation has
// them.
#include "policy/quiet_hours.hpp"

#include "catch2.hpp"
#include "made_up_zone.hpp"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

using namespace companion;

namespace {

using Instant = std::optional<std::int64_t>;

constexpr std::int64_t minute = 60 * second;

constexpr std::int64_t at(std::int64_t date, std::int64_t hours, std::int64_t minutes = 0)
{
    return date * day + hours * hour + minutes * minute;
}

// From one hour to another.
constexpr QuietHours quiet(double from, double until)
{
    return {static_cast<std::int64_t>(from * hour), static_cast<std::int64_t>(until * hour)};
}

// What test/data/quiet_hours.py writes: of a zone's clock, only how it goes from the instant on.
struct Case {
    std::string line;
    QuietHours hours;
    std::int64_t instant;
    Instant end;
    MadeUpZone zone;
};

// 22:00
std::int64_t to_time(const std::string &text)
{
    int hours, minutes;
    REQUIRE(std::sscanf(text.c_str(), "%d:%d", &hours, &minutes) == 2);
    return hours * hour + minutes * minute;
}

// 2011-12-30 10:00:00
std::int64_t to_instant(const std::string &text)
{
    int year;
    unsigned month, date, hours, minutes, seconds;
    REQUIRE(std::sscanf(text.c_str(), "%d-%u-%u %u:%u:%u", &year, &month, &date, &hours, &minutes,
                        &seconds) == 6);
    const std::chrono::sys_days midnight =
        std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(date);
    return at(midnight.time_since_epoch().count(), hours, minutes) + seconds * second;
}

// 3600, and 2026-03-29 01:00:00=7200,2026-10-25 01:00:00=3600
MadeUpZone to_zone(const std::string &offset, const std::string &changes)
{
    MadeUpZone zone(std::stoll(offset) * second);
    std::istringstream each(changes);
    for (std::string when, to; std::getline(each, when, '=') && std::getline(each, to, ',');)
        zone.change(to_instant(when), std::stoll(to) * second);
    return zone;
}

Case to_case(const std::string &line)
{
    std::istringstream text(line);
    std::string columns[7];
    for (std::string &column : columns)
        std::getline(text, column, '\t');
    const auto &[name, from, until, instant, end, offset, changes] = columns;
    return {line, QuietHours(to_time(from), to_time(until)), to_instant(instant),
            end.empty() ? Instant() : to_instant(end), to_zone(offset, changes)};
}

std::vector<Case> cases()
{
    std::ifstream file(TEST_DATA "/quiet_hours.tsv");
    std::vector<Case> found;
    std::string line;
    std::getline(file, line); // the columns' names
    while (std::getline(file, line))
        found.push_back(to_case(line));
    return found;
}

// Counts how often it is asked.
struct CountedZone {
    const MadeUpZone &zone;
    mutable int asked = 0;

    Period period_at(std::int64_t instant) const
    {
        asked++;
        return zone.period_at(instant);
    }
};

} // namespace

TEST_CASE("it is quiet from one time of day up to another, without it")
{
    const MadeUpZone zone(2 * hour);
    const QuietHours hours = quiet(13, 15);
    CHECK(hours.end(zone, at(5, 11) - 1) == std::nullopt);
    CHECK(hours.end(zone, at(5, 11)) == at(5, 13));
    CHECK(hours.end(zone, at(5, 13) - 1) == at(5, 13));
    CHECK(hours.end(zone, at(5, 13)) == std::nullopt);
    CHECK(hours.end(zone, at(-400'000, 12)) == at(-400'000, 13));
    CHECK_FALSE(hours.include(zone, at(5, 11) - 1));
    CHECK(hours.include(zone, at(5, 11)));
    CHECK(hours.include(zone, at(5, 13) - 1));
    CHECK_FALSE(hours.include(zone, at(5, 13)));
}

TEST_CASE("from a later time to an earlier one it passes midnight")
{
    const MadeUpZone zone(2 * hour);
    const QuietHours hours = quiet(22, 7);
    CHECK(hours.end(zone, at(5, 20) - 1) == std::nullopt);
    CHECK(hours.end(zone, at(5, 20)) == at(6, 5));
    CHECK(hours.end(zone, at(5, 22)) == at(6, 5));
    CHECK(hours.end(zone, at(6, 5) - 1) == at(6, 5));
    CHECK(hours.end(zone, at(6, 5)) == std::nullopt);
    CHECK(quiet(22, 0).end(zone, at(5, 22) - 1) == at(5, 22));
    CHECK(quiet(22, 0).end(zone, at(5, 22)) == std::nullopt);
    CHECK(quiet(0, 6).end(zone, at(5, 22)) == at(6, 4));
    CHECK(QuietHours(1, 0).end(zone, at(5, 22) + 1) == at(6, 22));
}

TEST_CASE("from a time to the same there are no quiet hours")
{
    const MadeUpZone zone(2 * hour);
    CHECK(quiet(0, 0).end(zone, at(5, 22)) == std::nullopt);
    CHECK(quiet(9, 9).end(zone, at(5, 7)) == std::nullopt);
    CHECK_FALSE(quiet(9, 9).include(zone, at(5, 7)));
}

TEST_CASE("quiet hours that would end in a gap end with the jump")
{
    const MadeUpZone zone(hour, {{at(10, 1), 2 * hour}}); // 02:00 becomes 03:00
    CHECK(quiet(22, 2.5).end(zone, at(9, 22)) == at(10, 1));
    CHECK(quiet(22, 2).end(zone, at(9, 22)) == at(10, 1));
    CHECK(quiet(22, 3).end(zone, at(9, 22)) == at(10, 1));
    CHECK(quiet(22, 3).end(zone, at(10, 1)) == std::nullopt);
    CHECK(quiet(22, 4).end(zone, at(9, 22)) == at(10, 2));
}

TEST_CASE("quiet hours that would begin in a gap begin with the jump, or do not come")
{
    const MadeUpZone zone(hour, {{at(10, 1), 2 * hour}}); // 02:00 becomes 03:00
    CHECK(quiet(2.5, 4).end(zone, at(10, 1) - 1) == std::nullopt);
    CHECK(quiet(2.5, 4).end(zone, at(10, 1)) == at(10, 2));
    CHECK(quiet(2.25, 2.75).end(zone, at(10, 1) - 1) == std::nullopt);
    CHECK(quiet(2.25, 2.75).end(zone, at(10, 1)) == std::nullopt);
    CHECK(quiet(2, 3).end(zone, at(10, 1)) == std::nullopt);
    CHECK(quiet(2.25, 2.75).end(zone, at(9, 1, 30)) == at(9, 1, 45));
}

TEST_CASE("where all that is not quiet is jumped over, quiet hours go on to the next day")
{
    const MadeUpZone zone(hour, {{at(10, 1), 2 * hour}}); // 02:00 becomes 03:00
    CHECK(quiet(2.75, 2.25).end(zone, at(9, 23)) == at(11, 0, 15));
    CHECK(quiet(3, 2).end(zone, at(9, 23)) == at(11, 0));
}

TEST_CASE("what the clock shows twice is quiet twice")
{
    const MadeUpZone zone(2 * hour, {{at(10, 1), hour}}); // 03:00 becomes 02:00
    CHECK(quiet(22, 2.5).end(zone, at(9, 21)) == at(10, 0, 30));
    CHECK(quiet(22, 2.5).end(zone, at(10, 0, 30)) == std::nullopt);
    CHECK(quiet(22, 2.5).end(zone, at(10, 1) - 1) == std::nullopt);
    CHECK(quiet(22, 2.5).end(zone, at(10, 1)) == at(10, 1, 30));
    CHECK(quiet(22, 2.5).end(zone, at(10, 1, 30)) == std::nullopt);
    CHECK(quiet(2.5, 6).end(zone, at(10, 0, 30)) == at(10, 1));
    CHECK(quiet(2.5, 6).end(zone, at(10, 1)) == std::nullopt);
    CHECK(quiet(2.5, 6).end(zone, at(10, 1, 30)) == at(10, 5));
}

TEST_CASE("quiet hours that end as the clock is set back go on")
{
    const MadeUpZone zone(2 * hour, {{at(10, 1), hour}}); // 03:00 becomes 02:00
    CHECK(quiet(22, 3).end(zone, at(9, 21)) == at(10, 2));
    CHECK(quiet(22, 2).end(zone, at(9, 21)) == at(10, 0));
    CHECK(quiet(22, 7).end(zone, at(9, 21)) == at(10, 6));
    CHECK(quiet(2, 3).end(zone, at(10, 0)) == at(10, 2));
}

TEST_CASE("a date that the zone leaves out ends nothing by itself")
{
    const MadeUpZone zone(-10 * hour, {{at(10, 10), 14 * hour}}); // all of day 10 is skipped
    CHECK(quiet(22, 7).end(zone, at(10, 8)) == at(10, 17));
    CHECK(quiet(22, 0).end(zone, at(10, 8)) == at(10, 10));
    CHECK(quiet(9, 12).end(zone, at(10, 10) - 1) == std::nullopt);
    CHECK(quiet(0, 6).end(zone, at(10, 10)) == at(10, 16));
    CHECK(quiet(12, 11).end(zone, at(10, 8)) == at(10, 21));
}

TEST_CASE("a date that comes twice is quiet twice")
{
    const MadeUpZone zone(12 * hour, {{at(10, 12), -12 * hour}}); // day 10 comes again
    CHECK(quiet(22, 7).end(zone, at(10, 11)) == at(10, 19));
    CHECK(quiet(22, 7).end(zone, at(11, 11)) == at(11, 19));
    CHECK(quiet(23, 0).end(zone, at(10, 11, 30)) == at(10, 12));
}

TEST_CASE("the zone is asked once, and once more for each change of its clocks up to the end")
{
    const MadeUpZone zone(hour, {{at(10, 1), 2 * hour}, {at(20, 1), hour}});
    const auto asked = [&](const QuietHours &hours, std::int64_t instant) {
        const CountedZone counted{zone};
        hours.end(counted, instant);
        return counted.asked;
    };
    CHECK(asked(quiet(22, 7), at(5, 12)) == 1);
    CHECK(asked(quiet(22, 7), at(5, 22)) == 1);
    CHECK(asked(quiet(22, 7), at(9, 22)) == 2);
    CHECK(asked(quiet(22, 3), at(9, 22)) == 2);
    CHECK(asked(quiet(22, 2), at(19, 22)) == 1);
    CHECK(asked(quiet(22, 2), at(30, 22)) == 1);
}

TEST_CASE("the next quiet time begins when the clock next shows a time in the window")
{
    const MadeUpZone zone(2 * hour);
    CHECK(quiet(13, 15).begin(zone, at(5, 11) - 1) == at(5, 11));
    CHECK(quiet(13, 15).begin(zone, at(5, 13)) == at(6, 11));
    CHECK(quiet(22, 7).begin(zone, at(5, 5)) == at(5, 20));
    CHECK(quiet(0, 6).begin(zone, at(5, 4)) == at(5, 22));
    CHECK(quiet(9, 9).begin(zone, at(5, 4)) == std::nullopt);
    CHECK(QuietHours(1, 0).begin(zone, at(5, 22)) == at(5, 22) + 1);
    const MadeUpZone spring(hour, {{at(10, 1), 2 * hour}}); // 02:00 becomes 03:00
    CHECK(quiet(2.5, 4).begin(spring, at(10, 0)) == at(10, 1));
    CHECK(quiet(2.25, 2.75).begin(spring, at(10, 0)) == at(11, 0, 15));
    CHECK(quiet(22, 7).begin(spring, at(9, 12)) == at(9, 21));
    CHECK(quiet(22, 7).begin(spring, at(10, 5)) == at(10, 20));
    const MadeUpZone autumn(2 * hour, {{at(10, 1), hour}}); // 03:00 becomes 02:00
    CHECK(quiet(22, 2.5).begin(autumn, at(10, 0, 30)) == at(10, 1));
    CHECK(quiet(2.5, 2.75).begin(autumn, at(10, 0, 45)) == at(10, 1, 30));
    CHECK(quiet(3, 4).begin(autumn, at(10, 0, 30)) == at(10, 2));
}

TEST_CASE("random zones: quiet from an instant up to the end, looked at one by one")
{
    RandomZones random(20260307);
    for (int round = 0; round < 500; round++) {
        const MadeUpZone zone = random.zone(at(5, 0), at(15, 0));
        for (int query = 0; query < 20; query++) {
            const std::int64_t from = random.between(0, day - grain),
                               until = random.between(0, day - grain),
                               begin = random.between(at(3, 0), at(16, 0));
            const QuietHours hours(from, until);
            const auto is_quiet = [&](std::int64_t instant) {
                const std::int64_t reading = zone.reading_at(instant);
                const std::int64_t time = reading - floor_date(reading) * day;
                return from <= until ? from <= time && time < until : time >= from || time < until;
            };
            std::int64_t end = begin;
            while (is_quiet(end))
                end += grain;
            CAPTURE(round, from, until, begin);
            REQUIRE(hours.include(zone, begin) == is_quiet(begin));
            REQUIRE(hours.end(zone, begin).value_or(begin) == end);
            REQUIRE(hours.end(zone, begin).has_value() == is_quiet(begin));
            if (from == until) {
                REQUIRE(hours.begin(zone, begin) == std::nullopt);
                continue;
            }
            std::int64_t next = end;
            while (!is_quiet(next))
                next += grain;
            REQUIRE(hours.begin(zone, end) == next);
        }
    }
}

TEST_CASE("real zones: as an independent implementation finds, half minute by half minute")
{
    const std::vector<Case> found = cases();
    CHECK(found.size() > 2000);
    for (const Case &one : found) {
        CAPTURE(one.line);
        CHECK(one.hours.end(one.zone, one.instant) == one.end);
        CHECK(one.hours.include(one.zone, one.instant) == one.end.has_value());
    }
}
