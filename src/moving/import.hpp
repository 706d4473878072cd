// Taking over rows that an app has already: each by itself, so that one which cannot be taken is
// refused with its reason and the others are taken.
#pragma once

#include "moving/fields.hpp"
#include "postgres/statement.hpp"

namespace companion {

// How the elements of one table are taken over.
struct Import {
    const char *table;
    std::span<const ImportedField> fields;

    // Takes the elements of the array $1 (jsonb). It returns for each, in their order, its id;
    // taken, there already, refused, or NULL where another transaction holds the user; the reason;
    // whether the row that was written is as it was to be, NULL where none was; whose it is; and
    // whether it would have been taken otherwise after those before it. An element which meets a
    // key that one before it takes is an error.
    Statement *take;

    // What becomes of those that were taken: user_ids and ids (uuid[]). May be null.
    void (*finish)(Datum user_ids, Datum ids) = nullptr;

    // Whether one more may be taken for the user: an error where not. May be null.
    void (*check)(Datum user_id) = nullptr;
};

// Take over all elements of the call's argument, and return what became of each. Error 22023 where
// it is no array.
Datum import_rows(FunctionCallInfo fcinfo, const Import &import);

} // namespace companion
