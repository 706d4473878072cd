// What holds for the facts of a category: the rows of context_categories.
#pragma once

#include "postgres/server.hpp"

#include <string_view>

namespace companion {

struct CategoryPolicy {
    std::string_view category;
    double half_life; // days
    bool keeps_history, is_in_prompt;
    int max_items;          // 0: no limit of its own
    Interval expires_after; // zero: never

    bool expires() const { return expires_after.time > 0; }
};

// All of them, in order.
struct CategoryPolicies {
    const CategoryPolicy *begin;
    std::size_t count;
    CategoryPolicy others; // of what has none of its own
};
CategoryPolicies category_policies();

// The policy of a category; * stands for those without a row of their own. Within with_spi() or
// not. The rows are read once a session, and again after they have changed.
const CategoryPolicy &policy_of(std::string_view category);

} // namespace companion
