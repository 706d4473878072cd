// The facts of one upsert_user_context_many.
#pragma once

#include "memory/fact.hpp"

namespace companion {

// A fact among others, and the item that it became.
struct ListedFact : Fact {
    ListedFact *counts; // the last one with the same category and key
    Datum item;         // its row, once there; zero before
};

// Facts in input order.
struct Facts {
    ListedFact *begin;
    int count;
    ListedFact **distinct; // those that count, by category and key
    int distinct_count;

    // The one that counts for a category and key, or null.
    ListedFact *find(std::string_view category, std::string_view key) const;
};

// Read and check an array of objects. Errors 22023, 54000 and those of Fact::complete().
Facts read_facts(Jsonb *array);

} // namespace companion
