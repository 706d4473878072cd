// What is to be recalled.
#pragma once

#include "postgres/arguments.hpp"

namespace companion {

struct RecallRequest {
    Datum user_id;
    int max_items;
    int max_chars;            // -1: no bound
    NullableDatum categories; // text[]: only these
    NullableDatum exclude;    // text[]: not these
    NullableDatum embedding;  // real[]: what is being talked about
    double meaning_weight;
    NullableDatum model; // whose embeddings are compared; null: any
};

// Read the arguments of recall_user_context(). For a prompt, categories that are not for one are
// left out. Errors 22023, 22004, 2202E.
RecallRequest read_recall_request(const Arguments &arguments, bool is_for_prompt);

// Find the items in the order in which they matter, as the last result: the item, its category,
// key and value. Where max_chars bounds them, all; else max_items. Within with_spi().
uint64 find_items(const RecallRequest &request);

} // namespace companion
