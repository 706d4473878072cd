// What the fields of an element that is taken over may hold.
#pragma once

#include "postgres/server.hpp"

#include <span>

namespace companion {

// A field, the setting that says how many characters it may have, and what else is looked at
// before the server reads it: by its name, and never a null.
struct ImportedField {
    const char *name;
    const int *longest = nullptr;
    void (*check)(const char *name, const JsonbValue &value) = nullptr;
};

// Refuse an object with a field that is none of these, or with a value that no function would have
// taken; prefix stands before the names of its fields. Error 22023, and those of the checks.
void check_fields(const char *table, std::span<const ImportedField> fields, JsonbContainer *object,
                  const char *prefix = "");

// A text that is not white space alone. Error 22023.
void check_words(const char *name, const JsonbValue &value);

// A time as the server reads it; what it says against one names the field. Errors 22007, 22008,
// and 22023 where it is no string.
TimestampTz read_time(const char *name, const JsonbValue &value);

// A time, which may be infinite; one that may not be -infinity; one of which the date is finite; a
// finite one that is at most a day from now; the same, and one that an id can be made of; one that
// an id can be made of. Errors as of read_time(), and 22008.
void check_time(const char *name, const JsonbValue &value);
void check_end_time(const char *name, const JsonbValue &value);
void check_date(const char *name, const JsonbValue &value);
void check_past_time(const char *name, const JsonbValue &value);
void check_past_id_time(const char *name, const JsonbValue &value);
void check_id_time(const char *name, const JsonbValue &value);

} // namespace companion
