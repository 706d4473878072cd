// How much an item matters when memory is recalled.
#pragma once

#include <algorithm>
#include <cmath>

namespace companion {

struct ItemStanding {
    double importance;
    int confirmations;
    double days_since_stated;
    double days_since_used; // infinity: never
};

// Importance, halved for every half-life since the value was last stated, a quarter more
// for every doubling of its confirmations, and half as much again when used just now,
// which wears off by half a week. Half-life in days.
inline double recall_score(const ItemStanding &item, double half_life)
{
    constexpr double use_half_life = 7;
    const double faded = std::exp2(-std::max(item.days_since_stated, 0.0) / half_life);
    const double confirmed = 1 + std::log2(item.confirmations) / 4;
    const double used = 1 + std::exp2(-std::max(item.days_since_used, 0.0) / use_half_life) / 2;
    return item.importance * faded * confirmed * used;
}

} // namespace companion
