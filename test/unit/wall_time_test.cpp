// A time of day as a user's answer writes it.
#include "users/wall_time.hpp"

#include "catch2.hpp"

using companion::is_wall_time;

TEST_CASE("HH:MM from 00:00 to 23:59 is a time of day")
{
    for (const char *text : {"00:00", "07:30", "12:00", "19:59", "20:00", "23:59"})
        CHECK(is_wall_time(text));
}

TEST_CASE("anything else is not")
{
    for (const char *text :
         {"", "7:30", "07:3", "07:300", "24:00", "07:60", "-1:00", "07-30", "ab:cd", "07:30 ",
          " 7:30", "07:30:00", "now", "/0:00", "0::00", "07:3:"})
        CHECK_FALSE(is_wall_time(text));
}
