// Local time on made-up zones: gaps, overlaps, missing dates, and several changes a day.
#include "scheduling/local_time.hpp"

#include "catch2.hpp"
#include "made_up_zone.hpp"

using namespace companion;

namespace {

constexpr std::int64_t minute = 60 * second;

std::int64_t at(std::int64_t date, std::int64_t hours, std::int64_t minutes = 0)
{
    return date * day + hours * hour + minutes * minute;
}

// The first instant, on the grain, at which the clock reads the time or a later one; nothing
// where that is a jump over the whole date.
std::optional<std::int64_t> slow_instant_of(const MadeUpZone &zone, std::int64_t date,
                                            std::int64_t time_of_day)
{
    const std::int64_t reading = date * day + time_of_day;
    std::int64_t instant = reading - furthest_offset;
    while (zone.reading_at(instant) < reading)
        instant += grain;
    const std::int64_t read_before = zone.reading_at(instant - grain) + grain;
    const bool date_is_missing =
        read_before <= date * day && zone.reading_at(instant) >= (date + 1) * day;
    return date_is_missing ? std::nullopt : std::optional(instant);
}

} // namespace

TEST_CASE("a zone without changes is its offset")
{
    const MadeUpZone zone(2 * hour);
    CHECK(instant_of(zone, 0, 9 * hour) == at(0, 7));
    CHECK(instant_of(zone, 0, 0) == at(-1, 22));
    CHECK(instant_of(zone, 0, day - 1) == at(0, 22) - 1);
    CHECK(instant_of(zone, -400'000, 9 * hour) == at(-400'000, 7));
    CHECK(furthest_reading(zone, at(0, 7)) == at(0, 9));
}

TEST_CASE("a time that the clock jumps over is due at the jump")
{
    const MadeUpZone zone(hour, {{at(10, 1), 2 * hour}}); // 02:00 becomes 03:00
    CHECK(instant_of(zone, 10, 2 * hour - 1) == at(10, 1) - 1);
    CHECK(instant_of(zone, 10, 2 * hour) == at(10, 1));
    CHECK(instant_of(zone, 10, 2 * hour + 30 * minute) == at(10, 1));
    CHECK(instant_of(zone, 10, 3 * hour - 1) == at(10, 1));
    CHECK(instant_of(zone, 10, 3 * hour) == at(10, 1));
    CHECK(instant_of(zone, 10, 3 * hour + 1) == at(10, 1) + 1);
    CHECK(furthest_reading(zone, at(10, 1) - 1) == at(10, 2) - 1);
    CHECK(furthest_reading(zone, at(10, 1)) == at(10, 3));
}

TEST_CASE("a time that comes twice is due the first time")
{
    const MadeUpZone zone(2 * hour, {{at(10, 1), hour}}); // 03:00 becomes 02:00
    CHECK(instant_of(zone, 10, 2 * hour) == at(10, 0));
    CHECK(instant_of(zone, 10, 3 * hour - 1) == at(10, 1) - 1);
    CHECK(instant_of(zone, 10, 3 * hour) == at(10, 2));
    // The clock that was set back adds nothing until it has caught up.
    CHECK(furthest_reading(zone, at(10, 1)) == at(10, 3) - 1);
    CHECK(furthest_reading(zone, at(10, 2) - 1) == at(10, 3) - 1);
    CHECK(furthest_reading(zone, at(10, 2)) == at(10, 3));
}

TEST_CASE("a date that the zone leaves out has no instant")
{
    const MadeUpZone zone(-10 * hour, {{at(10, 10), 14 * hour}}); // all of day 10 is skipped
    CHECK(instant_of(zone, 9, day - 1) == at(10, 10) - 1);
    CHECK(instant_of(zone, 10, 0) == std::nullopt);
    CHECK(instant_of(zone, 10, 12 * hour) == std::nullopt);
    CHECK(instant_of(zone, 10, day - 1) == std::nullopt);
    CHECK(instant_of(zone, 11, 0) == at(10, 10));
}

TEST_CASE("a date of which some is left is not left out")
{
    const MadeUpZone evening(-10 * hour,
                             {{at(10, 9), 13 * hour}}); // from 23:00 on day 9 to 22:00 on day 10
    CHECK(instant_of(evening, 9, 23 * hour + 30 * minute) == at(10, 9));
    CHECK(instant_of(evening, 10, 0) == at(10, 9));
    CHECK(instant_of(evening, 10, 22 * hour) == at(10, 9));
    const MadeUpZone morning(-10 * hour,
                             {{at(10, 11), 14 * hour}}); // from 01:00 on day 10 to 01:00 on day 11
    CHECK(instant_of(morning, 10, 30 * minute) == at(10, 10, 30));
    CHECK(instant_of(morning, 10, 12 * hour) == at(10, 11));
    CHECK(instant_of(morning, 11, 0) == at(10, 11));
}

TEST_CASE("several changes on one day")
{
    // 01:00 becomes 02:00, then 03:00 becomes 04:00, then 05:00 becomes 03:00.
    const MadeUpZone zone(0, {{at(10, 1), hour}, {at(10, 2), 2 * hour}, {at(10, 3), 0}});
    CHECK(instant_of(zone, 10, hour + 30 * minute) == at(10, 1));
    CHECK(instant_of(zone, 10, 2 * hour + 30 * minute) == at(10, 1, 30));
    CHECK(instant_of(zone, 10, 3 * hour + 30 * minute) == at(10, 2));
    CHECK(instant_of(zone, 10, 4 * hour + 30 * minute) == at(10, 2, 30));
    CHECK(instant_of(zone, 10, 5 * hour) == at(10, 5));
    CHECK(furthest_reading(zone, at(10, 4)) == at(10, 5) - 1);
}

TEST_CASE("a change of less than a grain")
{
    const MadeUpZone zone(1172 * second, {{at(10, 0), 0}}); // local mean time ends
    CHECK(instant_of(zone, 10, 0) == at(10, 0) - 1172 * second);
    CHECK(instant_of(zone, 10, 1172 * second) == at(10, 0) + 1172 * second);
}

TEST_CASE("what a clock comes to read: dates, and their times of day, both ends inclusive")
{
    const MadeUpZone zone(hour, {{at(10, 1), 2 * hour}, {at(20, 1), hour}});
    const NewReadings evening(zone, at(5, 22), at(5, 23) - 1);
    CHECK(evening.first_date() == 5);
    CHECK(evening.last_date() == 5);
    CHECK(evening.first_time(5) == 23 * hour + 1);
    CHECK(evening.last_time(5) == day - 1);

    const NewReadings days(zone, at(5, 22), at(7, 5));
    CHECK(days.first_date() == 5);
    CHECK(days.last_date() == 7);
    CHECK(days.first_time(6) == 0);
    CHECK(days.last_time(6) == day - 1);
    CHECK(days.last_time(7) == 6 * hour);

    const NewReadings jump(zone, at(10, 1) - 1, at(10, 1));
    CHECK(jump.first_time(10) == 2 * hour);
    CHECK(jump.last_time(10) == 3 * hour);

    const NewReadings set_back(zone, at(20, 1) - 1, at(20, 1, 30));
    CHECK(set_back.last_time(20) < set_back.first_time(20));
}

TEST_CASE("of what a clock comes to read at the first instant, the beginning is left out")
{
    const MadeUpZone zone(hour, {{at(10, 1), 2 * hour}, {at(20, 1), hour}});
    NewReadings usual(zone, at(5, 22) - 1, at(5, 23));
    CHECK(usual.skip(0));
    CHECK(usual.first_time(5) == 23 * hour);
    CHECK_FALSE(usual.skip(1));
    CHECK(usual.first_time(5) == 23 * hour + 1);

    NewReadings jump(zone, at(10, 1) - 1, at(10, 2));
    CHECK(jump.skip(hour / 2));
    CHECK(jump.first_time(10) == 2 * hour + hour / 2);
    CHECK(jump.skip(hour / 2));
    CHECK(jump.first_time(10) == 3 * hour);
    CHECK_FALSE(jump.skip(1));
    CHECK(jump.first_time(10) == 3 * hour + 1);

    NewReadings set_back(zone, at(20, 1) - 1, at(20, 3));
    CHECK_FALSE(set_back.skip(0));
    CHECK(set_back.first_time(20) == 3 * hour);
}

TEST_CASE("random zones: the first instant at which the clock has come that far")
{
    RandomZones random(20260304);
    for (int round = 0; round < 500; round++) {
        const MadeUpZone zone = random.zone(at(5, 0), at(15, 0));
        for (int query = 0; query < 40; query++) {
            const std::int64_t date = random.between(at(3, 0), at(17, 0)) / day;
            const std::int64_t time_of_day = random.between(0, day - grain);
            CAPTURE(round, date, time_of_day);
            REQUIRE(instant_of(zone, date, time_of_day) ==
                    slow_instant_of(zone, date, time_of_day));
        }
    }
}

TEST_CASE("random zones: a time is due within an interval just when its reading is passed in it")
{
    RandomZones random(20260305);
    for (int round = 0; round < 500; round++) {
        const MadeUpZone zone = random.zone(at(5, 0), at(15, 0));
        for (int query = 0; query < 40; query++) {
            const std::int64_t from = random.between(at(3, 0), at(17, 0)) + query % 3 - 1;
            const std::int64_t to = from + random.between(0, 2 * day) + query % 5 - 2;
            const std::int64_t reading = random.between(at(3, 0), at(18, 0)) + query % 7 - 3;
            const std::optional<std::int64_t> due = instant_of(zone, reading / day, reading % day);
            if (to < from || !due)
                continue;
            CAPTURE(round, from, to, reading, *due);
            const bool is_due = from < *due && *due <= to;
            const bool is_passed =
                furthest_reading(zone, from) < reading && reading <= furthest_reading(zone, to);
            REQUIRE(is_due == is_passed);
        }
    }
}

TEST_CASE("random zones: consecutive intervals take in every reading once")
{
    RandomZones random(20260306);
    for (int round = 0; round < 200; round++) {
        const MadeUpZone zone = random.zone(at(5, 0), at(15, 0));
        std::int64_t passed = furthest_reading(zone, at(2, 0));
        for (std::int64_t tick = at(2, 0); tick < at(18, 0);
             tick += random.between(grain, 5 * hour)) {
            const std::int64_t furthest = furthest_reading(zone, tick);
            REQUIRE(furthest >= passed);
            REQUIRE(furthest >= zone.reading_at(tick));
            passed = furthest;
        }
    }
}
