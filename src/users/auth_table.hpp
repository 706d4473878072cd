// A table of the auth system's, of which nothing is called that its owner may have made: its
// columns are read as they are stored, and their types known by what a superuser has made.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// The columns that are followed, of a table or a partition.
class AuthColumns {
  public:
    // Errors 42703 where one is missing, 42804 where it is of a type that cannot be followed,
    // or virtual.
    AuthColumns(Relation table, AttrNumber email);

    // The row's id. Error 23502 where it has none.
    Datum id(NullableDatum value) const;

    // The row's e-mail address as text, or null.
    NullableDatum email(NullableDatum value) const;

    AttrNumber id_number() const { return id_; }
    AttrNumber email_number() const { return email_; }

  private:
    Relation table_;
    AttrNumber id_, email_;
    Oid email_type_;
};

} // namespace companion
