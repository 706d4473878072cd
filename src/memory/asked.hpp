// What a message has asked about: items that are resolved as it is filed.
#pragma once

#include "postgres/arguments.hpp"

namespace companion {

class AskedItems {
  public:
    // For one message a uuid[]. For many an element for each, or a row for each, whose nulls count
    // for nothing. Or null. Error 2202E for another shape.
    AskedItems(NullableDatum resolves, bool is_bulk, int messages);

    // Resolve those of a message, by its place, that are the user's. Within with_spi(), with the
    // user's row locked.
    void resolve(int message, Datum user_id) const;

  private:
    Datum *ids_ = nullptr;
    bool *nulls_ = nullptr;
    int a_message_ = 0; // ids for each
};

} // namespace companion
