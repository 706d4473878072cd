// The fields of a user that put_user() takes: columns of users, as JSON has their values.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// Who sets a field; each may set what those before may.
enum class Setter { end_user, worker, admin, nobody };

// Telegram's account and the number, which are an admin's to set, and a worker's where they say
// whom the call is about.
enum class Accounts { admins, named };

// A column of users and its new value.
struct Field {
    const char *name;
    Oid type;
    NullableDatum value;
};

// What a call sets.
class Fields {
  public:
    static constexpr int most = 32; // more than there are

    // All that an object holds. Error 22023 for an unknown field and a value that is none of it,
    // 42501 for what the caller may not set; the field's name is also the error's column name.
    Fields(Jsonb *settings, Setter caller, Accounts accounts);

    const Field *begin() const { return fields_; }
    const Field *end() const { return fields_ + count_; }

    // The field of this name, or null.
    const Field *find(const char *name) const;

    // Set a further one.
    void add(const Field &field) { fields_[count_++] = field; }

    // Leave one out, if it is there.
    void drop(const char *name);

  private:
    Field fields_[most];
    int count_ = 0;
};

// Error 42501.
[[noreturn]] void refuse_field(const char *name, const char *hint);

} // namespace companion
