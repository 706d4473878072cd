// Any text: it is a wall time just when some minute of the day is written so.
#include "users/wall_time.hpp"

#include <cstdio>
#include <set>
#include <string>

namespace {

std::set<std::string, std::less<>> every_minute()
{
    std::set<std::string, std::less<>> minutes;
    for (int minute = 0; minute < 24 * 60; minute++) {
        char written[8];
        std::snprintf(written, sizeof written, "%02d:%02d", minute / 60, minute % 60);
        minutes.insert(written);
    }
    return minutes;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *bytes, std::size_t size)
{
    static const auto minutes = every_minute();
    const std::string_view text(reinterpret_cast<const char *>(bytes), size);
    if (companion::is_wall_time(text) != minutes.contains(text))
        __builtin_trap();
    return 0;
}
