// Which of so many shards an id belongs to; docs/scaling.md has the same in other languages.
#pragma once

#include <cstdint>

namespace companion {

inline constexpr int most_shards = 4096;

// One step of mixing. Two of them spread evenly whatever ids have in common: a time, a step, a
// machine. The product of two numbers below 2^31 and 2^32 fits.
constexpr std::uint64_t mixed(std::uint64_t x)
{
    return x * (x + 1618033989) % 2147483647;
}

// From the 16 bytes of an id. Divided by 2^31 - 1, a number of 128 bits leaves what its four
// parts of 32 bits leave, added up: 2^32 leaves 2.
constexpr int shard_of(const unsigned char *id, int shards)
{
    std::uint64_t x = 0;
    for (int word = 0; word < 16; word += 4) {
        const std::uint32_t part = static_cast<std::uint32_t>(id[word]) << 24 | id[word + 1] << 16 |
                                   id[word + 2] << 8 | id[word + 3];
        x = 2 * x + part;
    }
    return static_cast<int>(mixed(mixed(x % 2147483647)) % static_cast<unsigned>(shards));
}

} // namespace companion
