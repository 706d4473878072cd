// How near the meanings of a user's items are to one that is given.
#pragma once

#include "postgres/arguments.hpp"

namespace companion {

// The most dimensions of an embedding, as pgvector's.
inline constexpr int most_dimensions = 16000;

// An argument that is an embedding, double precision[], as a real[]. Errors 22004, 22023, 2202E.
Datum read_embedding(const Arguments &arguments, int position);

// Compare a user's items with an embedding, by the embeddings of a model or of any: what
// meaning_of() reads. Within with_spi().
Datum compare_meanings(Datum user_id, Datum embedding, NullableDatum model);

} // namespace companion
