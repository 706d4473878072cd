// Foreign keys of rows that are inserted one by one and often.
//
// The server checks each with a query of its own, which costs more than to store the row. Theirs
// stay declared, and what they do when a row that is referred to changes or goes stays the
// server's; of an insert it is this that checks them, with the same lock and the same error. So
// the server's triggers for that are disabled (references.sql); enabled, they would check again.
#pragma once

#include "postgres/written_row.hpp"

namespace companion {

// A foreign key of at most two columns, all of them uuid, to a primary key. A null refers to
// nothing.
struct Reference {
    const char *constraint, *table, *index;
    const char *columns[2];
};

// Refuse an inserted row that refers to none, and else keep the one that it refers to from being
// deleted before this transaction has ended. Waits for whoever is deleting it. Error 23503, or
// 40001 where a transaction of a higher isolation level cannot see it as it is now.
void check_reference(const WrittenRow &row, const Reference &reference);

} // namespace companion
