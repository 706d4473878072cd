// The facts of one upsert_user_context_many.
#pragma once

#include "facts/fact.hpp"

namespace companion {

// A fact among others, and the item that it became.
struct ListedFact : Fact {
    ListedFact *counts;  // the last one with the same category and key
    const char *outcome; // what became of it; null before
    const char *reason;  // why it was refused, or null
    Datum item;          // its row; zero where there is none
    pg_uuid_t id;        // of the row

    void refuse(const char *why)
    {
        outcome = "refused";
        reason = why;
    }
};

// Facts in input order.
struct Facts {
    ListedFact *begin;
    int count;
    ListedFact **distinct; // those that count, by category and key
    int distinct_count;

    // The one that counts for a category and a folded key, or null.
    ListedFact *find(std::string_view category, std::string_view folded_key) const;
};

// What becomes of a fact that is not valid: an error for all, or it alone is refused. Then, too,
// numbers and booleans are taken as values by their text, and texts that are numbers as numbers.
enum class OnInvalid { error, skip };

// Error 22023 for another word than error and skip.
OnInvalid read_on_invalid(std::string_view word);

// Read and check an array of objects. Errors 22023, 54000 and those of Fact::complete().
Facts read_facts(Jsonb *array, OnInvalid on_invalid);

// The same from JSON that need not be jsonb, as with a zero character in a text: skipping. Within
// with_spi().
Facts read_facts(Datum json);

} // namespace companion
