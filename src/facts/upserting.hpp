// What remembering one fact and remembering many have in common.
#pragma once

#include "facts/fact.hpp"
#include "postgres/statement.hpp"

namespace companion {

// How often an item is looked for that is neither there nor can be made: somebody else may have
// made, changed or deleted it between two looks; or a trigger has suppressed the row.
inline constexpr int looks = 5;

// Before another look at the items with these categories and folded keys (text[]): what has expired
// goes, and the others are kept from being changed by others, so that they are met where they are
// found. Error 09000 where a trigger keeps a value from the history.
void free_places(Datum user_id, Datum categories, Datum folded_keys);

// After new items of a user: refuse more than companion.max_context_items, error 54000. They are
// counted at one in limit / 64, at random.
void check_item_limit(Datum user_id, int new_items);

// After new items (uuid[]) in a category: what there is beyond the category's limit makes room.
void make_room(Datum user_id, Datum category, Datum new_items);

// Drop what the former values of items (uuid[]) meant.
void drop_embeddings(Datum user_id, Datum items);

// Whether the message that states a fact must not teach it again, since it was forgotten. With the
// user's row locked, or what forgets it now may not be seen.
bool is_forgotten(Datum user_id, const Fact &fact);

inline constexpr char forgotten_reason[] =
    "it was forgotten, and its message must not teach it again";

// Refuse a row of user_context that is not the fact's own: by its columns user_id, category and key
// at these positions of a result's row. Error 09000.
void require_own_item(uint64 row, int first_column, Datum user_id, const Fact &fact);

} // namespace companion
