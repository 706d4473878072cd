// A table of the auth system's, of which nothing is called that its owner may have made: its
// columns are read as they are stored, and their types known by what a superuser has made.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// Which columns are followed beside the id, by number; InvalidAttrNumber for none.
struct Followed {
    AttrNumber email, deleted, banned;
};

// The columns that are followed, of a table or a partition. Each of them takes what reads a
// column of a row, by its number, as a NullableDatum.
class AuthColumns {
  public:
    // Errors 42703 where one is missing, 42804 where it is of a type that cannot be followed,
    // or virtual.
    AuthColumns(Relation table, const Followed &followed);

    // The row's id. Error 23502 where it has none.
    template <class Read>
    Datum id(Read read) const
    {
        return required_id(read(id_));
    }

    // The row's e-mail address as text, or null.
    template <class Read>
    NullableDatum email(Read read) const
    {
        return as_text(read(followed_.email));
    }

    // Until when the row says that its user is to get nothing, or null: for good where it is
    // marked as deleted, else what it says of a ban.
    template <class Read>
    NullableDatum suspended_until(Read read) const
    {
        if (followed_.deleted != InvalidAttrNumber &&
            is_set(deleted_type_, read(followed_.deleted)))
            return {TimestampTzGetDatum(DT_NOEND), false};
        return followed_.banned == InvalidAttrNumber ? NullableDatum{0, true}
                                                     : end_of_ban(read(followed_.banned));
    }

    // Whether the rows say who is suspended.
    bool has_suspensions() const
    {
        return followed_.deleted != InvalidAttrNumber || followed_.banned != InvalidAttrNumber;
    }

  private:
    Datum required_id(NullableDatum value) const;
    NullableDatum as_text(NullableDatum value) const;
    NullableDatum end_of_ban(NullableDatum value) const;
    static bool is_set(Oid type, NullableDatum value);

    Relation table_;
    Followed followed_;
    AttrNumber id_;
    Oid email_type_, deleted_type_, banned_type_;
};

} // namespace companion
