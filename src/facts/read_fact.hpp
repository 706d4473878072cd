// Reading a fact from JSON.
#pragma once

#include "facts/facts.hpp"

namespace companion {

// Read and check a fact from an object, null where the array has something else in its place.
// Errors 22023 and those of Fact::complete().
void read_fact(ListedFact &fact, JsonbContainer *object, OnInvalid on_invalid);

} // namespace companion
