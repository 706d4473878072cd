// Any text as companion.half_lives: refused, or every category has a half-life within bounds, and
// what is added comes through.
#include "memory/half_lives.hpp"

#include <string>

using companion::HalfLives;

namespace {

void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *bytes, std::size_t size)
{
    const std::string text(reinterpret_cast<const char *>(bytes), size);
    const auto half_lives = HalfLives::parse(text);
    if (!half_lives)
        return 0;
    for (std::size_t begin = 0; begin < size; begin++) {
        const double days = half_lives->of(std::string_view(text).substr(begin, 3));
        require(days > 0 && days <= 36500);
    }
    const auto others_changed = HalfLives::parse("  " + text + ", * = 0.5 ");
    require(text.ends_with(',') || others_changed->of("no such category, as it has a =") == 0.5);
    return 0;
}
